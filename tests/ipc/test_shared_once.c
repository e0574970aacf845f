/*
 * ipc/test_shared_once.c - promises of csys/ipc/shared_once.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/atomic.h"
#include "sync/ledger.h"
#include "support/region.h"
#include "support/thread.h"

struct place {
	csys_shared_once once;
	uint32_t runs; /* atomic: how often a body ran, and how often it was told of one before */
	uint32_t told;
	volatile uint32_t value;
};
#define PLACE ((struct place *)OBJECTS)
#define ONCE (&PLACE->once)
#define WAITED 0x80000000u

/* ---- calls that are answered here --------------------------------------------------------- */

/* What a process does in its calls. */
static int dies_before_its_wake, dies_after_its_sleep;

#ifdef CSYS_TEST_WRAPS
uint32_t __real_csysi_os_wake(const uint32_t *word, uint32_t count, int shared);
int __real_csysi_region_wait(const csys_region *in, uint32_t id, const uint32_t *word,
			     uint32_t expected, csys_deadline deadline);
uint32_t __wrap_csysi_os_wake(const uint32_t *word, uint32_t count, int shared);
int __wrap_csysi_region_wait(const csys_region *in, uint32_t id, const uint32_t *word,
			     uint32_t expected, csys_deadline deadline);

uint32_t __wrap_csysi_os_wake(const uint32_t *word, uint32_t count, int shared)
{
	if (region && word == &ONCE->word && dies_before_its_wake)
		raise(SIGKILL);
	return __real_csysi_os_wake(word, count, shared);
}

int __wrap_csysi_region_wait(const csys_region *in, uint32_t id, const uint32_t *word,
			     uint32_t expected, csys_deadline deadline)
{
	count_sleeper();
	int r = __real_csysi_region_wait(in, id, word, expected, deadline);
	if (dies_after_its_sleep)
		raise(SIGKILL);
	return r;
}
#endif

/* ---- bodies ---------------------------------------------------------------------------------- */

static void count_run(int note)
{
	csysi_add_relaxed(&PLACE->runs, 1);
	if (note == CSYS_POISONED)
		csysi_add_relaxed(&PLACE->told, 1);
}

static int fill(void *unused, int note)
{
	(void)unused;
	count_run(note);
	PLACE->value++;
	return 0;
}

static int break_off(void *unused, int note)
{
	(void)unused;
	count_run(note);
	return CSYS_EIO;
}

static int panic_in_it(void *unused, int note)
{
	(void)unused;
	count_run(note);
	csys_panic("inside");
}

static int end_in_it(void *unused, int note)
{
	(void)unused;
	count_run(note);
	pthread_exit(NULL);
}

static int stay_in_it(void *unused, int note)
{
	(void)unused;
	count_run(note);
	reach_step(1);
	stay();
	return 0;
}

static int become_another(void *unused, int note)
{
	(void)unused;
	count_run(note);
	reach_step(1);
	execl(helper(), helper(), "stay", (char *)NULL);
	_exit(9);
}

/* Until the test goes on; and what it returns then. */
static int go_on_when_told(void *result, int note)
{
	count_run(note);
	reach_step(1);
	await_step(2);
	PLACE->value++;
	return *(int *)result;
}

static int call(csys_shared_once_body *body)
{
	return csys_shared_once_call(region, ONCE, body, NULL);
}

static void assert_counts(uint32_t runs, uint32_t told)
{
	assert_int_equal(csysi_load_relaxed(&PLACE->runs), runs);
	assert_int_equal(csysi_load_relaxed(&PLACE->told), told);
	assert_int_equal(csysi_ledger_depth(), 0);
}

/* ---- processes ------------------------------------------------------------------------------- */

static csys_shared_once_body *body_of_children;

static void call_and_end(void)
{
	int result = 0;
	int r = csys_shared_once_call(region, ONCE, body_of_children, &result);
	_exit(-r);
}

static void wait_and_end(void)
{
	_exit(-csys_shared_once_wait(region, ONCE));
}

static pid_t child(void (*function)(void), csys_shared_once_body *body)
{
	body_of_children = body;
	return forked(function);
}

/* A process in the body, where it stays. */
static pid_t runner(csys_shared_once_body *body)
{
	STEPS->step = 0;
	pid_t pid = child(call_and_end, body);
	await_step(1);
	return pid;
}

