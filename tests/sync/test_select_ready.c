/*
 * sync/test_select_ready.c - promises of csys/sync/select.h about the ready form, and of
 * csys/sync/wait_any.h about ends of channels, which wait in one way.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>

#include <csys/io/poll.h>
#include <csys/sync/channel_in_place.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "support/channel.h"
#include "support/thread.h"
#include "sync/channel.h"

struct pair {
	csys_sender *tx;
	csys_receiver *rx;
};

static struct pair make(size_t capacity)
{
	const csys_channel_options options = { .many_receivers = 1 };
	struct pair pair;
	assert_int_equal(csys_channel_new(sizeof(int), capacity, &options, &pair.tx, &pair.rx), 0);
	return pair;
}

static void unmake(struct pair pair)
{
	csys_sender_close(pair.tx);
	csys_receiver_close(pair.rx);
}

static void put(struct pair pair, int value)
{
	assert_int_equal(csys_sender_try_send(pair.tx, &value), 0);
}

static int got(struct pair pair)
{
	int value = -1;
	assert_int_equal(csys_receiver_try_recv(pair.rx, &value), 0);
	return value;
}

static csys_select_case receives(struct pair pair)
{
	return csys_select_recv(pair.rx, NULL);
}

static csys_select_case sends(struct pair pair)
{
	return csys_select_send(pair.tx, NULL);
}

/* Wait by select, or by csys_wait_any, for the first of up to 20 cases. */
enum { BY_READY, BY_WAIT_ANY, WAYS };

static int wait_by(int way, const csys_select_case *cases, size_t count, csys_deadline deadline,
		   size_t *which)
{
	csys_wait_item items[20];
	if (way == BY_READY)
		return csys_select_ready_until(cases, count, deadline, which);
	for (size_t i = 0; i < count; i++)
		items[i] = cases[i].is_send ? csys_wait_for_sender(cases[i].channel)
					    : csys_wait_for_receiver(cases[i].channel);
	return csys_wait_any_until(items, count, deadline, which);
}

static void assert_ready(const csys_select_case *cases, size_t count, size_t expected)
{
	size_t which = 77;
	assert_int_equal(csys_try_select_ready(cases, count, &which), 0);
	assert_int_equal(which, expected);
	assert_int_equal(csys_select_ready(cases, count, &which), 0);
	assert_int_equal(which, expected);
	for (int way = 0; way < WAYS; way++) {
		which = 77;
		assert_int_equal(wait_by(way, cases, count, CSYS_POLL, &which), 0);
		assert_int_equal(which, expected);
	}
}

static void assert_none(const csys_select_case *cases, size_t count)
{
	size_t which = 77;
	assert_int_equal(csys_try_select_ready(cases, count, &which), CSYS_EAGAIN);
	for (int way = 0; way < WAYS; way++) {
		assert_int_equal(wait_by(way, cases, count, CSYS_POLL, &which), CSYS_ETIMEDOUT);
		assert_int_equal(wait_by(way, cases, count, csys_after_us(50), &which),
				 CSYS_ETIMEDOUT);
	}
	assert_int_equal(which, 77);
}

/* ---- without waiting --------------------------------------------------------------------- */

static void no_cases_and_too_many_are_invalid(void **state)
{
	(void)state;
	const csys_select_case cases[1] = { { 0 } };
	const size_t counts[] = { 0, 0x1000001, SIZE_MAX };
	for (int i = 0; i < 3; i++) {
		size_t which = 77;
		assert_int_equal(csys_select_ready(cases, counts[i], &which), CSYS_EINVAL);
		assert_int_equal(csys_try_select_ready(cases, counts[i], &which), CSYS_EINVAL);
		assert_int_equal(csys_select_ready_until(cases, counts[i], CSYS_POLL, &which),
				 CSYS_EINVAL);
		assert_int_equal(which, 77);
	}
}

static void what_could_be_done_is_told_and_not_done(void **state)
{
	(void)state;
	const size_t capacities[] = { 1, 3, CSYS_UNBOUNDED };
	for (int c = 0; c < 3; c++) {
		struct pair empty = make(1), full = make(1), met = make(0),
			    pair = make(capacities[c]);
		csys_select_case cases[] = { receives(empty), sends(full), receives(met),
					     sends(met), receives(pair) };
		put(full, 4);
		assert_none(cases, 5);
		put(pair, 5);
		assert_ready(cases, 5, 4);
		assert_int_equal(csys_receiver_len(pair.rx), 1);
		assert_int_equal(got(pair), 5);
		assert_none(cases, 5);
		cases[4] = sends(pair);
		assert_ready(cases, 5, 4);
		assert_int_equal(csys_receiver_len(pair.rx), 0);
		assert_int_equal(got(full), 4);
		unmake(empty);
		unmake(full);
		unmake(met);
		unmake(pair);
	}
}

