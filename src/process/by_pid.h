/*
 * process/by_pid.h - finding a pid in an array that is sorted by pid.
 */
#ifndef CSYSI_PROCESS_BY_PID_H
#define CSYSI_PROCESS_BY_PID_H

#include <stddef.h>
#include <stdint.h>

/*
 * The index of a pid, SIZE_MAX if it is not there.  An item is a struct of `size` bytes whose first
 * member is its pid, an int64_t.
 */
static inline size_t csysi_find_by_pid(const void *items, size_t count, size_t size, int64_t pid)
{
	const char *first = items;
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const int64_t *is = (const void *)(first + middle * size);
		if (*is == pid)
			return middle;
		if (*is < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return SIZE_MAX;
}

#endif
