/**
 * \file
 * csys/ipc/connection.h - messages between two processes that carry handles, memory and channels.
 *
 *     csys_connection *connection;
 *     csys_attachment attachment = csys_attach_handle(file);
 *     int r = csys_connection_connect(&address, NULL, &connection);
 *     if (r == 0)
 *             r = csys_connection_send(connection, "a file", 6, &attachment, 1);
 *
 * and in the other process
 *
 *     csys_parcel *parcel;
 *     int r = csys_connection_accept(listener, NULL, &connection);
 *     if (r == 0)
 *             r = csys_connection_recv(connection, &parcel);
 *     if (r == 0)
 *             r = csys_parcel_take_handle(parcel, 0, &file);
 *
 * A connection is a line of messages in both directions, over a local stream socket.  A message is
 * bytes, of any length up to the limit of both sides, and up to CSYS_CONNECTION_ATTACHMENTS
 * attachments.  Messages come whole, in order, each once.  It is for control: processes that want
 * speed send the end of a shared channel (csys/ipc/shared_channel.h) over it, and talk through
 * that.  What is received is a parcel; csys/ipc/parcel.h has attachments, and how they are taken.
 *
 * A child is connected by csys_command_connection (csys/process/command_connection.h) and
 * csys_connection_from_parent; strangers by the names of csys/ipc/listener.h.
 *
 * Sending.  A message is begun or it is not.  If a call fails, nothing of it was sent, and all
 * attachments are the caller's still.  If it returns 0, the message is the connection's: what the
 * system had no room for by the deadline stays in the connection, and each later call on it, that
 * sends or receives, goes on with that before anything else.  So no deadline breaks the line.
 *
 * Two processes that send to each other what the system has no room for, and neither receives, wait
 * for each other: a process that may be sent much while it sends waits for both ways
 * (csys_connection_waitable_reading, and _writing while csys_connection_is_pending), and uses
 * try_send and try_recv.
 *
 * A call that sends may also receive, if it waits until the other side has attachments that were
 * sent before, and keep what has come: call csys_connection_try_recv until it has nothing before
 * waiting for csys_connection_handle again, or wait by csys_connection_waitable_reading.
 *
 * The other side may be hostile.  What it sends is checked; a message that breaks a rule is
 * CSYS_EBADMSG, all that came with it is closed, and the connection is broken: it is shut down, so
 * that the other side receives the end, and all calls but closing return CSYS_EBADMSG from then on,
 * once what came whole before it is received.  It can make this process hold one message, of the
 * limit, with its attachments.  It cannot make a call last beyond its deadline.
 *
 * Threads: any number may use a connection at once, but for csys_connection_close, which belongs to
 * one.  Calls that wait are cancellation points; a thread that is cancelled in one that sends
 * attachments has sent nothing, and is not cancelled any more once the message has begun.  Signals:
 * not in handlers; none is raised (SIGPIPE).  Fork: a forked child has a copy of the connection, as
 * of a socket: one of the two goes on with it, and the other closes its copy.  It should be made
 * while no thread uses the connection, and nothing is pending.
 */
#ifndef CSYS_IPC_CONNECTION_H
#define CSYS_IPC_CONNECTION_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>
#include <csys/ipc/address.h>
#include <csys/ipc/listener.h>
#include <csys/ipc/message.h>
#include <csys/ipc/socket.h>

CSYS_BEGIN_DECLS

/** The most attachments of a message. */
#define CSYS_CONNECTION_ATTACHMENTS CSYS_MESSAGE_HANDLES

/** The most bytes of a message, whatever the options say. */
#define CSYS_CONNECTION_MOST ((size_t)1 << 30)

/** One side of a line of messages. */
typedef struct csys_connection csys_connection;

/** A message that was received: csys/ipc/parcel.h. */
typedef struct csys_parcel csys_parcel;

/** Something that is sent with a message: csys/ipc/parcel.h. */
typedef struct csys_attachment csys_attachment;

/** How a connection is made.  All zero is the usual way. */
typedef struct csys_connection_options {
	size_t most;           /**< bytes of a message at most, in both directions; 0: 16 MiB.  Both
	                            sides say the same: a longer one breaks the connection */
	int refuse_unsealed;   /**< ends of shared channels in memory that other processes can make
	                            smaller are not taken (CSYS_EBADMSG): reading behind its end is
	                            SIGBUS.  For other sides that are not trusted so far */
	uintptr_t reserved[4]; /**< private: 0 */
} csys_connection_options;

