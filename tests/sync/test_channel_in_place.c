/*
 * sync/test_channel_in_place.c - promises of csys/sync/channel_in_place.h; also:
 * test_channel_peek.c.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/thread.h"

static const size_t sizes[] = { 8, 16, 24, 600, MOST_SIZE };
enum { SIZES = 5 };

static void open_of(struct channel *channel, size_t size, size_t capacity)
{
	const struct shape shape = { size, 8, capacity };
	open_channel_with(channel, &shape, (csys_channel_options){ .many_receivers = 1 });
}

static void *reserved(struct channel *channel, uint64_t number)
{
	void *place = NULL;
	assert_int_equal(csys_sender_try_reserve(channel->tx, &place), 0);
	assert_non_null(place);
	fill(place, channel->shape.size, number);
	return place;
}

static void commit(struct channel *channel, void *place)
{
	assert_int_equal(csys_sender_commit(channel->tx, place), 0);
}

static void assert_len(const struct channel *channel, size_t len)
{
	assert_int_equal(csys_sender_len(channel->tx), len);
}

/* ---- reserving and committing ------------------------------------------------------------ */

static void a_message_is_received_when_it_is_committed_and_not_before(void **state)
{
	(void)state;
	for (int s = 0; s < SIZES; s++) {
		struct channel channel;
		open_of(&channel, sizes[s], 2);
		for (uint64_t i = 0; i < 9; i++) {
			void *place = reserved(&channel, i);
			assert_empty(&channel);
			assert_len(&channel, 0);
			commit(&channel, place);
			assert_len(&channel, 1);
			assert_receives(&channel, i);
			assert_empty(&channel);
		}
		close_channel(&channel);
		assert_drops(&channel, 0, 0);
	}
}

static void a_place_is_aligned_as_messages_are(void **state)
{
	(void)state;
	for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
		const struct shape shape = { alignment == 1 ? 3 : 3 * alignment, alignment, 3 };
		struct channel channel;
		open_channel(&channel, &shape);
		for (int i = 0; i < 7; i++) {
			void *place;
			assert_int_equal(csys_sender_reserve(channel.tx, CSYS_POLL, &place), 0);
			assert_int_equal((uintptr_t)place % alignment, 0);
			csys_sender_abort(channel.tx, place);
		}
		close_channel(&channel);
	}
}

static void messages_behind_a_reserved_place_are_received_after_it(void **state)
{
	(void)state;
	struct channel channel;
	open_of(&channel, 600, 5);
	for (int round = 0; round < 5; round++) {
		assert_sends(&channel, 1);
		void *place = reserved(&channel, 2);
		assert_sends_all(&channel, 3, 3);
		assert_full(&channel);
		assert_len(&channel, 4);
		assert_receives(&channel, 1);
		assert_empty(&channel);
		assert_int_equal(drained(channel.rx), 0);
		commit(&channel, place);
		assert_receives_all(&channel, 2, 4);
		assert_empty(&channel);
	}
	close_channel(&channel);
}

