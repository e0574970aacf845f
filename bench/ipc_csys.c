/*
 * bench/ipc_csys.c - csys as a subject of bench/ipc.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/io.h>
#include <csys/ipc.h>

#include "ipc_peer.h"

static csys_deadline until(void)
{
	return csys_deadline_at(ipc_deadline());
}

static void *room_for(size_t size)
{
	void *memory = calloc(1, size);
	ipc_check(memory != NULL, "out of memory");
	return memory;
}

/* ---- streams: one way to the other side, and one back ----------------------- */

/* By the side that has them. */
struct ends {
	csys_handle reader[2];
	csys_handle writer[2];
};

static void *pipe_open(size_t size)
{
	(void)size;
	struct ends *ends = room_for(sizeof *ends);
	for (int side = 0; side < 2; side++)
		ipc_check(csys_pipe_create(&ends->reader[side], &ends->writer[!side]) == 0,
			  "csys: no pipe");
	return ends;
}

static void *fifo_open(size_t size)
{
	const csys_fifo_options options = { .create = 1 };
	(void)size;
	struct ends *ends = room_for(sizeof *ends);
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

/* ---- sockets ---------------------------------------------------------------- */

/* By the side that has it; for framing also what is made of it in `join`. */
struct sockets {
	csys_socket *of[2];
	csys_frame_writer *writer;
	csys_frame_reader *reader;
};

static void *pair_open(int kind)
{
	const csys_socket_options options = { .kind = kind };
	struct sockets *sockets = room_for(sizeof *sockets);
	ipc_check(csys_socket_pair(&options, &sockets->of[0], &sockets->of[1]) == 0,
		  "csys: no sockets");
	return sockets;
}

static void *stream_socket_open(size_t size)
{
	(void)size;
	return pair_open(CSYS_SOCKET_STREAM);
}

static void *datagram_open(size_t size)
{
	(void)size;
	return pair_open(CSYS_SOCKET_DATAGRAM);
}

static void *seqpacket_open(size_t size)
{
	(void)size;
	return pair_open(CSYS_SOCKET_SEQPACKET);
}

static void *tcp_open(size_t size)
{
	const csys_tcp_options options = { .nodelay = 1 };
	csys_ip_endpoint here = csys_ip_endpoint_of(csys_ip_address_localhost(CSYS_IP_V4), 0);
	struct sockets *sockets = room_for(sizeof *sockets);
	csys_listener *listener;
	(void)size;
	ipc_check(csys_tcp_listen(&here, NULL, &listener) == 0 &&
			  csys_tcp_listener_local(listener, &here) == 0 &&
			  csys_tcp_connect_until(&here, 1, &options, until(), &sockets->of[0]) ==
				  0 &&
			  csys_listener_accept_until(listener, until(), &sockets->of[1]) == 0 &&
			  csys_tcp_set_nodelay(sockets->of[1], 1) == 0,
		  "csys: no connection");
	csys_listener_close(listener);
	return sockets;
}

static void socket_join(void *channel, int side)
{
	csys_socket_close(((struct sockets *)channel)->of[!side]);
}

static void socket_send(void *channel, int side, const void *data, size_t size)
{
	csys_socket *socket = ((struct sockets *)channel)->of[side];
	ipc_check(csys_socket_send_all_until(socket, data, size, until(), NULL) == 0,
		  "csys: nothing sent");
}

static void socket_recv(void *channel, int side, void *buffer, size_t size)
{
	csys_socket *socket = ((struct sockets *)channel)->of[side];
	size_t got;
	ipc_check(csys_socket_recv_all_until(socket, buffer, size, until(), &got) == 0 &&
			  got == size,
		  "csys: nothing received");
}

static void socket_close(void *channel, int side)
{
	struct sockets *sockets = channel;
	csys_frame_writer_close(sockets->writer);
	csys_frame_reader_close(sockets->reader);
	csys_socket_close(sockets->of[side]);
	free(sockets);
}

static void framing_join(void *channel, int side)
{
	struct sockets *sockets = channel;
	socket_join(channel, side);
	ipc_check(csys_frame_writer_open_socket(sockets->of[side], NULL, &sockets->writer) == 0 &&
			  csys_frame_reader_open_socket(sockets->of[side], NULL,
							&sockets->reader) == 0,
		  "csys: no framing");
}

static void framing_send(void *channel, int side, const void *data, size_t size)
{
	(void)side;
	ipc_check(csys_frame_writer_send_until(((struct sockets *)channel)->writer, data, size,
					       until()) == 0,
		  "csys: nothing sent");
}

/* The message lies where the reader has it: only what is checked is copied. */
static void framing_recv(void *channel, int side, void *buffer, size_t size)
{
	csys_frame frame;
	(void)side;
	ipc_check(csys_frame_reader_next_until(((struct sockets *)channel)->reader, until(),
					       &frame) == 1 &&
			  frame.size == size,
		  "csys: nothing received");
	memcpy(buffer, frame.data, IPC_CHECKED);
	memcpy((char *)buffer + size - IPC_CHECKED, (const char *)frame.data + size - IPC_CHECKED,
	       IPC_CHECKED);
}

/* ---- queues of the system --------------------------------------------------- */

/* By the side that receives. */
struct queues {
	csys_message_queue *to[2];
};

static void *queues_open(const csys_message_queue_options *options, int has_name)
{
	struct queues *queues = room_for(sizeof *queues);
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

/* ---- semaphores, and memory ------------------------------------------------- */

static csys_named_semaphore *new_semaphore(const char *which, uint32_t value)
{
	csys_named_semaphore *semaphore;
	ipc_check(csys_named_semaphore_create(ipc_name(which), value, NULL, &semaphore) == 0 &&
			  csys_named_semaphore_unlink(CSYS_NAMES_USER, ipc_name(which)) == 0,
		  "csys: no semaphore");
	return semaphore;
}

static void *semaphore_open(size_t size)
{
	(void)size;
	return new_semaphore("pair", 0);
}

static void semaphore_pair(void *object, int64_t count)
{
	int failures = 0;
	for (; count > 0; count--) {
		failures |= csys_named_semaphore_post(object, 1);
		csys_named_semaphore_wait(object);
	}
	ipc_check(failures == 0, "csys: not posted");
}

static void semaphore_close(void *object, int side)
{
	(void)side;
	csys_named_semaphore_close(object);
}

#define RING_SEMAPHORE csys_named_semaphore

static void ring_post(csys_named_semaphore *semaphore)
{
	ipc_check(csys_named_semaphore_post(semaphore, 1) == 0, "csys: not posted");
}

static void ring_wait(csys_named_semaphore *semaphore)
{
	ipc_check(csys_named_semaphore_wait_until(semaphore, until()) == 0,
		  "csys: the deadline has passed");
}

#include "ipc_ring.h"

static void *shm_open_rings(size_t size)
{
	struct rings *rings = room_for(sizeof *rings);
	csys_shm *shm;
	ipc_check(csys_shm_create_anonymous(ring_bytes(size), NULL, &shm) == 0, "csys: no memory");
	ring_slots(rings, csys_shm_data(shm), size);
	rings->memory = shm;
	for (int side = 0; side < 2; side++) {
		rings->to[side].filled = new_semaphore("filled", 0);
		rings->to[side].free = new_semaphore("free", RING_SLOTS);
	}
	return rings;
}

static void shm_close(void *channel, int side)
{
	struct rings *rings = channel;
	(void)side;
	for (int i = 0; i < 2; i++) {
		csys_named_semaphore_close(rings->to[i].filled);
		csys_named_semaphore_close(rings->to[i].free);
	}
	csys_shm_close(rings->memory);
	free(rings);
}

#define STREAM .join = stream_join, .send = stream_send, .recv = stream_recv, .close = stream_close
#define ABOVE_QUEUED .largest = IPC_QUEUED, .why_not_larger = "fs.mqueue.msgsize_max is 8192"
#define ABOVE_SYSTEM_V \
	.largest = IPC_SYSTEM_V, .why_not_larger = "eight of them are more than kernel.msgmnb"
#define ABOVE_DATAGRAM           \
	.largest = IPC_DATAGRAM, \
	.why_not_larger = "a message is not larger than the send buffer, net.core.wmem_default"
#define SOCKET .join = socket_join, .send = socket_send, .recv = socket_recv, .close = socket_close
#define QUEUE .join = queue_join, .send = queue_send, .recv = queue_recv, .close = queue_close

static const struct ipc_way ways[] = {
	{ .name = "pipe", .open = pipe_open, STREAM },
	{ .name = "fifo", .open = fifo_open, STREAM },
	{ .name = "message_queue", ABOVE_QUEUED, .open = message_queue_open, QUEUE },
	{ .name = "system_v", ABOVE_SYSTEM_V, .open = system_v_open, QUEUE },
	{ .name = "stream", .open = stream_socket_open, SOCKET },
	{ .name = "datagram", ABOVE_DATAGRAM, .open = datagram_open, SOCKET },
	{ .name = "seqpacket", ABOVE_DATAGRAM, .open = seqpacket_open, SOCKET },
	{ .name = "tcp", .open = tcp_open, SOCKET },
	{ .name = "framing",
	  .open = stream_socket_open,
	  .join = framing_join,
	  .send = framing_send,
	  .recv = framing_recv,
	  .close = socket_close },
	{ .name = "shm",
	  .open = shm_open_rings,
	  .join = ring_join,
	  .send = ring_send,
	  .recv = ring_recv,
	  .close = shm_close },
	{ .name = "named_semaphore",
	  .open = semaphore_open,
	  .close = semaphore_close,
	  .pair = semaphore_pair },
	{ .name = "file_lock",
	  .open = file_lock_open,
	  .close = file_lock_close,
	  .pair = file_lock_pair },
};

extern const struct ipc_peer ipc_peer_csys;
extern const struct ipc_peer ipc_peer_csys_channel;
const struct ipc_peer ipc_peer_csys = { .name = "csys",
					.ways = ways,
					.count = sizeof ways / sizeof *ways,
					.more = &ipc_peer_csys_channel };
