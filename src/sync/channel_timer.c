/*
 * sync/channel_timer.c - receiving from a channel whose messages are points of the clock.
 *
 * `due` is when the next message can be received.  A thread that finds that this has passed moves
 * it on by a compare-and-swap, and then has received the old value; so each message is received
 * once.  No thread sends: a thread that waits sleeps until `due`, and looks again.
 *
 * No wake is lost, as none is needed: `due` only grows.  A thread that slept until an earlier one
 * finds the later one and sleeps on.
 *
 * The handle, if there is one, is a timer of the system that is set to `due` (timer.set).  Of two
 * threads that have moved `due`, the last one under the lock reads the last value.  The handle is
 * never ready too late, since `due` only grows.  It is ready too early while another thread is
 * between the two steps, or if that thread missed a handle that was made meanwhile; then the
 * receive that finds nothing sets it.
 */
#include <csys/base/result.h>

#include "os/os.h"
#include "sync/channel.h"

static int64_t sum(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* When the next message is due, after one of `due` that is received now. */
static int64_t after(const struct csysi_channel *c, int64_t due, int64_t now)
{
	int64_t period = c->timer.period;

	if (period == 0)
		return INT64_MAX;
	/* One that is received late does not delay the next; one that was missed does. */
	int64_t next = sum(due, period);
	return next > now ? next : sum(now, period);
}

void csysi_channel_timer_set_handle(struct csysi_channel *c)
{
	/* Acquire pairs with the release of csys_receiver_handle. */
	const struct csysi_channel_handle *handle = csysi_load_acquire(&c->rx_handle);

	if (!handle)
		return;
	csysi_channel_lock(c);
	/* Relaxed: the thread that moves it comes by here, and the lock orders them. */
	int64_t due = csysi_load_relaxed(&c->timer.due);
	if (c->timer.set != due)
		csysi_os_timer_set(handle->reader, due);
	c->timer.set = due;
	csysi_channel_unlock(c);
}

int csysi_channel_timer_try_recv(struct csysi_channel *c, void *out)
{
	/* Relaxed, all: the message is `due` itself, and tells of nothing else. */
	int64_t due = csysi_load_relaxed(&c->timer.due), now;
	int r = 0;

	do {
		now = csys_now();
		if (due > now)
			r = CSYS_EAGAIN;
	} while (r == 0 && !csysi_cas_relaxed(&c->timer.due, &due, after(c, due, now)));
	if (r == 0)
		csysi_channel_copy(out, &due, sizeof due);
	csysi_channel_timer_set_handle(c);
	return r;
}

csys_deadline csysi_channel_timer_deadline(const struct csysi_channel *c)
{
	return csys_deadline_at(csysi_load_relaxed(&c->timer.due));
}

int csysi_channel_timer_recv(struct csysi_channel *c, void *out, csys_deadline deadline)
{
	while (csysi_channel_timer_try_recv(c, out) < 0) {
		struct csysi_channel_waiter self = { 0 }; /* in no list: the clock ends its sleep */
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		(void)csysi_channel_sleep(
			&self, csys_deadline_earlier(deadline, csysi_channel_timer_deadline(c)));
	}
	return 0;
}
