/*
 * examples/loop_work.h - work for an event loop, whichever it is.
 *
 * The examples loop_epoll, loop_uv and loop_glib wait for the handles of this, and say how that is
 * done in their loop.  There are four kinds, all ready for reading:
 *
 *   - of a sender: there is room for a job in a channel of two;
 *   - of a receiver: the workers, which are threads, have sent results;
 *   - of a task queue: a worker has posted a function for the loop to call;
 *   - of a child: it has ended.
 *
 * Nothing here waits while the loop runs.
 */
#ifndef LOOP_WORK_H
#define LOOP_WORK_H

#include <stddef.h>

#include <csys/csys.h>

enum { SOURCES = 4 };

/* A handle that the loop waits for. */
struct source {
	csys_handle handle;  /* CSYS_NO_HANDLE: there is none */
	int (*ready)(void);  /* to be called when it is ready; 0: that was the last time */
	void (*close)(void); /* to be called then, once the loop does not wait for it any more */
};
extern struct source sources[SOURCES];

/* Begin: start the workers and the child, and set `sources`.  Exits if that fails. */
void work_begin(int argc, char **argv);

/* Whether all is done; the queue becomes ready once more when it is. */
int work_is_over(void);

/* End: join the workers, and tell what was done.  The exit status. */
int work_end(void);

#endif
