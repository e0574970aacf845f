/*
 * os/posix/system_v.c - queues of messages as XSI has them.
 *
 * A message begins with its type, in the same memory, so each one is copied: on the stack, or in
 * memory that is allocated if it is larger than what systems usually allow.  Nothing waits for a
 * queue until a deadline: attempts are repeated at growing intervals.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/ipc.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/fault.h"
#include "base/memory.h"
#include "os/posix/posix.h"
#include "os/posix/system_v.h"

#ifdef CSYSI_HAVE_MSGGET

#define USUAL 8192 /* bytes of a message */

/* What the system's calls take.  Larger ones are as long as they need. */
struct message {
	long type;
	char text[USUAL];
};

static size_t size_of_message(size_t size)
{
	return offsetof(struct message, text) + size;
}

/* ---- queues --------------------------------------------------------------------------- */

int csysi_os_system_v_key(const char *path, int project, int64_t *out)
{
	errno = 0;
	key_t key = ftok(path, project);
	if (key == (key_t)-1 && errno != 0)
		return csysi_posix_fail();
	*out = (int64_t)(uint32_t)key;
	return 0;
}

static int get_info(int64_t id, struct msqid_ds *out)
{
	if (id < 0 || id > INT_MAX)
		return csysi_posix_fail_with(ENOENT);
	if (msgctl((int)id, IPC_STAT, out) == 0)
		return 0;
	return csysi_posix_fail_with(errno == EINVAL || errno == EIDRM ? ENOENT : errno);
}

/* Of a new queue, whose owner and mode are known: it need not be readable. */
static int set_bytes(int id, unsigned mode, size_t bytes)
{
	struct msqid_ds about = { .msg_perm = { .uid = geteuid(), .gid = getegid() } };

	if (bytes > INT_MAX) /* Linux drops the upper bits, and might make it 0 */
		return csysi_posix_fail_with(EINVAL);
	about.msg_perm.mode = (unsigned short)mode; /* 9 bits, of a type that systems choose */
	about.msg_qbytes = bytes;
	if (msgctl(id, IPC_SET, &about) == 0)
		return 0;
	/* More than the system's number are only for the administrator. */
	return csysi_posix_fail_with(errno == EPERM ? EINVAL : errno);
}

/* What a process asks for that opens a queue which is there. */
static int wanted_mode(unsigned flags)
{
	return (flags & CSYSI_OS_QUEUE_RECV ? 0400 : 0) | (flags & CSYSI_OS_QUEUE_SEND ? 0200 : 0);
}

static int find_or_make(key_t key, unsigned flags, unsigned mode, int *out_is_new)
{
	const int new = IPC_CREAT | IPC_EXCL | (int)mode;

	*out_is_new = 0;
	for (;;) {
		int id = -1;
		if (key != IPC_PRIVATE && !(flags & CSYSI_OS_QUEUE_EXCLUSIVE))
			id = msgget(key, wanted_mode(flags));
		else
			errno = ENOENT;
		if (id >= 0 || errno != ENOENT || !(flags & CSYSI_OS_QUEUE_CREATE))
			return id;
		id = msgget(key, new);
		*out_is_new = id >= 0;
		if (id >= 0 || errno != EEXIST || flags & CSYSI_OS_QUEUE_EXCLUSIVE)
			return id; /* else another process was faster */
	}
}

/* A creator keeps its power over a queue that it has given to another user.  What may only be sent
 * to cannot be read, not by its owner either. */
static int check_owner(int id, unsigned flags)
{
	const uid_t me = geteuid();
	struct msqid_ds about;
	int r = get_info(id, &about);

	if (r == CSYS_EACCES && csysi_posix_system_v_look(id, &about) == 0)
		r = 0;
	if (r < 0)
		return r;
	if (about.msg_perm.uid == me && about.msg_perm.cuid == me)
		return 0;
	if (flags & CSYSI_OS_QUEUE_TRUSTED &&
	    (about.msg_perm.uid == 0 || about.msg_perm.uid == me) &&
	    (about.msg_perm.cuid == 0 || about.msg_perm.cuid == me))
		return 0;
	return csysi_posix_fail_with(EPERM);
}

