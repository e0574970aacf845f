/*
 * ipc/test_shared_barrier_death.c - threads that end, are killed or come late at shared barriers.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/shared_barrier.h"

/* ---- death ----------------------------------------------------------------------------------- */

static void kill_the_missing(void)
{
	make(3, 0);
	pid_t missing = participant();
	pid_t sleeper = waiter(CSYS_EOWNERDEAD);
	await_waiters(1);
	kill_it(missing);
	assert_int_equal(code_of(sleeper), 0);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EOWNERDEAD);
	assert_int_equal(try_to_wait(), CSYS_EOWNERDEAD);
	csys_shared_barrier_abort(BARRIER);
	assert_int_equal(try_to_wait(), CSYS_EOWNERDEAD);

	/* Others take the places of both that have ended. */
	csys_shared_barrier_reset(BARRIER);
	pid_t a = waiter(0), b = waiter(0);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), 0);
	assert_int_equal(code_of(a), 0);
	assert_int_equal(code_of(b), 0);
}

static void a_missing_one_that_is_killed_breaks_it(void **state)
{
	(void)state;
	in_each_way(kill_the_missing);
}

static void be_a_member(void)
{
	if (csys_region_attach(region) != 0)
		_exit(1);
	STEPS->told = csysi_region_own_id(region);
	reach_step(1);
	stay();
}

static void kill_both(void)
{
	make(3, 0);
	pid_t first = participant(), second = participant();
	kill_it(first);
	kill_it(second);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EOWNERDEAD);

	/* One whose place among the members another one has got. */
	csys_shared_barrier_reset(BARRIER);
	kill_it(participant());
	second = forked(be_a_member);
	await_step(1);
	reach_step(0);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EOWNERDEAD);
	kill_it(second);
}

static void two_deaths_are_as_one(void **state)
{
	(void)state;
	in_each_way(kill_both);
}

static void kill_all(void)
{
	make(2, 0);
	pid_t a = participant(), b = participant();
	kill_it(a);
	kill_it(b);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EOWNERDEAD);
	assert_int_equal(try_to_wait(), CSYS_EOWNERDEAD);
	csys_shared_barrier_reset(BARRIER);
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);

	/* In one that goes on both count as left. */
	make(2, CSYS_SHARED_BARRIER_GOES_ON);
	a = participant();
	b = participant();
	kill_it(a);
	kill_it(b);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EBUSY);

	/* All had arrived, and none of them began the next round. */
	make(1, 0);
	a = forked(be_a_member);
	await_step(1);
	reach_step(0);
	csysi_store_relaxed(&BARRIER->seats[0], (uint64_t)STEPS->told << 32 | 1);
	assert_int_equal(try_to_wait(), CSYS_EBUSY);
	kill_it(a);
	assert_int_equal(try_to_wait(), CSYS_EOWNERDEAD);
}

static void one_that_finds_no_room_breaks_what_the_dead_have_left(void **state)
{
	(void)state;
	in_each_way(kill_all);
}

static void kill_after_the_arrival(void)
{
	make(2, 0);
	pid_t pid = waiter(0);
	await_waiters(1);
	kill_it(pid);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), 0);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EOWNERDEAD);
}

static void one_that_is_killed_after_its_arrival_is_missed_in_the_next_round(void **state)
{
	(void)state;
	in_each_way(kill_after_the_arrival);
}

static void go_on_without(void)
{
	make(3, CSYS_SHARED_BARRIER_GOES_ON);
	pid_t missing = participant();
	pid_t sleeper = waiter(0);
	await_waiters(1);
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);
	kill_it(missing);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), 0);
	assert_int_equal(code_of(sleeper), 0);
	/* The other one has ended too: this thread is for itself. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), 0);
	assert_int_equal(csys_shared_barrier_leave(region, BARRIER), 0);
}

static void one_that_goes_on_counts_a_dead_one_as_left(void **state)
{
	(void)state;
	in_each_way(go_on_without);
}

static void *take_part_and_end(void *unused)
{
	(void)unused;
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);
	return NULL;
}

static void end_a_thread(void)
{
	pthread_t thread;
	make(2, 0);
	assert_int_equal(pthread_create(&thread, NULL, take_part_and_end, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EOWNERDEAD);

	/* And one that is no member any more, which this thread was. */
	make(2, 0);
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);
	csys_region_detach(region);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EOWNERDEAD);
}

static void a_thread_that_ends_or_detaches_breaks_it(void **state)
{
	(void)state;
	in_each_way(end_a_thread);
}

static void wait_in_a_child(void)
{
	if (try_to_wait() != CSYS_EBUSY)
		_exit(1);
}

static void fork_beside_it(void)
{
	make(1, 0);
	assert_int_equal(try_to_wait(), 0);
	assert_int_equal(code_of(forked(wait_in_a_child)), 0);
	assert_int_equal(try_to_wait(), 0);
}

static void a_forked_child_is_another(void **state)
{
	(void)state;
	in_each_way(fork_beside_it);
}

static void stop_the_missing(void)
{
	make(2, 0);
	pid_t missing = participant();
	kill(missing, SIGSTOP);
	assert_int_equal(csys_shared_barrier_wait_until(region, BARRIER, csys_after_ms(30), NULL),
			 CSYS_ETIMEDOUT);
	kill_it(missing);
}

