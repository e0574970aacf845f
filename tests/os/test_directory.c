/*
 * os/test_directory.c - exam: directories that are checked, files with names, their use.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"
#include "support/names.h"

static csys_handle opened(enum csysi_os_directory whose)
{
	csys_handle directory;
	assert_int_equal(csysi_os_directory_open(own_names(), whose, &directory), 0);
	return directory;
}

/* A file with a name, which no process has open. */
static void make_file(csys_handle directory, const char *name, int mode)
{
	struct csysi_os_new_file file;
	assert_int_equal(csysi_os_directory_create(directory, mode, &file), 0);
	assert_int_equal(csysi_os_directory_publish(directory, &file, name), 0);
	csysi_os_close(file.file);
}

static csys_handle open_file(csys_handle directory, const char *name)
{
	csys_handle file;
	assert_int_equal(csysi_os_directory_open_file(directory, name, 1, &file), 0);
	return file;
}

/* ---- directories --------------------------------------------------------------------- */

static void the_usual_directories_are_absolute_and_the_users_own_has_its_number(void **state)
{
	(void)state;
	char user[4096], shared[4096], number[32];
	assert_int_equal(csysi_os_directory_usual(CSYSI_OS_DIRECTORY_USER, user, sizeof user), 0);
	assert_int_equal(csysi_os_directory_usual(CSYSI_OS_DIRECTORY_SHARED, shared, sizeof shared),
			 0);
	snprintf(number, sizeof number, "%lld", (long long)csysi_os_user());
	assert_true(csysi_os_is_absolute(user) && csysi_os_is_absolute(shared));
	assert_non_null(strstr(user, number));
	assert_string_not_equal(user, shared);
	assert_int_equal(csysi_os_directory_usual(CSYSI_OS_DIRECTORY_USER, user, strlen(user)),
			 CSYS_ENAMETOOLONG);
	assert_false(csysi_os_is_absolute("here"));
	assert_int_equal(csysi_os_is_privileged(), 0);
}

static void a_missing_directory_of_a_user_is_made_and_a_shared_one_is_not(void **state)
{
	(void)state;
	char path[256];
	csys_handle directory = CSYS_NO_HANDLE;
	struct stat about;
	path_in(own_names(), "new", path, sizeof path);

	assert_int_equal(csysi_os_directory_open(path, CSYSI_OS_DIRECTORY_SHARED, &directory),
			 CSYS_ENOENT);
	assert_true(directory == CSYS_NO_HANDLE);
	/* A umask does not keep the user from it, unless the C library has no way to change the
	 * mode of a name itself: glibc has none without /proc. */
	int can = fchmodat(AT_FDCWD, own_names(), 0700, AT_SYMLINK_NOFOLLOW) == 0;
	mode_t before = umask(can ? 0777 : 0077);
	assert_int_equal(csysi_os_directory_open(path, CSYSI_OS_DIRECTORY_USER, &directory), 0);
	umask(before);
	assert_int_equal(csysi_os_is_inheritable(directory), 0);
	csysi_os_close(directory);
	assert_int_equal(stat(path, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0700);
	path_in(own_names(), "none/new", path, sizeof path);
	assert_int_equal(csysi_os_directory_open(path, CSYSI_OS_DIRECTORY_USER, &directory),
			 CSYS_ENOENT);
	path_in(own_names(), "new", path, sizeof path);
	assert_int_equal(rmdir(path), 0);
}

static int result_of_opening(const char *path, enum csysi_os_directory whose)
{
	csys_handle directory = CSYS_NO_HANDLE;
	int r = csysi_os_directory_open(path, whose, &directory);

	assert_int_equal(r == 0, directory != CSYS_NO_HANDLE);
	csysi_os_close(directory);
	return r;
}

static void a_directory_that_others_could_change_is_refused(void **state)
{
	(void)state;
	char path[256];
	path_in(own_names(), "d", path, sizeof path);
	assert_int_equal(mkdir(path, 0700), 0);

	assert_int_equal(result_of_opening(path, CSYSI_OS_DIRECTORY_USER), 0);
	static const struct {
		mode_t mode;
		int user, shared;
	} modes[] = {
		{ 0701, CSYS_EPERM, 0 },          { 0710, CSYS_EPERM, 0 },
		{ 0755, CSYS_EPERM, 0 },          { 0770, CSYS_EPERM, CSYS_EPERM },
		{ 0777, CSYS_EPERM, CSYS_EPERM }, { 01777, CSYS_EPERM, 0 },
		{ 0702, CSYS_EPERM, CSYS_EPERM }, { 01700, 0, 0 },
	};
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		assert_int_equal(chmod(path, modes[i].mode), 0);
		assert_int_equal(result_of_opening(path, CSYSI_OS_DIRECTORY_USER), modes[i].user);
		assert_int_equal(result_of_opening(path, CSYSI_OS_DIRECTORY_SHARED),
				 modes[i].shared);
	}
	chmod(path, 0700);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 65534, (gid_t)-1), 0);
		assert_int_equal(result_of_opening(path, CSYSI_OS_DIRECTORY_USER), CSYS_EPERM);
		assert_int_equal(result_of_opening(path, CSYSI_OS_DIRECTORY_SHARED), CSYS_EPERM);
	}
	assert_int_equal(rmdir(path), 0);
}

