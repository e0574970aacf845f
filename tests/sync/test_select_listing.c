/*
 * sync/test_select_listing.c - promises of csys/sync/select.h: what happens between the look at a
 * channel and the wait is seen.
 *
 * Each test stops a select at one moment, by the lock of one of its channels (a gate).
 */
#include "support/select.h"
#include "support/thread.h"

static void cases_are_listed_in_the_order_of_addresses(void **state)
{
	(void)state;
	enum { CHANNELS = 4 };
	const struct shape shapes[CHANNELS] = {
		{ 8, 0, 1 }, { 8, 0, CSYS_UNBOUNDED }, { 8, 0, 3 }, { 8, 0, 1 }
	};
	for (int gate = 0; gate < CHANNELS; gate++) {
		for (int i = 0; i < 8; i++) {
			struct channel channels[CHANNELS];
			struct letter letter = blank();
			csys_select_case cases[CHANNELS];
			struct selector selector = { 0 };
			open_in_order(channels, shapes, CHANNELS);
			for (int k = 0; k < CHANNELS; k++)
				cases[(i & 4 ? 3 - k : k) ^ (i & 3)] =
					receives(&channels[k], &letter);
			close_gate(&channels[gate]);
			begin_select(&selector, cases, CHANNELS, CSYS_FOREVER);
			await_gate(&channels[gate]);
			for (int k = 0; k < CHANNELS; k++)
				if (k != gate)
					assert_int_equal(listed_receivers(&channels[k]), k < gate);
			open_gate(&channels[gate]);
			await_receivers(&channels[3], 1);
			assert_sends(&channels[1], 1);
			assert_int_equal(end_select(&selector), 0);
			close_unwaited(channels, CHANNELS);
		}
	}
}

enum event { MESSAGE, SENDERS_GONE, ROOM, RECEIVERS_GONE };

static void make(enum event event, struct channel *channel, struct partner *partner)
{
	partner->is_there = 0;
	switch (event) {
	case MESSAGE:
		make_receivable(partner, channel, 7);
		break;
	case SENDERS_GONE:
		csys_sender_close(channel->tx);
		break;
	case ROOM:
		make_sendable(partner, channel);
		break;
	case RECEIVERS_GONE:
		csys_receiver_close(channel->rx);
		break;
	}
}

static void assert_done(enum event event, struct channel *channel, struct selector *selector,
			struct partner *partner, const struct letter *letter)
{
	int is_gone = event == SENDERS_GONE || event == RECEIVERS_GONE;
	assert_int_equal(end_select(selector), is_gone ? CSYS_EDISCONNECTED : 0);
	assert_int_equal(selector->which, 1);
	if (event == MESSAGE) {
		assert_true(has_number(letter, channel->shape.size, 7));
		end_sending(partner);
	} else if (event == ROOM && partner->is_there) {
		end_recv(&partner->call, 9);
	}
	assert_nobody_waits(channel);
	if (event != SENDERS_GONE)
		csys_sender_close(channel->tx);
	if (event != RECEIVERS_GONE)
		csys_receiver_close(channel->rx);
}

static void what_happens_while_cases_are_listed_is_seen(const struct shape *shape)
{
	for (int event = MESSAGE; event <= RECEIVERS_GONE; event++) {
		const struct shape shapes[] = { { shape->size, 0, 1 }, *shape };
		struct channel channels[2];
		int is_send = event >= ROOM;
		struct letter unused = blank(),
			      letter = is_send ? letter_of(shape->size, 9) : blank();
		struct selector selector = { 0 };
		struct partner partner;
		if (is_send && is_unbounded(shape))
			continue;
		open_in_order(channels, shapes, 2);
		if (is_send)
			fill_up(&channels[1], 0);
		const csys_select_case cases[] = { receives(&channels[0], &unused),
						   is_send ? sends(&channels[1], &letter)
							   : receives(&channels[1], &letter) };
		close_gate(&channels[0]);
		begin_select(&selector, cases, 2, event % 2 ? CSYS_FOREVER : csys_after_s(1000));
		await_gate(&channels[0]);
		make((enum event)event, &channels[1], &partner);
		open_gate(&channels[0]);
		assert_done((enum event)event, &channels[1], &selector, &partner, &letter);
		assert_true(is_blank(&unused));
		close_unwaited(channels, 1);
	}
}

