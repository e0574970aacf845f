/*
 * ipc/test_connection_end_edge.c - promises of csys/ipc/parcel.h: ends of shared channels whose
 * memory goes, is cut, or whose message comes in part.
 */
#define _XOPEN_SOURCE 700
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/connection.h"
#include "ipc/shared_channel.h"
#include "support/connection.h"
#include "support/shared_channel.h"

static csys_parcel *sent_with(csys_attachment attachment)
{
	assert_int_equal(csys_connection_send(near_side, "x", 1, &attachment, 1), 0);
	return heard(far_side);
}

/* Send bytes by the wire, with handles. */
static void put_raw(const void *data, size_t size, csys_handle handle, size_t count)
{
	const csys_slice slice = { data, size };
	const csys_message message = {
		.slices = &slice, .slice_count = 1, .handles = &handle, .handle_count = count
	};
	size_t sent;

	assert_int_equal(csys_message_send(wire, &message, &sent), 0);
	assert_int_equal(sent, size);
}

/* A message with one attachment, and no bytes. */
static void make_frame(struct csysi_connection_frame *frame,
		       const struct csysi_connection_entry *entry)
{
	memset(frame, 0, sizeof *frame);
	frame->head.magic = CSYSI_CONNECTION_MAGIC;
	frame->head.kind = CSYSI_HEAD_DATA;
	frame->head.count = 1;
	frame->head.number = 1;
	frame->entries[0] = *entry;
}

/* ---- regions of the caller ------------------------------------------------------------------ */

static void a_region_of_the_caller_may_be_closed_once_its_ends_are_sent(void **state)
{
	(void)state;
	csys_region *own;
	const size_t size = csys_shared_channel_memory(8, CAPACITY, NULL);
	connect_both();
	int handles = open_handles();
	assert_int_equal(csys_region_create_anonymous(size, NULL, &own), 0);
	assert_int_equal(csys_shared_channel_create_in(own, csys_region_data(own), 8, CAPACITY,
						       NULL, &channel),
			 0);
	assert_int_equal(csys_shared_sender_open(channel, &sender), 0);
	assert_int_equal(csys_shared_receiver_open(channel, &receiver), 0);
	const csys_attachment both[] = { csys_attach_shared_sender_take(sender),
					 csys_attach_shared_receiver_take(receiver) };
	assert_int_equal(csys_connection_send(near_side, "x", 1, both, 2), 0);
	/* This process has nothing of it any more. */
	csys_shared_channel_close(channel);
	csys_region_close(own);
	csys_parcel *parcel = heard(far_side);
	assert_int_equal(csys_parcel_take_shared_sender(parcel, 0, 0, &sender), 0);
	assert_int_equal(csys_parcel_take_shared_receiver(parcel, 1, 0, &receiver), 0);
	csys_parcel_close(parcel);
	uint64_t number = 7;
	assert_int_equal(csys_shared_sender_send(sender, &number, sizeof number), 0);
	assert_int_equal(csys_shared_receiver_recv(receiver, &number, sizeof number, NULL), 0);
	csys_shared_sender_close(sender);
	csys_shared_receiver_close(receiver);
	say_to(near_side, "y");
	hear_from(far_side, "y");
	/* With the next message that has attachments, what was kept for the first is closed. */
	const csys_attachment handle = csys_attach_handle(csys_connection_handle(far_side));
	csys_parcel_close(sent_with(handle));
	assert_int_equal(open_handles(), handles);
	close_sides();
}

/* ---- parts of messages ---------------------------------------------------------------------- */

