/*
 * ipc/test_named_options.c - promises of csys/ipc/named_object.h about options, and of each named
 * object about scopes, deadlines and misuse.
 */
#define _DEFAULT_SOURCE /* setgroups */
#include <grp.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csys/ipc/named_barrier.h>
#include <csys/ipc/named_event.h>
#include <csys/ipc/named_mutex.h>
#include <csys/ipc/named_rwlock.h>

#include "base/atomic.h"
#include "support/names.h"
#include "support/region.h"
#include "support/thread.h"

#define USER CSYS_NAMES_USER
#define GLOBAL CSYS_NAMES_GLOBAL

/* What a forked child has of its parent memcheck finds here. */
static csys_named_mutex *mutex;
static csys_named_rwlock *rwlock;
static csys_named_event *event;
static csys_named_barrier *barrier;

static void open_all(const csys_named_options *options)
{
	assert_int_equal(csys_named_mutex_create("mutex", options, &mutex), 0);
	assert_int_equal(csys_named_rwlock_create("rwlock", options, &rwlock), 0);
	assert_int_equal(csys_named_event_create("event", 0, options, &event), 0);
	assert_int_equal(csys_named_barrier_create("barrier", 2, 0, options, &barrier), 0);
}

static void close_all(void)
{
	csys_named_mutex_close(mutex);
	csys_named_rwlock_close(rwlock);
	csys_named_event_close(event);
	csys_named_barrier_close(barrier);
	mutex = NULL;
	rwlock = NULL;
	event = NULL;
	barrier = NULL;
}

/* ---- what is in the region ------------------------------------------------------------------- */

static void each_byte_before_the_object_tells_what_it_is(void **state)
{
	(void)state;
	csys_region *inside;
	csys_named_mutex *other = NULL;
	assert_int_equal(csys_named_mutex_create("m", NULL, &mutex), 0);
	assert_int_equal(csys_region_open("m", NULL, &inside), 0);
	unsigned char *bytes = csys_region_data(inside);
	/* magic, version, kind and size; the object is on a cache line of its own. */
	for (int i = 0; i < 24; i++) {
		bytes[i] ^= 1;
		assert_int_equal(csys_named_mutex_open("m", NULL, &other), CSYS_EBADMSG);
		assert_int_equal(csys_named_mutex_create_or_open("m", NULL, &other), CSYS_EBADMSG);
		assert_null(other);
		bytes[i] ^= 1;
	}
	assert_int_equal(csys_named_mutex_open("m", NULL, &other), 0);
	csys_named_mutex_close(other);
	csys_region_close(inside);
	close_all();
}

/* ---- replacing --------------------------------------------------------------------------- */

static void what_nobody_has_open_is_replaced_if_that_is_wished(void **state)
{
	(void)state;
	const csys_named_options kept = { .keep = 1 };
	const csys_named_options replaces = { .keep = 1, .replace_unused = 1 };
	csys_named_mutex *other = NULL;
	assert_int_equal(csys_named_mutex_create("m", &kept, &mutex), 0);
	csys_named_mutex_poison(mutex);
	/* It is open. */
	assert_int_equal(csys_named_mutex_create("m", &replaces, &other), CSYS_EEXIST);
	assert_int_equal(csys_named_mutex_create_or_open("m", &replaces, &other), 0);
	assert_false(csys_named_mutex_is_created(other));
	csys_named_mutex_close(other);
	close_all();
	assert_int_equal(csys_named_mutex_create("m", &kept, &mutex), CSYS_EEXIST);
	/* Opening replaces nothing. */
	assert_int_equal(csys_named_mutex_open("m", &replaces, &mutex), 0);
	assert_true(csys_named_mutex_is_poisoned(mutex));
	close_all();
	for (int i = 0; i < 2; i++) {
		int r = i == 0 ? csys_named_mutex_create_or_open("m", &replaces, &mutex)
			       : csys_named_mutex_create("m", &replaces, &mutex);
		assert_int_equal(r, 0);
		assert_true(csys_named_mutex_is_created(mutex));
		assert_false(csys_named_mutex_is_poisoned(mutex));
		csys_named_mutex_poison(mutex);
		close_all();
	}
	/* Also what is of another kind. */
	assert_int_equal(csys_named_event_create_or_open("m", 0, NULL, &event), CSYS_EBADMSG);
	assert_int_equal(csys_named_event_create_or_open("m", 0, &replaces, &event), 0);
	close_all();
	assert_int_equal(csys_named_event_unlink(USER, "m"), 0);
}

