/**
 * \file
 * csys/process/signal.h - signals that come to this process, as events.
 *
 *     int wanted[] = { SIGINT, SIGTERM };
 *     csys_signals *signals;
 *     if (csys_signals_open(wanted, 2, NULL, &signals) < 0)
 *             return -1;
 *     csys_signal_event event;
 *     while (csys_signals_wait(signals, &event) == 0)
 *             printf("%s, %u times\n", csys_signal_name(event.signal), event.count);
 *     csys_signals_close(signals);
 *
 * Any part of a program may open a subscription, to the same signals or to others.  Each
 * subscription gets every signal that it asked for.
 *
 * Before the first subscription to a signal nothing is changed.  The first one installs a handler,
 * which calls the handler that was there before.  The last close for a signal puts back exactly
 * what was there.  If other code has installed a handler over that of csys meanwhile, it stays.
 *
 * Signals of one number that come before they are taken are one event with a count, so none is
 * lost.  While a subscription is open a signal has no other effect: SIGTERM, which ends a
 * process by default, is an event and ends nothing.
 *
 * Windows has the events of a console alone: SIGINT, SIGBREAK, and SIGHUP for one that is closed,
 * which ends the process when it was seen.  Another number is CSYS_ENOTSUP there.
 *
 * Threads: several may make any calls at once, also for one subscription, but for its close.
 * Signal handlers may call csys_signal_name only.
 *
 * Fork: a forked child has no subscription.  A signal that comes to it does what it would have
 * done without any: it calls the handler that was there before, or has its default effect.  Taking
 * from the copy of a subscription is CSYS_EBADF, and its close releases the copy.  The child may
 * open its own, the first one before it starts threads.  A spawned program starts with all
 * signals at their defaults.
 */
#ifndef CSYS_PROCESS_SIGNAL_H
#define CSYS_PROCESS_SIGNAL_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>

CSYS_BEGIN_DECLS

/** A subscription to signals. */
typedef struct csys_signals csys_signals;

/** Options of csys_signals_open; all zero is the default. */
typedef struct csys_signals_options {
	int replace;           /**< 1: while the subscription is open, the handler that was there
				    is not called */
	int second_kills;      /**< 1: if SIGHUP, SIGINT, SIGQUIT or SIGTERM comes again before the
				    first was taken, it ends the process by its default: for users
				    that press ^C again because nothing happens */
	uintptr_t reserved[4]; /**< zero */
} csys_signals_options;

/** What a signal comes from: the values of csys_signal_event.cause. */
enum {
	CSYS_CAUSE_UNKNOWN = 0, /**< the system does not tell, or csys does not know the code */
	CSYS_CAUSE_SYSTEM = 1,  /**< the system itself: a terminal's ^C, a limit */
	CSYS_CAUSE_SENT = 2,    /**< a process, perhaps this one: kill, raise, sigqueue */
	CSYS_CAUSE_CHILD = 3,   /**< a child that ended, stopped or goes on; pid is the child's */
	CSYS_CAUSE_TIMER = 4,   /**< a timer of this process */
	CSYS_CAUSE_IO = 5       /**< asynchronous input and output, message queues */
};

/** One or more signals of one number; cause, code and sender are those of the first. */
typedef struct csys_signal_event {
	int signal;     /**< its number, as in <signal.h> */
	int cause;      /**< CSYS_CAUSE_SENT, ... */
	int code;       /**< the system's own word for the cause (si_code) */
	unsigned count; /**< how many came since the last was taken, at least 1 */
	int64_t pid;    /**< the process that sent it, -1 if the system does not tell */
	int64_t uid;    /**< the user that sent it, -1 if the system does not tell */
} csys_signal_event;

/**
 * Subscribe to signals.
 *
 * After a failure the dispositions are as they were.
 *
 * \param signals  their numbers; one that is named twice counts once
 * \param count    how many there are, at least 1
 * \param options  what is to be different; may be NULL
 * \param out      the subscription, to be closed by csys_signals_close.  Unchanged on failure
 * \retval 0             *out is set
 * \retval CSYS_EINVAL   there are no signals, or one is no signal, cannot be caught (SIGKILL,
 *                       SIGSTOP) or is one that a handler cannot return from (SIGSEGV, SIGBUS,
 *                       SIGFPE, SIGILL); or something is in `reserved`
 * \retval CSYS_ENOTSUP  the system does not have one of them
 * \retval CSYS_ENOMEM   there is no memory
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_EBUSY    handlers of other code were left over those of csys for one signal 8 times
 */
CSYS_API CSYS_MUST_CHECK int csys_signals_open(const int *signals, size_t count,
					       const csys_signals_options *options,
					       csys_signals **out);

/**
 * End a subscription and release it.
 *
 * Events that were not taken are forgotten.  If this was the last subscription to a signal, its
 * disposition is again what it was before the first, unless other code changed it meanwhile.
 *
 * \param signals  the subscription; NULL is ignored
 */
CSYS_API void csys_signals_close(csys_signals *signals);
CSYSI_AUTO(csys_signals, csys_signals_close(*object))

/**
 * Tell the handle of a subscription, for an event loop.
 *
 * It polls readable (POLLIN) while an event is pending.  It may be readable once too often: take
 * events until CSYS_EAGAIN.  Do not read or close it.
 *
 * \param signals  the subscription, which keeps the handle
 * \return the handle; CSYS_NO_HANDLE for NULL
 */
CSYS_API csys_handle csys_signals_handle(const csys_signals *signals);

/**
 * Make a waitable for a pending event, for csys_poll.
 *
 * It may be ready once too often: take the event with csys_signals_try_wait.
 *
 * \param signals  the subscription.  csys_poll fails with CSYS_EBADF for NULL and, in a forked
 *                 child, for a waitable that was made there; one that was made before the fork
 *                 tells of the parent's events
 * \return the waitable
 */
CSYS_API csys_waitable csys_signals_waitable(const csys_signals *signals);

/**
 * Take a pending event, without waiting.
 *
 * Events of several signals come in no particular order.
 *
 * \param signals  the subscription
 * \param out      the event.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EAGAIN  no event is pending
 * \retval CSYS_EBADF   this is a forked child, and the subscription its parent's
 * \retval CSYS_EINVAL  a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_signals_try_wait(csys_signals *signals, csys_signal_event *out);

/**
 * Wait for one event and take it.
 *
 * Several threads may wait at once; each event goes to one of them.
 *
 * \param signals  the subscription
 * \param out      the event.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EBADF   this is a forked child, and the subscription its parent's
 * \retval CSYS_EINVAL  a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_signals_wait(csys_signals *signals, csys_signal_event *out);

/**
 * Wait for one event until `deadline`, and take it.
 *
 * Several threads may wait at once; each event goes to one of them.
 *
 * \param signals   the subscription
 * \param deadline  when to give up; an event that is pending is taken even if it has passed
 * \param out       the event.  Unchanged on failure
 * \retval 0               *out is set
 * \retval CSYS_ETIMEDOUT  no event came by then
 * \retval CSYS_EBADF      this is a forked child, and the subscription its parent's
 * \retval CSYS_EINVAL     a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_signals_wait_until(csys_signals *signals, csys_deadline deadline,
						     csys_signal_event *out);

/**
 * Tell the name of a signal, such as "SIGTERM".
 *
 * Async-signal-safe.
 *
 * \param signal  its number
 * \return static text; NULL for a number without a name
 */
CSYS_API const char *csys_signal_name(int signal);

CSYS_END_DECLS

#endif
