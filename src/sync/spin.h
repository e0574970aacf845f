/*
 * sync/spin.h - when to wait awake, and for how long.
 *
 * Waking a thread that sleeps on another CPU takes tens of microseconds, and one
 * that looks at the word again and again sees a change in 50 ns; but on the CPU
 * on which the other side runs, looking only keeps it from running.  So a thread that
 * wakes others leaves the number of its CPU, and a thread that waits spins only if the
 * last wake here came from another CPU, and for CSYSI_SPIN_NS at most, as a mean of
 * 16 waits.  A wrong number costs time and nothing else.
 *
 * The numbers are in a table by the address of the word, not in the objects,
 * which stay small; two objects that share a place may mislead each other.
 */
#ifndef CSYSI_SYNC_SPIN_H
#define CSYSI_SYNC_SPIN_H

#include <stddef.h>

#include <csys/base/deadline.h>

/* How long a waiter spins, as a rule: see csysi_spin_worth in spin.c. */
#define CSYSI_SPIN_NS 5000

/* Note that this thread is about to wake, or let go on, a thread that waits for `object`. */
void csysi_spin_note(const void *object);

/*
 * Waiting awake, up to the deadline:
 *
 *     for (struct csysi_spin spin = csysi_spin_begin(object, deadline);
 *          csysi_spin_goes_on(&spin, is_so);)
 *             is_so = look();
 *
 * The body of the loop does not run at all where spinning does not help.
 */
struct csysi_spin {
	int64_t end; /* ns of csys_now; 0: it does not help */
	int looks;
	uint32_t *missed;
};

struct csysi_spin csysi_spin_begin(const void *object, csys_deadline deadline);
int csysi_spin_goes_on(struct csysi_spin *spin, int is_so);

/* For objects that keep these counts themselves: how long to spin after so many waits in a row that
 * took longer than their spins (0: not now), and that number after a spin. */
int64_t csysi_spin_worth(uint32_t missed);
uint32_t csysi_spin_missed(uint32_t missed, int is_so);

/* Forget what was noted for objects in this memory; perhaps that of others, too. */
void csysi_spin_forget(const void *memory, size_t size);

/* Whether the last note for `object` was made on this CPU. */
int csysi_spin_is_near(const void *object);

/*
 * Waiting awake for a lock, which its holder is about to release as a rule:
 *
 *     for (int round = 0; csysi_backs_off(&round);)
 *             if (try_take(lock))
 *                     return;
 *
 * Some time between two looks, since each slows the holder down; about CSYSI_SPIN_NS
 * in all, or less.
 */
int csysi_backs_off(int *round);

/* Between two looks at a lock that another thread holds for a few instructions; `tries` counts
 * them from 0. */
void csysi_spin_let_on(int tries);

/*
 * Sleep for so long, where no thread wakes this one: the caller looks again.  A signal may end it
 * early.  Not a cancellation point, as no wait in csys/sync is: the caller may have a lock, or be
 * in a queue.
 */
void csysi_spin_nap(int64_t ns);

/*
 * Whether a lock may be handed over to a waiting thread by force: once in `interval_ns` for each
 * lock, more often where two of them share a place in the table.  If so that is noted.
 */
int csysi_hand_over_is_due(const void *lock, int64_t interval_ns);

#endif
