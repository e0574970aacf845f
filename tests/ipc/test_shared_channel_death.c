/*
 * ipc/test_shared_channel_death.c - promises of csys/ipc/shared_channel.h: deaths of processes,
 * stops, and other programs.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/shared_channel.h"
#include "support/thread.h"

/* ---- senders --------------------------------------------------------------------------------- */

static void send_two_and_stay(void)
{
	open_sender();
	put(1);
	put(2);
	reach_step(1);
	stay();
}

static void kill_a_sender(void)
{
	pid_t pid = forked(send_two_and_stay);
	await_step(1);
	open_receiver();
	get(1);
	kill_it(pid);
	get(2);
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	assert_true(csys_shared_receiver_is_disconnected(receiver));
	/* Another one goes on. */
	open_sender();
	put(3);
	get(3);
	close_both();
}

static void what_a_killed_sender_has_sent_is_received_and_then_that_is_told(void **state)
{
	(void)state;
	with_channels(NULL, kill_a_sender);
}

static void reserve_and_stay(void)
{
	void *place;
	open_sender();
	put(1);
	if (csys_shared_sender_reserve(sender, CSYS_FOREVER, &place) != 0 ||
	    csys_shared_sender_reserve(sender, CSYS_FOREVER, &place) != 0)
		_exit(1);
	if (csys_shared_sender_send(sender, &(uint64_t){ 2 }, 8) != 0)
		_exit(2);
	reach_step(1);
	stay();
}

static void kill_one_that_has_reserved(void)
{
	pid_t pid = forked(reserve_and_stay);
	await_step(1);
	open_receiver();
	get(1);
	/* One that stands still is not dead. */
	kill(pid, SIGSTOP);
	assert_int_equal(get_within(csys_after_ms(5)), CSYS_ETIMEDOUT);
	kill_it(pid);
	get(2);
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	/* All places are there again. */
	open_sender();
	for (uint64_t i = 0; i < CAPACITY; i++)
		assert_int_equal(try_put(i), 0);
	assert_int_equal(try_put(0), CSYS_EAGAIN);
	for (uint64_t i = 0; i < CAPACITY; i++)
		get(i);
	close_both();
}

static void what_a_killed_sender_had_reserved_is_passed_over(void **state)
{
	(void)state;
	with_channels(NULL, kill_one_that_has_reserved);
}

static void receive_until_the_end(void)
{
	open_receiver();
	reach_step(2);
	get(1);
	get(2);
	int r = get_within(CSYS_FOREVER);
	if (r != CSYS_EDISCONNECTED)
		_exit(1);
}

static void kill_before_a_sleeper(void)
{
	pid_t first = forked(reserve_and_stay);
	await_step(1);
	pid_t second = forked(receive_until_the_end);
	await_step(2);
	take_a_nap();
	kill_it(first);
	assert_int_equal(code_of(second), 0);
}

static void a_receiver_that_sleeps_is_told_of_the_death_of_a_sender(void **state)
{
	(void)state;
	with_channels(NULL, kill_before_a_sleeper);
}

static void fill_up_and_stay(void)
{
	void *place;
	open_sender();
	for (int i = 0; i < CAPACITY; i++)
		if (csys_shared_sender_reserve(sender, CSYS_POLL, &place) != 0)
			_exit(1);
	reach_step(1);
	stay();
}

static void put_one(void)
{
	open_sender();
	reach_step(2);
	put(7);
}

static void free_what_the_dead_have_left(void)
{
	pid_t pid = forked(fill_up_and_stay);
	await_step(1);
	open_receiver();
	if (channel->senders == 1)
		kill_it(pid);
	pid_t other = forked(put_one);
	await_step(2);
	take_a_nap();
	if (channel->senders > 1)
		kill_it(pid);
	get(7);
	assert_int_equal(code_of(other), 0);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}

static void what_the_dead_had_reserved_is_room_for_those_that_wait(void **state)
{
	(void)state;
	with_channels(NULL, free_what_the_dead_have_left);
}

/* ---- receivers ------------------------------------------------------------------------------- */

