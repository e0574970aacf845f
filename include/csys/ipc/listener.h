/**
 * \file
 * csys/ipc/listener.h - places that other processes connect to.
 *
 *     csys_listener *listener;
 *     int r = csys_listener_bind(&address, NULL, &listener);
 *     if (r < 0)
 *             return r;
 *     while ((r = csys_listener_accept(listener, &client)) == 0) {
 *             serve(client);
 *             csys_socket_close(client);
 *     }
 *     csys_listener_close(listener);
 *
 * A listener of a path makes the file, with its permissions from the first moment on (0600 if no
 * others are asked for, whatever the umask is), and removes it when it is closed.
 *
 * A process that is killed leaves its file behind, and then a plain bind finds the address in use
 * for ever.  So a lock file stands beside it, PATH.lock, which the system unlocks when its
 * process ends.  csys_listener_bind takes that lock, and removes a file that nobody serves.  It
 * never takes the place of a live one: not of one that has the lock, nor of another program's,
 * which it tries to connect to (that program sees a connection that ends at once; before it has
 * called listen, its file is as one that is left over).  At the end a
 * listener removes only the file that it has made itself.  Both files are in the directory of the
 * path, which needs to be one where only trusted users can make files.
 *
 * A listener of an abstract name closes connections of other users, unless any_user is set.
 *
 * Handles are close-on-exec and above 2.  The listener is nonblocking for callers of the system's
 * own functions.
 *
 * Threads: any number may accept at once; csys_listener_close belongs to one.  Fork: a forked
 * child holds a copy, and may accept too.  If it closes it, the file stays; while it has it, the
 * address is in use.
 */
#ifndef CSYS_IPC_LISTENER_H
#define CSYS_IPC_LISTENER_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>
#include <csys/ipc/address.h>
#include <csys/ipc/socket.h>

CSYS_BEGIN_DECLS

/** A place that other processes connect to. */
typedef struct csys_listener csys_listener;

/** How a listener is made.  All zero is the usual way. */
typedef struct csys_listener_options {
	int kind;           /**< CSYS_SOCKET_STREAM or CSYS_SOCKET_SEQPACKET */
	int mode;           /**< permissions of the path, such as 0660; 0: 0600, this user alone */
	int backlog;        /**< how many connections may wait; 0: as many as the system allows */
	int any_user;       /**< 1: with an abstract address accept other users too */
	int senders;        /**< 1: as in csys_socket_options, for accepted sockets */
	int reserved_int;   /**< private: 0 */
	size_t send_buffer; /**< as in csys_socket_options, for accepted sockets */
	size_t recv_buffer; /**< likewise */
	uintptr_t reserved[4]; /**< private: 0 */
} csys_listener_options;

/**
 * Listen at an address.
 *
 * \param address  a path or an abstract name
 * \param options  how; NULL: a stream, for this user alone
 * \param out      the listener, which the caller closes.  Unchanged on failure
 * \retval 0                  processes can connect
 * \retval CSYS_EADDRINUSE    the address belongs to a socket that is in use, or the path to a file
 *                            of another kind
 * \retval CSYS_EACCES        this user may not make files there, or the lock file is another
 *                            user's, or no file
 * \retval CSYS_ENOENT        the directory does not exist
 * \retval CSYS_ENOTDIR       a part of the path is no directory
 * \retval CSYS_EISDIR        the path ends in a slash
 * \retval CSYS_ENAMETOOLONG  the system does not reach so long a path
 * \retval CSYS_ENOTSUP       the system has no such kind, no such addresses, cannot set the mode
 *                            before others could connect, or does not tell senders
 * \retval CSYS_ENOSPC        no room on the device
 * \retval CSYS_EMFILE        no handle is left
 * \retval CSYS_ENOMEM        no memory
 * \retval CSYS_EINVAL        the address is unnamed, an option is out of range, or an argument is
 *                            NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_listener_bind(const csys_address *address,
						const csys_listener_options *options,
						csys_listener **out);

/**
 * Make a csys_listener of a listening socket that other code has made, of any family.
 *
 * It becomes close-on-exec and nonblocking, and is closed by csys_listener_close.  Its path, if it
 * has one, stays.  Of the options only any_user, senders and the buffers count; an abstract address
 * that was not given to any user is for this one alone.
 *
 * \param handle   the socket, the caller's still if the call fails
 * \param options  how; NULL: as it is
 * \param out      the listener.  Unchanged on failure
 * \retval 0             the handle belongs to *out
 * \retval CSYS_EBADF    it is not open, or no socket
 * \retval CSYS_EBADMSG  it is a socket that does not listen
 * \retval CSYS_ENOTSUP  the system does not tell senders
 * \retval CSYS_ENOMEM   no memory
 * \retval CSYS_EINVAL   `out` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_listener_adopt_take(csys_handle handle,
						      const csys_listener_options *options,
						      csys_listener **out);

/**
 * Stop listening, and release the listener.
 *
 * The path that it has made is removed, if it is still its own.  Connections that were not accepted
 * are broken off.
 *
 * \param listener  the listener; NULL is ignored
 */
