/*
 * ipc/test_names.c - where objects with names live, which there are, and which are left over.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/names.h"
#include "os/os.h"
#include "support/names.h"

#define SHM CSYS_NAME_SHM
#define USER CSYS_NAMES_USER

static void leave(const struct csysi_named *wanted)
{
	struct csysi_object object = created_object(wanted);
	csysi_object_close(&object);
}

static struct csysi_object opened(const struct csysi_named *wanted)
{
	struct csysi_object object;
	assert_int_equal(csysi_object_open(wanted, &object), 0);
	return object;
}

static int result_of_opening(const struct csysi_named *wanted)
{
	struct csysi_object object;
	int r = csysi_object_open(wanted, &object);

	if (r == 0)
		csysi_object_close(&object);
	return r;
}

static void remove_name(const char *name)
{
	assert_int_equal(csys_names_remove(USER, SHM, name), 0);
}

/* The state of the only object there is. */
static csys_name_info only_one(csys_names **names)
{
	csys_name_info info, none;
	assert_int_equal(csys_names_open(USER, names), 0);
	assert_int_equal(csys_names_next(*names, &info), 1);
	const char *name = info.name;
	char copy[CSYS_NAME_MAX + 1];
	snprintf(copy, sizeof copy, "%s", name);
	assert_int_equal(csys_names_next(*names, &none), 0);
	csys_names_close(*names);
	assert_int_equal(csys_names_open(USER, names), 0);
	assert_int_equal(csys_names_next(*names, &info), 1);
	return info;
}

static int state_of_only_one(void)
{
	csys_names *names;
	int state = only_one(&names).state;
	csys_names_close(names);
	return state;
}

/* ---- directories ------------------------------------------------------------------------ */

static void the_directory_is_told_and_chosen_by_a_call_or_the_environment(void **state)
{
	(void)state;
	char path[4096], usual[4096], expected[64];

	assert_int_equal(csys_names_directory(USER, path, sizeof path), 0);
	assert_string_equal(path, own_names());
	assert_int_equal(csys_names_set_directory(USER, "/chosen"), 0);
	assert_int_equal(csys_names_directory(USER, path, sizeof path), 0);
	assert_string_equal(path, "/chosen");
	assert_int_equal(csys_names_directory(USER, path, strlen("/chosen")), CSYS_ENAMETOOLONG);
	assert_int_equal(csys_names_set_directory(USER, NULL), 0);
	assert_int_equal(csys_names_directory(USER, path, sizeof path), 0);
	assert_string_equal(path, own_names());
	setenv("CSYS_DIRECTORY", "not/absolute", 1);
	assert_int_equal(csys_names_directory(USER, path, sizeof path), CSYS_EINVAL);
	setenv("CSYS_DIRECTORY", "", 1);
	assert_int_equal(csys_names_directory(USER, usual, sizeof usual), 0);
	snprintf(expected, sizeof expected, "/csys-%ld", (long)geteuid());
	assert_string_equal(usual + strlen(usual) - strlen(expected), expected);
	unsetenv("CSYS_DIRECTORY");
	assert_int_equal(csys_names_directory(USER, path, sizeof path), 0);
	assert_string_equal(path, usual);
}

static void the_directory_of_all_users_is_chosen_apart(void **state)
{
	(void)state;
	char path[4096];

	assert_int_equal(csys_names_set_directory(CSYS_NAMES_GLOBAL, "/g"), 0);
	assert_int_equal(csys_names_directory(CSYS_NAMES_GLOBAL, path, sizeof path), 0);
	assert_string_equal(path, "/g");
	assert_int_equal(csys_names_directory(USER, path, sizeof path), 0);
	assert_string_equal(path, own_names());
	assert_int_equal(csys_names_set_directory(CSYS_NAMES_GLOBAL, NULL), 0);
	assert_int_equal(csys_names_directory(CSYS_NAMES_GLOBAL, path, sizeof path), 0);
	assert_string_not_equal(path, own_names());
}