/* Until a process that was started has announced its sleep. */
static void await_waiter(void)
{
	while (!(csysi_load_acquire(&ONCE->word) & WAITED))
		csys_thread_yield();
	take_a_nap();
}

/* ---- one process ----------------------------------------------------------------------------- */

static void call_twice(void)
{
	csys_region_member member;
	assert_false(csys_shared_once_is_completed(ONCE));
	assert_int_equal(csys_shared_once_wait_until(region, ONCE, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_shared_once_call_until(region, ONCE, fill, NULL, CSYS_POLL), 0);
	assert_true(csys_shared_once_is_completed(ONCE));
	assert_int_equal(call(fill), 0);
	assert_int_equal(csys_shared_once_call_force(region, ONCE, fill, NULL), 0);
	assert_int_equal(csys_shared_once_wait(region, ONCE), 0);
	assert_int_equal(csys_shared_once_holder(region, ONCE, &member), 0);
	assert_counts(1, 0);
}

static void a_body_runs_once(void **state)
{
	(void)state;
	in_each_way(call_twice);
}

static void fail_twice(void)
{
	for (int i = 0; i < 2; i++) {
		assert_int_equal(call(break_off), CSYS_EIO);
		assert_false(csys_shared_once_is_completed(ONCE));
		assert_false(csys_shared_once_is_poisoned(ONCE));
	}
	assert_int_equal(call(fill), 0);
	assert_counts(3, 0);
}

static void a_body_that_fails_leaves_it_as_not_called(void **state)
{
	(void)state;
	in_each_way(fail_twice);
}

static void assert_poisoned_once(void)
{
	assert_true(csys_shared_once_is_poisoned(ONCE));
	assert_int_equal(call(fill), CSYS_EPANICKED);
	assert_int_equal(csys_shared_once_call_until(region, ONCE, fill, NULL, CSYS_POLL),
			 CSYS_EPANICKED);
	assert_int_equal(csys_shared_once_wait(region, ONCE), CSYS_EPANICKED);
	assert_counts(1, 0);
	assert_int_equal(csys_shared_once_call_force(region, ONCE, fill, NULL), 0);
	assert_false(csys_shared_once_is_poisoned(ONCE));
	assert_counts(2, 1);
}

static void call_with_panic(void *unused)
{
	(void)unused;
	(void)!call(panic_in_it);
}

static void catch_a_panic(void)
{
	assert_int_equal(csys_panic_catch(call_with_panic, NULL, NULL), CSYS_EPANICKED);
	assert_poisoned_once();
}

static void a_panic_in_the_body_poisons_it(void **state)
{
	(void)state;
	in_each_way(catch_a_panic);
}

static void *call_and_end_the_thread(void *unused)
{
	(void)unused;
	CHECK(call(end_in_it) == 0 && 0);
	return NULL;
}

static void end_a_thread(void)
{
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, call_and_end_the_thread, NULL), 0);
	pthread_join(thread, NULL);
	assert_poisoned_once();
}

static void the_end_of_the_thread_in_the_body_poisons_it(void **state)
{
	(void)state;
	in_each_way(end_a_thread);
}

static int call_itself(void *unused, int note)
{
	csys_region_member member;
	(void)unused;
	count_run(note);
	assert_int_equal(call(fill), CSYS_EDEADLK);
	assert_int_equal(csys_shared_once_call_force(region, ONCE, fill, NULL), CSYS_EDEADLK);
	assert_int_equal(csys_shared_once_wait(region, ONCE), CSYS_EDEADLK);
	assert_int_equal(csys_shared_once_holder(region, ONCE, &member), 1);
	assert_int_equal(member.pid, getpid());
	return 0;
}

static void nest(void)
{
	assert_int_equal(call(call_itself), 0);
	assert_counts(1, 0);
}

static void a_body_that_waits_for_itself_is_told(void **state)
{
	(void)state;
	in_each_way(nest);
}

static int return_in_a_child(void *unused, int note)
{
	(void)unused;
	count_run(note);
	pid_t pid = fork();
	if (pid == 0)
		return 0;
	int code = code_of(pid);
	assert_int_equal(code, 7);
	assert_false(csys_shared_once_is_completed(ONCE));
	return CSYS_EIO;
}

