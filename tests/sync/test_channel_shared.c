/*
 * sync/test_channel_shared.c - promises of csys/sync/channel.h: several threads.
 */
#define _XOPEN_SOURCE 700
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/page.h"
#include "support/thread.h"
#include "sync/channel.h"

enum { MOST_THREADS = 4, EACH = 3000 };

/* A message of these tests: its thread and its place in what that has sent. */
static uint64_t number_by(int thread, uint64_t place)
{
	return (uint64_t)thread << 32 | place;
}

struct party {
	struct channel channel;
	int has_clones;
	uint32_t each;     /* how many messages a sender sends, EACH at most */
	uint32_t threads;  /* atomic: that have begun */
	uint32_t received; /* atomic */
	uint32_t left;     /* atomic: sends that are to come */
	uint32_t wrong;    /* atomic */
	uint32_t seen[MOST_THREADS][EACH];
};

static void *send_theirs(void *argument)
{
	struct party *party = argument;
	int thread = (int)csysi_add_relaxed(&party->threads, 1) - 1;
	csys_sender *tx = party->channel.tx;
	unsigned char value[MOST_SIZE];
	if (party->has_clones)
		tx = csys_sender_clone(tx);
	for (uint64_t i = 0; i < party->each; i++) {
		fill(value, party->channel.shape.size, number_by(thread, i));
		int r = i % 5 == 0 ? csys_sender_try_send(tx, value) : CSYS_EAGAIN;
		while (r == CSYS_EAGAIN || r == CSYS_ETIMEDOUT)
			r = csys_sender_send_until(tx, value,
						   i % 3 ? CSYS_FOREVER : csys_after_us(5));
		CHECK(r == 0);
	}
	if (party->has_clones)
		csys_sender_close(tx);
	return NULL;
}

static void *receive_theirs(void *argument)
{
	struct party *party = argument;
	unsigned char value[MOST_SIZE];
	uint64_t next[MOST_THREADS] = { 0 };
	int r;
	while ((r = csys_receiver_recv(party->channel.rx, value)) == 0) {
		uint64_t number = number_of(value);
		uint64_t thread = number >> 32, place = number & 0xffffffff;
		if (thread >= MOST_THREADS || place >= party->each || place < next[thread] ||
		    !is_message(value, party->channel.shape.size, number)) {
			csysi_add_relaxed(&party->wrong, 1);
			continue;
		}
		next[thread] = place + 1; /* one receiver sees no later one before an earlier one */
		csysi_add_relaxed(&party->seen[thread][place], 1);
		csysi_add_relaxed(&party->received, 1);
	}
	CHECK(r == CSYS_EDISCONNECTED);
	return NULL;
}

static void assert_all_arrive(const struct shape *shape, int senders, int receivers, int has_clones,
			      int many_receivers)
{
	static struct party party;
	pthread_t sending[MOST_THREADS], receiving[MOST_THREADS];
	memset(&party, 0, sizeof party);
	party.has_clones = has_clones;
	party.each = is_watched() ? EACH / 4 : EACH;
	open_channel_with(&party.channel, shape,
			  (csys_channel_options){ .many_receivers = many_receivers });
	for (int i = 0; i < senders; i++)
		assert_int_equal(pthread_create(&sending[i], NULL, send_theirs, &party), 0);
	for (int i = 0; i < receivers; i++)
		assert_int_equal(pthread_create(&receiving[i], NULL, receive_theirs, &party), 0);
	for (int i = 0; i < senders; i++)
		pthread_join(sending[i], NULL);
	csys_sender_close(party.channel.tx);
	for (int i = 0; i < receivers; i++)
		pthread_join(receiving[i], NULL);
	assert_int_equal(party.wrong, 0);
	assert_int_equal(party.received, (uint32_t)senders * party.each);
	for (int i = 0; i < senders; i++)
		for (uint32_t j = 0; j < party.each; j++)
			assert_int_equal(party.seen[i][j], 1);
	csys_receiver_close(party.channel.rx);
	assert_int_equal(party.channel.drops.count, 0);
}

static const struct shape shared_shapes[] = {
	{ 8, 0, CSYS_UNBOUNDED },
	{ 17, 0, CSYS_UNBOUNDED },
	{ 5000, 0, CSYS_UNBOUNDED },
	{ 8, 0, 1 },
	{ 64, 0, 3 },
	{ 8, 0, 1024 },
	{ 512, 0, 1024 },
	{ 24, 0, 0 },
};
#define SHARED_SHAPES (sizeof shared_shapes / sizeof *shared_shapes)

