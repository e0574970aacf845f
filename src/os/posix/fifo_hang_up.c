/*
 * os/posix/fifo_hang_up.c - whether a FIFO has a writer, by its hang-up.
 *
 * POSIX has it that poll reports POLLHUP for a reader from the moment when the last writer has
 * closed the FIFO until another one opens it.  A reader that has seen no writer yet is not hung up,
 * though; so a writer is opened and closed here, which arms it.  (Another process that waits in
 * open for a writer takes this one for it.)  If the FIFO may not be written to, only what a writer
 * has left, bytes or a hang-up, tells that there was one.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "os/posix/fifo.h"
#include "os/posix/posix.h"

int csysi_posix_fifo_arm(int reader, const char *path, int *out_is_armed)
{
	int writer = csysi_posix_fifo_open_now(path, O_WRONLY);

	*out_is_armed = 0;
	if (writer < 0)
		return errno == EMFILE || errno == ENFILE ? csysi_posix_fail() : 0;
	*out_is_armed = csysi_posix_fifo_is_same(reader, writer);
	csysi_os_close(writer);
	return 0;
}

int csysi_posix_fifo_had_writer(int reader, int is_armed)
{
	struct pollfd polled = { .fd = reader, .events = POLLIN };
	int ready;

	do
		ready = csysi_posix_poll(&polled, 1, 0);
	while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return csysi_posix_fail();
	if (polled.revents & POLLIN)
		return 1; /* bytes, whether their writer is there or not */
	return is_armed ? !(polled.revents & POLLHUP) : polled.revents != 0;
}
