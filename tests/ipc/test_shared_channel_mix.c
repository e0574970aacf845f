/*
 * ipc/test_shared_channel_mix.c - any calls of csys/ipc/shared_channel.h after each other do what a
 * queue does.
 */
#include <string.h>

#include "support/shared_channel.h"

/* ---- a queue beside it ----------------------------------------------------------------------- */

enum { LONGEST = 40, QUEUE = 64, STEPS_OF_MIX = 1000 };

struct message {
	size_t length;
	unsigned char bytes[LONGEST];
};

/* What the channel has, and how many it can have of which size. */
static struct {
	struct message messages[QUEUE];
	size_t count, capacity, size;
	unsigned char next;
	unsigned seed;
} queue;

static unsigned roll(unsigned below)
{
	queue.seed = queue.seed * 1103515245u + 12345u;
	return (queue.seed >> 16 & 0x7fff) % below;
}

static struct message any_message(size_t most)
{
	struct message message = { .length = roll((unsigned)most + 1) };
	for (size_t i = 0; i < message.length; i++)
		message.bytes[i] = queue.next++;
	return message;
}

static void expect(const void *bytes, size_t length)
{
	assert_true(queue.count > 0);
	assert_int_equal(length, queue.messages[0].length);
	if (length > 0)
		assert_memory_equal(bytes, queue.messages[0].bytes, length);
	queue.count--;
	memmove(queue.messages, queue.messages + 1, queue.count * sizeof *queue.messages);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static void send(const struct message *message)
{
	int expected = 0;
	if (message->length > queue.size)
		expected = CSYS_EMSGSIZE;
	else if (queue.count == queue.capacity)
		expected = CSYS_EAGAIN;
	assert_int_equal(csys_shared_sender_try_send(sender, message->bytes, message->length),
			 expected);
	if (expected == 0)
		queue.messages[queue.count++] = *message;
}

static void send_one(void)
{
	struct message message = any_message(roll(2) ? LONGEST : 16);
	send(&message);
}

static void send_several(void)
{
	unsigned char bytes[3 * LONGEST];
	size_t length = roll((unsigned)queue.size + 1);
	size_t count = roll(4);
	size_t room = queue.capacity - queue.count;
	size_t sent = 77;
	for (size_t i = 0; i < count * length; i++)
		bytes[i] = queue.next++;
	int r = csys_shared_sender_send_batch(sender, bytes, length, count, CSYS_POLL, &sent);
	assert_int_equal(r, count > room ? CSYS_ETIMEDOUT : 0);
	assert_int_equal(sent, count > room ? room : count);
	for (size_t i = 0; i < sent; i++) {
		struct message *message = &queue.messages[queue.count++];
		message->length = length;
		memcpy(message->bytes, bytes + i * length, length);
	}
}

static void send_in_place(void)
{
	struct message message = any_message(queue.size);
	int is_full = queue.count == queue.capacity;
	void *place;
	assert_int_equal(csys_shared_sender_try_reserve(sender, &place), is_full ? CSYS_EAGAIN : 0);
	if (is_full)
		return;
	if (roll(3) == 0) {
		csys_shared_sender_abort(sender, place);
		/* It is received as nothing, and has the place until then. */
		if (queue.count == 0)
			assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
		else
			queue.messages[queue.count++].length = SIZE_MAX;
		return;
	}
	memcpy(place, message.bytes, message.length);
	assert_int_equal(csys_shared_sender_commit(sender, place, message.length), 0);
	queue.messages[queue.count++] = message;
}

/* Those that were aborted are passed when the channel is looked at. */
static void pass_aborted(void)
{
	while (queue.count > 0 && queue.messages[0].length == SIZE_MAX) {
		queue.count--;
		memmove(queue.messages, queue.messages + 1, queue.count * sizeof *queue.messages);
	}
}

static void receive_within(size_t room)
{
	unsigned char bytes[LONGEST];
	size_t length = 77;
	size_t *out_length = roll(4) == 0 ? NULL : &length;
	int r = csys_shared_receiver_try_recv(receiver, bytes, room, out_length);
	pass_aborted();
	if (queue.count == 0) {
		assert_int_equal(r, CSYS_EAGAIN);
	} else if (queue.messages[0].length > room) {
		assert_int_equal(r, CSYS_EMSGSIZE);
	} else {
		assert_int_equal(r, 0);
		expect(bytes, out_length ? length : queue.messages[0].length);
		return;
	}
	assert_int_equal(length, 77);
}

static void receive_one(void)
{
	receive_within(roll(4) == 0 ? roll(LONGEST + 1) : LONGEST);
}

static void receive_several(void)
{
	unsigned char bytes[3 * LONGEST];
	size_t lengths[3];
	size_t count = 77;
	size_t most = roll(4);
	int r = csys_shared_receiver_recv_batch(receiver, bytes, LONGEST, most, CSYS_POLL, lengths,
						&count);
	if (most > 0)
		pass_aborted();
	if (most > 0 && queue.count == 0) {
		assert_int_equal(r, CSYS_ETIMEDOUT);
		return;
	}
	assert_int_equal(r, 0);
	assert_true(count <= most && (count > 0 || most == 0));
	for (size_t i = 0; i < count; i++)
		expect(bytes + i * LONGEST, lengths[i]);
}

static void receive_in_place(void)
{
	void *place;
	size_t length;
	int r = csys_shared_receiver_try_peek(receiver, &place, &length);
	pass_aborted();
	if (queue.count == 0) {
		assert_int_equal(r, CSYS_EAGAIN);
		return;
	}
	assert_int_equal(r, 0);
	if (roll(2) == 0) {
		expect(place, length);
		csys_shared_receiver_release(receiver);
	} else {
		/* The message that is peeked at is received like any other. */
		assert_int_equal(length, queue.messages[0].length);
		receive_within(LONGEST);
	}
}

static void receive_all(void)
{
	size_t count = 77;
	size_t expected = 0;
	for (size_t i = 0; i < queue.count; i++)
		expected += queue.messages[i].length != SIZE_MAX;
	assert_int_equal(csys_shared_channel_len(channel), expected);
	assert_int_equal(csys_shared_receiver_drain(receiver, &count), 0);
	assert_int_equal(count, expected);
	/* What was aborted behind the last one. */
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	queue.count = 0;
}

/* The thread is another member from now on: the receiver's first, so that the sender has one. */
static void go_on_as_another_member(void)
{
	struct message none = { .length = 0 };
	if (queue.count == 0 || queue.messages[0].length == SIZE_MAX)
		return;
	csys_region_detach(region);
	receive_within(LONGEST);
	send(&none);
}

/* ---- mixes ----------------------------------------------------------------------------------- */

static void mix(size_t size, size_t capacity, int single)
{
	csys_shared_channel_options options = { .single_sender = single, .senders = 2 };
	memset(&queue, 0, sizeof queue);
	queue.seed = (unsigned)(size * 100 + capacity * 2 + (size_t)single);
	queue.size = size;
	queue.capacity = capacity;
	memset(MEMORY, 0, ROOM);
	assert_int_equal(
		csys_shared_channel_create_in(region, MEMORY, size, capacity, &options, &channel),
		0);
	open_both();
	for (int i = 0; i < STEPS_OF_MIX; i++) {
		/* Mostly short ones, with some of a kind in a row. */
		unsigned what = roll(40);
		if (what < 15)
			send_one();
		else if (what < 30)
			receive_one();
		else if (what < 32)
			send_several();
		else if (what < 34)
			receive_several();
		else if (what < 36)
			send_in_place();
		else if (what < 38)
			receive_in_place();
		else if (what < 39)
			receive_all();
		else if (roll(4) == 0)
			go_on_as_another_member();
	}
	receive_all();
	close_both();
	csys_shared_channel_close(channel);
}

static void mix_all(void)
{
	static const size_t sizes[] = { 0, 1, 3, 4, 7, 8, 9, 15, 16, 17, LONGEST };
	static const size_t capacities[] = { 1, 2, 4, 8 };
	csys_shared_channel *before = channel;
	int single = before->senders == 1;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (size_t j = 0; j < sizeof capacities / sizeof *capacities; j++)
			mix(sizes[i], capacities[j], single);
	channel = before;
}

static void any_mix_of_calls_does_what_a_queue_does(void **state)
{
	(void)state;
	with_channels(NULL, mix_all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(any_mix_of_calls_does_what_a_queue_does),
	};
	return RUN(tests);
}
