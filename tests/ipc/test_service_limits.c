/*
 * ipc/test_service_limits.c - promises of csys/ipc/service.h: what is counted, callbacks that use
 * the service, and what goes on after a lack of handles or memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ipc/service.h"
#include "support/connection.h"
#include "support/service.h"

#define LARGE ((size_t)4 << 20) /* more than the system holds for a socket */

/* ---- clients that are accepted -------------------------------------------------------------- */

static int refused;
static int gone_count;

static void note_gone(void *context, uint64_t client)
{
	(void)context;
	assert_int_not_equal(client, 0);
	gone_count++;
}

/* While this decides, another wait finds that there is no room for a second client. */
static int refuse_the_first(void *context, uint64_t client, csys_socket *socket)
{
	(void)context;
	(void)client;
	(void)socket;
	if (refused++ > 0)
		return 0;
	assert_no_request();
	return 1;
}

static void the_next_is_accepted_after_one_that_was_refused(void **state)
{
	(void)state;
	const csys_service_options options = { .most_clients = 1, .admit = refuse_the_first };
	open_listening(&options);
	refused = 0;
	csys_caller *a = connected_caller(), *b = connected_caller();
	csys_call *call = asked(b, "b");
	csys_request *request = NULL;
	assert_int_equal(csys_service_recv_until(service, csys_after_s(10), &request), 0);
	answer(request, "c");
	assert_reply(call, 0, "c");
	csys_caller_close(a);
	csys_caller_close(b);
	close_listening();
}

static uint64_t let_in;

static int let_all_in(void *context, uint64_t client, csys_socket *socket)
{
	(void)context;
	(void)socket;
	let_in = client;
	return 0;
}

/* Each that was let in is told to be gone, whatever fails, and no failure is the listener's end. */
static void no_failure_of_one_client_is_that_of_others(void **state)
{
	(void)state;
	const csys_service_options options = { .admit = let_all_in, .gone = note_gone };
	for (int nth = 1;; nth++) {
		csys_request *request = NULL;
		let_in = 0;
		gone_count = 0;
		open_listening(&options);
		csys_caller *a = connected_caller();
		csysi_fault_arm(nth);
		int r = csys_service_try_recv(service, &request);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_true(r == CSYS_EAGAIN || r == CSYS_ENOMEM);
		csys_caller *b = connected_caller();
		csys_call *call = asked(b, "b");
		assert_int_equal(csys_service_recv_until(service, csys_after_s(10), &request), 0);
		answer(request, "c");
		assert_reply(call, 0, "c");
		csys_caller_close(a);
		csys_caller_close(b);
		assert_no_request();
		assert_int_equal(gone_count, let_in == 2 ? 2 : 1);
		close_listening();
		if (!fired) {
			assert_true(nth > 4);
			break;
		}
	}
}

static int absent;

int __real_getpeername(int fd, struct sockaddr *name, socklen_t *size);
int __wrap_getpeername(int fd, struct sockaddr *name, socklen_t *size);
int __wrap_getpeername(int fd, struct sockaddr *name, socklen_t *size)
{
	if (absent == 0)
		return __real_getpeername(fd, name, size);
	absent--;
	errno = ENOTCONN;
	return -1;
}

static void one_that_is_gone_before_it_is_accepted_is_not_the_listeners_end(void **state)
{
	(void)state;
	skip_unless_wrapped();
	open_listening(NULL);
	csys_caller *a = connected_caller(), *b = connected_caller();
	absent = 1;
	csys_call *call = asked(b, "b");
	csys_request *request = received("b");
	assert_int_equal(absent, 0);
	answer(request, "c");
	assert_reply(call, 0, "c");
	csys_caller_close(a);
	csys_caller_close(b);
	close_listening();
}

/* ---- callbacks that use the service --------------------------------------------------------- */

static csys_request *kept_request;
static csys_connection *kept_connection;
static int connect_result;

static void use_service(void *context, uint64_t client)
{
	(void)context;
	(void)client;
	csys_request_close(kept_request);
	kept_request = NULL;
	if (kept_connection && service) {
		connect_result = csys_service_connect_take(service, kept_connection, NULL);
		if (connect_result == 0)
			kept_connection = NULL;
	}
}

static void one_that_is_gone_can_make_room_for_another(void **state)
{
	(void)state;
	const csys_service_options options = { .gone = use_service };
	open_service(&options);
	csys_call *call = asked(caller, "a");
	kept_request = received("a");
	connect_both();
	kept_connection = near_side;
	csys_caller_close(caller);
	csys_call_close(call);
	assert_no_request();
	assert_null(kept_request);
	assert_int_equal(connect_result, 0);
	assert_int_equal(csys_caller_from_connection_take(far_side, &caller), 0);
	call = asked(caller, "b");
	answer(received("b"), "c");
	assert_reply(call, 0, "c");
	close_service();
}

