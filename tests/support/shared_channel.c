/*
 * support/shared_channel.c - channels for tests, in the region of the test.
 */
#include "support/shared_channel.h"

#include <string.h>

csys_shared_channel *channel;
csys_shared_sender *sender;
csys_shared_receiver *receiver;

static csys_shared_channel_options options_of_test;
static void (*function_of_test)(void);

static void run_one(int single)
{
	csys_shared_channel_options options = options_of_test;
	options.single_sender = single;
	memset(STEPS, 0, sizeof *STEPS);
	assert_true(csys_shared_channel_memory(sizeof(uint64_t), CAPACITY, &options) <= ROOM);
	assert_int_equal(csys_shared_channel_create_in(region, MEMORY, sizeof(uint64_t), CAPACITY,
						       &options, &channel),
			 0);
	function_of_test();
	csys_shared_channel_close(channel);
}

static void run_both(void)
{
	run_one(0);
	run_one(1);
}

static void prepare(const csys_shared_channel_options *options, void (*function)(void))
{
	static const csys_shared_channel_options usual;
	options_of_test = options ? *options : usual;
	function_of_test = function;
}

void with_channels(const csys_shared_channel_options *options, void (*function)(void))
{
	prepare(options, function);
	in_each_way(run_both);
}

void with_channels_and_nap(int64_t ns, void (*function)(void))
{
	prepare(NULL, function);
	with_nap(ns, run_both);
}

void with_channels_without_naps(void (*function)(void))
{
	with_channels_and_nap(NO_NAP, function);
}

void open_sender(void)
{
	assert_int_equal(csys_shared_sender_open(channel, &sender), 0);
}

void open_receiver(void)
{
	assert_int_equal(csys_shared_receiver_open(channel, &receiver), 0);
}

void open_both(void)
{
	open_sender();
	open_receiver();
}

void close_both(void)
{
	csys_shared_sender_close(sender);
	csys_shared_receiver_close(receiver);
	sender = NULL;
	receiver = NULL;
}

void put(uint64_t number)
{
	assert_int_equal(csys_shared_sender_send(sender, &number, sizeof number), 0);
}

int try_put(uint64_t number)
{
	return csys_shared_sender_try_send(sender, &number, sizeof number);
}

void get_as(uint64_t number, int result)
{
	uint64_t got = ~number;
	size_t length = 0;
	assert_int_equal(csys_shared_receiver_recv(receiver, &got, sizeof got, &length), result);
	assert_int_equal(length, sizeof got);
	assert_int_equal(got, number);
}

void get(uint64_t number)
{
	get_as(number, 0);
}

int get_within(csys_deadline deadline)
{
	uint64_t got;
	return csys_shared_receiver_recv_until(receiver, deadline, &got, sizeof got, NULL);
}
