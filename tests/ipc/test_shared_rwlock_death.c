/*
 * ipc/test_shared_rwlock_death.c - promises of csys/ipc/shared_rwlock.h about the dead.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "support/shared_rwlock.h"

static void assert_writable(int result)
{
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), result);
	csys_shared_rwlock_unlock_write(region, LOCK);
	assert_int_equal(LOCK->word, 0);
	assert_int_equal(csysi_ledger_depth(), 0);
}

/* ---- readers --------------------------------------------------------------------------------- */

static void kill_readers(void)
{
	enum { READERS = 3 };
	pid_t readers[READERS];
	for (int i = 0; i < READERS; i++)
		readers[i] = holder(read_and_stay, 0);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
	for (int i = 0; i < READERS; i++) {
		assert_true(csys_shared_rwlock_is_locked(region, LOCK));
		kill_it(readers[i]);
	}
	assert_false(csys_shared_rwlock_is_locked(region, LOCK));
	assert_writable(0);
}

static void a_killed_reader_is_none_any_more(void **state)
{
	(void)state;
	in_each_way(kill_readers);
}

/* Until a writer sleeps on the cell of a reader. */
static void await_sleep_on_cell(void)
{
	for (uint32_t place = 0;; place = (place + 1) % region->members) {
		if (csysi_load_acquire(&region->entries[place].cells[0]) & WAITED)
			break;
		csys_thread_yield();
	}
}

static void kill_reader_before_writer(void)
{
	pid_t reader = holder(read_and_stay, 0);
	pid_t writer = forked(write_once);
	await_sleep_on_cell();
	kill_it(reader);
	assert_int_equal(code_of(writer), 2);
	assert_writable(0);
}

static void a_writer_that_sleeps_does_not_wait_for_a_killed_reader(void **state)
{
	(void)state;
	in_each_way(kill_reader_before_writer);
}

static void unlock_before_writer(void)
{
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
	pid_t writer = forked(write_once);
	await_sleep_on_cell();
	csys_shared_rwlock_unlock_read(region, LOCK);
	assert_int_equal(code_of(writer), 2);
	assert_writable(0);
}

static void the_last_reader_wakes_the_writer(void **state)
{
	(void)state;
	in_each_way_without_naps(NULL, unlock_before_writer);
}

static void attach_and_stay(void)
{
	if (csys_region_attach(region) == 0)
		reach_step(1);
	stay();
}

static void kill_one_and_come_in_its_place(void)
{
	/* Of two places the reader's is the one that is free, as soon as it is dead. */
	assert_int_equal(csys_region_attach(region), 0);
	pid_t first = holder(read_and_stay, 0);
	kill_it(first);
	/* A writer skips what it read, and leaves it: by now the place may be another's. */
	uint32_t *cell = region->entries[0].cells;
	for (uint32_t place = 1; *cell != KEY && place < region->members; place++)
		cell = region->entries[place].cells;
	assert_int_equal(*cell, KEY);
	assert_writable(0);
	assert_int_equal(*cell, KEY);
	/* The next member there does not read. */
	pid_t next = holder(attach_and_stay, 0);
	assert_writable(0);
	kill_it(next);
	pid_t second = holder(read_and_stay, 0);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
	kill_it(second);
	/* One that reads another lock there is no reader of this one. */
	memcpy(LOCK + 1, LOCK, sizeof *LOCK);
	STEPS->told = 1;
	assert_int_equal(code_of(forked(try_to_read)), 0);
	assert_writable(0);
}

static void a_place_of_a_killed_reader_is_used_anew(void **state)
{
	(void)state;
	csys_region_options options = { .members = 2 };
	in_each_way_with(&options, kill_one_and_come_in_its_place);
}

static void attach_before_writer(void)
{
	pid_t reader = holder(read_and_stay, 0);
	pid_t writer = forked(write_once);
	await_sleep_on_cell();
	/* The next owner may be there before the writer looks. */
	kill_it(reader);
	pid_t next = holder(attach_and_stay, 0);
	assert_int_equal(code_of(writer), 2);
	kill_it(next);
	assert_writable(0);
}

static void the_next_member_at_its_place_lets_a_writer_go_on(void **state)
{
	(void)state;
	csys_region_options options = { .members = 2 };
	in_each_way_without_naps(&options, attach_before_writer);
}