static void an_end_whose_entry_came_in_part_is_left_alone(void **state)
{
	(void)state;
	csys_shared_sender *first, *second;
	csys_parcel *parcel;
	struct csysi_connection_frame frame;
	assert_int_equal(csys_shared_channel_create_anonymous(8, CAPACITY, NULL, &channel), 0);
	assert_int_equal(csys_shared_receiver_open(channel, &receiver), 0);
	assert_int_equal(csys_shared_sender_open(channel, &first), 0);
	assert_int_equal(csys_shared_sender_open(channel, &second), 0);
	memset(&frame, 0, sizeof frame);
	frame.head = (struct csysi_connection_head){
		.magic = CSYSI_CONNECTION_MAGIC,
		.kind = CSYSI_HEAD_DATA,
		.count = 1,
		.number = 1,
	};
	/* The second one was to go, and the side that has sent it is closed half way. */
	frame.entries[0] = (struct csysi_connection_entry){ .kind = CSYS_ATTACHMENT_SHARED_SENDER,
							    .id = second->end.id,
							    .place = second->at };
	for (size_t some = 1; some < sizeof *frame.entries; some++) {
		for (int is_end_seen = 0; is_end_seen < 2; is_end_seen++) {
			connect_wire();
			put_raw(&frame, sizeof frame.head + some,
				csys_shared_channel_handle(channel), 1);
			assert_int_equal(csys_connection_try_recv(near_side, &parcel), CSYS_EAGAIN);
			csys_socket_close(wire);
			if (is_end_seen)
				assert_int_equal(csys_connection_recv(near_side, &parcel),
						 CSYS_EDISCONNECTED);
			csys_connection_close(near_side);
			/* The first one is still there. */
			assert_int_equal(first->end.id,
					 csysi_load_relaxed(&channel->ring->ids[first->at]));
		}
	}
	csys_shared_sender_close(first);
	csys_shared_sender_close(second);
	csys_shared_receiver_close(receiver);
	csys_shared_channel_close(channel);
}

/* ---- memory that is cut --------------------------------------------------------------------- */

/* A file with the bytes of another one. */
static int copied(csys_handle from)
{
	static char bytes[1 << 16];
	char path[] = "/tmp/csys-test-XXXXXX";
	int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(unlink(path), 0);
	ssize_t size;
	for (off_t at = 0; (size = pread((int)from, bytes, sizeof bytes, at)) > 0; at += size)
		assert_int_equal(pwrite(file, bytes, (size_t)size, at), size);
	assert_int_equal(size, 0);
	return file;
}

static void memory_that_can_be_cut_is_not_touched_by_closing_a_parcel(void **state)
{
	(void)state;
	struct csysi_connection_frame frame;
	assert_int_equal(csys_shared_channel_create_anonymous(8, CAPACITY, NULL, &channel), 0);
	int file = copied(csys_shared_channel_handle(channel));
	csys_shared_channel_close(channel);
	connect_wire();
	make_frame(&frame, &(struct csysi_connection_entry){ .kind = CSYS_ATTACHMENT_SHARED_SENDER,
							     .id = 1024 });
	put_raw(&frame, sizeof frame.head + sizeof *frame.entries, file, 1);
	csys_parcel *parcel = heard(near_side);
	/* An attempt that fails, and opens the region. */
	assert_int_equal(csysi_parcel_take_shared_sender(parcel, 0, 9, 0, &sender), CSYS_EBADMSG);
	assert_int_equal(ftruncate(file, 0), 0);
	csys_parcel_close(parcel);
	assert_int_equal(close(file), 0);
	close_wire();
}

static void memory_that_can_be_cut_is_refused_if_that_is_wished(void **state)
{
	(void)state;
	const csys_connection_options refusing = { .refuse_unsealed = 1 };
	for (int is_named = 0; is_named < 2; is_named++) {
		int is_sealed = !is_named && csys_can(CSYS_CAN_SEAL_MEMORY);
		const csys_shared_channel_options one = { .single_sender = 1 };
		int r = is_named
				? csys_shared_channel_create("named", 8, CAPACITY, &one, &channel)
				: csys_shared_channel_create_anonymous(8, CAPACITY, &one, &channel);
		assert_int_equal(r, 0);
		open_sender();
		assert_int_equal(csys_connection_pair(&refusing, &near_side, &far_side), 0);
		csys_parcel *parcel = sent_with(csys_attach_shared_sender_take(sender));
		r = csys_parcel_take_shared_sender(parcel, 0, 0, &sender);
		assert_int_equal(r, is_sealed ? 0 : CSYS_EBADMSG);
		if (r == 0)
			csys_shared_sender_close(sender);
		csys_parcel_close(parcel);
		close_sides();
		/* It was closed by the side that has sent it. */
		open_sender();
		csys_shared_sender_close(sender);
		csys_shared_channel_close(channel);
	}
}

