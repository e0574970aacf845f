/*
 * os/posix/message_queue.c - queues of messages as POSIX has them.
 *
 * mq_timedsend and mq_timedreceive wait until a point of the wall clock, which may be set.  So with
 * a deadline there are attempts that do not wait, and what waits between two of them is the
 * system's (queue_system.c).  Without one mq_send and mq_receive wait, in one call.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/message_queue.h"
#include "os/posix/posix.h"

#ifdef CSYSI_HAVE_MQ_OPEN

/* Where the system does not tell what is usual. */
#define FALLBACK_MESSAGES 8
#define FALLBACK_SIZE 1024

static mqd_t queue_of(const struct csysi_os_message_queue *queue)
{
	return (mqd_t)queue->place;
}

/* ---- opening -------------------------------------------------------------------------- */

static int open_flags(unsigned flags)
{
	const unsigned both = CSYSI_OS_QUEUE_SEND | CSYSI_OS_QUEUE_RECV;
	int access = (flags & both) == both        ? O_RDWR
		     : flags & CSYSI_OS_QUEUE_SEND ? O_WRONLY
						   : O_RDONLY;

	return access | (flags & CSYSI_OS_QUEUE_CREATE ? O_CREAT : 0) |
	       (flags & CSYSI_OS_QUEUE_EXCLUSIVE ? O_EXCL : 0);
}

/* Fill in what the request leaves to the system.  Both numbers are wanted if one is. */
static int attributes_of(const struct csysi_os_queue_request *request, struct mq_attr *out)
{
	struct csysi_os_queue_limits limits = { 0 };
	size_t messages = request->max_messages;
	size_t size = request->max_size;

	if (messages == 0 || size == 0)
		csysi_os_message_queue_limits(&limits); /* says 0 for what it does not know */
	if (messages == 0)
		messages = limits.usual_messages ? limits.usual_messages : FALLBACK_MESSAGES;
	if (size == 0)
		size = limits.usual_size ? limits.usual_size : FALLBACK_SIZE;
	if (messages > LONG_MAX || size > LONG_MAX)
		return csysi_posix_fail_with(EINVAL);
	*out = (struct mq_attr){ .mq_maxmsg = (long)messages, .mq_msgsize = (long)size };
	return 0;
}

static mqd_t open_retry(const char *name, int flags, mode_t mode, struct mq_attr *attributes)
{
	mqd_t queue;

	do
		queue = csysi_posix_queue_open(name, flags, mode, attributes);
	while (queue == (mqd_t)-1 && errno == EINTR);
	return queue;
}

/* Create the queue if there is none, so that it is known whether it is new. */
static int open_or_create(const struct csysi_os_queue_request *request, const char *name,
			  mqd_t *out)
{
	const int flags = open_flags(request->flags);
	const int exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
	struct mq_attr attributes;
	int is_given = request->max_messages > 0 || request->max_size > 0;
	int r = is_given ? attributes_of(request, &attributes) : 0;

	if (r < 0)
		return r;
	for (;;) {
		*out = exclusive ? (mqd_t)-1 : open_retry(name, flags & ~O_CREAT, 0, NULL);
		if (*out != (mqd_t)-1)
			return 0;
		if (!(flags & O_CREAT) || (!exclusive && errno != ENOENT))
			return csysi_posix_fail();
		*out = open_retry(name, flags | O_EXCL, (mode_t)request->mode,
				  is_given ? &attributes : NULL);
		if (*out != (mqd_t)-1) {
			csysi_posix_queue_set_mode(*out, (mode_t)request->mode);
			return 0;
		}
		if (exclusive || errno != EEXIST)
			break; /* else another process was faster */
	}
	if (errno == EMFILE && csysi_posix_queue_is_over_quota()) {
		csysi_set_os_error(EMFILE);
		return CSYS_ENOSPC;
	}
	return csysi_posix_fail();
}

/* Whether the owner of the queue is one that the request trusts. */
static int is_trusted(mqd_t queue, unsigned flags)
{
	uid_t owner;

	if (!(flags & (CSYSI_OS_QUEUE_OWN | CSYSI_OS_QUEUE_TRUSTED)) ||
	    csysi_posix_queue_owner(queue, &owner) < 0 || owner == geteuid())
		return 1;
	return (flags & CSYSI_OS_QUEUE_TRUSTED) && owner == 0;
}

int csysi_os_message_queue_open(const struct csysi_os_queue_request *request,
				struct csysi_os_message_queue *out)
{
	char name[CSYSI_OS_QUEUE_NAME_MAX + 2];
	mqd_t queue;
	int r = csysi_fault(CSYS_EMFILE);

	if (r < 0)
		return r;
	if (snprintf(name, sizeof name, "/%s", request->name) >= (int)sizeof name)
		return csysi_posix_fail_with(ENAMETOOLONG);
	r = open_or_create(request, name, &queue);
	if (r < 0)
		return r;
	if (!is_trusted(queue, request->flags)) {
		mq_close(queue);
		return csysi_posix_fail_with(EPERM);
	}
	*out = (struct csysi_os_message_queue){ .place = (intptr_t)queue };
	return 0;
}

void csysi_os_message_queue_close(const struct csysi_os_message_queue *queue)
{
	int error = errno;

	csysi_posix_queue_close_waiting(queue);
	mq_close(queue_of(queue));
	errno = error;
}

