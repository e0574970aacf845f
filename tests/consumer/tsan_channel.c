/*
 * consumer/tsan_channel.c - channels in a program with ThreadSanitizer, with csys as it is
 * installed, without.
 *
 * Messages are pointers to plain data, which one thread writes and another reads and frees; so the
 * sanitizer judges the order that a channel makes.  Ends are used by the untyped functions, by the
 * typed ones, which are instrumented with the program, and by one kind at each end.
 */
#define _XOPEN_SOURCE 700
#include <csys/csys.h>
#include <csys/sync/select.h>
#include <csys/sync/typed_channel.h>

#include <stdio.h>
#include <stdlib.h>

#define MESSAGES 600
#define BATCH 16

static void check(int is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "not so: %s\n", what);
	exit(1);
}
#define CHECK(condition) check((condition), #condition)

struct large {
	int *data;
	char more[56];
};

CSYS_CHANNEL_DEFINE(pointers, int *);
CSYS_CHANNEL_DEFINE(larges, struct large);

enum way { ONE, BATCHES, TYPED, SELECTED, WAYS };

/* One channel, of whose messages each begins with a pointer. */
struct flow {
	csys_sender *tx;
	csys_receiver *rx;
	int is_large;
	enum way sends, receives;
};

static int *make_data(int i)
{
	int *data = malloc(sizeof *data);
	CHECK(data != NULL);
	*data = i;
	return data;
}

/* ---- sending --------------------------------------------------------------------- */

static void send_one(const struct flow *flow, const struct large *message)
{
	pointers_sender pointer = { flow->tx };
	larges_sender large = { flow->tx };
	csys_select_case one = csys_select_send(flow->tx, message);
	size_t which;
	int r;

	if (flow->sends == SELECTED)
		r = csys_select(&one, 1, &which);
	else if (flow->sends != TYPED)
		r = csys_sender_send(flow->tx, message);
	else
		r = flow->is_large ? larges_send(large, message)
				   : pointers_send(pointer, &message->data);
	CHECK(r == 0);
}

static void send_batch(const struct flow *flow, int first)
{
	struct large messages[BATCH];
	int *small[BATCH];
	size_t sent;

	for (int i = 0; i < BATCH; i++)
		messages[i] = (struct large){ .data = small[i] = make_data(first + i) };
	CHECK(csys_sender_send_batch(flow->tx,
				     flow->is_large ? (const void *)messages : (const void *)small,
				     BATCH, CSYS_FOREVER, &sent) == 0);
}

static void *send_all(void *argument)
{
	const struct flow *flow = argument;

	for (int i = 1; i <= MESSAGES; i++) {
		if (flow->sends == BATCHES && i + BATCH <= MESSAGES) {
			send_batch(flow, i);
			i += BATCH - 1;
		} else {
			send_one(flow, &(struct large){ .data = make_data(i) });
		}
	}
	return NULL;
}

/* ---- receiving --------------------------------------------------------------------- */

static void use(int *data, int *sum)
{
	*sum += *data;
	*data = 0;
	free(data);
}

static int recv_one(const struct flow *flow, int *sum)
{
	pointers_receiver pointer = { flow->rx };
	larges_receiver large = { flow->rx };
	struct large message = { NULL };
	csys_select_case one = csys_select_recv(flow->rx, &message);
	size_t which;
	int r;

	if (flow->receives == SELECTED)
		r = csys_select(&one, 1, &which);
	else if (flow->receives != TYPED)
		r = csys_receiver_recv(flow->rx, &message);
	else
		r = flow->is_large ? larges_recv(large, &message)
				   : pointers_recv(pointer, &message.data);
	if (r == 0)
		use(message.data, sum);
	return r;
}

static int recv_batch(const struct flow *flow, int *sum)
{
	struct large messages[BATCH];
	int *small[BATCH];
	size_t count = 0;
	int r = csys_receiver_recv_batch(flow->rx,
					 flow->is_large ? (void *)messages : (void *)small, BATCH,
					 CSYS_FOREVER, &count);

	for (size_t i = 0; i < count; i++)
		use(flow->is_large ? messages[i].data : small[i], sum);
	return r;
}

/* Two senders, by one end or by two. */
static void run_flow(struct flow *flow, size_t capacity, int has_clone)
{
	csys_thread *threads[2];
	struct flow other;
	int sum = 0;

	CHECK(csys_channel_new(flow->is_large ? sizeof(struct large) : sizeof(int *), capacity,
			       NULL, &flow->tx, &flow->rx) == 0);
	other = *flow;
	if (has_clone)
		other.tx = csys_sender_clone(flow->tx);
	CHECK(csys_thread_spawn(send_all, flow, NULL, &threads[0]) == 0);
	CHECK(csys_thread_spawn(send_all, &other, NULL, &threads[1]) == 0);
	for (int left = 2 * MESSAGES; sum < MESSAGES * (MESSAGES + 1); left--)
		CHECK((flow->receives == BATCHES ? recv_batch : recv_one)(flow, &sum) == 0 &&
		      left > 0);
	for (int i = 0; i < 2; i++) {
		CHECK(csys_thread_join(threads[i], NULL) == 0);
		csys_thread_unref(threads[i]);
	}
	if (has_clone)
		csys_sender_close(other.tx);
	csys_sender_close(flow->tx);
	csys_receiver_close(flow->rx);
}

int main(void)
{
	static const size_t capacities[] = { CSYS_UNBOUNDED, 100, 1, 0 };

	for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++)
		for (int way = 0; way < WAYS * WAYS; way++) {
			struct flow flow = { .is_large = (way + (int)c) % 2,
					     .sends = (enum way)(way / WAYS),
					     .receives = (enum way)(way % WAYS) };
			run_flow(&flow, capacities[c], way % 3 == 0);
		}
	return 0;
}