/* ---- ids that nobody has -------------------------------------------------------------------- */

static void an_end_of_nobody_is_not_taken(void **state)
{
	(void)state;
	const uint32_t ids[] = { 0, CSYSI_ID + 1, UINT32_MAX };
	struct csysi_connection_frame frame;
	assert_int_equal(csys_shared_channel_create_anonymous(8, CAPACITY, NULL, &channel), 0);
	for (size_t i = 0; i < 2 * sizeof ids / sizeof *ids; i++) {
		int is_sender = i % 2 == 0;
		make_frame(&frame, &(struct csysi_connection_entry){
					   .kind = is_sender ? CSYS_ATTACHMENT_SHARED_SENDER
							     : CSYS_ATTACHMENT_SHARED_RECEIVER,
					   .id = ids[i / 2] });
		connect_wire();
		put_raw(&frame, sizeof frame.head + sizeof *frame.entries,
			csys_shared_channel_handle(channel), 1);
		csys_parcel *parcel = heard(near_side);
		int r = is_sender ? csys_parcel_take_shared_sender(parcel, 0, 0, &sender)
				  : csys_parcel_take_shared_receiver(parcel, 0, 0, &receiver);
		assert_int_equal(r, CSYS_EBADMSG);
		csys_parcel_close(parcel);
		close_wire();
		assert_int_equal(csysi_load_relaxed(&channel->ring->ids[0]), 0);
		assert_int_equal(csysi_load_relaxed(&channel->ring->receiver), 0);
	}
	csys_shared_channel_close(channel);
}

/* ---- notes ---------------------------------------------------------------------------------- */

static void ends_that_are_not_sent_leave_no_notes(void **state)
{
	(void)state;
	assert_int_equal(csys_shared_channel_create_anonymous(8, CAPACITY, NULL, &channel), 0);
	open_both();
	connect_both();
	const csys_attachment all[] = { csys_attach_shared_sender_take(sender),
					csys_attach_shared_receiver_take(receiver),
					csys_attach_region(NULL) };
	assert_int_equal(csys_connection_send(near_side, "x", 1, all, 3), CSYS_EINVAL);
	assert_int_equal(csysi_load_relaxed(&csysi_shared_flights), 0);
	close_both();
	csys_shared_channel_close(channel);
	close_sides();
}

static void *open_another(void *unused)
{
	csys_shared_sender *another;
	(void)unused;
	/* It ends with the thread. */
	assert_int_equal(csys_shared_sender_open(channel, &another), 0);
	return another;
}

static void an_end_of_another_thread_is_another_one_too(void **state)
{
	(void)state;
	const csys_shared_channel_options single = { .single_sender = 1 };
	csys_thread *thread;
	void *opened;
	assert_int_equal(csys_shared_channel_create_anonymous(8, CAPACITY, &single, &channel), 0);
	open_both();
	connect_both();
	csys_parcel *parcel = sent_with(csys_attach_shared_sender_take(sender));
	assert_int_equal(csys_parcel_take_shared_sender(parcel, 0, 0, &sender), 0);
	csys_parcel_close(parcel);
	csys_shared_sender_close(sender);
	/* A thread has the same place, and this one goes on with that. */
	assert_int_equal(csys_thread_spawn(open_another, NULL, NULL, &thread), 0);
	assert_int_equal(csys_thread_join(thread, &opened), 0);
	csys_thread_unref(thread);
	sender = opened;
	put(1);
	csys_connection_close(far_side);
	csys_connection_close(near_side);
	assert_false(csys_shared_receiver_is_disconnected(receiver));
	get(1);
	close_both();
	csys_shared_channel_close(channel);
}

