/*
 * io/wait_set.c - a set of entries that are waited for together.
 *
 * What happens to entries.  The overview is in wait_set.h, the waits are in wait_set_wait.c.
 *
 * Everything is done under the lock of the set, also the calls of the system for its own set and
 * the looks at objects without a handle; only the sleep is not.  So a removal returns when no look
 * is under way, and what a wait has fetched is compared with what the entries are by then.
 */
#include "base/atomic.h"
#include "base/fault.h"
#include "base/memory.h"
#include "io/wait_set.h"

/* ---- sets ----------------------------------------------------------------------------- */

int csys_wait_set_open(csys_wait_set **out_set)
{
	if (!out_set)
		return CSYS_EINVAL;
	uint32_t generation = csysi_os_generation();
	if (generation == 0)
		return CSYS_ENOMEM;
	csys_wait_set *set = csysi_fault(CSYS_ENOMEM) < 0 ? NULL : csysi_alloc_zero(sizeof *set);
	if (!set)
		return CSYS_ENOMEM;
	int r = csysi_os_pollset_open(&set->os);
	if (r < 0) {
		csysi_free(set);
		return r;
	}
	set->generation = generation;
	set->is_here = csysi_os_generation_place();
	set->entries.size = sizeof(struct csysi_entry_slot);
	set->sources.size = sizeof(struct csysi_source);
	csysi_ring_begin(&set->looked);
	set->alarm = INT64_MAX;
	*out_set = set;
	return 0;
}

void csys_wait_set_close(csys_wait_set *set)
{
	if (!set)
		return;
	csysi_os_pollset_close(&set->os);
	csysi_slots_free(&set->entries);
	csysi_slots_free(&set->sources);
	csysi_free(set->chains);
	csysi_free(set->heap);
	csysi_free(set);
}

/* ---- where entries are ----------------------------------------------------------------- */

static int set_alarm(csys_wait_set *set, int64_t at)
{
	int r = csysi_os_pollset_alarm(&set->os, at);

	if (r < 0)
		return r;
	set->alarm = at;
	set->has_alarm = 1;
	return 0;
}

static int64_t alarm_of(const csys_wait_set *set)
{
	int64_t at = set->heap_count > 0 ? set->heap[1]->at : INT64_MAX;

	return !csysi_ring_is_empty(&set->looked) && set->look_at < at ? set->look_at : at;
}

int csysi_wait_set_schedule(csys_wait_set *set, int is_served)
{
	int64_t at = alarm_of(set);

	/* One that is too early is left: timers that are put off again and again cost no call then,
	 * and a wait that finds nothing due sets it. */
	if (at == set->alarm || (!is_served && at > set->alarm))
		return 0;
	return set_alarm(set, at);
}

/* Have an alarm, so that setting it cannot fail. */
static int need_alarm(csys_wait_set *set)
{
	return set->has_alarm ? 0 : set_alarm(set, INT64_MAX);
}

/* Put an entry with a waitable, which is not paused, to where it belongs. */
static int enter(csys_wait_set *set, struct csysi_entry *entry)
{
	const csys_waitable *waitable = &entry->waitable;
	int r = 0;

	if (waitable->is_ready == csysi_wait_set_is_ready && waitable->object == set)
		return CSYS_EINVAL;
	if (waitable->handle != CSYS_NO_HANDLE)
		r = csysi_source_enter(set, entry);
	else if (waitable->is_ready)
		entry->mode = CSYSI_ENTRY_LOOK;
	else
		r = waitable->is_missing ? CSYS_ENOTSUP : CSYS_EBADF;
	if (r < 0 || entry->mode == CSYSI_ENTRY_HANDLE)
		return r;
	r = need_alarm(set);
	if (r == 0)
		csysi_wait_set_look_at(set, entry);
	return r;
}

static void leave(csys_wait_set *set, struct csysi_entry *entry)
{
	if (entry->mode == CSYSI_ENTRY_HANDLE)
		csysi_source_leave(set, entry);
	else if (entry->mode == CSYSI_ENTRY_TIMER)
		csysi_timer_leave(set, entry);
	else
		csysi_ring_take_out(&entry->link);
}

static void pause(csys_wait_set *set, struct csysi_entry *entry)
{
	entry->is_paused = 1;
	if (entry->mode == CSYSI_ENTRY_HANDLE)
		/* If it fails more is told than is asked for, which is passed over. */
		(void)csysi_source_update(set, entry->source);
	else
		leave(set, entry);
}

