/*
 * ipc/framing_socket.c - readers and writers of frames over sockets.
 */
#include "ipc/framing.h"
#include "ipc/socket.h"

static int recv_some(void *context, void *buffer, size_t size, csys_deadline deadline,
		     size_t *out_size)
{
	return csys_socket_recv_until(context, buffer, size, deadline, out_size);
}

static int send_some(void *context, const csys_slice *slices, size_t count, csys_deadline deadline,
		     size_t *out_size)
{
	csys_message message = { .slices = slices, .slice_count = count };

	return csys_message_send_until(context, &message, deadline, out_size);
}

static int stream_of(csys_socket *socket, struct csysi_frame_stream *out)
{
	if (!socket)
		return CSYS_EINVAL;
	if (csys_socket_kind_of(socket) != CSYS_SOCKET_STREAM)
		return CSYS_EBADMSG;
	out->functions.context = socket;
	out->functions.read_until = recv_some;
	out->functions.write_until = send_some;
	out->handle = csys_socket_handle(socket);
	return 0;
}

int csys_frame_reader_open_socket(csys_socket *socket, const csys_framing_options *options,
				  csys_frame_reader **out)
{
	struct csysi_frame_stream stream;
	int r = stream_of(socket, &stream);

	return r < 0 ? r : csysi_frame_reader_over(&stream, options, out);
}

int csys_frame_writer_open_socket(csys_socket *socket, const csys_framing_options *options,
				  csys_frame_writer **out)
{
	struct csysi_frame_stream stream;
	int r = stream_of(socket, &stream);

	return r < 0 ? r : csysi_frame_writer_over(&stream, options, out);
}
