/*
 * sync/test_select_choice.c - promises of csys/sync/select.h: the choice between several cases, and
 * one channel in several of them.
 */
#include "support/select.h"

static const struct shape unbounded = { 8, 0, CSYS_UNBOUNDED }, one = { 8, 0, 1 },
			  three = { 8, 0, 3 }, rendezvous = { 8, 0, 0 };

static void the_biased_form_does_the_first(void **state)
{
	(void)state;
	struct channel a, b, c;
	open_for_many(&a, &one);
	open_for_many(&b, &unbounded);
	open_for_many(&c, &three);
	struct letter from_a = blank(), from_c = blank(), to_b = letter_of(8, 70);
	const csys_select_case cases[] = { receives(&a, &from_a), sends(&b, &to_b),
					   receives(&c, &from_c) };
	size_t which;
	for (uint64_t i = 0; i < 50; i++) {
		csys_deadline deadline = i % 2 ? CSYS_POLL : csys_after_s(1000);
		assert_sends(&c, i);
		assert_sends(&a, i);
		assert_int_equal(csys_select_biased_until(cases, 3, deadline, &which), 0);
		assert_int_equal(which, 0);
		assert_true(has_number(&from_a, 8, i));
		assert_int_equal(csys_select_biased_until(cases, 3, deadline, &which), 0);
		assert_int_equal(which, 1);
		assert_receives(&b, 70);
		assert_int_equal(csys_select_biased_until(cases + 2, 1, deadline, &which), 0);
		assert_int_equal(which, 0);
		assert_true(has_number(&from_c, 8, i));
	}
	close_unwaited(&a, 1);
	close_unwaited(&b, 1);
	close_unwaited(&c, 1);
}

/* Of `rounds` choices between `count` cases with the same chances: 12 standard deviations. */
static void assert_fair(int chosen, int rounds, int count)
{
	int mean = rounds / count;
	assert_in_range(chosen, mean - mean / 4, mean + mean / 4);
}

static void of_several_that_can_be_done_each_has_its_turn(void **state)
{
	(void)state;
	enum { LANES = 4, ROUNDS = 8000 };
	struct channel channels[LANES];
	struct letter letters[LANES];
	csys_select_case cases[LANES];
	int chosen[LANES] = { 0 };
	for (int i = 0; i < LANES; i++) {
		open_for_many(&channels[i], i % 2 ? &unbounded : &one);
		letters[i] = letter_of(8, 1);
		cases[i] = i < 2 ? receives(&channels[i], &letters[i])
				 : sends(&channels[i], &letters[i]);
		if (i < 2)
			assert_sends(&channels[i], 1);
	}
	for (int round = 0; round < ROUNDS; round++) {
		size_t which;
		int r = round % 2 ? csys_try_select(cases, LANES, &which)
				  : csys_select(cases, LANES, &which);
		assert_int_equal(r, 0);
		assert_in_range(which, 0, LANES - 1);
		chosen[which]++;
		if (which < 2)
			assert_sends(&channels[which], 1);
		else
			assert_receives(&channels[which], 1);
	}
	for (int i = 0; i < LANES; i++) {
		assert_fair(chosen[i], ROUNDS, LANES);
		if (i < 2)
			assert_receives(&channels[i], 1);
	}
	close_unwaited(channels, LANES);
}

static void neighbours_have_the_same_chances(void **state)
{
	(void)state;
	enum { CASES = 16, ROUNDS = 4000 };
	struct channel channel, empty;
	open_for_many(&channel, &unbounded);
	open_for_many(&empty, &one);
	struct letter letter = blank(), value = letter_of(8, 1);
	for (int first = 0; first < CASES - 1; first += 5) {
		csys_select_case cases[CASES];
		int chosen[CASES] = { 0 };
		for (int i = 0; i < CASES; i++)
			cases[i] = receives(&empty, &letter);
		cases[first] = cases[first + 1] = sends(&channel, &value);
		for (int round = 0; round < ROUNDS; round++) {
			size_t which;
			assert_int_equal(csys_try_select(cases, CASES, &which), 0);
			chosen[which]++;
			assert_receives(&channel, 1);
		}
		assert_fair(chosen[first], ROUNDS, 2);
		assert_fair(chosen[first + 1], ROUNDS, 2);
	}
	close_unwaited(&channel, 1);
	close_unwaited(&empty, 1);
}

/* ---- the same channel -------------------------------------------------------------------- */

