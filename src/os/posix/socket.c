/*
 * os/posix/socket.c - making sockets and taking them over; listening; what they are.
 *
 * A listener is nonblocking: between poll and accept a connection may be taken by another thread or
 * process, or vanish, and then accept must not wait beyond the deadline.  No other socket is.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/socket.h"

#define FIRST_ACTIVATED 3 /* as service managers have it */

void csysi_os_socket_close(csysi_os_socket socket)
{
	csysi_os_close(socket);
}

csys_handle csysi_os_socket_handle(csysi_os_socket socket)
{
	return socket;
}

/* ---- making -------------------------------------------------------------------------- */

static const int types[] = {
	[CSYSI_OS_STREAM] = SOCK_STREAM,
	[CSYSI_OS_DATAGRAM] = SOCK_DGRAM,
	[CSYSI_OS_SEQPACKET] = SOCK_SEQPACKET,
};

/* A system without seqpacket knows the type, and not for local sockets. */
static int fail_to_make(void)
{
	if (errno == EPROTOTYPE || errno == ESOCKTNOSUPPORT)
		return csysi_posix_fail_with(EPROTONOSUPPORT);
	return csysi_posix_fail();
}

int csysi_os_socket_create(enum csysi_os_socket_kind kind, csysi_os_socket *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int fd = csysi_posix_socket(AF_UNIX, types[kind]);
	if (fd < 0)
		return fail_to_make();
	fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	*out = fd;
	return 0;
}

int csysi_os_socket_pair(enum csysi_os_socket_kind kind, csysi_os_socket *out_a,
			 csysi_os_socket *out_b)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int made[2];
	csys_handle a, b;
	if (csysi_posix_socketpair(types[kind], made) < 0)
		return fail_to_make();
	r = csysi_posix_pipe_ends(made, &a, &b);
	if (r < 0)
		return r;
	*out_a = a;
	*out_b = b;
	return 0;
}

/* ---- taking over --------------------------------------------------------------------- */

static int option_of(int fd, int option, int *out)
{
	socklen_t size = sizeof *out;
	return getsockopt(fd, SOL_SOCKET, option, out, &size);
}

static int kind_of(int type, enum csysi_os_socket_kind *out)
{
	for (int kind = 0; kind < (int)(sizeof types / sizeof *types); kind++) {
		if (types[kind] == type) {
			*out = (enum csysi_os_socket_kind)kind;
			return 0;
		}
	}
	return CSYS_EBADMSG;
}

int csysi_os_socket_look(csys_handle handle, struct csysi_os_socket_about *out)
{
	struct csysi_os_socket_about about = { 0 };
	struct sockaddr_storage name = { 0 };
	socklen_t size = sizeof name;
	int type;

	if (handle < 0 || handle > INT_MAX)
		return csysi_posix_fail_with(EBADF);
	if (option_of((int)handle, SO_TYPE, &type) < 0 ||
	    getsockname((int)handle, (struct sockaddr *)&name, &size) < 0)
		return csysi_posix_fail();
	int r = kind_of(type, &about.kind);
	if (r < 0)
		return r;
	/* A system that cannot tell has sockets that listen only by being asked to. */
	if (option_of((int)handle, SO_ACCEPTCONN, &about.is_listening) < 0)
		about.is_listening = 0;
	about.is_local = name.ss_family == AF_UNIX;
	*out = about;
	return 0;
}

int csysi_os_socket_adopt(csys_handle handle, csysi_os_socket *out)
{
	int r = csysi_fault(CSYS_EBADF);
	if (r < 0)
		return r;

	struct csysi_os_socket_about about = { 0 };
	r = csysi_os_socket_look(handle, &about);
	if (r == 0 && about.is_listening)
		r = csysi_os_set_nonblocking(handle, 1);
	if (r < 0)
		return r;
	csysi_posix_no_sigpipe((int)handle);
	fcntl((int)handle, F_SETFD, FD_CLOEXEC); /* it is open */
	*out = handle;
	return 0;
}

int csysi_os_socket_into_handle(csysi_os_socket socket, csys_handle *out)
{
	*out = socket;
	return 0;
}

int csysi_os_socket_dup(csysi_os_socket socket, csysi_os_socket *out)
{
	csys_handle second;
	int r = csysi_os_dup(socket, &second);

	if (r == 0)
		*out = second;
	return r;
}

