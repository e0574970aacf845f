/*
 * ipc/test_shared_rwlock.c - promises of csys/ipc/shared_rwlock.h, but for what deaths leave:
 * test_shared_rwlock_death.c.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "support/shared_rwlock.h"

static void assert_free(void)
{
	assert_int_equal(LOCK->word, 0);
	assert_false(csys_shared_rwlock_is_locked(region, LOCK));
	assert_int_equal(csysi_ledger_depth(), 0);
}

/* ---- without other processes -------------------------------------------------------------- */

static void lock_alone(void)
{
	assert_false(csys_shared_rwlock_is_locked(region, LOCK));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
		assert_true(csys_shared_rwlock_is_locked(region, LOCK));
		assert_false(csys_shared_rwlock_is_write_locked(region, LOCK));
		csys_shared_rwlock_assert_read(region, LOCK);
		assert_int_equal(csysi_ledger_depth(), 1);
		assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
		csys_shared_rwlock_unlock_read(region, LOCK);
		assert_free();
		assert_int_equal(csys_shared_rwlock_write(region, LOCK), 0);
		assert_true(csys_shared_rwlock_is_locked(region, LOCK));
		assert_true(csys_shared_rwlock_is_write_locked(region, LOCK));
		csys_shared_rwlock_assert_write(region, LOCK);
		assert_int_equal(csysi_ledger_depth(), 1);
		assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
		assert_int_equal(csys_shared_rwlock_try_read(region, LOCK), CSYS_EAGAIN);
		csys_shared_rwlock_unlock_write(region, LOCK);
		assert_free();
	}
	assert_int_equal(csys_shared_rwlock_try_read(region, LOCK), 0);
	csys_shared_rwlock_unlock_read(region, LOCK);
	assert_int_equal(csys_shared_rwlock_read_until(region, LOCK, CSYS_POLL), 0);
	csys_shared_rwlock_unlock_read(region, LOCK);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), 0);
	csys_shared_rwlock_unlock_write(region, LOCK);
	assert_int_equal(csys_shared_rwlock_write_until(region, LOCK, CSYS_POLL), 0);
	csys_shared_rwlock_unlock_write(region, LOCK);
	assert_free();
}

static void it_is_locked_and_unlocked(void **state)
{
	(void)state;
	in_each_way(lock_alone);
}

static void wait_alone(void)
{
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
	csys_deadline deadline = csys_after_ms(5);
	assert_int_equal(csys_shared_rwlock_write_until(region, LOCK, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_deadline_left(deadline) <= 0);
	/* One that gave up keeps nobody out. */
	assert_int_equal(LOCK->word, 0);
	csys_shared_rwlock_unlock_read(region, LOCK);
	assert_int_equal(csys_shared_rwlock_write(region, LOCK), 0);
	deadline = csys_after_ms(5);
	assert_int_equal(csys_shared_rwlock_read_until(region, LOCK, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_deadline_left(deadline) <= 0);
	assert_int_equal(csys_shared_rwlock_write_until(region, LOCK, csys_after_ms(5)),
			 CSYS_ETIMEDOUT);
	csys_shared_rwlock_unlock_write(region, LOCK);
	assert_free();
}

static void a_wait_ends_at_its_deadline_and_leaves_nothing(void **state)
{
	(void)state;
	in_each_way(wait_alone);
}

static void read_nested(void)
{
	for (int i = 0; i < 40; i++) {
		assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
		assert_int_equal(csysi_ledger_depth(), i + 1);
	}
	for (int i = 0; i < 40; i++) {
		csys_shared_rwlock_assert_read(region, LOCK);
		assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
		csys_shared_rwlock_unlock_read(region, LOCK);
	}
	assert_free();
	/* A cell before that of a lock becomes free, and has it too. */
	assert_int_equal(csys_shared_rwlock_read(region, LOCK + 1), 0);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
	csys_shared_rwlock_unlock_read(region, LOCK + 1);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
	csys_shared_rwlock_unlock_read(region, LOCK);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
	csys_shared_rwlock_unlock_read(region, LOCK);
	assert_free();
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), 0);
	csys_shared_rwlock_unlock_write(region, LOCK);
}

