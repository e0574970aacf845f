/*
 * os/linux/socket_connect.c - connecting with a deadline.
 *
 * If the queue of the listener is full, a nonblocking connect says EAGAIN and poll knows nothing of
 * it; a blocking one waits for room, and no longer than SO_SNDTIMEO.  So that is set for the one
 * call.  The kernel rounds it up to its ticks, and may end it a tick early: then the rest is waited
 * for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/time.h>

#include "os/posix/socket.h"

/* The longest wait at once, ns: 100 days, which every type for it can count. */
#define MOST_WAIT ((int64_t)8640000 * 1000000000)

static int set_timeout(int fd, int64_t ns)
{
	if (ns > MOST_WAIT)
		ns = MOST_WAIT;
	int64_t us = (ns + 999) / 1000;
	struct timeval timeout = { .tv_sec = (time_t)(us / 1000000),
				   .tv_usec = (suseconds_t)(us % 1000000) };

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0
		       ? csysi_posix_fail()
		       : 0;
}

static int connect_to(int fd, const struct csysi_posix_address *address)
{
	return connect(fd, (const struct sockaddr *)&address->name, address->size);
}

/* A signal ends it before it has begun, and it can be repeated. */
static int connect_forever(int fd, const struct csysi_posix_address *address)
{
	int r;

	do
		r = connect_to(fd, address);
	while (r < 0 && errno == EINTR);
	return r < 0 ? csysi_posix_fail() : 0;
}

static int connect_now(int fd, const struct csysi_posix_address *address)
{
	int r = csysi_os_set_nonblocking(fd, 1);

	if (r == 0 && connect_to(fd, address) < 0)
		r = errno == EAGAIN ? CSYS_ETIMEDOUT : csysi_posix_fail();
	return r < 0 ? r : csysi_os_set_nonblocking(fd, 0);
}

int csysi_posix_connect(int fd, const struct csysi_posix_address *address, csys_deadline deadline)
{
	if (csys_deadline_is_forever(deadline))
		return connect_forever(fd, address);
	for (;;) {
		int64_t left = csys_deadline_left(deadline);
		if (left == 0)
			return connect_now(fd, address);
		int r = set_timeout(fd, left);
		if (r < 0)
			return r;
		if (connect_to(fd, address) == 0)
			return set_timeout(fd, 0);
		if (errno != EINTR && errno != EAGAIN)
			return csysi_posix_fail();
	}
}
