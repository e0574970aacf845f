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
#include "support/names.h"

enum { CAPACITY = 8 };

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
	csys_region *region;
	csys_shared_channel *channel;
	csys_shared_sender *sender;
	csys_shared_receiver *receiver;
	const size_t size = csys_shared_channel_memory(8, CAPACITY, NULL);
	connect_both();
	int handles = open_handles();
	assert_int_equal(csys_region_create_anonymous(size, NULL, &region), 0);
	assert_int_equal(csys_shared_channel_create_in(region, csys_region_data(region), 8,
						       CAPACITY, NULL, &channel),
			 0);
	assert_int_equal(csys_shared_sender_open(channel, &sender), 0);
	assert_int_equal(csys_shared_receiver_open(channel, &receiver), 0);
	const csys_attachment both[] = { csys_attach_shared_sender_take(sender),
					 csys_attach_shared_receiver_take(receiver) };
	assert_int_equal(csys_connection_send(near_side, "x", 1, both, 2), 0);
	/* This process has nothing of it any more. */
	csys_shared_channel_close(channel);
	csys_region_close(region);
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
	csys_shared_channel *channel;
	csys_shared_sender *first, *second;
	csys_shared_receiver *receiver;
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
	csys_shared_channel *channel;
	csys_shared_sender *sender;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_region_of_the_caller_may_be_closed_once_its_ends_are_sent),
		NAMES_TEST(an_end_whose_entry_came_in_part_is_left_alone),
		NAMES_TEST(memory_that_can_be_cut_is_not_touched_by_closing_a_parcel),
	};
	return RUN(tests);
}