static void what_was_peeked_at_is_told_to_the_one_that_takes_the_receiver(void **state)
{
	(void)state;
	void *place;
	size_t length;
	assert_int_equal(csys_shared_channel_create_anonymous(8, CAPACITY, NULL, &channel), 0);
	open_both();
	connect_both();
	put(1);
	assert_int_equal(csys_shared_receiver_peek(receiver, CSYS_POLL, &place, &length), 0);
	csys_shared_receiver_close(receiver);
	open_receiver();
	csys_parcel *parcel = sent_with(csys_attach_shared_receiver_take(receiver));
	assert_int_equal(csys_parcel_take_shared_receiver(parcel, 0, 0, &receiver), 0);
	csys_parcel_close(parcel);
	get_as(1, CSYS_REDELIVERED);
	close_both();
	csys_shared_channel_close(channel);
	close_sides();
}

static void count_handles(void)
{
	csys_connection *a, *b;
	int handles = open_handles();
	CHECK(csys_connection_pair(NULL, &a, &b) == 0);
	csys_connection_close(a);
	csys_connection_close(b);
	CHECK(open_handles() == handles - 1);
}

static void a_child_has_no_closed_connections_of_its_parent(void **state)
{
	(void)state;
	assert_int_equal(csys_shared_channel_create_anonymous(8, CAPACITY, NULL, &channel), 0);
	open_both();
	connect_both();
	const csys_attachment attachment = csys_attach_shared_sender_take(sender);
	assert_int_equal(csys_connection_send(near_side, "x", 1, &attachment, 1), 0);
	csys_connection_close(near_side);
	in_child(count_handles);
	csys_connection_close(far_side);
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	csys_shared_receiver_close(receiver);
	csys_shared_channel_close(channel);
}

/* ---- processes that do not go on ------------------------------------------------------------ */

static void hold_the_table(void)
{
	if (csysi_os_tokens_try_lock(&channel->region->tokens) != 0)
		_exit(1);
	reach_step(1);
	stay();
}

static int result;

static void *try_to_send_it(void *unused)
{
	(void)unused;
	const csys_attachment attachment = csys_attach_shared_sender_take(sender);
	result = csys_connection_try_send(near_side, "x", 1, &attachment, 1);
	return NULL;
}

static void send_by_a_thread_that_is_no_member(void)
{
	csys_thread *thread;
	connect_both();
	open_both();
	pid_t pid = forked(hold_the_table);
	await_step(1);
	assert_int_equal(csys_thread_spawn(try_to_send_it, NULL, NULL, &thread), 0);
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(thread);
	assert_int_equal(result, CSYS_EAGAIN);
	kill_it(pid);
	put(1);
	get(1);
	close_both();
	close_sides();
}

static void no_other_process_keeps_a_send_of_an_end_beyond_its_deadline(void **state)
{
	(void)state;
	with_channels(NULL, send_by_a_thread_that_is_no_member);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_region_of_the_caller_may_be_closed_once_its_ends_are_sent),
		NAMES_TEST(an_end_whose_entry_came_in_part_is_left_alone),
		NAMES_TEST(memory_that_can_be_cut_is_not_touched_by_closing_a_parcel),
		NAMES_TEST(memory_that_can_be_cut_is_refused_if_that_is_wished),
		NAMES_TEST(an_end_of_nobody_is_not_taken),
		NAMES_TEST(ends_that_are_not_sent_leave_no_notes),
		NAMES_TEST(an_end_of_another_thread_is_another_one_too),
		NAMES_TEST(what_was_peeked_at_is_told_to_the_one_that_takes_the_receiver),
		NAMES_TEST(a_child_has_no_closed_connections_of_its_parent),
		NAMES_TEST(no_other_process_keeps_a_send_of_an_end_beyond_its_deadline),
	};
	return RUN(tests);
}
