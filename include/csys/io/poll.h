/**
 * \file
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
 * Pipe ends of this process, sockets, terminals, files, children, processes and subscriptions to
 * signals mix freely.  A file is always ready.  Nothing is consumed: a child is not reaped, a
 * signal is not taken, no byte is read.
 *
 * That a stream is ready is a hint.  Another thread or process may be faster, so what follows
 * should be a transfer with CSYS_POLL, and finding nothing (CSYS_ETIMEDOUT) is normal.
 *
 * This is for one wait for a handful of objects.  For many of them, again and again, there is
 * csys/io/wait_set.h, or another event loop with their handles (csys_child_handle and the like).
 */
#ifndef CSYS_IO_POLL_H
#define CSYS_IO_POLL_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>

CSYS_BEGIN_DECLS

/** One of the events that csys_poll waits for. */
typedef struct csys_poll_item {
	csys_waitable waitable; /**< the event */
	int ready;              /**< written by csys_poll: 1 if the event is there, else 0 */
} csys_poll_item;

/**
 * Wait until at least one of several events is there, or until `deadline`.
 *
 * What is there already is told even if the deadline has passed.
 *
 * What cannot be waited for is an error and never a wait without end: CSYS_NO_HANDLE, a handle that
 * is not open, the wrong end of a pipe (writing on its reader, reading on its writer), NULL for an
 * object, a subscription that was made before this process was forked, and on Windows an end
 * of a pipe that was made for a program (csys/io/pipe.h).
 *
 * An object without a handle on this system (a child on plain POSIX) is looked at again and
 * again, from every 1 ms to every 5 ms.
 *
 * Threads: any number may wait for the same object.  This is a cancellation point: a thread that
 * is cancelled here loses the memory for more than 16 items.
 *
 * \param items     the events; `ready` is set in each of them on success and at the deadline, and
 *                  unchanged by another failure
 * \param count     how many there are, at least 1
 * \param deadline  when to give up
 * \return how many items are ready, at least 1
 * \retval CSYS_ETIMEDOUT  the deadline has passed, and no item is ready
 * \retval CSYS_EBADF      one of the items cannot be waited for
 * \retval CSYS_ENOTSUP    one of the items is of an object that has no handle on this system, and
 *                         cannot be looked at
 * \retval CSYS_EINVAL     there are no items
 * \retval CSYS_ENOMEM     there is no memory; up to 16 items need none
 * \retval CSYS_EMFILE     no handle is left, which looking at a process without a pidfd takes
 */
CSYS_API CSYS_MUST_CHECK int csys_poll(csys_poll_item *items, size_t count, csys_deadline deadline);

CSYS_END_DECLS

#endif