static void reading_while_reading_is_counted(void **state)
{
	(void)state;
	in_each_way(read_nested);
}

enum { LOCKS = 40 };

static int others_read(int lock)
{
	STEPS->told = (uint32_t)lock;
	return code_of(forked(try_to_read)) == 0;
}

static void read_many(void)
{
	for (int i = 0; i < LOCKS; i++)
		assert_int_equal(csys_shared_rwlock_read(region, LOCK + i), 0);
	assert_int_equal(csysi_ledger_depth(), LOCKS);
	for (int i = 0; i < LOCKS; i++) {
		/* Those that have no cell are this thread's alone. */
		assert_int_equal(others_read(i), i < CSYSI_MEMBER_CELLS);
		csys_shared_rwlock_assert_read(region, LOCK + i);
		assert_true(csys_shared_rwlock_is_locked(region, LOCK + i));
		assert_false(csys_shared_rwlock_is_write_locked(region, LOCK + i));
		assert_int_equal(csys_shared_rwlock_read(region, LOCK + i), 0);
		assert_int_equal(csys_shared_rwlock_try_write(region, LOCK + i), CSYS_EAGAIN);
		csys_shared_rwlock_unlock_read(region, LOCK + i);
		csys_shared_rwlock_assert_read(region, LOCK + i);
	}
	for (int i = 0; i < LOCKS; i++)
		csys_shared_rwlock_unlock_read(region, LOCK + i);
	for (int i = 0; i < LOCKS; i++)
		assert_int_equal(csys_shared_rwlock_write(region, LOCK + i), 0);
	for (int i = 0; i < LOCKS; i++)
		csys_shared_rwlock_unlock_write(region, LOCK + i);
	assert_free();
}

static void many_are_read_at_once_some_of_them_alone(void **state)
{
	(void)state;
	in_each_way(read_many);
}

static void read_without_key(void)
{
	/* Before the data, where there is none for it but on a system of 32 bits. */
	csys_shared_rwlock *lock = (void *)region->entries[40].room;
	assert_int_equal(csys_shared_rwlock_read(region, lock), 0);
	assert_int_equal(csys_shared_rwlock_read(region, lock), 0);
	csys_shared_rwlock_assert_read(region, lock);
	assert_int_equal(csys_shared_rwlock_try_write(region, lock), CSYS_EAGAIN);
	csys_shared_rwlock_unlock_read(region, lock);
	csys_shared_rwlock_unlock_read(region, lock);
	assert_int_equal(csys_shared_rwlock_write(region, lock), 0);
	csys_shared_rwlock_downgrade(region, lock);
	csys_shared_rwlock_assert_read(region, lock);
	csys_shared_rwlock_unlock_read(region, lock);
	assert_int_equal(lock->word, 0);
	memset(lock, 0, sizeof *lock);
}

static void a_lock_too_far_for_a_key_is_read_alone(void **state)
{
	(void)state;
	static _Alignas(8) char base[16];
	const uintptr_t behind = (uintptr_t)CSYSI_SHARED_RWLOCK_KEYS * 8;
	assert_int_equal(csysi_shared_rwlock_distance(base, (void *)base), 0);
	assert_int_equal(csysi_shared_rwlock_distance(base, (void *)(base + 8)), 1);
	if (sizeof behind > 4) {
		uintptr_t at = (uintptr_t)base + behind;
		assert_int_equal(csysi_shared_rwlock_distance(base, (void *)at),
				 CSYSI_SHARED_RWLOCK_KEYS);
		assert_int_equal(csysi_shared_rwlock_distance(base, (void *)((uintptr_t)base - 8)),
				 SIZE_MAX / 8);
	}
	in_each_way(read_without_key);
}

