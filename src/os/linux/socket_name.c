/*
 * os/linux/socket_name.c - abstract names, and paths that are longer than an address.
 *
 * The links in /proc/self/fd lead to what is open, whatever its name is.  So an existing socket of
 * any name is reached by opening it with O_PATH, and a new one in an open directory.
 */
#define _GNU_SOURCE /* O_PATH */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/socket.h"

/* Newer than some headers. */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

int csysi_posix_abstract(const char *name, size_t size, struct csysi_posix_address *out)
{
	struct csysi_posix_address address = { .name = { .sun_family = AF_UNIX }, .fd = -1 };

	if (size >= sizeof address.name.sun_path)
		return csysi_posix_fail_with(ENAMETOOLONG);
	/* A NUL before the name, none behind it: all that is given counts. */
	memcpy(address.name.sun_path + 1, name, size);
	address.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + size);
	*out = address;
	return 0;
}

/* Where /proc is not mounted there is no way. */
static int is_there(int fd)
{
	char link[32];

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	return faccessat(AT_FDCWD, link, F_OK, 0) == 0;
}

int csysi_posix_reach(const char *path, struct csysi_posix_address *out)
{
	char link[32];
	int r = csysi_fault(CSYS_EMFILE);

	if (r < 0)
		return r;
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return csysi_posix_fail();
	fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	if (!is_there(fd)) {
		csysi_os_close(fd);
		return csysi_posix_fail_with(ENAMETOOLONG);
	}
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	r = csysi_posix_address_of(link, out); /* cannot fail: it is short */
	if (r == 0)
		out->fd = fd;
	return r;
}

int csysi_posix_reach_in(int directory, const char *name, struct csysi_posix_address *out)
{
	char path[sizeof out->name.sun_path];
	int size = snprintf(path, sizeof path, "/proc/self/fd/%d/%s", directory, name);

	if (size < 0 || (size_t)size >= sizeof path || !is_there(directory))
		return csysi_posix_fail_with(ENAMETOOLONG);
	return csysi_posix_address_of(path, out);
}

/* That of the C library goes through /proc, where it knows no better; the kernel's own (Linux 6.6)
 * does without. */
int csysi_posix_chmod_in(int directory, const char *name, mode_t mode)
{
	if (fchmodat(directory, name, mode, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS)
		return -1;
	return (int)syscall(SYS_fchmodat2, directory, name, mode, AT_SYMLINK_NOFOLLOW);
}
