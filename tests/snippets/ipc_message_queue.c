/*
 * snippets/ipc_message_queue.c - a program around the snippets of csys/ipc/message_queue.h.
 */
#include <csys/ipc/message_queue.h>

int send_a_job(void);
int send_a_job(void)
{
	char buffer[256];
	size_t size;
	int64_t priority;
#include "snippet/1"
	return r;
}