/* ---- making and closing ------------------------------------------------------------------- */

/**
 * Make two sides that are connected to each other.
 *
 * \param options  of both; NULL for the usual
 * \param out_a    one side, to be closed by csys_connection_close.  Unchanged on failure
 * \param out_b    the other one.  Unchanged on failure
 * \retval 0             both are the caller's
 * \retval CSYS_ENOTSUP  the system does not pass handles (CSYS_CAN_PASS_HANDLES)
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   no memory
 * \retval CSYS_EINVAL   no such options, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_connection_pair(const csys_connection_options *options,
						  csys_connection **out_a, csys_connection **out_b);

/**
 * Make a connection of a socket that is connected.
 *
 * Nothing was sent or received on it before.
 *
 * \param socket   the socket, the connection's after success
 * \param options  NULL for the usual
 * \param out      the connection, to be closed by csys_connection_close.  Unchanged on failure
 * \retval 0              it is the caller's
 * \retval CSYS_EBADMSG   the socket is no local stream
 * \retval CSYS_ENOTCONN  it is not connected
 * \retval CSYS_ENOMEM    no memory
 * \retval CSYS_EINVAL    no such options, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int
csys_connection_from_socket_take(csys_socket *socket, const csys_connection_options *options,
				 csys_connection **out);

/**
 * Connect to the process that listens at an address, however long that takes.
 *
 * Whose process that is tells csys/ipc/peer.h, of csys_connection_socket.
 *
 * \param address  where
 * \param options  NULL for the usual
 * \param out      the connection, to be closed by csys_connection_close.  Unchanged on failure
 * \retval 0            it is connected
 * \retval CSYS_EINVAL  no such options or address, or a pointer is NULL
 * \retval other        as csys_socket_connect
 */
CSYS_API CSYS_MUST_CHECK int csys_connection_connect(const csys_address *address,
						     const csys_connection_options *options,
						     csys_connection **out);

/**
 * Connect to the process that listens at an address, until `deadline`.
 *
 * \param address   where
 * \param options   NULL for the usual
 * \param deadline  when to give up
 * \param out       the connection, to be closed by csys_connection_close.  Unchanged on failure
 * \retval 0      it is connected
 * \retval other  as csys_connection_connect and csys_socket_connect_until
 */
CSYS_API CSYS_MUST_CHECK int csys_connection_connect_until(const csys_address *address,
							   const csys_connection_options *options,
							   csys_deadline deadline,
							   csys_connection **out);

/**
 * Accept a connection, however long that takes.
 *
 * \param listener  of local streams
 * \param options   NULL for the usual
 * \param out       the connection, to be closed by csys_connection_close.  Unchanged on failure
 * \retval 0             it is connected
 * \retval CSYS_EBADMSG  the listener is for other sockets
 * \retval CSYS_EINVAL   no such options, or a pointer is NULL
 * \retval other         as csys_listener_accept
 */
CSYS_API CSYS_MUST_CHECK int csys_connection_accept(csys_listener *listener,
						    const csys_connection_options *options,
						    csys_connection **out);

/**
 * Accept a connection, until `deadline`.
 *
 * \param listener  of local streams
 * \param options   NULL for the usual
 * \param deadline  when to give up
 * \param out       the connection, to be closed by csys_connection_close.  Unchanged on failure
 * \retval 0      it is connected
 * \retval other  as csys_connection_accept and csys_listener_accept_until
 */
CSYS_API CSYS_MUST_CHECK int csys_connection_accept_until(csys_listener *listener,
							  const csys_connection_options *options,
							  csys_deadline deadline,
							  csys_connection **out);

