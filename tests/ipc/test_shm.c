/*
 * ipc/test_shm.c - memory that processes share: with a name, and what it holds.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/names.h"
#include "support/system.h"

#define SHM CSYS_NAME_SHM
#define USER CSYS_NAMES_USER
#define GLOBAL CSYS_NAMES_GLOBAL

struct board {
	uint32_t turn;
	char cells[60];
};

static csys_shm *created(const char *name, size_t size, const csys_shm_options *options)
{
	csys_shm *shm = NULL;
	assert_int_equal(csys_shm_create(name, size, options, &shm), 0);
	assert_non_null(shm);
	return shm;
}

static csys_shm *opened(const char *name, const csys_shm_options *options)
{
	csys_shm *shm = NULL;
	assert_int_equal(csys_shm_open(name, options, &shm), 0);
	assert_non_null(shm);
	return shm;
}

static int result_of_opening(const char *name, const csys_shm_options *options)
{
	csys_shm *shm = NULL;
	int r = csys_shm_open(name, options, &shm);

	assert_int_equal(r == 0, shm != NULL);
	csys_shm_close(shm);
	return r;
}

static void remove_name(const char *name)
{
	assert_int_equal(csys_names_remove(USER, SHM, name), 0);
}

/* ---- between processes ------------------------------------------------------------------ */

static void answer(void)
{
	csys_shm *shm = opened("board", NULL);
	assert_string_equal(csys_shm_data(shm), "question");
	strcpy(csys_shm_data(shm), "answer");
	csys_shm_close(shm);
}

static void what_one_process_writes_another_one_reads(void **state)
{
	(void)state;
	csys_shm *shm = created("board", 100, NULL);
	strcpy(csys_shm_data(shm), "question");
	in_process(answer);
	assert_string_equal(csys_shm_data(shm), "answer");
	csys_shm_close(shm);
	remove_name("board");
}

static void new_memory_is_zero_aligned_and_as_large_as_was_asked(void **state)
{
	(void)state;
	csys_shm *shm = created("a", 5000, NULL);
	const char *data = csys_shm_data(shm);

	assert_int_equal((uintptr_t)data % 4096, 0);
	assert_int_equal(csys_shm_size(shm), 5000);
	assert_int_equal(csys_shm_max_size(shm), 5000);
	assert_int_equal(csys_shm_is_created(shm), 1);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(data[i], 0);
	csys_shm_close(shm);
	shm = opened("a", NULL);
	assert_int_equal(csys_shm_size(shm), 5000);
	assert_int_equal(csys_shm_is_created(shm), 0);
	csys_shm_close(shm);
	remove_name("a");
}

static void one_call_creates_and_the_others_open(void **state)
{
	(void)state;
	csys_shm *first = NULL, *second = NULL, *none = NULL;

	assert_int_equal(result_of_opening("a", NULL), CSYS_ENOENT);
	assert_int_equal(csys_shm_create_or_open("a", 64, NULL, &first), 0);
	assert_int_equal(csys_shm_create_or_open("a", 64, NULL, &second), 0);
	assert_int_equal(csys_shm_is_created(first), 1);
	assert_int_equal(csys_shm_is_created(second), 0);
	assert_int_equal(csys_shm_create("a", 64, NULL, &none), CSYS_EEXIST);
	assert_int_equal(csys_shm_create_or_open("a", 65, NULL, &none), CSYS_EBADMSG);
	assert_null(none);
	assert_ptr_not_equal(csys_shm_data(first), csys_shm_data(second));
	csys_shm_close(first);
	csys_shm_close(second);
	csys_shm_close(NULL);
	remove_name("a");
}

