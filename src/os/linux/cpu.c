/*
 * os/linux/cpu.c - which CPU this is.
 *
 * The kernel writes it into a structure of each thread (rseq), which glibc
 * registers; else sched_getcpu asks the vDSO, or the kernel.
 */
#define _GNU_SOURCE /* sched_getcpu */
#include <sched.h>

#include "os/os.h"

int csysi_os_cpu(void)
{
	return sched_getcpu(); /* glibc reads rseq itself, since 2.35 */
}
