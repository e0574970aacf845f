/*
 * support/region.h - regions for tests, and the processes that share them.
 *
 * A test runs in each way that tells of deaths here (os/token.h), with a region of its own that has
 * no name.
 */
#ifndef CSYS_TEST_REGION_H
#define CSYS_TEST_REGION_H

#include <sys/types.h>

#include "ipc/region.h"
#include "support/names.h"

/* The region of the test, and what the tests themselves keep in its data, before their objects. */
extern csys_region *region;

struct steps {
	_Alignas(64) uint32_t step; /* how far the processes are: reach_step, await_step */
	uint32_t told;
	_Alignas(64) char objects[4032];
};
#define STEPS ((struct steps *)csys_region_data(region))
#define OBJECTS ((void *)STEPS->objects)

/* Run a function in each way.  All that a test shares is zero when it begins. */
void in_each_way(void (*function)(void));
void in_each_way_with(const csys_region_options *options, void (*function)(void));

/*
 * Run a function in each way, with another nap (os/token.h): one that no test outlives, where a
 * wake that is lost must be found; or a short one, where nobody is there to wake.
 */
#define NO_NAP 3600000000000
#define SHORT_NAP 5000000
void with_nap(int64_t ns, void (*function)(void));

/* Go on to a step, and wait until another process has. */
void reach_step(uint32_t step);
void await_step(uint32_t step);

/* Count a process in STEPS->told that is about to sleep, and wait until so many have. */
void count_sleeper(void);
void await_sleepers(uint32_t count);

/* Start a forked child that runs a function, and ends with 0 if it returns. */
pid_t forked(void (*function)(void));

/* Start one that sleeps in the function, and calls count_sleeper before that; wait until it has.
 * The second kind takes no naps. */
pid_t forked_sleeper(void (*function)(void));
pid_t forked_sleeper_without_naps(void (*function)(void));

/* Kill it, and wait for its end.  Wait for one that ends by itself: its exit code. */
void kill_it(pid_t pid);
int code_of(pid_t pid);

/* Wait for one that kills itself. */
void await_end(pid_t pid);

/* Stay until killed, or until the test has ended. */
void stay(void);

#endif
