/*
 * crash/crash_connection.c - processes that are killed while they use a connection.
 *
 *     crash_connection [whole]
 *
 * A victim sends a message, and is killed at each instruction: the tester receives all of it or
 * nothing, and then the end.  Or the tester has sent it, and the victim is killed while it receives
 * it and takes out what came along: the tester is told the end.  In both the end of a shared
 * channel that was on its way is taken, or told to be closed; the handle likewise; and the tester
 * has no more handles than before.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "support/connection.h"
#include "support/region_walk.h"
#include "support/shared_channel.h"

static const char text[] = "hello";

/* A pipe, of which the writer is what is sent. */
static int reader, writer;

static int has_come; /* of a message, when the victim is killed */

/* ---- before ------------------------------------------------------------------------------- */

/* A connection, a channel whose receiver is the tester's, and the pipe. */
static void begin(void *unused)
{
	int pipes[2];
	(void)unused;
	csys_shared_channel_close(channel);
	memset(MEMORY, 0, ROOM);
	assert_int_equal(csys_shared_channel_create_in(region, MEMORY, 8, CAPACITY, NULL, &channel),
			 0);
	open_receiver();
	connect_both();
	assert_int_equal(pipe(pipes), 0);
	reader = pipes[0];
	writer = pipes[1];
}

/* The same, and the message is on its way. */
static void begin_with_message(void *unused)
{
	begin(unused);
	open_sender();
	const csys_attachment attachments[] = { csys_attach_shared_sender_take(sender),
						csys_attach_handle_take(writer) };
	assert_int_equal(csys_connection_send(near_side, text, sizeof text, attachments, 2), 0);
	sender = NULL;
	writer = -1;
}

/* The side of the victim is its alone. */
static void leave_near(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	csys_connection_close(near_side);
	near_side = NULL;
	close(writer);
}

static void leave_far(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	csys_connection_close(far_side);
	far_side = NULL;
}

/* ---- what victims do ---------------------------------------------------------------------- */

/* All that is used is found by the dynamic linker before. */
static void prepare(void)
{
	csys_connection *a, *b;
	csys_parcel *parcel;
	csys_handle handle;
	const csys_attachment one = csys_attach_handle(reader);
	CHECK(csys_connection_pair(NULL, &a, &b) == 0);
	CHECK(csys_connection_send(a, text, sizeof text, &one, 1) == 0);
	CHECK(csys_connection_recv(b, &parcel) == 0);
	CHECK(csys_parcel_take_handle(parcel, 0, &handle) == 0);
	csys_handle_close(handle);
	csys_parcel_close(parcel);
	csys_connection_close(a);
	csys_connection_close(b);
}

static void prepare_to_send(void *unused)
{
	(void)unused;
	csys_connection_close(far_side);
	CHECK(csys_shared_sender_open(channel, &sender) == 0);
	prepare();
}

static void prepare_to_receive(void *unused)
{
	(void)unused;
	csys_connection_close(near_side);
	prepare();
}

static void send_with(const csys_attachment *attachments, size_t count)
{
	CHECK(csys_connection_send(near_side, text, sizeof text, attachments, count) == 0);
}

static void send_bytes(void *unused)
{
	(void)unused;
	send_with(NULL, 0);
}

static void send_end(void *unused)
{
	const csys_attachment one = csys_attach_shared_sender_take(sender);
	(void)unused;
	send_with(&one, 1);
}

static void send_handle(void *unused)
{
	const csys_attachment one = csys_attach_handle_take(writer);
	(void)unused;
	send_with(&one, 1);
}

static csys_parcel *received(void)
{
	csys_parcel *parcel;
	CHECK(csys_connection_recv(far_side, &parcel) == 0);
	return parcel;
}

static void receive_and_close(void *unused)
{
	(void)unused;
	csys_parcel_close(received());
}

static void receive_and_take_handle(void *unused)
{
	csys_handle handle;
	(void)unused;
	CHECK(csys_parcel_take_handle(received(), 1, &handle) == 0);
}

static void receive_and_take_end(void *unused)
{
	uint64_t number = 1;
	(void)unused;
	CHECK(csys_parcel_take_shared_sender(received(), 0, 0, &sender) == 0);
	CHECK(csys_shared_sender_send(sender, &number, sizeof number) == 0);
}

/* ---- checks ------------------------------------------------------------------------------- */

static void look(void *unused, const struct traced_victim *victim)
{
	int size;
	(void)unused;
	(void)victim;
	assert_int_equal(ioctl((int)csys_connection_handle(far_side), FIONREAD, &size), 0);
	has_come = size > 0;
}

/* Nothing is left, of this round or those before. */
static void check_handles(void)
{
	static int before[CSYSI_OS_TOKEN_LOCK + 1];
	int *count = &before[region->tokens.way];
	csys_shared_receiver_close(receiver);
	receiver = NULL;
	close(reader);
	/* What is kept for good is there after the first round. */
	if (*count == 0)
		*count = open_handles();
	assert_int_equal(open_handles(), *count);
}

/* No writer of the pipe is left, and no sender of the channel. */
static void check_ends(void)
{
	char byte;
	csys_poll_item item = { .waitable = csys_waitable_reading(reader) };
	assert_int_equal(csys_poll(&item, 1, csys_after_ms(60000)), 1);
	assert_int_equal(read(reader, &byte, 1), 0);
	assert_int_equal(get_within(csys_after_ms(60000)), CSYS_EDISCONNECTED);
}

