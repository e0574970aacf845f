/*
 * stress/stress_select.c - selects over channels of all kinds, in short rounds.
 *
 *     stress_select [seed [rounds]]
 *
 * A round has four channels by chance, threads that send a number of messages, and threads that
 * receive until all channels are disconnected.  Each operation is a select of one to six cases, at
 * one channel several times too, or a plain call; with deadlines of up to 20 us, or without where
 * another thread is sure to come.  Threads that send also receive in some rounds, and the other way
 * round.  Ends are closed early, so that some messages are destroyed.
 *
 * Each message has its sender, a serial number and a check of them.  When the senders are done they
 * wait until all that was sent has been received or destroyed: a lost wake is a hang, which the
 * alarm ends.  At the end each message that was sent has been seen once, and no other.
 */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/support.h"

#define CHANNELS 4
#define SENDERS 3
#define RECEIVERS 2
#define THREADS (SENDERS + RECEIVERS)
#define MOST_CASES 6
#define MOST_MESSAGES 64
#define MOST_WORDS 75
#define UNTOUCHED 0x5a5a5a5a5a5a5a5au

/* One end of a channel each; NULL: it has none, or has closed it. */
struct thread {
	pthread_t id;
	unsigned number, seed;
	int is_sender;
	uint32_t to_send, sent;
	csys_sender *tx[CHANNELS];
	csys_receiver *rx[CHANNELS];
	int64_t last[THREADS][CHANNELS]; /* serial numbers that it has received */
	uint64_t message[MOST_WORDS], received[MOST_CASES][MOST_WORDS];
};

static struct {
	size_t words;
	size_t capacities[CHANNELS];
	uint32_t senders_left;                   /* atomic: that still send */
	uint32_t sent, seen;                     /* atomic */
	uint8_t is_seen[THREADS][MOST_MESSAGES]; /* atomic */
} now;

