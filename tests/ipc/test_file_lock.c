/*
 * ipc/test_file_lock.c - promises of csys/ipc/file_lock.h: objects of one process.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/file_lock.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/thread.h"

#define SHARED CSYS_FILE_LOCK_SHARED
#define EXCLUSIVE CSYS_FILE_LOCK_EXCLUSIVE
#define NONE CSYS_FILE_LOCK_NONE

static const csys_file_lock_options whole = { .create = 1 };
static const csys_file_lock_options range = { .create = 1, .is_range = 1, .offset = 7, .size = 3 };

/* ---- the system's answers -------------------------------------------------------------------- */

#ifdef CSYS_TEST_WRAPS_FLOCK
static _Thread_local int refusals; /* so many calls of this thread are refused */
static _Thread_local int calls;

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
	calls++;
	if (refusals > 0) {
		refusals--;
		__real_flock(fd, 8); /* LOCK_UN, as a conversion does first */
		errno = EWOULDBLOCK;
		return -1;
	}
	return __real_flock(fd, operation);
}
#endif

/* ---- objects --------------------------------------------------------------------------------- */

static void two_objects_exclude_each_other(const csys_file_lock_options *options)
{
	csys_file_lock *a = scratch_file_lock(options), *b = scratch_file_lock(options);
	assert_int_equal(csys_file_lock_kind(a), NONE);
	assert_int_equal(csys_file_lock_lock(a, SHARED), 0);
	assert_int_equal(csys_file_lock_kind(a), SHARED);
	assert_int_equal(csys_file_lock_try_lock(b, SHARED), 0);
	assert_int_equal(csys_file_lock_unlock(b), 0);
	assert_int_equal(csys_file_lock_try_lock(b, EXCLUSIVE), CSYS_EAGAIN);
	assert_int_equal(csys_file_lock_kind(b), NONE);
	assert_int_equal(csys_file_lock_unlock(a), 0);
	assert_int_equal(csys_file_lock_lock(b, EXCLUSIVE), 0);
	assert_int_equal(csys_file_lock_kind(b), EXCLUSIVE);
	assert_int_equal(csys_file_lock_try_lock(a, SHARED), CSYS_EAGAIN);
	assert_int_equal(csys_file_lock_lock_until(a, SHARED, csys_after_ms(3)), CSYS_ETIMEDOUT);
	csys_file_lock_close(b); /* releases it */
	assert_int_equal(csys_file_lock_try_lock(a, EXCLUSIVE), 0);
	csys_file_lock_close(a);
}

static void an_exclusive_lock_is_alone_and_shared_ones_are_not(void **state)
{
	(void)state;
	two_objects_exclude_each_other(&whole);
}

static void ranges_are_locked_in_the_same_way(void **state)
{
	(void)state;
	two_objects_exclude_each_other(&range);
}

static void an_expired_deadline_still_takes_a_free_lock(void **state)
{
	(void)state;
	csys_file_lock *lock = scratch_file_lock(&whole);
	assert_int_equal(csys_file_lock_lock_until(lock, EXCLUSIVE, csys_after_ns(-1)), 0);
	assert_int_equal(csys_file_lock_lock_until(lock, SHARED, csys_after_ns(-1)),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_file_lock_unlock(lock), 0);
	assert_int_equal(csys_file_lock_lock_until(lock, SHARED, CSYS_POLL), 0);
	csys_file_lock_close(lock);
}

static void closing_another_handle_of_the_file_ends_no_lock(void **state)
{
	(void)state;
	csys_file_lock *a = scratch_file_lock(&range), *b = scratch_file_lock(&range);
	assert_int_equal(csys_file_lock_lock(a, EXCLUSIVE), 0);
	close(open(scratch_path("file"), O_RDWR | O_CLOEXEC));
	assert_int_equal(csys_file_lock_try_lock(b, EXCLUSIVE), CSYS_EAGAIN);
	csys_file_lock_close(a);
	csys_file_lock_close(b);
}

