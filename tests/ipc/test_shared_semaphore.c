/*
 * ipc/test_shared_semaphore.c - promises of csys/ipc/shared_semaphore.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/region.h"
#include "support/thread.h"

#define SEMAPHORE ((csys_shared_semaphore *)OBJECTS)
#define MAX CSYS_SHARED_SEMAPHORE_MAX
#define WAITED ((uint64_t)1 << 63)

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
	if (region && word == csysi_upper_half(&SEMAPHORE->word)) {
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
	csys_shared_semaphore_wait(SEMAPHORE);
}

static pid_t sleeper(void)
{
	return forked_sleeper(wait_once);
}

static void post(uint32_t n)
{
	assert_int_equal(csys_shared_semaphore_post(SEMAPHORE, n), 0);
}

static void assert_value(uint32_t value)
{
	assert_int_equal(csys_shared_semaphore_value(SEMAPHORE), value);
}

/* ---- one thread ------------------------------------------------------------------------------ */

static void use_alone(void)
{
	assert_value(0);
	assert_int_equal(csys_shared_semaphore_try_wait(SEMAPHORE), CSYS_EAGAIN);
	assert_int_equal(csys_shared_semaphore_wait_until(SEMAPHORE, CSYS_POLL), CSYS_ETIMEDOUT);
	post(3);
	assert_value(3);
	csys_shared_semaphore_wait(SEMAPHORE);
	assert_int_equal(csys_shared_semaphore_try_wait(SEMAPHORE), 0);
	assert_int_equal(csys_shared_semaphore_wait_until(SEMAPHORE, CSYS_POLL), 0);
	assert_value(0);
	assert_int_equal(csys_shared_semaphore_try_wait(SEMAPHORE), CSYS_EAGAIN);
	post(0);
	assert_value(0);
	csys_shared_semaphore_init(SEMAPHORE, 5);
	assert_value(5);
}

static void what_is_posted_can_be_taken(void **state)
{
	(void)state;
	in_each_way(use_alone);
}

static void reach_the_limit(void)
{
	post(MAX);
	assert_int_equal(csys_shared_semaphore_post(SEMAPHORE, 1), CSYS_EINVAL);
	assert_int_equal(csys_shared_semaphore_post(SEMAPHORE, UINT32_MAX), CSYS_EINVAL);
	assert_value(MAX);
	csys_shared_semaphore_wait(SEMAPHORE);
	assert_int_equal(csys_shared_semaphore_post(SEMAPHORE, 2), CSYS_EINVAL);
	post(1);
	assert_value(MAX);
	csys_shared_semaphore_init(SEMAPHORE, MAX);
	assert_int_equal(csys_shared_semaphore_post(SEMAPHORE, 1), CSYS_EINVAL);
	csys_shared_semaphore_init(SEMAPHORE, 0);
	assert_int_equal(csys_shared_semaphore_post(SEMAPHORE, MAX + 1), CSYS_EINVAL);
	assert_value(0);
}

static void a_post_beyond_the_greatest_value_adds_nothing(void **state)
{
	(void)state;
	in_each_way(reach_the_limit);
}

static void init_with_too_many(void)
{
	csys_shared_semaphore_init(SEMAPHORE, MAX + 1);
}

static void misuse(void)
{
	assert_aborts(init_with_too_many, "a semaphore of more than CSYS_SHARED_SEMAPHORE_MAX");
}

static void a_first_value_beyond_the_greatest_aborts(void **state)
{
	(void)state;
	in_each_way(misuse);
}

