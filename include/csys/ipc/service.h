/**
 * \file
 * csys/ipc/service.h - requests of other processes, and replies to them.
 *
 *     csys_service *service;
 *     int r = csys_service_open(NULL, &service);
 *     if (r == 0)
 *             r = csys_service_listen_take(service, listener);
 *     while (r == 0) {
 *             CSYS_AUTO(csys_request) request = NULL;
 *             r = csys_service_recv(service, &request);
 *             if (r == 0)
 *                     answer(request);
 *     }
 *     csys_service_close(service);
 *
 * where answer says, now or later and in any thread,
 *
 *     const void *data = csys_request_data(request, &size);
 *     if (size == 0)
 *             r = csys_request_fail(request, CSYS_EINVAL, "nothing is asked", 16);
 *     else
 *             r = csys_request_reply(request, data, size, NULL, 0);
 *
 * A service has clients: processes that connect to its listeners, and the other sides of
 * connections that it is given (of csys_connection_pair, or of a child).  They send requests by
 * csys/ipc/caller.h.  A request is an object: it may be answered at once, or be kept while others
 * are received.  If it is closed without an answer its caller is told, and does not wait in vain.
 *
 * Only csys_service_recv waits.  A reply for which a client has no room is kept by the service, and
 * sent by a thread in csys_service_recv.  If it cannot be sent then either, for lack of memory or
 * because too many handles are on their way, the call of the client ends with CSYS_ECANCELED.
 *
 * A client can have `most_requests` under way: requests that are not closed, and replies that are
 * kept.  While it has so many nothing is received from it.  So one that asks and does not read
 * costs no more than that many requests and replies, each with up to CSYS_CONNECTION_ATTACHMENTS
 * handles.  If this process can have no more handles, a client whose message brings one is dropped,
 * and new clients wait to be accepted.
 *
 * A client that is closed, that dies or that breaks a rule is dropped, with the replies that were
 * kept for it.  Its requests are abandoned (csys_request_is_abandoned), as are requests that their
 * caller has given up: an answer to them is not sent.  Clients take turns, however fast one sends.
 *
 * Threads: any number may receive at once, and each request is returned to one of them.  A request
 * is used by one thread at a time, which may be another one.  csys_service_stop makes all threads
 * return.  csys_service_close is called when no thread receives any more; requests may outlive the
 * service.  Cancellation: csys_service_recv is a cancellation point, and no request is lost then.
 * Fork: a service belongs to the process that has made it.  In a forked child what can fail is
 * CSYS_EBADF; the child may close its copies of the service and of requests if no thread used them
 * at the moment of the fork.
 */
#ifndef CSYS_IPC_SERVICE_H
#define CSYS_IPC_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>
#include <csys/ipc/connection.h>
#include <csys/ipc/listener.h>
#include <csys/ipc/parcel.h>
#include <csys/ipc/socket.h>

CSYS_BEGIN_DECLS

/** What takes requests of several processes. */
typedef struct csys_service csys_service;

/** A request of a client. */
typedef struct csys_request csys_request;

/**
 * Decide whether a process that has connected to a listener is let in; csys/ipc/peer.h tells which
 * one that is.
 *
 * Called by threads in csys_service_recv, perhaps by several at once.  It may use the service, but
 * not close it.  Cancellation is held back meanwhile.
 *
 * \param context  of the options
 * \param client   its number, never 0, which no other client of this service has had
 * \param socket   its socket
 * \return 0: it becomes a client; else the socket is closed
 */
typedef int csys_service_admit(void *context, uint64_t client, csys_socket *socket);

/**
 * Hear that a client is gone: once for each that was let in, or that is of a connection that was
 * given.
 *
 * Called by threads in csys_service_recv, perhaps by several at once, and by csys_service_close for
 * all clients that are left.  It may use the service and close requests, but not close the service.
 * Cancellation is held back meanwhile.  A request of this client that another thread was receiving
 * may be returned after that; it is abandoned.
 *
 * \param context  of the options
 * \param client   its number
 */
typedef void csys_service_gone(void *context, uint64_t client);

