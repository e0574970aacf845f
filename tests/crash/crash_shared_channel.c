/*
 * crash/crash_shared_channel.c - processes that are killed in channels between processes.
 *
 *     crash_shared_channel [whole]
 *
 * A victim sends or receives, and is killed at each instruction.  Before that the tester reads the
 * places, so it knows which messages are there.  Exactly these are received, by a process that
 * sleeps already or by the next receiver; and afterwards all places can be used as before.
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/region_walk.h"
#include "support/shared_channel.h"

enum { BATCH = 3, DISCONNECTED = 1000 };

static struct traced_peer sleeper;

/* What is there when the victim is killed. */
static struct {
	uint64_t numbers[CAPACITY];
	int count;
	int is_peeked; /* the first of them */
	int has_room;
} seen;

/* ---- before ------------------------------------------------------------------------------- */

static void begin_channel(int single)
{
	csys_shared_channel_options options = { .single_sender = single };
	csys_shared_channel_close(channel);
	memset(MEMORY, 0, ROOM);
	assert_int_equal(
		csys_shared_channel_create_in(region, MEMORY, 8, CAPACITY, &options, &channel), 0);
}

static void begin(void *unused)
{
	(void)unused;
	begin_channel(0);
}

static void begin_single(void *unused)
{
	(void)unused;
	begin_channel(1);
}

/* So many messages are there, and no sender. */
static void begin_with(uint64_t count)
{
	begin_channel(0);
	open_sender();
	for (uint64_t i = 1; i <= count; i++)
		put(i);
	csys_shared_sender_close(sender);
	sender = NULL;
}

static void begin_with_some(void *unused)
{
	(void)unused;
	begin_with(BATCH + 1);
}

static void begin_full(void *unused)
{
	(void)unused;
	begin_with(CAPACITY);
}

/* One that was aborted, and one of a member that is dead, are before the message. */
static void begin_with_gaps(void *unused)
{
	void *dropped, *claimed;
	(void)unused;
	begin_channel(0);
	open_sender();
	if (csys_shared_sender_try_reserve(sender, &dropped) != 0 ||
	    csys_shared_sender_try_reserve(sender, &claimed) != 0)
		_exit(1);
	put(1);
	csys_shared_sender_abort(sender, dropped);
	csys_region_detach(region);
	csys_shared_sender_abort(sender, claimed);
	csys_shared_sender_close(sender);
	sender = NULL;
	csysi_store_release(&csysi_spot_of(channel, 1).place->state, (uint64_t)77 << 2 | 1);
}

/* ---- what victims do ---------------------------------------------------------------------- */

static void prepare_sender(void *unused)
{
	(void)unused;
	CHECK(csys_shared_sender_open(channel, &sender) == 0);
}

static void prepare_receiver(void *unused)
{
	(void)unused;
	CHECK(csys_shared_receiver_open(channel, &receiver) == 0);
}

static void send_one(void *unused)
{
	uint64_t number = 1;
	(void)unused;
	CHECK(csys_shared_sender_send(sender, &number, sizeof number) == 0);
}

/* The next message is quick (src/ipc/shared_quick.h). */
static void prepare_quick_sender(void *unused)
{
	uint64_t number = 0;
	prepare_sender(unused);
	CHECK(csys_shared_sender_send(sender, &number, sizeof number) == 0);
}

/* To the end of a lap, and on: the last of them stays where another sender has to pass it. */
static void send_a_lap(void *unused)
{
	for (uint64_t number = 2; number <= CAPACITY; number++)
		CHECK(csys_shared_sender_send(sender, &number, sizeof number) == 0);
	(void)unused;
}

static void send_batch(void *unused)
{
	static const uint64_t numbers[BATCH] = { 1, 2, 3 };
	size_t sent;
	(void)unused;
	CHECK(csys_shared_sender_send_batch(sender, numbers, 8, BATCH, CSYS_FOREVER, &sent) == 0);
}

