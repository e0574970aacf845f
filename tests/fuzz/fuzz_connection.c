/*
 * fuzz/fuzz_connection.c - any bytes and handles on the socket of a connection.
 *
 * The input is a program.  The hostile side sends messages that are right but for some changes,
 * heads alone, any bytes, and handles with them, in any pieces; it reads, and it closes.  This side
 * receives, takes what came, sends, and flushes: as a connection alone, or with a caller or a
 * service on top, which the first byte decides.
 *
 * What a connection hands out is what a look at all bytes that were sent finds.  With the others
 * each call returns what its header tells.  Nothing that came is left open, whatever came.
 */
#include <unistd.h>

#include "wire.h"

/* ---- taking --------------------------------------------------------------------------------- */

static void take_item(csys_parcel *parcel, size_t i, enum csys_attachment_kind kind)
{
	csys_handle handle;
	csys_region *region;
	csys_socket *socket;
	csys_connection *connection;
	csys_shared_sender *sender;
	csys_shared_receiver *receiver;
	uint64_t value = 1;

	if (kind == CSYS_ATTACHMENT_HANDLE && csys_parcel_take_handle(parcel, i, &handle) == 0)
		csys_handle_close(handle);
	if (kind == CSYS_ATTACHMENT_SOCKET &&
	    csys_parcel_take_socket(parcel, i, NULL, &socket) == 0)
		csys_socket_close(socket);
	if (kind == CSYS_ATTACHMENT_CONNECTION &&
	    csys_parcel_take_connection(parcel, i, NULL, &connection) == 0)
		csys_connection_close(connection);
	if (kind == CSYS_ATTACHMENT_REGION &&
	    csys_parcel_take_region(parcel, i, NULL, &region) == 0) {
		(void)!csys_region_attach(region);
		csys_region_close(region);
	}
	if (kind == CSYS_ATTACHMENT_SHARED_SENDER &&
	    csys_parcel_take_shared_sender(parcel, i, 0, &sender) == 0) {
		(void)!csys_shared_sender_try_send(sender, &value, sizeof value);
		csys_shared_sender_close(sender);
	}
	if (kind == CSYS_ATTACHMENT_SHARED_RECEIVER &&
	    csys_parcel_take_shared_receiver(parcel, i, 0, &receiver) == 0) {
		(void)!csys_shared_receiver_try_recv(receiver, &value, sizeof value, NULL);
		csys_shared_receiver_close(receiver);
	}
}

static void use_parcel(csys_parcel *parcel)
{
	size_t size, count = csys_parcel_count(parcel);
	const uint8_t *data = csys_parcel_data(parcel, &size);
	unsigned how = byte(&now.in);

	MUST(size <= MOST && data[size] == 0 && count <= CSYS_CONNECTION_ATTACHMENTS);
	for (size_t i = 0; i < count; i++) {
		enum csys_attachment_kind kind = csys_parcel_kind(parcel, i);
		MUST(kind >= CSYS_ATTACHMENT_HANDLE && kind <= CSYS_ATTACHMENT_SHARED_RECEIVER);
		if (how >> i % 4 & 1) /* as what it says it is */
			take_item(parcel, i, kind);
		else if (how >> i % 4 & 16) /* as something else */
			take_item(parcel, i, (enum csys_attachment_kind)(how % 6 + 1));
	}
}

/* ---- this side ------------------------------------------------------------------------------ */

static void check_parcel(csys_parcel *parcel)
{
	const struct expected *it = &now.expected[now.first];
	size_t size;
	const void *data = csys_parcel_data(parcel, &size);

	if (!now.is_known)
		return;
	MUST(now.first++ < now.last);
	MUST(size == it->size && csys_parcel_count(parcel) == it->count);
	MUST(memcmp(data, now.sent + it->at, size) == 0);
}

