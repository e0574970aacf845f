/*
 * examples/chat.c - a chat between processes of one machine, with names that nobody can forge.
 *
 *     chat serve PATH       pass what each says on to all others, until it is ended
 *     chat join PATH        say lines from stdin, write what the others say to stdout
 *
 * Shows: a listener and a connection, messages that stay whole (seqpacket), which process is at
 * the other side, as the system vouches for it, and one wait for a listener and many sockets.  The
 * file is made for this user alone; one that a killed server has left is replaced.
 */
#include <stdio.h>
#include <string.h>

#include <csys/csys.h>

#define MOST_GUESTS 32
#define MOST_TEXT 512

static int complain(const char *what, int result)
{
	fprintf(stderr, "chat: %s: %s\n", what, csys_strerror(result));
	return 1;
}

/* ---- serve --------------------------------------------------------------------------- */

struct guest {
	csys_socket *socket;
	char name[48];
};

static struct guest guests[MOST_GUESTS];
static size_t guest_count;

/* One that does not read fast enough misses what is said; the speaker knows it, but for its own
 * coming. */
static void tell(const struct guest *speaker, int all, const char *text, size_t size)
{
	char line[sizeof speaker->name + MOST_TEXT + 2];
	int length = snprintf(line, sizeof line, "%s: %.*s", speaker->name, (int)size, text);
	size_t sent;

	for (size_t i = 0; i < guest_count; i++)
		if (all || &guests[i] != speaker)
			(void)!csys_socket_try_send(guests[i].socket, line, (size_t)length, &sent);
}

static void welcome(csys_listener *listener)
{
	struct guest *guest = &guests[guest_count];
	csys_credentials peer = { -1, -1, -1 };

	if (csys_listener_try_accept(listener, &guest->socket) < 0)
		return;
	(void)!csys_socket_peer_credentials(guest->socket, &peer); /* where the system tells */
	snprintf(guest->name, sizeof guest->name, "user %lld, process %lld", (long long)peer.uid,
		 (long long)peer.pid);
	guest_count++;
	tell(guest, 1, "(joins)", 7);
}

static void hear(struct guest *guest)
{
	char text[MOST_TEXT];
	size_t size;
	int r = csys_socket_try_recv(guest->socket, text, sizeof text, &size);

	if (r == 0 && size > 0) {
		tell(guest, 0, text, size);
	} else if (r != CSYS_EAGAIN && r != CSYS_EMSGSIZE) {
		tell(guest, 0, "(leaves)", 8);
		csys_socket_close(guest->socket);
		*guest = guests[--guest_count];
	}
}

static int serve(const csys_address *address)
{
	const csys_listener_options options = { .kind = CSYS_SOCKET_SEQPACKET };
	CSYS_AUTO(csys_listener) listener = NULL;
	int r = csys_listener_bind(address, &options, &listener);
	if (r < 0)
		return complain("cannot listen", r);
	printf("ready\n");
	fflush(stdout);

	for (;;) {
		csys_poll_item items[MOST_GUESTS + 1];
		size_t count = guest_count;
		for (size_t i = 0; i < count; i++)
			items[i].waitable = csys_socket_waitable_reading(guests[i].socket);
		int has_room = count < MOST_GUESTS;
		items[count].waitable = csys_listener_waitable(listener);
		r = csys_poll(items, count + (size_t)has_room, CSYS_FOREVER);
		if (r < 0)
			return complain("cannot wait", r);
		for (size_t i = count; i > 0;
		     i--) /* from the end: a guest that leaves is replaced */
			if (items[i - 1].ready)
				hear(&guests[i - 1]);
		if (has_room && items[count].ready)
			welcome(listener);
	}
}

/* ---- join ---------------------------------------------------------------------------- */

static void *listen_to_others(void *socket)
{
	char line[MOST_TEXT * 2];
	size_t size;

	while (csys_socket_recv(socket, line, sizeof line, &size) == 0 && size > 0) {
		printf("%.*s\n", (int)size, line);
		fflush(stdout);
	}
	return NULL;
}

static int join(const csys_address *address)
{
	const csys_socket_options options = { .kind = CSYS_SOCKET_SEQPACKET };
	CSYS_AUTO(csys_socket) socket = NULL;
	CSYS_AUTO(csys_thread) thread = NULL;
	int r = csys_socket_connect_until(address, &options, csys_after_s(5), &socket);
	if (r == 0)
		r = csys_thread_spawn(listen_to_others, socket, NULL, &thread);
	if (r < 0)
		return complain("cannot join", r);

	char line[MOST_TEXT];
	while (r == 0 && fgets(line, sizeof line, stdin)) {
		size_t size = strcspn(line, "\n"), sent;
		if (size > 0)
			r = csys_socket_send(socket, line, size, &sent);
	}
	csys_socket_shutdown(socket, CSYS_SHUTDOWN_BOTH); /* which ends the thread too */
	int joined = csys_thread_join(thread, NULL);
	return r < 0 ? complain("cannot say that", r) : joined < 0;
}

int main(int argc, char **argv)
{
	csys_address address;
	int is_server = argc == 3 && strcmp(argv[1], "serve") == 0;

	if (argc != 3 || (!is_server && strcmp(argv[1], "join") != 0)) {
		fprintf(stderr, "usage: chat serve|join PATH\n");
		return 2;
	}
	int r = csys_address_path(argv[2], &address);
	if (r < 0)
		return complain(argv[2], r);
	return is_server ? serve(&address) : join(&address);
}
