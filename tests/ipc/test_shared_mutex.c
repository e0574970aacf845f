/*
 * ipc/test_shared_mutex.c - promises of csys/ipc/shared_mutex.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "sync/ledger.h"
#include "support/region.h"
#include "support/system.h"
#include "support/thread.h"

#define LOCK ((csys_shared_mutex *)OBJECTS)

static void lock_and_stay(void)
{
	if (csys_shared_mutex_lock(region, LOCK) == (int)STEPS->told)
		reach_step(1);
	stay();
}

/* A process that holds the mutex, which it gets with this result. */
static pid_t holder(int result)
{
	STEPS->told = (uint32_t)result;
	STEPS->step = 0;
	pid_t pid = forked(lock_and_stay);
	await_step(1);
	return pid;
}

static void assert_free(void)
{
	assert_int_equal(LOCK->word, 0);
	assert_int_equal(csysi_ledger_depth(), 0);
}

/* ---- without other processes -------------------------------------------------------------- */

static void lock_alone(void)
{
	assert_false(csys_shared_mutex_is_locked(region, LOCK));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_shared_mutex_lock(region, LOCK), 0);
		assert_true(csys_shared_mutex_is_locked(region, LOCK));
		csys_shared_mutex_assert_held(region, LOCK);
		assert_int_equal(csysi_ledger_depth(), 1);
		assert_int_equal(csys_shared_mutex_try_lock(region, LOCK), CSYS_EAGAIN);
		assert_int_equal(csys_shared_mutex_lock_until(region, LOCK, csys_after_ms(1)),
				 CSYS_ETIMEDOUT);
		csys_shared_mutex_unlock(region, LOCK);
		assert_int_equal(LOCK->word & CSYSI_ID, 0);
		LOCK->word = 0; /* a waiter that gave up may have left its mark */
	}
	assert_int_equal(csys_shared_mutex_try_lock(region, LOCK), 0);
	csys_shared_mutex_unlock(region, LOCK);
	assert_int_equal(csys_shared_mutex_lock_until(region, LOCK, CSYS_POLL), 0);
	csys_shared_mutex_unlock(region, LOCK);
	assert_free();
}

static void it_is_locked_and_unlocked(void **state)
{
	(void)state;
	in_each_way(lock_alone);
}

static void lock_several(void)
{
	csys_shared_mutex *locks = OBJECTS;
	csys_mutex own = CSYS_MUTEX_INIT;
	for (int i = 0; i < 40; i++)
		assert_int_equal(csys_shared_mutex_lock(region, &locks[i]), 0);
	csys_mutex_lock(&own);
	assert_int_equal(csysi_ledger_depth(), 41);
	for (int i = 0; i < 40; i++)
		csys_shared_mutex_unlock(region, &locks[i]);
	csys_mutex_unlock(&own);
	assert_free();
}

static void many_are_held_at_once_beside_other_locks(void **state)
{
	(void)state;
	in_each_way(lock_several);
}

static void poison_by_hand(void)
{
	csys_shared_mutex_poison(LOCK);
	assert_true(csys_shared_mutex_is_poisoned(LOCK));
	assert_int_equal(csys_shared_mutex_lock(region, LOCK), CSYS_POISONED);
	csys_shared_mutex_unlock(region, LOCK);
	assert_int_equal(csys_shared_mutex_try_lock(region, LOCK), CSYS_POISONED);
	csys_shared_mutex_clear_poison(LOCK);
	assert_false(csys_shared_mutex_is_poisoned(LOCK));
	csys_shared_mutex_assert_held(region, LOCK);
	csys_shared_mutex_unlock(region, LOCK);
	assert_int_equal(csys_shared_mutex_lock(region, LOCK), 0);
	csys_shared_mutex_poison(LOCK);
	csys_shared_mutex_unlock(region, LOCK);
	assert_int_equal(csys_shared_mutex_lock_until(region, LOCK, CSYS_POLL), CSYS_POISONED);
	csys_shared_mutex_unlock(region, LOCK);
	csys_shared_mutex_clear_poison(LOCK);
	assert_free();
}

static void poison_stays_until_it_is_cleared(void **state)
{
	(void)state;
	in_each_way(poison_by_hand);
}

