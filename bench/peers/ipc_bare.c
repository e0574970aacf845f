/*
 * bench/peers/ipc_bare.c - the same mechanisms by bare calls of the system, with the same deadline.
 *
 * As a careful program does it by hand: what can be done is done at once, else it is waited for by
 * poll, until a point of the monotonic clock.  All is nonblocking, and SIGPIPE is ignored.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "ipc_peer.h"

struct ends {
	int reader[2];
	int writer[2];
};

static struct ends *new_ends(void)
{
	struct ends *ends = malloc(sizeof *ends);
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

/* Whether a failed call is to be made again. */
static void again(int fd, short events)
{
	ipc_check(errno == EAGAIN || errno == EINTR, "bare: a transfer failed");
	if (errno == EAGAIN)
		wait_for(fd, events);
}

/* ---- streams ---------------------------------------------------------------- */

static void *pipe_open(size_t size)
{
	(void)size;
	struct ends *ends = new_ends();
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
	struct ends *ends = new_ends();
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
	struct ends *ends = channel;
	close(ends->reader[!side]);
	close(ends->writer[!side]);
}

static void stream_send(void *channel, int side, const void *data, size_t size)
{
	int fd = ((struct ends *)channel)->writer[side];
	while (size > 0) {
		ssize_t moved = write(fd, data, size);
		if (moved < 0) {
			again(fd, POLLOUT);
			continue;
		}
		data = (const char *)data + moved;
		size -= (size_t)moved;
	}
}

static void stream_recv(void *channel, int side, void *buffer, size_t size)
{
	int fd = ((struct ends *)channel)->reader[side];
	while (size > 0) {
		ssize_t moved = read(fd, buffer, size);
		ipc_check(moved != 0, "bare: the end of the stream");
		if (moved < 0) {
			again(fd, POLLIN);
			continue;
		}
		buffer = (char *)buffer + moved;
		size -= (size_t)moved;
	}
}

static void stream_close(void *channel, int side)
{
	struct ends *ends = channel;
	close(ends->reader[side]);
	close(ends->writer[side]);
	free(ends);
}

/* ---- sockets ---------------------------------------------------------------- */

static void *socket_open(size_t size)
{
	(void)size;
	struct ends *ends = new_ends();
	int made[2];
	ipc_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, made) == 0,
		  "bare: no sockets");
	for (int side = 0; side < 2; side++)
		ends->reader[side] = ends->writer[side] = made[side];
	return ends;
}

static void socket_join(void *channel, int side)
{
	close(((struct ends *)channel)->reader[!side]);
}

static void socket_send(void *channel, int side, const void *data, size_t size)
{
	int fd = ((struct ends *)channel)->writer[side];
	while (size > 0) {
		ssize_t moved = send(fd, data, size, MSG_NOSIGNAL);
		if (moved < 0) {
			again(fd, POLLOUT);
			continue;
		}
		data = (const char *)data + moved;
		size -= (size_t)moved;
	}
}

static void socket_close(void *channel, int side)
{
	close(((struct ends *)channel)->reader[side]);
	free(channel);
}

/* ---- queues of POSIX -------------------------------------------------------- */

static void *message_queue_open(size_t size)
{
	struct ends *ends = new_ends();
	struct mq_attr attributes = { .mq_maxmsg = 8, .mq_msgsize = (long)size };
	for (int side = 0; side < 2; side++) {
		char name[80];
		snprintf(name, sizeof name, "/%s", ipc_name("queue"));
		ends->reader[side] =
			mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, &attributes);
		ipc_check(ends->reader[side] >= 0 && mq_unlink(name) == 0, "bare: no queue");
		ends->writer[!side] = ends->reader[side];
	}
	return ends;
}

static void message_queue_join(void *channel, int side)
{
	(void)channel;
	(void)side;
}

static void message_queue_send(void *channel, int side, const void *data, size_t size)
{
	int queue = ((struct ends *)channel)->writer[side];
	while (mq_send(queue, data, size, 0) < 0)
		again(queue, POLLOUT);
}

static void message_queue_recv(void *channel, int side, void *buffer, size_t size)
{
	int queue = ((struct ends *)channel)->reader[side];
	while (mq_receive(queue, buffer, size, NULL) < 0)
		again(queue, POLLIN);
}

static void message_queue_close(void *channel, int side)
{
	struct ends *ends = channel;
	(void)side;
	mq_close(ends->reader[0]);
	mq_close(ends->reader[1]);
	free(ends);
}

