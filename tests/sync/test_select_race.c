/*
 * sync/test_select_race.c - promises of csys/sync/select.h: what both sides of a hand-over say is
 * the same, however they race.
 */
#define _XOPEN_SOURCE 700
#include <string.h>

#include "base/atomic.h"
#include "support/select.h"
#include "support/thread.h"

#define ROUNDS (is_watched() ? 400 : 2000)

/* Two channels of one kind, and what two threads have done with them. */
struct race {
	struct channel channels[2];
	int is_timed, is_same; /* deadlines; both directions at one channel */
	struct side {
		struct race *race;
		int is_second;
		unsigned seed;
		uint64_t sent[2], received[2], sum_sent, sum_received;
	} sides[2];
};

static unsigned roll(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static csys_deadline deadline_of(struct side *side)
{
	return side->race->is_timed ? csys_after_ns(roll(&side->seed) % 40000) : CSYS_FOREVER;
}

/* One select: the first thread sends to channel 0 and receives from 1; the second does the
 * opposite. */
static int go(struct side *side, uint64_t number)
{
	struct race *race = side->race;
	int out = race->is_same ? 0 : side->is_second, in = race->is_same ? 0 : !side->is_second;
	size_t size = race->channels[0].shape.size, which = 77, send_at = roll(&side->seed) % 2;
	struct letter to = letter_of(size, number), from = blank();
	csys_select_case cases[2];
	cases[send_at] = sends(&race->channels[out], &to);
	cases[1 - send_at] = receives(&race->channels[in], &from);
	int r = csys_select_until(cases, 2, deadline_of(side), &which);
	if (r != 0)
		return r;
	if (which == send_at) {
		side->sent[out]++;
		side->sum_sent += number;
	} else {
		side->received[in]++;
		side->sum_received += number_of(from.bytes);
	}
	return is_blank(&from) == (which == send_at) && has_number(&to, size, number) ? 0 : 77;
}

static void *run_side(void *argument)
{
	struct side *side = argument;
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		int r = go(side, i);
		if (r != 0 && !(side->race->is_timed && r == CSYS_ETIMEDOUT))
			return side;
	}
	return NULL;
}

static void drain(struct race *race, struct side *side)
{
	size_t size = race->channels[0].shape.size;
	for (int i = 0; i < 2; i++) {
		struct letter letter = blank();
		while (csys_receiver_try_recv(race->channels[i].rx, letter.bytes) == 0) {
			side->received[i]++;
			side->sum_received += number_of(letter.bytes);
			assert_false(is_blank(&letter));
			letter = blank();
		}
		assert_true(size >= 8);
	}
}

static void run_race(const struct shape *shape, int is_timed, int is_same)
{
	struct race race;
	pthread_t threads[2];
	void *failed[2];
	memset(&race, 0, sizeof race);
	race.is_timed = is_timed;
	race.is_same = is_same;
	for (int i = 0; i < 2; i++) {
		open_for_many(&race.channels[i], shape);
		race.sides[i].race = &race;
		race.sides[i].is_second = i;
		race.sides[i].seed = (unsigned)i + (unsigned)shape->size;
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_side, &race.sides[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], &failed[i]);
	assert_null(failed[0]);
	assert_null(failed[1]);
	drain(&race, &race.sides[0]);
	struct side *a = &race.sides[0], *b = &race.sides[1];
	for (int i = 0; i < 2; i++)
		assert_int_equal(a->sent[i] + b->sent[i], a->received[i] + b->received[i]);
	assert_true(a->sum_sent + b->sum_sent == a->sum_received + b->sum_received);
	close_unwaited(race.channels, 2);
}

static const struct shape raced[] = {
	{ 8, 0, 0 }, { 64, 0, 0 }, { 8, 0, 1 }, { 64, 0, 1 }, { 8, 0, 3 }, { 5000, 0, 0 },
};
#define ALL_RACED (int)(sizeof raced / sizeof *raced)

static void two_selects_meet_at_either_channel(void **state)
{
	(void)state;
	for (int i = 0; i < ALL_RACED; i++)
		if (is_rendezvous(&raced[i]))
			run_race(&raced[i], 0, 0);
}

static void two_selects_meet_at_one_channel_in_both_directions(void **state)
{
	(void)state;
	for (int i = 0; i < ALL_RACED; i++)
		if (is_rendezvous(&raced[i]))
			run_race(&raced[i], 0, 1);
}

static void a_deadline_and_a_hand_over_never_both_happen(void **state)
{
	(void)state;
	for (int i = 0; i < ALL_RACED; i++)
		for (int is_same = 0; is_same < 2; is_same++)
			run_race(&raced[i], 1, is_same);
}

/* ---- a select beside plain calls --------------------------------------------------------- */

struct plain {
	struct channel *channel;
	uint64_t done, sum;
	uint32_t *is_over; /* atomic */
};

static void *send_with_deadlines(void *argument)
{
	struct plain *plain = argument;
	unsigned seed = 5;
	struct letter letter;
	for (uint64_t i = 1; i <= ROUNDS; i++) {
		letter = letter_of(plain->channel->shape.size, i);
		if (csys_sender_send_until(plain->channel->tx, letter.bytes,
					   csys_after_ns(roll(&seed) % 30000)) == 0) {
			plain->done++;
			plain->sum += i;
		}
	}
	csysi_add_acq_rel(plain->is_over, 1);
	return NULL;
}