static void panic_inside(void *unused)
{
	(void)unused;
	assert_int_equal(csys_shared_mutex_lock(region, LOCK), 0);
	csys_panic("inside");
}

static void catch_a_panic(void)
{
	csys_shared_mutex *other = LOCK + 1;
	assert_int_equal(csys_shared_mutex_lock(region, other), 0);
	assert_int_equal(csys_panic_catch(panic_inside, NULL, NULL), CSYS_EPANICKED);
	assert_false(csys_shared_mutex_is_locked(region, LOCK));
	csys_shared_mutex_assert_held(region, other);
	csys_shared_mutex_unlock(region, other);
	assert_false(csys_shared_mutex_is_poisoned(other));
	assert_int_equal(csys_shared_mutex_lock(region, LOCK), CSYS_POISONED);
	csys_shared_mutex_clear_poison(LOCK);
	csys_shared_mutex_unlock(region, LOCK);
}

static void a_panic_releases_and_poisons_what_was_locked_since(void **state)
{
	(void)state;
	in_each_way(catch_a_panic);
}

static void *lock_and_end(void *unused)
{
	(void)unused;
	CHECK(csys_shared_mutex_lock(region, LOCK) == 0);
	return NULL;
}

static void end_a_thread(void)
{
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, lock_and_end, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(csys_shared_mutex_lock(region, LOCK), CSYS_POISONED);
	csys_shared_mutex_unlock(region, LOCK);
	csys_shared_mutex_clear_poison(LOCK);
	assert_free();
}

static void a_thread_that_ends_poisons_what_it_holds(void **state)
{
	(void)state;
	in_each_way(end_a_thread);
}

static csys_region *other_region;

static void use_two_regions(void)
{
	assert_int_equal(csys_region_create_anonymous(100, NULL, &other_region), 0);
	csys_shared_mutex *other = csys_region_data(other_region);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_shared_mutex_lock(region, LOCK), 0);
		assert_int_equal(csys_shared_mutex_lock(other_region, other), 0);
		csys_shared_mutex_unlock(region, LOCK);
		csys_shared_mutex_unlock(other_region, other);
	}
	csys_region_close(other_region);
	assert_free();
}

static void locks_of_several_regions_are_held_at_once(void **state)
{
	(void)state;
	in_each_way(use_two_regions);
}

/* ---- misuse ---------------------------------------------------------------------------------- */

static void unlock_free(void)
{
	csys_shared_mutex_unlock(region, LOCK);
}

static void unlock_foreign(void)
{
	uint32_t id;
	if (csysi_region_id_until(region, CSYS_FOREVER, &id) == 0)
		csys_shared_mutex_unlock(region, LOCK);
}

static void assert_foreign(void)
{
	csys_shared_mutex_assert_held(region, LOCK);
}

static void misuse(void)
{
	assert_aborts(unlock_free, "unlock of a shared mutex that this thread does not hold");
	assert_int_equal(csys_shared_mutex_lock(region, LOCK), 0);
	/* A forked child, too, with what was noted of its parent. */
	assert_aborts(unlock_free, "unlock of a shared mutex that this thread does not hold");
	assert_aborts(unlock_foreign, "unlock of a shared mutex that this thread does not hold");
	assert_aborts(assert_foreign, "a shared mutex is not held that should be");
	csys_shared_mutex_assert_held(region, LOCK);
	csys_shared_mutex_unlock(region, LOCK);
	assert_free();
}

static void unlocking_what_is_not_held_aborts(void **state)
{
	(void)state;
	in_each_way(misuse);
}

static void end_in_child_with_its_note(void)
{
	pthread_exit(NULL);
}

static void fork_with_the_lock(void)
{
	assert_int_equal(csys_shared_mutex_lock(region, LOCK), 0);
	assert_int_equal(code_of(forked(end_in_child_with_its_note)), 0);
	csys_shared_mutex_assert_held(region, LOCK);
	csys_shared_mutex_unlock(region, LOCK);
	assert_free();
}

static void a_forked_child_releases_nothing_of_its_parent(void **state)
{
	(void)state;
	if (WITH_TSAN || WITH_ASAN || under_valgrind())
		skip_because("this tool knows no end of the first thread");
	in_each_way(fork_with_the_lock);
}

