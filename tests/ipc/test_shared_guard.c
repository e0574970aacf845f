/*
 * ipc/test_shared_guard.c - promises of csys/ipc/shared_guard.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/region.h"
#include "support/thread.h"
#include "sync/ledger.h"

struct objects {
	csys_shared_mutex mutex;
	csys_shared_rwlock rwlock;
};
#define MUTEX (&((struct objects *)OBJECTS)->mutex)
#define RWLOCK (&((struct objects *)OBJECTS)->rwlock)

static int is_free(void)
{
	return !csys_shared_mutex_is_locked(region, MUTEX) &&
	       !csys_shared_rwlock_is_locked(region, RWLOCK) && csysi_ledger_depth() == 0;
}

/* ---- one thread -------------------------------------------------------------------------- */

static int return_inside(int value)
{
	CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
	if (value > 0)
		return is_free() ? -1 : value; /* evaluated while it is held */
	return 0;
}

static void leave_blocks(void)
{
	{
		CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
		assert_int_equal(held.result, 0);
		csys_shared_mutex_assert_held(region, MUTEX);
	}
	assert_true(is_free());
	assert_int_equal(return_inside(3), 3);
	assert_true(is_free());
	assert_int_equal(return_inside(0), 0);
	assert_true(is_free());
	int rounds = 0;
	for (int i = 0; i < 5; i++) {
		assert_true(is_free());
		CSYS_SHARED_RWLOCK_WRITE_GUARD(held, region, RWLOCK);
		assert_int_equal(held.result, 0);
		csys_shared_rwlock_assert_write(region, RWLOCK);
		rounds++;
		if (i == 1)
			continue;
		if (i == 2)
			break;
	}
	assert_int_equal(rounds, 3);
	assert_true(is_free());
	{
		CSYS_SHARED_RWLOCK_READ_GUARD(held, region, RWLOCK);
		assert_int_equal(held.result, 0);
		csys_shared_rwlock_assert_read(region, RWLOCK);
		assert_false(csys_shared_rwlock_is_write_locked(region, RWLOCK));
		goto out;
	}
out:
	assert_true(is_free());
}

static void a_guard_holds_to_the_end_of_its_block_however_that_is_left(void **state)
{
	(void)state;
	in_each_way(leave_blocks);
}

static int looks, asks;

static csys_shared_mutex *look(void)
{
	looks++;
	return MUTEX;
}

static csys_region *ask(void)
{
	asks++;
	return region;
}

static void evaluate(void)
{
	looks = asks = 0;
	{
		CSYS_SHARED_MUTEX_GUARD(held, ask(), look());
		CSYS_SHARED_MUTEX_TRY_GUARD(none, ask(), look());
		assert_int_equal(looks, 2);
		csys_shared_mutex_assert_held(region, MUTEX);
		CSYS_SHARED_GUARD_UNLOCK(held);
		assert_int_equal(CSYS_SHARED_GUARD_RELOCK(held), 0);
	}
	assert_int_equal(looks, 2);
	assert_int_equal(asks, 2);
	assert_true(is_free());
}

static void its_arguments_are_evaluated_once(void **state)
{
	(void)state;
	in_each_way(evaluate);
}

static void try_guards(void)
{
	{
		CSYS_SHARED_MUTEX_TRY_GUARD(held, region, MUTEX);
		CSYS_SHARED_MUTEX_TRY_GUARD(none, region, MUTEX);
		assert_int_equal(held.result, 0);
		assert_int_equal(none.result, CSYS_EAGAIN);
		csys_shared_mutex_assert_held(region, MUTEX);
	}
	assert_true(is_free());
	{
		CSYS_SHARED_RWLOCK_TRY_READ_GUARD(held, region, RWLOCK);
		CSYS_SHARED_RWLOCK_TRY_READ_GUARD(also, region, RWLOCK);
		CSYS_SHARED_RWLOCK_TRY_WRITE_GUARD(none, region, RWLOCK);
		assert_int_equal(held.result | also.result, 0);
		assert_int_equal(none.result, CSYS_EAGAIN);
		csys_shared_rwlock_assert_read(region, RWLOCK);
	}
	assert_true(is_free());
	{
		CSYS_SHARED_RWLOCK_TRY_WRITE_GUARD(held, region, RWLOCK);
		CSYS_SHARED_RWLOCK_TRY_READ_GUARD(none, region, RWLOCK);
		assert_int_equal(held.result, 0);
		assert_int_equal(none.result, CSYS_EAGAIN);
		csys_shared_rwlock_assert_write(region, RWLOCK);
	}
	assert_true(is_free());
}

