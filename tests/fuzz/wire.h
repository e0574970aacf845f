/*
 * fuzz/wire.h - the hostile side of a connection, for fuzz_connection.c, and the look at what it
 * has sent.
 */
#ifndef CSYS_FUZZ_WIRE_H
#define CSYS_FUZZ_WIRE_H

#include "input.h"
#include "ipc/call.h"
#include "ipc/caller.h"
#include "ipc/service.h"
#include "ipc/shared_channel.h"
#include "os/os.h"

#define MOST 1024u /* of a message */
#define SOME 4     /* calls, and requests, at once */

enum { CONNECTION, CALLER, SERVICE, WAYS };

/* A message that the look has found. */
struct expected {
	size_t at, size, count;
};

static struct {
	struct input in;
	unsigned way;

	csys_socket *wire; /* NULL: closed */
	csys_connection *connection;
	csys_caller *caller;
	csys_call *calls[SOME];
	int is_taken[SOME]; /* the reply of the call */
	csys_service *service;
	csys_request *requests[SOME];

	/* What was sent, and the look at it. */
	uint8_t sent[1 << 14];
	size_t sent_size, looked;
	uint64_t messages;
	int is_known;              /* handles are where they belong: the look is right */
	int is_over;               /* nothing more is sent */
	int code;                  /* what it ends with; 0: it goes on */
	uint16_t handles[1 << 14]; /* that were sent with each byte */
	uint64_t received, acked;
	struct expected expected[256];
	size_t first, last;

	csys_shared_channel *channel;
} now;

static csys_handle pipe_end, stream;

/* ---- what is attached ----------------------------------------------------------------------- */

static csys_shared_channel *channel(void)
{
	if (!now.channel)
		MUST(csys_shared_channel_create_anonymous(8, 4, NULL, &now.channel) == 0);
	return now.channel;
}

/* A region that holds what the channel's does, but for some bytes. */
static csys_handle forged_region(void)
{
	static unsigned char copy[1 << 16];
	csys_handle source = csys_shared_channel_handle(channel()), file;
	struct csysi_os_file info;

	MUST(csysi_os_file_info(source, &info) == 0 && info.size <= sizeof copy);
	MUST(csysi_os_read_at(source, 0, copy, (size_t)info.size) == 0);
	for (unsigned count = byte(&now.in) % 4; count > 0; count--) {
		size_t at = two_bytes(&now.in) % (size_t)info.size;
		copy[at] = byte(&now.in);
	}
	MUST(csysi_os_memory_create("fuzz", 0, &file) == 0);
	MUST(csysi_os_write_at(file, 0, copy, (size_t)info.size) == 0);
	if (byte(&now.in) % 4 != 0)
		MUST(csysi_os_memory_seal(file, CSYSI_OS_SEAL_SHRINK) == 0);
	return file;
}

/* A handle to be sent; *out_is_own: to be closed after that. */
static csys_handle some_handle(int *out_is_own)
{
	*out_is_own = 0;
	switch (byte(&now.in) % 5) {
	case 0:
		return pipe_end;
	case 1:
		return stream;
	case 2:
		*out_is_own = 1;
		return forged_region();
	default:
		return csys_shared_channel_handle(channel());
	}
}

/* ---- what is sent --------------------------------------------------------------------------- */

static void receive(void);

/* Send bytes, with handles. */
static void put(const void *bytes, size_t size, const csys_handle *handles, size_t count)
{
	const csys_slice slice = { bytes, size };
	const csys_message message = {
		.slices = &slice, .slice_count = 1, .handles = handles, .handle_count = count
	};
	size_t sent = 0;

	if (!now.wire || now.is_over || size == 0 || size > sizeof now.sent - now.sent_size)
		return;
	int r = csys_message_try_send(now.wire, &message, &sent);
	MUST(r == 0 || r == CSYS_EAGAIN || r == CSYS_EPIPE || r == CSYS_ECONNRESET);
	if (r == CSYS_EPIPE || r == CSYS_ECONNRESET)
		now.is_over = 1;
	memcpy(now.sent + now.sent_size, bytes, sent);
	if (sent > 0)
		now.handles[now.sent_size] = (uint16_t)count;
	now.sent_size += sent;
}

