/*
 * ipc/test_connection_edge.c - promises of csys/ipc/connection.h: queues, what is kept, full lines,
 * and threads that are cancelled.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/connection.h"
#include "support/connection.h"

/* ---- flushes ------------------------------------------------------------------------------ */

static void each_flush_asks_again(void **state)
{
	(void)state;
	connect_both();
	for (int i = 0; i < 3; i++) {
		say_to(near_side, "x");
		assert_int_equal(csys_connection_flush(near_side, CSYS_POLL), CSYS_ETIMEDOUT);
		hear_from(far_side, "x");
		/* The question comes behind it. */
		csys_parcel *parcel;
		assert_int_equal(csys_connection_try_recv(far_side, &parcel), CSYS_EAGAIN);
		assert_int_equal(csys_connection_flush(near_side, CSYS_FOREVER), 0);
	}
	close_sides();
}

/* How many messages a flush keeps of those that are sent to it. */
static int kept_of(const void *data, size_t size, const csys_attachment *attachments, size_t count)
{
	int kept = 0;
	int r;

	connect_both();
	say_to(near_side, "x");
	do {
		assert_int_equal(csys_connection_send(far_side, data, size, attachments, count), 0);
		r = csys_connection_flush(near_side, CSYS_POLL);
		assert_true(r == CSYS_ETIMEDOUT || r == CSYS_EBUSY);
		kept++;
	} while (r != CSYS_EBUSY && kept < 1000);
	/* All of them are there. */
	for (int i = 0; i < kept; i++)
		csys_parcel_close(heard(near_side));
	close_sides();
	return kept;
}

static void a_flush_keeps_so_much_and_no_more(void **state)
{
	(void)state;
	enum { SIZE = 1 << 15, COUNT = 50 };
	struct ends pipe = opened_ends();
	csys_attachment many[COUNT];
	void *data = pattern(SIZE);
	for (int i = 0; i < COUNT; i++)
		many[i] = csys_attach_handle(pipe.reader);
	/* The last one tells that there is no more room, and is not read. */
	assert_int_equal(kept_of("y", 1, NULL, 0), (int)CSYSI_CONNECTION_QUEUED);
	assert_int_equal(kept_of(data, SIZE, NULL, 0), (int)(CSYSI_CONNECTION_QUEUED_BYTES / SIZE));
	assert_int_equal(kept_of("y", 1, many, COUNT), CSYS_CONNECTION_ATTACHMENTS / COUNT + 1);
	free(data);
	close_ends(pipe);
}

static void a_connection_with_messages_in_its_queue_is_not_sent(void **state)
{
	(void)state;
	csys_connection *sent, *peer;
	assert_int_equal(csys_connection_pair(NULL, &sent, &peer), 0);
	connect_both();
	const csys_attachment one = csys_attach_connection_take(sent);
	say_to(peer, "kept");
	say_to(sent, "x");
	assert_int_equal(csys_connection_flush(sent, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_connection_send(near_side, "x", 1, &one, 1), CSYS_EBUSY);
	hear_from(sent, "kept");
	assert_int_equal(csys_connection_send(near_side, "x", 1, &one, 1), 0);
	csys_connection_close(peer);
	close_sides();
}

/* ---- full lines --------------------------------------------------------------------------- */

static void an_answer_that_has_no_room_is_sent_later(void **state)
{
	(void)state;
	csys_parcel *parcel;
	int count = 0;
	connect_both();
	say_to(far_side, "x");
	hear_from(near_side, "x");
	while (csys_connection_try_send(near_side, "y", 1, NULL, 0) == 0)
		count++;
	assert_false(csys_connection_is_pending(near_side));
	/* The question is received, and the answer finds no room. */
	say_to(far_side, "z");
	csysi_lock_lock(&far_side->sending);
	struct csysi_connection_frame frame;
	memset(&frame, 0, sizeof frame);
	frame.head.magic = CSYSI_CONNECTION_MAGIC;
	frame.head.kind = CSYSI_HEAD_ASK;
	assert_int_equal(csysi_connection_begin(far_side, &frame, NULL, NULL), 0);
	csysi_lock_unlock(&far_side->sending);
	hear_from(near_side, "z");
	assert_int_equal(csys_connection_try_recv(near_side, &parcel), CSYS_EAGAIN);
	assert_true(csys_connection_is_pending(near_side));
	assert_int_equal(csys_connection_advance(near_side), CSYS_EAGAIN);
	assert_true(csys_connection_is_pending(near_side));
	for (int i = 0; i < count; i++)
		hear_from(far_side, "y");
	assert_int_equal(csys_connection_advance(near_side), 0);
	assert_false(csys_connection_is_pending(near_side));
	assert_int_equal(csys_connection_try_recv(far_side, &parcel), CSYS_EAGAIN);
	assert_int_equal(csysi_load_relaxed(&far_side->acked), 2);
	close_sides();
}

/* How many bytes of the next message the system takes at first; 0: as it likes. */
static size_t cut;

ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct msghdr shorter = *message;
	struct iovec parts[8];
	size_t count = 0, left = cut;

	if (cut == 0 || (size_t)message->msg_iovlen > sizeof parts / sizeof *parts)
		return __real_sendmsg(fd, message, flags);
	for (; left > 0 && count < (size_t)message->msg_iovlen; count++) {
		parts[count] = message->msg_iov[count];
		if (parts[count].iov_len > left)
			parts[count].iov_len = left;
		left -= parts[count].iov_len;
	}
	cut = 0;
	shorter.msg_iov = parts;
	shorter.msg_iovlen = (__typeof__(shorter.msg_iovlen))count;
	return __real_sendmsg(fd, &shorter, flags);
}