static void receive_one_and_stay(void)
{
	open_receiver();
	get(1);
	reach_step(1);
	stay();
}

static void send_until_the_end(void)
{
	open_sender();
	reach_step(3);
	for (;;) {
		int r = csys_shared_sender_send(sender, &(uint64_t){ 5 }, 8);
		if (r == CSYS_EDISCONNECTED)
			_exit(0);
		if (r != 0)
			_exit(1);
	}
}

static void kill_the_receiver(void)
{
	open_sender();
	put(1);
	pid_t pid = forked(receive_one_and_stay);
	await_step(1);
	put(2);
	/* One that stands still is not dead. */
	kill(pid, SIGSTOP);
	put(3);
	kill_it(pid);
	assert_true(csys_shared_sender_is_disconnected(sender));
	open_receiver();
	get(2);
	get(3);
	put(4);
	get(4);
	close_both();
}

static void a_killed_receiver_has_a_successor(void **state)
{
	(void)state;
	with_channels(NULL, kill_the_receiver);
}

static void kill_before_a_sender_that_waits(void)
{
	open_sender();
	put(1);
	csys_shared_sender_close(sender);
	sender = NULL;
	pid_t pid = forked(receive_one_and_stay);
	await_step(1);
	pid_t other = forked(send_until_the_end);
	await_step(3);
	take_a_nap(); /* by then it waits for room */
	kill_it(pid);
	assert_int_equal(code_of(other), 0);
}

static void a_sender_that_waits_for_room_is_told_of_the_death_of_the_receiver(void **state)
{
	(void)state;
	with_channels(NULL, kill_before_a_sender_that_waits);
}

static void peek_and_stay(void)
{
	void *data;
	open_receiver();
	get(1);
	if (csys_shared_receiver_peek(receiver, CSYS_FOREVER, &data, NULL) != 0)
		_exit(1);
	csys_shared_receiver_release(receiver);
	if (csys_shared_receiver_peek(receiver, CSYS_FOREVER, &data, NULL) != 0)
		_exit(1);
	reach_step(1);
	stay();
}

static void kill_one_that_has_peeked(void)
{
	uint64_t *data;
	open_sender();
	for (uint64_t i = 1; i <= 5; i++)
		put(i);
	pid_t pid = forked(peek_and_stay);
	await_step(1);
	kill_it(pid);
	open_receiver();
	assert_int_equal(csys_shared_receiver_peek(receiver, CSYS_POLL, (void **)&data, NULL),
			 CSYS_REDELIVERED);
	assert_int_equal(*data, 3);
	/* Told once; and again to the next one. */
	assert_int_equal(csys_shared_receiver_peek(receiver, CSYS_POLL, (void **)&data, NULL), 0);
	csys_shared_receiver_close(receiver);
	open_receiver();
	get_as(3, CSYS_REDELIVERED);
	get(4);
	csys_shared_receiver_close(receiver);
	open_receiver();
	get(5);
	close_both();
}

static void what_a_killed_receiver_had_peeked_at_is_delivered_again_with_a_note(void **state)
{
	(void)state;
	with_channels(NULL, kill_one_that_has_peeked);
}

/* ---- other ends of programs ------------------------------------------------------------------ */

static void send_and_become_another(void)
{
	open_sender();
	put(1);
	execl(helper(), helper(), "stay", (char *)NULL);
	_exit(9);
}

static void exec_is_as_death(void)
{
	open_receiver();
	pid_t pid = forked(send_and_become_another);
	get(1);
	assert_int_equal(get_within(CSYS_FOREVER), CSYS_EDISCONNECTED);
	kill_it(pid);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}

static void a_process_that_becomes_another_program_has_closed_its_ends(void **state)
{
	(void)state;
	with_channels(NULL, exec_is_as_death);
}

/* ---- random kills ---------------------------------------------------------------------------- */

enum { SENDERS = 3, KILLS = 30 };

/* What is told of each life of a sender: how many it has sent, before the next is begun. */
static struct lives {
	uint32_t sent[SENDERS][KILLS + 1];
} * lives;
static uint64_t which, life;

