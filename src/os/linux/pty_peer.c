/*
 * os/linux/pty_peer.c - opening the terminal side of a pseudo-terminal by its controller.
 *
 * TIOCGPTPEER (Linux 4.13) opens the right terminal side also where its name means another
 * one: in another mount namespace, or under another /dev/pts.
 */
#define _GNU_SOURCE /* ptsname_r */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "os/posix/posix.h"

int csysi_posix_pty_name(int controller, char *name, size_t size)
{
	int error = ptsname_r(controller, name, size);

	/* The error is the result; some C libraries return -1 and set errno. */
	if (error > 0)
		errno = error;
	return error == 0 ? 0 : -1;
}

int csysi_posix_pty_peer(int controller, const char *name)
{
	int fd;

#ifdef TIOCGPTPEER /* younger than some headers */
	do
		fd = ioctl(controller, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd >= 0 || (errno != ENOTTY && errno != EINVAL && errno != ENOSYS))
		return fd;
#endif
	do
		fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd;
}
