/*
 * fuzz/fuzz_shm.c - any file: the header of shared memory that a peer has sent.
 *
 * What is opened lies inside its file, and is what its header says.  All of it can be read.
 */
#include <stdlib.h>
#include <string.h>

#include <csys/ipc/shm.h>

#include "ipc/names.h"
#include "os/os.h"

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void check_memory(const csys_shm *shm, uint64_t file_size, uint64_t offset)
{
	const volatile unsigned char *data = csys_shm_data(shm);
	size_t size = csys_shm_size(shm);
	struct csysi_object_header header;

	MUST(size <= csys_shm_max_size(shm));
	MUST(CSYSI_OBJECT_DATA + (uint64_t)size <= file_size);
	for (size_t i = 0; i < size; i++)
		(void)data[i];
	/* The header did not change meanwhile: it holds what was believed. */
	MUST(csysi_os_read_at(csys_shm_handle(shm), 0, &header, sizeof header) == 0);
	MUST(header.kind == CSYS_NAME_SHM && header.version == 1 && header.size <= size);
	MUST(header.max_size == csys_shm_max_size(shm));
	MUST(memchr(header.name, '\0', sizeof header.name) != NULL);

	const unsigned char *at = csys_shm_at(shm, offset, 8);
	MUST(!at || (at >= data && at + 8 <= data + size));
	MUST(!at || csys_shm_offset(shm, at) == offset);
}

/* A number of bytes of data, an offset, and the header. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	uint16_t length;
	uint64_t offset;
	csys_handle file;
	csys_shm *shm = NULL;

	if (size < sizeof length + sizeof offset || size > CSYSI_OBJECT_DATA)
		return 0;
	memcpy(&length, data, sizeof length);
	memcpy(&offset, data + sizeof length, sizeof offset);
	size_t before = sizeof length + sizeof offset;
	MUST(csysi_os_memory_create("fuzz", 0, &file) == 0);
	MUST(csysi_os_write_at(file, 0, data + before, size - before) == 0);
	/* Without data the file may be shorter than a header. */
	if (length > 0)
		MUST(csysi_os_file_allocate(file, CSYSI_OBJECT_DATA + (uint64_t)length) == 0);
	MUST(csysi_os_memory_seal(file, CSYSI_OS_SEAL_SHRINK) == 0);

	int r = csys_shm_from_handle_take(file, NULL, &shm);
	MUST((r == 0) == (shm != NULL));
	MUST(r == 0 || r == CSYS_EBADMSG || r == CSYS_ENOMEM);
	if (r == 0)
		check_memory(shm, CSYSI_OBJECT_DATA + (uint64_t)length, offset);
	else
		csys_handle_close(file);
	csys_shm_close(shm);
	return 0;
}
