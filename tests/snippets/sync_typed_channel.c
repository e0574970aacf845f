/*
 * snippets/sync_typed_channel.c - a program around the snippets of csys/sync/typed_channel.h.
 */
#include <csys/sync/typed_channel.h>

struct job {
	int number;
};

void do_job(struct job *job);

#include "snippet/1"

int three_threads(struct job job);
int three_threads(struct job job)
{
#include "snippet/2"
	if (r < 0)
		return r;
#include "snippet/3"
#include "snippet/4"
	return r;
}

/* The synopses, against what the macro makes. */
typedef struct thing {
	int x;
} type;
CSYS_CHANNEL_DEFINE(name, type);
#include "snippet/5"
#include "snippet/6"
#include "snippet/7"
#include "snippet/8"
#include "snippet/9"
#include "snippet/10"
