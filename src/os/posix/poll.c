/*
 * os/posix/poll.c - waiting for streams with poll.
 *
 * poll counts milliseconds in an int.  A wait is rounded up, so that it is not
 * a loop of nothing in its last millisecond, and split when it is longer.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "base/memory.h"
#include "os/posix/posix.h"

/* Streams that a call can wait for without asking for memory. */
#define USUAL 16

static int milliseconds(csys_deadline deadline)
{
	if (deadline == CSYS_FOREVER)
		return -1;

	int64_t left = csys_deadline_left(deadline);
	if (left > (int64_t)INT_MAX * 1000000 - 999999)
		return INT_MAX;
	return (int)((left + 999999) / 1000000);
}

static int poll_until(struct pollfd *polled, size_t count, csys_deadline deadline)
{
	for (;;) {
		int wait = milliseconds(deadline);
		int ready = poll(polled, (nfds_t)count, wait);
		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return csysi_posix_fail();
		/* Not the clock alone: INT_MAX milliseconds may be only a part. */
		if (wait >= 0 && csys_deadline_left(deadline) == 0 && (ready == 0 || wait == 0))
			return CSYS_ETIMEDOUT;
	}
}

int csysi_os_poll(struct csysi_os_poll *items, size_t count, csys_deadline deadline)
{
	struct pollfd usual[USUAL];
	struct pollfd *polled = count > USUAL ? csysi_alloc(count * sizeof *polled) : usual;
	if (!polled)
		return CSYS_ENOMEM;
	for (size_t i = 0; i < count; i++) {
		items[i].ready = 0;
		polled[i].fd = (int)items[i].handle; /* poll passes over -1 */
		polled[i].events = items[i].writing ? POLLOUT : POLLIN;
		polled[i].revents = 0;
	}

	int r = poll_until(polled, count, deadline);
	/* Errors and hang-ups too: the transfer will tell. */
	for (size_t i = 0; i < count && r == 0; i++)
		items[i].ready = polled[i].revents != 0;
	if (polled != usual)
		csysi_free(polled);
	return r;
}