/**
 * Take over the connection that this process was started with.
 *
 * Its parent has made it by csys_command_connection (csys/process/command_connection.h).  The
 * handle becomes close-on-exec; children of this process that inherit the variable find nothing.
 *
 * \param options  NULL for the usual
 * \param out      the connection, to be closed by csys_connection_close.  Unchanged on failure
 * \retval 0             it is the caller's
 * \retval CSYS_ENOENT   there is none for this process, or it was taken before
 * \retval CSYS_EBADMSG  the variable CSYS_CONNECTION makes no sense
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   no memory
 * \retval CSYS_EINVAL   no such options, or `out` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_connection_from_parent(const csys_connection_options *options,
							 csys_connection **out);

/**
 * Close a connection and release it.
 *
 * It does not wait.  What the system has taken is still received by the other side.  What is
 * pending is lost, and with it the message that it is the rest of (csys_connection_flush before
 * that), as are messages that were received and not handed out.  Ends of shared channels that the
 * other side has not adopted yet stay alive until that has closed its side (csys/ipc/parcel.h).
 *
 * \param connection  the connection; NULL is ignored
 */
CSYS_API void csys_connection_close(csys_connection *connection);
CSYSI_AUTO(csys_connection, csys_connection_close(*object))

/* ---- sending ------------------------------------------------------------------------------ */

/**
 * Send a message, however long that takes.
 *
 * \param connection   the connection
 * \param data         the bytes; may be NULL if there are none
 * \param size         how many there are
 * \param attachments  what goes with it; may be NULL if there is nothing.  What was attached by a
 *                     function with _take is gone after success, and the caller's after a failure
 * \param count        how many there are
 * \retval 0                   the message is sent, or the connection's
 * \retval CSYS_EDISCONNECTED  the other side is closed, or dead
 * \retval CSYS_EBADMSG        the connection is broken
 * \retval CSYS_EMSGSIZE       it is longer than the limit
 * \retval CSYS_EBUSY          an attachment cannot be sent now (csys/ipc/parcel.h); or the other
 *                             side has to receive attachments that were sent before, and this
 *                             process what has come meanwhile
 * \retval CSYS_EBADF          a handle is not open; or an end is not this process's
 * \retval CSYS_ENOTSUP        an attachment has no handle
 * \retval CSYS_EMFILE         the system holds too many handles that were not received yet
 * \retval CSYS_ENOMEM         no memory
 * \retval CSYS_EINVAL         too many attachments; one of no kind, or that is taken twice; the
 *                             connection itself; or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_connection_send(csys_connection *connection, const void *data,
						  size_t size, const csys_attachment *attachments,
						  size_t count);

/**
 * Send a message, waiting for room until `deadline`.
 *
 * \param connection   the connection
 * \param data         the bytes; may be NULL if there are none
 * \param size         how many there are
 * \param attachments  what goes with it, as of csys_connection_send
 * \param count        how many there are
 * \param deadline     when to give up
 * \retval 0               the message is sent, or the connection's
 * \retval CSYS_ETIMEDOUT  the deadline passed, and nothing of it was sent
 * \retval other           as csys_connection_send
 */
CSYS_API CSYS_MUST_CHECK int csys_connection_send_until(csys_connection *connection,
							const void *data, size_t size,
							const csys_attachment *attachments,
							size_t count, csys_deadline deadline);

/**
 * Send a message if there is room for the beginning of it.
 *
 * \param connection   the connection
 * \param data         the bytes; may be NULL if there are none
 * \param size         how many there are
 * \param attachments  what goes with it, as of csys_connection_send
 * \param count        how many there are
 * \retval 0            the message is sent, or the connection's
 * \retval CSYS_EAGAIN  there is no room now
 * \retval other        as csys_connection_send
 */
CSYS_API CSYS_MUST_CHECK int csys_connection_try_send(csys_connection *connection, const void *data,
						      size_t size,
						      const csys_attachment *attachments,
						      size_t count);

/**
 * Wait until the other side has received all that was sent.
 *
 * Its process has it then, in a call that receives, whether or not the parcels were handed out.
 * Meanwhile this process receives what comes, and keeps it: call csys_connection_try_recv until it
 * has nothing before waiting for csys_connection_handle again.
 *
 * \param connection  the connection
 * \param deadline    when to give up
 * \retval 0                   it has
 * \retval CSYS_ETIMEDOUT      it has not until then
 * \retval CSYS_EBUSY          so much has come meanwhile that it has to be received first
 * \retval CSYS_EDISCONNECTED  the other side is closed, or dead, and has perhaps not received all
 * \retval CSYS_EBADMSG        the connection is broken
 * \retval CSYS_EMFILE         likewise, as csys_connection_recv tells
 * \retval CSYS_ENOMEM         no memory
 * \retval CSYS_EINVAL         `connection` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_connection_flush(csys_connection *connection,
						   csys_deadline deadline);

/* ---- receiving ---------------------------------------------------------------------------- */