int csysi_os_system_v_open(int64_t key, unsigned flags, unsigned mode, size_t max_bytes,
			   int64_t *out_id)
{
	int is_new;
	int r = csysi_fault(CSYS_ENOSPC);

	if (r < 0)
		return r;
	if (key > UINT32_MAX || key < INT32_MIN)
		return csysi_posix_fail_with(EINVAL);
	int id = find_or_make((key_t)key, flags, mode, &is_new);
	if (id < 0)
		return csysi_posix_fail();
	if (is_new && max_bytes > 0)
		r = set_bytes(id, mode, max_bytes);
	else if (!is_new && flags & (CSYSI_OS_QUEUE_OWN | CSYSI_OS_QUEUE_TRUSTED))
		r = check_owner(id, flags);
	if (r < 0 && is_new)
		msgctl(id, IPC_RMID, NULL);
	if (r == 0)
		*out_id = id;
	return r;
}

int csysi_os_system_v_check(int64_t id, unsigned flags)
{
	struct msqid_ds about;
	int r = get_info(id, &about);

	/* To send it need not be readable. */
	return r == CSYS_EACCES && !(flags & CSYSI_OS_QUEUE_RECV) ? 0 : r;
}

int csysi_os_system_v_remove(int64_t id)
{
	if (id < 0 || id > INT_MAX)
		return csysi_posix_fail_with(ENOENT);
	if (msgctl((int)id, IPC_RMID, NULL) == 0)
		return 0;
	return csysi_posix_fail_with(errno == EINVAL || errno == EIDRM ? ENOENT : errno);
}

int csysi_os_system_v_state(int64_t id, struct csysi_os_queue_state *out)
{
	struct csysi_os_queue_limits limits = { .max_size = SIZE_MAX };
	struct msqid_ds about;
	int r = get_info(id, &about);

	if (r == 0)
		r = csysi_os_system_v_limits(&limits);
	if (r < 0)
		return r;
	*out = (struct csysi_os_queue_state){
		.max_bytes = (size_t)about.msg_qbytes,
		.max_size = limits.max_size < about.msg_qbytes ? limits.max_size
							       : (size_t)about.msg_qbytes,
		.messages = (size_t)about.msg_qnum,
	};
	return 0;
}

/* ---- messages ------------------------------------------------------------------------- */

/* After a failed attempt: 0 to try again, or why not. */
static int try_again(int64_t id, struct csysi_backoff *looks, csys_deadline deadline)
{
	struct msqid_ds about;

	if (errno == EINTR)
		return 0;
	if (errno == EIDRM)
		return csysi_posix_fail_with(ENOENT);
	if (errno == E2BIG)
		return csysi_posix_fail_with(EMSGSIZE);
	if (errno == EINVAL) /* the message is too large, or the queue is gone */
		return get_info(id, &about) == CSYS_ENOENT ? CSYS_ENOENT
							   : csysi_posix_fail_with(EMSGSIZE);
	if (errno != EAGAIN && errno != ENOMSG)
		return csysi_posix_fail();
	if (csys_deadline_left(deadline) == 0)
		return CSYS_ETIMEDOUT;
	csysi_os_nap(csys_after_ns(csysi_backoff_next(looks, deadline)));
	return 0;
}

static int wait_flag(csys_deadline deadline)
{
	return csys_deadline_is_forever(deadline) ? 0 : IPC_NOWAIT;
}

/* A message that no queue can hold would be waited for: the system looks at its own limit only. */
static int can_hold(int64_t id, size_t size)
{
	struct msqid_ds about;
	int can = get_info(id, &about) < 0 || size <= about.msg_qbytes;

	errno = EAGAIN;
	return can;
}

/* The first attempt does not wait, so that what is waited for can come. */
static int send_message(int64_t id, const struct message *message, size_t size,
			csys_deadline deadline)
{
	struct csysi_backoff looks = CSYSI_BACKOFF_LOOK;
	int flag = IPC_NOWAIT;
	int r = 0;

	while (r == 0) {
		if (msgsnd((int)id, message, size, flag) == 0)
			return 0;
		if (errno == EAGAIN && !can_hold(id, size))
			return csysi_posix_fail_with(EMSGSIZE);
		if (errno == EAGAIN && csys_deadline_is_forever(deadline))
			flag = 0;
		else
			r = try_again(id, &looks, deadline);
	}
	return r;
}

