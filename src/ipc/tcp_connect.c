/*
 * ipc/tcp_connect.c - connecting to the first of several endpoints that can be reached (RFC 8305).
 *
 * The endpoints are put in the order in which they are tried: versions of IP in turns, beginning
 * with that of the first one.  The next one is started when nothing goes on, when the one before it
 * has failed, or when `due` has come; all that go on are waited for together.
 *
 * A runner has a socket exactly while its connect goes on or has succeeded.
 */
#include "ipc/tcp.h"

#include <string.h>

#include "base/memory.h"
#include "ipc/socket.h"

/* How long one address is tried alone, ns: what the RFC recommends. */
#define STAGGER 250000000

/* Endpoints that a call can try without asking for memory. */
#define USUAL 8

struct runner {
	const csys_ip_endpoint *endpoint;
	csysi_os_socket os;
	int result; /* CSYS_ECANCELED until it is known */
};

struct race {
	const csys_tcp_options *options;
	struct runner *runners; /* in the order in which they are tried */
	struct csysi_os_poll *polled;
	size_t count;
	size_t next;       /* the first one that was not started */
	size_t going;      /* how many go on */
	csys_deadline due; /* when to start the next one, though others go on */
	csys_deadline deadline;
};

static const csys_tcp_options usual_options;

/* ---- the order ----------------------------------------------------------------------- */

/* The next endpoint from `at` on of that version, or of the other one. */
static size_t find(const csys_ip_endpoint *endpoints, size_t count, size_t at, int is_first)
{
	int first = endpoints[0].address.version;

	while (at < count && (endpoints[at].address.version == first) != is_first)
		at++;
	return at;
}

static void put_in_order(struct race *race, const csys_ip_endpoint *endpoints)
{
	size_t at[2]; /* of the other version, of the first version */
	int is_first = 1;

	at[0] = find(endpoints, race->count, 0, 0);
	at[1] = 0;
	for (size_t i = 0; i < race->count; i++) {
		if (at[is_first] == race->count)
			is_first = !is_first; /* there are no more of it */
		race->runners[i].endpoint = &endpoints[at[is_first]];
		race->runners[i].os = CSYSI_OS_NO_SOCKET;
		race->runners[i].result = CSYS_ECANCELED;
		at[is_first] = find(endpoints, race->count, at[is_first] + 1, is_first);
		is_first = !is_first;
	}
}

/* ---- one endpoint -------------------------------------------------------------------- */

/*
 * If nothing listens at a port of this machine, the system may choose it for the own side, and TCP
 * connects the socket with itself.  The other side is asked for: 0.0.0.0 leads to 127.0.0.1.
 */
static int is_own(const struct runner *runner)
{
	struct csysi_os_endpoint here, there;

	return csysi_os_tcp_local(runner->os, &here) == 0 && here.port == runner->endpoint->port &&
	       csysi_os_tcp_peer(runner->os, &there) == 0 && here.version == there.version &&
	       memcmp(here.bytes, there.bytes, sizeof here.bytes) == 0;
}

/* The connect of a runner has ended with this result. */
static int end(struct runner *runner, int r)
{
	if (r == 0 && is_own(runner))
		r = CSYS_ECONNREFUSED;
	runner->result = r;
	if (r < 0) {
		csysi_os_socket_close(runner->os);
		runner->os = CSYSI_OS_NO_SOCKET;
	}
	return r;
}

static int prepare(csysi_os_socket os, const csys_tcp_options *options)
{
	int r = csysi_os_socket_set_buffers(os, options->send_buffer, options->recv_buffer);

	if (r == 0 && options->nodelay)
		r = csysi_os_tcp_set(os, CSYSI_OS_TCP_NODELAY, 1);
	if (r == 0 && options->bind) {
		struct csysi_os_endpoint here = csysi_tcp_to_os(options->bind);
		r = csysi_os_tcp_bind(os, &here);
	}
	return r;
}

/* Start one: 0, CSYS_EAGAIN if it goes on, or why it has failed. */
static int start(struct race *race, struct runner *runner)
{
	const csys_tcp_options *options = race->options;
	struct csysi_os_endpoint there = csysi_tcp_to_os(runner->endpoint);
	int may_wait = race->count == 1 && csys_deadline_is_forever(race->deadline);

	if (options->bind && options->bind->address.version != there.version)
		return end(runner, CSYS_EADDRNOTAVAIL);
	int r = csysi_os_tcp_create(there.version, &runner->os);
	if (r == 0)
		r = prepare(runner->os, options);
	if (r == 0)
		r = csysi_os_tcp_connect(runner->os, &there, may_wait);
	return r == CSYS_EAGAIN ? r : end(runner, r);
}

/* ---- all of them --------------------------------------------------------------------- */

/* The failures that tell most come first. */
static const int telling[] = { CSYS_ENOMEM,    CSYS_EMFILE, CSYS_ECONNREFUSED, CSYS_ECONNRESET,
			       CSYS_ETIMEDOUT, CSYS_EACCES, CSYS_ENETUNREACH };

static int failure(const struct race *race)
{
	for (size_t i = 0; i < sizeof telling / sizeof *telling; i++) {
		for (size_t j = 0; j < race->count; j++) {
			if (race->runners[j].result == telling[i])
				return telling[i];
		}
	}
	return race->runners[0].result;
}

/* With a port of its own only one socket at a time can have it. */
static int is_one_by_one(const struct race *race)
{
	return race->options->bind && race->options->bind->port != 0;
}

