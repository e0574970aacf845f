/*
 * sync/test_select_many.c - promises of csys/sync/select.h: many cases, memory, and typed channels.
 */
#include <stdlib.h>

#include "base/atomic.h"
#include "support/select.h"
#include "support/thread.h"

#define FEW 16 /* that need no memory */

static const struct shape unbounded = { 8, 0, CSYS_UNBOUNDED }, one = { 8, 0, 1 },
			  rendezvous = { 8, 0, 0 };

/* A select of many cases over some channels of all kinds, one after the other. */
enum { CHANNELS = 7 };
struct crowd {
	struct channel channels[CHANNELS];
	csys_select_case *cases;
	uint64_t *values;
	size_t count;
};

static void make_crowd(struct crowd *crowd, size_t count)
{
	const struct shape *shapes[] = { &unbounded, &one, &rendezvous };
	for (int i = 0; i < CHANNELS; i++)
		open_for_many(&crowd->channels[i], shapes[i % 3]);
	crowd->count = count;
	crowd->cases = malloc(count * sizeof *crowd->cases);
	crowd->values = calloc(count, sizeof *crowd->values);
	assert_true(crowd->cases && crowd->values);
	for (size_t i = 0; i < count; i++)
		crowd->cases[i] =
			csys_select_recv(crowd->channels[i % CHANNELS].rx, &crowd->values[i]);
}

static void end_crowd(struct crowd *crowd)
{
	close_unwaited(crowd->channels, CHANNELS);
	free(crowd->cases);
	free(crowd->values);
}

/* Exactly this case has received. */
static void assert_received(const struct crowd *crowd, size_t which, uint64_t number)
{
	for (size_t i = 0; i < crowd->count; i++)
		assert_true(i == which ? number_of(&crowd->values[i]) == number
				       : crowd->values[i] == 0);
	crowd->values[which] = 0;
}

static const size_t counts[] = { 1, FEW, FEW + 1, 100, 1000, 5000 };

static void any_number_of_cases_can_be_tried(void **state)
{
	(void)state;
	for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
		struct crowd crowd;
		size_t which = 77;
		make_crowd(&crowd, counts[c]);
		assert_int_equal(csys_try_select(crowd.cases, crowd.count, &which), CSYS_EAGAIN);
		assert_int_equal(
			csys_select_until(crowd.cases, crowd.count, csys_after_ms(1), &which),
			CSYS_ETIMEDOUT);
		assert_int_equal(which, 77);
		for (size_t i = 0; i < CHANNELS && i < crowd.count; i++) {
			struct partner partner;
			make_receivable(&partner, &crowd.channels[i], 900 + i);
			assert_int_equal(csys_select(crowd.cases, crowd.count, &which), 0);
			assert_int_equal(which % CHANNELS, i);
			end_sending(&partner);
			assert_received(&crowd, which, 900 + i);
		}
		end_crowd(&crowd);
	}
}

struct waiter {
	struct crowd crowd;
	int result;
	size_t which;
};

static void *wait_in_crowd(void *argument)
{
	struct waiter *waiter = argument;
	waiter->result = csys_select(waiter->crowd.cases, waiter->crowd.count, &waiter->which);
	return NULL;
}

static void any_number_of_cases_can_be_waited_for(void **state)
{
	(void)state;
	for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
		struct waiter waiter;
		make_crowd(&waiter.crowd, counts[c]);
		for (size_t i = 0; i < CHANNELS && i < counts[c]; i++) {
			struct channel *channels = waiter.crowd.channels;
			pthread_t thread;
			assert_int_equal(pthread_create(&thread, NULL, wait_in_crowd, &waiter), 0);
			for (size_t k = 0; k < CHANNELS; k++)
				await_receivers(&channels[k],
						(int)((counts[c] + CHANNELS - 1 - k) / CHANNELS));
			assert_sends(&channels[i], 800 + i);
			pthread_join(thread, NULL);
			assert_int_equal(waiter.result, 0);
			assert_int_equal(waiter.which % CHANNELS, i);
			assert_received(&waiter.crowd, waiter.which, 800 + i);
			for (size_t k = 0; k < CHANNELS; k++)
				assert_nobody_waits(&channels[k]);
		}
		end_crowd(&waiter.crowd);
	}
}

static void sixteen_cases_need_no_memory(void **state)
{
	(void)state;
	struct crowd crowd;
	size_t which = 77;
	make_crowd(&crowd, FEW);
	uint32_t blocks = blocks_made();
	csysi_fault_exhaust(1, CSYS_ENOMEM);
	assert_int_equal(csys_select_until(crowd.cases, FEW, csys_after_us(200), &which),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_try_select(crowd.cases, FEW, &which), CSYS_EAGAIN);
	assert_false(csysi_fault_fired());
	csysi_fault_arm(0);
	assert_int_equal(blocks_made(), blocks);
	end_crowd(&crowd);
}

