/*
 * sync/test_select_wait.c - promises of csys/sync/select.h: threads that wait for one of several
 * cases.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/atomic.h"
#include "support/select.h"
#include "support/thread.h"

static const struct shape one = { 8, 0, 1 }, rendezvous = { 8, 0, 0 };

/* Four channels of a shape, each of which a select receives from, or sends to. */
enum { LANES = 4 };
struct lanes {
	struct channel channels[LANES];
	struct letter letters[LANES];
	csys_select_case cases[LANES];
};

static void open_lanes(struct lanes *lanes, const struct shape *shape, int are_sends)
{
	for (uint64_t i = 0; i < LANES; i++) {
		struct channel *channel = &lanes->channels[i];
		open_for_many(&lanes->channels[i], shape);
		lanes->letters[i] = are_sends ? letter_of(shape->size, 100 + i) : blank();
		lanes->cases[i] = are_sends ? sends(channel, &lanes->letters[i])
					    : receives(channel, &lanes->letters[i]);
		if (are_sends)
			fill_up(channel, 0);
	}
}

static void assert_only_this_was_received(struct lanes *lanes, size_t which, uint64_t number)
{
	size_t size = lanes->channels[0].shape.size;
	for (size_t i = 0; i < LANES; i++)
		assert_true(i == which ? has_number(&lanes->letters[i], size, number)
				       : is_blank(&lanes->letters[i]));
}

static void a_thread_sleeps_until_a_message_comes(const struct shape *shape)
{
	for (size_t i = 0; i < 2 * (size_t)LANES; i++) {
		struct lanes lanes;
		struct selector selector = { 0 };
		size_t at = i / 2;
		open_lanes(&lanes, shape, 0);
		selector.is_biased = i % 2 == 1;
		begin_select(&selector, lanes.cases, LANES,
			     i % 2 ? CSYS_FOREVER : csys_after_s(1000));
		for (int k = 0; k < LANES; k++)
			await_receivers(&lanes.channels[k], 1);
		assert_sends(&lanes.channels[at], i);
		end_select_by(&selector, at);
		assert_only_this_was_received(&lanes, at, i);
		for (int k = 0; k < LANES; k++)
			assert_empty(&lanes.channels[k]);
		close_unwaited(lanes.channels, LANES);
	}
}

static void a_thread_sleeps_until_there_is_room(const struct shape *shape)
{
	for (size_t at = 0; at < LANES; at++) {
		struct lanes lanes;
		struct selector selector = { 0 };
		open_lanes(&lanes, shape, 1);
		begin_select(&selector, lanes.cases, LANES, CSYS_FOREVER);
		for (int k = 0; k < LANES; k++)
			await_senders(&lanes.channels[k], 1);
		assert_receives(&lanes.channels[at], shape->capacity ? 0 : 100 + at);
		end_select_by(&selector, at);
		/* The others got nothing. */
		for (size_t k = 0; k < LANES; k++) {
			assert_int_equal(csys_sender_len(lanes.channels[k].tx), shape->capacity);
			for (uint64_t n = k == at; n < shape->capacity; n++)
				assert_receives(&lanes.channels[k], n);
		}
		if (shape->capacity)
			assert_receives(&lanes.channels[at], 100 + at);
		close_unwaited(lanes.channels, LANES);
	}
}

static void a_plain_call_wakes_a_select_and_waits_for_it(const struct shape *shape)
{
	struct lanes lanes;
	struct selector selector = { 0 };
	struct call call;
	for (size_t at = 0; at < LANES; at++) {
		open_lanes(&lanes, shape, 0);
		begin_send(&call, &lanes.channels[at], 6, CSYS_FOREVER);
		begin_select(&selector, lanes.cases, LANES, CSYS_FOREVER);
		end_select_by(&selector, at);
		assert_int_equal(end_call(&call), 0);
		assert_only_this_was_received(&lanes, at, 6);
		close_unwaited(lanes.channels, LANES);
	}
	if (!is_rendezvous(shape))
		return;
	for (size_t at = 0; at < LANES; at++) {
		open_lanes(&lanes, shape, 1);
		begin_recv(&call, &lanes.channels[at], CSYS_FOREVER);
		begin_select(&selector, lanes.cases, LANES, CSYS_FOREVER);
		end_select_by(&selector, at);
		end_recv(&call, 100 + at);
		close_unwaited(lanes.channels, LANES);
	}
}