static void one_whose_name_is_removed_goes_on_for_those_that_have_it(void **state)
{
	(void)state;
	csys_named_mutex *old = NULL, *same = NULL;
	assert_int_equal(csys_named_mutex_create("m", NULL, &old), 0);
	assert_int_equal(csys_named_mutex_open("m", NULL, &same), 0);
	assert_int_equal(csys_named_mutex_unlink(USER, "m"), 0);
	assert_int_equal(csys_named_mutex_create("m", NULL, &mutex), 0);
	assert_int_equal(csys_named_mutex_lock(old), 0);
	assert_true(csys_named_mutex_is_locked(same));
	assert_int_equal(csys_named_mutex_try_lock(mutex), 0);
	/* The name of the new one is not theirs to remove. */
	csys_named_mutex_close(same);
	csys_named_mutex_close(old);
	assert_int_equal(csys_named_mutex_open("m", NULL, &same), 0);
	assert_true(csys_named_mutex_is_locked(same));
	csys_named_mutex_close(same);
	csys_named_mutex_unlock(mutex);
	close_all();
}

static void create_with_few_handles(void)
{
	const csys_named_options kept = { .keep = 1 };
	int most = dup(0);
	int r;
	for (close(most);; most++) {
		allow_handles(most);
		r = csys_named_mutex_create("m", &kept, &mutex);
		allow_handles(most + 100);
		if (r == 0)
			break;
		CHECK(r == CSYS_EMFILE);
		CHECK(count_names() == 0);
	}
	close_all();
	CHECK(csys_named_mutex_unlink(USER, "m") == 0);
}

static void nothing_is_left_when_handles_run_out(void **state)
{
	(void)state;
	in_child(create_with_few_handles);
}

/* ---- scopes and users -------------------------------------------------------------------- */

static char directory[256];

static void use_global_directory(void)
{
	make_directory(directory, sizeof directory);
	assert_int_equal(chmod(directory, 01777), 0);
	assert_int_equal(csys_names_set_directory(GLOBAL, directory), 0);
}

static void drop_global_directory(void)
{
	assert_int_equal(rmdir(directory), 0);
	assert_int_equal(csys_names_set_directory(GLOBAL, NULL), 0);
}

static void a_name_is_of_its_scope(void **state)
{
	(void)state;
	const csys_named_options global = { .scope = GLOBAL };
	csys_named_mutex *other = NULL;
	use_global_directory();
	open_all(&global);
	assert_int_equal(count_names(), 0);
	assert_int_equal(csys_named_mutex_open("mutex", NULL, &other), CSYS_ENOENT);
	assert_int_equal(csys_named_mutex_unlink(USER, "mutex"), CSYS_ENOENT);
	assert_int_equal(csys_named_rwlock_unlink(USER, "rwlock"), CSYS_ENOENT);
	assert_int_equal(csys_named_event_unlink(USER, "event"), CSYS_ENOENT);
	assert_int_equal(csys_named_barrier_unlink(USER, "barrier"), CSYS_ENOENT);
	assert_int_equal(csys_named_mutex_unlink(GLOBAL, "mutex"), 0);
	assert_int_equal(csys_named_rwlock_unlink(GLOBAL, "rwlock"), 0);
	assert_int_equal(csys_named_event_unlink(GLOBAL, "event"), 0);
	assert_int_equal(csys_named_barrier_unlink(GLOBAL, "barrier"), 0);
	close_all();
	drop_global_directory();
	csys_named_options wrong = { .scope = 7 };
	assert_int_equal(csys_named_mutex_create("m", &wrong, &mutex), CSYS_EINVAL);
	assert_int_equal(csys_named_mutex_open("m", &wrong, &mutex), CSYS_EINVAL);
	assert_int_equal(csys_named_mutex_unlink(7, "m"), CSYS_EINVAL);
	wrong = (csys_named_options){ .mode = 0640 };
	assert_int_equal(csys_named_mutex_create("m", &wrong, &mutex), CSYS_EINVAL);
	assert_null(mutex);
}

