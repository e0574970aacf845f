/*
 * os/linux/wake.c - sleeping on a word with futex.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/posix/posix.h"

/* struct __kernel_timespec, from which the timespec of a C library may differ on 32 bits. */
struct moment64 {
	int64_t seconds;
	int64_t nanoseconds;
};

/* futex, or its form with 64 bits of time where a long has 32 (Linux 5.1). */
static long futex(const uint32_t *word, int operation, uint32_t value, const struct moment64 *at,
		  uint32_t kinds)
{
#if defined(SYS_futex_time64) && __SIZEOF_LONG__ == 4
	long r = syscall(SYS_futex_time64, word, operation, value, at, NULL, kinds);
	if (r >= 0 || (errno != ENOSYS && errno != EPERM))
		return r;
	/* A time that a long cannot hold is later than such a system can run. */
	long narrow[2] = { LONG_MAX, 0 };
	if (at && at->seconds < LONG_MAX) {
		narrow[0] = (long)at->seconds;
		narrow[1] = (long)at->nanoseconds;
	}
	return syscall(SYS_futex, word, operation, value, at ? narrow : NULL, NULL, kinds);
#else
	return syscall(SYS_futex, word, operation, value, at, NULL, kinds);
#endif
}

static int wait_as(const uint32_t *word, uint32_t expected, csys_deadline deadline, int flags,
		   uint32_t kind)
{
	int64_t ns = csys_deadline_is_poll(deadline) ? 0 : deadline.ns;
	struct moment64 at = { ns / 1000000000, ns % 1000000000 };

	/* The BITSET form takes an absolute time.  With a relative one each return without a wake
	 * would start the time again. */
	long r = futex(word, FUTEX_WAIT_BITSET | flags, expected,
		       csys_deadline_is_forever(deadline) ? NULL : &at, kind);
	/* ThreadSanitizer keeps a signal back until its thread makes a call that it intercepts.
	 * Reading the clock is one, and the raw call above is none. */
	if (r < 0 && errno == EINTR) {
		(void)csysi_os_now();
		return 0;
	}
	if (r == 0 || errno == EAGAIN)
		return 0; /* the caller compares the word again in each case */
	if (errno == ETIMEDOUT)
		return CSYS_ETIMEDOUT;
	abort(); /* the address is not mapped, or futex is forbidden: sleeping is impossible */
}

static uint32_t wake(const uint32_t *word, uint32_t count, int flags, uint32_t kinds)
{
	int error = errno;
	/* The kernel counts in an int.  EFAULT means that the word was freed, which is allowed. */
	long woken = futex(word, FUTEX_WAKE_BITSET | flags, count > 0x7fffffff ? 0x7fffffff : count,
			   NULL, kinds);

	errno = error;
	return woken > 0 ? (uint32_t)woken : 0;
}

int csysi_os_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline, int shared)
{
	return wait_as(word, expected, deadline, shared ? 0 : FUTEX_PRIVATE_FLAG,
		       FUTEX_BITSET_MATCH_ANY);
}

uint32_t csysi_os_wake(const uint32_t *word, uint32_t count, int shared)
{
	return wake(word, count, shared ? 0 : FUTEX_PRIVATE_FLAG, FUTEX_BITSET_MATCH_ANY);
}

int csysi_os_wait_as(const uint32_t *word, uint32_t expected, csys_deadline deadline, uint32_t kind)
{
	return wait_as(word, expected, deadline, FUTEX_PRIVATE_FLAG, kind);
}

uint32_t csysi_os_wake_kind(const uint32_t *word, uint32_t count, uint32_t kinds)
{
	return wake(word, count, FUTEX_PRIVATE_FLAG, kinds);
}
