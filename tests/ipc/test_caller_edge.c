/*
 * ipc/test_caller_edge.c - promises of csys/ipc/caller.h: large messages, hostile services, lack of
 * memory.
 */
#include <stdlib.h>
#include <string.h>

#include "ipc/caller.h"
#include "ipc/call.h"
#include "support/connection.h"
#include "support/service.h"
#include "support/thread.h"

#define LARGE ((size_t)4 << 20) /* more than the system holds for a socket */

/* ---- large messages ------------------------------------------------------------------------- */

static void exchange_large(const csys_service_options *options)
{
	csys_call *calls[4];
	void *data = pattern(LARGE);
	open_service(options);
	csys_thread *thread = echo_thread();
	for (int i = 0; i < 4; i++)
		assert_int_equal(csys_caller_begin(caller, data, LARGE, NULL, 0, &calls[i]), 0);
	for (int i = 3; i >= 0; i--) {
		csys_parcel *reply;
		size_t size;
		assert_int_equal(csys_call_wait(calls[i], &reply), 0);
		assert_true(is_pattern(csys_parcel_data(reply, &size), LARGE));
		assert_int_equal(size, LARGE);
		csys_parcel_close(reply);
		csys_call_close(calls[i]);
	}
	free(data);
	end_echo(thread);
	close_service();
}

static void large_requests_and_replies_do_not_wait_for_each_other(void **state)
{
	(void)state;
	/* With one request at a time the next is read only after the caller has read the reply. */
	const csys_service_options one = { .most_requests = 1 };
	exchange_large(NULL);
	exchange_large(&one);
}

static void what_there_was_no_room_for_is_sent_while_replies_are_waited_for(void **state)
{
	(void)state;
	csys_call *call = NULL, *second = NULL;
	csys_parcel *reply = NULL;
	void *data = pattern(LARGE);
	open_service(NULL);
	assert_int_equal(csys_caller_try_begin(caller, data, LARGE, NULL, 0, &call), 0);
	assert_int_equal(csys_caller_try_begin(caller, "x", 1, NULL, 0, &second), CSYS_EAGAIN);
	assert_int_equal(
		csys_caller_begin_until(caller, "x", 1, NULL, 0, csys_after_ms(1), &second),
		CSYS_ETIMEDOUT);
	assert_null(second);
	csys_thread *thread = echo_thread();
	assert_int_equal(csys_call_wait(call, &reply), 0);
	assert_true(is_pattern(csys_parcel_data(reply, NULL), LARGE));
	csys_parcel_close(reply);
	csys_call_close(call);
	free(data);
	end_echo(thread);
	close_service();
}

static void a_loop_waits_for_replies_and_for_room(void **state)
{
	(void)state;
	csys_call *call = NULL;
	csys_parcel *reply = NULL;
	void *data = pattern(LARGE);
	open_service(NULL);
	csys_poll_item item = { .waitable = csys_caller_waitable(caller) };
	assert_int_equal(csys_poll(&item, 1, csys_after_ms(1)), CSYS_ETIMEDOUT);
	assert_int_equal(csys_caller_try_begin(caller, data, LARGE, NULL, 0, &call), 0);
	csys_thread *thread = echo_thread();
	int r;
	while ((r = csys_call_try_wait(call, &reply)) == CSYS_EAGAIN) {
		item.waitable = csys_caller_waitable(caller);
		assert_true(csys_poll(&item, 1, csys_after_s(60)) > 0);
	}
	assert_int_equal(r, 0);
	csys_parcel_close(reply);
	csys_call_close(call);
	free(data);
	end_echo(thread);
	item.waitable = csys_caller_waitable(caller);
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_ETIMEDOUT);
	item.waitable = csys_caller_waitable(NULL);
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_EBADF);
	close_service();
}

/* What another thread sends right after the next message. */
static _Thread_local const struct csysi_connection_content *behind;

int __real_csysi_connection_send_once(csys_connection *connection,
				      const struct csysi_connection_content *content,
				      csys_deadline deadline, uint64_t *out_number);
int __wrap_csysi_connection_send_once(csys_connection *connection,
				      const struct csysi_connection_content *content,
				      csys_deadline deadline, uint64_t *out_number);
int __wrap_csysi_connection_send_once(csys_connection *connection,
				      const struct csysi_connection_content *content,
				      csys_deadline deadline, uint64_t *out_number)
{
	int r = __real_csysi_connection_send_once(connection, content, deadline, out_number);

	if (r == 0 && behind)
		r = __real_csysi_connection_send_once(connection, behind, deadline, NULL);
	behind = NULL;
	return r;
}