static void downgrade(void)
{
	assert_int_equal(csys_shared_rwlock_write(region, LOCK), 0);
	assert_false(others_read(0));
	csys_shared_rwlock_downgrade(region, LOCK);
	csys_shared_rwlock_assert_read(region, LOCK);
	assert_int_equal(csysi_ledger_depth(), 1);
	assert_true(others_read(0));
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
	csys_shared_rwlock_unlock_read(region, LOCK);
	assert_free();
	/* With no cell to have. */
	for (int i = 1; i <= CSYSI_MEMBER_CELLS; i++)
		assert_int_equal(csys_shared_rwlock_read(region, LOCK + i), 0);
	assert_int_equal(csys_shared_rwlock_write(region, LOCK), 0);
	csys_shared_rwlock_downgrade(region, LOCK);
	csys_shared_rwlock_assert_read(region, LOCK);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
	for (int i = 0; i <= CSYSI_MEMBER_CELLS; i++)
		csys_shared_rwlock_unlock_read(region, LOCK + i);
	assert_free();
}

static void a_writer_becomes_a_reader(void **state)
{
	(void)state;
	in_each_way(downgrade);
}

static void poison_by_hand(void)
{
	csys_shared_rwlock_poison(LOCK);
	assert_true(csys_shared_rwlock_is_poisoned(LOCK));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_shared_rwlock_read(region, LOCK), CSYS_POISONED);
		assert_int_equal(csys_shared_rwlock_read(region, LOCK), CSYS_POISONED);
		csys_shared_rwlock_unlock_read(region, LOCK);
		csys_shared_rwlock_unlock_read(region, LOCK);
		assert_int_equal(csys_shared_rwlock_try_read(region, LOCK), CSYS_POISONED);
		csys_shared_rwlock_unlock_read(region, LOCK);
		assert_int_equal(csys_shared_rwlock_write(region, LOCK), CSYS_POISONED);
		csys_shared_rwlock_unlock_write(region, LOCK);
	}
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_POISONED);
	csys_shared_rwlock_clear_poison(LOCK);
	assert_false(csys_shared_rwlock_is_poisoned(LOCK));
	csys_shared_rwlock_assert_write(region, LOCK);
	csys_shared_rwlock_unlock_write(region, LOCK);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
	csys_shared_rwlock_unlock_read(region, LOCK);
	assert_free();
}

static void poison_stays_until_it_is_cleared(void **state)
{
	(void)state;
	in_each_way(poison_by_hand);
}

/* ---- the ledger ----------------------------------------------------------------------------- */

static void panic_inside(void *unused)
{
	(void)unused;
	assert_int_equal(csys_shared_rwlock_write(region, LOCK), 0);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK + 1), 0);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK + 1), 0);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK + 2), 0);
	assert_int_equal(csys_shared_rwlock_write(region, LOCK + 3), 0);
	csys_shared_rwlock_downgrade(region, LOCK + 3);
	csys_panic("inside");
}

static void catch_a_panic(void)
{
	assert_int_equal(csys_shared_rwlock_read(region, LOCK + 2), 0);
	assert_int_equal(csys_panic_catch(panic_inside, NULL, NULL), CSYS_EPANICKED);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK + 2), CSYS_EAGAIN);
	csys_shared_rwlock_unlock_read(region, LOCK + 2);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_POISONED);
	csys_shared_rwlock_clear_poison(LOCK);
	csys_shared_rwlock_unlock_write(region, LOCK);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(csys_shared_rwlock_try_write(region, LOCK + i), 0);
		csys_shared_rwlock_unlock_write(region, LOCK + i);
	}
	assert_free();
}

static void a_panic_releases_what_was_locked_and_poisons_what_was_written(void **state)
{
	(void)state;
	in_each_way(catch_a_panic);
}

static void panic_in_many(void *unused)
{
	(void)unused;
	for (int i = 0; i < LOCKS; i++) {
		assert_int_equal(csys_shared_rwlock_read(region, LOCK + i), 0);
		assert_int_equal(csys_shared_rwlock_read(region, LOCK + i), 0);
	}
	csys_panic("inside");
}

