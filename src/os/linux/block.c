/*
 * os/linux/block.c - blocks of memory that grow by moving pages.
 *
 * A block is aligned to huge pages, so that the kernel fills it 2 MiB at a fault, and moves
 * it one page table at a time.  No bytes are copied.
 */
#define _GNU_SOURCE /* mremap, MADV_HUGEPAGE, syscall */
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where only the form with 64 bits of time is left. */
#ifndef SYS_futex
#define SYS_futex SYS_futex_time64
#endif

#include "base/fault.h"
#include "os/posix/posix.h"

/* Map `size` bytes, aligned to a huge page.  MAP_FAILED with errno. */
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

/*
 * A failed move to a reserved place may have unmapped the place or not, which depends on the
 * kernel and on the failure.  If it is unmapped, another thread may have mapped something there.
 * So the first page of the place gets a seal, which no other mapping has, and futex compares
 * the seal, since it can do so whatever is mapped there, and if nothing is.
 */
struct seal {
	uint32_t words[4];
};

static struct seal make_seal(const void *place)
{
	uint64_t now = (uint64_t)csys_now();
	uint64_t mixed = (now ^ (uint64_t)(uintptr_t)place << 16) * 0x9e3779b97f4a7c15u;

	return (struct seal){ { (uint32_t)now, (uint32_t)(now >> 32) ^ 0x63737973u, (uint32_t)mixed,
				(uint32_t)(mixed >> 32) } };
}

/* Whether the word at an address has this value; 0 if nothing is mapped there. */
static int is_word(const uint32_t *address, uint32_t word)
{
	/* Zero in each form of timespec that the kernel knows. */
	static const int64_t no_time[2] = { 0, 0 };

	return syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, word, no_time, NULL, 0) < 0 &&
	       errno == ETIMEDOUT;
}

static int is_sealed(const void *place, const struct seal *seal)
{
	for (int i = 0; i < 4; i++)
		if (!is_word((const uint32_t *)place + i, seal->words[i]))
			return 0;
	return 1;
}

/* Move a block to a place of `size` bytes, which is reserved first, and then replaced. */
static void *move(void *block, size_t old_size, size_t size)
{
	void *place = map(size, PROT_NONE);
	if (place == MAP_FAILED)
		return MAP_FAILED;

	struct seal seal = make_seal(place);
	if (mprotect(place, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE) < 0) {
		int error = errno;
		munmap(place, size);
		errno = error;
		return MAP_FAILED;
	}
	memcpy(place, &seal, sizeof seal);
	void *moved = mremap(block, old_size, size, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	int error = errno;
	if (moved == MAP_FAILED && is_sealed(place, &seal))
		munmap(place, size);
	errno = error;
	return moved;
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
	/* Only advice: without huge pages small ones are used. */
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