static void what_others_send_is_not_waited_for(void **state)
{
	(void)state;
	const struct csysi_call_head head = { .magic = CSYSI_CALL_MAGIC,
					      .kind = CSYSI_CALL_REQUEST };
	void *data = pattern(LARGE);
	const struct csysi_connection_content large = { .prefix = { &head, sizeof head },
							.data = data,
							.size = LARGE };
	skip_unless_wrapped();
	open_service(NULL);
	behind = &large;
	csys_call *call = asked(caller, "x");
	assert_null(behind);
	assert_true(csys_connection_is_pending(caller->connection));
	answer(received("x"), "y");
	assert_reply(call, 0, "y");
	free(data);
	close_service();
}

/* Begin a call for which there is no room. */
static void *begin_in_vain(void *unused)
{
	csys_call *call;
	int r = csys_caller_begin_until(caller, "x", 1, NULL, 0, csys_after_ms(100), &call);

	return r == CSYS_ETIMEDOUT ? unused : (void *)1;
}

static void *wait_for_large(void *call)
{
	csys_parcel *reply;
	size_t size = 0;

	if (csys_call_wait(call, &reply) < 0)
		return NULL;
	int is_right = is_pattern(csys_parcel_data(reply, &size), LARGE) && size == LARGE;
	csys_parcel_close(reply);
	return is_right ? call : NULL;
}

static void a_thread_that_waits_for_room_hands_over_too(void **state)
{
	(void)state;
	csys_thread *sender, *waiter;
	csys_call *call = NULL;
	void *data = pattern(LARGE), *result = (void *)1;
	open_service(NULL);
	assert_int_equal(csys_caller_try_begin(caller, data, LARGE, NULL, 0, &call), 0);
	assert_int_equal(csys_thread_spawn(begin_in_vain, NULL, NULL, &sender), 0);
	for (int naps = 0; naps < 20; naps++) /* it receives for the other one */
		take_a_nap();
	assert_int_equal(csys_thread_spawn(wait_for_large, call, NULL, &waiter), 0);
	assert_int_equal(csys_thread_join(sender, &result), 0);
	assert_null(result);
	csys_thread_unref(sender);
	csys_thread *thread = echo_thread();
	assert_int_equal(csys_thread_join(waiter, &result), 0);
	assert_ptr_equal(result, call);
	csys_thread_unref(waiter);
	csys_call_close(call);
	free(data);
	end_echo(thread);
	close_service();
}

static int is_ready(void)
{
	csys_poll_item item = { .waitable = csys_caller_waitable(caller) };
	int r = csys_poll(&item, 1, CSYS_POLL);

	assert_true(r == 1 || r == CSYS_ETIMEDOUT);
	return r == 1;
}

static void a_loop_has_nothing_to_do_while_no_call_is_open(void **state)
{
	(void)state;
	void *data = pattern(LARGE);
	csys_call *call = NULL;
	open_service(NULL);
	/* A reply that comes after its call was closed. */
	call = asked(caller, "a");
	csys_request *request = received("a");
	answer(request, "b");
	csys_call_close(call);
	assert_true(is_ready());
	assert_int_equal(csys_caller_advance(caller), 0);
	assert_false(is_ready());
	/* The rest of a request whose call was closed. */
	assert_int_equal(csys_caller_try_begin(caller, data, LARGE, NULL, 0, &call), 0);
	assert_false(is_ready());
	assert_no_request(); /* this makes room */
	assert_true(is_ready());
	csys_call_close(call);
	request = NULL;
	while (!request) {
		int r = csys_service_try_recv(service, &request);
		assert_true(r == 0 || r == CSYS_EAGAIN);
		assert_int_equal(csys_caller_advance(caller), 0);
	}
	size_t size;
	assert_true(is_pattern(csys_request_data(request, &size), LARGE));
	assert_int_equal(size, LARGE);
	/* Not to wait for room is no deadline of the call. */
	assert_true(csys_deadline_is_forever(csys_request_deadline(request)));
	csys_request_close(request);
	assert_int_equal(csys_caller_advance(caller), 0);
	assert_false(is_ready());
	/* Replies are kept for their calls. */
	call = asked(caller, "c");
	answer(received("c"), "d");
	assert_int_equal(csys_caller_advance(caller), 0);
	assert_false(is_ready());
	assert_reply(call, 0, "d");
	/* The end of the service. */
	csys_service_close(service);
	service = NULL;
	assert_true(is_ready());
	assert_int_equal(csys_caller_advance(caller), CSYS_EDISCONNECTED);
	assert_int_equal(csys_caller_advance(caller), CSYS_EDISCONNECTED);
	assert_int_equal(csys_caller_advance(NULL), CSYS_EINVAL);
	free(data);
	close_service();
}