static void a_guard_that_tries_holds_what_it_got_and_nothing_else(void **state)
{
	(void)state;
	in_each_way(try_guards);
}

static void guard_until(void)
{
	{
		CSYS_SHARED_MUTEX_GUARD_UNTIL(held, region, MUTEX, CSYS_POLL);
		CSYS_SHARED_MUTEX_GUARD_UNTIL(none, region, MUTEX, csys_after_ms(1));
		assert_int_equal(held.result, 0);
		assert_int_equal(none.result, CSYS_ETIMEDOUT);
		csys_shared_mutex_assert_held(region, MUTEX);
	}
	MUTEX->word = 0; /* a waiter that gave up may have left its mark */
	assert_true(is_free());
	{
		CSYS_SHARED_RWLOCK_READ_GUARD_UNTIL(held, region, RWLOCK, CSYS_POLL);
		CSYS_SHARED_RWLOCK_WRITE_GUARD_UNTIL(none, region, RWLOCK, csys_after_ms(1));
		assert_int_equal(held.result, 0);
		assert_int_equal(none.result, CSYS_ETIMEDOUT);
		csys_shared_rwlock_assert_read(region, RWLOCK);
	}
	assert_true(is_free());
	{
		CSYS_SHARED_RWLOCK_WRITE_GUARD_UNTIL(held, region, RWLOCK, CSYS_POLL);
		CSYS_SHARED_RWLOCK_READ_GUARD_UNTIL(none, region, RWLOCK, csys_after_ms(1));
		assert_int_equal(held.result, 0);
		assert_int_equal(none.result, CSYS_ETIMEDOUT);
		csys_shared_rwlock_assert_write(region, RWLOCK);
	}
	assert_true(is_free());
}

static void a_guard_with_a_deadline_holds_what_it_got_by_then(void **state)
{
	(void)state;
	in_each_way(guard_until);
}

#define WAITED 0x80000000u

/* Hold each until another process waits for it. */
static void hold_for_a_while(void)
{
	{
		CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
		reach_step(1);
		while (!(csysi_load_relaxed(&MUTEX->word) & WAITED))
			csysi_os_nap(csys_after_us(100));
	}
	for (uint32_t step = 2; step <= 3; step++) {
		CSYS_SHARED_RWLOCK_WRITE_GUARD(held, region, RWLOCK);
		reach_step(step);
		while (!(csysi_load_relaxed(&RWLOCK->word) & WAITED))
			csysi_os_nap(csys_after_us(100));
	}
}

static void guard_after_a_while(void)
{
	pid_t pid = forked(hold_for_a_while);
	await_step(1);
	{
		CSYS_SHARED_MUTEX_GUARD_UNTIL(held, region, MUTEX, csys_after_s(60));
		assert_int_equal(held.result, 0);
	}
	await_step(2);
	{
		CSYS_SHARED_RWLOCK_READ_GUARD_UNTIL(read, region, RWLOCK, csys_after_s(60));
		assert_int_equal(read.result, 0);
	}
	await_step(3);
	CSYS_SHARED_RWLOCK_WRITE_GUARD_UNTIL(written, region, RWLOCK, csys_after_s(60));
	assert_int_equal(written.result, 0);
	assert_int_equal(code_of(pid), 0);
}

static void until_a_deadline_a_guard_waits(void **state)
{
	(void)state;
	in_each_way(guard_after_a_while);
}

