/*
 * sync/once.c - something that is done once.
 *
 *                   a caller             it returns 0
 *   INCOMPLETE -----------------> RUNNING -----------> COMPLETE
 *      ^  ^                         | |  it does not return
 *      |  +-------------------------+ +--------------> POISONED
 *      |         it fails                                 |
 *      +--------------------------------------------------+ forced: RUNNING
 *
 * RUNNING_WAITED is RUNNING while threads sleep; INCOMPLETE_WAITED and POISONED_WAITED are
 * INCOMPLETE and POISONED while threads sleep until another one has called the body.  Invariant: a
 * thread that sleeps has made it one of these.  A body that starts turns each of them into
 * RUNNING_WAITED, and the thread that ends RUNNING_WAITED wakes all, each of which looks again.
 *
 * AGAIN is a bit beside RUNNING and RUNNING_WAITED: a forced body runs, after one that did not
 * return.  The once counts as poisoned until the forced body has returned.
 *
 * While the body runs its once is in the ledger of the thread; what ends the thread,
 * or a panic that is caught outside, finds it there and poisons it.  An exception of C++, and
 * the end of the thread in the body where that unwinds the stack, call finish.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>
#include <csys/sync/once.h>

#include <stddef.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"
#include "sync/spin.h"
#include "sync/watch.h"

enum {
	INCOMPLETE = 0,
	COMPLETE = CSYSI_ONCE_COMPLETE,
	RUNNING = 2,
	RUNNING_WAITED = 3,
	POISONED = 4,
	INCOMPLETE_WAITED = 5,
	POISONED_WAITED = 6,
	AGAIN = 8
};

static int is_running(uint32_t word)
{
	uint32_t state = word & ~(uint32_t)AGAIN;

	return state == RUNNING || state == RUNNING_WAITED;
}

static int is_waited(uint32_t word)
{
	return (word & ~(uint32_t)AGAIN) == RUNNING_WAITED;
}

static int has_failed_for_good(uint32_t word)
{
	return word == POISONED || word == POISONED_WAITED;
}

void csys_once_init(csys_once *once)
{
	/* Relaxed: others hear of the once in some other way. */
	csysi_store_relaxed(&once->word, INCOMPLETE);
}

static void leave(csys_once *once, uint32_t state)
{
	const uint32_t *address = &once->word;

	csysi_spin_note(address);
	/* Release pairs with the acquires of the threads that look; acquire: see watch.c. */
	if (is_waited(csysi_swap_acq_rel(&once->word, state))) {
		csysi_os_wake(address, UINT32_MAX, 0);
		csysi_watch_notify(once, UINT32_MAX);
	}
}

/* Wait while a body runs: the word after that, or CSYS_ETIMEDOUT. */
static int wait_while_running(csys_once *once, csys_deadline deadline)
{
	/* Acquire pairs with the release of leave, at every look. */
	uint32_t word = csysi_load_acquire(&once->word);

	for (struct csysi_spin spin = csysi_spin_begin(&once->word, deadline);
	     csysi_spin_goes_on(&spin, !is_running(word) || is_waited(word));)
		word = csysi_load_acquire(&once->word);
	while (is_running(word)) {
		uint32_t waited = (word & AGAIN) | RUNNING_WAITED;
		/* Relaxed: the sleep compares the word. */
		if (word != waited && !csysi_cas_relaxed(&once->word, &word, waited)) {
			word = csysi_load_acquire(&once->word);
			continue;
		}
		int r = csysi_os_wait(&once->word, waited, deadline, 0);
		word = csysi_load_acquire(&once->word);
		if (r == CSYS_ETIMEDOUT && is_running(word))
			return r;
	}
	return (int)word;
}

struct run {
	csys_once *once;
	uint32_t marks;
	uint32_t state; /* of the once after its body */
};

/* Called also when the stack is unwound; `state` is POISONED then. */
static void finish(struct run *run)
{
	if (csysi_leave(&run->marks, run->once, CSYSI_HELD_ONCE))
		leave(run->once, run->state);
}

static int run(csys_once *once, csys_once_body *body, void *argument)
{
	struct run run CSYSI_ATTRIBUTE((cleanup(finish))) = { once, 0, POISONED };

	csysi_enter(&run.marks, once, CSYSI_HELD_ONCE);
	int r = body(argument);
	run.state = r < 0 ? INCOMPLETE : COMPLETE;
	return r < 0 ? r : 0;
}

/* The word while a body runs that a caller starts at `word`. */
static uint32_t when_running(uint32_t word)
{
	int waits = word == INCOMPLETE_WAITED || word == POISONED_WAITED;
	uint32_t next = waits ? RUNNING_WAITED : RUNNING;

	return has_failed_for_good(word) ? next | AGAIN : next;
}

/* 0: it is complete.  1: it is RUNNING, and this thread has to call the body.  CSYS_EPANICKED:
 * it is poisoned. */
