/*
 * ipc/test_caller.c - promises of csys/ipc/caller.h.
 */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/service.h"
#include "support/thread.h"

/* ---- calls -------------------------------------------------------------------------------- */

static void a_request_has_its_reply(void **state)
{
	(void)state;
	csys_parcel *reply = NULL;
	open_service(NULL);
	csys_thread *thread = echo_thread();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_caller_call(caller, "hello", 5, NULL, 0, &reply), 0);
		assert_int_equal(csys_reply_code(reply), 0);
		assert_string_equal(csys_parcel_data(reply, NULL), "hello");
		csys_parcel_close(reply);
	}
	assert_int_equal(csys_caller_call_until(caller, NULL, 0, NULL, 0, csys_after_s(60), &reply),
			 0);
	size_t size;
	(void)csys_parcel_data(reply, &size);
	assert_int_equal(size, 0);
	csys_parcel_close(reply);
	end_echo(thread);
	close_service();
}

static void replies_come_in_any_order_each_to_its_call(void **state)
{
	(void)state;
	csys_call *calls[3];
	csys_request *requests[3];
	csys_parcel *reply = NULL;
	open_service(NULL);
	for (int i = 0; i < 3; i++)
		calls[i] = asked(caller, i == 0 ? "a" : i == 1 ? "b" : "c");
	for (int i = 0; i < 3; i++)
		requests[i] = received(i == 0 ? "a" : i == 1 ? "b" : "c");
	answer(requests[2], "of c");
	assert_int_equal(csys_call_try_wait(calls[0], &reply), CSYS_EAGAIN);
	assert_int_equal(csys_call_wait_until(calls[0], csys_after_ms(1), &reply), CSYS_ETIMEDOUT);
	assert_null(reply);
	answer(requests[0], "of a");
	answer(requests[1], "of b");
	assert_reply(calls[1], 0, "of b");
	assert_reply(calls[0], 0, "of a");
	assert_reply(calls[2], 0, "of c");
	close_service();
}

static void a_reply_is_taken_once(void **state)
{
	(void)state;
	csys_parcel *reply = NULL;
	open_service(NULL);
	csys_call *call = asked(caller, "a");
	answer(received("a"), "b");
	assert_int_equal(csys_call_wait(call, &reply), 0);
	csys_parcel_close(reply);
	reply = NULL;
	assert_int_equal(csys_call_wait(call, &reply), CSYS_EINVAL);
	assert_null(reply);
	csys_call_close(call);
	/* One that was received and not taken goes with its call. */
	call = asked(caller, "c");
	csys_call *second = asked(caller, "d");
	answer(received("c"), "e");
	answer(received("d"), "f");
	assert_reply(second, 0, "f");
	csys_call_close(call);
	close_service();
}

static void a_reply_that_comes_too_late_is_dropped(void **state)
{
	(void)state;
	csys_parcel *reply = NULL;
	open_service(NULL);
	assert_int_equal(csys_caller_call_until(caller, "a", 1, NULL, 0, csys_after_ms(1), &reply),
			 CSYS_ETIMEDOUT);
	csys_call *call = asked(caller, "b");
	csys_request *late = received("a");
	assert_true(csys_deadline_left(csys_request_deadline(late)) <= 0);
	assert_false(csys_deadline_is_forever(csys_request_deadline(late)));
	csys_request *request = received("b");
	assert_true(csys_deadline_is_forever(csys_request_deadline(request)));
	/* The service was told. */
	assert_true(csys_request_is_abandoned(late));
	assert_int_equal(csys_request_reply(late, "x", 1, NULL, 0), CSYS_ECANCELED);
	csys_request_close(late);
	assert_false(csys_request_is_abandoned(request));
	answer(request, "c");
	assert_reply(call, 0, "c");
	close_service();
}

