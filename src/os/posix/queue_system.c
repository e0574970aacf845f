/*
 * os/posix/queue_system.c - what POSIX alone knows of its queues: little.
 *
 * A queue need not be a descriptor, so nothing waits for one but mq_receive itself, until a point
 * of the wall clock.  A wait with a deadline therefore looks again and again.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "base/backoff.h"
#include "os/posix/message_queue.h"
#include "os/posix/posix.h"

#ifdef CSYSI_HAVE_MQ_OPEN

/* In case that it is a descriptor, and the lowest that is free: fill the places of the standard
 * streams meanwhile. */
mqd_t csysi_posix_queue_open(const char *name, int flags, mode_t mode, struct mq_attr *attributes)
{
	int places[3];
	int count = 0;

	for (int stream = 0; stream < 3; stream++)
		if (fcntl(stream, F_GETFD) < 0)
			places[count++] = open("/", O_RDONLY | O_CLOEXEC);
	mqd_t queue = mq_open(name, flags, mode, attributes);
	int error = errno;
	while (count > 0)
		csysi_os_close(places[--count]);
	errno = error;
	return queue;
}

/* Before all time: a call that is an attempt, whatever the clock says. */
static const struct timespec past = { 0, 0 };

int csysi_posix_queue_try_send(mqd_t queue, const void *data, size_t size, unsigned priority)
{
	return mq_timedsend(queue, data ? data : "", size, priority, &past); /* declared nonnull */
}

ssize_t csysi_posix_queue_try_recv(mqd_t queue, void *buffer, size_t size, unsigned *priority)
{
	return mq_timedreceive(queue, buffer, size, priority, &past);
}

mqd_t csysi_posix_queue_waiting(struct csysi_os_message_queue *queue, int is_wanted)
{
	(void)is_wanted;
	return (mqd_t)queue->place;
}

void csysi_posix_queue_close_waiting(const struct csysi_os_message_queue *queue)
{
	(void)queue;
}

void csysi_posix_queue_set_mode(mqd_t queue, mode_t mode)
{
	(void)queue;
	(void)mode;
}

int csysi_posix_queue_owner(mqd_t queue, uid_t *out)
{
	(void)queue;
	(void)out;
	return -1;
}

int csysi_posix_queue_wait(mqd_t queue, int writing, struct csysi_backoff *looks,
			   csys_deadline deadline)
{
	(void)queue;
	(void)writing;
	if (csys_deadline_left(deadline) == 0)
		return CSYS_ETIMEDOUT;
	csysi_os_nap(csys_after_ns(csysi_backoff_next(looks, deadline)));
	return 0;
}

/* Of the reasons for EMFILE the other one can be tried. */
int csysi_posix_queue_is_over_quota(void)
{
	int fd = open("/", O_RDONLY | O_CLOEXEC);

	csysi_os_close(fd);
	return fd >= 0;
}

int csysi_os_message_queue_limits(struct csysi_os_queue_limits *out)
{
	long priorities = sysconf(_SC_MQ_PRIO_MAX);
	long queues = sysconf(_SC_MQ_OPEN_MAX); /* that one process has open */

	*out = (struct csysi_os_queue_limits){
		.max_messages = SIZE_MAX,
		.max_size = SIZE_MAX,
		.max_queues = queues > 0 ? (size_t)queues : SIZE_MAX,
		.max_bytes = UINT64_MAX,
		.max_priority = priorities > 0 ? priorities - 1 : _POSIX_MQ_PRIO_MAX - 1,
	};
	return 0;
}

#else

int csysi_os_message_queue_limits(struct csysi_os_queue_limits *out)
{
	(void)out;
	return csysi_posix_fail_with(ENOTSUP);
}

#endif

csys_handle csysi_os_message_queue_handle(const struct csysi_os_message_queue *queue)
{
	(void)queue;
	return CSYS_NO_HANDLE;
}

int csysi_os_message_queue_is_at(const struct csysi_os_message_queue *queue, const char *name)
{
	(void)queue;
	(void)name;
	return csysi_posix_fail_with(ENOTSUP);
}

int csysi_os_message_queue_list(csysi_os_queue_visitor *visitor, void *argument)
{
	(void)visitor;
	(void)argument;
	return csysi_posix_fail_with(ENOTSUP);
}
