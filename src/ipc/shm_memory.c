/*
 * ipc/shm_memory.c - the memory of a csys_shm: mapping it, its size, and places in it.
 */
#include <string.h>

#include "base/atomic.h"
#include "ipc/shm.h"

/* ---- pages ------------------------------------------------------------------------------ */

/* Do with the bytes of the mapping from `from` to `to` what was wished for all of it. */
static int prepare(const csys_shm *shm, size_t from, size_t to)
{
	int r = 0;

	if (from >= to)
		return 0;
	if (shm->prefault)
		r = csysi_os_map_prefault(shm->base + from, to - from, !shm->read_only);
	if (r == 0 && shm->lock)
		r = csysi_os_map_lock(shm->base + from, to - from);
	return r;
}

int csysi_shm_settle(csys_shm *shm, uint64_t file_size)
{
	/* Relaxed: the caller has what it writes there, or another thread is as right. */
	size_t before = csysi_load_relaxed(&shm->size);
	if (file_size < CSYSI_OBJECT_DATA)
		return CSYS_EBADMSG; /* it was made shorter since it was checked */
	size_t size = file_size - CSYSI_OBJECT_DATA < shm->max_size
			      ? (size_t)(file_size - CSYSI_OBJECT_DATA)
			      : shm->max_size;

	int r = prepare(shm, before > 0 ? CSYSI_OBJECT_DATA + before : 0, CSYSI_OBJECT_DATA + size);
	if (r < 0)
		return r;
	/* Sizes only grow; of two threads that settle at once the larger one stays.  Release pairs
	 * with the acquire of a thread that looks at the size and then uses the memory. */
	while (before < size && !csysi_cas_release(&shm->size, &before, size))
		continue;
	return 0;
}

int csysi_shm_map(csys_shm *shm, csys_handle file, uint64_t max_size, int huge_wished)
{
	void *base;
	struct csysi_os_file info;

	if (max_size > SIZE_MAX / 2 - CSYSI_OBJECT_DATA)
		return CSYS_ENOMEM;
	int r = csysi_os_file_info(file, &info);
	if (r < 0)
		return r;
	shm->mapped = CSYSI_OBJECT_DATA + (size_t)max_size;
	shm->max_size = (size_t)max_size;
	r = csysi_os_map(file, 0, shm->mapped,
			 shm->read_only ? CSYSI_OS_MAP_READ : CSYSI_OS_MAP_WRITE, &base);
	if (r < 0)
		return r;
	shm->base = base;
	if (huge_wished) /* a wish */
		(void)csysi_os_map_advise(base, shm->mapped, CSYSI_OS_ADVICE_HUGE_PAGES);
	r = csysi_shm_settle(shm, info.size);
	if (r < 0)
		csysi_shm_unmap(shm);
	return r;
}

void csysi_shm_unmap(csys_shm *shm)
{
	csysi_os_unmap(shm->base, shm->mapped);
	shm->base = NULL;
	shm->size = 0;
}

/* ---- its size --------------------------------------------------------------------------- */

void *csys_shm_data(const csys_shm *shm)
{
	return shm ? shm->base + CSYSI_OBJECT_DATA : NULL;
}

size_t csys_shm_size(const csys_shm *shm)
{
	/* Acquire pairs with the release of the thread that has seen the memory grow. */
	return shm ? csysi_load_acquire(&shm->size) : 0;
}

size_t csys_shm_max_size(const csys_shm *shm)
{
	return shm ? shm->max_size : 0;
}

int csys_shm_is_created(const csys_shm *shm)
{
	return shm && shm->object.is_created;
}

int csys_shm_refresh(csys_shm *shm)
{
	struct csysi_os_file info;

	if (!shm)
		return CSYS_EINVAL;
	/* Before the look at the file: another thread may see it grow after that. */
	uint64_t before = csys_shm_size(shm);
	int r = csysi_os_file_info(shm->object.file, &info);
	if (r < 0)
		return r;
	if (info.size < CSYSI_OBJECT_DATA + before)
		return CSYS_EBADMSG;
	return csysi_shm_settle(shm, info.size);
}

int csys_shm_grow(csys_shm *shm, size_t size)
{
	if (!shm || size > shm->max_size)
		return CSYS_EINVAL;
	if (shm->read_only)
		return CSYS_EACCES;

	uint64_t unit = shm->unit;
	uint64_t end = (CSYSI_OBJECT_DATA + (uint64_t)size + unit - 1) / unit * unit;
	int r = csysi_os_file_allocate(shm->object.file, end);
	return r < 0 ? r : csys_shm_refresh(shm);
}

/* ---- places ----------------------------------------------------------------------------- */

uint64_t csys_shm_offset(const csys_shm *shm, const void *pointer)
{
	if (!shm || !pointer)
		return 0;

	/* As numbers, since pointers into different objects do not compare. */
	uintptr_t data = (uintptr_t)csys_shm_data(shm);
	uintptr_t place = (uintptr_t)pointer;
	if (place < data || place - data > csys_shm_size(shm))
		return 0;
	return CSYSI_OBJECT_DATA + (uint64_t)(place - data);
}

void *csys_shm_at(const csys_shm *shm, uint64_t offset, size_t size)
{
	uint64_t end = CSYSI_OBJECT_DATA + (uint64_t)csys_shm_size(shm);

	if (!shm || offset < CSYSI_OBJECT_DATA || offset > end || size > end - offset)
		return NULL;
	return shm->base + offset;
}

void *csys_shm_at_aligned(const csys_shm *shm, uint64_t offset, size_t size, size_t alignment)
{
	/* The data begins on a page, so the offset tells. */
	if (alignment == 0 || offset % alignment != 0)
		return NULL;
	return csys_shm_at(shm, offset, size);
}

uint64_t csys_shm_layout(const char *type, size_t size, size_t alignment, const char *version)
{
	uint64_t parts[2 + 2 * 2] = { size, alignment };

	csysi_hash(type, strlen(type), &parts[2]);
	csysi_hash(version, strlen(version), &parts[4]);
	csysi_hash(parts, sizeof parts, parts);
	return parts[0] ? parts[0] : 1;
}