static int resume(csys_wait_set *set, struct csysi_entry *entry)
{
	int r = 0;

	entry->is_paused = 0;
	if (entry->mode == CSYSI_ENTRY_HANDLE)
		r = csysi_source_update(set, entry->source);
	else if (entry->mode == CSYSI_ENTRY_TIMER)
		csysi_timer_enter(set, entry);
	else
		csysi_wait_set_look_at(set, entry);
	if (r < 0 && r != CSYS_EBADF) /* after that it is told that it is BAD */
		entry->is_paused = 1;
	return r;
}

/* ---- calls ------------------------------------------------------------------------------ */

/* Lock the set and find an entry in it.  After a failure it is not locked. */
static int lock_entry(csys_wait_set *set, csys_wait_entry name, struct csysi_entry **out)
{
	int r = csysi_wait_set_check(set);
	if (r < 0)
		return r;
	csysi_lock_lock(&set->lock);
	struct csysi_entry_slot *slot = csysi_slot_find(&set->entries, name.id);
	if (!slot) {
		csysi_lock_unlock(&set->lock);
		return CSYS_ENOENT;
	}
	*out = &slot->entry;
	return 0;
}

/* Unlock the set after a change of it. */
static void unlock(csys_wait_set *set)
{
	/* Fails for the first alarm only, which exists if it was asked for. */
	(void)csysi_wait_set_schedule(set, 0);
	csysi_lock_unlock(&set->lock);
}

static struct csysi_entry *make(csys_wait_set *set, csys_token token)
{
	struct csysi_entry_slot *slot = csysi_slot_take(&set->entries);
	if (!slot)
		return NULL;
	slot->entry.id = csysi_slot_id(slot);
	slot->entry.token = token;
	csysi_ring_begin(&slot->entry.link);
	return &slot->entry;
}

static void release(csys_wait_set *set, struct csysi_entry *entry)
{
	csysi_slot_give_back(&set->entries, csysi_slot_find(&set->entries, entry->id));
}

static int add(csys_wait_set *set, csys_waitable waitable, csys_token token,
	       csys_wait_entry *out_entry)
{
	struct csysi_entry *entry = make(set, token);
	if (!entry)
		return CSYS_ENOMEM;
	entry->waitable = waitable;
	int r = enter(set, entry);
	if (r < 0)
		release(set, entry);
	else
		out_entry->id = entry->id;
	return r;
}

int csys_wait_set_add(csys_wait_set *set, csys_waitable waitable, csys_token token,
		      csys_wait_entry *out_entry)
{
	csys_wait_entry unused;
	int r = csysi_wait_set_check(set);
	if (r < 0)
		return r;
	csysi_lock_lock(&set->lock);
	r = add(set, waitable, token, out_entry ? out_entry : &unused);
	unlock(set);
	return r;
}

/* Set a timer that is in no heap. */
static void set_timer(csys_wait_set *set, struct csysi_entry *entry, csys_deadline at,
		      int64_t period_ns)
{
	entry->at = csys_deadline_is_poll(at) ? csys_now() : csys_deadline_ns(at);
	entry->period = period_ns;
	csysi_timer_enter(set, entry);
}

static int add_timer(csys_wait_set *set, csys_deadline at, int64_t period_ns, csys_token token,
		     csys_wait_entry *out_entry)
{
	struct csysi_entry *entry = make(set, token);
	if (!entry)
		return CSYS_ENOMEM;
	int r = csysi_timer_reserve(set);
	if (r == 0)
		r = need_alarm(set); /* the last: it stays */
	if (r < 0) {
		release(set, entry);
		return r;
	}
	entry->mode = CSYSI_ENTRY_TIMER;
	set->timer_count++;
	set_timer(set, entry, at, period_ns);
	out_entry->id = entry->id;
	return 0;
}

int csys_wait_set_add_timer(csys_wait_set *set, csys_deadline at, int64_t period_ns,
			    csys_token token, csys_wait_entry *out_entry)
{
	csys_wait_entry unused;
	int r = csysi_wait_set_check(set);
	if (r < 0)
		return r;
	if (period_ns < 0)
		return CSYS_EINVAL;
	csysi_lock_lock(&set->lock);
	r = add_timer(set, at, period_ns, token, out_entry ? out_entry : &unused);
	unlock(set);
	return r;
}