static void each_of_several_senders_keeps_its_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHARED_SHAPES; i++)
		assert_all_arrive(&shared_shapes[i], 1 + (int)i % MOST_THREADS, 1, 1, 0);
}

static void one_sender_may_be_used_by_several_threads_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHARED_SHAPES; i++)
		assert_all_arrive(&shared_shapes[i], 2 + (int)i % 3, 1, 0, 0);
}

static void one_receiver_may_be_used_by_several_threads_at_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHARED_SHAPES; i++)
		assert_all_arrive(&shared_shapes[i], 1 + (int)i % 2, 2 + (int)i % 3, i % 2, 0);
}

static void a_channel_for_many_receivers_serves_all_of_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < SHARED_SHAPES; i++)
		assert_all_arrive(&shared_shapes[i], 1 + (int)i % 4, 1 + (int)(i + 1) % 4, i % 2,
				  1);
}

/* ---- ends that go from thread to thread -------------------------------------------------- */

struct turn {
	struct channel *channel;
	uint64_t first, count;
};

static void *send_in_turn(void *argument)
{
	struct turn *turn = argument;
	for (uint64_t i = 0; i < turn->count; i++)
		CHECK(send_number(turn->channel->tx, turn->channel->shape.size, turn->first + i) ==
		      0);
	return NULL;
}

static void *receive_in_turn(void *argument)
{
	struct turn *turn = argument;
	unsigned char value[MOST_SIZE];
	for (uint64_t i = 0; i < turn->count; i++) {
		CHECK(csys_receiver_try_recv(turn->channel->rx, value) == 0);
		CHECK(is_message(value, turn->channel->shape.size, turn->first + i));
	}
	return NULL;
}

/* Each thread is a new one, often with the memory of the one before. */
static void ends_may_go_from_thread_to_thread(const struct shape *shape)
{
	struct channel channel;
	uint64_t most = many(shape), first = 0;
	open_channel(&channel, shape);
	for (int round = 0; round < 6; round++) {
		struct turn turn = { &channel, first, most };
		if (round % 3 == 0)
			send_in_turn(&turn);
		else
			run_threads(1, send_in_turn, &turn);
		if (round % 3 == 1)
			receive_in_turn(&turn);
		else
			run_threads(1, receive_in_turn, &turn);
		first += most;
	}
	assert_empty(&channel);
	assert_sends_all(&channel, first, most);
	channel.drops.next = first;
	close_channel(&channel);
	assert_drops(&channel, first, (uint32_t)most);
}

/* Two threads take turns for each message, so that the side changes hands all the time. */
struct pair {
	struct channel channel;
	csys_semaphore may[2];
};

static void *send_every_second(void *argument)
{
	struct pair *pair = argument;
	for (uint64_t i = 1; i < 400; i += 2) {
		csys_semaphore_wait(&pair->may[1]);
		CHECK(send_number(pair->channel.tx, pair->channel.shape.size, i) == 0);
		CHECK(csys_semaphore_post(&pair->may[0], 1) >= 0);
	}
	return NULL;
}

static void two_threads_may_send_by_one_sender_in_turn(const struct shape *shape)
{
	struct pair pair;
	pthread_t thread;
	memset(&pair, 0, sizeof pair);
	open_channel(&pair.channel, shape);
	assert_int_equal(pthread_create(&thread, NULL, send_every_second, &pair), 0);
	for (uint64_t i = 0; i < 400; i += 2) {
		assert_sends(&pair.channel, i);
		if (shape->capacity == 1)
			assert_receives(&pair.channel, i);
		assert_true(csys_semaphore_post(&pair.may[1], 1) >= 0);
		csys_semaphore_wait(&pair.may[0]);
		if (shape->capacity != 1)
			assert_receives(&pair.channel, i);
		assert_receives(&pair.channel, i + 1);
	}
	pthread_join(thread, NULL);
	close_channel(&pair.channel);
}

/* ---- what is seen ------------------------------------------------------------------------ */

struct plain {
	int numbers[8]; /* not atomic: the channel orders them */
};

struct link {
	csys_sender *tx;
	csys_receiver *rx;
	struct plain *back;
};

static void *read_and_change(void *argument)
{
	struct link *link = argument;
	struct plain *plain;
	for (int n = 0; n < 1000; n++) {
		CHECK(csys_receiver_recv(link->rx, &plain) == 0);
		for (int i = 0; i < 8; i++)
			CHECK(plain->numbers[i] == n + i);
		free(plain);
	}
	return NULL;
}

