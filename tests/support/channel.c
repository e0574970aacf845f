/*
 * support/channel.c - what the tests of channels share.
 */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/thread.h"

#define GUARD 32

/* ---- memory ------------------------------------------------------------------------------ */

/* Before each block: its size.  A multiple of max_align_t and no more, so that what needs more has
 * to see to it. */
#define HEADER 16

static uint32_t held, made;
static size_t bytes; /* atomic */

/* Memory of which each block is above those before it, until all are given back. */
static struct {
	_Alignas(64) char memory[32 << 20];
	size_t used;
	uint32_t held;
	int is_on;
} arena;

void ascending_memory(int is_on)
{
	arena.is_on = is_on;
}

static void *allocate(size_t size)
{
	if (!arena.is_on)
		return malloc(size);
	size = (size + 63) / 64 * 64;
	if (size > sizeof arena.memory - arena.used)
		return NULL;
	arena.used += size;
	csysi_add_relaxed(&arena.held, 1);
	return arena.memory + arena.used - size;
}

static void release(void *block)
{
	uintptr_t offset = (uintptr_t)block - (uintptr_t)arena.memory;

	if (offset >= sizeof arena.memory)
		free(block);
	else if (csysi_sub_acq_rel(&arena.held, 1) == 0)
		arena.used = 0;
}

int (*refuses_memory)(void);

static void *counted_allocate(size_t size, void *context)
{
	(void)context;
	int (*refuses)(void) = csysi_load_acquire(&refuses_memory);
	char *block = size <= SIZE_MAX - HEADER && !(refuses && refuses()) ? allocate(HEADER + size)
									   : NULL;
	if (!block)
		return NULL;
	memcpy(block, &size, sizeof size);
	memset(block + HEADER, 0xa5, size < 65536 ? size : 65536); /* nobody may expect zeros */
	csysi_add_relaxed(&held, 1);
	csysi_add_relaxed(&made, 1);
	__atomic_fetch_add(&bytes, size, __ATOMIC_RELAXED);
	return block + HEADER;
}

static void counted_release(void *block, void *context)
{
	size_t size;
	(void)context;
	if (!block)
		return;
	memcpy(&size, (char *)block - HEADER, sizeof size);
	csysi_sub_relaxed(&held, 1);
	__atomic_fetch_sub(&bytes, size, __ATOMIC_RELAXED);
	release((char *)block - HEADER);
}

static void *counted_reallocate(void *block, size_t size, void *context)
{
	size_t before;
	void *after = counted_allocate(size, context);
	if (!after)
		return NULL;
	memcpy(&before, (char *)block - HEADER, sizeof before);
	memcpy(after, block, before < size ? before : size);
	counted_release(block, context);
	return after;
}

void count_memory(void)
{
	static const csys_allocator counted = { counted_allocate, counted_reallocate,
						counted_release, NULL };
	if (csys_allocator_set(&counted) < 0)
		abort();
}

static int go_on(int what, const char *text, void *argument)
{
	(void)argument;
	if (what == CSYS_CHECK_RECEIVER)
		return 0;
	fputs(text, stderr);
	return 1;
}

void share_receivers(void)
{
	csys_sync_set_hook(go_on, NULL);
}

uint32_t blocks_held(void)
{
	return csysi_load_relaxed(&held);
}

uint32_t blocks_made(void)
{
	return csysi_load_relaxed(&made);
}

size_t bytes_held(void)
{
	return __atomic_load_n(&bytes, __ATOMIC_RELAXED);
}

/* ---- tests on shapes --------------------------------------------------------------------- */

/* Where the program is watched, the first ones are all there are, and only the first of them goes
 * through the largest queue: none, one that is not a multiple of a word, the largest, one that is
 * aligned by itself and one that is not.  A size changes how many bytes are copied, and where to:
 * not which threads do so, nor in which order. */
static const struct {
	size_t size, alignment;
} messages[] = {
	{ 8, 0 }, { 0, 0 }, { 17, 0 }, { 5000, 0 }, { 16, 64 }, /* MESSAGES_WATCHED */
	{ 1, 0 }, { 3, 0 }, { 16, 0 }, { 64, 0 },   { 512, 0 }, { 4, 64 }, { 64, 64 },
};
#define MESSAGES (sizeof messages / sizeof *messages)
#define MESSAGES_WATCHED 5
#define MOST_CAPACITY 1024
static const size_t capacities[] = { CSYS_UNBOUNDED, 1, 3, MOST_CAPACITY, 0 };

