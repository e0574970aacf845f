/*
 * ipc/region.h - regions and their members, from inside.
 *
 *     region: head | members | data
 *     member: token | generation, and what is told of it | cells
 *
 * A member is named by an id: its place in the table of members, and how many owners that place has
 * had.  What a member holds has its id in the word that was compared and swapped to get it; so a
 * word always names the member that is responsible for it, and an id of a dead member is as good
 * as none.
 *
 *     FREE --attach--> LIVE (token owned, generation + 1) --detach--> FREE
 *                       |  the end of the thread, by the system
 *                       +--> DEAD --attach--> LIVE
 *
 * The generation changes at every attach, not only after a death: another thread may have read an
 * id, and take over what it holds when it sees the place free.
 *
 * Attach and detach exclude each other in all processes (csysi_os_tokens_try_lock).  A process that
 * is killed between the steps of attach leaves a place that is DEAD, under the old id or the new.
 * The token is owned first: until the generation follows, the last owner's id looks alive, and
 * those that wait for it look again.
 */
#ifndef CSYSI_IPC_REGION_H
#define CSYSI_IPC_REGION_H

#include <csys/ipc/region.h>
#include <csys/ipc/region_inside.h>
#include <csys/ipc/shared_mutex.h>
#include <csys/ipc/shared_once.h>
#include <csys/ipc/shared_permits.h>
#include <csys/ipc/shared_rwlock.h>

#include "base/atomic.h"
#include "ipc/shm.h"
#include "os/os.h"

/* Of what csys keeps in a region. */
#define CSYSI_REGION_VERSION 1u

/* An id: the place, and above that the generation, which is not 0. */
#define CSYSI_ID_PLACE 1023u
#define CSYSI_ID_GENERATION_SHIFT 10
#define CSYSI_ID_GENERATIONS (1u << 20)
#define CSYSI_ID ((1u << 30) - 1)

/* Each member has words to tell which locks it reads: shared_rwlock.c. */
#define CSYSI_MEMBER_CELLS 16

struct csysi_member_entry {
	_Alignas(64) struct csysi_os_token token;
	uint32_t generation; /* atomic */
	uint32_t reserved[3];
	_Alignas(64) uint32_t cells[CSYSI_MEMBER_CELLS];
	int64_t pid;
	int64_t start;
	unsigned char room[112];
};

/* Written before any other process sees it, and never changed but for `next`. */
struct csysi_region_head {
	uint32_t way; /* enum csysi_os_token_way */
	uint32_t members;
	uint64_t data; /* from the head to the data */
	uint64_t size; /* of the data */
	char tokens[CSYSI_OS_TOKEN_NAME];
	uint32_t next; /* atomic: where the next attach begins to look; only a hint */
	uint32_t reserved;
	uint64_t directory[2]; /* LOCK: device and number of the one that has the file of tokens */
	unsigned char room[176];
};

/* What wants to know of each thread of this process that has left a region; with the lock of all
 * regions. */
struct csysi_region_follower {
	struct csysi_region_follower *next;
	csys_region *region; /* NULL: it follows none, or the region is gone */
	void (*thread_left)(struct csysi_region_follower *follower);
};

struct csys_region {
	csys_shm *shm;
	struct csysi_member_entry *entries;
	uint32_t members; /* copies of what the head has, checked */
	char *data;
	size_t size;
	uint32_t *next_place;
	struct csysi_os_tokens tokens;
	/* Guarded by the lock of all regions. */
	uint32_t users; /* csys_region_close, and each thread that is a member */
	int is_closed;
	struct csysi_region_follower *followers;
	csys_region *next;
};

#ifdef CSYSI_FAULTS
extern int csysi_region_way;      /* which tests set: of new regions; 0: the best */
extern int csysi_region_leave_ms; /* which tests shorten */
#endif

/* The lock of all regions of this process.  A forked child has it free, and all regions counted
 * as used once, by their handles; those that its parent has closed it ends when it first leaves. */
void csysi_regions_enter(void);
void csysi_regions_leave(void);

/* One user less; with the lock.  NULL, or the region, which has none any more: to be ended without
 * the lock, since that can wait for other processes. */
csys_region *csysi_region_drop(csys_region *region);
void csysi_region_end(csys_region *region);

/* Keep a region open beyond its csys_region_close, and no longer; without the lock. */
void csysi_region_keep(csys_region *region);
void csysi_region_let_go(csys_region *region);

/* Add a follower, unless it is one already, and remove it, if it is one. */
void csysi_region_follow(csys_region *region, struct csysi_region_follower *follower);
void csysi_region_unfollow(struct csysi_region_follower *follower);

