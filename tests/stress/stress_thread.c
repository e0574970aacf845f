/*
 * stress/stress_thread.c - threads that start, park, wake, join and leave each other.
 *
 *     stress_thread [seed [rounds]]
 *
 * In each round workers start threads of all kinds: some return, panic or exit, some
 * with a lock in hand; some park until their starter, or a stranger, has let them
 * go.  Their handles are joined, by one or by several, with and without deadlines,
 * detached, dropped, or left in a slot for another worker.  Rounds are short and end
 * together: a thread that was not woken has nobody after it to wake it by chance, and
 * the round does not end.  Then each thread must have run its hook once, each result
 * must be its own, and each lock be free, and poisoned if its holder left it locked.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

#define WORKERS 4
#define SLOTS 3
#define STEPS 12

enum { RETURNS, PANICS, EXITS, PARKS, WAYS };

struct child {
	unsigned way;
	int has_lock;
	int may_go; /* atomic: for one that parks */
	csys_mutex lock;
};

static struct child children[WORKERS * STEPS];
static csys_thread *slots[SLOTS]; /* atomic; a thread that takes one out has its reference */
static int started;               /* atomic */
static int ended;                 /* atomic */
static int wrong;                 /* atomic */
static unsigned first_seed;
static int round_number;

/* Counters and flags are relaxed where they guard no other data. */
static void note_wrong(const char *what, int value)
{
	fprintf(stderr, "seed %u, round %d: %s: %d\n", first_seed, round_number, what, value);
	__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static unsigned roll(unsigned *seed, unsigned sides)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed / 65536u % sides;
}

static void count_end(void *unused)
{
	(void)unused;
	/* Release pairs with the acquire in one_round, which uses its memory again. */
	__atomic_fetch_add(&ended, 1, __ATOMIC_RELEASE);
}

static void *live(void *argument)
{
	struct child *child = argument;

	if (csys_thread_at_exit(count_end, NULL) < 0)
		note_wrong("no hook", 0);
	if (child->has_lock)
		csys_mutex_lock(&child->lock);
	while (child->way == PARKS && !__atomic_load_n(&child->may_go, __ATOMIC_RELAXED))
		csys_thread_park();
	if (child->way == PANICS)
		csys_panic("%d", (int)(child - children));
	if (child->way == EXITS)
		pthread_exit(NULL);
	return child;
}

static void be_silent(const csys_panic_info *info, void *context)
{
	(void)info;
	(void)context;
}

/* Which one it is cannot be asked for, so a stranger knows only what may be. */
static void check_end(csys_thread *thread, const struct child *child, int r, const void *result)
{
	const char *message = csys_thread_panic_message(thread);

	if ((r == CSYS_EPANICKED) != (message != NULL))
		note_wrong("a message", r);
	if (r < 0 && r != CSYS_EPANICKED)
		note_wrong("join", r);
	if (!child)
		return;
	if ((child->way == PANICS || child->way == EXITS) != (r == CSYS_EPANICKED))
		note_wrong("an end of another", r);
	if (r == 0 && result != child)
		note_wrong("a result of another", (int)child->way);
	if (child->way == PANICS && message && atoi(message) != child - children)
		note_wrong("a message of another", atoi(message));
}

static void join_it(unsigned *seed, csys_thread *thread, const struct child *child)
{
	void *result = NULL;
	int r;

	switch (roll(seed, 3)) {
	case 0:
		r = csys_thread_join(thread, &result);
		break;
	case 1:
		do
			r = csys_thread_join_until(thread, csys_after_us((int)roll(seed, 50)),
						   &result);
		while (r == CSYS_ETIMEDOUT);
		break;
	default:
		while ((r = csys_thread_try_join(thread, &result)) == CSYS_EAGAIN)
			csys_thread_yield();
	}
	check_end(thread, child, r, result);
}

static void part_with(unsigned *seed, csys_thread *thread)
{
	if (roll(seed, 2) == 0)
		csys_thread_detach(thread);
	else
		csys_thread_unref(thread);
}