static void a_deadline_ends_the_wait_and_leaves_nothing(const struct shape *shape)
{
	for (int are_sends = 0; are_sends < 2; are_sends++) {
		struct lanes lanes;
		size_t which = 77;
		if (are_sends && is_unbounded(shape))
			continue;
		open_lanes(&lanes, shape, are_sends);
		for (int i = 0; i < 4; i++) {
			csys_deadline deadline = csys_after_us(300 * i);
			assert_int_equal(csys_select_until(lanes.cases, LANES, deadline, &which),
					 CSYS_ETIMEDOUT);
			assert_true(csys_now() >= csys_deadline_ns(deadline));
			for (int k = 0; k < LANES; k++)
				assert_nobody_waits(&lanes.channels[k]);
		}
		assert_int_equal(which, 77);
		for (uint64_t k = 0; k < LANES; k++)
			assert_true(are_sends ? has_number(&lanes.letters[k], shape->size, 100 + k)
					      : is_blank(&lanes.letters[k]));
		close_unwaited(lanes.channels, LANES);
	}
}

static void a_wait_of_sends_and_receives_ends_by_either(const struct shape *shape)
{
	for (int by_send = 0; by_send < 2; by_send++) {
		const struct shape bounded = { shape->size, 0, shape->capacity ? 2 : 0 };
		struct channel in, out;
		open_for_many(&in, shape);
		open_for_many(&out, &bounded);
		struct letter from_in = blank(), to_out = letter_of(shape->size, 9);
		const csys_select_case cases[] = { receives(&in, &from_in), sends(&out, &to_out) };
		struct selector selector = { 0 };
		fill_up(&out, 0);
		begin_select(&selector, cases, 2, CSYS_FOREVER);
		await_receivers(&in, 1);
		await_senders(&out, 1);
		if (by_send)
			assert_receives(&out, bounded.capacity ? 0 : 9);
		else
			assert_sends(&in, 8);
		end_select_by(&selector, (size_t)by_send);
		assert_true(by_send ? is_blank(&from_in) : has_number(&from_in, shape->size, 8));
		for (uint64_t i = (uint64_t)by_send; i < bounded.capacity; i++)
			assert_receives(&out, i);
		if (by_send && bounded.capacity)
			assert_receives(&out, 9);
		assert_empty(&out);
		assert_empty(&in);
		close_unwaited(&in, 1);
		close_unwaited(&out, 1);
	}
}

/* ---- disconnected channels --------------------------------------------------------------- */

static void a_channel_without_senders_is_chosen_when_it_is_empty(const struct shape *shape)
{
	struct channel gone, empty;
	open_for_many(&gone, shape);
	open_for_many(&empty, shape);
	struct letter letters[2] = { blank(), blank() };
	const csys_select_case cases[] = { receives(&empty, &letters[0]),
					   receives(&gone, &letters[1]) };
	uint64_t queued = is_rendezvous(shape) ? 0 : 1;
	size_t which = 77;
	if (queued)
		assert_sends(&gone, 4);
	csys_sender_close(gone.tx);
	if (queued) {
		assert_int_equal(csys_select(cases, 2, &which), 0);
		assert_int_equal(which, 1);
		assert_true(has_number(&letters[1], shape->size, 4));
		letters[1] = blank();
	}
	which = 77;
	assert_int_equal(csys_try_select(cases, 2, &which), CSYS_EDISCONNECTED);
	assert_int_equal(which, 1);
	which = 77;
	assert_int_equal(csys_select(cases, 2, &which), CSYS_EDISCONNECTED);
	assert_int_equal(which, 1);
	which = 77;
	assert_int_equal(csys_select_biased_until(cases, 2, CSYS_FOREVER, &which),
			 CSYS_EDISCONNECTED);
	assert_int_equal(which, 1);
	assert_true(is_blank(&letters[0]) && is_blank(&letters[1]));
	csys_receiver_close(gone.rx);
	close_unwaited(&empty, 1);
}

static void a_channel_without_receivers_is_chosen_and_the_message_stays(const struct shape *shape)
{
	const struct shape meeting = { shape->size, 0, 0 };
	struct channel gone, full;
	open_for_many(&gone, shape);
	open_for_many(&full, &meeting);
	struct letter letters[2] = { letter_of(shape->size, 1), letter_of(shape->size, 2) };
	const csys_select_case cases[] = { sends(&full, &letters[0]), sends(&gone, &letters[1]) };
	size_t which = 77;
	fill_up(&gone, 0);
	csys_receiver_close(gone.rx);
	for (int i = 0; i < 3; i++) {
		int r = i == 0   ? csys_try_select(cases, 2, &which)
			: i == 1 ? csys_select(cases, 2, &which)
				 : csys_select_biased_until(cases, 2, CSYS_FOREVER, &which);
		assert_int_equal(r, CSYS_EDISCONNECTED);
		assert_int_equal(which, 1);
		which = 77;
	}
	for (uint64_t i = 0; i < 2; i++)
		assert_true(has_number(&letters[i], shape->size, i + 1));
	csys_sender_close(gone.tx);
	close_unwaited(&full, 1);
}

