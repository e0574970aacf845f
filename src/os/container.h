/*
 * os/container.h - containers of processes.
 */
#ifndef CSYSI_OS_CONTAINER_H
#define CSYSI_OS_CONTAINER_H

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

#include "os/child.h"

/* How a new process is bound to its descendants, the weakest bond first. */
enum csysi_os_bond {
	CSYSI_OS_BOND_NONE,
	CSYSI_OS_BOND_REAPER,   /* orphaned descendants become its children */
	CSYSI_OS_BOND_CONTAINER /* it starts in a container, as do its descendants */
};

/* The strongest bond that this system may have. */
enum csysi_os_bond csysi_os_strongest_bond(void);

#define CSYSI_OS_CONTAINER_NAME 40

/*
 * A container of processes.  All that a process in it starts is in it too, and can leave it
 * only with rights over containers of its own.
 */
struct csysi_os_container {
	csys_handle handle; /* "none": there is none */
	char name[CSYSI_OS_CONTAINER_NAME];
};

/*
 * End a child that is bound as a reaper, and all below it, until nothing of it runs any more.  The
 * child is not reaped.  CSYS_ENOTSUP: the system has no call for this, and nothing was done.
 * Other results as csysi_os_container_kill.
 */
int csysi_os_reaper_kill(const struct csysi_os_child *child, csys_deadline deadline);

/* Create an empty container.  CSYS_ENOTSUP: the system, or this process, cannot have any. */
int csysi_os_container_create(struct csysi_os_container *out);

/*
 * Kill all processes in the container until it is empty.  0 also if the container was removed
 * meanwhile.  CSYS_ETIMEDOUT: all were killed, and some have not ended yet.  CSYS_EPERM.
 */
int csysi_os_container_kill(const struct csysi_os_container *container, csys_deadline deadline);

/*
 * Send a signal by its number to each process that is in the container at one moment, for which
 * they stand still until `deadline` at most.  CSYS_ESRCH: there is none.  CSYS_EPERM: some may not
 * be signalled, the others were.  CSYS_ETIMEDOUT: all were that were found, but they did not stand
 * still, so one that was being forked may be missed.  CSYS_EINVAL: there is no such signal.
 */
int csysi_os_container_signal(const struct csysi_os_container *container, int signal,
			      csys_deadline deadline);

/*
 * Remove the container; its handle stays to be closed.  0 also if it was removed already.
 * CSYS_EBUSY while a process is in it.
 */
int csysi_os_container_remove(const struct csysi_os_container *container);

#endif