static void what_is_no_directory_is_refused_and_so_is_a_link_to_one(void **state)
{
	(void)state;
	char path[256], target[256];
	path_in(own_names(), "link", path, sizeof path);
	path_in(own_names(), "target", target, sizeof target);
	assert_int_equal(mkdir(target, 0700), 0);
	assert_int_equal(symlink("target", path), 0);

	assert_int_equal(result_of_opening(path, CSYSI_OS_DIRECTORY_USER), CSYS_ENOTDIR);
	assert_int_equal(rmdir(target), 0); /* nothing is made through it either */
	assert_int_equal(result_of_opening(path, CSYSI_OS_DIRECTORY_USER), CSYS_ENOTDIR);
	assert_int_equal(access(target, F_OK), -1);
	assert_int_equal(mkdir(target, 0700), 0);
	path_in(own_names(), "link//", path, sizeof path);
	assert_int_equal(result_of_opening(path, CSYSI_OS_DIRECTORY_USER), CSYS_ENOTDIR);
	path_in(own_names(), "target//", path, sizeof path);
	assert_int_equal(result_of_opening(path, CSYSI_OS_DIRECTORY_USER), 0);
	assert_int_equal(rmdir(target), 0);
	path_in(own_names(), "link", path, sizeof path);
	assert_int_equal(unlink(path), 0);
	fclose(fopen(path, "w"));
	assert_int_equal(result_of_opening(path, CSYSI_OS_DIRECTORY_USER), CSYS_ENOTDIR);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(result_of_opening("relative", CSYSI_OS_DIRECTORY_USER), CSYS_EINVAL);
}

/* ---- files --------------------------------------------------------------------------- */

static void a_new_file_has_no_name_until_it_is_published_and_takes_none_that_is_there(void **state)
{
	(void)state;
	csys_handle directory = opened(CSYSI_OS_DIRECTORY_USER);
	struct csysi_os_new_file first, second;
	struct csysi_os_file about;

	assert_int_equal(csysi_os_directory_create(directory, 0600, &first), 0);
	assert_int_equal(csysi_os_directory_create(directory, 0640, &second), 0);
	assert_int_equal(csysi_os_directory_look(directory, "a", &about), CSYS_ENOENT);
	assert_int_equal(csysi_os_write_at(first.file, 0, "first", 5), 0);
	assert_int_equal(csysi_os_directory_publish(directory, &first, "a"), 0);
	assert_int_equal(csysi_os_directory_publish(directory, &second, "a"), CSYS_EEXIST);
	assert_int_equal(csysi_os_directory_publish(directory, &second, "b"), 0);
	assert_int_equal(count_names(), 2);
	assert_int_equal(csysi_os_directory_look(directory, "a", &about), 0);
	assert_int_equal(about.size, 5);
	assert_int_equal(about.links, 1);
	assert_int_equal(about.mode, 0600);
	assert_true(about.owner == csysi_os_user() && about.is_file);
	assert_int_equal(csysi_os_directory_is_file(directory, "a", first.file), 1);
	assert_int_equal(csysi_os_directory_is_file(directory, "a", second.file), 0);
	assert_int_equal(csysi_os_directory_is_file(directory, "c", second.file), 0);
	csysi_os_close(first.file);
	csysi_os_close(second.file);
	assert_int_equal(csysi_os_directory_remove(directory, "a"), 0);
	assert_int_equal(csysi_os_directory_remove(directory, "a"), CSYS_ENOENT);
	assert_int_equal(csysi_os_directory_remove(directory, "b"), 0);
	csysi_os_close(directory);
}

