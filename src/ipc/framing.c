/*
 * ipc/framing.c - how messages are framed: options, prefixes and streams.
 *
 * Readers are in framing_reader.c, writers in framing_writer.c.
 */
#include <csys/base/result.h>

#include "ipc/framing.h"
#include "os/os.h"

#define BUFFER ((size_t)64 << 10)

/* ---- options -------------------------------------------------------------------------- */

int csysi_framing_check(const csys_framing_options *options, struct csysi_framing *out)
{
	struct csysi_framing framing = { .limit = CSYS_FRAMING_LIMIT, .buffer = BUFFER };

	if (options && options->limit > 0)
		framing.limit = options->limit;
	if (options && options->buffer > 0)
		framing.buffer = options->buffer;
	if (options)
		framing.prefix = options->prefix;
	if (framing.prefix < CSYS_PREFIX_BIG_32 || framing.prefix > CSYS_PREFIX_VARINT ||
	    framing.limit > SIZE_MAX / 4 || framing.buffer > SIZE_MAX / 4)
		return CSYS_EINVAL;
	if (framing.buffer <= CSYSI_PREFIX)
		framing.buffer = CSYSI_PREFIX + 1;
	*out = framing;
	return 0;
}

/* ---- prefixes ------------------------------------------------------------------------- */

/* The bytes of a prefix of fixed length, and whether the most significant one is the first. */
struct form {
	int length;
	int is_big;
};

static const struct form forms[] = {
	[CSYS_PREFIX_BIG_32] = { 4, 1 }, [CSYS_PREFIX_LITTLE_32] = { 4, 0 },
	[CSYS_PREFIX_BIG_16] = { 2, 1 }, [CSYS_PREFIX_LITTLE_16] = { 2, 0 },
	[CSYS_PREFIX_BIG_64] = { 8, 1 }, [CSYS_PREFIX_LITTLE_64] = { 8, 0 },
};

/* The bit where a byte of a fixed prefix begins. */
static int shift_of(struct form form, int byte)
{
	return 8 * (form.is_big ? form.length - 1 - byte : byte);
}

static size_t put_varint(uint64_t size, uint8_t out[CSYSI_PREFIX])
{
	size_t length = 0;

	while (size > 0x7f) {
		out[length++] = (uint8_t)(size | 0x80);
		size >>= 7;
	}
	out[length++] = (uint8_t)size;
	return length;
}

size_t csysi_prefix_put(int prefix, uint64_t size, uint8_t out[CSYSI_PREFIX])
{
	if (prefix == CSYS_PREFIX_VARINT)
		return put_varint(size, out);
	struct form form = forms[prefix];
	if (form.length < 8 && size >> 8 * form.length != 0)
		return 0;
	for (int i = 0; i < form.length; i++)
		out[i] = (uint8_t)(size >> shift_of(form, i));
	return (size_t)form.length;
}

static int get_varint(const uint8_t *data, size_t size, uint64_t *out)
{
	uint64_t value = 0;

	for (int i = 0; (size_t)i < size; i++) {
		uint64_t bits = data[i] & 0x7f;
		/* The tenth byte has room for one more bit. */
		if (i == CSYSI_PREFIX - 1 && (data[i] > 1))
			return CSYS_EBADMSG;
		value |= bits << 7 * i;
		if (data[i] < 0x80) {
			*out = value;
			return i + 1;
		}
	}
	return 0;
}

int csysi_prefix_get(int prefix, const uint8_t *data, size_t size, uint64_t *out)
{
	if (prefix == CSYS_PREFIX_VARINT)
		return get_varint(data, size, out);
	struct form form = forms[prefix];
	uint64_t value = 0;
	if (size < (size_t)form.length)
		return 0;
	for (int i = 0; i < form.length; i++)
		value |= (uint64_t)data[i] << shift_of(form, i);
	*out = value;
	return form.length;
}

/* ---- streams of a handle -------------------------------------------------------------- */

static int read_handle(void *context, void *buffer, size_t size, csys_deadline deadline,
		       size_t *out_size)
{
	const struct csysi_frame_stream *stream = context;

	return csysi_os_read(stream->handle, buffer, size, deadline, out_size);
}

static int write_handle(void *context, const csys_slice *slices, size_t count,
			csys_deadline deadline, size_t *out_size)
{
	const struct csysi_frame_stream *stream = context;
	struct csysi_os_slice os[CSYSI_OS_SLICES];
	size_t used = 0;

	for (; used < count && used < CSYSI_OS_SLICES; used++) {
		os[used].data = (void *)(uintptr_t)slices[used].data; /* it is not changed */
		os[used].size = slices[used].size;
	}
	return csysi_os_write_slices(stream->handle, os, used, deadline, out_size);
}

void csysi_frame_stream_of(csys_handle handle, struct csysi_frame_stream *out)
{
	out->handle = handle;
	out->functions.context = NULL;
	out->functions.read_until = read_handle;
	out->functions.write_until = write_handle;
}