static void places_are_received_as_reserved_however_they_are_committed(void **state)
{
	(void)state;
	struct channel channel;
	open_of(&channel, 600, 3);
	for (int round = 0; round < 6; round++) {
		static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
						  { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
		void *places[3];
		for (int i = 0; i < 3; i++)
			places[i] = reserved(&channel, (uint64_t)i);
		void *more = &channel;
		assert_int_equal(csys_sender_try_reserve(channel.tx, &more), CSYS_EAGAIN);
		assert_int_equal(csys_sender_reserve(channel.tx, CSYS_POLL, &more), CSYS_ETIMEDOUT);
		assert_int_equal(csys_sender_reserve(channel.tx, csys_after_ns(1), &more),
				 CSYS_ETIMEDOUT);
		assert_ptr_equal(more, &channel);
		for (int i = 0; i < 3; i++)
			commit(&channel, places[orders[round][i]]);
		assert_receives_all(&channel, 0, 3);
	}
	close_channel(&channel);
}

static void channels_that_are_not_bounded_have_no_places(void **state)
{
	(void)state;
	static const size_t others[] = { CSYS_UNBOUNDED, 0 };
	for (int i = 0; i < 2; i++) {
		struct channel channel;
		void *place = &channel;
		open_of(&channel, 600, others[i]);
		assert_int_equal(csys_sender_try_reserve(channel.tx, &place), CSYS_ENOTSUP);
		assert_int_equal(csys_sender_reserve(channel.tx, CSYS_FOREVER, &place),
				 CSYS_ENOTSUP);
		assert_int_equal(csys_receiver_try_peek(channel.rx, &place), CSYS_ENOTSUP);
		assert_int_equal(csys_receiver_peek(channel.rx, CSYS_FOREVER, &place),
				 CSYS_ENOTSUP);
		assert_ptr_equal(place, &channel);
		close_channel(&channel);
	}
}

/* ---- aborting ---------------------------------------------------------------------------- */

static void an_aborted_place_with_nothing_behind_it_is_free_at_once(void **state)
{
	(void)state;
	struct channel channel;
	open_of(&channel, 24, 3);
	for (unsigned round = 0; round < 27; round++) {
		void *places[3];
		unsigned order[3] = { round % 3, round / 3 % 3, round / 9 };
		if (order[0] == order[1] || order[1] == order[2] || order[0] == order[2])
			continue;
		for (unsigned i = 0; i < 3; i++)
			places[i] = reserved(&channel, 5);
		for (unsigned i = 0; i < 3; i++) {
			csys_sender_abort(channel.tx, places[order[i]]);
			assert_len(&channel, 0);
		}
		/* No receiver has come by since. */
		assert_sends_all(&channel, round, 3);
		assert_full(&channel);
		assert_receives_all(&channel, round, 3);
	}
	close_channel(&channel);
	assert_drops(&channel, 0, 0);
}

/* Each way to receive one message. */
static int receive_by(struct channel *channel, int way, void *value)
{
	size_t count = 0;
	csys_select_case one = csys_select_recv(channel->rx, value);
	void *place;
	int r;
	switch (way) {
	case 0:
		return csys_receiver_try_recv(channel->rx, value);
	case 1:
		return csys_receiver_recv(channel->rx, value);
	case 2:
		return csys_receiver_recv_batch(channel->rx, value, 1, CSYS_POLL, &count);
	case 3:
		return csys_select(&one, 1, &count);
	default:
		r = csys_receiver_try_peek(channel->rx, &place);
		if (r < 0)
			return r;
		memcpy(value, place, channel->shape.size);
		csys_receiver_release(channel->rx);
		return 0;
	}
}

static void receivers_pass_over_an_aborted_place(void **state)
{
	(void)state;
	for (int way = 0; way < 5; way++) {
		for (int where = 0; where < 3; where++) {
			struct channel channel;
			unsigned char value[600];
			open_of(&channel, 600, 3);
			for (int lap = 0; lap < 5; lap++) {
				void *place = NULL;
				for (int i = 0; i < 3; i++)
					if (i == where)
						place = reserved(&channel, 77);
					else
						assert_sends(&channel, (uint64_t)i);
				csys_sender_abort(channel.tx, place);
				assert_len(&channel, 2);
				for (int i = 0; i < 3; i++) {
					if (i == where)
						continue;
					assert_int_equal(receive_by(&channel, way, value), 0);
					assert_true(is_message(value, 600, (uint64_t)i));
				}
				assert_empty(&channel);
				assert_len(&channel, 0);
			}
			close_channel(&channel);
			assert_drops(&channel, 0, 0);
		}
	}
}

static void a_batch_and_a_drain_go_on_behind_aborted_places(void **state)
{
	(void)state;
	struct channel channel;
	open_of(&channel, 8, 8);
	for (int round = 0; round < 6; round++) {
		void *places[4];
		unsigned char values[8 * 8];
		size_t count;
		for (int i = 0; i < 4; i++) {
			places[i] = reserved(&channel, 9);
			assert_sends(&channel, (uint64_t)i);
		}
		for (int i = 0; i < 4; i++)
			csys_sender_abort(channel.tx, places[i]);
		assert_int_equal(csys_receiver_recv_batch(channel.rx, values, round < 3 ? 8 : 4,
							  CSYS_POLL, &count),
				 0);
		assert_int_equal(count, 4);
		for (int i = 0; i < 4; i++)
			assert_true(is_message(values + 8 * i, 8, (uint64_t)i));
		/* And all of the room is there. */
		assert_sends_all(&channel, 0, 8);
		channel.drops.next = 0;
		channel.drops.count = 0;
		assert_int_equal(drained(channel.rx), 8);
	}
	close_channel(&channel);
}

/* ---- waiting ----------------------------------------------------------------------------- */

static void a_waiting_receiver_goes_on_at_the_commit(void **state)
{
	(void)state;
	for (int many = 0; many < 2; many++) {
		struct channel channel;
		struct call calls[3];
		open_of(&channel, 24, 4);
		int count = many ? 3 : 1;
		for (int i = 0; i < count; i++) {
			begin_recv(&calls[i], &channel, CSYS_FOREVER);
			await_sleep(&calls[i]);
		}
		void *place = reserved(&channel, 7);
		for (int i = 1; i < count; i++)
			assert_sends(&channel, 7);
		for (int i = 0; i < count; i++)
			await_sleep(&calls[i]);
		commit(&channel, place);
		/* As many as there are messages. */
		for (int i = 0; i < count; i++)
			end_recv(&calls[i], 7);
		close_channel(&channel);
	}
}

static void a_waiting_receiver_goes_on_behind_an_aborted_place(void **state)
{
	(void)state;
	struct channel channel;
	struct call calls[2];
	open_of(&channel, 24, 4);
	for (int i = 0; i < 2; i++)
		begin_recv(&calls[i], &channel, CSYS_FOREVER);
	for (int i = 0; i < 2; i++)
		await_sleep(&calls[i]);
	void *place = reserved(&channel, 7);
	assert_sends(&channel, 8);
	assert_sends(&channel, 8);
	csys_sender_abort(channel.tx, place);
	end_recv(&calls[0], 8);
	end_recv(&calls[1], 8);
	close_channel(&channel);
}

static void a_receiver_with_a_deadline_does_not_wait_for_a_reserved_place(void **state)
{
	(void)state;
	struct channel channel;
	unsigned char value[24];
	open_of(&channel, 24, 4);
	void *place = reserved(&channel, 7);
	assert_sends(&channel, 8);
	assert_int_equal(csys_receiver_recv_until(channel.rx, csys_after_ms(1), value),
			 CSYS_ETIMEDOUT);
	csys_sender_abort(channel.tx, place);
	assert_receives(&channel, 8);
	close_channel(&channel);
}

static void *reserve_and_abort(void *sender)
{
	void *place;
	CHECK(csys_sender_reserve(sender, CSYS_FOREVER, &place) == 0);
	csys_sender_abort(sender, place);
	return NULL;
}

static void senders_that_wait_for_room_go_on_when_places_are_aborted(void **state)
{
	(void)state;
	for (int is_first = 0; is_first < 2; is_first++) {
		struct channel channel;
		struct call call;
		pthread_t thread;
		unsigned char value[24];
		open_of(&channel, 24, 2);
		void *first = reserved(&channel, 1), *second = reserved(&channel, 2);
		begin_send(&call, &channel, 3, CSYS_FOREVER);
		await_sleep(&call);
		assert_int_equal(pthread_create(&thread, NULL, reserve_and_abort, channel.tx), 0);
		csys_sender_abort(channel.tx, is_first ? first : second);
		csys_sender_abort(channel.tx, is_first ? second : first);
		assert_int_equal(csys_receiver_recv(channel.rx, value), 0);
		assert_true(is_message(value, 24, 3));
		assert_int_equal(end_call(&call), 0);
		pthread_join(thread, NULL);
		assert_empty(&channel);
		close_channel(&channel);
	}
}

static void a_sender_goes_on_when_a_waiting_receiver_passes_over(void **state)
{
	(void)state;
	struct channel channel;
	struct call sending, receiving;
	open_of(&channel, 24, 2);
	void *first = reserved(&channel, 1), *second = reserved(&channel, 2);
	begin_recv(&receiving, &channel, CSYS_FOREVER);
	await_sleep(&receiving);
	begin_send(&sending, &channel, 3, CSYS_FOREVER);
	await_sleep(&sending);
	csys_sender_abort(channel.tx, first);
	assert_int_equal(end_call(&sending), 0);
	csys_sender_abort(channel.tx, second);
	end_recv(&receiving, 3);
	close_channel(&channel);
}

/* ---- ends -------------------------------------------------------------------------------- */

static void closing_the_receiver_leaves_a_reserved_place_with_its_sender(void **state)
{
	(void)state;
	for (int s = 0; s < SIZES; s++) {
		struct channel channel;
		void *none = &channel;
		open_of(&channel, sizes[s], 5);
		assert_sends(&channel, 0);
		void *first = reserved(&channel, 50);
		assert_sends(&channel, 1);
		void *second = reserved(&channel, 60);
		assert_sends(&channel, 2);
		csys_receiver_close(channel.rx); /* does not wait */
		assert_drops(&channel, 0, 3);
		assert_no_receiver(&channel);
		assert_int_equal(csys_sender_try_reserve(channel.tx, &none), CSYS_EDISCONNECTED);
		assert_int_equal(csys_sender_reserve(channel.tx, CSYS_FOREVER, &none),
				 CSYS_EDISCONNECTED);
		/* However often it is tried. */
		for (int i = 0; i < 3; i++)
			assert_int_equal(csys_sender_commit(channel.tx, first), CSYS_EDISCONNECTED);
		assert_true(is_message(first, sizes[s], 50));
		assert_true(is_message(second, sizes[s], 60));
		csys_sender_abort(channel.tx, s % 2 ? first : second);
		csys_sender_abort(channel.tx, s % 2 ? second : first);
		assert_int_equal(csys_sender_len(channel.tx), 0);
		csys_sender_close(channel.tx);
		assert_drops(&channel, 0, 3);
	}
}

/* ---- misuse ------------------------------------------------------------------------------ */

static struct channel misused;

static void *misused_place(void)
{
	void *place = NULL;
	CHECK(csys_channel_new(24, 4, NULL, &misused.tx, &misused.rx) == 0);
	CHECK(csys_sender_try_reserve(misused.tx, &place) == 0);
	return place;
}

static void commit_twice(void)
{
	void *place = misused_place();
	CHECK(csys_sender_commit(misused.tx, place) == 0);
	CHECK(csys_sender_commit(misused.tx, place) == 0);
}

static void abort_twice(void)
{
	void *place = misused_place();
	csys_sender_abort(misused.tx, place);
	csys_sender_abort(misused.tx, place);
}

static void commit_a_value_of_its_own(void)
{
	char value[24] = { 0 };
	misused_place();
	CHECK(csys_sender_commit(misused.tx, value) == 0);
}

static void abort_the_middle_of_a_place(void)
{
	char *place = misused_place(); /* before misused.tx is read */
	csys_sender_abort(misused.tx, place + 8);
}

static void abort_a_free_place(void)
{
	char *place = misused_place(); /* before misused.tx is read */
	csys_sender_abort(misused.tx, place + 24);
}

static void ending_what_is_not_reserved_aborts(void **state)
{
	(void)state;
	static void (*const all[])(void) = { commit_twice, abort_twice, commit_a_value_of_its_own,
					     abort_the_middle_of_a_place, abort_a_free_place };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		assert_aborts(all[i], "csys: a place of a channel that is not reserved is "
				      "committed or aborted\n");
}

static void close_with_a_place_reserved(void)
{
	misused_place();
	csys_sender_close(csys_sender_clone(misused.tx)); /* another one is left */
	csys_sender_close(misused.tx);
}

static void closing_the_last_sender_while_a_place_is_reserved_aborts(void **state)
{
	(void)state;
	assert_aborts(close_with_a_place_reserved,
		      "csys: the last sender of a channel is closed while a place is reserved\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(a_message_is_received_when_it_is_committed_and_not_before),
		TEST_ONE(a_place_is_aligned_as_messages_are),
		TEST_ONE(messages_behind_a_reserved_place_are_received_after_it),
		TEST_ONE(places_are_received_as_reserved_however_they_are_committed),
		TEST_ONE(channels_that_are_not_bounded_have_no_places),
		TEST_ONE(an_aborted_place_with_nothing_behind_it_is_free_at_once),
		TEST_ONE(receivers_pass_over_an_aborted_place),
		TEST_ONE(a_batch_and_a_drain_go_on_behind_aborted_places),
		TEST_ONE(a_waiting_receiver_goes_on_at_the_commit),
		TEST_ONE(a_waiting_receiver_goes_on_behind_an_aborted_place),
		TEST_ONE(a_receiver_with_a_deadline_does_not_wait_for_a_reserved_place),
		TEST_ONE(senders_that_wait_for_room_go_on_when_places_are_aborted),
		TEST_ONE(a_sender_goes_on_when_a_waiting_receiver_passes_over),
		TEST_ONE(closing_the_receiver_leaves_a_reserved_place_with_its_sender),
		TEST_ONE(ending_what_is_not_reserved_aborts),
		TEST_ONE(closing_the_last_sender_while_a_place_is_reserved_aborts),
	};
	count_memory();
	return RUN(tests);
}