static void a_new_file_that_is_discarded_leaves_nothing(void **state)
{
	(void)state;
	csys_handle directory = opened(CSYSI_OS_DIRECTORY_USER);
	struct csysi_os_new_file file;

	assert_int_equal(csysi_os_directory_create(directory, 0600, &file), 0);
	csysi_os_directory_discard(directory, &file);
	assert_true(file.file == CSYS_NO_HANDLE);
	assert_int_equal(csysi_os_directory_create(directory, 0600, &file), 0);
	csysi_os_directory_unname(directory, &file);
	assert_int_equal(count_names(), 0);
	assert_int_equal(csysi_os_write_at(file.file, 0, "x", 1), 0);
	csysi_os_close(file.file);
	csysi_os_close(directory);
}

static void the_umask_changes_no_permissions(void **state)
{
	(void)state;
	csys_handle directory = opened(CSYSI_OS_DIRECTORY_USER);
	struct csysi_os_file about;
	mode_t before = umask(077);

	make_file(directory, "a", 0666);
	umask(before);
	assert_int_equal(csysi_os_directory_look(directory, "a", &about), 0);
	assert_int_equal(about.mode, 0666);
	assert_int_equal(csysi_os_directory_remove(directory, "a"), 0);
	csysi_os_close(directory);
}

static void a_reader_of_a_new_file_keeps_others_from_writing_it(void **state)
{
	(void)state;
	csys_handle directory = opened(CSYSI_OS_DIRECTORY_USER), reader;
	struct csysi_os_new_file file;
	struct csysi_os_file about;
	char byte;

	assert_int_equal(csysi_os_directory_create(directory, 0600, &file), 0);
	assert_int_equal(csysi_os_directory_reader(directory, &file, &reader), 0);
	csysi_os_directory_unname(directory, &file);
	assert_int_equal(csysi_os_is_writable(file.file), 1);
	assert_int_equal(csysi_os_is_writable(reader), 0);
	assert_int_equal(csysi_os_is_inheritable(reader), 0);
	assert_int_equal(csysi_os_file_info(reader, &about), 0);
	assert_int_equal(about.mode, 0400);
	assert_int_equal(csysi_os_write_at(file.file, 0, "x", 1), 0);
	assert_int_equal(csysi_os_read_at(reader, 0, &byte, 1), 0);
	assert_int_equal(csysi_os_write_at(reader, 0, "y", 1), CSYS_EBADF);
	csysi_os_close(reader);
	csysi_os_close(file.file);
	csysi_os_close(directory);
}

static void only_files_are_opened_and_no_link_is_followed(void **state)
{
	(void)state;
	csys_handle directory = opened(CSYSI_OS_DIRECTORY_USER), file = CSYS_NO_HANDLE;
	char link[256], fifo[256], folder[256];
	path_in(own_names(), "link", link, sizeof link);
	path_in(own_names(), "fifo", fifo, sizeof fifo);
	path_in(own_names(), "folder", folder, sizeof folder);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(mkdir(folder, 0700), 0);

	static const char *const names[] = { "link", "fifo", "folder" };
	for (size_t i = 0; i < 3; i++)
		for (int writing = 0; writing < 2; writing++)
			assert_int_equal(
				csysi_os_directory_open_file(directory, names[i], writing, &file),
				CSYS_EBADMSG);
	assert_int_equal(csysi_os_directory_open_file(directory, "none", 0, &file), CSYS_ENOENT);
	assert_true(file == CSYS_NO_HANDLE);
	unlink(link);
	unlink(fifo);
	rmdir(folder);
	csysi_os_close(directory);
}