static void catch_with_many(void)
{
	assert_int_equal(csys_panic_catch(panic_in_many, NULL, NULL), CSYS_EPANICKED);
	for (int i = 0; i < LOCKS; i++) {
		assert_int_equal(csys_shared_rwlock_try_write(region, LOCK + i), 0);
		csys_shared_rwlock_unlock_write(region, LOCK + i);
	}
	assert_free();
}

static void a_panic_releases_what_was_read_alone(void **state)
{
	(void)state;
	in_each_way(catch_with_many);
}

static void *lock_and_end(void *unused)
{
	(void)unused;
	CHECK(csys_shared_rwlock_write(region, LOCK) == 0);
	CHECK(csys_shared_rwlock_read(region, LOCK + 1) == 0);
	CHECK(csys_shared_rwlock_read(region, LOCK + 1) == 0);
	return NULL;
}

static void end_a_thread(void)
{
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, lock_and_end, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(csys_shared_rwlock_try_read(region, LOCK), CSYS_POISONED);
	csys_shared_rwlock_unlock_read(region, LOCK);
	csys_shared_rwlock_clear_poison(LOCK);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK + 1), 0);
	csys_shared_rwlock_unlock_write(region, LOCK + 1);
	assert_free();
}

static void a_thread_that_ends_releases_and_poisons_what_it_wrote(void **state)
{
	(void)state;
	in_each_way(end_a_thread);
}

static void end_in_child_with_its_notes(void)
{
	pthread_exit(NULL);
}

static void fork_with_the_locks(void)
{
	assert_int_equal(csys_shared_rwlock_write(region, LOCK), 0);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK + 1), 0);
	assert_int_equal(code_of(forked(end_in_child_with_its_notes)), 0);
	csys_shared_rwlock_assert_write(region, LOCK);
	csys_shared_rwlock_assert_read(region, LOCK + 1);
	csys_shared_rwlock_unlock_write(region, LOCK);
	csys_shared_rwlock_unlock_read(region, LOCK + 1);
	assert_false(csys_shared_rwlock_is_poisoned(LOCK));
	assert_free();
}

static void a_forked_child_releases_nothing_of_its_parent(void **state)
{
	(void)state;
	if (WITH_TSAN || WITH_ASAN || under_valgrind())
		skip_because("this tool knows no end of the first thread");
	in_each_way(fork_with_the_locks);
}

static csys_region *other_region;

