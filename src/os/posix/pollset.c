/*
 * os/posix/pollset.c - a table, which each waiting thread gives to poll.
 *
 * The table is changed under the lock.  Each thread that waits has a copy of it of its own, which
 * it makes again when the table has another version.  Copies are kept for later waits, so a wait
 * takes memory only after a change, or if more threads wait at once than ever before.
 *
 * A change wakes all threads that wait, each by a notifier of its own: with one for all, those that
 * know already would spin until the last one has seen it.
 *
 * The wake.  `woken` is 1 from a wake to the wait that tells it.  The wake swaps it to 1, and
 * notifies if it was 0; a wait clears the notifier and then swaps it to 0, and tells if it was 1.
 * So a wake after the clear either finds 0 and notifies, or finds 1 before the swap of the wait,
 * which tells it.
 */
#define _XOPEN_SOURCE 700
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "base/memory.h"
#include "os/posix/pollset.h"

/* ---- tables --------------------------------------------------------------------------- */

int csysi_posix_table_grow(struct csysi_posix_table *table, size_t count)
{
	if (count <= table->capacity)
		return 0;
	size_t capacity = count < 16 ? 16 : count + count / 2;
	void *polled = NULL, *keys = NULL;
	if (capacity > SIZE_MAX / sizeof(struct pollfd) || csysi_fault(CSYS_ENOMEM) < 0)
		return CSYS_ENOMEM;
	polled = csysi_realloc(table->polled, capacity * sizeof *table->polled);
	if (polled)
		table->polled = polled;
	if (polled && csysi_fault(CSYS_ENOMEM) == 0)
		keys = csysi_realloc(table->keys, capacity * sizeof *table->keys);
	if (!keys)
		return CSYS_ENOMEM;
	table->keys = keys;
	table->capacity = capacity;
	return 0;
}

static void release(struct csysi_posix_table *table)
{
	csysi_free(table->polled);
	csysi_free(table->keys);
}

size_t csysi_posix_pollset_find(const struct csysi_posix_pollset *p, csys_handle handle,
				uint64_t key)
{
	size_t at = handle >= 0 && (size_t)handle < p->at_count ? p->at[handle] : 0;

	return at > 0 && p->table.keys[at] == key ? at : 0;
}

/* Make room in `at` for a descriptor. */
static int grow_at(struct csysi_posix_pollset *p, size_t fd)
{
	if (fd < p->at_count)
		return 0;
	size_t count = fd < 64 ? 64 : fd + fd / 2;
	if (count > SIZE_MAX / sizeof *p->at || csysi_fault(CSYS_ENOMEM) < 0)
		return CSYS_ENOMEM;
	size_t *at = csysi_realloc(p->at, count * sizeof *at);
	if (!at)
		return CSYS_ENOMEM;
	memset(at + p->at_count, 0, (count - p->at_count) * sizeof *at);
	p->at = at;
	p->at_count = count;
	return 0;
}

/* ---- waiters -------------------------------------------------------------------------- */

/* Let a thread come out of poll.  Under lock. */
static void tell(struct csysi_posix_waiter *waiter)
{
	if (waiter->is_told)
		return;
	waiter->is_told = 1;
	csysi_os_notifier_notify(waiter->writer);
}

/* The table has changed.  Under lock. */
static void tell_all(struct csysi_posix_pollset *p)
{
	p->version++;
	for (struct csysi_posix_waiter *waiter = p->waiters; waiter; waiter = waiter->next)
		if (waiter->is_busy)
			tell(waiter);
}

int csysi_posix_waiter_make(struct csysi_posix_pollset *p, struct csysi_posix_waiter **out)
{
	struct csysi_posix_waiter *waiter =
		csysi_fault(CSYS_ENOMEM) < 0 ? NULL : csysi_alloc_zero(sizeof *waiter);
	if (!waiter)
		return CSYS_ENOMEM;
	int r = csysi_os_notifier_open(&waiter->reader, &waiter->writer);
	if (r < 0) {
		csysi_free(waiter);
		return r;
	}
	waiter->owner = p;
	waiter->next = p->waiters;
	p->waiters = waiter;
	*out = waiter;
	return 0;
}

/* ---- making and releasing ------------------------------------------------------------- */

static int begin(struct csysi_posix_pollset *p)
{
	struct csysi_posix_waiter *waiter;
	int r = csysi_posix_table_grow(&p->table, CSYSI_POSIX_FIRST);
	if (r == 0)
		r = csysi_os_notifier_open(&p->reader, &p->writer);
	if (r == 0)
		r = csysi_posix_waiter_make(p, &waiter);
	if (r < 0)
		return r;
	for (int i = CSYSI_POSIX_OWN; i < CSYSI_POSIX_FIRST; i++)
		p->table.polled[i] = (struct pollfd){ .fd = (int)p->reader, .events = POLLIN };
	p->table.keys[CSYSI_POSIX_OWN] = CSYSI_OS_POLLSET_ALARM;
	p->table.keys[CSYSI_POSIX_WAKE] = CSYSI_OS_POLLSET_WAKE;
	p->table.count = CSYSI_POSIX_FIRST;
	return 0;
}

int csysi_os_pollset_open(struct csysi_os_pollset *out)
{
	struct csysi_posix_pollset *p =
		csysi_fault(CSYS_ENOMEM) < 0 ? NULL : csysi_alloc_zero(sizeof *p);
	if (!p)
		return CSYS_ENOMEM;
	struct csysi_os_pollset set = { .place = { p } };
	pthread_mutex_init(&p->lock, NULL);
	p->reader = p->writer = CSYS_NO_HANDLE;
	p->alarm = INT64_MAX;
	p->version = 1; /* no waiter has it */
	int r = begin(p);
	if (r == 0)
		*out = set;
	else
		csysi_os_pollset_close(&set);
	return r;
}

