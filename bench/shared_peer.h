/*
 * bench/shared_peer.h - locks between processes, to be measured beside each other.
 *
 * A peer brings whole loops and not single calls, so that what it inlines into a program is inlined
 * here too.
 */
#ifndef BENCH_SHARED_PEER_H
#define BENCH_SHARED_PEER_H

#include <stdint.h>

/* Each in memory that forked children share; what a peer does not have is NULL. */
struct shared_peer {
	const char *name;

	void *(*create)(void);
	void (*destroy)(void *object);

	/* `count` pairs: lock and unlock; for reading; for writing; post and wait. */
	void (*mutex)(void *object, int count);
	void (*read)(void *object, int count);
	void (*write)(void *object, int count);
	void (*semaphore)(void *object, int count);

	/* `count` times, by two processes: meet; take turns under the mutex. */
	void (*barrier)(void *object, int count);
	void (*condvar)(void *object, int count);

	/* Lock the mutex, and leave it so: 1 if a holder has ended before. */
	int (*lock)(void *object);

	/* `count` times: begin to take part and end that; create an object with a name and close
	 * it; open one that exists and close it. */
	void (*attach)(void *object, int count);
	void (*make)(void *object, int count);
	void (*open)(void *object, int count);

	/* Tell how many bytes of memory each thing takes. */
	void (*sizes)(void (*tell)(const char *name, double bytes));
};

#endif
