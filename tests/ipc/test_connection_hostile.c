/*
 * ipc/test_connection_hostile.c - promises of csys/ipc/connection.h: what hostile sides send.
 */
#define _XOPEN_SOURCE 700
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/connection.h"
#include "support/connection.h"

/* ---- what is sent --------------------------------------------------------------------------- */

/* A right message of 3 bytes, with so many attachments. */
static struct csysi_connection_frame frame_of(uint16_t count)
{
	struct csysi_connection_frame frame;

	memset(&frame, 0, sizeof frame);
	frame.head = (struct csysi_connection_head){
		.magic = CSYSI_CONNECTION_MAGIC,
		.kind = CSYSI_HEAD_DATA,
		.count = count,
		.size = 3,
		.number = 1,
	};
	for (int i = 0; i < count; i++)
		frame.entries[i].kind = CSYS_ATTACHMENT_HANDLE;
	return frame;
}

static size_t size_of(const struct csysi_connection_frame *frame)
{
	size_t size = sizeof frame->head + frame->head.count * sizeof *frame->entries;

	return size < sizeof *frame ? size : sizeof *frame;
}

/* Send bytes with handles. */
static void put(const void *data, size_t size, csys_handle handle, size_t count)
{
	csys_handle handles[CSYS_MESSAGE_HANDLES];
	const csys_slice slice = { data, size };
	const csys_message message = {
		.slices = &slice, .slice_count = 1, .handles = handles, .handle_count = count
	};
	size_t sent;

	for (size_t i = 0; i < count; i++)
		handles[i] = handle;
	assert_int_equal(csys_message_send(wire, &message, &sent), 0);
	assert_int_equal(sent, size);
}

/* The connection finds out, is broken, and the other side told. */
static void assert_broken(int code)
{
	csys_parcel *parcel = NULL;
	char bytes[256];
	size_t size = 1;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_connection_recv(near_side, &parcel), code);
		assert_int_equal(csys_connection_send(near_side, "x", 1, NULL, 0), code);
		assert_int_equal(csys_connection_advance(near_side), code);
	}
	assert_null(parcel);
	int r = 0;
	while (r == 0 && size > 0)
		r = csys_socket_recv(wire, bytes, sizeof bytes, &size);
	assert_true(r == 0 || r == CSYS_ECONNRESET);
}

/* A message of this frame breaks the connection, and nothing of it stays. */
static void assert_refused(const struct csysi_connection_frame *frame, size_t handle_count)
{
	struct ends pipe = opened_ends();
	char bytes[sizeof *frame + 3];
	size_t size = size_of(frame);

	connect_wire();
	int handles = open_handles();
	memcpy(bytes, frame, size);
	memcpy(bytes + size, "abc", 3);
	put(bytes, size + 3, pipe.reader, handle_count);
	assert_broken(CSYS_EBADMSG);
	assert_int_equal(open_handles(), handles);
	close_wire();
	close_ends(pipe);
}

/* ---- heads and entries ---------------------------------------------------------------------- */

static void a_right_frame_is_received(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	const struct csysi_connection_frame frame = frame_of(2);
	csys_parcel *parcel;
	connect_wire();
	/* In any pieces: handles come with the first byte. */
	put(&frame, 1, pipe.reader, 2);
	assert_int_equal(csys_connection_try_recv(near_side, &parcel), CSYS_EAGAIN);
	for (size_t i = 1; i < size_of(&frame); i++) {
		put((const char *)&frame + i, 1, CSYS_NO_HANDLE, 0);
		assert_int_equal(csys_connection_try_recv(near_side, &parcel), CSYS_EAGAIN);
	}
	put("ab", 2, CSYS_NO_HANDLE, 0);
	assert_int_equal(csys_connection_try_recv(near_side, &parcel), CSYS_EAGAIN);
	put("c", 1, CSYS_NO_HANDLE, 0);
	assert_int_equal(csys_connection_try_recv(near_side, &parcel), 0);
	assert_string_equal(csys_parcel_data(parcel, NULL), "abc");
	assert_int_equal(csys_parcel_count(parcel), 2);
	csys_parcel_close(parcel);
	close_wire();
	close_ends(pipe);
}

