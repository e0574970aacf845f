/*
 * os/posix/parallelism.c - how many threads can run at once: the CPUs there are.
 *
 * _SC_NPROCESSORS_ONLN is no word of POSIX, but of every system that has CPUs to
 * count.
 */
#include <limits.h>
#include <unistd.h>

#include "os/os.h"

int csysi_os_parallelism(void)
{
#ifdef _SC_NPROCESSORS_ONLN
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	if (count > 0)
		return count < INT_MAX ? (int)count : INT_MAX;
#endif
	return 1;
}
