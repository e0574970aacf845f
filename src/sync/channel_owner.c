/*
 * sync/channel_owner.c - which thread may use a side of a channel without read-modify-write.
 *
 * The owner marks itself busy, makes sure that it still is the owner, uses the side, and clears the
 * mark.  It makes no fence between the mark and the look; a thread that takes over makes one there
 * (csysi_os_barrier) after it has taken the side from the owner:
 *
 *     the owner, in its seat               a thread that takes over, under the channel's lock
 *       is_busy = 1                          thread = none
 *       (barrier, by the other thread)       barrier
 *       is it the owner?                     waits until is_busy is 0
 *       ...                                  seat = the next one, with itself as thread;
 *       is_busy = 0                            or is_shared = 1
 *
 * So the owner sees that it is not the owner any more, or the other thread sees that it is busy. A
 * thread may set is_busy, and clear it, after it has lost the side: hence each owner has a seat,
 * with a mark of its own, which no other thread gets.
 *
 * The side moves to the new thread a few times: programs create a channel in one thread and use it
 * in another.  After that it is shared for ever: senders claim by compare-and-swap, receivers take
 * turns under a lock, or claim too (channel_claim.c).  Where there is no barrier in other threads
 * it is shared at once.
 *
 * Another thread may get the address of one that has ended; it is the owner then, which is right.
 */
#include <stddef.h>

#include "os/os.h"
#include "sync/channel.h"
#include "sync/spin.h"

__thread struct csysi_channel_thread csysi_channel_thread;

const void *csysi_channel_this_thread(void)
{
	return &csysi_channel_thread;
}

/* ---- the CPU of the thread ----------------------------------------------------------------- */

ptrdiff_t csysi_channel_find_cpu(void)
{
	const uint32_t *word = csysi_os_cpu_word();

	/* As numbers: the two are not in one object. */
	return word ? (ptrdiff_t)((uintptr_t)word - (uintptr_t)csysi_channel_me()) : 0;
}

uint32_t csysi_channel_ask_cpu(void)
{
	uint32_t *known = &csysi_channel_thread.cpu;

	if (*known == 0)
		*known = ((uint32_t)csysi_os_cpu() + 1) & CSYSI_CHANNEL_CPU;
	return *known;
}

/* ---- taking over --------------------------------------------------------------------------- */

/* Let no thread be the owner. */
static void evict(struct csysi_channel_seat *seat)
{
	/* Relaxed, as is the owner's look: the barrier orders it before the look at is_busy. */
	csysi_store_relaxed(&seat->thread, NULL);
	csysi_os_barrier();
	/* Acquire pairs with the release of csysi_channel_leave. */
	for (int tries = 0; csysi_load_acquire(&seat->is_busy); tries++)
		csysi_spin_let_on(tries);
}

/* Under the lock: let a side have no owner.  Release pairs with the acquires of those that look
 * whether it is shared: what earlier owners did is seen. */
static void share(struct csysi_channel_owner *owner, uint32_t *is_shared)
{
	struct csysi_channel_seat *seat = csysi_load_relaxed(&owner->seat);

	if (csysi_load_relaxed(&seat->thread))
		evict(seat);
	csysi_store_release(is_shared, 1);
}

/* Under the lock: whether a seat is left.  The first one is without a thread until it is used. */
static int has_seat(const struct csysi_channel_owner *owner)
{
	const struct csysi_channel_seat *seat = csysi_load_relaxed(&owner->seat);

	return seat < &owner->seats[CSYSI_CHANNEL_SEATS - 1] || !csysi_load_relaxed(&seat->thread);
}

/* Under the lock: make this thread the owner, for which a seat is left. */
static void move(struct csysi_channel_owner *owner, const void *me)
{
	struct csysi_channel_seat *seat = csysi_load_relaxed(&owner->seat);

	if (csysi_load_relaxed(&seat->thread))
		evict(seat++);
	csysi_store_relaxed(&seat->thread, me);
	csysi_store_relaxed(&seat->cpu, csysi_channel_ask_cpu());
	/* Release pairs with the acquire of csysi_channel_enter. */
	csysi_store_release(&owner->seat, seat);
}

/* Under the lock: a side that has never had an owner may lack something. */
static int prepare_side(struct csysi_channel *c, const struct csysi_channel_owner *owner)
{
	return owner == &c->tx_owner ? csysi_channel_first_block(c) : 0;
}

int csysi_channel_take_over(struct csysi_channel *c, struct csysi_channel_owner *owner,
			    uint32_t *is_shared)
{
	const void *me = csysi_channel_me();

	csysi_channel_lock(c);
	int r = prepare_side(c, owner);
	/* Relaxed, both: the lock orders them. */
	const void *thread = csysi_load_relaxed(&csysi_load_relaxed(&owner->seat)->thread);
	if (r == 0 && !csysi_load_relaxed(is_shared) && (!thread || thread != me)) {
		if (has_seat(owner) && csysi_os_barrier_is_there())
			move(owner, me);
		else
			share(owner, is_shared);
	}
	csysi_channel_unlock(c);
	return r;
}

int csysi_channel_share(struct csysi_channel *c, struct csysi_channel_owner *owner,
			uint32_t *is_shared)
{
	if (!csysi_channel_has_slots(c))
		return 0; /* without owners, and without what several threads could share */
	csysi_channel_lock(c);
	int r = prepare_side(c, owner);
	/* Relaxed: the lock orders it. */
	if (r == 0 && !csysi_load_relaxed(is_shared))
		share(owner, is_shared);
	csysi_channel_unlock(c);
	return r;
}

void csysi_channel_owner_init(struct csysi_channel_owner *owner)
{
	owner->seat = &owner->seats[0];
}
