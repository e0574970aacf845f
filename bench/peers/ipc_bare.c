/*
 * bench/peers/ipc_bare.c - pipes, sockets and framing by bare calls of the system.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench.h"
#include "ipc_bare.h"

struct bare_ends *bare_new_ends(void)
{
	struct bare_ends *ends = malloc(sizeof *ends);
	ipc_check(ends != NULL, "out of memory");
	signal(SIGPIPE, SIG_IGN);
	return ends;
}

static void wait_for(int fd, short events)
{
	struct pollfd polled = { .fd = fd, .events = events };
	int64_t left = ipc_deadline() - bench_now();
	int ready = left > 0 ? poll(&polled, 1, (int)((left + 999999) / 1000000)) : 0;
	ipc_check(ready > 0 || (ready < 0 && errno == EINTR), "bare: the deadline has passed");
}

void bare_again(int fd, short events)
{
	ipc_check(errno == EAGAIN || errno == EINTR, "bare: a transfer failed");
	if (errno == EAGAIN)
		wait_for(fd, events);
}

/* ---- streams ---------------------------------------------------------------- */

static void *pipe_open(size_t size)
{
	(void)size;
	struct bare_ends *ends = bare_new_ends();
	for (int side = 0; side < 2; side++) {
		int made[2];
		ipc_check(pipe2(made, O_CLOEXEC | O_NONBLOCK) == 0, "bare: no pipe");
		ends->reader[side] = made[0];
		ends->writer[!side] = made[1];
	}
	return ends;
}

static void *fifo_open(size_t size)
{
	(void)size;
	struct bare_ends *ends = bare_new_ends();
	for (int side = 0; side < 2; side++) {
		const char *path = ipc_path("fifo");
		ipc_check(mkfifo(path, 0600) == 0, "bare: no FIFO");
		ends->reader[side] = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		ends->writer[!side] = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
		unlink(path);
		ipc_check(ends->reader[side] >= 0 && ends->writer[!side] >= 0, "bare: no FIFO");
	}
	return ends;
}

static void stream_join(void *channel, int side)
{
	struct bare_ends *ends = channel;
	close(ends->reader[!side]);
	close(ends->writer[!side]);
}

static void stream_send(void *channel, int side, const void *data, size_t size)
{
	int fd = ((struct bare_ends *)channel)->writer[side];
	while (size > 0) {
		ssize_t moved = write(fd, data, size);
		if (moved < 0) {
			bare_again(fd, POLLOUT);
			continue;
		}
		data = (const char *)data + moved;
		size -= (size_t)moved;
	}
}

static void stream_recv(void *channel, int side, void *buffer, size_t size)
{
	int fd = ((struct bare_ends *)channel)->reader[side];
	while (size > 0) {
		ssize_t moved = read(fd, buffer, size);
		ipc_check(moved != 0, "bare: the end of the stream");
		if (moved < 0) {
			bare_again(fd, POLLIN);
			continue;
		}
		buffer = (char *)buffer + moved;
		size -= (size_t)moved;
	}
}

static void stream_close(void *channel, int side)
{
	struct bare_ends *ends = channel;
	close(ends->reader[side]);
	close(ends->writer[side]);
	free(ends);
}

/* ---- sockets ---------------------------------------------------------------- */

static struct bare_ends *ends_of(const int made[2])
{
	struct bare_ends *ends = bare_new_ends();
	for (int side = 0; side < 2; side++)
		ends->reader[side] = ends->writer[side] = made[side];
	return ends;
}

static void *pair_open(int kind)
{
	int made[2];
	ipc_check(socketpair(AF_UNIX, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, made) == 0,
		  "bare: no sockets");
	return ends_of(made);
}

static void *stream_socket_open(size_t size)
{
	(void)size;
	return pair_open(SOCK_STREAM);
}

static void *datagram_open(size_t size)
{
	(void)size;
	return pair_open(SOCK_DGRAM);
}

static void *seqpacket_open(size_t size)
{
	(void)size;
	return pair_open(SOCK_SEQPACKET);
}

