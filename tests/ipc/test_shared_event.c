/*
 * ipc/test_shared_event.c - promises of csys/ipc/shared_event.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/region.h"
#include "support/thread.h"

#define EVENT ((csys_shared_event *)OBJECTS)
#define SET ((uint64_t)1 << 63)
#define WAITED ((uint64_t)1 << 62)
#define AUTOMATIC ((uint64_t)0x80000000)

/* ---- calls that are answered here --------------------------------------------------------- */

/* What a process does in its calls. */
static int dies_before_its_wake, dies_after_its_sleep;
static uint32_t wakes;

#ifdef CSYS_TEST_WRAPS
uint32_t __real_csysi_os_wake(const uint32_t *word, uint32_t count, int shared);
int __real_csysi_region_nap(const uint32_t *word, uint32_t expected, csys_deadline deadline);
uint32_t __wrap_csysi_os_wake(const uint32_t *word, uint32_t count, int shared);
int __wrap_csysi_region_nap(const uint32_t *word, uint32_t expected, csys_deadline deadline);

uint32_t __wrap_csysi_os_wake(const uint32_t *word, uint32_t count, int shared)
{
	if (region && word == csysi_upper_half(&EVENT->word)) {
		wakes++;
		if (dies_before_its_wake)
			raise(SIGKILL);
	}
	return __real_csysi_os_wake(word, count, shared);
}

int __wrap_csysi_region_nap(const uint32_t *word, uint32_t expected, csys_deadline deadline)
{
	count_sleeper();
	int r = __real_csysi_region_nap(word, expected, deadline);
	if (dies_after_its_sleep)
		raise(SIGKILL);
	return r;
}
#endif

static void wait_once(void)
{
#ifndef CSYS_TEST_WRAPS
	count_sleeper();
#endif
	csys_shared_event_wait(EVENT);
}

static pid_t sleeper(void)
{
	return forked_sleeper(wait_once);
}

/* One that is killed when it is woken: it takes no naps. */
static pid_t sleeper_that_dies(void)
{
	dies_after_its_sleep = 1;
	pid_t pid = forked_sleeper_without_naps(wait_once);
	dies_after_its_sleep = 0;
	return pid;
}

/* ---- one thread ------------------------------------------------------------------------------ */

static void use_manual(void)
{
	assert_false(csys_shared_event_is_set(EVENT));
	assert_int_equal(csys_shared_event_try_wait(EVENT), CSYS_EAGAIN);
	assert_int_equal(csys_shared_event_wait_until(EVENT, CSYS_POLL), CSYS_ETIMEDOUT);
	csys_shared_event_set(EVENT);
	for (int i = 0; i < 3; i++) {
		assert_true(csys_shared_event_is_set(EVENT));
		csys_shared_event_wait(EVENT);
		assert_int_equal(csys_shared_event_try_wait(EVENT), 0);
		assert_int_equal(csys_shared_event_wait_until(EVENT, CSYS_POLL), 0);
		csys_shared_event_set(EVENT);
	}
	csys_shared_event_reset(EVENT);
	assert_false(csys_shared_event_is_set(EVENT));
	assert_int_equal(csys_shared_event_try_wait(EVENT), CSYS_EAGAIN);
	csys_shared_event_set(EVENT);
	csys_shared_event_init_manual(EVENT);
	assert_int_equal(EVENT->word, 0);
}

static void a_manual_event_lets_all_through_until_it_is_reset(void **state)
{
	(void)state;
	in_each_way(use_manual);
}

static void use_automatic(void)
{
	csys_shared_event_init_automatic(EVENT);
	assert_int_equal(csys_shared_event_try_wait(EVENT), CSYS_EAGAIN);
	for (int i = 0; i < 3; i++) {
		csys_shared_event_set(EVENT);
		csys_shared_event_set(EVENT);
		assert_true(csys_shared_event_is_set(EVENT));
		csys_shared_event_wait(EVENT);
		assert_false(csys_shared_event_is_set(EVENT));
		assert_int_equal(csys_shared_event_try_wait(EVENT), CSYS_EAGAIN);
		csys_shared_event_set(EVENT);
		assert_int_equal(csys_shared_event_wait_until(EVENT, CSYS_POLL), 0);
		assert_int_equal(csys_shared_event_wait_until(EVENT, CSYS_POLL), CSYS_ETIMEDOUT);
	}
	csys_shared_event_set(EVENT);
	csys_shared_event_reset(EVENT);
	assert_int_equal(csys_shared_event_try_wait(EVENT), CSYS_EAGAIN);
}

