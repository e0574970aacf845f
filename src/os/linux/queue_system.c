/*
 * os/linux/queue_system.c - queues of messages as Linux has them: files, which can be polled.
 *
 * A queue is open twice.  The first descriptor is nonblocking: an attempt on it costs less than a
 * timed call that does not wait.  The second one is opened when a call is to wait without a
 * deadline for the first time, and waits in that one call.  Where it cannot be opened (no /proc, no
 * handle left, a mode that forbids it) poll waits instead.
 */
#define _GNU_SOURCE /* fstatat, RLIMIT_MSGQUEUE */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "os/posix/message_queue.h"
#include "os/posix/posix.h"

/* Where queues are files with names, if that is mounted, and how the file system tells it. */
#define DIRECTORY "/dev/mqueue"
#define MAGIC 0x19800202

/* ---- opening -------------------------------------------------------------------------- */

/* The kernel makes it close-on-exec. */
mqd_t csysi_posix_queue_open(const char *name, int flags, mode_t mode, struct mq_attr *attributes)
{
	mqd_t queue = mq_open(name, flags | O_NONBLOCK, mode, attributes);

	return queue < 0 ? queue : csysi_posix_above_2(queue);
}

void csysi_posix_queue_set_mode(mqd_t queue, mode_t mode)
{
	(void)!fchmod(queue, mode); /* its owner may */
}

int csysi_posix_queue_owner(mqd_t queue, uid_t *out)
{
	struct stat about;

	if (fstat(queue, &about) < 0)
		return -1;
	*out = about.st_uid;
	return 0;
}

/* The kernel says EMFILE for RLIMIT_MSGQUEUE too; whether there is a handle can be tried. */
int csysi_posix_queue_is_over_quota(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	csysi_os_close(fd);
	return fd >= 0;
}

int csysi_os_message_queue_is_at(const struct csysi_os_message_queue *queue, const char *name)
{
	struct csysi_os_message_queue other;
	struct csysi_os_queue_request request = { .name = name, .flags = CSYSI_OS_QUEUE_RECV };
	struct stat mine, its;
	int r = csysi_os_message_queue_open(&request, &other);

	if (r == CSYS_EACCES) {
		request.flags = CSYSI_OS_QUEUE_SEND;
		r = csysi_os_message_queue_open(&request, &other);
	}
	if (r < 0)
		return r == CSYS_ENOENT ? 0 : r;
	r = fstat((int)queue->place, &mine) < 0 || fstat((int)other.place, &its) < 0
		    ? csysi_posix_fail()
		    : csysi_posix_is_same_file(&mine, &its);
	csysi_os_message_queue_close(&other);
	return r;
}

/* ---- waiting -------------------------------------------------------------------------- */

csys_handle csysi_os_message_queue_handle(const struct csysi_os_message_queue *queue)
{
	return queue->place;
}

int csysi_posix_queue_wait(mqd_t queue, int writing, struct csysi_backoff *looks,
			   csys_deadline deadline)
{
	struct csysi_os_poll item = { .handle = queue, .writing = writing, .is_known = 1 };

	(void)looks; /* what poll says is so, until another process is faster */
	return csysi_os_poll(&item, 1, deadline);
}

int csysi_posix_queue_try_send(mqd_t queue, const void *data, size_t size, unsigned priority)
{
	return mq_send(queue, data ? data : "", size, priority); /* libc declares it nonnull */
}

ssize_t csysi_posix_queue_try_recv(mqd_t queue, void *buffer, size_t size, unsigned *priority)
{
	return mq_receive(queue, buffer, size, priority);
}

/* Another description of the same queue, which blocks, above 2. */
static int open_again(mqd_t queue)
{
	char path[32];
	int access = fcntl(queue, F_GETFL) & O_ACCMODE;

	snprintf(path, sizeof path, "/proc/self/fd/%d", queue);
	int fd = open(path, access | O_CLOEXEC);
	return fd < 0 ? -1 : csysi_posix_above_2(fd);
}

