/*
 * ipc/test_service_edge.c - promises of csys/ipc/service.h: replies that wait, clients that do not
 * read or break rules, lack of memory.
 */
#include <stdlib.h>

#include "ipc/call.h"
#include "support/connection.h"
#include "support/service.h"

#define LARGE ((size_t)4 << 20) /* more than the system holds for a socket */

static int gone_count;

static void count_gone(void *context, uint64_t client)
{
	(void)context;
	assert_int_not_equal(client, 0);
	gone_count++;
}

/* ---- replies that wait ---------------------------------------------------------------------- */

static void a_reply_never_waits_for_its_client(void **state)
{
	(void)state;
	const csys_region_options unsealed = { .accept_unsealed = 1 };
	csys_call *calls[3];
	csys_parcel *reply;
	void *data = pattern(LARGE);
	open_service(NULL);
	struct ends pipe = opened_ends();
	csys_region *region = NULL;
	assert_int_equal(csys_region_create_anonymous(4096, NULL, &region), 0);
	const csys_attachment attachments[] = { csys_attach_handle_take(pipe.writer),
						csys_attach_handle(pipe.reader),
						csys_attach_region(region) };
	for (int i = 0; i < 3; i++)
		calls[i] = asked(caller, "x");
	for (int i = 0; i < 3; i++) {
		csys_request *request = received("x");
		assert_int_equal(csys_request_reply(request, data, i == 2 ? 5 : LARGE,
						    i == 1 ? attachments : NULL, i == 1 ? 3 : 0),
				 0);
		csys_request_close(request);
	}
	/* What was not taken may be closed. */
	csys_region_close(region);
	csys_handle_close(pipe.reader);
	csys_thread *thread = echo_thread();
	for (int i = 2; i >= 0; i--) {
		size_t size;
		assert_int_equal(csys_call_wait(calls[i], &reply), 0);
		assert_true(is_pattern(csys_parcel_data(reply, &size), i == 2 ? 5 : LARGE));
		assert_int_equal(size, i == 2 ? 5 : LARGE);
		if (i == 1) {
			csys_handle handle;
			assert_int_equal(csys_parcel_take_handle(reply, 1, &handle), 0);
			csys_handle_close(handle);
			assert_int_equal(csys_parcel_take_region(reply, 2, &unsealed, &region), 0);
			csys_region_close(region);
		}
		csys_parcel_close(reply);
		csys_call_close(calls[i]);
	}
	free(data);
	end_echo(thread);
	close_service();
}

static void the_rest_of_a_reply_is_sent_while_its_request_is_open(void **state)
{
	(void)state;
	const csys_service_options options = { .most_requests = 1 };
	csys_parcel *reply = NULL;
	void *data = pattern(LARGE);
	open_service(&options);
	csys_call *call = asked(caller, "x");
	csys_request *request = received("x");
	assert_int_equal(csys_request_reply(request, data, LARGE, NULL, 0), 0);
	csys_thread *thread = echo_thread();
	assert_int_equal(csys_call_wait_until(call, csys_after_s(60), &reply), 0);
	assert_true(is_pattern(csys_parcel_data(reply, NULL), LARGE));
	csys_parcel_close(reply);
	csys_call_close(call);
	end_echo(thread);
	csys_request_close(request);
	free(data);
	close_service();
}

