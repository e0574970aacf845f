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

/* Open both sides.  On failure some of them may be open. */
static int open_sides(struct csysi_os_pty *pty)
{
	int r = open_controller(&pty->controller);
	if (r < 0)
		return r;

	int controller = (int)pty->controller;
	if (grantpt(controller) < 0 || unlockpt(controller) < 0 ||
	    csysi_posix_pty_name(controller, pty->name, sizeof pty->name) < 0)
		return csysi_posix_fail();
	r = csysi_os_set_nonblocking(pty->controller, 1);
	return r < 0 ? r : open_terminal(pty->controller, pty->name, &pty->terminal);
}

int csysi_os_pty_open(int rows, int columns, struct csysi_os_pty *out)
{
	struct csysi_os_pty pty = CSYSI_OS_PTY_NONE;
	int r = open_sides(&pty);

	if (r == 0)
		r = csysi_os_pty_set_size(&pty, rows, columns);
	if (r < 0) {
		csysi_os_pty_close(&pty);
		return r;
	}
	pty.has_terminal = 1;
	*out = pty;
	return 0;
}

void csysi_os_pty_end(struct csysi_os_pty *pty)
{
	csysi_os_close(pty->terminal);
	pty->terminal = CSYS_NO_HANDLE;
}

void csysi_os_pty_close(struct csysi_os_pty *pty)
{
	csysi_os_pty_end(pty);
	csysi_os_close(pty->controller);
	pty->controller = CSYS_NO_HANDLE;
}

/* Any side that is left: on some systems only the terminal's has a size, so that first. */
static csys_handle some_side(const struct csysi_os_pty *pty)
{
	return pty->terminal != CSYS_NO_HANDLE ? pty->terminal : pty->controller;
}

int csysi_os_pty_size(const struct csysi_os_pty *pty, int *out_rows, int *out_columns)
{
	return csysi_os_terminal_size(some_side(pty), out_rows, out_columns);
}

int csysi_os_pty_set_size(const struct csysi_os_pty *pty, int rows, int columns)
{
	return csysi_os_terminal_set_size(some_side(pty), rows, columns);
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
