/**
 * \file
 * csys/ipc/typed_shared_channel.h - channels between processes for one type of messages.
 *
 *     CSYS_SHARED_CHANNEL_DEFINE(jobs, struct job, "1");
 *
 *     jobs_channel channel; // one process
 *     jobs_receiver receiver;
 *     int r = jobs_create("jobs", 100, NULL, &channel);
 *     if (r == 0)
 *             r = jobs_receiver_open(channel, &receiver);
 *     if (r < 0)
 *             return r;
 *     while ((r = jobs_recv(receiver, &job)) >= 0)
 *             do_job(&job);
 *
 *     jobs_sender sender; // another
 *     int r = jobs_open("jobs", NULL, &channel);
 *     if (r == 0)
 *             r = jobs_sender_open(channel, &sender);
 *     if (r == 0)
 *             r = jobs_send(sender, &job);
 *
 * A channel and its ends are types of one pointer each, which are passed by value; they cannot be
 * swapped, and messages of another type do not compile.  A process that opens a channel whose
 * messages have another name, size, alignment or version of type gets CSYS_EBADMSG.  What the
 * functions promise: csys/ipc/shared_channel.h and csys/ipc/shared_channel_in_place.h, under the
 * names of their functions.
 *
 * The type holds no pointers, which mean nothing in another process.  Its alignment is at most 16.
 *
 * The compiler is gcc or clang, of C or C++.
 */
#ifndef CSYS_IPC_TYPED_SHARED_CHANNEL_H
#define CSYS_IPC_TYPED_SHARED_CHANNEL_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/ipc/connection.h>
#include <csys/ipc/parcel.h>
#include <csys/ipc/region.h>
#include <csys/ipc/shared_channel.h>
#include <csys/ipc/shared_channel_in_place.h>
#include <csys/ipc/shm.h>

CSYS_BEGIN_DECLS

/**
 * Make `name_channel`, `name_sender` and `name_receiver` types: channels between processes whose
 * messages are of `type`, and their ends.
 *
 *     int  name_create(const char *channel_name, size_t capacity,
 *                      const csys_shared_channel_options *options, name_channel *out);
 *     int  name_create_or_open(const char *channel_name, size_t capacity,
 *                      const csys_shared_channel_options *options, name_channel *out);
 *     int  name_create_anonymous(size_t capacity, const csys_shared_channel_options *options,
 *                      name_channel *out);
 *     int  name_open(const char *channel_name, const csys_shared_channel_options *options,
 *                      name_channel *out);
 *     int  name_from_handle_take(csys_handle handle, const csys_shared_channel_options *options,
 *                      name_channel *out);
 *     size_t name_memory(size_t capacity, const csys_shared_channel_options *options);
 *     int  name_create_in(csys_region *region, void *memory, size_t capacity,
 *                      const csys_shared_channel_options *options, name_channel *out);
 *     int  name_open_in(csys_region *region, void *memory,
 *                      const csys_shared_channel_options *options, name_channel *out);
 *     void name_channel_close(name_channel channel);   // one whose pointer is NULL is ignored
 *
 *     int  name_sender_open(name_channel channel, name_sender *out);
 *     void name_sender_close(name_sender sender);      // likewise
 *     int  name_receiver_open(name_channel channel, name_receiver *out);
 *     void name_receiver_close(name_receiver receiver);
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
 *
 *     int  name_reserve(name_sender sender, csys_deadline deadline, type **out_value);
 *     int  name_try_reserve(name_sender sender, type **out_value);
 *     int  name_commit(name_sender sender, type *value);
 *     void name_abort(name_sender sender, type *value);
 *     int  name_peek(name_receiver receiver, csys_deadline deadline, type **out_value);
 *     int  name_try_peek(name_receiver receiver, type **out_value);
 *     void name_release(name_receiver receiver);
 *
 *     csys_attachment name_attach_sender_take(name_sender sender);
 *     csys_attachment name_attach_receiver_take(name_receiver receiver);
 *     int  name_take_sender(csys_parcel *parcel, size_t index, name_sender *out);
 *     int  name_take_receiver(csys_parcel *parcel, size_t index, name_receiver *out);
 *
 * The last four are for ends that are sent over a connection (csys/ipc/parcel.h); an end of another
 * name, size, alignment or version of type is CSYS_EBADMSG, and stays in the parcel.
 *
 * A receive returns CSYS_EBADMSG for a message that is shorter than the type, which an untyped
 * sender may have sent; it is gone then.  The layout of the options is ignored.  For all else each
 * has its untyped one, `core`: csys_shared_channel_len(channel.core).
 *
 * \param name     the beginning of the names
 * \param type     of the messages, which are copied byte by byte
 * \param version  a string: another one for each other layout of the type
 */
