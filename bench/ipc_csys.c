/*
 * bench/ipc_csys.c - csys as a subject of bench/ipc.
 */
#include <stdio.h>
#include <stdlib.h>

#include <csys/io.h>
#include <csys/ipc.h>

#include "ipc_peer.h"

static csys_deadline until(void)
{
	return csys_deadline_at(ipc_deadline());
}

/* ---- streams: one way to the other side, and one back ----------------------- */

/* By the side that has them. */
struct ends {
	csys_handle reader[2];
	csys_handle writer[2];
};

static struct ends *new_ends(void)
{
	struct ends *ends = malloc(sizeof *ends);
	ipc_check(ends != NULL, "out of memory");
	return ends;
}

static void *pipe_open(size_t size)
{
	(void)size;
	struct ends *ends = new_ends();
	for (int side = 0; side < 2; side++)
		ipc_check(csys_pipe_create(&ends->reader[side], &ends->writer[!side]) == 0,
			  "csys: no pipe");
	return ends;
}

static void *fifo_open(size_t size)
{
	const csys_fifo_options options = { .create = 1 };
	(void)size;
	struct ends *ends = new_ends();
	for (int side = 0; side < 2; side++) {
		const char *path = ipc_path("fifo");
		csys_handle keeper;
		ipc_check(csys_fifo_open_kept_reader(path, &options, &ends->reader[side],
						     &keeper) == 0 &&
				  csys_fifo_open_writer(path, NULL, &ends->writer[!side]) == 0 &&
				  csys_fifo_unlink(path, keeper) == 0,
			  "csys: no FIFO");
		csys_handle_close(keeper);
	}
	return ends;
}

static void stream_join(void *channel, int side)
{
	struct ends *ends = channel;
	csys_handle_close(ends->reader[!side]);
	csys_handle_close(ends->writer[!side]);
}

static void stream_send(void *channel, int side, const void *data, size_t size)
{
	struct ends *ends = channel;
	ipc_check(csys_stream_write_all_until(ends->writer[side], data, size, until(), NULL) == 0,
		  "csys: nothing sent");
}

static void stream_recv(void *channel, int side, void *buffer, size_t size)
{
	struct ends *ends = channel;
	size_t got;
	ipc_check(csys_stream_read_all_until(ends->reader[side], buffer, size, until(), &got) ==
				  0 &&
			  got == size,
		  "csys: nothing received");
}

static void stream_close(void *channel, int side)
{
	struct ends *ends = channel;
	csys_handle_close(ends->reader[side]);
	csys_handle_close(ends->writer[side]);
	free(ends);
}

/* ---- queues of the system --------------------------------------------------- */

/* By the side that receives. */
struct queues {
	csys_message_queue *to[2];
};

static void *queues_open(const csys_message_queue_options *options, int has_name)
{
	struct queues *queues = malloc(sizeof *queues);
	ipc_check(queues != NULL, "out of memory");
	for (int side = 0; side < 2; side++) {
		const char *name = has_name ? ipc_name(side ? "there" : "back") : NULL;
		ipc_check(csys_message_queue_create(name, options, &queues->to[side]) == 0,
			  "csys: no queue");
	}
	return queues;
}

static void *message_queue_open(size_t size)
{
	const csys_message_queue_options options = { .max_messages = 8, .max_size = size };
	struct queues *queues = queues_open(&options, 1);
	for (int side = 0; side < 2; side++)
		ipc_check(csys_message_queue_unlink(ipc_name(side ? "there" : "back"), NULL) == 0,
			  "csys: the queue is gone");
	return queues;
}

static void *system_v_open(size_t size)
{
	const csys_message_queue_options options = { .kind = CSYS_MESSAGE_QUEUE_SYSTEM_V,
						     .max_messages = 8,
						     .max_size = size };
	return queues_open(&options, 0);
}

static void queue_join(void *channel, int side)
{
	(void)channel;
	(void)side;
}

static void queue_send(void *channel, int side, const void *data, size_t size)
{
	struct queues *queues = channel;
	ipc_check(csys_message_queue_send_until(queues->to[!side], data, size, 0, until()) == 0,
		  "csys: nothing sent");
}

static void queue_recv(void *channel, int side, void *buffer, size_t size)
{
	struct queues *queues = channel;
	size_t got;
	ipc_check(csys_message_queue_recv_until(queues->to[side], buffer, size, until(), &got,
						NULL) == 0 &&
			  got == size,
		  "csys: nothing received");
}

static void queue_close(void *channel, int side)
{
	struct queues *queues = channel;
	for (int i = 0; i < 2; i++) {
		if (side == 0 && csys_message_queue_id(queues->to[i]) >= 0)
			ipc_check(csys_message_queue_remove(queues->to[i]) == 0,
				  "csys: the queue is gone");
		csys_message_queue_close(queues->to[i]);
	}
	free(queues);
}

/* ---- locks of files --------------------------------------------------------- */

static void *file_lock_open(size_t size)
{
	const csys_file_lock_options options = { .create = 1, .mode = 0600 };
	csys_file_lock *lock;
	(void)size;
	ipc_check(csys_file_lock_open(ipc_path("lock"), &options, &lock) == 0 &&
			  remove(ipc_path("lock")) == 0,
		  "csys: no lock");
	return lock;
}

static void file_lock_pair(void *object, int64_t count)
{
	for (; count > 0; count--) {
		ipc_check(csys_file_lock_lock(object, CSYS_FILE_LOCK_EXCLUSIVE) == 0,
			  "csys: not locked");
		csys_file_lock_unlock(object);
	}
}

static void file_lock_close(void *object, int side)
{
	(void)side;
	csys_file_lock_close(object);
}

#define STREAM .join = stream_join, .send = stream_send, .recv = stream_recv, .close = stream_close
#define QUEUE .join = queue_join, .send = queue_send, .recv = queue_recv, .close = queue_close

static const struct ipc_way ways[] = {
	{ .name = "pipe", .open = pipe_open, STREAM },
	{ .name = "fifo", .open = fifo_open, STREAM },
	{ .name = "message_queue", .largest = 8192, .open = message_queue_open, QUEUE },
	{ .name = "system_v", .largest = 2048, .open = system_v_open, QUEUE },
	{ .name = "file_lock",
	  .open = file_lock_open,
	  .close = file_lock_close,
	  .pair = file_lock_pair },
};

extern const struct ipc_peer ipc_peer_csys;
const struct ipc_peer ipc_peer_csys = { .name = "csys",
					.ways = ways,
					.count = sizeof ways / sizeof *ways };
