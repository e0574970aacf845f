/*
 * os/test_file_lock.c - exam: advisory locks of files, and telling a process from its copies.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/os.h"
#include "support/scratch.h"
#include "support/support.h"

static const struct csysi_os_lock_range first_half = { 0, 100 };
static const struct csysi_os_lock_range second_half = { 100, 0 };

/* Openings are in a list and do not move. */
static struct csysi_os_file_lock a, b;

static void make_file(void)
{
	assert_int_equal(csysi_os_file_lock_open(CSYS_NO_HANDLE, scratch_path("file"),
						 CSYSI_OS_LOCK_CREATE, 0600, &a),
			 0);
	csysi_os_file_lock_close(&a);
}

static void open_both(void)
{
	make_file();
	assert_int_equal(csysi_os_file_lock_open(CSYS_NO_HANDLE, scratch_path("file"), 0, 0, &a),
			 0);
	assert_int_equal(csysi_os_file_lock_open(CSYS_NO_HANDLE, scratch_path("file"), 0, 0, &b),
			 0);
}

static void close_both(void)
{
	csysi_os_file_lock_close(&a);
	csysi_os_file_lock_close(&b);
}

static int try_as(struct csysi_os_file_lock *lock, const struct csysi_os_lock_range *range,
		  enum csysi_os_lock_kind kind)
{
	return csysi_os_file_lock_set(lock, range, kind, 0);
}

static void openings_exclude_each_other(const struct csysi_os_lock_range *range)
{
	open_both();
	assert_int_equal(try_as(&a, range, CSYSI_OS_LOCK_SHARED), 0);
	assert_int_equal(try_as(&b, range, CSYSI_OS_LOCK_SHARED), 0);
	assert_int_equal(try_as(&b, range, CSYSI_OS_LOCK_NONE), 0);
	assert_int_equal(try_as(&a, range, CSYSI_OS_LOCK_EXCLUSIVE), 0);
	assert_int_equal(try_as(&b, range, CSYSI_OS_LOCK_SHARED), CSYS_EAGAIN);
	assert_int_equal(try_as(&b, range, CSYSI_OS_LOCK_EXCLUSIVE), CSYS_EAGAIN);
	/* Another handle of the file is closed: nothing happens. */
	csysi_os_file_lock_close(&b);
	assert_int_equal(csysi_os_file_lock_open(CSYS_NO_HANDLE, scratch_path("file"), 0, 0, &b),
			 0);
	assert_int_equal(try_as(&b, range, CSYSI_OS_LOCK_SHARED), CSYS_EAGAIN);
	assert_int_equal(try_as(&a, range, CSYSI_OS_LOCK_NONE), 0);
	assert_int_equal(csysi_os_file_lock_set(&b, range, CSYSI_OS_LOCK_EXCLUSIVE, 1), 0);
	close_both();
}

static void openings_of_a_file_exclude_each_other(void **state)
{
	(void)state;
	if (!csysi_os_can(CSYS_CAN_FILE_LOCK)) {
		open_both();
		assert_int_equal(try_as(&a, NULL, CSYSI_OS_LOCK_SHARED), CSYS_ENOTSUP);
		close_both();
		return;
	}
	openings_exclude_each_other(NULL);
}

static void ranges_that_do_not_overlap_are_independent(void **state)
{
	(void)state;
	static const struct csysi_os_lock_range endless = { 1, (uint64_t)INT64_MAX };
	open_both();
	if (!csysi_os_can(CSYS_CAN_FILE_LOCK_RANGES)) {
		assert_int_equal(try_as(&a, &first_half, CSYSI_OS_LOCK_SHARED), CSYS_ENOTSUP);
		close_both();
		return;
	}
	assert_int_equal(try_as(&a, &first_half, CSYSI_OS_LOCK_EXCLUSIVE), 0);
	assert_int_equal(try_as(&b, &second_half, CSYSI_OS_LOCK_EXCLUSIVE), 0);
	assert_int_equal(try_as(&b, &first_half, CSYSI_OS_LOCK_EXCLUSIVE), CSYS_EAGAIN);
	/* A conversion that fails changes nothing. */
	assert_int_equal(try_as(&a, &first_half, CSYSI_OS_LOCK_SHARED), 0);
	assert_int_equal(try_as(&b, &first_half, CSYSI_OS_LOCK_SHARED), 0);
	assert_int_equal(try_as(&b, &first_half, CSYSI_OS_LOCK_EXCLUSIVE), CSYS_EAGAIN);
	assert_int_equal(try_as(&a, &first_half, CSYSI_OS_LOCK_EXCLUSIVE), CSYS_EAGAIN);
	assert_int_equal(try_as(&a, &endless, CSYSI_OS_LOCK_SHARED), CSYS_EINVAL);
	close_both();
	openings_exclude_each_other(&first_half);
}

