/*
 * ipc/test_shared_barrier.c - promises of csys/ipc/shared_barrier.h.
 */
#define _XOPEN_SOURCE 700
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/shared_barrier.h"

#define COUNTERS ((struct counters *)(BARRIER + 1))
#define ROUND ((uint64_t)0x1fffffff << 32)

struct counters {
	uint32_t rounds[4]; /* of each process, atomic */
	uint32_t leaders;   /* atomic */
	uint32_t ended;     /* atomic */
	uint32_t successes[2];
};

/* ---- making ---------------------------------------------------------------------------------- */

static void refuse_numbers(void)
{
	csys_shared_barrier before;

	memset(BARRIER, 0x5a, sizeof *BARRIER);
	memcpy(&before, BARRIER, sizeof before);
	assert_int_equal(csys_shared_barrier_init(NULL, 1, 0), CSYS_EINVAL);
	assert_int_equal(csys_shared_barrier_init(BARRIER, CSYS_SHARED_BARRIER_MAX + 1, 0),
			 CSYS_EINVAL);
	assert_int_equal(csys_shared_barrier_init(BARRIER, 1, 2), CSYS_EINVAL);
	assert_memory_equal(&before, BARRIER, sizeof before);
	make(CSYS_SHARED_BARRIER_MAX, 0);
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);
	assert_int_equal(csys_shared_barrier_wait(NULL, BARRIER, NULL), CSYS_EINVAL);
	assert_int_equal(csys_shared_barrier_wait(region, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_shared_barrier_leave(region, NULL), CSYS_EINVAL);
}

static void bad_arguments_are_told_and_change_nothing(void **state)
{
	(void)state;
	in_each_way(refuse_numbers);
}

static void wait_alone(void)
{
	for (int i = 0; i < 3; i++) {
		int is_leader = 7;
		assert_int_equal(csys_shared_barrier_wait(region, BARRIER, &is_leader), 0);
		assert_int_equal(is_leader, 1);
		assert_int_equal(try_to_wait(), 0);
	}
	make(1, 0);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), 0);
}

static void all_zero_is_for_one_thread(void **state)
{
	(void)state;
	in_each_way(wait_alone);
}

/* ---- rounds ---------------------------------------------------------------------------------- */

enum { PROCESSES = 3, ROUNDS = 200 };
static int which;

/* In each round nobody is behind, nor ahead by more than the round that begins. */
static void go_round(void)
{
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		int is_leader;
		csysi_store_relaxed(&COUNTERS->rounds[which], round);
		if (csys_shared_barrier_wait(region, BARRIER, &is_leader) != 0)
			_exit(1);
		for (int i = 0; i < PROCESSES; i++) {
			uint32_t other = csysi_load_relaxed(&COUNTERS->rounds[i]);
			if (other != round && other != round + 1)
				_exit(2);
		}
		if (is_leader)
			(void)csysi_add_relaxed(&COUNTERS->leaders, 1);
	}
}

static void go_rounds(void)
{
	pid_t pids[PROCESSES];
	make(PROCESSES, 0);
	for (which = 0; which < PROCESSES; which++)
		pids[which] = forked(go_round);
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(code_of(pids[i]), 0);
	assert_int_equal(COUNTERS->leaders, ROUNDS);
}

static void all_go_on_when_all_have_arrived_and_one_of_them_leads(void **state)
{
	(void)state;
	with_nap(NO_NAP, go_rounds);
}

static void wait_thrice(void)
{
	for (int i = 0; i < 3; i++)
		if (csys_shared_barrier_wait(region, BARRIER, NULL) != 0)
			_exit(1);
}

static void wrap_rounds(void)
{
	make(2, 0);
	csysi_store_relaxed(&BARRIER->word, ROUND | 0x7ffff);
	pid_t pid = forked(wait_thrice);
	wait_thrice();
	assert_int_equal(code_of(pid), 0);
	assert_int_equal((BARRIER->word & ROUND) >> 32, 2);
}

static void the_numbers_of_rounds_begin_again(void **state)
{
	(void)state;
	with_nap(NO_NAP, wrap_rounds);
}

static void wait_in_vain(void)
{
	csys_deadline deadline = csys_after_ms(5);
	make(2, 0);
	assert_int_equal(csys_shared_barrier_wait_until(region, BARRIER, deadline, NULL),
			 CSYS_ETIMEDOUT);
	assert_true(csys_deadline_left(deadline) <= 0);

	/* It has not arrived: one more does not complete the round. */
	pid_t pid = waiter(0);
	await_waiters(1);
	csysi_os_nap(csys_after_ms(2));
	assert_int_equal(arrived(), 1);
	int is_leader;
	assert_int_equal(csys_shared_barrier_wait_until(region, BARRIER, CSYS_POLL, &is_leader), 0);
	assert_int_equal(is_leader, 1);
	assert_int_equal(code_of(pid), 0);
}

static void one_that_gives_up_has_not_arrived(void **state)
{
	(void)state;
	with_nap(NO_NAP, wait_in_vain);
	with_nap(1000000, wait_in_vain);
}

/* With deadlines that end while the other arrives, again and again. */
static void wait_in_a_hurry(void)
{
	unsigned seed = (unsigned)which + 1;
	csys_deadline end = csys_after_ms(100);

	while (csys_deadline_left(end) > 0) {
		seed = seed * 1103515245u + 12345u;
		int r = csys_shared_barrier_wait_until(
			region, BARRIER, seed >> 16 & 7 ? CSYS_POLL : csys_after_us(3), NULL);
		if (r == 0)
			COUNTERS->successes[which]++;
		else if (r != CSYS_ETIMEDOUT)
			_exit(1);
	}
	(void)csysi_add_release(&COUNTERS->ended, 1);
	stay();
}