static void names_of_new_files_are_known_and_no_others(void **state)
{
	(void)state;
	assert_int_equal(csysi_os_directory_is_temporary(".csys-0123456789abcdef01234567"), 1);
	assert_int_equal(csysi_os_directory_is_temporary(".csys-0123456789abcdef0123456"), 0);
	assert_int_equal(csysi_os_directory_is_temporary(".csys-0123456789abcdef012345678"), 0);
	assert_int_equal(csysi_os_directory_is_temporary(".csys-0123456789abcdef0123456x"), 0);
	assert_int_equal(csysi_os_directory_is_temporary("csys-shm-a"), 0);
}

/* ---- use ------------------------------------------------------------------------------ */

static csys_handle forked_file;

static void close_in_child(void)
{
	csysi_os_close(forked_file);
}

static void a_file_is_in_use_until_the_last_copy_of_a_handle_is_closed(void **state)
{
	(void)state;
	csys_handle directory = opened(CSYSI_OS_DIRECTORY_USER), copy;
	make_file(directory, "a", 0600);
	csys_handle one = open_file(directory, "a"), other = open_file(directory, "a");

	assert_int_equal(csysi_os_file_use(one, 1), 0); /* the new file is closed */
	assert_int_equal(csysi_os_file_use(other, 0), CSYS_EAGAIN);
	assert_int_equal(csysi_os_file_use(one, 0), 0);
	assert_int_equal(csysi_os_file_use(other, 0), 0);
	assert_int_equal(csysi_os_file_use(other, 1), CSYS_EAGAIN);
	assert_int_equal(csysi_os_dup(one, &copy), 0);
	csysi_os_close(one);
	forked_file = copy;
	in_child(close_in_child);
	assert_int_equal(csysi_os_file_use(other, 1), CSYS_EAGAIN);
	csysi_os_close(copy);
	assert_int_equal(csysi_os_file_use(other, 1), 0);
	csysi_os_close(other);
	assert_int_equal(csysi_os_directory_remove(directory, "a"), 0);
	csysi_os_close(directory);
}

static void a_new_file_is_in_use_from_the_start_and_with_its_name(void **state)
{
	(void)state;
	csys_handle directory = opened(CSYSI_OS_DIRECTORY_USER);
	struct csysi_os_new_file file;
	assert_int_equal(csysi_os_directory_create(directory, 0600, &file), 0);
	assert_int_equal(csysi_os_directory_publish(directory, &file, "a"), 0);
	csys_handle again = open_file(directory, "a");

	assert_int_equal(csysi_os_file_use(again, 1), CSYS_EAGAIN);
	csysi_os_close(file.file);
	assert_int_equal(csysi_os_file_use(again, 1), 0);
	csysi_os_close(again);
	assert_int_equal(csysi_os_directory_remove(directory, "a"), 0);
	csysi_os_close(directory);
}

static void a_directory_is_locked_by_one_at_a_time(void **state)
{
	(void)state;
	csys_handle directory = opened(CSYSI_OS_DIRECTORY_USER), locked, second = CSYS_NO_HANDLE;

	assert_int_equal(csysi_os_directory_try_lock(directory, &locked), 0);
	assert_int_equal(csysi_os_directory_try_lock(directory, &second), CSYS_EAGAIN);
	assert_true(second == CSYS_NO_HANDLE);
	csysi_os_close(locked);
	assert_int_equal(csysi_os_directory_try_lock(directory, &second), 0);
	csysi_os_close(second);
	csysi_os_close(directory);
}

/* ---- listing and limits ------------------------------------------------------------------ */