static void *tcp_open(size_t size)
{
	struct sockaddr_in here = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof here;
	int made[2], on = 1;
	(void)size;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	made[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ipc_check(listener >= 0 && made[0] >= 0 &&
			  bind(listener, (struct sockaddr *)&here, sizeof here) == 0 &&
			  listen(listener, 1) == 0 &&
			  getsockname(listener, (struct sockaddr *)&here, &length) == 0 &&
			  connect(made[0], (struct sockaddr *)&here, sizeof here) == 0,
		  "bare: no connection");
	made[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	ipc_check(made[1] >= 0 && fcntl(made[0], F_SETFL, O_NONBLOCK) == 0, "bare: no connection");
	for (int side = 0; side < 2; side++)
		ipc_check(setsockopt(made[side], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0,
			  "bare: no connection");
	close(listener);
	return ends_of(made);
}

static void socket_join(void *channel, int side)
{
	close(((struct bare_ends *)channel)->reader[!side]);
}

static void socket_send(void *channel, int side, const void *data, size_t size)
{
	int fd = ((struct bare_ends *)channel)->writer[side];
	while (size > 0) {
		ssize_t moved = send(fd, data, size, MSG_NOSIGNAL);
		if (moved < 0) {
			bare_again(fd, POLLOUT);
			continue;
		}
		data = (const char *)data + moved;
		size -= (size_t)moved;
	}
}

static void message_recv(void *channel, int side, void *buffer, size_t size)
{
	int fd = ((struct bare_ends *)channel)->reader[side];
	ssize_t got;
	while ((got = recv(fd, buffer, size, MSG_TRUNC)) < 0)
		bare_again(fd, POLLIN);
	ipc_check((size_t)got == size, "bare: a message is cut");
}

static void socket_close(void *channel, int side)
{
	close(((struct bare_ends *)channel)->reader[side]);
	free(channel);
}

/* ---- messages with their length before them, in a stream: in one call, and read ahead ------- */

enum { AHEAD = 65536, LIMIT = 1 << 23 };

struct framed {
	struct bare_ends *ends;
	size_t first, last; /* what was read ahead and not taken */
	char ahead[AHEAD];
};

static void *framing_open(size_t size)
{
	struct framed *framed = malloc(sizeof *framed);
	ipc_check(framed != NULL, "out of memory");
	framed->ends = stream_socket_open(size);
	framed->first = framed->last = 0;
	return framed;
}

static void framing_join(void *channel, int side)
{
	socket_join(((struct framed *)channel)->ends, side);
}

static void framing_send(void *channel, int side, const void *data, size_t size)
{
	struct framed *framed = channel;
	int fd = framed->ends->writer[side];
	uint32_t prefix = htonl((uint32_t)size);
	struct iovec parts[2] = { { &prefix, sizeof prefix }, { (void *)(uintptr_t)data, size } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t moved;
	while ((moved = sendmsg(fd, &message, MSG_NOSIGNAL)) < 0)
		bare_again(fd, POLLOUT);
	if ((size_t)moved >= sizeof prefix)
		socket_send(framed->ends, side, (const char *)data + moved - sizeof prefix,
			    size + sizeof prefix - (size_t)moved);
	else
		ipc_check(0, "bare: the prefix was cut");
}

/* Take so many bytes: those that were read ahead, and then others, many of them directly. */
static void take(struct framed *framed, int side, void *buffer, size_t size)
{
	while (size > 0) {
		size_t part = framed->last - framed->first;
		if (part == 0 && size >= AHEAD) {
			stream_recv(framed->ends, side, buffer, size);
			return;
		}
		if (part == 0) {
			int fd = framed->ends->reader[side];
			ssize_t got;
			while ((got = read(fd, framed->ahead, AHEAD)) < 0)
				bare_again(fd, POLLIN);
			ipc_check(got != 0, "bare: the end of the stream");
			framed->first = 0;
			framed->last = (size_t)got;
			continue;
		}
		part = part < size ? part : size;
		memcpy(buffer, framed->ahead + framed->first, part);
		framed->first += part;
		buffer = (char *)buffer + part;
		size -= part;
	}
}

static void framing_recv(void *channel, int side, void *buffer, size_t size)
{
	uint32_t prefix;
	take(channel, side, &prefix, sizeof prefix);
	ipc_check(ntohl(prefix) <= LIMIT && ntohl(prefix) == size, "bare: another length");
	take(channel, side, buffer, size);
}

static void framing_close(void *channel, int side)
{
	socket_close(((struct framed *)channel)->ends, side);
	free(channel);
}

#define STREAM .join = stream_join, .send = stream_send, .recv = stream_recv, .close = stream_close
#define SOCKET .join = socket_join, .send = socket_send, .recv = stream_recv, .close = socket_close
#define MESSAGES \
	.join = socket_join, .send = socket_send, .recv = message_recv, .close = socket_close

static const struct ipc_way ways[] = {
	{ .name = "pipe", .open = pipe_open, STREAM },
	{ .name = "fifo", .open = fifo_open, STREAM },
	{ .name = "stream", .open = stream_socket_open, SOCKET },
	{ .name = "datagram", .largest = IPC_DATAGRAM, .open = datagram_open, MESSAGES },
	{ .name = "seqpacket", .largest = IPC_DATAGRAM, .open = seqpacket_open, MESSAGES },
	{ .name = "tcp", .open = tcp_open, SOCKET },
	{ .name = "framing",
	  .open = framing_open,
	  .join = framing_join,
	  .send = framing_send,
	  .recv = framing_recv,
	  .close = framing_close },
};

extern const struct ipc_peer ipc_peer_bare;
const struct ipc_peer ipc_peer_bare = {
	.name = "bare", .ways = ways, .count = sizeof ways / sizeof *ways, .more = &ipc_bare_objects
};
