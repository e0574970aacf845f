/*
 * stress/stress_wait_any.c - waits for any of several things, in short rounds.
 *
 *     stress_wait_any [seed [rounds [threads]]]
 *
 * A round has semaphores, automatic events and flags with predicates.  One thread, and on Linux
 * signal handlers, post a known number of units to the semaphores; a token goes from one event or
 * flag to another, by the thread that took it.  The threads wait for any of them in an order by
 * chance, with and without deadlines, or for one alone in the way of its noun.  Each unit and each
 * step of the token is taken by one thread, and then the latch opens.  A lost wake, or one kept by
 * a thread that did not take it, is a hang, which the alarm ends; and a unit taken twice opens the
 * latch too early.
 */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/support.h"
#include "support/system.h"

#define MOST 64
#define SEMAPHORES 3
#define EVENTS 3
#define FLAGS 2
#define ITEMS (SEMAPHORES + EVENTS + FLAGS + 1)
#define UNITS 60
#define STEPS 60

static csys_semaphore semaphores[SEMAPHORES];
static csys_event events[EVENTS];
static uint32_t flags[FLAGS]; /* atomic */
static csys_latch left;       /* units and steps that are to be taken */
static uint32_t steps;        /* atomic: that the token has yet to go */
static uint32_t taken;        /* atomic */
static uint32_t asked;        /* atomic: units that handlers are to post */
static pthread_barrier_t turn;
static int rounds;

struct thread {
	pthread_t id;
	unsigned seed;
};

static void broken(const char *what)
{
	fprintf(stderr, "stress_wait_any: %s\n", what);
	abort();
}