static void an_automatic_event_lets_one_through_each_time(void **state)
{
	(void)state;
	in_each_way(use_automatic);
}

static void wait_in_vain(void)
{
	csys_deadline deadline = csys_after_ms(5);
	assert_int_equal(csys_shared_event_wait_until(EVENT, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_deadline_left(deadline) <= 0);
	csys_shared_event_set(EVENT);
	assert_int_equal(csys_shared_event_wait_until(EVENT, deadline), 0);
}

static void a_wait_ends_at_its_deadline(void **state)
{
	(void)state;
	with_nap(NO_NAP, wait_in_vain);
	with_nap(1000000, wait_in_vain); /* several naps */
}

static void set_after_a_waiter_has_left(void)
{
	csys_shared_event_init_automatic(EVENT);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_shared_event_wait_until(EVENT, csys_after_ms(1)),
				 CSYS_ETIMEDOUT);
		wakes = 0;
		for (int j = 0; j < 5; j++) {
			csys_shared_event_set(EVENT);
			assert_int_equal(csys_shared_event_try_wait(EVENT), 0);
		}
#ifdef CSYS_TEST_WRAPS
		if (csys_can(CSYS_CAN_SHARED_WAKE))
			assert_int_equal(wakes, 1);
#endif
	}
}

static void a_waiter_that_gave_up_costs_one_wake(void **state)
{
	(void)state;
	in_each_way(set_after_a_waiter_has_left);
}

/* ---- several processes ----------------------------------------------------------------------- */

enum { SLEEPERS = 4 };

static void set_before_sleepers(void)
{
	pid_t pids[SLEEPERS];
	for (int i = 0; i < SLEEPERS; i++)
		pids[i] = sleeper();
	csys_shared_event_set(EVENT);
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(code_of(pids[i]), 0);
}

static void a_set_wakes_all_that_sleep(void **state)
{
	(void)state;
	with_nap(NO_NAP, set_before_sleepers);
}

static void set_and_reset(void)
{
	pid_t pids[SLEEPERS];
	for (int i = 0; i < SLEEPERS; i++) {
		pids[i] = sleeper();
		kill(pids[i], SIGSTOP);
	}
	csys_shared_event_set(EVENT);
	csys_shared_event_reset(EVENT);
	for (int i = 0; i < SLEEPERS; i++) {
		kill(pids[i], SIGCONT);
		assert_int_equal(code_of(pids[i]), 0);
	}
	assert_false(csys_shared_event_is_set(EVENT));
}

static void a_reset_holds_nobody_up_that_waited_for_the_set(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, set_and_reset);
}

static void set_at_the_end_of_the_low_generations(void)
{
	EVENT->word = (uint64_t)0x3fffffff << 32;
	set_and_reset();
	assert_int_equal(EVENT->word, 1);
}

static void more_generations_than_half_a_word_has_are_told_apart(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, set_at_the_end_of_the_low_generations);
}

static void set_one_by_one(void)
{
	pid_t pids[SLEEPERS];
	csys_shared_event_init_automatic(EVENT);
	for (int i = 0; i < SLEEPERS; i++)
		pids[i] = sleeper();
	for (int i = 0; i < SLEEPERS; i++) {
		csys_shared_event_set(EVENT);
		/* Each uses it up, so that the next set lets the next through. */
		while (csys_shared_event_is_set(EVENT))
			csys_thread_yield();
	}
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(code_of(pids[i]), 0);
	assert_int_equal(csys_shared_event_try_wait(EVENT), CSYS_EAGAIN);
}

static void each_set_of_an_automatic_event_wakes_one(void **state)
{
	(void)state;
	with_nap(NO_NAP, set_one_by_one);
}

static void wait_in_vain_for_a_while(void)
{
	count_sleeper();
	int r = csys_shared_event_wait_until(EVENT, csys_after_ms(50));
	_exit(r == CSYS_ETIMEDOUT ? 0 : 1);
}

static void use_it_up(void)
{
	csys_shared_event_init_automatic(EVENT);
	pid_t pid = forked(wait_in_vain_for_a_while);
	await_sleepers(1);
	kill(pid, SIGSTOP);
	csys_shared_event_set(EVENT);
	/* Unless the other was quicker, which then says so. */
	int r = csys_shared_event_try_wait(EVENT);
	kill(pid, SIGCONT);
	assert_int_equal(code_of(pid), r == 0 ? 0 : 1);
}

