/*
 * support/storm.h - processes at full speed that are killed at random, for what lies in a region.
 *
 * Some processes work with what they share again and again; one after another is killed after a
 * random time, some are stopped for a while, and all are replaced at once.  Now and then all are to
 * end: some are killed meanwhile, and the others have to come out of whatever they wait in; then
 * what they leave is looked at.  So a process that hangs is not hidden by those that are killed
 * later.
 */
#ifndef CSYS_TEST_STORM_H
#define CSYS_TEST_STORM_H

#include <stddef.h>

#include "ipc/region.h"

struct storm {
	const char *program;
	size_t size; /* of what is shared, which is zero at first */

	/* In each process: one thing after another, as storm_roll chooses. */
	void (*work)(unsigned *seed);

	/* When all have ended. */
	void (*look)(void);
};

/* What they share. */
csys_region *storm_region(void);
void *storm_objects(void);

unsigned storm_roll(unsigned *seed);

/* Let some time pass, now and then much. */
void storm_dally(unsigned *seed);

/* Something is wrong: the program will fail. */
void storm_complain(const char *what);

/* Count something done, and a process that was told of a death. */
void storm_count(void);
void storm_count_told(void);

/*
 * The program: PROGRAM [milliseconds [processes [seed]]], for each way of noticing deaths.  Returns
 * its exit status.
 */
int storm_main(const struct storm *storm, int argc, char **argv);

#endif