static void plain_senders_and_a_select_agree(void **state)
{
	(void)state;
	for (int i = 0; i < ALL_RACED; i++) {
		struct channel channels[2];
		struct plain plain[2];
		pthread_t threads[2];
		uint32_t over = 0;
		uint64_t received[2] = { 0 }, sum[2] = { 0 };
		unsigned seed = 9;
		for (int k = 0; k < 2; k++) {
			open_for_many(&channels[k], &raced[i]);
			plain[k] = (struct plain){ &channels[k], 0, 0, &over };
			assert_int_equal(
				pthread_create(&threads[k], NULL, send_with_deadlines, &plain[k]),
				0);
		}
		for (int is_last = 0; !is_last;) {
			struct letter letter = blank();
			const csys_select_case cases[] = { receives(&channels[0], &letter),
							   receives(&channels[1], &letter) };
			size_t which;
			is_last = csysi_load_acquire(&over) == 2;
			if (csys_select_until(cases, 2, csys_after_ns(roll(&seed) % 30000),
					      &which) == 0) {
				received[which]++;
				sum[which] += number_of(letter.bytes);
				is_last = 0;
			}
		}
		for (int k = 0; k < 2; k++) {
			pthread_join(threads[k], NULL);
			assert_true(received[k] == plain[k].done);
			assert_true(sum[k] == plain[k].sum);
		}
		close_unwaited(channels, 2);
	}
}

/* Two threads that want room, and two that make it, in turn: no wake is lost. */
static void *send_by_select(void *argument)
{
	struct channel *channels = argument;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		struct letter letter = letter_of(8, i);
		const csys_select_case cases[] = { sends(&channels[0], &letter),
						   sends(&channels[1], &letter) };
		size_t which;
		if (csys_select(cases, 2, &which) != 0)
			return argument;
	}
	return NULL;
}

static void *receive_by_select(void *argument)
{
	struct channel *channels = argument;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		struct letter letter = blank();
		const csys_select_case cases[] = { receives(&channels[0], &letter),
						   receives(&channels[1], &letter) };
		size_t which;
		if (csys_select(cases, 2, &which) != 0)
			return argument;
	}
	return NULL;
}

static void no_select_sleeps_for_ever_while_others_make_room(void **state)
{
	(void)state;
	for (int i = 0; i < ALL_RACED; i++) {
		struct channel channels[2];
		pthread_t threads[4];
		if (raced[i].size != 8)
			continue;
		for (int k = 0; k < 2; k++)
			open_for_many(&channels[k], &raced[i]);
		for (int k = 0; k < 4; k++)
			assert_int_equal(pthread_create(&threads[k], NULL,
							k % 2 ? send_by_select : receive_by_select,
							channels),
					 0);
		for (int k = 0; k < 4; k++) {
			void *failed;
			pthread_join(threads[k], &failed);
			assert_null(failed);
		}
		for (int k = 0; k < 2; k++)
			assert_empty(&channels[k]);
		close_unwaited(channels, 2);
	}
}

struct last {
	struct channel channel;
	pthread_barrier_t barrier;
};

static void *send_and_close(void *argument)
{
	struct last *last = argument;
	struct letter letter = letter_of(last->channel.shape.size, 1);
	pthread_barrier_wait(&last->barrier);
	CHECK(csys_sender_send(last->channel.tx, letter.bytes) == 0);
	csys_sender_close(last->channel.tx);
	return NULL;
}

static void what_was_sent_before_the_last_close_is_received_by_a_select(void **state)
{
	static const struct shape shapes[] = { { 8, 0, CSYS_UNBOUNDED }, { 8, 0, 2 } };
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct last last;
		struct letter got = blank();
		size_t which;
		pthread_t thread;
		int r;
		open_channel(&last.channel, &shapes[round % 2]);
		pthread_barrier_init(&last.barrier, NULL, 2);
		assert_int_equal(pthread_create(&thread, NULL, send_and_close, &last), 0);
		const csys_select_case cases[] = { receives(&last.channel, &got) };
		pthread_barrier_wait(&last.barrier);
		while ((r = csys_try_select(cases, 1, &which)) == CSYS_EAGAIN)
			;
		assert_int_equal(r, 0);
		pthread_join(thread, NULL);
		assert_int_equal(csys_try_select(cases, 1, &which), CSYS_EDISCONNECTED);
		pthread_barrier_destroy(&last.barrier);
		csys_receiver_close(last.channel.rx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(two_selects_meet_at_either_channel),
		TEST_ONE(two_selects_meet_at_one_channel_in_both_directions),
		TEST_ONE(a_deadline_and_a_hand_over_never_both_happen),
		TEST_ONE(plain_senders_and_a_select_agree),
		TEST_ONE(no_select_sleeps_for_ever_while_others_make_room),
		TEST_ONE(what_was_sent_before_the_last_close_is_received_by_a_select),
	};
	count_memory();
	return RUN(tests);
}
