/*
 * stress/stress_shared_channel.c - processes that send through shared memory at full speed, and are
 * killed.
 *
 *     stress_shared_channel [milliseconds [senders [seed]]]     for each way and kind of channel
 *
 * Some processes send numbered messages in different ways, and one receives them; each is killed
 * after a random time, some are stopped for a while, and all are replaced at once.  A message tells
 * which process has sent it, in which life, and its number there.  The receiver looks at each
 * before it releases it, and notes it: so none is missing, none comes twice without a note, and all
 * that a call has sent arrives.
 *
 * Then rounds of senders, all of which are killed, and a receiver that waits by its handle alone,
 * without a deadline: it has to see the last message and the end.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <csys/io/poll.h>

#include "base/atomic.h"
#include "ipc/shared_channel.h"

enum { MOST = 16, LIVES = 1 << 16, CAPACITY = 8, BATCH = 5 };

/* What all processes know. */
struct storm {
	uint32_t wrong;
	uint32_t again; /* received with a note */
	uint64_t received;
	uint64_t last[MOST];        /* of each sender, what was received last: life and number */
	uint32_t sent[MOST][LIVES]; /* of each life, up to which number calls have returned */
};

struct message {
	uint32_t from, life, number;
};

static csys_region *notes;
static struct storm *storm;
static csys_shared_channel *channel;

static unsigned roll(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16 & 0x7fff;
}

static void complain(const char *what)
{
	fprintf(stderr, "process %ld: %s\n", (long)getpid(), what);
	csysi_add_relaxed(&storm->wrong, 1);
}

/* ---- senders ------------------------------------------------------------------------------- */

static int send_in_place(csys_shared_sender *sender, const struct message *message, unsigned *seed)
{
	void *first, *second;
	int r = csys_shared_sender_reserve(sender, csys_after_us(300), &first);

	if (r < 0)
		return r;
	int two = roll(seed) % 2 && csys_shared_sender_try_reserve(sender, &second) == 0;
	memcpy(two ? second : first, message, sizeof *message);
	if (two)
		csys_shared_sender_abort(sender, first);
	r = csys_shared_sender_commit(sender, two ? second : first, sizeof *message);
	if (r == CSYS_EDISCONNECTED)
		csys_shared_sender_abort(sender, two ? second : first);
	return r;
}

/* Send some messages from this one on: how many, or negative. */
static int send_somehow(csys_shared_sender *sender, const struct message *message, unsigned *seed)
{
	struct message batch[BATCH];
	size_t sent;
	int r;

	switch (roll(seed) % 5) {
	case 0:
		r = csys_shared_sender_try_send(sender, message, sizeof *message);
		break;
	case 1:
		r = csys_shared_sender_send_until(sender, message, sizeof *message,
						  csys_after_us(roll(seed) % 300));
		break;
	case 2:
		r = send_in_place(sender, message, seed);
		break;
	case 3:
		for (uint32_t i = 0; i < BATCH; i++) {
			batch[i] = *message;
			batch[i].number += i;
		}
		r = csys_shared_sender_send_batch(sender, batch, sizeof *batch, BATCH,
						  csys_after_us(300), &sent);
		return sent > 0 ? (int)sent : r;
	default:
		r = csys_shared_sender_send(sender, message, sizeof *message);
	}
	return r < 0 ? r : 1;
}

static void send_for_ever(uint32_t from, uint32_t life, unsigned seed)
{
	struct message message = { from, life, 1 };
	csys_shared_sender *sender;
	int r = csys_shared_sender_open(channel, &sender);

	if (r < 0) {
		complain(csys_strerror(r));
		_exit(1);
	}
	for (;;) {
		r = send_somehow(sender, &message, &seed);
		if (r > 0) {
			message.number += (uint32_t)r;
			csysi_store_release(&storm->sent[from][life], message.number - 1);
		} else if (r == CSYS_EDISCONNECTED) {
			csysi_os_yield(); /* the next receiver is not there yet */
		} else if (r != CSYS_EAGAIN && r != CSYS_ETIMEDOUT) {
			complain(csys_strerror(r));
		}
		if (roll(&seed) % 2000 == 0)
			csys_region_detach(csys_shared_channel_region(channel));
	}
}

/* ---- the receiver -------------------------------------------------------------------------- */