static void use_two_regions(void)
{
	assert_int_equal(csys_region_create_anonymous(100, NULL, &other_region), 0);
	csys_shared_rwlock *other = csys_region_data(other_region);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
		assert_int_equal(csys_shared_rwlock_read(other_region, other), 0);
		csys_shared_rwlock_unlock_read(region, LOCK);
		csys_shared_rwlock_unlock_read(other_region, other);
		assert_int_equal(csys_shared_rwlock_write(region, LOCK), 0);
		assert_int_equal(csys_shared_rwlock_write(other_region, other), 0);
		csys_shared_rwlock_unlock_write(region, LOCK);
		csys_shared_rwlock_unlock_write(other_region, other);
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

static void unlock_read(void)
{
	csys_shared_rwlock_unlock_read(region, LOCK);
}

static void unlock_write(void)
{
	csys_shared_rwlock_unlock_write(region, LOCK);
}

static void downgrade_it(void)
{
	csys_shared_rwlock_downgrade(region, LOCK);
}

static void assert_read(void)
{
	csys_shared_rwlock_assert_read(region, LOCK);
}

static void assert_write(void)
{
	csys_shared_rwlock_assert_write(region, LOCK);
}

static void abort_all(void)
{
	assert_aborts(unlock_read, "unlock of a shared rwlock that this thread does not read");
	assert_aborts(unlock_write, "unlock of a shared rwlock that this thread does not write");
	assert_aborts(downgrade_it, "downgrade of a shared rwlock that this thread does not write");
	assert_aborts(assert_read, "a shared rwlock is not read that should be");
	assert_aborts(assert_write, "a shared rwlock is not written that should be");
}

static void misuse(void)
{
	abort_all();
	/* In forked children, with what was noted of their parent. */
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
	abort_all();
	csys_shared_rwlock_unlock_read(region, LOCK);
	assert_int_equal(csys_shared_rwlock_write(region, LOCK), 0);
	abort_all();
	csys_shared_rwlock_unlock_write(region, LOCK);
	assert_free();
}

static void unlocking_what_is_not_held_aborts(void **state)
{
	(void)state;
	in_each_way(misuse);
}

static void unlock_otherwise(void)
{
	int r = csys_shared_rwlock_read(region, LOCK);
	if (r == 0)
		csys_shared_rwlock_unlock_write(region, LOCK);
}

static void unlock_otherwise_too(void)
{
	int r = csys_shared_rwlock_write(region, LOCK);
	if (r == 0)
		csys_shared_rwlock_unlock_read(region, LOCK);
}

static void misuse_the_way(void)
{
	assert_aborts(unlock_otherwise,
		      "unlock of a shared rwlock that this thread does not write");
	assert_aborts(unlock_otherwise_too,
		      "unlock of a shared rwlock that this thread does not read");
}

static void unlocking_in_the_other_way_aborts(void **state)
{
	(void)state;
	in_each_way(misuse_the_way);
}

/* ---- between processes ---------------------------------------------------------------------- */

static void wait_for_writer(void)
{
	pid_t reader = holder(read_and_stay, 0);
	pid_t writer = forked(write_once);
	await_writer(0);
	csys_region_member member = { 0 };
	assert_int_equal(csys_shared_rwlock_holder(region, LOCK, &member), 1);
	assert_int_equal(member.pid, writer);
	assert_true(member.is_alive);
	assert_int_equal(csys_shared_rwlock_try_read(region, LOCK), CSYS_EAGAIN);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
	assert_int_equal(csys_shared_rwlock_read_until(region, LOCK, csys_after_ms(5)),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_shared_rwlock_is_write_locked(region, LOCK), 0);
	/* One that stands still is not dead. */
	kill(reader, SIGSTOP);
	assert_int_equal(csys_shared_rwlock_write_until(region, LOCK, csys_after_ms(5)),
			 CSYS_ETIMEDOUT);
	assert_false(csys_shared_rwlock_is_write_locked(region, LOCK));
	kill_it(reader);
	assert_int_equal(code_of(writer), 2);
	assert_int_equal(csys_shared_rwlock_holder(region, LOCK, &member), 0);
	assert_free();
}

static void a_writer_that_waits_keeps_new_readers_out(void **state)
{
	(void)state;
	in_each_way(wait_for_writer);
}

static void read_nested_before_writer(void)
{
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
	pid_t writer = forked(write_once);
	await_writer(0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
	assert_int_equal(csys_shared_rwlock_try_read(region, LOCK), 0);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(LOCK->word & CSYSI_ID, LOCK->word & ~0x80000000u);
		csys_shared_rwlock_assert_read(region, LOCK);
		csys_shared_rwlock_unlock_read(region, LOCK);
	}
	assert_int_equal(code_of(writer), 2);
	assert_free();
}

static void a_reader_reads_again_past_a_writer_that_waits(void **state)
{
	(void)state;
	in_each_way(read_nested_before_writer);
}

static void unlock_before_sleepers(void)
{
	enum { SLEEPERS = 4 };
	pid_t sleepers[SLEEPERS];
	assert_int_equal(csys_shared_rwlock_write(region, LOCK), 0);
	for (int i = 0; i < SLEEPERS; i++)
		sleepers[i] = forked(i % 2 ? write_once : read_once);
	await_waiter();
	csys_shared_rwlock_unlock_write(region, LOCK);
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(code_of(sleepers[i]), 2);
	assert_free();
}

static void an_unlock_lets_all_sleepers_in(void **state)
{
	(void)state;
	in_each_way_without_naps(unlock_before_sleepers);
}

enum { ROUNDS = 2000 };

static void write_much(void)
{
	volatile uint32_t *values = (uint32_t *)(void *)(LOCK + 1);
	for (int i = 0; i < ROUNDS; i++) {
		if (csys_shared_rwlock_write(region, LOCK) != 0)
			_exit(1);
		values[0]++;
		values[1]++;
		if (i % 4 == 0) {
			csys_shared_rwlock_downgrade(region, LOCK);
			if (values[0] != values[1])
				_exit(3);
			csys_shared_rwlock_unlock_read(region, LOCK);
		} else {
			csys_shared_rwlock_unlock_write(region, LOCK);
		}
	}
}

static void read_much(void)
{
	volatile uint32_t *values = (uint32_t *)(void *)(LOCK + 1);
	for (int i = 0; i < ROUNDS; i++) {
		if (csys_shared_rwlock_read(region, LOCK) != 0)
			_exit(1);
		uint32_t first = values[0];
		if (i % 64 == 0)
			csys_thread_yield(); /* a writer tries meanwhile */
		if (first != values[1])
			_exit(2);
		csys_shared_rwlock_unlock_read(region, LOCK);
	}
}

static void change_together(void)
{
	enum { PROCESSES = 6 };
	const uint32_t *values = (uint32_t *)(void *)(LOCK + 1);
	pid_t pids[PROCESSES];
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = forked(i % 2 ? write_much : read_much);
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(code_of(pids[i]), 0);
	assert_int_equal(values[0], PROCESSES / 2 * ROUNDS);
	assert_int_equal(values[1], PROCESSES / 2 * ROUNDS);
	assert_free();
}

static void writers_exclude_all_others(void **state)
{
	(void)state;
	in_each_way(change_together);
}

static void read_far(void)
{
	/* Each attach has the next place. */
	for (int i = 0; i < 66; i++) {
		assert_int_equal(csys_region_attach(region), 0);
		csys_region_detach(region);
	}
	pid_t reader = holder(read_and_stay, 0);
	for (int i = 0; i < 70; i++) {
		assert_int_equal(csys_region_attach(region), 0);
		csys_region_detach(region);
	}
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
	assert_true(csys_shared_rwlock_is_locked(region, LOCK));
	kill_it(reader);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), 0);
	csys_shared_rwlock_unlock_write(region, LOCK);
	assert_free();
}

