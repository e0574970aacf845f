/*
 * examples/fd_server.c - a program that opens a file for others, and hands the open file over.
 *
 *     fd_server serve PATH < FILE    hand this program's stdin to each that asks
 *     fd_server fetch PATH           ask for it, and copy what it holds to stdout
 *
 * Only processes of the same user get it, and each is told on stderr with its pid.  The one that
 * fetches needs no right to open the file: what it gets is open already.  Shows: handles in
 * messages, credentials of the peer, and a deadline against peers that say nothing.
 */
#include <stdio.h>
#include <string.h>

#include <csys/csys.h>

static int complain(const char *what, int result)
{
	fprintf(stderr, "fd_server: %s: %s\n", what, csys_strerror(result));
	return 1;
}

/* CSYS_EPERM: to another user nothing is given. */
static int hand_over(csys_socket *client, csys_handle file)
{
	csys_credentials peer;
	int is_same = 0;
	int r = csys_socket_peer_is_same_user(client, &is_same);
	if (r == 0 && !is_same)
		r = CSYS_EPERM;
	if (r == 0)
		r = csys_socket_peer_credentials(client, &peer);
	if (r < 0)
		return r;

	const csys_slice part = { "file", 4 };
	const csys_message message = {
		.slices = &part, .slice_count = 1, .handles = &file, .handle_count = 1
	};
	r = csys_message_send_until(client, &message, csys_after_s(1), NULL);
	if (r == 0)
		fprintf(stderr, "fd_server: handed over to process %lld\n", (long long)peer.pid);
	return r;
}

static int serve(const csys_address *address)
{
	CSYS_AUTO(csys_listener) listener = NULL;
	int r = csys_listener_bind(address, NULL, &listener);
	if (r < 0)
		return complain("cannot listen", r);
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		CSYS_AUTO(csys_socket) client = NULL;
		r = csys_listener_accept(listener, &client);
		if (r < 0)
			return complain("cannot accept", r);
		r = hand_over(client, csys_standard(CSYS_STDIN));
		if (r < 0)
			complain("cannot hand over", r);
	}
}

static int copy(csys_handle file)
{
	char buffer[4096];
	size_t size = 0;
	int r = 0;

	do {
		r = csys_stream_read(file, buffer, sizeof buffer, &size);
		if (r == 0)
			fwrite(buffer, 1, size, stdout);
	} while (r == 0 && size > 0);
	return r < 0 ? complain("cannot read", r) : 0;
}

static int fetch(const csys_address *address)
{
	CSYS_AUTO(csys_socket) socket = NULL;
	CSYS_AUTO_VALUE(csys_handle) file = CSYS_NO_HANDLE;
	char text[8];
	csys_slice_mut part = { text, sizeof text };
	csys_received_message message = {
		.slices = &part, .slice_count = 1, .handles = &file, .handle_room = 1
	};
	csys_deadline deadline = csys_after_s(5);

	int r = csys_socket_connect_until(address, NULL, deadline, &socket);
	if (r == 0)
		r = csys_message_recv_until(socket, &message, deadline);
	if (r == 0 && message.handle_count == 0)
		r = CSYS_EPERM;
	return r < 0 ? complain("cannot fetch", r) : copy(file);
}

int main(int argc, char **argv)
{
	csys_address address;
	int is_server = argc == 3 && strcmp(argv[1], "serve") == 0;

	if (argc != 3 || (!is_server && strcmp(argv[1], "fetch") != 0)) {
		fprintf(stderr, "usage: fd_server serve PATH < FILE, or fd_server fetch PATH\n");
		return 2;
	}
	int r = csys_address_path(argv[2], &address);
	if (r < 0)
		return complain(argv[2], r);
	return is_server ? serve(&address) : fetch(&address);
}
