/*
 * ipc/test_shared_channel_handle.c - promises of csys/ipc/shared_channel.h: both ends in event
 * loops.
 *
 * Most run without naps: for what is not told they wait in vain.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "support/shared_channel.h"
#include "support/thread.h"
#include "support/wait_set.h"

static int is_ready(csys_waitable waitable, csys_deadline deadline)
{
	csys_poll_item item = { .waitable = waitable };
	int r = csys_poll(&item, 1, deadline);
	CHECK(r >= 0 || r == CSYS_ETIMEDOUT);
	return item.ready;
}

static int can_receive(csys_deadline deadline)
{
	return is_ready(csys_shared_receiver_waitable(receiver), deadline);
}

static int can_send(csys_deadline deadline)
{
	return is_ready(csys_shared_sender_waitable(sender), deadline);
}

/* Without naps, if all ends of processes are told: by handles of them, or because the receiver is
 * looked at again and again. */
static void as_ends_are_told(void (*function)(void))
{
	csys_handle self;
	int has_handles = csysi_os_process_open(csysi_os_pid(), &self) == 0;
	if (has_handles)
		csysi_os_close(self);
	int is_told = !csys_can(CSYS_CAN_WAIT_SET_HANDLE) ||
		      (has_handles && csysi_os_named_notifier_place() != 0);
	with_channels_and_nap(is_told ? NO_NAP : SHORT_NAP, function);
}

/* Wait by the handle and receive, as an event loop does. */
static int loop_get(uint64_t *out)
{
	size_t length;
	int r;
	do
		(void)can_receive(CSYS_FOREVER);
	while ((r = csys_shared_receiver_try_recv(receiver, out, sizeof *out, &length)) ==
	       CSYS_EAGAIN);
	return r;
}

static int loop_put(uint64_t number)
{
	int r;
	do
		(void)can_send(CSYS_FOREVER);
	while ((r = try_put(number)) == CSYS_EAGAIN);
	return r;
}

/* The receiver has nothing, and its handle waits. */
static void find_nothing(void)
{
	(void)can_receive(CSYS_POLL);
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	if (csysi_os_token_nap_ns == NO_NAP)
		assert_int_equal(can_receive(CSYS_POLL), 0);
}

static void expect_the_end(void)
{
	uint64_t got;
	assert_int_equal(loop_get(&got), CSYS_EDISCONNECTED);
	assert_int_equal(can_receive(CSYS_POLL), 1); /* and so it stays */
	assert_int_equal(get_within(CSYS_POLL), CSYS_EDISCONNECTED);
	assert_int_equal(can_receive(CSYS_POLL), 1);
}

/* ---- levels ------------------------------------------------------------------------------- */

static void receive_by_level(void)
{
	open_both();
	find_nothing();
	find_nothing();
	put(1);
	put(2);
	assert_int_equal(can_receive(CSYS_FOREVER), 1);
	get(1);
	assert_int_equal(can_receive(CSYS_POLL), 1);
	get(2);
	find_nothing();
	/* What is received before the loop comes round. */
	put(3);
	get(3);
	find_nothing();
	/* A wait that sleeps in between. */
	put(4);
	assert_int_equal(get_within(CSYS_FOREVER), 0);
	assert_int_equal(get_within(csys_after_us(100)), CSYS_ETIMEDOUT);
	put(5);
	assert_int_equal(can_receive(CSYS_FOREVER), 1);
	get(5);
	csys_shared_sender_close(sender);
	sender = NULL;
	expect_the_end();
	/* One that comes again. */
	open_sender();
	find_nothing();
	put(6);
	assert_int_equal(can_receive(CSYS_FOREVER), 1);
	get(6);
	close_both();
}

static void a_receiver_is_ready_until_it_has_found_nothing(void **state)
{
	(void)state;
	with_channels_without_naps(receive_by_level);
}

static void find_no_room(void)
{
	while (try_put(0) == 0)
		;
	assert_int_equal(try_put(0), CSYS_EAGAIN);
	assert_int_equal(can_send(CSYS_POLL), 0);
}

