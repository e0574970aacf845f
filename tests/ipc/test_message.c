/*
 * ipc/test_message.c - promises of csys/ipc/message.h: handles, credentials, several parts.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/place.h"

static csys_socket *a, *b;

static int make_pair(int kind)
{
	const csys_socket_options options = { .kind = kind };
	int r = csys_socket_pair(&options, &a, &b);
	assert_true(r == 0 || r == CSYS_ENOTSUP);
	return r == 0;
}

static void close_pair(void)
{
	csys_socket_close(a);
	csys_socket_close(b);
}

/* Send a few bytes and as many copies of a handle. */
static int send_handles(csys_socket *socket, const char *text, csys_handle handle, size_t count)
{
	csys_handle handles[CSYS_MESSAGE_HANDLES + 1];
	csys_slice slice = { text, strlen(text) };
	csys_message message = {
		.slices = &slice, .slice_count = 1, .handles = handles, .handle_count = count
	};
	for (size_t i = 0; i < count; i++)
		handles[i] = handle;
	return csys_message_send(socket, &message, NULL);
}

static char buffer[64];
static csys_slice_mut room = { buffer, sizeof buffer };
static csys_handle got[CSYS_MESSAGE_HANDLES];

/* A message to be received, with room for so many handles. */
static csys_received_message receiving(size_t handle_room)
{
	return (csys_received_message){
		.slices = &room, .slice_count = 1, .handles = got, .handle_room = handle_room
	};
}

/* ---- parts --------------------------------------------------------------------------- */

static void parts_are_gathered_and_scattered(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		char first[4] = "", second[16] = "";
		const csys_slice out[] = { { "he", 2 }, { NULL, 0 }, { "llo, ", 5 }, { "you", 3 } };
		const csys_slice_mut in[] = { { first, 4 }, { NULL, 0 }, { second, 16 } };
		csys_message message = { .slices = out, .slice_count = 4 };
		csys_received_message received = { .slices = in, .slice_count = 3 };
		size_t size = 0;
		if (!make_pair(i))
			continue;
		assert_int_equal(csys_message_send(a, &message, &size), 0);
		assert_int_equal(size, 10);
		assert_int_equal(csys_message_recv(b, &received), 0);
		assert_int_equal(received.size, 10);
		assert_int_equal(received.handle_count, 0);
		assert_memory_equal(first, "hell", 4);
		assert_memory_equal(second, "o, you", 6);
		close_pair();
	}
}

static void many_parts_are_a_message_or_the_beginning_of_a_stream(void **state)
{
	(void)state;
	static char bytes[CSYS_MESSAGE_SLICES + 1];
	csys_slice out[CSYS_MESSAGE_SLICES + 1];
	for (int i = 0; i <= CSYS_MESSAGE_SLICES; i++)
		out[i] = (csys_slice){ "x", 1 };
	csys_message message = { .slices = out, .slice_count = CSYS_MESSAGE_SLICES + 1 };
	size_t size = 0;
	make_pair(CSYS_SOCKET_STREAM);
	assert_int_equal(csys_message_send(a, &message, &size), 0);
	assert_int_equal(size, CSYS_MESSAGE_SLICES);
	close_pair();
	if (!make_pair(CSYS_SOCKET_DATAGRAM))
		return;
	assert_int_equal(csys_message_send(a, &message, &size), CSYS_EMSGSIZE);
	message.slice_count--;
	assert_int_equal(csys_message_send(a, &message, &size), 0);
	assert_int_equal(csys_socket_recv(b, bytes, sizeof bytes, &size), 0);
	assert_int_equal(size, CSYS_MESSAGE_SLICES);
	close_pair();
}