static void become_a_stranger(void)
{
	CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
}

static void lock_as_a_stranger(void)
{
	const csys_named_options global = { .scope = GLOBAL };
	become_a_stranger();
	csys_named_mutex_close(mutex);
	mutex = NULL;
	CHECK(csys_named_rwlock_open("rwlock", &global, &rwlock) == CSYS_EACCES);
	CHECK(csys_named_mutex_open("mutex", &global, &mutex) == 0);
	CHECK(csys_named_mutex_lock(mutex) == 0);
	stay();
}

static void create_as_a_stranger(void)
{
	const csys_named_options options = { .scope = GLOBAL, .mode = 0666, .keep = 1 };
	become_a_stranger();
	CHECK(csys_named_event_create("event", 0, &options, &event) == 0);
	csys_named_event_set(event);
	csys_named_event_close(event);
	event = NULL;
}

static void another_user_may_do_what_the_mode_says_and_its_death_is_told(void **state)
{
	(void)state;
	csys_region_member member;
	csys_named_options options = { .scope = GLOBAL, .mode = 0666 };
	if (geteuid() != 0)
		skip_because("only root can become another user");
	use_global_directory();
	assert_int_equal(csys_named_mutex_create("mutex", &options, &mutex), 0);
	options.mode = 0;
	assert_int_equal(csys_named_rwlock_create("rwlock", &options, &rwlock), 0);
	csys_named_rwlock *mine = rwlock;
	rwlock = NULL;
	pid_t pid = forked(lock_as_a_stranger);
	csys_deadline late = csys_after_s(100); /* if the stranger has failed */
	while (!csys_named_mutex_is_locked(mutex) && csys_deadline_left(late) > 0)
		csys_thread_yield();
	assert_int_equal(csys_named_mutex_try_lock(mutex), CSYS_EAGAIN);
	assert_int_equal(csys_named_mutex_holder(mutex, &member), 1);
	assert_int_equal(member.pid, pid);
	kill_it(pid);
	assert_int_equal(csys_named_mutex_lock(mutex), CSYS_POISONED);
	csys_named_mutex_unlock(mutex);
	csys_named_rwlock_close(mine);
	close_all();
	/* The other way round: what is another user's is opened only if that is said. */
	assert_int_equal(code_of(forked(create_as_a_stranger)), 0);
	assert_int_equal(csys_named_event_open("event", &options, &event), CSYS_EPERM);
	options.accept_foreign = 1;
	assert_int_equal(csys_named_event_open("event", &options, &event), 0);
	assert_true(csys_named_event_is_set(event));
	close_all();
	assert_int_equal(csys_named_event_unlink(GLOBAL, "event"), 0);
	drop_global_directory();
}

/* ---- deadlines and misuse ------------------------------------------------------------------ */

static uint32_t holds_both; /* atomic */

static void *hold_for_a_moment(void *unused)
{
	CHECK(csys_named_mutex_lock(mutex) == 0);
	CHECK(csys_named_rwlock_write(rwlock) == 0);
	csysi_store_release(&holds_both, 1);
	take_a_nap();
	csys_named_mutex_unlock(mutex);
	take_a_nap();
	csys_named_rwlock_unlock_write(rwlock);
	take_a_nap();
	csys_named_event_set(event);
	return unused;
}

static void a_wait_lasts_until_its_deadline_if_nothing_comes_before(void **state)
{
	(void)state;
	pthread_t thread;
	open_all(NULL);
	for (int i = 0; i < 2; i++) {
		csys_named_event_reset(event);
		holds_both = 0;
		assert_int_equal(pthread_create(&thread, NULL, hold_for_a_moment, NULL), 0);
		while (!csysi_load_acquire(&holds_both))
			csys_thread_yield();
		csys_deadline later = csys_after_s(100);
		assert_int_equal(csys_named_mutex_lock_until(mutex, later), 0);
		int r = i == 0 ? csys_named_rwlock_read_until(rwlock, later)
			       : csys_named_rwlock_write_until(rwlock, later);
		assert_int_equal(r, 0);
		if (i == 0)
			csys_named_rwlock_unlock_read(rwlock);
		else
			csys_named_rwlock_unlock_write(rwlock);
		assert_int_equal(csys_named_event_wait_until(event, later), 0);
		csys_named_mutex_unlock(mutex);
		pthread_join(thread, NULL);
	}
	close_all();
}

