/**
 * \file
 * csys/ipc/parcel.h - what goes with a message of a connection, and taking it out.
 *
 *     csys_attachment attachments[] = { csys_attach_handle(file),
 *                                       csys_attach_shared_sender_take(sender) };
 *     int r = csys_connection_send(connection, "x", 1, attachments, 2);
 *
 * and in the other process
 *
 *     csys_parcel *parcel;
 *     int r = csys_connection_recv(connection, &parcel);
 *     if (r == 0)
 *             r = csys_parcel_take_handle(parcel, 0, &file);
 *     if (r == 0)
 *             r = csys_parcel_take_shared_sender(parcel, 1, 0, &sender);
 *     csys_parcel_close(parcel);
 *
 * An attachment is a small value that stands for what is sent: it owns nothing, and needs no
 * release.  Of what is attached by a function with _take, the other process gets the thing itself:
 * the object is gone once the message is sent.  Of all else it gets its own handle.
 *
 * A parcel is a message that was received.  What it carries is taken by functions for each kind.
 * One of another kind or type is CSYS_EBADMSG and stays; what was not taken is closed with the
 * parcel.
 *
 * Ends of shared channels.  An end that is sent stays open on its way: neither side of the channel
 * is disconnected, and no other end can take its place.  The thread that has sent it is responsible
 * for it until the other process takes it.  If that thread ends first, or closes a region of its
 * own that the channel lies in, the end is seen as closed until it is taken, as
 * csys/ipc/shared_channel.h tells of threads that go on with another's end.
 * If the end is not taken (the parcel is closed, or the other process) it is closed, and the
 * other side of the channel is told.  This process finds out that the other one is gone in its next
 * call on that connection, or on any other once that is closed: there is no hidden thread.  Memory
 * that is not sealed (of a channel with a name; and without CSYS_CAN_SEAL_MEMORY) is not touched
 * only because a parcel is closed, since the other side could cut it at that moment: then the end
 * is closed when the connection is.
 *
 * The channel goes along, as the handle of its region, and where it is in there: the process that
 * takes the end needs to know nothing of it.  An end is taken from processes that may write the
 * channel's memory, so it is a matter of trust as that is (csys/ipc/region.h): these can also make
 * memory that is not sealed smaller under it, unless csys_connection_options refuses it.  The
 * thread that takes it becomes a member of the region, and waits for that without a deadline while
 * one of these processes keeps the region's file locked.
 *
 * Handles on their way count among those of this process, and the system has a limit on them.
 * Systems other than Linux may lose handles whose last copy in the sending process is closed before
 * they are received, so the connection keeps what was attached by _take until the other side has
 * it, 1024 at most; a send of more of them waits.
 */
#ifndef CSYS_IPC_PARCEL_H
#define CSYS_IPC_PARCEL_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/ipc/connection.h>
#include <csys/ipc/region.h>
#include <csys/ipc/shared_channel.h>
#include <csys/ipc/socket.h>

CSYS_BEGIN_DECLS

/** What an attachment is. */
enum csys_attachment_kind {
	CSYS_ATTACHMENT_NONE = 0,           /**< nothing, or it was taken */
	CSYS_ATTACHMENT_HANDLE = 1,         /**< a handle */
	CSYS_ATTACHMENT_SOCKET = 2,         /**< a socket */
	CSYS_ATTACHMENT_CONNECTION = 3,     /**< one side of another connection */
	CSYS_ATTACHMENT_REGION = 4,         /**< a region */
	CSYS_ATTACHMENT_SHARED_SENDER = 5,  /**< the sender of a shared channel */
	CSYS_ATTACHMENT_SHARED_RECEIVER = 6 /**< the receiver of a shared channel */
};

/** Something that is sent with a message. */
struct csys_attachment {
	int kind;              /**< private: CSYS_ATTACHMENT_HANDLE, ... */
	int is_taken;          /**< private: 1: it is gone after the message is sent */
	csys_handle handle;    /**< private: of CSYS_ATTACHMENT_HANDLE */
	void *object;          /**< private: of all others */
	uintptr_t reserved[2]; /**< private: 0 */
};

/* ---- attaching ---------------------------------------------------------------------------- */

