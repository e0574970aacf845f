/*
 * os/posix/pty.c - pseudo-terminal pairs, and transfers at their controllers.
 *
 * A blocking write to a controller waits until all bytes are taken, even after poll said that
 * it is writable.  So the controller is nonblocking; no other code has set its flag yet.
 *
 * When the terminal side is closed, a read of the controller fails with EIO on Linux, and gets
 * 0 bytes on other systems.  EIO means this only together with a hang-up.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include <csys/base/result.h>

#include "base/fault.h"
#include "os/posix/posix.h"

static int open_master(int flags)
{
	int fd;

	do
		fd = posix_openpt(O_RDWR | O_NOCTTY | flags);
	while (fd < 0 && errno == EINTR);
	return fd;
}

/* Where posix_openpt refuses O_CLOEXEC, the flag is set after it. */
static int open_controller(csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int cancel; /* opening is a cancellation point, and there is a lock */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	csysi_posix_fork_lock_shared();
	int fd = open_master(O_CLOEXEC);
	if (fd < 0 && errno == EINVAL) {
		fd = open_master(0);
		if (fd >= 0)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	}
	csysi_posix_fork_unlock();
	pthread_setcancelstate(cancel, NULL);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0) {
		int has_none = errno == ENODEV || errno == ENXIO; /* /dev/ptmx without a devpts */
		r = csysi_posix_fail();
		/* EAGAIN is POSIX's word for "no more of them". */
		return has_none ? CSYS_ENOENT : r == CSYS_EAGAIN ? CSYS_ENOSPC : r;
	}
	*out = fd;
	return 0;
}

static int open_terminal(csys_handle controller, const char *name, csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int fd = csysi_posix_pty_peer((int)controller, name);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	*out = fd;
	return 0;
}

int csysi_os_pty_open(csys_handle *out_controller, csys_handle *out_terminal,
		      char name[CSYSI_OS_PTY_NAME])
{
	csys_handle controller = CSYS_NO_HANDLE;
	csys_handle terminal = CSYS_NO_HANDLE;

	int r = open_controller(&controller);
	if (r < 0)
		goto done;
	if (grantpt((int)controller) < 0 || unlockpt((int)controller) < 0 ||
	    csysi_posix_pty_name((int)controller, name, CSYSI_OS_PTY_NAME) < 0) {
		r = csysi_posix_fail();
		goto done;
	}
	r = csysi_os_set_nonblocking(controller, 1);
	if (r < 0)
		goto done;
	r = open_terminal(controller, name, &terminal);
	if (r < 0)
		goto done;
	*out_controller = controller;
	*out_terminal = terminal;
	controller = CSYS_NO_HANDLE; /* handed over */
done:
	csysi_os_close(controller);
	return r;
}

static int hung_up(csys_handle controller)
{
	struct pollfd polled = { .fd = (int)controller, .events = POLLIN };
	int ready;

	do
		ready = csysi_posix_poll(&polled, 1, 0);
	while (ready < 0 && errno == EINTR);
	return ready > 0 && (polled.revents & POLLHUP);
}

int csysi_os_pty_read(csys_handle controller, void *buffer, size_t size, csys_deadline deadline,
		      size_t *out)
{
	int error = csys_os_error();
	int r = csysi_os_read(controller, buffer, size, deadline, out);

	if (r == CSYS_EIO && hung_up(controller)) {
		csysi_set_os_error(error);
		*out = 0;
		return 0;
	}
	return r;
}

int csysi_os_pty_write(csys_handle controller, const void *data, size_t size,
		       csys_deadline deadline, size_t *out)
{
	int r = csysi_os_write(controller, data, size, deadline, out);
	return r == CSYS_EIO && hung_up(controller) ? CSYS_EPIPE : r;
}
