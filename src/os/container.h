/*
 * os/container.h - containers of processes.
 */
#ifndef CSYSI_OS_CONTAINER_H
#define CSYSI_OS_CONTAINER_H

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

/* How a new process is bound to what it starts, weakest first. */
enum csysi_os_bond {
	CSYSI_OS_BOND_NONE,
	CSYSI_OS_BOND_REAPER,   /* orphans among its descendants become its children */
	CSYSI_OS_BOND_CONTAINER /* it starts in a container */
};

/* The strongest that this system may have (container.c). */
enum csysi_os_bond csysi_os_strongest_bond(void);

/*
 * What a process is started in, and all that it starts then is in too, whatever
 * that does, short of using rights over containers that it has itself.
 */
#define CSYSI_OS_CONTAINER_NAME 40
struct csysi_os_container {
	csys_handle handle; /* "none": there is none */
	char name[CSYSI_OS_CONTAINER_NAME];
};

/* An empty one.  CSYS_ENOTSUP: there are none, or not for this process. */
int csysi_os_container_create(struct csysi_os_container *out);

/*
 * Kill what lives in it, until nothing does.  0 also if it was removed meanwhile.
 * CSYS_ETIMEDOUT: all was killed, and some is not gone yet.  CSYS_EPERM.
 */
int csysi_os_container_kill(const struct csysi_os_container *container, csys_deadline deadline);

/* Remove it, but not its handle.  CSYS_EBUSY while something lives in it.  0 if it is gone. */
int csysi_os_container_remove(const struct csysi_os_container *container);

#endif