static void of_two_receives_at_one_channel_one_is_done(const struct shape *shape)
{
	struct channel channel;
	open_for_many(&channel, shape);
	int chosen[2] = { 0 };
	for (uint64_t i = 0; i < 40; i++) {
		struct letter letters[] = { blank(), blank() };
		const csys_select_case cases[] = { receives(&channel, &letters[0]),
						   receives(&channel, &letters[1]) };
		struct partner partner;
		size_t which = 77;
		make_receivable(&partner, &channel, i);
		assert_int_equal(csys_select(cases, 2, &which), 0);
		assert_in_range(which, 0, 1);
		chosen[which]++;
		assert_true(has_number(&letters[which], shape->size, i));
		assert_true(is_blank(&letters[1 - which]));
		end_sending(&partner);
		assert_empty(&channel);
	}
	assert_true(chosen[0] > 0 && chosen[1] > 0);
	close_unwaited(&channel, 1);
}

static void of_two_sends_at_one_channel_one_is_done(const struct shape *shape)
{
	struct channel channel;
	open_for_many(&channel, shape);
	int chosen[2] = { 0 };
	for (uint64_t i = 0; i < 40; i++) {
		struct letter letters[] = { letter_of(shape->size, 1), letter_of(shape->size, 2) };
		const csys_select_case cases[] = { sends(&channel, &letters[0]),
						   sends(&channel, &letters[1]) };
		struct partner partner = { 0 };
		size_t which = 77;
		if (is_rendezvous(shape))
			make_sendable(&partner, &channel);
		assert_int_equal(csys_select(cases, 2, &which), 0);
		assert_in_range(which, 0, 1);
		chosen[which]++;
		if (partner.is_there)
			end_recv(&partner.call, which + 1);
		else
			assert_receives(&channel, which + 1);
		assert_empty(&channel);
	}
	assert_true(chosen[0] > 0 && chosen[1] > 0);
	close_unwaited(&channel, 1);
}

static void both_directions_of_one_channel_are_told_apart(const struct shape *shape)
{
	struct channel channel;
	open_for_many(&channel, shape);
	for (uint64_t i = 0; i < 20; i++) {
		struct letter out = blank(), in = letter_of(shape->size, 90);
		csys_select_case cases[2];
		size_t which = 77, send_at = i % 2;
		cases[send_at] = sends(&channel, &in);
		cases[1 - send_at] = receives(&channel, &out);
		assert_int_equal(csys_select(cases, 2, &which), 0);
		assert_int_equal(which, send_at);
		assert_true(is_blank(&out));
		assert_receives(&channel, 90);
		fill_up(&channel, i);
		assert_int_equal(csys_select(cases, 2, &which), 0);
		assert_int_equal(which, 1 - send_at);
		assert_true(has_number(&out, shape->size, i));
		for (uint64_t k = 1; k < shape->capacity; k++)
			assert_receives(&channel, i + k);
		assert_empty(&channel);
	}
	close_unwaited(&channel, 1);
}

static void what_is_sent_by_one_case_may_be_received_by_the_other_later(void **state)
{
	(void)state;
	struct channel channel;
	open_for_many(&channel, &unbounded);
	uint64_t sent = 0, received = 0;
	for (int i = 0; i < 2000; i++) {
		struct letter out = blank(), in = letter_of(8, sent);
		const csys_select_case cases[] = { receives(&channel, &out), sends(&channel, &in) };
		size_t which;
		assert_int_equal(csys_select(cases, 2, &which), 0);
		if (which == 1)
			sent++;
		else
			assert_true(has_number(&out, 8, received++));
		assert_int_equal(csys_receiver_len(channel.rx), sent - received);
	}
	assert_true(sent > 800 && received > 500);
	close_unwaited(&channel, 1);
}

static void a_thread_does_not_meet_itself(void **state)
{
	(void)state;
	struct channel channel;
	open_for_many(&channel, &rendezvous);
	struct letter out = blank(), in = letter_of(8, 1);
	const csys_select_case cases[] = { sends(&channel, &in), receives(&channel, &out),
					   sends(&channel, &in), receives(&channel, &out) };
	size_t which = 77;
	for (size_t count = 2; count <= 4; count++) {
		assert_int_equal(csys_try_select(cases, count, &which), CSYS_EAGAIN);
		assert_int_equal(csys_select_until(cases, count, csys_after_ms(1), &which),
				 CSYS_ETIMEDOUT);
		assert_int_equal(csys_select_biased_until(cases, count, csys_after_ms(1), &which),
				 CSYS_ETIMEDOUT);
	}
	assert_int_equal(which, 77);
	assert_true(is_blank(&out));
	close_unwaited(&channel, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(the_biased_form_does_the_first),
		TEST_ONE(of_several_that_can_be_done_each_has_its_turn),
		TEST_ONE(neighbours_have_the_same_chances),
		TEST_ON(OF_ALL, of_two_receives_at_one_channel_one_is_done),
		TEST_ON(OF_ALL, of_two_sends_at_one_channel_one_is_done),
		TEST_ON(OF_BOUNDED, both_directions_of_one_channel_are_told_apart),
		TEST_ONE(what_is_sent_by_one_case_may_be_received_by_the_other_later),
		TEST_ONE(a_thread_does_not_meet_itself),
	};
	count_memory();
	return RUN(tests);
}
