/**
 * \file
 * csys/sync/typed_channel.h - channels for one type of messages.
 *
 *     CSYS_CHANNEL_DEFINE(jobs, struct job);
 *
 *     jobs_sender sender;
 *     jobs_receiver receiver;
 *     int r = jobs_new(100, NULL, &sender, &receiver);
 *
 *     r = jobs_send(sender, &job); // a thread
 *
 *     CSYS_CHANNEL_EACH(jobs, receiver, one) // another thread
 *             do_job(&one);
 *     jobs_receiver_close(receiver); // all senders are closed, and all jobs are done
 *
 * The two ends are two types of one pointer each, which are passed by value; they cannot be
 * swapped, and messages of another type do not compile.  What the functions promise: csys/sync/
 * channel.h, under the names of its functions.
 *
 * A typed channel is made by its own `name_new`, never of ends that csys_channel_new has made.
 *
 * The compiler is gcc or clang, of C or C++.
 */
#ifndef CSYS_SYNC_TYPED_CHANNEL_H
#define CSYS_SYNC_TYPED_CHANNEL_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/channel.h>
#include <csys/sync/channel_in_place.h>
#include <csys/sync/channel_inside.h>
#include <csys/sync/select.h>

CSYS_BEGIN_DECLS

/**
 * Make `name_sender` and `name_receiver` types: the ends of channels whose messages are of `type`.
 *
 *     int  name_new(size_t capacity, const csys_channel_options *options, name_sender *out_sender,
 *                   name_receiver *out_receiver);      // the alignment of the options is ignored
 *
 *     int  name_send(name_sender sender, const type *value);
 *     int  name_send_until(name_sender sender, const type *value, csys_deadline deadline);
 *     int  name_try_send(name_sender sender, const type *value);
 *     int  name_send_batch(name_sender sender, const type *values, size_t count,
 *                          csys_deadline deadline, size_t *out_sent);
 *
 *     int  name_recv(name_receiver receiver, type *out_value);
 *     int  name_recv_until(name_receiver receiver, csys_deadline deadline, type *out_value);
 *     int  name_try_recv(name_receiver receiver, type *out_value);
 *     int  name_recv_batch(name_receiver receiver, type *out_values, size_t most,
 *                          csys_deadline deadline, size_t *out_count);
 *     int  name_drain(name_receiver receiver, size_t *out_count);
 *
 *     int  name_reserve(name_sender sender, csys_deadline deadline, type **out_value);
 *     int  name_try_reserve(name_sender sender, type **out_value);
 *     int  name_commit(name_sender sender, type *value);
 *     void name_abort(name_sender sender, type *value);
 *     int  name_peek(name_receiver receiver, csys_deadline deadline, type **out_value);
 *     int  name_try_peek(name_receiver receiver, type **out_value);
 *     void name_release(name_receiver receiver);       // these: csys/sync/channel_in_place.h
 *
 *     name_sender   name_sender_clone(name_sender sender);
 *     name_receiver name_receiver_clone(name_receiver receiver);
 *     void name_sender_close(name_sender sender);      // one whose pointer is NULL is ignored
 *     void name_receiver_close(name_receiver receiver);
 *
 *     csys_select_case name_select_send(name_sender sender, const type *value);
 *     csys_select_case name_select_recv(name_receiver receiver, type *out_value);
 *
 * For all else each end has its untyped one, `core`: csys_receiver_len(receiver.core).
 * CSYS_AUTO_VALUE(name_sender) sender = { NULL }; closes it at the end of the block.
 *
 * \param name  the beginning of the names
 * \param type  of the messages, which are copied byte by byte
 */
#define CSYS_CHANNEL_DEFINE(name, type)    \
	CSYSI_CHANNEL_TYPES(name, type)    \
	CSYSI_CHANNEL_SENDER(name, type)   \
	CSYSI_CHANNEL_RECEIVER(name, type) \
	CSYSI_CHANNEL_IN_PLACE(name)       \
	CSYSI_CHANNEL_SELECT(name)         \
	CSYSI_CHANNEL_ENDS(name)           \
	struct name##_sender /* for a semicolon */

/**
 * Run a statement for each message, until none is left and all senders are closed.
 *
 * Begins like a `for`; break and continue work.
 *
 * \param name      of CSYS_CHANNEL_DEFINE
 * \param receiver  the end
 * \param value     name of a variable that holds the message, in the statement
 */
