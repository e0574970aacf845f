/*
 * ipc/test_shared_condvar_death.c - promises of csys/ipc/shared_condvar.h about threads that are
 * killed, and the instants at which they are.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <csys/ipc/shared_condvar.h>

#include "base/atomic.h"
#include "support/region.h"
#include "support/thread.h"

struct objects {
	csys_shared_mutex mutex;
	csys_shared_condvar condvar;
};
#define PLACE ((struct objects *)OBJECTS)
#define MUTEX (&PLACE->mutex)
#define CONDVAR (&PLACE->condvar)
#define WAITED ((uint64_t)1 << 63)
#define MUTEX_WAITED 0x80000000u

enum { SLEEPERS = 4 };

static void lock(void)
{
	CHECK(csys_shared_mutex_lock(region, MUTEX) == 0);
}

static void unlock(void)
{
	csys_shared_mutex_unlock(region, MUTEX);
}

/* ---- calls that are answered here --------------------------------------------------------- */

/* What a process does in its calls. */
static int dies_before_its_wake, dies_after_its_sleep;
static int is_first_nap; /* and the test waits for that */
static void (*before_sleep)(void);
static void (*after_wake)(void);
static void (*after_unlock)(void);
static uint32_t wakes;

#ifdef CSYS_TEST_WRAPS
uint32_t __real_csysi_os_wake(const uint32_t *word, uint32_t count, int shared);
int __real_csysi_region_nap(const uint32_t *word, uint32_t expected, csys_deadline deadline);
uint32_t __wrap_csysi_os_wake(const uint32_t *word, uint32_t count, int shared);
int __wrap_csysi_region_nap(const uint32_t *word, uint32_t expected, csys_deadline deadline);

static void call_once(void (**function)(void))
{
	void (*call)(void) = *function;
	*function = NULL;
	if (call)
		call();
}

uint32_t __wrap_csysi_os_wake(const uint32_t *word, uint32_t count, int shared)
{
	if (region && word == &MUTEX->word)
		call_once(&after_unlock);
	if (!region || word != csysi_upper_half(&CONDVAR->word))
		return __real_csysi_os_wake(word, count, shared);
	wakes++;
	if (dies_before_its_wake)
		raise(SIGKILL);
	uint32_t woken = __real_csysi_os_wake(word, count, shared);
	call_once(&after_wake);
	return woken;
}

int __wrap_csysi_region_nap(const uint32_t *word, uint32_t expected, csys_deadline deadline)
{
	if (is_first_nap)
		count_sleeper();
	is_first_nap = 0;
	call_once(&before_sleep);
	int r = __real_csysi_region_nap(word, expected, deadline);
	if (dies_after_its_sleep)
		raise(SIGKILL);
	return r;
}
#endif

/* ---- sleepers ------------------------------------------------------------------------------ */

