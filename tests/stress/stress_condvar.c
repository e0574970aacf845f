/*
 * stress/stress_condvar.c - notifications, deadlines and the freeing of condvars, in short
 * rounds.
 *
 *     stress_condvar [seed [rounds [threads]]]
 *
 * Two condvars, each with a mutex.  In a round some threads wait, with and without
 * deadlines, one more notifies now and then, under one mutex or both or none, and waiters that
 * were notified notify others.  Then a round is over: each condvar's waiters are told so by
 * one notify_all, and its memory is made inaccessible at once, while threads that gave up or were
 * notified are still on their way.  A touch of it is a crash; a lost notification
 * is a hang, which the alarm ends.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "support/support.h"

#define MOST 64

static struct place {
	csys_mutex lock;
	csys_condvar *changed; /* in a page of its own */
	int is_over;           /* under lock, as all below */
	int inside;
} places[2];

static size_t page;
static pthread_barrier_t turn;
static int rounds;

struct thread {
	pthread_t id;
	unsigned seed;
	struct place *place;
};

static void broken(const char *what)
{
	fprintf(stderr, "stress_condvar: %s\n", what);
	abort();
}

static unsigned roll(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static void enter(struct place *place)
{
	csys_mutex_lock(&place->lock);
	if (place->inside++ != 0)
		broken("two are inside");
}

static void leave(struct place *place)
{
	place->inside--;
	csys_mutex_unlock(&place->lock);
}

/* With the mutex held. */
static void notify(struct place *place, unsigned *seed)
{
	for (unsigned i = roll(seed) % 4; i > 0; i--) {
		if (roll(seed) % 3 == 0)
			csys_condvar_notify_all(place->changed);
		else
			csys_condvar_notify_one(place->changed);
	}
}

static void wait_for_the_end(struct place *place, unsigned *seed)
{
	enter(place);
	while (!place->is_over) {
		place->inside--;
		int r = 0;
		if (roll(seed) % 3 == 0)
			r = csys_condvar_wait(place->changed, &place->lock);
		else
			r = csys_condvar_wait_until(place->changed, &place->lock,
						    csys_after_ns(roll(seed) % 40000));
		if (place->inside++ != 0)
			broken("two are inside after a wait");
		if (r != 0 && r != CSYS_ETIMEDOUT)
			broken("a result of a wait");
		if (!place->is_over && r == 0 && roll(seed) % 2 == 0)
			notify(place, seed);
	}
	leave(place);
}

static void *run_waiter(void *argument)
{
	struct thread *thread = argument;

	for (int round = 0; round < rounds; round++) {
		pthread_barrier_wait(&turn);
		wait_for_the_end(thread->place, &thread->seed);
		pthread_barrier_wait(&turn);
	}
	return NULL;
}

/* Notify at one of the places, under its mutex, or under both, or without. */
static void disturb(unsigned *seed)
{
	unsigned which = roll(seed) % 2;
	unsigned how = roll(seed) % 4;

	if (how == 0) {
		notify(&places[which], seed);
		return;
	}
	if (how == 1) {
		enter(&places[0]);
		enter(&places[1]);
		notify(&places[0], seed);
		notify(&places[1], seed);
		leave(&places[which]);
		leave(&places[!which]);
		return;
	}
	enter(&places[which]);
	notify(&places[which], seed);
	leave(&places[which]);
}

static void end_round(struct place *place, int is_inside)
{
	enter(place);
	place->is_over = 1;
	if (!is_inside)
		leave(place);
	csys_condvar_notify_all(place->changed);
	if (mprotect(place->changed, page, PROT_NONE) != 0)
		broken("mprotect");
	if (is_inside)
		leave(place);
}

int main(int argc, char **argv)
{
	unsigned seed = argc > 1 && atoi(argv[1]) ? (unsigned)atoi(argv[1]) : (unsigned)time(NULL);
	int count = argc > 3 ? atoi(argv[3]) : 8;
	struct thread threads[MOST];

	rounds = argc > 2 ? atoi(argv[2]) : 300;
	rounds *= 10; /* they are short */
	printf("seed %u, %d rounds, %d threads\n", seed, rounds, count);
	fflush(stdout);
	if (count > MOST || count < 2)
		return 2;
	alarm(800);
	page = (size_t)sysconf(_SC_PAGESIZE);
	pthread_barrier_init(&turn, NULL, (unsigned)count + 1);
	for (int i = 0; i < 2; i++) {
		places[i].changed = mmap(NULL, page, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (places[i].changed == MAP_FAILED)
			broken("mmap");
	}
	for (int i = 0; i < count; i++) {
		threads[i].seed = seed + (unsigned)i * 7919u;
		threads[i].place = &places[i % 2];
		if (pthread_create(&threads[i].id, NULL, run_waiter, &threads[i]) != 0)
			broken("no thread");
	}
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < 2; i++) {
			if (mprotect(places[i].changed, page, PROT_READ | PROT_WRITE) != 0)
				broken("mprotect");
			if (places[i].changed->queue != 0)
				broken("somebody still waits");
			places[i].is_over = 0;
		}
		pthread_barrier_wait(&turn);
		for (unsigned i = roll(&seed) % 8; i > 0; i--) {
			disturb(&seed);
			if (roll(&seed) % 2 == 0)
				sched_yield();
		}
		for (int i = 0; i < 2; i++)
			end_round(&places[i], roll(&seed) % 2 == 0);
		pthread_barrier_wait(&turn);
	}
	for (int i = 0; i < count; i++)
		pthread_join(threads[i].id, NULL);
	printf("ok\n");
	return 0;
}
