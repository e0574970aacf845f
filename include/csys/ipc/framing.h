/**
 * \file
 * csys/ipc/framing.h - whole messages over a stream of bytes.
 *
 *     csys_frame_writer *writer;
 *     int r = csys_frame_writer_open(stream, NULL, &writer);
 *     if (r < 0)
 *             return r;
 *     r = csys_frame_writer_send(writer, "hello", 5);
 *     csys_frame_writer_close(writer);                   // the stream stays open
 *
 * and at the other end of the stream:
 *
 *     csys_frame_reader *reader;
 *     int r = csys_frame_reader_open(stream, NULL, &reader);
 *     if (r < 0)
 *             return r;
 *     csys_frame frame;
 *     while ((r = csys_frame_reader_next_until(reader, deadline, &frame)) > 0)
 *             handle_message(frame.data, frame.size);
 *     csys_frame_reader_close(reader);
 *
 * The stream is any handle that csys/io/stream.h reads or writes, a csys_socket of the kind stream
 * (csys_frame_reader_open_socket), or made of functions (csys_frame_reader_open_stream).
 *
 * A stream has no borders: what is written in one call may be read in several, or together with
 * other bytes.  Framing puts the size of each message before it, so that messages come out as they
 * went in, also empty ones.  Both ends have to agree on the form of that size, the prefix: by
 * default 4 bytes in the order of the network.
 *
 * The other end may be hostile.  A size above the limit is refused before any memory is taken for
 * it.  Below the limit memory grows with the bytes that have come, and not with the size that was
 * announced: at most to twice as many.  An end in the middle of a message is CSYS_EDISCONNECTED and
 * never a shorter message.  A peer that sends half a message and then nothing is met by a deadline.
 *
 * Deadlines lose nothing.  A reader keeps the part of a message that it has, and the next call goes
 * on with it.  A writer knows how much of a message it has written: after CSYS_ETIMEDOUT the same
 * call, made again with the same message, goes on behind that.
 *
 * A message that is sent is one call of the system, also one of up to 15 slices (on Linux 63), if
 * the stream takes it at once.  A reader reads ahead, as much as its buffer holds: many small
 * messages are one call too.  It allocates no memory for a message once its buffer is large enough,
 * and a writer none at all.
 *
 * Nothing else should read a stream while it has a reader.  In an event loop take messages until
 * the call says CSYS_EAGAIN before you wait again: those that were read ahead do not make the
 * stream ready.
 *
 * Threads: one at a time may use a reader, or a writer.  The reader and the writer of one stream
 * are independent.  Fork: the child's copy of a reader also has what was read ahead, and that of a
 * writer would go on with the same message: only one of the processes should use either.
 */
#ifndef CSYS_IPC_FRAMING_H
#define CSYS_IPC_FRAMING_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>
#include <csys/ipc/message.h>
#include <csys/ipc/socket.h>

CSYS_BEGIN_DECLS

/** What takes messages out of a stream, with what it has read ahead. */
typedef struct csys_frame_reader csys_frame_reader;

/** What puts messages into a stream. */
typedef struct csys_frame_writer csys_frame_writer;

/** The limit of a message, in bytes, where none is given: 8 MiB. */
#define CSYS_FRAMING_LIMIT (sizeof(char) << 23)

/** How the size of a message is written before it: the values of csys_framing_options.prefix. */
enum {
	CSYS_PREFIX_BIG_32 = 0,    /**< 4 bytes, the most significant one first (network order) */
	CSYS_PREFIX_LITTLE_32 = 1, /**< 4 bytes, the least significant one first */
	CSYS_PREFIX_BIG_16 = 2,    /**< 2 bytes, the most significant one first: up to 65535 */
	CSYS_PREFIX_LITTLE_16 = 3, /**< 2 bytes, the least significant one first: up to 65535 */
	CSYS_PREFIX_BIG_64 = 4,    /**< 8 bytes, the most significant one first */
	CSYS_PREFIX_LITTLE_64 = 5, /**< 8 bytes, the least significant one first */
	CSYS_PREFIX_VARINT = 6     /**< 7 bits a byte, the least significant ones first; each byte
				      but the last has its top bit set (LEB128, protobuf) */
};