static void arguments_that_cannot_be_are_refused(void **state)
{
	(void)state;
	char path[4097];
	csys_names *names = NULL;
	size_t removed;

	assert_int_equal(csys_names_set_directory(2, "/a"), CSYS_EINVAL);
	assert_int_equal(csys_names_set_directory(USER, "a"), CSYS_EINVAL);
	memset(path, '/', sizeof path);
	path[4096] = '\0';
	assert_int_equal(csys_names_set_directory(USER, path), CSYS_ENAMETOOLONG);
	assert_int_equal(csys_names_directory(-1, path, sizeof path), CSYS_EINVAL);
	assert_int_equal(csys_names_directory(USER, NULL, 9), CSYS_EINVAL);
	assert_int_equal(csys_names_open(2, &names), CSYS_EINVAL);
	assert_int_equal(csys_names_open(USER, NULL), CSYS_EINVAL);
	assert_int_equal(csys_names_next(NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_names_remove(USER, 0, "a"), CSYS_EINVAL);
	assert_int_equal(csys_names_remove(USER, CSYS_NAME_HALF_MADE, "a"), CSYS_EINVAL);
	assert_int_equal(csys_names_remove(USER, SHM, "a/b"), CSYS_EINVAL);
	assert_int_equal(csys_names_remove(3, SHM, "a"), CSYS_EINVAL);
	assert_int_equal(csys_names_remove_unused(USER, SHM, NULL), CSYS_EINVAL);
	assert_int_equal(csys_names_remove(USER, SHM, "a"), CSYS_ENOENT);
	assert_int_equal(csys_names_remove_unused(USER, SHM, "a"), CSYS_ENOENT);
	removed = 99;
	assert_int_equal(csys_names_clean(USER, 99, &removed), CSYS_EINVAL);
	assert_int_equal(removed, 0);
	csys_names_close(NULL);
}

/* ---- names ------------------------------------------------------------------------------ */

static void names_are_utf_8_without_separators_and_not_too_long(void **state)
{
	(void)state;
	static const char *const good[] = {
		"a", "...", "a.b",  " ", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
		"-", "~",   "a\\b", "\n"
	};
	static const char *const bad[] = { "",
					   ".",
					   "..",
					   "/",
					   "a/b",
					   "a/",
					   "\x80",
					   "\xc0\x80",
					   "\xc1\xbf",
					   "\xe0\x9f\xbf",
					   "\xed\xa0\x80",
					   "\xf4\x90\x80\x80",
					   "\xf5\x80\x80\x80",
					   "\xc3",
					   "\xe2\x82",
					   "a\xff" };
	char longest[CSYS_NAME_MAX + 2];

	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_int_equal(csysi_name_check(good[i]), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(csysi_name_check(bad[i]), CSYS_EINVAL);
	memset(longest, 'x', sizeof longest);
	longest[CSYS_NAME_MAX + 1] = '\0';
	assert_int_equal(csysi_name_check(longest), CSYS_ENAMETOOLONG);
	longest[CSYS_NAME_MAX] = '\0';
	assert_int_equal(csysi_name_check(longest), 0);
}

static void files_are_named_readably_and_no_name_is_another_ones_file(void **state)
{
	(void)state;
	char file[CSYSI_NAME_FILE], other[CSYSI_NAME_FILE], name[CSYS_NAME_MAX + 1];
	const char *read;

	csysi_name_file(SHM, "render", 143, file);
	assert_string_equal(file, "csys-shm-render");
	assert_int_equal(csysi_name_of_file(file, &read), SHM);
	assert_string_equal(read, "render");
	csysi_name_file(CSYS_NAME_SEMAPHORE, "render", 143, other);
	assert_string_not_equal(file, other);

	memset(name, 'x', sizeof name);
	name[CSYS_NAME_MAX] = '\0';
	csysi_name_file(SHM, name, 143, file);
	assert_int_equal(strlen(file), 143);
	assert_non_null(strstr(file, "-xxxxx"));
	assert_int_equal(csysi_name_of_file(file, &read), SHM);
	assert_string_equal(read, "");
	name[CSYS_NAME_MAX - 1] = 'y';
	csysi_name_file(SHM, name, 143, other);
	assert_string_not_equal(file, other);
	/* The file of a long name is no other name's. */
	assert_int_equal(csysi_name_of_file("csys-shm-~", &read), SHM);
	assert_string_equal(read, "~");
	csysi_name_file(SHM, file + strlen("csys-shm~"), 143, other);
	assert_string_not_equal(file, other);
}

static void at_most_30_bytes_reach_a_system_with_short_names(void **state)
{
	(void)state;
	char file[CSYSI_NAME_FILE], other[CSYSI_NAME_FILE];
	const char *name;

	for (int kind = CSYS_NAME_SHM; kind <= CSYS_NAME_REGION; kind++) {
		csysi_name_file(kind, "render", 30, file);
		assert_true(strlen(file) <= 30);
		assert_int_equal(csysi_name_of_file(file, &name), kind);
		csysi_name_file(kind, "rendes", 30, other);
		assert_string_not_equal(file, other);
	}
}

static void a_long_name_is_cut_between_characters(void **state)
{
	(void)state;
	char file[CSYSI_NAME_FILE], name[601];

	for (int i = 0; i < 200; i++)
		memcpy(name + 3 * i, "\xe2\x82\xac", 3);
	name[600] = '\0';
	for (size_t limit = 80; limit < 90; limit++) {
		csysi_name_file(SHM, name, limit, file);
		assert_true(strlen(file) <= limit && strlen(file) > limit - 3);
		assert_int_equal(csysi_name_check(file), 0);
	}
}

static void the_hash_of_a_name_never_changes(void **state)
{
	(void)state;
	/* Programs of two versions have to find the same file. */
	char file[CSYSI_NAME_FILE];
	csysi_name_file(SHM, "render", 30, file);
	assert_string_equal(file, "c1~38lhn61kgeimoj99cqo86ahr86");
}

/* ---- listing ---------------------------------------------------------------------------- */

static void a_scan_tells_each_object_and_nothing_else(void **state)
{
	(void)state;
	char path[256], name[400];
	csys_names *names;

	path_in(own_names(), "stranger", path, sizeof path);
	fclose(fopen(path, "w"));
	struct csysi_named wanted = small_object("used");
	struct csysi_object used = created_object(&wanted);
	csys_name_info info = only_one(&names);
	assert_string_equal(info.name, "used");
	assert_string_equal(info.file, "csys-shm-used");
	assert_int_equal(info.kind, SHM);
	assert_int_equal(info.state, CSYS_NAME_IN_USE);
	assert_int_equal(info.mode, 0600);
	assert_true(info.owner == (int64_t)geteuid());
	assert_true(info.size == CSYSI_OBJECT_DATA + 16);
	csys_names_close(names);
	csysi_object_close(&used);
	assert_int_equal(state_of_only_one(), CSYS_NAME_LEFT_OVER);
	assert_int_equal(csys_names_remove(USER, SHM, "used"), 0);

	memset(name, 'n', sizeof name);
	name[399] = '\0';
	wanted = small_object(name);
	leave(&wanted);
	info = only_one(&names);
	assert_string_equal(info.name, name); /* the file has a hash */
	csys_names_close(names);
	assert_int_equal(csys_names_remove_unused(USER, SHM, name), 0);
	assert_int_equal(count_names(), 1);
	assert_int_equal(unlink(path), 0);
}

/* ---- use -------------------------------------------------------------------------------- */

static struct csysi_object forked;

static void close_it(void)
{
	csysi_object_close(&forked);
}

static void an_object_is_left_over_when_the_last_process_has_closed_it(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	struct csysi_object first = created_object(&wanted), second = opened(&wanted);

	assert_int_equal(csys_names_remove_unused(USER, SHM, "a"), CSYS_EBUSY);
	csysi_object_close(&first);
	assert_int_equal(csys_names_remove_unused(USER, SHM, "a"), CSYS_EBUSY);
	forked = second;
	in_child(close_it); /* what the child closes is its copy */
	assert_int_equal(csys_names_remove_unused(USER, SHM, "a"), CSYS_EBUSY);
	csysi_object_close(&second);
	assert_int_equal(csys_names_remove_unused(USER, SHM, "a"), 0);
}

static void touch(const char *name)
{
	char path[256];
	path_in(own_names(), name, path, sizeof path);
	fclose(fopen(path, "w"));
}

static void cleaning_removes_what_is_left_over_and_nothing_else(void **state)
{
	(void)state;
	struct csysi_named used = small_object("used"), left = small_object("left");
	struct csysi_named semaphore = small_object("left");
	struct csysi_object object = created_object(&used);
	size_t removed = 99;
	semaphore.kind = CSYS_NAME_SEMAPHORE;

	leave(&left);
	leave(&semaphore);
	touch("stranger");
	touch(".csys-0123456789abcdef01234567");
	assert_int_equal(csys_names_clean(USER, SHM, &removed), 0);
	assert_int_equal(removed, 1);
	assert_int_equal(result_of_opening(&left), CSYS_ENOENT);
	assert_int_equal(csys_names_clean(USER, CSYS_NAME_HALF_MADE, &removed), 0);
	assert_int_equal(removed, 1);
	assert_int_equal(csys_names_clean(USER, 0, &removed), 0);
	assert_int_equal(removed, 1);
	assert_int_equal(result_of_opening(&used), 0);
	csysi_object_close(&object);
	assert_int_equal(csys_names_clean(USER, 0, NULL), 0);
	assert_int_equal(count_names(), 1);
	char path[256];
	path_in(own_names(), "stranger", path, sizeof path);
	assert_int_equal(unlink(path), 0);
}

static void what_cannot_be_removed_is_told_and_does_not_keep_the_others(void **state)
{
	(void)state;
	struct csysi_named one = small_object("one"), other = small_object("other");
	int nth = 1, fired = 1;
	for (; fired; nth++) {
		size_t removed = 99;
		leave(&one);
		leave(&other);
		csysi_fault_arm(nth);
		int r = csys_names_clean(USER, 0, &removed);
		fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_int_equal(r < 0, fired);
		if (r == CSYS_EIO) /* of one of them */
			assert_int_equal(removed, 1);
		assert_int_equal(removed + (size_t)count_names(), 2);
		assert_int_equal(csys_names_clean(USER, 0, &removed), 0);
		assert_int_equal(count_names(), 0);
	}
	assert_true(nth > 8);
}

static void a_name_is_removed_while_the_object_is_used_and_is_free_then(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	struct csysi_object first = created_object(&wanted);

	remove_name("a");
	assert_int_equal(result_of_opening(&wanted), CSYS_ENOENT);
	struct csysi_object second = created_object(&wanted);
	assert_int_equal(csysi_os_write_at(first.file, CSYSI_OBJECT_DATA, "x", 1), 0);
	csysi_object_close(&first);
	assert_int_equal(csys_names_remove(USER, SHM, "a"), 0);
	assert_int_equal(csys_names_remove(USER, SHM, "a"), CSYS_ENOENT);
	csysi_object_close(&second);
}

static void an_object_may_go_with_its_last_user(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a"), plain = small_object("a");
	wanted.remove_with_last = 1;
	struct csysi_object first = created_object(&wanted), second = opened(&plain);

	csysi_object_close(&first);
	assert_int_equal(count_names(), 1);
	forked = second;
	in_child(close_it); /* a forked child is not the last one */
	assert_int_equal(count_names(), 1);
	csysi_object_close(&second);
	assert_int_equal(count_names(), 0);
}

static void the_last_user_does_not_remove_a_successor(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a"), plain = small_object("a");
	wanted.remove_with_last = 1;
	struct csysi_object first = created_object(&wanted);

	remove_name("a");
	leave(&plain);
	csysi_object_close(&first);
	assert_int_equal(result_of_opening(&plain), 0);
	remove_name("a");
}

static void die_with_an_object(void)
{
	struct csysi_named wanted = small_object("a");
	wanted.remove_with_last = getenv("CSYS_TEST_LAST") != NULL;
	struct csysi_object object = created_object(&wanted);
	(void)object;
	raise(SIGKILL);
}

static void what_a_dead_user_should_have_removed_is_never_adopted(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	struct csysi_object object;

	setenv("CSYS_TEST_LAST", "1", 1);
	assert_int_equal(end_in_process(die_with_an_object).how, CSYS_EXIT_SIGNAL);
	assert_int_equal(result_of_opening(&wanted), CSYS_ENOENT);
	assert_int_equal(count_names(), 0);
	assert_int_equal(end_in_process(die_with_an_object).how, CSYS_EXIT_SIGNAL);
	assert_int_equal(csysi_object_create(&wanted, &object), 0);
	csysi_object_close(&object);
	remove_name("a");
	unsetenv("CSYS_TEST_LAST");
}

static void an_object_of_dead_users_is_adopted_or_replaced_as_is_wished(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	struct csysi_object object;

	assert_int_equal(end_in_process(die_with_an_object).how, CSYS_EXIT_SIGNAL);
	assert_int_equal(csysi_object_create_or_open(&wanted, &object), 0);
	assert_int_equal(object.is_created, 0);
	wanted.replace_unused = 1;
	struct csysi_object second;
	assert_int_equal(csysi_object_create(&wanted, &second), CSYS_EEXIST); /* it is in use */
	assert_int_equal(csysi_object_create_or_open(&wanted, &second), 0);
	assert_int_equal(second.is_created, 0);
	csysi_object_close(&second);
	csysi_object_close(&object);
	assert_int_equal(csysi_object_create_or_open(&wanted, &object), 0);
	assert_int_equal(object.is_created, 1);
	csysi_object_close(&object);
	assert_int_equal(csysi_object_create(&wanted, &object), 0);
	csysi_object_close(&object);
	assert_int_equal(csysi_object_open(&wanted, &object), 0); /* opening replaces nothing */
	assert_int_equal(object.is_created, 0);
	csysi_object_close(&object);
	remove_name("a");
}

int main(int argc, char **argv)
{
	static const struct part parts[] = { PART(die_with_an_object) };
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		NAMES_TEST(the_directory_is_told_and_chosen_by_a_call_or_the_environment),
		NAMES_TEST(the_directory_of_all_users_is_chosen_apart),
		NAMES_TEST(arguments_that_cannot_be_are_refused),
		NAMES_TEST(names_are_utf_8_without_separators_and_not_too_long),
		NAMES_TEST(files_are_named_readably_and_no_name_is_another_ones_file),
		NAMES_TEST(at_most_30_bytes_reach_a_system_with_short_names),
		NAMES_TEST(a_long_name_is_cut_between_characters),
		NAMES_TEST(the_hash_of_a_name_never_changes),
		NAMES_TEST(a_scan_tells_each_object_and_nothing_else),
		NAMES_TEST(an_object_is_left_over_when_the_last_process_has_closed_it),
		NAMES_TEST(cleaning_removes_what_is_left_over_and_nothing_else),
		NAMES_TEST(what_cannot_be_removed_is_told_and_does_not_keep_the_others),
		NAMES_TEST(a_name_is_removed_while_the_object_is_used_and_is_free_then),
		NAMES_TEST(an_object_may_go_with_its_last_user),
		NAMES_TEST(the_last_user_does_not_remove_a_successor),
		NAMES_TEST(what_a_dead_user_should_have_removed_is_never_adopted),
		NAMES_TEST(an_object_of_dead_users_is_adopted_or_replaced_as_is_wished),
	};
	return RUN(tests);
}
