/*
 * os/content.h - what is in a file, by places and not by the position of a handle.
 */
#ifndef CSYSI_OS_CONTENT_H
#define CSYSI_OS_CONTENT_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/handle.h>

/*
 * Make the file `size` bytes long, if it is not longer, with room for all of them, so that writing
 * into a mapping of them cannot fail.  CSYS_ENOSPC, also for a size beyond the process's limit of
 * files, without a signal; and the file may be longer by a part then.  CSYS_EPERM: a seal.
 * CSYS_ENOTSUP: the system cannot allocate files of this kind.
 */
int csysi_os_file_allocate(csys_handle file, uint64_t size);

/* Whether a handle is open for reading; for reading and writing. */
int csysi_os_is_readable(csys_handle file);
int csysi_os_is_writable(csys_handle file);

/*
 * Read, or write, at a place of a file: all of it, else CSYS_EIO (reading: also at its end).  The
 * position of the handle is not used.
 */
int csysi_os_read_at(csys_handle file, uint64_t offset, void *buffer, size_t size);
int csysi_os_write_at(csys_handle file, uint64_t offset, const void *data, size_t size);

#endif