static int polls(csys_handle handle)
{
	csys_poll_item item = { .waitable = csys_waitable_reading(handle) };
	int r = csys_poll(&item, 1, CSYS_POLL);
	assert_true(r >= 0 || r == CSYS_ETIMEDOUT);
	return item.ready;
}

static void an_aborted_place_is_nothing_to_receive(void **state)
{
	(void)state;
	struct pair pair = make(4);
	const csys_select_case cases[] = { receives(pair) };
	csys_handle handle;
	for (int i = 0; i < 5; i++) {
		void *first, *second;
		assert_int_equal(csys_sender_try_reserve(pair.tx, &first), 0);
		assert_int_equal(csys_sender_try_reserve(pair.tx, &second), 0);
		csys_sender_abort(pair.tx, first);
		if (i == 3) { /* it is made late: a receiver may have left such places */
			assert_int_equal(csys_receiver_handle(pair.rx, &handle), 0);
			assert_int_equal(polls(handle), 0);
		}
		assert_none(cases, 1);
		*(int *)second = i;
		assert_int_equal(csys_sender_commit(pair.tx, second), 0);
		assert_ready(cases, 1, 0);
		assert_int_equal(got(pair), i);
		assert_none(cases, 1);
	}
	assert_int_equal(polls(handle), 0);
	unmake(pair);
}

static void a_case_whose_other_side_is_gone_is_ready(void **state)
{
	(void)state;
	const size_t capacities[] = { 0, 1, CSYS_UNBOUNDED };
	for (int c = 0; c < 3; c++) {
		struct pair idle = make(0), pair = make(capacities[c]);
		csys_select_case cases[] = { receives(idle), receives(pair) };
		csys_sender_close(pair.tx);
		assert_ready(cases, 2, 1);
		csys_receiver_close(pair.rx);
		pair = make(capacities[c]);
		cases[1] = sends(pair);
		csys_receiver_close(pair.rx);
		assert_ready(cases, 2, 1);
		csys_sender_close(pair.tx);
		unmake(idle);
	}
}

static void each_of_several_has_its_turn(void **state)
{
	(void)state;
	struct pair pairs[20];
	csys_select_case cases[20];
	int seen[20] = { 0 }, left = 20;
	for (int i = 0; i < 20; i++) {
		pairs[i] = make(1);
		cases[i] = i % 2 ? receives(pairs[i]) : sends(pairs[i]);
		if (i % 2)
			put(pairs[i], i);
	}
	for (int i = 0; i < 10000 && left > 0; i++) {
		size_t which = 77;
		assert_int_equal(csys_select_ready(cases, 20, &which), 0);
		left -= !seen[which]++;
	}
	assert_int_equal(left, 0);
	for (int i = 0; i < 20; i++)
		unmake(pairs[i]);
}

static void a_case_that_never_happens_is_never_ready(void **state)
{
	(void)state;
	const csys_select_case cases[18] = { { 0 } };
	size_t which = 77;
	assert_int_equal(csys_try_select_ready(cases, 18, &which), CSYS_EAGAIN);
	assert_int_equal(csys_select_ready_until(cases, 2, csys_after_us(50), &which),
			 CSYS_ETIMEDOUT);
	assert_int_equal(which, 77);
}

static void a_timer_is_ready_when_it_is_due_and_stays_so(void **state)
{
	(void)state;
	for (int way = 0; way < WAYS; way++) {
		struct pair pair = make(0);
		csys_deadline deadline = csys_after_ms(2);
		csys_receiver *late, *soon;
		size_t which = 77;
		int64_t due;
		assert_int_equal(csys_channel_at(deadline, &soon), 0);
		assert_int_equal(csys_channel_after(INT64_C(1000000000000), &late), 0);
		const csys_select_case cases[] = { csys_select_recv(late, NULL), receives(pair),
						   csys_select_recv(soon, NULL) };
		assert_int_equal(wait_by(way, cases, 3, CSYS_FOREVER, &which), 0);
		assert_int_equal(which, 2);
		assert_true(csys_now() >= csys_deadline_ns(deadline));
		assert_ready(cases, 3, 2);
		assert_int_equal(csys_receiver_recv(soon, &due), 0);
		assert_none(cases, 3);
		csys_receiver_close(late);
		csys_receiver_close(soon);
		unmake(pair);
	}
}

