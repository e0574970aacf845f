/*
 * os/posix/memory.c - memory that is a file: POSIX has none without a name.
 */
#define _XOPEN_SOURCE 700
#include "os/posix/posix.h"

int csysi_os_memory_create(const char *label, int huge, csys_handle *out)
{
	(void)label;
	(void)huge;
	(void)out;
	return CSYS_ENOTSUP;
}

size_t csysi_os_memory_huge_size(void)
{
	return 0;
}

uint64_t csysi_os_memory_total(void)
{
	return UINT64_MAX;
}

int csysi_os_memory_seal(csys_handle file, unsigned seals)
{
	(void)file;
	(void)seals;
	return CSYS_ENOTSUP;
}

int csysi_os_memory_seals(csys_handle file, unsigned *out)
{
	(void)file;
	(void)out;
	return CSYS_ENOTSUP;
}
