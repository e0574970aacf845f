/*
 * sync/test_channel.c - promises of csys/sync/channel.h: what one thread sees.
 *
 * The ends: test_channel_ends.c; waiting: test_channel_wait.c; capacity 0:
 * test_channel_rendezvous.c; several messages at once: test_channel_batch.c; several threads at one
 * end: test_channel_shared.c; memory: test_channel_memory.c.
 */
#include <string.h>

#include "support/channel.h"

static void what_is_sent_is_received_in_that_order(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape), first = 0;
	open_channel(&channel, shape);
	/* Each length of the queue, until the blocks and laps have gone round several times. */
	for (uint64_t length = 1; length <= most; length += length / 4 + 1) {
		assert_sends_all(&channel, first, length);
		assert_receives_all(&channel, first, length);
		first += length;
	}
	assert_empty(&channel);
	close_channel(&channel);
	assert_drops(&channel, 0, 0);
}

static void a_queue_that_is_never_empty_keeps_the_order(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape), ahead = most / 2 + 1;
	open_channel(&channel, shape);
	assert_sends_all(&channel, 0, ahead);
	for (uint64_t i = 0; i < 3 * most; i++) {
		assert_receives(&channel, i);
		assert_sends(&channel, ahead + i);
	}
	assert_receives_all(&channel, 3 * most, ahead);
	assert_empty(&channel);
	close_channel(&channel);
}

static void a_message_is_copied_when_it_is_sent(const struct shape *shape)
{
	struct channel channel;
	unsigned char value[MOST_SIZE];
	open_channel(&channel, shape);
	fill(value, shape->size, 0);
	assert_int_equal(csys_sender_send(channel.tx, value), 0);
	fill(value, shape->size, 1);
	assert_receives(&channel, 0);
	close_channel(&channel);
}

static void any_capacity_is_exact(void **state)
{
	(void)state;
	for (size_t capacity = 1; capacity <= 70; capacity++) {
		const struct shape shape = { 4, 0, capacity };
		struct channel channel;
		open_channel(&channel, &shape);
		for (uint64_t round = 0; round < 4; round++) {
			assert_sends_all(&channel, round * capacity, capacity);
			assert_full(&channel);
			assert_receives_all(&channel, round * capacity, capacity);
			assert_empty(&channel);
		}
		close_channel(&channel);
	}
}

/* A sender may have read its index long ago. */
static void an_index_that_others_have_passed_is_not_full(void **state)
{
	(void)state;
	const struct shape shape = { 8, 0, 3 };
	struct channel channel;
	open_channel(&channel, &shape);
	const struct csysi_channel *c = csysi_channel_of_sender(channel.tx);
	assert_false(csysi_channel_is_beyond(c, 5, 9));
	assert_false(csysi_channel_is_beyond(c, 11, 9));
	assert_true(csysi_channel_is_beyond(c, 12, 9));
	close_channel(&channel);
}

static void a_full_channel_says_so_and_leaves_the_message(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape);
	open_channel(&channel, shape);
	assert_sends_all(&channel, 0, most);
	assert_full(&channel);
	/* Each message that is received makes room for one, at once. */
	for (uint64_t i = 0; i < 20; i++) {
		assert_receives(&channel, i);
		assert_sends(&channel, most + i);
		assert_full(&channel);
	}
	assert_receives_all(&channel, 20, most);
	assert_empty(&channel);
	close_channel(&channel);
	assert_drops(&channel, 0, 0);
}

static void an_unbounded_channel_is_never_full(void **state)
{
	(void)state;
	const struct shape shape = { 8, 0, CSYS_UNBOUNDED };
	struct channel channel;
	open_channel(&channel, &shape);
	assert_sends_all(&channel, 0, 100000);
	assert_int_equal(csys_sender_len(channel.tx), 100000);
	assert_receives_all(&channel, 0, 100000);
	close_channel(&channel);
}

static void an_empty_channel_says_so_and_leaves_the_output(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	assert_empty(&channel);
	if (!is_rendezvous(shape)) {
		for (uint64_t i = 0; i < 20; i++) {
			assert_sends(&channel, i);
			assert_receives(&channel, i);
			assert_empty(&channel);
		}
	}
	close_channel(&channel);
}

