/*
 * bench/spew.h - the bytes that spew writes, and how to check them.
 */
#ifndef BENCH_SPEW_H
#define BENCH_SPEW_H

#include <stddef.h>

/*
 * It writes in blocks of this size, each with the same bytes.  64 KiB is a
 * pipe's usual size, and at which most readers are at their best.
 */
#define SPEW_BLOCK ((size_t)1 << 16)

/* Fill one block, or several that follow each other. */
static inline void spew_fill(char *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = (char)((i % SPEW_BLOCK * 2654435761u) >> 24);
}

#endif
