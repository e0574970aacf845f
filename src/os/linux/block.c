/*
 * os/linux/block.c - blocks of memory that grow by moving pages.
 *
 * A block lies on huge page borders, so that the kernel fills it 2 MiB at a
 * fault and moves it one page table at a time; nothing is copied.
 */
#define _GNU_SOURCE /* mremap, MADV_HUGEPAGE */
#include <sys/mman.h>

#include "base/fault.h"
#include "os/posix/posix.h"

/* `size` bytes on a huge page border, MAP_FAILED and errno if there are none. */
static void *map(size_t size, int protection)
{
	char *space =
		mmap(NULL, size + CSYSI_OS_BLOCK, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (space == MAP_FAILED)
		return MAP_FAILED;

	size_t before = (CSYSI_OS_BLOCK - (uintptr_t)space % CSYSI_OS_BLOCK) % CSYSI_OS_BLOCK;
	if (before > 0)
		munmap(space, before);
	munmap(space + before + size, CSYSI_OS_BLOCK - before);
	return space + before;
}

/* Move to a place of `size` bytes.  PROT_NONE holds the place until the move replaces it. */
static void *move(void *block, size_t old_size, size_t size)
{
	void *place = map(size, PROT_NONE);

	/* A failed move may have opened the place to other threads already, so it is not
	 * unmapped then; what is lost at worst is address space. */
	return place == MAP_FAILED
		       ? MAP_FAILED
		       : mremap(block, old_size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place);
}

static int grow(void **block, size_t old_size, size_t size)
{
	int r = csysi_fault(CSYS_ENOMEM);
	if (r < 0)
		return r;
	if (size > SIZE_MAX - CSYSI_OS_BLOCK)
		return CSYS_ENOMEM;

	void *grown =
		old_size == 0 ? map(size, PROT_READ | PROT_WRITE) : move(*block, old_size, size);
	if (grown == MAP_FAILED)
		return csysi_posix_fail();
	/* Advice: where there are no huge pages, small ones do. */
	madvise(grown, size, MADV_HUGEPAGE);
	*block = grown;
	return 0;
}

int csysi_os_block_resize(void **block, size_t old_size, size_t size)
{
	if (size > old_size)
		return grow(block, old_size, size);
	if (old_size > size)
		munmap((char *)*block + size, old_size - size);
	if (size == 0)
		*block = NULL;
	return 0;
}