static void
a_disconnected_channel_and_one_with_a_message_have_their_turns(const struct shape *shape)
{
	struct channel gone, full;
	open_for_many(&gone, shape);
	open_for_many(&full, &one);
	struct letter letters[2];
	const csys_select_case cases[] = { receives(&gone, &letters[0]),
					   receives(&full, &letters[1]) };
	int chosen[2] = { 0 };
	csys_sender_close(gone.tx);
	for (uint64_t i = 0; i < 60; i++) {
		size_t which = 77;
		letters[0] = letters[1] = blank();
		if (csys_receiver_len(full.rx) == 0)
			assert_sends(&full, 5);
		int r = csys_select(cases, 2, &which);
		assert_in_range(which, 0, 1);
		assert_int_equal(r, which == 0 ? CSYS_EDISCONNECTED : 0);
		assert_true(which == 0 ? is_blank(&letters[1]) : has_number(&letters[1], 8, 5));
		assert_true(is_blank(&letters[0]));
		chosen[which]++;
	}
	assert_true(chosen[0] > 0 && chosen[1] > 0);
	csys_receiver_close(gone.rx);
	close_unwaited(&full, 1);
}

static void a_thread_that_sleeps_goes_on_when_the_other_side_leaves(const struct shape *shape)
{
	for (size_t i = 0; i < 2 * (size_t)LANES; i++) {
		struct lanes lanes;
		struct selector selector = { 0 };
		size_t at = i / 2;
		int are_sends = i % 2;
		if (are_sends && is_unbounded(shape))
			continue;
		open_lanes(&lanes, shape, are_sends);
		begin_select(&selector, lanes.cases, LANES, CSYS_FOREVER);
		for (int k = 0; k < LANES; k++)
			(are_sends ? await_senders : await_receivers)(&lanes.channels[k], 1);
		if (are_sends)
			csys_receiver_close(lanes.channels[at].rx);
		else
			csys_sender_close(lanes.channels[at].tx);
		assert_int_equal(end_select(&selector), CSYS_EDISCONNECTED);
		assert_int_equal(selector.which, at);
		for (size_t k = 0; k < LANES; k++) {
			assert_nobody_waits(&lanes.channels[k]);
			assert_true(are_sends ? has_number(&lanes.letters[k], shape->size, 100 + k)
					      : is_blank(&lanes.letters[k]));
			if (!are_sends || k != at)
				csys_receiver_close(lanes.channels[k].rx);
			if (are_sends || k != at)
				csys_sender_close(lanes.channels[k].tx);
		}
	}
}

static void all_that_sleep_go_on_when_the_other_side_leaves(const struct shape *shape)
{
	enum { ALL = 5 };
	for (int are_sends = 0; are_sends < 2; are_sends++) {
		struct channel channel;
		struct letter letters[ALL];
		struct selector selectors[ALL];
		if (are_sends && is_unbounded(shape))
			continue;
		open_for_many(&channel, shape);
		memset(selectors, 0, sizeof selectors);
		if (are_sends)
			fill_up(&channel, 0);
		for (int i = 0; i < ALL; i++) {
			letters[i] = are_sends ? letter_of(shape->size, 9) : blank();
			const csys_select_case cases[] = { are_sends ? sends(&channel, &letters[i])
								     : receives(&channel,
										&letters[i]) };
			begin_select(&selectors[i], cases, 1, CSYS_FOREVER);
		}
		(are_sends ? await_senders : await_receivers)(&channel, ALL);
		if (are_sends)
			csys_receiver_close(channel.rx);
		else
			csys_sender_close(channel.tx);
		for (int i = 0; i < ALL; i++)
			assert_int_equal(end_select(&selectors[i]), CSYS_EDISCONNECTED);
		assert_nobody_waits(&channel);
		if (are_sends)
			csys_sender_close(channel.tx);
		else
			csys_receiver_close(channel.rx);
	}
}

static void of_several_ends_only_the_last_one_disconnects(const struct shape *shape)
{
	struct channel channel;
	open_for_many(&channel, shape);
	struct letter letter = blank();
	const csys_select_case cases[] = { receives(&channel, &letter) };
	struct selector selector = { 0 };
	csys_sender *clone = csys_sender_clone(channel.tx);
	begin_select(&selector, cases, 1, CSYS_FOREVER);
	await_receivers(&channel, 1);
	csys_sender_close(channel.tx);
	for (int i = 0; i < 3; i++)
		take_a_nap();
	assert_false(has_returned(&selector));
	assert_int_equal(listed_receivers(&channel), 1);
	csys_sender_close(clone);
	assert_int_equal(end_select(&selector), CSYS_EDISCONNECTED);
	csys_receiver_close(channel.rx);
}

