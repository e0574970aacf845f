/*
 * sync/wait_any.c - one wait for the first of several things.
 *
 * How a watcher is notified, and why no wake is lost, is in watch.h and watch.c.  Here is what a
 * watcher does: it lists a watch for each item and looks at it, in the order of the items, up to
 * the first that is ready; if none is, it sleeps, and begins anew when it was claimed.
 *
 * It may be claimed at any time until its last watch has ended, also when it has its answer.  So
 * a claim is passed on at the end, if the item of it lets one thread through: both the claim
 * by which the last look began, since an item before it may have been the answer, and one
 * that came after that.  The one that gets it may find that this thread has taken it after all.
 *
 * A predicate is the program's code: it may panic, throw, or end the thread, and then the watches
 * have to leave the table before their frame does.  It may fork, too; then the child's table is
 * empty, and the thread there lists its watches anew.
 */
#include <csys/sync/panic.h>
#include <csys/sync/wait_any.h>

#include <stddef.h>
#include <string.h>

#include "base/fault.h"
#include "base/memory.h"
#include "os/os.h"
#include "sync/spin.h"
#include "sync/watch.h"

/* Items that need no memory. */
#define FEW 16

/* If an item cannot count one more waiting thread, this one naps for so long and looks again. */
#define FULL_NAP_NS 500000

/* ---- items -------------------------------------------------------------------------------- */

enum { NOTHING, EVENT, LATCH, ONCE, SEMAPHORE, THREAD, RECEIVER, SENDER, PREDICATE, KINDS };

static int take_predicate(const csys_wait_item *item)
{
	return item->predicate(item->argument) != 0;
}

static int look_at_predicate(const csys_wait_item *item, struct csysi_watch *watch)
{
	(void)watch;
	return take_predicate(item);
}

static const struct csysi_watch_kind predicate_kind = { take_predicate, look_at_predicate, NULL,
							NULL };

static const struct csysi_watch_kind *kind_of(const csys_wait_item *item)
{
	/* By their numbers. */
	static const struct csysi_watch_kind *const kinds[KINDS] = {
		NULL,
		&csysi_event_kind,
		&csysi_latch_kind,
		&csysi_once_kind,
		&csysi_semaphore_kind,
		&csysi_thread_kind,
		&csysi_receiver_kind,
		&csysi_sender_kind,
		&predicate_kind,
	};

	return kinds[item->kind];
}

static csys_wait_item item_of(int kind, void *object)
{
	csys_wait_item item = { kind, 0, object, NULL, NULL };

	return item;
}

csys_wait_item csys_wait_for_event(csys_event *event)
{
	return item_of(EVENT, event);
}

csys_wait_item csys_wait_for_latch(csys_latch *latch)
{
	return item_of(LATCH, latch);
}

csys_wait_item csys_wait_for_once(csys_once *once)
{
	return item_of(ONCE, once);
}

csys_wait_item csys_wait_for_semaphore(csys_semaphore *semaphore)
{
	return item_of(SEMAPHORE, semaphore);
}

csys_wait_item csys_wait_for_thread(csys_thread *thread)
{
	return item_of(THREAD, thread);
}

csys_wait_item csys_wait_for_receiver(csys_receiver *receiver)
{
	return item_of(RECEIVER, receiver);
}

csys_wait_item csys_wait_for_sender(csys_sender *sender)
{
	return item_of(SENDER, sender);
}

csys_wait_item csys_wait_for_predicate(csys_wait_predicate *predicate, void *argument,
				       const void *address)
{
	/* The address is compared, and nothing else. */
	csys_wait_item item = { PREDICATE, 0, (void *)(uintptr_t)address, predicate, argument };

	return item;
}

