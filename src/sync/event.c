/*
 * sync/event.c - a flag that threads wait for.
 *
 *   word:  SET | TURN | generation, low 30 bits
 *          || AUTOMATIC | generation, high 9 bits | threads that wait (22 bits)
 *
 *                set, no thread waits            set, threads wait
 *   unset  ---------------------------> SET    manual: all are let go, and it is SET
 *     ^     reset, or an automatic       |     automatic: TURN, until one of them takes it
 *     +---- one lets a thread through ---+
 *
 * A set of a manual event while threads wait begins a new generation, with no thread waiting, in
 * one step, and wakes them all.  A thread that waits remembers its generation and goes on as
 * soon as the word has another one, whatever was reset meanwhile.  It may look late, so a number
 * must not come again as long as a thread remembers it: each generation takes a thread that
 * waits and one that sets, 100 ns at least, so 2^39 of them take half a day.
 *
 * Invariants:
 *   - while threads wait the event is not SET: a set makes that a new generation or a TURN,
 *     and a thread that finds it SET does not wait;
 *   - TURN is there only while threads wait: a thread that gives up looks once more, and takes
 *     the turn if there is one; so a turn goes to exactly one thread;
 *   - a thread that sleeps is counted, and sleeps only while the upper half of the word is what
 *     it saw, without its turn; every set that lets it go on changes that half.
 *
 * Watchers (watch.h) are counted as waiting, but do not sleep on the word.  A set wakes one thread
 * of each sort for its turn, and the first that looks takes it.  A watcher that returns with
 * something else leaves a turn to the other threads that wait, or makes it SET if there are none.
 *
 * After the step that sets it the event may be gone: the wake uses its address alone.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/event.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"
#include "sync/watch.h"

#define SET ((uint64_t)1 << 63)
#define TURN ((uint64_t)1 << 62)
#define LOW ((uint64_t)0x3fffffff << 32)
#define ONE_LOW ((uint64_t)1 << 32)
#define AUTOMATIC CSYSI_EVENT_AUTOMATIC
#define HIGH ((uint64_t)0x7fc00000)
#define ONE_HIGH ((uint64_t)0x400000)
#define GENERATION (LOW | HIGH)
#define WAITERS ((uint64_t)0x3fffff)

/* If the count is full (4 million threads), another thread naps for this long and tries again. */
#define FULL_NAP_NS 500000

/* A manual event's word in the next generation, SET and with no thread waiting. */
static uint64_t next_generation(uint64_t word)
{
	uint64_t low = (word + ONE_LOW) & LOW;
	uint64_t high = (low == 0 ? word + ONE_HIGH : word) & HIGH;

	return SET | low | high;
}

/* The word after a set. */
static uint64_t when_set(uint64_t word)
{
	if ((word & WAITERS) == 0)
		return word | SET;
	return word & AUTOMATIC ? word | TURN : next_generation(word);
}

void csys_event_init_manual(csys_event *event)
{
	/* Relaxed, here and below: others hear of the event in some other way. */
	csysi_store_relaxed(&event->word, 0);
}

void csys_event_init_automatic(csys_event *event)
{
	csysi_store_relaxed(&event->word, AUTOMATIC);
}

uint32_t csys_event_set(csys_event *event)
{
	const uint64_t *address = &event->word;
	uint64_t word = csysi_load_relaxed(&event->word);
	uint64_t next;

	do
		next = when_set(word);
	/* Release pairs with the acquires of the threads that get through, also where the word
	 * stays as it is; acquire: see watch.c. */
	while (!csysi_cas_acq_rel(&event->word, &word, next));
	uint32_t waiting = (uint32_t)(word & WAITERS);
	if (next == word || waiting == 0)
		return 0;
	uint32_t most = word & AUTOMATIC ? 1 : UINT32_MAX;
	csysi_spin_note(address);
	csysi_os_wake(csysi_upper_half(address), most, 0);
	csysi_watch_notify(event, most);
	return word & AUTOMATIC ? 1 : waiting;
}

void csys_event_reset(csys_event *event)
{
	/* Acquire: the thread that resets it sees what was done before it was set. */
	csysi_and_acquire(&event->word, ~SET);
}

/* For a thread that is not counted as waiting: 1 if the event is set, and an automatic one is unset
 * by that; else 0. */
static int pass(csys_event *event)
{
	/* Acquire, here and below, pairs with the release of set. */
	uint64_t word = csysi_load_acquire(&event->word);

	while (word & SET)
		if (!(word & AUTOMATIC) || csysi_cas_acquire(&event->word, &word, word & ~SET))
			return 1;
	return 0;
}

