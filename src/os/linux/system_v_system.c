/*
 * os/linux/system_v_system.c - the queues of System V of all users, and their limits.
 */
#define _GNU_SOURCE /* MSG_INFO, MSG_STAT, struct msginfo */
#include <errno.h>
#include <sys/ipc.h>
#include <sys/msg.h>

#include "base/fault.h"
#include "os/posix/posix.h"
#include "os/posix/system_v.h"

#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13 /* Linux 4.17: also what may not be read */
#endif

/* The kernel finds a queue by the lower bits of its id: 15, or 24 with ipcmni_extend. */
int csysi_posix_system_v_look(int id, struct msqid_ds *out)
{
	struct msqid_ds about;

	for (int bits = 15; bits <= 24; bits += 9) {
		if (msgctl(id & ((1 << bits) - 1), MSG_STAT_ANY, &about) != id)
			continue;
		*out = about;
		return 0;
	}
	errno = EACCES;
	return -1;
}

int csysi_os_system_v_limits(struct csysi_os_queue_limits *out)
{
	struct msginfo info = { 0 };

	if (msgctl(0, IPC_INFO, (struct msqid_ds *)&info) < 0)
		return csysi_posix_fail();
	*out = (struct csysi_os_queue_limits){
		.max_messages = SIZE_MAX, /* as many as bytes */
		.max_size = (size_t)info.msgmax,
		.usual_size = (size_t)info.msgmax,
		.max_queues = (size_t)info.msgmni,
		.max_bytes = (uint64_t)info.msgmnb,
		.max_priority = INT32_MAX,
	};
	return 0;
}

/* The id of the queue at an index of the kernel's table, or -1. */
static int stat_index(int index, struct msqid_ds *out)
{
	int id = msgctl(index, MSG_STAT_ANY, out);

	return id < 0 && errno == EINVAL ? msgctl(index, MSG_STAT, out) : id;
}

int csysi_os_system_v_list(csysi_os_queue_visitor *visitor, void *argument)
{
	struct msginfo info;
	struct msqid_ds about = { 0 };
	int r = csysi_fault(CSYS_ENOMEM);

	if (r < 0)
		return r;
	int last = msgctl(0, MSG_INFO, (struct msqid_ds *)&info);
	if (last < 0)
		return csysi_posix_fail();
	for (int i = 0; r == 0 && i <= last; i++) {
		int id = stat_index(i, &about);
		if (id < 0)
			continue;
		struct csysi_os_queue_entry entry = {
			.id = id,
#if defined(__GLIBC__) || defined(__UCLIBC__)
			.key = (int64_t)(uint32_t)about.msg_perm.__key,
#else
			.key = (int64_t)(uint32_t)about.msg_perm.__ipc_perm_key,
#endif
			.user = (int64_t)about.msg_perm.uid,
			.mode = about.msg_perm.mode & 0777,
			.messages = (int64_t)about.msg_qnum,
			.last_send = about.msg_lspid,
			.last_recv = about.msg_lrpid,
		};
		r = visitor(&entry, argument);
	}
	return r;
}
