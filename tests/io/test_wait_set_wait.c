/*
 * io/test_wait_set_wait.c - promises of csys/io/wait_set.h about waits: timers, deadlines, wakes,
 * threads, signals.
 */
#define _DEFAULT_SOURCE /* setitimer */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/support.h"
#include "support/thread.h"
#include "support/wait_set.h"

/* ---- timers ----------------------------------------------------------------------------- */

static void a_timer_is_told_once_and_never_early(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	int64_t at = csys_now() + 1500000;
	csys_wait_entry timer = add_timer(set, csys_deadline_at(at), 0, 1);
	csys_wait_event event = next(set, CSYS_FOREVER);
	assert_true(csys_now() >= at);
	assert_true(event.token.number == 1 && event.count == 1 && event.result == 0);
	assert_told(set, 0, 0, 0, 0);

	assert_int_equal(csys_wait_set_set_timer(set, timer, CSYS_POLL, 0), 0);
	assert_told(set, 1, 0, 0, 0);
	assert_told(set, 0, 0, 0, 0);
	assert_int_equal(csys_wait_set_set_timer(set, timer, CSYS_POLL, 0), 0);
	assert_int_equal(csys_wait_set_set_timer(set, timer, CSYS_FOREVER, 0), 0);
	assert_told(set, 0, 0, 0, 0); /* it was forgotten */
	csys_wait_set_close(set);
}

static void periods_are_counted_and_do_not_drift(void **state)
{
	(void)state;
	enum { PERIOD = 400000 };
	csys_wait_set *set = opened_set();
	int64_t first = csys_now() - 10 * PERIOD - PERIOD / 2;
	csys_wait_entry timer = add_timer(set, csys_deadline_at(first), PERIOD, 1);
	uint64_t sum = 0;
	for (int i = 0; i < 5; i++) {
		csys_wait_event event = next(set, CSYS_FOREVER);
		int64_t now = csys_now();
		assert_true(event.count >= (i == 0 ? 11 : 1));
		sum += event.count;
		/* So many points, from the first on, lie before now. */
		assert_true(first + (int64_t)(sum - 1) * PERIOD <= now);
	}
	assert_int_equal(csys_wait_set_remove(set, timer), 0);

	/* Its next point is a whole number of periods behind the first, and before one that is 1 ns
	 * later: the earlier one is told first, however late this thread is. */
	first = csys_now() - 3 * PERIOD / 2;
	timer = add_timer(set, csys_deadline_at(first), PERIOD, 1);
	int64_t points = (int64_t)next(set, CSYS_POLL).count;
	assert_true(points >= 2);
	add_timer(set, csys_deadline_at(first + points * PERIOD + 1), 0, 2);
	assert_int_equal(next(set, CSYS_FOREVER).token.number, 1);
	assert_int_equal(csys_wait_set_pause(set, timer), 0);
	assert_int_equal(next(set, CSYS_FOREVER).token.number, 2);

	/* The longest period, and the last point of the clock. */
	assert_int_equal(csys_wait_set_resume(set, timer), 0);
	assert_int_equal(csys_wait_set_set_timer(set, timer, csys_deadline_at(1), INT64_MAX), 0);
	assert_int_equal(next(set, CSYS_POLL).count, 1);
	assert_told(set, 0, 0, 0, 0);
	assert_int_equal(csys_wait_set_set_timer(set, timer, csys_deadline_at(1), 1), 0);
	assert_true(next(set, CSYS_POLL).count > 1000000);
	csys_wait_set_close(set);
}

static void a_timer_that_is_set_while_it_is_paused_waits_for_that(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	csys_wait_entry timer = add_timer(set, CSYS_FOREVER, 0, 1);
	assert_int_equal(csys_wait_set_pause(set, timer), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_wait_set_set_timer(set, timer, CSYS_POLL, 0), 0);
		assert_told(set, 0, 0, 0, 0);
	}
	assert_int_equal(csys_wait_set_resume(set, timer), 0);
	assert_told(set, 1, 0, 0, 0);
	assert_told(set, 0, 0, 0, 0);
	csys_wait_set_close(set);
}

static void timers_come_due_in_their_order(void **state)
{
	(void)state;
	enum { MANY = 500 };
	static csys_wait_entry timers[MANY];
	csys_wait_set *set = opened_set();
	unsigned seed = 1;
	int64_t begin = csys_now() - 100000000;
	for (int i = 0; i < MANY; i++) {
		int at = (i * 311) % MANY; /* each once */
		timers[at] =
			add_timer(set, csys_deadline_at(begin + 1000 * at), 0, 1u + (unsigned)at);
	}
	int left = MANY;
	char is_gone[MANY] = { 0 };
	for (int i = 0; i < MANY / 3; i++) {
		seed = seed * 1103515245u + 12345u;
		unsigned which = (seed >> 8) % MANY;
		if (is_gone[which])
			continue;
		is_gone[which] = 1;
		left--;
		if (which % 2)
			assert_int_equal(csys_wait_set_remove(set, timers[which]), 0);
		else
			assert_int_equal(
				csys_wait_set_set_timer(set, timers[which], CSYS_FOREVER, 0), 0);
	}
	uint64_t last = 0;
	for (; left > 0; left--) {
		uint64_t number = next(set, CSYS_POLL).token.number;
		assert_true(number > last && !is_gone[number - 1]);
		last = number;
	}
	assert_told(set, 0, 0, 0, 0);
	csys_wait_set_close(set);
}

