/*
 * ipc/test_fifo_race.c - promises of csys/ipc/fifo.h while others change what is at the path.
 *
 * What another process does between two steps is done here in functions that the linker puts in
 * place of the C library's.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/fifo.h"

#ifdef CSYS_TEST_WRAPS_MKFIFO
/* How many FIFOs another process removes as soon as they are created. */
static int removals;

int __real_mkfifo(const char *where, mode_t mode);
int __wrap_mkfifo(const char *where, mode_t mode);

int __wrap_mkfifo(const char *where, mode_t mode)
{
	int made = __real_mkfifo(where, mode);
	if (made == 0 && removals > 0) {
		removals--;
		unlink(where);
	}
	return made;
}

static void one_that_is_removed_before_it_is_open_is_created_again(void **state)
{
	(void)state;
	const csys_fifo_options create = { .create = 1 };
	csys_handle end = 77, keeper;
	make_path((long)getpid());
	removals = 2;
	assert_int_equal(csys_fifo_try_open_reader(path, &create, &end), CSYS_EAGAIN);
	assert_int_equal(removals, 0);
	assert_int_equal(csys_fifo_unlink(path, CSYS_NO_HANDLE), 0);
	removals = 2;
	assert_int_equal(csys_fifo_open_kept_reader(path, &create, &end, &keeper), 0);
	assert_int_equal(removals, 0);
	csys_handle_close(end);
	csys_handle_close(keeper);
	assert_int_equal(csys_fifo_unlink(path, CSYS_NO_HANDLE), 0);
}
#endif

#ifdef CSYS_TEST_WRAPS_OPEN
/* Before so many opens of the path from now, this takes its place. */
static int opens_until;
static const char *successor;

static void take_the_place(const char *where)
{
	if (opens_until > 0 && strcmp(where, path) == 0 && --opens_until == 0)
		assert_int_equal(rename(successor, path), 0);
}

typedef int opener(const char *where, int flags, ...);
opener __real_open;
__attribute__((weak)) opener __real_open64; /* not all libcs have it */
opener __wrap_open, __wrap_open64;

int __wrap_open(const char *where, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
	va_end(rest);
	take_the_place(where);
	return __real_open(where, flags, mode);
}

int __wrap_open64(const char *where, int flags, ...)
{
	va_list rest;
	va_start(rest, flags);
	int mode = flags & O_CREAT ? va_arg(rest, int) : 0;
	va_end(rest);
	take_the_place(where);
	return __real_open64(where, flags, mode);
}

static void assert_successor_is_refused(int how)
{
	csys_handle end = 77, keeper = 77;
	int r;
	assert_int_equal(csys_fifo_create(path, 0), 0);
	opens_until = how == 4 ? 2 : 1;
	if (how == 0)
		r = csys_fifo_open_reader(path, NULL, &end);
	else if (how == 1)
		r = csys_fifo_open_writer(path, NULL, &end);
	else if (how == 2)
		r = csys_fifo_try_open_writer(path, NULL, &end);
	else
		r = csys_fifo_open_kept_reader(path, NULL, &end, &keeper);
	assert_int_equal(opens_until, 0);
	assert_int_equal(r, CSYS_EBADMSG);
	assert_true(end == 77 && keeper == 77);
	assert_int_equal(unlink(path), 0);
}

static void what_takes_the_place_of_a_fifo_that_was_looked_at_is_refused(void **state)
{
	(void)state;
	char other[300], target[300];
	csys_handle reader, keeper;
	make_path((long)getpid());
	snprintf(other, sizeof other, "%s-other", path);
	snprintf(target, sizeof target, "%s-target", path);
	successor = other;
	assert_int_equal(csys_fifo_create(target, 0), 0);
	assert_int_equal(csys_fifo_open_kept_reader(target, NULL, &reader, &keeper), 0);
	for (int how = 0; how < 5; how++) {
		int file = open(other, O_CREAT | O_EXCL | O_WRONLY, 0600);
		assert_true(file >= 0);
		close(file);
		assert_successor_is_refused(how);
		assert_int_equal(symlink(target, other), 0);
		assert_successor_is_refused(how);
	}
	csys_handle_close(reader);
	csys_handle_close(keeper);
	assert_int_equal(csys_fifo_unlink(target, CSYS_NO_HANDLE), 0);
}

static void a_reader_and_its_keeper_are_of_one_fifo(void **state)
{
	(void)state;
	char other[300];
	csys_handle old_reader = CSYS_NO_HANDLE, old_keeper = CSYS_NO_HANDLE, reader, keeper;
	struct stat one, two;
	for (int i = 0; i < 2; i++) { /* the other one has no reader, or has one */
		fresh();
		snprintf(other, sizeof other, "%s-other", path);
		successor = other;
		assert_int_equal(csys_fifo_create(other, 0), 0);
		if (i == 1)
			assert_int_equal(
				csys_fifo_open_kept_reader(other, NULL, &old_reader, &old_keeper),
				0);
		opens_until = 2;
		assert_int_equal(csys_fifo_open_kept_reader(path, NULL, &reader, &keeper), 0);
		assert_int_equal(opens_until, 0);
		assert_int_equal(fstat((int)reader, &one), 0);
		assert_int_equal(fstat((int)keeper, &two), 0);
		assert_true(one.st_ino == two.st_ino);
		csys_handle_close(reader);
		csys_handle_close(keeper);
		assert_int_equal(csys_fifo_unlink(path, CSYS_NO_HANDLE), 0);
	}
	csys_handle_close(old_reader);
	csys_handle_close(old_keeper);
}

/* Plain POSIX opens the path once more, to see whether there is a writer. */
static void a_writer_of_what_took_its_place_is_none(void **state)
{
	(void)state;
	char other[300];
	csys_handle end = 77, reader, keeper;
	fresh();
	snprintf(other, sizeof other, "%s-other", path);
	successor = other;
	assert_int_equal(csys_fifo_create(other, 0), 0);
	assert_int_equal(csys_fifo_open_kept_reader(other, NULL, &reader, &keeper), 0);
	opens_until = 2;
	assert_int_equal(csys_fifo_try_open_reader(path, NULL, &end), CSYS_EAGAIN);
	opens_until = 0;
	assert_int_equal(end, 77);
	csys_handle_close(reader);
	csys_handle_close(keeper);
	unlink(other);
	assert_int_equal(csys_fifo_unlink(path, CSYS_NO_HANDLE), 0);
}
#endif

static void a_broken_link_with_a_slash_behind_it_is_refused(void **state)
{
	(void)state;
	const csys_fifo_options create = { .create = 1 };
	csys_handle end = 77, keeper = 77;
	char behind[sizeof path + 2];
	make_path((long)getpid());
	snprintf(behind, sizeof behind, "%s/", path);
	assert_int_equal(symlink("/no-such-place", path), 0);
	assert_true(csys_fifo_open_reader(behind, &create, &end) < 0);
	assert_true(csys_fifo_open_kept_reader(behind, &create, &end, &keeper) < 0);
	assert_true(end == 77 && keeper == 77);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef CSYS_TEST_WRAPS_MKFIFO
		TEST(one_that_is_removed_before_it_is_open_is_created_again),
#endif
#ifdef CSYS_TEST_WRAPS_OPEN
		TEST(what_takes_the_place_of_a_fifo_that_was_looked_at_is_refused),
		TEST(a_reader_and_its_keeper_are_of_one_fifo),
		TEST(a_writer_of_what_took_its_place_is_none),
#endif
		TEST(a_broken_link_with_a_slash_behind_it_is_refused),
	};
	return RUN(tests);
}
