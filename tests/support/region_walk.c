/*
 * support/region_walk.c - kill walks over what lies in a region.
 */
#include <stdio.h>

#include "support/region_walk.h"

/* How long a sleep is at most, instead of 100 ms: a thread that was woken may be killed. */
#define NAP_NS 40000000

/* Of the test that runs. */
static struct {
	const struct traced_walk *walks;
	size_t count;
	const struct traced_walk *sleeps;
	size_t sleeps_count;
} all;

static void walk_one(const struct traced_walk *known)
{
	char name[64];
	struct traced_walk walk = *known;

	(void)snprintf(name, sizeof name, "%s, %s", known->name,
		       region->tokens.way == CSYSI_OS_TOKEN_LIST ? "list" : "lock");
	walk.name = name;
	traced_kill_walk(&walk);
}

static void walk_all(void)
{
	for (size_t i = 0; i < all.count; i++)
		walk_one(&all.walks[i]);
	/* Where no wake reaches other processes a sleep is many short ones. */
	if (!traced_sees_sleep() || !csys_can(CSYS_CAN_SHARED_WAKE))
		return;
	for (size_t i = 0; i < all.sleeps_count; i++)
		walk_one(&all.sleeps[i]);
}

void walk_in_each_way(const struct traced_walk *walks, size_t count,
		      const struct traced_walk *sleeps, size_t sleeps_count)
{
	traced_needs_walks(TRACED_BY_INSTRUCTIONS);
	all.walks = walks;
	all.count = count;
	all.sleeps = sleeps;
	all.sleeps_count = sleeps_count;
	with_nap(NAP_NS, walk_all);
}
