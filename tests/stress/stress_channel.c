/*
 * stress/stress_channel.c - channels of all kinds, in short rounds.
 *
 *     stress_channel [seed [rounds]]
 *
 * A round has a channel by chance: its capacity, the size of its messages, how many threads send
 * and receive, and whether each has an end of its own or all share one.  They send and receive by
 * each of the calls, typed and untyped, with deadlines of up to 20 us and without, one message or
 * several; senders come half way, and are cancelled; in a third of the rounds the receivers go
 * early.
 *
 * Each message has its sender, a serial number and a check of them.  What a receiver gets of one
 * sender is in order.  When all have gone, each message that was sent has been received or
 * destroyed, once.  A lost wake is a hang, which the alarm ends.
 */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/support.h"

#define SENDERS 8
#define ALL_SENDERS (2 * SENDERS) /* with those that come half way */
#define RECEIVERS 4
#define MOST_MESSAGES 1500
#define MOST_BATCH 300

/* The first word of each message: the sender, the serial number, and a check. */
typedef struct message8 {
	uint64_t words[1];
} message8;
typedef struct message16 {
	uint64_t words[2];
} message16;
typedef struct message24 {
	uint64_t words[3];
} message24;
typedef struct message600 {
	uint64_t words[75];
} message600;

CSYS_CHANNEL_DEFINE(of8, message8);
CSYS_CHANNEL_DEFINE(of16, message16);
CSYS_CHANNEL_DEFINE(of24, message24);
CSYS_CHANNEL_DEFINE(of600, message600);

/* The typed functions, for one type as for another. */
struct typed {
	size_t words;
	int (*make)(size_t capacity, const csys_channel_options *options, csys_sender **out_tx,
		    csys_receiver **out_rx);
	int (*send_until)(csys_sender *tx, const void *value, csys_deadline deadline);
	int (*try_send)(csys_sender *tx, const void *value);
	int (*recv_until)(csys_receiver *rx, csys_deadline deadline, void *out);
	int (*try_recv)(csys_receiver *rx, void *out);
};

#define TYPED(name)                                                                           \
	static int name##_do_new(size_t capacity, const csys_channel_options *options,        \
				 csys_sender **out_tx, csys_receiver **out_rx)                \
	{                                                                                     \
		name##_sender tx = { NULL };                                                  \
		name##_receiver rx = { NULL };                                                \
		int r = name##_new(capacity, options, &tx, &rx);                              \
		*out_tx = tx.core;                                                            \
		*out_rx = rx.core;                                                            \
		return r;                                                                     \
	}                                                                                     \
	static int name##_do_send_until(csys_sender *tx, const void *value,                   \
					csys_deadline deadline)                               \
	{                                                                                     \
		return name##_send_until((name##_sender){ tx }, value, deadline);             \
	}                                                                                     \
	static int name##_do_try_send(csys_sender *tx, const void *value)                     \
	{                                                                                     \
		return name##_try_send((name##_sender){ tx }, value);                         \
	}                                                                                     \
	static int name##_do_recv_until(csys_receiver *rx, csys_deadline deadline, void *out) \
	{                                                                                     \
		return name##_recv_until((name##_receiver){ rx }, deadline, out);             \
	}                                                                                     \
	static int name##_do_try_recv(csys_receiver *rx, void *out)                           \
	{                                                                                     \
		return name##_try_recv((name##_receiver){ rx }, out);                         \
	}
TYPED(of8)
TYPED(of16)
TYPED(of24)
TYPED(of600)
#define TYPED_CALLS(name)                                                              \
	name##_do_new, name##_do_send_until, name##_do_try_send, name##_do_recv_until, \
		name##_do_try_recv

static const struct typed types[] = {
	{ 1, TYPED_CALLS(of8) },
	{ 2, TYPED_CALLS(of16) },
	{ 3, TYPED_CALLS(of24) },
	{ 75, TYPED_CALLS(of600) },
};

/* ---- a round ----------------------------------------------------------------------------- */