/* ---- writers -------------------------------------------------------------------------------- */

static void kill_writer(void)
{
	for (int i = 0; i < 2; i++) {
		pid_t pid = holder(write_and_stay, 0);
		csys_region_member member = { 0 };
		assert_int_equal(csys_shared_rwlock_try_read(region, LOCK), CSYS_EAGAIN);
		assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
		kill(pid, SIGSTOP);
		assert_int_equal(csys_shared_rwlock_read_until(region, LOCK, csys_after_ms(5)),
				 CSYS_ETIMEDOUT);
		assert_true(csys_shared_rwlock_is_write_locked(region, LOCK));
		kill_it(pid);
		assert_false(csys_shared_rwlock_is_locked(region, LOCK));
		assert_int_equal(csys_shared_rwlock_holder(region, LOCK, &member), 1);
		assert_int_equal(member.pid, pid);
		assert_false(member.is_alive);
		assert_false(csys_shared_rwlock_is_poisoned(LOCK));
		if (i == 0) {
			assert_int_equal(csys_shared_rwlock_try_read(region, LOCK), CSYS_POISONED);
			csys_shared_rwlock_unlock_read(region, LOCK);
		}
		assert_writable(CSYS_POISONED);
		assert_true(csys_shared_rwlock_is_poisoned(LOCK));
		csys_shared_rwlock_clear_poison(LOCK);
		assert_writable(0);
	}
}

static void a_killed_writer_poisons(void **state)
{
	(void)state;
	in_each_way(kill_writer);
}

static void kill_before_sleepers(void)
{
	enum { SLEEPERS = 4 };
	pid_t sleepers[SLEEPERS];
	pid_t pid = holder(write_and_stay, 0);
	for (int i = 0; i < SLEEPERS; i++)
		sleepers[i] = forked(i % 2 ? write_once : read_once);
	await_waiter();
	kill_it(pid);
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(code_of(sleepers[i]), 1);
	assert_writable(CSYS_POISONED);
}

static void sleepers_get_what_a_killed_writer_had(void **state)
{
	(void)state;
	in_each_way(kill_before_sleepers);
}

static void kill_writer_that_waits(void)
{
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
	pid_t writer = forked(write_once);
	await_writer(0);
	pid_t reader = forked(read_once);
	await_waiter();
	kill_it(writer);
	assert_int_equal(code_of(reader), 2); /* beside this one */
	csys_shared_rwlock_unlock_read(region, LOCK);
	assert_writable(0);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), 0);
	writer = forked(write_once);
	await_writer(0);
	kill_it(writer);
	csys_shared_rwlock_unlock_read(region, LOCK);
	assert_writable(0);
}

static void a_writer_that_is_killed_while_it_waits_does_not_poison(void **state)
{
	(void)state;
	in_each_way(kill_writer_that_waits);
}

static void pretend_to_read(void)
{
	uint32_t id;
	if (csysi_region_id_until(region, CSYS_FOREVER, &id) == 0) {
		region->entries[id & CSYSI_ID_PLACE].cells[3] = KEY;
		LOCK->seen = UINT64_MAX;
		reach_step(1);
	}
	stay();
}

static void kill_two_in_a_row(void)
{
	pid_t first = holder(write_and_stay, 0);
	uint32_t first_id = LOCK->word & CSYSI_ID;
	kill_it(first);
	/* The second is killed after it has the place of the first; here while it waits for a
	 * reader, that it does not go on. */
	pid_t reader = holder(pretend_to_read, 0);
	pid_t second = forked(write_once);
	await_writer(first_id);
	kill_it(second);
	kill_it(reader);
	LOCK->marks = 0; /* as if it had been before it could poison */
	assert_int_equal(LOCK->word & HELD, HELD);
	assert_writable(CSYS_POISONED);
}

static void a_second_death_in_a_row_still_poisons(void **state)
{
	(void)state;
	in_each_way(kill_two_in_a_row);
}

