/*
 * base/fault.c - the counter behind fault points.
 */
#include "base/fault.h"

#ifdef CSYSI_FAULTS

/* Questions left until the one that fails; 0 when disarmed, -1 when it has. */
static _Thread_local int left;

int csysi_fault(int code)
{
	if (left <= 0 || --left > 0)
		return 0;
	left = -1;
	return code;
}

void csysi_fault_arm(int nth)
{
	left = nth;
}

int csysi_fault_fired(void)
{
	return left < 0;
}

#else

/* ISO C wants a declaration in every file. */
typedef int csysi_fault_nothing;

#endif