static void each_form_keeps_its_deadline_also_among_signals(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		csys_received_message received = receiving(1);
		static const char big[4096];
		const csys_slice part = { big, sizeof big };
		const csys_message message = { .slices = &part, .slice_count = 1 };
		int r;
		if (!make_pair(i))
			continue;
		storm_start();
		assert_int_equal(csys_message_try_recv(b, &received), CSYS_EAGAIN);
		int64_t begin = csys_now();
		assert_int_equal(csys_message_recv_until(b, &received, csys_after_ms(3)),
				 CSYS_ETIMEDOUT);
		while ((r = csys_message_try_send(a, &message, NULL)) == 0)
			;
		assert_int_equal(r, CSYS_EAGAIN);
		assert_int_equal(csys_message_send_until(a, &message, csys_after_ms(3), NULL),
				 CSYS_ETIMEDOUT);
		assert_true(csys_now() - begin >= 6000000);
		assert_true(storm_stop() > 0);
		close_pair();
	}
}

/* ---- handles ------------------------------------------------------------------------- */

static void a_handle_arrives_as_another_one_for_the_same_file(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct ends pipe = opened_ends();
		csys_received_message received = receiving(1);
		char text[8];
		size_t size;
		if (!make_pair(i)) {
			close_ends(pipe);
			continue;
		}
		assert_int_equal(send_handles(a, "take", pipe.reader, 1), 0);
		csys_handle_close(pipe.reader); /* what is on its way is open */
		assert_int_equal(csys_message_recv(b, &received), 0);
		assert_int_equal(received.size, 4);
		assert_int_equal(received.handle_count, 1);
		assert_int_equal(fcntl((int)got[0], F_GETFD), FD_CLOEXEC);
		assert_true(got[0] > 2);
		assert_int_equal(csys_stream_write_all(pipe.writer, "through", 7, NULL), 0);
		assert_int_equal(csys_stream_read(got[0], text, sizeof text, &size), 0);
		assert_memory_equal(text, "through", 7);
		csys_message_close_handles(&received);
		assert_int_equal(received.handle_count, 0);
		csys_handle_close(pipe.writer);
		close_pair();
	}
}

static void without_standard_streams_handles_are_above_2(void)
{
	csys_received_message received = receiving(4);
	make_pair(CSYS_SOCKET_STREAM);
	struct ends pipe = opened_ends();
	close(0);
	close(1);
	CHECK(send_handles(a, "x", pipe.reader, 4) == 0);
	CHECK(csys_message_recv(b, &received) == 0);
	CHECK(received.handle_count == 4);
	for (int i = 0; i < 4; i++)
		CHECK(got[i] > 2 && fcntl((int)got[i], F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0);
}

static void a_handle_never_stands_in_for_a_standard_stream(void **state)
{
	(void)state;
	in_process(without_standard_streams_handles_are_above_2);
}

static void as_many_handles_as_a_message_can_have_come(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_received_message received = receiving(CSYS_MESSAGE_HANDLES);
	make_pair(CSYS_SOCKET_STREAM);
	assert_int_equal(send_handles(a, "x", pipe.reader, CSYS_MESSAGE_HANDLES + 1), CSYS_EINVAL);
	size_t most = CSYS_MESSAGE_HANDLES;
	int r = send_handles(a, "x", pipe.reader, most);
	/* musl 1.2.3 copies control data into 1024 bytes, past which only Linux is asked itself. */
	if (r == CSYS_ENOMEM && !csys_can(CSYS_CAN_SOCKET_CREDENTIALS)) {
		most = CSYS_MESSAGE_HANDLES - 10;
		r = send_handles(a, "x", pipe.reader, most);
	}
	assert_int_equal(r, 0);
	assert_int_equal(csys_message_recv(b, &received), 0);
	assert_int_equal(received.handle_count, most);
	csys_message_close_handles(&received);
	close_pair();
	close_ends(pipe);
}

static void more_handles_than_there_is_room_for_are_an_error_and_all_closed(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		for (size_t has_room = 0; has_room < 3; has_room += 2) {
			struct ends pipe = opened_ends();
			csys_received_message received = receiving(has_room);
			received.size = 77;
			if (make_pair(i)) {
				int handles = open_handles();
				assert_int_equal(send_handles(a, "x", pipe.reader, 3), 0);
				assert_int_equal(csys_message_recv(b, &received), CSYS_EBADMSG);
				assert_int_equal(open_handles(), handles);
				assert_int_equal(received.size, 77);
				/* The message is gone, and the next one is as it should be. */
				assert_int_equal(send_handles(a, "y", pipe.reader, has_room), 0);
				assert_int_equal(csys_message_recv(b, &received), 0);
				assert_int_equal(received.handle_count, has_room);
				assert_int_equal(buffer[0], 'y');
				csys_message_close_handles(&received);
				close_pair();
			}
			close_ends(pipe);
		}
	}
}

