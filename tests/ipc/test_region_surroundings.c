/*
 * ipc/test_region_surroundings.c - promises of csys/ipc/region.h in hostile surroundings: equal
 * pids of other namespaces, no room, and nearly as many members as there can be.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <csys/ipc/named_mutex.h>
#include <csys/ipc/shared_channel.h>
#include <csys/ipc/shared_rwlock.h>

#include "base/atomic.h"
#include "support/region.h"
#include "support/system.h"
#include "support/thread.h"

struct objects {
	csys_shared_mutex mutex;
	csys_shared_rwlock rwlock;
	int64_t pids[2];
	uint32_t inside;
};
#define PLACE ((struct objects *)OBJECTS)

/* ---- equal pids ------------------------------------------------------------------------------ */

static void lock_in_a_namespace(void)
{
	PLACE->pids[0] = getpid();
	CHECK(csys_shared_mutex_lock(region, &PLACE->mutex) == 0);
	CHECK(csys_shared_rwlock_write(region, &PLACE->rwlock) == 0);
	reach_step(1);
	for (;;) /* until killed from outside: it does not see the end of its parent */
		csysi_os_nap(csys_after_s(1));
}

static void want_in_another(void)
{
	PLACE->pids[1] = getpid();
	reach_step(2);
	csys_deadline late = csys_after_s(100);
	int r = csys_shared_mutex_lock_until(region, &PLACE->mutex, late);
	int w = csys_shared_rwlock_write_until(region, &PLACE->rwlock, late);
	_exit(r == CSYS_POISONED && w == CSYS_POISONED ? 0 : 1);
}

/* Have the first process of a new namespace hold both, and kill it in step 3. */
static void kill_the_holder_in_a_namespace(void)
{
	pid_t parent = getppid();
	CHECK(enter_pid_namespace() == 0);
	pid_t pid = forked(lock_in_a_namespace);
	while (csysi_load_acquire(&STEPS->step) != 3 && getppid() == parent)
		csysi_os_nap(csys_after_ms(1));
	kill_it(pid);
}

static void want_in_a_namespace(void)
{
	CHECK(enter_pid_namespace() == 0);
	_exit(code_of(forked(want_in_another)));
}

static void lock_with_equal_pids(void)
{
	csys_region_member member;
	STEPS->step = 0;
	memset(PLACE, 0, sizeof *PLACE);
	pid_t one = forked(kill_the_holder_in_a_namespace);
	await_step(1);
	pid_t other = forked(want_in_a_namespace);
	await_step(2);
	assert_true(PLACE->pids[0] == 1 && PLACE->pids[1] == 1);
	take_a_nap();
	assert_true(csys_shared_mutex_is_locked(region, &PLACE->mutex));
	assert_int_equal(csys_shared_mutex_holder(region, &PLACE->mutex, &member), 1);
	assert_int_equal(member.pid, 1); /* in its own namespace */
	reach_step(3);
	assert_int_equal(code_of(one), 0);
	assert_int_equal(code_of(other), 0);
}

static void try_a_namespace(void)
{
	_exit(enter_pid_namespace() < 0 ? 77 : 0);
}

static void a_holder_with_the_same_pid_in_another_namespace_is_told_apart(void **state)
{
	(void)state;
	if (result_in_child(try_a_namespace) == 77)
		skip_because("no new namespace of pids may be made here");
	in_each_way(lock_with_equal_pids);
}

/* ---- no room --------------------------------------------------------------------------------- */

static void fill_files(void)
{
	const csys_named_options kept = { .keep = 1 };
	csys_region *one = NULL, *more = NULL;
	csys_named_mutex *mutex = NULL;
	csys_shared_channel *channel = NULL;
	if (enter_small_files(own_names(), 128 << 10) < 0)
		_exit(77);
	CHECK(csys_region_create("r", 1 << 20, NULL, &one) == CSYS_ENOSPC && !one);
	CHECK(csys_region_create_or_open("r", 1 << 20, NULL, &one) == CSYS_ENOSPC && !one);
	CHECK(csys_shared_channel_create("c", 1 << 16, 64, NULL, &channel) == CSYS_ENOSPC);
	CHECK(!channel && count_names() == 0);
	/* What there is room for can be written to its last byte: no SIGBUS. */
	CHECK(csys_region_create("r", 90 << 10, NULL, &one) == 0);
	memset(csys_region_data(one), 1, 90 << 10);
	CHECK(csys_region_attach(one) == 0);
	CHECK(csys_region_create("r2", 40 << 10, NULL, &more) == CSYS_ENOSPC && !more);
	CHECK(csys_named_mutex_create("m", &kept, &mutex) == CSYS_ENOSPC && !mutex);
	CHECK(csys_named_mutex_create_or_open("m", NULL, &mutex) == CSYS_ENOSPC && !mutex);
	CHECK(count_names() <= 2); /* the region, and its file of tokens */
	csys_region_close(one);
	CHECK(csys_named_mutex_create("m", NULL, &mutex) == 0);
	CHECK(csys_named_mutex_lock(mutex) == 0);
	csys_named_mutex_unlock(mutex);
	csys_named_mutex_close(mutex);
	CHECK(count_names() == 0);
}

