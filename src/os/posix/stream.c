/*
 * os/posix/stream.c - reading and writing with a deadline.
 *
 * A descriptor may be blocking or not, and other processes that share it may rely on the flag,
 * so the flag is neither read nor changed:
 *   - without a deadline the transfer itself waits, for some bytes to read, or to write them
 *     all; if the descriptor is nonblocking it fails with EAGAIN, and poll waits instead;
 *   - with one, and to write only some, a transfer that does not wait alternates with poll: a
 *     write that waits returns when all is written.
 *
 * poll may say "ready" again and again for what cannot be transferred.  So from the second time on
 * there is a pause before it is asked again.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/fault.h"
#include "os/posix/posix.h"

/* After hints that were wrong, ns. */
#define FIRST_PAUSE 50000
#define LAST_PAUSE 1000000

/* What all systems take at once (POSIX), where this one tells no other number. */
#ifndef IOV_MAX
#define IOV_MAX 16
#endif
#define SLICES (IOV_MAX < CSYSI_OS_SLICES ? IOV_MAX : CSYSI_OS_SLICES)

struct transfer {
	int fd;
	int count; /* of slices when writing; 0 when reading, into the only one */
	struct iovec *io;
	int may_wait; /* the transfer itself may wait, if there is no deadline */
};

static ssize_t transfer_waiting(const struct transfer *t)
{
	return t->count > 0 ? csysi_posix_write_nosigpipe(t->fd, t->io, t->count)
			    : read(t->fd, t->io->iov_base, t->io->iov_len);
}

static ssize_t transfer_nowait(const struct transfer *t, int announced)
{
	return t->count > 0
		       ? csysi_posix_write_nowait(t->fd, t->io, t->count, announced)
		       : csysi_posix_read_nowait(t->fd, t->io->iov_base, t->io->iov_len, announced);
}

static int waits(const struct transfer *t, csys_deadline deadline)
{
	return t->may_wait && csys_deadline_is_forever(deadline);
}

static ssize_t attempt(const struct transfer *t, csys_deadline deadline, int announced)
{
	return waits(t, deadline) ? transfer_waiting(t) : transfer_nowait(t, announced);
}

int csysi_posix_await_attempt(struct csysi_posix_attempts *attempts, csys_deadline deadline)
{
	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return csysi_posix_fail_to_move();
	if (attempts->announced > 0 && csys_deadline_left(deadline) == 0)
		return CSYS_ETIMEDOUT;
	/* Once another reader or writer was faster; more often poll may be mistaken. */
	if (attempts->announced > 1) {
		if (attempts->pause.next == 0)
			attempts->pause = (struct csysi_backoff){ FIRST_PAUSE, LAST_PAUSE };
		csysi_os_nap(csys_after_ns(csysi_backoff_next(&attempts->pause, deadline)));
	}
	int r = csysi_os_poll(&attempts->ready, 1, deadline);
	if (r < 0)
		return r;
	if (attempts->ready.ready < 0)
		return csysi_posix_fail_with(EBADF);
	attempts->announced += attempts->announced < 2;
	return 0;
}

/* Go on after an attempt that has failed, with errno. */
static int go_on(const struct transfer *t, csys_deadline deadline, size_t *out)
{
	/* A transfer that says EAGAIN has found it open, and the right end. */
	struct csysi_posix_attempts attempts = {
		.ready = { .handle = t->fd, .writing = t->count > 0, .is_known = 1 }
	};
	ssize_t moved;

	do {
		int r = csysi_posix_await_attempt(&attempts, deadline);
		if (r < 0)
			return r;
		moved = attempt(t, deadline, attempts.announced);
	} while (moved < 0);
	*out = (size_t)moved;
	return 0;
}

static int run(const struct transfer *t, csys_deadline deadline, size_t *out)
{
	int r = csysi_fault(CSYS_EIO);
	if (r < 0)
		return r;

	ssize_t moved = attempt(t, deadline, 0);
	if (moved < 0)
		return go_on(t, deadline, out);
	*out = (size_t)moved;
	return 0;
}

int csysi_os_read(csys_handle handle, void *buffer, size_t size, csys_deadline deadline,
		  size_t *out)
{
	struct iovec io = { buffer, size };
	struct transfer t = { .fd = (int)handle, .io = &io, .may_wait = 1 };
	return run(&t, deadline, out);
}

/* writev changes nothing. */
static struct iovec slice(const void *data, size_t size)
{
	return (struct iovec){ (void *)(uintptr_t)data, size };
}

int csysi_os_write(csys_handle handle, const void *data, size_t size, csys_deadline deadline,
		   size_t *out)
{
	struct iovec io = slice(data, size);
	struct transfer t = { .fd = (int)handle, .io = &io, .count = 1 };
	return run(&t, deadline, out);
}

int csysi_os_write_all(csys_handle handle, const void *data, size_t size, csys_deadline deadline,
		       size_t *out)
{
	struct iovec io = slice(data, size);
	struct transfer t = { .fd = (int)handle, .io = &io, .count = 1, .may_wait = 1 };
	int r = 0;

	while (r == 0 && io.iov_len > 0) {
		size_t moved = 0;
		r = run(&t, deadline, &moved);
		io.iov_base = (char *)io.iov_base + moved;
		io.iov_len -= moved;
	}
	*out = size - io.iov_len;
	return r;
}

int csysi_os_write_slices(csys_handle handle, const struct csysi_os_slice *slices, size_t count,
			  csys_deadline deadline, size_t *out)
{
	struct iovec io[SLICES];
	struct transfer t = { .fd = (int)handle, .io = io, .may_wait = 1 };

	for (; count > 0 && t.count < SLICES; slices++, count--) {
		if (slices->size > 0)
			io[t.count++] = slice(slices->data, slices->size);
	}
	return run(&t, deadline, out);
}
