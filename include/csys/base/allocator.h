/**
 * \file
 * csys/base/allocator.h - where csys gets memory.
 *
 *     static const csys_allocator mine = { my_malloc, my_realloc, my_free, pool };
 *     if (csys_allocator_set(&mine) < 0)
 *             abort();
 *
 * Everything on the heap comes from here.  The default is malloc; with it, and
 * only with it, captured output beyond a megabyte is mapped from the system
 * directly, because that is faster (csys/process/output.h).
 */
#ifndef CSYS_BASE_ALLOCATOR_H
#define CSYS_BASE_ALLOCATOR_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/**
 * Three functions that behave as malloc, realloc and free.
 *
 * Every thread that calls csys may call them.  If allocate or reallocate returns NULL, the call
 * of csys that needed the memory fails with CSYS_ENOMEM and loses nothing.  Sizes are in bytes.
 */
typedef struct csys_allocator {
	/** As malloc: a new block of `size` bytes, at least 1, or NULL. */
	void *(*allocate)(size_t size, void *context);
	/** As realloc: `block` is not NULL, and `size` is at least 1. */
	void *(*reallocate)(void *block, size_t size, void *context);
	/** As free: `block` may be NULL. */
	void (*release)(void *block, void *context);
	/** Passed to each of the three functions as it is. */
	void *context;
} csys_allocator;

/**
 * Set the functions that all memory of csys comes from.
 *
 * Call this before other threads use csys.  After the first allocation it is too late, since a
 * block must go back to the allocator that it came from.
 *
 * \param allocator  the functions, which are copied; NULL for malloc, realloc and free
 * \retval 0            they are used from now on
 * \retval CSYS_EINVAL  one of the functions is NULL; nothing has changed
 * \retval CSYS_EBUSY   csys has allocated memory already; nothing has changed
 */
CSYS_API CSYS_MUST_CHECK int csys_allocator_set(const csys_allocator *allocator);

CSYS_END_DECLS

#endif