/** How messages are framed.  All zero is the usual way; both ends need the same prefix. */
typedef struct csys_framing_options {
	size_t limit;  /**< the largest message, in bytes; 0 is CSYS_FRAMING_LIMIT */
	size_t buffer; /**< how many bytes a reader reads ahead; 0 is 64 KiB */
	int prefix;    /**< CSYS_PREFIX_BIG_32, ... */
	int reserved;  /**< private: 0 */
} csys_framing_options;

/** A message, which is valid until the next call with the same reader. */
typedef struct csys_frame {
	const void *data; /**< its bytes; not NULL, also if there are none */
	size_t size;      /**< how many there are */
} csys_frame;

/**
 * The functions that move the bytes of any other stream: one in memory, or encrypted.
 *
 * Each is called until its work is done, and returns 0, or a negative result, which the call of the
 * reader or writer returns; then it has moved nothing.  Moving only some of the bytes is normal.
 */
typedef struct csys_frame_stream {
	void *context; /**< is passed to both functions */
	/** Read 1 to `size` bytes until `deadline`; 0 bytes are the end. */
	int (*read_until)(void *context, void *buffer, size_t size, csys_deadline deadline,
			  size_t *out_size);
	/** Write at least 1 byte of the slices, in their order, until `deadline`; none of them is
	 *  empty. */
	int (*write_until)(void *context, const csys_slice *slices, size_t count,
			   csys_deadline deadline, size_t *out_size);
} csys_frame_stream;

/* ---- reading -------------------------------------------------------------------------- */

/**
 * Make a reader of the messages of a stream.
 *
 * \param stream   the stream to read, which stays the caller's and must stay open
 * \param options  how they are framed; NULL: the usual way
 * \param out      the reader, to be released by csys_frame_reader_close.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EBADF   `stream` is CSYS_NO_HANDLE
 * \retval CSYS_EINVAL  there is no such prefix, limit or buffer are more than a quarter of the
 *                      address space, or `out` is NULL
 * \retval CSYS_ENOMEM  there is no memory for it
 */
CSYS_API CSYS_MUST_CHECK int csys_frame_reader_open(csys_handle stream,
						    const csys_framing_options *options,
						    csys_frame_reader **out);

/**
 * Make a reader of the messages of a socket of the kind stream, local or of TCP.
 *
 * \param socket   the socket, which stays the caller's and must stay open
 * \param options  how they are framed; NULL: the usual way
 * \param out      the reader, to be released by csys_frame_reader_close.  Unchanged on failure
 * \retval 0             *out is set
 * \retval CSYS_EBADMSG  the socket is of another kind, which keeps messages apart by itself
 * \retval CSYS_EINVAL   there is no such prefix, limit or buffer are more than a quarter of the
 *                       address space, or a pointer is NULL
 * \retval CSYS_ENOMEM   there is no memory for it
 */
CSYS_API CSYS_MUST_CHECK int csys_frame_reader_open_socket(csys_socket *socket,
							   const csys_framing_options *options,
							   csys_frame_reader **out);

/**
 * Make a reader of the messages of a stream that is made of functions.
 *
 * \param stream   the functions, which are copied; write_until may be NULL
 * \param options  how they are framed; NULL: the usual way
 * \param out      the reader, to be released by csys_frame_reader_close.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EINVAL  there is no function to read, there is no such prefix, limit or buffer are
 *                      more than a quarter of the address space, or a pointer is NULL
 * \retval CSYS_ENOMEM  there is no memory for it
 */
