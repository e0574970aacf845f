/*
 * snippets/ipc_service.c - a program around the snippets of csys/ipc/service.h.
 */
#include <csys/ipc/service.h>

void answer(csys_request *request);

int serve(csys_listener *listener);
int serve(csys_listener *listener)
{
#include "snippet/1"
	return r;
}

void answer(csys_request *request)
{
	size_t size;
	int r;
#include "snippet/2"
	(void)r;
}