static void wait_in_vain(void)
{
	csys_deadline deadline = csys_after_ms(5);
	assert_int_equal(csys_shared_semaphore_wait_until(SEMAPHORE, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_deadline_left(deadline) <= 0);
	post(1);
	assert_int_equal(csys_shared_semaphore_wait_until(SEMAPHORE, deadline), 0);
}

static void a_wait_ends_at_its_deadline(void **state)
{
	(void)state;
	with_nap(NO_NAP, wait_in_vain);
	with_nap(1000000, wait_in_vain); /* several naps */
}

static void post_after_a_waiter_has_left(void)
{
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_shared_semaphore_wait_until(SEMAPHORE, csys_after_ms(1)),
				 CSYS_ETIMEDOUT);
		wakes = 0;
		for (int j = 0; j < 5; j++) {
			post(2);
			csys_shared_semaphore_wait(SEMAPHORE);
			csys_shared_semaphore_wait(SEMAPHORE);
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
	in_each_way(post_after_a_waiter_has_left);
}

/* ---- several processes ----------------------------------------------------------------------- */

enum { SLEEPERS = 4, ROUNDS = 2000 };

static void post_before_sleepers(uint32_t each)
{
	pid_t pids[SLEEPERS];
	for (int i = 0; i < SLEEPERS; i++)
		pids[i] = sleeper();
	for (uint32_t posted = 0; posted < SLEEPERS; posted += each) {
		post(each);
		/* Taken by those that were woken; the others are still there for the next post. */
		while (csys_shared_semaphore_value(SEMAPHORE) > 0)
			csys_thread_yield();
	}
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(code_of(pids[i]), 0);
	assert_value(0);
}

static void post_one_by_one(void)
{
	post_before_sleepers(1);
}

static void post_two_by_two(void)
{
	post_before_sleepers(2);
}

static void post_at_once(void)
{
	post_before_sleepers(SLEEPERS);
}

static void a_post_wakes_as_many_as_it_adds(void **state)
{
	(void)state;
	with_nap(NO_NAP, post_one_by_one);
	with_nap(NO_NAP, post_two_by_two);
	with_nap(NO_NAP, post_at_once);
}

/* Two semaphores, and a value that their waiters write in turns. */
static void answer_each(void)
{
	volatile uint32_t *value = (uint32_t *)(void *)(SEMAPHORE + 2);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		csys_shared_semaphore_wait(&SEMAPHORE[0]);
		if (*value != 2 * i + 1)
			_exit(1);
		*value = 2 * i + 2;
		(void)csys_shared_semaphore_post(&SEMAPHORE[1], 1);
	}
}

static void ask_each(void)
{
	volatile uint32_t *value = (uint32_t *)(void *)(SEMAPHORE + 2);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		*value = 2 * i + 1;
		(void)csys_shared_semaphore_post(&SEMAPHORE[0], 1);
		csys_shared_semaphore_wait(&SEMAPHORE[1]);
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
	pid_t pid = forked(answer_each);
	ask_each();
	assert_int_equal(code_of(pid), 0);
	assert_int_equal(pthread_create(&thread, NULL, answer_in_a_thread, NULL), 0);
	ask_each();
	pthread_join(thread, NULL);
}

static void who_takes_one_sees_what_was_done_before_its_post(void **state)
{
	(void)state;
	with_nap(NO_NAP, hand_over);
}

static void take_many(void)
{
	for (int i = 0; i < ROUNDS; i++)
		csys_shared_semaphore_wait(SEMAPHORE);
}

static void post_many(void)
{
	for (int i = 0; i < ROUNDS / 2; i++)
		if (csys_shared_semaphore_post(SEMAPHORE, 2) < 0)
			_exit(1);
}

static void meet(void)
{
	enum { PAIRS = 3 };
	pid_t pids[2 * PAIRS];
	for (int i = 0; i < 2 * PAIRS; i++)
		pids[i] = forked(i % 2 ? post_many : take_many);
	for (int i = 0; i < 2 * PAIRS; i++)
		assert_int_equal(code_of(pids[i]), 0);
	assert_value(0);
}

static void nothing_is_lost_nor_taken_twice(void **state)
{
	(void)state;
	with_nap(NO_NAP, meet);
}

/* ---- deaths ---------------------------------------------------------------------------------- */

static void post_and_die(void)
{
	dies_before_its_wake = 1;
	(void)csys_shared_semaphore_post(SEMAPHORE, 1);
}

static void kill_the_poster(void)
{
	pid_t pid = sleeper();
	await_end(forked(post_and_die));
	assert_int_equal(code_of(pid), 0);
	assert_value(0);
}

static void what_was_posted_stays_if_the_poster_is_killed_before_its_wake(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(SHORT_NAP, kill_the_poster);
}

/* One that is killed when it is woken: it takes no naps. */
static pid_t sleeper_that_dies(void)
{
	dies_after_its_sleep = 1;
	pid_t pid = forked_sleeper_without_naps(wait_once);
	dies_after_its_sleep = 0;
	return pid;
}

static void kill_who_is_woken(void)
{
	pid_t first = sleeper_that_dies();
	pid_t second = sleeper();
	post(1);
	await_end(first);
	assert_int_equal(code_of(second), 0);
	assert_value(0);
}

static void a_sleeper_that_is_killed_when_it_is_woken_takes_nothing(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(SHORT_NAP, kill_who_is_woken);
}

static void kill_two_in_a_row(void)
{
	pid_t first = sleeper_that_dies();
	pid_t second = sleeper_that_dies();
	pid_t third = sleeper();
	post(2);
	await_end(first);
	await_end(second);
	assert_int_equal(code_of(third), 0);
	assert_int_equal(csys_shared_semaphore_try_wait(SEMAPHORE), 0);
	third = sleeper();
	await_end(forked(post_and_die));
	assert_int_equal(code_of(third), 0);
	assert_value(0);
	/* What they leave is a semaphore as any other. */
	pid_t fourth = sleeper();
	post(2);
	assert_int_equal(code_of(fourth), 0);
	assert_value(1);
}