static void heads_that_break_a_rule_break_the_connection(void **state)
{
	(void)state;
	struct csysi_connection_frame frame;
#define WITH(change)                       \
	do {                               \
		frame = frame_of(0);       \
		change;                    \
		assert_refused(&frame, 0); \
	} while (0)
	WITH(frame.head.magic++);
	WITH(frame.head.kind = 0);
	WITH(frame.head.kind = 5);
	WITH(frame.head.kind = 0xffff);
	WITH(frame.head.kind = CSYSI_HEAD_ASK); /* with bytes */
	WITH(frame.head.kind = CSYSI_HEAD_TELL);
	WITH(frame.head.kind = CSYSI_HEAD_HELLO);
	WITH(frame.head.kind = CSYSI_HEAD_ASK; frame.head.size = 0);
	WITH(frame.head.size = CSYSI_CONNECTION_USUAL_MOST + 1);
	WITH(frame.head.size = UINT64_MAX);
	WITH(frame.head.number = 0);
	WITH(frame.head.number = 2);
	WITH(frame.head.received = 1);
	WITH(frame.head.received = UINT64_MAX);
	WITH(frame.head.count = 1);
	WITH(frame.head.count = 0xffff);
#undef WITH
}

static void attachments_that_break_a_rule_break_the_connection(void **state)
{
	(void)state;
	struct csysi_connection_frame frame = frame_of(2);
	assert_refused(&frame, 0);
	assert_refused(&frame, 1);
	assert_refused(&frame, 3);
	frame = frame_of(0);
	assert_refused(&frame, 1);
	frame = frame_of(2);
	frame.entries[1].kind = CSYS_ATTACHMENT_NONE;
	assert_refused(&frame, 2);
	frame.entries[1].kind = 7;
	assert_refused(&frame, 2);
	frame.entries[1].kind = UINT32_MAX;
	assert_refused(&frame, 2);
	frame = frame_of(2);
	frame.entries[0].reserved = 1;
	assert_refused(&frame, 2);
}

static void handles_at_another_place_break_the_connection(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	const struct csysi_connection_frame frame = frame_of(1);
	const size_t places[] = { 1, sizeof frame.head, sizeof frame.head + 1, size_of(&frame) };
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		connect_wire();
		int handles = open_handles();
		put(&frame, places[i], pipe.reader, 1);
		if (places[i] < size_of(&frame))
			put((const char *)&frame + places[i], size_of(&frame) - places[i],
			    pipe.reader, 1);
		put("abc", 3, pipe.reader, 1);
		assert_broken(CSYS_EBADMSG);
		assert_int_equal(open_handles(), handles);
		close_wire();
	}
	close_ends(pipe);
}

static void a_count_of_what_was_received_does_not_go_back(void **state)
{
	(void)state;
	struct csysi_connection_frame frame = frame_of(0);
	connect_wire();
	say_to(near_side, "x");
	frame.head.kind = CSYSI_HEAD_TELL;
	frame.head.size = frame.head.number = 0;
	frame.head.received = 1;
	put(&frame, sizeof frame.head, CSYS_NO_HANDLE, 0);
	assert_int_equal(csys_connection_flush(near_side, CSYS_FOREVER), 0);
	frame.head.received = 0;
	put(&frame, sizeof frame.head, CSYS_NO_HANDLE, 0);
	assert_broken(CSYS_EBADMSG);
	close_wire();
}

static void what_came_whole_before_that_is_received(void **state)
{
	(void)state;
	struct csysi_connection_frame frame = frame_of(0);
	csys_parcel *parcel;
	connect_wire();
	say_to(near_side, "x");
	put(&frame, sizeof frame.head, CSYS_NO_HANDLE, 0);
	put("abc", 3, CSYS_NO_HANDLE, 0);
	put(&frame, sizeof frame.head, CSYS_NO_HANDLE, 0); /* the same number again */
	assert_int_equal(csys_connection_flush(near_side, CSYS_FOREVER), CSYS_EBADMSG);
	assert_int_equal(csys_connection_recv(near_side, &parcel), 0);
	assert_string_equal(csys_parcel_data(parcel, NULL), "abc");
	csys_parcel_close(parcel);
	assert_broken(CSYS_EBADMSG);
	close_wire();
}

/* ---- attachments that are not what they say ------------------------------------------------- */

static csys_parcel *parcel_of(const struct csysi_connection_frame *frame, csys_handle handle)
{
	put(frame, size_of(frame), handle, frame->head.count);
	put("abc", 3, CSYS_NO_HANDLE, 0);
	return heard(near_side);
}

