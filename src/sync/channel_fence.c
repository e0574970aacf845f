/*
 * sync/channel_fence.c - the two fences between a thread that sleeps and one that wakes it.
 *
 *     a thread that sleeps             a thread of the fast side
 *       (a) sets SOME                    (1) publishes (a message, or room)
 *       (b) fence                        (2) fence
 *       (c) looks once more              (3) looks at the flags
 *
 * Both fences are full ones; so (c) sees (1), or (3) sees (a).
 *
 * The fast side publishes each message, and nearly none finds a sleeper.  So after FENCED
 * operations it leaves (2) to the compiler, and the sleeper makes a barrier in all threads
 * (csysi_os_barrier). The word `mode` of the fast side tells how it is:
 *
 *     FENCED ----> UNFENCED     by the fast side after so many operations, with a fence behind it
 *     UNFENCED --> TURNING      by a sleeper after (a)
 *     TURNING ---> FENCED       by that sleeper, after its barrier
 *
 * A sleeper that reads UNFENCED or TURNING makes a barrier.  What was published before the barrier
 * reached the fast side is seen at (c); each look after it sees SOME.
 *
 * A sleeper that reads FENCED makes none.  If it read that before the change to UNFENCED, its (a)
 * is before the fence behind the change, so all unfenced looks see SOME.  If after a TURNING, the
 * barrier of that sleeper lies in between, so each unfenced look that began before is over, and
 * what it published is seen.  Hence TURNING: a second sleeper must not read FENCED while the
 * barrier of the first is still to come; and only the sleeper that has made it TURNING makes it
 * FENCED.
 *
 * Of several senders each claims an index by a compare-and-swap, which is (2).  It is before the
 * message is published; so a receiver looks whether an index is claimed (c), not whether its slot
 * is stamped.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wtsan" /* all data hang on atomics, not on the fences */
#endif

#include "os/os.h"
#include "sync/channel.h"

#define FENCED_FOR 256

void csysi_channel_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void csysi_channel_fence_slow(struct csysi_channel_fence *fence)
{
	/* Relaxed: threads that count at once only lose a number. */
	uint32_t count = csysi_load_relaxed(&fence->count) + 1;
	uint32_t mode = CSYSI_CHANNEL_FENCED;

	if (count >= FENCED_FOR && csysi_os_barrier_is_there()) {
		count = 0;
		/* Release pairs with the acquire of csysi_channel_order.  It fails while
		 * TURNING. */
		(void)csysi_cas_release(&fence->mode, &mode, CSYSI_CHANNEL_UNFENCED);
	}
	csysi_store_relaxed(&fence->count, count);
	csysi_channel_fence();
}

void csysi_channel_fence_sleeper(struct csysi_channel_fence *fence)
{
	csysi_channel_fence();
	/* Relaxed, all: the fences and the barrier order them. */
	uint32_t mode = csysi_load_relaxed(&fence->mode);
	if (mode == CSYSI_CHANNEL_FENCED)
		return;
	int is_mine = mode == CSYSI_CHANNEL_UNFENCED &&
		      csysi_cas_relaxed(&fence->mode, &mode, CSYSI_CHANNEL_TURNING);
	csysi_os_barrier();
	if (is_mine)
		csysi_store_relaxed(&fence->mode, CSYSI_CHANNEL_FENCED);
}
