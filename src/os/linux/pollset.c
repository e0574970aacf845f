/*
 * os/linux/pollset.c - epoll.
 *
 * epoll knows a registration by open file and number.  One whose number was closed, while the
 * file is open under another, stays and cannot be reached any more.  The only way out is another
 * epoll: csysi_os_pollset_clear puts it in place of the old one under the same number, so that a
 * thread that is about to wait finds it.  A thread that waits in the old one is woken by SPARE,
 * an eventfd that is always readable.  Handles of the old file are gone then, so what other loops
 * hold is an epoll of its own, OUTER, which has the other one in it.
 *
 * A short wait has nanoseconds where libc has epoll_pwait2 and the kernel (5.11) too; others are
 * rounded up to milliseconds.
 */
#define _GNU_SOURCE /* epoll_pwait2, dup3 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "os/posix/posix.h"

/* What is in `handles`. */
enum { EPOLL, WAKE, ALARM, SPARE, OUTER };

/* The key of SPARE in an epoll that was replaced. */
#define MOVED (UINT64_MAX - 2)

static int open_epoll(csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;
	int fd = epoll_create1(EPOLL_CLOEXEC);
	fd = fd < 0 ? fd : csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	*out = fd;
	return 0;
}

static int open_eventfd(unsigned value, csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;
	int fd = eventfd(value, EFD_CLOEXEC | EFD_NONBLOCK);
	fd = fd < 0 ? fd : csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	*out = fd;
	return 0;
}

static uint32_t events_of(unsigned interest)
{
	return (interest & CSYSI_OS_POLLSET_READ ? EPOLLIN : 0u) |
	       (interest & CSYSI_OS_POLLSET_WRITE ? EPOLLOUT : 0u);
}

/* 0 or -1 with errno. */
static int control(csys_handle epoll, int operation, csys_handle handle, unsigned interest,
		   uint64_t key)
{
	struct epoll_event event = { .events = events_of(interest), .data.u64 = key };

	return epoll_ctl((int)epoll, operation, (int)handle, &event);
}

static int fail_to_add(void)
{
	int error = errno;
	int r = csysi_posix_fail();

	return error == ELOOP ? CSYS_EINVAL : r;
}

/* Add one of the set's own handles to an epoll. */
static int add_own(csys_handle epoll, csys_handle handle, uint64_t key)
{
	int r = csysi_fault(CSYS_ENOMEM);

	if (r == 0 && control(epoll, EPOLL_CTL_ADD, handle, CSYSI_OS_POLLSET_READ, key) < 0)
		r = fail_to_add();
	return r;
}

int csysi_os_pollset_open(struct csysi_os_pollset *out)
{
	struct csysi_os_pollset set = { .handles = { CSYS_NO_HANDLE, CSYS_NO_HANDLE, CSYS_NO_HANDLE,
						     CSYS_NO_HANDLE, CSYS_NO_HANDLE,
						     CSYS_NO_HANDLE } };
	int r = open_epoll(&set.handles[EPOLL]);
	if (r == 0)
		r = open_eventfd(0, &set.handles[WAKE]);
	if (r == 0)
		r = add_own(set.handles[EPOLL], set.handles[WAKE], CSYSI_OS_POLLSET_WAKE);
	if (r == 0)
		*out = set;
	else
		csysi_os_pollset_close(&set);
	return r;
}

void csysi_os_pollset_close(struct csysi_os_pollset *set)
{
	for (int i = EPOLL; i <= OUTER; i++)
		csysi_os_close(set->handles[i]);
}

/* ---- registrations -------------------------------------------------------------------- */

static int can_be_ready(csys_handle handle, unsigned interest)
{
	if (handle < 0 || handle > INT_MAX)
		return 0;
	return !((interest & CSYSI_OS_POLLSET_READ && !csysi_posix_is_open_for((int)handle, 0)) ||
		 (interest & CSYSI_OS_POLLSET_WRITE && !csysi_posix_is_open_for((int)handle, 1)));
}

int csysi_os_pollset_add(struct csysi_os_pollset *set, csys_handle handle, unsigned interest,
			 uint64_t key)
{
	csys_handle epoll = set->handles[EPOLL];
	int r = csysi_fault(CSYS_ENOSPC);

	if (r < 0)
		return r;
	if (!can_be_ready(handle, interest))
		return CSYS_EBADF;
	if (control(epoll, EPOLL_CTL_ADD, handle, interest, key) == 0)
		return 0;
	/* A file; a directory. */
	if (errno == EPERM)
		return 1;
	/* The rest of a registration that could not be removed: the number was closed, and is one
	 * of the same open file again. */
	if (errno == EEXIST && control(epoll, EPOLL_CTL_MOD, handle, interest, key) == 0)
		return 0;
	return fail_to_add();
}

