/**
 * \file
 * csys/ipc/caller.h - requests to a service of another process, and its replies.
 *
 *     csys_parcel *reply;
 *     int r = csys_caller_from_connection_take(connection, &caller);
 *     if (r == 0)
 *             r = csys_caller_call_until(caller, "sum 1 2", 7, NULL, 0, csys_after_s(1), &reply);
 *     if (r == 0 && csys_reply_code(reply) == 0)
 *             printf("%s\n", (const char *)csys_parcel_data(reply, NULL));
 *
 * and several at once
 *
 *     csys_call *calls[8];
 *     for (int i = 0; i < 8 && r == 0; i++)
 *             r = csys_caller_begin(caller, &numbers[i], sizeof numbers[i], NULL, 0, &calls[i]);
 *     for (int i = 0; i < 8 && r == 0; i++)
 *             r = csys_call_wait(calls[i], &replies[i]);
 *
 * A caller is one side of a connection (csys/ipc/connection.h), at whose other side is a service
 * (csys/ipc/service.h).  A call is a request and the reply to it: bytes and attachments, both ways.
 * Any number may be under way at once; replies come in any order, and each one goes to its call.
 *
 * Two results are kept apart.  What a function returns says whether there is a reply.  Whether the
 * service did what was asked is in the reply: csys_reply_code is 0, or a number that the service
 * has chosen.  Either reply may have bytes.
 *
 * A call ends when its reply comes.  It ends with CSYS_ECANCELED if the service closes the request
 * without a reply.  If the service is closed or dies, all calls end with CSYS_EDISCONNECTED.
 *
 * A call that is closed earlier is given up, and a reply that comes later is dropped.  The service
 * is told so if there is room for that at the moment.  Whether it has done what was asked, or does
 * it still, is not known then.
 *
 * There is no hidden thread.  Of the threads that wait for replies one receives for all; when it
 * leaves, another one takes over.  A reply that comes while no thread waits stays in the socket.  A
 * thread that waits for room for a request receives meanwhile, so a caller and a service that send
 * each other large messages do not wait for each other.
 *
 * The service may be hostile.  What it sends is checked, and a message that breaks a rule ends all
 * calls with CSYS_EBADMSG.  Nothing that it sends keeps a wait from ending at its deadline.
 *
 * Threads: any number may use a caller at once, and each call is used by one thread at a time.  A
 * caller may be closed while threads wait for its calls, but not while one begins a call or uses
 * the caller otherwise.  Cancellation is held back until the function returns, also while it waits.
 * Fork: a caller belongs to the process that has made it.  In a forked child what can fail is
 * CSYS_EBADF; the child may close its copies of the caller and of calls if no thread used them at
 * the moment of the fork.
 */
#ifndef CSYS_IPC_CALLER_H
#define CSYS_IPC_CALLER_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>
#include <csys/ipc/connection.h>
#include <csys/ipc/parcel.h>
#include <csys/ipc/socket.h>

CSYS_BEGIN_DECLS

/** How many bytes fewer a request or a reply can have than a message of the connection. */
#define CSYS_CALL_OVERHEAD 32

/** The side of a connection that sends requests. */
typedef struct csys_caller csys_caller;

/** A request that was sent, whose reply is waited for. */
typedef struct csys_call csys_call;

/* ---- making and closing ------------------------------------------------------------------- */

/**
 * Make a caller of a connection to a service.
 *
 * Nothing may have been sent or received on the connection before.
 *
 * \param connection  the connection, the caller's after success
 * \param out         the caller, to be closed by csys_caller_close.  Unchanged on failure
 * \retval 0            it is the caller's
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_ENOMEM  no memory
 * \retval CSYS_EINVAL  a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_caller_from_connection_take(csys_connection *connection,
							      csys_caller **out);

/**
 * Close a caller.
 *
 * It does not wait.  Open calls end with CSYS_EDISCONNECTED, but for those whose reply was received
 * already.  Threads that wait for them return.  The calls are to be closed still.
 *
 * \param caller  the caller; NULL is ignored
 */
CSYS_API void csys_caller_close(csys_caller *caller);
CSYSI_AUTO(csys_caller, csys_caller_close(*object))

/* ---- one call ----------------------------------------------------------------------------- */

