/*
 * base/deadline.c - arithmetic on the monotonic clock that cannot overflow.
 */
#include <csys/base/deadline.h>

#include "base/system.h"

csys_deadline csys_now(void)
{
	return csysi_os_now();
}

static csys_deadline after(int64_t n, int64_t unit)
{
	csys_deadline now = csysi_os_now();
	if (n <= 0)
		return now;
	/* The clock counts from boot, so now is far from the end of the range. */
	if (n > (CSYS_FOREVER - now) / unit)
		return CSYS_FOREVER;
	return now + n * unit;
}

csys_deadline csys_after_ns(int64_t n)
{
	return after(n, 1);
}

csys_deadline csys_after_us(int64_t n)
{
	return after(n, 1000);
}

csys_deadline csys_after_ms(int64_t n)
{
	return after(n, 1000000);
}

csys_deadline csys_after_s(int64_t n)
{
	return after(n, 1000000000);
}

int64_t csys_deadline_left(csys_deadline deadline)
{
	if (deadline == CSYS_FOREVER)
		return INT64_MAX;
	csys_deadline now = csysi_os_now();
	return deadline > now ? deadline - now : 0;
}
