/*
 * sync/watch.c - threads that wait for several objects at once.
 *
 *   a watcher's word:
 *                 sleeps             WAITING:      its thread is awake
 *      WAITING ------------> ASLEEP  ASLEEP:       it sleeps, or is about to
 *         ^  |                 |     CLAIMED + i:  it has to look at its objects: the one of its
 *         |  | claimed         |                   watch i lets it through, or did so
 *         |  v                 |
 *      CLAIMED + i <-----------+
 *   renew
 *
 *   a place's lock:  FREE, HELD, or HELD | DUE
 *
 * Why no wake is lost.  Let a watcher note itself in the word of an object after it was listed, and
 * a notifier change that word after that.  The notifier reads what the watcher wrote, or what
 * came after it in an unbroken row of read-modify-writes; so, as these acquire and release, it
 * sees that the count of the place is not 0, and locks the place.  If it does so after the watcher
 * unlocked it, it finds the watch.  It cannot have done so before: then its change of
 * the word would have come before the watcher's look.  A watcher that lists a watch again, whose
 * note is still there, is in the count all the time; and if a notifier locked the place before
 * that, its change is seen by the look that comes after.  Where an object has no word for
 * this, the notifier's read-modify-write of the count takes the place of the note.
 *
 * Signal handlers.  A handler that notifies may have interrupted the thread that holds the lock of
 * the place, so it must not wait for it.  A notifier tries for a moment; then it adds DUE to
 * the lock, and goes on.  The holder cannot unlock then, but has to claim all watchers of the
 * place before: more than needed, which costs them a look.  This is rare, as a lock is held for a
 * few instructions.
 *
 * Wakes are made after the place was unlocked, by the address of the watcher's word; many of them
 * in parts, with a serial number as the end, since threads may come back and wait again.
 *
 * Orders.  The lock: acquire and release, so what is under it needs no more.  The word: a
 * claim is a release, and the thread reads it by an acquire.
 */
#include <csys/base/result.h>
#include <csys/sync/atomic.h>

#include <stddef.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/spin.h"
#include "sync/watch.h"

enum { WAITING, ASLEEP, CLAIMED };

enum { FREE = 0, HELD = 1, DUE = 2 };

#define PLACES 256

static struct CSYS_CACHE_PADDED place {
	uint32_t lock;
	uint32_t count;  /* atomic: of watches that were listed and have not ended */
	uint64_t serial; /* under lock, as all below */
	struct csysi_watch *first, *last;
} places[PLACES];

/* How often the process was forked, seen from here: a watch of another number is not listed. */
static uint32_t process;

/* 1 once the table is emptied in forked children. */
static uint32_t is_prepared;

/* Looks at a lock before its holder is told. */
#define TRIES 100

/* Threads that are woken after one locking of a place. */
#define PART 32

/* ---- the lock of a place ------------------------------------------------------------------ */

static struct place *place_of(const void *object)
{
	uint64_t address = (uintptr_t)object;

	/* Fibonacci hashing: neighbours go far apart. */
	return &places[(address * 0x9e3779b97f4a7c15u) >> 56];
}

/* In a forked child: the other threads do not exist, nor do their watches. */
static void forget(void)
{
	for (unsigned i = 0; i < PLACES; i++)
		places[i] = (struct place){ 0 };
	process++;
}

static int try_lock(struct place *place)
{
	uint32_t word = csysi_load_relaxed(&place->lock);

	/* Acquire pairs with the release of unlock. */
	return word == FREE && csysi_cas_acquire(&place->lock, &word, HELD);
}

static void lock(struct place *place)
{
	for (int tries = 0; !try_lock(place); tries++)
		csysi_spin_let_on(tries);
}

/* Lock the place: 1.  0: its holder was told to claim all watchers of it. */
static int lock_or_tell(struct place *place)
{
	for (int tries = 0; tries < TRIES; tries++) {
		if (try_lock(place))
			return 1;
		csys_spin_hint();
	}

	uint32_t word = csysi_load_relaxed(&place->lock);
	for (;;) {
		if (word == FREE) {
			if (csysi_cas_acquire(&place->lock, &word, HELD))
				return 1;
			/* Release pairs with the acquire of unlock: the watchers see what was done
			 * before. */
		} else if (csysi_cas_release(&place->lock, &word, HELD | DUE)) {
			return 0;
		}
	}
}

static void append(struct place *place, struct csysi_watch *watch)
{
	watch->serial = place->serial++;
	watch->next = NULL;
	watch->previous = place->last;
	if (place->last)
		place->last->next = watch;
	else
		place->first = watch;
	place->last = watch;
	watch->is_listed = 1;
}

static void delist(struct place *place, struct csysi_watch *watch)
{
	if (watch->previous)
		watch->previous->next = watch->next;
	else
		place->first = watch->next;
	if (watch->next)
		watch->next->previous = watch->previous;
	else
		place->last = watch->previous;
	watch->is_listed = 0;
}

/* Take out the watch, and claim its watcher: 1, and *out is the word to wake or NULL.  0: the
 * watcher was claimed before. */
static int claim(struct place *place, struct csysi_watch *watch, const uint32_t **out)
{
	struct csysi_watcher *watcher = watch->watcher;
	uint32_t word = csysi_load_relaxed(&watcher->word);

	delist(place, watch);
	while (word < CLAIMED)
		/* Release pairs with the acquires of csysi_watcher_sleep and _renew. */
		if (csysi_cas_release(&watcher->word, &word, CLAIMED + watch->index)) {
			*out = word == ASLEEP ? &watcher->word : NULL;
			csysi_spin_note(watcher->place);
			return 1;
		}
	return 0;
}