struct quick {
	csys_receiver *ticks;
	csys_event is_over;
};

static void *receive_ticks(void *argument)
{
	struct quick *quick = argument;
	int64_t due;
	for (int i = 0; i < 40;)
		i += csys_receiver_try_recv(quick->ticks, &due) == 0;
	csys_event_set(&quick->is_over);
	return NULL;
}

static void a_timer_that_another_thread_receives_from_is_waited_for_further(void **state)
{
	(void)state;
	struct quick quick = { NULL, CSYS_EVENT_INIT_MANUAL };
	size_t which = 0;
	pthread_t thread;
	assert_int_equal(csys_channel_tick(100000, &quick.ticks), 0);
	const csys_wait_item items[] = { csys_wait_for_receiver(quick.ticks),
					 csys_wait_for_event(&quick.is_over) };
	assert_int_equal(pthread_create(&thread, NULL, receive_ticks, &quick), 0);
	while (which == 0 && !csys_event_is_set(&quick.is_over))
		assert_int_equal(csys_wait_any(items, 2, &which), 0);
	pthread_join(thread, NULL);
	csys_receiver_close(quick.ticks);
}

/* ---- waiting ----------------------------------------------------------------------------- */

struct watcher {
	csys_select_case cases[2];
	int way;
	int r;
	size_t which;
	pthread_t thread;
};

static void *watch(void *argument)
{
	struct watcher *watcher = argument;
	watcher->r = wait_by(watcher->way, watcher->cases, 2, CSYS_FOREVER, &watcher->which);
	return NULL;
}

static void begin(struct watcher *watcher, int way, csys_select_case first, csys_select_case second)
{
	*watcher = (struct watcher){ { first, second }, way, 77, 77, 0 };
	assert_int_equal(pthread_create(&watcher->thread, NULL, watch, watcher), 0);
}

static void end(struct watcher *watcher, size_t which)
{
	pthread_join(watcher->thread, NULL);
	assert_int_equal(watcher->r, 0);
	assert_int_equal(watcher->which, which);
}

/* Until a watcher has listed the entry of a side. */
static void await_watch(const struct pair *pair, int is_sender)
{
	struct csysi_channel *c = csysi_channel_of_sender(pair->tx);
	for (int is_so = 0; !is_so;) {
		take_a_nap();
		csysi_channel_lock(c);
		const struct csysi_channel_handle *handle =
			csysi_load_acquire(is_sender ? &c->tx_watch : &c->rx_watch);
		is_so = handle && handle->entry.is_listed;
		csysi_channel_unlock(c);
	}
}

static const size_t capacities[] = { 1, 8, CSYS_UNBOUNDED };

static void a_message_or_room_lets_all_go_on_that_wait_for_it(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++) {
		struct pair idle = make(0), pair = make(capacities[how % 3]);
		struct watcher watchers[4];
		int is_send = how == 3;
		if (is_send)
			put(pair, 3);
		for (int i = 0; i < 4; i++) {
			begin(&watchers[i], i % WAYS, receives(idle),
			      is_send ? sends(pair) : receives(pair));
			await_watch(&pair, is_send);
		}
		if (is_send)
			assert_int_equal(got(pair), 3);
		else
			put(pair, 3);
		for (int i = 0; i < 4; i++)
			end(&watchers[i], 1);
		unmake(idle);
		unmake(pair);
	}
}

static void the_end_of_the_other_side_does_too(void **state)
{
	(void)state;
	const size_t all[] = { 0, 1, CSYS_UNBOUNDED };
	for (int c = 0; c < 6; c++) {
		struct pair idle = make(0), pair = make(all[c % 3]);
		struct watcher watcher;
		begin(&watcher, c % WAYS, receives(idle), receives(pair));
		await_watch(&pair, 0);
		csys_sender_close(pair.tx);
		end(&watcher, 1);
		csys_receiver_close(pair.rx);
		pair = make(all[c % 2]);
		if (c % 2)
			put(pair, 1);
		begin(&watcher, c % WAYS, sends(pair), receives(idle));
		await_watch(&pair, 1);
		csys_receiver_close(pair.rx);
		end(&watcher, 0);
		csys_sender_close(pair.tx);
		unmake(idle);
	}
}

