/*
 * support/shared_channel_loop.h - channels between processes in event loops.
 */
#ifndef CSYS_TEST_SHARED_CHANNEL_LOOP_H
#define CSYS_TEST_SHARED_CHANNEL_LOOP_H

#include "support/shared_channel.h"
#include "support/support.h"

/* Whether it is ready by the deadline: an end of the test, anything. */
int can_receive(csys_deadline deadline);
int can_send(csys_deadline deadline);
int is_waitable_ready(csys_waitable waitable, csys_deadline deadline);

/* Whether all ends of processes are told: by handles of them, or because the receiver is looked at
 * again and again. */
int tells_ends(void);

/* Wait by the handle and receive or send, as an event loop does. */
int loop_get(uint64_t *out);
int loop_put(uint64_t number);

/* The receiver has nothing, and its handle waits. */
void find_nothing(void);

/* The receiver is told that all senders are gone. */
void expect_the_end(void);

#endif