static void a_process_that_can_have_no_more_handles(void)
{
	struct rlimit limit;
	make_pair(CSYS_SOCKET_SEQPACKET);
	struct ends pipe = opened_ends();
	int handles = open_handles();
	CHECK(send_handles(a, "four", pipe.reader, 4) == 0);
	CHECK(send_handles(a, "more", pipe.reader, 1) == 0);
	/* Room for two. */
	int most = (int)pipe.writer + 3;
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = (rlim_t)most;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	csys_received_message received = receiving(4);
	CHECK(csys_message_recv(b, &received) == CSYS_EMFILE);
	CHECK(open_handles() == handles);
	CHECK(csys_message_recv(b, &received) == 0);
	CHECK(received.handle_count == 1 && memcmp(buffer, "more", 4) == 0);
}

static void handles_that_this_process_cannot_have_are_an_error_and_all_closed(void **state)
{
	(void)state;
	if (!csys_can(CSYS_CAN_SOCKET_SEQPACKET))
		skip_because("this system has no seqpacket");
	in_process(a_process_that_can_have_no_more_handles);
}

static void plain_calls_close_handles_that_come(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct ends pipe = opened_ends();
		char text[8];
		size_t size;
		if (make_pair(i)) {
			int handles = open_handles();
			assert_int_equal(send_handles(a, "take", pipe.reader, 3), 0);
			assert_int_equal(csys_socket_peek(b, text, sizeof text, &size), 0);
			assert_int_equal(csys_socket_recv(b, text, sizeof text, &size), 0);
			assert_int_equal(size, 4);
			assert_int_equal(open_handles(), handles);
			close_pair();
		}
		close_ends(pipe);
		assert_int_equal(csys_pipe_create(&pipe.reader, &pipe.writer), 0);
		close_ends(pipe);
	}
}

static void a_message_that_is_too_long_takes_its_handles_along(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	char small[2];
	const csys_slice_mut slice = { small, sizeof small };
	csys_received_message received = {
		.slices = &slice, .slice_count = 1, .handles = got, .handle_room = 4
	};
	if (make_pair(CSYS_SOCKET_DATAGRAM)) {
		int handles = open_handles();
		assert_int_equal(send_handles(a, "long", pipe.reader, 2), 0);
		assert_int_equal(csys_message_recv(b, &received), CSYS_EMSGSIZE);
		assert_int_equal(open_handles(), handles);
		close_pair();
	}
	close_ends(pipe);
}

static void handles_without_a_byte_that_carries_them_are_refused(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_received_message received = receiving(1);
	for (int i = 0; i < 3; i++) {
		if (!make_pair(i))
			continue;
		if (i == CSYS_SOCKET_DATAGRAM) {
			assert_int_equal(send_handles(a, "", pipe.reader, 1), 0);
			assert_int_equal(csys_message_recv(b, &received), 0);
			assert_int_equal(received.handle_count, 1);
			csys_message_close_handles(&received);
		} else {
			assert_int_equal(send_handles(a, "", pipe.reader, 1), CSYS_EINVAL);
			assert_int_equal(csys_message_try_recv(b, &received), CSYS_EAGAIN);
		}
		close_pair();
	}
	close_ends(pipe);
}