static void commit_and_abort(void *unused)
{
	void *first, *second;
	uint64_t number = 1;
	(void)unused;
	CHECK(csys_shared_sender_reserve(sender, CSYS_FOREVER, &first) == 0);
	CHECK(csys_shared_sender_reserve(sender, CSYS_FOREVER, &second) == 0);
	csys_shared_sender_abort(sender, first);
	memcpy(second, &number, sizeof number);
	CHECK(csys_shared_sender_commit(sender, second, sizeof number) == 0);
}

static void open_send_and_close(void *unused)
{
	prepare_sender(unused);
	send_one(unused);
	csys_shared_sender_close(sender);
}

static void receive_one(void *unused)
{
	uint64_t number;
	(void)unused;
	CHECK(csys_shared_receiver_recv(receiver, &number, sizeof number, NULL) == 0);
}

static void prepare_quick_receiver(void *unused)
{
	prepare_receiver(unused);
	receive_one(unused);
}

static void receive_three(void *unused)
{
	for (int i = 0; i < 3; i++)
		receive_one(unused);
}

static void receive_batch(void *unused)
{
	uint64_t numbers[BATCH];
	size_t count;
	(void)unused;
	CHECK(csys_shared_receiver_recv_batch(receiver, numbers, 8, BATCH, CSYS_FOREVER, NULL,
					      &count) == 0);
}

static void peek_and_release(void *unused)
{
	void *data;
	(void)unused;
	CHECK(csys_shared_receiver_peek(receiver, CSYS_FOREVER, &data, NULL) == 0);
	csys_shared_receiver_release(receiver);
}

static void open_receive_and_close(void *unused)
{
	prepare_receiver(unused);
	receive_one(unused);
	csys_shared_receiver_close(receiver);
}

/* ---- survivors ---------------------------------------------------------------------------- */

/* The number that it has received. */
static int receive_number(void *unused)
{
	uint64_t number;
	prepare_receiver(unused);
	int r = csys_shared_receiver_recv(receiver, &number, sizeof number, NULL);
	return r == 0 ? (int)number : r == CSYS_EDISCONNECTED ? DISCONNECTED : -1;
}

/* The second one, for which it sleeps. */
static int receive_second_number(void *unused)
{
	uint64_t number;
	prepare_receiver(unused);
	int r = csys_shared_receiver_recv(receiver, &number, sizeof number, NULL);
	if (r == 0)
		r = csys_shared_receiver_recv(receiver, &number, sizeof number, NULL);
	return r == 0 ? (int)number : r == CSYS_EDISCONNECTED ? DISCONNECTED : -1;
}

static int send_number(void *unused)
{
	uint64_t number = 9;
	prepare_sender(unused);
	int r = csys_shared_sender_send(sender, &number, sizeof number);
	return r == 0 ? 0 : r == CSYS_EDISCONNECTED ? DISCONNECTED : -1;
}

/* The same in an event loop, which nothing but a notification or a death ends; and one that waits
 * for room. */
static int receive_number_in_loop(void *unused)
{
	csys_handle self;
	uint64_t number;
	int r;
	if (csysi_os_process_open(csysi_os_pid(), &self) == 0)
		csysi_os_token_nap_ns = NO_NAP;
	prepare_receiver(unused);
	csys_poll_item item = { .waitable = csys_shared_receiver_waitable(receiver) };
	do
		r = csys_poll(&item, 1, CSYS_FOREVER);
	while (r >= 0 && (r = csys_shared_receiver_try_recv(receiver, &number, sizeof number,
							    NULL)) == CSYS_EAGAIN);
	return r == 0 ? (int)number : r == CSYS_EDISCONNECTED ? DISCONNECTED : -1;
}

static int send_number_in_loop(void *unused)
{
	uint64_t number = 9;
	int r;
	csysi_os_token_nap_ns = SHORT_NAP;
	prepare_sender(unused);
	csys_poll_item item = { .waitable = csys_shared_sender_waitable(sender) };
	do
		r = csys_poll(&item, 1, CSYS_FOREVER);
	while (r >= 0 &&
	       (r = csys_shared_sender_try_send(sender, &number, sizeof number)) == CSYS_EAGAIN);
	return r == 0 ? 0 : r == CSYS_EDISCONNECTED ? DISCONNECTED : -1;
}