static void a_request_has_fewer_bytes_than_a_message(void **state)
{
	(void)state;
	const csys_connection_options options = { .most = 100 }, tiny = { .most = 10 };
	static const char bytes[101];
	csys_connection *a, *b;
	csys_call *call = NULL;
	assert_int_equal(csys_connection_pair(&options, &a, &b), 0);
	assert_int_equal(csys_caller_from_connection_take(a, &caller), 0);
	assert_int_equal(csys_caller_begin(caller, bytes, 101 - CSYS_CALL_OVERHEAD, NULL, 0, &call),
			 CSYS_EMSGSIZE);
	assert_int_equal(csys_caller_begin(caller, bytes, 100 - CSYS_CALL_OVERHEAD, NULL, 0, &call),
			 0);
	csys_call_close(call);
	csys_caller_close(caller);
	csys_connection_close(b);
	assert_int_equal(csys_connection_pair(&tiny, &a, &b), 0);
	assert_int_equal(csys_caller_from_connection_take(a, &caller), 0);
	assert_int_equal(csys_caller_begin(caller, NULL, 0, NULL, 0, &call), CSYS_EMSGSIZE);
	csys_caller_close(caller);
	caller = NULL;
	csys_connection_close(b);
}

/* ---- a hostile service ---------------------------------------------------------------------- */

static void from_service(const struct csysi_call_head *head, size_t size)
{
	assert_int_equal(csys_connection_send(far_side, head, size, NULL, 0), 0);
}

static void open_hostile(void)
{
	connect_both();
	assert_int_equal(csys_caller_from_connection_take(near_side, &caller), 0);
}

static void close_hostile(csys_call *call)
{
	csys_call_close(call);
	csys_caller_close(caller);
	caller = NULL;
	csys_connection_close(far_side);
}

static void replies_that_break_a_rule_end_all_calls(void **state)
{
	(void)state;
	const struct csysi_call_head right = { .magic = CSYSI_CALL_MAGIC,
					       .kind = CSYSI_CALL_REPLY,
					       .id = 12345 };
	for (int i = 0; i < 6; i++) {
		csys_parcel *reply = NULL;
		open_hostile();
		csys_call *call = asked(caller, "x");
		struct csysi_call_head wrong = right;
		from_service(&wrong, sizeof wrong); /* of no call: nothing happens */
		if (i == 0)
			wrong.magic++;
		else if (i == 1)
			wrong.kind = CSYSI_CALL_REQUEST;
		else if (i == 2)
			wrong.kind = 99;
		else if (i == 3)
			wrong.reserved = 1;
		from_service(&wrong, i == 4 ? sizeof wrong - 1 : i == 5 ? 0 : sizeof wrong);
		assert_int_equal(csys_call_wait(call, &reply), CSYS_EBADMSG);
		assert_int_equal(csys_call_wait(call, &reply), CSYS_EBADMSG);
		csys_call *none;
		assert_int_equal(csys_caller_begin(caller, "y", 1, NULL, 0, &none), CSYS_EBADMSG);
		close_hostile(call);
	}
}