/* Send bytes in two pieces, with what this side does between them. */
static void put_in_pieces(const void *bytes, size_t size, const csys_handle *handles, size_t count)
{
	unsigned cut = byte(&now.in);
	size_t first = cut % (size + 1);

	if (first == 0)
		first = size;
	put(bytes, first, handles, count);
	if (first < size && cut >= 128)
		receive();
	put((const char *)bytes + first, size - first, NULL, 0);
}

static struct csysi_connection_head some_head(uint16_t kind)
{
	static const uint64_t offsets[] = { 0, 0, 0, 0, 0, 1, UINT64_MAX, 1 << 20 };
	unsigned which = byte(&now.in);
	uint64_t sent = now.connection ? now.connection->sent : 0;

	return (struct csysi_connection_head){
		.magic = CSYSI_CONNECTION_MAGIC,
		.kind = kind,
		.received = which & 64 ? 0 : sent + offsets[which % 8],
	};
}

static struct csysi_connection_entry some_entry(void)
{
	const struct csysi_shared_ring *ring = channel()->ring;
	unsigned how = byte(&now.in);
	struct csysi_connection_entry entry = { .kind = how % 8, .type = 0 };

	entry.place = how & 8 ? four_bytes(&now.in) : how >> 6;
	entry.id = how & 16 ? four_bytes(&now.in)
		   : entry.kind == CSYS_ATTACHMENT_SHARED_SENDER
			   ? ring->ids[entry.place % now.channel->senders]
			   : ring->receiver;
	entry.offset = how & 32 ? eight_bytes(&now.in) : 0;
	return entry;
}

/* The bytes of a message: from the input, behind the head of a call if there is one. */
static size_t some_bytes(uint8_t *out)
{
	struct csysi_call_head head = { .magic = CSYSI_CALL_MAGIC };
	size_t size = byte(&now.in), at = 0;

	if (now.way != CONNECTION) {
		unsigned how = byte(&now.in);
		const csys_call *call = now.calls[how / 8 % SOME];
		head.kind = how % 6;
		head.id = how & 128 ? four_bytes(&now.in) : call ? call->id : how / 8 % SOME;
		head.code = (int32_t)how - 32;
		memcpy(out, &head, sizeof head);
		at = how & 64 ? how % sizeof head : sizeof head;
	}
	memset(out + at, 'x', size);
	(void)take(&now.in, out + at, size);
	return at + size;
}

static void send_message(void)
{
	static uint8_t bytes[sizeof(struct csysi_connection_frame) + 2 * MOST];
	csys_handle handles[8];
	int is_own[8];
	unsigned how = byte(&now.in);
	size_t size = sizeof(struct csysi_connection_head), count = how % 16 < 8 ? 0 : how % 8;

	if (now.is_known && count > 0)
		receive(); /* so that it is known where the message begins */
	struct csysi_connection_head head = some_head(CSYSI_HEAD_DATA);
	for (size_t i = 0; i < count; i++) {
		struct csysi_connection_entry entry = some_entry();
		handles[i] = some_handle(&is_own[i]);
		memcpy(bytes + size, &entry, sizeof entry);
		size += sizeof entry;
	}
	head.count = (uint16_t)count;
	head.number = ++now.messages;
	head.size = some_bytes(bytes + size);
	size += (size_t)head.size;
	memcpy(bytes, &head, sizeof head);
	for (unsigned changes = how / 16 % 4; changes > 0; changes--) {
		size_t at = two_bytes(&now.in) % (how & 64 ? size : sizeof head);
		bytes[at] = byte(&now.in);
	}
	size_t with = count;
	if (how & 128) {
		with = how / 16 % 8 < count ? how / 16 % 8 : count;
		now.is_known &= with == count;
	}
	/* Behind half a message they are not where they belong. */
	now.is_known &= with == 0 || now.looked == now.sent_size;
	put_in_pieces(bytes, size, handles, with);
	for (size_t i = 0; i < count; i++)
		if (is_own[i])
			csys_handle_close(handles[i]);
}