/** How a service is made.  All zero is the usual way. */
typedef struct csys_service_options {
	size_t most_clients;        /**< how many are accepted; others wait; 0: no limit */
	size_t most_requests;       /**< of each client, under way at a time; 0: 64 */
	csys_service_admit *admit;  /**< which are admitted; NULL: all that can connect */
	csys_service_gone *gone;    /**< told of clients that are gone; NULL: nothing is */
	void *context;              /**< of both */
	csys_connection_options of; /**< of the connections of clients that are accepted */
	uintptr_t reserved[4];      /**< private: 0 */
} csys_service_options;

/* ---- making and closing ------------------------------------------------------------------- */

/**
 * Make a service without clients.
 *
 * \param options  NULL for the usual
 * \param out      the service, to be closed by csys_service_close.  Unchanged on failure
 * \retval 0            it is the caller's
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_ENOMEM  no memory
 * \retval CSYS_EINVAL  no such options, or `out` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_service_open(const csys_service_options *options,
					       csys_service **out);

/**
 * Close a service, with its listeners and clients.
 *
 * It does not wait.  Replies that are kept are lost.  Open requests are abandoned, and are to be
 * closed still; calls of all clients end with CSYS_EDISCONNECTED.
 *
 * \param service  the service; NULL is ignored
 */
CSYS_API void csys_service_close(csys_service *service);
CSYSI_AUTO(csys_service, csys_service_close(*object))

/**
 * Let processes that connect to a listener be clients.
 *
 * \param service   the service
 * \param listener  of local streams, the service's after success
 * \retval 0               it is listened to
 * \retval CSYS_EBADMSG    the listener is for other sockets
 * \retval CSYS_ECANCELED  the service is being closed: this is a call from csys_service_gone
 * \retval CSYS_EBADF      the service is the parent's
 * \retval CSYS_ENOMEM     no memory
 * \retval CSYS_ENOSPC     as csys_wait_set_add
 * \retval CSYS_EINVAL     a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_service_listen_take(csys_service *service,
						      csys_listener *listener);

/**
 * Let the other side of a connection be a client.
 *
 * Nothing may have been sent or received on the connection before.  The client is let in even if
 * there are `most_clients` already, and csys_service_admit is not called.
 *
 * \param service     the service
 * \param connection  the connection, the service's after success
 * \param out_client  its number; may be NULL.  Unchanged on failure
 * \retval 0               it is a client
 * \retval CSYS_ECANCELED  the service is being closed: this is a call from csys_service_gone
 * \retval CSYS_EBADF      the service is the parent's
 * \retval CSYS_ENOMEM     no memory
 * \retval CSYS_ENOSPC     as csys_wait_set_add
 * \retval CSYS_EINVAL     a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int
csys_service_connect_take(csys_service *service, csys_connection *connection, uint64_t *out_client);

/* ---- receiving ---------------------------------------------------------------------------- */

/**
 * Receive a request, however long that takes.
 *
 * Meanwhile new clients are accepted, and replies that are kept are sent.
 *
 * \param service  the service
 * \param out      the request, to be closed by csys_request_close.  Unchanged on failure
 * \retval 0               it is the caller's
 * \retval CSYS_ECANCELED  the service was stopped
 * \retval CSYS_ENOMEM     no memory; nothing is lost, and the call may be made again
 * \retval CSYS_EBADF      a listener was shut down by other code, and is listened to no more; or
 *                         the service is the parent's
 * \retval CSYS_EPERM      this process may not accept any (a sandbox): as CSYS_EBADF
 * \retval CSYS_EINVAL     a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_service_recv(csys_service *service, csys_request **out);

/**
 * Receive a request, waiting for it until `deadline`.
 *
 * \param service   the service
 * \param deadline  when to give up
 * \param out       the request, to be closed by csys_request_close.  Unchanged on failure
 * \retval 0               it is the caller's
 * \retval CSYS_ETIMEDOUT  none came
 * \retval other           as csys_service_recv
 */
CSYS_API CSYS_MUST_CHECK int csys_service_recv_until(csys_service *service, csys_deadline deadline,
						     csys_request **out);

/**
 * Receive a request if there is one.
 *
 * \param service  the service
 * \param out      the request, to be closed by csys_request_close.  Unchanged on failure
 * \retval 0            it is the caller's
 * \retval CSYS_EAGAIN  none is there
 * \retval other        as csys_service_recv
 */
CSYS_API CSYS_MUST_CHECK int csys_service_try_recv(csys_service *service, csys_request **out);

