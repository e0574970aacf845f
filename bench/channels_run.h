/*
 * bench/channels_run.h - one run of one case of bench/channels, on its threads.
 */
#ifndef BENCH_CHANNELS_RUN_H
#define BENCH_CHANNELS_RUN_H

#include <stdint.h>

#include "channels_peer.h"

enum { CHANNELS_ALL = -1 }; /* as a number of CPUs: all that this process may use */

enum channels_way {
	FLOW,  /* senders to receivers */
	BATCH, /* the same by batches */
	SLOW,  /* with work for each message */
	IDLE,  /* with a pause before each */
	BURSTS,
	STREAM,
	PING,   /* two channels, to and fro */
	SELECT, /* many channels in turn, to a select */
	SELF,   /* one thread */
	SELF_BATCH,
	MANY, /* many channels */
	CHURN,
};

struct channels_job {
	const char *name;
	enum channels_way way;
	int size; /* which of the three */
	int64_t capacity;
	int senders;
	int receivers;
	int channels;  /* of a select */
	int is_shared; /* the senders are threads with one handle */
	int cpus;      /* thread i is pinned to CPU i % cpus; 0: the system chooses */
	int busy;      /* threads that run on CPU 0, or anywhere, and do nothing of use */
};

/* What came out of one run. */
struct channels_outcome {
	int64_t ns;           /* what the case is about */
	int64_t cpu;          /* of all threads that sent or received */
	int64_t cpu_receiver; /* of the last of these */
	int64_t done;         /* messages that were received */
	int64_t bytes;        /* MANY: of memory, before there were messages */
};

/* The loops that the job needs; NULL: the peer does not have them. */
const struct channels_loops *channels_loops_of(const struct channels_peer *peer,
					       const struct channels_job *job);

/*
 * `count` is the share->count of the receiver.  `waits` has room for as many, or is NULL.
 * Fails the bench if not each message arrives once.
 */
struct channels_outcome channels_run(const struct channels_peer *peer,
				     const struct channels_job *job, int64_t count, int64_t *waits);

/* Find out how many steps of work are a microsecond.  To be called first. */
void channels_run_init(int quick);

#endif
