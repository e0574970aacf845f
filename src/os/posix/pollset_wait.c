/*
 * os/posix/pollset_wait.c - waiting for a table of handles: see pollset.c.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "base/atomic.h"
#include "os/posix/pollset.h"

/* ---- waiters -------------------------------------------------------------------------- */

/* Find or make a waiter that no thread has.  Under lock. */
static int take_waiter(struct csysi_posix_pollset *p, struct csysi_posix_waiter **out)
{
	struct csysi_posix_waiter *waiter = p->waiters;
	int r = 0;

	while (waiter && waiter->is_busy)
		waiter = waiter->next;
	if (!waiter)
		r = csysi_posix_waiter_make(p, &waiter);
	if (r < 0)
		return r;
	waiter->is_busy = 1;
	*out = waiter;
	return 0;
}

/* Copy the table, if the copy is of another version.  Under lock. */
static int refresh(struct csysi_posix_pollset *p, struct csysi_posix_waiter *waiter)
{
	waiter->alarm = p->alarm;
	if (waiter->version == p->version)
		return 0;
	int r = csysi_posix_table_grow(&waiter->copy, p->table.count);
	if (r < 0)
		return r;
	memcpy(waiter->copy.polled, p->table.polled, p->table.count * sizeof *p->table.polled);
	memcpy(waiter->copy.keys, p->table.keys, p->table.count * sizeof *p->table.keys);
	waiter->copy.count = p->table.count;
	waiter->copy.polled[CSYSI_POSIX_OWN].fd = (int)waiter->reader;
	waiter->version = p->version;
	return 0;
}

static void give_back(void *waiter_)
{
	struct csysi_posix_waiter *waiter = waiter_;

	pthread_mutex_lock(&waiter->owner->lock);
	waiter->is_busy = 0;
	pthread_mutex_unlock(&waiter->owner->lock);
}

/* ---- waiting -------------------------------------------------------------------------- */

static int take_wake(struct csysi_posix_pollset *p)
{
	csysi_os_notifier_clear(p->reader);
	return csysi_swap_acq_rel(&p->woken, 0) == 1;
}

static unsigned ready_of(short revents)
{
	if (revents & POLLNVAL)
		return CSYSI_OS_POLLSET_BAD | CSYSI_OS_POLLSET_READ | CSYSI_OS_POLLSET_WRITE;
	/* Errors and hang-ups are for both: the transfer tells them. */
	return (revents & ~POLLOUT ? CSYSI_OS_POLLSET_READ : 0u) |
	       (revents & ~POLLIN ? CSYSI_OS_POLLSET_WRITE : 0u);
}

/* Whether an item of a copy is to be told.  Under lock. */
static int is_told(struct csysi_posix_pollset *p, const struct csysi_posix_table *copy, size_t i)
{
	if (i == CSYSI_POSIX_OWN)
		return csysi_os_now() >= p->alarm;
	if (copy->polled[i].revents == 0)
		return 0;
	if (i == CSYSI_POSIX_WAKE)
		return take_wake(p);
	return csysi_posix_pollset_find(p, copy->polled[i].fd, copy->keys[i]) > 0;
}

/* Tell what poll has found, beginning with the item whose turn it is.  Under lock. */
static size_t collect(struct csysi_posix_pollset *p, const struct csysi_posix_table *copy,
		      struct csysi_os_pollset_event *events, size_t max)
{
	size_t told = 0;
	size_t at = p->turn < copy->count ? p->turn : 0;

	for (size_t looked = 0; looked < copy->count && told < max; looked++) {
		if (is_told(p, copy, at)) {
			events[told].key = copy->keys[at];
			events[told++].ready = ready_of(copy->polled[at].revents);
		}
		at = at + 1 < copy->count ? at + 1 : 0;
	}
	p->turn = at;
	return told;
}

/* Without the lock.  A thread that is cancelled here gives its copy back. */
static int poll_copy(struct csysi_posix_waiter *waiter, csys_deadline deadline)
{
	csys_deadline alarm = csys_deadline_at(waiter->alarm);
	int ready = -1;
	int error = 0;

	pthread_mutex_unlock(&waiter->owner->lock);
	pthread_cleanup_push(give_back, waiter);
	ready = csysi_posix_poll(waiter->copy.polled, waiter->copy.count,
				 csys_deadline_left_ms(csys_deadline_earlier(deadline, alarm)));
	error = errno;
	pthread_cleanup_pop(0);
	pthread_mutex_lock(&waiter->owner->lock);
	if (waiter->is_told) {
		csysi_os_notifier_clear(waiter->reader);
		waiter->is_told = 0;
	}
	errno = error;
	return ready;
}

/* Under lock but while it waits. */
static int wait_as(struct csysi_posix_waiter *waiter, struct csysi_os_pollset_event *events,
		   size_t max, csys_deadline deadline, size_t *out_count)
{
	struct csysi_posix_pollset *p = waiter->owner;

	for (;;) {
		int is_over = csys_deadline_left(deadline) == 0;
		int r = refresh(p, waiter);
		if (r < 0)
			return r;
		int ready = poll_copy(waiter, deadline);
		if (ready < 0 && errno != EINTR)
			return csysi_posix_fail();
		size_t told = ready < 0 ? 0 : collect(p, &waiter->copy, events, max);
		*out_count = told;
		if (told > 0)
			return 0;
		/* Changes end a poll too.  One that has begun after the deadline is the last, or
		 * those that come all the time would keep the thread here. */
		if (ready >= 0 && (is_over || (ready == 0 && csys_deadline_left(deadline) == 0)))
			return CSYS_ETIMEDOUT;
	}
}

int csysi_os_pollset_wait(struct csysi_os_pollset *set, struct csysi_os_pollset_event *events,
			  size_t max, csys_deadline deadline, size_t *out_count)
{
	struct csysi_posix_pollset *p = csysi_posix_pollset_of(set);
	struct csysi_posix_waiter *waiter;
	size_t count = 0;

	max = max < CSYSI_OS_POLLSET_MOST ? max : CSYSI_OS_POLLSET_MOST;
	pthread_mutex_lock(&p->lock);
	int r = take_waiter(p, &waiter);
	if (r == 0) {
		r = wait_as(waiter, events, max, deadline, &count);
		waiter->is_busy = 0;
	}
	pthread_mutex_unlock(&p->lock);
	if (r == 0)
		*out_count = count;
	return r;
}

/* Whether something but the thread's own notifier is ready.  Under lock but while it looks. */
static int look_as(struct csysi_posix_waiter *waiter)
{
	int r = refresh(waiter->owner, waiter);
	int ready;

	if (r < 0)
		return r;
	do
		ready = poll_copy(waiter, CSYS_POLL);
	while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return csysi_posix_fail();
	ready -= waiter->copy.polled[CSYSI_POSIX_OWN].revents != 0;
	return ready > 0 || csysi_os_now() >= waiter->owner->alarm;
}

int csysi_os_pollset_is_ready(struct csysi_os_pollset *set)
{
	struct csysi_posix_pollset *p = csysi_posix_pollset_of(set);
	struct csysi_posix_waiter *waiter;

	pthread_mutex_lock(&p->lock);
	int r = take_waiter(p, &waiter);
	if (r == 0) {
		r = look_as(waiter);
		waiter->is_busy = 0;
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}
