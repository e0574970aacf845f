/*
 * sync/test_barrier.c - promises of csys/sync/barrier.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <signal.h>

#include "support/support.h"
#include "support/thread.h"

#define ROUNDS 300

static csys_barrier barrier = CSYS_BARRIER_INIT(4);
static int leaders; /* atomic */
static int step[4];
static int selves;

static void *go_in_step(void *argument)
{
	(void)argument;
	int self = __atomic_fetch_add(&selves, 1, __ATOMIC_RELAXED);
	for (int round = 1; round <= ROUNDS; round++) {
		int is_leader = 77;
		step[self] = round; /* seen by all behind the barrier, without being atomic */
		assert_int_equal(csys_barrier_wait(&barrier, &is_leader), 0);
		for (int i = 0; i < 4; i++)
			assert_int_equal(step[i], round);
		assert_true(is_leader == 0 || is_leader == 1);
		__atomic_fetch_add(&leaders, is_leader, __ATOMIC_RELAXED);
		assert_int_equal(csys_barrier_wait(&barrier, NULL), 0);
	}
	return NULL;
}

static void all_come_before_one_goes_and_one_leads(void **state)
{
	(void)state;
	assert_true(sizeof barrier <= 16);
	leaders = selves = 0;
	run_threads(4, go_in_step, NULL);
	assert_int_equal(leaders, ROUNDS);
}

static void none_and_one_do_not_wait(void **state)
{
	(void)state;
	csys_barrier zero = CSYS_BARRIER_INIT(0), one = CSYS_BARRIER_INIT(1);
	for (int i = 0; i < 3; i++) {
		int is_leader = 0;
		assert_int_equal(csys_barrier_wait(&zero, &is_leader), 0);
		assert_int_equal(is_leader, 1);
		assert_int_equal(csys_barrier_wait_until(&one, CSYS_POLL, &is_leader), 0);
	}
}

static csys_barrier two = CSYS_BARRIER_INIT(2);

static void *wait_at_two(void *argument)
{
	*(int *)argument = csys_barrier_wait(&two, NULL);
	return NULL;
}