static unsigned roll(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static csys_deadline some_deadline(unsigned *seed)
{
	return roll(seed) % 3 == 0 ? CSYS_FOREVER : csys_after_ns(roll(seed) % 60000);
}

static void post(int which, uint32_t n)
{
	if (csys_semaphore_post(&semaphores[which], n) < 0)
		broken("a post");
}

/* One signal may stand for several. */
static void post_in_handler(int number)
{
	uint32_t n = csysi_swap_acq_rel(&asked, 0);

	(void)number;
	if (n > 0)
		post(0, n);
}

static int take_flag(void *argument)
{
	uint32_t is_up = 1;

	return csysi_cas_acquire((uint32_t *)argument, &is_up, 0);
}

/* The token goes to an event or a flag, unless it has gone all the way. */
static void pass_token(unsigned *seed)
{
	if (csysi_sub_acq_rel(&steps, 1) == 0)
		return;
	unsigned to = roll(seed) % (EVENTS + FLAGS);
	if (to < EVENTS) {
		csys_event_set(&events[to]);
	} else {
		csysi_store_release(&flags[to - EVENTS], 1);
		csys_wait_any_notify(&flags[to - EVENTS]);
	}
}

static void done(void)
{
	csysi_add_relaxed(&taken, 1);
	csys_latch_done(&left, 1);
}

/* Items 0 to ITEMS - 1, by their numbers. */
static csys_wait_item item_of(unsigned number)
{
	if (number < SEMAPHORES)
		return csys_wait_for_semaphore(&semaphores[number]);
	number -= SEMAPHORES;
	if (number < EVENTS)
		return csys_wait_for_event(&events[number]);
	number -= EVENTS;
	if (number < FLAGS)
		return csys_wait_for_predicate(take_flag, &flags[number], &flags[number]);
	return csys_wait_for_latch(&left);
}

/* What a wait has taken, by its number.  1: the round is over. */
static int use(unsigned number, unsigned *seed)
{
	if (number == ITEMS - 1)
		return 1;
	if (number >= SEMAPHORES)
		pass_token(seed);
	done();
	return 0;
}

static int wait_for_any(unsigned *seed)
{
	csys_wait_item items[ITEMS];
	unsigned numbers[ITEMS];
	size_t which = ITEMS;

	for (unsigned i = 0; i < ITEMS; i++) {
		unsigned at = roll(seed) % (i + 1);
		numbers[i] = numbers[at];
		numbers[at] = i;
	}
	for (unsigned i = 0; i < ITEMS; i++)
		items[i] = item_of(numbers[i]);
	int r = csys_wait_any_until(items, ITEMS, some_deadline(seed), &which);
	if (r == CSYS_ETIMEDOUT)
		return 0;
	if (r != 0)
		broken("a result of a wait");
	return use(numbers[which], seed);
}

/* Wait for one alone.  With a deadline, since others may take all of it. */
static int wait_for_one(unsigned *seed)
{
	unsigned number = roll(seed) % (SEMAPHORES + EVENTS);
	csys_deadline deadline = csys_after_ns(roll(seed) % 60000);
	int r = number < SEMAPHORES ? csys_semaphore_wait_until(&semaphores[number], deadline)
				    : csys_event_wait_until(&events[number - SEMAPHORES], deadline);

	return r == 0 ? use(number, seed) : csys_latch_try_wait(&left) == 0;
}

static void *run(void *argument)
{
	struct thread *thread = argument;

	for (int round = 0; round < rounds; round++) {
		pthread_barrier_wait(&turn);
		int is_over = 0;
		while (!is_over)
			is_over = roll(&thread->seed) % 4 == 0 ? wait_for_one(&thread->seed)
							       : wait_for_any(&thread->seed);
		pthread_barrier_wait(&turn);
	}
	return NULL;
}

static void prepare(void)
{
	memset(semaphores, 0, sizeof semaphores);
	memset(flags, 0, sizeof flags);
	for (int i = 0; i < EVENTS; i++)
		events[i] = (csys_event)CSYS_EVENT_INIT_AUTOMATIC;
	csys_latch_init(&left, UNITS + STEPS);
	steps = STEPS + 1;
	taken = 0;
}

/* Post all units, some of them in handlers of the waiting threads if that is allowed. */
static void produce(const struct thread *threads, int count, unsigned *seed)
{
	pass_token(seed);
	for (uint32_t units = UNITS; units > 0;) {
		uint32_t n = roll(seed) % 3 + 1;
		if (n > units)
			n = units;
		if (roll(seed) % 3 == 0 && may_notify_in_handlers()) {
			csysi_add_acq_rel(&asked, n);
			if (pthread_kill(threads[roll(seed) % (unsigned)count].id, SIGUSR1) != 0)
				broken("pthread_kill");
		} else {
			post((int)(roll(seed) % SEMAPHORES), n);
		}
		units -= n;
		if (roll(seed) % 2 == 0)
			csys_thread_sleep_ns(roll(seed) % 20000);
	}
}

static void check(void)
{
	if (taken != UNITS + STEPS)
		broken("as much was not taken as was there");
	for (int i = 0; i < SEMAPHORES; i++)
		if (semaphores[i].word != 0)
			broken("something is left of a semaphore");
	for (int i = 0; i < EVENTS; i++)
		if (events[i].word != CSYSI_EVENT_AUTOMATIC)
			broken("something is left of an event");
}

int main(int argc, char **argv)
{
	static struct thread threads[MOST];
	unsigned seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 0;
	rounds = argc > 2 ? atoi(argv[2]) : 300;
	int count = argc > 3 ? atoi(argv[3]) : 6;
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_handler = post_in_handler;
	if (count < 1 || count > MOST || sigaction(SIGUSR1, &action, NULL) != 0)
		return 2;
	alarm(600);
	pthread_barrier_init(&turn, NULL, (unsigned)count + 1);
	for (int i = 0; i < count; i++) {
		threads[i].seed = seed + (unsigned)i * 7919u;
		if (pthread_create(&threads[i].id, NULL, run, &threads[i]) != 0)
			return 2;
	}
	for (int round = 0; round < rounds; round++) {
		prepare();
		pthread_barrier_wait(&turn);
		produce(threads, count, &seed);
		pthread_barrier_wait(&turn);
		check();
	}
	for (int i = 0; i < count; i++)
		pthread_join(threads[i].id, NULL);
	return 0;
}
