/**
 * \file
 * csys/ipc/activation.h - sockets that a service manager has opened for this program.
 *
 *     csys_activation *given;
 *     int r = csys_activation_open(&given);
 *     if (r == 0) {
 *             r = csys_activation_take_listener(given, 0, NULL, &listener);
 *             csys_activation_close(given);
 *     } else if (r == CSYS_ENOENT) {
 *             r = csys_listener_bind(&address, NULL, &listener);
 *     }
 *
 * A service manager such as systemd opens the sockets of a service itself, starts the program when
 * the first connection comes, and hands them over: their number is in LISTEN_FDS, their names are
 * in LISTEN_FDNAMES, and LISTEN_PID says which process they are for.  A program that was started
 * with the variables of another process, as a child of a service is, gets nothing.
 *
 * A process opens them once.  They are close-on-exec from then on.  The variables stay, since other
 * threads may read the environment: a child does not take them for its own, since LISTEN_PID is not
 * its pid.
 *
 * Threads: an activation is for one thread at a time.  Fork: a forked child that opens it gets
 * CSYS_ENOENT, as LISTEN_PID is not its own.
 */
#ifndef CSYS_IPC_ACTIVATION_H
#define CSYS_IPC_ACTIVATION_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/ipc/listener.h>
#include <csys/ipc/socket.h>

CSYS_BEGIN_DECLS

/** What a service manager has handed over. */
typedef struct csys_activation csys_activation;

/**
 * Take over what a service manager has opened for this process.
 *
 * \param out  the handles, to be closed by csys_activation_close.  Unchanged on failure
 * \retval 0             there is at least one
 * \retval CSYS_ENOENT   there is nothing for this process, or it was opened before
 * \retval CSYS_EBADMSG  the variables are for this process and make no sense: a number that is
 *                       none, a handle that is not open, more or fewer names than handles
 * \retval CSYS_ENOTSUP  this system has no such habit
 * \retval CSYS_ENOMEM   no memory
 * \retval CSYS_EINVAL   `out` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_activation_open(csys_activation **out);

/**
 * Close what was not taken, and release the rest.
 *
 * \param activation  what was opened; NULL is ignored
 */
CSYS_API void csys_activation_close(csys_activation *activation);
CSYSI_AUTO(csys_activation, csys_activation_close(*object))

/**
 * Tell how many handles there are, also of those that were taken.
 *
 * \param activation  what was opened
 * \return their number; 0 for NULL
 */
CSYS_API size_t csys_activation_count(const csys_activation *activation);

/**
 * Tell the name of a handle, by which the service's configuration calls it.
 *
 * \param activation  what was opened
 * \param index       which one, from 0
 * \return the name, which lives as long as the activation; "unknown" if there are no names, NULL if
 *         there is no such index
 */
CSYS_API const char *csys_activation_name(const csys_activation *activation, size_t index);

/**
 * Find a handle by its name.
 *
 * \param activation  what was opened
 * \param name        the name
 * \param from        the first index to look at: several can have one name
 * \param out_index   the index.  Unchanged on failure
 * \retval 0            *out_index is set
 * \retval CSYS_ENOENT  no handle from there on has that name
 * \retval CSYS_EINVAL  a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_activation_find(const csys_activation *activation,
						  const char *name, size_t from, size_t *out_index);

/**
 * Take a listening socket.
 *
 * \param activation  what was opened
 * \param index       which one, from 0
 * \param options     as for csys_listener_adopt_take
 * \param out         the listener, which the caller closes.  Unchanged on failure
 * \retval 0             *out is the caller's
 * \retval CSYS_EBADF    it was taken before, or is no socket
 * \retval CSYS_EBADMSG  it is a socket that does not listen
 * \retval CSYS_ENOMEM   no memory
 * \retval CSYS_EINVAL   there is no such index, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_activation_take_listener(csys_activation *activation,
							   size_t index,
							   const csys_listener_options *options,
							   csys_listener **out);

/**
 * Take a socket that does not listen: one for datagrams, or a connection.
 *
 * \param activation  what was opened
 * \param index       which one, from 0
 * \param options     as for csys_socket_adopt_take
 * \param out         the socket, which the caller closes.  Unchanged on failure
 * \retval 0             *out is the caller's
 * \retval CSYS_EBADF    it was taken before, or is no socket
 * \retval CSYS_EBADMSG  it is a socket that listens
 * \retval CSYS_ENOMEM   no memory
 * \retval CSYS_EINVAL   there is no such index, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_activation_take_socket(csys_activation *activation, size_t index,
							 const csys_socket_options *options,
							 csys_socket **out);

/**
 * Take a handle of any kind: a FIFO, a message queue, a file.
 *
 * \param activation  what was opened
 * \param index       which one, from 0
 * \param out         the handle, which the caller closes.  Unchanged on failure
 * \retval 0            *out is the caller's
 * \retval CSYS_EBADF   it was taken before
 * \retval CSYS_EINVAL  there is no such index, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_activation_take_handle(csys_activation *activation, size_t index,
							 csys_handle *out);

CSYS_END_DECLS

#endif