static void what_the_system_does_not_take_at_once_follows(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	const csys_attachment attachment = csys_attach_handle(pipe.reader);
	char text[16] = "";
	const struct csysi_connection_content content = {
		.prefix = { text, 6 },
		.data = text + 6,
		.size = 9,
		.attachments = &attachment,
		.count = 1,
	};
	const size_t whole = sizeof(struct csysi_connection_head) +
			     sizeof(struct csysi_connection_entry) + 6 + 9;
	skip_unless_wrapped();
	connect_both();
	for (size_t at = 1; at < whole; at++) {
		size_t size;
		cut = at;
		/* No byte is what the message before it had there. */
		memset(text, (int)('A' + at % 26), 15);
		assert_int_equal(csysi_connection_send_once(near_side, &content, CSYS_POLL, NULL),
				 0);
		assert_int_equal(cut, 0);
		csys_parcel *parcel = heard(far_side);
		assert_string_equal(csys_parcel_data(parcel, &size), text);
		assert_int_equal(size, 15);
		assert_int_equal(csys_parcel_count(parcel), 1);
		csys_parcel_close(parcel);
	}
	close_ends(pipe);
	close_sides();
}

/* ---- what is kept ------------------------------------------------------------------------- */

static void no_more_handles_are_kept_than_promised(void **state)
{
	(void)state;
	enum { MESSAGES = CSYSI_CONNECTION_KEPT / CSYS_CONNECTION_ATTACHMENTS };
	struct rlimit limit, before;
	static csys_attachment many[CSYS_CONNECTION_ATTACHMENTS];
	csys_handle copies[CSYS_CONNECTION_ATTACHMENTS];
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	if (limit.rlim_cur < 4096)
		limit.rlim_cur = 4096;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		skip_because("this process can have too few handles");
	struct ends pipe = opened_ends();
	connect_both();
	int handles = open_handles();
	for (int message = 0; message <= MESSAGES; message++) {
		for (int i = 0; i < CSYS_CONNECTION_ATTACHMENTS; i++) {
			assert_int_equal(csys_handle_dup(pipe.reader, &copies[i]), 0);
			many[i] = csys_attach_handle_take(copies[i]);
		}
		int r = csys_connection_try_send(near_side, "x", 1, many,
						 CSYS_CONNECTION_ATTACHMENTS);
		assert_int_equal(r, message < MESSAGES ? 0 : CSYS_EAGAIN);
	}
	/* Once the other side has the first ones there is room. */
	for (int message = 0; message < MESSAGES; message++)
		csys_parcel_close(heard(far_side));
	assert_int_equal(csys_connection_send(near_side, "x", 1, many, CSYS_CONNECTION_ATTACHMENTS),
			 0);
	csys_parcel_close(heard(far_side));
	assert_int_equal(csys_connection_flush(near_side, CSYS_FOREVER), 0);
	assert_int_equal(open_handles(), handles);
	close_sides();
	close_ends(pipe);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* ---- cancellation ------------------------------------------------------------------------- */

enum { LARGE = 1 << 20 };
static void *large;
static csys_handle given;
static int has_returned;

static void *send_it(void *unused)
{
	(void)unused;
	const csys_attachment attachment = csys_attach_handle_take(given);
	/* Pending from here on. */
	CHECK(pthread_cancel(pthread_self()) == 0);
	int r = csys_connection_send_until(near_side, large, LARGE, &attachment, 1,
					   csys_after_ms(5));
	has_returned = 1;
	return r == 0 ? large : NULL;
}

static void a_thread_that_has_given_something_away_is_told(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_parcel *parcel;
	pthread_t thread;
	connect_both();
	large = pattern(LARGE);
	given = pipe.writer;
	has_returned = 0;
	assert_int_equal(pthread_create(&thread, NULL, send_it, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(has_returned);
	/* The message has begun: the handle is the connection's. */
	while (csys_connection_try_recv(far_side, &parcel) == CSYS_EAGAIN)
		(void)csys_connection_advance(near_side);
	csys_parcel_close(parcel);
	free(large);
	csys_handle_close(pipe.reader);
	close_sides();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_flush_asks_again),
		TEST(a_flush_keeps_so_much_and_no_more),
		TEST(a_connection_with_messages_in_its_queue_is_not_sent),
		TEST(an_answer_that_has_no_room_is_sent_later),
		TEST(what_the_system_does_not_take_at_once_follows),
		TEST(no_more_handles_are_kept_than_promised),
		TEST(a_thread_that_has_given_something_away_is_told),
	};
	return RUN(tests);
}