static void unlock_early(void)
{
	{
		CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
		CSYS_SHARED_GUARD_UNLOCK(held);
		assert_true(is_free());
		assert_int_equal(CSYS_SHARED_GUARD_RELOCK(held), 0);
		csys_shared_mutex_assert_held(region, MUTEX);
		csys_shared_mutex_poison(MUTEX);
		CSYS_SHARED_GUARD_UNLOCK(held);
		assert_int_equal(CSYS_SHARED_GUARD_RELOCK(held), CSYS_POISONED);
		csys_shared_mutex_assert_held(region, MUTEX);
		assert_int_equal(held.result, 0); /* as at first */
		csys_shared_mutex_clear_poison(MUTEX);
	}
	assert_true(is_free());
	{
		CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
		CSYS_SHARED_GUARD_UNLOCK(held);
		/* Not the guard's: the end of the block leaves it. */
		assert_int_equal(csys_shared_mutex_lock(region, MUTEX), 0);
	}
	csys_shared_mutex_assert_held(region, MUTEX);
	csys_shared_mutex_unlock(region, MUTEX);
	{
		assert_int_equal(csys_shared_mutex_lock(region, MUTEX), 0);
		CSYS_SHARED_MUTEX_TRY_GUARD(held, region, MUTEX);
		csys_shared_mutex_unlock(region, MUTEX);
		assert_int_equal(held.result, CSYS_EAGAIN);
		assert_int_equal(CSYS_SHARED_GUARD_RELOCK(held), 0);
		CSYS_SHARED_RWLOCK_READ_GUARD(read, region, RWLOCK);
		CSYS_SHARED_GUARD_UNLOCK(read);
		CSYS_SHARED_RWLOCK_WRITE_GUARD(written, region, RWLOCK);
		CSYS_SHARED_GUARD_UNLOCK(written);
		assert_int_equal(CSYS_SHARED_GUARD_RELOCK(read), 0);
		csys_shared_rwlock_assert_read(region, RWLOCK);
		assert_false(csys_shared_rwlock_is_write_locked(region, RWLOCK));
		CSYS_SHARED_GUARD_UNLOCK(read);
		assert_int_equal(CSYS_SHARED_GUARD_RELOCK(written), 0);
		csys_shared_rwlock_assert_write(region, RWLOCK);
	}
	assert_true(is_free());
}

static void a_guard_can_be_unlocked_early_and_locked_again(void **state)
{
	(void)state;
	in_each_way(unlock_early);
}

/* ---- the dead ------------------------------------------------------------------------------ */

static void guard_and_stay(void)
{
	CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
	CSYS_SHARED_RWLOCK_WRITE_GUARD(written, region, RWLOCK);
	if (held.result == 0 && written.result == 0)
		reach_step(1);
	stay();
}

static void assert_told(void)
{
	{
		CSYS_SHARED_MUTEX_TRY_GUARD(tried, region, MUTEX);
		assert_int_equal(tried.result, CSYS_POISONED);
		csys_shared_mutex_assert_held(region, MUTEX);
		CSYS_SHARED_RWLOCK_TRY_READ_GUARD(read, region, RWLOCK);
		assert_int_equal(read.result, CSYS_POISONED);
		csys_shared_rwlock_assert_read(region, RWLOCK);
	}
	assert_true(is_free());
	{
		CSYS_SHARED_MUTEX_GUARD_UNTIL(timed, region, MUTEX, CSYS_POLL);
		assert_int_equal(timed.result, CSYS_POISONED);
		CSYS_SHARED_RWLOCK_WRITE_GUARD_UNTIL(written, region, RWLOCK, CSYS_POLL);
		assert_int_equal(written.result, CSYS_POISONED);
		csys_shared_rwlock_assert_write(region, RWLOCK);
	}
	assert_true(is_free());
	{
		CSYS_SHARED_RWLOCK_READ_GUARD(read, region, RWLOCK);
		assert_int_equal(read.result, CSYS_POISONED);
	}
	{
		CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
		assert_int_equal(held.result, CSYS_POISONED);
		csys_shared_mutex_clear_poison(MUTEX);
		CSYS_SHARED_RWLOCK_WRITE_GUARD(written, region, RWLOCK);
		assert_int_equal(written.result, CSYS_POISONED);
		csys_shared_rwlock_clear_poison(RWLOCK);
	}
	assert_true(is_free());
	CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
	CSYS_SHARED_RWLOCK_WRITE_GUARD(written, region, RWLOCK);
	assert_int_equal(held.result | written.result, 0);
}

static void kill_the_holder(void)
{
	pid_t pid = forked(guard_and_stay);
	await_step(1);
	{
		CSYS_SHARED_MUTEX_TRY_GUARD(none, region, MUTEX);
		assert_int_equal(none.result, CSYS_EAGAIN);
	}
	assert_true(csys_shared_mutex_is_locked(region, MUTEX)); /* the end of the block left it */
	kill_it(pid);
	assert_told();
	assert_true(is_free());
}

static void a_guard_tells_of_a_killed_holder(void **state)
{
	(void)state;
	in_each_way(kill_the_holder);
}

static void panic_inside(void *unused)
{
	(void)unused;
	CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
	CSYS_SHARED_RWLOCK_WRITE_GUARD(written, region, RWLOCK);
	csys_panic("inside");
}

