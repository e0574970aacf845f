/*
 * os/linux/lock_owner.c - whose lock it is, by /proc/locks.
 *
 *     1: FLOCK  ADVISORY  WRITE 4711 fe:00:11133533 0 EOF
 *     1: -> FLOCK  ADVISORY  WRITE 4712 fe:00:11133533 0 EOF     waits for it
 *
 * The pid is 0 for a process that cannot be seen from the pid namespace of /proc, or the line is
 * missing then.  The device is that of the file system itself, which on some (btrfs, overlayfs)
 * stat tells otherwise: then the lock is not found here.
 */
#define _DEFAULT_SOURCE /* major */
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

#include "os/linux/cgroup.h"
#include "os/linux/lock_range.h"
#include "os/posix/posix.h"

struct line {
	char type[16];   /* FLOCK, POSIX, OFDLCK, LEASE, ... */
	char access[16]; /* READ, WRITE */
	long pid;
	unsigned device[2];
	unsigned long long inode;
};

/* A line of a lock that is held, of a whole file. */
static int parse(const char *text, struct line *out)
{
	return sscanf(text, "%*u: %15s %*s %15s %ld %x:%x:%llu", out->type, out->access, &out->pid,
		      &out->device[0], &out->device[1], &out->inode) == 6 &&
	       strcmp(out->type, "FLOCK") == 0;
}

static int is_of(const struct line *line, const struct csysi_os_file_lock *lock)
{
	dev_t device = (dev_t)lock->device;

	return line->inode == lock->number && line->device[0] == major(device) &&
	       line->device[1] == minor(device);
}

/* Find a lock of another opening.  `held` is what this one holds, which is in the table too. */
static int find(struct csysi_linux_lines *lines, const struct csysi_os_file_lock *lock,
		enum csysi_os_lock_kind kind, enum csysi_os_lock_kind held,
		struct csysi_os_lock_owner *out)
{
	const char *text;
	struct line line;

	while ((text = csysi_linux_next_line(lines)) != NULL) {
		if (!parse(text, &line) || !is_of(&line, lock))
			continue;
		enum csysi_os_lock_kind of_line = strcmp(line.access, "READ") == 0
							  ? CSYSI_OS_LOCK_SHARED
							  : CSYSI_OS_LOCK_EXCLUSIVE;
		if (of_line == held && line.pid == csysi_os_pid()) {
			held = CSYSI_OS_LOCK_NONE;
			continue;
		}
		if (kind == CSYSI_OS_LOCK_SHARED && of_line == CSYSI_OS_LOCK_SHARED)
			continue;
		*out = (struct csysi_os_lock_owner){ of_line,
						     line.pid > 0 ? line.pid : 0,
						     { 0, 0 } };
		return 1;
	}
	return 0;
}

int csysi_os_file_lock_owner(const struct csysi_os_file_lock *lock,
			     const struct csysi_os_lock_range *range, enum csysi_os_lock_kind kind,
			     enum csysi_os_lock_kind held, struct csysi_os_lock_owner *out)
{
	struct csysi_linux_lines lines;
	char text[512];

	if (range)
		return csysi_linux_range_owner((int)lock->handle, range, kind, out);
	if (csysi_linux_open_lines(&lines, "/proc/locks", text, sizeof text) < 0)
		return CSYS_ENOTSUP;
	int r = find(&lines, lock, kind, held, out);
	csysi_linux_close_lines(&lines);
	return r;
}
