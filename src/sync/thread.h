/*
 * sync/thread.h - a thread, from inside.
 */
#ifndef CSYSI_SYNC_THREAD_H
#define CSYSI_SYNC_THREAD_H

#include <stdint.h>

#include <csys/sync/panic.h>
#include <csys/sync/thread.h>

#include "os/os.h"
#include "sync/lock.h"

struct csys_thread {
	uint32_t references; /* atomic; one is the thread's own until its end */
	uint32_t token;      /* atomic: park.c */
	uint32_t state;      /* atomic: thread.c */
	uint32_t is_told;    /* atomic: a join has returned CSYS_EPANICKED */
	uint64_t id;
	intptr_t process; /* where it was started */
	int is_ours;      /* started by csys */
	int is_unwatched; /* for tests: its end cannot be seen */

	/* Written by the thread until its end, and only read from then on. */
	int outcome;
	void *result;
	csys_panic_info panic;
	struct csysi_os_thread system;

	uint32_t is_begun;                 /* atomic: thread_control.c; `system` is written then */
	struct csysi_process_lock control; /* of the rest: thread_control.c */
	int is_over;
	struct csysi_thread_name *names; /* all that it was given, the newest first */
	struct csysi_thread_name *tree;  /* the same, by their hashes */

	struct csysi_os_thread_start start;
	csys_thread_function *function;
	void *argument;
	csys_thread *next; /* in its scope, under its lock */
	const char *name;  /* atomic; in `text`, in `names`, static, or NULL */
	char text[];
};

/* Have this thread's end seen: thread.c says what is done then.  CSYS_ENOMEM, CSYS_EAGAIN. */
int csysi_thread_watch(void);

/*
 * Call a function at the end of each thread that csysi_thread_watch was called in, when the thread
 * holds no locks any more.  All calls pass the same function: regions leave by it (ipc/region.h).
 */
void csysi_thread_at_end(void (*run)(void));

/* Wait for the end as csys_thread_join_until does, but leave is_told as it is. */
int csysi_thread_await(csys_thread *thread, csys_deadline deadline);

/*
 * End this thread by a panic.  Returns if it cannot be ended alone: csys did not
 * start it, or not in this process.
 */
void csysi_thread_fail(const csys_panic_info *info);

/* 1 from when this thread's function was left, or its end was seen. */
int csysi_thread_is_ending(void);

/* Whether it is the calling thread. */
int csysi_thread_is_own(const csys_thread *thread);

/* Whether it is of this process: the system's thread does not exist in a forked child. */
int csysi_thread_is_here(const csys_thread *thread);

/* A name that a thread was given while it ran. */
struct csysi_thread_name {
	struct csysi_thread_name *before;
	struct csysi_thread_name *lower, *higher; /* in the tree: thread_control.c */
	uint64_t hash;
	char text[];
};

#ifdef CSYSI_FAULTS
/* For tests: how many names were looked at, instead of a clock.  Under `control`. */
extern unsigned long csysi_thread_name_looks;
#endif

/* By the thread itself: it can be controlled from now on, and until it ends. */
void csysi_thread_begin_control(csys_thread *thread);
void csysi_thread_end_control(csys_thread *thread);

/* Free its names, with the object. */
void csysi_thread_free_names(csys_thread *thread);

/* This thread's name if that is known without memory, else NULL. */
const char *csysi_thread_own_name(void);

#endif