static void a_listing_has_each_name_once(void **state)
{
	(void)state;
	csys_handle directory = opened(CSYSI_OS_DIRECTORY_USER);
	struct csysi_os_listing *listing;
	const char *name;
	int seen[3] = { 0 };

	make_file(directory, "0", 0600);
	make_file(directory, "1", 0600);
	make_file(directory, "2", 0600);
	assert_int_equal(csysi_os_listing_open(directory, &listing), 0);
	while (csysi_os_listing_next(listing, &name) == 1) {
		assert_true(name[0] >= '0' && name[0] <= '2' && name[1] == '\0');
		seen[name[0] - '0']++;
		assert_int_equal(csysi_os_directory_remove(directory, name), 0);
	}
	csysi_os_listing_close(listing);
	assert_true(seen[0] == 1 && seen[1] == 1 && seen[2] == 1);
	csysi_os_close(directory);
}

static void each_failure_leaves_nothing_open(void **state)
{
	(void)state;
	csys_handle directory = opened(CSYSI_OS_DIRECTORY_USER);
	csys_handle out = CSYS_NO_HANDLE;
	struct csysi_os_new_file file;
	struct csysi_os_listing *listing;

	csysi_fault_exhaust(1, CSYS_EMFILE);
	assert_int_equal(csysi_os_directory_open(own_names(), CSYSI_OS_DIRECTORY_USER, &out),
			 CSYS_EMFILE);
	assert_int_equal(csysi_os_directory_create(directory, 0600, &file), CSYS_EMFILE);
	assert_int_equal(csysi_os_directory_open_file(directory, "a", 0, &out), CSYS_EMFILE);
	assert_int_equal(csysi_os_directory_try_lock(directory, &out), CSYS_EMFILE);
	assert_int_equal(csysi_os_listing_open(directory, &listing), CSYS_EMFILE);
	csysi_fault_arm(0);
	assert_true(out == CSYS_NO_HANDLE);
	csysi_os_close(directory);
}

static void without_handles(void)
{
	csys_handle directory = opened(CSYSI_OS_DIRECTORY_USER);
	struct csysi_os_new_file file;
	csys_handle out;

	allow_handles((int)directory + 1);
	assert_int_equal(csysi_os_directory_create(directory, 0600, &file), CSYS_EMFILE);
	assert_int_equal(csysi_os_directory_try_lock(directory, &out), CSYS_EMFILE);
	assert_int_equal(csysi_os_directory_open(own_names(), CSYSI_OS_DIRECTORY_USER, &out),
			 CSYS_EMFILE);
	allow_handles((int)directory + 2);
	close(0); /* a handle below 3 is there, and none above 2 */
	csys_handle last;
	assert_int_equal(csysi_os_dup(directory, &last), 0);
	assert_int_equal(csysi_os_directory_create(directory, 0600, &file), CSYS_EMFILE);
	assert_int_equal(count_names(), 0);
	csysi_os_close(last);
	csysi_os_close(directory);
}

static void a_process_without_handles_leaves_no_files(void **state)
{
	(void)state;
	in_process(without_handles);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = { PART(without_handles) };
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		NAMES_TEST(the_usual_directories_are_absolute_and_the_users_own_has_its_number),
		NAMES_TEST(a_missing_directory_of_a_user_is_made_and_a_shared_one_is_not),
		NAMES_TEST(a_directory_that_others_could_change_is_refused),
		NAMES_TEST(what_is_no_directory_is_refused_and_so_is_a_link_to_one),
		NAMES_TEST(
			a_new_file_has_no_name_until_it_is_published_and_takes_none_that_is_there),
		NAMES_TEST(a_new_file_that_is_discarded_leaves_nothing),
		NAMES_TEST(the_umask_changes_no_permissions),
		NAMES_TEST(a_reader_of_a_new_file_keeps_others_from_writing_it),
		NAMES_TEST(only_files_are_opened_and_no_link_is_followed),
		NAMES_TEST(names_of_new_files_are_known_and_no_others),
		NAMES_TEST(a_file_is_in_use_until_the_last_copy_of_a_handle_is_closed),
		NAMES_TEST(a_new_file_is_in_use_from_the_start_and_with_its_name),
		NAMES_TEST(a_directory_is_locked_by_one_at_a_time),
		NAMES_TEST(a_listing_has_each_name_once),
		NAMES_TEST(each_failure_leaves_nothing_open),
		NAMES_TEST(a_process_without_handles_leaves_no_files),
	};
	return RUN(tests);
}
