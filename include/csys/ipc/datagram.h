/**
 * \file
 * csys/ipc/datagram.h - messages without a connection.
 *
 *     csys_socket *socket;
 *     int r = csys_datagram_bind(&address, NULL, &socket);
 *     if (r < 0)
 *             return r;
 *     while ((r = csys_datagram_recv_from(socket, buffer, sizeof buffer, &size, &sender)) == 0)
 *             log_line(buffer, size);
 *     csys_socket_close(socket);
 *
 * A datagram socket receives what is sent to its address; the permissions of the path tell which
 * users may do that.  It sends to any address, or to one that it is connected to
 * (csys_socket_connect with the kind CSYS_SOCKET_DATAGRAM, or csys_datagram_connect), and then
 * receives from no other. Local datagrams are neither lost nor put into another order: while the
 * receiver has too many of them, a sender waits.
 *
 * A path is bound as csys_listener_bind does it: with its permissions from the first moment on, a
 * file that nobody serves is replaced, and the own one is removed by csys_socket_close.
 *
 * Through an abstract address a message of another user is passed over, unless any_user is set.
 * The other direction cannot be checked: to send to an abstract address, or to connect to it, takes
 * any_user.
 *
 * CSYS_ENOTSUP where csys_can(CSYS_CAN_SOCKET_DATAGRAM) says so.  Threads and forks: see
 * csys/ipc/socket.h.
 */
#ifndef CSYS_IPC_DATAGRAM_H
#define CSYS_IPC_DATAGRAM_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/address.h>
#include <csys/ipc/socket.h>

CSYS_BEGIN_DECLS

