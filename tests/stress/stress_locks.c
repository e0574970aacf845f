/*
 * stress/stress_locks.c - many threads at one mutex and its condvars, in short
 * rounds.
 *
 *     stress_locks [seed [rounds [threads]]]
 *
 * Rounds are short and end together.  Under steady load a lost wake heals, for
 * the next thread in the queue wakes the forgotten one; at the end of a round
 * there is no next thread, and the loss becomes a hang, which the alarm ends.
 *
 * Timed and untimed waits are mixed, so that timeouts race with wakes, fair
 * unlocks with others, notifications of one and of all, under the mutex and not.
 * The condvars carry tokens between the threads, each from one that has it to one
 * that needs it; in the end the sums must be right.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "support/support.h"

#define MOST 64
#define STEPS 60

static csys_mutex lock;
static csys_condvar is_there, is_gone;
static pthread_barrier_t start;

/* All under lock. */
static int inside;
static int tokens;
static int left_to_give, left_to_take;

static unsigned roll(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static csys_deadline soon(unsigned *seed)
{
	return csys_after_ns(roll(seed) % 60000);
}

static void broken(const char *what)
{
	fprintf(stderr, "stress_locks: %s\n", what);
	abort();
}

static int enter(unsigned *seed)
{
	int r;
	switch (roll(seed) % 4) {
	case 0:
		r = csys_mutex_lock_until(&lock, soon(seed));
		break;
	case 1:
		r = csys_mutex_try_lock(&lock);
		break;
	default:
		r = csys_mutex_lock(&lock);
	}
	if (r == CSYS_POISONED)
		broken("poisoned");
	if (r < 0)
		return 0;
	if (inside++ != 0)
		broken("two are inside");
	return 1;
}

static void leave(unsigned *seed)
{
	inside--;
	if (roll(seed) % 8 == 0)
		csys_mutex_unlock_fair(&lock);
	else
		csys_mutex_unlock(&lock);
}

/* Wait on a condvar, with the mutex held. */
static void wait_a_while(csys_condvar *condvar, unsigned *seed)
{
	inside--;
	if (roll(seed) % 2 == 0)
		csys_condvar_wait(condvar, &lock);
	else if (csys_condvar_wait_until(condvar, &lock, soon(seed)) == CSYS_POISONED)
		broken("poisoned");
	if (inside++ != 0)
		broken("two are inside after a wait");
}

static void notify(csys_condvar *condvar, unsigned *seed)
{
	/* notify_one could go to a thread whose timed wait ends anyway, and which then has
	 * no need of it; each passes it on, see below. */
	if (roll(seed) % 4 == 0)
		csys_condvar_notify_all(condvar);
	else
		csys_condvar_notify_one(condvar);
}

static void give(unsigned *seed)
{
	if (!enter(seed))
		return;
	if (left_to_give > 0 && tokens < 2) {
		left_to_give--;
		tokens++;
		if (roll(seed) % 2 == 0) {
			notify(&is_there, seed);
			leave(seed);
			return;
		}
		leave(seed);
		notify(&is_there, seed);
		return;
	}
	if (left_to_give > 0)
		wait_a_while(&is_gone, seed);
	leave(seed);
}

static void take(unsigned *seed)
{
	if (!enter(seed))
		return;
	if (tokens > 0) {
		tokens--;
		left_to_take--;
		/* A thread that waits for what will never come must hear of that too. */
		if (left_to_take == 0)
			csys_condvar_notify_all(&is_there);
		if (left_to_give == 0)
			csys_condvar_notify_all(&is_gone);
		else
			notify(&is_gone, seed);
	} else if (left_to_take > 0) {
		wait_a_while(&is_there, seed);
	}
	leave(seed);
}

struct thread {
	pthread_t id;
	unsigned seed;
	int gives;
};

static int is_over(int gives)
{
	csys_mutex_lock(&lock);
	int over = gives ? left_to_give == 0 : left_to_take == 0;
	csys_mutex_unlock(&lock);
	return over;
}

static void *run(void *argument)
{
	struct thread *thread = argument;

	pthread_barrier_wait(&start);
	while (!is_over(thread->gives)) {
		if (thread->gives)
			give(&thread->seed);
		else
			take(&thread->seed);
		for (unsigned i = roll(&thread->seed) % 3; i > 0; i--)
			sched_yield();
	}
	/* A token's notification may have gone to a thread that needed none any more. */
	csys_condvar_notify_all(&is_there);
	csys_condvar_notify_all(&is_gone);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned seed = argc > 1 && atoi(argv[1]) ? (unsigned)atoi(argv[1]) : (unsigned)time(NULL);
	int rounds = argc > 2 ? atoi(argv[2]) : 300;
	int count = argc > 3 ? atoi(argv[3]) : 8;
	struct thread threads[MOST];

	printf("seed %u, %d rounds, %d threads\n", seed, rounds, count);
	fflush(stdout);
	if (count > MOST || count < 2)
		return 2;
	alarm(800);
	for (int round = 0; round < rounds; round++) {
		left_to_give = left_to_take = STEPS;
		tokens = 0;
		pthread_barrier_init(&start, NULL, (unsigned)count);
		for (int i = 0; i < count; i++) {
			threads[i].seed = seed + (unsigned)(round * count + i) * 7919u;
			threads[i].gives = i % 2;
			if (pthread_create(&threads[i].id, NULL, run, &threads[i]) != 0)
				broken("no thread");
		}
		for (int i = 0; i < count; i++)
			pthread_join(threads[i].id, NULL);
		pthread_barrier_destroy(&start);
		if (tokens != 0 || left_to_give != 0 || left_to_take != 0 || inside != 0)
			broken("the sums are wrong");
		if (is_there.queue != 0 || is_gone.queue != 0)
			broken("somebody still waits");
		if (csys_mutex_try_lock(&lock) != 0)
			broken("it is still locked");
		csys_mutex_unlock(&lock);
	}
	printf("ok\n");
	return 0;
}
