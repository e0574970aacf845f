/*
 * ipc/test_object.c - objects that appear whole, are found by name, and are told from left-overs.
 */
#define _XOPEN_SOURCE 700
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
#define GLOBAL CSYS_NAMES_GLOBAL

static struct csysi_object opened(const struct csysi_named *wanted)
{
	struct csysi_object object;
	assert_int_equal(csysi_object_open(wanted, &object), 0);
	return object;
}

static int result_of_opening(const struct csysi_named *wanted)
{
	struct csysi_object object = { .file = CSYS_NO_HANDLE };
	int r = csysi_object_open(wanted, &object);

	assert_int_equal(r == 0, object.file != CSYS_NO_HANDLE);
	if (r == 0)
		csysi_object_close(&object);
	return r;
}

static void leave(const struct csysi_named *wanted)
{
	struct csysi_object object = created_object(wanted);
	csysi_object_close(&object);
}

static void remove_name(const char *name)
{
	assert_int_equal(csys_names_remove(USER, SHM, name), 0);
}

/* ---- whole objects ---------------------------------------------------------------------- */

static void one_creates_an_object_and_others_open_it(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	struct csysi_object second = { .file = CSYS_NO_HANDLE };

	assert_int_equal(result_of_opening(&wanted), CSYS_ENOENT);
	struct csysi_object first = created_object(&wanted);
	assert_int_equal(first.is_created, 1);
	assert_true(first.size == 16 && first.max_size == 16);
	assert_true(first.owner == csysi_os_user());
	assert_int_equal(csysi_object_create(&wanted, &second), CSYS_EEXIST);
	assert_true(second.file == CSYS_NO_HANDLE);
	assert_int_equal(csysi_object_create_or_open(&wanted, &second), 0);
	assert_int_equal(second.is_created, 0);
	assert_int_equal(csysi_os_write_at(first.file, CSYSI_OBJECT_DATA + 15, "x", 1), 0);
	char byte;
	assert_int_equal(csysi_os_read_at(second.file, CSYSI_OBJECT_DATA + 15, &byte, 1), 0);
	assert_int_equal(byte, 'x');
	csysi_object_close(&first);
	csysi_object_close(&second);
	csysi_object_close(&second); /* is none by now */
	remove_name("a");
}

static void an_object_that_is_only_read_is_not_written(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	leave(&wanted);
	wanted.read_only = 1;
	struct csysi_object object = opened(&wanted);
	assert_int_equal(csysi_os_is_writable(object.file), 0);
	assert_int_equal(csysi_os_is_inheritable(object.file), 0);
	csysi_object_close(&object);
	remove_name("a");
}

static void what_is_another_kind_version_size_or_layout_is_told(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a"), other;
	wanted.layout = 77;
	leave(&wanted);

	assert_int_equal(result_of_opening(&wanted), 0);
	other = wanted, other.version = 2;
	assert_int_equal(result_of_opening(&other), CSYS_EBADMSG);
	other = wanted, other.layout = 78;
	assert_int_equal(result_of_opening(&other), CSYS_EBADMSG);
	other = wanted, other.layout = 0;
	assert_int_equal(result_of_opening(&other), 0);
	other = wanted, other.size = 17;
	assert_int_equal(result_of_opening(&other), CSYS_EBADMSG);
	other = wanted, other.size = 0;
	assert_int_equal(result_of_opening(&other), 0);
	other = wanted, other.kind = CSYS_NAME_SEMAPHORE; /* has a file of its own */
	assert_int_equal(result_of_opening(&other), CSYS_ENOENT);
	remove_name("a");
}

static void wishes_that_cannot_be_are_refused(void **state)
{
	(void)state;
	struct csysi_object object = { .file = CSYS_NO_HANDLE };
	struct csysi_named wrong[] = { small_object(NULL), small_object(""),  small_object("a/b"),
				       small_object("a"),  small_object("a"), small_object("a"),
				       small_object("a"),  small_object("a") };
	static const int results[] = { CSYS_EINVAL, CSYS_EINVAL, CSYS_EINVAL, CSYS_EINVAL,
				       CSYS_EINVAL, CSYS_EINVAL, CSYS_EINVAL, CSYS_ENOSPC };
	wrong[3].kind = 0;
	wrong[4].scope = 2;
	wrong[5].mode = 0700;
	wrong[6].mode = 0066;
	wrong[7].size = UINT64_MAX;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		assert_int_equal(csysi_object_create(&wrong[i], &object), results[i]);
	assert_true(object.file == CSYS_NO_HANDLE);
}