/* ---- between processes ---------------------------------------------------------------------- */

static void try_from_here(void)
{
	pid_t pid = holder(0);
	csys_region_member member = { 0 };
	assert_int_equal(csys_shared_mutex_try_lock(region, LOCK), CSYS_EAGAIN);
	csys_deadline deadline = csys_after_ms(5);
	assert_int_equal(csys_shared_mutex_lock_until(region, LOCK, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_deadline_left(deadline) <= 0);
	assert_int_equal(csys_shared_mutex_holder(region, LOCK, &member), 1);
	assert_int_equal(member.pid, pid);
	assert_true(member.is_alive);
	/* One that stands still is not dead. */
	kill(pid, SIGSTOP);
	assert_int_equal(csys_shared_mutex_lock_until(region, LOCK, csys_after_ms(5)),
			 CSYS_ETIMEDOUT);
	kill_it(pid);
	assert_false(csys_shared_mutex_is_locked(region, LOCK));
	assert_int_equal(csys_shared_mutex_holder(region, LOCK, &member), 1);
	assert_false(member.is_alive);
	assert_int_equal(csys_shared_mutex_try_lock(region, LOCK), CSYS_POISONED);
	csys_shared_mutex_clear_poison(LOCK);
	csys_shared_mutex_unlock(region, LOCK);
	assert_int_equal(csys_shared_mutex_holder(region, LOCK, &member), 0);
}

static void a_killed_holder_is_taken_over_and_the_next_is_told(void **state)
{
	(void)state;
	in_each_way(try_from_here);
}

static void lock_once(void)
{
	int r = csys_shared_mutex_lock(region, LOCK);
	if (r >= 0)
		csys_shared_mutex_unlock(region, LOCK);
	_exit(r == CSYS_POISONED ? 1 : r == 0 ? 2 : 3);
}

/* Until a process that was started has announced its sleep. */
static void await_waiter(void)
{
	while (!(csysi_load_acquire(&LOCK->word) & 0x80000000u))
		csys_thread_yield();
}

static void kill_before_sleepers(void)
{
	enum { SLEEPERS = 4 };
	pid_t sleepers[SLEEPERS];
	pid_t pid = holder(0);
	for (int i = 0; i < SLEEPERS; i++)
		sleepers[i] = forked(lock_once);
	await_waiter();
	kill_it(pid);
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(code_of(sleepers[i]), 1);
	assert_true(csys_shared_mutex_is_poisoned(LOCK));
	assert_false(csys_shared_mutex_is_locked(region, LOCK));
}

/* Where they are told what a nap ends comes too late. */
static void kill_before_sleepers_that_are_told(void)
{
	int64_t before = csysi_os_token_nap_ns;
	if (region->tokens.way == CSYSI_OS_TOKEN_LIST && has_wakes_of_deaths())
		csysi_os_token_nap_ns = NO_NAP;
	kill_before_sleepers();
	csysi_os_token_nap_ns = before;
}

static void sleepers_get_what_a_killed_holder_had(void **state)
{
	(void)state;
	in_each_way(kill_before_sleepers_that_are_told);
}

static void kill_two_in_a_row(void)
{
	pid_t first = holder(0);
	STEPS->told = CSYS_POISONED;
	STEPS->step = 0;
	pid_t second = forked(lock_and_stay);
	await_waiter();
	pid_t third = forked(lock_once);
	kill_it(first);
	await_step(1);
	kill_it(second);
	assert_int_equal(code_of(third), 1);
}

static void a_second_death_in_a_row_reaches_the_third(void **state)
{
	(void)state;
	in_each_way(kill_two_in_a_row);
}

static void unlock_before_sleepers(void)
{
	enum { SLEEPERS = 4 };
	pid_t sleepers[SLEEPERS];
	assert_int_equal(csys_shared_mutex_lock(region, LOCK), 0);
	for (int i = 0; i < SLEEPERS; i++)
		sleepers[i] = forked(lock_once);
	await_waiter();
	csys_shared_mutex_unlock(region, LOCK);
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(code_of(sleepers[i]), 2);
}

static void an_unlock_lets_the_sleepers_in_one_by_one(void **state)
{
	(void)state;
	if (csys_can(CSYS_CAN_SHARED_WAKE))
		with_nap(NO_NAP, unlock_before_sleepers);
	else
		in_each_way(unlock_before_sleepers);
}

static void execute_with_the_lock(void)
{
	if (csys_shared_mutex_lock(region, LOCK) == 0)
		reach_step(1);
	execl(helper(), helper(), "stay", (char *)NULL);
	_exit(9);
}

static void exec_is_as_death(void)
{
	pid_t pid = forked(execute_with_the_lock);
	await_step(1);
	assert_int_equal(csys_shared_mutex_lock(region, LOCK), CSYS_POISONED);
	csys_shared_mutex_unlock(region, LOCK);
	kill_it(pid);
}

static void a_process_that_becomes_another_program_is_dead(void **state)
{
	(void)state;
	in_each_way(exec_is_as_death);
}

static void add_much(void)
{
	volatile uint32_t *values = (uint32_t *)(void *)(LOCK + 1);
	for (int i = 0; i < 2000; i++) {
		if (csys_shared_mutex_lock(region, LOCK) != 0)
			_exit(1);
		values[0]++;
		values[1]++;
		csys_shared_mutex_unlock(region, LOCK);
	}
}

static void count_together(void)
{
	enum { PROCESSES = 4 };
	const uint32_t *values = (uint32_t *)(void *)(LOCK + 1);
	pid_t pids[PROCESSES];
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = forked(add_much);
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(code_of(pids[i]), 0);
	assert_int_equal(values[0], PROCESSES * 2000);
	assert_int_equal(values[1], PROCESSES * 2000);
}

static void processes_exclude_each_other(void **state)
{
	(void)state;
	in_each_way(count_together);
}

static void fill_region(void)
{
	pid_t pid = holder(0);
	assert_int_equal(csys_shared_mutex_lock(region, LOCK), CSYS_ENOSPC);
	assert_int_equal(csys_shared_mutex_try_lock(region, LOCK), CSYS_ENOSPC);
	assert_int_equal(csysi_ledger_depth(), 0);
	kill_it(pid);
	assert_int_equal(csys_shared_mutex_lock(region, LOCK), CSYS_POISONED);
	csys_shared_mutex_unlock(region, LOCK);
}

static void without_room_for_a_member_nothing_is_locked(void **state)
{
	(void)state;
	csys_region_options options = { .members = 1 };
	in_each_way_with(&options, fill_region);
}

static void any_bits(void)
{
	/* Holders that there are not: dead, or beyond the table. */
	for (uint32_t bits = 1; bits != 0; bits <<= 1) {
		LOCK->word = bits | (bits >> 3) | (bits << 5);
		int r = csys_shared_mutex_lock_until(region, LOCK, csys_after_s(60));
		assert_true(r == 0 || r == CSYS_POISONED);
		csys_shared_mutex_unlock(region, LOCK);
	}
}

static void any_bytes_are_a_mutex_that_can_be_locked(void **state)
{
	(void)state;
	in_each_way(any_bits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(it_is_locked_and_unlocked),
		NAMES_TEST(many_are_held_at_once_beside_other_locks),
		NAMES_TEST(poison_stays_until_it_is_cleared),
		NAMES_TEST(a_panic_releases_and_poisons_what_was_locked_since),
		NAMES_TEST(a_thread_that_ends_poisons_what_it_holds),
		NAMES_TEST(locks_of_several_regions_are_held_at_once),
		NAMES_TEST(unlocking_what_is_not_held_aborts),
		NAMES_TEST(a_forked_child_releases_nothing_of_its_parent),
		NAMES_TEST(a_killed_holder_is_taken_over_and_the_next_is_told),
		NAMES_TEST(sleepers_get_what_a_killed_holder_had),
		NAMES_TEST(a_second_death_in_a_row_reaches_the_third),
		NAMES_TEST(an_unlock_lets_the_sleepers_in_one_by_one),
		NAMES_TEST(a_process_that_becomes_another_program_is_dead),
		NAMES_TEST(processes_exclude_each_other),
		NAMES_TEST(without_room_for_a_member_nothing_is_locked),
		NAMES_TEST(any_bytes_are_a_mutex_that_can_be_locked),
	};
	return RUN(tests);
}