/* Wait once, without a predicate: the exit code is the result. */
static void wait_once(void)
{
	lock();
	is_first_nap = 1;
#ifndef CSYS_TEST_WRAPS
	count_sleeper();
#endif
	int r = csys_shared_condvar_wait(region, CONDVAR, MUTEX);
	csys_shared_mutex_assert_held(region, MUTEX);
	unlock();
	_exit(r);
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

static void notify_one(void)
{
	csys_shared_condvar_notify_one(CONDVAR);
}

static void notify_all(void)
{
	csys_shared_condvar_notify_all(CONDVAR);
}

/* ---- instants ------------------------------------------------------------------------------ */

static void notify_before_the_sleep(void)
{
	lock();
	before_sleep = notify_all;
	assert_int_equal(csys_shared_condvar_wait(region, CONDVAR, MUTEX), 0);
	/* One that wakes nobody ends WAITED; the waiter that announced itself sees that too. */
	before_sleep = notify_one;
	assert_int_equal(csys_shared_condvar_wait(region, CONDVAR, MUTEX), 0);
	unlock();
}

static void a_notification_between_the_unlocking_and_the_sleep_is_not_missed(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(NO_NAP, notify_before_the_sleep);
}

static void notify_and_let_the_deadline_pass(void)
{
	notify_all();
	csysi_os_nap(csys_after_ms(10));
}

static void notify_before_the_deadline(void)
{
	lock();
	before_sleep = notify_and_let_the_deadline_pass;
	assert_int_equal(csys_shared_condvar_wait_until(region, CONDVAR, MUTEX, csys_after_ms(5)),
			 0);
	unlock();
}

static void a_notification_beats_a_deadline_that_has_passed_since(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(NO_NAP, notify_before_the_deadline);
}

static void notify_right_after_the_unlocking(void)
{
	lock();
	csysi_or_relaxed(&MUTEX->word, MUTEX_WAITED); /* so that it wakes */
	after_unlock = notify_all;
	assert_int_equal(csys_shared_condvar_wait_until(region, CONDVAR, MUTEX, csys_after_s(10)),
			 0);
	assert_null(after_unlock);
	unlock();
}

static void a_waiter_is_announced_before_it_unlocks(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(NO_NAP, notify_right_after_the_unlocking);
}

static pid_t late;

static void start_late_sleeper(void)
{
	late = sleeper();
}

static void sleep_after_the_wake(void)
{
	lock();
	assert_int_equal(csys_shared_condvar_wait_until(region, CONDVAR, MUTEX, CSYS_POLL),
			 CSYS_ETIMEDOUT);
	unlock();
	/* It wakes nobody, and another sleeps before it has ended WAITED: that one is not left. */
	after_wake = start_late_sleeper;
	notify_one();
	notify_one();
	assert_int_equal(code_of(late), 0);
}

static void a_waiter_that_comes_while_a_notification_wakes_nobody_is_not_left(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(NO_NAP, sleep_after_the_wake);
}

/* A waiter that has announced itself and does not sleep before it is told to. */
static void stand(void)
{
	reach_step(1);
	await_step(2);
}

static void start_standing_waiter(void)
{
	before_sleep = stand;
	late = forked(wait_once);
	before_sleep = NULL;
	await_step(1);
}

static void announce_after_the_end_of_waited(void)
{
	STEPS->step = 0;
	lock();
	assert_int_equal(csys_shared_condvar_wait_until(region, CONDVAR, MUTEX, CSYS_POLL),
			 CSYS_ETIMEDOUT);
	unlock();
	after_wake = start_standing_waiter;
	notify_one();
	notify_one(); /* that is for the waiter that stands */
	pid_t other = sleeper();
	reach_step(2);
	assert_int_equal(code_of(late), 0);
	notify_one();
	assert_int_equal(code_of(other), 0);
}

static void a_waiter_whose_announcement_has_ended_is_not_taken_for_another(void **state)
{
	(void)state;
	skip_unless_wrapped();
	if (csys_can(CSYS_CAN_SHARED_WAKE))
		with_nap(NO_NAP, announce_after_the_end_of_waited);
}

static void count_wakes(void)
{
	for (int i = 0; i < 3; i++) {
		lock();
		assert_int_equal(
			csys_shared_condvar_wait_until(region, CONDVAR, MUTEX, csys_after_ms(1)),
			CSYS_ETIMEDOUT);
		unlock();
		wakes = 0;
		for (int j = 0; j < 5; j++)
			notify_one();
		assert_true(wakes == 2);
		lock();
		assert_int_equal(
			csys_shared_condvar_wait_until(region, CONDVAR, MUTEX, csys_after_ms(1)),
			CSYS_ETIMEDOUT);
		unlock();
		wakes = 0;
		for (int j = 0; j < 5; j++)
			notify_all();
		assert_true(wakes == 1);
	}
}

static void a_waiter_that_gave_up_costs_two_wakes_at_most(void **state)
{
	(void)state;
	skip_unless_wrapped();
	in_each_way(count_wakes);
}

/* ---- deaths of notifiers and sleepers -------------------------------------------------------- */

static void notify_one_and_die(void)
{
	dies_before_its_wake = 1;
	notify_one();
}

static void notify_all_and_die(void)
{
	dies_before_its_wake = 1;
	notify_all();
}

static void kill_the_notifier(void)
{
	pid_t first = sleeper();
	pid_t second = sleeper();
	await_end(forked(notify_one_and_die));
	assert_int_equal(code_of(first), 0);
	assert_int_equal(code_of(second), 0);
	first = sleeper();
	second = sleeper();
	await_end(forked(notify_all_and_die));
	assert_int_equal(code_of(first), 0);
	assert_int_equal(code_of(second), 0);
}

static void a_notifier_that_is_killed_before_its_wake_has_notified(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(SHORT_NAP, kill_the_notifier);
}

static void kill_who_is_woken(void)
{
	pid_t first = sleeper_that_dies();
	pid_t second = sleeper();
	notify_one();
	await_end(first);
	assert_int_equal(code_of(second), 0);
}

static void the_wait_of_another_ends_if_one_that_was_woken_is_killed(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(SHORT_NAP, kill_who_is_woken);
}

static void kill_notifier_and_sleeper(void)
{
	pid_t first = sleeper_that_dies();
	pid_t second = sleeper_that_dies();
	pid_t third = sleeper();
	notify_one();
	await_end(first);
	notify_one();
	await_end(second);
	assert_int_equal(code_of(third), 0);
	third = sleeper();
	await_end(forked(notify_one_and_die));
	assert_int_equal(code_of(third), 0);
	third = sleeper();
	notify_one();
	assert_int_equal(code_of(third), 0);
}

static void several_deaths_in_a_row_hold_nobody_up(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(SHORT_NAP, kill_notifier_and_sleeper);
}

static void kill_sleepers(void)
{
	pid_t first = sleeper();
	pid_t second = sleeper();
	pid_t third = sleeper();
	kill_it(first);
	kill_it(second);
	notify_one();
	assert_int_equal(code_of(third), 0);
	/* They are in no count: without waiters a notification finds that out, and ends WAITED. */
	kill_it(sleeper());
	notify_one();
	if (csys_can(CSYS_CAN_SHARED_WAKE))
		assert_true((CONDVAR->word & WAITED) == 0);
}

static void killed_sleepers_leave_nothing_behind(void **state)
{
	(void)state;
	with_nap(NO_NAP, kill_sleepers);
}

static void notify_and_become_another(void)
{
	lock();
	notify_one();
	unlock();
	execl(helper(), helper(), "stay", (char *)NULL);
	_exit(9);
}

static void notify_from_those_that_end(void)
{
	pid_t first = sleeper();
	assert_int_equal(code_of(forked(notify_one)), 0);
	assert_int_equal(code_of(first), 0);
	first = sleeper();
	pid_t pid = forked(notify_and_become_another);
	assert_int_equal(code_of(first), 0);
	kill_it(pid);
}

static void a_notification_outlives_its_notifier(void **state)
{
	(void)state;
	with_nap(NO_NAP, notify_from_those_that_end);
}

/* ---- deaths of holders ----------------------------------------------------------------------- */

static void lock_and_stay(void)
{
	lock();
	reach_step(1);
	stay();
}

static pid_t holder(void)
{
	STEPS->step = 0;
	pid_t pid = forked(lock_and_stay);
	await_step(1);
	return pid;
}

static void assert_told(const pid_t pids[SLEEPERS])
{
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(code_of(pids[i]), CSYS_POISONED);
	csys_shared_mutex_clear_poison(MUTEX);
	assert_false(csys_shared_mutex_is_locked(region, MUTEX));
}

static void kill_a_holder(void)
{
	pid_t pids[SLEEPERS];
	for (int i = 0; i < SLEEPERS; i++)
		pids[i] = sleeper();
	kill_it(holder());
	assert_told(pids);
}

static void those_that_wait_are_told_of_a_holder_that_is_killed(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, kill_a_holder);
}