static void what_a_handle_is_of_is_found_out(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	struct csysi_connection_frame frame = frame_of(6);
	csys_socket *socket = NULL;
	csys_connection *connection = NULL;
	csys_region *region = NULL;
	csys_shared_sender *sender = NULL;
	csys_shared_receiver *receiver = NULL;
	for (uint32_t i = 0; i < 6; i++)
		frame.entries[i].kind = i + 1;
	connect_wire();
	csys_parcel *parcel = parcel_of(&frame, pipe.reader);
	for (int i = 0; i < 2; i++) { /* they stay */
		assert_int_equal(csys_parcel_take_socket(parcel, 1, NULL, &socket), CSYS_EBADMSG);
		assert_int_equal(csys_parcel_take_connection(parcel, 2, NULL, &connection),
				 CSYS_EBADMSG);
		assert_true(csys_parcel_take_region(parcel, 3, NULL, &region) < 0);
		assert_true(csys_parcel_take_shared_sender(parcel, 4, 0, &sender) < 0);
		assert_true(csys_parcel_take_shared_receiver(parcel, 5, 0, &receiver) < 0);
		for (size_t at = 0; at < 6; at++)
			assert_int_equal(csys_parcel_kind(parcel, at), at + 1);
	}
	csys_parcel_close(parcel);
	close_wire();
	close_ends(pipe);
}

static void ends_that_say_anything_do_no_harm(void **state)
{
	(void)state;
	csys_shared_channel *channel;
	csys_shared_sender *sender = NULL;
	csys_shared_receiver *receiver = NULL;
	assert_int_equal(csys_shared_channel_create_anonymous(8, 8, NULL, &channel), 0);
	const csys_handle handle = csys_shared_channel_handle(channel);
	const uint64_t offsets[] = { 0, 1, 128, 4096, UINT32_MAX, UINT64_MAX, UINT64_MAX - 127 };
	const uint32_t numbers[] = { 0, 1, 15, 16, 1023, 0x3fffffff, 0x40000000, UINT32_MAX };
	for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
		for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
			struct csysi_connection_frame frame = frame_of(4);
			for (int at = 0; at < 4; at++) {
				frame.entries[at].kind = at % 2 == 0
								 ? CSYS_ATTACHMENT_SHARED_SENDER
								 : CSYS_ATTACHMENT_SHARED_RECEIVER;
				frame.entries[at].offset = offsets[i];
				frame.entries[at].id = numbers[k];
				frame.entries[at].place =
					numbers[(k + i) % (sizeof numbers / sizeof *numbers)];
			}
			connect_wire();
			csys_parcel *parcel = parcel_of(&frame, handle);
			if (csys_parcel_take_shared_sender(parcel, 0, 0, &sender) == 0)
				csys_shared_sender_close(sender);
			if (csys_parcel_take_shared_receiver(parcel, 1, 0, &receiver) == 0)
				csys_shared_receiver_close(receiver);
			csys_parcel_close(parcel); /* with the others */
			close_wire();
		}
	}
	/* The channel goes on. */
	assert_int_equal(csys_shared_sender_open(channel, &sender), 0);
	assert_int_equal(csys_shared_receiver_open(channel, &receiver), 0);
	uint64_t number = 7;
	assert_int_equal(csys_shared_sender_send(sender, &number, sizeof number), 0);
	assert_int_equal(csys_shared_receiver_recv(receiver, &number, sizeof number, NULL), 0);
	csys_shared_sender_close(sender);
	csys_shared_receiver_close(receiver);
	csys_shared_channel_close(channel);
}

/* ---- for ever ----------------------------------------------------------------------------- */

/* The other side sends bytes as fast as they are taken, until it is told to stop. */
static uint32_t is_over;

static void *flood(void *bytes)
{
	size_t size;
	int r = 0;
	while (__atomic_load_n(&is_over, __ATOMIC_ACQUIRE) == 0 && (r == 0 || r == CSYS_EAGAIN))
		r = csys_socket_try_send(wire, bytes, sizeof(struct csysi_connection_head), &size);
	return NULL;
}

