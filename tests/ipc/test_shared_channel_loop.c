/*
 * ipc/test_shared_channel_loop.c - promises of csys/ipc/shared_channel.h: processes that wait for
 * each other in event loops, and are killed.
 *
 * Most run without naps: for what is not told they wait in vain.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "support/shared_channel_loop.h"
#include "support/thread.h"

/* Without naps, if they are not needed. */
static void as_ends_are_told(void (*function)(void))
{
	with_channels_and_nap(tells_ends() ? NO_NAP : SHORT_NAP, function);
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

static void open_and_become_another(void)
{
	open_sender();
	await_step(1);
	execl(helper(), helper(), "stay", (char *)NULL);
	_exit(9);
}

static void exec_is_as_death(void)
{
	open_receiver();
	pid_t pid = forked(open_and_become_another);
	find_nothing();
	reach_step(1);
	expect_the_end();
	kill_it(pid);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
	reach_step(0);
}

static void a_process_that_becomes_another_program_is_noticed(void **state)
{
	(void)state;
	with_channels_and_nap(SHORT_NAP, exec_is_as_death);
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
	/* A handle is made ready, since there is one more to watch. */
	if (csys_can(CSYS_CAN_WAIT_SET_HANDLE))
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

static void wait_beside_one_that_idles(void)
{
	open_receiver();
	pid_t pid = forked(open_and_stay);
	await_step(1);
	/* It looks after ten naps, so once in a hundred tries it was idle for three. */
	int is_ready = 1;
	for (int i = 0; is_ready && i < 100; i++) {
		find_nothing();
		is_ready = can_receive(csys_after_ns(3 * SHORT_NAP));
	}
	assert_int_equal(is_ready, 0);
	kill_it(pid);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
	reach_step(0);
}

static void a_receiver_beside_one_that_idles_takes_no_naps(void **state)
{
	(void)state;
	if (tells_ends())
		with_channels_and_nap(SHORT_NAP, wait_beside_one_that_idles);
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

/* It opens a sender, closes it if it is told to, and stays. */
static void open_and_close_and_stay(void)
{
	open_sender();
	reach_step(1);
	await_step(2);
	csys_shared_sender_close(sender);
	reach_step(3);
	stay();
}

static void another_takes_the_place(void)
{
	open_receiver();
	pid_t first = forked(open_and_close_and_stay);
	await_step(1);
	find_nothing();
	reach_step(2);
	await_step(3);
	pid_t second = forked(open_and_stay);
	await_step(1);
	find_nothing();
	kill_it(second);
	expect_the_end();
	kill_it(first);
	csys_shared_receiver_close(receiver);
	receiver = NULL;
	reach_step(0);
}

static void a_process_that_takes_the_place_of_another_is_watched(void **state)
{
	(void)state;
	as_ends_are_told(another_takes_the_place);
}

static void kill_one_of_two(void)
{
	if (channel->senders == 1)
		return;
	open_both();
	pid_t pid = forked(open_and_stay);
	await_step(1);
	find_nothing();
	kill_it(pid);
	if (csys_can(CSYS_CAN_WAIT_SET_HANDLE))
		assert_int_equal(can_receive(CSYS_FOREVER), 1);
	find_nothing(); /* not ready again and again by what is known */
	close_both();
	reach_step(0);
}

static void a_death_is_told_once_while_others_live(void **state)
{
	(void)state;
	as_ends_are_told(kill_one_of_two);
}

static void reserve_and_stay(void)
{
	void *place;
	open_sender();
	CHECK(csys_shared_sender_reserve(sender, CSYS_POLL, &place) == 0);
	reach_step(1);
	stay();
}

/* Where it is looked at again and again. */
static void look_behind_a_dead_claim(void)
{
	if (channel->senders == 1)
		return;
	open_receiver();
	csysi_fault_exhaust(1, CSYS_EMFILE);
	csys_waitable waitable = csys_shared_receiver_waitable(receiver);
	csysi_fault_arm(0);
	pid_t pid = forked(reserve_and_stay);
	await_step(1);
	open_sender();
	put(4);
	assert_int_equal(is_waitable_ready(waitable, CSYS_POLL), 0);
	kill_it(pid);
	assert_int_equal(is_waitable_ready(waitable, CSYS_FOREVER), 1);
	get(4);
	assert_int_equal(is_waitable_ready(waitable, CSYS_POLL), 0);
	close_both();
	reach_step(0);
}

static void a_message_behind_one_of_a_dead_sender_is_seen_without_a_handle(void **state)
{
	(void)state;
	with_channels(NULL, look_behind_a_dead_claim);
}

/* ---- senders -------------------------------------------------------------------------------- */

static void open_receiver_and_stay(void)
{
	open_receiver();
	reach_step(1);
	stay();
}

static void kill_the_receiver(void)
{
	pid_t pid = forked(open_receiver_and_stay);
	await_step(1);
	open_sender();
	for (uint64_t i = 0; i < CAPACITY; i++)
		assert_int_equal(loop_put(i), 0);
	assert_int_equal(try_put(0), CSYS_EAGAIN);
	kill_it(pid);
	assert_int_equal(loop_put(0), CSYS_EDISCONNECTED);
	close_both();
	reach_step(0);
}

static void a_sender_that_waits_is_told_that_the_receiver_was_killed(void **state)
{
	(void)state;
	with_channels_and_nap(SHORT_NAP, kill_the_receiver);
}

static void free_one_place(void)
{
	open_both();
	for (uint64_t i = 0; i < CAPACITY; i++)
		assert_int_equal(loop_put(i), 0);
	assert_int_equal(try_put(0), CSYS_EAGAIN);
	get(0); /* less than a quarter, which wakes nobody */
	assert_int_equal(loop_put(0), 0);
	close_both();
}

static void a_sender_uses_one_place_after_a_nap(void **state)
{
	(void)state;
	with_channels_and_nap(SHORT_NAP, free_one_place);
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
	if (csys_can(CSYS_CAN_WAIT_SET_HANDLE))
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(the_end_of_a_process_makes_the_receiver_ready),
		NAMES_TEST(a_sender_that_comes_later_is_watched_too),
		NAMES_TEST(a_process_that_becomes_another_program_is_noticed),
		NAMES_TEST(a_process_that_takes_the_place_of_another_is_watched),
		NAMES_TEST(a_death_is_told_once_while_others_live),
		NAMES_TEST(a_message_behind_one_of_a_dead_sender_is_seen_without_a_handle),
		NAMES_TEST(a_receiver_beside_one_that_idles_takes_no_naps),
		NAMES_TEST(a_message_is_noticed_though_its_sender_was_killed_before_it_told),
		NAMES_TEST(two_loops_miss_nothing),
		NAMES_TEST(a_sender_that_waits_is_told_that_the_receiver_was_killed),
		NAMES_TEST(a_sender_uses_one_place_after_a_nap),
		NAMES_TEST(a_sender_in_another_place_is_looked_at_again_and_again),
		NAMES_TEST(a_sender_without_a_handle_to_notify_by_is_heard),
	};
	return RUN(tests);
}
