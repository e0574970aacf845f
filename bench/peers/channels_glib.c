/*
 * bench/peers/channels_glib.c - GLib's GAsyncQueue, which knows neither bounds nor ends.
 *
 * It carries pointers, so what is larger than one is copied to the heap, as programs do.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "channels_message.h"

static inline __attribute__((always_inline)) void queue_send(GAsyncQueue *queue,
							     const void *message, size_t size)
{
	uint64_t number;
	if (size == sizeof number && sizeof(void *) == sizeof number) {
		memcpy(&number, message, sizeof number);
		g_async_queue_push(queue, (void *)(uintptr_t)(number + 1)); /* not NULL */
		return;
	}
	void *copy = g_malloc(size);
	memcpy(copy, message, size);
	g_async_queue_push(queue, copy);
}

static inline __attribute__((always_inline)) void queue_recv(GAsyncQueue *queue, void *out_message,
							     size_t size)
{
	uint64_t number;
	void *item = g_async_queue_pop(queue);
	if (size == sizeof number && sizeof(void *) == sizeof number) {
		number = (uintptr_t)item - 1;
		memcpy(out_message, &number, sizeof number);
		return;
	}
	memcpy(out_message, item, size);
	g_free(item);
}

static GAsyncQueue *queue_new(GAsyncQueue **out_other)
{
	GAsyncQueue *queue = g_async_queue_new();
	*out_other = g_async_queue_ref(queue);
	return queue;
}

#define SENDER GAsyncQueue *
#define RECEIVER GAsyncQueue *
#define CREATE(capacity, many, out_sender, out_receiver) \
	((void)(capacity), (void)(many), *(out_sender) = queue_new(out_receiver))
#define SEND(sender, message) queue_send(sender, message, BYTES)
#define RECV(receiver, out_message) queue_recv(receiver, out_message, BYTES)
#define CLONE_SENDER(sender) g_async_queue_ref(sender)
#define CLOSE_SENDER(sender) g_async_queue_unref(sender)
#define CLOSE_RECEIVER(receiver) g_async_queue_unref(receiver)

#define BYTES 8
#include "channels_loop.h"
#define BYTES 64
#include "channels_loop.h"
#define BYTES 512
#include "channels_loop.h"

static const char *version(void)
{
	static char text[32];
	snprintf(text, sizeof text, "%u.%u.%u", glib_major_version, glib_minor_version,
		 glib_micro_version);
	return text;
}

const struct channels_peer channels_peer_glib = {
	.name = "glib",
	.version = version,
	.loops = { [CHANNELS_KIND_UNBOUNDED] = { &loops_8, &loops_64, &loops_512 } },
};