static void kill_two_before_third(void)
{
	pid_t first = holder(write_and_stay, 0);
	STEPS->told = CSYS_POISONED;
	STEPS->step = 0;
	pid_t second = forked(write_and_stay);
	await_waiter();
	kill_it(first);
	await_step(1);
	pid_t third = forked(write_once);
	pid_t reader = forked(read_once);
	await_waiter();
	kill_it(second);
	assert_int_equal(code_of(third), 1);
	assert_int_equal(code_of(reader), 1);
}

static void a_second_death_in_a_row_reaches_the_third(void **state)
{
	(void)state;
	in_each_way(kill_two_before_third);
}

static void downgrade_and_stay(void)
{
	if (csys_shared_rwlock_write(region, LOCK) == 0) {
		csys_shared_rwlock_downgrade(region, LOCK);
		reach_step(1);
	}
	stay();
}

static void kill_downgraded(void)
{
	pid_t pid = holder(downgrade_and_stay, 0);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
	kill_it(pid);
	assert_writable(0);
}

static void one_that_is_killed_after_a_downgrade_does_not_poison(void **state)
{
	(void)state;
	in_each_way(kill_downgraded);
}

static void read_alone_and_stay(void)
{
	int is = 1;
	for (int i = CSYSI_MEMBER_CELLS; i >= 0; i--)
		is = is && csys_shared_rwlock_read(region, LOCK + i) == 0;
	if (is)
		reach_step(1);
	stay();
}

static void kill_reader_alone(void)
{
	pid_t pid = holder(read_alone_and_stay, 0);
	assert_int_equal(csys_shared_rwlock_try_read(region, LOCK), CSYS_EAGAIN);
	assert_int_equal(csys_shared_rwlock_try_read(region, LOCK + 1), 0);
	csys_shared_rwlock_unlock_read(region, LOCK + 1);
	kill_it(pid);
	assert_int_equal(csys_shared_rwlock_try_read(region, LOCK), 0);
	csys_shared_rwlock_unlock_read(region, LOCK);
	assert_writable(0);
}

static void one_that_is_killed_while_it_reads_alone_does_not_poison(void **state)
{
	(void)state;
	in_each_way(kill_reader_alone);
}

static void read_alone_what_a_dead_writer_had(void)
{
	pid_t writer = holder(write_and_stay, 0);
	for (int i = 1; i <= CSYSI_MEMBER_CELLS; i++)
		assert_int_equal(csys_shared_rwlock_read(region, LOCK + i), 0);
	kill_it(writer);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), CSYS_POISONED);
	csys_shared_rwlock_assert_read(region, LOCK);
	assert_true(csys_shared_rwlock_is_locked(region, LOCK));
	assert_false(csys_shared_rwlock_is_write_locked(region, LOCK));
	csys_shared_rwlock_unlock_read(region, LOCK);
	for (int i = 1; i <= CSYSI_MEMBER_CELLS; i++)
		csys_shared_rwlock_unlock_read(region, LOCK + i);
	assert_free();
	assert_writable(CSYS_POISONED);
}

static void a_reader_without_a_cell_does_not_write_what_a_dead_writer_had(void **state)
{
	(void)state;
	in_each_way(read_alone_what_a_dead_writer_had);
}

static void execute_with_the_lock(void)
{
	if (csys_shared_rwlock_write(region, LOCK) == 0)
		reach_step(1);
	execl(helper(), helper(), "stay", (char *)NULL);
	_exit(9);
}

static void exec_is_as_death(void)
{
	pid_t pid = holder(execute_with_the_lock, 0);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), CSYS_POISONED);
	csys_shared_rwlock_unlock_read(region, LOCK);
	kill_it(pid);
}

static void a_process_that_becomes_another_program_is_dead(void **state)
{
	(void)state;
	in_each_way(exec_is_as_death);
}

/* ---- limits and any bytes -------------------------------------------------------------------- */

static void fill_region(void)
{
	pid_t pid = holder(write_and_stay, 0);
	assert_int_equal(csys_shared_rwlock_read(region, LOCK), CSYS_ENOSPC);
	assert_int_equal(csys_shared_rwlock_try_read(region, LOCK), CSYS_ENOSPC);
	assert_int_equal(csys_shared_rwlock_write(region, LOCK), CSYS_ENOSPC);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_ENOSPC);
	assert_int_equal(csysi_ledger_depth(), 0);
	kill_it(pid);
	assert_writable(CSYS_POISONED);
}