static void a_handle_that_is_not_open_is_told(void **state)
{
	(void)state;
	make_pair(CSYS_SOCKET_STREAM);
	assert_int_equal(send_handles(a, "x", 4000, 1), CSYS_EBADF);
	assert_int_equal(send_handles(a, "x", CSYS_NO_HANDLE, 1), CSYS_EBADF);
	assert_int_equal(csys_message_try_recv(
				 b, &(csys_received_message){ .slices = &room, .slice_count = 1 }),
			 CSYS_EAGAIN);
	close_pair();
}

static void a_socket_can_be_sent_through_itself(void **state)
{
	(void)state;
	csys_received_message received = receiving(2);
	csys_socket *second;
	char c = 0;
	size_t size;
	make_pair(CSYS_SOCKET_STREAM);
	assert_int_equal(send_handles(a, "x", csys_socket_handle(a), 1), 0);
	csys_socket_close(a);
	assert_int_equal(csys_message_recv(b, &received), 0);
	assert_int_equal(csys_socket_adopt_take(got[0], NULL, &second), 0);
	assert_int_equal(csys_socket_send(second, "y", 1, &size), 0);
	assert_int_equal(csys_socket_recv(b, &c, 1, &size), 0);
	assert_int_equal(c, 'y');
	/* And its receiving end: both are closed with nobody to receive it. */
	assert_int_equal(send_handles(second, "x", csys_socket_handle(b), 1), 0);
	csys_socket_close(second);
	csys_socket_close(b);
}

/* ---- credentials --------------------------------------------------------------------- */

static void the_sender_is_told_if_that_is_asked_for(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		const csys_socket_options options = { .kind = i, .senders = 1 };
		csys_received_message received = receiving(1);
		int r = csys_socket_pair(&options, &a, &b);
		if (!csys_can(CSYS_CAN_SOCKET_CREDENTIALS)) {
			assert_int_equal(r, CSYS_ENOTSUP);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(send_handles(a, "x", 0, 0), 0);
		assert_int_equal(csys_message_recv(b, &received), 0);
		assert_int_equal(received.credentials.pid, getpid());
		assert_int_equal(received.credentials.uid, geteuid());
		assert_int_equal(received.credentials.gid, getegid());
		close_pair();

		make_pair(i);
		assert_int_equal(send_handles(a, "x", 0, 0), 0);
		assert_int_equal(csys_message_recv(b, &received), 0);
		assert_int_equal(received.credentials.pid, -1);
		assert_int_equal(received.credentials.uid, -1);
		close_pair();
	}
}

static void send_as_child(void)
{
	CHECK(send_handles(a, "child", 0, 0) == 0);
}

static void bytes_of_two_senders_are_not_mixed(void **state)
{
	(void)state;
	const csys_socket_options options = { .senders = 1 };
	csys_received_message received = receiving(0);
	if (!csys_can(CSYS_CAN_SOCKET_CREDENTIALS))
		skip_because("this system does not tell senders");
	assert_int_equal(csys_socket_pair(&options, &a, &b), 0);
	assert_int_equal(send_handles(a, "parent", 0, 0), 0);
	in_child(send_as_child);
	assert_int_equal(csys_message_recv(b, &received), 0);
	assert_int_equal(received.size, 6);
	assert_int_equal(received.credentials.pid, getpid());
	assert_int_equal(csys_message_recv(b, &received), 0);
	assert_int_equal(received.size, 5);
	assert_int_not_equal(received.credentials.pid, getpid());
	close_pair();
}