/**
 * Receive a message, however long that takes.
 *
 * \param connection  the connection
 * \param out         the message, to be closed by csys_parcel_close.  Unchanged on failure
 * \retval 0                   it is the caller's
 * \retval CSYS_EDISCONNECTED  the other side is closed, or dead, and all that it sent whole was
 *                             received
 * \retval CSYS_EBADMSG        the message breaks a rule: the connection is broken
 * \retval CSYS_EMFILE         this process can have no more handles; those of the message are
 *                             closed, and the connection is broken, as after CSYS_EBADMSG
 * \retval CSYS_ENOMEM         no memory; nothing is lost, and the call may be made again
 * \retval CSYS_EINVAL         a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_connection_recv(csys_connection *connection, csys_parcel **out);

/**
 * Receive a message, waiting for it until `deadline`.
 *
 * \param connection  the connection
 * \param deadline    when to give up
 * \param out         the message, to be closed by csys_parcel_close.  Unchanged on failure
 * \retval 0               it is the caller's
 * \retval CSYS_ETIMEDOUT  none came whole until then; what came of it is kept
 * \retval other           as csys_connection_recv
 */
CSYS_API CSYS_MUST_CHECK int csys_connection_recv_until(csys_connection *connection,
							csys_deadline deadline, csys_parcel **out);

/**
 * Receive a message if it is there.
 *
 * \param connection  the connection
 * \param out         the message, to be closed by csys_parcel_close.  Unchanged on failure
 * \retval 0            it is the caller's
 * \retval CSYS_EAGAIN  none is there, or not all of it
 * \retval other        as csys_connection_recv
 */
CSYS_API CSYS_MUST_CHECK int csys_connection_try_recv(csys_connection *connection,
						      csys_parcel **out);

/* ---- waiting, and what it tells ------------------------------------------------------------- */

/**
 * Make a waitable for the next message, or for the end.
 *
 * Make it anew before each csys_poll: it is ready at once if a message was received by
 * csys_connection_flush.  Bytes may be a part of a message only: call csys_connection_try_recv
 * then.
 *
 * \param connection  the connection
 * \return the waitable; csys_poll fails with CSYS_EBADF for NULL
 */
CSYS_API csys_waitable csys_connection_waitable_reading(csys_connection *connection);

/**
 * Make a waitable for room to send, or for the end.
 *
 * \param connection  the connection
 * \return the waitable; csys_poll fails with CSYS_EBADF for NULL
 */
CSYS_API csys_waitable csys_connection_waitable_writing(csys_connection *connection);

/**
 * Tell whether the connection has something to send, for which there was no room.
 *
 * An event loop waits for room then, and calls csys_connection_advance.
 *
 * \param connection  the connection
 * \return 1 if so, else 0
 */
CSYS_API int csys_connection_is_pending(csys_connection *connection);

/**
 * Send what is pending, as far as there is room.
 *
 * \param connection  the connection
 * \retval 0                   nothing is pending any more
 * \retval CSYS_EAGAIN         something is
 * \retval CSYS_EDISCONNECTED  the other side is closed, or dead
 * \retval CSYS_EBADMSG        the connection is broken
 * \retval CSYS_EINVAL         `connection` is NULL
 */
CSYS_API int csys_connection_advance(csys_connection *connection);

/**
 * Tell the handle of a connection, for an event loop.
 *
 * It polls readable when something comes, or the end, and writable when there is room.
 *
 * \param connection  the connection, which keeps it
 * \return the handle; CSYS_NO_HANDLE for NULL
 */
CSYS_API csys_handle csys_connection_handle(const csys_connection *connection);

/**
 * Get the socket of a connection, to be asked about the other side (csys/ipc/peer.h).
 *
 * \param connection  the connection, which keeps it; nothing else may send or receive by it
 * \return the socket; NULL for NULL
 */
CSYS_API csys_socket *csys_connection_socket(const csys_connection *connection);

CSYS_END_DECLS

#include <csys/ipc/parcel.h>

#endif