/* Nothing more comes of lives before this one: what was sent in them was received. */
static void check_lives(uint32_t from, uint64_t last, uint32_t until)
{
	uint32_t life = (uint32_t)(last >> 32);

	if (csysi_load_acquire(&storm->sent[from][life]) > (uint32_t)last)
		complain("the last messages of a life are missing");
	while (++life < until)
		if (csysi_load_acquire(&storm->sent[from][life]) != 0)
			complain("all messages of a life are missing");
}

static void check(const struct message *message, int r)
{
	uint64_t now = (uint64_t)message->life << 32 | message->number;

	if (message->from >= MOST || message->life >= LIVES) {
		complain("no such message");
		return;
	}
	uint64_t last = csysi_load_acquire(&storm->last[message->from]);
	if (r == CSYS_REDELIVERED)
		csysi_add_relaxed(&storm->again, 1);
	/* One that was noted, and not released. */
	if (now == last && r == CSYS_REDELIVERED)
		return;
	if (message->life != last >> 32) {
		if (message->life < last >> 32)
			complain("a message of an earlier life");
		else if (message->number != 1)
			complain("the first messages of a life are missing");
		else
			check_lives(message->from, last, message->life);
	} else if (message->number != (uint32_t)last + 1) {
		complain("a message is missing, or comes twice");
	}
	csysi_store_release(&storm->last[message->from], now);
	csysi_add_relaxed(&storm->received, 1);
}

/* Receive a message: 0, or negative. */
static int receive_one(csys_shared_receiver *receiver, csys_deadline deadline)
{
	struct message *message;
	size_t length;
	int r = csys_shared_receiver_peek(receiver, deadline, (void **)&message, &length);

	if (r < 0)
		return r;
	if (length == sizeof *message)
		check(message, r);
	else
		complain("a message of another length");
	csys_shared_receiver_release(receiver);
	return 0;
}

static void receive_for_ever(unsigned seed)
{
	csys_shared_receiver *receiver;
	int r = csys_shared_receiver_open(channel, &receiver);

	if (r < 0) {
		complain(csys_strerror(r));
		_exit(1);
	}
	for (;;) {
		r = receive_one(receiver, roll(&seed) % 3 ? CSYS_FOREVER : csys_after_us(200));
		if (r == CSYS_EDISCONNECTED)
			csysi_os_yield();
		else if (r < 0 && r != CSYS_ETIMEDOUT)
			complain(csys_strerror(r));
		if (roll(&seed) % 2000 == 0)
			csys_region_detach(csys_shared_channel_region(channel));
	}
}

/* ---- the one that kills -------------------------------------------------------------------- */

static pid_t pids[MOST + 1]; /* the receiver's after those of the senders */
static uint32_t lives[MOST];

static void start(unsigned at, unsigned senders, unsigned seed)
{
	pids[at] = fork();
	if (pids[at] < 0) {
		perror("fork");
		exit(1);
	}
	if (pids[at] > 0)
		return;
	if (at == senders)
		receive_for_ever(seed);
	else
		send_for_ever(at, lives[at], seed);
}

static void kill_and_reap(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		complain("a process has ended by itself");
}

/* For some time: how many were killed. */
static unsigned kill_at_random(unsigned senders, csys_deadline end, unsigned *seed)
{
	unsigned killed = 0;

	while (csys_deadline_left(end) > 0) {
		unsigned at = roll(seed) % (senders + 1);
		csysi_os_nap(csys_after_us(roll(seed) % 3000));
		if (roll(seed) % 8 == 0) { /* one that is stopped is not dead */
			kill(pids[at], SIGSTOP);
			csysi_os_nap(csys_after_us(roll(seed) % 5000));
			kill(pids[at], SIGCONT);
			continue;
		}
		if (at < senders && lives[at] + 1 == LIVES)
			break;
		kill_and_reap(pids[at]);
		lives[at % MOST] += at < senders;
		start(at, senders, roll(seed));
		killed++;
	}
	return killed;
}

static void receive_the_rest(unsigned senders)
{
	csys_shared_receiver *receiver;
	int r = csys_shared_receiver_open(channel, &receiver);

	if (r < 0) {
		complain(csys_strerror(r));
		return;
	}
	while ((r = receive_one(receiver, csys_after_s(60))) == 0)
		continue;
	if (r != CSYS_EDISCONNECTED)
		complain("no end is told, though all are dead");
	for (unsigned i = 0; i < senders; i++)
		check_lives(i, storm->last[i], lives[i] + 1);
	csys_shared_receiver_close(receiver);
}

