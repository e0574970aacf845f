/*
 * ipc/shared_once.c - something that is done once, by processes of which any may be killed.
 *
 *     word:  WAITED (1 bit) | POISONED (1 bit) | 0, COMPLETE, or the id of the member whose body
 *            runs (30 bits)
 *
 *                  a caller               it returns 0
 *     INCOMPLETE --------------> RUNNING(id) --------> COMPLETE
 *        ^                        |   |   |  panic, end of the thread
 *        +------------------------+   |   +---------------------> POISONED -- forced: RUNNING(id),
 *                it fails             | it is killed                          POISONED
 *                                     v
 *                               RUNNING(dead) -- a caller replaces the id in one step: RUNNING(id),
 *                                                POISONED
 *
 * COMPLETE is no id: its generation is 0.  POISONED beside an id: the body was told.
 *
 *     a thread is killed       the state is             and then
 *     before its body          as it was, or            nobody needs to do anything, or as below:
 *                              RUNNING(dead)            the next one is told without need
 *     in its body              RUNNING(dead)            the next caller, or one that sleeps, runs
 *                                                       the body, and is told
 *     after taking over        RUNNING(dead), POISONED  the same
 *     after the end of its     COMPLETE, INCOMPLETE or  they look after a nap
 *     body, before the wake    POISONED, others asleep
 *     a sleeper, just woken    any                      the same
 *
 * Invariant: while a thread sleeps, WAITED is set; or a body has ended, which ends WAITED, and all
 * are woken or look after a nap.  The thread that begins a body keeps WAITED.
 */
#include <csys/ipc/shared_once.h>

#include "base/atomic.h"
#include "ipc/region.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"

#define WAITED 0x80000000u
#define POISONED 0x40000000u
#define INCOMPLETE 0u
#define COMPLETE CSYSI_SHARED_ONCE_COMPLETE

_Static_assert((CSYSI_ID & CSYSI_SHARED_ONCE_MARKS) == 0, "an id fits beside the marks");
_Static_assert(COMPLETE >> CSYSI_ID_GENERATION_SHIFT == 0, "no member has that id");
_Static_assert(sizeof(csys_shared_once) == 8, "the same in all processes");

static int is_complete(uint32_t word)
{
	return (word & CSYSI_ID) == COMPLETE;
}

/* No body runs, since the last one did not return. */
static int has_failed_for_good(uint32_t word)
{
	return (word & CSYSI_ID) == INCOMPLETE && (word & POISONED);
}

/* ---- sleeping ------------------------------------------------------------------------------- */

/* Sleep while the word is `word`: 1, also without a cause; 0 if the deadline has passed. */
static int sleep_for(const csys_region *region, csys_shared_once *once, uint32_t word,
		     csys_deadline deadline)
{
	uint32_t runs = word & CSYSI_ID;

	if (csys_deadline_left(deadline) <= 0)
		return 0;
	/* Relaxed: it orders nothing; the sleep looks at the word again. */
	if (!(word & WAITED) && !csysi_cas_relaxed(&once->word, &word, word | WAITED))
		return 1;
	word |= WAITED;
	if (runs != INCOMPLETE && csysi_region_is_alive(region, runs))
		(void)csysi_region_wait(region, runs, &once->word, word, deadline);
	else
		(void)csysi_region_nap(&once->word, word, deadline);
	return 1;
}

/* ---- calling -------------------------------------------------------------------------------- */

/* The body of this thread has ended, and the once is in this state. */
static void leave(csys_region *region, csys_shared_once *once, uint32_t state)
{
	/* In a forked child it is its parent's. */
	uint32_t id = csysi_region_own_id(region);
	uint32_t word = csysi_load_relaxed(&once->word);

	do {
		if (id == 0 || (word & CSYSI_ID) != id)
			return; /* it was abandoned already */

		/* Release pairs with the acquires of the threads that look. */
	} while (!csysi_cas_release(&once->word, &word, state));
	if (word & WAITED)
		csysi_os_wake(&once->word, UINT32_MAX, 1);
}

struct run {
	csys_region *region;
	csys_shared_once *once;
	uint32_t state; /* of the once after its body */
};

/* Called also when the stack is unwound; `state` is POISONED then. */
static void finish(struct run *run)
{
	(void)csysi_leave_shared_as(run->once, CSYSI_HELD_SHARED_ONCE);
	leave(run->region, run->once, run->state);
}

static int run(csys_region *region, csys_shared_once *once, csys_shared_once_body *body,
	       void *argument, int note)
{
	struct run run CSYSI_ATTRIBUTE((cleanup(finish))) = { region, once, POISONED };

	csysi_enter_shared_as(once, CSYSI_HELD_SHARED_ONCE);
	int r = body(argument, note);
	run.state = r < 0 ? INCOMPLETE : COMPLETE;
	return r < 0 ? r : 0;
}

