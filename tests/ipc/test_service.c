/*
 * ipc/test_service.c - promises of csys/ipc/service.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/connection.h"
#include "support/service.h"
#include "support/thread.h"

static uint64_t admitted, gone_last;
static int gone_count;

static int admit(void *context, uint64_t client, csys_socket *socket)
{
	assert_non_null(socket);
	admitted = client;
	return *(const int *)context;
}

static void gone(void *context, uint64_t client)
{
	(void)context;
	gone_last = client;
	gone_count++;
}

/* ---- clients that come -------------------------------------------------------------------- */

static void those_that_connect_are_clients_with_numbers_of_their_own(void **state)
{
	(void)state;
	open_listening(NULL);
	csys_caller *a = connected_caller(), *b = connected_caller();
	csys_call *of_a = asked(a, "a");
	csys_request *first = received("a");
	csys_call *of_b = asked(b, "b");
	csys_request *second = received("b");
	assert_int_not_equal(csys_request_client(first), 0);
	assert_int_not_equal(csys_request_client(first), csys_request_client(second));
	assert_non_null(csys_request_socket(first));
	answer(second, "of b");
	answer(first, "of a");
	assert_reply(of_a, 0, "of a");
	assert_reply(of_b, 0, "of b");
	csys_caller_close(a);
	csys_caller_close(b);
	close_listening();
}

static void those_that_are_not_admitted_are_closed(void **state)
{
	(void)state;
	int verdict = 1;
	const csys_service_options options = { .admit = admit, .context = &verdict };
	csys_parcel *reply = NULL;
	open_listening(&options);
	csys_caller *a = connected_caller();
	assert_no_request();
	assert_int_not_equal(admitted, 0);
	assert_int_equal(csys_caller_call(a, "x", 1, NULL, 0, &reply), CSYS_EDISCONNECTED);
	csys_caller_close(a);
	verdict = 0;
	a = connected_caller();
	csys_call *call = asked(a, "y");
	csys_request *request = received("y");
	assert_int_equal(csys_request_client(request), admitted);
	answer(request, "z");
	assert_reply(call, 0, "z");
	csys_caller_close(a);
	close_listening();
}

static void no_more_clients_are_accepted_than_there_may_be(void **state)
{
	(void)state;
	const csys_service_options options = { .most_clients = 1, .gone = gone };
	open_listening(&options);
	gone_count = 0;
	csys_caller *a = connected_caller(), *b = connected_caller();
	csys_call *of_a = asked(a, "a"), *of_b = asked(b, "b");
	answer(received("a"), "1");
	assert_no_request();
	assert_reply(of_a, 0, "1");
	csys_caller_close(a);
	answer(received("b"), "2");
	assert_int_equal(gone_count, 1);
	assert_reply(of_b, 0, "2");
	csys_caller_close(b);
	close_listening();
}

static void accept_without_handles(void)
{
	csys_service_options options = { 0 };
	open_listening(&options);
	csys_caller *a = connected_caller();
	csys_call *call = asked(a, "x");
	csys_handle handles[64];
	int count = 0;
	allow_handles(64);
	while (csys_handle_dup(csys_standard(CSYS_STDIN), &handles[count]) == 0)
		count++;
	assert_no_request();
	assert_no_request();
	while (count > 0)
		csys_handle_close(handles[--count]);
	answer(received("x"), "y");
	assert_reply(call, 0, "y");
	csys_caller_close(a);
	close_listening();
}

static void clients_wait_while_there_is_no_handle(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because("valgrind accepts what it has no handle for, and closes it");
	in_child(accept_without_handles);
}

/* ---- clients that go ---------------------------------------------------------------------- */

static void requests_of_one_that_is_gone_are_abandoned(void **state)
{
	(void)state;
	const csys_service_options options = { .gone = gone };
	open_service(&options);
	csys_caller *second = another_caller();
	gone_count = 0;
	csys_call *call = asked(second, "a"), *more = asked(second, "b");
	csys_request *request = received("a");
	uint64_t client = csys_request_client(request);
	csys_call_close(call);
	csys_call_close(more);
	csys_caller_close(second);
	/* What came before is received still. */
	csys_request *last = received("b");
	assert_no_request();
	assert_int_equal(gone_count, 1);
	assert_int_equal(gone_last, client);
	assert_true(csys_request_is_abandoned(request));
	assert_true(csys_request_is_abandoned(last));
	assert_int_equal(csys_request_reply(request, "x", 1, NULL, 0), CSYS_ECANCELED);
	csys_request_close(request);
	csys_request_close(last);
	/* Others are not. */
	call = asked(caller, "c");
	answer(received("c"), "d");
	assert_reply(call, 0, "d");
	close_service();
	assert_int_equal(gone_count, 2);
}

