/*
 * os/posix/block.c - blocks of memory that grow, by copying.
 */
#define _XOPEN_SOURCE 700
#include <stdlib.h>

#include "base/fault.h"
#include "os/posix/posix.h"

int csysi_os_block_resize(void **block, size_t old_size, size_t size)
{
	if (size <= old_size) {
		if (size == 0) {
			free(*block);
			*block = NULL;
		}
		return 0;
	}
	int r = csysi_fault(CSYS_ENOMEM);
	if (r < 0)
		return r;

	if (size > PTRDIFF_MAX)
		return CSYS_ENOMEM; /* which no realloc has; a sanitizer's would end us */
	void *bigger = realloc(*block, size);
	if (!bigger)
		return csysi_posix_fail();
	*block = bigger;
	return 0;
}
