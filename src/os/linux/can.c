/*
 * os/linux/can.c - what Linux can do.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <unistd.h>

#include "os/os.h"

/* A kernel before 5.3, and some sandboxes, have no pidfds. */
static int has_process_handles(void)
{
	csys_handle handle;
	int r = csysi_os_process_open(csysi_os_pid(), &handle);

	if (r == 0)
		csysi_os_close(handle);
	return r != CSYS_ENOTSUP;
}

/* There is none where /proc is not mounted. */
static int has_table(void)
{
	struct csysi_os_table table;
	int r = csysi_os_table_open(&table);

	if (r == 0)
		csysi_os_table_close(&table);
	return r != CSYS_ENOTSUP;
}

/* Some sandboxes refuse it. */
static int has_memory(void)
{
	csys_handle memory;
	int r = csysi_os_memory_create("csys", 0, &memory);

	if (r == 0)
		csysi_os_close(memory);
	return r != CSYS_ENOTSUP;
}

/* A kernel can be built without the one or the other. */
static int has_message_queues(void)
{
	return csysi_os_message_queue_unlink(".") != CSYS_ENOTSUP; /* no queue has this name */
}

static int has_system_v(void)
{
	struct csysi_os_queue_limits limits;

	return csysi_os_system_v_limits(&limits) != CSYS_ENOTSUP;
}

/* There are none where /proc is not mounted. */
static int has_links(void)
{
	return faccessat(AT_FDCWD, "/proc/self/fd", X_OK, 0) == 0;
}

/* A kernel before 6.5 has no pidfds of peers. */
static int has_peer_handles(void)
{
	csysi_os_socket a, b;
	csys_handle handle;
	int r = csysi_os_socket_pair(CSYSI_OS_STREAM, &a, &b);

	if (r < 0)
		return 1; /* not known */
	r = csysi_os_socket_peer_handle(a, &handle);
	if (r == 0)
		csysi_os_close(handle);
	csysi_os_socket_close(a);
	csysi_os_socket_close(b);
	return r != CSYS_ENOTSUP;
}

int csysi_os_can(int capability)
{
	int os_error = csys_os_error();
	int can = 0;

	if (capability == CSYS_CAN_PROCESS_HANDLE || capability == CSYS_CAN_USAGE)
		can = has_process_handles();
	else if (capability == CSYS_CAN_TABLE)
		can = has_table();
	else if (capability == CSYS_CAN_SEAL_MEMORY)
		can = has_memory();
	else if (capability == CSYS_CAN_HUGE_PAGES)
		can = has_memory() && csysi_os_memory_huge_size() > 0;
	else if (capability == CSYS_CAN_MESSAGE_QUEUE)
		can = has_message_queues();
	else if (capability == CSYS_CAN_SYSTEM_V)
		can = has_system_v();
	else if (capability == CSYS_CAN_SOCKET_LONG_PATH)
		can = has_links();
	else if (capability == CSYS_CAN_SOCKET_PEER_HANDLE)
		can = has_peer_handles();
	else if (capability >= CSYS_CAN_LIMIT)
		can = capability - CSYS_CAN_LIMIT < CSYSI_OS_LIMITS;
	else
		can = capability >= CSYS_CAN_SIGNALS && capability <= CSYSI_OS_CAN_LAST;
	csysi_set_os_error(os_error); /* a look is no failure */
	return can;
}
