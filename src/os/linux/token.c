/*
 * os/linux/token.c - tokens: entries of the C library's list of robust locks, or locks of bytes.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/linux/token_list.h"
#include "os/posix/token.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

static struct csysi_os_token *at(const struct csysi_os_tokens *tokens, uint32_t number)
{
	return (void *)(tokens->first + number * tokens->stride);
}

int csysi_os_token_can(enum csysi_os_token_way way)
{
	return way == CSYSI_OS_TOKEN_LIST ? csysi_token_list_works() : way == CSYSI_OS_TOKEN_LOCK;
}

/* Far behind what is kept in any file, and within what every system can count. */
static const struct csysi_os_lock_range entry = { (uint64_t)1 << 62, 1 };

int csysi_os_tokens_open(struct csysi_os_tokens *tokens, csys_handle file,
			 const struct csysi_os_token_place *place)
{
	if (!csysi_os_token_can(tokens->way))
		return CSYS_ENOTSUP;
	if (tokens->way == CSYSI_OS_TOKEN_LOCK)
		return csysi_posix_token_locks_open(tokens, place);
	tokens->file = file;
	return csysi_os_file_lock_reopen(file, &tokens->opening);
}

void csysi_os_tokens_close(struct csysi_os_tokens *tokens)
{
	if (tokens->way == CSYSI_OS_TOKEN_LOCK)
		csysi_posix_token_locks_close(tokens);
	else
		csysi_os_file_lock_close(&tokens->opening);
}

int csysi_os_tokens_try_lock(struct csysi_os_tokens *tokens)
{
	int r = 0;

	if (tokens->way == CSYSI_OS_TOKEN_LOCK)
		return csysi_posix_tokens_try_lock(tokens);
	if (tokens->opening.handle == CSYS_NO_HANDLE) /* this is a forked child */
		r = csysi_os_file_lock_reopen(tokens->file, &tokens->opening);
	return r < 0 ? r
		     : csysi_os_file_lock_set(&tokens->opening, &entry, CSYSI_OS_LOCK_EXCLUSIVE, 0);
}

void csysi_os_tokens_unlock(struct csysi_os_tokens *tokens)
{
	if (tokens->way == CSYSI_OS_TOKEN_LOCK)
		csysi_posix_tokens_unlock(tokens);
	else
		(void)csysi_os_file_lock_set(&tokens->opening, &entry, CSYSI_OS_LOCK_NONE, 0);
}

int csysi_os_token_own(const struct csysi_os_tokens *tokens, uint32_t number)
{
	if (tokens->way == CSYSI_OS_TOKEN_LOCK)
		return csysi_posix_token_lock(tokens, number);
	return csysi_token_list_own(at(tokens, number));
}

void csysi_os_token_disown(const struct csysi_os_tokens *tokens, uint32_t number)
{
	if (tokens->way == CSYSI_OS_TOKEN_LOCK)
		csysi_posix_token_unlock(tokens, number);
	else
		csysi_token_list_disown(at(tokens, number));
}

int csysi_os_token_is_alive(const struct csysi_os_tokens *tokens, uint32_t number)
{
	if (tokens->way == CSYSI_OS_TOKEN_LOCK)
		return csysi_posix_token_is_locked(tokens, number);
	return (csysi_load_acquire(&at(tokens, number)->word) & CSYSI_TOKEN_THREAD) != 0;
}

/* ---- sleeping ----------------------------------------------------------------------------- */

/* struct futex_waitv: a word of 32 bits that processes share. */
struct waited {
	uint64_t expected;
	uint64_t word;
	uint32_t flags;
	uint32_t reserved;
};

static struct waited waited_for(const uint32_t *word, uint32_t expected)
{
	return (struct waited){ expected, (uintptr_t)word, 2, 0 };
}

/* Whether the kernel has futex_waitv (5.16), and nothing forbids it.  Set once it has refused. */
static int is_refused;

/* Sleep on two words: which has woken, 0 or 1; -1 with errno. */
static long wait_for_two(const struct waited two[2], csys_deadline end)
{
	int64_t ns = csys_deadline_is_poll(end) ? 0 : csys_deadline_ns(end);
	int64_t at[2] = { ns / 1000000000, ns % 1000000000 }; /* struct __kernel_timespec */

	return syscall(SYS_futex_waitv, two, 2, 0, at, CLOCK_MONOTONIC);
}

/* Announce a sleeper to the owner of a token: what its word is then; 0: it has no owner. */
static uint32_t announce(uint32_t *word)
{
	uint32_t is = csysi_load_relaxed(word);

	while ((is & CSYSI_TOKEN_THREAD) && !(is & CSYSI_TOKEN_WAITED)) {
		if (csysi_cas_relaxed(word, &is, is | CSYSI_TOKEN_WAITED))
			is |= CSYSI_TOKEN_WAITED;
	}
	return is & CSYSI_TOKEN_THREAD ? is : 0;
}

/* The kernel wakes one of those that sleep until the owner's end, and that one the others. */
static int wait_by_list(struct csysi_os_token *token, const uint32_t *word, uint32_t expected,
			csys_deadline deadline)
{
	uint32_t owned = announce(&token->word);
	if (owned == 0)
		return 0;

	struct waited two[2] = { waited_for(word, expected), waited_for(&token->word, owned) };
	csys_deadline nap = csys_after_ns(csysi_os_token_nap_ns);
	long r = wait_for_two(two, csys_deadline_earlier(deadline, nap));
	if (r == 1)
		csysi_os_wake(&token->word, UINT32_MAX, 1);
	if (r >= 0 || errno == EAGAIN)
		return 0;
	if (errno == ENOSYS || errno == EPERM) {
		csysi_store_relaxed(&is_refused, 1); /* relaxed: the same for all threads */
		return 0;
	}
	if (errno == EINTR) {
		(void)csysi_os_now(); /* lets ThreadSanitizer deliver a signal, as in wake.c */
		return 0;
	}
	if (errno == ENOMEM) /* of the kernel, for the two: one word needs none */
		return csysi_posix_token_wait(word, expected, deadline);
	if (errno != ETIMEDOUT)
		abort(); /* the memory is not mapped: sleeping is impossible */
	return csys_deadline_left(deadline) > 0 ? 0 : CSYS_ETIMEDOUT;
}

int csysi_os_token_wait(const struct csysi_os_tokens *tokens, uint32_t number, const uint32_t *word,
			uint32_t expected, csys_deadline deadline)
{
	if (tokens->way == CSYSI_OS_TOKEN_LOCK || csysi_load_relaxed(&is_refused))
		return csysi_posix_token_wait(word, expected, deadline);
	return wait_by_list(at(tokens, number), word, expected, deadline);
}
