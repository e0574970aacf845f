/*
 * process/buffer.c - bytes that grow to any size without being copied around.
 *
 * Small ones come from the allocator and double.  From BIG on, and only if the
 * allocator is malloc, they are a block of the system (os.h): filling 64 MiB
 * of fresh small pages takes longer than reading them from a pipe.  `room`
 * tells the two apart: a block's is a multiple of CSYSI_OS_BLOCK, and no other
 * room reaches BIG while blocks are in use.
 */
#include <stdint.h>
#include <string.h>

#include <csys/base/result.h>

#include "base/memory.h"
#include "os/os.h"
#include "process/buffer.h"

#define FIRST ((size_t)1 << 10)
#define BIG ((size_t)1 << 20)
#define BIG_FIRST (4 * CSYSI_OS_BLOCK)

static int is_block(const struct csysi_buffer *buffer)
{
	return buffer->room >= BIG && csysi_alloc_is_default();
}

static int grow_block(struct csysi_buffer *buffer, size_t room)
{
	void *block = is_block(buffer) ? buffer->data : NULL;
	int r = csysi_os_block_resize(&block, block ? buffer->room : 0, room);
	if (r < 0)
		return r;

	if (!is_block(buffer)) {
		if (buffer->size > 0)
			memcpy(block, buffer->data, buffer->size);
		csysi_free(buffer->data);
	}
	buffer->data = block;
	buffer->room = room;
	return 0;
}

int csysi_buffer_reserve(struct csysi_buffer *buffer, size_t more)
{
	if (more >= SIZE_MAX / 4 - buffer->size)
		return CSYS_ENOMEM;

	size_t need = buffer->size + more + 1;
	if (need <= buffer->room)
		return 0;

	size_t room = buffer->room ? buffer->room : FIRST / 2;
	do
		room *= 2;
	while (room < need);
	if (room >= BIG && csysi_alloc_is_default())
		return grow_block(buffer, room < BIG_FIRST ? BIG_FIRST : room);

	char *data = csysi_realloc(buffer->data, room);
	if (!data)
		return CSYS_ENOMEM;
	buffer->data = data;
	buffer->room = room;
	return 0;
}

void csysi_buffer_finish(struct csysi_buffer *buffer)
{
	if (!buffer->data)
		return;
	buffer->data[buffer->size] = '\0';
	if (!is_block(buffer))
		return;

	/* The last page that is used, in whole blocks. */
	size_t room = (buffer->size / CSYSI_OS_BLOCK + 1) * CSYSI_OS_BLOCK;
	void *block = buffer->data;
	csysi_os_block_resize(&block, buffer->room, room);
	buffer->room = room;
}

void csysi_buffer_free(struct csysi_buffer *buffer)
{
	if (is_block(buffer)) {
		void *block = buffer->data;
		csysi_os_block_resize(&block, buffer->room, 0);
	} else {
		csysi_free(buffer->data);
	}
	*buffer = (struct csysi_buffer){ 0 };
}