static int calls, lost_calls, result_of_fill;

static int fill(const struct csysi_object *object, void *context)
{
	struct csysi_named *wanted = context;
	calls++;
	assert_int_equal(object->is_created, 1);
	assert_int_equal(csysi_os_write_at(object->file, CSYSI_OBJECT_DATA, "full", 4), 0);
	/* Nothing is to be seen yet, unless another process is earlier. */
	struct csysi_named plain = small_object(wanted->name);
	assert_int_equal(result_of_opening(&plain), CSYS_ENOENT);
	if (calls == 2)
		leave(&plain);
	return result_of_fill;
}

static void lost(void *context)
{
	(void)context;
	lost_calls++;
}

static void an_object_is_filled_before_it_is_seen_or_not_seen_at_all(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	struct csysi_object object = { .file = CSYS_NO_HANDLE };
	wanted.fill = fill;
	wanted.lost = lost;
	wanted.context = &wanted;

	calls = lost_calls = 0;
	result_of_fill = CSYS_ECANCELED;
	assert_int_equal(csysi_object_create(&wanted, &object), CSYS_ECANCELED);
	assert_true(calls == 1 && lost_calls == 0 && count_names() == 0);
	result_of_fill = 0;
	assert_int_equal(csysi_object_create_or_open(&wanted, &object), 0);
	assert_true(calls == 2 && lost_calls == 1);
	assert_int_equal(object.is_created, 0);
	csysi_object_close(&object);
	remove_name("a");
	assert_int_equal(csysi_object_create(&wanted, &object), 0);
	assert_true(calls == 3 && lost_calls == 1);
	csysi_object_close(&object);
	remove_name("a");
}

/* ---- strangers -------------------------------------------------------------------------- */

static void write_file(const char *name, const void *data, size_t size)
{
	char path[512];
	path_in(own_names(), name, path, sizeof path);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	fclose(file);
}

