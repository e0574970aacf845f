/*
 * os/this_process.h - this process, and the copies that fork makes of it.
 */
#ifndef CSYSI_OS_THIS_PROCESS_H
#define CSYSI_OS_THIS_PROCESS_H

#include <stdint.h>

/* Its pid; another one in a forked child.  No wider than a word.  Async-signal-safe. */
intptr_t csysi_os_pid(void);

/*
 * Have `run` called in each child that this process forks, before fork returns there.
 * Not in children that csys starts.  Again is fine, and calls it once more each time.
 * CSYS_ENOMEM.
 */
int csysi_os_at_fork(void (*run)(void));

#endif
