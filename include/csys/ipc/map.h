/**
 * \file
 * csys/ipc/map.h - files in memory.
 *
 *     csys_map *map;
 *     int r = csys_map_open("words.txt", NULL, &map); // all of it, to read
 *     if (r < 0)
 *             return r;
 *     size_t lines = count_lines(csys_map_data(map), csys_map_size(map));
 *     csys_map_close(map);
 *
 * A file, or a part of it from any offset, is read and written as memory.  What is written with
 * CSYS_MAP_WRITE goes to the file, and other processes that have it mapped see it at once; it is on
 * the device after csys_map_flush.  With CSYS_MAP_COPY it stays in this process.  An empty file, or
 * the end of one, is a map of size 0.
 *
 * A map never begins beyond the end of its file: what is not there is CSYS_EINVAL, or with `extend`
 * the file is made longer, with room for all that is new, so that a full device is CSYS_ENOSPC then
 * and no signal later (the file may be longer by a part then; holes that it had before have their
 * room after csys_map_prefault).  But any process that may write the file can make it shorter, and
 * then a use of the pages behind its end is SIGBUS, which ends the process.  Of a file that others
 * own use csys_map_copy_from, which returns an error instead.  For memory between processes that
 * nobody can make shorter there is csys/ipc/shm.h.
 *
 * Ranges are an offset in the map and a size, and may begin and end anywhere: what is done to them
 * is done to all pages that they touch.
 *
 * Threads: all functions may be called by any thread, but csys_map_resize, csys_map_protect and
 * csys_map_close by one that has the map alone.  Signals: not in handlers.  Fork: a forked child
 * has the memory at the same address, shared with CSYS_MAP_WRITE, else a copy; each closes its own.
 * With `no_fork` it has nothing: there the data is NULL, the size 0 and all calls are CSYS_EBADF.
 */
#ifndef CSYS_IPC_MAP_H
#define CSYS_IPC_MAP_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** A file, or a part of one, in memory. */
typedef struct csys_map csys_map;

/** What is done with the memory: the values of csys_map_options.access. */
enum {
	CSYS_MAP_READ = 0,  /**< it is read; a write is a fault */
	CSYS_MAP_WRITE = 1, /**< it is read and written, and so is the file */
	CSYS_MAP_COPY = 2   /**< it is read and written, and the file is not */
};

/** How a file is mapped; all zero is the usual: all of it, to read. */
typedef struct csys_map_options {
	int access;      /**< CSYS_MAP_READ, ... */
	int extend;      /**< 1: make a file that is too short longer; with CSYS_MAP_WRITE */
	int can_resize;  /**< 1: keep a handle of the file, for csys_map_resize */
	int prefault;    /**< 1: have all pages in memory before the call returns */
	int lock;        /**< 1: keep all pages in memory, within the limit of this process */
	int huge_pages;  /**< 1: use huge pages, where the system can for this file: a wish */
	int no_fork;     /**< 1: a forked child does not have it; CSYS_ENOTSUP on plain POSIX */
	int no_dump;     /**< 1: it is not part of a core dump, where the system can: a wish */
	uint64_t offset; /**< where in the file the map begins: any byte of it, or its end */
	size_t size;     /**< how many bytes; 0: all up to the end of the file */
	uintptr_t reserved[4]; /**< zero */
} csys_map_options;

/** How a range will be used.  These are hints, and change no content. */
enum csys_map_advice {
	CSYS_MAP_ADVICE_NORMAL = 0,     /**< no hint */
	CSYS_MAP_ADVICE_SEQUENTIAL = 1, /**< from the front to the back, once */
	CSYS_MAP_ADVICE_RANDOM = 2,     /**< here and there: reading ahead is of no use */
	CSYS_MAP_ADVICE_WILL_NEED = 3,  /**< soon: read it ahead */
	CSYS_MAP_ADVICE_DONT_NEED = 4,  /**< not soon; nothing is lost, also of CSYS_MAP_COPY */
	CSYS_MAP_ADVICE_HUGE_PAGES = 5  /**< often, all of it: huge pages are of use */
};

/**
 * Map a file that has a path.
 *
 * It is opened without waiting, and what is a FIFO or a socket is left alone.  (A device is opened,
 * which some of them take for a sign to do something.)
 *
 * \param path     the path of the file, which exists
 * \param options  what is to be different; may be NULL
 * \param out_map  the map, to be closed by csys_map_close.  Unchanged on failure
 * \retval 0             *out_map is set
 * \retval CSYS_EINVAL   a pointer is NULL, an option is wrong, the file has no such range; or
 *                       something is in `reserved`
 * \retval CSYS_ENOENT   there is no such file
 * \retval CSYS_EACCES   this user may not read it; or write it, with CSYS_MAP_WRITE
 * \retval CSYS_ENOTDIR  part of the path is no directory
 * \retval CSYS_ENAMETOOLONG  the path is longer than the system takes
 * \retval CSYS_EBUSY    it is a program that runs, and CSYS_MAP_WRITE
 * \retval CSYS_EISDIR   it is a directory, and CSYS_MAP_WRITE
 * \retval CSYS_ENOTSUP  it is of a kind that cannot be mapped; or `no_fork`
 * \retval CSYS_ENOSPC   there is no room for what `extend` adds
 * \retval CSYS_ENOMEM   no memory or addresses, or the limit of locked memory is reached
 * \retval CSYS_EPERM    no memory may be locked; or a seal or flag of the file forbids it
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_EIO      a page could not be read, with `prefault`
 */
