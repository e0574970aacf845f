/*
 * bench/channels_loop.h - the loops of one peer of bench/channels in C, for one size.
 *
 * Not a header as others are: a peer includes channels_message.h, defines its types and
 * calls, and then includes this once for each size:
 *
 *     SENDER, RECEIVER           types that are passed by value
 *     CREATE(capacity, many, out_sender, out_receiver)
 *     SEND(sender, message), RECV(receiver, out_message)   wait, and do not fail
 *     CLOSE_SENDER(sender), CLOSE_RECEIVER(receiver)
 *
 *     #define BYTES 8
 *     #include "channels_loop.h"
 *
 * Then loops_8 are the loops.  In MESSAGE and CHANNELS_OF of channels_message.h is the size.
 * It may leave out, and then does not have:
 *
 *     CLONE_SENDER(sender), CLONE_RECEIVER(receiver)       another end
 *     RECV_LEFT(receiver, out_message)                     0: no sender is left
 *     SELECT_CASE, SELECT_RECV(receiver, out_message), SELECT(cases, count, out_which)
 *                                 the type of a case, a case, and waiting for one
 *     SEND_BATCH(sender, messages), RECV_BATCH(receiver, out_messages)
 *                                 CHANNELS_BATCH of them; up to so many, and how many
 */
#include <stdlib.h>

#include "bench.h"
#include "channels_peer.h"

#define LOOP(name) CHANNELS_OF(name, )

/* A message is built and read in memory, and not taken apart by the compiler. */
static inline void LOOP(put)(MESSAGE *message, uint64_t serial)
{
	message->numbers[0] = serial;
	message->numbers[BYTES / 8 - 1] = serial;
	if (BYTES > 8)
		__asm__ volatile("" : : "r"(message) : "memory");
}

/* The serial, twice. */
static inline uint64_t LOOP(get)(const MESSAGE *message)
{
	if (BYTES > 8)
		__asm__ volatile("" : : "r"(message) : "memory");
	return message->numbers[0] + message->numbers[BYTES / 8 - 1];
}

/* ---- ends --------------------------------------------------------------------- */

struct LOOP(sender) {
	SENDER end;
};

struct LOOP(receiver) {
	RECEIVER end;
};

static inline SENDER LOOP(sender_of)(void *sender)
{
	return ((struct LOOP(sender) *)sender)->end;
}

static inline RECEIVER LOOP(receiver_of)(void *receiver)
{
	return ((struct LOOP(receiver) *)receiver)->end;
}

static void *LOOP(memory)(size_t count, size_t size)
{
	void *memory = calloc(count, size);
	if (!memory)
		bench_fail("out of memory");
	return memory;
}

static void LOOP(create)(int64_t capacity, int many, void **out_sender, void **out_receiver)
{
	struct LOOP(sender) *sender = LOOP(memory)(1, sizeof *sender);
	struct LOOP(receiver) *receiver = LOOP(memory)(1, sizeof *receiver);
	CREATE(capacity, many, &sender->end, &receiver->end);
	*out_sender = sender;
	*out_receiver = receiver;
}

#ifdef CLONE_SENDER
static void *LOOP(clone_sender)(void *sender)
{
	struct LOOP(sender) *clone = LOOP(memory)(1, sizeof *clone);
	clone->end = CLONE_SENDER(LOOP(sender_of)(sender));
	return clone;
}
#endif

#ifdef CLONE_RECEIVER
static void *LOOP(clone_receiver)(void *receiver)
{
	struct LOOP(receiver) *clone = LOOP(memory)(1, sizeof *clone);
	clone->end = CLONE_RECEIVER(LOOP(receiver_of)(receiver));
	return clone;
}
#endif

static void LOOP(close_sender)(void *sender)
{
	CLOSE_SENDER(LOOP(sender_of)(sender));
	free(sender);
}

static void LOOP(close_receiver)(void *receiver)
{
	CLOSE_RECEIVER(LOOP(receiver_of)(receiver));
	free(receiver);
}

/* ---- send and receive ---------------------------------------------------------- */

