/*
 * io/wait_set_slots.c - memory of entries and sources.
 *
 * Chunk k has CSYSI_SLOT_FIRST << k slots, and stays until the set is closed, so slots do not move.
 * An identity is index and generation; the slot that was given back last is taken first, and an
 * identity comes again after 2^31 uses of it.
 */
#include <string.h>

#include "base/fault.h"
#include "base/memory.h"
#include "io/wait_set.h"

/* Make the next chunk, whose slots are free, the first one first. */
static int add_chunk(struct csysi_slots *slots)
{
	unsigned chunk = 0;

	while (chunk < CSYSI_SLOT_CHUNKS && slots->chunks[chunk])
		chunk++;
	if (chunk == CSYSI_SLOT_CHUNKS || csysi_fault(CSYS_ENOMEM) < 0)
		return CSYS_ENOMEM;
	uint32_t count = (uint32_t)CSYSI_SLOT_FIRST << chunk;
	if (count > SIZE_MAX / slots->size)
		return CSYS_ENOMEM;
	slots->chunks[chunk] = csysi_alloc_zero(count * slots->size);
	if (!slots->chunks[chunk])
		return CSYS_ENOMEM;
	slots->count += count;
	for (uint32_t i = count; i > 0; i--) {
		struct csysi_slot *slot =
			(struct csysi_slot *)(void *)(slots->chunks[chunk] + (i - 1) * slots->size);
		slot->index = slots->count - count + i - 1;
		slot->next_free = slots->free;
		slots->free = slot;
	}
	return 0;
}

void *csysi_slot_take(struct csysi_slots *slots)
{
	if (!slots->free && add_chunk(slots) < 0)
		return NULL;
	struct csysi_slot *slot = slots->free;
	slots->free = slot->next_free;
	slot->generation++;
	memset(slot + 1, 0, slots->size - sizeof *slot);
	return slot;
}

void csysi_slot_give_back(struct csysi_slots *slots, void *taken)
{
	struct csysi_slot *slot = taken;

	slot->generation++;
	slot->next_free = slots->free;
	slots->free = slot;
}

uint64_t csysi_slot_id(const void *taken)
{
	const struct csysi_slot *slot = taken;

	return (uint64_t)slot->generation << 32 | slot->index;
}

void csysi_slots_free(struct csysi_slots *slots)
{
	for (unsigned chunk = 0; chunk < CSYSI_SLOT_CHUNKS; chunk++)
		csysi_free(slots->chunks[chunk]);
}