static void a_deadline_and_a_timer_do_not_take_from_each_other(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	csys_wait_event event;
	size_t count;
	add_timer(set, csys_after_s(60), 0, 1);
	assert_int_equal(csys_wait_set_wait_until(set, &event, 1, csys_after_ms(1), &count),
			 CSYS_ETIMEDOUT);
	/* Due at the deadline: it is told. */
	for (int i = 0; i < 20; i++) {
		csys_deadline at = csys_after_us(200);
		csys_wait_entry timer = add_timer(set, at, 0, 2);
		assert_int_equal(next(set, at).token.number, 2);
		assert_int_equal(csys_wait_set_remove(set, timer), 0);
	}
	csys_wait_set_close(set);
}

static int looks;

static int count_looks(void *answer)
{
	looks++;
	return *(int *)answer;
}

static void what_has_no_handle_is_looked_at_and_at_the_deadline_once_more(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	int answer = 0;
	const csys_waitable waitable = { .handle = CSYS_NO_HANDLE,
					 .is_ready = count_looks,
					 .object = &answer };
	csys_wait_entry entry = add(set, waitable, 1);
	for (int i = 1; i < 8; i++) { /* the naps have grown by then */
		assert_told(set, 0, 0, 0, 0);
		assert_true(looks >= i);
	}
	answer = 1;
	assert_told(set, 1, 0, 0, 0);
	assert_told(set, 1, 0, 0, 0);
	answer = 0;
	assert_int_equal(next(set, csys_after_ms(1)).token.number, 0);
	answer = CSYS_EIO;
	assert_int_equal(next(set, CSYS_FOREVER).result, CSYS_EIO);
	assert_int_equal(csys_wait_set_pause(set, entry), 0);
	looks = 0;
	assert_told(set, 0, 0, 0, 0);
	assert_int_equal(looks, 0);
	csys_wait_set_close(set);
}

/* ---- other threads ---------------------------------------------------------------------- */

static void *wait_for_one(void *set)
{
	return (void *)(uintptr_t)next(set, CSYS_FOREVER).token.number;
}

static void additions_and_changes_reach_a_wait_that_is_under_way(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_handle file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0);
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	for (int i = 0; i < 7; i++) {
		csys_wait_set *set = opened_set();
		pthread_t thread;
		void *number;
		csys_wait_entry entry = add(set, csys_waitable_reading(pipe.reader), 9);
		csys_wait_entry timer = add_timer(set, CSYS_FOREVER, 0, 1);
		csys_wait_entry paused = add(set, csys_waitable_writing(pipe.writer), 1);
		assert_int_equal(csys_wait_set_pause(set, paused), 0);
		assert_int_equal(pthread_create(&thread, NULL, wait_for_one, set), 0);
		take_a_nap();
		if (i == 0)
			add(set, csys_waitable_writing(pipe.writer), 1);
		else if (i == 1)
			add(set, csys_waitable_reading(file), 1);
		else if (i == 2)
			add(set, csys_child_waitable(child), 1);
		else if (i == 3)
			add_timer(set, csys_after_us(100), 0, 1);
		else if (i == 4)
			change(set, entry, csys_waitable_writing(pipe.writer), 1);
		else if (i == 5)
			assert_int_equal(csys_wait_set_set_timer(set, timer, CSYS_POLL, 0), 0);
		else
			assert_int_equal(csys_wait_set_resume(set, paused), 0);
		pthread_join(thread, &number);
		assert_int_equal((uintptr_t)number, 1);
		csys_wait_set_close(set);
	}
	close_ends(pipe);
	csys_handle_close(file);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static uint32_t woken; /* atomic */

static void *wait_for_a_wake(void *set)
{
	csys_wait_event event;
	size_t count = 77;
	assert_int_equal(csys_wait_set_wait(set, &event, 1, &count), 0);
	assert_int_equal(count, 0);
	csysi_add_relaxed(&woken, 1);
	csys_wait_set_wake(set); /* the next */
	return NULL;
}

static void a_wake_ends_one_wait(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	pthread_t threads[4];
	csys_wait_event event;
	size_t count = 77;
	csys_wait_set_wake(set);
	csys_wait_set_wake(set);
	assert_int_equal(csys_wait_set_wait(set, &event, 1, &count), 0);
	assert_int_equal(count, 0);
	assert_told(set, 0, 0, 0, 0);

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for_a_wake, set), 0);
	take_a_nap();
	assert_int_equal(csysi_load_relaxed(&woken), 0);
	csys_wait_set_wake(set);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(csysi_load_relaxed(&woken), 4);
	csys_wait_set_wake(set);
	csys_wait_set_close(set);
}