static void send_by_level(void)
{
	open_both();
	assert_int_equal(can_send(CSYS_FOREVER), 1);
	put(0);
	assert_int_equal(can_send(CSYS_POLL), 1);
	find_no_room();
	for (int i = 0; i < CAPACITY / 4; i++)
		get(0);
	assert_int_equal(can_send(CSYS_FOREVER), 1);
	assert_int_equal(try_put(0), 0);
	find_no_room();
	assert_int_equal(csys_shared_receiver_drain(receiver, NULL), 0);
	assert_int_equal(can_send(CSYS_FOREVER), 1);
	find_no_room();
	csys_shared_receiver_close(receiver);
	receiver = NULL;
	assert_int_equal(can_send(CSYS_FOREVER), 1);
	assert_int_equal(try_put(0), CSYS_EDISCONNECTED);
	assert_int_equal(can_send(CSYS_POLL), 1);
	close_both();
}

static void a_sender_is_ready_until_it_has_found_no_room(void **state)
{
	(void)state;
	with_channels_without_naps(send_by_level);
}

/* What another thread of this process does while the receiver is waited for. */
static void *send_and_leave(void *nothing)
{
	open_sender();
	put(7);
	return nothing; /* the end of the channel is not closed, but its thread ends */
}

static void receive_from_a_thread(void)
{
	pthread_t thread;
	uint64_t got;
	open_receiver();
	find_nothing();
	assert_int_equal(pthread_create(&thread, NULL, send_and_leave, NULL), 0);
	assert_int_equal(loop_get(&got), 0);
	assert_int_equal(got, 7);
	assert_int_equal(loop_get(&got), CSYS_EDISCONNECTED);
	assert_int_equal(pthread_join(thread, NULL), 0);
	close_both();
}

static void a_thread_that_ends_is_noticed_by_the_handle(void **state)
{
	(void)state;
	with_channels_without_naps(receive_from_a_thread);
}

/* ---- other processes ------------------------------------------------------------------------ */

static void open_and_stay(void)
{
	open_sender();
	reach_step(1);
	stay();
}

static void kill_a_sender(void)
{
	open_receiver();
	/* One that was there before the handle, and one that comes when all were gone. */
	for (int i = 0; i < 2; i++) {
		pid_t pid = forked(open_and_stay);
		await_step(1);
		find_nothing();
		kill_it(pid);
		expect_the_end();
		reach_step(0);
	}
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}

static void the_end_of_a_process_makes_the_receiver_ready(void **state)
{
	(void)state;
	as_ends_are_told(kill_a_sender);
}

static void open_late_and_stay(void)
{
	await_step(1);
	open_sender();
	reach_step(2);
	stay();
}

static void kill_one_that_came_late(void)
{
	pid_t pid = forked(open_late_and_stay);
	open_receiver();
	find_nothing();
	reach_step(1);
	/* It is made ready, since there is one more to watch. */
	assert_int_equal(can_receive(CSYS_FOREVER), 1);
	await_step(2);
	(void)get_within(CSYS_POLL);
	kill_it(pid);
	expect_the_end();
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}

static void a_sender_that_comes_later_is_watched_too(void **state)
{
	(void)state;
	as_ends_are_told(kill_one_that_came_late);
}

#ifdef CSYS_TEST_WRAPS
static int dies_before_notify;

int __real_csysi_os_named_notifier_notify(csys_handle remote,
					  const struct csysi_os_notifier_name *name);
int __wrap_csysi_os_named_notifier_notify(csys_handle remote,
					  const struct csysi_os_notifier_name *name);
int __wrap_csysi_os_named_notifier_notify(csys_handle remote,
					  const struct csysi_os_notifier_name *name)
{
	if (dies_before_notify)
		(void)raise(SIGKILL);
	return __real_csysi_os_named_notifier_notify(remote, name);
}

static void send_and_die(void)
{
	open_sender();
	await_step(1);
	dies_before_notify = 1;
	put(9);
	raise(SIGKILL); /* where it has nothing to tell */
}

static void kill_between_commit_and_notify(void)
{
	uint64_t got;
	open_receiver();
	pid_t pid = forked(send_and_die);
	find_nothing();
	reach_step(1);
	assert_int_equal(loop_get(&got), 0);
	assert_int_equal(got, 9);
	expect_the_end();
	await_end(pid);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}
#endif

static void a_message_is_noticed_though_its_sender_was_killed_before_it_told(void **state)
{
	(void)state;
	skip_unless_wrapped();
#ifdef CSYS_TEST_WRAPS
	as_ends_are_told(kill_between_commit_and_notify);
#endif
}

enum { TURNS = 3000 };

