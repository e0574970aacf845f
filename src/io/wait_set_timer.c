/*
 * io/wait_set_timer.c - a heap of timers.
 *
 * A binary heap by the point where a timer is due: the parent of place n is n / 2, and none is due
 * before its parent.  Each timer knows its place, so that it can be taken out of the middle.
 */
#include "base/fault.h"
#include "base/memory.h"
#include "io/wait_set.h"

enum { FIRST_CAPACITY = 16 };

static void put(csys_wait_set *set, size_t place, struct csysi_entry *entry)
{
	set->heap[place] = entry;
	entry->place = place;
}

/* Move an entry that may be due before its parent, or after its children, to its place. */
static void settle(csys_wait_set *set, size_t place, struct csysi_entry *entry)
{
	while (place > 1 && entry->at < set->heap[place / 2]->at) {
		put(set, place, set->heap[place / 2]);
		place /= 2;
	}
	for (size_t child = 2 * place; child <= set->heap_count; child = 2 * place) {
		if (child < set->heap_count && set->heap[child + 1]->at < set->heap[child]->at)
			child++;
		if (entry->at <= set->heap[child]->at)
			break;
		put(set, place, set->heap[child]);
		place = child;
	}
	put(set, place, entry);
}

int csysi_timer_reserve(csys_wait_set *set)
{
	size_t capacity = set->heap_capacity > 0 ? 2 * set->heap_capacity : FIRST_CAPACITY;

	if (set->timer_count + 1 < set->heap_capacity)
		return 0;
	if (capacity > SIZE_MAX / sizeof *set->heap || csysi_fault(CSYS_ENOMEM) < 0)
		return CSYS_ENOMEM;
	struct csysi_entry **heap = csysi_realloc(set->heap, capacity * sizeof *heap);
	if (!heap)
		return CSYS_ENOMEM;
	set->heap = heap;
	set->heap_capacity = capacity;
	return 0;
}

void csysi_timer_enter(csys_wait_set *set, struct csysi_entry *entry)
{
	if (entry->is_paused || entry->at == INT64_MAX)
		return;
	set->heap_count++;
	settle(set, set->heap_count, entry);
}

void csysi_timer_leave(csys_wait_set *set, struct csysi_entry *entry)
{
	size_t place = entry->place;

	if (place == 0)
		return;
	entry->place = 0;
	struct csysi_entry *last = set->heap[set->heap_count--];
	if (last != entry)
		settle(set, place, last);
}

/* Move a timer that is due to its next point after `now`.  Returns how often it was due. */
static uint64_t advance(struct csysi_entry *entry, int64_t now)
{
	if (entry->period == 0) {
		entry->at = INT64_MAX;
		return 1;
	}
	/* Both points are above 0, so no difference of them overflows. */
	int64_t over = (now - entry->at) / entry->period;
	int64_t last = entry->at + over * entry->period;
	entry->at = last > INT64_MAX - entry->period ? INT64_MAX : last + entry->period;
	return (uint64_t)over + 1;
}

struct csysi_entry *csysi_timer_take(csys_wait_set *set, int64_t now, uint64_t *out_count)
{
	struct csysi_entry *entry = set->heap_count > 0 ? set->heap[1] : NULL;

	if (!entry || entry->at > now)
		return NULL;
	csysi_timer_leave(set, entry);
	*out_count = advance(entry, now);
	csysi_timer_enter(set, entry);
	return entry;
}
