/*
 * os/posix/nameless.c - files without a name, and moves that replace nothing: POSIX has neither.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>

#include "os/posix/posix.h"

/* Not $TMPDIR, which differs between the sessions of one user. */
const char *csysi_posix_shared_directory(void)
{
	return "/tmp";
}

static int refuse(void)
{
	errno = ENOTSUP;
	return -1;
}

int csysi_posix_nameless_create(int directory)
{
	(void)directory;
	return refuse();
}

int csysi_posix_nameless_link(int file, int directory, const char *name)
{
	(void)file;
	(void)directory;
	(void)name;
	return refuse();
}

int csysi_posix_nameless_reader(int file)
{
	(void)file;
	return refuse();
}

int csysi_posix_rename_new(int directory, const char *from, const char *to)
{
	(void)directory;
	(void)from;
	(void)to;
	return refuse();
}
