/*
 * os/posix/lock_range.c - locks of ranges of bytes: POSIX has those only that a process loses when
 * it closes any handle of the file.
 */
#define _XOPEN_SOURCE 700
#include "os/posix/posix.h"

int csysi_posix_lock_range(int fd, const struct csysi_os_lock_range *range,
			   enum csysi_os_lock_kind kind, int wait)
{
	(void)fd;
	(void)range;
	(void)kind;
	(void)wait;
	return CSYS_ENOTSUP;
}
