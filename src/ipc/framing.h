/*
 * ipc/framing.h - what readers and writers of frames share.
 */
#ifndef CSYSI_IPC_FRAMING_H
#define CSYSI_IPC_FRAMING_H

#include <csys/ipc/framing.h>

/* The longest prefix. */
#define CSYSI_PREFIX 10

/* How the messages are framed: options that were checked, without zeros. */
struct csysi_framing {
	size_t limit;
	size_t buffer; /* at least CSYSI_PREFIX + 1 */
	int prefix;
};

/* A stream, whatever moves its bytes. */
struct csysi_frame_stream {
	csys_frame_stream functions; /* of a handle: .context NULL stands for this structure */
	csys_handle handle;          /* what is waited for; "none" if it is made of functions */
};

/* Take over the options; NULL are the usual ones.  CSYS_EINVAL. */
int csysi_framing_check(const csys_framing_options *options, struct csysi_framing *out);

/* Make a reader, or a writer, of a stream, which is copied. */
int csysi_frame_reader_over(const struct csysi_frame_stream *stream,
			    const csys_framing_options *options, csys_frame_reader **out);
int csysi_frame_writer_over(const struct csysi_frame_stream *stream,
			    const csys_framing_options *options, csys_frame_writer **out);

/* Make a stream of a handle. */
void csysi_frame_stream_of(csys_handle handle, struct csysi_frame_stream *out);

/* What is given to the functions of a stream. */
static inline void *csysi_frame_context(struct csysi_frame_stream *stream)
{
	int is_own = stream->handle != CSYS_NO_HANDLE && !stream->functions.context;

	return is_own ? stream : stream->functions.context;
}

/* Write the prefix of a message of that size: how many bytes it has; 0 if it cannot tell it. */
size_t csysi_prefix_put(int prefix, uint64_t size, uint8_t out[CSYSI_PREFIX]);

/*
 * Read a prefix that begins at `data`: how many bytes it has; 0 if it is not complete yet;
 * CSYS_EBADMSG.
 */
int csysi_prefix_get(int prefix, const uint8_t *data, size_t size, uint64_t *out);

#endif
