/**
 * \file
 * csys/ipc/peer.h - which process is at the other side of a local socket.
 *
 *     csys_credentials peer;
 *     int r = csys_socket_peer_credentials(socket, &peer);
 *     if (r == 0 && peer.uid != 0)
 *             r = CSYS_EPERM;                 // only root may ask for this
 *
 * The system vouches for what is told here.  It is about the process that has made the connection
 * (for an accepted socket), the one that listened (for a connected one), or the one that made the
 * pair, as it was at that moment: since then it may have changed its user, ended, or handed the
 * socket to another process.
 *
 * A pid may be another process's by now.  csys_process_open_peer (csys/process/process.h) opens the
 * process itself, and csys_socket_peer_handle gives its handle.
 *
 * The sender of a single message is told with it: csys/ipc/message.h.
 *
 * Systems tell more or less: CSYS_CAN_SOCKET_USER, CSYS_CAN_SOCKET_CREDENTIALS and
 * CSYS_CAN_SOCKET_PEER_HANDLE.  TCP tells nothing: CSYS_ENOTSUP.
 */
#ifndef CSYS_IPC_PEER_H
#define CSYS_IPC_PEER_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/ipc/socket.h>

CSYS_BEGIN_DECLS

/** Which process something comes from, and on whose behalf. */
typedef struct csys_credentials {
	int64_t pid; /**< the process; -1 if it is not told, or is none that this one can see */
	int64_t uid; /**< its user; -1 if it is not told.  65534 may be one without a number here */
	int64_t gid; /**< its group; -1 if it is not told */
} csys_credentials;

/**
 * Tell the credentials of the process at the other side.
 *
 * The user and the group are the effective ones.
 *
 * \param socket  a local socket with a connection
 * \param out     the credentials.  Unchanged on failure
 * \retval 0              *out is set
 * \retval CSYS_ENOTCONN  the socket has no peer; so it is with datagrams that are no pair
 * \retval CSYS_ENOTSUP   the system does not tell, or not of this kind of socket
 * \retval CSYS_EINVAL    an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_peer_credentials(const csys_socket *socket,
							  csys_credentials *out);

/**
 * Tell whether the process at the other side is of the same user as this one.
 *
 * \param socket  a local socket with a connection
 * \param out     1 if its effective user is this process's; 0 if not, or if the number may be
 *                another one's (65534 in a user namespace).  Unchanged on failure
 * \retval 0              *out is set
 * \retval CSYS_ENOTCONN  the socket has no peer
 * \retval CSYS_ENOTSUP   the system does not tell, or not of this kind of socket
 * \retval CSYS_EINVAL    an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_peer_is_same_user(const csys_socket *socket, int *out);

/**
 * Tell the supplementary groups of the process at the other side.
 *
 * \param socket     a local socket with a connection
 * \param groups     where they go; may be NULL if `room` is 0
 * \param room       how many there is room for
 * \param out_count  how many there are.  More than `room`: some are missing; ask again with more.
 *                   Unchanged on failure
 * \retval 0              *out_count is set
 * \retval CSYS_ENOTCONN  the socket has no peer
 * \retval CSYS_ENOTSUP   the system does not tell, or not of this kind of socket
 * \retval CSYS_ENOMEM    no memory
 * \retval CSYS_EINVAL    a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_peer_groups(const csys_socket *socket, int64_t *groups,
						     size_t room, size_t *out_count);

/**
 * Get a handle of the process at the other side (Linux: its pidfd).
 *
 * It is of that process and never of another one that has got its pid.  It polls readable when the
 * process has ended.  csys_process_open_peer makes a csys_process of it.
 *
 * \param socket  a local socket with a connection
 * \param out     the handle, which the caller closes.  Unchanged on failure
 * \retval 0              *out is the caller's
 * \retval CSYS_ESRCH     the process has ended, and was reaped; Linux 6.16 gives a handle even so,
 *                        which is ready
 * \retval CSYS_ENOTCONN  the socket has no peer
 * \retval CSYS_ENOTSUP   the system has no such handles (Linux before 6.5), or not for this kind
 *                        of socket
 * \retval CSYS_EMFILE    no handle is left
 * \retval CSYS_EINVAL    an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_socket_peer_handle(const csys_socket *socket, csys_handle *out);

CSYS_END_DECLS

#endif