struct one {
	struct pair pair;
	int value;
	int is_select;
};

static void *send_one(void *argument)
{
	struct one *one = argument;
	const csys_select_case cases[] = { csys_select_send(one->pair.tx, &one->value) };
	size_t which;
	assert_int_equal(one->is_select ? csys_select(cases, 1, &which)
					: csys_sender_send(one->pair.tx, &one->value),
			 0);
	return NULL;
}

static void *receive_one(void *argument)
{
	struct one *one = argument;
	const csys_select_case cases[] = { csys_select_recv(one->pair.rx, &one->value) };
	size_t which;
	assert_int_equal(one->is_select ? csys_select(cases, 1, &which)
					: csys_receiver_recv(one->pair.rx, &one->value),
			 0);
	return NULL;
}

static void at_a_rendezvous_it_is_ready_while_the_other_side_waits(void **state)
{
	(void)state;
	for (int how = 0; how < 4; how++) {
		struct one one = { make(0), 5, how / 2 };
		struct pair idle = make(0);
		struct watcher watcher;
		pthread_t thread;
		begin(&watcher, how % WAYS, receives(idle), receives(one.pair));
		await_watch(&one.pair, 0);
		assert_int_equal(pthread_create(&thread, NULL, send_one, &one), 0);
		end(&watcher, 1);
		assert_int_equal(got(one.pair), 5);
		pthread_join(thread, NULL);
		begin(&watcher, how % WAYS, sends(one.pair), sends(idle));
		await_watch(&one.pair, 1);
		assert_int_equal(pthread_create(&thread, NULL, receive_one, &one), 0);
		end(&watcher, 0);
		put(one.pair, 6);
		pthread_join(thread, NULL);
		assert_int_equal(one.value, 6);
		unmake(one.pair);
		unmake(idle);
	}
}

/* ---- beside threads that do something ------------------------------------------------------ */

/* Until a thread waits that does. */
static void await_waiter(const struct pair *pair, int is_sender)
{
	struct csysi_channel *c = csysi_channel_of_sender(pair->tx);
	for (int is_so = 0; !is_so;) {
		take_a_nap();
		csysi_channel_lock(c);
		is_so = csysi_channel_has_waiter(
			is_sender ? &c->waiting_senders : &c->waiting_receivers, NULL);
		csysi_channel_unlock(c);
	}
}

/* A thread that looks, and one that does it, by a select or not, in this order or not. */
static void look_beside(struct one *one, int is_sender, int is_first, int way)
{
	struct pair idle = make(0);
	struct watcher watcher;
	pthread_t thread;
	csys_select_case looks = is_sender ? sends(one->pair) : receives(one->pair);
	if (is_first)
		begin(&watcher, way, receives(idle), looks);
	assert_int_equal(pthread_create(&thread, NULL, is_sender ? send_one : receive_one, one), 0);
	await_waiter(&one->pair, is_sender);
	if (!is_first)
		begin(&watcher, way, receives(idle), looks);
	await_watch(&one->pair, is_sender);
	if (is_sender)
		assert_int_equal(got(one->pair), 1);
	else
		put(one->pair, 8);
	pthread_join(thread, NULL);
	if (is_sender)
		assert_int_equal(got(one->pair), 2);
	else
		put(one->pair, 9);
	end(&watcher, 1);
	unmake(idle);
}

static void a_thread_that_only_looks_takes_no_message_from_one_that_receives(void **state)
{
	(void)state;
	for (int how = 0; how < 8; how++) {
		struct one one = { make(capacities[how % 3]), 0, how / 4 };
		look_beside(&one, 0, how % 2, how / 2 % WAYS);
		assert_int_equal(one.value, 8);
		assert_int_equal(got(one.pair), 9);
		unmake(one.pair);
	}
}

static void a_thread_that_only_looks_takes_no_room_from_one_that_sends(void **state)
{
	(void)state;
	for (int how = 0; how < 8; how++) {
		struct one one = { make(1), 2, how / 4 };
		put(one.pair, 1);
		look_beside(&one, 1, how % 2, how / 2 % WAYS);
		unmake(one.pair);
	}
}

enum { STREAM = 3000 };

struct stream {
	struct pair pair;
	int way;
	int waits; /* in the send, or the receive; else it looks, and tries */
};