/**
 * Make csys_service_recv return CSYS_ECANCELED in all threads, now and later.
 *
 * Async-signal-safe.  Requests may still be answered; a reply is sent if there is room, and else
 * kept and lost.
 *
 * \param service  the service; NULL is ignored
 */
CSYS_API void csys_service_stop(csys_service *service);

/**
 * Make a waitable for requests, new clients, and whatever else csys_service_try_recv has to do.
 *
 * \param service  the service
 * \return the waitable; csys_poll fails with CSYS_EBADF for NULL
 */
CSYS_API csys_waitable csys_service_waitable(csys_service *service);

/* ---- requests ----------------------------------------------------------------------------- */

/**
 * Get the bytes of a request.
 *
 * \param request   the request
 * \param out_size  how many there are; may be NULL
 * \return the bytes, as csys_parcel_data tells; NULL for NULL
 */
CSYS_API const void *csys_request_data(const csys_request *request, size_t *out_size);

/**
 * Get the message of a request, to take attachments out of it.
 *
 * \param request  the request, which keeps it
 * \return the message; NULL for NULL
 */
CSYS_API csys_parcel *csys_request_parcel(const csys_request *request);

/**
 * Tell which client has sent a request.
 *
 * \param request  the request
 * \return its number; 0 for NULL
 */
CSYS_API uint64_t csys_request_client(const csys_request *request);

/**
 * Get the socket of the client, to be asked about it (csys/ipc/peer.h).
 *
 * \param request  the request
 * \return the socket, which is there as long as the request is; NULL for NULL
 */
CSYS_API csys_socket *csys_request_socket(const csys_request *request);

/**
 * Tell the deadline after which the caller wants no reply any more.
 *
 * It is what the caller has sent, so it may be any.
 *
 * \param request  the request
 * \return the deadline; CSYS_FOREVER if there is none, and for NULL
 */
CSYS_API csys_deadline csys_request_deadline(const csys_request *request);

/**
 * Tell whether nobody waits for the answer any more.
 *
 * A thread in csys_service_recv has to receive the news.  While a client has `most_requests` under
 * way nothing is received from it, neither this nor that it is gone.
 *
 * \param request  the request
 * \return 1: the caller has given up, or is gone; else 0; 0 for NULL
 */
CSYS_API int csys_request_is_abandoned(const csys_request *request);

/**
 * Answer a request: what was asked is done.  It does not wait.
 *
 * \param request      the request, which is to be closed still
 * \param data         the bytes; may be NULL if there are none
 * \param size         how many there are
 * \param attachments  what goes with it; may be NULL if there is nothing.  What was attached by a
 *                     function with _take is gone after success, and the caller's after a failure
 * \param count        how many there are
 * \retval 0                   the reply is sent, or kept by the service
 * \retval CSYS_ECANCELED      its caller has given up, or the service is closed
 * \retval CSYS_EDISCONNECTED  the client is gone
 * \retval CSYS_EMSGSIZE       it is longer than the limit
 * \retval CSYS_EBUSY          an attachment cannot be sent now, as csys_connection_send tells; or
 *                             the client has to receive attachments of earlier replies first
 * \retval CSYS_EINVAL         the request is answered; or as csys_connection_send
 * \retval CSYS_EBADF          the request is the parent's; or as csys_connection_send
 * \retval other               as csys_connection_send; another reply may be tried
 */
CSYS_API CSYS_MUST_CHECK int csys_request_reply(csys_request *request, const void *data,
						size_t size, const csys_attachment *attachments,
						size_t count);

/**
 * Answer a request: what was asked is not done.  It does not wait.
 *
 * \param request  the request, which is to be closed still
 * \param code     why: any number but 0, such as CSYS_ENOENT, or one that both sides agree on
 * \param data     bytes that tell more; may be NULL if there are none
 * \param size     how many there are
 * \retval 0            the answer is sent, or kept by the service
 * \retval CSYS_EINVAL  the code is 0; or as csys_request_reply
 * \retval other        as csys_request_reply
 */
CSYS_API CSYS_MUST_CHECK int csys_request_fail(csys_request *request, int code, const void *data,
					       size_t size);

/**
 * Close a request.  If it was not answered, the call ends with CSYS_ECANCELED.
 *
 * \param request  the request; NULL is ignored
 */
CSYS_API void csys_request_close(csys_request *request);
CSYSI_AUTO(csys_request, csys_request_close(*object))

CSYS_END_DECLS

#endif
