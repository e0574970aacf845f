/*
 * base/reserved.h - the words of options that have no meaning yet.
 */
#ifndef CSYSI_BASE_RESERVED_H
#define CSYSI_BASE_RESERVED_H

#include <stddef.h>
#include <stdint.h>

/* Whether any of the reserved words of these options is not 0, which a later version may give a
 * meaning: then a caller wants what this one does not have. */
#define csysi_uses_reserved(options)          \
	csysi_is_any_set((options)->reserved, \
			 sizeof(options)->reserved / sizeof *(options)->reserved)

static inline int csysi_is_any_set(const uintptr_t *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (words[i] != 0)
			return 1;
	return 0;
}

#endif