static void claim_all(struct place *place)
{
	while (place->first) {
		const uint32_t *asleep;
		if (claim(place, place->first, &asleep) && asleep)
			csysi_os_wake(asleep, 1, 0);
	}
}

static void unlock(struct place *place)
{
	uint32_t word = HELD;

	/* Release pairs with the acquire of try_lock; acquire with the release of lock_or_tell. */
	while (!csysi_cas_release(&place->lock, &word, FREE)) {
		(void)csysi_swap_acquire(&place->lock, HELD);
		claim_all(place);
		word = HELD;
	}
}

/* ---- waiting ------------------------------------------------------------------------------ */

/* The first time, in this process. */
static void begin(struct place *place, struct csysi_watch *watch)
{
	watch->is_begun = 1;
	watch->is_listed = 0;
	watch->process = process;
	/* Acquire and release: if a notifier's csysi_watch_notify_unnoted comes before this, the
	 * look that follows sees what it has changed. */
	(void)csysi_add_acq_rel(&place->count, 1);
}

#ifdef CSYSI_FAULTS
void (*csysi_watch_locked)(void);

static void tell_test(void)
{
	/* Relaxed: a test that sets it has other threads wait by then, or none. */
	void (*told)(void) = csysi_load_relaxed(&csysi_watch_locked);
	if (told)
		told();
}
#else
static void tell_test(void)
{
}
#endif

void csysi_watch_list(struct csysi_watch *watch)
{
	struct place *place = place_of(watch->object);

	/* Relaxed: all that sets it has been done before, by whatever thread. */
	if (!csysi_load_relaxed(&is_prepared) && csysi_os_at_fork(forget) == 0)
		csysi_store_relaxed(&is_prepared, 1);
	lock(place);
	if (!watch->is_begun || watch->process != process)
		begin(place, watch);
	if (!watch->is_listed)
		append(place, watch);
	tell_test();
	unlock(place);
}

int csysi_watch_is_lost(const struct csysi_watch *watch)
{
	return watch->process != process;
}

void csysi_watch_end(struct csysi_watch *watch)
{
	struct place *place = place_of(watch->object);

	lock(place);
	if (watch->process == process) {
		if (watch->is_listed)
			delist(place, watch);
		/* Relaxed: one that sees it too late finds no watch. */
		csysi_sub_relaxed(&place->count, 1);
	}
	unlock(place);
}

int csysi_watcher_sleep(struct csysi_watcher *watcher, csys_deadline deadline)
{
	uint32_t word = WAITING;

	/* Relaxed: the load behind it acquires. */
	for (struct csysi_spin spin = csysi_spin_begin(watcher->place, deadline);
	     csysi_spin_goes_on(&spin, word != WAITING);)
		word = csysi_load_relaxed(&watcher->word);
	/* Relaxed: ASLEEP publishes nothing.  If it fails the watcher was claimed. */
	if (word == WAITING && csysi_cas_relaxed(&watcher->word, &word, ASLEEP))
		word = ASLEEP;
	while (word == ASLEEP) {
		int r = csysi_os_wait(&watcher->word, ASLEEP, deadline, 0);
		/* Acquire pairs with the release of claim. */
		word = csysi_load_acquire(&watcher->word);
		if (r == CSYS_ETIMEDOUT && word == ASLEEP)
			return r;
	}
	return 0;
}

int64_t csysi_watcher_renew(struct csysi_watcher *watcher)
{
	/* Acquire pairs with the release of claim. */
	return (int64_t)csysi_swap_acquire(&watcher->word, WAITING) - CLAIMED;
}

/* ---- notifying ---------------------------------------------------------------------------- */

struct notice {
	const void *object;
	uint32_t left;   /* watchers that are still to be claimed */
	uint64_t before; /* the serial number at which it ends; 0: none is known yet */
};

/* Claim those of one part, and note which have to be woken.  1: there may be more. */
static int claim_part(struct place *place, struct notice *notice, const uint32_t **asleep,
		      unsigned *out_asleep)
{
	struct csysi_watch *next;

	if (notice->before == 0)
		notice->before = place->serial;
	for (struct csysi_watch *watch = place->first; watch; watch = next) {
		next = watch->next;
		if (watch->serial >= notice->before || notice->left == 0)
			return 0;
		if (watch->object != notice->object)
			continue;
		const uint32_t *word = NULL;
		if (claim(place, watch, &word))
			notice->left--;
		if (word)
			asleep[(*out_asleep)++] = word;
		if (*out_asleep == PART)
			return 1;
	}
	return 0;
}

static uint32_t notify(struct place *place, const void *object, uint32_t most)
{
	struct notice notice = { object, most, 0 };
	const uint32_t *asleep[PART];
	int is_more = 1;

	while (is_more) {
		unsigned count = 0;
		if (!lock_or_tell(place))
			break;
		is_more = claim_part(place, &notice, asleep, &count);
		unlock(place);
		for (unsigned i = 0; i < count; i++)
			csysi_os_wake(asleep[i], 1, 0);
	}
	return most - notice.left;
}

uint32_t csysi_watch_notify(const void *object, uint32_t most)
{
	struct place *place = place_of(object);

	/* Relaxed: the caller has acquired what a watcher did before it noted itself. */
	return csysi_load_relaxed(&place->count) > 0 ? notify(place, object, most) : 0;
}

uint32_t csysi_watch_notify_unnoted(const void *address)
{
	struct place *place = place_of(address);

	/* A read-modify-write, so that it comes before begin, or after: then it sees the watch.
	 * Release: what the caller changed is seen by the look that comes after begin. */
	return csysi_add_acq_rel(&place->count, 0) > 0 ? notify(place, address, UINT32_MAX) : 0;
}