static void a_stopped_one_is_not_dead(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, stop_the_missing);
}

/*
 * A process that writes what it must not: whenever the member in the second seat is looked at,
 * which is before the third, this one becomes that of a dead member again.
 */
static uint64_t dead_seat;
static int rewrites; /* how many times yet */

/* One that arrives and is killed between a look at its seat and a look whether it lives. */
static int arrives;

#ifdef CSYS_TEST_WRAPS
int __real_csysi_region_is_alive(const csys_region *where, uint32_t id);
int __wrap_csysi_region_is_alive(const csys_region *where, uint32_t id);

int __wrap_csysi_region_is_alive(const csys_region *where, uint32_t id)
{
	if (rewrites > 0 && id == (uint32_t)(BARRIER->seats[1] >> 32)) {
		rewrites--;
		csysi_store_relaxed(&BARRIER->seats[2], dead_seat);
	}
	if (arrives && id == (uint32_t)(BARRIER->seats[1] >> 32)) {
		arrives = 0;
		csysi_store_relaxed(&BARRIER->seats[1], (uint64_t)id << 32 | 1);
	}
	return __real_csysi_region_is_alive(where, id);
}
#endif

static void look_beside_a_writer(void)
{
	enum { MANY = 100000 };
	make(4, CSYS_SHARED_BARRIER_GOES_ON);
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);
	assert_int_equal(csysi_region_own_id(region) & CSYSI_ID_PLACE,
			 0); /* looks from the first */
	pid_t living = participant(), dead = participant();
	dead_seat = csysi_load_relaxed(&BARRIER->seats[2]);
	kill_it(dead);
	rewrites = MANY;
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);
	assert_in_range(rewrites, 1, MANY - 1);
	rewrites = 0;
	kill_it(living);
}

static void a_process_that_writes_what_it_must_not_makes_no_wait_endless(void **state)
{
	(void)state;
	skip_unless_wrapped();
	in_each_way(look_beside_a_writer);
}

static void die_between_two_looks(void)
{
	make(2, 0);
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);
	kill_it(participant());
	arrives = 1;
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), 0);
	assert_int_equal(arrives, 0);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EOWNERDEAD);
}

static void one_that_arrives_just_before_its_end_has_arrived(void **state)
{
	(void)state;
	skip_unless_wrapped();
	in_each_way(die_between_two_looks);
}

/* ---- coming late --------------------------------------------------------------------- */

/* A waiter that cannot look until the barrier is in use again. */
static void reset_behind(int result)
{
	make(3, 0);
	pid_t late = waiter(result);
	await_waiters(1);
	kill(late, SIGSTOP);
	assert_int_equal(waitpid(late, NULL, WUNTRACED), late);
	if (result == CSYS_ECANCELED) {
		csys_shared_barrier_abort(BARRIER);
	} else {
		kill_it(participant());
		assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EOWNERDEAD);
	}
	csys_shared_barrier_reset(BARRIER);
	csys_shared_barrier_reset(BARRIER);
	pid_t a = waiter(0), b = waiter(0);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), 0);
	assert_int_equal(code_of(a), 0);
	assert_int_equal(code_of(b), 0);
	kill(late, SIGCONT);
	assert_int_equal(code_of(late), 0);
}

static void reset_behind_a_sleeper(void)
{
	reset_behind(CSYS_ECANCELED);
	memset(STEPS->objects, 0, sizeof *BARRIER);
	reset_behind(CSYS_EOWNERDEAD);
}

/* A thread may have looked at the round before a reset, and arrive in it after that. */
static void arrive_late(void)
{
	make(2, 0);
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);
	pid_t other = participant();
	uint64_t seat = csysi_load_relaxed(&BARRIER->seats[1]);
	csys_shared_barrier_abort(BARRIER);
	csys_shared_barrier_reset(BARRIER);
	assert_int_equal(BARRIER->seats[1], 0);
	csysi_store_relaxed(&BARRIER->seats[1], seat | 1);
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);
	kill_it(other);
}

static void an_arrival_in_a_round_before_a_reset_does_not_count(void **state)
{
	(void)state;
	in_each_way(arrive_late);
}

static void one_that_waited_before_a_reset_is_told_what_it_ended(void **state)
{
	(void)state;
	in_each_way(reset_behind_a_sleeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_missing_one_that_is_killed_breaks_it),
		TEST(two_deaths_are_as_one),
		TEST(one_that_finds_no_room_breaks_what_the_dead_have_left),
		TEST(one_that_is_killed_after_its_arrival_is_missed_in_the_next_round),
		TEST(one_that_goes_on_counts_a_dead_one_as_left),
		TEST(a_thread_that_ends_or_detaches_breaks_it),
		TEST(a_forked_child_is_another),
		TEST(a_stopped_one_is_not_dead),
		TEST(a_process_that_writes_what_it_must_not_makes_no_wait_endless),
		TEST(one_that_arrives_just_before_its_end_has_arrived),
		TEST(an_arrival_in_a_round_before_a_reset_does_not_count),
		TEST(one_that_waited_before_a_reset_is_told_what_it_ended),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