/**
 * Attach a handle, of which the other process gets its own.
 *
 * \param handle  the handle, which stays the caller's.  Where systems lose handles (see the top)
 *                the caller keeps it open until csys_connection_flush has returned
 * \return the attachment
 */
CSYS_API csys_attachment csys_attach_handle(csys_handle handle);

/**
 * Attach a handle, and give it away.
 *
 * \param handle  the handle, which is closed once the message is sent
 * \return the attachment
 */
CSYS_API csys_attachment csys_attach_handle_take(csys_handle handle);

/**
 * Attach a region, which the other process opens too.
 *
 * \param region  the region, which stays the caller's
 * \return the attachment
 */
CSYS_API csys_attachment csys_attach_region(csys_region *region);

/**
 * Attach a socket, and give it away.
 *
 * If it is bound to a path, the path stays.
 *
 * \param socket  the socket
 * \return the attachment
 */
CSYS_API csys_attachment csys_attach_socket_take(csys_socket *socket);

/**
 * Attach a side of a second connection, and give it away.
 *
 * It is quiet: nothing is pending, all that was sent with attachments is received by its other side
 * (csys_connection_flush), and no part of a message was received.  Else it cannot be sent
 * (CSYS_EBUSY).  No other thread uses it.
 *
 * \param connection  the connection
 * \return the attachment
 */
CSYS_API csys_attachment csys_attach_connection_take(csys_connection *connection);

/**
 * Attach the sender of a shared channel, and give it away.
 *
 * While a place is reserved by it, it cannot be sent (CSYS_EBUSY).
 *
 * \param sender  the sender
 * \return the attachment
 */
CSYS_API csys_attachment csys_attach_shared_sender_take(csys_shared_sender *sender);

/**
 * Attach the receiver of a shared channel, and give it away.
 *
 * While a message is peeked at, it cannot be sent (CSYS_EBUSY).  What the channel holds is received
 * by the next owner.
 *
 * \param receiver  the receiver
 * \return the attachment
 */
CSYS_API csys_attachment csys_attach_shared_receiver_take(csys_shared_receiver *receiver);

/* ---- a message that was received ------------------------------------------------------------ */

/**
 * Get the bytes of a message.
 *
 * \param parcel    the message
 * \param out_size  how many there are; may be NULL
 * \return the bytes, until the parcel is closed; behind the last one is a 0 that does not count.
 *         NULL for NULL
 */
CSYS_API const void *csys_parcel_data(const csys_parcel *parcel, size_t *out_size);

/**
 * Get how many attachments came with a message, taken or not.
 *
 * \param parcel  the message
 * \return that; 0 for NULL
 */
CSYS_API size_t csys_parcel_count(const csys_parcel *parcel);

/**
 * Tell what an attachment is.
 *
 * \param parcel  the message
 * \param index   which one, from 0
 * \return its kind; CSYS_ATTACHMENT_NONE if it was taken, or there is none
 */
CSYS_API enum csys_attachment_kind csys_parcel_kind(const csys_parcel *parcel, size_t index);

/**
 * Close a message, and all that was not taken out of it.
 *
 * \param parcel  the message; NULL is ignored
 */
CSYS_API void csys_parcel_close(csys_parcel *parcel);
CSYSI_AUTO(csys_parcel, csys_parcel_close(*object))

/**
 * Take a handle.
 *
 * It is close-on-exec, and above 2.  What it is of is the other side's choice.
 *
 * \param parcel  the message
 * \param index   which attachment
 * \param out     the handle, which the caller closes.  Unchanged on failure
 * \retval 0             it is the caller's
 * \retval CSYS_EBADMSG  the attachment is of another kind, or taken
 * \retval CSYS_EINVAL   there is no such attachment, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_parcel_take_handle(csys_parcel *parcel, size_t index,
						     csys_handle *out);

/**
 * Take a region, and open it.
 *
 * \param parcel   the message
 * \param index    which attachment
 * \param options  with the layout that is expected; NULL for the usual
 * \param out      the region, to be closed by csys_region_close.  Unchanged on failure
 * \retval 0             it is the caller's
 * \retval CSYS_EBADMSG  the attachment is of another kind, or taken; or it is no region, or one of
 *                       another layout
 * \retval CSYS_EINVAL   there is no such attachment, or a pointer is NULL
 * \retval other         as csys_region_from_handle_take
 */
