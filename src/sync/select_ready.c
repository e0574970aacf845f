/*
 * sync/select_ready.c - which of several sends and receives could go, without doing it.
 *
 * It is a wait for the first of several ends of channels (wait_any.c, channel_watch.c), in an order
 * that is chosen at random, so that each has its turn.  Such a wait has no waiter in the lists of
 * the channels, and so is never claimed for a message or for room: it takes no thread's wake, and
 * has none to pass on.
 */
#include <csys/base/result.h>
#include <csys/sync/latch.h>
#include <csys/sync/select.h>
#include <csys/sync/wait_any.h>

#include <stddef.h>

#include "base/memory.h"
#include "sync/channel.h"

#define FEW 16

/* The item of the case; without a channel it is one that is never ready. */
static csys_wait_item item_of(const csys_select_case *one, csys_latch *never)
{
	if (!one->channel)
		return csys_wait_for_latch(never);
	return one->is_send ? csys_wait_for_sender(one->channel)
			    : csys_wait_for_receiver(one->channel);
}

/* The items of the cases, shuffled; each one's argument is the index of its case. */
static void make_items(csys_wait_item *items, const csys_select_case *cases, size_t count,
		       csys_latch *never)
{
	for (size_t i = 0; i < count; i++) {
		size_t k = csysi_channel_random_below((uint32_t)i + 1);
		if (k != i)
			items[i] = items[k];
		items[k] = item_of(&cases[i], never);
		items[k].argument = (void *)(uintptr_t)i;
	}
}

static int ready_until(const csys_select_case *cases, size_t count, csys_deadline deadline,
		       size_t *out_which)
{
	csys_wait_item few[FEW], *items = few;
	void *memory = NULL;
	csys_latch never = CSYS_LATCH_INIT(1);
	size_t which;

	if (count == 0 || count > CSYSI_CHANNEL_MOST_CASES)
		return CSYS_EINVAL;
	if (count > FEW)
		items = memory = csysi_alloc(count * sizeof *items);
	if (!items)
		return CSYS_ENOMEM;
	make_items(items, cases, count, &never);
	int r = csys_wait_any_until(items, count, deadline, &which);
	if (r == 0)
		*out_which = (size_t)(uintptr_t)items[which].argument;
	csysi_free(memory);
	return r;
}

int csys_select_ready(const csys_select_case *cases, size_t count, size_t *out_which)
{
	return ready_until(cases, count, CSYS_FOREVER, out_which);
}

int csys_select_ready_until(const csys_select_case *cases, size_t count, csys_deadline deadline,
			    size_t *out_which)
{
	return ready_until(cases, count, deadline, out_which);
}

int csys_try_select_ready(const csys_select_case *cases, size_t count, size_t *out_which)
{
	int r = ready_until(cases, count, CSYS_POLL, out_which);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}