/* ---- queues of System V: looked at again and again, 50 us to 5 ms apart ----- */

struct foreign {
	long type;
	char text[2048];
};

static void *system_v_open(size_t size)
{
	struct ends *ends = new_ends();
	for (int side = 0; side < 2; side++) {
		struct msqid_ds about;
		int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
		ipc_check(id >= 0 && msgctl(id, IPC_STAT, &about) == 0, "bare: no queue");
		about.msg_qbytes = 8 * size;
		ipc_check(msgctl(id, IPC_SET, &about) == 0, "bare: no queue");
		ends->reader[side] = ends->writer[!side] = id;
	}
	return ends;
}

static void nap(int64_t *next)
{
	struct timespec until;
	ipc_check(errno == EAGAIN || errno == ENOMSG || errno == EINTR, "bare: a transfer failed");
	int64_t at = bench_now() + *next;
	ipc_check(at < ipc_deadline(), "bare: the deadline has passed");
	until = (struct timespec){ at / 1000000000, at % 1000000000 };
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	*next = *next < 2500000 ? 2 * *next : 5000000;
}

static void system_v_send(void *channel, int side, const void *data, size_t size)
{
	struct foreign foreign = { .type = 1 };
	int64_t next = 50000;
	__builtin_memcpy(foreign.text, data, size);
	while (msgsnd(((struct ends *)channel)->writer[side], &foreign, size, IPC_NOWAIT) < 0)
		nap(&next);
}

static void system_v_recv(void *channel, int side, void *buffer, size_t size)
{
	struct foreign foreign;
	int64_t next = 50000;
	while (msgrcv(((struct ends *)channel)->reader[side], &foreign, size, 0, IPC_NOWAIT) < 0)
		nap(&next);
	__builtin_memcpy(buffer, foreign.text, size);
}

static void system_v_close(void *channel, int side)
{
	struct ends *ends = channel;
	for (int i = 0; side == 0 && i < 2; i++)
		msgctl(ends->reader[i], IPC_RMID, NULL);
	free(ends);
}

/* ---- pairs ------------------------------------------------------------------ */

static void *file_open(size_t size)
{
	static int fd;
	const char *path = ipc_path("lock");
	(void)size;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ipc_check(fd >= 0 && unlink(path) == 0, "bare: no file");
	return &fd;
}

static void file_pair(void *object, int64_t count)
{
	int fd = *(int *)object;
	for (; count > 0; count--)
		ipc_check(flock(fd, LOCK_EX) == 0 && flock(fd, LOCK_UN) == 0, "bare: no lock");
}

static void file_close(void *object, int side)
{
	(void)side;
	close(*(int *)object);
}

static void *semaphore_open(size_t size)
{
	char name[80];
	(void)size;
	snprintf(name, sizeof name, "/%s", ipc_name("semaphore"));
	sem_t *semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
	ipc_check(semaphore != SEM_FAILED && sem_unlink(name) == 0, "bare: no semaphore");
	return semaphore;
}

static void semaphore_pair(void *object, int64_t count)
{
	for (; count > 0; count--) {
		sem_post(object);
		sem_wait(object);
	}
}

static void semaphore_close(void *object, int side)
{
	(void)side;
	sem_close(object);
}

static const struct ipc_way ways[] = {
	{ "pipe", 0, pipe_open, stream_join, stream_send, stream_recv, stream_close, NULL },
	{ "fifo", 0, fifo_open, stream_join, stream_send, stream_recv, stream_close, NULL },
	{ "stream", 0, socket_open, socket_join, socket_send, stream_recv, socket_close, NULL },
	{ "message_queue", 8192, message_queue_open, message_queue_join, message_queue_send,
	  message_queue_recv, message_queue_close, NULL },
	{ "system_v", 2048, system_v_open, message_queue_join, system_v_send, system_v_recv,
	  system_v_close, NULL },
	{ "file_lock", 0, file_open, NULL, NULL, NULL, file_close, file_pair },
	{ "named_semaphore", 0, semaphore_open, NULL, NULL, NULL, semaphore_close, semaphore_pair },
};

extern const struct ipc_peer ipc_peer_bare;
const struct ipc_peer ipc_peer_bare = { .name = "bare",
					.ways = ways,
					.count = sizeof ways / sizeof *ways };