/**
 * Send a request and wait for its reply, however long that takes.
 *
 * After any result but CSYS_EINVAL, what was attached by a function with _take is gone: a failure
 * does not tell whether the request was sent.  csys_caller_begin and csys_call_wait tell it.
 *
 * \param caller       the caller
 * \param data         the bytes; may be NULL if there are none
 * \param size         how many there are
 * \param attachments  what goes with it; may be NULL if there is nothing
 * \param count        how many there are
 * \param out_reply    the reply, to be closed by csys_parcel_close.  Unchanged on failure
 * \retval 0                   there is a reply: csys_reply_code
 * \retval CSYS_ECANCELED      the service has closed the request without a reply
 * \retval CSYS_EDISCONNECTED  the service is closed, or dead; or the caller is closed
 * \retval CSYS_EINVAL         as csys_connection_send; or `out_reply` is NULL
 * \retval CSYS_EBADF          the caller is the parent's; or as csys_connection_send
 * \retval other               as csys_connection_send, or csys_connection_recv
 */
CSYS_API CSYS_MUST_CHECK int csys_caller_call(csys_caller *caller, const void *data, size_t size,
					      const csys_attachment *attachments, size_t count,
					      csys_parcel **out_reply);

/**
 * Send a request and wait for its reply, until `deadline`.
 *
 * The service is told the deadline, and, if it passes, that the call was given up.
 *
 * \param caller       the caller
 * \param data         the bytes; may be NULL if there are none
 * \param size         how many there are
 * \param attachments  what goes with it, as of csys_caller_call
 * \param count        how many there are
 * \param deadline     when to give up
 * \param out_reply    the reply, to be closed by csys_parcel_close.  Unchanged on failure
 * \retval 0               there is a reply: csys_reply_code
 * \retval CSYS_ETIMEDOUT  the deadline passed
 * \retval other           as csys_caller_call
 */
CSYS_API CSYS_MUST_CHECK int csys_caller_call_until(csys_caller *caller, const void *data,
						    size_t size, const csys_attachment *attachments,
						    size_t count, csys_deadline deadline,
						    csys_parcel **out_reply);

/**
 * Tell what the service says about a request: that it did what was asked, or why it did not.
 *
 * \param reply  a reply
 * \return 0 if the service has used csys_request_reply; the code if it has used csys_request_fail,
 *         which may say more in the bytes; 0 for NULL, and for a message that is no reply
 */
CSYS_API int csys_reply_code(const csys_parcel *reply);

/* ---- several at once ------------------------------------------------------------------------ */

/**
 * Send a request, waiting for room however long that takes, and do not wait for its reply.
 *
 * \param caller       the caller
 * \param data         the bytes; may be NULL if there are none
 * \param size         how many there are
 * \param attachments  what goes with it.  What was attached by a function with _take is gone
 *                     after success, and yours after a failure
 * \param count        how many there are
 * \param out          the call, to be closed by csys_call_close.  Unchanged on failure
 * \retval 0                   the request is sent, or kept by the caller as the next to be sent
 * \retval CSYS_EDISCONNECTED  the service is closed, or dead
 * \retval CSYS_EMSGSIZE       it is longer than the limit
 * \retval CSYS_EBADF          the caller is the parent's; or as csys_connection_send
 * \retval other               as csys_connection_send; nothing was sent
 */
CSYS_API CSYS_MUST_CHECK int csys_caller_begin(csys_caller *caller, const void *data, size_t size,
					       const csys_attachment *attachments, size_t count,
					       csys_call **out);

/**
 * Send a request, waiting for room until `deadline`, and do not wait for its reply.
 *
 * The service is told the deadline, as that of the call.
 *
 * \param caller       the caller
 * \param data         the bytes; may be NULL if there are none
 * \param size         how many there are
 * \param attachments  what goes with it, as of csys_caller_begin
 * \param count        how many there are
 * \param deadline     when to give up
 * \param out          the call, to be closed by csys_call_close.  Unchanged on failure
 * \retval 0               as csys_caller_begin
 * \retval CSYS_ETIMEDOUT  the deadline passed, and nothing was sent
 * \retval other           as csys_caller_begin
 */
CSYS_API CSYS_MUST_CHECK int csys_caller_begin_until(csys_caller *caller, const void *data,
						     size_t size,
						     const csys_attachment *attachments,
						     size_t count, csys_deadline deadline,
						     csys_call **out);

