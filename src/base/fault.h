/*
 * base/fault.h - make the nth fallible call fail, to test what happens then.
 *
 *     int r = csysi_fault(CSYS_EMFILE);
 *     if (r < 0)
 *             return r;
 *
 * Each place that acquires something asks first.  In the library that is
 * installed the question is the constant 0; the tests link a build of the same
 * sources with CSYSI_FAULTS, where csysi_fault_arm(n) makes the nth question of
 * the calling thread answer with its code.
 */
#ifndef CSYSI_BASE_FAULT_H
#define CSYSI_BASE_FAULT_H

#ifdef CSYSI_FAULTS

/* `code` if this is the call that must fail, else 0. */
int csysi_fault(int code);

/* The nth question from now, 1 for the next, answers yes, once.  0 disarms. */
void csysi_fault_arm(int nth);

/*
 * As if something ran out: of the questions with this code the nth from now answers yes, and
 * all after it, until it is disarmed.
 */
void csysi_fault_exhaust(int nth, int code);

/* Whether one has. */
int csysi_fault_fired(void);

#else

static inline int csysi_fault(int code)
{
	(void)code;
	return 0;
}

#endif

#endif
