/*
 * os/block.h - blocks of memory that grow cheaply.
 */
#ifndef CSYSI_OS_BLOCK_H
#define CSYSI_OS_BLOCK_H

#include <stddef.h>

/*
 * Change a block, NULL and 0 at first, to `size` bytes, a multiple of
 * CSYSI_OS_BLOCK.  What fits of the content stays, the address may change.  0
 * releases it and sets NULL, and cannot fail; shrinking cannot either.
 */
#define CSYSI_OS_BLOCK ((size_t)2 << 20)
int csysi_os_block_resize(void **block, size_t old_size, size_t size);

#endif