/* Let an entry be what `fresh` is, which then is nowhere. */
static void become(csys_wait_set *set, struct csysi_entry *entry, struct csysi_entry *fresh)
{
	leave(set, entry);
	csysi_ring_replace(&fresh->link, &entry->link);
	entry->mode = fresh->mode;
	entry->source = fresh->source;
	entry->waitable = fresh->waitable;
	if (entry->is_paused)
		pause(set, entry);
}

static int change(csys_wait_set *set, struct csysi_entry *entry, csys_waitable waitable)
{
	struct csysi_entry fresh = { .waitable = waitable };
	int r;

	if (entry->mode == CSYSI_ENTRY_TIMER)
		return CSYS_EINVAL;
	if (entry->mode == CSYSI_ENTRY_HANDLE && !entry->is_paused &&
	    entry->waitable.handle == waitable.handle) {
		r = csysi_source_turn(set, entry, waitable.writing);
		if (entry->mode == CSYSI_ENTRY_HANDLE)
			return r;
		/* The handle was closed.  Its number may be another file's: from now on that. */
	}
	csysi_ring_begin(&fresh.link);
	r = enter(set, &fresh);
	if (r == 0)
		become(set, entry, &fresh);
	return r;
}

int csys_wait_set_change(csys_wait_set *set, csys_wait_entry entry, csys_waitable waitable,
			 csys_token token)
{
	struct csysi_entry *changed;
	int r = lock_entry(set, entry, &changed);
	if (r < 0)
		return r;
	r = change(set, changed, waitable);
	if (r == 0)
		changed->token = token;
	unlock(set);
	return r;
}

int csys_wait_set_set_timer(csys_wait_set *set, csys_wait_entry entry, csys_deadline at,
			    int64_t period_ns)
{
	struct csysi_entry *timer;
	int r = lock_entry(set, entry, &timer);
	if (r < 0)
		return r;
	if (timer->mode != CSYSI_ENTRY_TIMER || period_ns < 0) {
		r = CSYS_EINVAL;
	} else {
		csysi_timer_leave(set, timer);
		set_timer(set, timer, at, period_ns);
	}
	unlock(set);
	return r;
}

int csys_wait_set_pause(csys_wait_set *set, csys_wait_entry entry)
{
	struct csysi_entry *paused;
	int r = lock_entry(set, entry, &paused);
	if (r < 0)
		return r;
	if (!paused->is_paused)
		pause(set, paused);
	unlock(set);
	return 0;
}

int csys_wait_set_resume(csys_wait_set *set, csys_wait_entry entry)
{
	struct csysi_entry *resumed;
	int r = lock_entry(set, entry, &resumed);
	if (r < 0)
		return r;
	if (resumed->is_paused)
		r = resume(set, resumed);
	unlock(set);
	return r;
}

int csys_wait_set_remove(csys_wait_set *set, csys_wait_entry entry)
{
	struct csysi_entry *removed;
	int r = lock_entry(set, entry, &removed);
	if (r < 0)
		return r;
	leave(set, removed);
	set->timer_count -= removed->mode == CSYSI_ENTRY_TIMER;
	release(set, removed);
	unlock(set);
	return 0;
}

void csys_wait_set_wake(csys_wait_set *set)
{
	if (csysi_wait_set_check(set) == 0)
		csysi_os_pollset_wake(&set->os);
}

/* ---- sets as what can be waited for ------------------------------------------------------ */

int csys_wait_set_handle(csys_wait_set *set, csys_handle *out_handle)
{
	int r = csysi_wait_set_check(set);
	if (r < 0)
		return r;
	if (!out_handle)
		return CSYS_EINVAL;
	csysi_lock_lock(&set->lock);
	r = csysi_os_pollset_handle(&set->os, out_handle);
	csysi_lock_unlock(&set->lock);
	return r;
}

/* Without the lock: a set that is in itself through others is looked at under its own. */
int csysi_wait_set_is_ready(void *object)
{
	csys_wait_set *set = object;
	int r = csysi_wait_set_check(set);

	return r < 0 ? r : csysi_os_pollset_is_ready(&set->os);
}

csys_waitable csys_wait_set_waitable(csys_wait_set *set)
{
	csys_waitable waitable = { .handle = CSYS_NO_HANDLE };

	if (csysi_wait_set_check(set) < 0)
		return waitable;
	if (csys_wait_set_handle(set, &waitable.handle) < 0) {
		waitable.is_ready = csysi_wait_set_is_ready;
		waitable.object = set;
	}
	return waitable;
}
