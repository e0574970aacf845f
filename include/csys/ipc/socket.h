/**
 * \file
 * csys/ipc/socket.h - connections between processes: sockets.
 *
 *     csys_address address;
 *     csys_socket *socket = NULL;
 *     int r = csys_address_path(path, &address);
 *     if (r == 0)
 *             r = csys_socket_connect_until(&address, NULL, csys_after_ms(500), &socket);
 *     if (r == 0)
 *             r = csys_socket_send_all(socket, "hello\n", 6, NULL);
 *     if (r == 0)
 *             r = csys_socket_recv_until(socket, buffer, sizeof buffer, csys_after_ms(500), &size);
 *     csys_socket_close(socket);
 *
 * A socket is one end of a connection, or a place for messages.  There are three kinds: a stream
 * of bytes; datagrams, messages each with its address (csys/ipc/datagram.h); and seqpacket,
 * messages of a connection.  Local ones are made here, by csys_listener_accept
 * (csys/ipc/listener.h), or by other code; TCP's by csys_tcp_connect.  All have the same
 * transfers.  Handles, credentials and several parts at once are sent as a csys_message
 * (csys/ipc/message.h); the process at the other side is told by csys/ipc/peer.h.
 *
 * Sending and receiving are in csys/ipc/socket_transfer.h, which this header includes.
 *
 * No transfer raises SIGPIPE.  Handles are close-on-exec from their creation, and above 2.
 *
 * Threads: any number may use a socket at once, but for csys_socket_close, which belongs to one.
 * A message is never mixed with another one; bytes of a stream may be, where several threads
 * send.  Fork: a forked child holds a copy, of the same connection; the other side sees the end
 * when all copies are closed, or after csys_socket_shutdown in one of them.  Only the process
 * that has bound a path removes it.
 */
#ifndef CSYS_IPC_SOCKET_H
#define CSYS_IPC_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>
#include <csys/ipc/address.h>

CSYS_BEGIN_DECLS

/** One end of a connection, or a place for messages. */
typedef struct csys_socket csys_socket;

/** What a socket transfers. */
enum csys_socket_kind {
	CSYS_SOCKET_STREAM = 0,   /**< bytes of a connection */
	CSYS_SOCKET_DATAGRAM = 1, /**< messages, each to its address; CSYS_CAN_SOCKET_DATAGRAM */
	CSYS_SOCKET_SEQPACKET = 2 /**< messages of a connection; CSYS_CAN_SOCKET_SEQPACKET */
};

/** How a socket is made.  All zero is the usual way. */
typedef struct csys_socket_options {
	int kind;     /**< CSYS_SOCKET_STREAM, ... */
	int any_user; /**< 1: with an abstract address deal with other users too */
	int senders;  /**< 1: each message tells which process has sent it (csys/ipc/message.h) */
	int mode;     /**< permissions of a path that it is bound to; 0: 0600, this user */
	const csys_address
		*bind;         /**< the address that a connecting socket has itself; NULL: none */
	size_t send_buffer;    /**< bytes that the system holds for sending; 0: the usual */
	size_t recv_buffer;    /**< bytes that the system holds for receiving; 0: the usual */
	uintptr_t reserved[4]; /**< private: 0 */
} csys_socket_options;

/* ---- making and closing -------------------------------------------------------------- */

