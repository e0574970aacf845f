/*
 * support/wait_set.h - what the tests of wait sets share.
 */
#ifndef CSYS_TEST_WAIT_SET_H
#define CSYS_TEST_WAIT_SET_H

#include "support/support.h"

/* Open a set, asserting that it works. */
csys_wait_set *opened_set(void);

/* Add an entry, with a number above 0; change it. */
csys_wait_entry add(csys_wait_set *set, csys_waitable waitable, uint64_t number);
csys_wait_entry add_timer(csys_wait_set *set, csys_deadline at, int64_t period_ns, uint64_t number);
void change(csys_wait_set *set, csys_wait_entry entry, csys_waitable waitable, uint64_t number);

/* Wait for one event; its token is 0 if there was none by the deadline, or only a wake. */
csys_wait_event next(csys_wait_set *set, csys_deadline deadline);

/* Exactly the entries with these numbers are ready now; a number of 0 stands for none. */
void assert_told(csys_wait_set *set, uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* Write a byte into a pipe; read one from it. */
void say(struct ends pipe);
void hear(struct ends pipe);

#endif