static void a_lock_by_handle_excludes_other_copies_of_the_handle(void **state)
{
	(void)state;
	csys_file_lock *a, *b = scratch_file_lock(&whole);
	csys_handle file = csys_file_lock_handle(b);
	int r = csys_file_lock_open_handle(file, NULL, &a);
	if (r == CSYS_ENOTSUP && !csys_can(CSYS_CAN_FILE_LOCK_HANDLE)) {
		csys_file_lock_close(b);
		return;
	}
	assert_int_equal(r, 0);
	assert_true(csys_file_lock_handle(a) != file && csys_file_lock_handle(a) > 2);
	assert_int_equal(csys_file_lock_lock(a, EXCLUSIVE), 0);
	assert_int_equal(csys_file_lock_try_lock(b, EXCLUSIVE), CSYS_EAGAIN);
	csys_file_lock_close(a);
	csys_file_lock_close(b);
	assert_int_equal(csys_file_lock_open_handle(file, NULL, &a), CSYS_EBADF);
	int ends[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(csys_file_lock_open_handle(ends[0], NULL, &a), CSYS_ENOTSUP);
	close(ends[0]);
	close(ends[1]);
}

static void closing_releases_the_lock_for_copies_of_the_handle_too(void **state)
{
	(void)state;
	const csys_file_lock_options *const both[] = { &whole, &range };
	for (int i = 0; i < 2; i++) {
		csys_file_lock *a = scratch_file_lock(both[i]), *b = scratch_file_lock(both[i]);
		assert_int_equal(csys_file_lock_lock(a, EXCLUSIVE), 0);
		int copy = dup((int)csys_file_lock_handle(a));
		assert_int_equal(csys_file_lock_try_lock(b, SHARED), CSYS_EAGAIN);
		csys_file_lock_close(a);
		assert_int_equal(csys_file_lock_try_lock(b, EXCLUSIVE), 0);
		close(copy);
		csys_file_lock_close(b);
	}
}

static void directories_devices_and_running_programs_can_be_locked(void **state)
{
	(void)state;
	const char *const paths[] = { scratch_folder(), "/dev/null", "/proc/self/exe" };
	csys_file_lock_close(scratch_file_lock(&whole)); /* if there are locks at all */
	for (int i = 0; i < 3; i++) {
		csys_file_lock *a, *b;
		if (access(paths[i], R_OK) < 0)
			continue;
		assert_int_equal(csys_file_lock_open(paths[i], NULL, &a), 0);
		assert_int_equal(csys_file_lock_open(paths[i], NULL, &b), 0);
		assert_int_equal(csys_file_lock_try_lock(a, i ? SHARED : EXCLUSIVE), 0);
		assert_int_equal(csys_file_lock_try_lock(b, SHARED), i ? 0 : CSYS_EAGAIN);
		csys_file_lock_close(a);
		csys_file_lock_close(b);
	}
}

static void all_names_of_a_file_have_one_lock(void **state)
{
	(void)state;
	csys_file_lock *a = scratch_file_lock(&whole), *b;
	assert_int_equal(csys_file_lock_lock(a, EXCLUSIVE), 0);
	for (int i = 0; i < 2; i++) {
		const char *other = scratch_path("other name");
		unlink(other);
		assert_int_equal(i ? symlink("file", other) : link(scratch_path("file"), other), 0);
		assert_int_equal(csys_file_lock_open(other, NULL, &b), 0);
		assert_true(b->file == a->file);
		assert_int_equal(csys_file_lock_try_lock(b, SHARED), CSYS_EAGAIN);
		csys_file_lock_close(b);
	}
	unlink(scratch_path("other name"));
	csys_file_lock_close(a);
}

static void a_range_can_be_moved_while_it_is_not_held(void **state)
{
	(void)state;
	csys_file_lock *a = scratch_file_lock(&range), *b = scratch_file_lock(&range),
		       *c = scratch_file_lock(&whole);
	assert_int_equal(csys_file_lock_lock(a, EXCLUSIVE), 0);
	assert_int_equal(csys_file_lock_set_range(a, 0, 1), CSYS_EBUSY);
	assert_int_equal(csys_file_lock_set_range(b, 10, 0), 0); /* behind 7..9 */
	assert_int_equal(csys_file_lock_try_lock(b, EXCLUSIVE), 0);
	assert_int_equal(csys_file_lock_unlock(b), 0);
	assert_int_equal(csys_file_lock_set_range(b, 9, 1), 0);
	assert_int_equal(csys_file_lock_try_lock(b, EXCLUSIVE), CSYS_EAGAIN);
	assert_int_equal(csys_file_lock_set_range(b, 1, INT64_MAX), CSYS_EINVAL);
	assert_int_equal(csys_file_lock_set_range(b, UINT64_MAX, 0), CSYS_EINVAL);
	assert_int_equal(csys_file_lock_set_range(c, 1, 1), CSYS_EINVAL);
	csys_file_lock_close(a);
	csys_file_lock_close(b);
	csys_file_lock_close(c);
}

/* ---- converting ------------------------------------------------------------------------------ */

static void convert_in_both_directions(const csys_file_lock_options *options)
{
	int kind = 77;
	csys_file_lock *a = scratch_file_lock(options), *b = scratch_file_lock(options);
	assert_int_equal(csys_file_lock_lock(a, SHARED), 0);
	assert_int_equal(csys_file_lock_convert(a, EXCLUSIVE, &kind), 0);
	assert_true(kind == EXCLUSIVE && csys_file_lock_kind(a) == EXCLUSIVE);
	assert_int_equal(csys_file_lock_try_lock(b, SHARED), CSYS_EAGAIN);
	assert_int_equal(csys_file_lock_try_convert(a, SHARED, NULL), 0);
	assert_int_equal(csys_file_lock_try_lock(b, SHARED), 0);
	/* Refused, and what was held still is. */
	assert_int_equal(csys_file_lock_try_convert(a, EXCLUSIVE, &kind), CSYS_EAGAIN);
	assert_true(kind == SHARED && csys_file_lock_kind(a) == SHARED);
	assert_int_equal(csys_file_lock_convert_until(a, EXCLUSIVE, csys_after_ms(3), &kind),
			 CSYS_ETIMEDOUT);
	assert_true(kind == SHARED);
	assert_int_equal(csys_file_lock_unlock(a), 0);
	assert_int_equal(csys_file_lock_convert_until(b, EXCLUSIVE, CSYS_POLL, &kind), 0);
	assert_int_equal(csys_file_lock_try_lock(a, SHARED), CSYS_EAGAIN);
	csys_file_lock_close(a);
	csys_file_lock_close(b);
}

static void a_lock_is_converted_or_stays_what_it_was(void **state)
{
	(void)state;
	convert_in_both_directions(&whole);
	convert_in_both_directions(&range);
}

#ifdef CSYS_TEST_WRAPS_FLOCK
static void a_failed_conversion_tells_that_the_lock_was_lost(void **state)
{
	(void)state;
	int kind = 77;
	csys_file_lock *lock = scratch_file_lock(&whole);
	assert_int_equal(csys_file_lock_lock(lock, SHARED), 0);
	refusals = 1; /* refused, and then taken back */
	assert_int_equal(csys_file_lock_try_convert(lock, EXCLUSIVE, &kind), CSYS_EAGAIN);
	assert_int_equal(kind, SHARED);
	refusals = 2; /* refused, and then another has it */
	assert_int_equal(csys_file_lock_try_convert(lock, EXCLUSIVE, &kind), CSYS_EAGAIN);
	assert_int_equal(kind, NONE);
	assert_int_equal(csys_file_lock_kind(lock), NONE);
	assert_int_equal(csys_file_lock_lock(lock, EXCLUSIVE), 0);
	csys_file_lock_close(lock);
}

static void a_pair_is_two_calls_of_the_system(void **state)
{
	(void)state;
	csys_file_lock *lock = scratch_file_lock(&whole);
	calls = 0;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(csys_file_lock_lock_until(lock, i % 2 ? SHARED : EXCLUSIVE,
							   csys_after_s(60)),
				 0);
		csys_file_lock_unlock(lock);
	}
	assert_int_equal(calls, 20);
	csys_file_lock_close(lock);
}
#endif