#define CSYS_CHANNEL_EACH(name, receiver, value) \
	for (name##_message value; name##_recv((receiver), &(value)) == 0;)

#define CSYSI_CHANNEL_TYPES(name, type)                                                          \
	typedef type name##_message;                                                             \
	typedef struct name##_sender {                                                           \
		csys_sender *core;                                                               \
	} name##_sender;                                                                         \
	typedef struct name##_receiver {                                                         \
		csys_receiver *core;                                                             \
	} name##_receiver;                                                                       \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_new(                               \
		size_t capacity, const csys_channel_options *options, name##_sender *out_sender, \
		name##_receiver *out_receiver)                                                   \
	{                                                                                        \
		return csysi_channel_new(sizeof(type), CSYSI_ALIGNMENT(type), capacity, options, \
					 &out_sender->core, &out_receiver->core);                \
	}

#define CSYSI_CHANNEL_SENDER(name, type)                                                           \
	CSYSI_UNUSED CSYSI_ATTRIBUTE((noinline)) static int name##_csysi_send(                     \
		csys_sender *sender, const name##_message *value)                                  \
	{                                                                                          \
		struct csysi_channel_layout layout = CSYSI_CHANNEL_LAYOUT(type);                   \
		return csysi_channel_send_shared(csysi_channel_of_sender(sender), value, &layout); \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_try_send(                            \
		name##_sender sender, const name##_message *value)                                 \
	{                                                                                          \
		struct csysi_channel_layout layout = CSYSI_CHANNEL_LAYOUT(type);                   \
		struct csysi_channel *c = csysi_channel_of_sender(sender.core);                    \
		int r = csysi_channel_send_alone(c, value, &layout);                               \
		if (r == CSYSI_CHANNEL_SHARED)                                                     \
			r = name##_csysi_send(sender.core, value);                                 \
		return CSYSI_LIKELY(r == 0) ? r : csysi_channel_try_send_slow(c, value, r);        \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_send_until(                          \
		name##_sender sender, const name##_message *value, csys_deadline deadline)         \
	{                                                                                          \
		struct csysi_channel_layout layout = CSYSI_CHANNEL_LAYOUT(type);                   \
		struct csysi_channel *c = csysi_channel_of_sender(sender.core);                    \
		int r = csysi_channel_send_alone(c, value, &layout);                               \
		if (r == CSYSI_CHANNEL_SHARED)                                                     \
			r = name##_csysi_send(sender.core, value);                                 \
		return CSYSI_LIKELY(r == 0) ? r : csysi_channel_send_slow(c, value, r, deadline);  \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_send(name##_sender sender,           \
								   const name##_message *value)    \
	{                                                                                          \
		return name##_send_until(sender, value, CSYS_FOREVER);                             \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_send_batch(                          \
		name##_sender sender, const name##_message *values, size_t count,                  \
		csys_deadline deadline, size_t *out_sent)                                          \
	{                                                                                          \
		return csys_sender_send_batch(sender.core, values, count, deadline, out_sent);     \
	}

#define CSYSI_CHANNEL_RECEIVER(name, type)                                                         \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_try_recv(name##_receiver receiver,   \
								       name##_message *out_value)  \
	{                                                                                          \
		struct csysi_channel_layout layout = CSYSI_CHANNEL_LAYOUT(type);                   \
		struct csysi_channel *c =                                                          \
			csysi_channel_of_receiver(CSYSI_RECEIVER_HERE(receiver.core));             \
		int r = csysi_channel_recv_alone(c, out_value, &layout);                           \
		return CSYSI_LIKELY(r == 0) ? r : csysi_channel_try_recv_slow(c, out_value);       \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_recv_until(                          \
		name##_receiver receiver, csys_deadline deadline, name##_message *out_value)       \
	{                                                                                          \
		struct csysi_channel_layout layout = CSYSI_CHANNEL_LAYOUT(type);                   \
		struct csysi_channel *c =                                                          \
			csysi_channel_of_receiver(CSYSI_RECEIVER_HERE(receiver.core));             \
		int r = csysi_channel_recv_alone(c, out_value, &layout);                           \
		return CSYSI_LIKELY(r == 0) ? r : csysi_channel_recv_slow(c, out_value, deadline); \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_recv(name##_receiver receiver,       \
								   name##_message *out_value)      \
	{                                                                                          \
		return name##_recv_until(receiver, CSYS_FOREVER, out_value);                       \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_recv_batch(                          \
		name##_receiver receiver, name##_message *out_values, size_t most,                 \
		csys_deadline deadline, size_t *out_count)                                         \
	{                                                                                          \
		return csys_receiver_recv_batch(receiver.core, out_values, most, deadline,         \
						out_count);                                        \
	}                                                                                          \
	CSYSI_UNUSED static inline int name##_drain(name##_receiver receiver, size_t *out_count)   \
	{                                                                                          \
		return csys_receiver_drain(receiver.core, out_count);                              \
	}

#define CSYSI_CHANNEL_IN_PLACE(name)                                                               \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_reserve(                             \
		name##_sender sender, csys_deadline deadline, name##_message **out_value)          \
	{                                                                                          \
		void *value;                                                                       \
		int r = csys_sender_reserve(sender.core, deadline, &value);                        \
		if (r == 0)                                                                        \
			*out_value = CSYSI_CAST(name##_message *, value);                          \
		return r;                                                                          \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_try_reserve(                         \
		name##_sender sender, name##_message **out_value)                                  \
	{                                                                                          \
		void *value;                                                                       \
		int r = csys_sender_try_reserve(sender.core, &value);                              \
		if (r == 0)                                                                        \
			*out_value = CSYSI_CAST(name##_message *, value);                          \
		return r;                                                                          \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_commit(name##_sender sender,         \
								     name##_message *value)        \
	{                                                                                          \
		return csys_sender_commit(sender.core, value);                                     \
	}                                                                                          \
	CSYSI_UNUSED static inline void name##_abort(name##_sender sender, name##_message *value)  \
	{                                                                                          \
		csys_sender_abort(sender.core, value);                                             \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_peek(                                \
		name##_receiver receiver, csys_deadline deadline, name##_message **out_value)      \
	{                                                                                          \
		void *value;                                                                       \
		int r = csys_receiver_peek(receiver.core, deadline, &value);                       \
		if (r == 0)                                                                        \
			*out_value = CSYSI_CAST(name##_message *, value);                          \
		return r;                                                                          \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_try_peek(name##_receiver receiver,   \
								       name##_message **out_value) \
	{                                                                                          \
		void *value;                                                                       \
		int r = csys_receiver_try_peek(receiver.core, &value);                             \
		if (r == 0)                                                                        \
			*out_value = CSYSI_CAST(name##_message *, value);                          \
		return r;                                                                          \
	}                                                                                          \
	CSYSI_UNUSED static inline void name##_release(name##_receiver receiver)                   \
	{                                                                                          \
		csys_receiver_release(receiver.core);                                              \
	}

#define CSYSI_CHANNEL_SELECT(name)                                                                \
	CSYSI_UNUSED static inline csys_select_case name##_select_send(                           \
		name##_sender sender, const name##_message *value)                                \
	{                                                                                         \
		return csys_select_send(sender.core, value);                                      \
	}                                                                                         \
	CSYSI_UNUSED static inline csys_select_case name##_select_recv(name##_receiver receiver,  \
								       name##_message *out_value) \
	{                                                                                         \
		return csys_select_recv(receiver.core, out_value);                                \
	}

#define CSYSI_CHANNEL_ENDS(name)                                                                   \
	CSYSI_UNUSED static inline name##_sender name##_sender_clone(name##_sender sender)         \
	{                                                                                          \
		sender.core = csys_sender_clone(sender.core);                                      \
		return sender;                                                                     \
	}                                                                                          \
	CSYSI_UNUSED static inline name##_receiver name##_receiver_clone(name##_receiver receiver) \
	{                                                                                          \
		receiver.core = csys_receiver_clone(receiver.core);                                \
		return receiver;                                                                   \
	}                                                                                          \
	CSYSI_UNUSED static inline void name##_sender_close(name##_sender sender)                  \
	{                                                                                          \
		csys_sender_close(sender.core);                                                    \
	}                                                                                          \
	CSYSI_UNUSED static inline void name##_receiver_close(name##_receiver receiver)            \
	{                                                                                          \
		csys_receiver_close(receiver.core);                                                \
	}                                                                                          \
	CSYSI_AUTO_VALUE(name##_sender, csys_sender_close(object->core))                           \
	CSYSI_AUTO_VALUE(name##_receiver, csys_receiver_close(object->core))

CSYS_END_DECLS

#endif
