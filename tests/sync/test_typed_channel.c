/*
 * sync/test_typed_channel.c - promises of csys/sync/typed_channel.h: types, loops, threads.
 *
 * Each call for each size: test_typed_channel_sizes.c.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/thread.h"

static const size_t capacities[] = { CSYS_UNBOUNDED, 1, 3, 1024 };
#define CAPACITIES (sizeof capacities / sizeof *capacities)

static uint64_t many_of(size_t capacity)
{
	return capacity == CSYS_UNBOUNDED ? 800 : capacity;
}

typedef struct thing {
	unsigned char at[3];
} thing;

/* ---- types ------------------------------------------------------------------------ */

CSYS_CHANNEL_DEFINE(texts, const char *);
CSYS_CHANNEL_DEFINE(pointers, thing *);
CSYS_CHANNEL_DEFINE(numbers, int);
CSYS_CHANNEL_DEFINE(reals, long double);
CSYS_CHANNEL_DEFINE(of8, uint64_t);

static void a_type_may_be_a_pointer(void **state)
{
	(void)state;
	texts_sender tx;
	texts_receiver rx;
	const char *text = "text", *out = NULL;
	assert_int_equal(texts_new(1, NULL, &tx, &rx), 0);
	assert_int_equal(texts_send(tx, &text), 0);
	assert_int_equal(texts_recv(rx, &out), 0);
	assert_ptr_equal(out, text);
	texts_sender_close(tx);
	texts_receiver_close(rx);

	pointers_sender pointers_tx;
	pointers_receiver pointers_rx;
	thing value, *pointer = &value;
	assert_int_equal(pointers_new(1, NULL, &pointers_tx, &pointers_rx), 0);
	assert_int_equal(pointers_send(pointers_tx, &pointer), 0);
	pointer = NULL;
	assert_int_equal(pointers_recv(pointers_rx, &pointer), 0);
	assert_ptr_equal(pointer, &value);
	pointers_sender_close(pointers_tx);
	pointers_receiver_close(pointers_rx);
}

static void a_type_of_scalars_may_be_wide(void **state)
{
	(void)state;
	reals_sender tx;
	reals_receiver rx;
	long double real = 0.1L, out = 0;
	assert_int_equal(reals_new(CSYS_UNBOUNDED, NULL, &tx, &rx), 0);
	for (int i = 0; i < 600; i++) {
		assert_int_equal(reals_send(tx, &real), 0);
		assert_int_equal(reals_recv(rx, &out), 0);
		assert_true(out == real);
	}
	reals_sender_close(tx);
	reals_receiver_close(rx);
}

static void closing_an_end_without_a_channel_is_ignored(void **state)
{
	(void)state;
	numbers_sender_close((numbers_sender){ NULL });
	numbers_receiver_close((numbers_receiver){ NULL });
}

/* ---- loops ------------------------------------------------------------------------------- */

static void a_loop_takes_all_messages_up_to_the_last_sender(void **state)
{
	(void)state;
	for (size_t c = 0; c < CAPACITIES; c++) {
		int most = (int)many_of(capacities[c]), sum = 0, next = 0;
		numbers_sender tx;
		numbers_receiver rx;
		assert_int_equal(numbers_new(capacities[c], NULL, &tx, &rx), 0);
		for (int i = 0; i < most; i++)
			assert_int_equal(numbers_send(tx, &i), 0);
		numbers_sender_close(tx);
		CSYS_CHANNEL_EACH(numbers, rx, one)
		{
			if (one % 2)
				continue;
			assert_int_equal(one, next);
			next += 2;
			sum++;
		}
		assert_int_equal(sum, (most + 1) / 2);
		CSYS_CHANNEL_EACH(numbers, rx, none)
		sum += none + 1;
		assert_int_equal(sum, (most + 1) / 2);
		numbers_receiver_close(rx);
	}
}

