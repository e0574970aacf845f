/*
 * sync/test_channel_memory.c - promises of csys/sync/channel.h: memory that there is none of, and
 * memory that is used again.
 */
#define _XOPEN_SOURCE 700
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "base/memory.h"
#include "support/channel.h"
#include "support/thread.h"
#include "sync/channel.h"

static void a_channel_that_gets_no_memory_is_not_made(const struct shape *shape)
{
	csys_channel_options options = { .alignment = shape->alignment };
	int nth = 1;
	for (;; nth++) {
		csys_sender *tx = NULL;
		csys_receiver *rx = NULL;
		uint32_t before = blocks_held();
		csysi_fault_arm(nth);
		int r = csys_channel_new(shape->size, shape->capacity, &options, &tx, &rx);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (!fired) {
			assert_int_equal(r, 0);
			csys_sender_close(tx);
			csys_receiver_close(rx);
			break;
		}
		assert_int_equal(r, CSYS_ENOMEM);
		assert_null(tx);
		assert_null(rx);
		assert_int_equal(blocks_held(), before);
	}
	assert_true(nth > 1);
}

/* Sends until there is no memory; how many that were. */
static uint64_t send_without_memory(struct channel *channel, uint64_t first)
{
	uint64_t sent = 0;
	int r;
	csysi_fault_exhaust(1, CSYS_ENOMEM);
	while ((r = send_number(channel->tx, channel->shape.size, first + sent)) == 0)
		sent++;
	assert_int_equal(r, CSYS_ENOMEM);
	/* It says so again, by each call. */
	assert_sends_fail(channel->tx, channel->shape.size, CSYS_ENOMEM, CSYS_ENOMEM);
	csysi_fault_arm(0);
	return sent;
}

/* Whatever the allocator knows of alignment, and had in its blocks before. */
static void memory_of_a_channel_has_room_behind_any_address_and_is_zero(void **state)
{
	static const size_t sizes[] = { 1, 4, 640, 3077, 5000 };
	(void)state;
	for (size_t i = 0; i < 13 * sizeof sizes / sizeof *sizes; i++) {
		size_t size = sizes[i / 13], alignment = (size_t)1 << i % 13;
		size_t before = bytes_held();
		void *memory;
		unsigned char *all = csysi_channel_alloc(size, alignment, 1, &memory);
		assert_non_null(all);
		assert_true(bytes_held() - before >= size + alignment - 1);
		assert_int_equal((uintptr_t)all % alignment, 0);
		for (size_t at = 0; at < size; at++)
			assert_int_equal(all[at], 0);
		csysi_free(memory);
	}
}