static const struct shape *current; /* that is tested */
static uint32_t held_before;

int is_rendezvous(const struct shape *shape)
{
	return shape->capacity == 0;
}

int is_unbounded(const struct shape *shape)
{
	return shape->capacity == CSYS_UNBOUNDED;
}

static int kind_of(const struct shape *shape)
{
	return is_unbounded(shape)    ? OF_UNBOUNDED
	       : is_rendezvous(shape) ? OF_RENDEZVOUS
				      : OF_BOUNDED;
}

int channel_before(void **state)
{
	held_before = blocks_held();
	current = NULL;
	return support_before(state);
}

int channel_after(void **state)
{
	csysi_fault_arm(0);
	if (current)
		print_error("with messages of %zu bytes, alignment %zu, capacity %zu\n",
			    current->size, current->alignment, current->capacity);
	else if (blocks_held() != held_before)
		return print_error("%u blocks of memory before, %u after\n", held_before,
				   blocks_held()),
		       -1;
	return support_after(state);
}

void run_on_shapes(void **state)
{
	const struct on_shapes *test = *state;
	static struct shape shape; /* it is told after a test that has failed */
	const size_t most = is_watched() ? MESSAGES_WATCHED : MESSAGES;
	for (size_t m = 0; m < most; m++) {
		for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
			shape = (struct shape){ messages[m].size, messages[m].alignment,
						capacities[c] };
			if (!(kind_of(&shape) & test->kinds) ||
			    (m > 0 && most < MESSAGES && shape.capacity == MOST_CAPACITY))
				continue;
			uint32_t before = blocks_held();
			current = &shape;
			test->body(&shape);
			assert_int_equal(blocks_held(), before);
		}
	}
	current = NULL;
}

/* ---- a channel --------------------------------------------------------------------------- */

static size_t alignment_of(const struct shape *shape)
{
	size_t natural = shape->size & (0 - shape->size);
	if (shape->alignment != 0)
		return shape->alignment;
	size_t most = _Alignof(max_align_t);
	return natural == 0 ? 1 : natural > most ? most : natural;
}

void count_drop(void *value, void *argument)
{
	struct drops *drops = argument;
	if (!is_message(value, drops->shape.size, drops->next) ||
	    (uintptr_t)value % alignment_of(&drops->shape) != 0)
		csysi_add_relaxed(&drops->wrong, 1);
	if (!pthread_equal(pthread_self(), drops->thread))
		csysi_add_relaxed(&drops->unlike, 1);
	drops->next++;
	csysi_add_relaxed(&drops->count, 1);
}

void open_channel_with(struct channel *channel, const struct shape *shape,
		       csys_channel_options options)
{
	memset(channel, 0, sizeof *channel);
	channel->shape = *shape;
	channel->drops.shape = *shape;
	channel->drops.thread = pthread_self();
	options.drop = count_drop;
	options.drop_argument = &channel->drops;
	options.alignment = shape->alignment;
	assert_int_equal(csys_channel_new(shape->size, shape->capacity, &options, &channel->tx,
					  &channel->rx),
			 0);
	assert_non_null(channel->tx);
	assert_non_null(channel->rx);
}

void open_channel(struct channel *channel, const struct shape *shape)
{
	open_channel_with(channel, shape, (csys_channel_options){ 0 });
}

void close_channel(struct channel *channel)
{
	csys_sender_close(channel->tx);
	csys_receiver_close(channel->rx);
}

void assert_drops(struct channel *channel, uint64_t first, uint32_t count)
{
	assert_int_equal(channel->drops.count, count);
	assert_int_equal(channel->drops.wrong, 0);
	assert_int_equal(channel->drops.unlike, 0);
	assert_true(channel->drops.next == first + count);
}

uint64_t many(const struct shape *shape)
{
	return is_unbounded(shape) ? 800 : shape->capacity;
}

/* ---- messages ---------------------------------------------------------------------------- */

