/*
 * bench/ipc_peer.h - a subject of bench/ipc: csys, the same by bare calls, or a library.
 *
 * A way is one mechanism between two processes, such as "pipe".  Subjects that have a way of the
 * same name are measured beside each other.  To add a way: a table entry of each subject, and its
 * name in `ways` of ipc.c.
 *
 * Every call waits until ipc_deadline() at most, and fails the bench then, or at any failure.
 */
#ifndef BENCH_IPC_PEER_H
#define BENCH_IPC_PEER_H

#include <stddef.h>
#include <stdint.h>

/* The largest message, and what a buffer has room for. */
#define IPC_LARGEST (1 << 20)

/* The largest message that the usual limits of the system let through: what a datagram, or one
 * message of a seqpacket, can be in the send buffer of a local socket; of a queue of POSIX; and
 * of one of System V that has room for 8. */
#define IPC_DATAGRAM 65536
#define IPC_QUEUED 8192
#define IPC_SYSTEM_V 2048

/* So many bytes at the begin and at the end of a message are checked. */
#define IPC_CHECKED 8

struct ipc_way {
	const char *name;
	size_t largest; /* bytes of a message; 0: IPC_LARGEST */

	/*
	 * Messages to and fro between two processes, or a stream.  `open` is called before the
	 * fork, `join` after it in each process, of which the parent is side 0.
	 */
	void *(*open)(size_t size);
	void (*join)(void *channel, int side);
	void (*send)(void *channel, int side, const void *data, size_t size);
	void (*recv)(void *channel, int side, void *buffer, size_t size); /* all of it */
	void (*close)(void *channel, int side); /* in each process; the parent's is the last */

	/* Or a pair of calls that nobody waits for: lock and unlock, post and wait. */
	void (*pair)(void *object, int64_t count);

	const char *why_not_larger; /* of csys, where `largest` is not 0 */
};

struct ipc_peer {
	const char *name;
	const char *(*version)(void); /* may be NULL */
	const struct ipc_way *ways;
	size_t count;
	const struct ipc_peer *more; /* with the ways of another file; may be NULL */
};

/* Until when a call may wait: ns of CLOCK_MONOTONIC.  The same in both processes. */
int64_t ipc_deadline(void);

/* A name of this process's own, for what has one. */
const char *ipc_name(const char *which);

/* The path of such a file, in a folder for temporary ones; each call writes over the last one. */
const char *ipc_path(const char *which);

/* Fail the bench unless this is so. */
void ipc_check(int is_so, const char *what);

#endif
