/*
 * ipc/test_region_edge.c - promises of csys/ipc/region.h at its edges.
 */
#define _DEFAULT_SOURCE /* setgroups */
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/region.h"
#include "support/thread.h"

/* ---- forked children ----------------------------------------------------------------------- */

static int told[2]; /* a pipe to the child */

/* A child that does nothing with the region before its parent has closed it. */
static void lock_when_told(void)
{
	char byte;
	CHECK(read(told[0], &byte, 1) == 1);
	CHECK(csys_shared_mutex_lock(region, OBJECTS) == 0);
	reach_step(1);
	await_step(2);
	csys_shared_mutex_unlock(region, OBJECTS);
}

static void close_before_the_child_locks(void)
{
	csys_region *anonymous = region;
	csys_region_options options = { .keep = 1 };
	assert_int_equal(csys_region_create("left", sizeof(struct steps), &options, &region), 0);
	assert_int_equal(pipe(told), 0);
	pid_t pid = forked(lock_when_told);
	csys_region_close(region);
	assert_int_equal(write(told[1], "", 1), 1);
	assert_int_equal(csys_region_open("left", NULL, &region), 0);
	await_step(1);
	assert_true(csys_shared_mutex_is_locked(region, OBJECTS));
	assert_int_equal(csys_shared_mutex_try_lock(region, OBJECTS), CSYS_EAGAIN);
	reach_step(2);
	assert_int_equal(code_of(pid), 0);
	assert_int_equal(csys_shared_mutex_try_lock(region, OBJECTS), 0);
	csys_shared_mutex_unlock(region, OBJECTS);
	csys_region_close(region);
	assert_int_equal(csys_names_remove(CSYS_NAMES_USER, CSYS_NAME_REGION, "left"), 0);
	close(told[0]);
	close(told[1]);
	region = anonymous;
}

static void what_a_child_locks_after_its_parent_has_closed_it_is_locked_for_all(void **state)
{
	(void)state;
	in_each_way(close_before_the_child_locks);
}

static uint32_t phase; /* of a thread: it is a member; it may end */

static void *be_a_member(void *unused)
{
	(void)unused;
	CHECK(csys_region_attach(region) == 0);
	csysi_store_release(&phase, 1);
	while (csysi_load_acquire(&phase) != 2)
		csys_thread_yield();
	return NULL;
}

static void close_in_child(void)
{
	int handle = (int)csys_region_handle(region);
	csys_region_close(region);
	_exit(fcntl(handle, F_GETFD) < 0 ? 1 : 0);
}

static void fork_beside_a_member(void)
{
	pthread_t thread;
	phase = 0;
	assert_int_equal(pthread_create(&thread, NULL, be_a_member, NULL), 0);
	while (csysi_load_acquire(&phase) != 1)
		csys_thread_yield();
	assert_int_equal(code_of(forked(close_in_child)), 1);
	csysi_store_release(&phase, 2);
	pthread_join(thread, NULL);
}

static void a_child_that_closes_a_region_keeps_nothing_for_threads_of_its_parent(void **state)
{
	(void)state;
	if (WITH_TSAN || under_valgrind())
		skip_because("this tool allows no forks beside threads, or finds what they lose");
	in_each_way(fork_beside_a_member);
}

/* A child that does nothing with the region which its parent has closed. */
static void use_another_region(void)
{
	csys_region *other;
	CHECK(csys_region_create_anonymous(1, NULL, &other) == 0);
	CHECK(csys_region_attach(other) == 0);
	csys_region_close(other);
	CHECK(write(told[1], "", 1) == 1);
	stay();
}

static void fork_after_closing_beside_a_member(void)
{
	char byte;
	pthread_t thread;
	csys_region *anonymous = region;
	assert_int_equal(csys_region_create("left", sizeof(struct steps), NULL, &region), 0);
	assert_int_equal(pipe(told), 0);
	phase = 0;
	assert_int_equal(pthread_create(&thread, NULL, be_a_member, NULL), 0);
	while (csysi_load_acquire(&phase) != 1)
		csys_thread_yield();
	csys_region_close(region);
	region = NULL;
	pid_t pid = forked(use_another_region);
	assert_int_equal(read(told[0], &byte, 1), 1);
	csysi_store_release(&phase, 2);
	pthread_join(thread, NULL);
	assert_int_equal(csys_region_open("left", NULL, &region), CSYS_ENOENT);
	kill_it(pid);
	close(told[0]);
	close(told[1]);
	region = anonymous;
}

