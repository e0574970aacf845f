/**
 * \file
 * csys/ipc/socket_transfer.h - sending to and receiving from a socket.
 *
 *     int r = csys_socket_send_all(socket, "hello\n", 6, NULL);
 *     if (r == 0)
 *             r = csys_socket_recv_until(socket, buffer, sizeof buffer, csys_after_ms(500), &size);
 *     if (r == 0 && size == 0)
 *             puts("the other side has closed the connection");
 *
 * Each transfer has three forms: one that waits, one that waits until a deadline, and one that
 * never waits (try_) and says CSYS_EAGAIN.  They do not look at the system's nonblocking flag of
 * the socket, which other programs may rely on.
 *
 * A stream has no borders: what was sent in one call may be received in several, or together with
 * other bytes; csys_socket_recv_all and csys/ipc/framing.h put pieces together.  Messages come
 * whole, or not at all: if the buffer is too small, the call says CSYS_EMSGSIZE.  An empty
 * message of a seqpacket cannot be told from the end, so it cannot be sent.
 *
 * Threads and forks: see csys/ipc/socket.h, which includes this header.
 */
#ifndef CSYS_IPC_SOCKET_TRANSFER_H
#define CSYS_IPC_SOCKET_TRANSFER_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/socket.h>

CSYS_BEGIN_DECLS

/* ---- sending ------------------------------------------------------------------------- */

/**
 * Send a message, or bytes of a stream, waiting for room.
 *
 * A stream takes at least 1 byte, and all of them as a rule.  If the call fails, nothing was sent.
 *
 * \param socket    the socket
 * \param data      the bytes
 * \param size      how many there are; 0 bytes of a stream are nothing
 * \param out_size  how many were sent.  Unchanged on failure
 * \retval 0                  *out_size bytes were sent
 * \retval CSYS_EPIPE         the other side is closed, or sending was shut down
 * \retval CSYS_ECONNRESET    the other side has broken the connection off
 * \retval CSYS_ECONNREFUSED  a datagram's receiver is gone
 * \retval CSYS_ENOTCONN      the socket has no peer
 * \retval CSYS_EMSGSIZE      no message can be so long
 * \retval CSYS_EINVAL        an empty message of a seqpacket, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_send(csys_socket *socket, const void *data, size_t size,
					      size_t *out_size);

/**
 * Send a message, or bytes of a stream, waiting for room until `deadline`.
 *
 * A stream takes at least 1 byte, and as many as there is room for.  If the call fails, nothing was
 * sent.
 *
 * \param socket    the socket
 * \param data      the bytes
 * \param size      how many there are; 0 bytes of a stream are nothing
 * \param deadline  when to give up
 * \param out_size  how many were sent.  Unchanged on failure
 * \retval 0                  *out_size bytes were sent
 * \retval CSYS_ETIMEDOUT     the deadline passed, and there was no room
 * \retval CSYS_EPIPE         the other side is closed, or sending was shut down
 * \retval CSYS_ECONNRESET    the other side has broken the connection off
 * \retval CSYS_ECONNREFUSED  a datagram's receiver is gone
 * \retval CSYS_ENOTCONN      the socket has no peer
 * \retval CSYS_EMSGSIZE      no message can be so long
 * \retval CSYS_EINVAL        an empty message of a seqpacket, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_send_until(csys_socket *socket, const void *data,
						    size_t size, csys_deadline deadline,
						    size_t *out_size);

/**
 * Send a message, or bytes of a stream, without waiting.
 *
 * A stream takes at least 1 byte, and as many as there is room for.  If the call fails, nothing was
 * sent.
 *
 * \param socket    the socket
 * \param data      the bytes
 * \param size      how many there are; 0 bytes of a stream are nothing
 * \param out_size  how many were sent.  Unchanged on failure
 * \retval 0                  *out_size bytes were sent
 * \retval CSYS_EAGAIN        there is no room now
 * \retval CSYS_EPIPE         the other side is closed, or sending was shut down
 * \retval CSYS_ECONNRESET    the other side has broken the connection off
 * \retval CSYS_ECONNREFUSED  a datagram's receiver is gone
 * \retval CSYS_ENOTCONN      the socket has no peer
 * \retval CSYS_EMSGSIZE      no message can be so long
 * \retval CSYS_EINVAL        an empty message of a seqpacket, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_try_send(csys_socket *socket, const void *data,
						  size_t size, size_t *out_size);

/**
 * Send all bytes of a stream, waiting for room as often as it takes; or a message.
 *
 * If the call fails, the first *out_size bytes were sent, and no others.
 *
 * \param socket    the socket
 * \param data      the bytes
 * \param size      how many there are; 0 bytes of a stream are nothing
 * \param out_size  how many were sent, also on failure; may be NULL
 * \retval 0                  all were sent
 * \retval CSYS_EPIPE         the other side is closed, or sending was shut down
 * \retval CSYS_ECONNRESET    the other side has broken the connection off
 * \retval CSYS_ECONNREFUSED  a datagram's receiver is gone
 * \retval CSYS_ENOTCONN      the socket has no peer
 * \retval CSYS_EMSGSIZE      no message can be so long
 * \retval CSYS_EINVAL        an empty message of a seqpacket, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_send_all(csys_socket *socket, const void *data,
						  size_t size, size_t *out_size);

/**
 * Send all bytes of a stream, waiting for room until `deadline`; or a message.
 *
 * If the call fails, the first *out_size bytes were sent, and no others.
 *
 * \param socket    the socket
 * \param data      the bytes
 * \param size      how many there are; 0 bytes of a stream are nothing
 * \param deadline  when to give up
 * \param out_size  how many were sent, also on failure; may be NULL
 * \retval 0                  all were sent
 * \retval CSYS_ETIMEDOUT     the deadline passed first
 * \retval CSYS_EPIPE         the other side is closed, or sending was shut down
 * \retval CSYS_ECONNRESET    the other side has broken the connection off
 * \retval CSYS_ECONNREFUSED  a datagram's receiver is gone
 * \retval CSYS_ENOTCONN      the socket has no peer
 * \retval CSYS_EMSGSIZE      no message can be so long
 * \retval CSYS_EINVAL        an empty message of a seqpacket, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_send_all_until(csys_socket *socket, const void *data,
							size_t size, csys_deadline deadline,
							size_t *out_size);

/* ---- receiving ----------------------------------------------------------------------- */

