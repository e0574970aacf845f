/*
 * os/posix/path_of.c - the path of an open file: POSIX has none by which it can be opened again.
 */
#define _XOPEN_SOURCE 700
#include "os/posix/posix.h"

int csysi_posix_path_of(int fd, char *path, size_t size)
{
	(void)fd;
	(void)path;
	(void)size;
	return CSYS_ENOTSUP;
}
