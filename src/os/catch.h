/*
 * os/catch.h - catching the signals that come to this process.
 */
#ifndef CSYSI_OS_CATCH_H
#define CSYSI_OS_CATCH_H

#include <stdint.h>

/* The numbers of signals go from 1 up to this at most. */
#define CSYSI_OS_SIGNALS 128

/* Where a signal came from. */
enum csysi_os_cause {
	CSYSI_OS_CAUSE_UNKNOWN,
	CSYSI_OS_CAUSE_SYSTEM,
	CSYSI_OS_CAUSE_SENT,
	CSYSI_OS_CAUSE_CHILD,
	CSYSI_OS_CAUSE_TIMER,
	CSYSI_OS_CAUSE_IO
};

/* A signal that was caught. */
struct csysi_os_signal {
	int number;
	enum csysi_os_cause cause;
	int code;    /* the system's own number for the cause */
	int64_t pid; /* of the sender; -1 if the system does not tell */
	int64_t uid; /* of the sender; -1 if the system does not tell */
};

/* What happens to a caught signal next.  Of several verdicts on one signal the greatest counts. */
enum csysi_os_verdict {
	CSYSI_OS_VERDICT_PASS,  /* as if it were not caught: the previous disposition */
	CSYSI_OS_VERDICT_CHAIN, /* the previous handler, if there was one */
	CSYSI_OS_VERDICT_TAKEN, /* nothing */
	CSYSI_OS_VERDICT_DIE    /* its default, whatever the previous disposition */
};

/*
 * Called for each caught signal, in a signal handler: it may only make calls that are
 * async-signal-safe.  No other handler interrupts it, so it always completes; several
 * threads may be in it at the same time.  Where such events come on a thread of the system, it
 * runs there, beside all other threads, and the event that closes the process ends it when this
 * returns.
 */
typedef enum csysi_os_verdict csysi_os_catcher(const struct csysi_os_signal *signal);

/*
 * Check that a signal can be caught, and that its handler may return.  CSYS_EINVAL if not;
 * CSYS_ENOTSUP: the number is that of a signal, which this system does not have.
 */
int csysi_os_signal_check(int number);

/*
 * Catch a signal from now on.  All signals have the same catcher.  One call of this or
 * of csysi_os_uncatch at a time.  CSYS_ENOMEM; CSYS_EBUSY if other code has replaced our
 * handler of this signal too often.
 */
int csysi_os_catch(int number, csysi_os_catcher *catcher);

/*
 * Stop catching a signal.  The previous disposition is restored exactly, unless other code
 * has changed the disposition meanwhile; that code may go on calling our handler.
 */
void csysi_os_uncatch(int number);

#endif
