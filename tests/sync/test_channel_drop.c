/*
 * sync/test_channel_drop.c - promises of csys/sync/channel.h: the drop callback, and what it may
 * do.
 */
#define _XOPEN_SOURCE 700
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/thread.h"

/* What the callback does with the channel that it is called by. */
struct user {
	struct channel channel;
	void (*use)(struct user *user, uint64_t number);
	uint32_t dropped;
	uint32_t received;
	uint64_t next;
};

static void use_it(void *value, void *argument)
{
	struct user *user = argument;
	uint64_t number;
	memcpy(&number, value, sizeof number);
	user->dropped++;
	user->use(user, number);
}

static const size_t capacities[] = { CSYS_UNBOUNDED, 300 };

/* Queue 300 messages in a channel whose callback does this. */
static void open_used(struct user *user, size_t capacity,
		      void (*use)(struct user *user, uint64_t number))
{
	csys_channel_options options = { 0 };
	memset(user, 0, sizeof *user);
	user->use = use;
	user->channel.shape = (struct shape){ sizeof(uint64_t), 0, capacity };
	options.drop = use_it;
	options.drop_argument = user;
	assert_int_equal(csys_channel_new(sizeof(uint64_t), capacity, &options, &user->channel.tx,
					  &user->channel.rx),
			 0);
	for (uint64_t i = 0; i < 300; i++)
		assert_int_equal(csys_sender_send(user->channel.tx, &i), 0);
}

static void send_and_ask(struct user *user, uint64_t number)
{
	csys_sender *tx = user->channel.tx;
	size_t sent;
	CHECK(csys_sender_try_send(tx, &number) == CSYS_EDISCONNECTED);
	CHECK(csys_sender_send(tx, &number) == CSYS_EDISCONNECTED);
	CHECK(csys_sender_send_batch(tx, &number, 1, CSYS_FOREVER, &sent) == CSYS_EDISCONNECTED);
	CHECK(csys_sender_is_disconnected(tx));
	CHECK(csys_sender_len(tx) <= 300);
	csys_sender *clone = csys_sender_clone(tx);
	csys_weak_sender *weak = csys_sender_downgrade(clone);
	csys_sender *upgraded = csys_weak_sender_upgrade(weak);
	CHECK(csys_sender_try_send(upgraded, &number) == CSYS_EDISCONNECTED);
	csys_sender_close(upgraded);
	csys_weak_sender_close(weak);
	csys_sender_close(clone);
}

static void the_callback_may_use_the_senders_of_its_channel(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct user user;
		open_used(&user, capacities[i], send_and_ask);
		csys_receiver_close(user.channel.rx);
		assert_int_equal(user.dropped, 300);
		assert_int_equal(csys_sender_len(user.channel.tx), 0);
		csys_sender_close(user.channel.tx);
		assert_int_equal(user.dropped, 300);
	}
}

static void close_the_sender(struct user *user, uint64_t number)
{
	(void)number;
	csys_sender_close(user->channel.tx);
	user->channel.tx = NULL;
}

static void the_callback_may_close_the_last_sender(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct user user;
		open_used(&user, capacities[i], close_the_sender);
		csys_receiver_close(user.channel.rx);
		assert_int_equal(user.dropped, 300);
		assert_null(user.channel.tx);
	}
}

/* ---- within csys_receiver_drain ---------------------------------------------------------- */

static void receive_another(struct user *user, uint64_t number)
{
	uint64_t other;
	(void)number;
	if (user->dropped % 3 == 0 && csys_receiver_try_recv(user->channel.rx, &other) == 0)
		user->received++;
	(void)csys_receiver_len(user->channel.rx);
}

static void drain_the_rest(struct user *user, uint64_t number)
{
	if (number == 5)
		user->received += (uint32_t)drained(user->channel.rx);
}

static void send_another(struct user *user, uint64_t number)
{
	if (number < 300 && number % 7 == 0) {
		uint64_t other = number + 1000;
		CHECK(csys_sender_try_send(user->channel.tx, &other) == 0);
	}
}