static void what_was_done_before_a_send_is_seen_after_its_receive(void **state)
{
	(void)state;
	const size_t all[] = { CSYS_UNBOUNDED, 1, 64, 0 };
	for (size_t c = 0; c < 4; c++) {
		struct link link;
		pthread_t thread;
		assert_int_equal(
			csys_channel_new(sizeof(struct plain *), all[c], NULL, &link.tx, &link.rx),
			0);
		assert_int_equal(pthread_create(&thread, NULL, read_and_change, &link), 0);
		for (int n = 0; n < 1000; n++) {
			struct plain *plain = malloc(sizeof *plain);
			assert_non_null(plain);
			for (int i = 0; i < 8; i++)
				plain->numbers[i] = n + i;
			assert_int_equal(csys_sender_send(link.tx, &plain), 0);
		}
		pthread_join(thread, NULL);
		csys_sender_close(link.tx);
		csys_receiver_close(link.rx);
	}
}

static void *close_the_last_sender(void *argument)
{
	struct link *link = argument;
	for (int i = 0; i < 8; i++)
		link->back->numbers[i] = i;
	csys_sender_close(link->tx);
	return NULL;
}

static void what_was_done_before_the_last_close_is_seen_after_it(void **state)
{
	(void)state;
	const size_t all[] = { CSYS_UNBOUNDED, 64, 0 };
	for (size_t c = 0; c < 3; c++) {
		struct plain plain = { { 0 } };
		struct link link = { NULL, NULL, &plain };
		pthread_t thread;
		int value;
		assert_int_equal(csys_channel_new(sizeof value, all[c], NULL, &link.tx, &link.rx),
				 0);
		assert_int_equal(pthread_create(&thread, NULL, close_the_last_sender, &link), 0);
		assert_int_equal(csys_receiver_recv(link.rx, &value), CSYS_EDISCONNECTED);
		for (int i = 0; i < 8; i++)
			assert_int_equal(plain.numbers[i], i);
		csys_receiver_close(link.rx);
		pthread_join(thread, NULL);
	}
}

/* ---- threads that are there at once ------------------------------------------------------- */

enum { USERS = CSYSI_CHANNEL_SEATS + 1 };

struct users {
	struct channel *channel;
	uint32_t turn; /* atomic: which of them may use the channel; it ends when all have */
	uint32_t next; /* atomic */
};

static void *use_in_turn(void *argument)
{
	struct users *users = argument;
	uint32_t mine = csysi_add_relaxed(&users->next, 1) - 1;
	while (csysi_load_acquire(&users->turn) != mine)
		sched_yield();
	assert_sends_all(users->channel, mine, 1);
	assert_receives_all(users->channel, mine, 1);
	csysi_store_release(&users->turn, mine + 1);
	while (csysi_load_acquire(&users->turn) != USERS)
		sched_yield();
	return NULL;
}

static void a_side_that_many_threads_have_used_has_no_owner(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	struct users users = { &channel, 0, 0 };
	const struct csysi_channel *c = csysi_channel_of_sender(channel.tx);
	run_threads(USERS, use_in_turn, &users);
	assert_true(csysi_load_relaxed(&c->tx_is_shared));
	assert_true(csysi_load_relaxed(&c->rx_is_shared));
	close_channel(&channel);
}

/* ---- an unbounded channel with several receivers ------------------------------------------- */

/* So that its receivers claim messages. */
static void open_for_several(struct channel *channel, const struct shape *shape)
{
	open_channel_with(channel, shape, (csys_channel_options){ .many_receivers = 1 });
	struct csysi_channel *c = csysi_channel_of_receiver(channel->rx);
	assert_int_equal(csysi_channel_share(c, &c->rx_owner, &c->rx_is_shared), 0);
}

/* The next receive leaves the block, or the close does. */
static void what_is_queued_behind_a_block_that_was_received_is_destroyed(const struct shape *shape)
{
	struct channel channel;
	/* Blocks have so many slots, by size; two more numbers beside it. */
	const uint64_t slots[] = { 3, 15, 63, 255 };
	for (size_t i = 0; i < 4; i++)
		for (uint64_t received = slots[i] - 1; received <= slots[i] + 1; received++) {
			open_for_several(&channel, shape);
			assert_sends_all(&channel, 0, received);
			assert_receives_all(&channel, 0, received);
			assert_int_equal(csys_receiver_len(channel.rx), 0);
			assert_sends_all(&channel, received, 5);
			assert_int_equal(csys_receiver_len(channel.rx), 5);
			channel.drops.next = received;
			csys_receiver_close(channel.rx);
			csys_sender_close(channel.tx);
			assert_drops(&channel, received, 5);
		}
}

