/*
 * snippets/ipc_shared_channel.c - a program around the snippets of csys/ipc/shared_channel.h.
 */
#include <csys/ipc/shared_channel.h>

void do_job(const char *job, size_t length);

int receive(void);
int receive(void)
{
	char job[256];
	size_t length;
#include "snippet/1"
	return r;
}

int send_job(csys_shared_channel *channel, const char *job, size_t length);
int send_job(csys_shared_channel *channel, const char *job, size_t length)
{
#include "snippet/2"
	return r;
}