static void a_passed_deadline_takes_and_gives_what_is_possible(const struct shape *shape)
{
	struct channel channel;
	unsigned char value[MOST_SIZE];
	size_t count = 0;
	const csys_deadline passed[] = { CSYS_POLL, csys_after_ns(1), csys_after_s(-1) };
	open_channel(&channel, shape);
	while (csys_deadline_left(passed[1]) > 0)
		continue;
	for (size_t i = 0; i < 3; i++) {
		fill(value, shape->size, i);
		assert_int_equal(csys_sender_send_until(channel.tx, value, passed[i]), 0);
		fill(value, shape->size, 99);
		assert_int_equal(csys_receiver_recv_until(channel.rx, passed[i], value), 0);
		assert_true(is_message(value, shape->size, i));
		assert_int_equal(csys_sender_send_batch(channel.tx, value, 1, passed[i], &count),
				 0);
		assert_int_equal(csys_receiver_recv_batch(channel.rx, value, 1, passed[i], &count),
				 0);
	}
	close_channel(&channel);
}

static void a_wait_lasts_until_its_deadline(const struct shape *shape)
{
	struct channel channel;
	unsigned char value[MOST_SIZE] = { 0 };
	size_t count;
	open_channel(&channel, shape);
	for (int how = 0; how < 2; how++) {
		csys_deadline deadline = csys_after_ms(2);
		assert_int_equal(
			how == 0 ? csys_receiver_recv_until(channel.rx, deadline, value)
				 : csys_receiver_recv_batch(channel.rx, value, 1, deadline, &count),
			CSYS_ETIMEDOUT);
		assert_int_equal(csys_deadline_left(deadline), 0);
	}
	assert_sends_all(&channel, 0, is_unbounded(shape) ? 0 : shape->capacity);
	for (int how = 0; how < 2 && !is_unbounded(shape); how++) {
		csys_deadline deadline = csys_after_ms(2);
		assert_int_equal(
			how == 0 ? csys_sender_send_until(channel.tx, value, deadline)
				 : csys_sender_send_batch(channel.tx, value, 1, deadline, &count),
			CSYS_ETIMEDOUT);
		assert_int_equal(csys_deadline_left(deadline), 0);
	}
	close_channel(&channel);
	assert_drops(&channel, 0, is_unbounded(shape) ? 0 : (uint32_t)shape->capacity);
}

static void a_wait_of_a_full_and_one_of_an_empty_channel_change_nothing(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape);
	open_channel(&channel, shape);
	for (int i = 0; i < 3; i++)
		assert_empty(&channel);
	assert_sends_all(&channel, 0, most);
	for (int i = 0; i < 3 && !is_unbounded(shape); i++)
		assert_full(&channel);
	assert_receives_all(&channel, 0, most);
	assert_empty(&channel);
	assert_sends(&channel, 7);
	assert_receives(&channel, 7);
	close_channel(&channel);
}

static void the_length_is_that_of_the_queue(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape);
	open_channel(&channel, shape);
	for (int round = 0; round < 2; round++) {
		for (uint64_t i = 0; i < most; i++) {
			assert_int_equal(csys_sender_len(channel.tx), i);
			assert_int_equal(csys_receiver_len(channel.rx), i);
			assert_sends(&channel, i);
		}
		for (uint64_t i = 0; i < most; i++) {
			assert_int_equal(csys_sender_len(channel.tx), most - i);
			assert_int_equal(csys_receiver_len(channel.rx), most - i);
			assert_receives(&channel, i);
		}
	}
	assert_int_equal(csys_sender_len(channel.tx), 0);
	assert_int_equal(csys_receiver_len(channel.rx), 0);
	close_channel(&channel);
}

static void the_capacity_is_what_it_was_made_with(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	assert_true(csys_sender_capacity(channel.tx) == shape->capacity);
	assert_true(csys_receiver_capacity(channel.rx) == shape->capacity);
	csys_receiver_close(channel.rx);
	assert_true(csys_sender_capacity(channel.tx) == shape->capacity);
	csys_sender_close(channel.tx);
	open_channel(&channel, shape);
	csys_sender_close(channel.tx);
	assert_true(csys_receiver_capacity(channel.rx) == shape->capacity);
	csys_receiver_close(channel.rx);
}