/* Beside a case that never happens, where that is allowed. */
static void look(int way, csys_select_case one)
{
	const csys_select_case cases[] = { { 0 }, one };
	size_t which, more = way == BY_READY;
	assert_int_equal(wait_by(way, cases + 1 - more, 1 + more, csys_after_s(100), &which), 0);
	assert_int_equal(which, more);
}

static void *send_stream(void *argument)
{
	struct stream *stream = argument;
	csys_sender *tx = stream->pair.tx;
	for (int i = 0; i < STREAM;)
		if ((stream->waits ? csys_sender_send(tx, &i) : csys_sender_try_send(tx, &i)) == 0)
			i++;
		else
			look(stream->way, sends(stream->pair));
	csys_sender_close(tx);
	return NULL;
}

static void receive_stream(const struct stream *stream)
{
	csys_receiver *rx = stream->pair.rx;
	int expected = 0, value, r = 0;
	while (r != CSYS_EDISCONNECTED) {
		r = stream->waits ? csys_receiver_recv(rx, &value)
				  : csys_receiver_try_recv(rx, &value);
		if (r == 0)
			assert_int_equal(value, expected++);
		else if (r == CSYS_EAGAIN)
			look(stream->way, receives(stream->pair));
	}
	assert_int_equal(expected, STREAM);
	csys_receiver_close(rx);
}

static void no_message_and_no_room_is_missed(void **state)
{
	(void)state;
	const size_t all[] = { 0, 1, 5, CSYS_UNBOUNDED };
	for (int how = 0; how < 12; how++) {
		struct stream tx = { make(all[how % 4]), how % WAYS, how / 4 == 0 };
		struct stream rx = { tx.pair, (how + 1) % WAYS, how / 4 == 1 };
		pthread_t thread;
		if (!tx.waits && !rx.waits && all[how % 4] == 0)
			tx.waits = 1; /* one side has to */
		assert_int_equal(pthread_create(&thread, NULL, send_stream, &tx), 0);
		receive_stream(&rx);
		pthread_join(thread, NULL);
	}
}

/* ---- failures ---------------------------------------------------------------------------- */

static void without_memory_it_fails_and_nothing_is_changed(void **state)
{
	(void)state;
	struct pair pairs[20];
	csys_select_case cases[20];
	size_t which = 77;
	int r = CSYS_ENOMEM;
	for (int i = 0; i < 20; i++) {
		pairs[i] = make(1);
		cases[i] = receives(pairs[i]);
	}
	for (int n = 1; r == CSYS_ENOMEM; n++) {
		csysi_fault_arm(n);
		r = csys_select_ready_until(cases, 20, csys_after_ms(20), &which);
		csysi_fault_arm(0);
		/* What is in a channel stays there. */
		assert_true(r == CSYS_ENOMEM || (r == CSYS_ETIMEDOUT && n > 1));
	}
	assert_int_equal(which, 77);
	put(pairs[19], 1);
	assert_ready(cases, 20, 19);
	for (int i = 0; i < 20; i++)
		unmake(pairs[i]);
}

int main(void)
{
	count_memory();
	const struct CMUnitTest tests[] = {
		TEST_ONE(no_cases_and_too_many_are_invalid),
		TEST_ONE(what_could_be_done_is_told_and_not_done),
		TEST_ONE(an_aborted_place_is_nothing_to_receive),
		TEST_ONE(a_case_whose_other_side_is_gone_is_ready),
		TEST_ONE(each_of_several_has_its_turn),
		TEST_ONE(a_case_that_never_happens_is_never_ready),
		TEST_ONE(a_timer_is_ready_when_it_is_due_and_stays_so),
		TEST_ONE(a_timer_that_another_thread_receives_from_is_waited_for_further),
		TEST_ONE(a_message_or_room_lets_all_go_on_that_wait_for_it),
		TEST_ONE(the_end_of_the_other_side_does_too),
		TEST_ONE(at_a_rendezvous_it_is_ready_while_the_other_side_waits),
		TEST_ONE(a_thread_that_only_looks_takes_no_message_from_one_that_receives),
		TEST_ONE(a_thread_that_only_looks_takes_no_room_from_one_that_sends),
		TEST_ONE(no_message_and_no_room_is_missed),
		TEST_ONE(without_memory_it_fails_and_nothing_is_changed),
	};
	return RUN(tests);
}
