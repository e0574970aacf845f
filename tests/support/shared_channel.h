/*
 * support/shared_channel.h - channels for tests, in the region of the test.
 */
#ifndef CSYS_TEST_SHARED_CHANNEL_H
#define CSYS_TEST_SHARED_CHANNEL_H

#include "ipc/shared_channel.h"
#include "support/region.h"

/* Where the channel of the test is: behind what tests keep there. */
#define MEMORY ((void *)(STEPS->objects + 64))
#define ROOM (sizeof STEPS->objects - 64)

/* What most tests have: a channel for so many messages of a number, and its ends. */
enum { CAPACITY = 8 };
extern csys_shared_channel *channel;
extern csys_shared_sender *sender;
extern csys_shared_receiver *receiver;

/* Run a function with a channel of its own in each way, for several senders and for one; with
 * these options beside that. */
void with_channels(const csys_shared_channel_options *options, void (*function)(void));

/* The same with no other options and another nap (region.h); with NO_NAP. */
void with_channels_and_nap(int64_t ns, void (*function)(void));
void with_channels_without_naps(void (*function)(void));

/* Open the ends in this process, both or one of them, and close them. */
void open_both(void);
void open_sender(void);
void open_receiver(void);
void close_both(void);

/* Send and receive numbers. */
void put(uint64_t number);
int try_put(uint64_t number);
void get(uint64_t number);
void get_as(uint64_t number, int result);
int get_within(csys_deadline deadline);

#endif
