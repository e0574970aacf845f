/*
 * bench/locks_peer.h - locks and their relatives, to be measured beside each other.
 *
 * A peer brings whole loops and not single calls, so that what it inlines into a
 * program is inlined here too.  The loops of peers in C are locks_loop.h, those
 * of Rust rust/locks.rs; both do the same.  The threads, the clock and the checks
 * are in locks.c.
 */
#ifndef BENCH_LOCKS_PEER_H
#define BENCH_LOCKS_PEER_H

#include <stddef.h>
#include <stdint.h>

enum locks_noun_name {
	LOCKS_MUTEX,
	LOCKS_RWLOCK,
	LOCKS_CONDVAR,
	LOCKS_SEMAPHORE,
	LOCKS_PARK,
	LOCKS_BARRIER,
	LOCKS_BROADCAST, /* a condvar that many wait for */
	LOCKS_ONCE,      /* its size, nothing else */
	LOCKS_NOUNS
};

/* How long a lock or a turn is held in a loop that is given a pause. */
enum { LOCKS_HOLD_US = 200 };

/* What a thread of many that want the same lock is told, and what it tells. */
struct locks_share {
	const int *stop; /* atomic: the loop ends when it is not 0 */
	uint32_t work;   /* steps outside the lock after each section, done by do_work */
	uint32_t hold;   /* steps in each section, for a crowd */
	uint32_t writes; /* of 2^32 sections of an rwlock, those that write */
	uint64_t random; /* this thread's own seed, not 0 */
	uint64_t done;   /* out: sections */
	uint64_t wrote;  /* out: those of them that added 1 to the value */

	int64_t longest; /* out: the longest wait in ns, of a crowd */

	/* The same code for all, since compilers are not to be compared here. */
	uint64_t (*do_work)(uint64_t random, uint32_t steps);
	int64_t (*now)(void); /* ns */
};

/*
 * An object is one or two of the noun with the value that they guard, in cache
 * lines of its own.  What a peer does not have is NULL.
 */
struct locks_noun {
	size_t size; /* sizeof */
	void *(*create)(int threads);

	/* Returns the value: how often the loops below counted under the lock. */
	uint64_t (*destroy)(void *object);

	/*
	 * `count` pairs on one thread.  Mutex: lock and unlock.  Rwlock: for
	 * reading; for writing.  Condvar: notify one; notify all.  Semaphore: post
	 * and wait.
	 */
	void (*pair[2])(void *object, int64_t count);

	/* Lock and unlock, counting the writes, until told to stop. */
	void (*contend)(void *object, struct locks_share *share);

	/* As contend, with steps inside, and each wait measured. */
	void (*crowd)(void *object, struct locks_share *share);

	/*
	 * Thread `index` of those that meet `count` times.  Mutex, rwlock: each
	 * takes it `count` times (for writing), holding it for a pause.  Condvar,
	 * semaphore, park: two threads hand a turn over and back, and 0 pauses
	 * while it has it.  Barrier: all wait for each other, and 0 pauses before.
	 * Broadcast: 0 notifies all when all others wait; they wait again at once.
	 * Counts each section, turn and round.  `pause` may be NULL.
	 */
	void (*meet)(void *object, int index, int64_t count, void (*pause)(int microseconds));
};

struct locks_peer {
	const char *name;
	const char *(*version)(void); /* or NULL */
	struct locks_noun nouns[LOCKS_NOUNS];
};

/*
 * The next of a series of numbers that does not begin with 0; a nanosecond or two of
 * work.  By shifts, since compilers make one step of two multiplications.
 */
static inline uint64_t locks_step(uint64_t random)
{
	random ^= random << 13;
	random ^= random >> 7;
	return random ^ random << 17;
}

/* Zeroed memory in cache lines of its own; fails the bench if there is none. */
void *locks_memory(size_t size);

#endif
