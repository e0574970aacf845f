/*
 * ipc/shared_mutex.c - mutual exclusion between processes, in one word that names its holder.
 *
 *     word:  WAITED (1 bit) | POISONED (1 bit) | id of the holder (30 bits), 0: free
 *
 *              lock                  another sleeps
 *     FREE ------------> HELD(id) ------------------> HELD(id), WAITED
 *      ^                  |    |                         |     |
 *      +------------------+    | the holder dies         |     |
 *      | unlock [wake one if WAITED]                     |     |
 *      +-------------------------------------------------+     |
 *                         v                                    v
 *                     HELD(dead) --- lock: the id is replaced in one step ---> HELD, POISONED
 *
 * Every transition is one atomic step, and the states before and after it name the holder:
 *
 *     a thread is killed     the state is           and then
 *     before it has locked   as it was              nobody needs to do anything
 *     while it holds         HELD(dead)             the next thread that looks takes over
 *     after taking over      HELD(dead), POISONED   the same, so poison is never lost
 *     after the unlock,      FREE, others asleep    they wake: each also sleeps on the token of
 *     before the wake                               the last holder, and for a nap at most
 *     a sleeper, just woken  FREE or HELD, without  the others wake after a nap, and set WAITED
 *                            WAITED
 *
 * Invariant: while a thread sleeps, WAITED is set; or a thread that was woken is awake, and will
 * set it or take the mutex as WAITED; or that one was killed, and the nap of the others will end.
 * So a thread that has slept takes it as WAITED, and one that gives up after a sleep leaves WAITED.
 *
 * Poison is in the word, and so is changed with it in one step: a takeover cannot be seen without
 * it, and clearing it cannot undo an unlock.
 */
#include <csys/ipc/shared_mutex.h>

#include "base/atomic.h"
#include "ipc/region.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"
#include "sync/spin.h"

#define WAITED 0x80000000u
#define POISONED 0x40000000u

_Static_assert((CSYSI_ID & (WAITED | POISONED)) == 0, "an id fits beside the marks");
_Static_assert(sizeof(csys_shared_mutex) == 8, "the same in all processes");

/* ---- locking ---------------------------------------------------------------------- */

/* Take it, if it can be taken: 1, with what it was in *out_word. */
static int try_take(const csys_region *region, csys_shared_mutex *mutex, uint32_t id,
		    uint32_t waited, uint32_t *out_word)
{
	/* Relaxed: the compare-and-swap decides. */
	uint32_t word = csysi_load_relaxed(&mutex->word);

	while (csysi_region_is_takable(region, word, id)) {
		uint32_t taken = id | (word & (WAITED | POISONED)) | waited;
		if (word & CSYSI_ID)
			taken |= POISONED;
		/* Acquire pairs with the releases of unlock; what a dead holder wrote was seen with
		 * its death. */
		if (csysi_cas_acquire(&mutex->word, &word, taken)) {
			*out_word = taken;
			return 1;
		}
	}
	*out_word = word;
	return 0;
}

static int spin(const csys_region *region, csys_shared_mutex *mutex, uint32_t id, uint32_t *word)
{
	for (int round = 0; csysi_backs_off(&round);)
		if (try_take(region, mutex, id, 0, word))
			return 1;
	return 0;
}

/* Note that a thread sleeps, or may: 0 if the word is not `*word` any more, which is read anew. */
static int announce(csys_shared_mutex *mutex, uint32_t *word)
{
	if (*word & WAITED)
		return 1;
	/* Relaxed: it orders nothing; the sleep looks at the word again. */
	if (!csysi_cas_relaxed(&mutex->word, word, *word | WAITED))
		return 0;
	*word |= WAITED;
	return 1;
}

/* Sleep until it can be taken, and take it. */
static int acquire(csys_region *region, csys_shared_mutex *mutex, uint32_t id,
		   csys_deadline deadline, uint32_t *out_word)
{
	uint32_t waited = 0; /* WAITED once this thread has slept */
	uint32_t word;

	if (spin(region, mutex, id, out_word))
		return 0;
	for (;;) {
		if (try_take(region, mutex, id, waited, out_word))
			return 0;
		word = *out_word;
		if (!announce(mutex, &word))
			continue;
		/* After the announcement: others sleep on, if this thread was woken in their
		 * place and has no time to wait. */
		if (csys_deadline_left(deadline) <= 0)
			return CSYS_ETIMEDOUT;
		(void)csysi_region_wait(region, word & CSYSI_ID, &mutex->word, word, deadline);
		waited = WAITED;
	}
}

/* This thread holds it, as `word`. */
static int entered(csys_shared_mutex *mutex, uint32_t word)
{
	csysi_enter_shared(mutex);
	return word & POISONED ? CSYS_POISONED : 0;
}

int csysi_shared_mutex_entered(csys_shared_mutex *mutex)
{
	return entered(mutex, 0);
}

