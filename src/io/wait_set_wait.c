/*
 * io/wait_set_wait.c - waiting for a set.
 *
 * The system's wait runs without the lock.  What it fetched is told under the lock, so by what the
 * entries are then: a source that was removed meanwhile is not found by its key, and its place may
 * be another's.  Only keys that could not be taken away from the system come again; then it gets a
 * new set (csysi_source_renew).
 *
 * Turns.  The system tells no more sources than there is room for events, each of them in its turn,
 * and the alarm in its own.  Each that was told gives one entry, the one that was not told for
 * longest; after all have, what room is left goes to their other entries.  So no entry is
 * passed over for ever.
 */
#include <csys/io/wait_set.h>

#include "base/memory.h"
#include "io/wait_set.h"

/* What a wait has to tell. */
struct telling {
	csys_wait_event *events;
	size_t max;
	size_t count;
	int is_woken;
	int is_alarmed; /* timers may be due, and `looked` has to be looked at */
	int is_more;    /* a source has several entries */
	int is_stale;   /* there was a key of no source */
};

static void tell(struct csys_wait_set *set, struct telling *telling, struct csysi_entry *entry,
		 uint64_t count, int result)
{
	entry->round = set->round;
	telling->events[telling->count++] = (csys_wait_event){
		.token = entry->token, .entry = { entry->id }, .count = count, .result = result
	};
}

/* ---- sources -------------------------------------------------------------------------- */

static int is_ready(const struct csysi_entry *entry, unsigned ready)
{
	return !entry->is_paused &&
	       ready & (entry->waitable.writing ? CSYSI_OS_POLLSET_WRITE : CSYSI_OS_POLLSET_READ);
}

/* Tell up to `most` entries of a source, those first that were not told for longest. */
static void tell_source(csys_wait_set *set, struct telling *telling, struct csysi_source *source,
			unsigned ready, size_t most)
{
	struct csysi_ring *next;

	for (struct csysi_ring *link = source->entries.next; link != &source->entries && most > 0;
	     link = next) {
		struct csysi_entry *entry = csysi_entry_of(link);
		next = link->next;
		if (entry->round == set->round) /* the end: those behind it are told, too */
			return;
		if (!is_ready(entry, ready))
			continue;
		csysi_ring_to_end(&source->entries, link);
		tell(set, telling, entry, 1, 0);
		most--;
	}
}

/* One event of the system that is not that of a source with one entry. */
static void tell_other(csys_wait_set *set, struct telling *telling, struct csysi_source *source,
		       const struct csysi_os_pollset_event *event)
{
	if (event->key == CSYSI_OS_POLLSET_WAKE) {
		telling->is_woken = 1;
	} else if (event->key == CSYSI_OS_POLLSET_ALARM) {
		telling->is_alarmed = 1;
	} else if (!source) {
		telling->is_stale = 1;
	} else if (event->ready & CSYSI_OS_POLLSET_BAD) {
		csysi_source_end(set, source);
		telling->is_alarmed = 1; /* its entries are in `looked` now */
	} else {
		telling->is_more = 1;
		tell_source(set, telling, source, event->ready, 1);
	}
}

/* One event of the system.  The keys that are no source's are no slot's either. */
static inline void tell_event(csys_wait_set *set, struct telling *telling,
			      const struct csysi_os_pollset_event *event)
{
	struct csysi_source *source = csysi_slot_find(&set->sources, event->key);
	struct csysi_ring *link = source ? source->entries.next : NULL;

	if (CSYSI_LIKELY(source && link == source->entries.previous &&
			 !(event->ready & CSYSI_OS_POLLSET_BAD))) {
		struct csysi_entry *entry = csysi_entry_of(link);
		if (CSYSI_LIKELY(link != &source->entries && is_ready(entry, event->ready)))
			tell(set, telling, entry, 1, 0);
		return;
	}
	tell_other(set, telling, source, event);
}

/* ---- what the alarm is for --------------------------------------------------------------- */

static void tell_timers(csys_wait_set *set, struct telling *telling)
{
	int64_t now = set->heap_count > 0 ? csys_now() : 0;
	struct csysi_entry *entry;
	uint64_t count;

	while (telling->count < telling->max && (entry = csysi_timer_take(set, now, &count)))
		tell(set, telling, entry, count, 0);
}

/* Look at one entry of `looked`.  Returns 1: ready, a failure, or 0: not yet. */
static int look(struct csysi_entry *entry)
{
	if (entry->mode == CSYSI_ENTRY_ALWAYS)
		return 1;
	if (entry->mode == CSYSI_ENTRY_BAD)
		return CSYS_EBADF;
	/* It may have a cancellation point, and the set is locked. */
	int before = csysi_os_hold_cancel();
	int r = entry->waitable.is_ready(entry->waitable.object);
	csysi_os_release_cancel(before);
	return r;
}

