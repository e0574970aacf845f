/*
 * os/posix/can.c - what POSIX.1-2008 can do.
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE /* the resources that not every system has */
#include <sys/resource.h>

#include "os/os.h"

static int has_limit(int resource)
{
	switch (resource) {
	case CSYSI_OS_LIMIT_MEMORY:
#ifndef RLIMIT_AS
		return 0;
#else
		return 1;
#endif
	case CSYSI_OS_LIMIT_PROCESSES:
#ifndef RLIMIT_NPROC
		return 0;
#else
		return 1;
#endif
	case CSYSI_OS_LIMIT_LOCKED_MEMORY:
#ifndef RLIMIT_MEMLOCK
		return 0;
#else
		return 1;
#endif
	default:
		return resource >= 0 && resource < CSYSI_OS_LIMITS;
	}
}

/* macOS has none. */
static int has_seqpacket(void)
{
	csysi_os_socket socket;
	int r = csysi_os_socket_create(CSYSI_OS_SEQPACKET, &socket);

	if (r == 0)
		csysi_os_socket_close(socket);
	return r != CSYS_ENOTSUP;
}

int csysi_os_can(int capability)
{
	switch (capability) {
	case CSYS_CAN_SIGNALS:
	case CSYS_CAN_ASK_TO_END:
	case CSYS_CAN_SUSPEND:
	case CSYS_CAN_UMASK:
	case CSYS_CAN_EXEC:
	case CSYS_CAN_PRE_EXEC:
	case CSYS_CAN_GROUPS:
	case CSYS_CAN_PTY:
	case CSYS_CAN_NONBLOCKING:
	case CSYS_CAN_SOCKET_DATAGRAM:
	case CSYS_CAN_PASS_HANDLES:
	case CSYS_CAN_SHM_PERSISTS:
	case CSYS_CAN_FIFO:
		return 1;
	case CSYS_CAN_FILE_LOCK:
#ifdef CSYSI_HAVE_FLOCK
		return 1;
#else
		return 0;
#endif
	case CSYS_CAN_SEMAPHORE_POSIX:
#ifdef CSYSI_HAVE_SEM_OPEN
		return 1;
#else
		return 0;
#endif
	case CSYS_CAN_USER:
#ifdef CSYSI_HAVE_SETGROUPS
		return 1;
#else
		return 0; /* the groups of this process could not be dropped */
#endif
	case CSYS_CAN_MESSAGE_QUEUE:
#ifdef CSYSI_HAVE_MQ_OPEN
		return 1;
#else
		return 0;
#endif
	case CSYS_CAN_SYSTEM_V:
#ifdef CSYSI_HAVE_MSGGET
		return 1;
#else
		return 0;
#endif
	case CSYS_CAN_SOCKET_SEQPACKET:
		return has_seqpacket();
	case CSYS_CAN_SOCKET_USER:
#ifdef CSYSI_HAVE_GETPEEREID
		return 1;
#else
		return 0;
#endif
	default:
		return capability >= CSYS_CAN_LIMIT && has_limit(capability - CSYS_CAN_LIMIT);
	}
}
