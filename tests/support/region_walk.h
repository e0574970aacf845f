/*
 * support/region_walk.h - kill walks over what lies in a region.
 */
#ifndef CSYS_TEST_REGION_WALK_H
#define CSYS_TEST_REGION_WALK_H

#include <stddef.h>

#include "support/region.h"
#include "support/traced.h"

/* An entry of a table of walks, one whose victim is overtaken, and one whose victim sleeps; all
 * that is not named is NULL. */
#define REGION_WALK(says, begins, prepares, is_ready, acts, looks, checks)                     \
	{                                                                                      \
		.name = (says), .begin = (begins), .prepare = (prepares), .ready = (is_ready), \
		.act = (acts), .look = (looks), .check = (checks)                              \
	}
#define REGION_OVERTAKE(says, begins, prepares, acts, overtakes, checks)                 \
	{                                                                                \
		.name = (says), .begin = (begins), .prepare = (prepares), .act = (acts), \
		.overtake = (overtakes), .check = (checks)                               \
	}
#define REGION_SLEEP(says, begins, prepares, acts, unblocks, looks, checks)              \
	{                                                                                \
		.name = (says), .begin = (begins), .prepare = (prepares), .act = (acts), \
		.unblock = (unblocks), .look = (looks), .check = (checks)                \
	}

/*
 * Make all walks in each way that tells of deaths, with shorter naps than usual, and where wakes
 * reach other processes also those whose victims sleep.  For the beginning of a test: it is skipped
 * where nothing can be walked.
 */
void walk_in_each_way(const struct traced_walk *walks, size_t count,
		      const struct traced_walk *sleeps, size_t sleeps_count);

#define WALK_IN_EACH_WAY(walks, sleeps)                                  \
	walk_in_each_way(walks, sizeof(walks) / sizeof *(walks), sleeps, \
			 sizeof(sleeps) / sizeof *(sleeps))

#endif
