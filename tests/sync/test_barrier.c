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
	one.word = 0x7fffffff00000000;
	csys_barrier_reset(&one);
	assert_int_equal(one.word, 0x10000);
	one.word = 0x7fffffffffff0000;
	assert_int_equal(csys_barrier_wait(&one, NULL), 0);
	assert_int_equal(one.word, 0);
	/* The low 15 and 16 bits of the number are the same again. */
	assert_int_equal(look_after(32768, 0, csys_after_s(100)), 0);
	assert_int_equal(look_after(65536, 0, csys_after_s(100)), 0);
	assert_int_equal(look_after(ALL_OF_LOWER_PART, 0, csys_after_s(100)), 0);
	/* With a carry from the upper half into the lower one, and beyond the last number. */
	assert_int_equal(look_after(2, 0x7ffffffe00000000, csys_after_s(100)), 0);
	assert_int_equal(look_after(2, 0x7fffffff00000000, csys_after_s(100)), 0);
	assert_int_equal(look_after(2, 0x7fffffffffff0000, csys_after_s(100)), 0);
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
		TEST(init_makes_one_from_any_number),
	};
	return RUN(tests);
}
