/*
 * support/permits.h - a set of permits in the region of a test.
 */
#ifndef CSYS_TEST_PERMITS_H
#define CSYS_TEST_PERMITS_H

#include "support/region.h"

/* Three permits, and what each of them guards: two numbers that are equal. */
enum { N = 3, ROUNDS = 1000 };
struct place {
	csys_shared_permit permits[N];
	volatile uint32_t guarded[N][2];
	uint32_t told; /* atomic: how many were told of a death */
};
#define PLACE ((struct place *)OBJECTS)
#define PERMITS (PLACE->permits)

int take_within(csys_deadline deadline, unsigned *out_at);

/* Take one that is free, which is this one, with this result.  Post one. */
void take(unsigned at, int result);
void post(unsigned at);

void assert_value(unsigned value);

/* A process that has the permit, which is the lowest that is free. */
pid_t holder(unsigned at);

/*
 * A process that sleeps for one, posts it, and ends: 100 if it cannot have one, else its number,
 * and 10 more if it was told of a death.
 */
pid_t sleeper(void);

/* Whether a sleep itself counts its process (count_sleeper), so that sleeper does not. */
extern int sleeps_are_counted;

/* Take and post many, and change what they guard.  Ends the process if that is not in order. */
void work(void);

#endif
