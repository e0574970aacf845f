/*
 * os/posix/libc_semaphore.c - named semaphores by sem_open.
 *
 * The words of a semaphore differ between C libraries and their versions, so all is done by the
 * library's own functions.
 */
#define _GNU_SOURCE /* sem_clockwait */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>

#include "base/backoff.h"
#include "base/fault.h"
#include "base/tsan.h"
#include "os/posix/posix.h"

#ifdef CSYSI_HAVE_SEM_OPEN

static int fail(int code)
{
	/* A value that is too great, at creation and by a post. */
	if (code == EOVERFLOW) {
		csysi_set_os_error(code);
		return CSYS_EINVAL;
	}
	return csysi_posix_fail_with(code);
}

/* "/NAME"; the library prepends more, within its own limit. */
static int make_name(const char *name, char out[NAME_MAX + 2])
{
	int size = snprintf(out, NAME_MAX + 2, "/%s", name);

	return size > NAME_MAX ? csysi_posix_fail_with(ENAMETOOLONG) : 0;
}

/* sem_open, which is a cancellation point in some libraries. */
static sem_t *open_retry(const char *name, int flags, mode_t mode, unsigned value)
{
	int before = csysi_os_hold_cancel();
	sem_t *semaphore;

	do
		semaphore = sem_open(name, flags, mode, value);
	while (semaphore == SEM_FAILED && errno == EINTR);
	csysi_os_release_cancel(before);
	return semaphore;
}

int csysi_os_semaphore_open(const char *name, unsigned how, int mode, uint32_t value, void **out)
{
	char path[NAME_MAX + 2];
	int r = make_name(name, path);
	if (r == 0)
		r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int flags = (how & CSYSI_OS_SEMAPHORE_CREATE ? O_CREAT : 0) |
		    (how & CSYSI_OS_SEMAPHORE_EXCLUSIVE ? O_EXCL : 0);
	sem_t *semaphore = open_retry(path, flags, (mode_t)mode, value);
	if (semaphore == SEM_FAILED)
		return fail(errno);
	*out = semaphore;
	return 0;
}

void csysi_os_semaphore_close(void *semaphore)
{
	int error = errno;

	if (semaphore)
		sem_close(semaphore);
	errno = error;
}

int csysi_os_semaphore_unlink(const char *name)
{
	char path[NAME_MAX + 2];
	int r = make_name(name, path);

	if (r < 0)
		return r;
	return sem_unlink(path) < 0 ? csysi_posix_fail() : 0;
}

int csysi_os_semaphore_post(void *semaphore)
{
	int error = errno;
	int r = sem_post(semaphore) < 0 ? fail(errno) : 0;

	errno = error;
	return r;
}

static int take(sem_t *semaphore)
{
	int r;

	do
		r = sem_trywait(semaphore);
	while (r < 0 && errno == EINTR);
	return r;
}

#ifdef CSYSI_HAVE_SEM_CLOCKWAIT

static int wait_until(sem_t *semaphore, csys_deadline deadline)
{
	int64_t seconds = deadline.ns / 1000000000;
	struct timespec at = { (time_t)seconds, (long)(deadline.ns % 1000000000) };
	int r;

	/* A time that a time_t cannot hold is later than such a system can run. */
	if (at.tv_sec != seconds)
		at.tv_sec = INT32_MAX;

	/* ThreadSanitizer keeps a signal back until its thread makes a call that it intercepts.
	 * Reading the clock is one, and this is none. */
	while ((r = sem_clockwait(semaphore, CLOCK_MONOTONIC, &at)) < 0 && errno == EINTR)
		(void)csysi_os_now();
	if (r == 0)
		csysi_tsan_acquire(semaphore);
	return r;
}

#else

/* The library waits by the wall clock only, which may be set meanwhile. */
static int wait_until(sem_t *semaphore, csys_deadline deadline)
{
	struct csysi_backoff backoff = CSYSI_BACKOFF_LOOK;

	for (;;) {
		int is_over = csys_deadline_left(deadline) == 0;
		if (take(semaphore) == 0)
			return 0;
		if (is_over)
			return -1;
		csysi_os_nap(csys_after_ns(csysi_backoff_next(&backoff, deadline)));
	}
}

#endif

static int wait_forever(sem_t *semaphore)
{
	int r;

	do
		r = sem_wait(semaphore);
	while (r < 0 && errno == EINTR);
	return r;
}

int csysi_os_semaphore_wait(void *semaphore, csys_deadline deadline)
{
	if (take(semaphore) == 0)
		return 0;
	if (csys_deadline_is_poll(deadline))
		return CSYS_ETIMEDOUT;

	int before = csysi_os_hold_cancel();
	int r = csys_deadline_is_forever(deadline) ? wait_forever(semaphore)
						   : wait_until(semaphore, deadline);
	csysi_os_release_cancel(before);
	return r < 0 ? CSYS_ETIMEDOUT : 0;
}

int csysi_os_semaphore_value(void *semaphore, uint32_t *out)
{
	int value;

	if (sem_getvalue(semaphore, &value) < 0)
		return csysi_posix_fail();
	*out = value > 0 ? (uint32_t)value : 0;
	return 0;
}

#else /* !CSYSI_HAVE_SEM_OPEN */

int csysi_os_semaphore_open(const char *name, unsigned how, int mode, uint32_t value, void **out)
{
	(void)name;
	(void)how;
	(void)mode;
	(void)value;
	(void)out;
	return CSYS_ENOTSUP;
}

void csysi_os_semaphore_close(void *semaphore)
{
	(void)semaphore;
}

int csysi_os_semaphore_unlink(const char *name)
{
	(void)name;
	return CSYS_ENOTSUP;
}

int csysi_os_semaphore_post(void *semaphore)
{
	(void)semaphore;
	return CSYS_ENOTSUP;
}

int csysi_os_semaphore_wait(void *semaphore, csys_deadline deadline)
{
	(void)semaphore;
	(void)deadline;
	return CSYS_ENOTSUP;
}

int csysi_os_semaphore_value(void *semaphore, uint32_t *out)
{
	(void)semaphore;
	(void)out;
	return CSYS_ENOTSUP;
}

#endif
