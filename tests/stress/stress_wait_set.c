/*
 * stress/stress_wait_set.c - entries that come, change and go while threads wait, in short rounds.
 *
 *     stress_wait_set [seed [rounds]]
 *
 * A round has a set and some pipes.  Two threads wait for it, and two change it and wake.  Each
 * entry has a record, in which the thread that removed it notes the count of removals so far.  A
 * thread that waits reads the count before each wait, and so finds an event of an entry that was
 * gone before the wait began.  Each timer has to be told once: a lost one is a hang, which the
 * alarm ends.
 */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/support.h"

enum { PIPES = 4, STEPS = 60, ENTRIES = 2 * STEPS, WAITERS = 2, CHANGERS = 2 };

struct record {
	uint32_t gone; /* atomic: the count of removals when it was gone; 0: it is there */
	uint32_t told; /* atomic: how often */
	int is_timer;
};

static csys_wait_set *set;
static struct ends pipes[PIPES];
static struct record records[ENTRIES];
static uint32_t removals;    /* atomic: how many have returned */
static uint32_t timers_left; /* atomic */
static uint32_t is_over;     /* atomic */
static uint32_t wakes;       /* atomic: that no wait was seen to take, or more */
static unsigned the_seed;

static void broken(const char *what)
{
	fprintf(stderr, "stress_wait_set: %s, seed %u\n", what, the_seed);
	abort();
}

static unsigned roll(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static csys_waitable some_waitable(unsigned *seed)
{
	struct ends *pipe = &pipes[roll(seed) % PIPES];
	return roll(seed) % 2 ? csys_waitable_reading(pipe->reader)
			      : csys_waitable_writing(pipe->writer);
}

/* ---- waiting ---------------------------------------------------------------------------- */

static void look_at(const csys_wait_event *event, uint32_t before)
{
	struct record *record = event->token.pointer;
	/* Acquire pairs with the release of the thread that removed it. */
	uint32_t gone = csysi_load_acquire(&record->gone);

	if (event->result != 0 || event->count != 1)
		broken("an event with a failure");
	if (gone != 0 && gone <= before)
		broken("a removed entry was told");
	if (csysi_add_relaxed(&record->told, 1) > 1 && record->is_timer)
		broken("a timer was told twice");
	if (record->is_timer)
		csysi_sub_acq_rel(&timers_left, 1);
}

static void *wait_for_all(void *seed_)
{
	unsigned seed = *(unsigned *)seed_;
	while (!csysi_load_acquire(&is_over)) {
		csys_wait_event events[8];
		size_t count = 0;
		uint32_t before = csysi_load_acquire(&removals);
		csys_deadline deadline = roll(&seed) % 2 ? CSYS_POLL : csys_after_us(100);
		int r = csys_wait_set_wait_until(set, events, 1 + roll(&seed) % 8, deadline,
						 &count);
		if (r < 0 && r != CSYS_ETIMEDOUT)
			broken("a wait failed");
		if (r == 0 && count == 0 && csysi_sub_acq_rel(&wakes, 1) == UINT32_MAX)
			broken("a wake was told twice");
		for (size_t i = 0; i < count; i++)
			look_at(&events[i], before);
	}
	return NULL;
}

/* ---- changing --------------------------------------------------------------------------- */

static void remove_one(csys_wait_entry entry, struct record *record)
{
	if (csys_wait_set_remove(set, entry) < 0)
		broken("a removal failed");
	if (csys_wait_set_remove(set, entry) != CSYS_ENOENT)
		broken("it was removed twice");
	csysi_store_release(&record->gone, csysi_add_acq_rel(&removals, 1));
}

/* A timer: told once, or never if it is removed before, which it is not. */
static void add_timer(struct record *record, unsigned *seed)
{
	csys_wait_entry entry;
	csys_token token = csys_token_pointer(record);

	record->is_timer = 1;
	csysi_add_acq_rel(&timers_left, 1);
	int is_unset = roll(seed) % 2;
	csys_deadline at = is_unset ? CSYS_FOREVER : csys_after_us(roll(seed) % 300);
	int r = csys_wait_set_add_timer(set, at, 0, token, &entry);
	if (r == 0 && roll(seed) % 2)
		r = csys_wait_set_pause(set, entry);
	if (r == 0)
		r = csys_wait_set_resume(set, entry);
	if (r == 0 && is_unset)
		r = csys_wait_set_set_timer(set, entry, csys_after_us(50), 0);
	if (r < 0)
		broken("a timer failed");
}

static void add_stream(struct record *record, unsigned *seed)
{
	csys_wait_entry entry;
	csys_token token = csys_token_pointer(record);
	int r = csys_wait_set_add(set, some_waitable(seed), token, &entry);

	for (unsigned i = roll(seed) % 4; i > 0 && r == 0; i--)
		r = csys_wait_set_change(set, entry, some_waitable(seed), token);
	if (r == 0 && roll(seed) % 2)
		r = csys_wait_set_pause(set, entry);
	if (r == 0)
		r = csys_wait_set_resume(set, entry);
	if (r < 0)
		broken("a change failed");
	if (roll(seed) % 4)
		remove_one(entry, record);
}

static void *change_it(void *seed_)
{
	unsigned seed = *(unsigned *)seed_;
	struct record *mine = seed % 2 ? records : records + STEPS;
	for (int i = 0; i < STEPS; i++) {
		if (roll(&seed) % 4 == 0)
			add_timer(&mine[i], &seed);
		else
			add_stream(&mine[i], &seed);
		if (roll(&seed) % 8 == 0) {
			csysi_add_acq_rel(&wakes, 1);
			csys_wait_set_wake(set);
		}
	}
	return NULL;
}

/* ---- rounds ----------------------------------------------------------------------------- */

static void begin_round(void)
{
	for (int i = 0; i < ENTRIES; i++)
		records[i] = (struct record){ 0 };
	removals = timers_left = is_over = wakes = 0;
	if (csys_wait_set_open(&set) < 0)
		broken("no set");
}

static void one_round(unsigned seed)
{
	pthread_t waiters[WAITERS], changers[CHANGERS];
	unsigned seeds[WAITERS + CHANGERS];
	begin_round();
	for (unsigned i = 0; i < WAITERS + CHANGERS; i++)
		seeds[i] = seed * 64 + i;
	for (int i = 0; i < WAITERS; i++)
		pthread_create(&waiters[i], NULL, wait_for_all, &seeds[CHANGERS + i]);
	for (int i = 0; i < CHANGERS; i++)
		pthread_create(&changers[i], NULL, change_it, &seeds[i]);
	for (int i = 0; i < CHANGERS; i++)
		pthread_join(changers[i], NULL);
	while (csysi_load_acquire(&timers_left) > 0)
		sched_yield();
	csysi_store_release(&is_over, 1);
	for (int i = 0; i < WAITERS; i++)
		pthread_join(waiters[i], NULL);
	csys_wait_set_close(set);
}

int main(int argc, char **argv)
{
	the_seed = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
	int rounds = argc > 2 ? atoi(argv[2]) : 150;
	alarm(600);
	for (int i = 0; i < PIPES; i++)
		if (csys_pipe_create(&pipes[i].reader, &pipes[i].writer) < 0)
			broken("no pipe");
	if (csys_stream_write_all(pipes[0].writer, "x", 1, NULL) < 0)
		broken("a pipe takes nothing");
	for (int i = 0; i < rounds; i++, the_seed++)
		one_round(the_seed);
	return 0;
}
