/*
 * os/test_wake.c - exam: sleeping and waking on a word.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/os.h"
#include "support/support.h"

static void another_value_returns_at_once(void **state)
{
	(void)state;
	uint32_t word = 1;
	assert_int_equal(csysi_os_wait(&word, 2, CSYS_FOREVER, 0), 0);
	assert_int_equal(csysi_os_wait(&word, 2, CSYS_FOREVER, 1), 0);
}

/* Returns without cause are allowed, so wait in a loop as users do. */
static int wait_to_the_end(uint32_t *word, uint32_t expected, csys_deadline deadline, int shared)
{
	int r = 0;
	while (r == 0 && csysi_load_acquire(word) == expected)
		r = csysi_os_wait(word, expected, deadline, shared);
	return r;
}

static void a_wait_ends_at_its_deadline_and_not_before(void **state)
{
	(void)state;
	for (int shared = 0; shared <= 1; shared++) {
		uint32_t word = 1;
		csys_deadline deadline = csys_after_ms(5);
		assert_int_equal(wait_to_the_end(&word, 1, deadline, shared), CSYS_ETIMEDOUT);
		assert_true(csys_now() >= csys_deadline_ns(deadline));
		assert_int_equal(wait_to_the_end(&word, 1, CSYS_POLL, shared), CSYS_ETIMEDOUT);
		assert_int_equal(wait_to_the_end(&word, 1, csys_deadline_at(1), shared),
				 CSYS_ETIMEDOUT);
	}
}

/* Two words and two threads hand a turn back and forth; one lost wake hangs it. */
struct game {
	uint32_t turn;
	int shared;
};

static void play(struct game *game, uint32_t mine, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		wait_to_the_end(&game->turn, !mine, CSYS_FOREVER, game->shared);
		/* Release pairs with the acquire in wait_to_the_end. */
		csysi_store_release(&game->turn, !mine);
		csysi_os_wake(&game->turn, 1, game->shared);
	}
}

static void *other_player(void *game)
{
	play(game, 1, 2000);
	return NULL;
}

static void no_wake_is_lost_between_threads(void **state)
{
	(void)state;
	struct game game = { 0, 0 };
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, other_player, &game), 0);
	play(&game, 0, 2000);
	pthread_join(thread, NULL);
	assert_int_equal(game.turn, 0);
}

static void no_wake_is_lost_between_processes(void **state)
{
	(void)state;
	struct game *game =
		mmap(NULL, sizeof *game, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(game != MAP_FAILED);
	game->shared = 1;
	pid_t pid = fork();
	if (pid == 0) {
		play(game, 1, 200);
		_exit(0);
	}
	play(game, 0, 200);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	munmap(game, sizeof *game);
}

static uint32_t far_gate;

static void *open_far_gate(void *unused)
{
	(void)unused;
	/* Release pairs with the acquire in wait_to_the_end. */
	csysi_store_release(&far_gate, 1);
	csysi_os_wake(&far_gate, 1, 0);
	return NULL;
}

static void a_deadline_may_be_later_than_the_system_can_tell(void **state)
{
	(void)state;
	const int64_t year = INT64_C(365) * 24 * 3600;
	for (int64_t years = 50; years <= 250; years += 100) {
		pthread_t thread;
		far_gate = 0;
		assert_int_equal(pthread_create(&thread, NULL, open_far_gate, NULL), 0);
		assert_int_equal(wait_to_the_end(&far_gate, 0, csys_after_s(years * year), 0), 0);
		pthread_join(thread, NULL);
		/* Also if it was not slow enough for a sleep. */
		uint32_t word = 0;
		(void)csysi_os_wait(&word, 1, csys_after_s(years * year), 0);
	}
}

static uint32_t gate;
static uint32_t passed;

static void *wait_at_gate(void *unused)
{
	(void)unused;
	wait_to_the_end(&gate, 0, CSYS_FOREVER, 0);
	__atomic_fetch_add(&passed, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void waking_all_wakes_all(void **state)
{
	(void)state;
	pthread_t threads[8];
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_at_gate, NULL), 0);
	/* Release pairs with the acquire in wait_to_the_end. */
	csysi_store_release(&gate, 1);
	csysi_os_wake(&gate, UINT32_MAX, 0);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(passed, 8);
}

static void waking_nobody_is_nothing(void **state)
{
	(void)state;
	uint32_t word = 0;
	csysi_os_wake(&word, 1, 0);
	csysi_os_wake(&word, UINT32_MAX, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(another_value_returns_at_once),
		TEST(a_wait_ends_at_its_deadline_and_not_before),
		TEST(a_deadline_may_be_later_than_the_system_can_tell),
		TEST(no_wake_is_lost_between_threads),
		TEST(no_wake_is_lost_between_processes),
		TEST(waking_all_wakes_all),
		TEST(waking_nobody_is_nothing),
	};
	return RUN(tests);
}
