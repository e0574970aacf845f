/*
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
 * Any part of a program may open a subscription, to the same signals or others;
 * each gets every signal that it asked for.  Nothing is changed before the
 * first: that one installs a handler, which calls the handler that was there
 * before, and the last close of a signal puts back exactly what it found.  If
 * other code has installed a handler over it meanwhile, that one stays.
 *
 * Signals of one number that come before a take are one event with a count, so
 * none is lost.  What was at its default or ignored is not done any more while
 * a subscription is open: SIGTERM is an event then and ends nothing.
 *
 * Threads: all calls may be made at once, for one subscription too, but for its
 * close, which belongs to one.  None but csys_signal_name may be called in a
 * signal handler.  Fork: a forked child has no subscription.  A signal that
 * comes to it does what it would have done without any (the handler of before,
 * or the default), its own take is CSYS_EBADF, close releases its copy; it may
 * open its own, the first before it starts threads.  A spawned program starts
 * with all signals at their defaults.
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

typedef struct csys_signals csys_signals;

/* All zero is the default. */
typedef struct csys_signals_options {
	int replace;           /* 1: the handler that was there is not called while this is open */
	int second_kills;      /* 1: SIGHUP, SIGINT, SIGQUIT or SIGTERM, when it comes again before
				  the first was taken, ends the process by its default: for users
				  that press ^C again because nothing happens */
	uintptr_t reserved[4]; /* zero */
} csys_signals_options;

/* What a signal comes from. */
enum {
	CSYS_CAUSE_UNKNOWN = 0, /* the system does not tell, or csys does not know the code */
	CSYS_CAUSE_SYSTEM = 1,  /* the system itself: a terminal's ^C, a limit */
	CSYS_CAUSE_SENT = 2,    /* a process, this one too: kill, raise, sigqueue */
	CSYS_CAUSE_CHILD = 3,   /* a child that ended, stopped or goes on; pid is the child */
	CSYS_CAUSE_TIMER = 4,   /* a timer of this process */
	CSYS_CAUSE_IO = 5       /* asynchronous input and output, message queues */
};

/* One signal; of several that were merged, the origin is that of the first. */
typedef struct csys_signal_event {
	int signal;     /* its number, as in <signal.h> */
	int cause;      /* CSYS_CAUSE_SENT, ... */
	int code;       /* the system's own (si_code) */
	unsigned count; /* how many came since the last take, at least 1 */
	int64_t pid;    /* of the sender, -1 if the system does not tell */
	int64_t uid;    /* of the sender, -1 likewise */
} csys_signal_event;

/*
 * Subscribe to `count` signals (a number named twice counts once).  `options`
 * may be NULL.  Returns 0; CSYS_EINVAL for no signals, a number that is none,
 * one that cannot be caught (SIGKILL, SIGSTOP), one that a handler cannot
 * return from (SIGSEGV, SIGBUS, SIGFPE, SIGILL), or something in `reserved`;
 * CSYS_ENOMEM, CSYS_EMFILE; CSYS_EBUSY when handlers of other code were left
 * over csys's own for one signal 8 times.  After a failure dispositions are as
 * they were.
 */
CSYS_API CSYS_MUST_CHECK int csys_signals_open(const int *signals, size_t count,
					       const csys_signals_options *options,
					       csys_signals **out);

/*
 * End the subscription.  Events that were not taken are forgotten.  When this
 * was the last one for a signal, its disposition is as it was before the first,
 * unless other code changed it meanwhile.  NULL is fine.
 */
CSYS_API void csys_signals_close(csys_signals *signals);
CSYSI_AUTO(csys_signals, csys_signals_close(*object))

/*
 * A handle that polls readable (POLLIN) while an event is pending, for an event
 * loop.  It may say so once too often, so take until CSYS_EAGAIN.  It stays the
 * subscription's; do not read or close it.
 */
CSYS_API csys_handle csys_signals_handle(const csys_signals *signals);

/*
 * A pending event, for csys_poll.  As its handle it may say so once too often, so use
 * csys_signals_try_wait then.  CSYS_EBADF there for NULL, and in a forked child for a waitable
 * that was made there; one that was made before the fork tells of the parent's events.
 */
CSYS_API csys_waitable csys_signals_waitable(const csys_signals *signals);

/*
 * Take one event, without waiting, in no order.  Returns 0, CSYS_EAGAIN if
 * there is none, CSYS_EBADF in a forked child.
 */
CSYS_API CSYS_MUST_CHECK int csys_signals_try_wait(csys_signals *signals, csys_signal_event *out);

/*
 * Wait for one event and take it, for ever or until `deadline`: then CSYS_ETIMEDOUT.
 * Several threads may wait at once; each event goes to one of them.
 */
CSYS_API CSYS_MUST_CHECK int csys_signals_wait(csys_signals *signals, csys_signal_event *out);
CSYS_API CSYS_MUST_CHECK int csys_signals_wait_until(csys_signals *signals, csys_deadline deadline,
						     csys_signal_event *out);

/*
 * "SIGTERM" for its number.  Static text; NULL for a number without a name.
 * Async-signal-safe.
 */
CSYS_API const char *csys_signal_name(int signal);

CSYS_END_DECLS

#endif