/* The message that has come: what came along is taken from every second one, and can be used. */
static void take(csys_parcel *parcel, int is_second)
{
	csys_shared_sender *taken;
	csys_handle handle;
	uint64_t number = 7;
	char byte = 'x';
	assert_string_equal(csys_parcel_data(parcel, NULL), text);
	if (is_second && csys_parcel_kind(parcel, 0) == CSYS_ATTACHMENT_SHARED_SENDER) {
		assert_int_equal(csys_parcel_take_shared_sender(parcel, 0, 0, &taken), 0);
		assert_int_equal(csys_shared_sender_send(taken, &number, sizeof number), 0);
		get(number);
		assert_int_equal(csys_shared_receiver_is_disconnected(receiver), 0);
		csys_shared_sender_close(taken);
	}
	if (is_second && csys_parcel_kind(parcel, 0) == CSYS_ATTACHMENT_HANDLE) {
		assert_int_equal(csys_parcel_take_handle(parcel, 0, &handle), 0);
		assert_int_equal(write((int)handle, &byte, 1), 1);
		assert_int_equal(read(reader, &byte, 1), 1);
		csys_handle_close(handle);
	}
	csys_parcel_close(parcel);
}

static void check_received(void *unused, const struct traced_victim *victim)
{
	csys_parcel *parcel;
	(void)unused;
	int r = csys_connection_recv(far_side, &parcel);
	assert_int_equal(r, has_come ? 0 : CSYS_EDISCONNECTED);
	if (r == 0) {
		take(parcel, victim->steps % 2);
		assert_int_equal(csys_connection_recv(far_side, &parcel), CSYS_EDISCONNECTED);
	}
	assert_int_equal(csys_connection_send(far_side, "x", 1, NULL, 0), CSYS_EDISCONNECTED);
	check_ends();
	csys_connection_close(far_side);
	far_side = NULL;
	check_handles();
}

/* The tester is told by the first call: one that receives, or one that sends. */
static void check_sent(void *unused, const struct traced_victim *victim)
{
	csys_parcel *parcel;
	uint64_t number;
	int is_second = victim->steps % 2, r;
	(void)unused;
	do
		r = is_second ? csys_connection_try_send(near_side, "x", 1, NULL, 0)
			      : csys_connection_recv(near_side, &parcel);
	while (is_second && (r == 0 || r == CSYS_EAGAIN));
	assert_int_equal(r, CSYS_EDISCONNECTED);
	/* What the victim has sent by the end that it took. */
	if (csys_shared_receiver_try_recv(receiver, &number, sizeof number, NULL) == 0)
		assert_int_equal(number, 1);
	assert_int_equal(get_within(csys_after_ms(60000)), CSYS_EDISCONNECTED);
	assert_int_equal(csys_connection_recv(near_side, &parcel), CSYS_EDISCONNECTED);
	assert_int_equal(csys_connection_send(near_side, "x", 1, NULL, 0), CSYS_EDISCONNECTED);
	csys_connection_close(near_side);
	near_side = NULL;
	check_ends();
	check_handles();
}

/* ---- walks -------------------------------------------------------------------------------- */

static const struct traced_walk walks[] = {
	REGION_WALK("send bytes", begin, prepare_to_send, leave_near, send_bytes, look,
		    check_received),
	REGION_WALK("send an end", begin, prepare_to_send, leave_near, send_end, look,
		    check_received),
	REGION_WALK("send a handle", begin, prepare_to_send, leave_near, send_handle, look,
		    check_received),
	REGION_WALK("receive and close", begin_with_message, prepare_to_receive, leave_far,
		    receive_and_close, NULL, check_sent),
	REGION_WALK("receive and take a handle", begin_with_message, prepare_to_receive, leave_far,
		    receive_and_take_handle, NULL, check_sent),
	REGION_WALK("receive and take an end", begin_with_message, prepare_to_receive, leave_far,
		    receive_and_take_end, NULL, check_sent),
};

enum { WALKS = sizeof walks / sizeof *walks };

/* Each walk has thousands of instructions, of which the short form takes few, and some dozen calls
 * of the system, of which it takes all. */
static void a_process_that_is_killed_at_any_instruction_breaks_no_message(void **state)
{
	static struct traced_walk all[2 * WALKS];
	static char names[WALKS][48];
	(void)state;
	for (size_t i = 0; i < WALKS; i++) {
		all[2 * i] = all[2 * i + 1] = walks[i];
		(void)snprintf(names[i], sizeof names[i], "%s, by calls", walks[i].name);
		all[2 * i + 1].name = names[i];
		all[2 * i + 1].by = TRACED_BY_CALLS;
	}
	walk_in_each_way(all, 2 * WALKS, NULL, 0);
	csys_shared_channel_close(channel);
}

/* Where memset and memcpy are one instruction of the processor, it is traced once a byte. */
static void begin_without_long_instructions(char **argv)
{
	const char *const name = "GLIBC_TUNABLES";
	if (getenv(name))
		return;
	if (setenv(name,
		   "glibc.cpu.x86_rep_stosb_threshold=1000000000:"
		   "glibc.cpu.x86_rep_movsb_threshold=1000000000",
		   1) == 0)
		execv("/proc/self/exe", argv); /* as it is, if that fails */
}

int main(int argc, char **argv)
{
	begin_without_long_instructions(argv);
	traced_arguments(argc, argv);
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_process_that_is_killed_at_any_instruction_breaks_no_message),
	};
	return RUN(tests);
}