static void none_comes_to_a_service_that_is_being_closed(void **state)
{
	(void)state;
	const csys_service_options options = { .gone = use_service };
	open_service(&options);
	csys_call *call = asked(caller, "a");
	kept_request = received("a");
	connect_both();
	kept_connection = near_side;
	csys_service_close(service);
	assert_null(kept_request);
	assert_int_equal(connect_result, CSYS_ECANCELED);
	assert_ptr_equal(kept_connection, near_side);
	service = NULL;
	kept_connection = NULL;
	csys_call_close(call);
	close_service();
	close_sides();
}

/* ---- what is counted ------------------------------------------------------------------------ */

/* How many requests of a client are under way; no handles of replies are. */
static size_t under_way(csys_caller *of)
{
	csys_call *call = asked(of, "?");
	csys_request *request = received("?");
	size_t count = request->client->requests - 1;

	assert_int_equal(request->client->handles, 0);
	answer(request, "!");
	assert_reply(call, 0, "!");
	return count;
}

static void assert_large_reply(csys_call *call)
{
	csys_parcel *reply;
	size_t size;

	/* The same thread serves: it sends what has room. */
	for (;;) {
		int r = csys_call_try_wait(call, &reply);
		if (r == 0)
			break;
		assert_int_equal(r, CSYS_EAGAIN);
		assert_no_request();
	}
	assert_true(is_pattern(csys_parcel_data(reply, &size), LARGE));
	assert_int_equal(size, LARGE);
	csys_parcel_close(reply);
	csys_call_close(call);
}

static void replies_that_wait_are_counted_until_they_are_sent(void **state)
{
	(void)state;
	const csys_service_options options = { .most_requests = 3 };
	void *data = pattern(LARGE);
	open_service(&options);
	for (int round = 0; round < 3; round++) {
		csys_call *calls[4];
		csys_request *requests[3];
		for (int i = 0; i < 4; i++)
			calls[i] = asked(caller, i < 3 ? "x" : "y");
		for (int i = 0; i < 3; i++)
			requests[i] = received("x");
		assert_no_request();
		const struct csysi_client *client = requests[0]->client;
		assert_int_equal(client->requests, 3);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(csys_request_reply(requests[i], data, LARGE, NULL, 0), 0);
			/* The first is in the connection, and the others wait, each in the place
			 * of its request. */
			assert_int_equal(client->requests, 3);
			csys_request_close(requests[i]);
			assert_int_equal(client->requests, 2);
		}
		answer(received("y"), "of y");
		for (int i = 0; i < 3; i++)
			assert_large_reply(calls[i]);
		assert_reply(calls[3], 0, "of y");
		assert_int_equal(under_way(caller), 0);
	}
	free(data);
	close_service();
}

/* Replies with handles that wait, of requests that are closed before and after they are sent. */
static void what_waits_is_closed_once(void **state)
{
	(void)state;
	void *data = pattern(LARGE);
	open_service(NULL);
	struct ends pipe = opened_ends();
	csys_call *large = asked(caller, "x");
	answer(received("x"), "y");
	assert_reply(large, 0, "y");
	large = asked(caller, "x");
	csys_call *calls[2] = { asked(caller, "a"), asked(caller, "b") };
	csys_request *requests[3] = { received("x"), received("a"), received("b") };
	assert_int_equal(csys_request_reply(requests[0], data, LARGE, NULL, 0), 0);
	for (int i = 1; i < 3; i++) {
		csys_handle copy;
		assert_int_equal(csys_handle_dup(pipe.writer, &copy), 0);
		csys_attachment attachment = csys_attach_handle_take(copy);
		assert_int_equal(csys_request_reply(requests[i], "z", 1, &attachment, 1), 0);
	}
	csys_request_close(requests[0]);
	csys_request_close(requests[1]);
	assert_large_reply(large);
	/* They are sent now, and the copies are the service's until it is told that the other side
	 * has them.  If they were closed before, that would close these. */
	csys_handle others[4];
	assert_no_request();
	for (int i = 0; i < 4; i++)
		assert_int_equal(csys_handle_dup(pipe.reader, &others[i]), 0);
	assert_reply(calls[0], 0, "z");
	assert_reply(calls[1], 0, "z");
	assert_no_request();
	csys_request_close(requests[2]);
	assert_int_equal(under_way(caller), 0);
	for (int i = 0; i < 4; i++) {
		assert_true(csysi_os_is_open(others[i]));
		csys_handle_close(others[i]);
	}
	close_ends(pipe);
	free(data);
	close_service();
}