/**
 * Send a request if there is room for it, and do not wait for its reply.
 *
 * \param caller       the caller
 * \param data         the bytes; may be NULL if there are none
 * \param size         how many there are
 * \param attachments  what goes with it, as of csys_caller_begin
 * \param count        how many there are
 * \param out          the call, to be closed by csys_call_close.  Unchanged on failure
 * \retval 0            as csys_caller_begin
 * \retval CSYS_EAGAIN  there is no room now
 * \retval other        as csys_caller_begin
 */
CSYS_API CSYS_MUST_CHECK int csys_caller_try_begin(csys_caller *caller, const void *data,
						   size_t size, const csys_attachment *attachments,
						   size_t count, csys_call **out);

/**
 * Wait for the reply of a call, however long that takes.
 *
 * \param call       the call
 * \param out_reply  the reply, to be closed by csys_parcel_close.  Unchanged on failure
 * \retval 0                   there is a reply: csys_reply_code
 * \retval CSYS_ECANCELED      the service has closed the request without a reply
 * \retval CSYS_EDISCONNECTED  the service is closed, or dead; or the caller is closed
 * \retval CSYS_EBADMSG        the service has broken a rule
 * \retval CSYS_EMFILE         this process can have no more handles: the connection is broken
 * \retval CSYS_ENOMEM         no memory; the wait may be made again
 * \retval CSYS_EBADF          the call is the parent's
 * \retval CSYS_EINVAL         a pointer is NULL, or the reply was taken before
 */
CSYS_API CSYS_MUST_CHECK int csys_call_wait(csys_call *call, csys_parcel **out_reply);

/**
 * Wait for the reply of a call, until `deadline`.
 *
 * \param call       the call
 * \param deadline   when to give up waiting; the call goes on until it is closed
 * \param out_reply  the reply, to be closed by csys_parcel_close.  Unchanged on failure
 * \retval 0               there is a reply: csys_reply_code
 * \retval CSYS_ETIMEDOUT  the deadline passed, and there is none
 * \retval other           as csys_call_wait
 */
CSYS_API CSYS_MUST_CHECK int csys_call_wait_until(csys_call *call, csys_deadline deadline,
						  csys_parcel **out_reply);

/**
 * Take the reply of a call if it has come.
 *
 * \param call       the call
 * \param out_reply  the reply, to be closed by csys_parcel_close.  Unchanged on failure
 * \retval 0            there is a reply: csys_reply_code
 * \retval CSYS_EAGAIN  there is none now
 * \retval other        as csys_call_wait
 */
CSYS_API CSYS_MUST_CHECK int csys_call_try_wait(csys_call *call, csys_parcel **out_reply);

/**
 * Close a call, and give it up if it has no reply yet.
 *
 * \param call  the call; NULL is ignored
 */
CSYS_API void csys_call_close(csys_call *call);
CSYSI_AUTO(csys_call, csys_call_close(*object))

/* ---- event loops, and the socket --------------------------------------------------------- */

/**
 * Make a waitable for what the service sends, and for room for requests that are not sent whole.
 *
 * When it is ready, call csys_caller_advance, and then csys_call_try_wait for each open call.
 *
 * \param caller  the caller
 * \return the waitable; csys_poll fails with CSYS_EBADF for NULL
 */
CSYS_API csys_waitable csys_caller_waitable(csys_caller *caller);

/**
 * Receive what has come, and send what there is room for.  It does not wait.
 *
 * Event loops call it when csys_caller_waitable is ready.  It is needed while no call is open, too:
 * replies of calls that were closed come then, and the end of the service.  Replies are kept for
 * their calls.  One call receives a limited number of messages; if there are more the waitable
 * stays ready.  If another thread receives at the moment, this is left to it.
 *
 * \param caller  the caller
 * \retval 0            it is done
 * \retval CSYS_ENOMEM  no memory; it may be done again
 * \retval CSYS_EBADF   the caller is the parent's
 * \retval CSYS_EINVAL  the caller is NULL
 * \retval other        what all calls end with from now on, as csys_call_wait.  The waitable may
 *                      stay ready, so do not wait for it any more
 */
CSYS_API CSYS_MUST_CHECK int csys_caller_advance(csys_caller *caller);

/**
 * Get the socket of a caller, to be asked about the service (csys/ipc/peer.h).
 *
 * \param caller  the caller, which keeps it
 * \return the socket; NULL for NULL
 */
CSYS_API csys_socket *csys_caller_socket(const csys_caller *caller);

CSYS_END_DECLS

#endif