static void a_conversion_is_refused_while_other_threads_share(void **state)
{
	(void)state;
	int kind = 77;
	csys_file_lock *lock = scratch_file_lock(&whole);
	assert_int_equal(csys_file_lock_lock(lock, SHARED), 0);
	assert_int_equal(csys_file_lock_try_lock(lock, SHARED), 0);
	assert_int_equal(csys_file_lock_try_lock(lock, EXCLUSIVE), CSYS_EAGAIN);
	assert_int_equal(csys_file_lock_convert(lock, EXCLUSIVE, &kind), CSYS_EBUSY);
	assert_int_equal(kind, SHARED);
	assert_int_equal(csys_file_lock_unlock(lock), 0);
	assert_int_equal(csys_file_lock_kind(lock), SHARED);
	assert_int_equal(csys_file_lock_convert(lock, EXCLUSIVE, &kind), 0);
	csys_file_lock_close(lock);
}

/* ---- failures -------------------------------------------------------------------------------- */

static void a_failed_open_leaves_nothing(void **state)
{
	(void)state;
	csys_file_lock *const none = (csys_file_lock *)state;
	int nth = 1;
	for (;; nth++) {
		csys_file_lock *lock = none;
		int handles = open_handles();
		csysi_fault_arm(nth);
		int r = csys_file_lock_open(scratch_path("file"), &whole, &lock);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (!fired) {
			assert_int_equal(r, 0);
			csys_file_lock_close(lock);
			break;
		}
		assert_true(r == CSYS_ENOMEM || r == CSYS_EMFILE);
		assert_ptr_equal(lock, none);
		assert_int_equal(open_handles(), handles);
	}
	assert_int_equal(nth, 4);
}

