/*
 * os/posix/token.h - tokens that are locks of bytes, for the backends.
 */
#ifndef CSYSI_OS_POSIX_TOKEN_H
#define CSYSI_OS_POSIX_TOKEN_H

#include <fcntl.h>
#include <sys/stat.h>

#include "os/os.h"

/* Bytes behind those of the tokens: the lock of all, and a shared lock of each user of the file. */
enum { CSYSI_POSIX_TOKENS_ENTRY = CSYSI_OS_TOKENS, CSYSI_POSIX_TOKENS_USE };

/* A file of tokens that this process has open (token_file.c); guarded by enter and leave. */
struct csysi_posix_token_file {
	struct csysi_posix_token_file *next;
	struct stat about; /* which file it is, as long as it is open */
	int fd;
	int directory;
	char name[CSYSI_OS_TOKEN_NAME];
	uint32_t uses;
	uint32_t generation; /* of the process that has locked what is noted */
	int is_entered;      /* this process has the lock of all */
	uint64_t locked[CSYSI_OS_TOKENS / 64];
};

/* Meanwhile the thread is not cancelled: leave is given what enter has returned. */
int csysi_posix_token_enter(void);
void csysi_posix_token_leave(int cancel);

/*
 * In a forked child, before it does anything with the file: it has none of its parent's locks, and
 * notes that it uses the file, or the one that has its name by now.  CSYS_EMFILE, CSYS_EBUSY, ..:
 * it has not, and tries again the next time.
 */
int csysi_posix_token_inherit(struct csysi_posix_token_file *file);

struct flock csysi_posix_token_range(uint32_t number, short type);

/* Lock or unlock a byte without waiting.  -1 with errno. */
int csysi_posix_token_set(int fd, uint32_t number, short type);

/* As the functions of os/token.h, for tokens of this way (token_file.c, token_lock.c). */
int csysi_posix_token_locks_open(struct csysi_os_tokens *tokens,
				 const struct csysi_os_token_place *place);
void csysi_posix_token_locks_close(struct csysi_os_tokens *tokens);
int csysi_posix_tokens_try_lock(const struct csysi_os_tokens *tokens);
void csysi_posix_tokens_unlock(const struct csysi_os_tokens *tokens);
int csysi_posix_token_lock(const struct csysi_os_tokens *tokens, uint32_t number);
void csysi_posix_token_unlock(const struct csysi_os_tokens *tokens, uint32_t number);
int csysi_posix_token_is_locked(const struct csysi_os_tokens *tokens, uint32_t number);

/* Sleep on the word for a nap at most, as csysi_os_token_wait; the owner's end wakes nobody. */
int csysi_posix_token_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline);

#endif