static void an_opening_is_like_every_handle_and_tells_its_file(void **state)
{
	(void)state;
	struct stat about;
	open_both();
	assert_true(a.handle > 2);
	assert_int_equal(csysi_os_is_inheritable(a.handle), 0);
	assert_true(a.device == b.device && a.number == b.number);
	assert_true(a.is_file && a.is_writable);
	assert_int_equal(stat(scratch_path("file"), &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	close_both();
	close_both(); /* once is enough */
	assert_int_equal(csysi_os_file_lock_open(CSYS_NO_HANDLE, scratch_folder(), 0, 0, &a), 0);
	assert_true(!a.is_file && !a.is_writable);
	csysi_os_file_lock_close(&a);
	assert_int_equal(csysi_os_file_lock_open(CSYS_NO_HANDLE, scratch_path("other"), 0, 0, &a),
			 CSYS_ENOENT);
}

static void a_symbolic_link_is_followed_only_where_that_is_wanted(void **state)
{
	(void)state;
	make_file();
	assert_int_equal(symlink(scratch_path("file"), scratch_path("other")), 0);
	assert_int_equal(csysi_os_file_lock_open(CSYS_NO_HANDLE, scratch_path("other"),
						 CSYSI_OS_LOCK_NO_LINK, 0, &a),
			 CSYS_EPERM);
	assert_int_equal(csysi_os_file_lock_open(CSYS_NO_HANDLE, scratch_path("other"), 0, 0, &a),
			 0);
	csysi_os_file_lock_close(&a);
	unlink(scratch_path("file")); /* now it leads to nothing */
	assert_int_equal(csysi_os_file_lock_open(CSYS_NO_HANDLE, scratch_path("other"),
						 CSYSI_OS_LOCK_CREATE | CSYSI_OS_LOCK_NO_LINK, 0600,
						 &a),
			 CSYS_EPERM);
	assert_int_equal(
		csysi_os_file_lock_open(CSYS_NO_HANDLE, scratch_path("other"), 0, 0600, &a),
		CSYS_ENOENT);
	assert_int_equal(csysi_os_file_lock_open(CSYS_NO_HANDLE, scratch_path("other"),
						 CSYSI_OS_LOCK_CREATE, 0600, &a),
			 0);
	csysi_os_file_lock_close(&a);
	assert_int_equal(access(scratch_path("file"), F_OK), 0);
	unlink(scratch_path("other"));
}

static void a_file_is_found_in_its_folder_and_written_anew(void **state)
{
	(void)state;
	static const char *const wrong[] = { "", "/", ".", "..", "x/", "x/.", "x/.." };
	csys_handle folder = 77;
	const char *name;
	char text[8] = "";
	make_file();
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(csysi_os_file_lock_folder(wrong[i], &folder, &name), CSYS_EINVAL);
	assert_int_equal(csysi_os_file_lock_folder(scratch_path("no/x"), &folder, &name),
			 CSYS_ENOENT);
	assert_int_equal(folder, 77);
	assert_int_equal(csysi_os_file_lock_folder("/x", &folder, &name), 0);
	csysi_os_close(folder);
	assert_int_equal(csysi_os_file_lock_folder("x", &folder, &name), 0);
	csysi_os_close(folder);
	assert_int_equal(csysi_os_file_lock_folder(scratch_path("file"), &folder, &name), 0);
	assert_string_equal(name, "file");
	assert_true(folder > 2 && !csysi_os_is_inheritable(folder));
	assert_int_equal(csysi_os_file_lock_open(folder, name, 0, 0, &a), 0);
	assert_int_equal(csysi_os_file_lock_write(&a, "abcdef", 6), 0);
	assert_int_equal(csysi_os_file_lock_write(&a, "xyz", 3), 0);
	assert_int_equal(csysi_os_read_at(a.handle, 0, text, 3), 0);
	assert_string_equal(text, "xyz");
	assert_int_equal(csysi_os_read_at(a.handle, 3, text, 1), CSYS_EIO);
	assert_int_equal(csysi_os_file_lock_write(&a, NULL, 0), 0);
	assert_int_equal(csysi_os_read_at(a.handle, 0, text, 1), CSYS_EIO);
	assert_int_equal(a.has_links, 0);
	csysi_os_file_lock_close(&a);
	csysi_os_close(folder);
}

static void a_second_opening_by_a_handle_excludes_the_first(void **state)
{
	(void)state;
	open_both();
	unlink(scratch_path("file"));
	csysi_os_file_lock_close(&b);
	int r = csysi_os_file_lock_reopen(a.handle, &b);
	if (!csysi_os_can(CSYS_CAN_FILE_LOCK_HANDLE)) {
		assert_int_equal(r, CSYS_ENOTSUP);
		csysi_os_file_lock_close(&a);
		return;
	}
	assert_int_equal(r, 0);
	assert_true(a.number == b.number);
	assert_int_equal(try_as(&a, NULL, CSYSI_OS_LOCK_EXCLUSIVE), 0);
	assert_int_equal(try_as(&b, NULL, CSYSI_OS_LOCK_SHARED), CSYS_EAGAIN);
	close_both();
	struct ends pipe = opened_ends();
	csysi_os_close(pipe.writer);
	csysi_os_close(pipe.reader);
	assert_int_equal(csysi_os_file_lock_reopen(pipe.reader, &b), CSYS_EBADF);
}

static void it_is_told_which_lock_is_in_the_way(void **state)
{
	(void)state;
	struct csysi_os_lock_owner owner;
	open_both();
	int r = csysi_os_file_lock_owner(&b, NULL, CSYSI_OS_LOCK_SHARED, CSYSI_OS_LOCK_NONE,
					 &owner);
	if (!csysi_os_can(CSYS_CAN_FILE_LOCK_OWNER)) {
		assert_int_equal(r, CSYS_ENOTSUP);
		close_both();
		return;
	}
	assert_int_equal(r, 0);
	assert_int_equal(try_as(&a, &second_half, CSYSI_OS_LOCK_SHARED), 0);
	assert_int_equal(csysi_os_file_lock_owner(&b, &second_half, CSYSI_OS_LOCK_SHARED,
						  CSYSI_OS_LOCK_NONE, &owner),
			 0);
	assert_int_equal(csysi_os_file_lock_owner(&b, &second_half, CSYSI_OS_LOCK_EXCLUSIVE,
						  CSYSI_OS_LOCK_NONE, &owner),
			 1);
	assert_int_equal(owner.kind, CSYSI_OS_LOCK_SHARED);
	assert_true(owner.range.offset == 100 && owner.range.size == 0);
	assert_int_equal(try_as(&a, NULL, CSYSI_OS_LOCK_EXCLUSIVE), 0);
	/* What this opening holds is in its own way never. */
	assert_int_equal(csysi_os_file_lock_owner(&a, NULL, CSYSI_OS_LOCK_EXCLUSIVE,
						  CSYSI_OS_LOCK_EXCLUSIVE, &owner),
			 0);
	r = csysi_os_file_lock_owner(&b, NULL, CSYSI_OS_LOCK_SHARED, CSYSI_OS_LOCK_NONE, &owner);
	if (r == 1) { /* not on every file system */
		assert_int_equal(owner.kind, CSYSI_OS_LOCK_EXCLUSIVE);
		assert_true(owner.pid == 0 || owner.pid == getpid());
	}
	close_both();
}

static uint32_t generation_before;

static void look_at_copy(void)
{
	CHECK(a.handle == CSYS_NO_HANDLE && b.handle == CSYS_NO_HANDLE);
	CHECK(*csysi_os_generation_place() != generation_before);
	CHECK(csysi_os_generation() != generation_before);
	CHECK(*csysi_os_generation_place() == csysi_os_generation());
	CHECK(csysi_os_generation() == csysi_os_generation());
	CHECK(csysi_os_file_lock_open(CSYS_NO_HANDLE, scratch_path("file"), 0, 0, &a) == 0);
	CHECK(try_as(&a, NULL, CSYSI_OS_LOCK_SHARED) == CSYS_EAGAIN);
	csysi_os_file_lock_close(&b);
	csysi_os_file_lock_close(&a);
}

static void a_forked_child_has_no_opening_and_another_generation(void **state)
{
	(void)state;
	if (!csysi_os_can(CSYS_CAN_FILE_LOCK))
		return;
	open_both();
	generation_before = csysi_os_generation();
	assert_true(generation_before != 0);
	assert_int_equal(*csysi_os_generation_place(), generation_before);
	assert_int_equal(try_as(&a, NULL, CSYSI_OS_LOCK_EXCLUSIVE), 0);
	in_child(look_at_copy);
	assert_int_equal(csysi_os_generation(), generation_before);
	assert_int_equal(try_as(&b, NULL, CSYSI_OS_LOCK_SHARED), CSYS_EAGAIN);
	close_both();
}

/* ---- forks while a file is opened ------------------------------------------------------------ */

#ifdef CSYS_TEST_WRAPS_CSYSI_POSIX_ABOVE_2
enum moment { NEVER, WHILE_IT_IS_OPENED, BEFORE_IT_IS_OPENED };
static enum moment fork_at;
static uint32_t opened_files;        /* in the test that runs */
static uint32_t is_forking, is_over; /* its handlers have begun; may end */
static pid_t forked;

static void fork_one_that_stays(void)
{
	forked = fork();
	if (forked != 0)
		return;
	alarm(60);
	for (;;)
		pause();
}

/* Called when a file has been opened, and is not in the list of openings yet. */
int __real_csysi_posix_above_2(int fd);
int __wrap_csysi_posix_above_2(int fd);
int __wrap_csysi_posix_above_2(int fd)
{
	if (csysi_add_relaxed(&opened_files, 1) == 1 && fork_at == WHILE_IT_IS_OPENED)
		fork_one_that_stays();
	return __real_csysi_posix_above_2(fd);
}

/* A handler of fork that was registered before that of csys: it runs after it, and before the
 * memory is copied. */
static void stay_in_fork(void)
{
	if (fork_at != BEFORE_IT_IS_OPENED)
		return;
	csysi_store_release(&is_forking, 1);
	while (csysi_load_acquire(&opened_files) < 2 && !csysi_load_acquire(&is_over))
		csysi_os_yield();
}

static void *fork_slowly(void *unused)
{
	fork_one_that_stays();
	return unused;
}

static void open_beside_a_fork(enum moment moment)
{
	csys_thread *thread = NULL;

	fork_at = moment;
	csysi_store_relaxed(&opened_files, 0);
	csysi_store_relaxed(&is_over, 0);
	if (moment == BEFORE_IT_IS_OPENED) {
		assert_int_equal(csys_thread_spawn(fork_slowly, NULL, NULL, &thread), 0);
		while (!csysi_load_acquire(&is_forking))
			csysi_os_yield();
	}
	int r = csysi_os_file_lock_open(CSYS_NO_HANDLE, scratch_path("file"), 0, 0, &a);
	uint32_t count = csysi_load_acquire(&opened_files);
	csysi_store_release(&is_over, 1);
	if (thread) {
		assert_int_equal(csys_thread_join(thread, NULL), 0);
		csys_thread_unref(thread);
	}
	fork_at = NEVER;
	assert_int_equal(r, 0);
	assert_true(count >= 2);
}

static void a_file_that_is_opened_beside_a_fork_is_opened_again(void **state)
{
	(void)state;
	if (!csysi_os_can(CSYS_CAN_FILE_LOCK))
		return;
	if (WITH_TSAN)
		skip_because("ThreadSanitizer allows no fork beside threads");
	make_file();
	for (int moment = WHILE_IT_IS_OPENED; moment <= BEFORE_IT_IS_OPENED; moment++) {
		open_beside_a_fork((enum moment)moment);
		/* Closed without unlocking: a copy in the child would keep the lock. */
		if (moment == WHILE_IT_IS_OPENED) {
			assert_int_equal(try_as(&a, NULL, CSYSI_OS_LOCK_EXCLUSIVE), 0);
			csysi_os_file_lock_close(&a);
			assert_int_equal(csysi_os_file_lock_open(CSYS_NO_HANDLE,
								 scratch_path("file"), 0, 0, &a),
					 0);
			assert_int_equal(try_as(&a, NULL, CSYSI_OS_LOCK_EXCLUSIVE), 0);
		}
		csysi_os_file_lock_close(&a);
		kill(forked, SIGKILL);
		assert_int_equal(waitpid(forked, NULL, 0), forked);
	}
}
#endif

int main(void)
{
#ifdef CSYS_TEST_WRAPS_CSYSI_POSIX_ABOVE_2
	if (pthread_atfork(stay_in_fork, NULL, NULL) != 0)
		return 1;
#endif
	const struct CMUnitTest tests[] = {
		TEST(openings_of_a_file_exclude_each_other),
		TEST(ranges_that_do_not_overlap_are_independent),
		TEST(an_opening_is_like_every_handle_and_tells_its_file),
		TEST(a_symbolic_link_is_followed_only_where_that_is_wanted),
		TEST(a_file_is_found_in_its_folder_and_written_anew),
		TEST(a_second_opening_by_a_handle_excludes_the_first),
		TEST(it_is_told_which_lock_is_in_the_way),
		TEST(a_forked_child_has_no_opening_and_another_generation),
#ifdef CSYS_TEST_WRAPS_CSYSI_POSIX_ABOVE_2
		TEST(a_file_that_is_opened_beside_a_fork_is_opened_again),
#endif
	};

	return cmocka_run_group_tests_name(__FILE__, tests, scratch_make, scratch_remove);
}