static void what_waits_for_one_that_goes_is_dropped(void **state)
{
	(void)state;
	void *data = pattern(LARGE);
	open_service(NULL);
	csys_call *calls[3];
	struct ends pipe = opened_ends();
	csys_attachment attachment = csys_attach_handle_take(pipe.writer);
	for (int i = 0; i < 3; i++)
		calls[i] = asked(caller, "x");
	for (int i = 0; i < 3; i++) {
		csys_request *request = received("x");
		if (i < 2)
			assert_int_equal(
				csys_request_reply(request, data, LARGE, &attachment, (size_t)i),
				0);
		csys_request_close(request);
	}
	for (int i = 0; i < 3; i++)
		csys_call_close(calls[i]);
	csys_caller_close(caller);
	caller = NULL;
	assert_no_request();
	/* Its writer is closed. */
	char byte;
	size_t size;
	assert_int_equal(csys_stream_read(pipe.reader, &byte, 1, &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(pipe.reader);
	free(data);
	close_service();
}

static void a_client_has_a_limited_number_of_requests(void **state)
{
	(void)state;
	const csys_service_options options = { .most_requests = 2 };
	csys_call *calls[3];
	open_service(&options);
	for (int i = 0; i < 3; i++)
		calls[i] = asked(caller, i == 0 ? "a" : i == 1 ? "b" : "c");
	csys_request *a = received("a"), *b = received("b");
	assert_no_request();
	/* Others are served. */
	csys_caller *second = another_caller();
	csys_call *other = asked(second, "d");
	answer(received("d"), "4");
	assert_reply(other, 0, "4");
	csys_caller_close(second);
	answer(b, "2");
	csys_request *c = received("c");
	answer(a, "1");
	answer(c, "3");
	for (int i = 0; i < 3; i++)
		assert_reply(calls[i], 0, i == 0 ? "1" : i == 1 ? "2" : "3");
	close_service();
}

static void one_that_does_not_read_is_not_read(void **state)
{
	(void)state;
	const csys_service_options options = { .most_requests = 2 };
	void *data = pattern(LARGE);
	csys_request *request = NULL;
	open_service(&options);
	csys_call *calls[20];
	for (int i = 0; i < 20; i++)
		calls[i] = asked(caller, "x");
	int count = 0;
	while (csys_service_try_recv(service, &request) == 0) {
		assert_int_equal(csys_request_reply(request, data, LARGE, NULL, 0), 0);
		csys_request_close(request);
		count++;
	}
	/* The first is in the connection, two wait. */
	assert_int_equal(count, 3);
	for (int i = 0; i < 20; i++)
		csys_call_close(calls[i]);
	free(data);
	close_service();
}

/* ---- hostile clients ------------------------------------------------------------------------ */

static void requests_that_break_a_rule_end_their_client_alone(void **state)
{
	(void)state;
	const csys_service_options options = { .gone = count_gone };
	const struct csysi_call_head right = { .magic = CSYSI_CALL_MAGIC,
					       .kind = CSYSI_CALL_REQUEST,
					       .id = 1 };
	open_service(&options);
	gone_count = 0;
	for (int i = 0; i < 6; i++) {
		struct csysi_call_head wrong = right;
		csys_parcel *parcel = NULL;
		connect_both();
		assert_int_equal(csys_service_connect_take(service, near_side, NULL), 0);
		if (i == 0)
			wrong.magic++;
		else if (i == 1)
			wrong.kind = CSYSI_CALL_REPLY;
		else if (i == 2)
			wrong.kind = 99;
		else if (i == 3)
			wrong.reserved = 1;
		size_t size = i == 4 ? sizeof wrong - 1 : i == 5 ? 0 : sizeof wrong;
		assert_int_equal(csys_connection_send(far_side, &wrong, size, NULL, 0), 0);
		assert_no_request();
		assert_int_equal(gone_count, i + 1);
		assert_int_equal(csys_connection_recv(far_side, &parcel), CSYS_EDISCONNECTED);
		csys_connection_close(far_side);
	}
	csys_call *call = asked(caller, "a");
	answer(received("a"), "b");
	assert_reply(call, 0, "b");
	close_service();
}

static void one_call_that_is_given_up_is_not_another(void **state)
{
	(void)state;
	open_service(NULL);
	csys_call *first = asked(caller, "a"), *second = asked(caller, "b");
	csys_request *a = received("a"), *b = received("b");
	csys_call_close(second);
	assert_no_request();
	assert_true(csys_request_is_abandoned(b));
	assert_false(csys_request_is_abandoned(a));
	csys_request_close(b);
	answer(a, "of a");
	assert_reply(first, 0, "of a");
	close_service();
}

static void a_client_that_sends_without_end_takes_turns(void **state)
{
	(void)state;
	const struct csysi_call_head cancel = { .magic = CSYSI_CALL_MAGIC,
						.kind = CSYSI_CALL_CANCEL,
						.id = 1 };
	open_service(NULL);
	connect_both();
	assert_int_equal(csys_service_connect_take(service, near_side, NULL), 0);
	/* Messages that are no requests, as many as there is room for. */
	while (csys_connection_try_send(far_side, &cancel, sizeof cancel, NULL, 0) == 0)
		;
	csys_call *call = asked(caller, "a");
	answer(received("a"), "b");
	assert_reply(call, 0, "b");
	csys_connection_close(far_side);
	close_service();
}

/* ---- lack of memory ------------------------------------------------------------------------- */

/* A request, a reply that waits for room, and a request that is dropped: what failed first. */
static int use_once(csys_request **out_request)
{
	csys_connection *a = NULL, *b = NULL;
	csys_request *request = NULL;
	static char data[300000]; /* more than the system holds for a socket */

	int r = csys_service_open(NULL, &service);
	if (r == 0)
		r = csys_connection_pair(NULL, &a, &b);
	if (r == 0) {
		r = csys_service_connect_take(service, b, NULL);
		if (r < 0)
			csys_connection_close(b);
	}
	if (r == 0)
		r = csys_caller_from_connection_take(a, &caller);
	if (r < 0)
		csys_connection_close(a);
	for (int i = 0; i < 3 && r == 0; i++) {
		csys_call *call = NULL;
		r = csys_caller_begin(caller, "x", 1, NULL, 0, &call);
		if (r == 0)
			r = csys_service_try_recv(service, &request);
		if (r == 0 && i < 2)
			r = csys_request_reply(request, data, sizeof data, NULL, 0);
		if (r == 0) {
			csys_request_close(request);
			request = NULL;
		}
		csys_call_close(call);
	}
	*out_request = request;
	return r;
}

static void without_memory_or_handles_nothing_is_left(void **state)
{
	(void)state;
	for (int nth = 1;; nth++) {
		csys_request *request;
		int handles = open_handles();
		csysi_fault_arm(nth);
		int r = use_once(&request);
		int fired = csysi_fault_fired();
		/* What failed can be done again, and there is an answer. */
		csysi_fault_arm(0);
		if (request && r == CSYS_ENOMEM)
			assert_int_equal(csys_request_fail(request, r, NULL, 0), 0);
		csys_request_close(request);
		close_service();
		assert_int_equal(open_handles(), handles);
		if (!fired) {
			assert_int_equal(r, 0);
			assert_true(nth > 12);
			break;
		}
	}
}

static void no_caller_waits_for_a_dropped_request_whatever_fails(void **state)
{
	(void)state;
	for (int nth = 1; nth < 6; nth++) {
		csys_parcel *reply = NULL;
		open_service(NULL);
		csys_call *call = asked(caller, "a");
		csys_request *request = received("a");
		csysi_fault_arm(nth);
		csys_request_close(request);
		csysi_fault_arm(0);
		assert_no_request();
		/* It waits for nothing, whatever has failed. */
		int r = csys_call_wait(call, &reply);
		assert_true(r == CSYS_ECANCELED || r == CSYS_EDISCONNECTED);
		csys_call_close(call);
		close_service();
	}
}

static void one_whose_caller_cannot_be_told_ends_its_client(void **state)
{
	(void)state;
	csys_parcel *reply = NULL;
	open_service(NULL);
	csys_call *call = asked(caller, "a");
	csys_request *request = received("a");
	csysi_fault_exhaust(1, CSYS_ENOMEM);
	csys_request_close(request);
	assert_int_equal(csys_service_try_recv(service, &request), CSYS_ENOMEM);
	csysi_fault_arm(0);
	assert_no_request();
	assert_int_equal(csys_call_wait(call, &reply), CSYS_EDISCONNECTED);
	csys_call_close(call);
	close_service();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_reply_never_waits_for_its_client),
		TEST(the_rest_of_a_reply_is_sent_while_its_request_is_open),
		TEST(what_waits_for_one_that_goes_is_dropped),
		TEST(a_client_has_a_limited_number_of_requests),
		TEST(one_that_does_not_read_is_not_read),
		TEST(requests_that_break_a_rule_end_their_client_alone),
		TEST(one_call_that_is_given_up_is_not_another),
		TEST(a_client_that_sends_without_end_takes_turns),
		TEST(without_memory_or_handles_nothing_is_left),
		TEST(one_whose_caller_cannot_be_told_ends_its_client),
		TEST(no_caller_waits_for_a_dropped_request_whatever_fails),
	};
	return RUN(tests);
}
