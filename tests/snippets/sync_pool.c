/*
 * snippets/sync_pool.c - a program around the snippets of csys/sync/pool.h.
 */
#include <stdio.h>

#include <csys/sync/pool.h>

struct job {
	int number;
};

void *do_job(void *job);
void *count_words(void *file);

int do_one(struct job job);
int do_one(struct job job)
{
#include "snippet/1"
	if (r < 0)
		return r;
#include "snippet/2"
	return r;
}

int count(csys_pool *pool, void *file);
int count(csys_pool *pool, void *file)
{
#include "snippet/3"
	return r;
}
