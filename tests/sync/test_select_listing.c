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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(cases_are_listed_in_the_order_of_addresses),
		TEST_ON(OF_ALL, what_happens_while_cases_are_listed_is_seen),
	};
	count_memory();
	return RUN(tests);
}