static void LOOP(send)(void *sender, struct channels_share *share)
{
	SENDER end = LOOP(sender_of)(sender);
	MESSAGE message = { { 0 } };
	uint64_t serial = share->from;
	for (int64_t left = share->count; left > 0; left--) {
		LOOP(put)(&message, serial++);
		SEND(end, &message);
	}
}

static void LOOP(recv)(void *receiver, struct channels_share *share)
{
	RECEIVER end = LOOP(receiver_of)(receiver);
	MESSAGE message;
	uint64_t sum = 0;
	for (int64_t left = share->count; left > 0; left--) {
		RECV(end, &message);
		sum += LOOP(get)(&message);
	}
	share->sum = sum;
	share->done = share->count;
}

#ifdef RECV_LEFT
static void LOOP(recv_all)(void *receiver, struct channels_share *share)
{
	RECEIVER end = LOOP(receiver_of)(receiver);
	MESSAGE message;
	uint64_t sum = 0;
	int64_t done = 0;
	while (RECV_LEFT(end, &message)) {
		sum += LOOP(get)(&message);
		done++;
	}
	share->sum = sum;
	share->done = done;
}
#endif

static void LOOP(self)(void *sender, void *receiver, struct channels_share *share)
{
	SENDER tx = LOOP(sender_of)(sender);
	RECEIVER rx = LOOP(receiver_of)(receiver);
	MESSAGE message = { { 0 } };
	MESSAGE got;
	uint64_t serial = share->from;
	uint64_t sum = 0;
	for (int64_t left = share->count; left > 0; left--) {
		LOOP(put)(&message, serial++);
		SEND(tx, &message);
		RECV(rx, &got);
		sum += LOOP(get)(&got);
	}
	share->sum = sum;
	share->done = share->count;
}

#ifdef SELECT_CASE
static void LOOP(send_in_turn)(void *senders, struct channels_share *share)
{
	void *const *ends = senders;
	MESSAGE message = { { 0 } };
	uint64_t serial = share->from;
	for (int64_t left = share->count, at = 0; left > 0; left--) {
		LOOP(put)(&message, serial++);
		SEND(LOOP(sender_of)(ends[at]), &message);
		at = at + 1 < share->channels ? at + 1 : 0;
	}
}

static void LOOP(recv_select)(void *receivers, struct channels_share *share)
{
	void *const *ends = receivers;
	size_t channels = (size_t)share->channels;
	SELECT_CASE *cases = LOOP(memory)(channels, sizeof *cases);
	MESSAGE message;
	uint64_t sum = 0;
	for (size_t i = 0; i < channels; i++)
		cases[i] = SELECT_RECV(LOOP(receiver_of)(ends[i]), &message);
	for (int64_t left = share->count; left > 0; left--) {
		size_t which;
		SELECT(cases, channels, &which);
		sum += LOOP(get)(&message);
	}
	free(cases);
	share->sum = sum;
	share->done = share->count;
}
#endif

#ifdef SEND_BATCH
static void LOOP(send_some)(SENDER end, MESSAGE *messages, uint64_t serial)
{
	for (uint64_t i = 0; i < CHANNELS_BATCH; i++)
		LOOP(put)(&messages[i], serial + i);
	SEND_BATCH(end, messages);
}

static int64_t LOOP(recv_some)(RECEIVER end, MESSAGE *messages, uint64_t *sum)
{
	size_t count = RECV_BATCH(end, messages);
	for (size_t i = 0; i < count; i++)
		*sum += LOOP(get)(&messages[i]);
	return (int64_t)count;
}

static void LOOP(send_batch)(void *sender, struct channels_share *share)
{
	SENDER end = LOOP(sender_of)(sender);
	MESSAGE messages[CHANNELS_BATCH] = { { { 0 } } };
	uint64_t serial = share->from;
	for (int64_t left = share->count; left > 0; left -= CHANNELS_BATCH) {
		LOOP(send_some)(end, messages, serial);
		serial += CHANNELS_BATCH;
	}
}

