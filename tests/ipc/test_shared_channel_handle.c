/*
 * ipc/test_shared_channel_handle.c - promises of csys/ipc/shared_channel.h: when the handles of
 * both ends are ready.
 *
 * Most run without naps: for what is not told they wait in vain.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>

#include "base/fault.h"
#include "support/shared_channel_loop.h"
#include "support/thread.h"
#include "support/wait_set.h"

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

#ifdef CSYS_TEST_WRAPS
static void (*meanwhile)(void);

int __real_csysi_os_pollset_wait(struct csysi_os_pollset *set,
				 struct csysi_os_pollset_event *events, size_t max,
				 csys_deadline deadline, size_t *out_count);
int __wrap_csysi_os_pollset_wait(struct csysi_os_pollset *set,
				 struct csysi_os_pollset_event *events, size_t max,
				 csys_deadline deadline, size_t *out_count);
int __wrap_csysi_os_pollset_wait(struct csysi_os_pollset *set,
				 struct csysi_os_pollset_event *events, size_t max,
				 csys_deadline deadline, size_t *out_count)
{
	void (*function)(void) = meanwhile;
	meanwhile = NULL;
	if (function)
		function();
	return __real_csysi_os_pollset_wait(set, events, max, deadline, out_count);
}

static void put_two(void)
{
	put(1);
	put(2);
}

static void get_all(void)
{
	for (int i = 0; i < CAPACITY; i++)
		get(0);
}

/* The other side acts between the first look of a call and the last one. */
static void act_meanwhile(void)
{
	open_both();
	find_nothing();
	meanwhile = put_two;
	assert_int_equal(get_within(CSYS_POLL), 0);
	assert_int_equal(can_receive(CSYS_FOREVER), 1);
	get(2);
	(void)can_send(CSYS_POLL);
	find_no_room();
	meanwhile = get_all;
	assert_int_equal(try_put(0), 0);
	assert_int_equal(can_send(CSYS_FOREVER), 1);
	close_both();
}
#endif

static void what_a_call_sees_at_last_makes_ready_if_there_may_be_more(void **state)
{
	(void)state;
	skip_unless_wrapped();
#ifdef CSYS_TEST_WRAPS
	if (csys_can(CSYS_CAN_WAIT_SET_HANDLE))
		with_channels_without_naps(act_meanwhile);
#endif
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

/* ---- the rest ------------------------------------------------------------------------------- */

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
		assert_int_equal(is_waitable_ready(waitable, CSYS_POLL), 0);
		put(1);
		assert_int_equal(is_waitable_ready(waitable, CSYS_FOREVER), 1);
		get(1);
	}
	close_both();
}

static void without_handles_nothing_is_lost(void **state)
{
	(void)state;
	with_channels(NULL, run_out_of_handles);
}

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
		NAMES_TEST(what_a_call_sees_at_last_makes_ready_if_there_may_be_more),
		NAMES_TEST(a_thread_that_ends_is_noticed_by_the_handle),
		NAMES_TEST(without_handles_nothing_is_lost),
		NAMES_TEST(a_forked_child_has_no_handles),
		NAMES_TEST(channels_are_waited_for_together),
	};
	return RUN(tests);
}