static void start_receiver_in_loop(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	sleeper = traced_sleeper_start(receive_number_in_loop, NULL);
}

static void start_sender_in_loop(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	sleeper = traced_sleeper_start(send_number_in_loop, NULL);
}

static void start_receiver(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	sleeper = traced_sleeper_start(receive_number, NULL);
}

static void start_quick_receiver(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	sleeper = traced_sleeper_start(receive_second_number, NULL);
}

static void start_sender(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	sleeper = traced_sleeper_start(send_number, NULL);
}

/* The victim sleeps, and goes on. */
static void send_to_it(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	prepare_sender(unused);
	send_one(unused);
	csys_shared_sender_close(sender);
	sender = NULL;
}

static void receive_from_it(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	prepare_receiver(unused);
	for (int i = 0; i < CAPACITY / 4; i++)
		receive_one(unused);
}

/* ---- checks ------------------------------------------------------------------------------- */

static void look(void *unused, const struct traced_victim *victim)
{
	const struct csysi_shared_ring *ring = MEMORY;
	uint64_t position = csysi_load_acquire(&ring->head);
	uint64_t end = position + 2 * CAPACITY;
	(void)unused;
	(void)victim;
	memset(&seen, 0, sizeof seen);
	seen.has_room = csys_shared_channel_len(channel) < CAPACITY;
	for (; position < end; position++) {
		struct csysi_shared_spot spot = csysi_spot_of(channel, position);
		uint64_t state = csysi_load_acquire(&spot.place->state);
		int laps = csysi_spot_laps(&spot, state);
		if (laps < 0 || (laps == 0 && csysi_place_kind(state) == CSYSI_PLACE_FREE))
			break;
		/* Of an earlier receiver; or it comes to nothing with the victim. */
		if (laps > 0 || csysi_place_kind(state) != CSYSI_PLACE_READY)
			continue;
		if (seen.count == 0)
			seen.is_peeked = csysi_load_acquire(&ring->peeked) == position + 1;
		memcpy(&seen.numbers[seen.count++], spot.place->data, sizeof(uint64_t));
	}
}

/* Receive what is there, and see that it is what was seen; and all can be used afterwards. */
static void check_rest(int from)
{
	open_receiver();
	for (int i = from; i < seen.count; i++)
		get_as(seen.numbers[i], i == 0 && seen.is_peeked ? CSYS_REDELIVERED : 0);
	assert_true(get_within(CSYS_POLL) < 0);
	csys_shared_sender_close(sender);
	open_sender();
	for (int lap = 0; lap < 3; lap++) {
		for (uint64_t i = 0; i < CAPACITY; i++)
			assert_int_equal(try_put(i), 0);
		assert_int_equal(try_put(0), CSYS_EAGAIN);
		for (uint64_t i = 0; i < CAPACITY; i++)
			get(i);
	}
	csys_shared_sender_close(sender);
	sender = NULL;
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}

static void check(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	check_rest(0);
}

/* The sleeper has received the first one, or was told that none comes. */
static void check_receiver(void *unused, const struct traced_victim *victim)
{
	const struct csysi_shared_ring *ring = MEMORY;
	(void)unused;
	(void)victim;
	/* It may have been received before the look; and none comes if the victim has had no end,
	 * but another one may come: the tester's. */
	if (seen.count == 0 && csysi_load_acquire(&ring->opened) == 0 &&
	    !traced_peer_is_over(&sleeper)) {
		open_sender();
		put(1);
		seen.count = 1;
		seen.numbers[0] = 1;
	}
	int result = traced_peer_result(&sleeper);
	if (seen.count > 0 && seen.numbers[0] == 1) {
		assert_int_equal(result, 1);
		check_rest(1);
	} else {
		assert_true(result == 1 || (seen.count == 0 && result == DISCONNECTED));
		check_rest(0);
	}
}