static void LOOP(recv_batch)(void *receiver, struct channels_share *share)
{
	RECEIVER end = LOOP(receiver_of)(receiver);
	MESSAGE messages[CHANNELS_BATCH];
	uint64_t sum = 0;
	int64_t done = 0;
	while (done < share->count)
		done += LOOP(recv_some)(end, messages, &sum);
	share->sum = sum;
	share->done = done;
}

static void LOOP(self_batch)(void *sender, void *receiver, struct channels_share *share)
{
	SENDER tx = LOOP(sender_of)(sender);
	RECEIVER rx = LOOP(receiver_of)(receiver);
	MESSAGE messages[CHANNELS_BATCH] = { { { 0 } } };
	MESSAGE got[CHANNELS_BATCH];
	uint64_t serial = share->from;
	uint64_t sum = 0;
	int64_t done = 0;
	for (int64_t left = share->count; left > 0; left -= CHANNELS_BATCH) {
		LOOP(send_some)(tx, messages, serial);
		serial += CHANNELS_BATCH;
		done += LOOP(recv_some)(rx, got, &sum);
	}
	share->sum = sum;
	share->done = done;
}
#endif

/* ---- to and fro ----------------------------------------------------------------- */

static void LOOP(ping)(void *sender, void *receiver, struct channels_share *share)
{
	LOOP(self)(sender, receiver, share);
}

static void LOOP(pong)(void *sender, void *receiver, struct channels_share *share)
{
	SENDER tx = LOOP(sender_of)(sender);
	RECEIVER rx = LOOP(receiver_of)(receiver);
	MESSAGE message;
	uint64_t sum = 0;
	for (int64_t left = share->count; left > 0; left--) {
		RECV(rx, &message);
		sum += LOOP(get)(&message);
		SEND(tx, &message);
	}
	share->sum = sum;
	share->done = share->count;
}

/* ---- bursts, work, streams -------------------------------------------------------- */

static void LOOP(send_bursts)(void *sender, struct channels_share *share)
{
	SENDER end = LOOP(sender_of)(sender);
	MESSAGE message = { { 0 } };
	uint64_t sum = 0;
	int64_t done = 0;
	for (int64_t left = share->count; left > 0; left--) {
		int64_t begin = share->now();
		do {
			for (int i = 0; i < CHANNELS_BATCH; i++, done++) {
				LOOP(put)(&message, (uint64_t)done);
				sum += (uint64_t)done * 2;
				SEND(end, &message);
			}
		} while (share->now() - begin < share->interval);
		LOOP(put)(&message, (uint64_t)done | CHANNELS_LAST);
		sum += ((uint64_t)done | CHANNELS_LAST) * 2;
		done++;
		SEND(end, &message);
		share->clock += begin;
		share->sleep(share->pause);
	}
	share->sum = sum;
	share->done = done;
}

static void LOOP(recv_bursts)(void *receiver, struct channels_share *share)
{
	RECEIVER end = LOOP(receiver_of)(receiver);
	MESSAGE message;
	uint64_t sum = 0;
	int64_t done = 0;
	for (int64_t left = share->count; left > 0;) {
		RECV(end, &message);
		sum += LOOP(get)(&message);
		done++;
		if (message.numbers[0] & CHANNELS_LAST) {
			share->clock += share->now();
			left--;
		}
	}
	share->sum = sum;
	share->done = done;
}

static void LOOP(recv_slowly)(void *receiver, struct channels_share *share)
{
	RECEIVER end = LOOP(receiver_of)(receiver);
	MESSAGE message;
	uint64_t random = 1;
	uint64_t sum = 0;
	for (int64_t left = share->count; left > 0; left--) {
		RECV(end, &message);
		sum += LOOP(get)(&message);
		random = share->do_work(random, share->work);
	}
	share->sum = sum;
	share->done = share->count;
}

static void LOOP(send_seldom)(void *sender, struct channels_share *share)
{
	SENDER end = LOOP(sender_of)(sender);
	MESSAGE message = { { 0 } };
	for (int64_t i = 0; i < share->count; i++) {
		share->sleep(share->pause);
		LOOP(put)(&message, share->from + (uint64_t)i);
		SEND(end, &message);
	}
}

