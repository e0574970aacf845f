/*
 * os/mapping.h - files in memory: mapping them, and what a mapping can be told.
 *
 * Addresses and sizes of a mapping are what csysi_os_map gave; a range within one may begin and end
 * anywhere, and means all pages that it touches.
 */
#ifndef CSYSI_OS_MAPPING_H
#define CSYSI_OS_MAPPING_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/handle.h>

/* What is done with the memory. */
enum csysi_os_access {
	CSYSI_OS_MAP_READ,  /* read; a write is a fault */
	CSYSI_OS_MAP_WRITE, /* read and write the file */
	CSYSI_OS_MAP_COPY   /* read the file, write copies of its pages that are this process's */
};

/* The size of a page, and what the offset of a mapping has to be a multiple of. */
size_t csysi_os_page_size(void);
size_t csysi_os_map_granularity(void);

/*
 * Map `size` bytes of a file from `offset`, at least 1.  The mapping may reach beyond the end of
 * the file: a use of pages there is a fault until the file has grown; a system that cannot do that
 * says CSYS_ENOTSUP.  The handle may be closed after.  CSYS_EINVAL: no such offset or size.
 * CSYS_EACCES: the handle is not open for that.  CSYS_EPERM: a seal forbids it.  CSYS_ENOMEM.
 */
int csysi_os_map(csys_handle file, uint64_t offset, size_t size, enum csysi_os_access access,
		 void **out);

/* Unmap a mapping; NULL is ignored. */
void csysi_os_unmap(void *address, size_t size);

/*
 * Change the size of a mapping, whose address may change if `may_move`.  CSYS_ENOMEM: no room for
 * it, and it is as it was; CSYS_ENOTSUP: so it is too, and has to be mapped anew.
 */
int csysi_os_map_resize(void **address, size_t size, size_t new_size, int may_move);

/* Change what is done with a mapping.  CSYS_EACCES: the handle was not open for that. */
int csysi_os_map_protect(void *address, size_t size, enum csysi_os_access access);

/* How a range will be used: hints, which change no content. */
enum csysi_os_advice {
	CSYSI_OS_ADVICE_NORMAL,
	CSYSI_OS_ADVICE_SEQUENTIAL,
	CSYSI_OS_ADVICE_RANDOM,
	CSYSI_OS_ADVICE_WILL_NEED, /* soon: read it ahead */
	CSYSI_OS_ADVICE_DONT_NEED, /* not soon; dirty pages of the file are kept */
	CSYSI_OS_ADVICE_HUGE_PAGES,
	CSYSI_OS_ADVICE_NO_FORK, /* a forked child does not have it */
	CSYSI_OS_ADVICE_NO_DUMP  /* not part of a core dump */
};

/* Advise.  CSYS_ENOTSUP. */
int csysi_os_map_advise(void *address, size_t size, enum csysi_os_advice advice);

/*
 * Have the pages of a range in memory now, and ready to be written where the system can.  CSYS_EIO:
 * a page could not be read, or is beyond the end of the file, and there is no signal.  CSYS_ENOMEM;
 * CSYS_EMFILE where the system has no call for it.
 */
int csysi_os_map_prefault(void *address, size_t size, int writing);

/* Keep the pages of a range in memory.  CSYS_ENOMEM: the limit; CSYS_EPERM: no right to it. */
int csysi_os_map_lock(void *address, size_t size);
int csysi_os_map_unlock(void *address, size_t size);

/*
 * Open a file to be mapped: for reading, and writing too if so asked.  It never waits.
 * CSYS_ENOTSUP: it cannot be mapped; what is a FIFO or a socket is left alone.
 */
int csysi_os_map_open(const char *path, int writing, csys_handle *out);

/*
 * Copy out of a mapping.  CSYS_EIO: a page could not be read, or is beyond the end of the file;
 * there is no signal, and some bytes may have been copied.  CSYS_EMFILE where the system has no
 * call for it.
 */
int csysi_os_map_copy(const void *from, void *to, size_t size);

/* Have changes of a range written to the file's device, and wait for that, or only begin. */
int csysi_os_map_flush(void *address, size_t size, int wait);

#endif