CSYS_API CSYS_MUST_CHECK int csys_map_open(const char *path, const csys_map_options *options,
					   csys_map **out_map);

/**
 * Map a file that is open.
 *
 * The handle stays the caller's, and may be closed: the map does not need it.
 *
 * \param file     a handle that can be read, and written too with CSYS_MAP_WRITE
 * \param options  what is to be different; may be NULL
 * \param out_map  the map, to be closed by csys_map_close.  Unchanged on failure
 * \retval 0             *out_map is set
 * \retval CSYS_EINVAL   a pointer is NULL, an option is wrong, the file has no such range; or
 *                       something is in `reserved`
 * \retval CSYS_EBADF    it is no open handle
 * \retval CSYS_EACCES   the handle is not open for that access
 * \retval CSYS_ENOTSUP  it is of a kind that cannot be mapped; or `no_fork`
 * \retval CSYS_ENOSPC   there is no room for what `extend` adds
 * \retval CSYS_ENOMEM   no memory or addresses, or the limit of locked memory is reached
 * \retval CSYS_EPERM    no memory may be locked; or a seal or flag of the file forbids it
 * \retval CSYS_EMFILE   no handle is left, for `can_resize`
 * \retval CSYS_EIO      a page could not be read, with `prefault`
 */
CSYS_API CSYS_MUST_CHECK int csys_map_from_handle(csys_handle file, const csys_map_options *options,
						  csys_map **out_map);

/**
 * Release a map, and its memory with it.
 *
 * What was written with CSYS_MAP_WRITE is in the file, on the device some time later.
 *
 * \param map  the map; NULL is ignored
 */
CSYS_API void csys_map_close(csys_map *map);
CSYSI_AUTO(csys_map, csys_map_close(*object))

/**
 * Tell where the memory is.
 *
 * \param map  the map
 * \return the address of its first byte, also of a map of size 0, which has none that may be used;
 *         NULL for NULL
 */
CSYS_API void *csys_map_data(const csys_map *map);

/**
 * Tell how many bytes the map has.
 *
 * \param map  the map
 * \return its size; 0 for NULL
 */
CSYS_API size_t csys_map_size(const csys_map *map);

/**
 * Copy out of a map, also if another process makes the file shorter at this moment.
 *
 * There is no signal, and no change of how this process treats signals.  Behind the end of the file
 * in its last page are zeros, as in the memory itself.  It costs a system call or two.
 *
 * \param map     the map
 * \param offset  where in the map
 * \param buffer  gets the bytes; after CSYS_EIO some of it may be written
 * \param size    how many
 * \retval 0            all of them are in the buffer
 * \retval CSYS_EIO     some of them are beyond the end of the file now, or could not be read
 * \retval CSYS_EINVAL  a pointer is NULL, or the map has no such range
 * \retval CSYS_EBADF   this is a forked child, and the map has `no_fork`
 * \retval CSYS_EMFILE  no handle is left; not on Linux, unless a sandbox forbids the usual way
 */
CSYS_API CSYS_MUST_CHECK int csys_map_copy_from(const csys_map *map, size_t offset, void *buffer,
						size_t size);

/**
 * Write what has changed in a range to the device of the file, and wait until it is there.
 *
 * \param map     the map; nothing is done unless its access is CSYS_MAP_WRITE
 * \param offset  where in the map
 * \param size    how many bytes
 * \retval 0            it is on the device
 * \retval CSYS_EIO     the device failed
 * \retval CSYS_ENOSPC  the device is full
 * \retval CSYS_EINVAL  the pointer is NULL, or the map has no such range
 * \retval CSYS_EBADF   this is a forked child, and the map has `no_fork`
 */
CSYS_API CSYS_MUST_CHECK int csys_map_flush(csys_map *map, size_t offset, size_t size);

/**
 * Begin to write what has changed in a range to the device of the file.
 *
 * A failure of the device is told by a later csys_map_flush.
 *
 * \param map     the map; nothing is done unless its access is CSYS_MAP_WRITE
 * \param offset  where in the map
 * \param size    how many bytes
 * \retval 0            it is under way; Linux begins by itself, some time later
 * \retval CSYS_EIO     the device failed
 * \retval CSYS_EINVAL  the pointer is NULL, or the map has no such range
 * \retval CSYS_EBADF   this is a forked child, and the map has `no_fork`
 */
