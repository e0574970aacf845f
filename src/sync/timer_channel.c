/*
 * sync/timer_channel.c - making channels that are timers; channel_timer.c receives from them.
 */
#include <csys/base/result.h>
#include <csys/sync/timer_channel.h>

#include <stddef.h>

#include "sync/channel.h"

static int make(int64_t due, int64_t period, csys_receiver **out)
{
	struct csysi_channel *c;

	int r = csysi_channel_make(CSYSI_CHANNEL_TIMER, sizeof due, _Alignof(int64_t), 1, &c);
	if (r < 0)
		return r;
	c->has_many_receivers = 1;
	c->references = 1; /* the receivers; the sender is never closed */
	c->timer.due = due;
	c->timer.period = period;
	*out = (csys_receiver *)(void *)c;
	return 0;
}

int csys_channel_at(csys_deadline deadline, csys_receiver **out_receiver)
{
	return make(csys_deadline_is_poll(deadline) ? csys_now() : csys_deadline_ns(deadline), 0,
		    out_receiver);
}

int csys_channel_after(int64_t ns, csys_receiver **out_receiver)
{
	return csys_channel_at(csys_after_ns(ns), out_receiver);
}

int csys_channel_tick(int64_t period_ns, csys_receiver **out_receiver)
{
	if (period_ns <= 0)
		return CSYS_EINVAL;
	return make(csys_deadline_ns(csys_after_ns(period_ns)), period_ns, out_receiver);
}

int csys_channel_never(csys_receiver **out_receiver)
{
	return make(INT64_MAX, 0, out_receiver);
}