/* The bytes `at`, at + 1, ... up to 8 of a message. */
static uint64_t word_of(uint64_t number, size_t at)
{
	return number ^ at / 8 * UINT64_C(0x2525252525252525);
}

void fill(void *value, size_t size, uint64_t number)
{
	for (size_t at = 0; at < size; at += 8) {
		uint64_t word = word_of(number, at);
		memcpy((char *)value + at, &word, size - at < 8 ? size - at : 8);
	}
}

int is_message(const void *value, size_t size, uint64_t number)
{
	for (size_t at = 0; at < size; at += 8) {
		uint64_t word = word_of(number, at);
		if (memcmp((const char *)value + at, &word, size - at < 8 ? size - at : 8) != 0)
			return 0;
	}
	return 1;
}

uint64_t number_of(const void *value)
{
	uint64_t number;
	memcpy(&number, value, sizeof number);
	return number;
}

int send_number(csys_sender *tx, size_t size, uint64_t number)
{
	unsigned char value[MOST_SIZE];
	size_t sent = 77;
	int r;
	fill(value, size, number);
	switch (number % 4) {
	case 0:
		return csys_sender_send(tx, value);
	case 1:
		return csys_sender_try_send(tx, value);
	case 2:
		return csys_sender_send_until(tx, value, CSYS_POLL);
	default:
		r = csys_sender_send_batch(tx, value, 1, CSYS_POLL, &sent);
		assert_int_equal(sent, r == 0);
		return r;
	}
}

void assert_sends(struct channel *channel, uint64_t number)
{
	assert_int_equal(send_number(channel->tx, channel->shape.size, number), 0);
}

/* Into memory whose surroundings are looked at. */
static int receive(csys_receiver *rx, unsigned how, unsigned char *to, size_t size)
{
	size_t count = 77;
	int r;
	memset(to, 0x5a, size + 2 * GUARD);
	switch (how % 5) {
	case 0:
		return csys_receiver_recv(rx, to + GUARD);
	case 1:
		return csys_receiver_try_recv(rx, to + GUARD);
	case 2:
		return csys_receiver_recv_until(rx, CSYS_POLL, to + GUARD);
	case 3:
		return csys_receiver_recv_until(rx, csys_after_s(100), to + GUARD);
	default:
		r = csys_receiver_recv_batch(rx, to + GUARD, 1, CSYS_POLL, &count);
		assert_int_equal(count, r == 0 ? 1 : 77);
		return r;
	}
}

static int is_untouched(const unsigned char *at, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (at[i] != 0x5a)
			return 0;
	return 1;
}

void assert_receives(struct channel *channel, uint64_t number)
{
	unsigned char value[MOST_SIZE + 2 * GUARD];
	size_t size = channel->shape.size;
	assert_int_equal(receive(channel->rx, (unsigned)(number % 5), value, size), 0);
	assert_true(is_message(value + GUARD, size, number));
	assert_true(is_untouched(value, GUARD));
	assert_true(is_untouched(value + GUARD + size, GUARD));
}

void assert_sends_all(struct channel *channel, uint64_t first, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		assert_sends(channel, first + i);
}

void assert_receives_all(struct channel *channel, uint64_t first, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		assert_receives(channel, first + i);
}

size_t drained(csys_receiver *rx)
{
	size_t count = SIZE_MAX;
	assert_int_equal(csys_receiver_drain(rx, &count), 0);
	return count;
}

void assert_sends_fail(csys_sender *tx, size_t size, int try_result, int wait_result)
{
	unsigned char value[2 * MOST_SIZE];
	size_t sent = 77;
	fill(value, size, 5);
	fill(value + size, size, 6);
	assert_int_equal(csys_sender_try_send(tx, value), try_result);
	assert_int_equal(csys_sender_send_until(tx, value, CSYS_POLL), wait_result);
	assert_int_equal(csys_sender_send_until(tx, value, csys_after_ns(1)), wait_result);
	assert_int_equal(csys_sender_send_batch(tx, value, 2, CSYS_POLL, &sent), wait_result);
	assert_int_equal(sent, 0);
	if (wait_result == CSYS_EDISCONNECTED) {
		assert_int_equal(csys_sender_send(tx, value), wait_result);
		sent = 77;
		assert_int_equal(csys_sender_send_batch(tx, value, 2, CSYS_FOREVER, &sent),
				 wait_result);
		assert_int_equal(sent, 0);
	}
	assert_true(is_message(value, size, 5));
	assert_true(is_message(value + size, size, 6));
}

