/*
 * ipc/shared_permits.c - permits, each of which is a word that names the thread that has it.
 *
 *     word of a permit:   POISONED (1 bit) | id of its holder (30 bits), 0: free
 *     wakes of the first: WAITED (1 bit) | number of wakes (31 bits)
 *
 *              wait
 *     FREE ------------> HELD(id) ----------> HELD(dead)
 *      ^  \               |    |  the thread      |  wait: the id is replaced in one step, and the
 *      |   \   post       |    |  ends            |  taker is told
 *      |    +-------------+    |                  +----------------> HELD(id)
 *      |                       |  panic
 *      +-- wait, told ---- FREE, POISONED
 *
 * No other word counts the permits, so none is lost with a thread:
 *
 *     a thread is killed       the state is           and then
 *     before it has taken one  as it was              nobody needs to do anything
 *     while it has one         HELD(dead)             the next thread that looks takes it, and is
 *                                                     told, until one has posted it
 *     after the post, before   FREE, others asleep    they look after a nap
 *     the wake
 *     a sleeper, just woken    FREE, or HELD by       the same, and the first that looks sets
 *                              another, no WAITED     WAITED again
 *
 * Sleep: a thread that waits sets WAITED, then looks at all permits, then sleeps while `wakes` is
 * what it saw.  A thread that posts frees the permit, then looks at `wakes`; if that is WAITED, one
 * step ends WAITED and counts a wake, and it wakes one sleeper.  Both have their two accesses in
 * the one order of seq_cst, so either the waiter sees the permit or the poster sees WAITED.
 *
 * Invariant: while a thread sleeps, WAITED is set; or a thread was woken and is awake; or that one
 * was killed, and the nap of the others will end.  A thread that was woken stands for all that
 * sleep: it sets WAITED before it looks, and if it takes a permit while another is free, it wakes
 * one more.
 */
#include <csys/ipc/shared_permits.h>

#include "base/atomic.h"
#include "ipc/region.h"
#include "os/os.h"
#include "sync/ledger.h"

#define WAITED 0x80000000u
#define POISONED 0x40000000u

_Static_assert((CSYSI_ID & POISONED) == 0, "an id fits beside the mark");
_Static_assert(sizeof(csys_shared_permit) == 8, "the same in all processes");

/* One call of a thread. */
struct call {
	csys_region *region;
	csys_shared_permit *permits;
	unsigned n;
	uint32_t id;
	unsigned at;    /* which it has taken */
	uint32_t watch; /* a holder to sleep for, 0: none but itself */
};

static int is_count(unsigned n)
{
	return n > 0 && n <= CSYS_SHARED_PERMITS_MAX;
}

/* ---- sleeping and waking -------------------------------------------------------------------- */

/* If a thread may sleep, wake one. */
static void wake_one(csys_shared_permit *permits)
{
	uint32_t *wakes = &permits->wakes;
	/* In the one order, as the compare-and-swap: see the top. */
	uint32_t word = csysi_load_seq_cst(wakes);

	while (word & WAITED)
		if (csysi_cas_seq_cst(wakes, &word, (word + 1) & ~WAITED)) {
			csysi_os_wake(wakes, 1, 1);
			return;
		}
}

/* Note that a thread sleeps, or may: `wakes` after that. */
static uint32_t announce(csys_shared_permit *permits)
{
	/* In the one order: see the top. */
	return csysi_fetch_or_seq_cst(&permits->wakes, WAITED) | WAITED;
}

/* ---- taking --------------------------------------------------------------------------------- */

/* Take a permit: 0, CSYS_POISONED; or CSYS_EAGAIN, and a holder to watch is known. */
static int take(struct call *call)
{
	call->watch = 0;
	for (unsigned at = 0; at < call->n; at++) {
		uint32_t *word_of = &call->permits[at].word;
		/* In the one order: see the top. */
		uint32_t word = csysi_load_seq_cst(word_of);
		while (csysi_region_is_takable(call->region, word, call->id)) {
			/* Acquire pairs with the release of post; what a dead holder wrote was seen
			 * with its death. */
			if (!csysi_cas_acquire(word_of, &word, call->id))
				continue;
			call->at = at;
			return word & (CSYSI_ID | POISONED) ? CSYS_POISONED : 0;
		}
		if (call->watch == 0 && (word & CSYSI_ID) != call->id)
			call->watch = word & CSYSI_ID;
	}
	return CSYS_EAGAIN;
}

static int is_any_free(const struct call *call)
{
	return csys_shared_permits_value(call->region, call->permits, call->n) > 0;
}