/* 0, and whether there are predicates; or CSYS_EINVAL. */
static int check(const csys_wait_item *items, size_t count, int *out_has_predicates)
{
	if (count == 0 || count > UINT32_MAX / 2)
		return CSYS_EINVAL;
	*out_has_predicates = 0;
	for (size_t i = 0; i < count; i++) {
		const csys_wait_item *item = &items[i];
		if (item->kind <= NOTHING || item->kind >= KINDS || item->reserved != 0)
			return CSYS_EINVAL;
		int is_predicate = item->kind == PREDICATE;
		if (is_predicate ? !item->predicate : !item->object)
			return CSYS_EINVAL;
		*out_has_predicates |= is_predicate;
	}
	return 0;
}

/* ---- waiting ------------------------------------------------------------------------------ */

struct wait {
	const csys_wait_item *items;
	size_t count;
	csys_deadline deadline;
	struct csysi_watcher watcher;
	struct csysi_watch *watches;
	struct csysi_watch *memory; /* of the watches, or NULL */
	int64_t claim;              /* by which the last look began: an index, or below 0 */
	size_t which;
	int r;
	struct csysi_watch few[FEW];
};

/* Take the first that is ready: 1, with `which`.  0: none is.  CSYS_EAGAIN: none is, and some
 * cannot notify this thread.  Or a failure. */
static int look_once(struct wait *wait)
{
	int r = 0;

	for (size_t i = 0; i < wait->count; i++) {
		const csys_wait_item *item = &wait->items[i];
		csysi_watch_list(&wait->watches[i]);
		int its = kind_of(item)->look(item, &wait->watches[i]);
		if (its == 1)
			wait->which = i;
		if (its == 1 || (its < 0 && its != CSYS_EAGAIN))
			return its;
		if (its < 0)
			r = its;
	}
	return r;
}

static int look(struct wait *wait)
{
	int r;

	do
		r = look_once(wait);
	while ((r == 0 || r == CSYS_EAGAIN) && csysi_watch_is_lost(&wait->watches[0]));
	return r;
}

/* The deadline, or when an item is to be looked at before that. */
static csys_deadline first_of(const struct wait *wait)
{
	csys_deadline first = wait->deadline;

	for (size_t i = 0; i < wait->count; i++)
		first = csys_deadline_earlier(first, wait->watches[i].until);
	return first;
}

/* Wait until it is worth to look again: 0; or until the deadline. */
static int sleep_after(struct wait *wait, int r)
{
	if (r == 0) {
		csys_deadline first = first_of(wait);
		r = csysi_watcher_sleep(&wait->watcher, first);
		return csys_deadline_compare(first, wait->deadline) < 0 ? 0 : r;
	}
	int64_t left = csys_deadline_left(wait->deadline);
	csysi_spin_nap(left < FULL_NAP_NS ? left : FULL_NAP_NS);
	return csys_deadline_left(wait->deadline) > 0 ? 0 : CSYS_ETIMEDOUT;
}

static void run(void *argument)
{
	struct wait *wait = argument;
	int is_late = 0;

	for (;;) {
		wait->claim = csysi_watcher_renew(&wait->watcher);
		int r = look(wait);
		if (r == 1 || (r < 0 && r != CSYS_EAGAIN)) {
			wait->r = r < 0 ? r : 0;
			return;
		}
		if (is_late) {
			wait->r = CSYS_ETIMEDOUT;
			return;
		}
		is_late = sleep_after(wait, r) < 0;
	}
}

static void pass_on(const struct wait *wait, int64_t claim)
{
	if (claim < 0)
		return;
	const csys_wait_item *item = &wait->items[claim];
	if (kind_of(item)->pass_on)
		kind_of(item)->pass_on(item);
}

/* Called also when the stack is unwound. */
static void leave(void *argument)
{
	struct wait *wait = argument;

	for (size_t i = 0; i < wait->count; i++) {
		struct csysi_watch *watch = &wait->watches[i];
		if (watch->is_begun)
			csysi_watch_end(watch);
		if (watch->is_noted)
			kind_of(&wait->items[i])->end(&wait->items[i], watch);
	}
	pass_on(wait, wait->claim);
	pass_on(wait, csysi_watcher_renew(&wait->watcher));
	csysi_free(wait->memory);
}

