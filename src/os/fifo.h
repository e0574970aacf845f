/*
 * os/fifo.h - named pipes: pipes that have a place in the file system.
 *
 * All of these say CSYS_ENOTSUP where the system has none (CSYS_CAN_FIFO says 0).  A symbolic link
 * is never followed at the end of a path, and what is no FIFO is CSYS_EBADMSG.
 */
#ifndef CSYSI_OS_FIFO_H
#define CSYSI_OS_FIFO_H

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

/* Create a FIFO with these permissions, less the umask.  CSYS_EEXIST: there is a FIFO.
 * CSYS_EBADMSG: there is something else. */
int csysi_os_fifo_create(const char *path, unsigned mode);

/*
 * Open one end for reading or for writing, which waits until the other end is open.  What can be
 * had at once is had even if the deadline has passed.  The handle is nonblocking, so that its
 * deadlines are exact, or `blocking`, as a program expects it.  No byte is lost that is written
 * while a reader waits here, unless it gives up.  CSYS_ETIMEDOUT: the other end is not open.
 */
int csysi_os_fifo_open(const char *path, int writing, int blocking, csys_deadline deadline,
		       csys_handle *out);

/* Open a reader, and a writer that keeps it from seeing the end.  Does not wait. */
int csysi_os_fifo_open_kept(const char *path, int blocking, csys_handle *out_reader,
			    csys_handle *out_keeper);

/* Remove a FIFO.  If `handle` is not "none", only the one that it has open: CSYS_ENOENT, also if
 * another one is at the path. */
int csysi_os_fifo_unlink(const char *path, csys_handle handle);

#endif