static void lock_and_become_another(void)
{
	lock();
	execl(helper(), helper(), "stay", (char *)NULL);
	_exit(9);
}

static void *lock_and_end(void *unused)
{
	(void)unused;
	lock();
	return NULL;
}

static void end_holders(void)
{
	pid_t pids[SLEEPERS];
	pthread_t thread;
	for (int i = 0; i < SLEEPERS; i++)
		pids[i] = sleeper();
	pid_t pid = forked(lock_and_become_another);
	assert_told(pids);
	kill_it(pid);
	for (int i = 0; i < SLEEPERS; i++)
		pids[i] = sleeper();
	assert_int_equal(pthread_create(&thread, NULL, lock_and_end, NULL), 0);
	pthread_join(thread, NULL);
	assert_told(pids);
}

static void or_of_one_that_ends_in_another_way(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, end_holders);
}

static void stop_a_holder(void)
{
	pid_t first = sleeper();
	pid_t pid = holder();
	kill(pid, SIGSTOP);
	/* Several naps of the sleeper, which must not take it for dead. */
	csys_deadline later = csys_after_ms(50);
	while (csys_deadline_left(later) > 0)
		take_a_nap();
	assert_true(csys_shared_mutex_is_locked(region, MUTEX));
	notify_one();
	kill_it(pid);
	assert_int_equal(code_of(first), CSYS_POISONED);
}

