/*
 * snippets/sync_channel_in_place.c - a program around the snippet of csys/sync/channel_in_place.h.
 */
#include <csys/sync/channel_in_place.h>
#include <csys/sync/typed_channel.h>

struct frame {
	int pixels[1000];
};
CSYS_CHANNEL_DEFINE(frames, struct frame);

int render(struct frame *frame);
void show(const struct frame *frame);

int send_and_show(frames_sender sender, frames_receiver receiver);
int send_and_show(frames_sender sender, frames_receiver receiver)
{
#include "snippet/1"
#include "snippet/2"
	return r;
}