static void the_options_may_be_left_out(void **state)
{
	(void)state;
	const size_t capacities[] = { CSYS_UNBOUNDED, 5, 0 };
	for (size_t i = 0; i < 3; i++) {
		csys_sender *tx = NULL;
		csys_receiver *rx = NULL;
		int value = 5;
		assert_int_equal(csys_channel_new(sizeof value, capacities[i], NULL, &tx, &rx), 0);
		for (int n = 0; n < 5 && capacities[i] != 0; n++)
			assert_int_equal(csys_sender_try_send(tx, &value), 0);
		csys_receiver_close(rx); /* nothing is done with what is queued */
		assert_int_equal(csys_sender_try_send(tx, &value), CSYS_EDISCONNECTED);
		csys_sender_close(tx);
	}
}

static int refused(size_t size, size_t capacity, size_t alignment)
{
	csys_channel_options options = { 0 };
	int tx, rx;
	csys_sender *out_tx = (csys_sender *)&tx;
	csys_receiver *out_rx = (csys_receiver *)&rx;
	options.alignment = alignment;
	int r = csys_channel_new(size, capacity, &options, &out_tx, &out_rx);
	assert_ptr_equal(out_tx, &tx); /* untouched on failure */
	assert_ptr_equal(out_rx, &rx);
	return r;
}

static void an_alignment_that_is_no_power_of_two_is_refused(void **state)
{
	(void)state;
	const size_t capacities[] = { CSYS_UNBOUNDED, 5, 0 };
	const size_t alignments[] = { 3,           5, 6, 7, 12, 24, 63, 65, SIZE_MAX, SIZE_MAX - 1,
				      SIZE_MAX / 2 };
	for (size_t c = 0; c < 3; c++)
		for (size_t a = 0; a < sizeof alignments / sizeof *alignments; a++)
			assert_int_equal(refused(8, capacities[c], alignments[a]), CSYS_EINVAL);
}

static void a_bounded_capacity_beyond_the_limit_is_refused(void **state)
{
	(void)state;
	const size_t most = (size_t)1 << 30;
	const size_t capacities[] = { most + 1, SIZE_MAX / 2, SIZE_MAX - 1 };
	for (size_t c = 0; c < 3; c++) {
		assert_int_equal(refused(0, capacities[c], 0), CSYS_EINVAL);
		assert_int_equal(refused(8, capacities[c], 64), CSYS_EINVAL);
		assert_int_equal(refused(SIZE_MAX, capacities[c], 0), CSYS_EINVAL);
	}
}

static void what_no_memory_can_hold_is_out_of_memory(void **state)
{
	(void)state;
	const size_t most = (size_t)1 << 30;
	const size_t sizes[] = { SIZE_MAX,         SIZE_MAX - 1, SIZE_MAX - 63,
				 SIZE_MAX / 2 + 1, SIZE_MAX / 3, SIZE_MAX / 4 + 1 };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		assert_int_equal(refused(sizes[i], CSYS_UNBOUNDED, 0), CSYS_ENOMEM);
		assert_int_equal(refused(sizes[i], CSYS_UNBOUNDED, 64), CSYS_ENOMEM);
		assert_int_equal(refused(sizes[i], 64, 0), CSYS_ENOMEM);
		assert_int_equal(refused(sizes[i], most, 1), CSYS_ENOMEM);
	}
	assert_int_equal(refused(SIZE_MAX / 64 + 1, 64, 0), CSYS_ENOMEM);
	assert_int_equal(refused(SIZE_MAX / most + 1, most, 1), CSYS_ENOMEM);
	assert_int_equal(refused(1, CSYS_UNBOUNDED, SIZE_MAX / 2 + 1), CSYS_ENOMEM);
	assert_int_equal(refused(1, 64, SIZE_MAX / 2 + 1), CSYS_ENOMEM);
	assert_int_equal(refused(1, 64, SIZE_MAX / 64 + 1), CSYS_ENOMEM);
}

static void an_alignment_may_be_greater_than_the_size_and_than_a_page(void **state)
{
	(void)state;
	const size_t capacities[] = { CSYS_UNBOUNDED, 5, 1 };
	const size_t alignments[] = { 1, 2, 4, 32, 128, 4096, 65536 };
	for (size_t c = 0; c < 3; c++) {
		for (size_t a = 0; a < sizeof alignments / sizeof *alignments; a++) {
			const struct shape shape = { a % 2 ? 24 : 7, alignments[a], capacities[c] };
			uint32_t queued = shape.capacity < 5 ? 1 : 5;
			struct channel channel;
			open_channel(&channel, &shape);
			assert_sends_all(&channel, 0, queued);
			csys_receiver_close(channel.rx); /* the drop callback looks at addresses */
			assert_drops(&channel, 0, queued);
			csys_sender_close(channel.tx);
		}
	}
}

