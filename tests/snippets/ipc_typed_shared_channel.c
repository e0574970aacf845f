/*
 * snippets/ipc_typed_shared_channel.c - a program around the snippets of
 * csys/ipc/typed_shared_channel.h.
 */
#include <csys/ipc/typed_shared_channel.h>

struct job {
	int number;
};

void do_job(const struct job *job);

#include "snippet/1"

int receive(void);
int receive(void)
{
	struct job job;
#include "snippet/2"
	return r;
}

int send_job(jobs_channel channel, struct job job);
int send_job(jobs_channel channel, struct job job)
{
#include "snippet/3"
	return r;
}

/* The synopses, against what the macro makes. */
typedef struct thing {
	int x;
} type;
CSYS_SHARED_CHANNEL_DEFINE(name, type, "1");
#include "snippet/4"
#include "snippet/5"
#include "snippet/6"
#include "snippet/7"
#include "snippet/8"
#include "snippet/9"