static void files_that_are_no_objects_are_told(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	unsigned char bytes[CSYSI_OBJECT_DATA + 16];

	leave(&wanted);
	struct csysi_object object = opened(&wanted);
	assert_int_equal(csysi_os_read_at(object.file, 0, bytes, sizeof bytes), 0);
	csysi_object_close(&object);
	remove_name("a");
	write_file("csys-shm-a", bytes, sizeof bytes);
	assert_int_equal(result_of_opening(&wanted), 0);
	for (size_t size = 0; size < sizeof bytes; size = size < 100 ? size + 1 : size * 2) {
		write_file("csys-shm-a", bytes, size);
		assert_int_equal(result_of_opening(&wanted), CSYS_EBADMSG);
	}
	/* Each bit of what is not the name's unused rest matters, or is harmless. */
	size_t known = offsetof(struct csysi_object_header, name) + 2;
	for (size_t bit = 0; bit < 8 * known; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		write_file("csys-shm-a", bytes, sizeof bytes);
		int r = result_of_opening(&wanted);
		assert_true(r == CSYS_EBADMSG || r == 0 || r == CSYS_ENOENT);
		if (r == CSYS_ENOENT) /* the bit that has it removed with its last user */
			write_file("csys-shm-a", bytes, sizeof bytes);
		if (bit / 8 < offsetof(struct csysi_object_header, flags))
			assert_int_equal(r, CSYS_EBADMSG);
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	memset(bytes, 0xff, sizeof bytes);
	write_file("csys-shm-a", bytes, sizeof bytes);
	assert_int_equal(result_of_opening(&wanted), CSYS_EBADMSG);
	assert_int_equal(csys_names_clean(USER, 0, NULL), 0);
}

static void what_was_put_in_place_of_an_object_is_not_followed(void **state)
{
	(void)state;
	char path[256], target[256];
	struct csysi_object object;
	struct csysi_named wanted = small_object("a");
	path_in(own_names(), "csys-shm-a", path, sizeof path);
	path_in(own_names(), "target", target, sizeof target);
	write_file("target", "precious", 8);

	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(csysi_object_create(&wanted, &object), CSYS_EEXIST);
	assert_int_equal(csysi_object_create_or_open(&wanted, &object), CSYS_EBADMSG);
	wanted.replace_unused = 1;
	assert_int_equal(csysi_object_create_or_open(&wanted, &object), CSYS_EBADMSG);
	assert_int_equal(csys_names_remove(USER, SHM, "a"), CSYS_EBADMSG);
	assert_int_equal(csys_names_remove_unused(USER, SHM, "a"), CSYS_EBADMSG);
	assert_int_equal(csys_names_clean(USER, 0, NULL), 0);
	assert_int_equal(count_names(), 2); /* all of it stays */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(csysi_object_create_or_open(&wanted, &object), CSYS_EBADMSG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(csysi_object_create_or_open(&wanted, &object), CSYS_EBADMSG);
	assert_int_equal(rmdir(path), 0);
	struct stat about;
	assert_int_equal(stat(target, &about), 0);
	assert_int_equal(about.st_size, 8);
	assert_int_equal(unlink(target), 0);
}

static void a_collision_of_hashes_is_told(void **state)
{
	(void)state;
	char name[200], from[256], to[256], file[CSYSI_NAME_FILE];
	struct csysi_named wanted = small_object("a"), other;
	struct csysi_object object;

	leave(&wanted);
	memset(name, 'n', sizeof name);
	name[199] = '\0';
	csysi_name_file(SHM, name, csysi_os_directory_name_limit(), file);
	path_in(own_names(), "csys-shm-a", from, sizeof from);
	path_in(own_names(), file, to, sizeof to);
	assert_int_equal(rename(from, to), 0);
	other = small_object(name);
	assert_int_equal(csysi_object_create(&other, &object), CSYS_EEXIST);
	assert_int_equal(csysi_object_create_or_open(&other, &object), CSYS_EBADMSG);
	assert_int_equal(csys_names_remove(USER, SHM, name), CSYS_ENOENT);
	assert_int_equal(csys_names_remove_unused(USER, SHM, name), CSYS_ENOENT);
	assert_int_equal(unlink(to), 0);
}

/* Assert that a scan finds one object, and what it tells as its name. */
static void assert_scanned_name(const char *name)
{
	csys_names *names;
	csys_name_info info, none;
	assert_int_equal(csys_names_open(USER, &names), 0);
	assert_int_equal(csys_names_next(names, &info), 1);
	assert_string_equal(info.name, name);
	assert_int_equal(csys_names_next(names, &none), 0);
	csys_names_close(names);
}

static void a_scan_does_not_believe_that_a_file_is_another_names(void **state)
{
	(void)state;
	char name[400], file[CSYSI_NAME_FILE], from[256], to[512];
	const struct csysi_named victim = small_object("victim");
	memset(name, 'n', sizeof name);
	name[399] = '\0';
	csysi_name_file(SHM, name, csysi_os_directory_name_limit(), file);
	path_in(own_names(), "csys-shm-victim", from, sizeof from);
	for (int is_hashed = 0; is_hashed < 2; is_hashed++) {
		leave(&victim);
		path_in(own_names(), is_hashed ? file : "csys-shm-mine", to, sizeof to);
		assert_int_equal(rename(from, to), 0);
		assert_scanned_name(is_hashed ? "" : "mine");
		assert_int_equal(unlink(to), 0);
	}
}

/* ---- other processes -------------------------------------------------------------------- */

static int fill_and_clean(const struct csysi_object *object, void *context)
{
	(void)object;
	assert_int_equal(csys_names_clean(USER, 0, context), 0);
	return 0;
}

static void cleaning_leaves_what_is_being_made(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	size_t removed = 99;
	wanted.fill = fill_and_clean;
	wanted.context = &removed;
	struct csysi_object object = created_object(&wanted);
	assert_int_equal(removed, 0);
	csysi_object_close(&object);
	remove_name("a");
}

static void a_name_that_a_dead_creator_has_left_beside_its_object_is_cleaned(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	struct csysi_object object = created_object(&wanted);
	char from[256], to[256];
	size_t removed = 99;
	path_in(own_names(), "csys-shm-a", from, sizeof from);
	path_in(own_names(), ".csys-0123456789abcdef01234567", to, sizeof to);
	assert_int_equal(link(from, to), 0);
	assert_int_equal(csys_names_clean(USER, 0, &removed), 0); /* though it is in use */
	assert_int_equal(removed, 1);
	assert_int_equal(count_names(), 1);
	csysi_object_close(&object);
	remove_name("a");
}

static void an_object_that_a_process_has_alone_and_keeps_is_busy(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	struct csysi_object object;
	char path[4096];
	leave(&wanted);
	csys_handle directory, file;
	assert_int_equal(csysi_names_directory(USER, &directory), 0);
	assert_int_equal(csysi_os_directory_open_file(directory, "csys-shm-a", 0, &file), 0);
	assert_int_equal(csysi_os_file_use(file, 1), 0);

	csysi_patience_ms = 20;
	assert_int_equal(result_of_opening(&wanted), CSYS_EBUSY);
	assert_int_equal(csysi_object_create_or_open(&wanted, &object), CSYS_EBUSY);
	assert_int_equal(csys_names_remove(USER, SHM, "a"), CSYS_EBUSY);
	assert_int_equal(csys_names_remove_unused(USER, SHM, "a"), CSYS_EBUSY);
	/* Where other users could do that, its owner can still remove it. */
	assert_int_equal(csys_names_directory(USER, path, sizeof path), 0);
	assert_int_equal(csys_names_set_directory(GLOBAL, path), 0);
	assert_int_equal(csys_names_remove(GLOBAL, SHM, "a"), 0);
	assert_int_equal(csys_names_set_directory(GLOBAL, NULL), 0);
	csysi_os_close(file);
	csysi_os_close(directory);
}

/* ---- failures --------------------------------------------------------------------------- */

typedef int getter(const struct csysi_named *wanted, struct csysi_object *out);

static int walk(getter *get, struct csysi_named wanted)
{
	for (int nth = 1;; nth++) {
		struct csysi_object object = { .file = CSYS_NO_HANDLE };
		int before = count_names(), handles = open_handles();
		csysi_fault_arm(nth);
		int r = get(&wanted, &object);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (!fired) {
			assert_int_equal(r, 0);
			csysi_object_close(&object);
			return nth - 1;
		}
		assert_true(r < 0);
		assert_true(object.file == CSYS_NO_HANDLE);
		assert_int_equal(open_handles(), handles);
		assert_int_equal(count_names(), before);
	}
}

static void each_failure_on_the_way_leaves_nothing(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");

	assert_in_range(walk(csysi_object_create, wanted), 5, 9);
	assert_in_range(walk(csysi_object_open, wanted), 2, 4);
	assert_in_range(walk(csysi_object_create_or_open, wanted), 2, 4);
	remove_name("a");
	wanted.remove_with_last = 1;
	assert_in_range(walk(csysi_object_create_or_open, wanted), 6, 9);
	assert_int_equal(count_names(), 0);
}

static void a_walk_through_a_listing_and_its_failures(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	leave(&wanted);

	for (int nth = 1;; nth++) {
		csys_names *names = NULL;
		csys_name_info info = { .kind = 77 };
		csysi_fault_arm(nth);
		int r = csys_names_open(USER, &names);
		if (r == 0)
			r = csys_names_next(names, &info);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		csys_names_close(names);
		if (!fired) {
			assert_int_equal(r, 1);
			break;
		}
		assert_true(r < 0 && info.kind == 77);
	}
	csysi_fault_arm(1);
	assert_int_equal(csys_names_set_directory(USER, "/a"), CSYS_ENOMEM);
	csysi_fault_arm(0);
	for (int nth = 1;; nth++) {
		csysi_fault_arm(nth);
		int r = csys_names_remove(USER, SHM, "a");
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_true(fired ? r < 0 : r == 0);
		if (!fired)
			break;
		assert_int_equal(count_names(), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(one_creates_an_object_and_others_open_it),
		NAMES_TEST(an_object_that_is_only_read_is_not_written),
		NAMES_TEST(what_is_another_kind_version_size_or_layout_is_told),
		NAMES_TEST(wishes_that_cannot_be_are_refused),
		NAMES_TEST(an_object_is_filled_before_it_is_seen_or_not_seen_at_all),
		NAMES_TEST(files_that_are_no_objects_are_told),
		NAMES_TEST(what_was_put_in_place_of_an_object_is_not_followed),
		NAMES_TEST(a_collision_of_hashes_is_told),
		NAMES_TEST(a_scan_does_not_believe_that_a_file_is_another_names),
		NAMES_TEST(cleaning_leaves_what_is_being_made),
		NAMES_TEST(a_name_that_a_dead_creator_has_left_beside_its_object_is_cleaned),
		NAMES_TEST(an_object_that_a_process_has_alone_and_keeps_is_busy),
		NAMES_TEST(each_failure_on_the_way_leaves_nothing),
		NAMES_TEST(a_walk_through_a_listing_and_its_failures),
	};
	return RUN(tests);
}
