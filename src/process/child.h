/*
 * process/child.h - a child from inside.
 */
#ifndef CSYSI_PROCESS_CHILD_H
#define CSYSI_PROCESS_CHILD_H

#include <csys/process/child.h>
#include <csys/process/exit.h>

#include "os/os.h"
#include "process/environment.h"
#include "sync/lock.h"

struct csys_child {
	struct csysi_os_child os;
	csys_handle streams[3]; /* this side of piped streams, "none" for others */
	struct csysi_lock lock; /* guards what follows, and signal against reap */
	int leads_group;        /* signals can go to its process group */
	int handle_taken;       /* its handle is the caller's: it goes by its pid */
	int contained;          /* by csys_command_contain */
	enum csysi_os_bond bond;
	char mark[CSYSI_MARK_SIZE];          /* in its environment; "": none */
	struct csysi_os_container container; /* "none" but for CSYSI_OS_BOND_CONTAINER */
	int removed;                         /* under lock: the container is, its handle is not */
	int reaped;                          /* under lock: exit is set, os.pid may be another's */
	csys_exit exit;                      /* under lock */
	csys_usage usage;                    /* under lock; all -1 if not known */
	csys_deadline kill_at; /* under lock: the grace that it was given; zero: none */
	csys_child *next;      /* in the list of the detached */
};

/* Make a child object without a process yet; NULL if out of memory. */
csys_child *csysi_child_new(void);

/* Close its handles and release it, not the process. */
void csysi_child_free(csys_child *child);

/* Give it this side of a stream that was taken from it. */
void csysi_child_give_stream(csys_child *child, enum csys_stdio_stream stream, csys_handle handle);

/* Close this side of all its streams. */
void csysi_child_close_streams(csys_child *child);

/*
 * End it at once: a contained one with all that it started, and then this may take up to
 * a second, another one alone.  Returns 0, or CSYS_EPERM if the child itself runs on.
 */
int csysi_child_end(csys_child *child);

/* End all that it started, as far as may be. */
void csysi_child_end_tree(csys_child *child, csys_deadline deadline);

/* Do that to it if it is not reaped.  CSYS_EINVAL for NULL, else as csysi_os_child_act. */
int csysi_child_act(csys_child *child, enum csysi_os_act act);

/* Do that to the group that it leads, likewise.  CSYS_EINVAL also if it leads none. */
int csysi_child_act_on_group(csys_child *child, enum csysi_os_act act);

/*
 * Ask it to end and give it until `grace`; 0 also if it has ended or cannot be asked.  After a
 * failure it has no grace.
 */
int csysi_child_ask(csys_child *child, csys_deadline grace);

/* End it if the grace it was given is over.  Returns when it will be, CSYS_FOREVER if never. */
csys_deadline csysi_child_enforce(csys_child *child);

/* Check that it is not reaped, by this or other code: its pid is its own.  0 or CSYS_ESRCH. */
int csysi_child_check(csys_child *child);

/* Whether nothing keeps a reaped child: no container that something still lives in. */
int csysi_child_is_spent(csys_child *child);

/* Reap if it has ended and is not reaped.  CSYS_EAGAIN: it runs.  `out` may be NULL, in the
 * next function too. */
int csysi_child_reap(csys_child *child, csys_exit *out);

/* Wait and reap, whatever becomes of stdin. */
int csysi_child_wait_until(csys_child *child, csys_deadline deadline, csys_exit *out);

/*
 * Wait and reap all, and end those whose grace is over meanwhile.  Those that have ended by the
 * deadline are reaped, and told in `exits` (which may be NULL), also if another one runs on.
 */
int csysi_children_wait_until(csys_child *const *children, size_t count, csys_deadline deadline,
			      csys_exit *exits);

/* Wait for its end, without reaping. */
int csysi_child_wait_end(csys_child *child, csys_deadline deadline);

/*
 * Wait, without reaping, until all have ended that this process may end; the others may run for
 * ever.  CSYS_ETIMEDOUT.
 */
int csysi_children_wait_end(csys_child *const *children, size_t count, csys_deadline deadline);

/*
 * End all, contained ones with their trees, and reap those that may be ended or have ended; these
 * are told in `exits`, which may be NULL.  Returns the failure of another one, CSYS_EPERM say.
 */
int csysi_children_end(csys_child *const *children, size_t count, csys_exit *exits);

#endif