static void catch_a_panic(void)
{
	assert_int_equal(csys_panic_catch(panic_inside, NULL, NULL), CSYS_EPANICKED);
	assert_told();
	assert_true(is_free());
}

static void a_panic_inside_poisons_what_guards_hold(void **state)
{
	(void)state;
	in_each_way(catch_a_panic);
}

static void *exit_inside(void *unused)
{
	CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
	CSYS_SHARED_RWLOCK_WRITE_GUARD(written, region, RWLOCK);
	pthread_exit(unused);
}

static void end_a_thread(void)
{
	run_threads(1, exit_inside, NULL);
	assert_told();
	assert_true(is_free());
}

static void a_thread_that_exits_inside_poisons_what_guards_hold(void **state)
{
	(void)state;
	in_each_way(end_a_thread);
}

static void guard_in_a_full_region(void)
{
	pid_t pid = forked(guard_and_stay);
	await_step(1);
	{
		CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
		assert_int_equal(held.result, CSYS_ENOSPC);
		CSYS_SHARED_RWLOCK_READ_GUARD(read, region, RWLOCK);
		assert_int_equal(read.result, CSYS_ENOSPC);
		CSYS_SHARED_RWLOCK_WRITE_GUARD(written, region, RWLOCK);
		assert_int_equal(written.result, CSYS_ENOSPC);
		assert_int_equal(CSYS_SHARED_GUARD_RELOCK(held), CSYS_ENOSPC);
		/* It holds nothing, so it can be locked again. */
		assert_int_equal(CSYS_SHARED_GUARD_RELOCK(held), CSYS_ENOSPC);
	}
	assert_true(csys_shared_mutex_is_locked(region, MUTEX));
	kill_it(pid);
	assert_told();
	assert_true(is_free());
}

static void without_room_for_a_member_a_guard_holds_nothing(void **state)
{
	(void)state;
	csys_region_options options = { .members = 1 };
	in_each_way_with(&options, guard_in_a_full_region);
}

/* ---- misuse ---------------------------------------------------------------------------------- */

static void unlock_a_guard_twice(void)
{
	CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
	CSYS_SHARED_GUARD_UNLOCK(held);
	CSYS_SHARED_GUARD_UNLOCK(held);
}

static void unlock_a_guard_that_failed(void)
{
	CSYS_SHARED_RWLOCK_READ_GUARD(read, region, RWLOCK);
	CSYS_SHARED_RWLOCK_TRY_WRITE_GUARD(none, region, RWLOCK);
	CSYS_SHARED_GUARD_UNLOCK(none);
}

static void lock_a_guard_twice(void)
{
	CSYS_SHARED_RWLOCK_READ_GUARD(held, region, RWLOCK);
	(void)CSYS_SHARED_GUARD_RELOCK(held);
}

static pid_t fork_inside(void)
{
	CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
	return fork();
}

static void leave_the_block_of_the_parent(void)
{
	/* The child never returns from it. */
	await_end(fork_inside());
	abort();
}

static void misuse(void)
{
	assert_aborts(unlock_a_guard_twice, "csys: unlock of a guard that holds nothing\n");
	assert_aborts(unlock_a_guard_that_failed, "csys: unlock of a guard that holds nothing\n");
	assert_aborts(lock_a_guard_twice, "csys: a guard is locked again that holds its lock\n");
	assert_aborts(leave_the_block_of_the_parent,
		      "csys: unlock of a shared mutex that this thread does not hold\n");
}

static void misuse_aborts_with_a_line(void **state)
{
	(void)state;
	in_each_way(misuse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_guard_holds_to_the_end_of_its_block_however_that_is_left),
		NAMES_TEST(its_arguments_are_evaluated_once),
		NAMES_TEST(a_guard_that_tries_holds_what_it_got_and_nothing_else),
		NAMES_TEST(a_guard_with_a_deadline_holds_what_it_got_by_then),
		NAMES_TEST(until_a_deadline_a_guard_waits),
		NAMES_TEST(a_guard_can_be_unlocked_early_and_locked_again),
		NAMES_TEST(a_guard_tells_of_a_killed_holder),
		NAMES_TEST(a_panic_inside_poisons_what_guards_hold),
		NAMES_TEST(a_thread_that_exits_inside_poisons_what_guards_hold),
		NAMES_TEST(without_room_for_a_member_a_guard_holds_nothing),
		NAMES_TEST(misuse_aborts_with_a_line),
	};
	return RUN(tests);
}