/**
 * Make a datagram socket that receives what is sent to an address.
 *
 * \param address  a path or an abstract name
 * \param options  how; NULL: for this user alone.  Its kind does not count
 * \param out      the socket, which the caller closes.  Unchanged on failure
 * \retval 0                  *out receives
 * \retval CSYS_EADDRINUSE    the address belongs to a socket that is in use, or the path to a file
 *                            of another kind
 * \retval CSYS_EACCES        this user may not make files there, or the lock file is another
 *                            user's, or no file
 * \retval CSYS_ENOENT        the directory does not exist
 * \retval CSYS_ENOTDIR       a part of the path is no directory
 * \retval CSYS_EISDIR        the path ends in a slash
 * \retval CSYS_ENAMETOOLONG  the system does not reach so long a path
 * \retval CSYS_ENOTSUP       the system has no such kind, no such addresses, or cannot set the mode
 *                            before others could send
 * \retval CSYS_ENOSPC        no room on the device
 * \retval CSYS_EMFILE        no handle is left
 * \retval CSYS_ENOMEM        no memory
 * \retval CSYS_EINVAL        the address is unnamed, or an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_datagram_bind(const csys_address *address,
						const csys_socket_options *options,
						csys_socket **out);

/**
 * Make a datagram socket without an address: it sends, and nobody can answer.
 *
 * \param options  how; NULL: the usual way.  Its kind does not count
 * \param out      the socket, which the caller closes.  Unchanged on failure
 * \retval 0             *out is the caller's
 * \retval CSYS_ENOTSUP  the system has no such kind
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   no memory
 * \retval CSYS_EINVAL   `out` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_datagram_unbound(const csys_socket_options *options,
						   csys_socket **out);

/**
 * Connect a datagram socket: it sends to that address and receives from no other.
 *
 * \param socket   the socket; an earlier connection is replaced
 * \param address  where
 * \retval 0                  it is connected
 * \retval CSYS_ENOENT        there is no such path
 * \retval CSYS_ECONNREFUSED  no socket has the address
 * \retval CSYS_EACCES        the permissions of the path forbid it
 * \retval CSYS_EPERM         the address is abstract: see any_user; or that socket is connected to
 *                            another one
 * \retval CSYS_EBADMSG       the socket there is of another kind
 * \retval CSYS_ENAMETOOLONG  the system does not reach so long a path
 * \retval CSYS_EINVAL        the address is unnamed, or an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_datagram_connect(csys_socket *socket,
						   const csys_address *address);

/**
 * Send a message to an address, waiting for room.
 *
 * \param socket    a datagram socket
 * \param address   where
 * \param data      the bytes
 * \param size      how many there are; may be 0
 * \retval 0                  it was sent
 * \retval CSYS_ENOENT        there is no such path
 * \retval CSYS_ECONNREFUSED  no socket has the address
 * \retval CSYS_EACCES        the permissions of the path forbid it
 * \retval CSYS_EPERM         the address is abstract: see any_user; or that socket receives from
 *                            another one only
 * \retval CSYS_EBADMSG       the socket there is of another kind
 * \retval CSYS_EMSGSIZE      no message can be so long
 * \retval CSYS_ENAMETOOLONG  the system does not reach so long a path
 * \retval CSYS_EINVAL        the address is unnamed, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_datagram_send_to(csys_socket *socket, const csys_address *address,
						   const void *data, size_t size);

/**
 * Send a message to an address, waiting for room until `deadline`.
 *
 * \param socket    a datagram socket
 * \param address   where
 * \param data      the bytes
 * \param size      how many there are; may be 0
 * \param deadline  when to give up
 * \retval 0                  it was sent
 * \retval CSYS_ETIMEDOUT     the deadline passed, and there was no room
 * \retval CSYS_ENOENT        there is no such path
 * \retval CSYS_ECONNREFUSED  no socket has the address
 * \retval CSYS_EACCES        the permissions of the path forbid it
 * \retval CSYS_EPERM         the address is abstract: see any_user; or that socket receives from
 *                            another one only
 * \retval CSYS_EBADMSG       the socket there is of another kind
 * \retval CSYS_EMSGSIZE      no message can be so long
 * \retval CSYS_ENAMETOOLONG  the system does not reach so long a path
 * \retval CSYS_EINVAL        the address is unnamed, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_datagram_send_to_until(csys_socket *socket,
							 const csys_address *address,
							 const void *data, size_t size,
							 csys_deadline deadline);

/**
 * Send a message to an address without waiting.
 *
 * \param socket    a datagram socket
 * \param address   where
 * \param data      the bytes
 * \param size      how many there are; may be 0
 * \retval 0                  it was sent
 * \retval CSYS_EAGAIN        there is no room now
 * \retval CSYS_ENOENT        there is no such path
 * \retval CSYS_ECONNREFUSED  no socket has the address
 * \retval CSYS_EACCES        the permissions of the path forbid it
 * \retval CSYS_EPERM         the address is abstract: see any_user; or that socket receives from
 *                            another one only
 * \retval CSYS_EBADMSG       the socket there is of another kind
 * \retval CSYS_EMSGSIZE      no message can be so long
 * \retval CSYS_ENAMETOOLONG  the system does not reach so long a path
 * \retval CSYS_EINVAL        the address is unnamed, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_datagram_try_send_to(csys_socket *socket,
						       const csys_address *address,
						       const void *data, size_t size);

/**
 * Receive a message and the address of its sender, waiting for it.
 *
 * \param socket       a datagram socket
 * \param buffer       where the bytes go
 * \param size         how many bytes there is room for
 * \param out_size     how many were received.  Unchanged on failure
 * \param out_address  the address of the sender, as it says; may be NULL.  Unchanged on failure
 * \retval 0               *out_size bytes were received
 * \retval CSYS_EMSGSIZE   the message is longer than `size`; it is gone
 * \retval CSYS_EINVAL     a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_datagram_recv_from(csys_socket *socket, void *buffer, size_t size,
						     size_t *out_size, csys_address *out_address);

/**
 * Receive a message and the address of its sender, waiting for it until `deadline`.
 *
 * \param socket       a datagram socket
 * \param buffer       where the bytes go
 * \param size         how many bytes there is room for
 * \param deadline     when to give up
 * \param out_size     how many were received.  Unchanged on failure
 * \param out_address  the address of the sender, as it says; may be NULL.  Unchanged on failure
 * \retval 0               *out_size bytes were received
 * \retval CSYS_ETIMEDOUT  the deadline passed, and nothing was received
 * \retval CSYS_EMSGSIZE   the message is longer than `size`; it is gone
 * \retval CSYS_EINVAL     a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_datagram_recv_from_until(csys_socket *socket, void *buffer,
							   size_t size, csys_deadline deadline,
							   size_t *out_size,
							   csys_address *out_address);

/**
 * Receive a message and the address of its sender, if it is there.
 *
 * \param socket       a datagram socket
 * \param buffer       where the bytes go
 * \param size         how many bytes there is room for
 * \param out_size     how many were received.  Unchanged on failure
 * \param out_address  the address of the sender, as it says; may be NULL.  Unchanged on failure
 * \retval 0               *out_size bytes were received
 * \retval CSYS_EAGAIN     nothing is there now
 * \retval CSYS_EMSGSIZE   the message is longer than `size`; it is gone
 * \retval CSYS_EINVAL     a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_datagram_try_recv_from(csys_socket *socket, void *buffer,
							 size_t size, size_t *out_size,
							 csys_address *out_address);

CSYS_END_DECLS

#endif