static void LOOP(send_stream)(void *sender, struct channels_share *share)
{
	SENDER end = LOOP(sender_of)(sender);
	MESSAGE message = { { 0 } };
	uint64_t sum = 0;
	int64_t next = share->now();
	for (int64_t left = share->count; left > 0; left--) {
		int64_t now;
		while ((now = share->now()) < next) {
		}
		next += share->interval;
		LOOP(put)(&message, (uint64_t)now);
		sum += (uint64_t)now * 2;
		SEND(end, &message);
	}
	share->sum = sum;
	share->done = share->count;
}

static void LOOP(recv_stream)(void *receiver, struct channels_share *share)
{
	RECEIVER end = LOOP(receiver_of)(receiver);
	MESSAGE message;
	uint64_t sum = 0;
	for (int64_t i = 0; i < share->count; i++) {
		RECV(end, &message);
		sum += LOOP(get)(&message);
		share->waits[i] = share->now() - (int64_t)message.numbers[0];
	}
	share->sum = sum;
	share->done = share->count;
}

/* ---- channels ---------------------------------------------------------------------- */

static void LOOP(many)(struct channels_share *share)
{
	size_t channels = (size_t)share->channels;
	struct LOOP(sender) *tx = LOOP(memory)(channels, sizeof *tx);
	struct LOOP(receiver) *rx = LOOP(memory)(channels, sizeof *rx);
	int64_t before = share->memory();
	for (size_t i = 0; i < channels; i++)
		CREATE(share->capacity, 0, &tx[i].end, &rx[i].end);
	share->bytes = share->memory() - before;

	MESSAGE message = { { 0 } };
	uint64_t serial = share->from;
	uint64_t sum = 0;
	int64_t begin = share->cpu_time();
	for (int64_t left = share->count; left > 0; left--) {
		for (size_t i = 0; i < channels; i++) {
			LOOP(put)(&message, serial++);
			SEND(tx[i].end, &message);
		}
		for (size_t i = 0; i < channels; i++) {
			RECV(rx[i].end, &message);
			sum += LOOP(get)(&message);
		}
	}
	share->clock = share->cpu_time() - begin;
	share->sum = sum;
	share->done = share->count * share->channels;

	for (size_t i = 0; i < channels; i++) {
		CLOSE_SENDER(tx[i].end);
		CLOSE_RECEIVER(rx[i].end);
	}
	free(tx);
	free(rx);
}

static void LOOP(churn)(struct channels_share *share)
{
	for (int64_t left = share->count; left > 0; left--) {
		SENDER tx;
		RECEIVER rx;
		CREATE(share->capacity, 0, &tx, &rx);
		CLOSE_SENDER(tx);
		CLOSE_RECEIVER(rx);
	}
}

static const struct channels_loops LOOP(loops) = {
	.create = LOOP(create),
#ifdef CLONE_SENDER
	.clone_sender = LOOP(clone_sender),
#endif
#ifdef CLONE_RECEIVER
	.clone_receiver = LOOP(clone_receiver),
#endif
	.close_sender = LOOP(close_sender),
	.close_receiver = LOOP(close_receiver),
	.send = LOOP(send),
	.recv = LOOP(recv),
#ifdef RECV_LEFT
	.recv_all = LOOP(recv_all),
#endif
#ifdef SEND_BATCH
	.send_batch = LOOP(send_batch),
	.recv_batch = LOOP(recv_batch),
	.self_batch = LOOP(self_batch),
#endif
	.self = LOOP(self),
	.ping = LOOP(ping),
	.pong = LOOP(pong),
	.send_bursts = LOOP(send_bursts),
	.recv_bursts = LOOP(recv_bursts),
	.recv_slowly = LOOP(recv_slowly),
	.send_seldom = LOOP(send_seldom),
	.send_stream = LOOP(send_stream),
	.recv_stream = LOOP(recv_stream),
#ifdef SELECT_CASE
	.send_in_turn = LOOP(send_in_turn),
	.recv_select = LOOP(recv_select),
#endif
	.many = LOOP(many),
	.churn = LOOP(churn),
};

#undef BYTES