void assert_receives_fail(csys_receiver *rx, size_t size, int try_result, int wait_result)
{
	unsigned char value[MOST_SIZE + 2 * GUARD];
	for (unsigned how = 0; how < 5; how++) {
		int has_to_wait = wait_result == CSYS_ETIMEDOUT && (how == 0 || how == 3);
		if (has_to_wait)
			continue;
		assert_int_equal(receive(rx, how, value, size),
				 how == 1 ? try_result : wait_result);
		assert_true(is_untouched(value, size + 2 * GUARD));
	}
	assert_int_equal(csys_receiver_recv_until(rx, csys_after_ns(1), value), wait_result);
	assert_true(is_untouched(value, size + 2 * GUARD));
}

void assert_full(struct channel *channel)
{
	assert_sends_fail(channel->tx, channel->shape.size, CSYS_EAGAIN, CSYS_ETIMEDOUT);
	assert_int_equal(csys_sender_is_disconnected(channel->tx), 0);
}

void assert_empty(struct channel *channel)
{
	assert_receives_fail(channel->rx, channel->shape.size, CSYS_EAGAIN, CSYS_ETIMEDOUT);
	assert_int_equal(csys_receiver_is_disconnected(channel->rx), 0);
}

void assert_no_receiver(struct channel *channel)
{
	assert_sends_fail(channel->tx, channel->shape.size, CSYS_EDISCONNECTED, CSYS_EDISCONNECTED);
	assert_int_equal(csys_sender_is_disconnected(channel->tx), 1);
}

void assert_no_sender(struct channel *channel)
{
	assert_receives_fail(channel->rx, channel->shape.size, CSYS_EDISCONNECTED,
			     CSYS_EDISCONNECTED);
	assert_int_equal(csys_receiver_is_disconnected(channel->rx), 1);
}

/* ---- one call on a thread of its own ----------------------------------------------------- */

static void *run_call(void *argument)
{
	struct call *call = argument;
	__atomic_store_n(&call->runs_as, (uintptr_t)thread_number(), __ATOMIC_RELEASE);
	call->result = call->tx ? csys_sender_send_until(call->tx, call->value, call->deadline)
				: csys_receiver_recv_until(call->rx, call->deadline, call->value);
	csysi_store_release(&call->has_returned, 1);
	return NULL;
}

static void begin(struct call *call, csys_deadline deadline)
{
	call->deadline = deadline;
	call->result = 77;
	call->has_returned = 0;
	call->runs_as = 0;
	assert_int_equal(pthread_create(&call->thread, NULL, run_call, call), 0);
}

void begin_send(struct call *call, const struct channel *channel, uint64_t number,
		csys_deadline deadline)
{
	call->tx = channel->tx;
	call->rx = NULL;
	call->size = channel->shape.size;
	call->number = number;
	fill(call->value, call->size, number);
	begin(call, deadline);
}

void begin_recv(struct call *call, const struct channel *channel, csys_deadline deadline)
{
	call->tx = NULL;
	call->rx = channel->rx;
	call->size = channel->shape.size;
	memset(call->value, 0x5a, sizeof call->value);
	begin(call, deadline);
}

void await_sleep(struct call *call)
{
	uintptr_t number;
	while ((number = __atomic_load_n(&call->runs_as, __ATOMIC_ACQUIRE)) == 0)
		take_a_nap();
	for (int naps = 0; naps < 20 && !thread_sleeps((intptr_t)number); naps++)
		take_a_nap();
	assert_int_equal(csysi_load_acquire(&call->has_returned), 0);
}

int end_call(struct call *call)
{
	pthread_join(call->thread, NULL);
	if (call->tx)
		assert_true(is_message(call->value, call->size, call->number));
	else if (call->result != 0)
		assert_true(is_untouched(call->value, sizeof call->value));
	return call->result;
}

void end_recv(struct call *call, uint64_t number)
{
	assert_int_equal(end_call(call), 0);
	assert_true(is_message(call->value, call->size, number));
}
