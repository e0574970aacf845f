/*
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

/*
 * Three functions that behave as malloc, realloc and free, called from any
 * thread that calls csys.  allocate and reallocate may return NULL; csys then
 * fails with CSYS_ENOMEM and loses nothing.  reallocate never sees a NULL block
 * or a size of 0, release may see NULL.
 */
typedef struct csys_allocator {
	void *(*allocate)(size_t size, void *context);
	void *(*reallocate)(void *block, size_t size, void *context);
	void (*release)(void *block, void *context);
	void *context;
} csys_allocator;

/*
 * Use `allocator` (copied) from now on, NULL for malloc.  Returns 0;
 * CSYS_EINVAL when a function is missing; CSYS_EBUSY once csys has allocated
 * anything, since a block must go back to where it came from.  Call it before
 * other threads use csys.
 */
CSYS_API CSYS_MUST_CHECK int csys_allocator_set(const csys_allocator *allocator);

CSYS_END_DECLS

#endif
