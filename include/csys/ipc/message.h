/**
 * \file
 * csys/ipc/message.h - more than bytes: handles, credentials and several parts at once.
 *
 *     csys_slice part = { "take this", 9 };
 *     csys_message message = { .slices = &part, .slice_count = 1,
 *                              .handles = &file, .handle_count = 1 };
 *     int r = csys_message_send(socket, &message, NULL);
 *
 * and in the other process
 *
 *     csys_slice_mut part = { buffer, sizeof buffer };
 *     csys_handle file;
 *     csys_received_message message = { .slices = &part, .slice_count = 1,
 *                                       .handles = &file, .handle_room = 1 };
 *     int r = csys_message_recv(socket, &message);
 *     if (r == 0 && message.handle_count == 1)
 *             use(file);
 *
 * The bytes are gathered from several slices, and scattered over several.  Of a stream they are the
 * next bytes, without borders; handles come with the first of the bytes that they were sent with,
 * and one call receives handles of one sending at most.  Without room for a byte nothing is
 * received of a stream.
 *
 * A handle that was sent is another one in the receiving process, for the same open file.  It is
 * close-on-exec and above 2, and the receiver closes it.  The sender keeps its own.
 *
 * Handles are never lost unnoticed.  If the other side sends more of them than there is room for,
 * or this process can have no more handles, the call fails, all that have come are closed, and
 * the message is gone; of a stream these bytes, so that the connection is of no use any more.
 * The plain calls of csys/ipc/socket_transfer.h close all handles that come.
 *
 * A receiver should ask for no more handles than it has use for: they count among its own from the
 * moment on that they are sent, and the peer chooses what they are (a terminal, a socket that never
 * answers, a file that is truncated while it is read).
 *
 * Which process has sent a message is told if the socket was made with `senders`, with its real
 * user and group.  Of a stream it is the sender of the first byte, and one call receives bytes of
 * one sender.
 *
 * Handles and credentials are for local sockets: CSYS_ENOTSUP for others, and where csys_can says
 * so of CSYS_CAN_PASS_HANDLES and CSYS_CAN_SOCKET_CREDENTIALS.
 */
#ifndef CSYS_IPC_MESSAGE_H
#define CSYS_IPC_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/ipc/address.h>
#include <csys/ipc/peer.h>
#include <csys/ipc/socket.h>

CSYS_BEGIN_DECLS

/** The most handles that a message can have. */
#define CSYS_MESSAGE_HANDLES 253

/** The most slices that a message can have; of a stream more are sent in several calls. */
#define CSYS_MESSAGE_SLICES 1024

/** A part of what is sent: Rust's IoSlice. */
typedef struct csys_slice {
	const void *data; /**< the bytes */
	size_t size;      /**< how many there are */
} csys_slice;

/** A part of the room for what is received: Rust's IoSliceMut. */
typedef struct csys_slice_mut {
	void *data;  /**< where the bytes go */
	size_t size; /**< how many there is room for */
} csys_slice_mut;

/** A message to be sent. */
typedef struct csys_message {
	const csys_slice *slices;   /**< its parts, in order */
	size_t slice_count;         /**< how many there are */
	const csys_handle *handles; /**< handles whose copies are sent with it */
	size_t handle_count;        /**< how many there are, at most CSYS_MESSAGE_HANDLES */
	const csys_credentials *credentials; /**< what is said of the sender, for which other values
					       than its own need privileges; NULL, or -1 for one
					       of them: its own */
	const csys_address *address;         /**< a datagram: where it goes; NULL: to the peer */
	uintptr_t reserved[4];               /**< private: 0 */
} csys_message;

/** A message that is received: the room for it, and what has come. */
typedef struct csys_received_message {
	const csys_slice_mut *slices; /**< where the bytes go, in order */
	size_t slice_count;           /**< how many slices there are */
	csys_handle *handles;         /**< where handles go */
	size_t handle_room;           /**< how many handles there is room for */
	csys_address *address;        /**< where the address of the sender goes; NULL: nowhere */
	size_t size;         /**< out: how many bytes came; 0: the end, but of a datagram */
	size_t handle_count; /**< out: how many handles came; the caller closes them */
	csys_credentials credentials; /**< out: which process sent it; all -1 if it is not told */
	uintptr_t reserved[4];        /**< private: 0 */
} csys_received_message;