static void send_head(void)
{
	unsigned how = byte(&now.in);
	struct csysi_connection_head head = some_head((uint16_t)(how % 4 + 2));

	if (how & 4)
		((uint8_t *)&head)[how / 8 % sizeof head] = byte(&now.in);
	put_in_pieces(&head, sizeof head, NULL, 0);
}

static void send_any(void)
{
	uint8_t bytes[64];
	const csys_handle handles[] = { pipe_end, stream };
	unsigned how = byte(&now.in);
	size_t size = take(&now.in, bytes, how % sizeof bytes);

	now.is_known &= how < 192;
	put_in_pieces(bytes, size, handles, how < 192 ? 0 : how % 3);
}

/* ---- the look at what was sent --------------------------------------------------------------- */

/* What a head does: 0, or what the connection ends with. */
static int look_at_head(const struct csysi_connection_head *head, size_t handles)
{
	int is_right = head->magic == CSYSI_CONNECTION_MAGIC && head->count == handles &&
		       head->received >= now.acked && head->received <= now.connection->sent;

	if (head->kind == CSYSI_HEAD_DATA)
		is_right &= head->number == now.received + 1 && head->size <= MOST;
	else if (head->kind == CSYSI_HEAD_HELLO)
		is_right &= head->size == 0 && head->count == 0 && head->received == 0 &&
			    now.received == 0;
	else
		is_right &= (head->kind == CSYSI_HEAD_TELL || head->kind == CSYSI_HEAD_ASK) &&
			    head->size == 0 && head->count == 0 && head->number == 0;
	return is_right ? 0 : CSYS_EBADMSG;
}

/* Look at one message: 1.  0: it is not whole. */
static int look_at_one(void)
{
	struct csysi_connection_head head;
	struct csysi_connection_entry entry;
	const uint8_t *bytes = now.sent + now.looked;
	size_t left = now.sent_size - now.looked, size = sizeof head;

	if (left < sizeof head)
		return 0;
	memcpy(&head, bytes, sizeof head);
	now.code = look_at_head(&head, now.handles[now.looked]);
	for (size_t i = 0; now.code == 0 && i < head.count; i++, size += sizeof entry) {
		if (left < size + sizeof entry)
			return 0;
		memcpy(&entry, bytes + size, sizeof entry);
		if (entry.kind == 0 || entry.kind > 6 || entry.reserved != 0)
			now.code = CSYS_EBADMSG;
	}
	if (now.code == 0 && left - size < head.size)
		return 0;
	if (now.code != 0)
		return 0;
	now.acked = head.received;
	if (head.kind == CSYSI_HEAD_DATA) {
		MUST(now.last < sizeof now.expected / sizeof *now.expected);
		now.expected[now.last++] =
			(struct expected){ now.looked + size, (size_t)head.size, head.count };
		now.received++;
	}
	now.looked += size + (size_t)head.size;
	return 1;
}

/* Before this side receives: the numbers are checked against what it has sent by then. */
static void look(void)
{
	while (now.code == 0 && look_at_one())
		;
	if (now.code == 0 && !now.wire)
		now.code = CSYS_EDISCONNECTED;
}

/* ---- what else it does ---------------------------------------------------------------------- */

static void drain(void)
{
	static char bytes[8192];
	csys_handle handles[CSYS_CONNECTION_ATTACHMENTS];
	csys_slice_mut slice = { bytes, sizeof bytes };
	csys_received_message message = { .slices = &slice,
					  .slice_count = 1,
					  .handles = handles,
					  .handle_room = CSYS_CONNECTION_ATTACHMENTS };

	while (now.wire && csys_message_try_recv(now.wire, &message) == 0 && message.size > 0)
		csys_message_close_handles(&message);
}

/* The channel's memory is anybody's. */
static void write_ring(void)
{
	struct csysi_shared_ring *ring = channel()->ring;
	unsigned which = byte(&now.in);

	if (which < 128)
		ring->ids[which % now.channel->senders] = four_bytes(&now.in);
	else
		ring->receiver = four_bytes(&now.in);
}

#endif
