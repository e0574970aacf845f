/*
 * os/posix/token.h - tokens that are locks of bytes, for the backends.
 */
#ifndef CSYSI_OS_POSIX_TOKEN_H
#define CSYSI_OS_POSIX_TOKEN_H

#include "os/os.h"

/* As the functions of os/token.h, for tokens of this way (token_lock.c). */
int csysi_posix_token_locks_open(struct csysi_os_tokens *tokens, csys_handle directory,
				 const char *name);
void csysi_posix_token_locks_close(struct csysi_os_tokens *tokens);
int csysi_posix_token_lock(const struct csysi_os_tokens *tokens, uint32_t number);
void csysi_posix_token_unlock(const struct csysi_os_tokens *tokens, uint32_t number);
int csysi_posix_token_is_locked(const struct csysi_os_tokens *tokens, uint32_t number);

/* Sleep on the word for a nap at most, as csysi_os_token_wait; the owner's end wakes nobody. */
int csysi_posix_token_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline);

#endif