static void one_that_was_sent_before_the_service_was_told_is_dropped_too(void **state)
{
	(void)state;
	open_service(NULL);
	csys_call *call = asked(caller, "a");
	answer(received("a"), "of a");
	csys_call_close(call);
	/* The next call may have the same memory. */
	call = asked(caller, "b");
	csys_parcel *reply = NULL;
	assert_int_equal(csys_call_try_wait(call, &reply), CSYS_EAGAIN);
	answer(received("b"), "of b");
	assert_reply(call, 0, "of b");
	close_service();
}

static void a_request_that_is_closed_ends_its_call(void **state)
{
	(void)state;
	csys_parcel *reply = NULL;
	open_service(NULL);
	csys_call *call = asked(caller, "a");
	csys_request_close(received("a"));
	assert_int_equal(csys_call_wait(call, &reply), CSYS_ECANCELED);
	assert_int_equal(csys_call_wait(call, &reply), CSYS_ECANCELED);
	assert_null(reply);
	csys_call_close(call);
	close_service();
}

static void a_service_says_why_it_failed(void **state)
{
	(void)state;
	open_service(NULL);
	csys_call *call = asked(caller, "a");
	csys_request *request = received("a");
	assert_int_equal(csys_request_fail(request, 0, NULL, 0), CSYS_EINVAL);
	assert_int_equal(csys_request_fail(request, CSYS_ENOENT, "no such thing", 13), 0);
	/* It has one answer. */
	assert_int_equal(csys_request_fail(request, 1, NULL, 0), CSYS_EINVAL);
	assert_int_equal(csys_request_reply(request, "x", 1, NULL, 0), CSYS_EINVAL);
	csys_request_close(request);
	assert_reply(call, CSYS_ENOENT, "no such thing");
	close_service();
}

/* ---- attachments -------------------------------------------------------------------------- */

static void attachments_go_both_ways(void **state)
{
	(void)state;
	open_service(NULL);
	struct ends pipe = opened_ends();
	csys_attachment attachment = csys_attach_handle_take(pipe.writer);
	csys_call *call = NULL;
	assert_int_equal(csys_caller_begin(caller, "take", 4, &attachment, 1, &call), 0);
	csys_request *request = received("take");
	csys_handle handle;
	assert_int_equal(csys_parcel_take_handle(csys_request_parcel(request), 0, &handle), 0);
	attachment = csys_attach_handle_take(handle);
	assert_int_equal(csys_request_reply(request, "back", 4, &attachment, 1), 0);
	csys_request_close(request);
	csys_parcel *reply = NULL;
	assert_int_equal(csys_call_wait(call, &reply), 0);
	assert_int_equal(csys_parcel_take_handle(reply, 0, &handle), 0);
	csys_parcel_close(reply);
	csys_call_close(call);
	size_t size;
	assert_int_equal(csys_stream_write(handle, "x", 1, &size), 0);
	csys_handle_close(handle);
	csys_handle_close(pipe.reader);
	close_service();
}