static void hurry(void)
{
	make(2, 0);
	which = 0;
	pid_t a = forked(wait_in_a_hurry);
	which = 1;
	pid_t b = forked(wait_in_a_hurry);
	while (csysi_load_acquire(&COUNTERS->ended) < 2)
		sched_yield();
	kill_it(a);
	kill_it(b);
	assert_int_equal(COUNTERS->successes[0], COUNTERS->successes[1]);
}

static void a_round_is_complete_for_all_or_for_none(void **state)
{
	(void)state;
	in_each_way(hurry);
}

static void be_one_too_many(void)
{
	make(2, 0);
	pid_t a = participant();
	pid_t b = participant();
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EBUSY);
	assert_int_equal(csys_shared_barrier_leave(region, BARRIER), CSYS_EBUSY);
	kill_it(a);
	kill_it(b);
}

static void one_too_many_is_told(void **state)
{
	(void)state;
	in_each_way(be_one_too_many);
}

/* ---- leaving --------------------------------------------------------------------------------- */

static void lead_after_a_leave(void)
{
	int is_leader;
	if (csys_shared_barrier_wait(region, BARRIER, &is_leader) != 0 || !is_leader)
		_exit(1);
}

static void leave_it(void)
{
	make(3, 0);
	assert_int_equal(csys_shared_barrier_leave(region, BARRIER), 0);
	assert_int_equal(csys_shared_barrier_leave(region, BARRIER), 0);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EINVAL);

	/* Two are left.  This thread has become another member. */
	csys_region_detach(region);
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);
	pid_t pid = forked(lead_after_a_leave);
	await_waiters(1);
	assert_int_equal(csys_shared_barrier_leave(region, BARRIER), 0);
	assert_int_equal(code_of(pid), 0);
}

static void one_that_leaves_is_not_waited_for_and_never_leads(void **state)
{
	(void)state;
	with_nap(NO_NAP, leave_it);
}

/* ---- aborting and resetting ------------------------------------------------------------------ */

static void abort_it(void)
{
	make(3, 0);
	pid_t a = waiter(CSYS_ECANCELED);
	pid_t b = waiter(CSYS_ECANCELED);
	await_waiters(2);
	csys_shared_barrier_abort(BARRIER);
	assert_int_equal(code_of(a), 0);
	assert_int_equal(code_of(b), 0);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_ECANCELED);
	assert_int_equal(csys_shared_barrier_leave(region, BARRIER), 0);
	csys_shared_barrier_reset(BARRIER);

	/* It is for the two that have not left. */
	csys_region_detach(region);
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);
	pid_t c = waiter(0);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), 0);
	assert_int_equal(code_of(c), 0);
}

static void an_abort_lets_all_go_until_a_reset(void **state)
{
	(void)state;
	with_nap(NO_NAP, abort_it);
}

static void reset_a_good_one(void)
{
	make(2, 0);
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);
	csys_shared_barrier before = *BARRIER;
	csys_shared_barrier_reset(BARRIER);
	assert_memory_equal(&before, BARRIER, sizeof before);
}

static void a_reset_of_a_good_one_changes_nothing(void **state)
{
	(void)state;
	in_each_way(reset_a_good_one);
}

/* ---- bytes that are not its own ------------------------------------------------------ */

static void use_any_bits(void)
{
	unsigned seed = 1;
	for (int round = 0; round < 300; round++) {
		unsigned char *bytes = (unsigned char *)BARRIER;
		for (size_t i = 0; i < sizeof *BARRIER; i++) {
			seed = seed * 1103515245u + 12345u;
			bytes[i] = (unsigned char)(seed >> 16 & (round % 3 ? 0xff : 0x11));
		}
		if (round % 2)
			BARRIER->count = (uint32_t)round % 5;
		if (round % 4 == 3)
			BARRIER->word &= ~((uint64_t)3 << 61);
		int r = csys_shared_barrier_wait_until(region, BARRIER, csys_after_us(200), NULL);
		assert_true(r == 0 || r == CSYS_ETIMEDOUT || r == CSYS_EBUSY || r == CSYS_EINVAL ||
			    r == CSYS_EOWNERDEAD || r == CSYS_ECANCELED);
		r = csys_shared_barrier_leave(region, BARRIER);
		assert_true(r == 0 || r == CSYS_EBUSY);
		csys_shared_barrier_abort(BARRIER);
		csys_shared_barrier_reset(BARRIER);
		assert_int_equal(BARRIER->word >> 61 & 3, 0);
	}
}

static void with_any_bits_each_call_comes_back(void **state)
{
	(void)state;
	in_each_way(use_any_bits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bad_arguments_are_told_and_change_nothing),
		TEST(all_zero_is_for_one_thread),
		TEST(all_go_on_when_all_have_arrived_and_one_of_them_leads),
		TEST(the_numbers_of_rounds_begin_again),
		TEST(one_that_gives_up_has_not_arrived),
		TEST(a_round_is_complete_for_all_or_for_none),
		TEST(one_too_many_is_told),
		TEST(one_that_leaves_is_not_waited_for_and_never_leads),
		TEST(an_abort_lets_all_go_until_a_reset),
		TEST(a_reset_of_a_good_one_changes_nothing),
		TEST(with_any_bits_each_call_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