/**
 * Receive a message, or at least 1 byte of a stream, waiting for it.
 *
 * Handles that come with it are closed: see csys/ipc/message.h.  If the call fails, nothing was
 * received, but for a message that was too long.
 *
 * \param socket    the socket
 * \param buffer    where the bytes go
 * \param size      how many bytes there is room for; with 0 nothing is received of a stream
 * \param out_size  how many were received; 0 is the end, but of a datagram.  Unchanged on failure
 * \retval 0                *out_size bytes were received
 * \retval CSYS_EMSGSIZE    the message is longer than `size`; it is gone
 * \retval CSYS_ECONNRESET  the other side has broken the connection off
 * \retval CSYS_ENOTCONN    the socket has no peer
 * \retval CSYS_EINVAL      a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_recv(csys_socket *socket, void *buffer, size_t size,
					      size_t *out_size);

/**
 * Receive a message, or at least 1 byte of a stream, waiting for it until `deadline`.
 *
 * Handles that come with it are closed: see csys/ipc/message.h.  If the call fails, nothing was
 * received, but for a message that was too long.
 *
 * \param socket    the socket
 * \param buffer    where the bytes go
 * \param size      how many bytes there is room for; with 0 nothing is received of a stream
 * \param deadline  when to give up
 * \param out_size  how many were received; 0 is the end, but of a datagram.  Unchanged on failure
 * \retval 0                *out_size bytes were received
 * \retval CSYS_ETIMEDOUT   the deadline passed, and nothing was received
 * \retval CSYS_EMSGSIZE    the message is longer than `size`; it is gone
 * \retval CSYS_ECONNRESET  the other side has broken the connection off
 * \retval CSYS_ENOTCONN    the socket has no peer
 * \retval CSYS_EINVAL      a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_recv_until(csys_socket *socket, void *buffer, size_t size,
						    csys_deadline deadline, size_t *out_size);

/**
 * Receive a message, or at least 1 byte of a stream, if it is there.
 *
 * Handles that come with it are closed: see csys/ipc/message.h.  If the call fails, nothing was
 * received, but for a message that was too long.
 *
 * \param socket    the socket
 * \param buffer    where the bytes go
 * \param size      how many bytes there is room for; with 0 nothing is received of a stream
 * \param out_size  how many were received; 0 is the end, but of a datagram.  Unchanged on failure
 * \retval 0                *out_size bytes were received
 * \retval CSYS_EAGAIN      nothing is there now
 * \retval CSYS_EMSGSIZE    the message is longer than `size`; it is gone
 * \retval CSYS_ECONNRESET  the other side has broken the connection off
 * \retval CSYS_ENOTCONN    the socket has no peer
 * \retval CSYS_EINVAL      a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_try_recv(csys_socket *socket, void *buffer, size_t size,
						  size_t *out_size);

/**
 * Receive bytes of a stream until the buffer is full or the stream ends; or a message.
 *
 * The call succeeds at the end too, with fewer bytes.  If it fails, the bytes that were received
 * before are in the buffer and counted: none is lost.
 *
 * \param socket    the socket
 * \param buffer    where the bytes go
 * \param size      how many bytes there is room for
 * \param out_size  how many were received, also on failure
 * \retval 0                *out_size bytes were received
 * \retval CSYS_EMSGSIZE    the message is longer than `size`; it is gone
 * \retval CSYS_ECONNRESET  the other side has broken the connection off
 * \retval CSYS_ENOTCONN    the socket has no peer
 * \retval CSYS_EINVAL      a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_recv_all(csys_socket *socket, void *buffer, size_t size,
						  size_t *out_size);

/**
 * Receive bytes of a stream until the buffer is full or the stream ends, until `deadline`; or a
 * message.
 *
 * The call succeeds at the end too, with fewer bytes.  If it fails, the bytes that were received
 * before are in the buffer and counted: none is lost.
 *
 * \param socket    the socket
 * \param buffer    where the bytes go
 * \param size      how many bytes there is room for
 * \param deadline  when to give up
 * \param out_size  how many were received, also on failure
 * \retval 0                *out_size bytes were received
 * \retval CSYS_ETIMEDOUT   the deadline passed first
 * \retval CSYS_EMSGSIZE    the message is longer than `size`; it is gone
 * \retval CSYS_ECONNRESET  the other side has broken the connection off
 * \retval CSYS_ENOTCONN    the socket has no peer
 * \retval CSYS_EINVAL      a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_recv_all_until(csys_socket *socket, void *buffer,
							size_t size, csys_deadline deadline,
							size_t *out_size);

/**
 * Look at a message, or at the first bytes of a stream, waiting for them.
 *
 * They stay there: the next call finds them again.  Of a stream more may come behind them.
 *
 * \param socket    the socket
 * \param buffer    where the bytes go
 * \param size      how many bytes there is room for; with 0 nothing is received of a stream
 * \param out_size  how many were seen; 0 is the end, but of a datagram.  Unchanged on failure
 * \retval 0                *out_size bytes were seen
 * \retval CSYS_EMSGSIZE    the message is longer than `size`
 * \retval CSYS_ECONNRESET  the other side has broken the connection off
 * \retval CSYS_ENOTCONN    the socket has no peer
 * \retval CSYS_ENOTSUP     messages of other users are passed over (csys/ipc/datagram.h)
 * \retval CSYS_EINVAL      a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_peek(csys_socket *socket, void *buffer, size_t size,
					      size_t *out_size);

/**
 * Look at a message, or at the first bytes of a stream, waiting for them until `deadline`.
 *
 * They stay there: the next call finds them again.  Of a stream more may come behind them.
 *
 * \param socket    the socket
 * \param buffer    where the bytes go
 * \param size      how many bytes there is room for; with 0 nothing is received of a stream
 * \param deadline  when to give up
 * \param out_size  how many were seen; 0 is the end, but of a datagram.  Unchanged on failure
 * \retval 0                *out_size bytes were seen
 * \retval CSYS_ETIMEDOUT   the deadline passed, and nothing was there
 * \retval CSYS_EMSGSIZE    the message is longer than `size`
 * \retval CSYS_ECONNRESET  the other side has broken the connection off
 * \retval CSYS_ENOTCONN    the socket has no peer
 * \retval CSYS_ENOTSUP     messages of other users are passed over (csys/ipc/datagram.h)
 * \retval CSYS_EINVAL      a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_peek_until(csys_socket *socket, void *buffer, size_t size,
						    csys_deadline deadline, size_t *out_size);

/**
 * Look at a message, or at the first bytes of a stream, if they are there.
 *
 * They stay there: the next call finds them again.  Of a stream more may come behind them.
 *
 * \param socket    the socket
 * \param buffer    where the bytes go
 * \param size      how many bytes there is room for; with 0 nothing is received of a stream
 * \param out_size  how many were seen; 0 is the end, but of a datagram.  Unchanged on failure
 * \retval 0                *out_size bytes were seen
 * \retval CSYS_EAGAIN      nothing is there now
 * \retval CSYS_EMSGSIZE    the message is longer than `size`
 * \retval CSYS_ECONNRESET  the other side has broken the connection off
 * \retval CSYS_ENOTCONN    the socket has no peer
 * \retval CSYS_ENOTSUP     messages of other users are passed over (csys/ipc/datagram.h)
 * \retval CSYS_EINVAL      a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_try_peek(csys_socket *socket, void *buffer, size_t size,
						  size_t *out_size);

CSYS_END_DECLS

#endif
