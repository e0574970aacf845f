/*
 * os/posix/token_lock.c - tokens that are record locks: one byte of a file for each.
 *
 * A record lock belongs to a process.  It ends with that, is not inherited by a forked child, and
 * anybody can ask for it without taking it.  But its own locks are no locks to a process, so which
 * bytes this process has locked is noted.  The files: token_file.c.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "os/posix/posix.h"
#include "os/posix/token.h"

/* ---- locks ------------------------------------------------------------------------------- */

/* What this process has locked; with the mutex. */
static uint64_t *locked(struct csysi_posix_token_file *file, uint32_t number)
{
	return &file->locked[number / 64];
}

static uint64_t bit(uint32_t number)
{
	return (uint64_t)1 << number % 64;
}

static int lock_file(struct csysi_posix_token_file *file, uint32_t number)
{
	uint64_t *word = locked(file, number);
	int r = csysi_posix_token_inherit(file);

	if (r < 0)
		return r;
	if (*word & bit(number))
		return CSYS_EBUSY;
	if (csysi_posix_token_set(file->fd, number, F_WRLCK) < 0)
		return errno == EACCES || errno == EAGAIN ? CSYS_EBUSY : csysi_posix_fail();
	*word |= bit(number);
	return 0;
}

int csysi_posix_token_lock(const struct csysi_os_tokens *tokens, uint32_t number)
{
	int cancel = csysi_posix_token_enter();
	int r = lock_file(tokens->locks, number);
	csysi_posix_token_leave(cancel);
	return r;
}

void csysi_posix_token_unlock(const struct csysi_os_tokens *tokens, uint32_t number)
{
	struct csysi_posix_token_file *file = tokens->locks;
	int error = errno;

	int cancel = csysi_posix_token_enter();
	uint64_t *word = locked(file, number);
	if (csysi_posix_token_inherit(file) == 0 && (*word & bit(number))) {
		(void)csysi_posix_token_set(file->fd, number,
					    F_UNLCK); /* to unlock needs nothing */
		*word &= ~bit(number);
	}
	csysi_posix_token_leave(cancel);
	errno = error;
}

int csysi_posix_token_is_locked(const struct csysi_os_tokens *tokens, uint32_t number)
{
	struct csysi_posix_token_file *file = tokens->locks;
	int error = errno;

	int cancel = csysi_posix_token_enter();
	/* Where it cannot be told, a lock that is not there is waited for once more; one that is
	 * there would be broken. */
	int is = csysi_posix_token_inherit(file) < 0 || (*locked(file, number) & bit(number)) != 0;
	csysi_posix_token_leave(cancel);
	if (!is) {
		struct flock range = csysi_posix_token_range(number, F_WRLCK);
		is = fcntl(file->fd, F_GETLK, &range) < 0 || range.l_type != F_UNLCK;
	}
	errno = error;
	return is;
}

/* ---- the lock of all ---------------------------------------------------------------------- */

int csysi_posix_tokens_try_lock(const struct csysi_os_tokens *tokens)
{
	struct csysi_posix_token_file *file = tokens->locks;
	int cancel = csysi_posix_token_enter();
	int r = csysi_posix_token_inherit(file);

	/* Two that use one file in this process are told apart here. */
	if (r == 0 && file->is_entered) {
		r = CSYS_EAGAIN;
	} else if (r == 0) {
		int is = csysi_posix_token_set(file->fd, CSYSI_POSIX_TOKENS_ENTRY, F_WRLCK);
		r = is == 0                              ? 0
		    : errno == EACCES || errno == EAGAIN ? CSYS_EAGAIN
							 : csysi_posix_fail();
		file->is_entered = r == 0;
	}
	csysi_posix_token_leave(cancel);
	return r;
}

void csysi_posix_tokens_unlock(const struct csysi_os_tokens *tokens)
{
	struct csysi_posix_token_file *file = tokens->locks;
	int error = errno;

	int cancel = csysi_posix_token_enter();
	if (csysi_posix_token_inherit(file) == 0 && file->is_entered)
		(void)csysi_posix_token_set(file->fd, CSYSI_POSIX_TOKENS_ENTRY, F_UNLCK);
	file->is_entered = 0;
	csysi_posix_token_leave(cancel);
	errno = error;
}

/* ---- sleeping ----------------------------------------------------------------------------- */

#ifdef CSYSI_FAULTS
int64_t csysi_os_token_nap_ns = 100000000;
#endif

int csysi_posix_token_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline)
{
	csys_deadline nap = csys_deadline_earlier(deadline, csys_after_ns(csysi_os_token_nap_ns));
	int r = csysi_os_wait(word, expected, nap, 1);

	if (r != CSYS_ETIMEDOUT)
		return r;
	return csys_deadline_left(deadline) > 0 ? 0 : CSYS_ETIMEDOUT;
}
