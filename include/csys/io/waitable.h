/**
 * \file
 * csys/io/waitable.h - what csys_poll and wait sets can wait for.
 *
 * A waitable is a small value that stands for an event of another object: bytes in a stream, the
 * end of a child, a signal.  It owns nothing: it needs no release and may be copied.  The object
 * must live as long as it is waited for.
 *
 * Those of streams are made here.  Other objects have their own function, beside their other
 * ones: csys_child_waitable, csys_socket_waitable_reading, csys_listener_waitable and the like.
 */
#ifndef CSYS_IO_WAITABLE_H
#define CSYS_IO_WAITABLE_H

#include <csys/base/attributes.h>
#include <csys/base/handle.h>

CSYS_BEGIN_DECLS

/** An event that csys_poll can wait for. */
typedef struct csys_waitable {
	csys_handle handle; /**< private: what the system waits for, or CSYS_NO_HANDLE */
	int writing;        /**< private: 1 for room in the handle, 0 for bytes or the end */
	int is_missing;     /**< private: 1: no handle and no is_ready, since the system has none */
	int (*is_ready)(void *object); /**< private: for CSYS_NO_HANDLE: 1, 0 or a failure */
	void *object;                  /**< private: for is_ready */
} csys_waitable;

/**
 * Make a waitable for bytes to read, or for the end of the stream.
 *
 * When it is ready, csys_stream_read probably does not wait.
 *
 * \param stream  a handle that can be read
 * \return the waitable; csys_poll fails with CSYS_EBADF for CSYS_NO_HANDLE, for a handle that is
 *         not open, and for one that can only be written
 */
CSYS_API csys_waitable csys_waitable_reading(csys_handle stream);

/**
 * Make a waitable for room to write, or for the moment when no reader is left.
 *
 * When it is ready, csys_stream_write probably does not wait.
 *
 * \param stream  a handle that can be written
 * \return the waitable; csys_poll fails with CSYS_EBADF for CSYS_NO_HANDLE, for a handle that is
 *         not open, and for one that can only be read
 */
CSYS_API csys_waitable csys_waitable_writing(csys_handle stream);

CSYS_END_DECLS

#endif
