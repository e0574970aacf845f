/*
 * io/wait_set_source.c - the handles that entries wait for.
 *
 * A handle has one registration, for all that its entries want and none of the paused ones.  While
 * all of them are paused it has none: the system tells errors and hang-ups even if it is asked
 * for nothing.
 *
 * The set is not told when a handle is closed.  So each entry that comes to a source has the system
 * look at the registration first (csysi_os_pollset_change).  If it is gone, the number is another
 * file's: the old entries are BAD, and the new one gets a source of its own.
 */
#include "base/fault.h"
#include "base/memory.h"
#include "io/wait_set.h"

void csysi_wait_set_look_at(csys_wait_set *set, struct csysi_entry *entry)
{
	csysi_ring_append(&set->looked, &entry->link);
	set->look_at = 1;
	set->naps = (struct csysi_backoff){ CSYSI_LOOK_FIRST, CSYSI_LOOK_LAST };
}

/* ---- chains --------------------------------------------------------------------------- */

static struct csysi_source **chain_of(const csys_wait_set *set, csys_handle handle)
{
	/* Neighbours are far from each other, also those that are a multiple of 4 (Windows). */
	uint64_t hash = (uint64_t)handle * UINT64_C(0x9e3779b97f4a7c15);

	return &set->chains[hash >> 32 & (set->chain_count - 1)];
}

static void link_in(csys_wait_set *set, struct csysi_source *source)
{
	struct csysi_source **chain = chain_of(set, source->handle);

	source->next = *chain;
	*chain = source;
}

static struct csysi_source *find(const csys_wait_set *set, csys_handle handle)
{
	struct csysi_source *source = set->chain_count > 0 ? *chain_of(set, handle) : NULL;

	while (source && source->handle != handle)
		source = source->next;
	return source;
}

/* Have at least as many chains as sources.  Without memory chains are longer, but there have to
 * be some. */
static int grow_chains(csys_wait_set *set)
{
	size_t count = set->chain_count > 0 ? 2 * set->chain_count : CSYSI_SLOT_FIRST;
	struct csysi_source **old = set->chains;
	size_t old_count = set->chain_count;

	if (set->source_count < set->chain_count)
		return 0;
	struct csysi_source **chains = NULL;
	if (count <= SIZE_MAX / sizeof *chains && csysi_fault(CSYS_ENOMEM) == 0)
		chains = csysi_alloc_zero(count * sizeof *chains);
	if (!chains)
		return old ? 0 : CSYS_ENOMEM;
	set->chains = chains;
	set->chain_count = count;
	for (size_t i = 0; i < old_count; i++) {
		struct csysi_source *next;
		for (struct csysi_source *source = old[i]; source; source = next) {
			next = source->next;
			link_in(set, source);
		}
	}
	csysi_free(old);
	return 0;
}

/* ---- sources -------------------------------------------------------------------------- */

static void release(csys_wait_set *set, struct csysi_source *source)
{
	struct csysi_source **at = chain_of(set, source->handle);

	while (*at != source)
		at = &(*at)->next;
	*at = source->next;
	set->source_count--;
	csysi_slot_give_back(&set->sources, source);
}

/* Make a source without entries and without a registration. */
static int make(csys_wait_set *set, csys_handle handle, struct csysi_source **out)
{
	int r = grow_chains(set);
	if (r < 0)
		return r;
	struct csysi_source *source = csysi_slot_take(&set->sources);
	if (!source)
		return CSYS_ENOMEM;
	source->handle = handle;
	csysi_ring_begin(&source->entries);
	link_in(set, source);
	set->source_count++;
	*out = source;
	return 0;
}

static unsigned interest_of(const struct csysi_entry *entry)
{
	if (entry->is_paused)
		return 0;
	return entry->waitable.writing ? CSYSI_OS_POLLSET_WRITE : CSYSI_OS_POLLSET_READ;
}

static unsigned wanted(const struct csysi_source *source)
{
	unsigned interest = 0;

	for (struct csysi_ring *link = source->entries.next; link != &source->entries;
	     link = link->next)
		interest |= interest_of(csysi_entry_of(link));
	return interest;
}

static void unregister(csys_wait_set *set, struct csysi_source *source)
{
	if (source->interest != 0 &&
	    csysi_os_pollset_remove(&set->os, source->handle, csysi_slot_id(source)) > 0)
		set->lost_count++;
	source->interest = 0;
}