static void send_for_ever(void)
{
	while (csys_shared_sender_open(channel, &sender) < 0)
		csys_thread_yield();
	for (uint32_t i = 0;; i++) {
		csysi_store_release(&lives->sent[which][life], i + 1);
		put(which << 56 | life << 32 | i);
	}
}

/* Check a message: each life's come in order, and none is missing. */
static void check(uint64_t got, uint32_t next[SENDERS][KILLS + 1])
{
	uint64_t from = got >> 56, of = got >> 32 & 0xffffff;
	assert_true(from < SENDERS && of <= KILLS);
	assert_int_equal((uint32_t)got, next[from][of]);
	next[from][of]++;
}

static void kill_senders_at_random(void)
{
	static uint32_t next[SENDERS][KILLS + 1];
	int senders = channel->senders == 1 ? 1 : SENDERS;
	pid_t pids[SENDERS];
	uint64_t lives_of[SENDERS] = { 0 };
	uint64_t got;
	memset(next, 0, sizeof next);
	lives = (void *)(STEPS->objects + sizeof STEPS->objects - sizeof *lives);
	memset(lives, 0, sizeof *lives);
	open_receiver();
	for (int i = 0; i < senders; i++) {
		which = (uint64_t)i;
		life = 0;
		pids[i] = forked(send_for_ever);
	}
	for (int kills = 0; kills < KILLS; kills++) {
		for (int i = 0; i < 50 + kills;) {
			int r = csys_shared_receiver_recv(receiver, &got, 8, NULL);
			if (r == 0) {
				check(got, next);
				i++;
				continue;
			}
			assert_int_equal(r, CSYS_EDISCONNECTED);
			csys_thread_yield(); /* none is there yet */
		}
		int i = kills % senders;
		kill_it(pids[i]);
		which = (uint64_t)i;
		life = ++lives_of[i];
		pids[i] = forked(send_for_ever);
	}
	for (int i = 0; i < senders; i++)
		kill_it(pids[i]);
	int r;
	while ((r = csys_shared_receiver_recv(receiver, &got, 8, NULL)) == 0)
		check(got, next);
	assert_int_equal(r, CSYS_EDISCONNECTED);
	/* At most the one that it was about to send is not there. */
	for (int i = 0; i < senders; i++)
		for (int j = 0; j <= KILLS; j++)
			assert_true(lives->sent[i][j] - next[i][j] <= 1);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}

static void no_message_is_lost_or_received_twice_when_senders_are_killed(void **state)
{
	(void)state;
	with_channels(NULL, kill_senders_at_random);
}

/* What receivers have received: the next number, in one word. */
static void receive_for_ever(void)
{
	uint64_t *next = (void *)(STEPS->objects + sizeof STEPS->objects - 64);
	uint64_t *data;
	open_receiver();
	for (;;) {
		int r = csys_shared_receiver_peek(receiver, CSYS_FOREVER, (void **)&data, NULL);
		if (r < 0)
			_exit(r == CSYS_EDISCONNECTED ? 0 : 2);
		/* One that was killed between the two steps has had it. */
		if (*data != *next && (r != CSYS_REDELIVERED || *data + 1 != *next))
			_exit(1);
		csysi_store_release(next, *data + 1);
		csys_shared_receiver_release(receiver);
	}
}

static void kill_receivers_at_random(void)
{
	uint64_t *next = (void *)(STEPS->objects + sizeof STEPS->objects - 64);
	uint64_t number = 0;
	open_sender();
	pid_t pid = forked(receive_for_ever);
	for (int kills = 0; kills < KILLS; kills++) {
		while (csysi_load_acquire(next) + 40 < number)
			csys_thread_yield();
		for (int i = 0; i < 50 + kills;) {
			int r = csys_shared_sender_send(sender, &number, 8);
			assert_true(r == 0 || r == CSYS_EDISCONNECTED);
			number += r == 0;
			i += r == 0;
			if (r < 0)
				csys_thread_yield(); /* none is there yet */
		}
		kill_it(pid);
		pid = forked(receive_for_ever);
	}
	csys_shared_sender_close(sender);
	sender = NULL;
	assert_int_equal(code_of(pid), 0);
	assert_int_equal(*next, number);
}