int csysi_shared_mutex_lock_slow(csys_region *region, csys_shared_mutex *mutex)
{
	return csys_shared_mutex_lock_until(region, mutex, CSYS_FOREVER);
}

int csys_shared_mutex_lock_until(csys_region *region, csys_shared_mutex *mutex,
				 csys_deadline deadline)
{
	uint32_t id;
	uint32_t word;
	int r = csysi_region_id_until(region, deadline, &id);
	if (r < 0)
		return r;

	CSYSI_WANTS(mutex, CSYSI_HELD_SHARED, deadline);
	r = try_take(region, mutex, id, 0, &word) ? 0
	    : csys_deadline_left(deadline) > 0
		    ? acquire(region, mutex, id, deadline, &word)
		    : CSYS_ETIMEDOUT; /* a thread that has no time to wait leaves no trace */
	if (r < 0) {
		csysi_checked_gave_up();
		return r;
	}
	return entered(mutex, word);
}

int csys_shared_mutex_try_lock(csys_region *region, csys_shared_mutex *mutex)
{
	uint32_t id;
	uint32_t word;
	int r = csysi_region_id_until(region, CSYS_POLL, &id);
	if (r < 0)
		return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
	return try_take(region, mutex, id, 0, &word) ? entered(mutex, word) : CSYS_EAGAIN;
}

/* ---- unlocking -------------------------------------------------------------------- */

/* Release it if the member with this id holds it: 1.  With these marks beside those it has. */
static int release(csys_shared_mutex *mutex, uint32_t id, uint32_t marks)
{
	uint32_t word = csysi_load_relaxed(&mutex->word);

	do {
		if ((word & CSYSI_ID) != id)
			return 0;
		/* Release pairs with the acquires above. */
	} while (!csysi_cas_release(&mutex->word, &word, (word & POISONED) | marks));
	if (word & WAITED)
		csysi_os_wake(&mutex->word, 1, 1);
	return 1;
}

/* Unlock it.  If this thread has noted that it holds it, and the word tells another thing, then a
 * process has overwritten that. */
static void unlock(csys_region *region, csys_shared_mutex *mutex, int is_noted)
{
	uint32_t id = csysi_region_own_id(region);
	int is_held = id != 0 && (release(mutex, id, 0) || is_noted);

	if (!is_held && !csysi_ledger_is_abandoned())
		csysi_os_abort("unlock of a shared mutex that this thread does not hold");
}

void csysi_shared_mutex_unlock_slow(csys_region *region, csys_shared_mutex *mutex)
{
	unlock(region, mutex, csysi_leave_shared(mutex));
}

void csysi_shared_mutex_unlock_noted(csys_region *region, csys_shared_mutex *mutex)
{
	unlock(region, mutex, 1);
}

void csysi_shared_mutex_abandon(csys_region *region, csys_shared_mutex *mutex)
{
	uint32_t id = csysi_region_own_id(region);

	/* In a forked child it is its parent's. */
	if (id != 0)
		(void)release(mutex, id, POISONED);
}

/* ---- what it tells -------------------------------------------------------------------- */

int csys_shared_mutex_is_locked(const csys_region *region, const csys_shared_mutex *mutex)
{
	/* Relaxed: it tells of a moment that is over. */
	uint32_t holder = csysi_load_relaxed(&mutex->word) & CSYSI_ID;

	return holder != 0 && csysi_region_is_alive(region, holder);
}

int csysi_shared_mutex_is_left(const csys_region *region, const csys_shared_mutex *mutex)
{
	uint32_t holder = csysi_load_relaxed(&mutex->word) & CSYSI_ID; /* relaxed, as above */

	return holder != 0 && !csysi_region_is_alive(region, holder);
}

int csys_shared_mutex_holder(const csys_region *region, const csys_shared_mutex *mutex,
			     csys_region_member *out)
{
	uint32_t holder = csysi_load_relaxed(&mutex->word) & CSYSI_ID; /* relaxed, as above */

	return holder != 0 && csysi_region_look(region, holder, out);
}

int csys_shared_mutex_is_poisoned(const csys_shared_mutex *mutex)
{
	/* Relaxed, and in the next two: poison is a flag that orders nothing. */
	return (csysi_load_relaxed(&mutex->word) & POISONED) != 0;
}

void csys_shared_mutex_clear_poison(csys_shared_mutex *mutex)
{
	csysi_and_relaxed(&mutex->word, ~POISONED);
}

void csys_shared_mutex_poison(csys_shared_mutex *mutex)
{
	csysi_or_relaxed(&mutex->word, POISONED);
}

void csys_shared_mutex_assert_held(const csys_region *region, const csys_shared_mutex *mutex)
{
	uint32_t id = csysi_region_own_id(region);

	/* Relaxed: while this thread holds it, no other changes the id. */
	if (id == 0 || (csysi_load_relaxed(&mutex->word) & CSYSI_ID) != id)
		csysi_os_abort("a shared mutex is not held that should be");
}
