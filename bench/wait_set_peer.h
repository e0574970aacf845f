/*
 * bench/wait_set_peer.h - waits for one of many handles, to be measured beside each other.
 */
#ifndef BENCH_WAIT_SET_PEER_H
#define BENCH_WAIT_SET_PEER_H

/* Wait `count` times, as the case wants it; each wait has to tell a handle that is ready. */
typedef void wait_set_loop(void *set, const int *handles, int many, int count);

struct wait_set_peer {
	const char *name;
	const char *(*version)(void); /* or NULL */

	/* Make a set that waits for each of the handles to be readable. */
	void *(*create)(const int *handles, int many);
	void (*destroy)(void *set);

	wait_set_loop *ready;    /* one handle is ready all the time */
	wait_set_loop *turn;     /* one after the other is made ready, waited for and read */
	wait_set_loop *deadline; /* as `ready`, each wait with a deadline a second off */
	wait_set_loop *timer;    /* as `ready`; before each wait a timer is put off by a second */
};

#endif