static void credentials_that_are_not_the_own_take_privileges(void **state)
{
	(void)state;
	const csys_socket_options options = { .kind = CSYS_SOCKET_DATAGRAM, .senders = 1 };
	const csys_credentials own = { -1, -1, -1 }, other = { -1, 12345, -1 };
	const csys_slice slice = { "x", 1 };
	csys_message message = { .slices = &slice, .slice_count = 1, .credentials = &own };
	csys_received_message received = receiving(0);
	if (!csys_can(CSYS_CAN_SOCKET_CREDENTIALS)) {
		make_pair(CSYS_SOCKET_DATAGRAM);
		assert_int_equal(csys_message_send(a, &message, NULL), CSYS_ENOTSUP);
		close_pair();
		return;
	}
	assert_int_equal(csys_socket_pair(&options, &a, &b), 0);
	assert_int_equal(csys_message_send(a, &message, NULL), 0);
	assert_int_equal(csys_message_recv(b, &received), 0);
	assert_int_equal(received.credentials.pid, getpid());
	message.credentials = &other;
	int r = csys_message_send(a, &message, NULL);
	assert_int_equal(r, geteuid() == 0 ? 0 : CSYS_EPERM);
	if (r == 0) {
		assert_int_equal(csys_message_recv(b, &received), 0);
		assert_int_equal(received.credentials.uid, 12345);
	}
	close_pair();
}

static void arguments_are_checked(void **state)
{
	(void)state;
	const csys_slice none = { NULL, 1 };
	const csys_slice_mut nowhere = { NULL, 1 };
	csys_message message = { .slices = &none, .slice_count = 1 };
	csys_received_message received = { .slices = &nowhere, .slice_count = 1 };
	make_pair(CSYS_SOCKET_STREAM);
	assert_int_equal(csys_message_send(a, &message, NULL), CSYS_EINVAL);
	message.slices = NULL;
	assert_int_equal(csys_message_send(a, &message, NULL), CSYS_EINVAL);
	assert_int_equal(csys_message_send(NULL, &message, NULL), CSYS_EINVAL);
	assert_int_equal(csys_message_send(a, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_message_recv(b, &received), CSYS_EINVAL);
	received = (csys_received_message){ .handle_room = 1 };
	assert_int_equal(csys_message_recv(b, &received), CSYS_EINVAL);
	assert_int_equal(csys_message_recv(NULL, &received), CSYS_EINVAL);
	assert_int_equal(csys_message_recv(b, NULL), CSYS_EINVAL);
	csys_message_close_handles(NULL);
	close_pair();
}

static void a_fault_while_handles_come_closes_all(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_received_message received = receiving(4);
	make_pair(CSYS_SOCKET_STREAM);
	int handles = open_handles();
	assert_int_equal(send_handles(a, "x", pipe.reader, 4), 0);
	csysi_fault_arm(2); /* the 1st is the transfer */
	assert_int_equal(csys_message_recv(b, &received), CSYS_EMFILE);
	assert_true(csysi_fault_fired());
	csysi_fault_arm(0);
	assert_int_equal(open_handles(), handles);
	close_pair();
	close_ends(pipe);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(without_standard_streams_handles_are_above_2),
		PART(a_process_that_can_have_no_more_handles),
	};
	const struct CMUnitTest tests[] = {
		TEST(parts_are_gathered_and_scattered),
		TEST(many_parts_are_a_message_or_the_beginning_of_a_stream),
		TEST(each_form_keeps_its_deadline_also_among_signals),
		TEST(a_handle_arrives_as_another_one_for_the_same_file),
		TEST(a_handle_never_stands_in_for_a_standard_stream),
		TEST(as_many_handles_as_a_message_can_have_come),
		TEST(more_handles_than_there_is_room_for_are_an_error_and_all_closed),
		TEST(handles_that_this_process_cannot_have_are_an_error_and_all_closed),
		TEST(plain_calls_close_handles_that_come),
		TEST(a_message_that_is_too_long_takes_its_handles_along),
		TEST(handles_without_a_byte_that_carries_them_are_refused),
		TEST(a_handle_that_is_not_open_is_told),
		TEST(a_socket_can_be_sent_through_itself),
		TEST(the_sender_is_told_if_that_is_asked_for),
		TEST(bytes_of_two_senders_are_not_mixed),
		TEST(credentials_that_are_not_the_own_take_privileges),
		TEST(arguments_are_checked),
		TEST(a_fault_while_handles_come_closes_all),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	return RUN(tests);
}