static void a_channel_holds_no_memory_for_messages_before_the_first(const struct shape *shape)
{
	struct channel channel;
	static unsigned char values[3 * 5000];
	size_t count = 77;
	uint32_t before = blocks_held();
	open_channel(&channel, shape);
	assert_int_equal(blocks_held(), before + 1);
	/* A receiver looks at a stamp in the channel until then. */
	struct csysi_channel *c = csysi_channel_of_receiver(channel.rx);
	assert_ptr_equal(csysi_channel_stamp(c->head_block, &c->layout, 0), &c->no_stamp);
	/* Nor does it take any to find nothing. */
	csysi_fault_exhaust(1, CSYS_ENOMEM);
	assert_empty(&channel);
	assert_int_equal(csys_receiver_recv_batch(channel.rx, values, 3, CSYS_POLL, &count),
			 CSYS_ETIMEDOUT);
	csysi_fault_arm(0);
	assert_int_equal(csys_receiver_drain(channel.rx, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(send_without_memory(&channel, 0), 0);
	assert_int_equal(blocks_held(), before + 1);
	assert_sends_all(&channel, 0, 1);
	assert_int_equal(blocks_held(), before + 2);
	assert_receives_all(&channel, 0, 1);
	close_channel(&channel);
	assert_int_equal(blocks_held(), before);
}

static void
a_handle_of_senders_without_memory_fails_and_the_channel_goes_on(const struct shape *shape)
{
	struct channel channel;
	csys_handle handle;
	open_channel(&channel, shape);
	for (int nth = 1; nth <= 2; nth++) {
		csysi_fault_arm(nth);
		assert_int_equal(csys_sender_handle(channel.tx, &handle), CSYS_ENOMEM);
		csysi_fault_arm(0);
	}
	assert_int_equal(csys_sender_handle(channel.tx, &handle), 0);
	assert_sends_all(&channel, 0, 1);
	assert_receives_all(&channel, 0, 1);
	close_channel(&channel);
}

/* Neither the handle, nor that side of the channel, is half made. */
static void
a_channel_is_sent_into_after_its_handle_of_senders_got_no_memory(const struct shape *shape)
{
	for (int nth = 1; nth <= 2; nth++) {
		struct channel channel;
		csys_handle handle;
		uint32_t before = blocks_held();
		open_channel(&channel, shape);
		csysi_fault_arm(nth);
		assert_int_equal(csys_sender_handle(channel.tx, &handle), CSYS_ENOMEM);
		csysi_fault_arm(0);
		assert_sends_all(&channel, 0, 3);
		assert_receives_all(&channel, 0, 3);
		assert_empty(&channel);
		close_channel(&channel);
		assert_int_equal(blocks_held(), before);
	}
}

static void a_first_block_that_is_not_used_is_given_back(const struct shape *shape)
{
	struct channel channel;
	csys_handle handle;
	uint32_t before = blocks_held();
	open_channel(&channel, shape);
	assert_int_equal(csys_sender_handle(channel.tx, &handle), 0);
	close_channel(&channel);
	assert_int_equal(blocks_held(), before);
}

static void a_send_without_memory_fails_and_the_channel_goes_on(const struct shape *shape)
{
	struct channel channel;
	uint64_t first = 0;
	open_channel(&channel, shape);
	for (int round = 0; round < 6; round++) {
		uint64_t queued = send_without_memory(&channel, first);
		assert_int_equal(csys_sender_len(channel.tx), queued);
		if (round % 2) { /* with memory it goes on at once */
			assert_sends_all(&channel, first + queued, 300);
			queued += 300;
		}
		assert_receives_all(&channel, first, queued);
		assert_empty(&channel);
		first += queued;
	}
	assert_sends_all(&channel, first, 300);
	channel.drops.next = first;
	close_channel(&channel);
	assert_drops(&channel, first, 300);
}

static void a_send_that_another_thread_may_make_too_fails_likewise(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	csys_sender *other = csys_sender_clone(channel.tx), *first = channel.tx;
	uint64_t all = 0;
	for (int round = 0; round < 6; round++) {
		channel.tx = round % 2 ? first : other;
		uint64_t queued = send_without_memory(&channel, all);
		assert_receives_all(&channel, all, queued);
		all += queued;
	}
	csys_sender_close(other);
	channel.tx = first;
	close_channel(&channel);
}

static void a_send_without_memory_fails_though_the_receiver_waits_for_it(const struct shape *shape)
{
	static struct call call;
	struct channel channel;
	open_channel(&channel, shape);
	uint64_t queued = send_without_memory(&channel, 0);
	assert_receives_all(&channel, 0, queued);
	begin_recv(&call, &channel, CSYS_FOREVER);
	await_sleep(&call);
	/* What the receiver gave back may do for some. */
	csysi_fault_exhaust(1, CSYS_ENOMEM);
	int r = send_number(channel.tx, shape->size, 7);
	csysi_fault_arm(0);
	if (r != 0) {
		assert_int_equal(r, CSYS_ENOMEM);
		await_sleep(&call);
		assert_sends(&channel, 7);
	}
	end_recv(&call, 7);
	assert_empty(&channel);
	close_channel(&channel);
}

static void what_of_a_batch_gets_no_memory_is_not_sent(const struct shape *shape)
{
	struct channel channel;
	const size_t all = 1000;
	uint64_t first = 0;
	unsigned char *values = malloc(all * shape->size + 1);
	assert_non_null(values);
	open_channel(&channel, shape);
	for (int round = 0; round < 4; round++) {
		size_t sent = 77;
		for (size_t i = 0; i < all; i++)
			fill(values + i * shape->size, shape->size, first + i);
		assert_sends_all(&channel, first, (uint64_t)round);
		for (size_t i = 0; i < all; i++)
			fill(values + i * shape->size, shape->size, first + (uint64_t)round + i);
		csysi_fault_exhaust(round / 2 + 1, CSYS_ENOMEM);
		assert_int_equal(
			csys_sender_send_batch(channel.tx, values, all, CSYS_FOREVER, &sent),
			CSYS_ENOMEM);
		csysi_fault_arm(0);
		assert_true(sent < all);
		assert_int_equal(csys_sender_len(channel.tx), sent + (uint64_t)round);
		assert_receives_all(&channel, first, sent + (uint64_t)round);
		assert_empty(&channel);
		first += sent + (uint64_t)round;
	}
	close_channel(&channel);
	free(values);
}

static void a_drain_that_gets_no_memory_destroys_nothing(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape);
	open_channel(&channel, shape);
	assert_sends_all(&channel, 0, most);
	size_t count = 77;
	csysi_fault_exhaust(1, CSYS_ENOMEM);
	int r = csys_receiver_drain(channel.rx, &count);
	csysi_fault_arm(0);
	if (r != 0) { /* for large messages only */
		assert_int_equal(r, CSYS_ENOMEM);
		assert_true(shape->size > 512 || shape->alignment > _Alignof(max_align_t));
		assert_int_equal(count, 77);
		assert_drops(&channel, 0, 0);
		assert_int_equal(csys_receiver_len(channel.rx), most);
		assert_int_equal(drained(channel.rx), most);
	} else {
		assert_int_equal(count, most);
	}
	assert_drops(&channel, 0, (uint32_t)most);
	close_channel(&channel);
}

/* ---- several threads, one of which gets none --------------------------------------------- */

enum { SENDERS = 3, EACH = 2000 };

struct scarce {
	csys_sender *tx;
	size_t size;
	uint32_t next, failed; /* atomic */
};

static void *send_in_need(void *argument)
{
	struct scarce *scarce = argument;
	uint32_t thread = csysi_add_relaxed(&scarce->next, 1) - 1;
	unsigned char value[MOST_SIZE];
	for (uint64_t i = 0; i < EACH; i++) {
		fill(value, scarce->size, (uint64_t)thread << 32 | i);
		int r = 0;
		do {
			csysi_fault_arm(thread != 0 && i % 3 != 0); /* 1: the next allocation */
			r = csys_sender_try_send(scarce->tx, value);
			csysi_fault_arm(0);
			if (r == CSYS_ENOMEM)
				csysi_add_relaxed(&scarce->failed, 1);
		} while (r == CSYS_ENOMEM);
		CHECK(r == 0);
	}
	return NULL;
}

static void a_thread_that_gets_no_memory_does_not_stop_others(void **state)
{
	(void)state;
	const size_t sizes[] = { 8, 24, 520, 5000 };
	for (size_t i = 0; i < 4; i++) {
		struct scarce scarce = { NULL, sizes[i], 0, 0 };
		uint64_t next[SENDERS] = { 0 };
		pthread_t threads[SENDERS];
		csys_receiver *rx;
		unsigned char value[MOST_SIZE];
		int r;
		assert_int_equal(csys_channel_new(sizes[i], CSYS_UNBOUNDED, NULL, &scarce.tx, &rx),
				 0);
		for (int t = 0; t < SENDERS; t++)
			assert_int_equal(pthread_create(&threads[t], NULL, send_in_need, &scarce),
					 0);
		for (uint64_t n = 0; n < (uint64_t)SENDERS * EACH; n++) {
			assert_int_equal(csys_receiver_recv(rx, value), 0);
			uint64_t number = number_of(value), thread = number >> 32;
			assert_true(thread < SENDERS && is_message(value, sizes[i], number));
			assert_int_equal(number & 0xffffffff, next[thread]);
			next[thread]++;
		}
		for (int t = 0; t < SENDERS; t++)
			pthread_join(threads[t], NULL);
		r = csys_receiver_try_recv(rx, value);
		assert_int_equal(r, CSYS_EAGAIN);
		csys_sender_close(scarce.tx);
		csys_receiver_close(rx);
	}
}

/* ---- memory that comes back -------------------------------------------------------------- */

static void what_a_queue_has_grown_to_is_given_back(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	size_t before = bytes_held();
	size_t unit = shape->size + shape->alignment + 8;
	for (uint64_t count = 1000; count <= 4000; count += 1500) {
		assert_sends_all(&channel, 0, count);
		assert_true(bytes_held() >= before + (size_t)(count - 512) * shape->size);
		assert_receives_all(&channel, 0, count);
		/* Ten blocks of 256 messages at most, or of fewer that are larger. */
		size_t most = 10 * (unit > 64 ? 40000 : 256 * unit + 4096);
		assert_true(bytes_held() <= before + most);
	}
	close_channel(&channel);
}

static void a_steady_flow_allocates_nothing(const struct shape *shape)
{
	struct channel channel;
	uint64_t first = 0;
	open_channel(&channel, shape);
	for (int round = 0; round < 300; round++, first += 6) {
		if (round == 200)
			csysi_fault_exhaust(1, CSYS_ENOMEM);
		assert_sends_all(&channel, first, 6);
		assert_receives_all(&channel, first, 6);
	}
	assert_false(csysi_fault_fired());
	csysi_fault_arm(0);
	uint32_t made = blocks_made();
	for (int round = 0; round < 300; round++, first += 6) {
		assert_sends_all(&channel, first, 6);
		assert_receives_all(&channel, first, 6);
	}
	assert_int_equal(blocks_made(), made);
	close_channel(&channel);
}

static void a_steady_flow_to_several_receivers_allocates_nothing(const struct shape *shape)
{
	struct channel channel;
	uint64_t first = 0;
	csys_handle handle;
	open_channel(&channel, shape);
	/* The side of the receivers is nobody's own from here on. */
	assert_int_equal(csys_receiver_handle(channel.rx, &handle), 0);
	for (int round = 0; round < 500; round++, first += 6) {
		if (round == 200)
			csysi_fault_exhaust(1, CSYS_ENOMEM);
		assert_sends_all(&channel, first, 6);
		assert_receives_all(&channel, first, 6);
		assert_empty(&channel);
	}
	assert_false(csysi_fault_fired());
	csysi_fault_arm(0);
	/* And what is left is destroyed, wherever in a block that is. */
	uint32_t left = (uint32_t)shape->size % 7 * 60 + 300;
	assert_sends_all(&channel, first, left);
	channel.drops.next = first;
	close_channel(&channel);
	assert_drops(&channel, first, left);
}

static void skip_where_that_takes_minutes(void)
{
	if (WITH_TSAN || under_valgrind())
		skip_because("this is about one thread, and takes minutes here");
}

/*
 * Laps are numbers of 15 bits, which come again.  A block that was kept for so long must not pass
 * its old stamps off as new: nothing but what was sent is received.
 */
static void stamps_that_come_again_are_not_taken_for_new(void **state)
{
	(void)state;
	enum { PER_BLOCK = 3, LAPS = 1 << 15 };
	const struct shape shape = { 4097, 0, CSYS_UNBOUNDED };
	skip_where_that_takes_minutes();
	for (int off = -20; off <= 12; off++) {
		struct channel channel;
		static unsigned char value[4097];
		open_channel(&channel, &shape);
		assert_sends_all(&channel, 0, 12 * PER_BLOCK);
		assert_receives_all(&channel, 0, 12 * PER_BLOCK);
		for (int lap = 0; lap < (LAPS - 12 + off) * PER_BLOCK; lap++) {
			assert_int_equal(csys_sender_try_send(channel.tx, value), 0);
			assert_int_equal(csys_receiver_try_recv(channel.rx, value), 0);
		}
		/* First a queue that needs fresh blocks, whose zeros are a lap too. */
		for (uint64_t n = 0; n < 14 * PER_BLOCK; n++) {
			assert_sends_all(&channel, 1, n == 0 ? 12 * PER_BLOCK + 1 : n);
			assert_receives_all(&channel, 1, n == 0 ? 12 * PER_BLOCK + 1 : n);
			assert_int_equal(csys_receiver_try_recv(channel.rx, value), CSYS_EAGAIN);
		}
		close_channel(&channel);
	}
}

/* So that the last block of a queue is one that was kept since the awaited lap of 15 bits. */
static void stamps_of_a_block_that_was_kept_are_not_taken_for_new(void **state)
{
	(void)state;
	enum { PER_BLOCK = 3, LAPS = 1 << 15 };
	const struct shape shape = { 4097, 0, CSYS_UNBOUNDED };
	skip_where_that_takes_minutes();
	for (int off = -8; off <= -6; off++) {
		struct channel channel;
		static unsigned char value[4097];
		uint64_t queued = (uint64_t)(2 + (4 - off) / 2) * PER_BLOCK + 1;
		open_channel(&channel, &shape);
		assert_sends_all(&channel, 0, 12 * PER_BLOCK);
		assert_receives_all(&channel, 0, 12 * PER_BLOCK);
		for (int lap = 0; lap < (LAPS - 12 + off) * PER_BLOCK; lap++) {
			assert_int_equal(csys_sender_try_send(channel.tx, value), 0);
			assert_int_equal(csys_receiver_try_recv(channel.rx, value), 0);
		}
		assert_sends_all(&channel, 1, queued);
		assert_receives_all(&channel, 1, queued);
		assert_int_equal(csys_receiver_try_recv(channel.rx, value), CSYS_EAGAIN);
		close_channel(&channel);
	}
}

static void laps_come_again(void **state)
{
	(void)state;
	const struct shape shapes[] = { { 8, 0, 1 },
					{ 24, 0, 1 },
					{ 8, 0, 3 },
					{ 4097, 0, 2 },
					{ 0, 0, CSYS_UNBOUNDED },
					{ 4097, 0, CSYS_UNBOUNDED } };
	skip_where_that_takes_minutes();
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct channel channel;
		uint64_t turns = is_unbounded(&shapes[i]) ? 300000 : 150000 * shapes[i].capacity;
		unsigned char value[4097] = { 0 };
		open_channel(&channel, &shapes[i]);
		for (uint64_t n = 0; n < turns; n++) {
			assert_int_equal(csys_receiver_try_recv(channel.rx, value), CSYS_EAGAIN);
			memcpy(value, &n, shapes[i].size < 8 ? shapes[i].size : 8);
			assert_int_equal(csys_sender_try_send(channel.tx, value), 0);
			assert_int_equal(csys_receiver_try_recv(channel.rx, value), 0);
			assert_memory_equal(value, &n, shapes[i].size < 8 ? shapes[i].size : 8);
		}
		assert_empty(&channel);
		close_channel(&channel);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ON(OF_ALL, a_channel_that_gets_no_memory_is_not_made),
		TEST_ONE(memory_of_a_channel_has_room_behind_any_address_and_is_zero),
		TEST_ON(OF_UNBOUNDED, a_channel_holds_no_memory_for_messages_before_the_first),
		TEST_ON(OF_UNBOUNDED,
			a_handle_of_senders_without_memory_fails_and_the_channel_goes_on),
		TEST_ON(OF_UNBOUNDED,
			a_channel_is_sent_into_after_its_handle_of_senders_got_no_memory),
		TEST_ON(OF_UNBOUNDED, a_first_block_that_is_not_used_is_given_back),
		TEST_ON(OF_UNBOUNDED, a_send_without_memory_fails_and_the_channel_goes_on),
		TEST_ON(OF_UNBOUNDED, a_send_that_another_thread_may_make_too_fails_likewise),
		TEST_ON(OF_UNBOUNDED, a_send_without_memory_fails_though_the_receiver_waits_for_it),
		TEST_ON(OF_UNBOUNDED, what_of_a_batch_gets_no_memory_is_not_sent),
		TEST_ON(OF_QUEUES, a_drain_that_gets_no_memory_destroys_nothing),
		TEST_ONE(a_thread_that_gets_no_memory_does_not_stop_others),
		TEST_ON(OF_UNBOUNDED, what_a_queue_has_grown_to_is_given_back),
		TEST_ON(OF_UNBOUNDED, a_steady_flow_allocates_nothing),
		TEST_ON(OF_UNBOUNDED, a_steady_flow_to_several_receivers_allocates_nothing),
		TEST_ONE(stamps_that_come_again_are_not_taken_for_new),
		TEST_ONE(stamps_of_a_block_that_was_kept_are_not_taken_for_new),
		TEST_ONE(laps_come_again),
	};
	count_memory();
	return RUN(tests);
}