static void what_is_taken_by_one_call_is_gone_whatever_comes(void **state)
{
	(void)state;
	const csys_service_options options = { .most_requests = 1 };
	csys_parcel *reply = NULL;
	open_service(&options);
	struct ends pipe = opened_ends();
	csys_attachment attachment = csys_attach_handle_take(pipe.writer);
	/* Not for what breaks a rule. */
	assert_int_equal(csys_caller_call(caller, NULL, 1, &attachment, 1, &reply), CSYS_EINVAL);
	assert_int_equal(csys_caller_call(caller, "a", 1, &attachment, 1, NULL), CSYS_EINVAL);
	csys_request *request = NULL;
	assert_int_equal(csys_caller_call_until(caller, "a", 1, &attachment, 1, CSYS_POLL, &reply),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_service_recv(service, &request), 0);
	csys_request_close(request);
	/* The next one tells this side that the other has it. */
	csys_call *call = asked(caller, "b");
	answer(received("b"), "c");
	assert_reply(call, 0, "c");
	char byte;
	size_t size;
	assert_int_equal(csys_stream_read(pipe.reader, &byte, 1, &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(pipe.reader);
	/* One that is not sent. */
	pipe = opened_ends();
	attachment = csys_attach_handle_take(pipe.writer);
	csys_service_close(service);
	service = NULL;
	assert_int_equal(csys_caller_call(caller, "a", 1, &attachment, 1, &reply),
			 CSYS_EDISCONNECTED);
	assert_int_equal(csys_stream_read(pipe.reader, &byte, 1, &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(pipe.reader);
	close_service();
}

/* ---- the end ------------------------------------------------------------------------------ */

static void a_service_that_is_closed_ends_all_calls(void **state)
{
	(void)state;
	csys_parcel *reply = NULL;
	csys_call *none = NULL;
	open_service(NULL);
	csys_call *a = asked(caller, "a"), *b = asked(caller, "b");
	answer(received("a"), "last");
	csys_service_close(service);
	service = NULL;
	assert_int_equal(csys_call_wait(b, &reply), CSYS_EDISCONNECTED);
	assert_reply(a, 0, "last");
	assert_int_equal(csys_caller_begin(caller, "c", 1, NULL, 0, &none), CSYS_EDISCONNECTED);
	assert_int_equal(csys_caller_call(caller, "c", 1, NULL, 0, &reply), CSYS_EDISCONNECTED);
	assert_null(none);
	assert_null(reply);
	csys_call_close(b);
	close_service();
}

static void a_closed_caller_ends_its_calls(void **state)
{
	(void)state;
	csys_parcel *reply = NULL;
	open_service(NULL);
	csys_call *a = asked(caller, "a"), *b = asked(caller, "b");
	answer(received("a"), "x");
	assert_int_equal(csys_call_try_wait(b, &reply), CSYS_EAGAIN); /* a has its reply */
	assert_int_equal(csys_call_try_wait(b, &reply), CSYS_EAGAIN);
	csys_request *request = received("b");
	csys_caller_close(caller);
	caller = NULL;
	/* The service finds the end while calls are open. */
	assert_no_request();
	assert_true(csys_request_is_abandoned(request));
	csys_request_close(request);
	assert_int_equal(csys_call_wait(b, &reply), CSYS_EDISCONNECTED);
	csys_call_close(b);
	assert_reply(a, 0, "x");
	close_service();
}

static void *wait_for_call(void *call)
{
	csys_parcel *reply = NULL;

	return csys_call_wait(call, &reply) == CSYS_EDISCONNECTED ? call : NULL;
}

static void threads_that_wait_find_that_the_caller_is_closed(void **state)
{
	(void)state;
	csys_thread *threads[3];
	csys_call *calls[3];
	open_service(NULL);
	for (int i = 0; i < 3; i++) {
		calls[i] = asked(caller, "x");
		assert_int_equal(csys_thread_spawn(wait_for_call, calls[i], NULL, &threads[i]), 0);
	}
	take_a_nap();
	csys_caller_close(caller);
	caller = NULL;
	for (int i = 0; i < 3; i++) {
		void *result;
		assert_int_equal(csys_thread_join(threads[i], &result), 0);
		csys_thread_unref(threads[i]);
		assert_ptr_equal(result, calls[i]);
		csys_call_close(calls[i]);
	}
	close_service();
}

static void use_in_child(void)
{
	csys_parcel *reply;
	csys_call *call;
	csys_request *request;
	CHECK(csys_caller_begin(caller, "x", 1, NULL, 0, &call) == CSYS_EBADF);
	CHECK(csys_caller_call(caller, "x", 1, NULL, 0, &reply) == CSYS_EBADF);
	CHECK(csys_caller_advance(caller) == CSYS_EBADF);
	CHECK(csys_service_recv(service, &request) == CSYS_EBADF);
	csys_caller_close(caller);
	csys_service_close(service);
}

static void a_forked_child_only_closes_its_copy(void **state)
{
	(void)state;
	open_service(NULL);
	csys_call *call = asked(caller, "a");
	csys_request *request = received("a");
	in_child(use_in_child);
	answer(request, "b");
	assert_reply(call, 0, "b");
	close_service();
}

/* ---- threads ------------------------------------------------------------------------------ */

static void *wait_for_text(void *call)
{
	csys_parcel *reply = NULL;

	if (csys_call_wait_until(call, csys_after_s(60), &reply) < 0)
		return NULL;
	csys_parcel_close(reply);
	return call;
}

static void end_waiting(csys_thread *thread, csys_call *call)
{
	void *result = NULL;

	assert_int_equal(csys_thread_join(thread, &result), 0);
	csys_thread_unref(thread);
	assert_ptr_equal(result, call);
	csys_call_close(call);
}

static void the_thread_that_receives_does_it_for_all_and_hands_over(void **state)
{
	(void)state;
	csys_thread *threads[3];
	csys_call *calls[3];
	csys_request *requests[3];
	open_service(NULL);
	for (int i = 0; i < 3; i++)
		calls[i] = asked(caller, "x");
	for (int i = 0; i < 3; i++) {
		requests[i] = received("x");
		assert_int_equal(csys_thread_spawn(wait_for_text, calls[i], NULL, &threads[i]), 0);
		for (int naps = 0; naps < 50; naps++) /* the first receives, the others wait */
			take_a_nap();
	}
	answer(requests[1], "of a thread that waits");
	end_waiting(threads[1], calls[1]);
	answer(requests[0], "of the one that receives");
	end_waiting(threads[0], calls[0]);
	answer(requests[2], "of the one that goes on");
	end_waiting(threads[2], calls[2]);
	close_service();
}

#define THREADS 4

static void *ask_often(void *failure)
{
	int rounds = is_watched() ? 50 : 500;

	for (int i = 0; i < rounds; i++) {
		csys_parcel *reply;
		char text[40];
		/* With and without a deadline that may pass. */
		csys_deadline deadline = i % 7 == 0 ? csys_after_us(i % 50) : csys_after_s(60);
		int length = snprintf(text, sizeof text, "%p %d", (void *)&reply, i);
		int r = csys_caller_call_until(caller, text, (size_t)length, NULL, 0, deadline,
					       &reply);
		if (r == CSYS_ETIMEDOUT && i % 7 == 0)
			continue;
		if (r < 0 || strcmp(csys_parcel_data(reply, NULL), text) != 0) {
			*(int *)failure = 1;
			return NULL;
		}
		csys_parcel_close(reply);
	}
	return NULL;
}

static void threads_that_call_at_once_get_their_own_replies(void **state)
{
	(void)state;
	int failure = 0;
	open_service(NULL);
	csys_thread *first = echo_thread(), *second = echo_thread();
	run_threads(THREADS, ask_often, &failure);
	assert_int_equal(failure, 0);
	end_echo(first);
	end_echo(second);
	close_service();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_has_its_reply),
		TEST(replies_come_in_any_order_each_to_its_call),
		TEST(a_reply_is_taken_once),
		TEST(a_reply_that_comes_too_late_is_dropped),
		TEST(one_that_was_sent_before_the_service_was_told_is_dropped_too),
		TEST(a_request_that_is_closed_ends_its_call),
		TEST(a_service_says_why_it_failed),
		TEST(attachments_go_both_ways),
		TEST(what_is_taken_by_one_call_is_gone_whatever_comes),
		TEST(a_service_that_is_closed_ends_all_calls),
		TEST(a_closed_caller_ends_its_calls),
		TEST(threads_that_wait_find_that_the_caller_is_closed),
		TEST(a_forked_child_only_closes_its_copy),
		TEST(the_thread_that_receives_does_it_for_all_and_hands_over),
		TEST(threads_that_call_at_once_get_their_own_replies),
	};
	return RUN(tests);
}