/* The region in whose memory an address lies, NULL if none of this process. */
csys_region *csysi_region_of(const void *address);

/*
 * The calling thread's id, as a member.  Negative if it cannot become one: csys_region_attach tells
 * why; CSYS_ETIMEDOUT: a process that attaches or detaches does not go on.
 */
int csysi_region_id_until(csys_region *region, csys_deadline deadline, uint32_t *out);

/* The same if it is one already, else 0. */
uint32_t csysi_region_own_id(const csys_region *region);

/*
 * A number that changes whenever a thread of this process ceases to be a member of a region, and in
 * a forked child.  Atomic, and always there: what is noted of a thread as a member holds while it
 * is the same.
 */
#if CSYSI_IS_ELF
CSYSI_ATTRIBUTE((visibility("hidden"))) /* so that no table is asked where it is */
#endif
extern uint64_t csysi_region_epoch;

/* How many times more the calling thread reads what its cells are for, in memory of its own; NULL
 * if it is no member. */
uint32_t *csysi_region_nested(const csys_region *region);

/* Tell of the member with an id, or the one that has its place now: 1; 0: there was none. */
int csysi_region_look(const csys_region *region, uint32_t id, csys_region_member *out);

/* Whether a member that lives no more holds a mutex (shared_mutex.c). */
int csysi_shared_mutex_is_left(const csys_region *region, const csys_shared_mutex *mutex);

/* Poison and release a lock of this thread in a region (shared_mutex.c, shared_permits.c,
 * shared_once.c). */
void csysi_shared_mutex_abandon(csys_region *region, csys_shared_mutex *mutex);
void csysi_shared_permits_abandon(csys_region *region, csys_shared_permit *permit);
void csysi_shared_once_abandon(csys_region *region, csys_shared_once *once);

/*
 * The same of a rwlock (shared_rwlock.c): poison and release what this thread has by the lock's own
 * word.  Release what it reads by a cell: 1; 0: there is none, so it is another kind of lock.
 */
void csysi_shared_rwlock_abandon(csys_region *region, csys_shared_rwlock *lock);
int csysi_shared_rwlock_abandon_read(csys_region *region, csys_shared_rwlock *lock);

/* Whether an id is that of a member that lives; any bits may be given. */
int csysi_region_is_alive(const csys_region *region, uint32_t id);

/* Whether the member with this id can take that of which this word names the holder: it has none,
 * or a dead one. */
static inline int csysi_region_is_takable(const csys_region *region, uint32_t word, uint32_t id)
{
	uint32_t holder = word & CSYSI_ID;

	return holder == 0 || (holder != id && !csysi_region_is_alive(region, holder));
}

/*
 * A word that does not stay the same when the member with the id, which lives, has died: a caller
 * can tell so that it still does.  NULL: the region has no such words.
 */
static inline const uint32_t *csysi_region_sign_of_life(const csys_region *region, uint32_t id)
{
	return region->tokens.way == CSYSI_OS_TOKEN_LIST
		       ? &region->entries[id & CSYSI_ID_PLACE].token.word
		       : NULL;
}

/*
 * Sleep while *word is `expected` and the member with the id lives, as csysi_os_token_wait does.
 * 0: look again; CSYS_ETIMEDOUT.
 */
int csysi_region_wait(const csys_region *region, uint32_t id, const uint32_t *word,
		      uint32_t expected, csys_deadline deadline);

/*
 * Sleep while *word is `expected`, for a while at most: the thread that was to wake this one may
 * have been killed.  0: look again; CSYS_ETIMEDOUT.
 */
int csysi_region_nap(const uint32_t *word, uint32_t expected, csys_deadline deadline);

/* Before a sleep on the upper half of *word: set the bit `waited` in that, if it is still `is`: 1.
 * 0: it is not. */
static inline int csysi_region_announce(uint64_t *word, uint64_t is, uint64_t waited)
{
	/* Relaxed: it orders nothing; the sleep looks at the word again. */
	return (is & waited) || csysi_cas_relaxed(word, &is, is | waited);
}

/* Announce a sleep, and sleep as csysi_region_nap does while the upper half is what it is then. */
static inline void csysi_region_nap_upper(uint64_t *word, uint64_t is, uint64_t waited,
					  csys_deadline deadline)
{
	if (csysi_region_announce(word, is, waited))
		(void)csysi_region_nap(csysi_upper_half(word), (uint32_t)((is | waited) >> 32),
				       deadline);
}

#endif
