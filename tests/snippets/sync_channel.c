/*
 * snippets/sync_channel.c - a program around the snippets of csys/sync/channel.h.
 */
#include <csys/sync/channel.h>

struct job {
	int number;
};

void do_job(struct job *job);

int three_threads(struct job job);
int three_threads(struct job job)
{
#include "snippet/1"
	if (r < 0)
		return r;
#include "snippet/2"
#include "snippet/3"
	return r;
}
