/*
 * snippets/ipc_framing.c - a program around the snippets of csys/ipc/framing.h.
 */
#include <stddef.h>

#include <csys/ipc/framing.h>

void handle_message(const void *data, size_t size);

int send_hello(csys_handle stream);
int send_hello(csys_handle stream)
{
#include "snippet/1"
	return r;
}

int handle_messages(csys_handle stream, csys_deadline deadline);
int handle_messages(csys_handle stream, csys_deadline deadline)
{
#include "snippet/2"
	return r;
}