/* ---- what ends no wait ------------------------------------------------------------------- */

static void do_nothing(int number)
{
	(void)number;
}

static void a_signal_does_not_end_the_wait(void **state)
{
	(void)state;
	struct sigaction action, before;
	struct channel channel;
	open_for_many(&channel, &one);
	struct letter letter = blank();
	const csys_select_case cases[] = { receives(&channel, &letter) };
	struct selector selector = { 0 };
	memset(&action, 0, sizeof action);
	action.sa_handler = do_nothing;
	sigaction(SIGUSR1, &action, &before);
	for (int i = 0; i < 2; i++) {
		begin_select(&selector, cases, 1, i ? CSYS_FOREVER : csys_after_s(1000));
		await_receivers(&channel, 1);
		for (int k = 0; k < 20; k++) {
			assert_int_equal(pthread_kill(selector.thread, SIGUSR1), 0);
			take_a_nap();
		}
		assert_false(has_returned(&selector));
		assert_sends(&channel, 3);
		end_select_by(&selector, 0);
	}
	sigaction(SIGUSR1, &before, NULL);
	close_unwaited(&channel, 1);
}

static void cancellation_does_not_end_the_wait(void **state)
{
	(void)state;
	struct channel channel;
	open_for_many(&channel, &one);
	struct letter letter = blank();
	const csys_select_case cases[] = { receives(&channel, &letter) };
	struct selector selector = { 0 };
	begin_select(&selector, cases, 1, CSYS_FOREVER);
	await_receivers(&channel, 1);
	assert_int_equal(pthread_cancel(selector.thread), 0);
	for (int k = 0; k < 5; k++)
		take_a_nap();
	assert_false(has_returned(&selector));
	assert_int_equal(listed_receivers(&channel), 1);
	assert_sends(&channel, 3);
	end_select_by(&selector, 0);
	assert_true(has_number(&letter, 8, 3));
	close_unwaited(&channel, 1);
}

static void a_select_of_zeros_only_waits_for_its_deadline(void **state)
{
	(void)state;
	csys_select_case cases[3];
	size_t which = 77;
	memset(cases, 0, sizeof cases);
	csys_deadline deadline = csys_after_ms(3);
	assert_int_equal(csys_select_until(cases, 3, deadline, &which), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
}

static void zeros_beside_a_case_do_not_keep_it_from_being_woken(void **state)
{
	(void)state;
	for (size_t at = 0; at < 4; at++) {
		struct channel channel;
		open_for_many(&channel, at % 2 ? &one : &rendezvous);
		struct letter letter = blank();
		csys_select_case cases[4];
		struct selector selector = { 0 };
		memset(cases, 0, sizeof cases);
		cases[at] = receives(&channel, &letter);
		begin_select(&selector, cases, 4, CSYS_FOREVER);
		await_receivers(&channel, 1);
		assert_sends(&channel, 2);
		end_select_by(&selector, at);
		close_unwaited(&channel, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ON(OF_ALL, a_thread_sleeps_until_a_message_comes),
		TEST_ON(OF_BOUNDED | OF_RENDEZVOUS, a_thread_sleeps_until_there_is_room),
		TEST_ON(OF_ALL, a_plain_call_wakes_a_select_and_waits_for_it),
		TEST_ON(OF_ALL, a_deadline_ends_the_wait_and_leaves_nothing),
		TEST_ON(OF_ALL, a_wait_of_sends_and_receives_ends_by_either),
		TEST_ON(OF_ALL, a_channel_without_senders_is_chosen_when_it_is_empty),
		TEST_ON(OF_ALL, a_channel_without_receivers_is_chosen_and_the_message_stays),
		TEST_ON(OF_ALL, a_disconnected_channel_and_one_with_a_message_have_their_turns),
		TEST_ON(OF_ALL, a_thread_that_sleeps_goes_on_when_the_other_side_leaves),
		TEST_ON(OF_ALL, all_that_sleep_go_on_when_the_other_side_leaves),
		TEST_ON(OF_ALL, of_several_ends_only_the_last_one_disconnects),
		TEST_ONE(a_signal_does_not_end_the_wait),
		TEST_ONE(cancellation_does_not_end_the_wait),
		TEST_ONE(a_select_of_zeros_only_waits_for_its_deadline),
		TEST_ONE(zeros_beside_a_case_do_not_keep_it_from_being_woken),
	};
	count_memory();
	return RUN(tests);
}
