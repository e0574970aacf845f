/*
 * os/posix/socket_control.c - reading what comes beside the bytes of a message.
 *
 * The system has written it, but what a peer can make it write differs from system to system: no
 * descriptors, several items of them, items that are cut off.  So each length is checked here
 * against what is there, and nothing else is believed.  It reads bytes and no more, for a fuzzer.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <string.h>

#include "os/posix/socket.h"

/* Where the data of an item begins: CMSG_LEN(0), which is as long as the header is aligned. */
#define DATA_OFFSET ((size_t)CMSG_LEN(0))

static void get_fds(const char *data, size_t size, struct csysi_posix_came *out)
{
	const size_t most = sizeof out->fds / sizeof *out->fds;

	for (size_t at = 0; at + sizeof(int) <= size && out->count < most; at += sizeof(int))
		memcpy(&out->fds[out->count++], data + at, sizeof(int));
}

void csysi_posix_read_control(const char *control, size_t size, struct csysi_posix_came *out)
{
	struct cmsghdr item;

	out->count = 0;
	out->other = -1;
	out->credentials = (struct csysi_os_credentials){ -1, -1, -1 };
	while (size >= sizeof item) {
		memcpy(&item, control, sizeof item);
		/* Its type differs: size_t, or one of 32 bits. */
		size_t whole = (size_t)item.cmsg_len;
		if (whole < DATA_OFFSET || whole > size)
			return;
		const char *data = control + DATA_OFFSET;
		if (item.cmsg_level == SOL_SOCKET && item.cmsg_type == SCM_RIGHTS)
			get_fds(data, whole - DATA_OFFSET, out);
		else
			csysi_posix_read_item(item.cmsg_level, item.cmsg_type, data,
					      whole - DATA_OFFSET, out);
		/* Items are aligned, also the last one, as far as there is room for that. */
		size_t space = (size_t)CMSG_SPACE(whole - DATA_OFFSET);
		if (space >= size)
			return;
		control += space;
		size -= space;
	}
}
