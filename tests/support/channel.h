/*
 * support/channel.h - what the tests of channels share.
 *
 * Most promises are about every shape of a channel: a size and an alignment of messages, and a
 * capacity.  Message number n has bytes that tell n as far as its size allows, so that one that is
 * torn, lost or out of place is seen.
 *
 * All memory of csys is counted here: a test that leaves some has failed.
 */
#ifndef CSYS_TEST_CHANNEL_H
#define CSYS_TEST_CHANNEL_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "support/support.h"

/* The largest message. */
#define MOST_SIZE 5000

struct shape {
	size_t size, alignment, capacity;
};

/* Which capacities a test is for. */
#define OF_UNBOUNDED 1
#define OF_BOUNDED 2
#define OF_RENDEZVOUS 4
#define OF_QUEUES (OF_UNBOUNDED | OF_BOUNDED)
#define OF_ALL (OF_QUEUES | OF_RENDEZVOUS)

/* A test for each of the shapes that have such a capacity. */
struct on_shapes {
	int kinds;
	void (*body)(const struct shape *shape);
};
#define TEST_ON(kinds, body)                                                             \
	{                                                                                \
#body, run_on_shapes, channel_before, channel_after, &(struct on_shapes) \
		{                                                                        \
			kinds, body                                                      \
		}                                                                        \
	}
#define TEST_ONE(name) cmocka_unit_test_setup_teardown(name, channel_before, channel_after)

void run_on_shapes(void **state);
int channel_before(void **state);
int channel_after(void **state);

/* To be called first in main: csys takes its memory from here. */
void count_memory(void);

/* While it is set it is asked at each allocation, of any thread: 1: there is no memory. */
extern int (*refuses_memory)(void);

/* From now on, while no other thread takes memory: each block at a greater address than the last
 * one.  Or as usual again. */
void ascending_memory(int is_on);

/* In main of a program whose threads share receivers: a checked build goes on then. */
void share_receivers(void);

/* Blocks that csys has, bytes in them, and blocks that it ever had. */
uint32_t blocks_held(void);
size_t bytes_held(void);
uint32_t blocks_made(void);

/* ---- a channel --------------------------------------------------------------------------- */

/* What a drop callback has seen, whose argument it is. */
struct drops {
	struct shape shape;
	uint64_t next;   /* the number of the message that it expects */
	uint32_t count;  /* atomic */
	uint32_t wrong;  /* atomic: another one, or at a wrong address */
	uint32_t unlike; /* atomic: on another thread than `thread` */
	pthread_t thread;
};

struct channel {
	csys_sender *tx;
	csys_receiver *rx;
	struct shape shape;
	struct drops drops;
};

/* Make a channel, whose drop callback counts; asserts that it works. */
void open_channel(struct channel *channel, const struct shape *shape);
void open_channel_with(struct channel *channel, const struct shape *shape,
		       csys_channel_options options);

/* Close both ends. */
void close_channel(struct channel *channel);

/* The drop callback, for those that make a channel themselves. */
void count_drop(void *value, void *argument);

/* Assert that so many messages were dropped since the channel was made, each right, on this
 * thread. */
void assert_drops(struct channel *channel, uint64_t first, uint32_t count);

int is_rendezvous(const struct shape *shape);
int is_unbounded(const struct shape *shape);

/* How many messages are queued without waiting: the capacity, or several blocks of an unbounded
 * channel. */
uint64_t many(const struct shape *shape);

/* ---- messages ---------------------------------------------------------------------------- */

void fill(void *value, size_t size, uint64_t number);
int is_message(const void *value, size_t size, uint64_t number);

/* The number of a message of 8 bytes or more. */
uint64_t number_of(const void *value);

/* Send, receive by one of the calls, which the number chooses.  0, or the result of the call. */
int send_number(csys_sender *tx, size_t size, uint64_t number);

/* Assert that a message can be sent, received, without waiting. */
void assert_sends(struct channel *channel, uint64_t number);
void assert_receives(struct channel *channel, uint64_t number);
void assert_sends_all(struct channel *channel, uint64_t first, uint64_t count);
void assert_receives_all(struct channel *channel, uint64_t first, uint64_t count);

/* Destroy what is queued, asserting that it works; how many that were. */
size_t drained(csys_receiver *rx);

/* Assert that each of the calls fails so, and changes nothing. */
void assert_sends_fail(csys_sender *tx, size_t size, int try_result, int wait_result);
void assert_receives_fail(csys_receiver *rx, size_t size, int try_result, int wait_result);

/* The usual ones of these. */
void assert_full(struct channel *channel);
void assert_empty(struct channel *channel);
void assert_no_receiver(struct channel *channel);
void assert_no_sender(struct channel *channel);

/* ---- one call on a thread of its own ----------------------------------------------------- */

struct call {
	csys_sender *tx;
	csys_receiver *rx;
	size_t size;
	uint64_t number; /* of the message that is sent */
	csys_deadline deadline;
	int result;
	uint32_t has_returned; /* atomic */
	uintptr_t runs_as;     /* atomic */
	pthread_t thread;
	unsigned char value[MOST_SIZE];
};

void begin_send(struct call *call, const struct channel *channel, uint64_t number,
		csys_deadline deadline);
void begin_recv(struct call *call, const struct channel *channel, csys_deadline deadline);

/* Until the thread sleeps, or for some time where that is not seen; it must not have returned. */
void await_sleep(struct call *call);

/* Join; the result. */
int end_call(struct call *call);

/* Join a receiver, which must have received this one. */
void end_recv(struct call *call, uint64_t number);

#endif
