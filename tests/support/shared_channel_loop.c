/*
 * support/shared_channel_loop.c - channels between processes in event loops.
 */
#include "support/shared_channel_loop.h"

int is_waitable_ready(csys_waitable waitable, csys_deadline deadline)
{
	csys_poll_item item = { .waitable = waitable };
	int r = csys_poll(&item, 1, deadline);
	CHECK(r >= 0 || r == CSYS_ETIMEDOUT);
	return item.ready;
}

int can_receive(csys_deadline deadline)
{
	return is_waitable_ready(csys_shared_receiver_waitable(receiver), deadline);
}

int can_send(csys_deadline deadline)
{
	return is_waitable_ready(csys_shared_sender_waitable(sender), deadline);
}

int tells_ends(void)
{
	csys_handle self;
	if (!csys_can(CSYS_CAN_WAIT_SET_HANDLE))
		return 1;
	if (csysi_os_process_open(csysi_os_pid(), &self) < 0)
		return 0;
	csysi_os_close(self);
	return csysi_os_named_notifier_place() != 0;
}

int loop_get(uint64_t *out)
{
	size_t length;
	int r;
	do
		(void)can_receive(CSYS_FOREVER);
	while ((r = csys_shared_receiver_try_recv(receiver, out, sizeof *out, &length)) ==
	       CSYS_EAGAIN);
	return r;
}

int loop_put(uint64_t number)
{
	int r;
	do
		(void)can_send(CSYS_FOREVER);
	while ((r = try_put(number)) == CSYS_EAGAIN);
	return r;
}

void find_nothing(void)
{
	(void)can_receive(CSYS_POLL);
	assert_int_equal(get_within(CSYS_POLL), CSYS_ETIMEDOUT);
	if (csysi_os_token_nap_ns == NO_NAP)
		assert_int_equal(can_receive(CSYS_POLL), 0);
}

void expect_the_end(void)
{
	uint64_t got;
	assert_int_equal(loop_get(&got), CSYS_EDISCONNECTED);
	assert_int_equal(can_receive(CSYS_POLL), 1); /* and so it stays */
	assert_int_equal(get_within(CSYS_POLL), CSYS_EDISCONNECTED);
	assert_int_equal(can_receive(CSYS_POLL), 1);
}
