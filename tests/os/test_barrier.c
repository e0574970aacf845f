/*
 * os/test_barrier.c - promises of os/barrier.h and of the word in os/cpu.h.
 */
#include <pthread.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"
#include "support/support.h"
#include "support/thread.h"

enum { ROUNDS = 20000 };

/* In each round, `begun` and `ended`, both threads write one word and read the other's. */
static uint32_t written[2], begun, ended, seen;

/* Without a fence: only the compiler keeps the order. */
static void *write_and_read_without_a_fence(void *argument)
{
	(void)argument;
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		for (int tries = 0; csysi_load_acquire(&begun) != round; tries++)
			csysi_spin_let_on(tries);
		csysi_store_relaxed(&written[0], round);
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		csysi_store_relaxed(&seen, csysi_load_relaxed(&written[1]));
		csysi_store_release(&ended, round);
	}
	return NULL;
}

static void of_two_threads_one_sees_the_other_if_one_makes_a_barrier(void **state)
{
	(void)state;
	pthread_t thread;
	if (!csysi_os_barrier_is_there())
		skip_because("this system makes no barrier in other threads");
	assert_int_equal(pthread_create(&thread, NULL, write_and_read_without_a_fence, NULL), 0);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		csysi_store_release(&begun, round);
		/* The other thread sees it a while later; the moments of the two writes vary. */
		for (uint32_t i = 0; i < round % 32; i++)
			csys_spin_hint();
		csysi_store_relaxed(&written[1], round);
		csysi_os_barrier();
		uint32_t mine = csysi_load_relaxed(&written[0]);
		for (int tries = 0; csysi_load_acquire(&ended) != round; tries++)
			csysi_spin_let_on(tries);
		assert_true(mine == round || csysi_load_relaxed(&seen) == round);
	}
	pthread_join(thread, NULL);
}

static void whether_it_is_there_does_not_change(void **state)
{
	(void)state;
	int is = csysi_os_barrier_is_there();
	for (int i = 0; i < 3; i++)
		assert_int_equal(csysi_os_barrier_is_there(), is);
}

static void *ask_for_the_word(void *argument)
{
	*(const uint32_t **)argument = csysi_os_cpu_word();
	const uint32_t *word = csysi_os_cpu_word();
	for (int i = 0; word && i < 1000; i++) {
		int cpu = csysi_os_cpu();
		uint32_t number = csysi_load_relaxed(word);
		/* Unless it has moved in between. */
		if (cpu == csysi_os_cpu())
			assert_int_equal(number, cpu);
	}
	return NULL;
}

static void each_thread_has_a_word_with_the_number_of_its_cpu(void **state)
{
	(void)state;
	const uint32_t *mine, *other;
	ask_for_the_word(&mine);
	run_threads(1, ask_for_the_word, &other);
	if (!mine)
		skip_because("this system keeps no number of the CPU");
	assert_true(mine != other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_two_threads_one_sees_the_other_if_one_makes_a_barrier),
		TEST(whether_it_is_there_does_not_change),
		TEST(each_thread_has_a_word_with_the_number_of_its_cpu),
	};
	return RUN(tests);
}
