/*
 * snippets/sync_select.c - a program around the snippet of csys/sync/select.h.
 */
#include <csys/sync/select.h>
#include <csys/sync/typed_channel.h>

struct job {
	int number;
};
struct reply {
	int number;
};
CSYS_CHANNEL_DEFINE(jobs, struct job);
CSYS_CHANNEL_DEFINE(replies, struct reply);

void do_job(struct job *job);
int receive_or_reply(jobs_receiver jobs, replies_sender replies);
int receive_or_reply(jobs_receiver jobs, replies_sender replies)
{
#include "snippet/1"
	return r;
}
