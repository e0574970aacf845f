/*
 * io/poll.c - one wait for the first of several events.
 *
 * What has a handle is waited for by the system.  What has none is asked after each wait,
 * and while there is such an item the waits are short.
 */
#include <csys/io/poll.h>

#include <limits.h>

#include "base/backoff.h"
#include "base/memory.h"
#include "os/os.h"

/* Items that a call can wait for without asking for memory. */
#define USUAL 16

/* Between two looks at what has no handle, ns. */
#define FIRST_NAP 1000000
#define LAST_NAP 5000000

/* How many items have no handle; CSYS_EBADF or CSYS_ENOTSUP if one of them cannot be asked. */
static int count_without_handle(const csys_poll_item *items, size_t count)
{
	int without = 0;

	for (size_t i = 0; i < count; i++) {
		if (items[i].waitable.handle != CSYS_NO_HANDLE)
			continue;
		if (!items[i].waitable.is_ready)
			return items[i].waitable.is_missing ? CSYS_ENOTSUP : CSYS_EBADF;
		without++;
	}
	return without;
}

static void begin(const csys_poll_item *items, size_t count, struct csysi_os_poll *polled)
{
	for (size_t i = 0; i < count; i++)
		polled[i] = (struct csysi_os_poll){
			.handle = items[i].waitable.handle,
			.writing = items[i].waitable.writing,
		};
}

/* Ask the items without a handle.  Returns how many are ready, and notes which; if none is, the
 * first failure. */
static int ask(const csys_poll_item *items, size_t count, struct csysi_os_poll *polled)
{
	int ready = 0, failure = 0;

	for (size_t i = 0; i < count; i++) {
		const csys_waitable *waitable = &items[i].waitable;
		if (waitable->handle != CSYS_NO_HANDLE)
			continue;
		int r = waitable->is_ready(waitable->object);
		if (r < 0 && failure == 0)
			failure = r;
		polled[i].ready = r > 0;
		ready += polled[i].ready;
	}
	return ready > 0 ? ready : failure;
}

/* Wait for the items with a handle.  Returns how many of them are ready; 0 at the deadline. */
static int wait_for_handles(struct csysi_os_poll *polled, size_t count, csys_deadline deadline)
{
	int ready = 0;
	int r = csysi_os_poll(polled, count, deadline);

	if (r < 0 && r != CSYS_ETIMEDOUT)
		return r;
	for (size_t i = 0; i < count; i++) { /* after a timeout none is ready */
		if (polled[i].ready < 0)
			return CSYS_EBADF;
		polled[i].is_known = 1; /* for the next round */
		ready += polled[i].ready;
	}
	return ready;
}

/* Wait until something is ready.  Returns how many items are. */
static int wait_for_items(const csys_poll_item *items, size_t count, struct csysi_os_poll *polled,
			  csys_deadline deadline)
{
	int without = count_without_handle(items, count);
	if (without <= 0)
		return without < 0 ? without : wait_for_handles(polled, count, deadline);

	struct csysi_backoff backoff = { FIRST_NAP, LAST_NAP };
	for (;;) {
		int is_over = csys_deadline_left(deadline) == 0;
		/* The system first: it says 0 for all that it is not asked for. */
		int ready = wait_for_handles(polled, count, CSYS_POLL);
		if (ready < 0)
			return ready;
		int asked = ask(items, count, polled);
		if (asked < 0)
			return ready > 0 ? ready : asked;
		if (ready + asked > 0 || is_over)
			return ready + asked;
		ready = wait_for_handles(polled, count,
					 csys_after_ns(csysi_backoff_next(&backoff, deadline)));
		if (ready < 0)
			return ready;
	}
}

int csys_poll(csys_poll_item *items, size_t count, csys_deadline deadline)
{
	struct csysi_os_poll usual[USUAL];
	struct csysi_os_poll *polled = usual;

	if (!items || count == 0)
		return CSYS_EINVAL;
	if (count > INT_MAX / sizeof *polled)
		return CSYS_ENOMEM;
	if (count > USUAL)
		polled = csysi_alloc(count * sizeof *polled);
	if (!polled)
		return CSYS_ENOMEM;
	begin(items, count, polled);
	int r = wait_for_items(items, count, polled, deadline);
	for (size_t i = 0; i < count && r >= 0; i++)
		items[i].ready = polled[i].ready;
	if (polled != usual)
		csysi_free(polled);
	return r == 0 ? CSYS_ETIMEDOUT : r;
}