CSYS_API void csys_listener_close(csys_listener *listener);
CSYSI_AUTO(csys_listener, csys_listener_close(*object))

/**
 * Accept a connection, waiting for it.
 *
 * Connections that have ended by themselves meanwhile, and those of users that are not admitted,
 * are passed over.
 *
 * After CSYS_EMFILE the connection waits on, and the listener's waitable is ready: close something,
 * or wait for something else, before the next call.
 *
 * \param listener  the listener
 * \param out       the connection, which the caller closes.  Unchanged on failure
 * \retval 0            *out is connected
 * \retval CSYS_EMFILE  there is a connection, and no handle is left for it
 * \retval CSYS_ENOMEM  no memory; the connection is broken off
 * \retval CSYS_EBADF   other code has shut it down
 * \retval CSYS_EPERM   this process may not accept any (a sandbox)
 * \retval CSYS_EINVAL  an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_listener_accept(csys_listener *listener, csys_socket **out);

/**
 * Accept a connection, waiting for it until `deadline`.
 *
 * Connections that have ended by themselves meanwhile, and those of users that are not admitted,
 * are passed over.
 *
 * \param listener  the listener
 * \param deadline  when to give up
 * \param out       the connection, which the caller closes.  Unchanged on failure
 * \retval 0               *out is connected
 * \retval CSYS_ETIMEDOUT  none came
 * \retval CSYS_EMFILE     there is a connection, and no handle is left for it
 * \retval CSYS_ENOMEM     no memory; the connection is broken off
 * \retval CSYS_EBADF      other code has shut it down
 * \retval CSYS_EPERM      this process may not accept any (a sandbox)
 * \retval CSYS_EINVAL     an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_listener_accept_until(csys_listener *listener,
							csys_deadline deadline, csys_socket **out);

/**
 * Accept a connection if there is one.
 *
 * Connections that have ended by themselves meanwhile, and those of users that are not admitted,
 * are passed over.
 *
 * \param listener  the listener
 * \param out       the connection, which the caller closes.  Unchanged on failure
 * \retval 0            *out is connected
 * \retval CSYS_EAGAIN  there is none now
 * \retval CSYS_EMFILE  there is one, and no handle is left for it
 * \retval CSYS_ENOMEM  no memory; the connection is broken off
 * \retval CSYS_EBADF   other code has shut it down
 * \retval CSYS_EPERM   this process may not accept any (a sandbox)
 * \retval CSYS_EINVAL  an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_listener_try_accept(csys_listener *listener, csys_socket **out);

/**
 * Tell the handle of a listener, for an event loop.
 *
 * It polls readable when there is a connection to accept.  On Windows it is a SOCKET.
 *
 * \param listener  the listener, which keeps the handle
 * \return the handle; CSYS_NO_HANDLE for NULL
 */
CSYS_API csys_handle csys_listener_handle(const csys_listener *listener);

/**
 * Make a waitable for a connection to accept.
 *
 * \param listener  the listener; for NULL csys_poll fails with CSYS_EBADF
 * \return the waitable
 */
CSYS_API csys_waitable csys_listener_waitable(csys_listener *listener);

/**
 * Tell the address that a local listener is bound to.
 *
 * \param listener  the listener
 * \param out       the address, as it was bound.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EINVAL  an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_listener_local_address(const csys_listener *listener,
							 csys_address *out);

CSYS_END_DECLS

#endif
