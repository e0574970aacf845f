/*
 * sync/test_channel_process.c - promises of csys/sync/channel.h: signals, cancellation, ends of
 * threads, and forks.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "support/thread.h"

static struct call call; /* large */

/* ---- signals ----------------------------------------------------------------------------- */

static uint32_t signals; /* atomic: that were handled */

static void count_signal(int number)
{
	(void)number;
	csysi_add_relaxed(&signals, 1);
}

static void signal_it(struct call *to)
{
	uint32_t before = csysi_load_relaxed(&signals);
	assert_int_equal(pthread_kill(to->thread, SIGUSR1), 0);
	while (csysi_load_relaxed(&signals) == before)
		take_a_nap();
}

static void a_signal_does_not_end_a_wait(const struct shape *shape)
{
	struct channel channel;
	struct sigaction action, before;
	memset(&action, 0, sizeof action);
	action.sa_handler = count_signal; /* without SA_RESTART */
	assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
	open_channel(&channel, shape);

	begin_recv(&call, &channel, csys_after_s(1000));
	for (int i = 0; i < 3; i++) {
		await_sleep(&call);
		signal_it(&call);
	}
	await_sleep(&call);
	if (is_rendezvous(shape))
		assert_int_equal(send_number(channel.tx, shape->size, 4), 0); /* it waits */
	else
		assert_sends(&channel, 4);
	end_recv(&call, 4);

	if (!is_unbounded(shape)) {
		assert_sends_all(&channel, 0, shape->capacity);
		begin_send(&call, &channel, shape->capacity, CSYS_FOREVER);
		for (int i = 0; i < 3; i++) {
			await_sleep(&call);
			signal_it(&call);
		}
		await_sleep(&call);
		assert_receives_all(&channel, 0, shape->capacity);
		if (!is_rendezvous(shape)) {
			assert_int_equal(end_call(&call), 0);
			assert_receives(&channel, shape->capacity);
		} else {
			assert_receives(&channel, 0);
			assert_int_equal(end_call(&call), 0);
		}
	}
	close_channel(&channel);
	assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

/* ---- cancellation ------------------------------------------------------------------------ */

struct cancelled {
	struct channel *channel;
	int is_receiver;
	int waits;             /* the cancellation comes while it waits; else before */
	uint32_t has_begun;    /* atomic */
	uint32_t has_returned; /* atomic */
	int result;
	unsigned char value[MOST_SIZE];
};

static void *wait_though_cancelled(void *argument)
{
	struct cancelled *c = argument;
	size_t count;
	if (!c->waits)
		pthread_cancel(pthread_self());
	csysi_store_release(&c->has_begun, 1);
	if (c->is_receiver)
		c->result = csys_receiver_recv(c->channel->rx, c->value);
	else
		c->result =
			csys_sender_send_batch(c->channel->tx, c->value, 1, CSYS_FOREVER, &count);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &(int){ 0 });
	csysi_store_release(&c->has_returned, 1);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &(int){ 0 });
	pthread_testcancel();
	return NULL;
}

static void begin_cancelled(struct cancelled *c, struct channel *channel, int is_receiver,
			    int waits, pthread_t *out_thread)
{
	memset(c, 0, sizeof *c);
	c->channel = channel;
	c->is_receiver = is_receiver;
	c->waits = waits;
	if (!is_receiver)
		fill(c->value, channel->shape.size, 9);
	assert_int_equal(pthread_create(out_thread, NULL, wait_though_cancelled, c), 0);
	while (!csysi_load_acquire(&c->has_begun))
		take_a_nap();
	for (int i = 0; i < 5; i++)
		take_a_nap();
	if (waits)
		assert_int_equal(pthread_cancel(*out_thread), 0);
	for (int i = 0; i < 5; i++)
		take_a_nap();
	assert_int_equal(csysi_load_acquire(&c->has_returned), 0);
}

static void end_cancelled(struct cancelled *c, pthread_t thread)
{
	void *came_back = NULL;
	pthread_join(thread, &came_back);
	assert_ptr_equal(came_back, PTHREAD_CANCELED); /* at its own next point */
	assert_int_equal(c->has_returned, 1);
	assert_int_equal(c->result, 0);
	assert_true(is_message(c->value, c->channel->shape.size, 9));
}

static void no_wait_is_a_cancellation_point(const struct shape *shape)
{
	static struct cancelled c;
	struct channel channel;
	unsigned char value[MOST_SIZE];
	pthread_t thread;
	if (WITH_ASAN)
		skip_because("AddressSanitizer takes the stack of a cancelled thread for broken");
	open_channel(&channel, shape);
	for (int waits = 0; waits < 2; waits++) {
		begin_cancelled(&c, &channel, 1, waits, &thread);
		fill(value, shape->size, 9);
		assert_int_equal(csys_sender_send(channel.tx, value), 0);
		end_cancelled(&c, thread);
		assert_empty(&channel); /* it took one, and that is not lost */
		if (is_unbounded(shape))
			continue;
		assert_sends_all(&channel, 9, shape->capacity);
		begin_cancelled(&c, &channel, 0, waits, &thread);
		for (size_t i = 0; i < shape->capacity + 1; i++)
			assert_int_equal(csys_receiver_recv(channel.rx, value), 0);
		end_cancelled(&c, thread);
		assert_true(is_message(value, shape->size, 9));
		assert_empty(&channel);
	}
	close_channel(&channel);
	assert_int_equal(channel.drops.count, 0);
}

/* ---- ends of threads --------------------------------------------------------------------- */