static void a_full_directory_of_names_is_an_error_and_leaves_nothing(void **state)
{
	(void)state;
	for (int way = 0; way <= CSYSI_OS_TOKEN_LOCK; way += CSYSI_OS_TOKEN_LOCK) {
		csysi_region_way = way;
		int r = result_in_child(fill_files);
		csysi_region_way = 0;
		if (r == 77)
			skip_because("nothing may be mounted here");
		assert_int_equal(r, 0);
	}
}

/* ---- many members ---------------------------------------------------------------------------- */

enum { PROCESSES = 8, THREADS = 124, ROUNDS = 2 };

static uint32_t members; /* of the threads of a process */

static void *come_and_go(void *seed)
{
	uint32_t state = (uint32_t)(uintptr_t)seed;
	for (int i = 0; i < ROUNDS; i++) {
		state = state * 1664525u + 1013904223u;
		CHECK(csys_region_attach(region) == 0);
		if (state >> 16 & 1)
			csys_thread_yield();
		CHECK(csys_shared_mutex_lock(region, &PLACE->mutex) >= 0);
		CHECK(csysi_add_relaxed(&PLACE->inside, 1) % 2 == 1);
		(void)csysi_add_relaxed(&PLACE->inside, 1);
		csys_shared_mutex_unlock(region, &PLACE->mutex);
		CHECK(csys_shared_rwlock_read(region, &PLACE->rwlock) >= 0);
		csys_shared_rwlock_unlock_read(region, &PLACE->rwlock);
		if (state >> 17 & 1)
			csys_region_detach(region);
	}
	CHECK(csys_region_attach(region) == 0);
	/* All are members at once before any of them ends. */
	csysi_add_release(&members, 1);
	while (csysi_load_acquire(&members) < THREADS)
		csysi_os_nap(csys_after_ms(1));
	return NULL;
}

static void run_many(void)
{
	static pthread_t threads[THREADS];
	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, come_and_go,
				     (void *)((uintptr_t)getpid() * THREADS + i)) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void lock_and_be_killed(void)
{
	for (int i = 0; i < 3; i++) {
		CHECK(csys_shared_mutex_lock(region, &PLACE->mutex) >= 0);
		if (i == 2)
			raise(SIGKILL);
		csys_shared_mutex_unlock(region, &PLACE->mutex);
	}
}

static void have_many_members(void)
{
	pid_t pids[PROCESSES];
	memset(PLACE, 0, sizeof *PLACE);
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = forked(run_many);
	for (int i = 0; i < 4; i++)
		await_end(forked(lock_and_be_killed));
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(code_of(pids[i]), 0);
	assert_int_equal(PLACE->inside, 2 * PROCESSES * THREADS * ROUNDS);
	assert_int_equal(csys_shared_mutex_lock(region, &PLACE->mutex), CSYS_POISONED);
	assert_int_equal(csys_shared_rwlock_write(region, &PLACE->rwlock), 0);
	csys_shared_rwlock_unlock_write(region, &PLACE->rwlock);
	csys_shared_mutex_unlock(region, &PLACE->mutex);
}

static void a_thousand_members_come_and_go_and_some_are_killed(void **state)
{
	(void)state;
	const csys_region_options options = { .members = CSYS_REGION_MEMBERS_MAX };
	if (WITH_TSAN || under_valgrind())
		skip_because("this tool allows no threads in a forked child, or is too slow");
	in_each_way_with(&options, have_many_members);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_holder_with_the_same_pid_in_another_namespace_is_told_apart),
		NAMES_TEST(a_full_directory_of_names_is_an_error_and_leaves_nothing),
		NAMES_TEST(a_thousand_members_come_and_go_and_some_are_killed),
	};
	return RUN(tests);
}