int csysi_os_message_queue_unlink(const char *plain)
{
	char name[CSYSI_OS_QUEUE_NAME_MAX + 2];

	if (snprintf(name, sizeof name, "/%s", plain) >= (int)sizeof name)
		return csysi_posix_fail_with(ENAMETOOLONG);
	return mq_unlink(name) < 0 ? csysi_posix_fail() : 0;
}

/* ---- messages ------------------------------------------------------------------------- */

/* After a failed attempt: 0 to try again, or why not. */
static int try_again(mqd_t queue, int writing, struct csysi_backoff *looks, csys_deadline deadline)
{
	if (errno == EINTR)
		return 0;
	if (errno != ETIMEDOUT && errno != EAGAIN)
		return csysi_posix_fail();
	if (csys_deadline_is_poll(deadline))
		return CSYS_ETIMEDOUT;
	return csysi_posix_queue_wait(queue, writing, looks, deadline);
}

/* What to wait with, if there is no deadline; (mqd_t)-1: attempts are made. */
static mqd_t waiting_of(struct csysi_os_message_queue *queue, csys_deadline deadline)
{
	return csys_deadline_is_forever(deadline) ? csysi_posix_queue_waiting(queue, 0) : (mqd_t)-1;
}

/* After a failed attempt: whether there is now something to wait with in place of it. */
static int has_waiting(struct csysi_os_message_queue *queue, csys_deadline deadline, mqd_t *waiting)
{
	int error = errno;

	if (error != EAGAIN || *waiting != (mqd_t)-1 || !csys_deadline_is_forever(deadline))
		return 0;
	*waiting = csysi_posix_queue_waiting(queue, 1);
	errno = error;
	return *waiting != (mqd_t)-1;
}

int csysi_os_message_queue_send(struct csysi_os_message_queue *queue, const void *data, size_t size,
				int64_t priority, csys_deadline deadline)
{
	struct csysi_backoff looks = CSYSI_BACKOFF_LOOK;
	mqd_t waiting = waiting_of(queue, deadline);
	int r = csysi_fault(CSYS_EIO);

	if (r == 0 && (priority < 0 || priority > INT_MAX))
		return csysi_posix_fail_with(EINVAL);
	while (r == 0) {
		int failed = waiting != (mqd_t)-1
				     ? mq_send(waiting, data ? data : "", size, (unsigned)priority)
				     : csysi_posix_queue_try_send(queue_of(queue), data, size,
								  (unsigned)priority);
		if (!failed)
			return 0;
		if (!has_waiting(queue, deadline, &waiting))
			r = try_again(queue_of(queue), 1, &looks, deadline);
	}
	return r;
}

int csysi_os_message_queue_recv(struct csysi_os_message_queue *queue, void *buffer, size_t size,
				csys_deadline deadline, size_t *out_size, int64_t *out_priority)
{
	struct csysi_backoff looks = CSYSI_BACKOFF_LOOK;
	mqd_t waiting = waiting_of(queue, deadline);
	unsigned priority;
	int r = csysi_fault(CSYS_EIO);

	while (r == 0) {
		ssize_t got = waiting != (mqd_t)-1
				      ? mq_receive(waiting, buffer, size, &priority)
				      : csysi_posix_queue_try_recv(queue_of(queue), buffer, size,
								   &priority);
		if (got >= 0) {
			*out_size = (size_t)got;
			*out_priority = priority;
			return 0;
		}
		if (!has_waiting(queue, deadline, &waiting))
			r = try_again(queue_of(queue), 0, &looks, deadline);
	}
	return r;
}

int csysi_os_message_queue_state(const struct csysi_os_message_queue *queue,
				 struct csysi_os_queue_state *out)
{
	struct mq_attr attributes;

	if (mq_getattr(queue_of(queue), &attributes) < 0)
		return csysi_posix_fail();
	*out = (struct csysi_os_queue_state){
		.max_messages = (size_t)attributes.mq_maxmsg,
		.max_size = (size_t)attributes.mq_msgsize,
		.messages = (size_t)attributes.mq_curmsgs,
	};
	return 0;
}

#else

/* ---- systems that have none ----------------------------------------------------------- */

int csysi_os_message_queue_open(const struct csysi_os_queue_request *request,
				struct csysi_os_message_queue *out)
{
	(void)request;
	(void)out;
	return csysi_posix_fail_with(ENOTSUP);
}

void csysi_os_message_queue_close(const struct csysi_os_message_queue *queue)
{
	(void)queue;
}

int csysi_os_message_queue_unlink(const char *name)
{
	(void)name;
	return csysi_posix_fail_with(ENOTSUP);
}

int csysi_os_message_queue_send(struct csysi_os_message_queue *queue, const void *data, size_t size,
				int64_t priority, csys_deadline deadline)
{
	(void)queue;
	(void)data;
	(void)size;
	(void)priority;
	(void)deadline;
	return csysi_posix_fail_with(ENOTSUP);
}

int csysi_os_message_queue_recv(struct csysi_os_message_queue *queue, void *buffer, size_t size,
				csys_deadline deadline, size_t *out_size, int64_t *out_priority)
{
	(void)queue;
	(void)buffer;
	(void)size;
	(void)deadline;
	(void)out_size;
	(void)out_priority;
	return csysi_posix_fail_with(ENOTSUP);
}

int csysi_os_message_queue_state(const struct csysi_os_message_queue *queue,
				 struct csysi_os_queue_state *out)
{
	(void)queue;
	(void)out;
	return csysi_posix_fail_with(ENOTSUP);
}

#endif