static void send_turns(void)
{
	csys_shared_sender_close(sender); /* its parent's */
	open_sender();
	reach_step(1);
	for (uint64_t i = 0; i < TURNS; i++)
		CHECK(loop_put(i) == 0);
	csys_shared_sender_close(sender);
}

static void receive_turns(void)
{
	uint64_t got;
	open_receiver();
	pid_t pid = forked(send_turns);
	for (uint64_t i = 0; i < TURNS; i++) {
		assert_int_equal(loop_get(&got), 0);
		assert_int_equal(got, i);
		if (i % 500 == 0)
			take_a_nap(); /* the channel fills */
	}
	assert_int_equal(loop_get(&got), CSYS_EDISCONNECTED);
	assert_int_equal(code_of(pid), 0);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
}

static void two_loops_miss_nothing(void **state)
{
	(void)state;
	with_channels_without_naps(receive_turns);
}

/* ---- where less can be told ------------------------------------------------------------------ */

/* The sender seems to be where neither its pid nor its notifications mean anything. */
static void stay_elsewhere(void)
{
	open_sender();
	csysi_store_relaxed(&channel->contacts[sender->at].place, 1);
	reach_step(1);
	stay();
}

static void kill_one_elsewhere(void)
{
	open_receiver();
	pid_t pid = forked(stay_elsewhere);
	await_step(1);
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(can_receive(CSYS_FOREVER), 1); /* after a nap */
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	kill_it(pid);
	expect_the_end();
	csys_shared_receiver_close(receiver);
	receiver = NULL;
	reach_step(0);
}

static void a_sender_in_another_place_is_looked_at_again_and_again(void **state)
{
	(void)state;
	with_channels_and_nap(SHORT_NAP, kill_one_elsewhere);
}

static void send_without_remote(void)
{
	uint64_t got;
	open_receiver();
	csysi_fault_exhaust(1, CSYS_EMFILE);
	open_sender();
	csysi_fault_arm(0);
	find_nothing();
	put(5);
	assert_int_equal(loop_get(&got), 0);
	assert_int_equal(got, 5);
	close_both();
}

static void a_sender_without_a_handle_to_notify_by_is_heard(void **state)
{
	(void)state;
	with_channels_and_nap(SHORT_NAP, send_without_remote);
}

static void run_out_of_handles(void)
{
	csys_handle handle;
	open_both();
	if (csys_shared_receiver_handle(receiver, &handle) == CSYS_ENOTSUP) {
		assert_false(csys_can(CSYS_CAN_WAIT_SET_HANDLE));
		assert_int_equal(csys_shared_sender_handle(sender, &handle), CSYS_ENOTSUP);
		close_both();
		return;
	}
	close_both();
	open_both();
	for (int at = 1;; at++) {
		csysi_fault_arm(at);
		handle = CSYS_NO_HANDLE;
		int r = csys_shared_receiver_handle(receiver, &handle);
		int is_over = !csysi_fault_fired();
		csysi_fault_arm(0);
		if (is_over) {
			assert_int_equal(r, 0);
			break;
		}
		assert_true(r == CSYS_EMFILE || r == CSYS_ENOMEM || r == CSYS_ENOSPC);
		assert_true(handle == CSYS_NO_HANDLE);
		/* It is looked at in place of that. */
		csysi_fault_arm(at);
		csys_waitable waitable = csys_shared_receiver_waitable(receiver);
		csysi_fault_arm(0);
		assert_int_equal(is_ready(waitable, CSYS_POLL), 0);
		put(1);
		assert_int_equal(is_ready(waitable, CSYS_FOREVER), 1);
		get(1);
	}
	close_both();
}

static void without_handles_nothing_is_lost(void **state)
{
	(void)state;
	with_channels(NULL, run_out_of_handles);
}

/* ---- the rest ------------------------------------------------------------------------------- */

static void in_the_child(void)
{
	csys_handle handle = CSYS_NO_HANDLE;
	CHECK(csys_shared_receiver_handle(receiver, &handle) == CSYS_EBADF);
	CHECK(csys_shared_sender_handle(sender, &handle) == CSYS_EBADF);
	CHECK(handle == CSYS_NO_HANDLE);
	csys_poll_item item = { .waitable = csys_shared_receiver_waitable(receiver) };
	CHECK(csys_poll(&item, 1, CSYS_POLL) == CSYS_EBADF);
	item.waitable = csys_shared_sender_waitable(sender);
	CHECK(csys_poll(&item, 1, CSYS_POLL) == CSYS_EBADF);
	close_both();
}

