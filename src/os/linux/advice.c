/*
 * os/linux/advice.c - what Linux can be told of a mapping, and how it changes its size.
 */
#define _GNU_SOURCE /* mremap, madvise */
#include <errno.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "os/linux/linux.h"
#include "os/posix/posix.h"

/* Newer than some libcs. */
#ifndef MADV_COLD
#define MADV_COLD 20
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

int csysi_os_map_resize(void **address, size_t size, size_t new_size, int may_move)
{
	int r = new_size > size ? csysi_fault(CSYS_ENOMEM) : 0;
	if (r < 0)
		return r;

	void *moved = mremap(*address, size, new_size, may_move ? MREMAP_MAYMOVE : 0);
	if (moved == MAP_FAILED) {
		r = csysi_posix_fail();
		/* It is in pieces, since parts of it were advised or locked. */
		if (errno == EFAULT)
			return CSYS_ENOTSUP;
		/* EAGAIN: locked memory.  EINVAL: more than all addresses. */
		return r == CSYS_EAGAIN || r == CSYS_EINVAL ? CSYS_ENOMEM : r;
	}
	*address = moved;
	return 0;
}

int csysi_linux_hears_advice(void)
{
	int error = errno;
	int is = madvise(NULL, 0, -1) < 0; /* no kernel has this one */

	errno = error;
	return is;
}

/* Call madvise for all pages of a range. */
static int advise(void *address, size_t size, int advice)
{
	size_t more = (size_t)((uintptr_t)address % csysi_os_page_size());
	int r;

	do
		r = madvise((char *)address - more, size + more, advice);
	while (r < 0 && errno == EINTR);
	return r;
}

int csysi_os_map_advise(void *address, size_t size, enum csysi_os_advice advice)
{
	static const int advices[] = {
		[CSYSI_OS_ADVICE_NORMAL] = MADV_NORMAL,
		[CSYSI_OS_ADVICE_SEQUENTIAL] = MADV_SEQUENTIAL,
		[CSYSI_OS_ADVICE_RANDOM] = MADV_RANDOM,
		[CSYSI_OS_ADVICE_WILL_NEED] = MADV_WILLNEED,
		[CSYSI_OS_ADVICE_DONT_NEED] = MADV_COLD, /* MADV_DONTNEED drops content */
		[CSYSI_OS_ADVICE_HUGE_PAGES] = MADV_HUGEPAGE,
		[CSYSI_OS_ADVICE_NO_FORK] = MADV_DONTFORK,
		[CSYSI_OS_ADVICE_NO_DUMP] = MADV_DONTDUMP,
	};

	if (advise(address, size, advices[advice]) == 0)
		return 0;
	int r = csysi_posix_fail();
	/* A kernel without it, or memory that is not of the kind for it. */
	if (advice == CSYSI_OS_ADVICE_DONT_NEED)
		return 0;
	return r == CSYS_EINVAL ? CSYS_ENOTSUP : r;
}

int csysi_os_map_prefault(void *address, size_t size, int writing)
{
	if (advise(address, size, writing ? MADV_POPULATE_WRITE : MADV_POPULATE_READ) == 0)
		return csysi_linux_hears_advice() ? 0 : csysi_posix_touch(address, size);
	if (errno == EINVAL) /* a kernel before 5.14, or no write access */
		return csysi_posix_touch(address, size);
	int r = csysi_posix_fail();
	return errno == ENOMEM ? r : CSYS_EIO;
}