CSYS_API CSYS_MUST_CHECK int csys_frame_reader_open_stream(const csys_frame_stream *stream,
							   const csys_framing_options *options,
							   csys_frame_reader **out);

/**
 * Release a reader with all that it has read ahead.
 *
 * Its stream stays open.
 *
 * \param reader  the reader; NULL is ignored
 */
CSYS_API void csys_frame_reader_close(csys_frame_reader *reader);
CSYSI_AUTO(csys_frame_reader, csys_frame_reader_close(*object))

/**
 * Take the next message, waiting for it.
 *
 * Other failures than those below are those of the stream.  They lose nothing, nor does
 * CSYS_ENOMEM: the call may be made again.
 *
 * \param reader  the reader
 * \param out     the message.  Unchanged unless the result is 1
 * \retval 1                   *out is a message
 * \retval 0                   the stream has ended behind the last message
 * \retval CSYS_EDISCONNECTED  the stream has ended in the middle of a message; so does every later
 *                             call
 * \retval CSYS_EMSGSIZE       the next message is longer than the limit; so does every later call
 * \retval CSYS_EBADMSG        the prefix is no number (a varint of more than 64 bits); so does
 *                             every later call
 * \retval CSYS_ENOMEM         there is no memory for more of the message
 * \retval CSYS_EINVAL         a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_frame_reader_next(csys_frame_reader *reader, csys_frame *out);

/**
 * Take the next message, waiting for it until `deadline`.
 *
 * A message that is there is taken even if the deadline has passed.  If it passes in the middle
 * of a message, the part that was read is kept for the next call.  Other failures than those below
 * are those of the stream.  They lose nothing, nor does CSYS_ENOMEM: the call may be made again.
 *
 * \param reader    the reader
 * \param deadline  when to give up
 * \param out       the message.  Unchanged unless the result is 1
 * \retval 1                   *out is a message
 * \retval 0                   the stream has ended behind the last message
 * \retval CSYS_ETIMEDOUT      the deadline passed before the message was complete
 * \retval CSYS_EDISCONNECTED  the stream has ended in the middle of a message; so does every later
 *                             call
 * \retval CSYS_EMSGSIZE       the next message is longer than the limit; so does every later call
 * \retval CSYS_EBADMSG        the prefix is no number (a varint of more than 64 bits); so does
 *                             every later call
 * \retval CSYS_ENOMEM         there is no memory for more of the message
 * \retval CSYS_EINVAL         a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_frame_reader_next_until(csys_frame_reader *reader,
							  csys_deadline deadline, csys_frame *out);

/**
 * Take the next message if it is there.
 *
 * What there is of it is read and kept.  Other failures than those below are those of the stream.
 * They lose nothing, nor does CSYS_ENOMEM: the call may be made again.
 *
 * \param reader  the reader
 * \param out     the message.  Unchanged unless the result is 1
 * \retval 1                   *out is a message
 * \retval 0                   the stream has ended behind the last message
 * \retval CSYS_EAGAIN         the next message has not come, or not all of it
 * \retval CSYS_EDISCONNECTED  the stream has ended in the middle of a message; so does every later
 *                             call
 * \retval CSYS_EMSGSIZE       the next message is longer than the limit; so does every later call
 * \retval CSYS_EBADMSG        the prefix is no number (a varint of more than 64 bits); so does
 *                             every later call
 * \retval CSYS_ENOMEM         there is no memory for more of the message
 * \retval CSYS_EINVAL         a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_frame_reader_try_next(csys_frame_reader *reader, csys_frame *out);

/**
 * Tell whether the next call would return at once, without looking at the stream.
 *
 * \param reader  the reader
 * \return 1 if a message was read ahead, or if the messages have ended; else 0
 */
CSYS_API int csys_frame_reader_has_next(const csys_frame_reader *reader);

