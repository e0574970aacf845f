/*
 * csys/io/waitable.h - what csys_poll can wait for.
 *
 * A waitable is a small value that stands for an event of something else: bytes in a
 * stream, the end of a child, a signal.  It owns nothing, so it needs no release, and
 * it may be copied; what it stands for must live as long as it is waited for.
 *
 * Streams have theirs here; other nouns have functions of their own, beside their other
 * functions: csys_child_waitable, csys_process_waitable, csys_signals_waitable.
 */
#ifndef CSYS_IO_WAITABLE_H
#define CSYS_IO_WAITABLE_H

#include <csys/base/attributes.h>
#include <csys/base/handle.h>

CSYS_BEGIN_DECLS

/* All members are private. */
typedef struct csys_waitable {
	csys_handle handle;            /* what the system waits for, or "none" */
	int writing;                   /* 1: for room in the handle, 0: for bytes or the end */
	int reserved;                  /* 0 */
	int (*is_ready)(void *object); /* for "none": 1, 0, or a failure */
	void *object;                  /* of is_ready */
} csys_waitable;

/*
 * Bytes to read, or the end: when it is ready, csys_stream_read does not wait.
 * csys_poll fails with CSYS_EBADF for CSYS_NO_HANDLE and for a handle that is not open.
 */
CSYS_API csys_waitable csys_waitable_reading(csys_handle stream);

/* Room to write, or no reader any more: when it is ready, csys_stream_write does not wait. */
CSYS_API csys_waitable csys_waitable_writing(csys_handle stream);

CSYS_END_DECLS

#endif