static void what_cannot_be_opened_says_why(void **state)
{
	(void)state;
	csys_file_lock *lock;
	csys_file_lock_options options = { 0 };
	csys_file_lock_close(scratch_file_lock(&whole));
	assert_int_equal(csys_file_lock_open(scratch_path("none"), NULL, &lock), CSYS_ENOENT);
	assert_int_equal(csys_file_lock_open(scratch_path("none/x"), &whole, &lock), CSYS_ENOENT);
	assert_int_equal(csys_file_lock_open(scratch_path("file/x"), &whole, &lock), CSYS_ENOTDIR);
	assert_int_equal(csys_file_lock_open(NULL, NULL, &lock), CSYS_EINVAL);
	assert_int_equal(csys_file_lock_open(scratch_path("file"), NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_file_lock_open_handle(CSYS_NO_HANDLE, NULL, NULL), CSYS_EINVAL);
	options.size = 1; /* of no range */
	assert_int_equal(csys_file_lock_open(scratch_path("file"), &options, &lock), CSYS_EINVAL);
	options = (csys_file_lock_options){ .is_range = 1, .offset = 2, .size = INT64_MAX };
	assert_int_equal(csys_file_lock_open(scratch_path("file"), &options, &lock), CSYS_EINVAL);
	options = (csys_file_lock_options){ .reserved = 1 };
	assert_int_equal(csys_file_lock_open(scratch_path("file"), &options, &lock), CSYS_EINVAL);
	options = (csys_file_lock_options){ .mode = 01000 };
	assert_int_equal(csys_file_lock_open(scratch_path("file"), &options, &lock), CSYS_EINVAL);
	csys_file_lock_close(NULL);
}

static void arguments_are_checked(void **state)
{
	(void)state;
	csys_file_lock_info info;
	int kind = 77;
	csys_file_lock *lock = scratch_file_lock(&whole);
	assert_int_equal(csys_file_lock_lock(NULL, SHARED), CSYS_EINVAL);
	assert_int_equal(csys_file_lock_lock(lock, NONE), CSYS_EINVAL);
	assert_int_equal(csys_file_lock_try_lock(lock, (enum csys_file_lock_kind)3), CSYS_EINVAL);
	assert_int_equal(csys_file_lock_convert(lock, NONE, &kind), CSYS_EINVAL);
	assert_int_equal(kind, NONE);
	assert_int_equal(csys_file_lock_owner(lock, NONE, &info), CSYS_EINVAL);
	assert_int_equal(csys_file_lock_owner(lock, SHARED, NULL), CSYS_EINVAL);
	assert_true(csys_file_lock_handle(NULL) == CSYS_NO_HANDLE);
	assert_int_equal(csys_file_lock_kind(NULL), NONE);
	csys_file_lock_close(lock);
}

static void a_created_file_has_its_mode_within_the_umask(void **state)
{
	(void)state;
	struct stat about;
	csys_file_lock *lock;
	csys_file_lock_options options = { .create = 1, .mode = 0664 };
	mode_t before = umask(0026);
	int r = csys_file_lock_open(scratch_path("with mode"), &options, &lock);
	umask(before);
	if (r == CSYS_ENOTSUP)
		return;
	assert_int_equal(r, 0);
	assert_int_equal(stat(scratch_path("with mode"), &about), 0);
	assert_int_equal(about.st_mode & 0777, 0640);
	csys_file_lock_close(lock);
}

static void unlock_nothing(void)
{
	csys_file_lock_unlock(scratch_file_lock(&whole));
}

static void convert_nothing(void)
{
	int r = csys_file_lock_convert(scratch_file_lock(&whole), SHARED, NULL);
	(void)r;
}

static void misuse_aborts_with_a_line(void **state)
{
	(void)state;
	csys_file_lock_close(scratch_file_lock(&whole));
	assert_aborts(unlock_nothing, "csys: csys_file_lock_unlock of a lock that is not held\n");
	assert_aborts(convert_nothing, "csys: csys_file_lock_convert of a lock that is not held\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(an_exclusive_lock_is_alone_and_shared_ones_are_not),
		SCRATCH_TEST(ranges_are_locked_in_the_same_way),
		SCRATCH_TEST(an_expired_deadline_still_takes_a_free_lock),
		SCRATCH_TEST(closing_another_handle_of_the_file_ends_no_lock),
		SCRATCH_TEST(a_lock_by_handle_excludes_other_copies_of_the_handle),
		SCRATCH_TEST(closing_releases_the_lock_for_copies_of_the_handle_too),
		SCRATCH_TEST(directories_devices_and_running_programs_can_be_locked),
		SCRATCH_TEST(all_names_of_a_file_have_one_lock),
		SCRATCH_TEST(a_range_can_be_moved_while_it_is_not_held),
		SCRATCH_TEST(a_lock_is_converted_or_stays_what_it_was),
#ifdef CSYS_TEST_WRAPS_FLOCK
		SCRATCH_TEST(a_failed_conversion_tells_that_the_lock_was_lost),
		SCRATCH_TEST(a_pair_is_two_calls_of_the_system),
#endif
		SCRATCH_TEST(a_conversion_is_refused_while_other_threads_share),
		SCRATCH_TEST(a_failed_open_leaves_nothing),
		SCRATCH_TEST(what_cannot_be_opened_says_why),
		SCRATCH_TEST(arguments_are_checked),
		SCRATCH_TEST(a_created_file_has_its_mode_within_the_umask),
		SCRATCH_TEST(misuse_aborts_with_a_line),
	};

	return cmocka_run_group_tests_name(__FILE__, tests, scratch_make, scratch_remove);
}