/**
 * Make two sockets that are connected to each other.
 *
 * \param options  kind, senders and buffers; NULL: a stream
 * \param out_a    one of them, which the caller closes.  Unchanged on failure
 * \param out_b    the other one.  Unchanged on failure
 * \retval 0             both are the caller's
 * \retval CSYS_ENOTSUP  the system has no such kind
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   no memory
 * \retval CSYS_EINVAL   no such kind, or an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_pair(const csys_socket_options *options,
					      csys_socket **out_a, csys_socket **out_b);

/**
 * Connect to the socket that listens at an address.
 *
 * If the listener's queue is full, this waits for room in it.
 *
 * \param address  where
 * \param options  how; NULL: a stream
 * \param out      the socket, which the caller closes.  Unchanged on failure
 * \retval 0                  it is connected
 * \retval CSYS_ENOENT        there is no such path
 * \retval CSYS_ECONNREFUSED  nothing listens there: the process is gone, or does not yet
 * \retval CSYS_EACCES        the permissions of the path forbid it
 * \retval CSYS_EPERM         the address is abstract and the other process is another user's, or
 *                            cannot be asked (datagrams); see any_user
 * \retval CSYS_EBADMSG       the socket there is of another kind
 * \retval CSYS_ENAMETOOLONG  the system does not reach so long a path
 * \retval CSYS_ENOTSUP       the system has no such kind, or no such addresses
 * \retval CSYS_EADDRINUSE    options.bind is in use
 * \retval CSYS_EMFILE        no handle is left
 * \retval CSYS_ENOMEM        no memory
 * \retval CSYS_EINVAL        the address is none of these, no such kind, or an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_connect(const csys_address *address,
						 const csys_socket_options *options,
						 csys_socket **out);

/**
 * Connect to the socket that listens at an address, until `deadline`.
 *
 * If the listener's queue is full, this waits for room in it.  Where the system cannot wait for
 * that with a deadline, it tries again at intervals that grow from 50 us to 5 ms.
 *
 * \param address   where
 * \param options   how; NULL: a stream
 * \param deadline  when to give up
 * \param out       the socket, which the caller closes.  Unchanged on failure
 * \retval 0                  it is connected
 * \retval CSYS_ETIMEDOUT     the queue of the listener stayed full
 * \retval CSYS_ENOENT        there is no such path
 * \retval CSYS_ECONNREFUSED  nothing listens there: the process is gone, or does not yet
 * \retval CSYS_EACCES        the permissions of the path forbid it
 * \retval CSYS_EPERM         the address is abstract and the other process is another user's, or
 *                            cannot be asked (datagrams); see any_user
 * \retval CSYS_EBADMSG       the socket there is of another kind
 * \retval CSYS_ENAMETOOLONG  the system does not reach so long a path
 * \retval CSYS_ENOTSUP       the system has no such kind, or no such addresses
 * \retval CSYS_EADDRINUSE    options.bind is in use
 * \retval CSYS_EMFILE        no handle is left
 * \retval CSYS_ENOMEM        no memory
 * \retval CSYS_EINVAL        the address is none of these, no such kind, or an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_connect_until(const csys_address *address,
						       const csys_socket_options *options,
						       csys_deadline deadline, csys_socket **out);

/**
 * Make a csys_socket of a socket that other code has made, or that this program was started with.
 *
 * It becomes close-on-exec, and is closed by csys_socket_close.  Its kind is found out.  Of the
 * options only any_user, senders and the buffers count.  Of messages that have come before it is
 * not told which process has sent them.
 *
 * \param handle   the socket, the caller's still if the call fails
 * \param options  how; NULL: as it is
 * \param out      the object.  Unchanged on failure
 * \retval 0             the handle belongs to *out
 * \retval CSYS_EBADF    it is not open, or no socket
 * \retval CSYS_EBADMSG  it listens (csys_listener_adopt_take), or is of a kind that csys has not
 * \retval CSYS_ENOTSUP  the system does not tell senders
 * \retval CSYS_ENOMEM   no memory
 * \retval CSYS_EINVAL   `out` is NULL
 */
CSYS_API CSYS_MUST_CHECK int
csys_socket_adopt_take(csys_handle handle, const csys_socket_options *options, csys_socket **out);