static void receive_all(void)
{
	csys_parcel *parcel = NULL;
	int nothing = 0, r = 0;

	look();
	/* One call looks at some heads only. */
	while (r == 0 || (r == CSYS_EAGAIN && nothing++ < 64)) {
		r = csys_connection_try_recv(now.connection, &parcel);
		if (r < 0)
			continue;
		check_parcel(parcel);
		use_parcel(parcel);
		csys_parcel_close(parcel);
	}
	MUST(r == CSYS_EAGAIN || r == CSYS_EBADMSG || r == CSYS_EDISCONNECTED);
	if (now.is_known)
		MUST(now.first == now.last && r == (now.code ? now.code : CSYS_EAGAIN));
	/* CSYS_EDISCONNECTED: it had found that out before, by sending. */
	if (r == CSYS_EBADMSG) {
		r = csys_connection_try_send(now.connection, "x", 1, NULL, 0);
		MUST(r == CSYS_EBADMSG || r == CSYS_EDISCONNECTED);
	}
}

static void wait_for_calls(void)
{
	for (int i = 0; i < SOME; i++) {
		csys_parcel *reply = NULL;
		int r = now.calls[i] ? csys_call_try_wait(now.calls[i], &reply) : CSYS_EAGAIN;
		MUST(r == 0 || r == CSYS_EAGAIN || r == CSYS_ECANCELED || r == CSYS_EBADMSG ||
		     r == CSYS_EDISCONNECTED || r == CSYS_EINVAL);
		MUST(!now.is_taken[i] || r == CSYS_EINVAL);
		if (r != 0)
			continue;
		now.is_taken[i] = 1;
		use_parcel(reply);
		csys_parcel_close(reply);
	}
}

static void serve(void)
{
	csys_request *request;
	int r = 0;

	for (int i = 0; i < SOME && r == 0; i++) {
		if (now.requests[i])
			continue;
		r = csys_service_try_recv(now.service, &request);
		MUST(r == 0 || r == CSYS_EAGAIN);
		if (r == 0) {
			now.requests[i] = request;
			use_parcel(csys_request_parcel(request));
		}
	}
	/* It reads no more of a client than it may have under way. */
	if (r == 0)
		MUST(csys_service_try_recv(now.service, &request) == CSYS_EAGAIN);
}

static void receive(void)
{
	if (now.way == CONNECTION)
		receive_all();
	else if (now.way == CALLER)
		wait_for_calls();
	else
		serve();
}

/* Something to attach, which is given away: how many. */
static size_t attach(csys_attachment *out)
{
	csys_shared_sender *sender;
	csys_connection *a, *b;
	csys_handle handle;

	switch (byte(&now.in) % 8) {
	case 0:
		MUST(csys_handle_dup(pipe_end, &handle) == 0);
		*out = csys_attach_handle_take(handle);
		return 1;
	case 1:
		if (csys_shared_sender_open(channel(), &sender) < 0)
			return 0;
		*out = csys_attach_shared_sender_take(sender);
		return 1;
	case 2:
		MUST(csys_connection_pair(NULL, &a, &b) == 0);
		csys_connection_close(b);
		*out = csys_attach_connection_take(a);
		return 1;
	case 3:
		*out = csys_attach_handle(pipe_end);
		return 1;
	default:
		return 0;
	}
}

static int is_send_result(int r)
{
	return r == 0 || r == CSYS_EAGAIN || r == CSYS_EDISCONNECTED || r == CSYS_EBADMSG ||
	       r == CSYS_EBUSY || r == CSYS_ECANCELED;
}

static void send_ours(void)
{
	static const char bytes[MOST];
	csys_attachment attachment;
	size_t count = attach(&attachment), size = byte(&now.in) * 3;
	unsigned which = byte(&now.in) % SOME;
	int r = CSYS_EAGAIN;

	if (now.way == CONNECTION)
		r = csys_connection_try_send(now.connection, bytes, size, &attachment, count);
	else if (now.way == CALLER && !now.calls[which])
		r = csys_caller_try_begin(now.caller, bytes, size, &attachment, count,
					  &now.calls[which]);
	else if (now.way == SERVICE && now.requests[which])
		r = csys_request_reply(now.requests[which], bytes, size, &attachment, count);
	MUST(is_send_result(r) || r == CSYS_EINVAL);
	if (r == 0 && now.way == SERVICE) /* once */
		MUST(csys_request_fail(now.requests[which], 1, NULL, 0) == CSYS_EINVAL);
	if (r < 0)
		csysi_attachments_drop(&attachment, count);
}

