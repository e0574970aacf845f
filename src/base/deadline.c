/*
 * base/deadline.c - arithmetic on the monotonic clock that cannot overflow.
 */
#include <limits.h>

#include <csys/base/deadline.h>

#include "base/system.h"

int64_t csys_now(void)
{
	return csysi_os_now();
}

static csys_deadline after(int64_t n, int64_t unit)
{
	int64_t now = csysi_os_now();
	if (n <= 0)
		return csys_deadline_at(now);
	/* The clock counts from boot, so now is far from the end of the range. */
	if (n > (INT64_MAX - now) / unit)
		return CSYS_FOREVER;
	return csys_deadline_at(now + n * unit);
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
	if (csys_deadline_is_forever(deadline))
		return INT64_MAX;
	int64_t now = csysi_os_now();
	return deadline.ns > now ? deadline.ns - now : 0;
}

int csys_deadline_left_ms(csys_deadline deadline)
{
	if (csys_deadline_is_forever(deadline))
		return -1;
	int64_t left = csys_deadline_left(deadline);
	int64_t ms = left / 1000000 + (left % 1000000 != 0);
	return ms < INT_MAX ? (int)ms : INT_MAX;
}
