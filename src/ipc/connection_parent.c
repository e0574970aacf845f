/*
 * ipc/connection_parent.c - the connection that a process was started with.
 *
 * The variable outlives its meaning: children of this process inherit it, and the number may be of
 * another handle there.  So the socket itself says which child is meant: before the spawn its
 * parent sends a head with the number that the variable has too, which is looked at before the
 * socket is touched.  The variable stays, since other threads may read the environment.
 */
#include "ipc/connection.h"

#include <stdlib.h>

#include "ipc/socket.h"
#include "ipc/variable.h"
#include "os/os.h"

/* 1 once it was taken. */
static uint32_t is_taken;

/* What the variable says: "NUMBER:HELLO".  CSYS_EBADMSG. */
static int read_variable(const char *text, int *out_number, uint64_t *out_hello)
{
	char *end;

	if (*text < '0' || *text > '9')
		return CSYS_EBADMSG;
	unsigned long number = strtoul(text, &end, 10);
	if (*end != ':' || number < CSYSI_CONNECTION_FIRST_NUMBER || number > INT32_MAX ||
	    end[1] < '0' || end[1] > '9')
		return CSYS_EBADMSG;
	unsigned long long hello = strtoull(end + 1, &end, 10);
	if (*end != 0 || hello == 0)
		return CSYS_EBADMSG;
	*out_number = (int)number;
	*out_hello = hello;
	return 0;
}

/* Whether the first bytes that come are the greeting.  They stay. */
static int is_greeted(csysi_os_socket socket, uint64_t hello)
{
	struct csysi_connection_head head;
	size_t size;
	int r = csysi_os_socket_recv(socket, &head, sizeof head, CSYSI_OS_PEEK, CSYS_POLL, &size);

	return r == 0 && size == sizeof head && head.magic == CSYSI_CONNECTION_MAGIC &&
	       head.kind == CSYSI_HEAD_HELLO && head.number == hello;
}

/* Look at a handle by a copy of it, which leaves it as it is.  CSYS_ENOENT: it is not meant. */
static int check(csys_handle handle, uint64_t hello)
{
	struct csysi_os_socket_about about;
	csysi_os_socket socket;
	csys_handle copy;

	if (csysi_os_socket_look(handle, &about) < 0 || about.is_listening || !about.is_local ||
	    about.kind != CSYSI_OS_STREAM)
		return CSYS_ENOENT;
	int r = csys_handle_dup(handle, &copy);
	if (r < 0)
		return r;
	r = csysi_os_socket_adopt(copy, &socket);
	if (r < 0) {
		csys_handle_close(copy);
		return r;
	}
	r = is_greeted(socket, hello) ? 0 : CSYS_ENOENT;
	csysi_os_socket_close(socket);
	return r;
}

static int take(csys_handle handle, const csys_connection_options *options, csys_connection **out)
{
	csys_socket *socket;
	int r = csys_socket_adopt_take(handle, NULL, &socket);
	if (r < 0)
		return r;

	r = csys_connection_from_socket_take(socket, options, out);
	if (r < 0) {
		/* The handle stays open, for another attempt. */
		if (csys_socket_into_handle(socket, &handle) < 0)
			csys_socket_close(socket);
	}
	return r;
}

static int from_variable(const struct csysi_os_environment *environment,
			 const csys_connection_options *options, csys_connection **out)
{
	const char *text = csysi_variable_of(environment, CSYSI_CONNECTION_VARIABLE);
	csys_handle handle;
	uint64_t hello;
	int number;

	if (!text)
		return CSYS_ENOENT;
	int r = read_variable(text, &number, &hello);
	if (r < 0)
		return r;
	/* Acquire: one call at a time looks. */
	if (csysi_swap_acquire(&is_taken, 1))
		return CSYS_ENOENT;
	r = csysi_os_socket_mapped(number, &handle) < 0 ? CSYS_ENOENT : check(handle, hello);
	if (r == 0)
		r = take(handle, options, out);
	if (r < 0)
		csysi_store_release(&is_taken, 0); /* release pairs with the acquire */
	return r;
}

int csys_connection_from_parent(const csys_connection_options *options, csys_connection **out)
{
	struct csysi_os_environment environment;
	size_t most;

	int r = out ? csysi_connection_check(options, &most) : CSYS_EINVAL;
	if (r == 0)
		r = csysi_os_environment(&environment);
	if (r < 0)
		return r;
	r = from_variable(&environment, options, out);
	csysi_os_environment_release(&environment);
	return r;
}

int csysi_connection_greet(csys_connection *connection, uint64_t hello)
{
	struct csysi_connection_frame frame;

	frame.head = (struct csysi_connection_head){ .magic = CSYSI_CONNECTION_MAGIC,
						     .kind = CSYSI_HEAD_HELLO,
						     .number = hello };
	csysi_lock_lock(&connection->sending);
	int r = csysi_connection_begin(connection, &frame, NULL, NULL);
	csysi_lock_unlock(&connection->sending);
	return r;
}