static void arguments_that_cannot_be_are_refused(void **state)
{
	(void)state;
	csys_shm *shm = NULL;
	csys_shm_options options[] = { { .scope = 2 },          { .mode = 0700 },
				       { .mode = 0060 },        { .huge_pages = 3 },
				       { .huge_pages = -1 },    { .read_only = 1 },
				       { .peers_read_only = 1 } };

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		assert_int_equal(csys_shm_create("a", 1, &options[i], &shm), CSYS_EINVAL);
	assert_int_equal(csys_shm_create("a", 0, NULL, &shm), CSYS_EINVAL);
	assert_int_equal(csys_shm_create("a/b", 1, NULL, &shm), CSYS_EINVAL);
	assert_int_equal(csys_shm_create(NULL, 1, NULL, &shm), CSYS_EINVAL);
	assert_int_equal(csys_shm_create("a", 1, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_shm_open("a", NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_shm_open("..", NULL, &shm), CSYS_EINVAL);
	assert_int_equal(csys_shm_create_or_open("a", 1, &options[5], &shm), CSYS_EINVAL);
	csys_shm_options only = { .huge_pages = CSYS_SHM_HUGE_ONLY };
	assert_int_equal(csys_shm_create("a", 1, &only, &shm), CSYS_ENOTSUP);
	int r = csys_shm_create("a", SIZE_MAX, NULL, &shm);
	assert_true(r == CSYS_ENOSPC || r == CSYS_ENOMEM);
	r = csys_shm_create("a", SIZE_MAX / 2, NULL, &shm);
	assert_true(r == CSYS_ENOSPC || r == CSYS_ENOMEM);
	assert_null(shm);
	assert_null(csys_shm_data(NULL));
	assert_int_equal(csys_shm_size(NULL), 0);
	assert_int_equal(csys_shm_max_size(NULL), 0);
	assert_int_equal(csys_shm_is_created(NULL), 0);
	assert_true(csys_shm_handle(NULL) == CSYS_NO_HANDLE);
	assert_int_equal(csys_shm_grow(NULL, 1), CSYS_EINVAL);
	assert_int_equal(csys_shm_refresh(NULL), CSYS_EINVAL);
}

/* ---- whole memory ----------------------------------------------------------------------- */

static int result_of_init;

static int fill_board(void *data, size_t size, void *context)
{
	assert_int_equal(size, sizeof(struct board));
	assert_int_equal(result_of_opening("board", NULL), CSYS_ENOENT);
	((struct board *)data)->turn = *(uint32_t *)context;
	return result_of_init;
}

static void memory_is_filled_before_any_process_sees_it(void **state)
{
	(void)state;
	uint32_t turn = 7;
	csys_shm_options options = { .init = fill_board, .context = &turn };
	csys_shm *shm = NULL;

	result_of_init = CSYS_EACCES;
	assert_int_equal(csys_shm_create("board", sizeof(struct board), &options, &shm),
			 CSYS_EACCES);
	result_of_init = 1;
	assert_int_equal(csys_shm_create_or_open("board", sizeof(struct board), &options, &shm),
			 CSYS_EOTHER);
	result_of_init = -12345;
	assert_int_equal(csys_shm_create_anonymous(sizeof(struct board), &options, &shm),
			 CSYS_EOTHER);
	assert_null(shm);
	assert_int_equal(count_names(), 0);
	result_of_init = 0;
	shm = created("board", sizeof(struct board), &options);
	assert_int_equal(((struct board *)csys_shm_data(shm))->turn, 7);
	csys_shm_close(shm);
	options.init = NULL;
	shm = opened("board", NULL);
	assert_int_equal(((struct board *)csys_shm_data(shm))->turn, 7);
	csys_shm_close(shm);
	remove_name("board");
}

static void another_layout_is_told(void **state)
{
	(void)state;
	csys_shm_options one = { .layout = CSYS_SHM_LAYOUT(struct board, "1") };
	csys_shm_options two = { .layout = CSYS_SHM_LAYOUT(struct board, "2") };

	assert_true(one.layout != 0 && one.layout != two.layout);
	assert_true(one.layout == csys_shm_layout("struct board", sizeof(struct board),
						  __alignof__(struct board), "1"));
	assert_true(one.layout != csys_shm_layout("struct boarD", sizeof(struct board),
						  __alignof__(struct board), "1"));
	assert_true(csys_shm_layout("a", 8, 4, "") != csys_shm_layout("a", 8, 8, ""));
	assert_true(csys_shm_layout("a", 8, 4, "") != csys_shm_layout("a", 4, 4, ""));
	csys_shm_close(created("a", 64, &one));
	assert_int_equal(result_of_opening("a", &one), 0);
	assert_int_equal(result_of_opening("a", &two), CSYS_EBADMSG);
	assert_int_equal(result_of_opening("a", NULL), 0);
	remove_name("a");
}

static void use_small_files(void)
{
	if (enter_small_files(own_names(), 256 << 10) < 0)
		_exit(77);
	csys_shm *shm = NULL, *more = NULL;
	csys_shm_options options = { .max_size = 1 << 20 };
	CHECK(csys_shm_create("a", 1 << 20, NULL, &shm) == CSYS_ENOSPC && !shm);
	CHECK(csys_shm_create_or_open("a", 1 << 20, NULL, &shm) == CSYS_ENOSPC && !shm);
	CHECK(count_names() == 0);
	CHECK(csys_shm_create("a", 128 << 10, &options, &shm) == 0);
	memset(csys_shm_data(shm), 1, 128 << 10); /* SIGBUS if it was not there */
	CHECK(csys_shm_create("b", 128 << 10, NULL, &more) == CSYS_ENOSPC && !more);
	CHECK(csys_shm_grow(shm, 512 << 10) == CSYS_ENOSPC);
	CHECK(csys_shm_size(shm) == 128 << 10);
	memset(csys_shm_data(shm), 2, 128 << 10);
	csys_shm_close(shm);
	CHECK(csys_names_remove(USER, SHM, "a") == 0);
	CHECK(count_names() == 0);
}

static void a_full_file_system_is_an_error_and_no_signal(void **state)
{
	(void)state;
	int r = result_in_child(use_small_files);
	if (r == 77)
		skip_because("this process may not mount a small file system");
	assert_int_equal(r, 0);
}

static void ignore(int number)
{
	(void)number;
}

/* In a process of its own, where the last signal may come as late as it likes. */
static void create_in_a_storm(void)
{
	struct sigaction act = { .sa_handler = ignore };
	struct itimerval often = { { 0, 100 }, { 0, 100 } };

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 20; i++) {
		csys_shm *shm = NULL;
		assert_int_equal(csys_shm_create_or_open("a", 1 << 20, NULL, &shm), 0);
		csys_shm_close(shm);
		if (i % 2 == 1)
			remove_name("a");
	}
}

static void signals_do_not_disturb_creation_and_opening(void **state)
{
	(void)state;
	in_process(create_in_a_storm);
}

/* ---- reading, growing ------------------------------------------------------------------- */

static void write_what_is_read_only(void)
{
	csys_shm_options reading = { .read_only = 1 };
	csys_shm *shm = opened("a", &reading);
	*(volatile char *)csys_shm_data(shm) = 1;
}

static void memory_for_reading_cannot_be_written(void **state)
{
	(void)state;
	csys_shm *shm = created("a", 64, NULL);
	csys_shm_options reading = { .read_only = 1 };
	csys_shm *reader = opened("a", &reading);

	*(char *)csys_shm_data(shm) = 5;
	assert_int_equal(*(char *)csys_shm_data(reader), 5);
	assert_int_equal(csys_shm_grow(reader, 1), CSYS_EACCES);
	if (!WITH_ASAN && !WITH_TSAN && !under_valgrind())
		assert_int_equal(end_in_process(write_what_is_read_only).how, CSYS_EXIT_SIGNAL);
	assert_int_equal(*(char *)csys_shm_data(shm), 5);
	csys_shm_close(reader);
	csys_shm_close(shm);
	remove_name("a");
}

static void growing_moves_nothing_and_others_see_it_when_they_look(void **state)
{
	(void)state;
	csys_shm_options options = { .max_size = 100000 };
	csys_shm *shm = created("a", 100, &options), *other = opened("a", NULL);
	char *data = csys_shm_data(shm);

	assert_int_equal(csys_shm_max_size(shm), 100000);
	assert_int_equal(csys_shm_max_size(other), 100000);
	data[99] = 'x';
	assert_int_equal(csys_shm_grow(shm, 50), 0);
	assert_int_equal(csys_shm_size(shm), 100);
	assert_int_equal(csys_shm_grow(shm, 50000), 0);
	assert_int_equal(csys_shm_size(shm), 50000);
	assert_ptr_equal(csys_shm_data(shm), data);
	assert_int_equal(data[99], 'x');
	assert_int_equal(data[49999], 0);
	data[49999] = 'y';
	assert_int_equal(csys_shm_size(other), 100);
	assert_int_equal(csys_shm_refresh(other), 0);
	assert_int_equal(csys_shm_size(other), 50000);
	assert_int_equal(((char *)csys_shm_data(other))[49999], 'y');
	assert_int_equal(csys_shm_grow(other, 100001), CSYS_EINVAL);
	assert_int_equal(csys_shm_grow(other, 100000), 0);
	csys_shm_close(shm);
	csys_shm_close(other);
	shm = opened("a", NULL);
	assert_int_equal(csys_shm_size(shm), 100000);
	csys_shm_close(shm);
	remove_name("a");
}

static csys_shm *growing;

/* How many steps went wrong: asserts belong to the thread of the test. */
static void *grow(void *wrong)
{
	for (size_t size = 100; size <= 100000; size += 997) {
		int r = csys_shm_grow(growing, size);
		size_t seen = csys_shm_size(growing);
		*(int *)wrong +=
			r != 0 || seen < size || ((char *)csys_shm_data(growing))[seen - 1] != 0;
	}
	return NULL;
}

static void threads_grow_memory_at_once_and_it_never_shrinks(void **state)
{
	(void)state;
	csys_shm_options options = { .max_size = 100000 };
	csys_thread *thread;
	for (int round = 0; round < 30; round++) {
		int wrong = 0, wrong_there = 0;
		growing = created("a", 100, &options);
		assert_int_equal(csys_thread_spawn(grow, &wrong_there, NULL, &thread), 0);
		grow(&wrong);
		assert_int_equal(csys_thread_join(thread, NULL), 0);
		csys_thread_unref(thread);
		assert_true(wrong == 0 && wrong_there == 0);
		csys_shm_close(growing);
		remove_name("a");
	}
}

static void pages_are_prefaulted_and_locked_also_when_it_grows(void)
{
	csys_shm_options options = { .prefault = 1, .lock = 1, .max_size = 1 << 20 };
	struct rlimit limit = { 16384, 16384 };
	csys_shm *shm = NULL, *reader = NULL;
	int r = csys_shm_create("a", 5000, &options, &shm);
	if (r == CSYS_EPERM || r == CSYS_ENOMEM) /* a low limit */
		return;
	assert_int_equal(r, 0);
	assert_int_equal(csys_shm_grow(shm, 9000), 0);
	options.read_only = 1;
	assert_int_equal(csys_shm_open("a", &options, &reader), 0);
	csys_shm_close(reader);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	r = csys_shm_grow(shm, 1 << 20);
	assert_true(r == 0 || r == CSYS_ENOMEM || r == CSYS_EPERM);
	assert_int_equal(csys_shm_size(shm), r == 0 ? 1 << 20 : 9000);
	csys_shm_close(shm);
	remove_name("a");
}

static void pages_are_in_memory_if_that_is_wished(void **state)
{
	(void)state;
	in_process(pages_are_prefaulted_and_locked_also_when_it_grows);
}

/* ---- users ------------------------------------------------------------------------------ */

static csys_shm *forked;

static void use_it_forked(void)
{
	CHECK(((char *)csys_shm_data(forked))[0] == 1);
	((char *)csys_shm_data(forked))[0] = 2;
	csys_shm_close(forked);
}

static void a_forked_child_shares_the_memory_and_closes_its_own(void **state)
{
	(void)state;
	csys_shm_options options = { .remove_with_last = 1 };
	forked = created("a", 64, &options);
	((char *)csys_shm_data(forked))[0] = 1;
	in_child(use_it_forked);
	assert_int_equal(((char *)csys_shm_data(forked))[0], 2);
	assert_int_equal(count_names(), 1);
	csys_shm_close(forked);
	assert_int_equal(count_names(), 0);
}

static void be_another_user(void)
{
	csys_shm *shm = NULL;
	csys_shm_options global = { .scope = GLOBAL };
	csys_shm_options reading = { .scope = GLOBAL, .read_only = 1 };

	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(csys_shm_open("closed", &reading, &shm) == CSYS_EACCES);
	CHECK(csys_shm_open("readable", &global, &shm) == CSYS_EACCES);
	CHECK(csys_shm_open("readable", &reading, &shm) == 0); /* the administrator's */
	CHECK(strcmp(csys_shm_data(shm), "hello") == 0);
	csys_shm_close(shm);
	int r = csys_names_remove(GLOBAL, SHM, "readable");
	CHECK(r == CSYS_EBUSY || r == CSYS_EPERM || r == CSYS_EACCES);
	global.mode = 0666;
	CHECK(csys_shm_create("theirs", 64, &global, &shm) == 0);
	csys_shm_close(shm);
}

static void other_users_have_what_the_permissions_say(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("only root becomes another user");
	char directory[256];
	csys_shm_options global = { .scope = GLOBAL }, accepting = global;
	csys_shm *closed, *readable, *shm = NULL;
	accepting.accept_foreign = 1;
	make_directory(directory, sizeof directory);
	assert_int_equal(chmod(directory, 01777), 0);
	assert_int_equal(csys_names_set_directory(GLOBAL, directory), 0);

	closed = created("closed", 64, &global);
	global.mode = 0644;
	readable = created("readable", 64, &global);
	strcpy(csys_shm_data(readable), "hello");
	in_child(be_another_user);
	global.mode = 0;
	assert_int_equal(csys_shm_open("theirs", &global, &shm), CSYS_EPERM);
	assert_int_equal(csys_shm_create_or_open("theirs", 64, &global, &shm), CSYS_EPERM);
	assert_null(shm);
	assert_int_equal(csys_shm_open("theirs", &accepting, &shm), 0);
	csys_shm_close(shm);
	csys_shm_close(closed);
	csys_shm_close(readable);
	size_t removed;
	assert_int_equal(csys_names_clean(GLOBAL, 0, &removed), 0);
	assert_int_equal(removed, 2); /* its own */
	assert_int_equal(csys_names_remove(GLOBAL, SHM, "theirs"), 0);
	remove_directory(directory);
	assert_int_equal(csys_names_set_directory(GLOBAL, NULL), 0);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(answer),
		PART(create_in_a_storm),
		PART(write_what_is_read_only),
		PART(pages_are_prefaulted_and_locked_also_when_it_grows),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		NAMES_TEST(what_one_process_writes_another_one_reads),
		NAMES_TEST(new_memory_is_zero_aligned_and_as_large_as_was_asked),
		NAMES_TEST(one_call_creates_and_the_others_open),
		NAMES_TEST(arguments_that_cannot_be_are_refused),
		NAMES_TEST(memory_is_filled_before_any_process_sees_it),
		NAMES_TEST(another_layout_is_told),
		NAMES_TEST(a_full_file_system_is_an_error_and_no_signal),
		NAMES_TEST(signals_do_not_disturb_creation_and_opening),
		NAMES_TEST(memory_for_reading_cannot_be_written),
		NAMES_TEST(growing_moves_nothing_and_others_see_it_when_they_look),
		NAMES_TEST(threads_grow_memory_at_once_and_it_never_shrinks),
		NAMES_TEST(pages_are_in_memory_if_that_is_wished),
		NAMES_TEST(a_forked_child_shares_the_memory_and_closes_its_own),
		NAMES_TEST(other_users_have_what_the_permissions_say),
	};
	return RUN(tests);
}