static void a_loop_can_be_left_and_begun_again(void **state)
{
	(void)state;
	numbers_sender tx;
	numbers_receiver rx;
	assert_int_equal(numbers_new(CSYS_UNBOUNDED, NULL, &tx, &rx), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(numbers_send(tx, &i), 0);
	CSYS_CHANNEL_EACH(numbers, rx, one)
	if (one == 4)
		break;
	assert_int_equal(csys_receiver_len(rx.core), 5);
	numbers_sender_close(tx);
	int next = 5;
	CSYS_CHANNEL_EACH(numbers, rx, one)
	assert_int_equal(one, next++);
	assert_int_equal(next, 10);
	numbers_receiver_close(rx);
}

/* ---- threads ----------------------------------------------------------------------------- */

enum { THREADS = 3, EACH = 5000 };

struct flow {
	of8_sender tx;
	of8_receiver rx;
	uint32_t threads;  /* atomic */
	uint32_t received; /* atomic */
	int is_shared;
};

static void *send_numbers(void *argument)
{
	struct flow *flow = argument;
	uint64_t thread = csysi_add_relaxed(&flow->threads, 1) - 1;
	of8_sender tx = flow->is_shared ? flow->tx : of8_sender_clone(flow->tx);
	for (uint64_t i = 0; i < EACH; i++) {
		uint64_t number = thread << 32 | i;
		CHECK(of8_send(tx, &number) == 0);
	}
	if (!flow->is_shared)
		of8_sender_close(tx);
	return NULL;
}

static void *receive_numbers(void *argument)
{
	struct flow *flow = argument;
	uint64_t next[THREADS] = { 0 };
	CSYS_CHANNEL_EACH(of8, flow->rx, number)
	{
		uint64_t thread = number >> 32, place = number & 0xffffffff;
		CHECK(thread < THREADS && place >= next[thread]);
		next[thread] = place + 1;
		csysi_add_relaxed(&flow->received, 1);
	}
	return NULL;
}

static void threads_send_and_receive(size_t capacity, int senders, int receivers, int is_shared)
{
	struct flow flow = { .is_shared = is_shared };
	pthread_t sending[THREADS], receiving[THREADS];
	assert_int_equal(of8_new(capacity, NULL, &flow.tx, &flow.rx), 0);
	for (int i = 0; i < senders; i++)
		assert_int_equal(pthread_create(&sending[i], NULL, send_numbers, &flow), 0);
	for (int i = 0; i < receivers; i++)
		assert_int_equal(pthread_create(&receiving[i], NULL, receive_numbers, &flow), 0);
	for (int i = 0; i < senders; i++)
		pthread_join(sending[i], NULL);
	of8_sender_close(flow.tx);
	for (int i = 0; i < receivers; i++)
		pthread_join(receiving[i], NULL);
	assert_int_equal(flow.received, senders * EACH);
	of8_receiver_close(flow.rx);
}

static void threads_may_have_their_own_ends_or_share_them(void **state)
{
	(void)state;
	const size_t all[] = { CSYS_UNBOUNDED, 1, 3, 1024, 0 };
	for (size_t c = 0; c < 5; c++)
		for (int senders = 1; senders <= THREADS; senders++)
			for (int is_shared = 0; is_shared < 2; is_shared++)
				threads_send_and_receive(all[c], senders, 1 + senders % 2,
							 is_shared);
}

/* ---- in place --------------------------------------------------------------------- */

typedef struct frame {
	uint64_t number;
	unsigned char pixels[1000];
} frame;
CSYS_CHANNEL_DEFINE(frames, frame);

static void typed_channels_have_places_of_their_type(void **state)
{
	(void)state;
	frames_sender tx;
	frames_receiver rx;
	frame *place = NULL, *again = NULL, *other = NULL;
	assert_int_equal(frames_new(2, NULL, &tx, &rx), 0);
	for (uint64_t i = 0; i < 5; i++) {
		assert_int_equal(frames_reserve(tx, CSYS_FOREVER, &place), 0);
		assert_int_equal(frames_try_reserve(tx, &other), 0);
		assert_int_equal(frames_try_reserve(tx, &again), CSYS_EAGAIN);
		place->number = i;
		frames_abort(tx, other);
		assert_int_equal(frames_try_peek(rx, &again), CSYS_EAGAIN);
		assert_int_equal(frames_commit(tx, place), 0);
		assert_int_equal(frames_peek(rx, CSYS_FOREVER, &again), 0);
		assert_int_equal(frames_try_peek(rx, &other), 0);
		assert_ptr_equal(again, place);
		assert_ptr_equal(other, place);
		assert_true(again->number == i);
		frames_release(rx);
	}
	frames_sender_close(tx);
	frames_receiver_close(rx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(a_type_may_be_a_pointer),
		TEST_ONE(a_type_of_scalars_may_be_wide),
		TEST_ONE(closing_an_end_without_a_channel_is_ignored),
		TEST_ONE(a_loop_takes_all_messages_up_to_the_last_sender),
		TEST_ONE(a_loop_can_be_left_and_begun_again),
		TEST_ONE(threads_may_have_their_own_ends_or_share_them),
		TEST_ONE(typed_channels_have_places_of_their_type),
	};
	count_memory();
	share_receivers();
	return RUN(tests);
}