int csysi_os_system_v_send(int64_t id, const void *data, size_t size, int64_t type,
			   csys_deadline deadline)
{
	struct message usual;
	struct message *message = &usual;
	int r = csysi_fault(CSYS_EIO);

	if (r < 0)
		return r;
	if (type < 1 || type > LONG_MAX)
		return csysi_posix_fail_with(EINVAL);
	if (size > INT_MAX)
		return csysi_posix_fail_with(EMSGSIZE);
	if (size > USUAL)
		message = csysi_alloc(size_of_message(size));
	if (!message)
		return CSYS_ENOMEM;
	message->type = (long)type;
	if (size > 0)
		memcpy(message->text, data, size);
	r = send_message(id, message, size, deadline);
	if (message != &usual)
		csysi_free(message);
	return r;
}

static int recv_message(int64_t id, struct message *message, size_t room, long wanted,
			csys_deadline deadline, size_t *out_size)
{
	struct csysi_backoff looks = CSYSI_BACKOFF_LOOK;
	int r = 0;

	while (r == 0) {
		ssize_t got = msgrcv((int)id, message, room, wanted, wait_flag(deadline));
		if (got >= 0) {
			*out_size = (size_t)got;
			return 0;
		}
		r = try_again(id, &looks, deadline);
	}
	return r;
}

/* There is a message that is larger than usual. */
static int recv_large(int64_t id, void *buffer, size_t size, long wanted, csys_deadline deadline,
		      size_t *out_size, int64_t *out_type)
{
	struct message *message = csysi_alloc(size_of_message(size));
	if (!message)
		return CSYS_ENOMEM;

	int r = recv_message(id, message, size, wanted, deadline, out_size);
	if (r == 0) {
		memcpy(buffer, message->text, *out_size);
		*out_type = message->type;
	}
	csysi_free(message);
	return r;
}

static long wanted_type(int64_t wanted)
{
	return wanted < -LONG_MAX ? -LONG_MAX : wanted > LONG_MAX ? LONG_MAX : (long)wanted;
}

int csysi_os_system_v_recv(int64_t id, void *buffer, size_t size, int64_t wanted,
			   csys_deadline deadline, size_t *out_size, int64_t *out_type)
{
	struct message usual;
	const size_t room = size < USUAL ? size : USUAL;
	size_t got = 0;
	int r = csysi_fault(CSYS_EIO);

	if (r < 0)
		return r;
	r = recv_message(id, &usual, room, wanted_type(wanted), deadline, &got);
	if (r == CSYS_EMSGSIZE && size > room)
		return recv_large(id, buffer, size, wanted_type(wanted), deadline, out_size,
				  out_type);
	if (r < 0)
		return r;
	memcpy(buffer, usual.text, got);
	*out_size = got;
	*out_type = usual.type;
	return 0;
}

#else

/* ---- systems that have none ----------------------------------------------------------- */

int csysi_os_system_v_key(const char *path, int project, int64_t *out)
{
	(void)path;
	(void)project;
	(void)out;
	return csysi_posix_fail_with(ENOTSUP);
}

int csysi_os_system_v_open(int64_t key, unsigned flags, unsigned mode, size_t max_bytes,
			   int64_t *out_id)
{
	(void)key;
	(void)flags;
	(void)mode;
	(void)max_bytes;
	(void)out_id;
	return csysi_posix_fail_with(ENOTSUP);
}

int csysi_os_system_v_check(int64_t id, unsigned flags)
{
	(void)id;
	(void)flags;
	return csysi_posix_fail_with(ENOTSUP);
}

int csysi_os_system_v_send(int64_t id, const void *data, size_t size, int64_t type,
			   csys_deadline deadline)
{
	(void)id;
	(void)data;
	(void)size;
	(void)type;
	(void)deadline;
	return csysi_posix_fail_with(ENOTSUP);
}

int csysi_os_system_v_recv(int64_t id, void *buffer, size_t size, int64_t wanted,
			   csys_deadline deadline, size_t *out_size, int64_t *out_type)
{
	(void)id;
	(void)buffer;
	(void)size;
	(void)wanted;
	(void)deadline;
	(void)out_size;
	(void)out_type;
	return csysi_posix_fail_with(ENOTSUP);
}

int csysi_os_system_v_state(int64_t id, struct csysi_os_queue_state *out)
{
	(void)id;
	(void)out;
	return csysi_posix_fail_with(ENOTSUP);
}

int csysi_os_system_v_remove(int64_t id)
{
	(void)id;
	return csysi_posix_fail_with(ENOTSUP);
}

#endif