static void a_holder_that_is_stopped_is_not_dead(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, stop_a_holder);
}

/* Wait for a moment, and once more: both results are told. */
static void wait_for_a_moment(void)
{
	lock();
	reach_step(1);
	await_step(2);
	int r = csys_shared_condvar_wait_until(region, CONDVAR, MUTEX, csys_after_ms(20));
	csys_shared_mutex_assert_held(region, MUTEX);
	int next = csys_shared_condvar_wait_until(region, CONDVAR, MUTEX, csys_after_ms(1));
	unlock();
	_exit(r == CSYS_POISONED && next == CSYS_ETIMEDOUT ? 0 : 1);
}

static void kill_the_holder_after_the_deadline(void)
{
	pid_t first = forked(wait_for_a_moment);
	await_step(1);
	pid_t second = forked(lock_and_stay); /* which gets it from the first */
	while (!(csysi_load_acquire(&MUTEX->word) & MUTEX_WAITED))
		csys_thread_yield();
	reach_step(2);
	await_step(1);
	/* The first wants it back, after its deadline, and says so once more. */
	csysi_and_relaxed(&MUTEX->word, ~MUTEX_WAITED);
	while (!(csysi_load_acquire(&MUTEX->word) & MUTEX_WAITED))
		csys_thread_yield();
	take_a_nap();
	kill_it(second);
	assert_int_equal(code_of(first), 0);
}

static void a_timeout_does_not_hide_that_the_holder_was_killed(void **state)
{
	(void)state;
	in_each_way(kill_the_holder_after_the_deadline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_notification_between_the_unlocking_and_the_sleep_is_not_missed),
		NAMES_TEST(a_notification_beats_a_deadline_that_has_passed_since),
		NAMES_TEST(a_waiter_is_announced_before_it_unlocks),
		NAMES_TEST(a_waiter_that_comes_while_a_notification_wakes_nobody_is_not_left),
		NAMES_TEST(a_waiter_whose_announcement_has_ended_is_not_taken_for_another),
		NAMES_TEST(a_waiter_that_gave_up_costs_two_wakes_at_most),
		NAMES_TEST(a_notifier_that_is_killed_before_its_wake_has_notified),
		NAMES_TEST(the_wait_of_another_ends_if_one_that_was_woken_is_killed),
		NAMES_TEST(several_deaths_in_a_row_hold_nobody_up),
		NAMES_TEST(killed_sleepers_leave_nothing_behind),
		NAMES_TEST(a_notification_outlives_its_notifier),
		NAMES_TEST(those_that_wait_are_told_of_a_holder_that_is_killed),
		NAMES_TEST(or_of_one_that_ends_in_another_way),
		NAMES_TEST(a_holder_that_is_stopped_is_not_dead),
		NAMES_TEST(a_timeout_does_not_hide_that_the_holder_was_killed),
	};
	return RUN(tests);
}