/* Count this thread as waiting: 1.  0: the event is set, or the count is full.  *out_word is the
 * word before that. */
static int be_counted(csys_event *event, uint64_t *out_word)
{
	uint64_t word = csysi_load_relaxed(&event->word);

	do {
		*out_word = word;
		if (word & SET || (word & WAITERS) == WAITERS)
			return 0;
		/* The sleep compares the same word; acquire and release are for watch.c. */
	} while (!csysi_cas_acq_rel(&event->word, &word, word + 1));
	return 1;
}

/* Whether this thread, which waits in `generation`, was let go; if not, *out_word is what it
 * saw. */
static int is_let_go(csys_event *event, uint64_t generation, uint64_t *out_word)
{
	uint64_t word = csysi_load_acquire(&event->word);

	while ((word & GENERATION) == generation) {
		*out_word = word;
		if (!(word & TURN))
			return 0;
		if (csysi_cas_acquire(&event->word, &word, (word & ~TURN) - 1))
			return 1;
	}
	return 1;
}

/* Stop waiting: 1; 0 if this thread was let go meanwhile. */
static int give_up(csys_event *event, uint64_t generation)
{
	uint64_t word;

	do
		if (is_let_go(event, generation, &word))
			return 0;
	/* Relaxed: the decrement orders nothing. */
	while (!csysi_cas_relaxed(&event->word, &word, word - 1));
	return 1;
}

int csys_event_wait_until(csys_event *event, csys_deadline deadline)
{
	uint64_t word;

	/* Counted before it spins, so that a set finds a waiter and notes its CPU. */
	while (!be_counted(event, &word)) {
		if (pass(event))
			return 0;
		if ((word & WAITERS) == WAITERS) {
			if (csys_deadline_left(deadline) == 0)
				return CSYS_ETIMEDOUT;
			csysi_spin_nap(FULL_NAP_NS);
		}
	}

	uint64_t generation = word & GENERATION;
	int is_through = 0;
	for (struct csysi_spin spin = csysi_spin_begin(&event->word, deadline);
	     csysi_spin_goes_on(&spin, is_through);)
		is_through = is_let_go(event, generation, &word);
	while (!is_through && !is_let_go(event, generation, &word))
		if (csysi_os_wait(csysi_upper_half(&event->word), (uint32_t)(word >> 32), deadline,
				  0) == CSYS_ETIMEDOUT)
			return give_up(event, generation) ? CSYS_ETIMEDOUT : 0;
	return 0;
}

void csys_event_wait(csys_event *event)
{
	(void)!csys_event_wait_until(event, CSYS_FOREVER);
}

int csys_event_try_wait(csys_event *event)
{
	return pass(event) ? 0 : CSYS_EAGAIN;
}

int csys_event_is_set(const csys_event *event)
{
	/* Acquire pairs with the release of set. */
	return (csysi_load_acquire(&event->word) & SET) != 0;
}

/* ---- one of several (wait_any.c) ---------------------------------------------------------- */

static int take_item(const csys_wait_item *item)
{
	return pass(item->object);
}

/* Be counted as waiting, with the generation in `seen`: 0; 1: it got through; CSYS_EAGAIN. */
static int note_item(csys_event *event, struct csysi_watch *watch)
{
	uint64_t word;

	while (!be_counted(event, &word)) {
		if (pass(event))
			return 1;
		if ((word & WAITERS) == WAITERS)
			return CSYS_EAGAIN;
	}
	watch->is_noted = 1;
	watch->seen = word & GENERATION;
	return 0;
}

static int look_at_item(const csys_wait_item *item, struct csysi_watch *watch)
{
	uint64_t word;

	int r = watch->is_noted ? 0 : note_item(item->object, watch);
	if (r != 0)
		return r;
	watch->is_noted = !is_let_go(item->object, watch->seen, &word);
	return !watch->is_noted;
}

static void end_item(const csys_wait_item *item, struct csysi_watch *watch)
{
	csys_event *event = item->object;
	uint64_t word = csysi_load_relaxed(&event->word);
	uint64_t next;

	do {
		if ((word & GENERATION) != watch->seen)
			return; /* all were let go */
		next = word - 1;
		if (next & TURN && (next & WAITERS) == 0)
			next = (next & ~TURN) | SET;
		/* Relaxed: what a set has released stays released. */
	} while (!csysi_cas_relaxed(&event->word, &word, next));
}

static void pass_item_on(const csys_wait_item *item)
{
	const csys_event *event = item->object;

	if (csysi_load_acquire(&event->word) & TURN)
		csysi_watch_notify(event, 1);
}

const struct csysi_watch_kind csysi_event_kind = { take_item, look_at_item, end_item,
						   pass_item_on };
