/*
 * os/linux/wake.c - sleeping on a word with futex.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/posix/posix.h"

/* The kernel's struct __kernel_timespec, which the C library's may differ from on 32 bits. */
struct moment64 {
	int64_t seconds;
	int64_t nanoseconds;
};

#if defined(SYS_futex_time64) && __SIZEOF_LONG__ == 4
/* 32 bits: the call whose time has 64.  Older than Linux 5.1 is not supported there. */
#define FUTEX SYS_futex_time64
#else
#define FUTEX SYS_futex
#endif

int csysi_os_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline, int shared)
{
	int64_t ns = deadline > 0 ? deadline : 0;
	struct moment64 at = { ns / 1000000000, ns % 1000000000 };
	/* The BITSET form, because the plain one takes a relative time and would
	 * start the clock anew on every return without cause. */
	int operation = FUTEX_WAIT_BITSET | (shared ? 0 : FUTEX_PRIVATE_FLAG);

	long r = syscall(FUTEX, word, operation, expected, deadline == CSYS_FOREVER ? NULL : &at,
			 NULL, FUTEX_BITSET_MATCH_ANY);
	if (r == 0 || errno == EAGAIN || errno == EINTR)
		return 0; /* the caller looks at the word again either way */
	if (errno == ETIMEDOUT)
		return CSYS_ETIMEDOUT;
	abort(); /* the word is not memory, or futex is forbidden: sleeping is impossible */
}

void csysi_os_wake(const uint32_t *word, uint32_t count, int shared)
{
	int operation = FUTEX_WAKE | (shared ? 0 : FUTEX_PRIVATE_FLAG);
	int error = errno;

	/* The kernel counts in an int.  EFAULT, when the word is gone, is fine. */
	syscall(FUTEX, word, operation, count > 0x7fffffff ? 0x7fffffff : (int)count, NULL, NULL,
		0);
	errno = error;
}
