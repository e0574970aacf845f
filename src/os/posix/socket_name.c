/*
 * os/posix/socket_name.c - names of sockets that POSIX alone has not: abstract, and long paths.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <sys/stat.h>

#include "os/posix/socket.h"

int csysi_posix_abstract(const char *name, size_t size, struct csysi_posix_address *out)
{
	(void)name;
	(void)size;
	(void)out;
	return CSYS_ENOTSUP;
}

int csysi_posix_reach(const char *path, struct csysi_posix_address *out)
{
	(void)path;
	(void)out;
	return CSYS_ENAMETOOLONG;
}

int csysi_posix_reach_in(int directory, const char *name, struct csysi_posix_address *out)
{
	(void)directory;
	(void)name;
	(void)out;
	return CSYS_ENAMETOOLONG;
}

int csysi_posix_chmod_in(int directory, const char *name, mode_t mode)
{
	return fchmodat(directory, name, mode, AT_SYMLINK_NOFOLLOW);
}
