/*
 * base/allocator.c - the one place that memory comes from.
 *
 * `used` is set by the first allocation and never cleared: from then on a
 * change of allocator would give a block back to one that did not make it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <csys/base/allocator.h>
#include <csys/base/result.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "base/memory.h"

static void *default_allocate(size_t size, void *context)
{
	(void)context;
	return malloc(size);
}

static void *default_reallocate(void *block, size_t size, void *context)
{
	(void)context;
	return realloc(block, size);
}

static void default_release(void *block, void *context)
{
	(void)context;
	free(block);
}

static const csys_allocator system_allocator = { default_allocate, default_reallocate,
						 default_release, NULL };

/* Written only before `used` is set, by the one thread that the header asks for. */
static csys_allocator current = { default_allocate, default_reallocate, default_release, NULL };
static int used;

/* Relaxed: the flag guards against a misuse within one thread, it orders nothing.
 * Looked at first, so that allocating threads share the line instead of passing it around. */
static void note_use(void)
{
	if (!csysi_load_relaxed(&used))
		csysi_store_relaxed(&used, 1);
}

int csys_allocator_set(const csys_allocator *allocator)
{
	if (allocator && (!allocator->allocate || !allocator->reallocate || !allocator->release))
		return CSYS_EINVAL;
	if (csysi_load_relaxed(&used))
		return CSYS_EBUSY;
	current = allocator ? *allocator : system_allocator;
	return 0;
}

int csysi_alloc_is_default(void)
{
	return current.allocate == default_allocate;
}

void *csysi_alloc(size_t size)
{
	note_use();
	if (csysi_fault(CSYS_ENOMEM) < 0)
		return NULL;
	return current.allocate(size, current.context);
}

void *csysi_realloc(void *block, size_t size)
{
	if (!block)
		return csysi_alloc(size);
	if (csysi_fault(CSYS_ENOMEM) < 0)
		return NULL;
	return current.reallocate(block, size, current.context);
}

void csysi_free(void *block)
{
	if (block)
		current.release(block, current.context);
}

void *csysi_alloc_zero(size_t size)
{
	void *block = csysi_alloc(size);
	if (block)
		memset(block, 0, size);
	return block;
}

char *csysi_copy(const char *data, size_t size)
{
	char *copy = size < SIZE_MAX ? csysi_alloc(size + 1) : NULL;
	if (!copy)
		return NULL;
	memcpy(copy, data, size);
	copy[size] = '\0';
	return copy;
}