static void one_that_gives_up_has_not_come(void **state)
{
	(void)state;
	pthread_t thread;
	int result = 77, is_leader = 77;
	csys_deadline deadline = csys_after_ms(2);
	assert_int_equal(csys_barrier_wait_until(&two, deadline, &is_leader), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	assert_int_equal(is_leader, 77);
	assert_int_equal(two.word & 0xffff, 0);
	/* So it still takes two. */
	assert_int_equal(pthread_create(&thread, NULL, wait_at_two, &result), 0);
	assert_int_equal(csys_barrier_wait(&two, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(result, 0);
}

/* A thread is kept from looking at the barrier, by a signal, while rounds go by. */
static int is_kept, may_look; /* atomic */

static void keep(int signal)
{
	(void)signal;
	__atomic_store_n(&is_kept, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&may_look, __ATOMIC_SEQ_CST))
		sched_yield();
}

struct late {
	csys_barrier barrier;
	csys_deadline deadline;
	int result;
};

static void *wait_late(void *argument)
{
	struct late *late = argument;
	late->result = csys_barrier_wait_until(&late->barrier, late->deadline, NULL);
	return NULL;
}

/* So many that the lower part of the number is the same again: too many for a test to go through,
 * so it puts the word there. */
#define ALL_OF_LOWER_PART 0

/* How it ends for a thread whose round is over since so many rounds. */
static int look_after(int rounds, uint64_t start, csys_deadline deadline)
{
	struct late late = { CSYS_BARRIER_INIT(2), deadline, 77 };
	struct sigaction action = { .sa_handler = keep, .sa_flags = SA_RESTART }, before;
	pthread_t thread;

	late.barrier.word = start;
	is_kept = may_look = 0;
	sigaction(SIGUSR1, &action, &before);
	assert_int_equal(pthread_create(&thread, NULL, wait_late, &late), 0);
	while ((__atomic_load_n(&late.barrier.word, __ATOMIC_RELAXED) & 0xffff) == 0)
		take_a_nap();
	pthread_kill(thread, SIGUSR1);
	while (!__atomic_load_n(&is_kept, __ATOMIC_SEQ_CST))
		take_a_nap();
	assert_int_equal(csys_barrier_wait(&late.barrier, NULL), 0); /* its round is over */
	for (int i = 1; i < rounds; i++)
		csys_barrier_reset(&late.barrier); /* a round that nobody came to */
	if (rounds == ALL_OF_LOWER_PART)
		late.barrier.word = start + 0x10000;
	uint64_t word = late.barrier.word;
	__atomic_store_n(&may_look, 1, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	sigaction(SIGUSR1, &before, NULL);
	assert_int_equal(late.barrier.word, word); /* and it withdrew from no other one */
	return late.result;
}

static void a_thread_may_look_any_number_of_rounds_later(void **state)
{
	(void)state;
	/* The number of the round is in two parts, which count as one. */
	csys_barrier one = CSYS_BARRIER_INIT(1);
	one.word = 0x1fffffff00000000;
	csys_barrier_reset(&one);
	assert_int_equal(one.word, 0x10000);
	one.word = 0x1fffffffffff0000;
	assert_int_equal(csys_barrier_wait(&one, NULL), 0);
	assert_int_equal(one.word, 0);
	/* The low 15 and 16 bits of the number are the same again. */
	assert_int_equal(look_after(32768, 0, csys_after_s(100)), 0);
	assert_int_equal(look_after(65536, 0, csys_after_s(100)), 0);
	assert_int_equal(look_after(ALL_OF_LOWER_PART, 0, csys_after_s(100)), 0);
	/* With a carry from the upper half into the lower one, and beyond the last number. */
	assert_int_equal(look_after(2, 0x1ffffffe00000000, csys_after_s(100)), 0);
	assert_int_equal(look_after(2, 0x1fffffff00000000, csys_after_s(100)), 0);
	assert_int_equal(look_after(2, 0x1fffffffffff0000, csys_after_s(100)), 0);
}

static void abort_sends_all_home_until_reset(void **state)
{
	(void)state;
	pthread_t thread;
	int result = 77;
	assert_int_equal(pthread_create(&thread, NULL, wait_at_two, &result), 0);
	while ((__atomic_load_n(&two.word, __ATOMIC_RELAXED) & 0xffff) == 0)
		take_a_nap();
	csys_barrier_abort(&two);
	pthread_join(thread, NULL);
	assert_int_equal(result, CSYS_ECANCELED);
	assert_int_equal(csys_barrier_wait(&two, NULL), CSYS_ECANCELED);
	csys_barrier_reset(&two);
	result = 77;
	assert_int_equal(pthread_create(&thread, NULL, wait_at_two, &result), 0);
	assert_int_equal(csys_barrier_wait(&two, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(result, 0);
}

/* ---- leaving ---------------------------------------------------------------------------- */

static void leaving_counts_for_this_round_and_all_later_ones(void **state)
{
	(void)state;
	csys_barrier three = CSYS_BARRIER_INIT(3);
	csys_barrier_leave(&three);
	assert_int_equal(csys_barrier_wait_until(&three, CSYS_POLL, NULL), CSYS_ETIMEDOUT);
	csys_barrier_leave(&three);
	for (int i = 0; i < 5; i++) {
		int is_leader = 0;
		assert_int_equal(csys_barrier_wait_until(&three, CSYS_POLL, &is_leader), 0);
		assert_int_equal(is_leader, 1);
	}
	/* After the last one, and once more, nothing is waited for. */
	csys_barrier_leave(&three);
	csys_barrier_leave(&three);
	assert_int_equal(csys_barrier_wait_until(&three, CSYS_POLL, NULL), 0);
	csys_barrier zero = CSYS_BARRIER_INIT(0);
	csys_barrier_leave(&zero);
	assert_int_equal(csys_barrier_wait_until(&zero, CSYS_POLL, NULL), 0);
}

struct led {
	csys_barrier barrier;
	int leaders; /* atomic */
	int waits;
};

static void *wait_and_lead(void *argument)
{
	struct led *led = argument;
	for (int i = 0; i < led->waits; i++) {
		int is_leader = 0;
		assert_int_equal(csys_barrier_wait(&led->barrier, &is_leader), 0);
		__atomic_fetch_add(&led->leaders, is_leader, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void the_leader_of_a_round_that_ends_by_leaving_is_a_thread_that_waits(void **state)
{
	(void)state;
	for (int round = 0; round < 100; round++) {
		struct led led = { CSYS_BARRIER_INIT(4), 0, 3 };
		pthread_t threads[3];
		for (int i = 0; i < 3; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, wait_and_lead, &led), 0);
		/* Asleep, or not yet there. */
		while (round % 2 && (__atomic_load_n(&led.barrier.word, __ATOMIC_RELAXED) & 3) != 3)
			take_a_nap();
		csys_barrier_leave(&led.barrier);
		for (int i = 0; i < 3; i++)
			pthread_join(threads[i], NULL);
		assert_int_equal(led.leaders, 3);
	}
}

static void a_deadline_beside_a_leaving_loses_no_round(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		csys_barrier pair = CSYS_BARRIER_INIT(2);
		struct late late = { pair, csys_after_us(60 + round % 40), 77 };
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, wait_late, &late), 0);
		csys_thread_sleep_until(late.deadline);
		csys_barrier_leave(&late.barrier);
		pthread_join(thread, NULL);
		assert_true(late.result == 0 || late.result == CSYS_ETIMEDOUT);
		assert_int_equal(csys_barrier_wait_until(&late.barrier, CSYS_POLL, NULL), 0);
		assert_int_equal(late.barrier.word & 0xffff, 1);
	}
}

/* Threads with deadlines, some of which leave after a round that they gave up. */
static void *wait_or_leave(void *argument)
{
	struct led *led = argument;
	int self = __atomic_fetch_add(&led->waits, 1, __ATOMIC_RELAXED);
	for (int round = 0; round < 20; round++) {
		int is_leader = 0, r;
		do
			r = csys_barrier_wait_until(&led->barrier, csys_after_us(10 + 20 * self),
						    &is_leader);
		while (r == CSYS_ETIMEDOUT && (self == 0 || round != 4 * self));
		if (r == CSYS_ETIMEDOUT)
			break;
		__atomic_fetch_add(&led->leaders, is_leader, __ATOMIC_RELAXED);
		if (self != 0 && round == 4 * self)
			break;
	}
	if (self != 0)
		csys_barrier_leave(&led->barrier);
	return NULL;
}

static void threads_that_give_up_and_leave_are_not_waited_for(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		struct led led = { CSYS_BARRIER_INIT(4), 0, 0 };
		run_threads(4, wait_or_leave, &led);
		assert_int_equal(led.leaders, 20);
		assert_int_equal(led.barrier.left, 3);
		assert_int_equal(led.barrier.word & 0xffff, 3);
	}
}

static void an_aborted_barrier_can_be_left(void **state)
{
	(void)state;
	csys_barrier three = CSYS_BARRIER_INIT(3);
	csys_barrier_abort(&three);
	csys_barrier_leave(&three);
	csys_barrier_leave(&three);
	assert_int_equal(csys_barrier_wait(&three, NULL), CSYS_ECANCELED);
	csys_barrier_reset(&three);
	assert_int_equal(csys_barrier_wait_until(&three, CSYS_POLL, NULL), 0);
}

static csys_barrier of_three = CSYS_BARRIER_INIT(3);

static void leave_it(void *argument)
{
	csys_barrier_leave(argument);
}

static void ignore(const csys_panic_info *info, void *context)
{
	(void)info;
	(void)context;
}

/* The first one panics half way; the others go on without it. */
static void *work(void *argument)
{
	int self = *(int *)argument;
	assert_int_equal(csys_thread_at_exit(leave_it, &of_three), 0);
	for (int round = 0; round < 50; round++) {
		if (self == 0 && round == 25)
			csys_panic("a worker that fails");
		assert_int_equal(csys_barrier_wait(&of_three, NULL), 0);
	}
	return NULL;
}

static void a_thread_that_panics_leaves_by_its_hook_and_no_round_hangs(void **state)
{
	(void)state;
	csys_thread *threads[3];
	int selves_of[3] = { 0, 1, 2 };
	csys_panic_hook *before;
	void *context;
	csys_panic_get_hook(&before, &context);
	csys_panic_set_hook(ignore, NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(csys_thread_spawn(work, &selves_of[i], NULL, &threads[i]), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_thread_join(threads[i], NULL), i == 0 ? CSYS_EPANICKED : 0);
		csys_thread_unref(threads[i]);
	}
	csys_panic_set_hook(before, context);
}

/* The round needs the thread that leaves, which does not touch the barrier after its arrival. */
static void *wait_and_free(void *argument)
{
	csys_barrier *mine = argument;
	assert_int_equal(csys_barrier_wait(mine, NULL), 0);
	free(mine);
	return NULL;
}

static void it_may_be_freed_when_the_last_thread_that_waits_returns(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		csys_barrier *mine = malloc(sizeof *mine);
		pthread_t thread;
		csys_barrier_init(mine, 2);
		assert_int_equal(pthread_create(&thread, NULL, wait_and_free, mine), 0);
		if (round % 2)
			take_a_nap();
		csys_barrier_leave(mine);
		pthread_join(thread, NULL);
	}
}

static void init_too_many(void)
{
	csys_barrier one;
	csys_barrier_init(&one, CSYS_BARRIER_MAX + 1);
}

static void init_makes_one_from_any_number(void **state)
{
	(void)state;
	csys_barrier *made = malloc(sizeof *made);
	const uint32_t number = 3;
	memset(made, 0xff, sizeof *made);
	csys_barrier_init(made, number);
	csys_barrier same = CSYS_BARRIER_INIT(3);
	assert_memory_equal(&made->word, &same.word, sizeof same.word);
	assert_int_equal(made->count, same.count);
	csys_barrier_init(made, CSYS_BARRIER_MAX);
	free(made);
	assert_aborts(init_too_many, "csys: a barrier for more than CSYS_BARRIER_MAX\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_come_before_one_goes_and_one_leads),
		TEST(none_and_one_do_not_wait),
		TEST(one_that_gives_up_has_not_come),
		TEST(a_thread_may_look_any_number_of_rounds_later),
		TEST(abort_sends_all_home_until_reset),
		TEST(leaving_counts_for_this_round_and_all_later_ones),
		TEST(the_leader_of_a_round_that_ends_by_leaving_is_a_thread_that_waits),
		TEST(a_deadline_beside_a_leaving_loses_no_round),
		TEST(threads_that_give_up_and_leave_are_not_waited_for),
		TEST(an_aborted_barrier_can_be_left),
		TEST(a_thread_that_panics_leaves_by_its_hook_and_no_round_hangs),
		TEST(it_may_be_freed_when_the_last_thread_that_waits_returns),
		TEST(init_makes_one_from_any_number),
	};
	return RUN(tests);
}