/**
 * Make a waitable for the next message, or for the end.
 *
 * Make it anew before each wait.  It is ready if csys_frame_reader_has_next, else when the stream
 * has bytes, which may be a part of a message only: call csys_frame_reader_try_next then.
 *
 * \param reader  the reader
 * \return the waitable; csys_poll fails with CSYS_EBADF for a stream that is made of functions, as
 *         long as nothing was read ahead, and for NULL
 */
CSYS_API csys_waitable csys_frame_reader_waitable(csys_frame_reader *reader);

/**
 * Get the bytes that were read ahead, and were not given away as a message.
 *
 * They are the begin of the next message, and tell whether a peer has stopped in the middle of
 * one; or the first bytes of another protocol that follows the last message.
 *
 * \param reader    the reader
 * \param out_size  how many bytes there are
 * \return the bytes, valid until the next call with the reader; not NULL, also if there are none
 */
CSYS_API const void *csys_frame_reader_rest(const csys_frame_reader *reader, size_t *out_size);

/**
 * Release the memory that a reader has beyond its usual buffer.
 *
 * A long message makes the buffer grow, and it stays so.  A message that was given away before is
 * not valid any more.  If there is no memory to move to, nothing changes.
 *
 * \param reader  the reader
 */
CSYS_API void csys_frame_reader_shrink(csys_frame_reader *reader);

/* ---- writing -------------------------------------------------------------------------- */

/**
 * Make a writer of messages to a stream.
 *
 * \param stream   the stream to write, which stays the caller's and must stay open
 * \param options  how they are framed; NULL: the usual way
 * \param out      the writer, to be released by csys_frame_writer_close.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EBADF   `stream` is CSYS_NO_HANDLE
 * \retval CSYS_EINVAL  there is no such prefix, limit or buffer are more than a quarter of the
 *                      address space, or `out` is NULL
 * \retval CSYS_ENOMEM  there is no memory for it
 */
CSYS_API CSYS_MUST_CHECK int csys_frame_writer_open(csys_handle stream,
						    const csys_framing_options *options,
						    csys_frame_writer **out);

/**
 * Make a writer of messages to a socket of the kind stream, local or of TCP.
 *
 * \param socket   the socket, which stays the caller's and must stay open
 * \param options  how they are framed; NULL: the usual way
 * \param out      the writer, to be released by csys_frame_writer_close.  Unchanged on failure
 * \retval 0             *out is set
 * \retval CSYS_EBADMSG  the socket is of another kind, which keeps messages apart by itself
 * \retval CSYS_EINVAL   there is no such prefix, limit or buffer are more than a quarter of the
 *                       address space, or a pointer is NULL
 * \retval CSYS_ENOMEM   there is no memory for it
 */
CSYS_API CSYS_MUST_CHECK int csys_frame_writer_open_socket(csys_socket *socket,
							   const csys_framing_options *options,
							   csys_frame_writer **out);

/**
 * Make a writer of messages to a stream that is made of functions.
 *
 * \param stream   the functions, which are copied; read_until may be NULL
 * \param options  how they are framed; NULL: the usual way
 * \param out      the writer, to be released by csys_frame_writer_close.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EINVAL  there is no function to write, there is no such prefix, limit or buffer are
 *                      more than a quarter of the address space, or a pointer is NULL
 * \retval CSYS_ENOMEM  there is no memory for it
 */
CSYS_API CSYS_MUST_CHECK int csys_frame_writer_open_stream(const csys_frame_stream *stream,
							   const csys_framing_options *options,
							   csys_frame_writer **out);

/**
 * Release a writer.
 *
 * Its stream stays open.  The rest of a message that was written in part is not written any more:
 * the reader sees CSYS_EDISCONNECTED when the stream is closed.
 *
 * \param writer  the writer; NULL is ignored
 */
CSYS_API void csys_frame_writer_close(csys_frame_writer *writer);
CSYSI_AUTO(csys_frame_writer, csys_frame_writer_close(*object))