static void fork_in_the_body(void)
{
	pid_t self = getpid();
	int r = call(return_in_a_child);
	if (getpid() != self)
		_exit(7);
	assert_int_equal(r, CSYS_EIO);
	assert_counts(1, 0);
}

static void a_child_of_the_body_does_nothing(void **state)
{
	(void)state;
	in_each_way(fork_in_the_body);
}

/* ---- several processes ----------------------------------------------------------------------- */

enum { CALLERS = 4 };

static void call_at_once(void)
{
	pid_t pids[CALLERS];
	for (int i = 0; i < CALLERS; i++)
		pids[i] = child(i % 2 ? wait_and_end : call_and_end, fill);
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(code_of(pids[i]), 0);
	assert_int_equal(PLACE->value, 1);
	assert_counts(1, 0);
}

static void of_many_callers_one_runs_it_and_all_see_it(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++)
		with_nap(NO_NAP, call_at_once);
}

static void end_before_sleepers(int result, csys_shared_once_body *next, uint32_t runs)
{
	pid_t pids[CALLERS];
	pid_t pid = fork();
	if (pid == 0)
		_exit(-csys_shared_once_call(region, ONCE, go_on_when_told, &result));
	await_step(1);
	for (int i = 0; i < CALLERS; i++)
		pids[i] = child(i == 1 ? wait_and_end : call_and_end, next);
	await_waiter();
	reach_step(2);
	assert_int_equal(code_of(pid), -result);
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(code_of(pids[i]), 0);
	assert_counts(runs, 0);
}

static void do_it_before_sleepers(void)
{
	end_before_sleepers(0, break_off, 1);
}

static void fail_before_sleepers(void)
{
	end_before_sleepers(CSYS_EIO, fill, 2);
}

static void the_end_of_a_body_wakes_those_that_sleep(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		with_nap(NO_NAP, do_it_before_sleepers);
		with_nap(NO_NAP, fail_before_sleepers);
	}
}

/* ---- deaths ---------------------------------------------------------------------------------- */

static void kill_in_a_row(void)
{
	csys_region_member member = { 0 };
	for (int i = 0; i < 3; i++) {
		pid_t pid = runner(stay_in_it);
		assert_int_equal(csys_shared_once_holder(region, ONCE, &member), 1);
		assert_int_equal(member.pid, pid);
		/* One that stands still is not dead. */
		kill(pid, SIGSTOP);
		assert_int_equal(
			csys_shared_once_call_until(region, ONCE, fill, NULL, csys_after_ms(2)),
			CSYS_ETIMEDOUT);
		assert_int_equal(csys_shared_once_wait_until(region, ONCE, csys_after_ms(2)),
				 CSYS_ETIMEDOUT);
		kill_it(pid);
		assert_int_equal(csys_shared_once_is_poisoned(ONCE), i > 0);
	}
	assert_int_equal(call(fill), 0);
	assert_false(csys_shared_once_is_poisoned(ONCE));
	assert_counts(4, 3);
}

static void after_a_kill_the_next_caller_runs_it_and_is_told(void **state)
{
	(void)state;
	in_each_way(kill_in_a_row);
}

static void kill_before_sleepers(void)
{
	pid_t pids[CALLERS];
	pid_t pid = runner(stay_in_it);
	for (int i = 0; i < CALLERS; i++)
		pids[i] = child(i == 1 ? wait_and_end : call_and_end, fill);
	await_waiter();
	kill_it(pid);
	for (int i = 0; i < CALLERS; i++)
		assert_int_equal(code_of(pids[i]), 0);
	assert_counts(2, 1);
}

static void after_a_kill_one_of_the_sleepers_runs_it(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, kill_before_sleepers);
}

static void fill_and_die(void)
{
	int result = 0;
	dies_before_its_wake = 1;
	(void)!csys_shared_once_call(region, ONCE, go_on_when_told, &result);
}

static void kill_before_the_wake(void)
{
	pid_t pid = forked(fill_and_die);
	await_step(1);
	pid_t second = child(call_and_end, break_off);
	await_waiter();
	reach_step(2);
	await_end(pid);
	assert_int_equal(code_of(second), 0);
	assert_counts(1, 0);
}

static void what_one_has_done_that_is_killed_before_its_wake_is_done(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(SHORT_NAP, kill_before_the_wake);
}