static struct {
	const struct typed *type;
	size_t capacity;
	csys_sender *tx; /* that threads share, or clone */
	csys_receiver *rx;
	int shares_sender, shares_receiver;
	int receivers;
	uint32_t receivers_left; /* atomic */
	int has_drains;
	uint32_t each;                            /* messages of a sender */
	uint32_t senders;                         /* atomic: that there were */
	uint32_t sent[ALL_SENDERS];               /* each by its sender */
	uint8_t seen[ALL_SENDERS][MOST_MESSAGES]; /* atomic: received or destroyed */
	uint32_t stop;                            /* messages after which a receiver goes */
} now;

struct thread {
	pthread_t id;
	unsigned seed;
	int is_child; /* came half way */
	int owns;     /* its end is its own */
	csys_sender *tx;
	csys_receiver *rx;
	struct thread *child;
	uint64_t values[MOST_BATCH * 75];
};

static void broken(const char *what)
{
	fprintf(stderr, "stress_channel: %s (capacity %zd, %zu bytes, receivers %d)\n", what,
		(ssize_t)now.capacity, now.type->words * 8, now.receivers);
	abort();
}

static unsigned roll(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static int one_in(unsigned n, unsigned *seed)
{
	return roll(seed) % n == 0;
}

static csys_deadline some_deadline(unsigned *seed)
{
	return one_in(3, seed) ? CSYS_FOREVER : csys_after_ns(roll(seed) % 20000);
}

static uint64_t word_of(uint32_t sender, uint32_t serial, size_t place)
{
	uint64_t head = (uint64_t)sender << 32 | serial;
	return (head << 24 | (head * 0x9e3779b97f4a7c15u) >> 40) + place * 0x0101010101010101u;
}

static void write_message(uint64_t *to, uint32_t sender, uint32_t serial)
{
	for (size_t i = 0; i < now.type->words; i++)
		to[i] = word_of(sender, serial, i);
}

/* Check a message that was received or destroyed, and count it; its number is sender << 32 |
 * serial. */
static uint64_t note(const uint64_t *from)
{
	uint64_t head = from[0] >> 24;
	uint32_t sender = (uint32_t)(head >> 32), serial = (uint32_t)head;
	if (sender >= ALL_SENDERS || serial >= MOST_MESSAGES)
		broken("a message that nobody has sent");
	for (size_t i = 0; i < now.type->words; i++)
		if (from[i] != word_of(sender, serial, i))
			broken("a torn message");
	if (csysi_add_relaxed(&now.seen[sender][serial], 1) != 1)
		broken("a message came twice");
	return head;
}

static void destroy(void *value, void *argument)
{
	(void)argument;
	note(value);
	if (now.stop == UINT32_MAX && !now.has_drains)
		broken("a message is destroyed that could have been received");
}

/* ---- senders ----------------------------------------------------------------------------- */

/* Send up to `most` of the messages in values; *out how many. */
static int send_some(struct thread *self, size_t most, size_t *out)
{
	const struct typed *type = now.type;
	const uint64_t *values = self->values;
	int r;
	*out = 1;
	switch (roll(&self->seed) % 8) {
	case 0:
		return csys_sender_try_send(self->tx, values);
	case 1:
		return type->try_send(self->tx, values);
	case 2:
		return csys_sender_send_until(self->tx, values, some_deadline(&self->seed));
	case 3:
		r = csys_sender_send_batch(self->tx, values, most, some_deadline(&self->seed), out);
		if ((r == 0) != (*out == most))
			broken("a batch that is not whole, or failed whole");
		return *out > 0 ? 0 : r;
	case 4:
		return csys_sender_send(self->tx, values);
	default:
		return type->send_until(self->tx, values, some_deadline(&self->seed));
	}
}

static void *run_sender(void *argument);

static void begin_child(struct thread *self)
{
	struct thread *child = self->child;
	child->is_child = child->owns = 1;
	child->seed = roll(&self->seed);
	child->child = NULL;
	child->tx = csys_sender_clone(self->tx);
	if (pthread_create(&child->id, NULL, run_sender, child) != 0)
		broken("pthread_create");
	self->child = child;
}

static void end_sender(void *argument)
{
	struct thread *self = argument;
	if (self->owns)
		csys_sender_close(self->tx);
}

static void play_with_weak(struct thread *self)
{
	csys_weak_sender *weak = csys_sender_downgrade(self->tx);
	csys_sender *other = csys_weak_sender_upgrade(weak);
	csys_sender_close(other);
	csys_weak_sender_close(weak);
}

static void send_all(struct thread *self)
{
	uint32_t me = csysi_add_relaxed(&now.senders, 1) - 1;
	for (uint32_t i = 0; i < now.each;) {
		size_t most = one_in(4, &self->seed) ? 1 + roll(&self->seed) % MOST_BATCH : 1;
		size_t out = 0;
		if (most > now.each - i)
			most = now.each - i;
		for (uint32_t n = 0; n < most; n++)
			write_message(self->values + n * now.type->words, me, i + n);
		int r = send_some(self, most, &out);
		if (r == CSYS_EDISCONNECTED)
			return;
		if (r != 0 && r != CSYS_EAGAIN && r != CSYS_ETIMEDOUT)
			broken("a result of a send");
		if (r == 0)
			now.sent[me] = i += (uint32_t)out;
		if (self->child && !self->is_child && i >= now.each / 2) {
			if (one_in(2, &self->seed))
				begin_child(self);
			else
				self->child = NULL;
			self->is_child = 1;
		}
		if (one_in(50, &self->seed))
			play_with_weak(self);
		if (one_in(16, &self->seed))
			csys_thread_yield();
		pthread_testcancel();
	}
}

static void *run_sender(void *argument)
{
	struct thread *self = argument;
	pthread_cleanup_push(end_sender, self);
	send_all(self);
	pthread_cleanup_pop(1);
	return NULL;
}

/* ---- receivers --------------------------------------------------------------------------- */

/* Receive up to MOST_BATCH messages into values; *out how many. */
static int receive_some(struct thread *self, size_t *out)
{
	const struct typed *type = now.type;
	uint64_t *values = self->values;
	*out = 1;
	switch (roll(&self->seed) % 8) {
	case 0:
		return csys_receiver_try_recv(self->rx, values);
	case 1:
		return type->try_recv(self->rx, values);
	case 2:
		return csys_receiver_recv_until(self->rx, some_deadline(&self->seed), values);
	case 3:
		return csys_receiver_recv_batch(self->rx, values,
						1 + roll(&self->seed) % MOST_BATCH,
						some_deadline(&self->seed), out);
	case 4:
		return csys_receiver_recv(self->rx, values);
	default:
		return type->recv_until(self->rx, some_deadline(&self->seed), values);
	}
}

static void *run_receiver(void *argument)
{
	struct thread *self = argument;
	uint32_t next[ALL_SENDERS] = { 0 }, received = 0;
	int is_exact = now.receivers == 1 && !now.has_drains;
	while (received < now.stop) {
		size_t out = 0;
		int r = receive_some(self, &out);
		if (r == CSYS_EDISCONNECTED)
			break;
		if (r != 0 && r != CSYS_EAGAIN && r != CSYS_ETIMEDOUT)
			broken("a result of a receive");
		for (size_t n = 0; r == 0 && n < out; n++, received++) {
			uint64_t head = note(self->values + n * now.type->words);
			uint32_t sender = (uint32_t)(head >> 32), serial = (uint32_t)head;
			if (is_exact ? serial != next[sender] : serial < next[sender])
				broken("the messages of a sender are not in order");
			next[sender] = serial + 1;
		}
		if (now.has_drains && one_in(20, &self->seed) &&
		    csys_receiver_drain(self->rx, NULL) != 0)
			broken("a drain");
		if (one_in(32, &self->seed))
			csys_thread_yield();
	}
	uint32_t left = csysi_sub_acq_rel(&now.receivers_left, 1);
	if (!now.shares_receiver || left == 0)
		csys_receiver_close(self->rx);
	return NULL;
}

/* ---- rounds ------------------------------------------------------------------------------ */

static struct thread senders[ALL_SENDERS], receivers[RECEIVERS];

static int make_channel(unsigned *seed)
{
	static const size_t capacities[] = {
		CSYS_UNBOUNDED, CSYS_UNBOUNDED, CSYS_UNBOUNDED, 0, 1, 2, 3, 7, 64, 1024
	};
	csys_channel_options options = { .drop = destroy };
	memset(&now, 0, sizeof now);
	now.type = &types[roll(seed) % (sizeof types / sizeof *types)];
	now.capacity = capacities[roll(seed) % (sizeof capacities / sizeof *capacities)];
	now.shares_sender = one_in(3, seed);
	now.receivers = one_in(3, seed) ? 2 + (int)(roll(seed) % (RECEIVERS - 1)) : 1;
	now.receivers_left = (uint32_t)now.receivers;
	now.shares_receiver = now.receivers > 1 && one_in(2, seed);
	now.has_drains = one_in(8, seed);
	now.each = one_in(4, seed) ? MOST_MESSAGES : MOST_MESSAGES / 10;
	now.stop = one_in(3, seed) ? roll(seed) % (now.each * 2) : UINT32_MAX;
	options.many_receivers = now.receivers > 1 && !now.shares_receiver;
	options.latency_first = one_in(3, seed);
	return now.type->make(now.capacity, &options, &now.tx, &now.rx);
}

static void begin_receivers(unsigned *seed)
{
	for (int i = 0; i < now.receivers; i++) {
		struct thread *self = &receivers[i];
		int is_last = i == now.receivers - 1;
		self->seed = roll(seed);
		self->rx = now.shares_receiver || is_last ? now.rx : csys_receiver_clone(now.rx);
		if (pthread_create(&self->id, NULL, run_receiver, self) != 0)
			broken("pthread_create");
	}
}

static void begin_senders(int count, unsigned *seed)
{
	for (int i = 0; i < count; i++) {
		struct thread *self = &senders[i];
		self->seed = roll(seed);
		self->is_child = 0;
		self->child = one_in(2, seed) ? &senders[SENDERS + i] : NULL;
		senders[SENDERS + i].is_child = 0;
		self->owns = !now.shares_sender || one_in(4, seed);
		self->tx = self->owns ? csys_sender_clone(now.tx) : now.tx;
		if (pthread_create(&self->id, NULL, run_sender, self) != 0)
			broken("pthread_create");
	}
}

static void check(void)
{
	for (uint32_t s = 0; s < ALL_SENDERS; s++)
		for (uint32_t i = 0; i < MOST_MESSAGES; i++)
			if (now.seen[s][i] != (i < now.sent[s]))
				broken(now.seen[s][i] ? "a message that was not sent"
						      : "a message is lost");
}

static void one_round(unsigned *seed)
{
	int count = 1 + (int)(roll(seed) % (one_in(2, seed) ? SENDERS : 2));
	if (make_channel(seed) != 0)
		broken("csys_channel_new");
	begin_receivers(seed);
	begin_senders(count, seed);
	if (!WITH_ASAN && one_in(4, seed)) /* which takes the stack of such a thread for broken */
		pthread_cancel(senders[0].id);
	for (int i = 0; i < count; i++)
		pthread_join(senders[i].id, NULL);
	for (int i = 0; i < count; i++)
		if (senders[SENDERS + i].is_child)
			pthread_join(senders[SENDERS + i].id, NULL);
	csys_sender_close(now.tx);
	for (int i = 0; i < now.receivers; i++)
		pthread_join(receivers[i].id, NULL);
	check();
}

int main(int argc, char **argv)
{
	unsigned seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 0;
	int rounds = argc > 2 ? atoi(argv[2]) : is_watched() ? 200 : 600;

	share_receivers();
	alarm(600);
	for (int round = 0; round < rounds; round++)
		one_round(&seed);
	return 0;
}