int csysi_os_pollset_change(struct csysi_os_pollset *set, csys_handle handle, unsigned interest,
			    uint64_t key)
{
	if (!can_be_ready(handle, interest))
		return CSYS_EBADF;
	if (control(set->handles[EPOLL], EPOLL_CTL_MOD, handle, interest, key) == 0)
		return 0;
	/* ENOENT: the number is another file's. */
	int error = errno;
	int r = csysi_posix_fail();
	return error == ENOENT || error == EPERM ? CSYS_EBADF : r;
}

int csysi_os_pollset_remove(struct csysi_os_pollset *set, csys_handle handle, uint64_t key)
{
	(void)key;
	return control(set->handles[EPOLL], EPOLL_CTL_DEL, handle, 0, 0) < 0;
}

/* Fill a new epoll with what stays in the set.  All that can fail is done here. */
static int prepare(struct csysi_os_pollset *set, csys_handle epoll)
{
	int r = add_own(epoll, set->handles[WAKE], CSYSI_OS_POLLSET_WAKE);

	if (r == 0 && set->handles[ALARM] != CSYS_NO_HANDLE)
		r = add_own(epoll, set->handles[ALARM], CSYSI_OS_POLLSET_ALARM);
	if (r == 0 && set->handles[SPARE] == CSYS_NO_HANDLE)
		r = open_eventfd(1, &set->handles[SPARE]);
	if (r == 0 && set->handles[OUTER] != CSYS_NO_HANDLE)
		r = add_own(set->handles[OUTER], epoll, 0);
	return r;
}

/*
 * Give a new epoll, which is in OUTER by its own number, the number of the old one.
 *
 * The old one leaves OUTER before, since nothing can take it out once it has no number here.  It
 * lives on while a thread waits in it or a forked child has it, and is always ready.
 */
static int take_the_place(struct csysi_os_pollset *set, csys_handle epoll)
{
	csys_handle old = set->handles[EPOLL], outer = set->handles[OUTER];
	int made;

	if (outer != CSYS_NO_HANDLE)
		(void)control(outer, EPOLL_CTL_DEL, old, 0, 0);
	do
		made = dup3((int)epoll, (int)old, O_CLOEXEC);
	while (made < 0 && (errno == EINTR || errno == EBUSY));
	int r = made < 0 ? csysi_posix_fail() : 0;
	/* By this number it can be taken out the next time.  If it fails the other one stays: the
	 * file is open even when that number of it is closed. */
	if (outer != CSYS_NO_HANDLE &&
	    control(outer, EPOLL_CTL_ADD, old, CSYSI_OS_POLLSET_READ, 0) == 0)
		(void)control(outer, EPOLL_CTL_DEL, epoll, 0, 0);
	return r < 0 ? CSYS_EMFILE : 0; /* the number is above a limit that was lowered */
}

int csysi_os_pollset_clear(struct csysi_os_pollset *set)
{
	csys_handle old = set->handles[EPOLL];
	csys_handle epoll = CSYS_NO_HANDLE;
	int r = open_epoll(&epoll);
	if (r < 0)
		return r;

	r = prepare(set, epoll);
	/* Threads that wait in the old one come out, and may come in again until the next step. */
	if (r == 0)
		r = add_own(old, set->handles[SPARE], MOVED);
	if (r == 0) {
		r = take_the_place(set, epoll);
		if (r < 0)
			(void)control(old, EPOLL_CTL_DEL, set->handles[SPARE], 0, 0);
	}
	csysi_os_close(epoll); /* after a failure OUTER forgets it with this */
	return r;
}

/* ---- alarm, wake, handle -------------------------------------------------------------- */

int csysi_os_pollset_alarm(struct csysi_os_pollset *set, int64_t at)
{
	if (set->handles[ALARM] == CSYS_NO_HANDLE) {
		csys_handle timer = CSYS_NO_HANDLE;
		int r = csysi_os_timer_open(&timer);
		if (r < 0)
			return r;
		r = add_own(set->handles[EPOLL], timer, CSYSI_OS_POLLSET_ALARM);
		if (r < 0) {
			csysi_os_close(timer);
			return r;
		}
		set->handles[ALARM] = timer;
	}
	csysi_os_timer_set(set->handles[ALARM], at);
	return 0;
}

void csysi_os_pollset_wake(const struct csysi_os_pollset *set)
{
	const uint64_t one = 1;
	int error = errno;
	int before = csysi_os_hold_cancel();
	ssize_t written = write((int)set->handles[WAKE], &one, sizeof one);

	(void)written; /* fails only if it is full, and then it is readable */
	csysi_os_release_cancel(before);
	errno = error;
}

