/*
 * ipc/test_service_end.c - promises of csys/ipc/service.h: clients that go while threads use them,
 * and listeners that are lost.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ipc/service.h"
#include "support/connection.h"
#include "support/place.h"
#include "support/service.h"

#define LARGE ((size_t)4 << 20) /* more than the system holds for a socket */

static int gone_count;

/* To be answered when its client is gone, by a thread that does not know that yet. */
static csys_request *to_answer;
static csys_handle to_give;

static void count_gone(void *context, uint64_t client)
{
	(void)context;
	assert_int_not_equal(client, 0);
	gone_count++;
	if (!to_answer)
		return;
	const csys_attachment attachment = csys_attach_handle_take(to_give);
	to_answer->is_abandoned = 0;
	assert_int_equal(csys_request_reply(to_answer, "x", 1, &attachment, 1), 0);
	to_answer = NULL;
}

/* ---- clients ------------------------------------------------------------------------------ */

/* A message that has come: a request without bytes. */
static csys_parcel *came(void)
{
	const struct csysi_call_head head = { .magic = CSYSI_CALL_MAGIC,
					      .kind = CSYSI_CALL_REQUEST,
					      .id = 1 };
	csys_parcel *parcel = csysi_parcel_new(0);

	assert_non_null(parcel);
	parcel->data = malloc(sizeof head + 1);
	assert_non_null(parcel->data);
	memcpy(parcel->data, &head, sizeof head);
	parcel->size = sizeof head;
	return parcel;
}

static void a_request_of_one_that_is_gone_meanwhile_is_abandoned(void **state)
{
	(void)state;
	open_service(NULL);
	csys_call *call = asked(caller, "a");
	csys_request *request = received("a");
	struct csysi_client *client = request->client;
	csys_request *late = calloc(1, sizeof *late);
	assert_non_null(late);
	/* A thread that has received this, and another one that finds the end. */
	csysi_client_drop(client);
	client->requests++;
	assert_int_equal(csysi_request_begin(client, came(), late), 1);
	assert_true(csys_request_is_abandoned(late));
	assert_int_equal(csys_request_reply(late, "x", 1, NULL, 0), CSYS_ECANCELED);
	csys_request_close(late);
	csys_request_close(request);
	csys_call_close(call);
	close_service();
}

static void a_reply_to_one_that_goes_meanwhile_is_dropped(void **state)
{
	(void)state;
	const csys_service_options options = { .gone = count_gone };
	void *data = pattern(LARGE);
	open_service(&options);
	gone_count = 0;
	csys_call *first = asked(caller, "a"), *second = asked(caller, "b");
	csys_request *a = received("a"), *b = received("b");
	struct ends pipe = opened_ends();
	assert_int_equal(csys_request_reply(a, data, LARGE, NULL, 0), 0);
	/* Two threads find the end, and it is told once. */
	to_answer = b;
	to_give = pipe.writer;
	csysi_client_drop(b->client);
	csysi_client_drop(b->client);
	assert_int_equal(gone_count, 1);
	assert_null(to_answer);
	char byte;
	size_t size;
	assert_int_equal(csys_stream_read(pipe.reader, &byte, 1, &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(pipe.reader);
	csys_request_close(a);
	csys_request_close(b);
	csys_call_close(first);
	csys_call_close(second);
	free(data);
	close_service();
	assert_int_equal(gone_count, 1);
}

/* ---- listeners ---------------------------------------------------------------------------- */

static csys_listener *listening(const char *name)
{
	csys_listener *listener;

	assert_int_equal(csys_listener_bind(place_address(name), NULL, &listener), 0);
	assert_int_equal(csys_service_listen_take(service, listener), 0);
	return listener;
}

/* One that connects, asks and goes. */
static void use_as_client(const char *name)
{
	csys_connection *connection;
	csys_caller *made;
	csys_request *request = NULL;

	assert_int_equal(csys_connection_connect(place_address(name), NULL, &connection), 0);
	assert_int_equal(csys_caller_from_connection_take(connection, &made), 0);
	csys_call *call = asked(made, "a");
	assert_int_equal(csys_service_recv_until(service, csys_after_s(10), &request), 0);
	answer(request, "b");
	assert_reply(call, 0, "b");
	csys_caller_close(made);
}

static void a_listener_that_is_shut_down_is_told_once_and_others_go_on(void **state)
{
	(void)state;
	const csys_service_options options = { .most_clients = 1 };
	csys_request *request = NULL;
	place_make();
	assert_int_equal(csys_service_open(&options, &service), 0);
	csys_listener *lost = listening("x");
	(void)listening("y");
	assert_int_equal(shutdown((int)csys_listener_handle(lost), SHUT_RDWR), 0);
	assert_int_equal(csys_service_try_recv(service, &request), CSYS_EBADF);
	assert_no_request();
	/* Each is the only client for a time, so the listeners are paused and resumed. */
	for (int i = 0; i < 3; i++)
		use_as_client("y");
	assert_no_request();
	csys_service_close(service);
	service = NULL;
	place_drop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_of_one_that_is_gone_meanwhile_is_abandoned),
		TEST(a_reply_to_one_that_goes_meanwhile_is_dropped),
		TEST(a_listener_that_is_shut_down_is_told_once_and_others_go_on),
	};
	return RUN(tests);
}
