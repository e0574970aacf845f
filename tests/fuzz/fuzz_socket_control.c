/*
 * fuzz/fuzz_socket_control.c - any control data: what comes beside the bytes of a message.
 *
 * Each descriptor that is read stands in the data.  Fewer bytes have no other descriptors, only
 * fewer of them.  The data has no byte behind it, so AddressSanitizer sees a look beyond it; and
 * it may be longer than any that csys gives room to.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "os/posix/socket.h"

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* Whether a number stands in the data, at a place where an item can have it. */
static int stands_in(int number, const char *data, size_t size)
{
	for (size_t at = 0; at + sizeof number <= size; at++)
		if (memcmp(data + at, &number, sizeof number) == 0)
			return 1;
	return 0;
}

static void read_copy(const uint8_t *data, size_t size, struct csysi_posix_came *out)
{
	char *copy = malloc(size + !size);

	MUST(copy);
	memcpy(copy, data, size);
	csysi_posix_read_control(copy, size, out);
	MUST(out->count <= size / sizeof(int));
	for (size_t i = 0; i < out->count; i++)
		MUST(stands_in(out->fds[i], copy, size));
	MUST(out->other == -1 || stands_in(out->other, copy, size));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct csysi_posix_came all, part;

	read_copy(data, size, &all);
	read_copy(data, size / 2, &part);
	MUST(part.count <= all.count);
	MUST(memcmp(part.fds, all.fds, part.count * sizeof *part.fds) == 0);
	return 0;
}
