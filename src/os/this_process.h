/*
 * os/this_process.h - this process, and its forked children.
 */
#ifndef CSYSI_OS_THIS_PROCESS_H
#define CSYSI_OS_THIS_PROCESS_H

#include <stdint.h>

/* The pid of this process, no wider than a word.  A forked child has another one.
 * Async-signal-safe. */
intptr_t csysi_os_pid(void);

/*
 * Register a function that is called in each child that this process forks, before fork
 * returns there, but not in children that csys starts.  A function that is registered twice
 * is called twice.  CSYS_ENOMEM.
 */
int csysi_os_at_fork(void (*run)(void));

#endif