void csysi_os_pollset_close(struct csysi_os_pollset *set)
{
	struct csysi_posix_pollset *p = csysi_posix_pollset_of(set);

	while (p->waiters) {
		struct csysi_posix_waiter *waiter = p->waiters;
		p->waiters = waiter->next;
		csysi_os_close(waiter->reader);
		csysi_os_close(waiter->writer);
		release(&waiter->copy);
		csysi_free(waiter);
	}
	csysi_os_close(p->reader);
	csysi_os_close(p->writer);
	release(&p->table);
	csysi_free(p->at);
	csysi_free(p); /* the mutex is not destroyed: in a forked child it may be locked */
}

/* ---- registrations -------------------------------------------------------------------- */

static int can_be_ready(csys_handle handle, unsigned interest)
{
	if (handle < 0 || handle > INT_MAX)
		return 0;
	return !((interest & CSYSI_OS_POLLSET_READ && !csysi_posix_is_open_for((int)handle, 0)) ||
		 (interest & CSYSI_OS_POLLSET_WRITE && !csysi_posix_is_open_for((int)handle, 1)));
}

static short events_of(unsigned interest)
{
	return (short)((interest & CSYSI_OS_POLLSET_READ ? POLLIN : 0) |
		       (interest & CSYSI_OS_POLLSET_WRITE ? POLLOUT : 0));
}

static int add(struct csysi_posix_pollset *p, int fd, unsigned interest, uint64_t key)
{
	int r = grow_at(p, (size_t)fd);
	if (r == 0)
		r = csysi_posix_table_grow(&p->table, p->table.count + 1);
	if (r < 0)
		return r;
	size_t place = p->table.count++;
	p->table.polled[place] = (struct pollfd){ .fd = fd, .events = events_of(interest) };
	p->table.keys[place] = key;
	p->at[fd] = place;
	tell_all(p);
	return 0;
}

int csysi_os_pollset_add(struct csysi_os_pollset *set, csys_handle handle, unsigned interest,
			 uint64_t key)
{
	struct csysi_posix_pollset *p = csysi_posix_pollset_of(set);

	if (!can_be_ready(handle, interest))
		return CSYS_EBADF;
	pthread_mutex_lock(&p->lock);
	int r = add(p, (int)handle, interest, key);
	pthread_mutex_unlock(&p->lock);
	return r;
}

int csysi_os_pollset_change(struct csysi_os_pollset *set, csys_handle handle, unsigned interest,
			    uint64_t key)
{
	struct csysi_posix_pollset *p = csysi_posix_pollset_of(set);

	if (!can_be_ready(handle, interest))
		return CSYS_EBADF;
	pthread_mutex_lock(&p->lock);
	size_t place = csysi_posix_pollset_find(p, handle, key);
	if (place > 0 && p->table.polled[place].events != events_of(interest)) {
		p->table.polled[place].events = events_of(interest);
		tell_all(p);
	}
	pthread_mutex_unlock(&p->lock);
	return place > 0 ? 0 : CSYS_EBADF;
}

int csysi_os_pollset_remove(struct csysi_os_pollset *set, csys_handle handle, uint64_t key)
{
	struct csysi_posix_pollset *p = csysi_posix_pollset_of(set);

	pthread_mutex_lock(&p->lock);
	size_t place = csysi_posix_pollset_find(p, handle, key);
	if (place > 0) {
		size_t last = --p->table.count;
		p->table.polled[place] = p->table.polled[last];
		p->table.keys[place] = p->table.keys[last];
		p->at[p->table.polled[last].fd] = place;
		p->at[handle] = 0;
		tell_all(p);
	}
	pthread_mutex_unlock(&p->lock);
	return 0;
}

int csysi_os_pollset_clear(struct csysi_os_pollset *set)
{
	struct csysi_posix_pollset *p = csysi_posix_pollset_of(set);

	pthread_mutex_lock(&p->lock);
	p->table.count = CSYSI_POSIX_FIRST;
	if (p->at_count > 0)
		memset(p->at, 0, p->at_count * sizeof *p->at);
	tell_all(p);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

/* ---- alarm, wake, handle -------------------------------------------------------------- */

int csysi_os_pollset_alarm(struct csysi_os_pollset *set, int64_t at)
{
	struct csysi_posix_pollset *p = csysi_posix_pollset_of(set);

	pthread_mutex_lock(&p->lock);
	p->alarm = at;
	for (struct csysi_posix_waiter *waiter = p->waiters; waiter; waiter = waiter->next)
		if (waiter->is_busy && at < waiter->alarm)
			tell(waiter);
	pthread_mutex_unlock(&p->lock);
	return 0;
}

void csysi_os_pollset_wake(const struct csysi_os_pollset *set)
{
	struct csysi_posix_pollset *p = csysi_posix_pollset_of(set);

	/* Acquire and release pair with those of take_wake: what was before this is seen after the
	 * wait that tells it. */
	if (csysi_swap_acq_rel(&p->woken, 1) == 0)
		csysi_os_notifier_notify(p->writer);
}

int csysi_os_pollset_handle(struct csysi_os_pollset *set, csys_handle *out_handle)
{
	(void)set;
	(void)out_handle;
	return CSYS_ENOTSUP;
}
