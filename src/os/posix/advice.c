/*
 * os/posix/advice.c - what POSIX lets a program say of a mapping, and how it can change its size.
 */
#define _DEFAULT_SOURCE
#include <sys/mman.h>

#include "os/posix/posix.h"

int csysi_os_map_resize(void **address, size_t size, size_t new_size, int may_move)
{
	(void)may_move;
	size_t page = csysi_os_page_size();
	size_t end = (new_size + page - 1) / page * page;

	if (new_size > size)
		return CSYS_ENOTSUP;
	if (end < size)
		munmap((char *)*address + end, size - end);
	return 0;
}

int csysi_os_map_advise(void *address, size_t size, enum csysi_os_advice advice)
{
	static const int advices[] = {
		[CSYSI_OS_ADVICE_NORMAL] = POSIX_MADV_NORMAL,
		[CSYSI_OS_ADVICE_SEQUENTIAL] = POSIX_MADV_SEQUENTIAL,
		[CSYSI_OS_ADVICE_RANDOM] = POSIX_MADV_RANDOM,
		[CSYSI_OS_ADVICE_WILL_NEED] = POSIX_MADV_WILLNEED,
	};
	size_t more = (size_t)((uintptr_t)address % csysi_os_page_size());

	/* POSIX_MADV_DONTNEED drops private changes on some systems, and is nothing on others. */
	if (advice == CSYSI_OS_ADVICE_DONT_NEED)
		return 0;
	if (advice > CSYSI_OS_ADVICE_WILL_NEED)
		return CSYS_ENOTSUP;
	int error = posix_madvise((char *)address - more, size + more, advices[advice]);
	return error ? csysi_posix_fail_with(error) : 0;
}

int csysi_os_map_prefault(void *address, size_t size, int writing)
{
	(void)writing;
	return csysi_posix_touch(address, size);
}
