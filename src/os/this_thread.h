/*
 * os/this_thread.h - what the calling thread is to the system.
 */
#ifndef CSYSI_OS_THIS_THREAD_H
#define CSYSI_OS_THIS_THREAD_H

#include <stddef.h>

/* Name the calling thread; let it run on these CPUs only.  CSYS_EINVAL, CSYS_ENOTSUP. */
void csysi_os_name_thread(const char *name);
int csysi_os_place_thread(const unsigned *cpus, size_t count);

/* Whether this is the thread that the process began with; 0 if that is not known. */
int csysi_os_is_main_thread(void);

#endif
