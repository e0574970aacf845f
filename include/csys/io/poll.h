/*
 * csys/io/poll.h - one wait for the first of several events.
 *
 *     csys_poll_item items[2] = {
 *             { .waitable = csys_waitable_reading(reader) },
 *             { .waitable = csys_child_waitable(child) },
 *     };
 *     int r = csys_poll(items, 2, csys_after_ms(500));
 *     if (r > 0 && items[1].ready)
 *             r = csys_child_try_wait(child, &end);
 *
 * Streams, children, processes and subscriptions to signals mix freely.  Nothing is
 * consumed: a child is not reaped, a signal is not taken, no byte is read.
 *
 * This is for a handful of things and one wait.  For many of them, again and again, use
 * an event loop, with the handles that each noun tells.
 */
#ifndef CSYS_IO_POLL_H
#define CSYS_IO_POLL_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>

CSYS_BEGIN_DECLS

typedef struct csys_poll_item {
	csys_waitable waitable;
	int ready; /* out: 1 if its event is there */
} csys_poll_item;

/*
 * Wait until at least one item is ready, at most until `deadline`; what is ready already
 * is told also when that has passed.  Returns how many are ready, at least 1, with `ready`
 * set in each item to 1 or 0; or CSYS_ETIMEDOUT, and then each `ready` is 0.
 *
 * Other failures leave the items untouched: CSYS_EBADF if one of them stands for nothing
 * (CSYS_NO_HANDLE, a handle that is not open, NULL for an object, a waitable that was made of
 * a subscription in a forked child), CSYS_EINVAL without items, CSYS_ENOMEM (up to 16 items
 * need no memory), CSYS_EMFILE if a process without a pidfd cannot be looked at.
 *
 * What has no handle on this system (a child on plain POSIX) is looked at again and
 * again, from every 1 ms to every 5 ms.  Threads: any number may wait for the same
 * thing.  A cancellation point: a thread that is cancelled here loses the memory for more
 * than 16 items.
 */
CSYS_API CSYS_MUST_CHECK int csys_poll(csys_poll_item *items, size_t count, csys_deadline deadline);

CSYS_END_DECLS

#endif