CSYS_API CSYS_MUST_CHECK int csys_parcel_take_region(csys_parcel *parcel, size_t index,
						     const csys_region_options *options,
						     csys_region **out);

/**
 * Take a socket.
 *
 * \param parcel   the message
 * \param index    which attachment
 * \param options  as of csys_socket_adopt_take; NULL for the usual
 * \param out      the socket, to be closed by csys_socket_close.  Unchanged on failure
 * \retval 0             it is the caller's
 * \retval CSYS_EBADMSG  the attachment is of another kind, or taken; or it is no socket
 * \retval CSYS_EINVAL   there is no such attachment, or a pointer is NULL
 * \retval other         as csys_socket_adopt_take
 */
CSYS_API CSYS_MUST_CHECK int csys_parcel_take_socket(csys_parcel *parcel, size_t index,
						     const csys_socket_options *options,
						     csys_socket **out);

/**
 * Take a side of a second connection.
 *
 * \param parcel   the message
 * \param index    which attachment
 * \param options  NULL for the usual
 * \param out      the connection, to be closed by csys_connection_close.  Unchanged on failure
 * \retval 0             it is the caller's
 * \retval CSYS_EBADMSG  the attachment is of another kind, or taken; or it is no local stream
 * \retval CSYS_EINVAL   there is no such attachment, no such options, or a pointer is NULL
 * \retval other         as csys_connection_from_socket_take
 */
CSYS_API CSYS_MUST_CHECK int csys_parcel_take_connection(csys_parcel *parcel, size_t index,
							 const csys_connection_options *options,
							 csys_connection **out);

/**
 * Take the sender of a shared channel.
 *
 * The calling thread is responsible for it from now on.  If it was seen as closed meanwhile (the
 * thread that has sent it has ended), another one is opened.
 *
 * \param parcel  the message
 * \param index   which attachment
 * \param layout  CSYS_SHM_LAYOUT(type, version) of the messages; 0 is not checked
 * \param out     the sender, to be closed by csys_shared_sender_close.  Unchanged on failure
 * \retval 0             it is the caller's
 * \retval CSYS_EBADMSG  the attachment is of another kind or layout, or taken; or it is no channel,
 *                       or in memory that is refused (csys_connection_options)
 * \retval CSYS_EINVAL   there is no such attachment, or a pointer is NULL
 * \retval other         as csys_region_from_handle_take, and csys_shared_sender_open; it stays
 */
CSYS_API CSYS_MUST_CHECK int csys_parcel_take_shared_sender(csys_parcel *parcel, size_t index,
							    uint64_t layout,
							    csys_shared_sender **out);

/**
 * Take the receiver of a shared channel.
 *
 * The calling thread is responsible for it from now on.  If it was seen as closed meanwhile (the
 * thread that has sent it has ended), another one is opened.
 *
 * \param parcel  the message
 * \param index   which attachment
 * \param layout  CSYS_SHM_LAYOUT(type, version) of the messages; 0 is not checked
 * \param out     the receiver, to be closed by csys_shared_receiver_close.  Unchanged on failure
 * \retval 0             it is the caller's
 * \retval CSYS_EBADMSG  the attachment is of another kind or layout, or taken; or it is no channel,
 *                       or in memory that is refused (csys_connection_options)
 * \retval CSYS_EBUSY    it was seen as closed, and there is another one by now
 * \retval CSYS_EINVAL   there is no such attachment, or a pointer is NULL
 * \retval other         as csys_region_from_handle_take, and csys_shared_receiver_open; it stays
 */
CSYS_API CSYS_MUST_CHECK int csys_parcel_take_shared_receiver(csys_parcel *parcel, size_t index,
							      uint64_t layout,
							      csys_shared_receiver **out);

/* For typed ends (csys/ipc/typed_shared_channel.h): CSYS_EBADMSG too if the messages have another
 * size; SIZE_MAX is not checked. */
CSYS_API CSYS_MUST_CHECK int csysi_parcel_take_shared_sender(csys_parcel *parcel, size_t index,
							     size_t size, uint64_t layout,
							     csys_shared_sender **out);
CSYS_API CSYS_MUST_CHECK int csysi_parcel_take_shared_receiver(csys_parcel *parcel, size_t index,
							       size_t size, uint64_t layout,
							       csys_shared_receiver **out);

CSYS_END_DECLS

#endif