static struct channel *copied;
static uint32_t is_copying, is_over;        /* atomic */
enum { BEHIND = 401, PAGE_MESSAGE = 4000 }; /* the last block is not full */

/* By one of the calls, which the number chooses. */
static int receive_one(csys_receiver *rx, void *value, uint64_t number)
{
	size_t count = 1;
	int r = number % 2 ? csys_receiver_try_recv(rx, value)
			   : csys_receiver_recv_batch(rx, value, 1, CSYS_POLL, &count);
	CHECK(count == 1);
	return r;
}

static void receive_checked(uint64_t i)
{
	unsigned char value[PAGE_MESSAGE];
	CHECK(receive_one(copied->rx, value, i) == 0);
	CHECK(is_message(value, sizeof value, i));
}

/* When message 0 is being copied. */
static void *receive_all_behind(void *argument)
{
	unsigned char value[PAGE_MESSAGE];
	while (!csysi_load_acquire(&is_copying))
		take_a_nap();
	for (uint64_t i = 1; i < BEHIND; i++)
		receive_checked(i);
	/* So many that all blocks are used again that were given back. */
	for (uint64_t i = BEHIND; i < 3 * BEHIND; i++) {
		fill(value, sizeof value, i);
		CHECK(csys_sender_try_send(copied->tx, value) == 0);
	}
	for (uint64_t i = BEHIND; i < 3 * BEHIND; i++)
		receive_checked(i);
	csysi_store_release(&is_over, 1);
	return argument;
}

/* In the midst of that copy. */
static void let_others_receive(void)
{
	csysi_store_release(&is_copying, 1);
	while (!csysi_load_acquire(&is_over))
		take_a_nap();
}

/* Its block is left meanwhile, and what is sent then must not come to its slots.  Nor does the
 * receiver that copies keep the others waiting, whichever call it is in. */
static void assert_it_stays(uint64_t call)
{
	const struct shape shape = { PAGE_MESSAGE, 0, CSYS_UNBOUNDED };
	struct channel channel;
	pthread_t thread;
	char *page = map_page(let_others_receive);
	copied = &channel;
	is_copying = is_over = 0;
	open_for_several(&channel, &shape);
	assert_sends_all(&channel, 0, BEHIND);
	assert_int_equal(pthread_create(&thread, NULL, receive_all_behind, NULL), 0);
	guard_page();
	assert_int_equal(receive_one(channel.rx, page, call), 0);
	pthread_join(thread, NULL);
	assert_true(is_message(page, PAGE_MESSAGE, 0));
	assert_empty(&channel);
	/* Its block is left, and not given back: the close of either end does that. */
	if (call == 0)
		csys_receiver_close(channel.rx);
	csys_sender_close(channel.tx);
	if (call != 0)
		csys_receiver_close(channel.rx);
	unmap_page();
}

static void a_message_stays_while_it_is_copied_though_others_receive_on(void **state)
{
	(void)state;
	for (uint64_t call = 0; call < 2; call++)
		assert_it_stays(call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ON(OF_UNBOUNDED, what_is_queued_behind_a_block_that_was_received_is_destroyed),
		TEST_ONE(a_message_stays_while_it_is_copied_though_others_receive_on),
		TEST_ONE(each_of_several_senders_keeps_its_order),
		TEST_ONE(one_sender_may_be_used_by_several_threads_at_once),
		TEST_ONE(one_receiver_may_be_used_by_several_threads_at_once),
		TEST_ONE(a_channel_for_many_receivers_serves_all_of_them),
		TEST_ON(OF_QUEUES, ends_may_go_from_thread_to_thread),
		TEST_ON(OF_QUEUES, a_side_that_many_threads_have_used_has_no_owner),
		TEST_ON(OF_QUEUES, two_threads_may_send_by_one_sender_in_turn),
		TEST_ONE(what_was_done_before_a_send_is_seen_after_its_receive),
		TEST_ONE(what_was_done_before_the_last_close_is_seen_after_it),
	};
	count_memory();
	share_receivers();
	return RUN(tests);
}
