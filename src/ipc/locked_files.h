/*
 * ipc/locked_files.h - the files that this process locks: a thread that tries a lock again and
 * again learns at once when this process itself releases it.
 *
 *     csysi_locked_file_begin_wait(file);
 *     for (;;) {
 *             uint32_t seen = csysi_locked_file_releases(file);
 *             if (try_lock() || is_over(deadline))
 *                     break;
 *             csysi_os_wait(&file->releases, seen, soon, 0);
 *     }
 *     csysi_locked_file_end_wait(file);
 *
 * Invariant: a release of this process that comes after a try is noticed by the thread that tried.
 * The thread has counted itself before the try.  The system orders the try that was refused before
 * the unlock that came after it, so the unlocking thread finds it counted, and changes `releases`
 * from what the thread has seen.
 */
#ifndef CSYSI_IPC_LOCKED_FILES_H
#define CSYSI_IPC_LOCKED_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "base/atomic.h"

struct csysi_locked_file {
	struct csysi_locked_file *next; /* with the same hash; under the lock of the table */
	uint64_t device, number;
	size_t users;      /* under the lock of the table */
	uint32_t waiters;  /* threads that try again and again */
	uint32_t releases; /* counted while there are waiters */
	uint32_t order;    /* always 0: see csysi_locked_file_acquired */
};

/* Enter a file that is open, or count one more user; NULL: no memory. */
struct csysi_locked_file *csysi_locked_file_enter(uint64_t device, uint64_t number);

/* Uncount a user.  Not in a forked child of the process that entered it. */
void csysi_locked_file_leave(struct csysi_locked_file *file);

static inline void csysi_locked_file_begin_wait(struct csysi_locked_file *file)
{
	/* Sequentially consistent, as in released: see above. */
	(void)csysi_add_seq_cst(&file->waiters, 1);
}

static inline void csysi_locked_file_end_wait(struct csysi_locked_file *file)
{
	csysi_sub_relaxed(&file->waiters, 1);
}

static inline uint32_t csysi_locked_file_releases(const struct csysi_locked_file *file)
{
	/* Acquire keeps the try behind it. */
	return csysi_load_acquire(&file->releases);
}

/*
 * Order what threads do under locks of the file, by whichever object: to be called after the system
 * has locked it, and before it unlocks it.  The system does order them; this says so in C, to
 * compilers and sanitizers.
 */
static inline void csysi_locked_file_acquired(const struct csysi_locked_file *file)
{
	/* Acquire pairs with the release below. */
	(void)csysi_load_acquire(&file->order);
}

static inline void csysi_locked_file_releasing(struct csysi_locked_file *file, int is_shared)
{
	/* Those that share a lock release one after the other, and the next exclusive one comes
	 * after all: a store would hide the others.  Before an exclusive one all others came. */
	if (is_shared)
		csysi_or_release(&file->order, 0);
	else
		csysi_store_release(&file->order, 0);
}

/* Tell that this process has released a lock of the file. */
void csysi_locked_file_wake(struct csysi_locked_file *file);
static inline void csysi_locked_file_released(struct csysi_locked_file *file)
{
	if (csysi_load_seq_cst(&file->waiters) != 0)
		csysi_locked_file_wake(file);
}

#endif