static void without_room_for_a_member_nothing_is_locked(void **state)
{
	(void)state;
	csys_region_options options = { .members = 1 };
	in_each_way_with(&options, fill_region);
}

static void lock_with_any_bits(void)
{
	int r = csys_shared_rwlock_read_until(region, LOCK, csys_after_s(60));
	assert_true(r == 0 || r == CSYS_POISONED);
	csys_shared_rwlock_unlock_read(region, LOCK);
	r = csys_shared_rwlock_write_until(region, LOCK, csys_after_s(60));
	assert_true(r == 0 || r == CSYS_POISONED);
	csys_shared_rwlock_unlock_write(region, LOCK);
}

static void any_bits(void)
{
	uint32_t id;
	assert_int_equal(csysi_region_id_until(region, CSYS_FOREVER, &id), 0);
	uint32_t *cells = region->entries[id & CSYSI_ID_PLACE].cells;
	/* Writers that there are not: dead, or beyond the table. */
	for (uint32_t bits = 1; bits != 0; bits <<= 1) {
		uint32_t any = bits | (bits >> 3) | (bits << 5);
		LOCK->word = LOCK->marks = LOCK->nested = LOCK->reserved = any;
		LOCK->seen = (uint64_t)any << 32 | any;
		lock_with_any_bits();
		LOCK->word = any;
		assert_true(csys_shared_rwlock_write(region, LOCK) >= 0);
		csys_shared_rwlock_unlock_write(region, LOCK);
		/* Cells of this member, which then has none, or one too many. */
		memset(cells, 0, sizeof region->entries->cells);
		for (int i = 1; i < CSYSI_MEMBER_CELLS; i++)
			cells[i] = any & ~3u;
		LOCK->word = any;
		if (KEY != (any & ~3u & ~WAITED & ~HELD))
			lock_with_any_bits();
		memset(cells, 0, sizeof region->entries->cells);
	}
	assert_int_equal(csysi_ledger_depth(), 0);
}

static void any_bytes_are_a_rwlock_that_can_be_locked(void **state)
{
	(void)state;
	in_each_way(any_bits);
}

static void cells_of_others(void)
{
	pid_t pid = holder(pretend_to_read, 0);
	assert_int_equal(csys_shared_rwlock_try_write(region, LOCK), CSYS_EAGAIN);
	csys_deadline deadline = csys_after_ms(5);
	assert_int_equal(csys_shared_rwlock_write_until(region, LOCK, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_deadline_left(deadline) <= 0);
	assert_int_equal(LOCK->word, 0);
	kill_it(pid);
	assert_writable(0);
}

static void what_never_goes_from_a_cell_is_waited_for_until_the_deadline(void **state)
{
	(void)state;
	in_each_way(cells_of_others);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_killed_reader_is_none_any_more),
		NAMES_TEST(a_writer_that_sleeps_does_not_wait_for_a_killed_reader),
		NAMES_TEST(the_last_reader_wakes_the_writer),
		NAMES_TEST(a_place_of_a_killed_reader_is_used_anew),
		NAMES_TEST(the_next_member_at_its_place_lets_a_writer_go_on),
		NAMES_TEST(a_killed_writer_poisons),
		NAMES_TEST(sleepers_get_what_a_killed_writer_had),
		NAMES_TEST(a_writer_that_is_killed_while_it_waits_does_not_poison),
		NAMES_TEST(a_second_death_in_a_row_still_poisons),
		NAMES_TEST(a_second_death_in_a_row_reaches_the_third),
		NAMES_TEST(one_that_is_killed_after_a_downgrade_does_not_poison),
		NAMES_TEST(one_that_is_killed_while_it_reads_alone_does_not_poison),
		NAMES_TEST(a_reader_without_a_cell_does_not_write_what_a_dead_writer_had),
		NAMES_TEST(a_process_that_becomes_another_program_is_dead),
		NAMES_TEST(without_room_for_a_member_nothing_is_locked),
		NAMES_TEST(any_bytes_are_a_rwlock_that_can_be_locked),
		NAMES_TEST(what_never_goes_from_a_cell_is_waited_for_until_the_deadline),
	};
	return RUN(tests);
}