static void nor_does_one_keep_what_its_parent_had_closed_before(void **state)
{
	(void)state;
	if (WITH_TSAN || under_valgrind())
		skip_because("this tool allows no forks beside threads, or finds what they lose");
	in_each_way(fork_after_closing_beside_a_member);
}

static void attach_as_another_user(void)
{
	CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
	int r = csys_region_attach(region);
	_exit(r == 0 ? 1 : r == CSYS_EACCES ? 2 : 3);
}

static void fork_another_user(void)
{
	csys_region *anonymous = region;
	assert_int_equal(csys_region_create("user", 1, NULL, &region), 0);
	int is_file = region->tokens.way == CSYSI_OS_TOKEN_LOCK;
	assert_int_equal(code_of(forked(attach_as_another_user)), is_file ? 1 : 2);
	csys_region_close(region);
	region = anonymous;
}

static void a_child_that_is_another_user_is_told_if_it_cannot_be_a_member(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("only root can become another user");
	in_each_way(fork_another_user);
}

/* ---- what a thread holds when it leaves ----------------------------------------------------- */

static void unlock_what_was_left(void)
{
	CHECK(csys_shared_mutex_lock(region, OBJECTS) == 0);
	csys_region_detach(region);
	CHECK(csys_region_attach(region) == 0);
	csys_shared_mutex_unlock(region, OBJECTS);
}

static void lock_and_leave(void)
{
	csys_shared_mutex *mutexes = OBJECTS;
	csys_shared_rwlock *rwlock = (void *)(mutexes + 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(csys_shared_mutex_lock(region, &mutexes[i]), 0);
	assert_int_equal(csys_shared_rwlock_write(region, rwlock), 0);
	csys_region_detach(region);
	for (int i = 0; i < 3; i++) {
		assert_false(csys_shared_mutex_is_locked(region, &mutexes[i]));
		assert_true(csys_shared_mutex_is_poisoned(&mutexes[i]));
		assert_int_equal(csys_shared_mutex_try_lock(region, &mutexes[i]), CSYS_POISONED);
		csys_shared_mutex_unlock(region, &mutexes[i]);
	}
	assert_int_equal(csys_shared_rwlock_try_write(region, rwlock), CSYS_POISONED);
	csys_shared_rwlock_unlock_write(region, rwlock);
	csys_shared_mutex_clear_poison(mutexes);
	assert_aborts(unlock_what_was_left,
		      "unlock of a shared mutex that this thread does not hold");
}

static void what_a_thread_holds_when_it_leaves_is_taken_over_with_poison(void **state)
{
	(void)state;
	in_each_way(lock_and_leave);
}

static void *leave_a_lock_and_end(void *unused)
{
	uint32_t id;
	csys_shared_mutex *mutex = OBJECTS;
	CHECK(csys_shared_mutex_lock(region, mutex) == 0);
	csys_region_detach(region);
	CHECK(csysi_region_id_until(region, CSYS_FOREVER, &id) == 0);
	/* Data of a region that has come to the place of that one: any number. */
	mutex->word = id;
	STEPS->told = id;
	return unused;
}

static void end_after_leaving(void)
{
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, leave_a_lock_and_end, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(*(uint32_t *)OBJECTS, STEPS->told);
}

static void the_end_of_a_thread_writes_nothing_where_it_has_left(void **state)
{
	(void)state;
	in_each_way(end_after_leaving);
}

/* ---- opening ------------------------------------------------------------------------------- */

static void one_that_exists_may_have_room_for_more_members_or_fewer(void **state)
{
	(void)state;
	const unsigned members[] = { 1, 64, CSYS_REGION_MEMBERS_MAX };
	for (int i = 0; i < 9; i++) {
		csys_region_options options = { .members = members[i / 3] };
		csys_region *one = NULL, *other = NULL;
		assert_int_equal(csys_region_create("room", 100, &options, &one), 0);
		options.members = members[i % 3];
		assert_int_equal(csys_region_create_or_open("room", 100, &options, &other), 0);
		assert_int_equal(csys_region_size(other), 100);
		csys_region_close(other);
		other = NULL;
		assert_int_equal(csys_region_create_or_open("room", 101, &options, &other),
				 CSYS_EBADMSG);
		assert_null(other);
		csys_region_close(one);
	}
}

/* A handle of memory of so many bytes that has nothing but the header of a region. */
static csys_handle bare_memory(size_t size)
{
	struct csysi_object_header header;
	struct csysi_named wanted = {
		.kind = CSYS_NAME_REGION, .version = 1, .size = size, .max_size = 100000
	};
	csys_handle handle = CSYS_NO_HANDLE;
	csysi_object_make_header(&wanted, &header);
	assert_int_equal(csysi_os_memory_create("bare", 0, &handle), 0);
	assert_int_equal(csysi_os_file_allocate(handle, CSYSI_OBJECT_DATA + size), 0);
	assert_int_equal(csysi_os_write_at(handle, 0, &header, sizeof header), 0);
	assert_int_equal(csysi_os_memory_seal(handle, CSYSI_OS_SEAL_SHRINK), 0);
	return handle;
}

static void what_is_smaller_than_a_region_is_none(void **state)
{
	(void)state;
	if (!csys_can(CSYS_CAN_SEAL_MEMORY))
		skip_because("no handle is taken here");
	const size_t sizes[] = { 0, 1, 255, 256, 4096 };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		csys_region *none = NULL;
		csys_handle bare = bare_memory(sizes[i]);
		assert_int_equal(csys_region_from_handle_take(bare, NULL, &none), CSYS_EBADMSG);
		assert_null(none);
		csys_handle_close(bare);
	}
}