static void a_set_that_another_thread_has_used_lets_no_waiter_through(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, use_it_up);
}

enum { ROUNDS = 2000 };

/* Two events, and a value that their waiters write in turns. */
static void answer_each(void)
{
	volatile uint32_t *value = (uint32_t *)(void *)(EVENT + 2);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		csys_shared_event_wait(&EVENT[0]);
		if (*value != 2 * i + 1)
			_exit(1);
		*value = 2 * i + 2;
		csys_shared_event_set(&EVENT[1]);
	}
}

static void ask_each(void)
{
	volatile uint32_t *value = (uint32_t *)(void *)(EVENT + 2);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		*value = 2 * i + 1;
		csys_shared_event_set(&EVENT[0]);
		csys_shared_event_wait(&EVENT[1]);
		assert_int_equal(*value, 2 * i + 2);
	}
}

static void *answer_in_a_thread(void *unused)
{
	(void)unused;
	answer_each();
	return NULL;
}

static void hand_over(void)
{
	pthread_t thread;
	csys_shared_event_init_automatic(&EVENT[0]);
	csys_shared_event_init_automatic(&EVENT[1]);
	pid_t pid = forked(answer_each);
	ask_each();
	assert_int_equal(code_of(pid), 0);
	assert_int_equal(pthread_create(&thread, NULL, answer_in_a_thread, NULL), 0);
	ask_each();
	pthread_join(thread, NULL);
}

static void who_gets_through_sees_what_was_done_before(void **state)
{
	(void)state;
	with_nap(NO_NAP, hand_over);
}

static void let_several_through(void)
{
	csys_shared_event_init_automatic(EVENT);
	for (int i = 0; i < SLEEPERS; i++)
		assert_true(forked(wait_once) > 0);
	/* Sets that come together are one, so as many as are needed. */
	for (int left = SLEEPERS; left > 0;) {
		csys_shared_event_set(EVENT);
		if (waitpid(-1, NULL, WNOHANG) > 0)
			left--;
		csys_thread_yield();
	}
}

static void sets_and_waits_meet_in_any_order(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		with_nap(NO_NAP, let_several_through);
}

/* ---- deaths ---------------------------------------------------------------------------------- */

static void set_and_die(void)
{
	dies_before_its_wake = 1;
	csys_shared_event_set(EVENT);
}

static void set_once(void)
{
	csys_shared_event_set(EVENT);
}

static void set_and_become_another(void)
{
	csys_shared_event_set(EVENT);
	execl(helper(), helper(), "stay", (char *)NULL);
	_exit(9);
}

static void kill_the_setter(void)
{
	pid_t pid = sleeper();
	await_end(forked(set_and_die));
	assert_true(csys_shared_event_is_set(EVENT));
	assert_int_equal(code_of(pid), 0);
}

static void a_setter_that_is_killed_before_its_wake_has_set_it(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(SHORT_NAP, kill_the_setter);
}

static void kill_who_is_woken(void)
{
	csys_shared_event_init_automatic(EVENT);
	pid_t first = sleeper_that_dies();
	pid_t second = sleeper();
	csys_shared_event_set(EVENT);
	await_end(first);
	assert_int_equal(code_of(second), 0);
	assert_false(csys_shared_event_is_set(EVENT));
}

static void a_sleeper_that_is_killed_when_it_is_woken_takes_nothing(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(SHORT_NAP, kill_who_is_woken);
}

static void kill_setter_and_sleeper(void)
{
	csys_shared_event_init_automatic(EVENT);
	pid_t first = sleeper_that_dies();
	pid_t second = sleeper();
	csys_shared_event_set(EVENT);
	await_end(first);
	while (csys_shared_event_is_set(EVENT))
		csys_thread_yield();
	assert_int_equal(code_of(second), 0);
	second = sleeper();
	await_end(forked(set_and_die));
	assert_int_equal(code_of(second), 0);
	/* What they leave is an event as any other. */
	csys_shared_event_set(EVENT);
	assert_int_equal(csys_shared_event_try_wait(EVENT), 0);
}

static void two_deaths_in_a_row_hold_nobody_up(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(SHORT_NAP, kill_setter_and_sleeper);
}

