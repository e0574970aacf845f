/*
 * os/linux/container_walk.h - the files, folders and processes of a container.
 */
#ifndef CSYSI_OS_LINUX_CONTAINER_WALK_H
#define CSYSI_OS_LINUX_CONTAINER_WALK_H

#include <csys/base/deadline.h>

/* Whether errno says that the container was removed. */
int csysi_container_is_gone(void);

/* Open a file or folder in a folder: a descriptor, or -1 with errno. */
int csysi_container_open(int directory, const char *name, int flags);

/* Write a text to a file in a folder: 0, or -1 with errno. */
int csysi_container_write(int directory, const char *name, const char *text);

/* Whether a process is in it, from an open cgroup.events.  A removed cgroup has none. */
int csysi_container_is_populated(int events);

/* Wait for a change of cgroup.events since it was last read, `most` milliseconds at most. */
void csysi_container_wait(int events, int most, csys_deadline deadline);

/* Visit the folders in this one until a visit fails: what the last visit returned, or -1 with
 * errno; EBUSY for a depth that is not searched any more. */
typedef int csysi_container_visitor(int directory, const char *name, int depth, void *context);
int csysi_container_visit(int directory, csysi_container_visitor *visit, int depth, void *context);

/* Open a folder by its name, and act in it: what that returned, 0 if the folder was removed. */
typedef int csysi_container_actor(int directory, int depth, void *context);
int csysi_container_act(int directory, const char *name, csysi_container_actor *act, int depth,
			void *context);

/* Call for each pid in an open cgroup.procs, until a call returns 1.  Whether one did. */
typedef int csysi_container_pid_caller(int list, long pid, void *context);
int csysi_container_pids(int list, csysi_container_pid_caller *call, void *context);

#endif
