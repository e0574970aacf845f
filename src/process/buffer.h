/*
 * process/buffer.h - a block of bytes that grows.
 */
#ifndef CSYSI_PROCESS_BUFFER_H
#define CSYSI_PROCESS_BUFFER_H

#include <stddef.h>

/* A block of bytes that grows at its end.  All zero is empty. */
struct csysi_buffer {
	char *data; /* size bytes and a NUL, if not NULL */
	size_t size;
	size_t room;
};

/* Make room for at least `more` bytes and a NUL behind the data. */
int csysi_buffer_reserve(struct csysi_buffer *buffer, size_t more);

/* Give back what is not used, as far as that is cheap; terminate with NUL. */
void csysi_buffer_finish(struct csysi_buffer *buffer);

void csysi_buffer_free(struct csysi_buffer *buffer);

#endif