/**
 * Send a message, waiting for room.
 *
 * A stream takes at least 1 byte, and with it all handles.  If the call fails, nothing was sent.
 *
 * \param socket    the socket
 * \param message   what is sent
 * \param out_size  how many bytes were sent; may be NULL.  Unchanged on failure
 * \retval 0                  *out_size bytes were sent, and all handles
 * \retval CSYS_EPIPE         the other side is closed, or sending was shut down
 * \retval CSYS_ECONNRESET    the other side has broken the connection off
 * \retval CSYS_ECONNREFUSED  a datagram's receiver is gone
 * \retval CSYS_ENOTCONN      the socket has no peer
 * \retval CSYS_EMSGSIZE      no message can be so long, or have so many slices
 * \retval CSYS_EBADF         a handle is not open
 * \retval CSYS_EMFILE        the system holds too many handles that were not received yet
 * \retval CSYS_EPERM         these credentials are not this process's; or the address is abstract
 *                            (csys/ipc/datagram.h)
 * \retval CSYS_ESRCH         these credentials are of no process
 * \retval CSYS_ENOTSUP       handles or credentials cannot be sent here
 * \retval CSYS_EINVAL        too many handles, handles with an empty message of a connection (where
 *                            they would be lost), credentials that no process can have, or a
 *                            pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_message_send(csys_socket *socket, const csys_message *message,
					       size_t *out_size);

/**
 * Send a message, waiting for room until `deadline`.
 *
 * A stream takes at least 1 byte, and with it all handles.  If the call fails, nothing was sent.
 *
 * \param socket    the socket
 * \param message   what is sent
 * \param deadline  when to give up
 * \param out_size  how many bytes were sent; may be NULL.  Unchanged on failure
 * \retval 0                  *out_size bytes were sent, and all handles
 * \retval CSYS_ETIMEDOUT     the deadline passed, and there was no room
 * \retval CSYS_EPIPE         the other side is closed, or sending was shut down
 * \retval CSYS_ECONNRESET    the other side has broken the connection off
 * \retval CSYS_ECONNREFUSED  a datagram's receiver is gone
 * \retval CSYS_ENOTCONN      the socket has no peer
 * \retval CSYS_EMSGSIZE      no message can be so long, or have so many slices
 * \retval CSYS_EBADF         a handle is not open
 * \retval CSYS_EMFILE        the system holds too many handles that were not received yet
 * \retval CSYS_EPERM         these credentials are not this process's; or the address is abstract
 *                            (csys/ipc/datagram.h)
 * \retval CSYS_ESRCH         these credentials are of no process
 * \retval CSYS_ENOTSUP       handles or credentials cannot be sent here
 * \retval CSYS_EINVAL        too many handles, handles with an empty message of a connection (where
 *                            they would be lost), credentials that no process can have, or a
 *                            pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_message_send_until(csys_socket *socket,
						     const csys_message *message,
						     csys_deadline deadline, size_t *out_size);

/**
 * Send a message without waiting.
 *
 * A stream takes at least 1 byte, and with it all handles.  If the call fails, nothing was sent.
 *
 * \param socket    the socket
 * \param message   what is sent
 * \param out_size  how many bytes were sent; may be NULL.  Unchanged on failure
 * \retval 0                  *out_size bytes were sent, and all handles
 * \retval CSYS_EAGAIN        there is no room now
 * \retval CSYS_EPIPE         the other side is closed, or sending was shut down
 * \retval CSYS_ECONNRESET    the other side has broken the connection off
 * \retval CSYS_ECONNREFUSED  a datagram's receiver is gone
 * \retval CSYS_ENOTCONN      the socket has no peer
 * \retval CSYS_EMSGSIZE      no message can be so long, or have so many slices
 * \retval CSYS_EBADF         a handle is not open
 * \retval CSYS_EMFILE        the system holds too many handles that were not received yet
 * \retval CSYS_EPERM         these credentials are not this process's; or the address is abstract
 *                            (csys/ipc/datagram.h)
 * \retval CSYS_ESRCH         these credentials are of no process
 * \retval CSYS_ENOTSUP       handles or credentials cannot be sent here
 * \retval CSYS_EINVAL        too many handles, handles with an empty message of a connection (where
 *                            they would be lost), credentials that no process can have, or a
 *                            pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_message_try_send(csys_socket *socket, const csys_message *message,
						   size_t *out_size);

/**
 * Receive a message, waiting for it.
 *
 * \param socket    the socket
 * \param message   the room for it, and what came; what came is unchanged on failure
 * \retval 0                the message is there, or the end (size 0, as csys_socket_recv)
 * \retval CSYS_EBADMSG     more handles came than there is room for; all are closed
 * \retval CSYS_EMFILE      this process can have no more handles; all that came are closed
 * \retval CSYS_EMSGSIZE    the message is longer than its slices; it is gone, its handles closed
 * \retval CSYS_ECONNRESET  the other side has broken the connection off
 * \retval CSYS_ENOTCONN    the socket has no peer
 * \retval CSYS_EINVAL      too many slices, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_message_recv(csys_socket *socket, csys_received_message *message);

/**
 * Receive a message, waiting for it until `deadline`.
 *
 * \param socket    the socket
 * \param message   the room for it, and what came; what came is unchanged on failure
 * \param deadline  when to give up
 * \retval 0                the message is there, or the end (size 0, as csys_socket_recv)
 * \retval CSYS_ETIMEDOUT   the deadline passed, and nothing was received
 * \retval CSYS_EBADMSG     more handles came than there is room for; all are closed
 * \retval CSYS_EMFILE      this process can have no more handles; all that came are closed
 * \retval CSYS_EMSGSIZE    the message is longer than its slices; it is gone, its handles closed
 * \retval CSYS_ECONNRESET  the other side has broken the connection off
 * \retval CSYS_ENOTCONN    the socket has no peer
 * \retval CSYS_EINVAL      too many slices, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_message_recv_until(csys_socket *socket,
						     csys_received_message *message,
						     csys_deadline deadline);

/**
 * Receive a message if it is there.
 *
 * \param socket    the socket
 * \param message   the room for it, and what came; what came is unchanged on failure
 * \retval 0                the message is there, or the end (size 0, as csys_socket_recv)
 * \retval CSYS_EAGAIN      nothing is there now
 * \retval CSYS_EBADMSG     more handles came than there is room for; all are closed
 * \retval CSYS_EMFILE      this process can have no more handles; all that came are closed
 * \retval CSYS_EMSGSIZE    the message is longer than its slices; it is gone, its handles closed
 * \retval CSYS_ECONNRESET  the other side has broken the connection off
 * \retval CSYS_ENOTCONN    the socket has no peer
 * \retval CSYS_EINVAL      too many slices, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_message_try_recv(csys_socket *socket,
						   csys_received_message *message);

/**
 * Close the handles of a received message, for a receiver that has no use for them.
 *
 * \param message  the message, which has none afterwards; NULL is ignored
 */
CSYS_API void csys_message_close_handles(csys_received_message *message);

CSYS_END_DECLS

#endif