/**
 * Send a message, waiting until the stream has taken all of it.
 *
 * Other failures than those below are those of the stream, CSYS_EPIPE for one: no reader is left.
 *
 * \param writer  the writer
 * \param data    the message; may be NULL if it is empty
 * \param size    how many bytes it has
 * \retval 0              it is sent
 * \retval CSYS_EMSGSIZE  it is longer than the limit, or than the prefix can tell; nothing was
 *                        written
 * \retval CSYS_EBUSY     a message of another size was written in part; nothing was written now
 * \retval CSYS_EINVAL    a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_frame_writer_send(csys_frame_writer *writer, const void *data,
						    size_t size);

/**
 * Send a message, waiting until `deadline` for the stream to take all of it.
 *
 * After a failure csys_frame_writer_is_pending tells whether a part of the message was written.  If
 * so, the call has to be made again with the same message, which goes on behind that part.  Else it
 * may be made again, or not.  Other failures than those below are those of the stream.
 *
 * \param writer    the writer
 * \param data      the message; may be NULL if it is empty
 * \param size      how many bytes it has
 * \param deadline  when to give up
 * \retval 0               it is sent
 * \retval CSYS_ETIMEDOUT  the deadline passed, and not all of it was written
 * \retval CSYS_EMSGSIZE   it is longer than the limit, or than the prefix can tell; nothing was
 *                         written
 * \retval CSYS_EBUSY      a message of another size was written in part; nothing was written now
 * \retval CSYS_EINVAL     a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_frame_writer_send_until(csys_frame_writer *writer,
							  const void *data, size_t size,
							  csys_deadline deadline);

/**
 * Send a message, or as much of it as the stream takes now.
 *
 * After a failure csys_frame_writer_is_pending tells whether a part of the message was written.  If
 * so, the call has to be made again with the same message, which goes on behind that part.  Else it
 * may be made again, or not.  Other failures than those below are those of the stream.
 *
 * \param writer  the writer
 * \param data    the message; may be NULL if it is empty
 * \param size    how many bytes it has
 * \retval 0              it is sent
 * \retval CSYS_EAGAIN    not all of it was written: there is no room now
 * \retval CSYS_EMSGSIZE  it is longer than the limit, or than the prefix can tell; nothing was
 *                        written
 * \retval CSYS_EBUSY     a message of another size was written in part; nothing was written now
 * \retval CSYS_EINVAL    a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_frame_writer_try_send(csys_frame_writer *writer, const void *data,
							size_t size);

/**
 * Send a message that lies in several parts, as one, until `deadline`.
 *
 * It is as with csys_frame_writer_send_until.  The slices may be others when the call is made
 * again, as long as they are the same bytes.
 *
 * \param writer    the writer
 * \param slices    the parts
 * \param count     how many there are
 * \param deadline  when to give up; CSYS_FOREVER to wait, CSYS_POLL not to
 * \retval 0               it is sent
 * \retval CSYS_ETIMEDOUT  the deadline passed, and not all of it was written
 * \retval CSYS_EMSGSIZE   it is longer than the limit, or than the prefix can tell; nothing was
 *                         written
 * \retval CSYS_EBUSY      a message of another size was written in part; nothing was written now
 * \retval CSYS_EINVAL     a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_frame_writer_send_slices_until(csys_frame_writer *writer,
								 const csys_slice *slices,
								 size_t count,
								 csys_deadline deadline);

/**
 * Tell whether a message was written in part, and has to be sent again to be completed.
 *
 * \param writer  the writer
 * \return 1 if one was, else 0
 */
CSYS_API int csys_frame_writer_is_pending(const csys_frame_writer *writer);

/**
 * Make a waitable for room in the stream of a writer.
 *
 * \param writer  the writer
 * \return the waitable; csys_poll fails with CSYS_EBADF for a stream that is made of functions, and
 *         for NULL
 */
CSYS_API csys_waitable csys_frame_writer_waitable(csys_frame_writer *writer);

CSYS_END_DECLS

#endif
