/*
 * ipc/test_shared_permits_death.c - permits whose holders are killed, and those that wait for them.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/permits.h"
#include "support/thread.h"

/* ---- calls that are answered here --------------------------------------------------------- */

/* What a process does in its calls. */
static int dies_before_its_wake, dies_after_its_sleep, pauses_after_its_sleep;
static int has_woken_for_nothing;

#ifdef CSYS_TEST_WRAPS
uint32_t __real_csysi_os_wake(const uint32_t *word, uint32_t count, int shared);
int __real_csysi_region_wait(const csys_region *in, uint32_t id, const uint32_t *word,
			     uint32_t expected, csys_deadline deadline);
uint32_t __wrap_csysi_os_wake(const uint32_t *word, uint32_t count, int shared);
int __wrap_csysi_region_wait(const csys_region *in, uint32_t id, const uint32_t *word,
			     uint32_t expected, csys_deadline deadline);

uint32_t __wrap_csysi_os_wake(const uint32_t *word, uint32_t count, int shared)
{
	if (region && word == &PERMITS->wakes) {
		if (csys_shared_permits_value(region, PERMITS, N) == 0)
			has_woken_for_nothing = 1;
		if (dies_before_its_wake)
			raise(SIGKILL);
	}
	return __real_csysi_os_wake(word, count, shared);
}

int __wrap_csysi_region_wait(const csys_region *in, uint32_t id, const uint32_t *word,
			     uint32_t expected, csys_deadline deadline)
{
	count_sleeper();
	int r = __real_csysi_region_wait(in, id, word, expected, deadline);
	if (dies_after_its_sleep)
		raise(SIGKILL);
	if (pauses_after_its_sleep) {
		pauses_after_its_sleep = 0;
		reach_step(5);
		await_step(6);
	}
	return r;
}
#endif

static pid_t sleeper_that_dies(void)
{
	dies_after_its_sleep = 1;
	pid_t pid = sleeper();
	dies_after_its_sleep = 0;
	return pid;
}

/* ---- deaths ---------------------------------------------------------------------------------- */

static void kill_a_holder(void)
{
	csys_region_member member = { 0 };
	unsigned at;
	take(0, 0);
	pid_t pid = holder(1);
	take(2, 0);
	assert_value(0);
	assert_int_equal(csys_shared_permits_holder(region, PERMITS, N, 1, &member), 1);
	assert_int_equal(member.pid, pid);
	assert_true(member.is_alive);
	/* One that stands still is not dead. */
	kill(pid, SIGSTOP);
	assert_int_equal(take_within(csys_after_ms(5), &at), CSYS_ETIMEDOUT);
	kill_it(pid);
	assert_value(1);
	assert_int_equal(csys_shared_permits_holder(region, PERMITS, N, 1, &member), 1);
	assert_false(member.is_alive);
	take(1, CSYS_POISONED);
	for (unsigned i = 0; i < N; i++)
		post(i);
	assert_int_equal(csys_shared_permits_holder(region, PERMITS, N, 1, &member), 0);
	for (unsigned i = 0; i < N; i++)
		take(i, 0); /* told once */
	for (unsigned i = 0; i < N; i++)
		post(i);
}

static void what_a_killed_holder_had_is_the_next_ones_which_is_told(void **state)
{
	(void)state;
	in_each_way(kill_a_holder);
}

static void kill_holders_in_a_row(void)
{
	for (int i = 0; i < 3; i++)
		kill_it(holder(0));
	take(0, CSYS_POISONED);
	post(0);
	take(0, 0);
	post(0);
}

static void until_one_has_posted_it_each_is_told(void **state)
{
	(void)state;
	in_each_way(kill_holders_in_a_row);
}

static void kill_before_sleepers(void)
{
	pid_t holders[N], sleepers[N];
	for (unsigned i = 0; i < N; i++)
		holders[i] = holder(i);
	for (int i = 0; i < N; i++)
		sleepers[i] = sleeper();
	kill_it(holders[1]);
	int told = 0;
	for (int i = 0; i < N; i++) {
		int code = code_of(sleepers[i]);
		assert_int_equal(code % 10, 1);
		told += code >= 10;
	}
	assert_int_equal(told, 1);
	kill_it(holders[0]);
	kill_it(holders[2]);
}

static void sleepers_get_what_a_killed_holder_had(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, kill_before_sleepers);
}

static void post_and_die(void)
{
	unsigned at;
	if (csys_shared_permits_wait(region, PERMITS, N, &at) < 0)
		_exit(1);
	reach_step(at + 1);
	await_step(9);
	dies_before_its_wake = 1;
	post(at);
}

