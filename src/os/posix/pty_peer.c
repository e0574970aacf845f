/*
 * os/posix/pty_peer.c - opening the terminal side of a pseudo-terminal by its name.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "os/posix/posix.h"

/* Protects the one buffer of ptsname.  It does not hold back calls by other code. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

/* In a forked child, where the thread that held the lock does not exist. */
static void forget_holder(void)
{
	static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
	lock = fresh;
}

static void prepare(void)
{
	/* Without memory for it a forked child may hang, as it may in malloc. */
	pthread_atfork(NULL, NULL, forget_holder);
}

int csysi_posix_pty_name(int controller, char *name, size_t size)
{
	int r = -1;
	int cancel; /* it may be a cancellation point, and there is a lock */

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	pthread_once(&prepared, prepare);
	pthread_mutex_lock(&lock);
	const char *found = ptsname(controller);
	if (found && strlen(found) < size) {
		memcpy(name, found, strlen(found) + 1);
		r = 0;
	} else if (found) {
		errno = ENAMETOOLONG;
	}
	pthread_mutex_unlock(&lock);
	pthread_setcancelstate(cancel, NULL);
	return r;
}

int csysi_posix_pty_peer(int controller, const char *name)
{
	int fd;

	(void)controller;
	do
		fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	return fd;
}