CSYS_API CSYS_MUST_CHECK int csys_map_flush_async(csys_map *map, size_t offset, size_t size);

/**
 * Tell the system how a range will be used.
 *
 * \param map     the map
 * \param offset  where in the map
 * \param size    how many bytes
 * \param advice  how
 * \retval 0             it was told
 * \retval CSYS_ENOTSUP  the system takes no such hint, or not for this file
 * \retval CSYS_EINVAL   the pointer is NULL, the map has no such range, or there is no such advice
 * \retval CSYS_EBADF    this is a forked child, and the map has `no_fork`
 */
CSYS_API CSYS_MUST_CHECK int csys_map_advise(csys_map *map, size_t offset, size_t size,
					     enum csys_map_advice advice);

/**
 * Have the pages of a range in memory.
 *
 * What can be written is made ready for that, on Linux 5.14 and later: with CSYS_MAP_WRITE holes of
 * the file get their room, with CSYS_MAP_COPY the pages of this process are made.  There is no
 * signal.
 *
 * \param map     the map
 * \param offset  where in the map
 * \param size    how many bytes
 * \retval 0            they are, for now
 * \retval CSYS_EIO     a page is beyond the end of the file now, or could not be read; or there is
 *                      no room for a hole
 * \retval CSYS_ENOMEM  there is no memory
 * \retval CSYS_EINVAL  the pointer is NULL, or the map has no such range
 * \retval CSYS_EBADF   this is a forked child, and the map has `no_fork`
 * \retval CSYS_EMFILE  no handle is left; not on Linux, unless a sandbox forbids the usual way
 */
CSYS_API CSYS_MUST_CHECK int csys_map_prefault(csys_map *map, size_t offset, size_t size);

/**
 * Keep the pages of a range in memory until they are unlocked, or the map is resized or closed.
 *
 * \param map     the map
 * \param offset  where in the map
 * \param size    how many bytes
 * \retval 0            they are
 * \retval CSYS_ENOMEM  the limit of this process is reached; or a page is beyond the end of the
 *                      file, and those before it may be locked
 * \retval CSYS_EPERM   no memory may be locked
 * \retval CSYS_EINVAL  the pointer is NULL, or the map has no such range
 * \retval CSYS_EBADF   this is a forked child, and the map has `no_fork`
 */
CSYS_API CSYS_MUST_CHECK int csys_map_lock(csys_map *map, size_t offset, size_t size);

/**
 * Let the pages of a range leave memory again, however often they were locked.
 *
 * \param map     the map
 * \param offset  where in the map
 * \param size    how many bytes
 * \retval 0            they may
 * \retval CSYS_EINVAL  the pointer is NULL, or the map has no such range
 * \retval CSYS_EBADF   this is a forked child, and the map has `no_fork`
 */
CSYS_API CSYS_MUST_CHECK int csys_map_unlock(csys_map *map, size_t offset, size_t size);

/**
 * Protect a map against being written, or let it be written again.
 *
 * \param map       the map, of CSYS_MAP_WRITE or CSYS_MAP_COPY
 * \param writable  0: a write is a fault from now on; 1: it is none
 * \retval 0            it is so
 * \retval CSYS_EACCES  the map was made with CSYS_MAP_READ, and is not to be written
 * \retval CSYS_ENOMEM  there is no memory
 * \retval CSYS_EINVAL  the pointer is NULL
 * \retval CSYS_EBADF   this is a forked child, and the map has `no_fork`
 */
CSYS_API CSYS_MUST_CHECK int csys_map_protect(csys_map *map, int writable);

/**
 * Make a map end at another place of its file.
 *
 * Its address may be another one then, and pointers into it are of no use; what was written stays.
 * The file is made longer if it is too short and the map has `extend`; it is never made shorter.
 * What the options of the map say for all pages holds for the new ones too; what was locked or
 * advised of a part has to be so again.  After a failure the size is what it was, and the address
 * perhaps another one.
 *
 * \param map   the map, of the option `can_resize`
 * \param size  its new size; 0 is a map of size 0, and not the end of the file
 * \retval 0             it has that size
 * \retval CSYS_EINVAL   the pointer is NULL; or the file is too short, and the map has no `extend`
 * \retval CSYS_ENOTSUP  the map does not have `can_resize`
 * \retval CSYS_ENOSPC   there is no room for what `extend` adds
 * \retval CSYS_ENOMEM   no memory or addresses, or the limit of locked memory is reached
 * \retval CSYS_EPERM    a seal or flag of the file forbids it
 * \retval CSYS_EIO      a page could not be read, with `prefault`
 * \retval CSYS_EBADF    this is a forked child, and the map has `no_fork`
 * \retval CSYS_EMFILE   no handle is left; not on Linux, unless a sandbox forbids the usual way
 */
CSYS_API CSYS_MUST_CHECK int csys_map_resize(csys_map *map, size_t size);

CSYS_END_DECLS

#endif
