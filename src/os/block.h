/*
 * os/block.h - large blocks of memory that grow cheaply.
 */
#ifndef CSYSI_OS_BLOCK_H
#define CSYSI_OS_BLOCK_H

#include <stddef.h>

/* The size of a block is a multiple of this. */
#define CSYSI_OS_BLOCK ((size_t)2 << 20)

/*
 * Resize a block to `size` bytes.  A new block starts as NULL, with an old size of 0.
 * The content that fits is kept, the address may change.  A size of 0 frees the block
 * and sets *block to NULL.  Shrinking and freeing cannot fail.  CSYS_ENOMEM.
 */
int csysi_os_block_resize(void **block, size_t old_size, size_t size);

#endif