mqd_t csysi_posix_queue_waiting(struct csysi_os_message_queue *queue, int is_wanted)
{
	/* Acquire pairs with the release of the thread that has opened it. */
	int waiting = csysi_load_acquire(&queue->waiting);

	if (waiting > 0 || !is_wanted)
		return waiting > 0 ? waiting : -1;
	int mine = open_again((mqd_t)queue->place);
	if (mine < 0)
		return -1;
	/* Of two threads the first one's stays. */
	if (csysi_cas_acq_rel(&queue->waiting, &waiting, mine))
		return mine;
	csysi_os_close(mine);
	return waiting;
}

void csysi_posix_queue_close_waiting(const struct csysi_os_message_queue *queue)
{
	if (queue->waiting > 0)
		csysi_os_close(queue->waiting);
}

/* ---- limits --------------------------------------------------------------------------- */

/* A number in a file of /proc; `otherwise` if it cannot be read. */
static size_t read_limit(const char *name, size_t otherwise)
{
	char path[64], text[32];
	csys_handle file;

	snprintf(path, sizeof path, "/proc/sys/fs/mqueue/%s", name);
	if (csysi_os_open_file(path, CSYSI_OS_READ, &file) < 0)
		return otherwise;
	ssize_t size = read((int)file, text, sizeof text - 1);
	csysi_os_close(file);
	if (size <= 0)
		return otherwise;
	text[size] = '\0';
	return (size_t)strtoull(text, NULL, 10);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

int csysi_os_message_queue_limits(struct csysi_os_queue_limits *out)
{
	int os_error = csys_os_error();
	struct rlimit bytes = { RLIM_INFINITY, RLIM_INFINITY };
	long priorities = sysconf(_SC_MQ_PRIO_MAX);

	getrlimit(RLIMIT_MSGQUEUE, &bytes);
	out->max_messages = read_limit("msg_max", SIZE_MAX);
	out->max_size = read_limit("msgsize_max", SIZE_MAX);
	/* As the kernel does. */
	out->usual_messages = smaller(read_limit("msg_default", 10), out->max_messages);
	out->usual_size = smaller(read_limit("msgsize_default", 8192), out->max_size);
	out->max_queues = read_limit("queues_max", SIZE_MAX);
	out->max_bytes = bytes.rlim_cur == RLIM_INFINITY ? UINT64_MAX : bytes.rlim_cur;
	out->is_per_user = 1;
	out->max_priority = (priorities > 0 ? priorities : 32768) - 1;
	csysi_set_os_error(os_error); /* what is not told is no failure */
	return 0;
}

/* ---- listing -------------------------------------------------------------------------- */

/* How many messages are in a queue, if this process may look. */
static int64_t count_messages(const char *name)
{
	char path[NAME_MAX + 2];
	struct mq_attr attributes = { .mq_curmsgs = -1 };

	snprintf(path, sizeof path, "/%s", name);
	mqd_t queue = mq_open(path, O_RDONLY);
	if (queue < 0)
		return -1;
	mq_getattr(queue, &attributes);
	mq_close(queue);
	return attributes.mq_curmsgs;
}

static int visit(int directory, const char *name, csysi_os_queue_visitor *visitor, void *argument)
{
	struct stat about;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    fstatat(directory, name, &about, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	struct csysi_os_queue_entry entry = {
		.name = name,
		.id = -1,
		.user = (int64_t)about.st_uid,
		.mode = about.st_mode & 07777,
		.messages = count_messages(name),
		.last_send = -1,
		.last_recv = -1,
	};
	return visitor(&entry, argument);
}

int csysi_os_message_queue_list(csysi_os_queue_visitor *visitor, void *argument)
{
	struct statfs about;
	int r = csysi_fault(CSYS_EMFILE);

	if (r < 0)
		return r;
	if (statfs(DIRECTORY, &about) < 0 || (unsigned long)about.f_type != MAGIC)
		return csysi_posix_fail_with(ENOTSUP);
	DIR *directory = opendir(DIRECTORY);
	if (!directory)
		return csysi_posix_fail();
	for (struct dirent *each; r == 0 && (each = readdir(directory));)
		r = visit(dirfd(directory), each->d_name, visitor, argument);
	closedir(directory);
	return r;
}