static void a_reply_to_one_that_is_gone_says_so(void **state)
{
	(void)state;
	open_service(NULL);
	csys_call *call = asked(caller, "a");
	csys_request *request = received("a");
	csys_caller_close(caller);
	caller = NULL;
	csys_call_close(call);
	struct ends pipe = opened_ends();
	csys_attachment attachment = csys_attach_handle_take(pipe.writer);
	assert_int_equal(csys_request_reply(request, "x", 1, &attachment, 1), CSYS_EDISCONNECTED);
	close_ends(pipe); /* the caller's still */
	csys_request_close(request);
	close_service();
}

static void requests_outlive_the_service(void **state)
{
	(void)state;
	open_service(NULL);
	csys_parcel *reply = NULL;
	csys_call *a = asked(caller, "a"), *b = asked(caller, "b");
	csys_request *first = received("a"), *second = received("b");
	csys_service_close(service);
	service = NULL;
	assert_true(csys_request_is_abandoned(first));
	assert_string_equal(csys_request_data(first, NULL), "a");
	assert_int_equal(csys_request_reply(first, "x", 1, NULL, 0), CSYS_ECANCELED);
	assert_int_equal(csys_call_wait(a, &reply), CSYS_EDISCONNECTED);
	csys_request_close(first);
	csys_call_close(a);
	csys_call_close(b);
	csys_request_close(second);
	close_service();
}

static void ask_and_hang(void)
{
	csys_call *call;
	csys_caller *mine = connected_caller();
	CHECK(csys_caller_begin(mine, "ready", 5, NULL, 0, &call) == 0);
	for (;;)
		pause();
}

static void a_client_that_is_killed_is_gone(void **state)
{
	(void)state;
	const csys_service_options options = { .gone = gone };
	open_listening(&options);
	gone_count = 0;
	pid_t pid = fork();
	if (pid == 0) {
		ask_and_hang();
		_exit(1);
	}
	csys_request *request = received("ready");
	assert_false(csys_request_is_abandoned(request));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_no_request();
	assert_true(csys_request_is_abandoned(request));
	assert_int_equal(gone_count, 1);
	csys_request_close(request);
	close_listening();
}

static void ask_until_killed(csys_connection *connection)
{
	static const char data[70000];
	csys_caller *mine;
	CHECK(csys_caller_from_connection_take(connection, &mine) == 0);
	for (size_t i = 0;; i++) {
		csys_call *call;
		csys_attachment attachment = csys_attach_handle(csys_standard(CSYS_STDERR));
		CHECK(csys_caller_begin(mine, data, i * 7919 % sizeof data, &attachment, 1,
					&call) == 0);
		csys_parcel *reply;
		/* Some are waited for, and some are given up. */
		if (i % 3 != 0 && csys_call_wait(call, &reply) == 0)
			csys_parcel_close(reply);
		csys_call_close(call);
	}
}

static void return_request(csys_request *request)
{
	csys_handle handle;
	size_t size;
	const void *data = csys_request_data(request, &size);
	assert_int_equal(csys_parcel_take_handle(csys_request_parcel(request), 0, &handle), 0);
	csys_attachment attachment = csys_attach_handle_take(handle);
	if (csys_request_reply(request, data, size, &attachment, 1) < 0)
		csys_handle_close(handle);
	csys_request_close(request);
}

