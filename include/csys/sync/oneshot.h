/**
 * \file
 * csys/sync/oneshot.h - one message, from one thread to another.
 *
 *     CSYS_ONESHOT_DEFINE(answer, struct answer);
 *
 *     answer_sender sender;
 *     answer_receiver receiver;
 *     int r = answer_new(NULL, &sender, &receiver);
 *
 *     if (answer_send_take(sender, &value) < 0) // a thread
 *             answer_sender_close(sender);      // nobody wants it any more
 *
 *     r = answer_recv(receiver, &value); // another thread; CSYS_EDISCONNECTED: there is none
 *     answer_receiver_close(receiver);
 *
 * Sending never waits, and ends the sender.  The receiver is one of csys/sync/channel.h: all that
 * is there about receivers holds, with deadlines, csys_select and csys_receiver_handle.  A message
 * that is not received is destroyed by the drop callback.
 *
 * Threads.  One thread at a time uses a sender; others may use the receiver meanwhile, as
 * that of a channel.  Signals and fork: as channels.
 */
#ifndef CSYS_SYNC_ONESHOT_H
#define CSYS_SYNC_ONESHOT_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/channel.h>
#include <csys/sync/channel_inside.h>
#include <csys/sync/select.h>

CSYS_BEGIN_DECLS

/** The end of a oneshot that its message is sent by. */
typedef struct csys_oneshot_sender csys_oneshot_sender;

/**
 * Make a channel for one message.
 *
 * It is one allocation for a message of up to 3 KiB.
 *
 * \param size          of the message, in bytes; may be 0
 * \param options       may be NULL
 * \param out_sender    the sender, to be used up or closed by the caller
 * \param out_receiver  the receiver, to be closed by the caller
 * \retval 0            made
 * \retval CSYS_EINVAL  the alignment is not a power of two
 * \retval CSYS_ENOMEM  out of memory
 */
CSYS_API CSYS_MUST_CHECK int csys_oneshot_new(size_t size, const csys_channel_options *options,
					      csys_oneshot_sender **out_sender,
					      csys_receiver **out_receiver);

/**
 * Send the message, and close the sender.
 *
 * It never waits.
 *
 * \param sender  the sender, which is the caller's only if the call fails
 * \param value   the message, which is copied
 * \retval 0                    sent; the sender is gone
 * \retval CSYS_EDISCONNECTED   no receiver is left; the message and the sender are the caller's
 */
CSYS_API CSYS_MUST_CHECK int csys_oneshot_sender_send_take(csys_oneshot_sender *sender,
							   const void *value);

/**
 * Close a sender that has sent nothing: the receiver gets CSYS_EDISCONNECTED.
 *
 * \param sender  the sender; NULL is ignored
 */
CSYS_API void csys_oneshot_sender_close(csys_oneshot_sender *sender);

/**
 * Tell whether no receiver is left, so that no message is wanted any more.
 *
 * \param sender  the sender
 * \return 1: sending fails; 0: one was left at this moment
 */
CSYS_API int csys_oneshot_sender_is_disconnected(const csys_oneshot_sender *sender);

/**
 * Wait until no receiver is left, or until `deadline`.
 *
 * \param sender    the sender
 * \param deadline  when to give up
 * \retval 0                none is left
 * \retval CSYS_ETIMEDOUT   one was left until then
 */
CSYS_API CSYS_MUST_CHECK int csys_oneshot_sender_wait_disconnected(csys_oneshot_sender *sender,
								   csys_deadline deadline);

/** CSYS_AUTO(csys_oneshot_sender) closes it; set it to NULL when it is used up. */
CSYSI_AUTO(csys_oneshot_sender, csys_oneshot_sender_close(*object))

/* csys_oneshot_new, with an alignment that is a power of two. */
CSYS_API int csysi_oneshot_new(size_t size, size_t alignment, const csys_channel_options *options,
			       csys_oneshot_sender **out_sender, csys_receiver **out_receiver);