static void the_callback_of_a_drain_may_receive_from_the_same_channel(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct user user;
		open_used(&user, capacities[i], receive_another);
		size_t count = drained(user.channel.rx);
		assert_int_equal(count, user.dropped);
		assert_int_equal(user.dropped + user.received + csys_receiver_len(user.channel.rx),
				 300);
		user.use = close_the_sender;
		csys_receiver_close(user.channel.rx);
		assert_int_equal(user.dropped + user.received, 300);
		csys_sender_close(user.channel.tx);
	}
}

static void the_callback_of_a_drain_may_drain(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct user user;
		open_used(&user, capacities[i], drain_the_rest);
		size_t count = drained(user.channel.rx);
		assert_int_equal(user.dropped, 300);
		assert_int_equal(count + user.received, 300);
		csys_sender_close(user.channel.tx);
		csys_receiver_close(user.channel.rx);
	}
}

static void the_callback_of_a_drain_may_send(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct user user;
		open_used(&user, capacities[i], send_another);
		size_t count = drained(user.channel.rx);
		/* What is sent meanwhile may be destroyed, or not. */
		assert_in_range(count, 300, 300 + 43);
		assert_int_equal(count, user.dropped);
		assert_int_equal(count + csys_receiver_len(user.channel.rx), 300 + 43);
		user.use = drain_the_rest;
		csys_receiver_close(user.channel.rx);
		assert_int_equal(user.dropped, 300 + 43);
		csys_sender_close(user.channel.tx);
	}
}

/* ---- messages that own ends -------------------------------------------------------------- */

/* A request, with the end by which it is answered. */
struct request {
	csys_sender *answer;
	csys_receiver *rest;
};

static uint32_t requests_dropped;

static void drop_request(void *value, void *argument)
{
	struct request *request = value;
	(void)argument;
	requests_dropped++;
	csys_sender_close(request->answer);
	csys_receiver_close(request->rest);
}

static const csys_channel_options of_requests = { .drop = drop_request };

static void a_channel_may_hold_its_own_senders(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct request request = { NULL, NULL };
		csys_sender *tx;
		csys_receiver *rx;
		requests_dropped = 0;
		assert_int_equal(
			csys_channel_new(sizeof request, capacities[i], &of_requests, &tx, &rx), 0);
		for (int n = 0; n < 299; n++) {
			request.answer = csys_sender_clone(tx);
			assert_int_equal(csys_sender_send(tx, &request), 0);
		}
		request.answer = tx; /* and the last of them */
		assert_int_equal(csys_sender_send(tx, &request), 0);
		csys_receiver_close(rx);
		assert_int_equal(requests_dropped, 300);
	}
}

static void a_channel_may_hold_a_receiver_that_holds_another(void **state)
{
	(void)state;
	enum { DEPTH = 200 };
	struct request request = { NULL, NULL };
	requests_dropped = 0;
	for (int n = 0; n < DEPTH; n++) {
		csys_sender *tx;
		csys_receiver *rx;
		assert_int_equal(
			csys_channel_new(sizeof request, capacities[n % 2], &of_requests, &tx, &rx),
			0);
		assert_int_equal(csys_sender_send(tx, &request), 0);
		request.answer = tx; /* it holds a sender of its own channel, too */
		request.rest = rx;
	}
	drop_request(&request, NULL);
	assert_int_equal(requests_dropped, DEPTH + 1);
}

static void an_answer_finds_out_that_nobody_will_ask(void **state)
{
	(void)state;
	csys_sender *tx, *answer;
	csys_receiver *rx, *answers;
	int value = 5;
	assert_int_equal(
		csys_channel_new(sizeof(struct request), CSYS_UNBOUNDED, &of_requests, &tx, &rx),
		0);
	assert_int_equal(csys_channel_new(sizeof value, 1, NULL, &answer, &answers), 0);
	struct request request = { answer, NULL };
	assert_int_equal(csys_sender_send(tx, &request), 0);
	csys_receiver_close(rx); /* the server goes, and the request with it */
	assert_int_equal(csys_receiver_recv(answers, &value), CSYS_EDISCONNECTED);
	csys_receiver_close(answers);
	csys_sender_close(tx);
}

/* ---- on which thread, under which lock --------------------------------------------------- */

struct other {
	struct channel *channel;
	int result;
};

static void *send_from_there(void *argument)
{
	struct other *other = argument;
	uint64_t number = 1;
	csys_sender *clone = csys_sender_clone(other->channel->tx);
	other->result = csys_sender_send(clone, &number);
	csys_sender_close(clone);
	return NULL;
}