#define CSYS_SHARED_CHANNEL_DEFINE(name, type, version)                             \
	CSYSI_SHARED_CHANNEL_TYPES(name, type, version)                             \
	CSYSI_SHARED_CHANNEL_OPEN(name)                                             \
	CSYSI_SHARED_CHANNEL_SENDER(name)                                           \
	CSYSI_SHARED_CHANNEL_RECEIVER(name)                                         \
	CSYSI_SHARED_CHANNEL_IN_PLACE(name)                                         \
	CSYSI_SHARED_CHANNEL_SENT(name)                                             \
	CSYSI_AUTO_VALUE(name##_channel, csys_shared_channel_close(object->core))   \
	CSYSI_AUTO_VALUE(name##_sender, csys_shared_sender_close(object->core))     \
	CSYSI_AUTO_VALUE(name##_receiver, csys_shared_receiver_close(object->core)) \
	struct name##_sender /* for a semicolon */

/* The options of a typed channel: those of the caller with the layout of the type. */
CSYSI_UNUSED static inline csys_shared_channel_options
csysi_shared_channel_typed(const csys_shared_channel_options *options, uint64_t layout)
{
	csys_shared_channel_options typed;

	if (options)
		typed = *options;
	else
		__builtin_memset(&typed, 0, sizeof typed);
	typed.layout = layout;
	return typed;
}

/* As the calls of csys/ipc/shared_channel.h; CSYS_EBADMSG too if the messages have another size. */
CSYS_API CSYS_MUST_CHECK int csysi_shared_channel_open(const char *name, size_t size,
						       const csys_shared_channel_options *options,
						       csys_shared_channel **out);
CSYS_API CSYS_MUST_CHECK int
csysi_shared_channel_from_handle_take(csys_handle handle, size_t size,
				      const csys_shared_channel_options *options,
				      csys_shared_channel **out);
CSYS_API CSYS_MUST_CHECK int
csysi_shared_channel_open_in(csys_region *region, void *memory, size_t size,
			     const csys_shared_channel_options *options, csys_shared_channel **out);

/* As the calls of csys/ipc/shared_channel.h, but for messages of `size` bytes, no fewer. */
CSYS_API CSYS_MUST_CHECK int csysi_shared_receiver_recv_exactly(csys_shared_receiver *receiver,
								csys_deadline deadline,
								void *out_data, size_t size);
CSYS_API CSYS_MUST_CHECK int
csysi_shared_receiver_recv_batch_exactly(csys_shared_receiver *receiver, void *out_data,
					 size_t size, size_t most, csys_deadline deadline,
					 size_t *out_count);
CSYS_API CSYS_MUST_CHECK int csysi_shared_receiver_peek_exactly(csys_shared_receiver *receiver,
								csys_deadline deadline, size_t size,
								void **out_data);

#define CSYSI_SHARED_CHANNEL_TYPES(name, type, version)                                           \
	typedef type name##_message;                                                              \
	typedef struct name##_channel {                                                           \
		csys_shared_channel *core;                                                        \
	} name##_channel;                                                                         \
	typedef struct name##_sender {                                                            \
		csys_shared_sender *core;                                                         \
	} name##_sender;                                                                          \
	typedef struct name##_receiver {                                                          \
		csys_shared_receiver *core;                                                       \
	} name##_receiver;                                                                        \
	CSYSI_UNUSED static inline csys_shared_channel_options name##_csysi_options(              \
		const csys_shared_channel_options *options)                                       \
	{                                                                                         \
		/* An array of a size below 0 where the alignment is more than that of places. */ \
		CSYSI_UNUSED typedef char                                                         \
			name##_csysi_is_aligned[__alignof__(type) <= 16 ? 1 : -1];                \
		return csysi_shared_channel_typed(options, CSYS_SHM_LAYOUT(type, version));       \
	}