static void broken(const char *what)
{
	fprintf(stderr, "stress_select: %s (%zu words, capacities %zd %zd %zd %zd)\n", what,
		now.words, (ssize_t)now.capacities[0], (ssize_t)now.capacities[1],
		(ssize_t)now.capacities[2], (ssize_t)now.capacities[3]);
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

static csys_deadline soon(unsigned *seed)
{
	return csys_after_ns(roll(seed) % 20000);
}

/* ---- messages ---------------------------------------------------------------------------- */

static uint64_t word_of(uint64_t sender, uint64_t serial, size_t place)
{
	uint64_t head = sender << 32 | serial;
	return (head << 24 | (head * 0x9e3779b97f4a7c15u) >> 40) + place * 0x0101010101010101u;
}

static void write_message(struct thread *self)
{
	for (size_t i = 0; i < now.words; i++)
		self->message[i] = word_of(self->number, self->sent, i);
}

/* Check a message, and note that it was seen; *serial: its number.  Returns its sender. */
static unsigned note(const uint64_t *message, int64_t *serial)
{
	uint64_t head = message[0] >> 24, sender = head >> 32, number = head & UINT32_MAX;
	if (sender >= THREADS || number >= MOST_MESSAGES)
		broken("a message that was never sent");
	for (size_t i = 0; i < now.words; i++)
		if (message[i] != word_of(sender, number, i))
			broken("a torn message");
	if (csysi_add_relaxed(&now.is_seen[sender][number], 1) != 1)
		broken("a message came twice");
	csysi_add_acq_rel(&now.seen, 1);
	*serial = (int64_t)number;
	return (unsigned)sender;
}

static void destroy(void *message, void *argument)
{
	int64_t serial;
	(void)argument;
	(void)note(message, &serial);
}

static void note_received(struct thread *self, unsigned channel, const uint64_t *message)
{
	int64_t serial;
	unsigned sender = note(message, &serial);
	if (serial <= self->last[sender][channel])
		broken("the messages of a thread came in another order");
	self->last[sender][channel] = serial;
}

static void note_sent(struct thread *self)
{
	csysi_add_acq_rel(&now.sent, 1);
	self->sent++;
	write_message(self);
}

/* ---- operations -------------------------------------------------------------------------- */

static void close_tx(struct thread *self, unsigned channel)
{
	csys_sender_close(self->tx[channel]);
	self->tx[channel] = NULL;
}

static void close_rx(struct thread *self, unsigned channel)
{
	csys_receiver_close(self->rx[channel]);
	self->rx[channel] = NULL;
}

/* What a case of a select was made for. */
struct plan {
	csys_select_case cases[MOST_CASES];
	unsigned channels[MOST_CASES];
	int is_send[MOST_CASES];
	size_t count;
	int has_send;
	unsigned receives; /* bits: channels */
};

static void plan_send(struct plan *plan, struct thread *self, unsigned channel)
{
	plan->cases[plan->count] = csys_select_send(self->tx[channel], self->message);
	plan->channels[plan->count] = channel;
	plan->is_send[plan->count++] = 1;
	plan->has_send = 1;
}

static void plan_recv(struct plan *plan, struct thread *self, unsigned channel)
{
	uint64_t *to = self->received[plan->count];
	to[0] = to[now.words - 1] = UNTOUCHED;
	plan->cases[plan->count] = csys_select_recv(self->rx[channel], to);
	plan->channels[plan->count] = channel;
	plan->is_send[plan->count++] = 0;
	plan->receives |= 1u << channel;
}

/* Add up to so many cases by chance, which this thread has the ends for. */
static void plan_some(struct plan *plan, struct thread *self, unsigned most)
{
	for (unsigned i = roll(&self->seed) % most + 1; i > 0 && plan->count < MOST_CASES; i--) {
		unsigned channel = roll(&self->seed) % CHANNELS;
		int may_send = self->tx[channel] && self->sent < self->to_send;
		int may_recv = self->rx[channel] != NULL;
		if (may_send && (!may_recv || one_in(2, &self->seed))) {
			plan_send(plan, self, channel);
		} else if (may_recv) {
			plan_recv(plan, self, channel);
		} else if (one_in(8, &self->seed)) {
			plan->cases[plan->count] = (csys_select_case){ 0 };
			plan->is_send[plan->count++] = 0;
		}
	}
}

static void check_others_untouched(struct thread *self, const struct plan *plan, size_t which)
{
	for (size_t i = 0; i < plan->count; i++)
		if (i != which && !plan->is_send[i] && plan->cases[i].channel &&
		    (self->received[i][0] != UNTOUCHED ||
		     self->received[i][now.words - 1] != UNTOUCHED))
			broken("a case wrote that was not done");
}

static void select_planned(struct thread *self, const struct plan *plan, csys_deadline deadline)
{
	size_t which = MOST_CASES;
	int how = (int)(roll(&self->seed) % 8);
	int r = how == 0   ? csys_try_select(plan->cases, plan->count, &which)
		: how == 1 ? csys_select_biased_until(plan->cases, plan->count, deadline, &which)
			   : csys_select_until(plan->cases, plan->count, deadline, &which);
	int is_none = r == CSYS_EAGAIN || r == CSYS_ETIMEDOUT;
	if ((r != 0 && r != CSYS_EDISCONNECTED && !is_none) ||
	    (is_none ? which != MOST_CASES : which >= plan->count))
		broken("a result of a select");
	check_others_untouched(self, plan, r == 0 ? which : MOST_CASES);
	if (is_none)
		return;
	unsigned channel = plan->channels[which];
	if (r == 0 && plan->is_send[which])
		note_sent(self);
	else if (r == 0)
		note_received(self, channel, self->received[which]);
	else if (plan->is_send[which])
		close_tx(self, channel);
	else
		close_rx(self, channel);
}

static void send_plainly(struct thread *self, unsigned channel)
{
	if (!self->tx[channel] || self->sent >= self->to_send)
		return;
	int r = one_in(4, &self->seed)
			? csys_sender_try_send(self->tx[channel], self->message)
			: csys_sender_send_until(self->tx[channel], self->message,
						 self->is_sender && one_in(3, &self->seed)
							 ? CSYS_FOREVER
							 : soon(&self->seed));
	if (r == 0)
		note_sent(self);
	else if (r == CSYS_EDISCONNECTED)
		close_tx(self, channel);
	else if (r != CSYS_EAGAIN && r != CSYS_ETIMEDOUT)
		broken("a result of a send");
}

static void receive_plainly(struct thread *self, unsigned channel)
{
	if (!self->rx[channel])
		return;
	int r = one_in(4, &self->seed)
			? csys_receiver_try_recv(self->rx[channel], self->received[0])
			: csys_receiver_recv_until(self->rx[channel], soon(&self->seed),
						   self->received[0]);
	if (r == 0)
		note_received(self, channel, self->received[0]);
	else if (r == CSYS_EDISCONNECTED)
		close_rx(self, channel);
	else if (r != CSYS_EAGAIN && r != CSYS_ETIMEDOUT)
		broken("a result of a receive");
}

static int has_tx(const struct thread *self)
{
	for (int i = 0; i < CHANNELS; i++)
		if (self->tx[i])
			return 1;
	return 0;
}

static int has_rx(const struct thread *self)
{
	for (int i = 0; i < CHANNELS; i++)
		if (self->rx[i])
			return 1;
	return 0;
}

/* ---- threads ----------------------------------------------------------------------------- */

static void close_some(struct thread *self)
{
	unsigned channel = roll(&self->seed) % CHANNELS;
	if (self->is_sender && one_in(40, &self->seed))
		close_tx(self, channel);
	if (!self->is_sender && channel == 0 && one_in(20, &self->seed))
		close_rx(self, channel);
}

static void await_all_seen(void)
{
	csysi_sub_acq_rel(&now.senders_left, 1);
	while (csysi_load_acquire(&now.senders_left) > 0)
		csys_thread_sleep_ns(20000);
	while (csysi_load_acquire(&now.seen) != csysi_load_acquire(&now.sent))
		csys_thread_sleep_ns(20000);
}

/* A send without a deadline ends: a receiver has all channels that it has not closed in its select,
 * or the channel is disconnected. */
static void run_sender(struct thread *self)
{
	while (self->sent < self->to_send && has_tx(self)) {
		struct plan plan = { .count = 0 };
		if (one_in(4, &self->seed)) {
			send_plainly(self, roll(&self->seed) % CHANNELS);
		} else {
			plan_some(&plan, self, MOST_CASES);
			if (plan.count > 0)
				select_planned(self, &plan,
					       plan.has_send && one_in(2, &self->seed)
						       ? CSYS_FOREVER
						       : soon(&self->seed));
		}
		close_some(self);
	}
	/* What is left in a channel is for the receivers, or destroyed. */
	for (unsigned i = 0; i < CHANNELS; i++)
		close_rx(self, i);
	await_all_seen();
	for (unsigned i = 0; i < CHANNELS; i++)
		close_tx(self, i);
}

static void run_receiver(struct thread *self)
{
	while (has_rx(self)) {
		struct plan plan = { .count = 0 };
		if (has_tx(self) &&
		    (self->sent >= self->to_send || csysi_load_acquire(&now.senders_left) == 0))
			for (unsigned i = 0; i < CHANNELS; i++)
				close_tx(self, i);
		int may_stay = !has_tx(self) && !one_in(3, &self->seed);
		if (!may_stay && one_in(3, &self->seed)) {
			receive_plainly(self, roll(&self->seed) % CHANNELS);
		} else {
			for (unsigned i = 0; may_stay && i < CHANNELS; i++)
				if (self->rx[i])
					plan_recv(&plan, self, i);
			plan_some(&plan, self, 2);
			if (plan.count > 0)
				select_planned(self, &plan,
					       may_stay ? CSYS_FOREVER : soon(&self->seed));
		}
		close_some(self);
	}
	for (unsigned i = 0; i < CHANNELS; i++)
		close_tx(self, i);
}

static void *run(void *argument)
{
	struct thread *self = argument;
	write_message(self);
	(self->is_sender ? run_sender : run_receiver)(self);
	return NULL;
}

/* ---- rounds ------------------------------------------------------------------------------ */

static void open_channel(unsigned channel, struct thread *threads, unsigned senders,
			 unsigned receivers, unsigned *seed)
{
	static const size_t some[] = { CSYS_UNBOUNDED, 0, 0, 1, 1, 3 };
	const csys_channel_options options = { .drop = destroy, .many_receivers = 1 };
	csys_sender *tx;
	csys_receiver *rx;

	now.capacities[channel] = some[roll(seed) % 6];
	if (csys_channel_new(now.words * sizeof(uint64_t), now.capacities[channel], &options, &tx,
			     &rx) != 0)
		broken("a channel could not be made");
	for (unsigned i = 0; i < THREADS; i++) {
		struct thread *thread = &threads[i];
		int is_used = i < SENDERS ? i < senders : i - SENDERS < receivers;
		/* The first channel is closed early by those that receive: by those alone. */
		int mixes = is_used && channel != 0 && thread->seed % 3 == 0;
		thread->tx[channel] =
			is_used && (thread->is_sender || mixes) ? csys_sender_clone(tx) : NULL;
		thread->rx[channel] =
			is_used && (!thread->is_sender || mixes) ? csys_receiver_clone(rx) : NULL;
	}
	csys_sender_close(tx);
	csys_receiver_close(rx);
}

static void check(const struct thread *threads)
{
	for (unsigned i = 0; i < THREADS; i++)
		for (unsigned k = 0; k < MOST_MESSAGES; k++)
			if (now.is_seen[i][k] != (k < threads[i].sent))
				broken(now.is_seen[i][k] ? "a message that was not sent was seen"
							 : "a message was lost");
}

static void run_round(struct thread *threads, unsigned *seed)
{
	static const size_t sizes[] = { 1, 1, 3, MOST_WORDS };
	unsigned senders = roll(seed) % SENDERS + 1, receivers = roll(seed) % RECEIVERS + 1;
	uint32_t most = one_in(2, seed) ? 3 : MOST_MESSAGES;

	memset(&now, 0, sizeof now);
	now.words = sizes[roll(seed) % 4];
	now.senders_left = senders;
	for (unsigned i = 0; i < THREADS; i++) {
		struct thread *self = &threads[i];
		self->number = i;
		self->seed = roll(seed);
		self->is_sender = i < SENDERS;
		self->sent = 0;
		self->to_send = roll(seed) % most + 1;
		memset(self->last, -1, sizeof self->last);
	}
	for (unsigned i = 0; i < CHANNELS; i++)
		open_channel(i, threads, senders, receivers, seed);
	for (unsigned i = 0; i < THREADS; i++)
		if ((i < SENDERS ? i < senders : i - SENDERS < receivers) &&
		    pthread_create(&threads[i].id, NULL, run, &threads[i]) != 0)
			broken("pthread_create");
	for (unsigned i = 0; i < THREADS; i++)
		if (i < SENDERS ? i < senders : i - SENDERS < receivers)
			pthread_join(threads[i].id, NULL);
	check(threads);
}

int main(int argc, char **argv)
{
	static struct thread threads[THREADS];
	unsigned seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 0;
	int rounds = argc > 2 ? atoi(argv[2]) : 1500;

	alarm(600);
	for (int round = 0; round < rounds; round++)
		run_round(threads, &seed);
	return 0;
}
