/*
 * snippets/sync_timer_channel.c - a program around the snippet of csys/sync/timer_channel.h.
 */
#include <csys/sync/timer_channel.h>
#include <csys/sync/typed_channel.h>

struct job {
	int number;
};
CSYS_CHANNEL_DEFINE(jobs, struct job);

void do_job(struct job *job);
void print_progress(void);
int do_jobs(jobs_receiver jobs);
int do_jobs(jobs_receiver jobs)
{
#include "snippet/1"
#include "snippet/2"
	return r;
}