#define CSYSI_SHARED_CHANNEL_OPEN(name)                                                           \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_create(                             \
		const char *channel_name, size_t capacity,                                        \
		const csys_shared_channel_options *options, name##_channel *out)                  \
	{                                                                                         \
		csys_shared_channel_options typed = name##_csysi_options(options);                \
		return csys_shared_channel_create(channel_name, sizeof(name##_message), capacity, \
						  &typed, &out->core);                            \
	}                                                                                         \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_create_or_open(                     \
		const char *channel_name, size_t capacity,                                        \
		const csys_shared_channel_options *options, name##_channel *out)                  \
	{                                                                                         \
		csys_shared_channel_options typed = name##_csysi_options(options);                \
		return csys_shared_channel_create_or_open(channel_name, sizeof(name##_message),   \
							  capacity, &typed, &out->core);          \
	}                                                                                         \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_create_anonymous(                   \
		size_t capacity, const csys_shared_channel_options *options, name##_channel *out) \
	{                                                                                         \
		csys_shared_channel_options typed = name##_csysi_options(options);                \
		return csys_shared_channel_create_anonymous(sizeof(name##_message), capacity,     \
							    &typed, &out->core);                  \
	}                                                                                         \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_open(                               \
		const char *channel_name, const csys_shared_channel_options *options,             \
		name##_channel *out)                                                              \
	{                                                                                         \
		csys_shared_channel_options typed = name##_csysi_options(options);                \
		return csysi_shared_channel_open(channel_name, sizeof(name##_message), &typed,    \
						 &out->core);                                     \
	}                                                                                         \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_from_handle_take(                   \
		csys_handle handle, const csys_shared_channel_options *options,                   \
		name##_channel *out)                                                              \
	{                                                                                         \
		csys_shared_channel_options typed = name##_csysi_options(options);                \
		return csysi_shared_channel_from_handle_take(handle, sizeof(name##_message),      \
							     &typed, &out->core);                 \
	}                                                                                         \
	CSYSI_UNUSED static inline size_t name##_memory(                                          \
		size_t capacity, const csys_shared_channel_options *options)                      \
	{                                                                                         \
		return csys_shared_channel_memory(sizeof(name##_message), capacity, options);     \
	}                                                                                         \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_create_in(                          \
		csys_region *region, void *memory, size_t capacity,                               \
		const csys_shared_channel_options *options, name##_channel *out)                  \
	{                                                                                         \
		csys_shared_channel_options typed = name##_csysi_options(options);                \
		return csys_shared_channel_create_in(region, memory, sizeof(name##_message),      \
						     capacity, &typed, &out->core);               \
	}                                                                                         \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_open_in(                            \
		csys_region *region, void *memory, const csys_shared_channel_options *options,    \
		name##_channel *out)                                                              \
	{                                                                                         \
		csys_shared_channel_options typed = name##_csysi_options(options);                \
		return csysi_shared_channel_open_in(region, memory, sizeof(name##_message),       \
						    &typed, &out->core);                          \
	}                                                                                         \
	CSYSI_UNUSED static inline void name##_channel_close(name##_channel channel)              \
	{                                                                                         \
		csys_shared_channel_close(channel.core);                                          \
	}

#define CSYSI_SHARED_CHANNEL_SENDER(name)                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_sender_open(name##_channel channel,  \
									  name##_sender *out)      \
	{                                                                                          \
		return csys_shared_sender_open(channel.core, &out->core);                          \
	}                                                                                          \
	CSYSI_UNUSED static inline void name##_sender_close(name##_sender sender)                  \
	{                                                                                          \
		csys_shared_sender_close(sender.core);                                             \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_send(name##_sender sender,           \
								   const name##_message *value)    \
	{                                                                                          \
		return csys_shared_sender_send(sender.core, value, sizeof *value);                 \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_send_until(                          \
		name##_sender sender, const name##_message *value, csys_deadline deadline)         \
	{                                                                                          \
		return csys_shared_sender_send_until(sender.core, value, sizeof *value, deadline); \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_try_send(                            \
		name##_sender sender, const name##_message *value)                                 \
	{                                                                                          \
		return csys_shared_sender_try_send(sender.core, value, sizeof *value);             \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_send_batch(                          \
		name##_sender sender, const name##_message *values, size_t count,                  \
		csys_deadline deadline, size_t *out_sent)                                          \
	{                                                                                          \
		return csys_shared_sender_send_batch(sender.core, values, sizeof *values, count,   \
						     deadline, out_sent);                          \
	}

#define CSYSI_SHARED_CHANNEL_RECEIVER(name)                                                        \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_receiver_open(                       \
		name##_channel channel, name##_receiver *out)                                      \
	{                                                                                          \
		return csys_shared_receiver_open(channel.core, &out->core);                        \
	}                                                                                          \
	CSYSI_UNUSED static inline void name##_receiver_close(name##_receiver receiver)            \
	{                                                                                          \
		csys_shared_receiver_close(receiver.core);                                         \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_recv_until(                          \
		name##_receiver receiver, csys_deadline deadline, name##_message *out_value)       \
	{                                                                                          \
		return csysi_shared_receiver_recv_exactly(receiver.core, deadline, out_value,      \
							  sizeof *out_value);                      \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_recv(name##_receiver receiver,       \
								   name##_message *out_value)      \
	{                                                                                          \
		return name##_recv_until(receiver, CSYS_FOREVER, out_value);                       \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_try_recv(name##_receiver receiver,   \
								       name##_message *out_value)  \
	{                                                                                          \
		int r = name##_recv_until(receiver, CSYS_POLL, out_value);                         \
		return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;                                      \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_recv_batch(                          \
		name##_receiver receiver, name##_message *out_values, size_t most,                 \
		csys_deadline deadline, size_t *out_count)                                         \
	{                                                                                          \
		return csysi_shared_receiver_recv_batch_exactly(                                   \
			receiver.core, out_values, sizeof *out_values, most, deadline, out_count); \
	}

#define CSYSI_SHARED_CHANNEL_IN_PLACE(name)                                                        \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_reserve(                             \
		name##_sender sender, csys_deadline deadline, name##_message **out_value)          \
	{                                                                                          \
		void *value;                                                                       \
		int r = csys_shared_sender_reserve(sender.core, deadline, &value);                 \
		if (r == 0)                                                                        \
			*out_value = CSYSI_CAST(name##_message *, value);                          \
		return r;                                                                          \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_try_reserve(                         \
		name##_sender sender, name##_message **out_value)                                  \
	{                                                                                          \
		int r = name##_reserve(sender, CSYS_POLL, out_value);                              \
		return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;                                      \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_commit(name##_sender sender,         \
								     name##_message *value)        \
	{                                                                                          \
		return csys_shared_sender_commit(sender.core, value, sizeof *value);               \
	}                                                                                          \
	CSYSI_UNUSED static inline void name##_abort(name##_sender sender, name##_message *value)  \
	{                                                                                          \
		csys_shared_sender_abort(sender.core, value);                                      \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_peek(                                \
		name##_receiver receiver, csys_deadline deadline, name##_message **out_value)      \
	{                                                                                          \
		void *value;                                                                       \
		int r = csysi_shared_receiver_peek_exactly(receiver.core, deadline,                \
							   sizeof(name##_message), &value);        \
		if (r >= 0)                                                                        \
			*out_value = CSYSI_CAST(name##_message *, value);                          \
		return r;                                                                          \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_try_peek(name##_receiver receiver,   \
								       name##_message **out_value) \
	{                                                                                          \
		int r = name##_peek(receiver, CSYS_POLL, out_value);                               \
		return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;                                      \
	}                                                                                          \
	CSYSI_UNUSED static inline void name##_release(name##_receiver receiver)                   \
	{                                                                                          \
		csys_shared_receiver_release(receiver.core);                                       \
	}

#define CSYSI_SHARED_CHANNEL_SENT(name)                                                            \
	CSYSI_UNUSED static inline csys_attachment name##_attach_sender_take(name##_sender sender) \
	{                                                                                          \
		return csys_attach_shared_sender_take(sender.core);                                \
	}                                                                                          \
	CSYSI_UNUSED static inline csys_attachment name##_attach_receiver_take(                    \
		name##_receiver receiver)                                                          \
	{                                                                                          \
		return csys_attach_shared_receiver_take(receiver.core);                            \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_take_sender(                         \
		csys_parcel *parcel, size_t index, name##_sender *out)                             \
	{                                                                                          \
		csys_shared_channel_options typed;                                                 \
		__builtin_memset(&typed, 0, sizeof typed);                                         \
		typed = name##_csysi_options(&typed);                                              \
		return csysi_parcel_take_shared_sender(parcel, index, sizeof(name##_message),      \
						       typed.layout, &out->core);                  \
	}                                                                                          \
	CSYSI_UNUSED CSYS_MUST_CHECK static inline int name##_take_receiver(                       \
		csys_parcel *parcel, size_t index, name##_receiver *out)                           \
	{                                                                                          \
		csys_shared_channel_options typed;                                                 \
		__builtin_memset(&typed, 0, sizeof typed);                                         \
		typed = name##_csysi_options(&typed);                                              \
		return csysi_parcel_take_shared_receiver(parcel, index, sizeof(name##_message),    \
							 typed.layout, &out->core);                \
	}

CSYS_END_DECLS

#endif