/* Leave a reference for another worker; deal with what was left there. */
static void exchange(unsigned *seed, csys_thread *thread)
{
	csys_thread *other =
		__atomic_exchange_n(&slots[roll(seed, SLOTS)], thread, __ATOMIC_ACQ_REL);
	if (!other)
		return;
	if (roll(seed, 2) == 0)
		csys_thread_unpark(other); /* for nothing: it looks and parks again */
	if (roll(seed, 2) == 0)
		join_it(seed, other, NULL);
	part_with(seed, other);
}

static void step(unsigned *seed, struct child *child)
{
	csys_thread *thread = NULL;

	memset(child, 0, sizeof *child);
	child->way = roll(seed, WAYS);
	child->has_lock = (int)roll(seed, 2);
	if (csys_thread_spawn(live, child, NULL, &thread) < 0) {
		child->has_lock = 0;
		return; /* no room for now */
	}
	__atomic_fetch_add(&started, 1, __ATOMIC_RELAXED);
	if (roll(seed, 4) == 0)
		csys_thread_unpark(thread); /* a token that says nothing */
	if (child->way == PARKS) {
		/* Let go before it is anybody else's to join. */
		for (unsigned i = roll(seed, 3); i > 0; i--)
			csys_thread_yield();
		__atomic_store_n(&child->may_go, 1, __ATOMIC_RELAXED);
		csys_thread_unpark(thread);
	}
	if (roll(seed, 2) == 0)
		exchange(seed, csys_thread_ref(thread));
	if (roll(seed, 3) > 0)
		join_it(seed, thread, child);
	part_with(seed, thread);
}

static void *work(void *argument)
{
	int number = (int)(intptr_t)argument;
	unsigned seed = first_seed + (unsigned)(round_number * WORKERS + number);

	for (int i = 0; i < STEPS; i++)
		step(&seed, &children[number * STEPS + i]);
	return NULL;
}

static void one_round(void)
{
	csys_thread_scope scope = CSYS_THREAD_SCOPE_INIT;
	unsigned seed = first_seed;

	started = ended = 0;
	memset(children, 0, sizeof children);
	for (int i = 0; i < WORKERS; i++)
		if (csys_thread_scope_spawn(&scope, work, (void *)(intptr_t)i, NULL, NULL) < 0)
			exit(2);
	if (csys_thread_scope_end(&scope) != 0)
		note_wrong("a worker", 0);
	for (int i = 0; i < SLOTS; i++) {
		if (slots[i])
			join_it(&seed, slots[i], NULL);
		csys_thread_unref(slots[i]);
		slots[i] = NULL;
	}
	/* Of those that nobody joined. */
	csys_deadline deadline = csys_after_s(120);
	while (__atomic_load_n(&ended, __ATOMIC_ACQUIRE) != started)
		if (csys_deadline_left(deadline) > 0) {
			csys_thread_yield();
		} else {
			note_wrong("ends that are missing", started - ended);
			exit(1); /* they would go on in the next round */
		}
	for (int i = 0; i < WORKERS * STEPS; i++) {
		/* Behind the hook comes the ledger. */
		int r = csys_mutex_lock_until(&children[i].lock, csys_after_s(120));
		if (r != (children[i].has_lock ? CSYS_POISONED : 0))
			note_wrong("a lock", r);
		if (r >= 0)
			csys_mutex_unlock(&children[i].lock);
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 2 ? atoi(argv[2]) : is_watched() ? 250 : 1000;
	first_seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : (unsigned)csys_now();
	if (rounds < 1)
		return 2;

	printf("seed %u\n", first_seed);
	fflush(stdout);
	csys_panic_set_hook(be_silent, NULL);
	int handles = open_handles();
	for (round_number = 0; round_number < rounds; round_number++)
		one_round();
	if (open_handles() != handles)
		note_wrong("handles are left", open_handles() - handles);
	printf("%d rounds, %d wrong\n", rounds, wrong);
	return wrong != 0;
}