static void stop_a_sleeper(void)
{
	csys_shared_event_init_automatic(EVENT);
	pid_t first = sleeper();
	pid_t second = sleeper();
	kill(first, SIGSTOP);
	csys_shared_event_set(EVENT);
	assert_int_equal(code_of(second), 0);
	csys_shared_event_set(EVENT);
	kill(first, SIGCONT);
	assert_int_equal(code_of(first), 0);
}

static void a_sleeper_that_is_stopped_holds_nobody_up(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, stop_a_sleeper);
}

static void set_by_those_that_end(void)
{
	assert_int_equal(code_of(forked(set_once)), 0);
	csys_shared_event_wait(EVENT);
	csys_shared_event_reset(EVENT);
	pid_t pid = forked(set_and_become_another);
	csys_shared_event_wait(EVENT);
	kill_it(pid);
	assert_int_equal(csys_shared_event_try_wait(EVENT), 0);
}

static void it_stays_set_when_its_setter_ends(void **state)
{
	(void)state;
	in_each_way(set_by_those_that_end);
}

/* ---- any bits -------------------------------------------------------------------------------- */

static void use_whatever_it_is(uint64_t bits)
{
	csysi_store_relaxed(&EVENT->word, bits);
	int r = csys_shared_event_wait_until(EVENT, csys_after_ns(1000));
	assert_true(r == 0 || r == CSYS_ETIMEDOUT);
	r = csys_shared_event_try_wait(EVENT);
	assert_true(r == 0 || r == CSYS_EAGAIN);
	csys_shared_event_set(EVENT);
	assert_int_equal(csys_shared_event_wait_until(EVENT, CSYS_POLL), 0);
	csys_shared_event_reset(EVENT);
	assert_int_equal(csys_shared_event_wait_until(EVENT, CSYS_POLL), CSYS_ETIMEDOUT);
}

static void any_bits(void)
{
	for (uint64_t bit = 1; bit != 0; bit <<= 1) {
		use_whatever_it_is(bit);
		use_whatever_it_is(~bit);
		use_whatever_it_is(bit | SET | WAITED | AUTOMATIC);
	}
}

static void any_bytes_are_an_event(void **state)
{
	(void)state;
	in_each_way(any_bits);
}

static void scribble(void)
{
	uint64_t bits = 1;
	for (;;) {
		bits = bits * 6364136223846793005u + 1442695040888963407u;
		csysi_store_relaxed(&EVENT->word, bits);
	}
}

static void wait_beside_a_scribbler(void)
{
	pid_t pid = forked(scribble);
	for (int i = 0; i < 200; i++) {
		int r = csys_shared_event_wait_until(EVENT, csys_after_ns(100000));
		assert_true(r == 0 || r == CSYS_ETIMEDOUT);
		csys_shared_event_set(EVENT);
		csys_shared_event_reset(EVENT);
	}
	kill_it(pid);
}

static void no_wait_outlasts_its_deadline_whatever_others_write(void **state)
{
	(void)state;
	with_nap(NO_NAP, wait_beside_a_scribbler);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_manual_event_lets_all_through_until_it_is_reset),
		NAMES_TEST(an_automatic_event_lets_one_through_each_time),
		NAMES_TEST(a_wait_ends_at_its_deadline),
		NAMES_TEST(a_waiter_that_gave_up_costs_one_wake),
		NAMES_TEST(a_set_wakes_all_that_sleep),
		NAMES_TEST(a_reset_holds_nobody_up_that_waited_for_the_set),
		NAMES_TEST(more_generations_than_half_a_word_has_are_told_apart),
		NAMES_TEST(each_set_of_an_automatic_event_wakes_one),
		NAMES_TEST(a_set_that_another_thread_has_used_lets_no_waiter_through),
		NAMES_TEST(who_gets_through_sees_what_was_done_before),
		NAMES_TEST(sets_and_waits_meet_in_any_order),
		NAMES_TEST(a_setter_that_is_killed_before_its_wake_has_set_it),
		NAMES_TEST(a_sleeper_that_is_killed_when_it_is_woken_takes_nothing),
		NAMES_TEST(two_deaths_in_a_row_hold_nobody_up),
		NAMES_TEST(a_sleeper_that_is_stopped_holds_nobody_up),
		NAMES_TEST(it_stays_set_when_its_setter_ends),
		NAMES_TEST(any_bytes_are_an_event),
		NAMES_TEST(no_wait_outlasts_its_deadline_whatever_others_write),
	};
	return RUN(tests);
}