/* The sleeper has sent if there was room, or was told that the receiver is dead. */
static void check_sender(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	int result = traced_peer_result(&sleeper);
	if (seen.has_room)
		assert_int_equal(result, 0);
	/* What it has sent by the look is in that. */
	if (result == 0 && (seen.count == 0 || seen.numbers[seen.count - 1] != 9)) {
		assert_true(seen.count < CAPACITY);
		seen.numbers[seen.count++] = 9;
	}
	check_rest(0);
}

/* The tester is the receiver: what the victim has sent comes behind what was there. */
static void check_woken_sender(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	csys_shared_receiver_close(receiver);
	receiver = NULL;
	check_rest(0);
}

/* ---- walks -------------------------------------------------------------------------------- */

static const struct traced_walk walks[] = {
	REGION_WALK("send", begin, prepare_sender, start_receiver, send_one, look, check_receiver),
	REGION_WALK("send, single", begin_single, prepare_sender, start_receiver, send_one, look,
		    check_receiver),
	REGION_WALK("send to a loop", begin, prepare_sender, start_receiver_in_loop, send_one, look,
		    check_receiver),
	REGION_WALK("send one more", begin, prepare_quick_sender, start_quick_receiver, send_one,
		    look, check_receiver),
	REGION_WALK("send one more, single", begin_single, prepare_quick_sender,
		    start_quick_receiver, send_one, look, check_receiver),
	REGION_WALK("send a lap", begin, prepare_quick_sender, NULL, send_a_lap, look, check),
	REGION_WALK("send a lap, single", begin_single, prepare_quick_sender, NULL, send_a_lap,
		    look, check),
	REGION_WALK("send a batch", begin, prepare_sender, NULL, send_batch, look, check),
	REGION_WALK("send a batch, single", begin_single, prepare_sender, NULL, send_batch, look,
		    check),
	REGION_WALK("commit and abort", begin, prepare_sender, start_receiver, commit_and_abort,
		    look, check_receiver),
	REGION_WALK("commit and abort, single", begin_single, prepare_sender, NULL,
		    commit_and_abort, look, check),
	REGION_WALK("receive", begin_with_some, prepare_receiver, NULL, receive_one, look, check),
	REGION_WALK("receive three more", begin_with_some, prepare_quick_receiver, NULL,
		    receive_three, look, check),
	REGION_WALK("receive behind gaps", begin_with_gaps, prepare_receiver, NULL, receive_one,
		    look, check),
	REGION_WALK("receive a batch", begin_full, prepare_receiver, start_sender, receive_batch,
		    look, check_sender),
	REGION_WALK("peek and release", begin_with_some, prepare_receiver, NULL, peek_and_release,
		    look, check),
};

/* Of the whole form: a thread attaches and detaches in these, which takes thousands of steps. */
static const struct traced_walk long_walks[] = {
	REGION_WALK("open, send and close", begin, NULL, start_receiver, open_send_and_close, look,
		    check_receiver),
	REGION_WALK("open, send to a loop and close", begin, NULL, start_receiver_in_loop,
		    open_send_and_close, look, check_receiver),
	REGION_WALK("receive from a loop", begin_full, prepare_receiver, start_sender_in_loop,
		    receive_batch, look, check_sender),
	REGION_WALK("open, receive and close", begin_with_some, NULL, NULL, open_receive_and_close,
		    look, check),
};

/* The victim sleeps in these. */
static const struct traced_walk sleeps[] = {
	REGION_SLEEP("be woken by a send", begin, prepare_receiver, receive_one, send_to_it, look,
		     check),
	REGION_SLEEP("be woken by a release", begin_full, prepare_sender, send_one, receive_from_it,
		     look, check_woken_sender),
};

static void a_process_that_is_killed_at_any_instruction_loses_no_message(void **state)
{
	(void)state;
	WALK_IN_EACH_WAY(walks, sleeps);
	if (traced_is_whole())
		walk_in_each_way(long_walks, sizeof long_walks / sizeof *long_walks, NULL, 0);
	csys_shared_channel_close(channel);
}

int main(int argc, char **argv)
{
	traced_arguments(argc, argv);
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_process_that_is_killed_at_any_instruction_loses_no_message),
	};
	return RUN(tests);
}
