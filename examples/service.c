/*
 * examples/service.c - a service that keeps values for other processes, and its clients.
 *
 *     service serve PATH              keep values until it is asked to stop
 *     service ask PATH REQUEST...     send all requests at once, print the replies in order
 *
 * where a request is `get NAME`, `set NAME VALUE`, `wait NAME` (answered when the name has a value,
 * however long that takes) or `stop`.  Shows: several requests under way, a request that is kept
 * and answered later, failures with a code and a text, deadlines, and clients that are killed while
 * they wait: what they asked is dropped, and nobody else hears of it.
 */
#include <stdio.h>
#include <string.h>

#include <csys/csys.h>

#define MOST_VALUES 64
#define MOST_WAITING 64
#define MOST_REQUESTS 16

static int complain(const char *what, int result)
{
	fprintf(stderr, "service: %s: %s\n", what, csys_strerror(result));
	return 1;
}

/* ---- serve -------------------------------------------------------------------------------- */

static struct {
	char name[32], value[64];
} values[MOST_VALUES];
static size_t value_count;

static csys_request *waiting[MOST_WAITING]; /* `wait` of a name without a value */
static size_t waiting_count;

static const char *value_of(const char *name)
{
	for (size_t i = 0; i < value_count; i++)
		if (strcmp(values[i].name, name) == 0)
			return values[i].value;
	return NULL;
}

static int set_value(const char *name, const char *value)
{
	size_t i = 0;

	while (i < value_count && strcmp(values[i].name, name) != 0)
		i++;
	if (i == MOST_VALUES)
		return CSYS_ENOSPC;
	value_count += i == value_count;
	snprintf(values[i].name, sizeof values[i].name, "%s", name);
	snprintf(values[i].value, sizeof values[i].value, "%s", value);
	return 0;
}

/* One whose caller is gone is CSYS_ECANCELED or CSYS_EDISCONNECTED: then there is nothing to do. */
static void reply(csys_request *request, const char *text)
{
	(void)!csys_request_reply(request, text, strlen(text), NULL, 0);
	csys_request_close(request);
}

static void fail(csys_request *request, int code, const char *why)
{
	(void)!csys_request_fail(request, code, why, strlen(why));
	csys_request_close(request);
}

/* Those that wait: answer them if they can be, and drop those that nobody waits for. */
static void look_at_waiting(void)
{
	for (size_t i = waiting_count; i > 0; i--) {
		csys_request *request = waiting[i - 1];
		const char *value = value_of((const char *)csys_request_data(request, NULL) + 5);
		if (!value && !csys_request_is_abandoned(request))
			continue;
		waiting[i - 1] = waiting[--waiting_count];
		reply(request, value ? value : "");
	}
}

/* A client is gone, and its requests with it. */
static void say_gone(void *unused, uint64_t client)
{
	(void)unused;
	size_t before = waiting_count;
	look_at_waiting();
	printf("client %llu is gone, with %zu requests\n", (unsigned long long)client,
	       before - waiting_count);
	fflush(stdout);
}

static void answer(csys_service *service, csys_request *request)
{
	const char *text = csys_request_data(request, NULL); /* there is a 0 behind the last byte */
	char name[32], value[64];

	if (strcmp(text, "stop") == 0) {
		reply(request, "stopping");
		csys_service_stop(service);
	} else if (sscanf(text, "set %31s %63s", name, value) == 2) {
		int r = set_value(name, value);
		if (r < 0)
			fail(request, r, "there are too many names");
		else
			reply(request, "done");
		look_at_waiting();
	} else if (sscanf(text, "get %31s", name) == 1) {
		if (value_of(name))
			reply(request, value_of(name));
		else
			fail(request, CSYS_ENOENT, "the name has no value");
	} else if (strncmp(text, "wait ", 5) == 0) {
		if (waiting_count == MOST_WAITING) {
			fail(request, CSYS_ENOSPC, "too many wait");
			return;
		}
		waiting[waiting_count++] = request;
		look_at_waiting();
	} else {
		fail(request, CSYS_EINVAL, "what is meant is not known");
	}
}

static int serve(const csys_address *address)
{
	const csys_service_options options = { .gone = say_gone };
	CSYS_AUTO(csys_service) service = NULL;
	csys_listener *listener;
	csys_request *request;

	int r = csys_service_open(&options, &service);
	if (r == 0)
		r = csys_listener_bind(address, NULL, &listener);
	if (r < 0)
		return complain("cannot listen", r);
	r = csys_service_listen_take(service, listener);
	if (r < 0)
		csys_listener_close(listener);
	printf("ready\n");
	fflush(stdout);
	while (r == 0 || r == CSYS_ENOMEM) {
		r = csys_service_recv(service, &request);
		if (r == 0)
			answer(service, request);
	}
	while (waiting_count > 0)
		csys_request_close(waiting[--waiting_count]);
	return r == CSYS_ECANCELED ? 0 : complain("cannot serve", r);
}

/* ---- ask ---------------------------------------------------------------------------------- */

static int print_reply(csys_call *call, csys_deadline deadline)
{
	CSYS_AUTO(csys_parcel) message = NULL;
	int r = csys_call_wait_until(call, deadline, &message);
	if (r < 0)
		return complain("no reply", r);
	const char *text = csys_parcel_data(message, NULL);
	int code = csys_reply_code(message);
	if (code == 0)
		printf("%s\n", text);
	else
		printf("failed: %s (%s)\n", text, csys_strerror(code));
	fflush(stdout);
	return code != 0;
}

static int ask(const csys_address *address, char **requests, int count)
{
	csys_connection *connection;
	CSYS_AUTO(csys_caller) caller = NULL;
	csys_call *calls[MOST_REQUESTS] = { NULL };
	int failed = 0, r = csys_connection_connect(address, NULL, &connection);

	if (r < 0)
		return complain("cannot connect", r);
	r = csys_caller_from_connection_take(connection, &caller);
	if (r < 0)
		csys_connection_close(connection);
	csys_deadline deadline = csys_after_s(30);
	for (int i = 0; i < count && r == 0; i++)
		r = csys_caller_begin_until(caller, requests[i], strlen(requests[i]), NULL, 0,
					    deadline, &calls[i]);
	if (r < 0)
		failed = complain("cannot ask", r);
	for (int i = 0; i < count; i++) {
		if (calls[i])
			failed |= print_reply(calls[i], deadline);
		csys_call_close(calls[i]);
	}
	return failed;
}

int main(int argc, char **argv)
{
	csys_address address;
	int is_server = argc == 3 && strcmp(argv[1], "serve") == 0;

	if (!is_server && (argc < 4 || argc > 3 + MOST_REQUESTS || strcmp(argv[1], "ask") != 0)) {
		fprintf(stderr, "usage: service serve PATH, or service ask PATH REQUEST...\n");
		return 2;
	}
	int r = csys_address_path(argv[2], &address);
	if (r < 0)
		return complain(argv[2], r);
	return is_server ? serve(&address) : ask(&address, argv + 3, argc - 3);
}