/* Register a source for these.  Returns 1 for a file, which is not registered. */
static int set_interest(csys_wait_set *set, struct csysi_source *source, unsigned interest)
{
	uint64_t key = csysi_slot_id(source);
	int r = 0;

	if (interest == 0)
		unregister(set, source);
	else if (source->interest == 0)
		r = csysi_os_pollset_add(&set->os, source->handle, interest, key);
	else
		r = csysi_os_pollset_change(&set->os, source->handle, interest, key);
	if (r == 0)
		source->interest = interest;
	return r;
}

void csysi_source_end(csys_wait_set *set, struct csysi_source *source)
{
	unregister(set, source); /* the system may tell it, or have it half */
	while (!csysi_ring_is_empty(&source->entries)) {
		struct csysi_entry *entry = csysi_entry_of(source->entries.next);
		csysi_ring_take_out(&entry->link);
		entry->mode = CSYSI_ENTRY_BAD;
		entry->source = NULL;
		if (!entry->is_paused)
			csysi_wait_set_look_at(set, entry);
	}
	release(set, source);
}

int csysi_source_update(csys_wait_set *set, struct csysi_source *source)
{
	unsigned interest = wanted(source);

	if (interest == source->interest)
		return 0;
	int r = set_interest(set, source, interest);
	/* All of this could be waited for when the entries came; or it is a file now, where none
	 * was. */
	if (r == CSYS_EBADF || r > 0) {
		csysi_source_end(set, source);
		return CSYS_EBADF;
	}
	return r;
}

/* Whether a source is registered, and the handle still what was registered. */
static int is_open(csys_wait_set *set, struct csysi_source *source)
{
	return source->interest != 0 && set_interest(set, source, source->interest) != CSYS_EBADF;
}

/* ---- entries -------------------------------------------------------------------------- */

/* Find the source of a handle.  One whose handle was closed is ended, and there is none. */
static struct csysi_source *find_open(csys_wait_set *set, csys_handle handle)
{
	struct csysi_source *source = find(set, handle);

	/* Without a registration there is nothing to find out by. */
	if (!source || source->interest == 0 || is_open(set, source))
		return source;
	csysi_source_end(set, source);
	return NULL;
}

int csysi_source_enter(csys_wait_set *set, struct csysi_entry *entry)
{
	struct csysi_source *source = find_open(set, entry->waitable.handle);
	int r = source ? 0 : make(set, entry->waitable.handle, &source);
	if (r < 0)
		return r;

	unsigned interest = source->interest | interest_of(entry);
	if (interest != source->interest)
		r = set_interest(set, source, interest);
	if (r == 0) {
		csysi_ring_append(&source->entries, &entry->link);
		entry->source = source;
		entry->mode = CSYSI_ENTRY_HANDLE;
		return 0;
	}
	if (csysi_ring_is_empty(&source->entries))
		release(set, source);
	if (r < 0)
		return r;
	entry->mode = CSYSI_ENTRY_ALWAYS;
	return 0;
}

int csysi_source_turn(csys_wait_set *set, struct csysi_entry *entry, int writing)
{
	struct csysi_source *source = entry->source;
	int before = entry->waitable.writing;

	entry->waitable.writing = writing;
	/* Also if this is what is registered: the number may be another file's by now. */
	int r = set_interest(set, source, wanted(source));
	if (r >= 0)
		return 0; /* not a file: it is registered */
	entry->waitable.writing = before;
	if (r == CSYS_EBADF && !is_open(set, source))
		csysi_source_end(set, source);
	return r;
}

void csysi_source_leave(csys_wait_set *set, struct csysi_entry *entry)
{
	struct csysi_source *source = entry->source;

	csysi_ring_take_out(&entry->link);
	entry->source = NULL;
	if (csysi_ring_is_empty(&source->entries)) {
		unregister(set, source);
		release(set, source);
	} else {
		/* If it fails more is told than is asked for, which is passed over. */
		(void)csysi_source_update(set, source);
	}
}

/* ---- what could not be ended ---------------------------------------------------------- */

/* Register all sources again. */
static void register_again(csys_wait_set *set)
{
	for (size_t i = 0; i < set->chain_count; i++) {
		struct csysi_source *next;
		for (struct csysi_source *source = set->chains[i]; source; source = next) {
			next = source->next;
			unsigned interest = source->interest;
			source->interest = 0;
			if (interest != 0 && set_interest(set, source, interest) != 0)
				csysi_source_end(set, source);
		}
	}
}

int csysi_source_renew(csys_wait_set *set)
{
	int r = csysi_os_pollset_clear(&set->os);

	if (r < 0)
		return r;
	set->lost_count = 0;
	register_again(set);
	return 0;
}