static void readers_beyond_the_sixty_fourth_place_are_seen(void **state)
{
	(void)state;
	csys_region_options options = { .members = 150 };
	in_each_way_with(&options, read_far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(it_is_locked_and_unlocked),
		NAMES_TEST(a_wait_ends_at_its_deadline_and_leaves_nothing),
		NAMES_TEST(reading_while_reading_is_counted),
		NAMES_TEST(many_are_read_at_once_some_of_them_alone),
		NAMES_TEST(a_lock_too_far_for_a_key_is_read_alone),
		NAMES_TEST(a_writer_becomes_a_reader),
		NAMES_TEST(poison_stays_until_it_is_cleared),
		NAMES_TEST(a_panic_releases_what_was_locked_and_poisons_what_was_written),
		NAMES_TEST(a_panic_releases_what_was_read_alone),
		NAMES_TEST(a_thread_that_ends_releases_and_poisons_what_it_wrote),
		NAMES_TEST(a_forked_child_releases_nothing_of_its_parent),
		NAMES_TEST(locks_of_several_regions_are_held_at_once),
		NAMES_TEST(unlocking_what_is_not_held_aborts),
		NAMES_TEST(unlocking_in_the_other_way_aborts),
		NAMES_TEST(a_writer_that_waits_keeps_new_readers_out),
		NAMES_TEST(a_reader_reads_again_past_a_writer_that_waits),
		NAMES_TEST(an_unlock_lets_all_sleepers_in),
		NAMES_TEST(writers_exclude_all_others),
		NAMES_TEST(readers_beyond_the_sixty_fourth_place_are_seen),
	};
	return RUN(tests);
}
