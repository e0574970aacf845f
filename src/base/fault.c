/*
 * base/fault.c - the counter behind fault points.
 */
#include "base/fault.h"

#ifdef CSYSI_FAULTS

/* Questions left until the one that fails; 0 when disarmed, -1 when it has. */
static _Thread_local int left;

/* The code whose questions count, and all fail from then on; 0: all count, one fails. */
static _Thread_local int lasting;

int csysi_fault(int code)
{
	if (left == 0 || (lasting != 0 && code != lasting))
		return 0;
	if (left < 0)
		return lasting;
	if (--left > 0)
		return 0;
	left = -1;
	return code;
}

void csysi_fault_arm(int nth)
{
	left = nth;
	lasting = 0;
}

void csysi_fault_exhaust(int nth, int code)
{
	left = nth;
	lasting = code;
}

int csysi_fault_fired(void)
{
	return left < 0;
}

#else

/* ISO C wants a declaration in every file. */
typedef int csysi_fault_nothing;

#endif
