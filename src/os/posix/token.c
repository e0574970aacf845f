/*
 * os/posix/token.c - tokens: locks of bytes, which is what POSIX has.
 *
 * Its robust mutexes belong to a C library, which tells nobody where it keeps them.
 */
#define _XOPEN_SOURCE 700
#include "os/posix/token.h"

int csysi_os_token_can(enum csysi_os_token_way way)
{
	return way == CSYSI_OS_TOKEN_LOCK;
}

int csysi_os_tokens_open(struct csysi_os_tokens *tokens, csys_handle file,
			 const struct csysi_os_token_place *place)
{
	(void)file;
	if (!csysi_os_token_can(tokens->way))
		return CSYS_ENOTSUP;
	return csysi_posix_token_locks_open(tokens, place);
}

void csysi_os_tokens_close(struct csysi_os_tokens *tokens)
{
	csysi_posix_token_locks_close(tokens);
}

int csysi_os_tokens_try_lock(struct csysi_os_tokens *tokens)
{
	return csysi_posix_tokens_try_lock(tokens);
}

void csysi_os_tokens_unlock(struct csysi_os_tokens *tokens)
{
	csysi_posix_tokens_unlock(tokens);
}

int csysi_os_token_own(const struct csysi_os_tokens *tokens, uint32_t number)
{
	return csysi_posix_token_lock(tokens, number);
}

void csysi_os_token_disown(const struct csysi_os_tokens *tokens, uint32_t number)
{
	csysi_posix_token_unlock(tokens, number);
}

int csysi_os_token_is_alive(const struct csysi_os_tokens *tokens, uint32_t number)
{
	return csysi_posix_token_is_locked(tokens, number);
}

int csysi_os_token_wait(const struct csysi_os_tokens *tokens, uint32_t number, const uint32_t *word,
			uint32_t expected, csys_deadline deadline)
{
	(void)tokens;
	(void)number;
	return csysi_posix_token_wait(word, expected, deadline);
}