/**
 * Turn a socket into its handle, for a program that is started or for other code.
 *
 * The object is gone after success.  If it was bound to a path, the path stays.
 *
 * \param socket  the socket
 * \param out     the handle, which the caller closes.  Unchanged on failure
 * \retval 0             it is the caller's
 * \retval CSYS_ENOTSUP  the sockets of this system are no handles (Windows)
 * \retval CSYS_EINVAL   an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_into_handle(csys_socket *socket, csys_handle *out);

/**
 * Make a second object for the same socket.
 *
 * The connection ends when both are closed.  Only the first one removes the path that it is bound
 * to.
 *
 * \param socket  the socket
 * \param out     the second one, which the caller closes.  Unchanged on failure
 * \retval 0            it is the caller's
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_ENOMEM  no memory
 * \retval CSYS_EINVAL  an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_dup(const csys_socket *socket, csys_socket **out);

/**
 * Close a socket and release it.
 *
 * What was sent is still delivered.  The path that this process has bound it to is removed, if it
 * is still the socket's.
 *
 * \param socket  the socket; NULL is ignored
 */
CSYS_API void csys_socket_close(csys_socket *socket);
CSYSI_AUTO(csys_socket, csys_socket_close(*object))

/* ---- what it is ---------------------------------------------------------------------- */

/**
 * Tell what a socket transfers.
 *
 * \param socket  the socket
 * \return its kind; CSYS_SOCKET_STREAM for NULL
 */
CSYS_API enum csys_socket_kind csys_socket_kind_of(const csys_socket *socket);

/**
 * Tell the handle of a socket, for an event loop.
 *
 * It polls readable when there is something to receive or the end has come, and writable when there
 * is room.  On Windows it is a SOCKET, for functions that want one.
 *
 * \param socket  the socket, which keeps the handle
 * \return the handle; CSYS_NO_HANDLE for NULL
 */
CSYS_API csys_handle csys_socket_handle(const csys_socket *socket);

/**
 * Make a waitable for something to receive, or for the end of the connection.
 *
 * \param socket  the socket; for NULL csys_poll fails with CSYS_EBADF
 * \return the waitable
 */
CSYS_API csys_waitable csys_socket_waitable_reading(csys_socket *socket);

/**
 * Make a waitable for room to send, or for the end of the connection.
 *
 * \param socket  the socket; for NULL csys_poll fails with CSYS_EBADF
 * \return the waitable
 */
CSYS_API csys_waitable csys_socket_waitable_writing(csys_socket *socket);

/**
 * Tell the address that a local socket is bound to.
 *
 * \param socket  the socket
 * \param out     the address, as the socket was bound; of a long path what the system shows.
 *                Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EINVAL  an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_local_address(const csys_socket *socket,
						       csys_address *out);

/**
 * Tell the address of the other side of a local socket.
 *
 * It is what the other side says, and no proof of anything: see csys/ipc/peer.h.
 *
 * \param socket  the socket
 * \param out     the address.  Unchanged on failure
 * \retval 0              *out is set
 * \retval CSYS_ENOTCONN  there is no other side
 * \retval CSYS_EINVAL    an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_peer_address(const csys_socket *socket, csys_address *out);

/* ---- ending -------------------------------------------------------------------------- */

/** Which directions of a connection end. */
enum csys_shutdown {
	CSYS_SHUTDOWN_RECV = 1, /**< nothing more is received */
	CSYS_SHUTDOWN_SEND = 2, /**< nothing more is sent: the other side receives the end */
	CSYS_SHUTDOWN_BOTH = 3  /**< both */
};

/**
 * Shut a connection down for sending, for receiving, or in both directions.
 *
 * It holds in every process that has the socket.  What waits in another thread, or in one of these
 * processes, ends at once.  Datagrams have no end that could be received: without a deadline empty
 * ones are, and with one it is waited for.
 *
 * \param socket      the socket
 * \param directions  which
 * \retval 0              they have ended
 * \retval CSYS_ENOTCONN  the socket has no peer
 * \retval CSYS_EINVAL    no such directions, or `socket` is NULL
 */
CSYS_API int csys_socket_shutdown(csys_socket *socket, enum csys_shutdown directions);

CSYS_END_DECLS

#include <csys/ipc/socket_transfer.h>

#endif