/* Each case of a channel without slots looks for a partner, whichever stands first. */
static void a_partner_that_comes_while_both_directions_are_listed_is_seen(void **state)
{
	(void)state;
	const struct shape shapes[] = { { 8, 0, 1 }, { 8, 0, 0 } };
	for (size_t i = 0; i < 4; i++) {
		struct channel channels[2];
		struct letter unused = blank(), in = blank(), out = letter_of(8, 9);
		struct selector selector = { 0 };
		struct partner partner;
		size_t send_at = 1 + i % 2;
		csys_select_case cases[3];
		open_in_order(channels, shapes, 2);
		cases[0] = receives(&channels[0], &unused);
		cases[send_at] = sends(&channels[1], &out);
		cases[3 - send_at] = receives(&channels[1], &in);
		close_gate(&channels[0]);
		begin_select(&selector, cases, 3, CSYS_FOREVER);
		await_gate(&channels[0]);
		if (i < 2)
			make_receivable(&partner, &channels[1], 7);
		else
			make_sendable(&partner, &channels[1]);
		open_gate(&channels[0]);
		end_select_by(&selector, i < 2 ? 3 - send_at : send_at);
		if (i < 2)
			end_sending(&partner);
		else
			end_recv(&partner.call, 9);
		assert_true(i < 2 ? has_number(&in, 8, 7) : is_blank(&in));
		close_unwaited(channels, 2);
	}
}

/* The handle of the other side, which has just found nothing, is ready when the select waits. */
static void a_handle_is_ready_when_a_select_waits_at_a_rendezvous(void **state)
{
	(void)state;
	const struct shape shapes[] = { { 8, 0, 1 }, { 8, 0, 0 } };
	for (int is_send = 0; is_send < 2; is_send++) {
		struct channel channels[2];
		struct letter unused = blank(), letter = is_send ? letter_of(8, 9) : blank();
		struct selector selector = { 0 };
		csys_handle handle;
		open_in_order(channels, shapes, 2);
		const csys_select_case cases[] = { receives(&channels[0], &unused),
						   is_send ? sends(&channels[1], &letter)
							   : receives(&channels[1], &letter) };
		assert_int_equal(is_send ? csys_receiver_handle(channels[1].rx, &handle)
					 : csys_sender_handle(channels[1].tx, &handle),
				 0);
		csys_poll_item item = { .waitable = csys_waitable_reading(handle) };
		close_gate(&channels[0]);
		begin_select(&selector, cases, 2, CSYS_FOREVER);
		await_gate(&channels[0]);
		if (is_send)
			assert_empty(&channels[1]);
		else
			assert_full(&channels[1]);
		assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_ETIMEDOUT);
		open_gate(&channels[0]);
		assert_true(csys_poll(&item, 1, CSYS_FOREVER) >= 0);
		if (is_send)
			assert_receives(&channels[1], 9);
		else
			assert_sends(&channels[1], 8);
		end_select_by(&selector, 1);
		assert_true(has_number(&letter, 8, is_send ? 9 : 8));
		close_channel(&channels[1]);
		close_unwaited(channels, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(cases_are_listed_in_the_order_of_addresses),
		TEST_ON(OF_ALL, what_happens_while_cases_are_listed_is_seen),
		TEST_ONE(a_handle_is_ready_when_a_select_waits_at_a_rendezvous),
		TEST_ONE(a_partner_that_comes_while_both_directions_are_listed_is_seen),
	};
	count_memory();
	return RUN(tests);
}
