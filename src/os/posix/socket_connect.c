/*
 * os/posix/socket_connect.c - connecting with a deadline.
 *
 * Without one connect itself waits.  With one the socket is nonblocking meanwhile.  POSIX has no
 * way to wait for room in the queue of a listener, so after EAGAIN it is tried again.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <errno.h>

#include "base/backoff.h"
#include "os/posix/socket.h"

/* Between two tries, ns. */
#define FIRST_PAUSE 50000
#define LAST_PAUSE 5000000

/* Wait for the end of a connect that goes on without this thread. */
static int finish(int fd, csys_deadline deadline)
{
	struct csysi_os_poll ready = { .handle = fd, .writing = 1, .is_known = 1 };
	int error = 0;
	socklen_t size = sizeof error;
	int r = csysi_os_poll(&ready, 1, deadline);

	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return csysi_posix_fail();
	return error ? csysi_posix_fail_with(error) : 0;
}

static int try_until(int fd, const struct csysi_posix_address *address, csys_deadline deadline)
{
	struct csysi_backoff pause = { FIRST_PAUSE, LAST_PAUSE };

	for (;;) {
		int is_over = csys_deadline_left(deadline) == 0;
		if (connect(fd, (const struct sockaddr *)&address->name, address->size) == 0 ||
		    errno == EISCONN)
			return 0;
		if (errno == EINPROGRESS || errno == EALREADY)
			return finish(fd, deadline);
		/* EINTR here: Linux has not begun it, and other systems say EALREADY next. */
		if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
			return csysi_posix_fail();
		if (errno == EINTR)
			continue;
		if (is_over)
			return CSYS_ETIMEDOUT;
		csysi_os_nap(csys_after_ns(csysi_backoff_next(&pause, deadline)));
	}
}

int csysi_posix_connect(int fd, const struct csysi_posix_address *address, csys_deadline deadline)
{
	int waits = csys_deadline_is_forever(deadline);
	int r = waits ? 0 : csysi_os_set_nonblocking(fd, 1);

	if (r == 0)
		r = try_until(fd, address, deadline);
	if (r == 0 && !waits)
		r = csysi_os_set_nonblocking(fd, 0);
	return r;
}