/* ---- with predicates ---------------------------------------------------------------------- */

struct guarded {
	struct wait *wait;
	int caught;
	csys_panic_info panic;
};

static void attempt(void *argument)
{
	struct guarded *guarded = argument;

	guarded->caught = csys_panic_catch(run, guarded->wait, &guarded->panic);
}

static void leave_guarded(void *argument)
{
	struct guarded *guarded = argument;

	leave(guarded->wait);
}

static void run_guarded(struct wait *wait)
{
	struct guarded guarded;

	guarded.wait = wait;
	guarded.caught = 0;
	csysi_os_run(attempt, leave_guarded, &guarded);
	if (guarded.caught < 0)
		csys_panic_resume(&guarded.panic);
}

/* ---- the calls ---------------------------------------------------------------------------- */

/* 1: one was ready, and is taken.  0: none is.  Or a failure. */
static int take_first(const csys_wait_item *items, size_t count, size_t *out_which)
{
	for (size_t i = 0; i < count; i++) {
		int r = kind_of(&items[i])->take(&items[i]);
		if (r == 1)
			*out_which = i;
		if (r != 0)
			return r;
	}
	return 0;
}

/* The watches of a wait, all zero but for what csysi_watch_list needs. */
static int prepare(struct wait *wait)
{
	wait->watches = wait->few;
	if (wait->count > FEW) {
		if (wait->count > SIZE_MAX / sizeof *wait->watches)
			return CSYS_ENOMEM;
		wait->memory = csysi_alloc(wait->count * sizeof *wait->watches);
		if (!wait->memory)
			return CSYS_ENOMEM;
		wait->watches = wait->memory;
	}
	wait->watcher.place = wait->items;
	for (size_t i = 0; i < wait->count; i++)
		wait->watches[i] = (struct csysi_watch){ .object = wait->items[i].object,
							 .watcher = &wait->watcher,
							 .index = (uint32_t)i };
	return 0;
}

static int wait_for_first(const csys_wait_item *items, size_t count, csys_deadline deadline,
			  int has_predicates, size_t *out_which)
{
	struct wait wait;

	wait.items = items;
	wait.count = count;
	wait.deadline = deadline;
	wait.watcher.word = 0;
	wait.memory = NULL;
	wait.claim = -1;
	int r = prepare(&wait);
	if (r < 0)
		return r;
	if (has_predicates) {
		run_guarded(&wait);
	} else {
		run(&wait);
		leave(&wait);
	}
	if (wait.r == 0)
		*out_which = wait.which;
	return wait.r;
}

int csys_wait_any_until(const csys_wait_item *items, size_t count, csys_deadline deadline,
			size_t *out_which)
{
	int has_predicates;

	int r = check(items, count, &has_predicates);
	if (r < 0)
		return r;
	r = take_first(items, count, out_which);
	if (r != 0)
		return r < 0 ? r : 0;
	if (csys_deadline_left(deadline) == 0)
		return CSYS_ETIMEDOUT;
	return wait_for_first(items, count, deadline, has_predicates, out_which);
}

int csys_wait_any(const csys_wait_item *items, size_t count, size_t *out_which)
{
	return csys_wait_any_until(items, count, CSYS_FOREVER, out_which);
}

int csys_try_wait_any(const csys_wait_item *items, size_t count, size_t *out_which)
{
	int has_predicates;

	int r = check(items, count, &has_predicates);
	if (r < 0)
		return r;
	r = take_first(items, count, out_which);
	if (r == 0)
		return CSYS_EAGAIN;
	return r < 0 ? r : 0;
}

void csys_wait_any_notify(const void *address)
{
	csysi_watch_notify_unnoted(address);
}
