/*
 * os/generation.h - telling this process from copies of it.
 */
#ifndef CSYSI_OS_GENERATION_H
#define CSYSI_OS_GENERATION_H

#include <stdint.h>

/*
 * A number of this process that no process has of which it is a forked child, however many forks
 * ago: an object that was made under another number is a copy of its parent's.  No system call but
 * the first time.  0: there is no memory to tell copies by, and a forked child has 0 too.
 */
uint32_t csysi_os_generation(void);

/*
 * Where that number stands once it was asked for: as long as it is there, this is the process that
 * has asked.  The place is valid to the end of the process and in its copies, and is the same for
 * all that ask.
 */
const uint32_t *csysi_os_generation_place(void);

#endif