/* Receive by the handle what is there, or comes by the deadline: 0, or negative. */
static int receive_in_loop(csys_shared_receiver *receiver, csys_deadline deadline)
{
	csys_poll_item item = { .waitable = csys_shared_receiver_waitable(receiver) };
	int r;

	do
		r = receive_one(receiver, CSYS_POLL);
	while (r == CSYS_ETIMEDOUT && (r = csys_poll(&item, 1, deadline)) >= 0);
	return r;
}

/* One round after the other, for some time: how many. */
static unsigned receive_from_the_killed(unsigned senders, csys_deadline end, unsigned *seed)
{
	csys_shared_receiver *receiver;
	unsigned rounds = 0;
	int r = csys_shared_receiver_open(channel, &receiver);

	if (r < 0) {
		complain(csys_strerror(r));
		return 0;
	}
	for (; csys_deadline_left(end) > 0 && lives[0] + 1 < LIVES; rounds++) {
		for (unsigned i = 0; i < senders; i++) {
			lives[i]++;
			start(i, senders, roll(seed));
		}
		for (unsigned i = 0; i < senders; i++) {
			csys_deadline until = csys_after_us(roll(seed) % 1000);
			while ((r = receive_in_loop(receiver, until)) == 0 &&
			       csys_deadline_left(until) > 0)
				continue;
			kill_and_reap(pids[i]);
		}
		while ((r = receive_in_loop(receiver, CSYS_FOREVER)) == 0)
			continue;
		if (r != CSYS_EDISCONNECTED)
			complain(csys_strerror(r));
		for (unsigned i = 0; i < senders; i++)
			check_lives(i, storm->last[i], lives[i] + 1);
	}
	csys_shared_receiver_close(receiver);
	return rounds;
}

static int rage(enum csysi_os_token_way way, int is_single, unsigned ms, unsigned senders,
		unsigned seed)
{
	csys_shared_channel_options options = { .single_sender = is_single };

	csysi_region_way = (int)way;
	int r = csys_region_create_anonymous(sizeof *storm, NULL, &notes);
	if (r == 0)
		r = csys_shared_channel_create_anonymous(sizeof(struct message), CAPACITY, &options,
							 &channel);
	if (r < 0) {
		fprintf(stderr, "no channel: %s\n", csys_strerror(r));
		return r == CSYS_ENOTSUP && way == CSYSI_OS_TOKEN_LIST ? 0 : 1;
	}
	storm = csys_region_data(notes);
	memset(lives, 0, sizeof lives);
	for (unsigned i = 0; i <= senders; i++)
		start(i, senders, roll(&seed));
	unsigned killed = kill_at_random(senders, csys_after_ms(ms), &seed);
	for (unsigned i = 0; i <= senders; i++)
		kill_and_reap(pids[i]);
	receive_the_rest(senders);
	unsigned rounds = receive_from_the_killed(senders, csys_after_ms(ms / 2), &seed);
	printf("%s, %u senders: %u killed, %llu received, %u again; %u rounds by handle\n",
	       way == CSYSI_OS_TOKEN_LIST ? "list" : "lock", senders, killed,
	       (unsigned long long)storm->received, storm->again, rounds);
	int is_wrong = storm->wrong != 0 || storm->received == 0;
	csys_shared_channel_close(channel);
	csys_region_close(notes);
	return is_wrong;
}

int main(int argc, char **argv)
{
	unsigned ms = argc > 1 ? (unsigned)atoi(argv[1]) : 700;
	unsigned senders = argc > 2 ? (unsigned)atoi(argv[2]) : 4;
	unsigned seed = argc > 3 ? (unsigned)atoi(argv[3]) : (unsigned)time(NULL);
	int failed = 0;

	if (senders == 0 || senders > MOST) {
		fprintf(stderr, "usage: stress_shared_channel [milliseconds [senders [seed]]]\n");
		return 2;
	}
	printf("seed %u\n", seed);
	fflush(stdout);
	for (int is_single = 0; is_single < 2; is_single++) {
		unsigned some = is_single ? 1 : senders;
		if (csysi_os_token_can(CSYSI_OS_TOKEN_LIST))
			failed |= rage(CSYSI_OS_TOKEN_LIST, is_single, ms, some, seed);
		failed |= rage(CSYSI_OS_TOKEN_LOCK, is_single, ms, some, seed);
		fflush(stdout);
	}
	return failed;
}
