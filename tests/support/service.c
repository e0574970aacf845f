/*
 * support/service.c - a service and a caller of it, for tests.
 */
#include <string.h>

#include "support/place.h"
#include "support/service.h"

csys_service *service;
csys_caller *caller;

csys_caller *another_caller(void)
{
	csys_connection *a, *b;
	csys_caller *made;

	assert_int_equal(csys_connection_pair(NULL, &a, &b), 0);
	assert_int_equal(csys_service_connect_take(service, b, NULL), 0);
	assert_int_equal(csys_caller_from_connection_take(a, &made), 0);
	return made;
}

void open_service(const csys_service_options *options)
{
	assert_int_equal(csys_service_open(options, &service), 0);
	caller = another_caller();
}

void close_service(void)
{
	csys_caller_close(caller);
	csys_service_close(service);
	caller = NULL;
	service = NULL;
}

csys_caller *connected_caller(void)
{
	csys_connection *connection;
	csys_caller *made;

	assert_int_equal(csys_connection_connect(place_address("x"), NULL, &connection), 0);
	assert_int_equal(csys_caller_from_connection_take(connection, &made), 0);
	return made;
}

void open_listening(const csys_service_options *options)
{
	csys_listener *listener;

	place_make();
	assert_int_equal(csys_service_open(options, &service), 0);
	assert_int_equal(csys_listener_bind(place_address("x"), NULL, &listener), 0);
	assert_int_equal(csys_service_listen_take(service, listener), 0);
}

void close_listening(void)
{
	csys_service_close(service);
	service = NULL;
	place_drop();
}

csys_call *asked(csys_caller *by, const char *text)
{
	csys_call *call = NULL;

	assert_int_equal(csys_caller_begin(by, text, strlen(text), NULL, 0, &call), 0);
	return call;
}

csys_request *received(const char *text)
{
	csys_request *request = NULL;
	size_t size;

	assert_int_equal(csys_service_recv(service, &request), 0);
	assert_string_equal(csys_request_data(request, &size), text);
	assert_int_equal(size, strlen(text));
	return request;
}

void answer(csys_request *request, const char *text)
{
	assert_int_equal(csys_request_reply(request, text, strlen(text), NULL, 0), 0);
	csys_request_close(request);
}

void assert_no_request(void)
{
	csys_request *request = NULL;

	assert_int_equal(csys_service_try_recv(service, &request), CSYS_EAGAIN);
	assert_null(request);
}

void assert_reply(csys_call *call, int code, const char *text)
{
	csys_parcel *reply = NULL;
	size_t size;

	assert_int_equal(csys_call_wait_until(call, csys_after_s(60), &reply), 0);
	assert_int_equal(csys_reply_code(reply), code);
	assert_string_equal(csys_parcel_data(reply, &size), text);
	assert_int_equal(size, strlen(text));
	csys_parcel_close(reply);
	csys_call_close(call);
}

static void *echo(void *unused)
{
	csys_request *request;
	int r;

	while ((r = csys_service_recv(service, &request)) == 0) {
		size_t size;
		const void *data = csys_request_data(request, &size);
		int replied = csys_request_reply(request, data, size, NULL, 0);
		if (replied < 0 && replied != CSYS_ECANCELED && replied != CSYS_EDISCONNECTED)
			return (void *)1;
		csys_request_close(request);
	}
	return r == CSYS_ECANCELED ? unused : (void *)1;
}

csys_thread *echo_thread(void)
{
	csys_thread *thread;

	assert_int_equal(csys_thread_spawn(echo, NULL, NULL, &thread), 0);
	return thread;
}

void end_echo(csys_thread *thread)
{
	void *result = NULL;

	csys_service_stop(service);
	assert_int_equal(csys_thread_join(thread, &result), 0);
	assert_null(result);
	csys_thread_unref(thread);
}
