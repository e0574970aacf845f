/*
 * support/select.c - what the tests of select share.
 */
#include <string.h>

#include "base/atomic.h"
#include "support/select.h"
#include "support/thread.h"
#include "sync/channel.h"

#define UNTOUCHED 0x5a

/* ---- messages ---------------------------------------------------------------------------- */

struct letter blank(void)
{
	struct letter letter;
	memset(&letter, UNTOUCHED, sizeof letter);
	return letter;
}

struct letter letter_of(size_t size, uint64_t number)
{
	struct letter letter = blank();
	fill(letter.bytes, size, number);
	return letter;
}

int has_number(const struct letter *letter, size_t size, uint64_t number)
{
	struct letter wanted = letter_of(size, number);
	return memcmp(&wanted, letter, sizeof wanted) == 0;
}

int is_blank(const struct letter *letter)
{
	return has_number(letter, 0, 0);
}

/* ---- channels ---------------------------------------------------------------------------- */

int is_bounded(const struct shape *shape)
{
	return !is_rendezvous(shape) && !is_unbounded(shape);
}

void open_for_many(struct channel *channel, const struct shape *shape)
{
	open_channel_with(channel, shape, (csys_channel_options){ .many_receivers = 1 });
}

void open_in_order(struct channel *channels, const struct shape *shapes, int count)
{
	ascending_memory(1);
	for (int i = 0; i < count; i++) {
		open_for_many(&channels[i], &shapes[i]);
		assert_true(i == 0 || (uintptr_t)channels[i].tx > (uintptr_t)channels[i - 1].tx);
	}
	ascending_memory(0);
}

void close_unwaited(struct channel *channels, int count)
{
	for (int i = 0; i < count; i++) {
		assert_nobody_waits(&channels[i]);
		close_channel(&channels[i]);
	}
}

csys_select_case sends(const struct channel *channel, const struct letter *letter)
{
	return csys_select_send(channel->tx, letter->bytes);
}

csys_select_case receives(const struct channel *channel, struct letter *letter)
{
	return csys_select_recv(channel->rx, letter->bytes);
}

uint64_t fill_up(struct channel *channel, uint64_t first)
{
	uint64_t count = is_bounded(&channel->shape) ? channel->shape.capacity : 0;
	assert_sends_all(channel, first, count);
	return count;
}

/* ---- what waits -------------------------------------------------------------------------- */

static struct csysi_channel *core_of(const struct channel *channel)
{
	return csysi_channel_of_sender(channel->tx);
}

static int count_listed(const struct channel *channel, int are_senders, int only_asleep)
{
	struct csysi_channel *c = core_of(channel);
	int count = 0;

	csysi_channel_lock(c);
	const struct csysi_channel_list *list =
		are_senders ? &c->waiting_senders : &c->waiting_receivers;
	for (const struct csysi_channel_entry *entry = list->first; entry; entry = entry->next)
		count += !entry->handle &&
			 (!only_asleep ||
			  csysi_load_relaxed(&entry->waiter->state) == CSYSI_CHANNEL_ASLEEP);
	csysi_channel_unlock(c);
	return count;
}

int listed_senders(const struct channel *channel)
{
	return count_listed(channel, 1, 0);
}

int listed_receivers(const struct channel *channel)
{
	return count_listed(channel, 0, 0);
}

void await_senders(const struct channel *channel, int count)
{
	while (count_listed(channel, 1, 1) != count)
		take_a_nap();
}

void await_receivers(const struct channel *channel, int count)
{
	while (count_listed(channel, 0, 1) != count)
		take_a_nap();
}

void assert_nobody_waits(const struct channel *channel)
{
	struct csysi_channel *c = core_of(channel);

	assert_int_equal(listed_senders(channel), 0);
	assert_int_equal(listed_receivers(channel), 0);
	assert_int_equal(csysi_load_relaxed(&c->rx_flags) & CSYSI_CHANNEL_SOME, 0);
	assert_int_equal(csysi_load_relaxed(&c->tx_flags) & CSYSI_CHANNEL_SOME, 0);
	csysi_channel_lock(c);
	int is_waking = (int)c->is_waking;
	csysi_channel_unlock(c);
	assert_int_equal(is_waking, 0);
}

int is_at_gate(const struct channel *channel)
{
	const uint32_t contended = 2; /* as in sync/lock.c */
	return csysi_load_relaxed(&core_of(channel)->lock) == contended;
}

void close_gate(const struct channel *channel)
{
	struct csysi_channel *c = core_of(channel);

	/* Then the lock is for lists only: no thread becomes the owner of a side. */
	assert_int_equal(csysi_channel_share(c, &c->tx_owner, &c->tx_is_shared), 0);
	assert_int_equal(csysi_channel_share(c, &c->rx_owner, &c->rx_is_shared), 0);
	csysi_channel_lock(c);
	/* A lock that had to be waited for looks like a gate with a thread before it. */
	while (is_at_gate(channel)) {
		csysi_channel_unlock(c);
		take_a_nap();
		csysi_channel_lock(c);
	}
}

void await_gate(const struct channel *channel)
{
	while (!is_at_gate(channel))
		take_a_nap();
}

void open_gate(const struct channel *channel)
{
	csysi_channel_unlock(core_of(channel));
}

/* ---- a select on a thread of its own ----------------------------------------------------- */

static void *run_select(void *argument)
{
	struct selector *self = argument;

	self->result = (self->is_biased ? csys_select_biased_until : csys_select_until)(
		self->cases, self->count, self->deadline, &self->which);
	csysi_store_release(&self->has_returned, 1);
	return NULL;
}

void begin_select(struct selector *selector, const csys_select_case *cases, size_t count,
		  csys_deadline deadline)
{
	assert_in_range(count, 1, MOST_CASES);
	memcpy(selector->cases, cases, count * sizeof *cases);
	selector->count = count;
	selector->deadline = deadline;
	selector->result = 77;
	selector->which = 77;
	selector->has_returned = 0;
	assert_int_equal(pthread_create(&selector->thread, NULL, run_select, selector), 0);
}

int has_returned(struct selector *selector)
{
	return (int)csysi_load_acquire(&selector->has_returned);
}

int end_select(struct selector *selector)
{
	pthread_join(selector->thread, NULL);
	return selector->result;
}

void end_select_by(struct selector *selector, size_t which)
{
	assert_int_equal(end_select(selector), 0);
	assert_int_equal(selector->which, which);
}

/* ---- partners ---------------------------------------------------------------------------- */

void make_receivable(struct partner *partner, struct channel *channel, uint64_t number)
{
	partner->is_there = is_rendezvous(&channel->shape);
	if (!partner->is_there) {
		assert_sends(channel, number);
		return;
	}
	begin_send(&partner->call, channel, number, CSYS_FOREVER);
	await_senders(channel, 1);
}

void make_sendable(struct partner *partner, struct channel *channel)
{
	partner->is_there = is_rendezvous(&channel->shape);
	if (partner->is_there) {
		begin_recv(&partner->call, channel, CSYS_FOREVER);
		await_receivers(channel, 1);
	} else if (is_bounded(&channel->shape)) {
		assert_receives(channel, 0);
	}
}

void end_sending(struct partner *partner)
{
	if (partner->is_there)
		assert_int_equal(end_call(&partner->call), 0);
}