static void no_message_is_lost_when_receivers_are_killed(void **state)
{
	(void)state;
	with_channels(NULL, kill_receivers_at_random);
}

/* ---- any bytes ------------------------------------------------------------------------------- */

static unsigned roll(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 8;
}

static void overwrite(void)
{
	enum { TRIES = 300 };
	uint64_t *words = MEMORY;
	size_t count = csys_shared_channel_memory(8, CAPACITY, NULL) / sizeof *words;
	unsigned seed = 1;
	open_both();
	for (int i = 0; i < TRIES; i++) {
		char got[8];
		size_t n;
		void *place;
		for (int j = 0; j < 1 + i % 20; j++) {
			uint64_t *word = &words[roll(&seed) % count];
			uint64_t value = (uint64_t)roll(&seed) << 32 | roll(&seed);
			csysi_store_relaxed(word, roll(&seed) % 2 ? value : *word ^ (1u << j));
		}
		csys_deadline soon = csys_after_ns(20000);
		(void)!csys_shared_sender_send_until(sender, &(uint64_t){ 1 }, 8, soon);
		(void)!csys_shared_receiver_recv_until(receiver, soon, got, sizeof got, &n);
		(void)!csys_shared_sender_send_batch(sender, (uint64_t[4]){ 0 }, 8, 4, soon, &n);
		(void)!csys_shared_receiver_recv_batch(receiver, (uint64_t[4]){ 0 }, 8, 4, soon,
						       NULL, &n);
		if (csys_shared_sender_reserve(sender, soon, &place) == 0 &&
		    csys_shared_sender_commit(sender, place, 8) == CSYS_EDISCONNECTED)
			csys_shared_sender_abort(sender, place);
		if (csys_shared_receiver_peek(receiver, soon, &place, &n) >= 0) {
			assert_true(n <= 8);
			csys_shared_receiver_release(receiver);
		}
		assert_true(csys_shared_channel_len(channel) <= CAPACITY);
		(void)csys_shared_receiver_drain(receiver, NULL);
		(void)csys_shared_sender_is_disconnected(sender);
		(void)csys_shared_receiver_is_disconnected(receiver);
		if (i % 10 == 0) {
			csys_shared_channel *other;
			if (csys_shared_channel_open_in(region, MEMORY, NULL, &other) == 0) {
				csys_shared_sender *more;
				csys_shared_receiver *second;
				if (csys_shared_sender_open(other, &more) == 0)
					csys_shared_sender_close(more);
				if (csys_shared_receiver_open(other, &second) == 0)
					csys_shared_receiver_close(second);
				csys_shared_channel_close(other);
			}
		}
	}
	close_both();
}

static void any_bytes_in_the_channel_do_no_harm(void **state)
{
	(void)state;
	with_channels(NULL, overwrite);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(what_a_killed_sender_has_sent_is_received_and_then_that_is_told),
		NAMES_TEST(what_a_killed_sender_had_reserved_is_passed_over),
		NAMES_TEST(a_receiver_that_sleeps_is_told_of_the_death_of_a_sender),
		NAMES_TEST(what_the_dead_had_reserved_is_room_for_those_that_wait),
		NAMES_TEST(a_killed_receiver_has_a_successor),
		NAMES_TEST(a_sender_that_waits_for_room_is_told_of_the_death_of_the_receiver),
		NAMES_TEST(what_a_killed_receiver_had_peeked_at_is_delivered_again_with_a_note),
		NAMES_TEST(a_process_that_becomes_another_program_has_closed_its_ends),
		NAMES_TEST(no_message_is_lost_or_received_twice_when_senders_are_killed),
		NAMES_TEST(no_message_is_lost_when_receivers_are_killed),
		NAMES_TEST(any_bytes_in_the_channel_do_no_harm),
	};
	return RUN(tests);
}