static int result_of_taking(void)
{
	csys_handle copy;
	csys_region *other = NULL;
	assert_int_equal(csys_handle_dup(csys_region_handle(region), &copy), 0);
	int r = csys_region_from_handle_take(copy, NULL, &other);
	if (r < 0)
		csys_handle_close(copy);
	csys_region_close(other);
	return r;
}

static void take_it_with_another_directory(void)
{
	char path[4096];
	if (!csys_can(CSYS_CAN_SEAL_MEMORY))
		return;
	assert_int_equal(result_of_taking(), 0);
	make_directory(path, sizeof path);
	assert_int_equal(csys_names_set_directory(CSYS_NAMES_USER, path), 0);
	int is_file = region->tokens.way == CSYSI_OS_TOKEN_LOCK;
	assert_int_equal(result_of_taking(), is_file ? CSYS_ENOTSUP : 0);
	assert_int_equal(csys_names_set_directory(CSYS_NAMES_USER, NULL), 0);
	remove_directory(path);
	assert_int_equal(result_of_taking(), 0);
}

static void a_process_that_cannot_see_deaths_has_no_part_in_a_region(void **state)
{
	(void)state;
	in_each_way(take_it_with_another_directory);
}

static void a_region_is_read_and_written_or_neither(void **state)
{
	(void)state;
	const int modes[] = { 0644, 0640, 0604, 0622, 0646, 0664, 0602, 0620, 0642 };
	const int good[] = { 0600, 0606, 0660, 0666, 0 };
	csys_region *one = NULL;
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		csys_region_options options = { .mode = modes[i] };
		assert_int_equal(csys_region_create("mode", 1, &options, &one), CSYS_EINVAL);
		assert_int_equal(csys_region_create_or_open("mode", 1, &options, &one),
				 CSYS_EINVAL);
		assert_null(one);
	}
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		csys_region_options options = { .mode = good[i] };
		assert_int_equal(csys_region_create("mode", 1, &options, &one), 0);
		csys_region_close(one);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(what_a_child_locks_after_its_parent_has_closed_it_is_locked_for_all),
		NAMES_TEST(a_child_that_closes_a_region_keeps_nothing_for_threads_of_its_parent),
		NAMES_TEST(nor_does_one_keep_what_its_parent_had_closed_before),
		NAMES_TEST(a_child_that_is_another_user_is_told_if_it_cannot_be_a_member),
		NAMES_TEST(what_a_thread_holds_when_it_leaves_is_taken_over_with_poison),
		NAMES_TEST(the_end_of_a_thread_writes_nothing_where_it_has_left),
		NAMES_TEST(one_that_exists_may_have_room_for_more_members_or_fewer),
		NAMES_TEST(what_is_smaller_than_a_region_is_none),
		NAMES_TEST(a_process_that_cannot_see_deaths_has_no_part_in_a_region),
		NAMES_TEST(a_region_is_read_and_written_or_neither),
	};
	return RUN(tests);
}