static int can_start(const struct race *race)
{
	if (race->next == race->count)
		return 0;
	return race->going == 0 || (!is_one_by_one(race) && csys_deadline_left(race->due) == 0);
}

/* Wait until one that goes on has ended, or the next one is to be started.  CSYS_ETIMEDOUT. */
static int wait_for_one(struct race *race)
{
	int is_over = csys_deadline_left(race->deadline) == 0;
	csys_deadline until = race->deadline;
	size_t used = 0;

	for (size_t i = 0; i < race->next; i++) {
		csysi_os_socket os = race->runners[i].os;
		if (os != CSYSI_OS_NO_SOCKET)
			race->polled[used++] = (struct csysi_os_poll){
				.handle = csysi_os_socket_handle(os),
				.writing = 1,
				.is_known = 1,
			};
	}
	if (race->next < race->count && !is_one_by_one(race))
		until = csys_deadline_earlier(until, race->due);
	int r = csysi_os_poll(race->polled, used, until);
	/* That it was not over before is known: so each one was looked at after the deadline. */
	return r == CSYS_ETIMEDOUT && !is_over ? 0 : r;
}

/* End those that are ready; 0 if one of them is connected, else CSYS_EAGAIN. */
static int end_ready(struct race *race, struct runner **out)
{
	size_t used = 0;

	for (size_t i = 0; i < race->next; i++) {
		struct runner *runner = &race->runners[i];
		if (runner->os == CSYSI_OS_NO_SOCKET || !race->polled[used++].ready)
			continue;
		if (end(runner, csysi_os_tcp_finish(runner->os)) == 0) {
			*out = runner;
			return 0;
		}
		race->going--;
		race->due = CSYS_POLL;
	}
	return CSYS_EAGAIN;
}

/* 0 and the one that is connected, or the result for all. */
static int run(struct race *race, struct runner **out)
{
	int64_t stagger = race->options->stagger_ns ? race->options->stagger_ns : STAGGER;

	while (race->going > 0 || race->next < race->count) {
		int r;
		if (can_start(race)) {
			struct runner *runner = &race->runners[race->next++];
			r = start(race, runner);
			if (r == 0) {
				*out = runner;
				return 0;
			}
			race->going += r == CSYS_EAGAIN;
			race->due = r == CSYS_EAGAIN ? csys_after_ns(stagger) : CSYS_POLL;
			continue;
		}
		r = wait_for_one(race);
		if (r == 0)
			r = end_ready(race, out);
		if (r != CSYS_EAGAIN)
			return r;
	}
	return failure(race);
}

/* Close all but the one that has won, and tell what became of each. */
static void finish(struct race *race, const csys_ip_endpoint *endpoints, int r,
		   const struct runner *winner)
{
	for (size_t i = 0; i < race->count; i++) {
		struct runner *runner = &race->runners[i];
		if (runner != winner && runner->os != CSYSI_OS_NO_SOCKET) {
			csysi_os_socket_close(runner->os);
			runner->result = r == CSYS_ETIMEDOUT ? r : CSYS_ECANCELED;
		}
		if (race->options->results)
			race->options->results[runner->endpoint - endpoints] = runner->result;
	}
}

/* ---- calls --------------------------------------------------------------------------- */

static int check(const csys_ip_endpoint *endpoints, size_t count, const csys_tcp_options *options)
{
	if (!endpoints || count == 0 || options->stagger_ns < 0 ||
	    (options->bind && !csysi_tcp_has_address(options->bind)))
		return CSYS_EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (!csysi_tcp_has_address(&endpoints[i]))
			return CSYS_EINVAL;
	}
	return count > SIZE_MAX / (sizeof(struct runner) + sizeof(struct csysi_os_poll))
		       ? CSYS_ENOMEM
		       : 0;
}

static int connect_first(struct race *race, const csys_ip_endpoint *endpoints, csys_socket **out)
{
	struct runner *winner = NULL;

	put_in_order(race, endpoints);
	int r = run(race, &winner);
	if (r == 0)
		r = csysi_socket_from_os_take(winner->os, CSYS_SOCKET_STREAM, 0, out);
	if (r < 0 && winner) {
		winner->result = r;
		csysi_os_socket_close(winner->os);
	}
	finish(race, endpoints, r, winner);
	return r;
}

int csys_tcp_connect_until(const csys_ip_endpoint *endpoints, size_t count,
			   const csys_tcp_options *options, csys_deadline deadline,
			   csys_socket **out)
{
	struct runner runners[USUAL];
	struct csysi_os_poll polled[USUAL];
	struct race race = { .options = options ? options : &usual_options,
			     .runners = runners,
			     .polled = polled,
			     .count = count,
			     .due = CSYS_POLL,
			     .deadline = deadline };
	int r = out ? check(endpoints, count, race.options) : CSYS_EINVAL;

	if (r < 0)
		return r;
	for (size_t i = 0; i < count && race.options->results; i++)
		race.options->results[i] = CSYS_ECANCELED;
	if (count > USUAL) {
		race.runners = csysi_alloc(count * sizeof *race.runners);
		race.polled = csysi_alloc(count * sizeof *race.polled);
	}
	r = race.runners && race.polled ? connect_first(&race, endpoints, out) : CSYS_ENOMEM;
	if (count > USUAL) {
		csysi_free(race.runners);
		csysi_free(race.polled);
	}
	return r;
}

int csys_tcp_connect(const csys_ip_endpoint *endpoints, size_t count,
		     const csys_tcp_options *options, csys_socket **out)
{
	return csys_tcp_connect_until(endpoints, count, options, CSYS_FOREVER, out);
}
