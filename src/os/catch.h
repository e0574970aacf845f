/*
 * os/catch.h - signals that come to this process.
 */
#ifndef CSYSI_OS_CATCH_H
#define CSYSI_OS_CATCH_H

#include <stdint.h>

/* Their numbers go from 1 up to this at most. */
#define CSYSI_OS_SIGNALS 128

enum csysi_os_cause {
	CSYSI_OS_CAUSE_UNKNOWN,
	CSYSI_OS_CAUSE_SYSTEM,
	CSYSI_OS_CAUSE_SENT,
	CSYSI_OS_CAUSE_CHILD,
	CSYSI_OS_CAUSE_TIMER,
	CSYSI_OS_CAUSE_IO
};

struct csysi_os_signal {
	int number;
	enum csysi_os_cause cause;
	int code;    /* the system's own */
	int64_t pid; /* -1 if it does not tell */
	int64_t uid; /* likewise */
};

/* What becomes of a caught signal; where several want different things, the greatest. */
enum csysi_os_verdict {
	CSYSI_OS_VERDICT_PASS,  /* as if it were not caught: handler of before, or default */
	CSYSI_OS_VERDICT_CHAIN, /* the handler of before, if there was one */
	CSYSI_OS_VERDICT_TAKEN, /* nothing more */
	CSYSI_OS_VERDICT_DIE    /* its default, whatever was before */
};

/*
 * Called for each caught signal, in a handler: async-signal-safe calls only.
 * Nothing else runs in its thread meanwhile, no other handler either, so it
 * comes to its end; several threads may be in it at once.
 */
typedef enum csysi_os_verdict csysi_os_catcher(const struct csysi_os_signal *signal);

/* 0 if it can be caught and a handler can return from it, else CSYS_EINVAL. */
int csysi_os_signal_check(int number);

/*
 * Catch a signal from now on (there is one catcher for all), and stop that:
 * then its disposition is exactly as before, unless other code has changed it
 * meanwhile.  That code may go on calling our handler from its own.  One
 * caller at a time.  CSYS_ENOMEM, CSYS_EBUSY when other code did that too often
 * for one signal.
 */
int csysi_os_catch(int number, csysi_os_catcher *catcher);
void csysi_os_uncatch(int number);

#endif
