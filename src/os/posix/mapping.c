/*
 * os/posix/mapping.c - files in memory.
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/posix.h"

size_t csysi_os_page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

size_t csysi_os_map_granularity(void)
{
	return csysi_os_page_size();
}

static int protection(enum csysi_os_access access)
{
	return access == CSYSI_OS_MAP_READ ? PROT_READ : PROT_READ | PROT_WRITE;
}

/* Whether an off_t holds it: 64 bits, or 32. */
static int is_offset(uint64_t offset)
{
	return offset <= INT64_MAX && (uint64_t)(off_t)offset == offset && (off_t)offset >= 0;
}

int csysi_os_map(csys_handle file, uint64_t offset, size_t size, enum csysi_os_access access,
		 void **out)
{
	int r = csysi_fault(CSYS_ENOMEM);
	if (r < 0)
		return r;
	if (!is_offset(offset))
		return CSYS_EINVAL;

	int sharing = access == CSYSI_OS_MAP_COPY ? MAP_PRIVATE : MAP_SHARED;
	void *address = mmap(NULL, size, protection(access), sharing, (int)file, (off_t)offset);
	if (address == MAP_FAILED) {
		r = csysi_posix_fail();
		/* Too many mappings, or one that the file system cannot have. */
		return errno == ENODEV ? CSYS_ENOTSUP : errno == EAGAIN ? CSYS_ENOMEM : r;
	}
	*out = address;
	return 0;
}

int csysi_os_map_open(const char *path, int writing, csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	/* To open a FIFO has an effect: a writer that waits for a reader would go on. */
	struct stat about;
	if (stat(path, &about) == 0 && S_ISFIFO(about.st_mode)) {
		csysi_set_os_error(ENODEV);
		return CSYS_ENOTSUP;
	}

	int fd;
	do
		/* It may be one by now, which would be waited for. */
		fd = open(path, (writing ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	while (fd < 0 && errno == EINTR);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0) {
		r = csysi_posix_fail();
		/* A socket, a device without its driver. */
		return errno == ENXIO || errno == ENODEV ? CSYS_ENOTSUP : r;
	}
	*out = fd;
	return 0;
}

void csysi_os_unmap(void *address, size_t size)
{
	if (address)
		munmap(address, size);
}

int csysi_os_map_protect(void *address, size_t size, enum csysi_os_access access)
{
	return mprotect(address, size, protection(access)) < 0 ? csysi_posix_fail() : 0;
}

/* From the first page of a range: what is before the range in that page. */
static size_t before(const void *address)
{
	return (size_t)((uintptr_t)address % csysi_os_page_size());
}

int csysi_posix_touch(const void *address, size_t size)
{
	const char *from = address;
	size_t page = csysi_os_page_size();
	size_t next;
	char byte;
	int r = 0;

	/* By copies, which are no signal where a page is not there. */
	for (size_t done = 0; done < size && r == 0; done += next) {
		next = page - before(from + done);
		r = csysi_os_map_copy(from + done, &byte, 1);
	}
	return r;
}

int csysi_os_map_lock(void *address, size_t size)
{
	int r = csysi_fault(CSYS_ENOMEM);
	if (r < 0)
		return r;

	size_t more = before(address);
	if (mlock((char *)address - more, size + more) == 0)
		return 0;
	r = csysi_posix_fail();
	return r == CSYS_EAGAIN ? CSYS_ENOMEM : r;
}

int csysi_os_map_unlock(void *address, size_t size)
{
	size_t more = before(address);

	return munlock((char *)address - more, size + more) < 0 ? csysi_posix_fail() : 0;
}

int csysi_os_map_flush(void *address, size_t size, int wait)
{
	size_t more = before(address);

	return msync((char *)address - more, size + more, wait ? MS_SYNC : MS_ASYNC) < 0
		       ? csysi_posix_fail()
		       : 0;
}