static void a_reply_that_was_accepted_does_not_run_out_of_kept_handles(void **state)
{
	(void)state;
	void *data = pattern(LARGE);
	csys_call *calls[4];
	csys_request *requests[4];
	open_service(NULL);
	for (int i = 0; i < 4; i++)
		calls[i] = asked(caller, "x");
	for (int i = 0; i < 4; i++)
		requests[i] = received("x");
	csys_connection *connection = requests[0]->client->connection;
	assert_int_equal(csys_request_reply(requests[0], data, LARGE, NULL, 0), 0);
	/* As if the client had not told that it has received so many. */
	connection->kept_count += CSYSI_CONNECTION_KEPT - 2;
	csys_attachment attachment = csys_attach_handle(csys_standard(CSYS_STDERR));
	for (int i = 1; i < 3; i++)
		assert_int_equal(csys_request_reply(requests[i], "y", 1, &attachment, 1), 0);
	assert_int_equal(csys_request_reply(requests[3], "y", 1, &attachment, 1), CSYS_EBUSY);
	for (int i = 0; i < 3; i++)
		csys_request_close(requests[i]);
	assert_large_reply(calls[0]);
	assert_no_request();
	assert_reply(calls[1], 0, "y");
	assert_reply(calls[2], 0, "y");
	connection->kept_count -= CSYSI_CONNECTION_KEPT - 2;
	assert_no_request();
	/* It can be answered now. */
	assert_int_equal(csys_request_reply(requests[3], "y", 1, &attachment, 1), 0);
	csys_request_close(requests[3]);
	assert_reply(calls[3], 0, "y");
	assert_int_equal(under_way(caller), 0);
	free(data);
	close_service();
}

/* Messages that are no requests, in one piece, so that the system has room for many. */
static void put_cancels(csys_connection *on, size_t count)
{
	struct {
		struct csysi_connection_head head;
		struct csysi_call_head call;
	} *messages = calloc(count, sizeof *messages);
	size_t size = 0;

	assert_non_null(messages);
	for (size_t i = 0; i < count; i++) {
		messages[i].head = (struct csysi_connection_head){ .magic = CSYSI_CONNECTION_MAGIC,
								   .kind = CSYSI_HEAD_DATA,
								   .size = sizeof messages->call,
								   .number = i + 1 };
		messages[i].call = (struct csysi_call_head){ .magic = CSYSI_CALL_MAGIC,
							     .kind = CSYSI_CALL_CANCEL };
	}
	assert_int_equal(csys_socket_try_send(csys_connection_socket(on), messages,
					      count * sizeof *messages, &size),
			 0);
	assert_int_equal(size, count * sizeof *messages);
	free(messages);
	on->sent = count;
}

/* Receive without waiting until there is a request: how many times that has found none. */
static int tries(csys_request **out)
{
	int count = 0, r;

	while ((r = csys_service_try_recv(service, out)) == CSYS_EAGAIN)
		count++;
	assert_int_equal(r, 0);
	return count;
}

static void one_call_looks_at_some_messages_and_not_at_all(void **state)
{
	(void)state;
	csys_request *request;
	csys_caller *asks;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_service_open(NULL, &service), 0);
		connect_both();
		assert_int_equal(csys_service_connect_take(service, near_side, NULL), 0);
		put_cancels(far_side, i == 0 ? 100 : 300);
		assert_int_equal(csys_caller_from_connection_take(far_side, &asks), 0);
		csys_call *call = asked(asks, "a");
		int count = tries(&request);
		assert_true(i == 0 ? count == 0 : count > 0 && count < 300);
		answer(request, "b");
		assert_reply(call, 0, "b");
		csys_caller_close(asks);
		close_service();
	}
}

/* ---- what goes on after a failure ----------------------------------------------------------- */

static void one_that_could_not_be_waited_for_again_is_so_later(void **state)
{
	(void)state;
	const csys_service_options options = { .most_requests = 1 };
	for (int nth = 1; nth < 4; nth++) {
		csys_request *request = NULL;
		open_service(&options);
		csys_call *a = asked(caller, "a"), *b = asked(caller, "b");
		request = received("a");
		assert_no_request();
		assert_int_equal(csys_request_reply(request, "1", 1, NULL, 0), 0);
		csysi_fault_arm(nth);
		csys_request_close(request);
		csysi_fault_arm(0);
		assert_int_equal(csys_service_recv_until(service, csys_after_s(10), &request), 0);
		answer(request, "2");
		assert_reply(a, 0, "1");
		assert_reply(b, 0, "2");
		close_service();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_next_is_accepted_after_one_that_was_refused),
		TEST(no_failure_of_one_client_is_that_of_others),
		TEST(one_that_is_gone_before_it_is_accepted_is_not_the_listeners_end),
		TEST(one_that_is_gone_can_make_room_for_another),
		TEST(none_comes_to_a_service_that_is_being_closed),
		TEST(replies_that_wait_are_counted_until_they_are_sent),
		TEST(what_waits_is_closed_once),
		TEST(a_reply_that_was_accepted_does_not_run_out_of_kept_handles),
		TEST(one_call_looks_at_some_messages_and_not_at_all),
		TEST(one_that_could_not_be_waited_for_again_is_so_later),
	};
	return RUN(tests);
}
