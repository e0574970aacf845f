/*
 * sync/test_typed_channel_sizes.c - promises of csys/sync/typed_channel.h: each call, for each
 * size.
 *
 * What the functions promise is tested on the untyped ones; here, that each leads to the right one,
 * and that the inline paths do the same for each size.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>

#include "support/channel.h"

/* One type for each size; `number` is not in all of them, so they are filled by the byte. */
typedef struct bytes3 {
	unsigned char at[3];
} bytes3;
typedef struct bytes16 {
	uint64_t at[2];
} bytes16;
typedef struct bytes17 {
	unsigned char at[17];
} bytes17;
typedef struct bytes64 {
	_Alignas(64) unsigned char at[64];
} bytes64;
typedef struct bytes512 {
	uint32_t at[128];
} bytes512;
typedef struct bytes5000 {
	void *at[5000 / sizeof(void *)];
} bytes5000;

CSYS_CHANNEL_DEFINE(of1, unsigned char);
CSYS_CHANNEL_DEFINE(of3, bytes3);
CSYS_CHANNEL_DEFINE(of8, uint64_t);
CSYS_CHANNEL_DEFINE(of16, bytes16);
CSYS_CHANNEL_DEFINE(of17, bytes17);
CSYS_CHANNEL_DEFINE(of64, bytes64);
CSYS_CHANNEL_DEFINE(of512, bytes512);
CSYS_CHANNEL_DEFINE(of5000, bytes5000);

static const size_t capacities[] = { CSYS_UNBOUNDED, 1, 3, 1024 };
#define CAPACITIES (sizeof capacities / sizeof *capacities)

static uint64_t many_of(size_t capacity)
{
	return capacity == CSYS_UNBOUNDED ? 800 : capacity;
}

static void open_for(struct drops *drops, csys_channel_options *options, size_t size,
		     size_t alignment, size_t capacity)
{
	memset(drops, 0, sizeof *drops);
	drops->shape = (struct shape){ size, alignment, capacity };
	drops->thread = pthread_self();
	*options = (csys_channel_options){ 0 };
	options->drop = count_drop;
	options->drop_argument = drops;
	options->alignment = 3; /* ignored, though it is none */
}

static void assert_dropped(const struct drops *drops, uint64_t next, uint64_t count)
{
	assert_int_equal(drops->count, count);
	assert_int_equal(drops->wrong, 0);
	assert_true(drops->next == next);
}