static void several_deaths_in_a_row_hold_nobody_up(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(SHORT_NAP, kill_two_in_a_row);
}

static void kill_or_stop_sleepers(void)
{
	pid_t first = sleeper();
	pid_t second = sleeper();
	pid_t third = sleeper();
	kill_it(first);
	kill(second, SIGSTOP);
	post(1);
	assert_int_equal(code_of(third), 0);
	post(1);
	kill(second, SIGCONT);
	assert_int_equal(code_of(second), 0);
	assert_value(0);
}

static void a_sleeper_that_is_killed_or_stopped_holds_nobody_up(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, kill_or_stop_sleepers);
}

static void take_and_become_another(void)
{
	csys_shared_semaphore_wait(SEMAPHORE);
	(void)csys_shared_semaphore_post(&SEMAPHORE[1], 1);
	execl(helper(), helper(), "stay", (char *)NULL);
	_exit(9);
}

static void take_by_those_that_end(void)
{
	post(3);
	assert_int_equal(code_of(forked(wait_once)), 0);
	pid_t pid = forked(take_and_become_another);
	csys_shared_semaphore_wait(&SEMAPHORE[1]);
	assert_value(1);
	kill_it(pid);
	assert_value(1);
}

static void what_those_have_taken_that_end_does_not_come_back(void **state)
{
	(void)state;
	in_each_way(take_by_those_that_end);
}

/* ---- any bits -------------------------------------------------------------------------------- */

static void use_whatever_it_is(uint64_t bits)
{
	csysi_store_relaxed(&SEMAPHORE->word, bits);
	uint32_t value = csys_shared_semaphore_value(SEMAPHORE);
	assert_true(value <= MAX);
	assert_int_equal(csys_shared_semaphore_post(SEMAPHORE, 1), value < MAX ? 0 : CSYS_EINVAL);
	assert_int_equal(csys_shared_semaphore_wait_until(SEMAPHORE, csys_after_ns(1000)), 0);
	assert_value(value < MAX ? value : MAX - 1);
	int r = csys_shared_semaphore_wait_until(SEMAPHORE, csys_after_ns(1000));
	assert_int_equal(r, value > 0 ? 0 : CSYS_ETIMEDOUT);
}

static void any_bits(void)
{
	for (uint64_t bit = 1; bit != 0; bit <<= 1) {
		use_whatever_it_is(bit);
		use_whatever_it_is(~bit);
		use_whatever_it_is(bit | WAITED);
	}
	use_whatever_it_is(UINT64_MAX);
}

static void any_bytes_are_a_semaphore(void **state)
{
	(void)state;
	in_each_way(any_bits);
}

static void scribble(void)
{
	uint64_t bits = 1;
	for (;;) {
		bits = bits * 6364136223846793005u + 1442695040888963407u;
		csysi_store_relaxed(&SEMAPHORE->word, bits & 0x80000000ffffffffu);
	}
}

static void wait_beside_a_scribbler(void)
{
	pid_t pid = forked(scribble);
	for (int i = 0; i < 200; i++)
		assert_int_equal(csys_shared_semaphore_wait_until(SEMAPHORE, csys_after_ns(100000)),
				 CSYS_ETIMEDOUT);
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
		NAMES_TEST(what_is_posted_can_be_taken),
		NAMES_TEST(a_post_beyond_the_greatest_value_adds_nothing),
		NAMES_TEST(a_first_value_beyond_the_greatest_aborts),
		NAMES_TEST(a_wait_ends_at_its_deadline),
		NAMES_TEST(a_waiter_that_gave_up_costs_one_wake),
		NAMES_TEST(a_post_wakes_as_many_as_it_adds),
		NAMES_TEST(who_takes_one_sees_what_was_done_before_its_post),
		NAMES_TEST(nothing_is_lost_nor_taken_twice),
		NAMES_TEST(what_was_posted_stays_if_the_poster_is_killed_before_its_wake),
		NAMES_TEST(a_sleeper_that_is_killed_when_it_is_woken_takes_nothing),
		NAMES_TEST(several_deaths_in_a_row_hold_nobody_up),
		NAMES_TEST(a_sleeper_that_is_killed_or_stopped_holds_nobody_up),
		NAMES_TEST(what_those_have_taken_that_end_does_not_come_back),
		NAMES_TEST(any_bytes_are_a_semaphore),
		NAMES_TEST(no_wait_outlasts_its_deadline_whatever_others_write),
	};
	return RUN(tests);
}
