/*
 * ipc/socket.h - what a csys_socket and a csys_listener are made of.
 *
 * Every part that makes a socket (local ones: socket.c; those of TCP: their own files) hands it to
 * csysi_socket_from_os_take.  From then on it is like any other: the os floor knows what is behind
 * it.
 */
#ifndef CSYSI_IPC_SOCKET_H
#define CSYSI_IPC_SOCKET_H

#include <csys/ipc/listener.h>
#include <csys/ipc/socket.h>

#include "ipc/binding.h"
#include "os/os.h"

struct csys_socket {
	csysi_os_socket os;
	int kind;       /* CSYS_SOCKET_STREAM, ... */
	int is_local;   /* a Unix domain socket: handles and credentials can be sent */
	int is_guarded; /* datagrams of other users are passed over */
	int any_user;   /* datagrams may go to abstract addresses */
	struct csysi_binding binding;
};

struct csys_listener {
	csysi_os_socket os;
	int kind;
	int is_local;
	int is_guarded; /* connections of other users are closed */
	int senders;    /* for the sockets that are accepted: as their options */
	size_t send_buffer;
	size_t recv_buffer;
	struct csysi_binding binding;
};

/* Make an object of a socket, which is the object's after success only.  CSYS_ENOMEM. */
int csysi_socket_from_os_take(csysi_os_socket os, int kind, int is_local, csys_socket **out);

/* Likewise of one that listens already (csysi_os_socket_listen).  CSYS_ENOMEM. */
int csysi_listener_from_os_take(csysi_os_socket os, int kind, int is_local, csys_listener **out);

/* Set what `senders` and the buffers of options ask for. */
int csysi_socket_configure(csysi_os_socket os, int senders, size_t send_buffer, size_t recv_buffer);

/* 1: the other side is this user's.  CSYS_EPERM: it is not, or the system does not tell. */
int csysi_socket_check_user(csysi_os_socket os);

/* Make a local socket with these options, bound to `address` if that is one; NULL: nowhere. */
int csysi_socket_make(const csys_address *address, const csys_socket_options *options, int kind,
		      csys_socket **out);

/* A result of a call with CSYS_POLL as that of a try_ function. */
static inline int csysi_socket_now(int r)
{
	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

/* How a socket receives: flags of os/socket.h. */
static inline unsigned csysi_socket_how(const csys_socket *socket)
{
	return socket->kind == CSYS_SOCKET_STREAM ? 0 : CSYSI_OS_MESSAGES;
}

/*
 * Receive a message as csysi_os_socket_recv_message does; a guarded socket passes over those of
 * other users (message.c).
 */
int csysi_socket_recv_message(csys_socket *socket, struct csysi_os_received *received,
			      csys_deadline deadline);

/* Receive on a guarded socket as csysi_os_socket_recv does (message.c). */
int csysi_socket_recv_guarded(csys_socket *socket, void *buffer, size_t size,
			      csys_deadline deadline, size_t *out);

#endif