/* Whether another member's body runs. */
static int is_running(const csys_region *region, uint32_t word)
{
	uint32_t runs = word & CSYSI_ID;

	return runs != INCOMPLETE && csysi_region_is_alive(region, runs);
}

/* 0: it is complete.  1: this thread has to call the body, with a note.  Or a negative result. */
static int begin(const csys_region *region, csys_shared_once *once, uint32_t id, int is_forced,
		 csys_deadline deadline, int *out_note)
{
	for (;;) {
		/* Acquire pairs with the release of leave. */
		uint32_t word = csysi_load_acquire(&once->word);
		uint32_t runs = word & CSYSI_ID;
		if (is_complete(word))
			return 0;
		if (has_failed_for_good(word) && !is_forced)
			return CSYS_EPANICKED;
		if (is_running(region, word)) {
			if (!sleep_for(region, once, word, deadline))
				return CSYS_ETIMEDOUT;
			continue;
		}
		uint32_t taken = id | (word & (WAITED | POISONED));
		if (runs != INCOMPLETE)
			taken |= POISONED;
		/* Acquire: this body sees what those before it did; what a dead one wrote was seen
		 * with its death. */
		if (csysi_cas_acquire(&once->word, &word, taken)) {
			*out_note = taken & POISONED ? CSYS_POISONED : 0;
			return 1;
		}
	}
}

static int call(csys_region *region, csys_shared_once *once, csys_shared_once_body *body,
		void *argument, int is_forced, csys_deadline deadline)
{
	uint32_t id;
	int note;
	/* Before it becomes a member: a call of one that is done needs nothing. */
	if (csys_shared_once_is_completed(once))
		return 0;
	int r = csysi_region_id_until(region, deadline, &id);
	if (r < 0)
		return r;
	/* Its own body calls it.  Relaxed: only this thread makes it so. */
	if ((csysi_load_relaxed(&once->word) & CSYSI_ID) == id)
		return CSYS_EDEADLK;

	CSYSI_WANTS(once, CSYSI_HELD_SHARED_ONCE, deadline);
	r = begin(region, once, id, is_forced, deadline, &note);
	if (r <= 0) {
		csysi_checked_gave_up();
		return r;
	}
	return run(region, once, body, argument, note);
}

int csys_shared_once_call(csys_region *region, csys_shared_once *once, csys_shared_once_body *body,
			  void *argument)
{
	return call(region, once, body, argument, 0, CSYS_FOREVER);
}

int csys_shared_once_call_until(csys_region *region, csys_shared_once *once,
				csys_shared_once_body *body, void *argument, csys_deadline deadline)
{
	return call(region, once, body, argument, 0, deadline);
}

int csys_shared_once_call_force(csys_region *region, csys_shared_once *once,
				csys_shared_once_body *body, void *argument)
{
	return call(region, once, body, argument, 1, CSYS_FOREVER);
}

void csysi_shared_once_abandon(csys_region *region, csys_shared_once *once)
{
	leave(region, once, POISONED);
}

/* ---- waiting -------------------------------------------------------------------------------- */

static int wait_until(const csys_region *region, csys_shared_once *once, uint32_t id,
		      csys_deadline deadline)
{
	for (;;) {
		/* Acquire pairs with the release of leave. */
		uint32_t word = csysi_load_acquire(&once->word);
		if (is_complete(word))
			return 0;
		if (id != 0 && (word & CSYSI_ID) == id)
			return CSYS_EDEADLK;
		if (has_failed_for_good(word))
			return CSYS_EPANICKED;
		if (!sleep_for(region, once, word, deadline))
			return CSYS_ETIMEDOUT;
	}
}

int csys_shared_once_wait_until(const csys_region *region, csys_shared_once *once,
				csys_deadline deadline)
{
	uint32_t id = csysi_region_own_id(region);

	/* What needs no sleep first, and its own body: a checked build is told of waits. */
	int r = wait_until(region, once, id, CSYS_POLL);
	if (r != CSYS_ETIMEDOUT || csys_deadline_is_poll(deadline))
		return r;
	CSYSI_WANTS(once, CSYSI_HELD_SHARED_ONCE, deadline);
	r = wait_until(region, once, id, deadline);
	csysi_checked_gave_up();
	return r;
}

int csys_shared_once_wait(const csys_region *region, csys_shared_once *once)
{
	return csys_shared_once_wait_until(region, once, CSYS_FOREVER);
}

/* ---- what it tells -------------------------------------------------------------------------- */

int csys_shared_once_is_poisoned(const csys_shared_once *once)
{
	/* Relaxed, and below: it tells of a moment that is over. */
	return (csysi_load_relaxed(&once->word) & POISONED) != 0;
}

int csys_shared_once_holder(const csys_region *region, const csys_shared_once *once,
			    csys_region_member *out)
{
	uint32_t runs = csysi_load_relaxed(&once->word) & CSYSI_ID;

	return runs != INCOMPLETE && runs != COMPLETE && csysi_region_look(region, runs, out);
}