static void finish_ours(unsigned which)
{
	if (now.way == CONNECTION && now.connection) {
		/* It receives, if there is something that the other side has not. */
		if (now.connection->acked < now.connection->sent)
			look();
		int r = csys_connection_flush(now.connection, CSYS_POLL);
		MUST(is_send_result(r) || r == CSYS_ETIMEDOUT);
		now.is_known &= r != CSYS_EBUSY;
	}
	csys_call_close(now.calls[which]);
	now.calls[which] = NULL;
	now.is_taken[which] = 0;
	csys_request_close(now.requests[which]);
	now.requests[which] = NULL;
}

/* ---- the program --------------------------------------------------------------------------- */

static void step(void)
{
	switch (byte(&now.in) % 12) {
	case 0:
	case 1:
	case 2:
		send_message();
		break;
	case 3:
		send_head();
		break;
	case 4:
		send_any();
		break;
	case 5:
	case 6:
		receive();
		break;
	case 7:
	case 8:
		send_ours();
		break;
	case 9:
		finish_ours(byte(&now.in) % SOME);
		break;
	case 10:
		write_ring();
		break;
	default:
		drain();
		if (byte(&now.in) % 8 == 0) {
			csys_socket_close(now.wire);
			now.wire = NULL;
		}
		break;
	}
}

/* ---- one input ------------------------------------------------------------------------------ */

static void begin(void)
{
	csys_connection_options options = { .most = MOST, .refuse_unsealed = now.in.size % 2 };
	const csys_service_options service_options = { .most_requests = SOME };
	csys_socket *socket;

	MUST(csys_socket_pair(NULL, &socket, &now.wire) == 0);
	MUST(csys_connection_from_socket_take(socket, &options, &now.connection) == 0);
	now.is_known = now.way == CONNECTION;
	if (now.way == CALLER)
		MUST(csys_caller_from_connection_take(now.connection, &now.caller) == 0);
	if (now.way != SERVICE)
		return;
	MUST(csys_service_open(&service_options, &now.service) == 0);
	MUST(csys_service_connect_take(now.service, now.connection, NULL) == 0);
	now.connection = NULL; /* it may go at any time */
}

static void end(void)
{
	receive();
	if (now.in.size % 3 == 0) { /* this side goes first */
		csys_service_close(now.service);
		csys_caller_close(now.caller);
	}
	for (unsigned i = 0; i < SOME; i++)
		finish_ours(i);
	if (now.in.size % 3 != 0) {
		csys_service_close(now.service);
		csys_caller_close(now.caller);
	}
	if (now.way == CONNECTION)
		csys_connection_close(now.connection);
	csys_socket_close(now.wire);
	csys_shared_channel_close(now.channel);
	csysi_connection_sweep();
}

static void run(const uint8_t *data, size_t size)
{
	memset(&now, 0, sizeof now);
	now.in = (struct input){ data, size, 0 };
	now.way = byte(&now.in) % WAYS;
	begin();
	for (int i = 0; i < 64 && has_more(&now.in); i++)
		step();
	end();
}

/* What is kept for good is there from now on. */
static void prepare(void)
{
	const uint8_t attaches_sender[] = { CONNECTION, 7, 1, 1, 0 };
	csys_handle other;
	csys_socket *a, *b;
	int fds[2];

	MUST(pipe(fds) == 0);
	pipe_end = fds[0];
	MUST(csys_socket_pair(NULL, &a, &b) == 0);
	MUST(csys_socket_into_handle(a, &stream) == 0);
	MUST(csys_socket_into_handle(b, &other) == 0);
	run(attaches_sender, sizeof attaches_sender);
	run((const uint8_t[]){ CALLER }, 1);
	run((const uint8_t[]){ SERVICE }, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (pipe_end == 0)
		prepare();
	int handles = open_handles();
	run(data, size);
	MUST(open_handles() == handles);
	return 0;
}