static void fork_with_handles(void)
{
	csys_handle handle, again;
	open_both();
	find_nothing();
	(void)can_send(CSYS_POLL);
	if (csys_can(CSYS_CAN_WAIT_SET_HANDLE)) {
		assert_int_equal(csys_shared_receiver_handle(receiver, &handle), 0);
		assert_int_equal(csys_shared_receiver_handle(receiver, &again), 0);
		assert_true(handle == again);
		assert_int_equal(csys_shared_sender_handle(sender, &handle), 0);
		assert_true(handle != again);
	}
	assert_int_equal(code_of(forked(in_the_child)), 0);
	/* The parent's go on. */
	put(1);
	assert_int_equal(can_receive(CSYS_FOREVER), 1);
	get(1);
	close_both();
	assert_int_equal(csys_shared_receiver_handle(NULL, &handle), CSYS_EINVAL);
	assert_int_equal(csys_shared_sender_handle(NULL, &handle), CSYS_EINVAL);
	csys_poll_item item = { .waitable = csys_shared_receiver_waitable(NULL) };
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_EBADF);
	item.waitable = csys_shared_sender_waitable(NULL);
	assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_EBADF);
}

static void a_forked_child_has_no_handles(void **state)
{
	(void)state;
	with_channels(NULL, fork_with_handles);
}

/* Two channels, of which one is preferred, in one set. */
static void prefer(void)
{
	enum { URGENT = 1, USUAL };
	static uint64_t got;
	csys_shared_channel *urgent;
	csys_shared_sender *urgent_sender;
	csys_shared_receiver *urgent_receiver;
	assert_int_equal(csys_shared_channel_create_anonymous(8, 4, NULL, &urgent), 0);
	assert_int_equal(csys_shared_sender_open(urgent, &urgent_sender), 0);
	assert_int_equal(csys_shared_receiver_open(urgent, &urgent_receiver), 0);
	open_both();
	csys_wait_set *set = opened_set();
	csys_wait_entry usual = add(set, csys_shared_receiver_waitable(receiver), USUAL);
	csys_wait_entry other = add(set, csys_shared_receiver_waitable(urgent_receiver), URGENT);
	put(1);
	put(2);
	assert_int_equal(csys_shared_sender_send(urgent_sender, &(uint64_t){ 3 }, 8), 0);
	uint64_t order = 0;
	for (int i = 0; i < 3; i++) {
		assert_true(next(set, CSYS_FOREVER).token.number != 0);
		if (csys_shared_receiver_try_recv(urgent_receiver, &got, 8, NULL) == CSYS_EAGAIN)
			assert_int_equal(csys_shared_receiver_try_recv(receiver, &got, 8, NULL), 0);
		order = order * 10 + got;
	}
	assert_int_equal(order, 312);
	assert_int_equal(csys_wait_set_remove(set, usual), 0);
	assert_int_equal(csys_wait_set_remove(set, other), 0);
	csys_wait_set_close(set);
	csys_shared_sender_close(urgent_sender);
	csys_shared_receiver_close(urgent_receiver);
	csys_shared_channel_close(urgent);
	close_both();
}

static void channels_are_waited_for_together(void **state)
{
	(void)state;
	with_channels(NULL, prefer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_receiver_is_ready_until_it_has_found_nothing),
		NAMES_TEST(a_sender_is_ready_until_it_has_found_no_room),
		NAMES_TEST(a_thread_that_ends_is_noticed_by_the_handle),
		NAMES_TEST(the_end_of_a_process_makes_the_receiver_ready),
		NAMES_TEST(a_sender_that_comes_later_is_watched_too),
		NAMES_TEST(a_message_is_noticed_though_its_sender_was_killed_before_it_told),
		NAMES_TEST(two_loops_miss_nothing),
		NAMES_TEST(a_sender_in_another_place_is_looked_at_again_and_again),
		NAMES_TEST(a_sender_without_a_handle_to_notify_by_is_heard),
		NAMES_TEST(without_handles_nothing_is_lost),
		NAMES_TEST(a_forked_child_has_no_handles),
		NAMES_TEST(channels_are_waited_for_together),
	};
	return RUN(tests);
}