int csysi_os_socket_activated(size_t index, csys_handle *out)
{
	if (index > INT_MAX - FIRST_ACTIVATED)
		return csysi_posix_fail_with(EBADF);
	int fd = FIRST_ACTIVATED + (int)index;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return csysi_posix_fail();
	*out = fd;
	return 0;
}

int csysi_os_socket_mapped(int number, csys_handle *out)
{
	if (fcntl(number, F_GETFD) < 0)
		return csysi_posix_fail();
	*out = number;
	return 0;
}

/* ---- listening ----------------------------------------------------------------------- */

int csysi_os_socket_listen(csysi_os_socket socket, int backlog)
{
	int r = csysi_fault(CSYS_EADDRINUSE);
	if (r == 0)
		r = csysi_os_set_nonblocking(socket, 1);
	if (r < 0)
		return r;
	/* The system takes its most for a number that is larger. */
	return listen((int)socket, backlog > 0 ? backlog : INT_MAX) < 0 ? csysi_posix_fail() : 0;
}

/* The connection has failed, and was taken from the queue. */
static int has_failed(int code)
{
	switch (code) {
	case EINTR:
	case ECONNABORTED:
	case EPROTO:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EHOSTDOWN:
#ifdef ENONET
	case ENONET:
#endif
		return 1;
	default:
		return 0;
	}
}

/* Whether it is the process that has no room for the connection. */
static int is_short(int code)
{
	return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
}

/* Of a local listener that was shut down Linux says that there is no connection, others that it has
 * failed, and poll says for ever that there is one. */
static int is_shut_down(int listener)
{
	struct pollfd polled = { .fd = listener, .events = POLLIN };

	return poll(&polled, 1, 0) > 0 && polled.revents & POLLHUP;
}

int csysi_os_socket_accept(csysi_os_socket listener, csys_deadline deadline, csysi_os_socket *out)
{
	struct csysi_os_poll ready = { .handle = listener, .is_known = 1 };
	int announced = 0; /* whether poll has said that there is a connection */
	int r = csysi_fault(CSYS_EMFILE);

	while (r == 0) {
		int fd = csysi_posix_accept((int)listener);
		if (fd >= 0)
			fd = csysi_posix_above_2(fd);
		if (fd >= 0) {
			*out = fd;
			return 0;
		}
		int code = errno;
		int is_none = code == EAGAIN || code == EWOULDBLOCK;
		/* A caller that does not wait may have a loop, in which poll has said it. */
		int is_doubtful = has_failed(code) ||
				  (is_none && (announced || csys_deadline_is_poll(deadline)));
		if (code == EINVAL || (is_doubtful && is_shut_down((int)listener)))
			return csysi_posix_fail_with(EBADF);
		if (has_failed(code))
			continue;
		if (!is_none && !(is_short(code) && !announced))
			return csysi_posix_fail_with(code);
		int is_over = csys_deadline_is_poll(deadline) ||
			      (announced && csys_deadline_left(deadline) == 0);
		if (is_over && !is_short(code))
			return CSYS_ETIMEDOUT;
		/* Linux says that there is no room before it looks for a connection. */
		r = csysi_os_poll(&ready, 1, deadline);
		if (r == 0 && ready.ready < 0)
			r = csysi_posix_fail_with(EBADF);
		announced = 1;
	}
	return r;
}

/* ---- what it is ---------------------------------------------------------------------- */

int csysi_os_socket_shutdown(csysi_os_socket socket, unsigned directions)
{
	static const int how[] = { 0, SHUT_RD, SHUT_WR, SHUT_RDWR };

	return shutdown((int)socket, how[directions & 3u]) < 0 ? csysi_posix_fail() : 0;
}

static int set_size(int fd, int option, size_t size)
{
	int value = size > INT_MAX ? INT_MAX : (int)size;

	if (size == 0)
		return 0;
	return setsockopt(fd, SOL_SOCKET, option, &value, sizeof value) < 0 ? csysi_posix_fail()
									    : 0;
}

int csysi_os_socket_set_buffers(csysi_os_socket socket, size_t send_size, size_t recv_size)
{
	int r = set_size((int)socket, SO_SNDBUF, send_size);

	return r < 0 ? r : set_size((int)socket, SO_RCVBUF, recv_size);
}