static void *use_both_ends(void *argument)
{
	struct channel *channel = argument;
	for (uint64_t i = 0; i < 600; i++) {
		CHECK(send_number(channel->tx, channel->shape.size, i) == 0);
		unsigned char value[MOST_SIZE];
		CHECK(csys_receiver_try_recv(channel->rx, value) == 0);
	}
	CHECK(send_number(channel->tx, channel->shape.size, 3) == 0);
	pthread_exit(NULL);
}

/* Such a thread may be the one for which the channel is fastest. */
static void a_thread_that_has_ended_leaves_its_ends_to_others(const struct shape *shape)
{
	struct channel channel;
	open_channel(&channel, shape);
	for (int i = 0; i < 3; i++) {
		run_threads(1, use_both_ends, &channel);
		assert_receives(&channel, 3);
		for (uint64_t n = 0; n < 600; n++) {
			assert_sends(&channel, n);
			assert_receives(&channel, n);
		}
	}
	close_channel(&channel);
}

/* ---- forks ------------------------------------------------------------------------------- */

static struct channel forked, full, used;

/* To which the channels that a child leaves as they are look lost: they are known by an address
 * inside of what was allocated. */
static void skip_under_memcheck(void)
{
	if (under_valgrind())
		skip_because("memcheck takes the channels of the parent for lost in a child");
}

static void close_all_in_the_child(void)
{
	csys_receiver_close(forked.rx);
	CHECK(forked.drops.count == 0); /* nothing is destroyed here */
	csys_sender_close(forked.tx);
	csys_sender_close(full.tx);
	csys_receiver_close(full.rx);
	CHECK(full.drops.count == 0);
	{
		CSYS_AUTO(csys_sender) tx = used.tx;
		CSYS_AUTO(csys_receiver) rx = used.rx;
		(void)tx;
		(void)rx;
	}
	CHECK(used.drops.count == 0);
	/* Channels that the child makes are its own. */
	struct channel own;
	const struct shape shape = { 8, 0, 1 };
	open_channel(&own, &shape);
	CHECK(send_number(own.tx, 8, 1) == 0);
	csys_receiver_close(own.rx);
	CHECK(own.drops.count == 1);
	CHECK(send_number(own.tx, 8, 1) == CSYS_EDISCONNECTED);
	csys_sender_close(own.tx);
}

static void closing_an_end_in_a_child_does_nothing_and_the_parent_goes_on(const struct shape *shape)
{
	skip_under_memcheck();
	open_channel(&forked, shape);
	open_channel(&full, shape);
	open_channel(&used, shape);
	uint64_t queued = is_rendezvous(shape) ? 0 : many(shape);
	assert_sends_all(&full, 0, queued);
	if (!is_rendezvous(shape)) {
		assert_sends(&used, 0);
		assert_receives(&used, 0);
	}
	begin_recv(&call, &forked, CSYS_FOREVER); /* a thread waits at the fork */
	await_sleep(&call);
	in_child(close_all_in_the_child);
	if (is_rendezvous(shape))
		assert_int_equal(send_number(forked.tx, shape->size, 4), 0);
	else
		assert_sends(&forked, 4);
	end_recv(&call, 4);
	assert_empty(&forked);
	assert_receives_all(&full, 0, queued);
	assert_empty(&full);
	assert_empty(&used);
	close_channel(&forked);
	close_channel(&full);
	close_channel(&used);
	assert_int_equal(forked.drops.count + full.drops.count + used.drops.count, 0);
}

static uint32_t is_over; /* atomic */

static void *send_and_receive_on(void *argument)
{
	struct channel *channel = argument;
	unsigned char value[MOST_SIZE];
	for (uint64_t i = 0; !csysi_load_acquire(&is_over); i++) {
		fill(value, channel->shape.size, i);
		CHECK(csys_sender_send(channel->tx, value) == 0);
		CHECK(csys_receiver_recv(channel->rx, value) == 0);
		csys_sender_close(csys_sender_clone(channel->tx));
	}
	return NULL;
}

static void close_in_the_child(void)
{
	csys_sender_close(used.tx);
	csys_receiver_close(used.rx);
}

/* Its locks may be held by threads that the child does not have. */
static void a_channel_in_use_can_be_closed_in_a_child(void **state)
{
	(void)state;
	const struct shape shapes[] = { { 8, 0, CSYS_UNBOUNDED }, { 8, 0, 2 } };
	skip_under_memcheck();
	for (size_t i = 0; i < 2; i++) {
		pthread_t threads[2];
		open_channel(&used, &shapes[i]);
		csysi_store_release(&is_over, 0);
		for (int t = 0; t < 2; t++)
			assert_int_equal(
				pthread_create(&threads[t], NULL, send_and_receive_on, &used), 0);
		for (int n = 0; n < 20; n++)
			in_child(close_in_the_child);
		csysi_store_release(&is_over, 1);
		for (int t = 0; t < 2; t++)
			pthread_join(threads[t], NULL);
		assert_empty(&used);
		close_channel(&used);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ON(OF_ALL, a_signal_does_not_end_a_wait),
		TEST_ON(OF_ALL, no_wait_is_a_cancellation_point),
		TEST_ON(OF_QUEUES, a_thread_that_has_ended_leaves_its_ends_to_others),
		TEST_ON(OF_ALL, closing_an_end_in_a_child_does_nothing_and_the_parent_goes_on),
		TEST_ONE(a_channel_in_use_can_be_closed_in_a_child),
	};
	count_memory();
	share_receivers();
	return RUN(tests);
}