/* One that is killed after so many requests were received. */
static void serve_one_that_is_killed(int count)
{
	csys_request *request;
	connect_both();
	pid_t pid = fork();
	if (pid == 0) {
		csys_connection_close(near_side);
		ask_until_killed(far_side);
		_exit(1);
	}
	assert_true(pid > 0);
	csys_connection_close(far_side);
	assert_int_equal(csys_service_connect_take(service, near_side, NULL), 0);
	gone_count = 0;
	for (int i = 0; i < count; i++) {
		assert_int_equal(csys_service_recv(service, &request), 0);
		return_request(request);
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	while (gone_count == 0)
		if (csys_service_try_recv(service, &request) == 0)
			return_request(request);
}

static void clients_that_are_killed_at_any_time_leave_nothing(void **state)
{
	(void)state;
	const csys_service_options options = { .gone = gone };
	open_service(&options);
	int handles = open_handles();
	for (int i = 0; i < (is_watched() ? 8 : 40); i++) {
		serve_one_that_is_killed(i);
		assert_int_equal(open_handles(), handles);
	}
	csys_call *call = asked(caller, "a");
	answer(received("a"), "b");
	assert_reply(call, 0, "b");
	close_service();
}

/* ---- stopping, waiting, arguments ----------------------------------------------------------- */

static void *receive_until_stopped(void *unused)
{
	csys_request *request;

	return csys_service_recv(service, &request) == CSYS_ECANCELED ? unused : (void *)1;
}

static void all_threads_that_receive_are_stopped(void **state)
{
	(void)state;
	csys_thread *threads[4];
	csys_request *request;
	open_service(NULL);
	csys_call *call = asked(caller, "a");
	csys_request *open = received("a");
	for (int i = 0; i < 4; i++)
		assert_int_equal(csys_thread_spawn(receive_until_stopped, NULL, NULL, &threads[i]),
				 0);
	take_a_nap();
	csys_service_stop(service);
	for (int i = 0; i < 4; i++) {
		void *result = (void *)1;
		assert_int_equal(csys_thread_join(threads[i], &result), 0);
		assert_null(result);
		csys_thread_unref(threads[i]);
	}
	assert_int_equal(csys_service_recv(service, &request), CSYS_ECANCELED);
	assert_int_equal(csys_service_try_recv(service, &request), CSYS_ECANCELED);
	answer(open, "b");
	assert_reply(call, 0, "b");
	close_service();
}

static void *receive_for_ever(void *unused)
{
	csys_request *request;

	while (csys_service_recv(service, &request) == 0)
		csys_request_close(request);
	return unused;
}

static void a_thread_that_receives_can_be_cancelled(void **state)
{
	(void)state;
	pthread_t thread;
	void *result = NULL;
	csys_parcel *reply = NULL;
	if (WITH_ASAN)
		skip_because("AddressSanitizer takes the stack of a cancelled thread for broken");
	open_service(NULL);
	csys_call *call = asked(caller, "a");
	assert_int_equal(pthread_create(&thread, NULL, receive_for_ever, NULL), 0);
	assert_int_equal(csys_call_wait(call, &reply), CSYS_ECANCELED);
	csys_call_close(call);
	assert_int_equal(pthread_cancel(thread), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, PTHREAD_CANCELED);
	/* Others go on. */
	call = asked(caller, "b");
	answer(received("b"), "c");
	assert_reply(call, 0, "c");
	close_service();
}

static void a_service_is_waited_for_in_loops(void **state)
{
	(void)state;
	open_service(NULL);
	csys_poll_item item = { .waitable = csys_service_waitable(service) };
	csys_request *request = NULL;
	assert_int_equal(csys_poll(&item, 1, csys_after_ms(1)), CSYS_ETIMEDOUT);
	assert_int_equal(csys_service_recv_until(service, csys_after_ms(1), &request),
			 CSYS_ETIMEDOUT);
	csys_call *call = asked(caller, "a");
	assert_true(csys_poll(&item, 1, csys_after_s(60)) > 0);
	assert_int_equal(csys_service_try_recv(service, &request), 0);
	answer(request, "b");
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_reply(call, 0, "b");
	close_service();
}

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	const csys_service_options reserved = { .reserved = { 1 } };
	const csys_service_options large = { .of = { .most = CSYS_CONNECTION_MOST + 1 } };
	csys_service *none = NULL;
	csys_request *request = NULL;
	assert_int_equal(csys_service_open(NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_service_open(&reserved, &none), CSYS_EINVAL);
	assert_int_equal(csys_service_open(&large, &none), CSYS_EINVAL);
	assert_null(none);
	open_service(NULL);
	assert_int_equal(csys_service_listen_take(service, NULL), CSYS_EINVAL);
	assert_int_equal(csys_service_connect_take(service, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_service_recv(NULL, &request), CSYS_EINVAL);
	assert_int_equal(csys_service_recv(service, NULL), CSYS_EINVAL);
	assert_int_equal(csys_request_reply(NULL, "", 0, NULL, 0), CSYS_EINVAL);
	assert_int_equal(csys_request_fail(NULL, 1, NULL, 0), CSYS_EINVAL);
	assert_null(csys_request_data(NULL, NULL));
	assert_null(csys_request_parcel(NULL));
	assert_null(csys_request_socket(NULL));
	assert_int_equal(csys_request_client(NULL), 0);
	assert_int_equal(csys_request_is_abandoned(NULL), 0);
	assert_true(csys_deadline_is_forever(csys_request_deadline(NULL)));
	csys_call *call = asked(caller, "a");
	request = received("a");
	assert_int_equal(csys_request_reply(request, NULL, 1, NULL, 0), CSYS_EINVAL);
	assert_int_equal(csys_request_reply(request, "", 0, NULL, 1), CSYS_EINVAL);
	answer(request, "b");
	assert_reply(call, 0, "b");
	csys_request_close(NULL);
	csys_service_stop(NULL);
	csys_service_close(NULL);
	close_service();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(those_that_connect_are_clients_with_numbers_of_their_own),
		TEST(those_that_are_not_admitted_are_closed),
		TEST(no_more_clients_are_accepted_than_there_may_be),
		TEST(clients_wait_while_there_is_no_handle),
		TEST(requests_of_one_that_is_gone_are_abandoned),
		TEST(a_reply_to_one_that_is_gone_says_so),
		TEST(requests_outlive_the_service),
		TEST(a_client_that_is_killed_is_gone),
		TEST(clients_that_are_killed_at_any_time_leave_nothing),
		TEST(all_threads_that_receive_are_stopped),
		TEST(a_thread_that_receives_can_be_cancelled),
		TEST(a_service_is_waited_for_in_loops),
		TEST(what_makes_no_sense_is_refused),
	};
	return RUN(tests);
}
