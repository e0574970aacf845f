/*
 * support/select.h - what the tests of select share, beside support/channel.h.
 *
 * What waits at a channel is read from its lists, under its lock.  A test that holds the lock stops
 * a select at this channel, while it lists its cases there or takes them out: a gate.
 */
#ifndef CSYS_TEST_SELECT_H
#define CSYS_TEST_SELECT_H

#include "support/channel.h"

/* ---- messages ---------------------------------------------------------------------------- */

/* Room for a message, and bytes around it that no call may write. */
struct letter {
	unsigned char before[16], bytes[MOST_SIZE + 16];
};

struct letter blank(void);
struct letter letter_of(size_t size, uint64_t number);

/* Whether it has this message and nothing else was written; nothing at all was. */
int has_number(const struct letter *letter, size_t size, uint64_t number);
int is_blank(const struct letter *letter);

/* ---- channels ---------------------------------------------------------------------------- */

int is_bounded(const struct shape *shape);

/* Make a channel for many receivers; asserts that it works. */
void open_for_many(struct channel *channel, const struct shape *shape);

/* Make `count` channels, the first one at the least address, and so on. */
void open_in_order(struct channel *channels, const struct shape *shapes, int count);

/* Close the ends, asserting that no thread is left in the lists. */
void close_unwaited(struct channel *channels, int count);

/* The cases of a channel with these messages. */
csys_select_case sends(const struct channel *channel, const struct letter *letter);
csys_select_case receives(const struct channel *channel, struct letter *letter);

/* Send until it is full, unless it is unbounded or has no slots; how many that were. */
uint64_t fill_up(struct channel *channel, uint64_t first);

/* ---- what waits -------------------------------------------------------------------------- */

/* How many threads are in the lists of a channel, for each of their cases. */
int listed_senders(const struct channel *channel);
int listed_receivers(const struct channel *channel);

/* Until so many of them sleep. */
void await_senders(const struct channel *channel, int count);
void await_receivers(const struct channel *channel, int count);

/* None is listed, and no flag says so. */
void assert_nobody_waits(const struct channel *channel);

/* Hold the lock of a channel, see whether another thread waits for it, wait until one does, and
 * release it. */
void close_gate(const struct channel *channel);
int is_at_gate(const struct channel *channel);
void await_gate(const struct channel *channel);
void open_gate(const struct channel *channel);

/* ---- a select on a thread of its own ----------------------------------------------------- */

#define MOST_CASES 6

struct selector {
	csys_select_case cases[MOST_CASES];
	size_t count;
	int is_biased;
	csys_deadline deadline;
	int result;
	size_t which;
	uint32_t has_returned; /* atomic */
	pthread_t thread;
};

/* Begin with these cases, which are copied. */
void begin_select(struct selector *selector, const csys_select_case *cases, size_t count,
		  csys_deadline deadline);
int has_returned(struct selector *selector);

/* Join; the result. */
int end_select(struct selector *selector);

/* Join, asserting that this case was done. */
void end_select_by(struct selector *selector, size_t which);

/* ---- partners ---------------------------------------------------------------------------- */

/* A thread that sends, or receives, at a channel without slots; others need none. */
struct partner {
	int is_there;
	struct call call;
};

/* Let a message be received from a channel that is empty. */
void make_receivable(struct partner *partner, struct channel *channel, uint64_t number);

/* Let a message be sent to a channel whose first message is 0. */
void make_sendable(struct partner *partner, struct channel *channel);

/* The thread that sends, if there is one, has done so. */
void end_sending(struct partner *partner);

#endif