static void a_flood_of_questions_ends_no_deadline(void **state)
{
	(void)state;
	struct csysi_connection_frame frame = frame_of(0);
	csys_thread *thread;
	csys_parcel *parcel;
	frame.head.kind = CSYSI_HEAD_ASK;
	frame.head.size = frame.head.number = 0;
	connect_wire();
	is_over = 0;
	assert_int_equal(csys_thread_spawn(flood, &frame, NULL, &thread), 0);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(csys_connection_recv_until(near_side, csys_after_ms(2), &parcel),
				 CSYS_ETIMEDOUT);
		int r = csys_connection_send_until(near_side, "x", 1, NULL, 0, csys_after_ms(1));
		assert_true(r == 0 || r == CSYS_ETIMEDOUT);
		assert_int_equal(csys_connection_flush(near_side, csys_after_ms(2)),
				 CSYS_ETIMEDOUT);
	}
	__atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(thread);
	close_wire();
}

static void one_call_reads_no_more_than_some_heads(void **state)
{
	(void)state;
	struct csysi_connection_frame question = frame_of(0), frame = frame_of(0);
	csys_parcel *parcel;
	question.head.kind = CSYSI_HEAD_ASK;
	question.head.size = question.head.number = 0;
	connect_wire();
	for (int i = 0; i < 100; i++)
		put(&question, sizeof question.head, CSYS_NO_HANDLE, 0);
	put(&frame, sizeof frame.head, CSYS_NO_HANDLE, 0);
	put("abc", 3, CSYS_NO_HANDLE, 0);
	assert_int_equal(csys_connection_try_recv(near_side, &parcel), CSYS_EAGAIN);
	csys_parcel_close(heard(near_side));
	close_wire();
}

static void a_length_alone_takes_no_memory(void **state)
{
	(void)state;
	struct csysi_connection_frame frame = frame_of(0);
	csys_parcel *parcel;
	connect_wire();
	frame.head.size = CSYSI_CONNECTION_USUAL_MOST;
	put(&frame, sizeof frame.head, CSYS_NO_HANDLE, 0);
	put("abc", 3, CSYS_NO_HANDLE, 0);
	assert_int_equal(csys_connection_try_recv(near_side, &parcel), CSYS_EAGAIN);
	assert_in_range(near_side->parcel->room, 3, 65536);
	close_wire();
}

/* Any bytes, in any pieces, with handles anywhere. */
static void any_bytes_do_no_harm(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_parcel *parcel;
	srand(1);
	for (int round = 0; round < 400; round++) {
		struct csysi_connection_frame frame = frame_of((uint16_t)(rand() % 4));
		char bytes[sizeof frame.head + 4 * sizeof *frame.entries + 3];
		size_t size = size_of(&frame) + 3;
		connect_wire();
		int handles = open_handles();
		memcpy(bytes, &frame, size - 3);
		memcpy(bytes + size - 3, "abc", 3);
		for (int change = rand() % 4; change > 0; change--)
			bytes[(size_t)rand() % size] = (char)rand();
		for (size_t at = 0; at < size;) {
			size_t piece = 1 + (size_t)rand() % size;
			if (piece > size - at)
				piece = size - at;
			size_t count = rand() % 3 == 0 ? (size_t)rand() % 4 : 0;
			if (at == 0 && rand() % 2 == 0)
				count = frame.head.count;
			const csys_slice slice = { bytes + at, piece };
			csys_handle some[] = { pipe.reader, pipe.writer, pipe.reader };
			const csys_message message = { .slices = &slice,
						       .slice_count = 1,
						       .handles = some,
						       .handle_count = count };
			if (csys_message_try_send(wire, &message, NULL) < 0)
				break; /* it was shut down */
			at += piece;
			if (csys_connection_try_recv(near_side, &parcel) == 0)
				csys_parcel_close(parcel);
		}
		csys_connection_close(near_side);
		csys_socket_close(wire);
		assert_int_equal(open_handles(), handles - 2);
	}
	close_ends(pipe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_right_frame_is_received),
		TEST(heads_that_break_a_rule_break_the_connection),
		TEST(attachments_that_break_a_rule_break_the_connection),
		TEST(handles_at_another_place_break_the_connection),
		TEST(a_count_of_what_was_received_does_not_go_back),
		TEST(what_came_whole_before_that_is_received),
		TEST(what_a_handle_is_of_is_found_out),
		TEST(ends_that_say_anything_do_no_harm),
		TEST(a_flood_of_questions_ends_no_deadline),
		TEST(one_call_reads_no_more_than_some_heads),
		TEST(a_length_alone_takes_no_memory),
		TEST(any_bytes_do_no_harm),
	};
	return RUN(tests);
}
