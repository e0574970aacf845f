/*
 * os/posix/socket_create.c - new sockets where the system cannot make them close-on-exec at once.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os/posix/socket.h"

void csysi_posix_no_sigpipe(int fd)
{
#ifdef SO_NOSIGPIPE
	int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#else
	(void)fd;
#endif
}

int csysi_posix_socket(int family, int type)
{
	csysi_posix_fork_lock_shared();
	int fd = socket(family, type, 0);
	if (fd >= 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	csysi_posix_fork_unlock();
	if (fd >= 0)
		csysi_posix_no_sigpipe(fd);
	return fd;
}

int csysi_posix_socketpair(int type, int made[2])
{
	csysi_posix_fork_lock_shared();
	int r = socketpair(AF_UNIX, type, 0, made);
	for (int i = 0; r == 0 && i < 2; i++)
		fcntl(made[i], F_SETFD, FD_CLOEXEC);
	csysi_posix_fork_unlock();
	for (int i = 0; r == 0 && i < 2; i++)
		csysi_posix_no_sigpipe(made[i]);
	return r;
}

/* The listener is nonblocking, so the lock is not held for long.  On some systems its connections
 * are nonblocking too. */
int csysi_posix_accept(int listener)
{
	int before = csysi_os_hold_cancel(); /* it would keep the lock */
	csysi_posix_fork_lock_shared();
	int fd = accept(listener, NULL, NULL);
	int error = errno;
	if (fd >= 0)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	csysi_posix_fork_unlock();
	csysi_os_release_cancel(before);
	if (fd >= 0) {
		csysi_posix_no_sigpipe(fd);
		(void)csysi_os_set_nonblocking(fd, 0);
	}
	errno = error;
	return fd;
}
