/*
 * snippets/ipc_shared_channel_in_place.c - a program around the snippets of
 * csys/ipc/shared_channel_in_place.h.
 */
#include <csys/ipc/shared_channel_in_place.h>

#define FRAME_SIZE 4096

int render(void *frame);
void show(const void *frame, size_t length);

int pass(csys_shared_sender *sender, csys_shared_receiver *receiver);
int pass(csys_shared_sender *sender, csys_shared_receiver *receiver)
{
	size_t length;
#include "snippet/1"
#include "snippet/2"
	return r;
}