static void tell_looked(csys_wait_set *set, struct telling *telling)
{
	struct csysi_ring *last = set->looked.previous;
	int is_over = 0;
	int is_any = 0;

	if (csysi_ring_is_empty(&set->looked))
		return;
	while (!is_over && telling->count < telling->max) {
		struct csysi_ring *link = set->looked.next;
		struct csysi_entry *entry = csysi_entry_of(link);
		is_over = link == last;
		csysi_ring_to_end(&set->looked, link);
		int r = look(entry);
		if (r != 0)
			tell(set, telling, entry, 1, r < 0 ? r : 0);
		is_any |= r != 0;
	}
	set->look_at = 1; /* what is ready is so for now; what was not looked at may be */
	if (is_any)
		set->naps.next = CSYSI_LOOK_FIRST;
	else if (is_over)
		set->look_at = csys_now() + csysi_backoff_next(&set->naps, CSYS_FOREVER);
}

/* Timers and what is looked at begin in turns: one of them may take all the room. */
static void tell_alarm(csys_wait_set *set, struct telling *telling)
{
	set->timers_first = !set->timers_first;
	if (set->timers_first)
		tell_timers(set, telling);
	tell_looked(set, telling);
	if (!set->timers_first)
		tell_timers(set, telling);
	(void)csysi_wait_set_schedule(set, 1);
}

/* ---- waits ---------------------------------------------------------------------------- */

/* Tell what the system has fetched.  Under lock. */
static void tell_all(csys_wait_set *set, struct telling *telling,
		     const struct csysi_os_pollset_event *fetched, size_t count)
{
	set->round++;
	for (size_t i = 0; i < count; i++)
		tell_event(set, telling, &fetched[i]);
	if (telling->is_alarmed && telling->count < telling->max)
		tell_alarm(set, telling);
	for (size_t i = 0; i < count && telling->is_more && telling->count < telling->max; i++) {
		struct csysi_source *source = csysi_slot_find(&set->sources, fetched[i].key);
		if (source)
			tell_source(set, telling, source, fetched[i].ready,
				    telling->max - telling->count);
	}
}

/* After a wait that told nothing but keys that cannot be taken away for now. */
static int pause_before_next(csys_deadline deadline)
{
	csysi_os_nap(csys_deadline_earlier(csys_after_ns(CSYSI_LOOK_FIRST), deadline));
	return csys_deadline_left(deadline) == 0 ? CSYS_ETIMEDOUT : 0;
}

/* After a key of no source, get rid of those that come again.  Whether they stay for now. */
static int is_stuck_with(csys_wait_set *set, const struct telling *telling)
{
	if (!telling->is_stale || set->lost_count == 0)
		return 0;
	if (csysi_source_renew(set) < 0)
		return 1;
	(void)csysi_wait_set_schedule(set, 0); /* for those that the system has not taken again */
	return 0;
}

/* One wait of the system, and what it tells.  A processor that forgets in a system call where
 * returns lead takes longer for each of these than for the lock: here is one less. */
static inline CSYSI_ATTRIBUTE((always_inline)) int wait_once(csys_wait_set *set,
							     struct telling *telling,
							     csys_deadline deadline)
{
	struct csysi_os_pollset_event fetched[CSYSI_OS_POLLSET_MOST];
	size_t count = 0;
	int r = csysi_os_pollset_wait(&set->os, fetched, telling->max, deadline, &count);
	if (r < 0 && r != CSYS_ETIMEDOUT)
		return r;

	csysi_lock_lock(&set->lock);
	/* At the deadline all is looked at once more, whatever the alarm says. */
	telling->is_alarmed = r == CSYS_ETIMEDOUT;
	tell_all(set, telling, fetched, count);
	int is_stuck = is_stuck_with(set, telling);
	csysi_lock_unlock(&set->lock);
	return is_stuck && telling->count == 0 ? pause_before_next(deadline) : r;
}

static int wait_until(csys_wait_set *set, csys_wait_event *events, size_t max,
		      csys_deadline deadline, size_t *out_count)
{
	struct telling telling = {
		.events = events,
		.max = max < CSYSI_OS_POLLSET_MOST ? max : CSYSI_OS_POLLSET_MOST,
	};
	int r = csysi_wait_set_check(set);

	if (r == 0 && (!events || max == 0 || !out_count))
		r = CSYS_EINVAL;
	while (r == 0) {
		r = wait_once(set, &telling, deadline);
		if (telling.count > 0 || telling.is_woken) {
			*out_count = telling.count;
			return 0;
		}
	}
	return r;
}

int csys_wait_set_wait(csys_wait_set *set, csys_wait_event *events, size_t max, size_t *out_count)
{
	return wait_until(set, events, max, CSYS_FOREVER, out_count);
}

int csys_wait_set_wait_until(csys_wait_set *set, csys_wait_event *events, size_t max,
			     csys_deadline deadline, size_t *out_count)
{
	return wait_until(set, events, max, deadline, out_count);
}

int csys_wait_set_try_wait(csys_wait_set *set, csys_wait_event *events, size_t max,
			   size_t *out_count)
{
	int r = wait_until(set, events, max, CSYS_POLL, out_count);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}