static void assert_mutex_held(void)
{
	csys_named_mutex_assert_held(mutex);
}

static void assert_rwlock_read(void)
{
	csys_named_rwlock_assert_read(rwlock);
}

static void assert_rwlock_written(void)
{
	csys_named_rwlock_assert_write(rwlock);
}

static void unlock_rwlock_read(void)
{
	csys_named_rwlock_unlock_read(rwlock);
}

static void unlock_rwlock_written(void)
{
	csys_named_rwlock_unlock_write(rwlock);
}

static void what_is_not_held_is_told_by_an_abort(void **state)
{
	(void)state;
	open_all(NULL);
	assert_aborts(assert_mutex_held, "a shared mutex is not held that should be");
	assert_aborts(assert_rwlock_read, "a shared rwlock is not read that should be");
	assert_aborts(assert_rwlock_written, "a shared rwlock is not written that should be");
	assert_aborts(unlock_rwlock_read, "unlock of a shared rwlock");
	assert_aborts(unlock_rwlock_written, "unlock of a shared rwlock");
	close_all();
}

static void *meet_alone(void *result)
{
	*(int *)result = csys_named_barrier_wait_until(barrier, csys_after_s(100), NULL);
	return NULL;
}

static void those_that_leave_a_barrier_are_not_waited_for(void **state)
{
	(void)state;
	pthread_t thread;
	int r = -1;
	open_all(NULL);
	assert_int_equal(csys_named_barrier_leave(barrier), 0);
	assert_int_equal(pthread_create(&thread, NULL, meet_alone, &r), 0);
	pthread_join(thread, NULL);
	assert_int_equal(r, 0);
	assert_int_equal(csys_named_barrier_wait(barrier, NULL), CSYS_EINVAL);
	close_all();
}

static void a_barrier_tells_its_leader(void **state)
{
	(void)state;
	int is_leader = 0;
	assert_int_equal(csys_named_barrier_create("one", 1, 0, NULL, &barrier), 0);
	assert_int_equal(csys_named_barrier_wait(barrier, &is_leader), 0);
	assert_int_equal(is_leader, 1);
	is_leader = 0;
	assert_int_equal(csys_named_barrier_wait_until(barrier, CSYS_POLL, &is_leader), 0);
	assert_int_equal(is_leader, 1);
	close_all();
}

static void wrong_numbers_of_a_barrier_are_refused_also_if_there_is_one(void **state)
{
	(void)state;
	csys_named_barrier *other = NULL;
	open_all(NULL);
	assert_int_equal(csys_named_barrier_create_or_open("barrier", CSYS_SHARED_BARRIER_MAX + 1,
							   0, NULL, &other),
			 CSYS_EINVAL);
	assert_int_equal(csys_named_barrier_create_or_open("barrier", 2, 2, NULL, &other),
			 CSYS_EINVAL);
	assert_int_equal(csys_named_barrier_create("barrier", 2, 2, NULL, &other), CSYS_EINVAL);
	assert_null(other);
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(each_byte_before_the_object_tells_what_it_is),
		NAMES_TEST(what_nobody_has_open_is_replaced_if_that_is_wished),
		NAMES_TEST(one_whose_name_is_removed_goes_on_for_those_that_have_it),
		NAMES_TEST(nothing_is_left_when_handles_run_out),
		NAMES_TEST(a_name_is_of_its_scope),
		NAMES_TEST(another_user_may_do_what_the_mode_says_and_its_death_is_told),
		NAMES_TEST(a_wait_lasts_until_its_deadline_if_nothing_comes_before),
		NAMES_TEST(what_is_not_held_is_told_by_an_abort),
		NAMES_TEST(those_that_leave_a_barrier_are_not_waited_for),
		NAMES_TEST(a_barrier_tells_its_leader),
		NAMES_TEST(wrong_numbers_of_a_barrier_are_refused_also_if_there_is_one),
	};
	return RUN(tests);
}
