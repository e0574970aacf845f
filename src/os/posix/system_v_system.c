/*
 * os/posix/system_v_system.c - what XSI alone tells of all queues: nothing.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>

#include "os/posix/posix.h"
#include "os/posix/system_v.h"

#ifdef CSYSI_HAVE_MSGGET
int csysi_posix_system_v_look(int id, struct msqid_ds *out)
{
	(void)id;
	(void)out;
	errno = EACCES;
	return -1;
}
#endif

int csysi_os_system_v_limits(struct csysi_os_queue_limits *out)
{
#ifdef CSYSI_HAVE_MSGGET
	*out = (struct csysi_os_queue_limits){
		.max_messages = SIZE_MAX,
		.max_size = SIZE_MAX,
		.max_queues = SIZE_MAX,
		.max_bytes = UINT64_MAX,
		.max_priority = INT32_MAX,
	};
	return 0;
#else
	(void)out;
	return csysi_posix_fail_with(ENOTSUP);
#endif
}

int csysi_os_system_v_list(csysi_os_queue_visitor *visitor, void *argument)
{
	(void)visitor;
	(void)argument;
	return csysi_posix_fail_with(ENOTSUP);
}