static void what_wants_no_alignment_can_be_received_anywhere(void **state)
{
	(void)state;
	const struct shape shape = { 8, 0, 3 };
	unsigned char memory[16];
	struct channel channel;
	open_channel(&channel, &shape);
	for (uint64_t i = 0; i < 8; i++) {
		fill(memory + i, 8, i);
		assert_int_equal(csys_sender_send(channel.tx, memory + i), 0);
		memset(memory, 0, sizeof memory);
		assert_int_equal(csys_receiver_recv(channel.rx, memory + 8 - i), 0);
		assert_true(is_message(memory + 8 - i, 8, i));
	}
	close_channel(&channel);
}

static void messages_without_bytes_are_counted(void **state)
{
	(void)state;
	const struct shape shape = { 0, 0, CSYS_UNBOUNDED };
	struct channel channel;
	size_t count = 0;
	open_channel(&channel, &shape);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(csys_sender_send(channel.tx, NULL), 0);
	assert_int_equal(csys_sender_send_batch(channel.tx, NULL, 1000, CSYS_FOREVER, &count), 0);
	assert_int_equal(csys_receiver_len(channel.rx), 2000);
	for (int i = 0; i < 500; i++)
		assert_int_equal(csys_receiver_recv(channel.rx, NULL), 0);
	assert_int_equal(csys_receiver_recv_batch(channel.rx, NULL, 500, CSYS_FOREVER, &count), 0);
	assert_in_range(count, 1, 500);
	csys_receiver_close(channel.rx);
	assert_int_equal(channel.drops.count, 1500 - count);
	csys_sender_close(channel.tx);
}

static void many_channels_do_not_know_of_each_other(void **state)
{
	(void)state;
	enum { CHANNELS = 200 };
	static struct channel channels[CHANNELS];
	const struct shape shapes[] = { { 8, 0, CSYS_UNBOUNDED }, { 17, 0, 4 } };
	for (uint64_t i = 0; i < CHANNELS; i++) {
		open_channel(&channels[i], &shapes[i % 2]);
		assert_sends(&channels[i], i);
	}
	for (uint64_t i = 0; i < CHANNELS; i++) {
		assert_receives(&channels[i], i);
		assert_empty(&channels[i]);
		close_channel(&channels[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ON(OF_QUEUES, what_is_sent_is_received_in_that_order),
		TEST_ON(OF_QUEUES, a_queue_that_is_never_empty_keeps_the_order),
		TEST_ON(OF_QUEUES, a_message_is_copied_when_it_is_sent),
		TEST_ONE(any_capacity_is_exact),
		TEST_ONE(an_index_that_others_have_passed_is_not_full),
		TEST_ON(OF_BOUNDED, a_full_channel_says_so_and_leaves_the_message),
		TEST_ONE(an_unbounded_channel_is_never_full),
		TEST_ON(OF_ALL, an_empty_channel_says_so_and_leaves_the_output),
		TEST_ON(OF_QUEUES, a_passed_deadline_takes_and_gives_what_is_possible),
		TEST_ON(OF_ALL, a_wait_lasts_until_its_deadline),
		TEST_ON(OF_QUEUES, a_wait_of_a_full_and_one_of_an_empty_channel_change_nothing),
		TEST_ON(OF_QUEUES, the_length_is_that_of_the_queue),
		TEST_ON(OF_ALL, the_capacity_is_what_it_was_made_with),
		TEST_ONE(the_options_may_be_left_out),
		TEST_ONE(an_alignment_that_is_no_power_of_two_is_refused),
		TEST_ONE(a_bounded_capacity_beyond_the_limit_is_refused),
		TEST_ONE(what_no_memory_can_hold_is_out_of_memory),
		TEST_ONE(an_alignment_may_be_greater_than_the_size_and_than_a_page),
		TEST_ONE(what_wants_no_alignment_can_be_received_anywhere),
		TEST_ONE(messages_without_bytes_are_counted),
		TEST_ONE(many_channels_do_not_know_of_each_other),
	};
	count_memory();
	return RUN(tests);
}
