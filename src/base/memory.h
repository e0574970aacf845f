/*
 * base/memory.h - the allocator hook, from inside.
 */
#ifndef CSYSI_BASE_MEMORY_H
#define CSYSI_BASE_MEMORY_H

#include <stddef.h>

/* As malloc, realloc and free.  NULL when there is none; size is at least 1. */
void *csysi_alloc(size_t size);
void *csysi_realloc(void *block, size_t size);
void csysi_free(void *block);

/* Zeroed. */
void *csysi_alloc_zero(size_t size);

/* A copy of the `size` bytes at `data` with a NUL behind them. */
char *csysi_copy(const char *data, size_t size);

/* Whether memory comes from malloc, so that big blocks may come from elsewhere. */
int csysi_alloc_is_default(void);

#endif
