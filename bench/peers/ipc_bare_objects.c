/*
 * bench/peers/ipc_bare_objects.c - queues, locks, semaphores and memory by bare calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "ipc_bare.h"

/* ---- queues of POSIX -------------------------------------------------------- */

static void *message_queue_open(size_t size)
{
	struct bare_ends *ends = bare_new_ends();
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
	int queue = ((struct bare_ends *)channel)->writer[side];
	while (mq_send(queue, data, size, 0) < 0)
		bare_again(queue, POLLOUT);
}

static void message_queue_recv(void *channel, int side, void *buffer, size_t size)
{
	int queue = ((struct bare_ends *)channel)->reader[side];
	while (mq_receive(queue, buffer, size, NULL) < 0)
		bare_again(queue, POLLIN);
}

static void message_queue_close(void *channel, int side)
{
	struct bare_ends *ends = channel;
	(void)side;
	mq_close(ends->reader[0]);
	mq_close(ends->reader[1]);
	free(ends);
}

/* ---- queues of System V: looked at again and again, 50 us to 5 ms apart ----- */

struct foreign {
	long type;
	char text[IPC_SYSTEM_V];
};

static void *system_v_open(size_t size)
{
	struct bare_ends *ends = bare_new_ends();
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
	memcpy(foreign.text, data, size);
	while (msgsnd(((struct bare_ends *)channel)->writer[side], &foreign, size, IPC_NOWAIT) < 0)
		nap(&next);
}

static void system_v_recv(void *channel, int side, void *buffer, size_t size)
{
	struct foreign foreign;
	int64_t next = 50000;
	while (msgrcv(((struct bare_ends *)channel)->reader[side], &foreign, size, 0, IPC_NOWAIT) <
	       0)
		nap(&next);
	memcpy(buffer, foreign.text, size);
}

static void system_v_close(void *channel, int side)
{
	struct bare_ends *ends = channel;
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
	int failures = 0;
	for (; count > 0; count--) {
		failures |= sem_post(object);
		failures |= sem_wait(object);
	}
	ipc_check(failures == 0, "bare: not posted");
}

static void semaphore_close(void *object, int side)
{
	(void)side;
	sem_close(object);
}

/* ---- memory, and semaphores in it -------------------------------------------- */

#define RING_SEMAPHORE sem_t

static void ring_post(sem_t *semaphore)
{
	ipc_check(sem_post(semaphore) == 0, "bare: not posted");
}

static void ring_wait(sem_t *semaphore)
{
#ifdef __GLIBC__
	const clockid_t clock = CLOCK_MONOTONIC;
	int64_t at = ipc_deadline();
#else /* there is only the wall clock */
	int64_t at = ipc_deadline() - bench_now() + time(NULL) * 1000000000;
#endif
	const struct timespec until = { at / 1000000000, at % 1000000000 };
	int r;
	do
#ifdef __GLIBC__
		r = sem_clockwait(semaphore, clock, &until);
#else
		r = sem_timedwait(semaphore, &until);
#endif
	while (r < 0 && errno == EINTR);
	ipc_check(r == 0, "bare: the deadline has passed");
}

#include "ipc_ring.h"

static void *shm_open_rings(size_t size)
{
	struct rings *rings = malloc(sizeof *rings);
	ipc_check(rings != NULL, "out of memory");
	sem_t *semaphores = mmap(NULL, 4096 + ring_bytes(size), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ipc_check(semaphores != MAP_FAILED, "bare: no memory");
	ring_slots(rings, (char *)semaphores + 4096, size);
	rings->memory = semaphores;
	for (int side = 0; side < 2; side++) {
		/* Each on a cache line of its own. */
		rings->to[side].filled = (sem_t *)((char *)semaphores + 128 * side);
		rings->to[side].free = (sem_t *)((char *)semaphores + 128 * side + 64);
		ipc_check(sem_init(rings->to[side].filled, 1, 0) == 0 &&
				  sem_init(rings->to[side].free, 1, RING_SLOTS) == 0,
			  "bare: no semaphores");
	}
	return rings;
}

static void shm_close(void *channel, int side)
{
	struct rings *rings = channel;
	(void)side;
	munmap(rings->memory, 4096 + ring_bytes(rings->size));
	free(rings);
}

#define QUEUE                                                                               \
	.join = message_queue_join, .send = message_queue_send, .recv = message_queue_recv, \
	.close = message_queue_close

static const struct ipc_way ways[] = {
	{ .name = "message_queue", .largest = IPC_QUEUED, .open = message_queue_open, QUEUE },
	{ .name = "system_v",
	  .largest = IPC_SYSTEM_V,
	  .open = system_v_open,
	  .join = message_queue_join,
	  .send = system_v_send,
	  .recv = system_v_recv,
	  .close = system_v_close },
	{ .name = "shm",
	  .open = shm_open_rings,
	  .join = ring_join,
	  .send = ring_send,
	  .recv = ring_recv,
	  .close = shm_close },
	{ .name = "file_lock", .open = file_open, .close = file_close, .pair = file_pair },
	{ .name = "named_semaphore",
	  .open = semaphore_open,
	  .close = semaphore_close,
	  .pair = semaphore_pair },
};

const struct ipc_peer ipc_bare_objects = { .ways = ways, .count = sizeof ways / sizeof *ways };