static int begin(csys_once *once, int is_forced)
{
	/* Acquire pairs with the release of leave. */
	uint32_t word = csysi_load_acquire(&once->word);

	for (;;) {
		if (word == COMPLETE)
			return 0;
		if (has_failed_for_good(word) && !is_forced)
			return CSYS_EPANICKED;
		if (is_running(word)) {
			word = (uint32_t)wait_while_running(once, CSYS_FOREVER);
			continue;
		}
		/* Acquire: this body sees what those before it did. */
		if (csysi_cas_acquire(&once->word, &word, when_running(word)))
			return 1;
		word = csysi_load_acquire(&once->word);
	}
}

static int call(csys_once *once, csys_once_body *body, void *argument, int is_forced,
		int *out_is_new)
{
	if (csysi_holds(once, CSYSI_HELD_ONCE))
		return CSYS_EDEADLK; /* its body calls it */
	CSYSI_WANTS(once, CSYSI_HELD_ONCE, CSYS_FOREVER);
	int r = begin(once, is_forced);
	if (r <= 0) {
		csysi_checked_gave_up();
		return r;
	}
	*out_is_new = 1;
	return run(once, body, argument);
}

int csysi_once_call_slow(csys_once *once, csys_once_body *body, void *argument, int is_forced)
{
	int is_new;

	return call(once, body, argument, is_forced, &is_new);
}

int csysi_once_call_new(csys_once *once, csys_once_body *body, void *argument, int *out_is_new)
{
	return call(once, body, argument, 1, out_is_new);
}

int csys_once_is_poisoned(const csys_once *once)
{
	uint32_t word = csysi_load_relaxed(&once->word);

	return has_failed_for_good(word) || (word & AGAIN);
}

/* No body runs: make the word one that can be slept on.  0: it has changed. */
static int announce(csys_once *once, uint32_t word, uint32_t *out)
{
	*out = has_failed_for_good(word) ? POISONED_WAITED : INCOMPLETE_WAITED;
	/* Relaxed: the sleep compares the word. */
	return word == *out || csysi_cas_relaxed(&once->word, &word, *out);
}

/* Wait until it is COMPLETE; or POISONED, if the caller is not one that waits for a forced call.
 * After a body that failed it waits on for another call. */
static int wait_until(csys_once *once, csys_deadline deadline, int is_forced)
{
	for (;;) {
		uint32_t waited;
		int state = wait_while_running(once, deadline);
		if (state < 0)
			return state;
		if (state == COMPLETE)
			return 0;
		if (has_failed_for_good((uint32_t)state) && !is_forced)
			return CSYS_EPANICKED;
		if (!announce(once, (uint32_t)state, &waited))
			continue;
		if (csysi_os_wait(&once->word, waited, deadline, 0) == CSYS_ETIMEDOUT &&
		    csysi_load_acquire(&once->word) != COMPLETE)
			return CSYS_ETIMEDOUT;
	}
}

static int wait_told(csys_once *once, csys_deadline deadline, int is_forced)
{
	/* Before a checked build is told: a thread does not wait for a once that is complete. */
	if (csysi_load_acquire(&once->word) == COMPLETE)
		return 0;
	CSYSI_WANTS(once, CSYSI_HELD_ONCE, deadline);
	/* Its body waits for it.  A checked build has told where, if that is for ever. */
	int is_own = csysi_holds(once, CSYSI_HELD_ONCE);
	int r = is_own ? CSYS_EDEADLK : wait_until(once, deadline, is_forced);
	csysi_checked_gave_up();
	return r;
}

int csys_once_wait_until(csys_once *once, csys_deadline deadline)
{
	return wait_told(once, deadline, 0);
}

int csys_once_wait(csys_once *once)
{
	return wait_told(once, CSYS_FOREVER, 0);
}

int csys_once_wait_force_until(csys_once *once, csys_deadline deadline)
{
	return wait_told(once, deadline, 1);
}

void csys_once_wait_force(csys_once *once)
{
	if (wait_told(once, CSYS_FOREVER, 1) < 0)
		csysi_os_abort("a once is waited for in its own body");
}

void csysi_once_abandon(csys_once *once)
{
	leave(once, POISONED);
}

/* ---- one of several (wait_any.c) ---------------------------------------------------------- */

static int is_over(uint32_t word)
{
	return word == COMPLETE || has_failed_for_good(word);
}

static int take_item(const csys_wait_item *item)
{
	const csys_once *once = item->object;

	return is_over(csysi_load_acquire(&once->word));
}

static int look_at_item(const csys_wait_item *item, struct csysi_watch *watch)
{
	csys_once *once = item->object;
	uint32_t word = csysi_load_acquire(&once->word);

	(void)watch;
	for (;;) {
		if (is_over(word))
			return 1;
		uint32_t waited =
			is_running(word) ? (word & AGAIN) | RUNNING_WAITED : INCOMPLETE_WAITED;
		/* Acquire and release: see watch.c; also where it is waited for already. */
		if (csysi_cas_acq_rel(&once->word, &word, waited))
			return 0;
		word = csysi_load_acquire(&once->word);
	}
}

const struct csysi_watch_kind csysi_once_kind = { take_item, look_at_item, NULL, NULL };
