/*
 * os/pollset.h - a kept set of handles, for waits that are told which of them are ready.
 *
 * What can be waited for is what os/poll.h says.  The caller has one registration for each handle,
 * whatever it waits for, and calls it by a key, which no other registration of this set has ever
 * had.  Readiness is a level, and a hint, as that of os/poll.h.
 *
 * Threads: waits, wakes and csysi_os_pollset_is_ready may be under way in any number of threads,
 * also beside one call of the others, which the caller makes one at a time.  What these do takes
 * effect at once for waits that are under way.  Only the close is alone.
 *
 * Fork: the caller makes no call but the close in a forked child, which does nothing to the set of
 * the parent.
 */
#ifndef CSYSI_OS_POLLSET_H
#define CSYSI_OS_POLLSET_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

struct csysi_os_pollset {
	void *place[2]; /* the system's own */
	csys_handle handles[6];
};

/* What to wait for, and what is ready; several of them together. */
enum {
	CSYSI_OS_POLLSET_READ = 1,  /* bytes, the end, the end of a process */
	CSYSI_OS_POLLSET_WRITE = 2, /* room */
	CSYSI_OS_POLLSET_BAD = 4    /* told only: not open any more */
};

/* Keys that are told for other reasons than handles. */
#define CSYSI_OS_POLLSET_WAKE UINT64_MAX
#define CSYSI_OS_POLLSET_ALARM (UINT64_MAX - 1)

struct csysi_os_pollset_event {
	uint64_t key;
	unsigned ready; /* of CSYSI_OS_POLLSET_READ...; perhaps more than was asked for */
};

/* Most events that a wait tells at once. */
#define CSYSI_OS_POLLSET_MOST 256

/* Make a set and release it.  CSYS_ENOMEM, CSYS_EMFILE. */
int csysi_os_pollset_open(struct csysi_os_pollset *out);
void csysi_os_pollset_close(struct csysi_os_pollset *set);

/*
 * Register a handle, for at least one of READ and WRITE.  Returns 1 if the handle is always ready
 * and the system does not wait for such ones: it is not registered then.  CSYS_EBADF: not open, or
 * the wrong end for one of these.  CSYS_EINVAL: the handle is of a set that waits for this one, or
 * of too many sets in each other.  CSYS_ENOMEM, CSYS_ENOSPC.
 */
int csysi_os_pollset_add(struct csysi_os_pollset *set, csys_handle handle, unsigned interest,
			 uint64_t key);

/*
 * Change what a registration waits for, or find out whether the handle is still what was
 * registered: CSYS_EBADF if it was closed, also if its number is another file's by now.
 */
int csysi_os_pollset_change(struct csysi_os_pollset *set, csys_handle handle, unsigned interest,
			    uint64_t key);

/*
 * End a registration.  Returns 0; or 1 if the handle was closed before and the system may go on
 * telling the key, as long as another handle for the same open file exists.  The way to end that is
 * csysi_os_pollset_clear.  A wait that is under way may have fetched the key in either case.
 */
int csysi_os_pollset_remove(struct csysi_os_pollset *set, csys_handle handle, uint64_t key);

/*
 * End all registrations, also those that could not be ended; the wake and the alarm stay.  The
 * handle of the set is what it was.  CSYS_EMFILE, CSYS_ENOMEM: nothing has changed.
 */
int csysi_os_pollset_clear(struct csysi_os_pollset *set);

/*
 * Let waits tell CSYSI_OS_POLLSET_ALARM from the point `at` of csysi_os_now on, above 0, until it
 * is set again; INT64_MAX: never.  One of several waiting threads may be told alone.  CSYS_EMFILE,
 * CSYS_ENOMEM and CSYS_ENOSPC for the first call only.
 */
int csysi_os_pollset_alarm(struct csysi_os_pollset *set, int64_t at);

/*
 * Let one wait tell CSYSI_OS_POLLSET_WAKE, one that is under way or the next.  Wakes that were not
 * told are one.  Does not wait, cannot fail, is no cancellation point.  Async-signal-safe.
 */
void csysi_os_pollset_wake(const struct csysi_os_pollset *set);

/*
 * Wait until a handle is ready, or for the alarm or a wake.  Tells at most `max` of them, at least
 * 1, and at most CSYSI_OS_POLLSET_MOST.  If there are more each of them is told by one of the next
 * waits.  CSYS_ETIMEDOUT.  *out_count may be 0, for no reason at all.  CSYS_ENOMEM and CSYS_EMFILE
 * where the set is not the system's own.  A cancellation point.
 */
int csysi_os_pollset_wait(struct csysi_os_pollset *set, struct csysi_os_pollset_event *events,
			  size_t max, csys_deadline deadline, size_t *out_count);

/* Whether a wait would not wait: 1 or 0, or the failure of a wait.  Takes nothing. */
int csysi_os_pollset_is_ready(struct csysi_os_pollset *set);

/*
 * Get the set's own handle, which is ready (os/poll.h, for reading) while a wait would not wait.
 * CSYS_ENOTSUP where there is none.  CSYS_EMFILE, CSYS_ENOMEM.  One call at a time.
 */
int csysi_os_pollset_handle(struct csysi_os_pollset *set, csys_handle *out_handle);

#endif