static void a_second_reply_is_dropped(void **state)
{
	(void)state;
	csys_parcel *reply = NULL, *request;
	struct csysi_call_head head;
	open_hostile();
	csys_call *call = asked(caller, "x"), *other = asked(caller, "y");
	assert_int_equal(csys_connection_recv(far_side, &request), 0);
	memcpy(&head, csys_parcel_data(request, NULL), sizeof head);
	csys_parcel_close(request);
	head.kind = CSYSI_CALL_REPLY;
	csys_attachment attachment = csys_attach_handle(csys_standard(CSYS_STDERR));
	for (int i = 0; i < 2; i++)
		assert_int_equal(csys_connection_send(far_side, &head, sizeof head, &attachment, 1),
				 0);
	/* This receives both, and the handles of one are closed: the test counts them. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(csys_call_wait_until(other, csys_after_ms(1), &reply),
				 CSYS_ETIMEDOUT);
	assert_int_equal(csys_call_wait(call, &reply), 0);
	csys_parcel_close(reply);
	assert_int_equal(csys_connection_send(far_side, &head, sizeof head, &attachment, 1), 0);
	assert_int_equal(csys_call_wait(call, &reply), CSYS_EINVAL);
	assert_int_equal(csys_call_wait_until(other, csys_after_ms(1), &reply), CSYS_ETIMEDOUT);
	csys_call_close(other);
	close_hostile(call);
}

static void *flood(void *unused)
{
	struct csysi_call_head head = { .magic = CSYSI_CALL_MAGIC, .kind = CSYSI_CALL_REPLY };

	do
		head.id++;
	while (csys_connection_send(far_side, &head, sizeof head, NULL, 0) == 0);
	return unused;
}

static void replies_of_no_call_do_not_keep_one_from_its_deadline(void **state)
{
	(void)state;
	csys_thread *thread;
	csys_parcel *reply;
	open_hostile();
	csys_call *call = asked(caller, "x");
	/* Replies with other generations of its slot, among them perhaps its own. */
	assert_int_equal(csys_thread_spawn(flood, NULL, NULL, &thread), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(csys_call_wait_until(call, csys_after_ms(1), &reply),
				 CSYS_ETIMEDOUT);
	csys_call_close(call);
	csys_caller_close(caller);
	caller = NULL;
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(thread);
	csys_connection_close(far_side);
}

/* Replies of no call. */
static void put_replies(int count)
{
	const struct csysi_call_head head = { .magic = CSYSI_CALL_MAGIC,
					      .kind = CSYSI_CALL_REPLY,
					      .id = 12345 };

	for (int i = 0; i < count; i++)
		from_service(&head, sizeof head);
}

static void one_wait_looks_at_some_messages_and_not_at_all(void **state)
{
	(void)state;
	struct csysi_call_head head;
	csys_parcel *reply, *request;
	for (int i = 0; i < 2; i++) {
		int count = 0, r;
		open_hostile();
		csys_call *call = asked(caller, "x");
		assert_int_equal(csys_connection_recv(far_side, &request), 0);
		memcpy(&head, csys_parcel_data(request, NULL), sizeof head);
		csys_parcel_close(request);
		head.kind = CSYSI_CALL_REPLY;
		put_replies(i == 0 ? 20 : 100);
		from_service(&head, sizeof head);
		while ((r = csys_call_try_wait(call, &reply)) == CSYS_EAGAIN)
			count++;
		assert_int_equal(r, 0);
		assert_true(i == 0 ? count == 0 : count > 0 && count < 100);
		csys_parcel_close(reply);
		close_hostile(call);
	}
}

/* ---- arguments, and lack of memory ---------------------------------------------------------- */

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	csys_call *call = NULL;
	csys_parcel *reply = NULL;
	csys_caller *none = NULL;
	open_service(NULL);
	assert_int_equal(csys_caller_from_connection_take(NULL, &none), CSYS_EINVAL);
	assert_int_equal(csys_caller_begin(NULL, "", 0, NULL, 0, &call), CSYS_EINVAL);
	assert_int_equal(csys_caller_begin(caller, NULL, 1, NULL, 0, &call), CSYS_EINVAL);
	assert_int_equal(csys_caller_begin(caller, "", 0, NULL, 1, &call), CSYS_EINVAL);
	assert_int_equal(csys_caller_begin(caller, "", 0, NULL, 0, NULL), CSYS_EINVAL);
	assert_int_equal(csys_caller_call(NULL, "", 0, NULL, 0, &reply), CSYS_EINVAL);
	assert_int_equal(csys_call_wait(NULL, &reply), CSYS_EINVAL);
	call = asked(caller, "x");
	assert_int_equal(csys_call_wait(call, NULL), CSYS_EINVAL);
	csys_call_close(call);
	assert_int_equal(csys_reply_code(NULL), 0);
	assert_null(csys_caller_socket(NULL));
	assert_non_null(csys_caller_socket(caller));
	csys_call_close(NULL);
	csys_caller_close(NULL);
	close_service();
}

static void without_memory_or_handles_nothing_is_left(void **state)
{
	(void)state;
	for (int nth = 1;; nth++) {
		csys_caller *made = NULL;
		csys_call *call = NULL;
		connect_both();
		int handles = open_handles();
		csysi_fault_arm(nth);
		int r = csys_caller_from_connection_take(near_side, &made);
		if (r == 0)
			r = csys_caller_begin(made, "x", 1, NULL, 0, &call);
		int fired = csysi_fault_fired();
		if (r < 0 && !made) {
			assert_int_equal(open_handles(), handles);
			csys_connection_close(near_side);
		}
		csys_call_close(call);
		csys_caller_close(made);
		csys_connection_close(far_side);
		if (!fired) {
			assert_int_equal(r, 0);
			assert_true(nth > 4);
			break;
		}
		assert_true(r < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(large_requests_and_replies_do_not_wait_for_each_other),
		TEST(what_there_was_no_room_for_is_sent_while_replies_are_waited_for),
		TEST(a_loop_waits_for_replies_and_for_room),
		TEST(what_others_send_is_not_waited_for),
		TEST(a_thread_that_waits_for_room_hands_over_too),
		TEST(a_loop_has_nothing_to_do_while_no_call_is_open),
		TEST(a_request_has_fewer_bytes_than_a_message),
		TEST(replies_that_break_a_rule_end_all_calls),
		TEST(a_second_reply_is_dropped),
		TEST(replies_of_no_call_do_not_keep_one_from_its_deadline),
		TEST(one_wait_looks_at_some_messages_and_not_at_all),
		TEST(what_makes_no_sense_is_refused),
		TEST(without_memory_or_handles_nothing_is_left),
	};
	return RUN(tests);
}