/* Another thread sends, clones and closes, and is waited for: no lock is held here. */
static void wait_for_another_thread(struct user *user, uint64_t number)
{
	if (number % 100 == 0) {
		struct other other = { &user->channel, 77 };
		run_threads(1, send_from_there, &other);
		CHECK(other.result == CSYS_EDISCONNECTED);
	}
}

static void the_callback_holds_no_lock(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct user user;
		open_used(&user, capacities[i], wait_for_another_thread);
		csys_receiver_close(user.channel.rx);
		assert_int_equal(user.dropped, 300);
		csys_sender_close(user.channel.tx);
	}
}

static void the_callback_runs_before_the_close_returns_on_its_thread(const struct shape *shape)
{
	struct channel channel; /* count_drop looks at the thread */
	open_channel(&channel, shape);
	assert_sends_all(&channel, 0, many(shape));
	csys_receiver_close(channel.rx);
	assert_drops(&channel, 0, (uint32_t)many(shape));
	csys_sender_close(channel.tx);
}

struct slow {
	csys_sender *tx;
	pthread_t closer;
	uint32_t has_begun; /* atomic */
	uint32_t dropped;   /* atomic */
};

static void drop_slowly(void *value, void *argument)
{
	struct slow *slow = argument;
	(void)value;
	if (!pthread_equal(pthread_self(), slow->closer))
		csys_thread_yield(); /* a sender, which others may have to wait for */
	csysi_add_relaxed(&slow->dropped, 1);
}

static void *send_into_the_end(void *argument)
{
	struct slow *slow = argument;
	uint64_t number = 0;
	csysi_store_release(&slow->has_begun, 1);
	while (csys_sender_send(slow->tx, &number) == 0)
		continue;
	return NULL;
}

static void what_is_queued_is_destroyed_when_the_close_returns_though_threads_send(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct slow slow = { NULL, pthread_self(), 0, 0 };
		csys_channel_options options = { .drop = drop_slowly, .drop_argument = &slow };
		csys_receiver *rx;
		pthread_t thread;
		assert_int_equal(csys_channel_new(8, 200, &options, &slow.tx, &rx), 0);
		for (uint64_t n = 0; n < 100; n++)
			assert_int_equal(csys_sender_send(slow.tx, &n), 0);
		assert_int_equal(pthread_create(&thread, NULL, send_into_the_end, &slow), 0);
		while (!csysi_load_acquire(&slow.has_begun))
			csys_thread_yield();
		size_t queued = csys_receiver_len(rx);
		csys_receiver_close(rx);
		assert_true(csysi_load_relaxed(&slow.dropped) >= queued);
		pthread_join(thread, NULL);
		csys_sender_close(slow.tx);
	}
}

static void channels_without_a_callback_destroy_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		csys_sender *tx;
		csys_receiver *rx;
		assert_int_equal(csys_channel_new(8, capacities[i], NULL, &tx, &rx), 0);
		for (uint64_t n = 0; n < 300; n++)
			assert_int_equal(csys_sender_send(tx, &n), 0);
		assert_int_equal(drained(rx), 300);
		for (uint64_t n = 0; n < 300; n++)
			assert_int_equal(csys_sender_send(tx, &n), 0);
		csys_receiver_close(rx);
		csys_sender_close(tx);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(the_callback_may_use_the_senders_of_its_channel),
		TEST_ONE(the_callback_may_close_the_last_sender),
		TEST_ONE(the_callback_of_a_drain_may_receive_from_the_same_channel),
		TEST_ONE(the_callback_of_a_drain_may_drain),
		TEST_ONE(the_callback_of_a_drain_may_send),
		TEST_ONE(a_channel_may_hold_its_own_senders),
		TEST_ONE(a_channel_may_hold_a_receiver_that_holds_another),
		TEST_ONE(an_answer_finds_out_that_nobody_will_ask),
		TEST_ONE(the_callback_holds_no_lock),
		TEST_ON(OF_QUEUES, the_callback_runs_before_the_close_returns_on_its_thread),
		TEST_ONE(what_is_queued_is_destroyed_when_the_close_returns_though_threads_send),
		TEST_ONE(channels_without_a_callback_destroy_nothing),
	};
	count_memory();
	return RUN(tests);
}
