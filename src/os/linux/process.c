/*
 * os/linux/process.c - other processes than children, by pidfd.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/posix.h"

/* Newer than some headers. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

int csysi_os_process_open(int64_t pid, csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	/* Needs Linux 5.3.  The pidfd is close-on-exec. */
	int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0U);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0) {
		/* EPERM means a sandbox, since the call needs no permission; EINVAL a thread. */
		if (errno == EPERM || errno == EINVAL)
			return CSYS_ENOTSUP;
		return csysi_posix_fail();
	}
	*out = fd;
	return 0;
}

/* Read what the kernel says about a descriptor.  Returns its length, or -1 with errno. */
static ssize_t read_about(int fd, char *text, size_t room)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -1;
	ssize_t size = read(file, text, room - 1);
	csysi_os_close(file);
	text[size > 0 ? size : 0] = 0;
	return size;
}

/* The line "Pid:"; -1 if it is reaped, 0 if it is in another namespace. */
int csysi_os_process_pid(csys_handle handle, int64_t *out)
{
	char text[1024];
	int r = csysi_fault(CSYS_EMFILE);

	if (r < 0)
		return r;
	if (handle < 0 || handle > INT_MAX || fcntl((int)handle, F_GETFD) < 0)
		return csysi_posix_fail_with(EBADF);
	int before = csysi_os_hold_cancel(); /* opening a file is a cancellation point */
	ssize_t size = read_about((int)handle, text, sizeof text);
	csysi_os_release_cancel(before);
	if (size < 0)
		return csysi_posix_fail_with(errno == ENOENT ? ENOTSUP : errno);
	const char *line = strstr(text, "\nPid:\t");
	if (!line)
		return csysi_posix_fail_with(EBADF);
	long pid = strtol(line + 6, NULL, 10);
	if (pid <= 0)
		return csysi_posix_fail_with(ESRCH);
	*out = pid;
	return 0;
}

int csysi_os_process_signal(int64_t pid, csys_handle handle, int signal)
{
	int r = csysi_fault(CSYS_EPERM);
	if (r < 0)
		return r;
	r = handle == CSYS_NO_HANDLE
		    ? kill((pid_t)pid, signal)
		    : (int)syscall(SYS_pidfd_send_signal, (int)handle, signal, NULL, 0U);
	return r < 0 ? csysi_posix_fail() : 0;
}

int csysi_os_process_act(int64_t pid, csys_handle handle, enum csysi_os_act act)
{
	return csysi_os_process_signal(pid, handle, csysi_posix_signal_of(act));
}