static void a_timer_is_told_to_one_thread(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	pthread_t threads[3];
	uintptr_t sum = 0;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for_one, set), 0);
	take_a_nap();
	for (int i = 0; i < 3; i++)
		add_timer(set, csys_after_us(300), 0, 1u << (4 * i));
	for (int i = 0; i < 3; i++) {
		void *number;
		pthread_join(threads[i], &number);
		sum += (uintptr_t)number;
	}
	assert_int_equal(sum, 0x111);
	csys_wait_set_close(set);
}

static void *wait_to_be_cancelled(void *set)
{
	(void)wait_for_one(set);
	return NULL;
}

static void a_cancelled_wait_leaves_the_set_whole(void **state)
{
	(void)state;
	if (WITH_ASAN)
		skip_because("AddressSanitizer takes the stack of a cancelled thread for broken");
	csys_wait_set *set = opened_set();
	for (int i = 0; i < 5; i++) {
		pthread_t thread;
		void *result;
		assert_int_equal(pthread_create(&thread, NULL, wait_to_be_cancelled, set), 0);
		if (i > 0)
			take_a_nap();
		pthread_cancel(thread);
		pthread_join(thread, &result);
		assert_ptr_equal(result, PTHREAD_CANCELED);
	}
	csys_wait_set_wake(set);
	assert_int_equal(next(set, CSYS_FOREVER).token.number, 0);
	add_timer(set, CSYS_POLL, 0, 1);
	assert_told(set, 1, 0, 0, 0);
	csys_wait_set_close(set);
}

/* ---- signals ---------------------------------------------------------------------------- */

static csys_wait_set *of_the_handler;
static volatile sig_atomic_t calls;

static void count_calls(int number)
{
	(void)number;
	calls++;
}

static void wake_in_handler(int number)
{
	(void)number;
	calls++;
	if (calls == 5)
		csys_wait_set_wake(of_the_handler);
}

/* A signal each 100 us, without SA_RESTART. */
static void begin_storm(void (*handler)(int), struct sigaction *before)
{
	struct sigaction action;
	const struct itimerval often = { { 0, 100 }, { 0, 100 } };
	memset(&action, 0, sizeof action);
	action.sa_handler = handler;
	calls = 0;
	assert_int_equal(sigaction(SIGALRM, &action, before), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
}

static void end_storm(const struct sigaction *before)
{
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_true(signal(SIGALRM, SIG_IGN) != SIG_ERR); /* what is still on its way */
	assert_int_equal(sigaction(SIGALRM, before, NULL), 0);
}

static void signals_interrupt_no_wait(void **state)
{
	(void)state;
	struct sigaction before;
	csys_wait_set *set = opened_set();
	csys_wait_event event;
	size_t count;
	int64_t begin = csys_now();
	begin_storm(count_calls, &before);
	assert_int_equal(csys_wait_set_wait_until(set, &event, 1, csys_after_ms(5), &count),
			 CSYS_ETIMEDOUT);
	assert_true(csys_now() >= begin + 5000000);
	add_timer(set, csys_after_ms(5), 0, 1);
	assert_int_equal(next(set, CSYS_FOREVER).token.number, 1);
	assert_true(csys_now() >= begin + 10000000);
	end_storm(&before);
	assert_true(calls > 0);
	csys_wait_set_close(set);
}

static void a_signal_handler_can_wake(void **state)
{
	(void)state;
	struct sigaction before;
	csys_wait_event event;
	size_t count = 77;
	of_the_handler = opened_set();
	begin_storm(wake_in_handler, &before);
	assert_int_equal(csys_wait_set_wait(of_the_handler, &event, 1, &count), 0);
	assert_int_equal(count, 0);
	end_storm(&before);
	assert_true(calls >= 5);
	csys_wait_set_close(of_the_handler);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_timer_is_told_once_and_never_early),
		TEST(periods_are_counted_and_do_not_drift),
		TEST(a_timer_that_is_set_while_it_is_paused_waits_for_that),
		TEST(timers_come_due_in_their_order),
		TEST(a_deadline_and_a_timer_do_not_take_from_each_other),
		TEST(what_has_no_handle_is_looked_at_and_at_the_deadline_once_more),
		TEST(additions_and_changes_reach_a_wait_that_is_under_way),
		TEST(a_wake_ends_one_wait),
		TEST(a_timer_is_told_to_one_thread),
		TEST(a_cancelled_wait_leaves_the_set_whole),
		TEST(signals_interrupt_no_wait),
		TEST(a_signal_handler_can_wake),
	};
	return RUN(tests);
}
