/*
 * support/framing.c - readers and writers of frames, over handles and over memory.
 */
#include <string.h>

#include "support/framing.h"

csys_frame_reader *reader_of(csys_handle stream, const csys_framing_options *options)
{
	csys_frame_reader *reader;
	assert_int_equal(csys_frame_reader_open(stream, options, &reader), 0);
	return reader;
}

csys_frame_writer *writer_of(csys_handle stream, const csys_framing_options *options)
{
	csys_frame_writer *writer;
	assert_int_equal(csys_frame_writer_open(stream, options, &writer), 0);
	return writer;
}

int read_memory(void *context, void *buffer, size_t size, csys_deadline deadline, size_t *out_size)
{
	struct memory *m = context;
	size_t left = m->size - m->at;
	(void)deadline;
	m->calls++;
	assert_true(size > 0);
	if (left == 0 && m->result < 0)
		return m->result;
	size = size < left ? size : left;
	size = size < m->step ? size : m->step;
	memcpy(buffer, m->bytes + m->at, size);
	m->at += size;
	*out_size = size;
	return 0;
}

csys_frame_reader *memory_reader(struct memory *memory, const csys_framing_options *options)
{
	csys_frame_stream stream = { memory, read_memory, NULL };
	csys_frame_reader *reader;
	assert_int_equal(csys_frame_reader_open_stream(&stream, options, &reader), 0);
	return reader;
}