/* ---- typed ------------------------------------------------------------------------------- */

/**
 * Make `name_sender` and `name_receiver` types: the ends of oneshots whose message is of `type`.
 *
 *     int  name_new(const csys_channel_options *options, name_sender *out_sender,
 *                   name_receiver *out_receiver);      // the alignment of the options is ignored
 *
 *     int  name_send_take(name_sender sender, const type *value);
 *
 *     int  name_recv(name_receiver receiver, type *out_value);
 *     int  name_recv_until(name_receiver receiver, csys_deadline deadline, type *out_value);
 *     int  name_try_recv(name_receiver receiver, type *out_value);
 *     csys_select_case name_select_recv(name_receiver receiver, type *out_value);
 *
 *     void name_sender_close(name_sender sender);      // one whose pointer is NULL is ignored
 *     void name_receiver_close(name_receiver receiver);
 *
 * For all else each end has its untyped one, `core`: csys_receiver_handle(receiver.core, &handle).
 * CSYS_AUTO_VALUE(name_receiver) receiver = { NULL }; closes it at the end of the block.
 *
 * \param name  the beginning of the names
 * \param type  of the message, which is copied byte by byte
 */
#define CSYS_ONESHOT_DEFINE(name, type)    \
	CSYSI_ONESHOT_SENDER(name, type)   \
	CSYSI_ONESHOT_RECEIVER(name, type) \
	CSYSI_ONESHOT_NEW(name, type)      \
	struct name##_sender /* for a semicolon */

#define CSYSI_ONESHOT_SENDER(name, type)                                                      \
	typedef struct name##_sender {                                                        \
		csys_oneshot_sender *core;                                                    \
	} name##_sender;                                                                      \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_send_take(name##_sender sender, \
									const type *value)    \
	{                                                                                     \
		return csys_oneshot_sender_send_take(sender.core, value);                     \
	}                                                                                     \
	CSYSI_UNUSED static inline void name##_sender_close(name##_sender sender)             \
	{                                                                                     \
		csys_oneshot_sender_close(sender.core);                                       \
	}                                                                                     \
	CSYSI_AUTO_VALUE(name##_sender, csys_oneshot_sender_close(object->core))

#define CSYSI_ONESHOT_RECEIVER(name, type)                                                       \
	typedef struct name##_receiver {                                                         \
		csys_receiver *core;                                                             \
	} name##_receiver;                                                                       \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_recv_until(                        \
		name##_receiver receiver, csys_deadline deadline, type *out_value)               \
	{                                                                                        \
		return csys_receiver_recv_until(receiver.core, deadline, out_value);             \
	}                                                                                        \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_recv(name##_receiver receiver,     \
								   type *out_value)              \
	{                                                                                        \
		return csys_receiver_recv(receiver.core, out_value);                             \
	}                                                                                        \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_try_recv(name##_receiver receiver, \
								       type *out_value)          \
	{                                                                                        \
		return csys_receiver_try_recv(receiver.core, out_value);                         \
	}                                                                                        \
	CSYSI_UNUSED static inline csys_select_case name##_select_recv(name##_receiver receiver, \
								       type *out_value)          \
	{                                                                                        \
		return csys_select_recv(receiver.core, out_value);                               \
	}                                                                                        \
	CSYSI_UNUSED static inline void name##_receiver_close(name##_receiver receiver)          \
	{                                                                                        \
		csys_receiver_close(receiver.core);                                              \
	}                                                                                        \
	CSYSI_AUTO_VALUE(name##_receiver, csys_receiver_close(object->core))

#define CSYSI_ONESHOT_NEW(name, type)                                                  \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_new(                     \
		const csys_channel_options *options, name##_sender *out_sender,        \
		name##_receiver *out_receiver)                                         \
	{                                                                              \
		return csysi_oneshot_new(sizeof(type), CSYSI_ALIGNMENT(type), options, \
					 &out_sender->core, &out_receiver->core);      \
	}

CSYS_END_DECLS

#endif