static void more_need_memory_and_without_it_nothing_happens(void **state)
{
	(void)state;
	for (size_t count = FEW + 1; count < 2000; count *= 10) {
		struct crowd crowd;
		int nth = 1;
		make_crowd(&crowd, count);
		assert_sends(&crowd.channels[1], 600);
		for (;; nth++) {
			size_t which = 77;
			csysi_fault_arm(nth);
			int r = nth % 2 ? csys_select(crowd.cases, count, &which)
					: csys_try_select(crowd.cases, count, &which);
			if (!csysi_fault_fired()) {
				assert_int_equal(r, 0);
				assert_received(&crowd, which, 600);
				break;
			}
			assert_int_equal(r, CSYS_ENOMEM);
			assert_int_equal(which, 77);
			assert_int_equal(csys_receiver_len(crowd.channels[1].rx), 1);
			for (size_t i = 0; i < count; i++)
				assert_true(crowd.values[i] == 0);
		}
		assert_int_equal(nth, 2);
		csysi_fault_arm(0);
		end_crowd(&crowd);
	}
}

static void a_send_without_memory_fails_and_keeps_its_message(const struct shape *shape)
{
	struct channel channel, empty;
	struct letter letter, unused = blank();
	uint64_t sent = 0, received = 0;
	int failures = 0;
	open_for_many(&channel, shape);
	open_for_many(&empty, &one);
	while (failures < 3) {
		size_t which = 77;
		letter = letter_of(shape->size, sent);
		const csys_select_case cases[] = { receives(&empty, &unused),
						   sends(&channel, &letter) };
		csysi_fault_exhaust(1, CSYS_ENOMEM);
		int r = csys_select(cases, 2, &which);
		csysi_fault_arm(0);
		if (r != 0) {
			assert_int_equal(r, CSYS_ENOMEM);
			assert_int_equal(which, 77);
			assert_int_equal(csys_receiver_len(channel.rx), sent);
			failures++;
			assert_int_equal(csys_select(cases, 2, &which), 0);
		}
		assert_int_equal(which, 1);
		assert_true(has_number(&letter, shape->size, sent));
		sent++;
	}
	while (received < sent)
		assert_receives(&channel, received++);
	assert_empty(&channel);
	assert_true(is_blank(&unused));
	close_unwaited(&channel, 1);
	close_unwaited(&empty, 1);
}

static void two_of_a_thousand_have_the_same_chances(void **state)
{
	(void)state;
	enum { COUNT = 1000, ROUNDS = 2000 };
	static csys_select_case cases[COUNT];
	struct channel channel;
	uint64_t value = 5;
	int chosen[COUNT] = { 0 };
	open_for_many(&channel, &unbounded);
	cases[1] = cases[COUNT - 1] = csys_select_send(channel.tx, &value);
	for (int i = 0; i < ROUNDS; i++) {
		size_t which;
		assert_int_equal(csys_try_select(cases, COUNT, &which), 0);
		chosen[which]++;
	}
	assert_in_range(chosen[1], ROUNDS * 2 / 5, ROUNDS * 3 / 5);
	assert_int_equal(chosen[1] + chosen[COUNT - 1], ROUNDS);
	close_unwaited(&channel, 1);
}

/* ---- typed channels ---------------------------------------------------------------------- */

struct point {
	int x, y, z;
};
CSYS_CHANNEL_DEFINE(points, struct point);
CSYS_CHANNEL_DEFINE(names, const char *);

static void typed_cases_send_and_receive_values_of_their_type(void **state)
{
	(void)state;
	points_sender points_tx;
	points_receiver points_rx;
	names_sender names_tx;
	names_receiver names_rx;
	assert_int_equal(points_new(1, NULL, &points_tx, &points_rx), 0);
	assert_int_equal(names_new(1, NULL, &names_tx, &names_rx), 0);
	struct point in = { 1, 2, 3 }, out = { 0, 0, 0 };
	const char *name = "a name", *got = NULL;
	const csys_select_case cases[] = { points_select_send(points_tx, &in),
					   names_select_recv(names_rx, &got),
					   points_select_recv(points_rx, &out),
					   names_select_send(names_tx, &name) };
	int chosen[4] = { 0 };
	for (int i = 0; i < 400; i++) {
		size_t which = 77;
		in.x = i;
		int were_points = (int)csys_receiver_len(points_rx.core);
		int were_names = (int)csys_receiver_len(names_rx.core);
		out.x = -1;
		got = NULL;
		assert_int_equal(csys_select(cases, 4, &which), 0);
		chosen[which]++;
		assert_int_equal(which < 3 && which != 1 ? were_points : were_names,
				 which == 1 || which == 2);
		assert_true((out.x >= 0 && out.y == 2 && out.z == 3) == (which == 2));
		assert_true((got == name) == (which == 1));
	}
	for (int i = 0; i < 4; i++)
		assert_true(chosen[i] > 50);
	points_sender_close(points_tx);
	points_receiver_close(points_rx);
	names_sender_close(names_tx);
	names_receiver_close(names_rx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(any_number_of_cases_can_be_tried),
		TEST_ONE(any_number_of_cases_can_be_waited_for),
		TEST_ONE(sixteen_cases_need_no_memory),
		TEST_ONE(more_need_memory_and_without_it_nothing_happens),
		TEST_ON(OF_UNBOUNDED, a_send_without_memory_fails_and_keeps_its_message),
		TEST_ONE(two_of_a_thousand_have_the_same_chances),
		TEST_ONE(typed_cases_send_and_receive_values_of_their_type),
	};
	count_memory();
	return RUN(tests);
}
