/*
 * ipc/test_shared_rwlock.c - promises of csys/ipc/shared_rwlock.h.  What the ledger does, and
 * misuse: test_shared_rwlock_ledger.c; what deaths leave: test_shared_rwlock_death.c.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "support/shared_rwlock.h"

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

static void read_nested_without_notes(void)
{
	for (int i = 0; i < 3; i++)
		assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
	/* As if there had been no memory for them. */
	csysi_ledger_forget(LOCK, sizeof *LOCK);
	assert_int_equal(csysi_ledger_depth(), 0);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
	for (int i = 0; i < 4; i++) {
		csys_shared_rwlock_assert_read(region, LOCK);
		assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
		csys_shared_rwlock_unlock_read(region, LOCK);
	}
	assert_free();
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), 0);
	csys_shared_rwlock_unlock_write(region, LOCK);
}

static void reading_is_counted_without_memory_too(void **state)
{
	(void)state;
	in_each_way(read_nested_without_notes);
}

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
	in_each_way_without_naps(NULL, unlock_before_sleepers);
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

/* By another cell than the first. */
static void read_much_beside(void)
{
	if (csys_shared_rwlock_read(region, LOCK + 2) != 0)
		_exit(1);
	read_much();
}

static void change_together(void)
{
	enum { PROCESSES = 6 };
	const uint32_t *values = (uint32_t *)(void *)(LOCK + 1);
	pid_t pids[PROCESSES];
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = forked(i % 2 ? write_much : i % 4 ? read_much_beside : read_much);
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
		NAMES_TEST(reading_is_counted_without_memory_too),
		NAMES_TEST(many_are_read_at_once_some_of_them_alone),
		NAMES_TEST(a_lock_too_far_for_a_key_is_read_alone),
		NAMES_TEST(a_writer_becomes_a_reader),
		NAMES_TEST(poison_stays_until_it_is_cleared),
		NAMES_TEST(locks_of_several_regions_are_held_at_once),
		NAMES_TEST(a_writer_that_waits_keeps_new_readers_out),
		NAMES_TEST(a_reader_reads_again_past_a_writer_that_waits),
		NAMES_TEST(an_unlock_lets_all_sleepers_in),
		NAMES_TEST(writers_exclude_all_others),
		NAMES_TEST(readers_beyond_the_sixty_fourth_place_are_seen),
	};
	return RUN(tests);
}