static void sleep_for(const struct call *call, uint32_t wakes, csys_deadline deadline)
{
	const uint32_t *word_of = &call->permits->wakes;

	if (call->watch != 0)
		(void)csysi_region_wait(call->region, call->watch, word_of, wakes, deadline);
	else
		(void)csysi_region_nap(word_of, wakes, deadline);
}

/* Sleep until there is one, and take it. */
static int acquire(struct call *call, csys_deadline deadline)
{
	for (int has_slept = 0;; has_slept = 1) {
		uint32_t wakes = announce(call->permits);
		int r = take(call);
		if (r != CSYS_EAGAIN) {
			/* Posted before the announcement: that has woken nobody. */
			if (has_slept && is_any_free(call))
				wake_one(call->permits);
			return r;
		}
		if (csys_deadline_left(deadline) <= 0)
			return CSYS_ETIMEDOUT;
		sleep_for(call, wakes, deadline);
	}
}

/* This thread has it. */
static int entered(const struct call *call, int r, unsigned *out_at)
{
	csysi_enter_shared_as(&call->permits[call->at], CSYSI_HELD_SHARED_PERMIT);
	*out_at = call->at;
	return r;
}

int csys_shared_permits_wait_until(csys_region *region, csys_shared_permit *permits, unsigned n,
				   csys_deadline deadline, unsigned *out_at)
{
	struct call call = { .region = region, .permits = permits, .n = n };
	if (!is_count(n))
		return CSYS_EINVAL;
	int r = csysi_region_id_until(region, deadline, &call.id);
	if (r < 0)
		return r;

	r = take(&call);
	if (r == CSYS_EAGAIN)
		/* A thread that has no time to wait leaves no trace. */
		r = csys_deadline_left(deadline) > 0 ? acquire(&call, deadline) : CSYS_ETIMEDOUT;
	return r < 0 ? r : entered(&call, r, out_at);
}

int csys_shared_permits_wait(csys_region *region, csys_shared_permit *permits, unsigned n,
			     unsigned *out_at)
{
	return csys_shared_permits_wait_until(region, permits, n, CSYS_FOREVER, out_at);
}

int csys_shared_permits_try_wait(csys_region *region, csys_shared_permit *permits, unsigned n,
				 unsigned *out_at)
{
	int r = csys_shared_permits_wait_until(region, permits, n, CSYS_POLL, out_at);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

/* ---- giving back ----------------------------------------------------------------------------- */

/* Give it back if the member with this id has it: 1.  With this mark. */
static int release(csys_shared_permit *permit, uint32_t id, uint32_t mark)
{
	uint32_t word = csysi_load_relaxed(&permit->word);

	do {
		if (id == 0 || (word & CSYSI_ID) != id)
			return 0;
		/* Release pairs with the acquire of the next holder, and it is before the look at
		 * `wakes` in the one order: see the top. */
	} while (!csysi_cas_seq_cst(&permit->word, &word, mark));
	return 1;
}

void csys_shared_permits_post(csys_region *region, csys_shared_permit *permits, unsigned n,
			      unsigned at)
{
	uint32_t id = csysi_region_own_id(region);
	int is_one = is_count(n) && at < n;

	int is_noted = is_one && csysi_leave_shared_as(&permits[at], CSYSI_HELD_SHARED_PERMIT);

	if (is_one && release(&permits[at], id, 0))
		wake_one(permits);
	else if ((id == 0 || !is_noted) && !csysi_ledger_is_abandoned())
		/* One that is noted was overwritten by a process. */
		csysi_os_abort("post of a permit that this thread does not have");
}

void csysi_shared_permits_abandon(csys_region *region, csys_shared_permit *permit)
{
	/* In a forked child it is its parent's.  Which set it belongs to is not known, so no thread
	 * is woken. */
	(void)release(permit, csysi_region_own_id(region), POISONED);
}

/* ---- what it tells --------------------------------------------------------------------------- */

unsigned csys_shared_permits_value(const csys_region *region, const csys_shared_permit *permits,
				   unsigned n)
{
	unsigned value = 0;

	if (!is_count(n))
		return 0;
	/* In the one order, for a thread that was woken and has taken one: see the top. */
	for (unsigned at = 0; at < n; at++)
		value += csysi_region_is_takable(region, csysi_load_seq_cst(&permits[at].word), 0)
				 ? 1
				 : 0;
	return value;
}

int csys_shared_permits_holder(const csys_region *region, const csys_shared_permit *permits,
			       unsigned n, unsigned at, csys_region_member *out)
{
	if (!is_count(n) || at >= n)
		return 0;
	/* Relaxed: it tells of a moment that is over. */
	uint32_t holder = csysi_load_relaxed(&permits[at].word) & CSYSI_ID;

	return holder != 0 && csysi_region_look(region, holder, out);
}