int csysi_os_pollset_handle(struct csysi_os_pollset *set, csys_handle *out_handle)
{
	if (set->handles[OUTER] == CSYS_NO_HANDLE) {
		csys_handle outer = CSYS_NO_HANDLE;
		int r = open_epoll(&outer);
		if (r < 0)
			return r;
		r = add_own(outer, set->handles[EPOLL], 0);
		if (r < 0) {
			csysi_os_close(outer);
			return r;
		}
		set->handles[OUTER] = outer;
	}
	*out_handle = set->handles[OUTER];
	return 0;
}

/* ---- waiting -------------------------------------------------------------------------- */

/* A wait below this is for nanoseconds; above it a millisecond more or less is 2 % at most, and the
 * call with nanoseconds costs a fifth more. */
#define SHORT 50000000

#ifdef CSYSI_HAVE_EPOLL_PWAIT2

/* -1 and ENOSYS: the system has no such call. */
static int wait_ns(int epoll, struct epoll_event *events, int max, int64_t left)
{
	static int is_missing;
	struct timespec time = { .tv_nsec = (long)left };

	/* Relaxed: whatever thread finds out finds the same. */
	if (!csysi_load_relaxed(&is_missing)) {
		int count = epoll_pwait2(epoll, events, max, &time, NULL);
		/* EPERM: a sandbox that does not know the call. */
		if (count >= 0 || (errno != ENOSYS && errno != EPERM))
			return count;
		csysi_store_relaxed(&is_missing, 1);
	}
	errno = ENOSYS;
	return -1;
}

#else

static int wait_ns(int epoll, struct epoll_event *events, int max, int64_t left)
{
	(void)epoll;
	(void)events;
	(void)max;
	(void)left;
	errno = ENOSYS;
	return -1;
}

#endif

static int wait_for(int epoll, struct epoll_event *events, int max, int64_t left)
{
	int64_t milliseconds = (left + 999999) / 1000000;

	if (left > 0 && left < SHORT) {
		int count = wait_ns(epoll, events, max, left);
		if (count >= 0 || errno != ENOSYS)
			return count;
	}
	return epoll_wait(epoll, events, max, milliseconds < INT_MAX ? (int)milliseconds : INT_MAX);
}

/* One call, which may be interrupted. */
static int wait_once(int epoll, struct epoll_event *events, int max, csys_deadline deadline)
{
	if (CSYSI_LIKELY(csys_deadline_is_forever(deadline)))
		return epoll_wait(epoll, events, max, -1);
	if (csys_deadline_is_poll(deadline))
		return epoll_wait(epoll, events, max, 0);
	return wait_for(epoll, events, max, csys_deadline_left(deadline));
}

/* Take the wakes.  Whether there were any: another thread may be faster. */
static int take_wake(const struct csysi_os_pollset *set)
{
	uint64_t wakes;
	int before = csysi_os_hold_cancel();
	ssize_t size;

	do
		size = read((int)set->handles[WAKE], &wakes, sizeof wakes);
	while (size < 0 && errno == EINTR);
	csysi_os_release_cancel(before);
	return size > 0;
}

static int is_told(const struct csysi_os_pollset *set, uint64_t key)
{
	return key < MOVED || key == CSYSI_OS_POLLSET_ALARM ||
	       (key == CSYSI_OS_POLLSET_WAKE && take_wake(set));
}

int csysi_os_pollset_wait(struct csysi_os_pollset *set, struct csysi_os_pollset_event *events,
			  size_t max, csys_deadline deadline, size_t *out_count)
{
	struct epoll_event fetched[CSYSI_OS_POLLSET_MOST];
	int room = max < CSYSI_OS_POLLSET_MOST ? (int)max : CSYSI_OS_POLLSET_MOST;
	int count;
	size_t told = 0;

	do {
		count = wait_once((int)set->handles[EPOLL], fetched, room, deadline);
		if (count < 0 && errno != EINTR)
			return csysi_posix_fail();
		/* Milliseconds in an int, and seconds too, may be only a part of the wait. */
		if (count == 0 && csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
	} while (count <= 0);
	for (int i = 0; i < count; i++) {
		uint32_t is = fetched[i].events;
		if (!is_told(set, fetched[i].data.u64))
			continue;
		events[told].key = fetched[i].data.u64;
		/* Errors and hang-ups are for both: the transfer tells them. */
		events[told].ready = (is & ~(uint32_t)EPOLLOUT ? CSYSI_OS_POLLSET_READ : 0u) |
				     (is & ~(uint32_t)EPOLLIN ? CSYSI_OS_POLLSET_WRITE : 0u);
		told++;
	}
	*out_count = told;
	return 0;
}

int csysi_os_pollset_is_ready(struct csysi_os_pollset *set)
{
	struct csysi_os_poll item = { .handle = set->handles[EPOLL], .is_known = 1 };
	int r = csysi_os_poll(&item, 1, CSYS_POLL);

	return r == CSYS_ETIMEDOUT ? 0 : r < 0 ? r : item.ready;
}