static void kill_runner_and_sleeper(void)
{
	pid_t first = runner(stay_in_it);
	dies_after_its_sleep = 1;
	pid_t second = child(call_and_end, fill);
	dies_after_its_sleep = 0;
	await_sleepers(1);
	pid_t third = child(call_and_end, fill);
	kill_it(first);
	await_end(second);
	assert_int_equal(code_of(third), 0);
	assert_counts(2, 1);
}

static void two_deaths_in_a_row_hold_nobody_up(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(SHORT_NAP, kill_runner_and_sleeper);
}

static void exec_is_as_death(void)
{
	pid_t pid = runner(become_another);
	assert_int_equal(call(fill), 0);
	assert_counts(2, 1);
	kill_it(pid);
}

static void a_process_that_becomes_another_program_is_dead(void **state)
{
	(void)state;
	in_each_way(exec_is_as_death);
}

static void fill_region(void)
{
	pid_t pid = runner(stay_in_it);
	assert_int_equal(call(fill), CSYS_ENOSPC);
	assert_counts(1, 0);
	kill_it(pid);
	assert_int_equal(call(fill), 0);
}

static void without_room_for_a_member_nothing_runs(void **state)
{
	(void)state;
	csys_region_options options = { .members = 1 };
	in_each_way_with(&options, fill_region);
}

/* ---- any bits -------------------------------------------------------------------------------- */

static void any_bits(void)
{
	/* Bodies of members that there are not: dead, or beyond the table. */
	for (uint32_t bits = 1; bits != 0; bits <<= 1) {
		ONCE->word = bits | bits >> 3 | bits << 5;
		int r = csys_shared_once_wait_until(region, ONCE, CSYS_POLL);
		assert_true(r == 0 || r == CSYS_ETIMEDOUT || r == CSYS_EPANICKED);
		assert_int_equal(csys_shared_once_call_force(region, ONCE, fill, NULL), 0);
		assert_int_equal(ONCE->word & ~CSYSI_SHARED_ONCE_MARKS, CSYSI_SHARED_ONCE_COMPLETE);
	}
}

static void any_bytes_are_a_once(void **state)
{
	(void)state;
	in_each_way(any_bits);
}

static void scribble(void)
{
	uint32_t id;
	if (csysi_region_id_until(region, CSYS_FOREVER, &id) < 0)
		_exit(1);
	for (uint32_t bits = 1;; bits = bits * 1664525 + 1013904223)
		csysi_store_relaxed(&ONCE->word, id | (bits & CSYSI_SHARED_ONCE_MARKS));
}

static void wait_beside_a_scribbler(void)
{
	pid_t pid = forked(scribble);
	while (csysi_load_acquire(&ONCE->word) == 0)
		csys_thread_yield();
	for (int i = 0; i < 200; i++) {
		csys_deadline deadline = csys_after_ns(100000);
		int r = i % 2 ? csys_shared_once_wait_until(region, ONCE, deadline)
			      : csys_shared_once_call_until(region, ONCE, fill, NULL, deadline);
		assert_int_equal(r, CSYS_ETIMEDOUT);
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
		NAMES_TEST(a_body_runs_once),
		NAMES_TEST(a_body_that_fails_leaves_it_as_not_called),
		NAMES_TEST(a_panic_in_the_body_poisons_it),
		NAMES_TEST(the_end_of_the_thread_in_the_body_poisons_it),
		NAMES_TEST(a_body_that_waits_for_itself_is_told),
		NAMES_TEST(a_child_of_the_body_does_nothing),
		NAMES_TEST(of_many_callers_one_runs_it_and_all_see_it),
		NAMES_TEST(the_end_of_a_body_wakes_those_that_sleep),
		NAMES_TEST(after_a_kill_the_next_caller_runs_it_and_is_told),
		NAMES_TEST(after_a_kill_one_of_the_sleepers_runs_it),
		NAMES_TEST(what_one_has_done_that_is_killed_before_its_wake_is_done),
		NAMES_TEST(two_deaths_in_a_row_hold_nobody_up),
		NAMES_TEST(a_process_that_becomes_another_program_is_dead),
		NAMES_TEST(without_room_for_a_member_nothing_runs),
		NAMES_TEST(any_bytes_are_a_once),
		NAMES_TEST(no_wait_outlasts_its_deadline_whatever_others_write),
	};
	return RUN(tests);
}