static void kill_the_poster(void)
{
	take(0, 0);
	take(1, 0);
	STEPS->step = 0;
	pid_t poster = forked(post_and_die);
	await_step(3);
	pid_t pid = sleeper();
	reach_step(9);
	await_end(poster);
	assert_int_equal(code_of(pid), 2); /* it was posted, so nobody is told */
	post(0);
	post(1);
}

static void one_that_is_killed_before_its_wake_has_posted(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(SHORT_NAP, kill_the_poster);
}

static void kill_who_is_woken(void)
{
	pid_t holders[N];
	for (unsigned i = 0; i < N; i++)
		holders[i] = holder(i);
	pid_t first = sleeper_that_dies();
	pid_t second = sleeper_that_dies();
	pid_t third = sleeper();
	kill_it(holders[2]);
	await_end(first);
	await_end(second);
	assert_int_equal(code_of(third), 12);
	kill_it(holders[0]);
	kill_it(holders[1]);
}

static void sleepers_that_are_killed_when_they_are_woken_hold_nobody_up(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(SHORT_NAP, kill_who_is_woken);
}

static void take_one_and_stay(void)
{
	unsigned at;
	if (csys_shared_permits_wait(region, PERMITS, N, &at) >= 0)
		stay();
}

static void post_before_the_woken_one_looks(void)
{
	take(0, 0);
	take(1, 0);
	pid_t other = holder(2);
	pauses_after_its_sleep = 1;
	pid_t first = forked_sleeper(take_one_and_stay);
	pauses_after_its_sleep = 0;
	pid_t second = sleeper();
	post(0);
	await_step(5);
	post(1); /* finds no mark of a sleeper, since the first wake has ended it */
	reach_step(6);
	assert_true(code_of(second) < N);
	assert_false(has_woken_for_nothing);
	kill_it(first);
	kill_it(other);
}

static void one_that_is_woken_wakes_another_if_more_is_free(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(NO_NAP, post_before_the_woken_one_looks);
}

static void take_and_become_another(void)
{
	unsigned at;
	if (csys_shared_permits_wait(region, PERMITS, N, &at) == 0)
		reach_step(1);
	execl(helper(), helper(), "stay", (char *)NULL);
	_exit(9);
}

static void exec_is_as_death(void)
{
	unsigned at;
	take(0, 0);
	take(1, 0);
	pid_t pid = forked(take_and_become_another);
	await_step(1);
	assert_int_equal(csys_shared_permits_wait(region, PERMITS, N, &at), CSYS_POISONED);
	assert_int_equal(at, 2);
	for (unsigned i = 0; i < N; i++)
		post(i);
	kill_it(pid);
}

static void a_process_that_becomes_another_program_is_dead(void **state)
{
	(void)state;
	in_each_way(exec_is_as_death);
}

static void work_for_ever(void)
{
	for (;;)
		work();
}

static void kill_at_random(void)
{
	enum { PROCESSES = 2 * N, KILLS = 40 };
	pid_t pids[PROCESSES];
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = forked(work_for_ever);
	for (int i = 0; i < KILLS; i++) {
		take_a_nap();
		kill_it(pids[i % PROCESSES]);
		pids[i % PROCESSES] = forked(work_for_ever);
	}
	for (int i = 0; i < PROCESSES; i++)
		kill_it(pids[i]);
	/* All can be had, and are in order if they say so. */
	for (unsigned at = 0; at < N; at++) {
		unsigned got;
		int r = take_within(csys_after_s(60), &got);
		assert_true(r >= 0);
		assert_int_equal(got, at);
		if (r == 0)
			assert_int_equal(PLACE->guarded[at][0], PLACE->guarded[at][1]);
	}
	for (unsigned at = 0; at < N; at++)
		post(at);
}

static void no_permit_is_lost_or_torn_by_random_kills(void **state)
{
	(void)state;
	in_each_way(kill_at_random);
}

int main(void)
{
#ifdef CSYS_TEST_WRAPS
	sleeps_are_counted = 1;
#endif
	const struct CMUnitTest tests[] = {
		NAMES_TEST(what_a_killed_holder_had_is_the_next_ones_which_is_told),
		NAMES_TEST(until_one_has_posted_it_each_is_told),
		NAMES_TEST(sleepers_get_what_a_killed_holder_had),
		NAMES_TEST(one_that_is_killed_before_its_wake_has_posted),
		NAMES_TEST(sleepers_that_are_killed_when_they_are_woken_hold_nobody_up),
		NAMES_TEST(one_that_is_woken_wakes_another_if_more_is_free),
		NAMES_TEST(a_process_that_becomes_another_program_is_dead),
		NAMES_TEST(no_permit_is_lost_or_torn_by_random_kills),
	};
	return RUN(tests);
}
