/*
 * os/linux/nameless.c - files that have no name until they are linked.
 *
 * Only a privileged process may link a descriptor itself; all others link what /proc shows of it.
 * So where /proc is not mounted there are none.
 */
#define _GNU_SOURCE /* O_TMPFILE, syscall */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/posix/posix.h"

#ifndef O_TMPFILE
#define O_TMPFILE (020000000 | O_DIRECTORY)
#endif
#define NOREPLACE 1u /* RENAME_NOREPLACE, which not all libcs have */

/* Not $TMPDIR, which differs between the sessions of one user. */
const char *csysi_posix_shared_directory(void)
{
	return access("/dev/shm", F_OK) == 0 ? "/dev/shm" : "/tmp";
}

static void name_by_proc(int file, char out[40])
{
	/* Not "self", which is empty when the first thread of the process has ended. */
	snprintf(out, 40, "/proc/thread-self/fd/%d", file);
}

int csysi_posix_nameless_create(int directory)
{
	int fd;
	do
		fd = openat(directory, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	while (fd < 0 && errno == EINTR);

	char proc[40];
	name_by_proc(fd, proc);
	if (fd >= 0 && access(proc, F_OK) == 0)
		return fd;
	/* What a file system that has none says, and a kernel that does not know the flag. */
	if (fd >= 0 || errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) {
		if (fd >= 0)
			close(fd);
		errno = ENOTSUP;
	}
	return -1;
}

int csysi_posix_nameless_link(int file, int directory, const char *name)
{
	char proc[40];

	name_by_proc(file, proc);
	return linkat(AT_FDCWD, proc, directory, name, AT_SYMLINK_FOLLOW);
}

int csysi_posix_nameless_reader(int file)
{
	char proc[40];

	name_by_proc(file, proc);
	return open(proc, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

int csysi_posix_rename_new(int directory, const char *from, const char *to)
{
	return (int)syscall(SYS_renameat2, directory, from, directory, to, NOREPLACE);
}
