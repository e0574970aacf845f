/*
 * support/framing.h - readers and writers of frames, over handles and over memory.
 */
#ifndef CSYS_TEST_FRAMING_H
#define CSYS_TEST_FRAMING_H

#include "support/support.h"

/* Over a stream, asserting that it works. */
csys_frame_reader *reader_of(csys_handle stream, const csys_framing_options *options);
csys_frame_writer *writer_of(csys_handle stream, const csys_framing_options *options);

/* A stream in memory. */
struct memory {
	const char *bytes; /* to be read */
	size_t size;       /* how many there are; of those to be written, when `result` comes */
	size_t at, step;   /* how many were moved, and how many are moved at a time */
	int result;        /* what a call says at the end; 0: the end is the end */
	int calls;         /* of reads */
	char written[1 << 16];
};

/* As read_until of csys_frame_stream, with a struct memory. */
int read_memory(void *context, void *buffer, size_t size, csys_deadline deadline, size_t *out_size);

csys_frame_reader *memory_reader(struct memory *memory, const csys_framing_options *options);

#endif
