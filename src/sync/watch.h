/*
 * sync/watch.h - threads that wait for several objects at once.
 *
 * A thread that waits so is a watcher, with one word to sleep on; it has a watch on each of
 * the objects.  Both are in its frame.  A watch is listed in a static table, by the address of its
 * object; so an object needs no room for it, but only a state in which its notifier finds that
 * a thread may be waiting.  All objects have that already, for threads that sleep on their words.
 *
 *     a thread that waits                        a thread that notifies
 *       csysi_watch_list, for each object          changes the object, and finds that a thread
 *       notes in the object that a thread waits,     waits
 *         and looks at it (csysi_watch_kind)       csysi_watch_notify: claims a watcher that is
 *       csysi_watcher_sleep                          listed for the object, and wakes it
 *       looks at all of them again
 *       csysi_watch_end, for each object
 *
 * Invariant: an object that is ready is looked at by each watcher that is listed for it, or, if it
 * lets one thread through only, by one of them:
 *   - the watch is listed before its thread looks; so the notifier finds the watch, or the
 *     thread finds the object ready;
 *   - a notifier takes out the watches that it finds, and claims their watchers.  A watcher that
 *     is claimed already is skipped: it has yet to look at all its objects;
 *   - a watcher that was claimed by an object which lets one through, and returns with another
 *     one or at its deadline, passes that on (csysi_watch_kind.pass_on).
 *
 * The watcher's thread touches its frame's watches only under the lock of their place in the
 * table, or when they are not listed; and it locks the place of each one before it returns.  So a
 * thread that holds the lock of a place may use the watches that are listed there, and their
 * watchers.
 *
 * Notifying may be done in a signal handler, where the system's wake may; watch.c tells how.
 */
#ifndef CSYSI_SYNC_WATCH_H
#define CSYSI_SYNC_WATCH_H

#include <stdint.h>

#include <csys/base/deadline.h>
#include <csys/sync/wait_any.h>

/* A thread that waits.  All zero at first but for `place`. */
struct csysi_watcher {
	uint32_t word;     /* its state: watch.c */
	const void *place; /* by which spin.h knows this wait: the same for the next one like it */
};

/* One of its objects.  All zero at first but for the first three. */
struct csysi_watch {
	const void *object;
	struct csysi_watcher *watcher;
	uint32_t index; /* among the watcher's */

	/* Of watch.c; under the lock of the place. */
	uint32_t process; /* in which it is listed: grows in a forked child */
	uint64_t serial;
	struct csysi_watch *previous, *next;
	int is_listed;
	int is_begun; /* its owner's alone */

	/* Of the object's noun, and its owner's alone. */
	int is_noted; /* the object has this thread in a count, so csysi_watch_kind.end is due */
	uint64_t seen;
	csys_deadline until; /* when to look again without being notified */
};

/* ---- waiting ------------------------------------------------------------------------------ */

/* List the watch, unless it is listed. */
void csysi_watch_list(struct csysi_watch *watch);

#ifdef CSYSI_FAULTS
/* For tests, unless NULL: called while csysi_watch_list holds the lock, as a handler may be. */
extern void (*csysi_watch_locked)(void);
#endif

/* Whether the process is a child that was forked since the watch was listed: it is not listed any
 * more, nor is any other one that was listed then. */
int csysi_watch_is_lost(const struct csysi_watch *watch);

/* It is not listed any more, and no other thread touches it.  For one that was listed before. */
void csysi_watch_end(struct csysi_watch *watch);

/* Wait until the watcher is claimed: 0; or until `deadline`: CSYS_ETIMEDOUT. */
int csysi_watcher_sleep(struct csysi_watcher *watcher, csys_deadline deadline);

/* Before its objects are looked at: let it be claimed anew.  Returns the index of the watch by
 * which it was claimed, or a negative number. */
int64_t csysi_watcher_renew(struct csysi_watcher *watcher);

/* ---- notifying ---------------------------------------------------------------------------- */

/*
 * Let up to `most` watchers look that are listed for the object, which was changed before by an
 * operation with acquire and release on the word in which they have noted themselves.  Returns
 * how many, as far as that is known.  Only the address is used: the object may be gone.
 */
uint32_t csysi_watch_notify(const void *object, uint32_t most);

/* Let all watchers look that are listed for the address, in no word of which anything is noted. */
uint32_t csysi_watch_notify_unnoted(const void *address);

/* ---- nouns -------------------------------------------------------------------------------- */

/* What an item stands for.  Each noun has one of these. */
struct csysi_watch_kind {
	/* Take it if it is ready: 1; 0: it is not; or a failure. */
	int (*take)(const csys_wait_item *item);

	/*
	 * Note in the object that a thread waits, unless that is noted still; then take it if it is
	 * ready: 1, and then nothing is noted.  0: it is not.  CSYS_EAGAIN: it is not, and nothing
	 * can be noted at this time.  Or a failure.  The note is an operation with acquire and
	 * release on the word that a notifier changes.
	 */
	int (*look)(const csys_wait_item *item, struct csysi_watch *watch);

	/* Take back what is noted.  NULL: nothing is. */
	void (*end)(const csys_wait_item *item, struct csysi_watch *watch);

	/* Notify another watcher, if the object lets one through.  NULL: it lets all through. */
	void (*pass_on)(const csys_wait_item *item);
};

extern const struct csysi_watch_kind csysi_receiver_kind;
extern const struct csysi_watch_kind csysi_sender_kind;
extern const struct csysi_watch_kind csysi_event_kind;
extern const struct csysi_watch_kind csysi_latch_kind;
extern const struct csysi_watch_kind csysi_once_kind;
extern const struct csysi_watch_kind csysi_semaphore_kind;
extern const struct csysi_watch_kind csysi_thread_kind;

#endif