/* The tests of one type; the names of the functions begin with `name`. */
#define TESTS_OF(name, type)                                                                       \
	static void name##_sends(name##_sender tx, uint64_t number, int expected)                  \
	{                                                                                          \
		type value;                                                                        \
		size_t sent = 77;                                                                  \
		int r = 0;                                                                         \
		fill(&value, sizeof value, number);                                                \
		switch (number % 5) {                                                              \
		case 0:                                                                            \
			r = expected == 0 ? name##_send(tx, &value) : name##_try_send(tx, &value); \
			break;                                                                     \
		case 1:                                                                            \
			r = name##_try_send(tx, &value);                                           \
			break;                                                                     \
		case 2:                                                                            \
			r = name##_send_until(tx, &value, CSYS_POLL);                              \
			break;                                                                     \
		case 3:                                                                            \
			r = name##_send_batch(tx, &value, 1, CSYS_POLL, &sent);                    \
			assert_int_equal(sent, r == 0);                                            \
			break;                                                                     \
		default: /* the end is also an untyped one */                                      \
			r = csys_sender_try_send(tx.core, &value);                                 \
		}                                                                                  \
		if (expected == CSYS_EAGAIN && (number % 5 == 2 || number % 5 == 3))               \
			expected = CSYS_ETIMEDOUT;                                                 \
		assert_int_equal(r, expected);                                                     \
		assert_true(is_message(&value, sizeof value, number));                             \
	}                                                                                          \
	static void name##_receives(name##_receiver rx, uint64_t number)                           \
	{                                                                                          \
		type values[3];                                                                    \
		size_t count = 77;                                                                 \
		int r = 0;                                                                         \
		memset(values, 0x5a, sizeof values);                                               \
		switch (number % 7) {                                                              \
		case 0:                                                                            \
			r = name##_recv(rx, &values[1]);                                           \
			break;                                                                     \
		case 1:                                                                            \
			r = name##_try_recv(rx, &values[1]);                                       \
			break;                                                                     \
		case 2:                                                                            \
			r = name##_recv_until(rx, CSYS_POLL, &values[1]);                          \
			break;                                                                     \
		case 3:                                                                            \
			r = name##_recv_until(rx, csys_after_s(100), &values[1]);                  \
			break;                                                                     \
		case 4:                                                                            \
			r = name##_recv_batch(rx, &values[1], 1, CSYS_POLL, &count);               \
			assert_int_equal(count, 1);                                                \
			break;                                                                     \
		default:                                                                           \
			r = csys_receiver_try_recv(rx.core, &values[1]);                           \
		}                                                                                  \
		assert_int_equal(r, 0);                                                            \
		assert_true(is_message(&values[1], sizeof(type), number));                         \
		memset(&values[1], 0x5a, sizeof(type));                                            \
		for (size_t i = 0; i < sizeof values; i++)                                         \
			assert_int_equal(((unsigned char *)values)[i], 0x5a);                      \
	}                                                                                          \
	static void name##_has_nothing(name##_receiver rx, int try_result, int result)             \
	{                                                                                          \
		type value;                                                                        \
		size_t count = 77;                                                                 \
		fill(&value, sizeof value, 5);                                                     \
		assert_int_equal(name##_try_recv(rx, &value), try_result);                         \
		assert_int_equal(name##_recv_until(rx, CSYS_POLL, &value), result);                \
		assert_int_equal(name##_recv_batch(rx, &value, 1, CSYS_POLL, &count), result);     \
		if (result == CSYS_EDISCONNECTED)                                                  \
			assert_int_equal(name##_recv(rx, &value), result);                         \
		assert_int_equal(count, 77);                                                       \
		assert_true(is_message(&value, sizeof value, 5));                                  \
	}                                                                                          \
	static void name##_goes_around(size_t capacity)                                            \
	{                                                                                          \
		struct drops drops;                                                                \
		csys_channel_options options;                                                      \
		name##_sender tx;                                                                  \
		name##_receiver rx;                                                                \
		uint64_t most = many_of(capacity), first = 0;                                      \
		open_for(&drops, &options, sizeof(type), _Alignof(type), capacity);                \
		assert_int_equal(name##_new(capacity, &options, &tx, &rx), 0);                     \
		name##_has_nothing(rx, CSYS_EAGAIN, CSYS_ETIMEDOUT);                               \
		for (uint64_t count = 1; count <= most; count += count / 3 + 1) {                  \
			for (uint64_t i = 0; i < count; i++)                                       \
				name##_sends(tx, first + i, 0);                                    \
			if (count == capacity)                                                     \
				for (uint64_t i = 0; i < 5; i++)                                   \
					name##_sends(tx, i, CSYS_EAGAIN);                          \
			for (uint64_t i = 0; i < count; i++)                                       \
				name##_receives(rx, first + i);                                    \
			name##_has_nothing(rx, CSYS_EAGAIN, CSYS_ETIMEDOUT);                       \
			first += count;                                                            \
		}                                                                                  \
		assert_true(csys_sender_capacity(tx.core) == capacity);                            \
		name##_sender other = name##_sender_clone(tx);                                     \
		name##_sender_close(tx);                                                           \
		name##_sends(other, first, 0);                                                     \
		name##_sender_close(other);                                                        \
		name##_receives(rx, first);                                                        \
		name##_has_nothing(rx, CSYS_EDISCONNECTED, CSYS_EDISCONNECTED);                    \
		name##_receiver_close(rx);                                                         \
		assert_dropped(&drops, 0, 0);                                                      \
	}                                                                                          \
	static void name##_is_destroyed(size_t capacity)                                           \
	{                                                                                          \
		struct drops drops;                                                                \
		csys_channel_options options;                                                      \
		name##_sender tx;                                                                  \
		name##_receiver rx;                                                                \
		uint64_t most = many_of(capacity);                                                 \
		size_t count = 77;                                                                 \
		open_for(&drops, &options, sizeof(type), _Alignof(type), capacity);                \
		options.many_receivers = 1;                                                        \
		assert_int_equal(name##_new(capacity, &options, &tx, &rx), 0);                     \
		for (uint64_t i = 0; i < most; i++)                                                \
			name##_sends(tx, i, 0);                                                    \
		assert_int_equal(csys_sender_len(tx.core), most);                                  \
		assert_int_equal(name##_drain(rx, &count), 0);                                     \
		assert_int_equal(count, most);                                                     \
		assert_dropped(&drops, most, most);                                                \
		for (uint64_t i = 0; i < most; i++)                                                \
			name##_sends(tx, most + i, 0);                                             \
		name##_receiver other = name##_receiver_clone(rx);                                 \
		name##_receiver_close(rx);                                                         \
		assert_dropped(&drops, most, most);                                                \
		name##_receiver_close(other);                                                      \
		assert_dropped(&drops, 2 * most, 2 * most);                                        \
		for (uint64_t i = 0; i < 5; i++)                                                   \
			name##_sends(tx, i, CSYS_EDISCONNECTED);                                   \
		name##_sender_close(tx);                                                           \
	}                                                                                          \
	static void name##_in_batches(size_t capacity)                                             \
	{                                                                                          \
		name##_sender tx;                                                                  \
		name##_receiver rx;                                                                \
		static type values[700], out[700];                                                 \
		size_t most = capacity < 700 ? capacity : 700, sent = 0;                           \
		assert_int_equal(name##_new(capacity, NULL, &tx, &rx), 0);                         \
		for (size_t i = 0; i < most; i++)                                                  \
			fill(&values[i], sizeof(type), i);                                         \
		for (int round = 0; round < 3; round++) {                                          \
			assert_int_equal(name##_send_batch(tx, values, most, CSYS_FOREVER, &sent), \
					 0);                                                       \
			assert_int_equal(sent, most);                                              \
			for (size_t got = 0, count; got < most; got += count) {                    \
				count = 0;                                                         \
				assert_int_equal(name##_recv_batch(rx, out + got, most - got,      \
								   CSYS_FOREVER, &count),          \
						 0);                                               \
				assert_in_range(count, 1, most - got);                             \
			}                                                                          \
			assert_memory_equal(values, out, most * sizeof(type));                     \
		}                                                                                  \
		CSYS_AUTO_VALUE(name##_sender) auto_tx = tx;                                       \
		CSYS_AUTO_VALUE(name##_receiver) auto_rx = rx;                                     \
		CSYS_AUTO_VALUE(name##_sender) no_tx = { NULL };                                   \
		CSYS_AUTO_VALUE(name##_receiver) no_rx = { NULL };                                 \
		(void)auto_tx;                                                                     \
		(void)auto_rx;                                                                     \
		(void)no_tx;                                                                       \
		(void)no_rx;                                                                       \
	}

TESTS_OF(of1, unsigned char)
TESTS_OF(of3, bytes3)
TESTS_OF(of8, uint64_t)
TESTS_OF(of16, bytes16)
TESTS_OF(of17, bytes17)
TESTS_OF(of64, bytes64)
TESTS_OF(of512, bytes512)
TESTS_OF(of5000, bytes5000)

#define EACH_TYPE(what, capacity)        \
	do {                             \
		of1_##what(capacity);    \
		of3_##what(capacity);    \
		of8_##what(capacity);    \
		of16_##what(capacity);   \
		of17_##what(capacity);   \
		of64_##what(capacity);   \
		of512_##what(capacity);  \
		of5000_##what(capacity); \
	} while (0)

static void each_type_goes_through_each_call_in_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < CAPACITIES; i++)
		EACH_TYPE(goes_around, capacities[i]);
}

static void each_type_is_destroyed_by_drain_and_close(void **state)
{
	(void)state;
	for (size_t i = 0; i < CAPACITIES; i++)
		EACH_TYPE(is_destroyed, capacities[i]);
}

static void each_type_goes_in_batches_and_its_ends_close_by_themselves(void **state)
{
	(void)state;
	for (size_t i = 0; i < CAPACITIES; i++)
		EACH_TYPE(in_batches, capacities[i]);
}

/* ---- memory ------------------------------------------------------------------------------ */

static void a_send_without_memory_fails_and_the_channel_goes_on(void **state)
{
	(void)state;
	of3_sender tx;
	of3_receiver rx;
	bytes3 value;
	uint64_t sent = 0, received = 0;
	int r;
	assert_int_equal(of3_new(CSYS_UNBOUNDED, NULL, &tx, &rx), 0);
	for (int round = 0; round < 3; round++) {
		csysi_fault_exhaust(1, CSYS_ENOMEM);
		do {
			fill(&value, sizeof value, sent);
			r = sent % 2 ? of3_send(tx, &value) : of3_try_send(tx, &value);
			sent += r == 0;
		} while (r == 0);
		csysi_fault_arm(0);
		assert_int_equal(r, CSYS_ENOMEM);
		assert_true(is_message(&value, sizeof value, sent));
		for (; received < sent; received++)
			of3_receives(rx, received);
		of3_has_nothing(rx, CSYS_EAGAIN, CSYS_ETIMEDOUT);
	}
	of3_sender_close(tx);
	of3_receiver_close(rx);
}

static void a_channel_that_gets_no_memory_is_not_made(void **state)
{
	(void)state;
	for (size_t c = 0; c < CAPACITIES; c++) {
		of64_sender tx = { NULL };
		of64_receiver rx = { NULL };
		csysi_fault_arm(1);
		assert_int_equal(of64_new(capacities[c], NULL, &tx, &rx), CSYS_ENOMEM);
		csysi_fault_arm(0);
		assert_null(tx.core);
		assert_null(rx.core);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(each_type_goes_through_each_call_in_order),
		TEST_ONE(each_type_is_destroyed_by_drain_and_close),
		TEST_ONE(each_type_goes_in_batches_and_its_ends_close_by_themselves),
		TEST_ONE(a_send_without_memory_fails_and_the_channel_goes_on),
		TEST_ONE(a_channel_that_gets_no_memory_is_not_made),
	};
	count_memory();
	return RUN(tests);
}
