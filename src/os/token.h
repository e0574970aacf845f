/*
 * os/token.h - tokens: places in shared memory that tell whether the thread that owns them lives.
 *
 * A token is owned by one thread, from own to disown, or until that thread ends, its process ends
 * or becomes another program, however that comes: by SIGKILL at any instruction.  Any process that
 * has the memory can ask whether there is such an owner, and sleep until there is none.
 *
 * There are several ways to do that, and all processes that share tokens use the same one:
 *
 *     LIST   The token is an entry of the list of robust locks that the C library keeps for each
 *            thread, and the kernel clears its word when the thread ends.
 *     LOCK   The process locks a byte of a file, which the system unlocks when the process ends.
 *            A thread that ends disowns its tokens before, or they are the process's until its end.
 *
 * Threads that own or disown tokens of a region exclude each other meanwhile.
 */
#ifndef CSYSI_OS_TOKEN_H
#define CSYSI_OS_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

#include "os/file_lock.h"

enum csysi_os_token_way { CSYSI_OS_TOKEN_LIST = 1, CSYSI_OS_TOKEN_LOCK = 2 };

/*
 * A token.  It begins as zeros, which is one without an owner, and lies on a boundary of 64 bytes.
 * `word` is where a C library has the word of a robust lock; around it is what it reads or writes
 * beside that.  All systems, of 32 and 64 bits, have the same.
 */
struct csysi_os_token {
	uint32_t reserved;
	uint32_t kind;
	uint32_t word; /* LIST: the owner's number, CSYSI_OS_TOKEN_WAITED */
	uint32_t none;
	unsigned char links[32];
};

/* How many tokens there are at most. */
#define CSYSI_OS_TOKENS 1024u

/* How long a sleep for an owner is at most: an end may come without a wake. */
#ifdef CSYSI_FAULTS
extern int64_t csysi_os_token_nap_ns; /* which tests change */
#else
enum { csysi_os_token_nap_ns = 100000000 };
#endif

/* The tokens of one region, as one process has them.  It does not move while it is open. */
struct csysi_os_tokens {
	char *first;   /* the token number 0 */
	size_t stride; /* from one token to the next, a multiple of 64 */
	enum csysi_os_token_way way;
	/* the backend's own */
	csys_handle file;
	struct csysi_os_file_lock opening;
	void *locks;
};

/* Where what LOCK needs beside the memory lies. */
struct csysi_os_token_place {
	csys_handle directory;
	const char
		*name; /* of a file that only these functions open; begins with the prefix below */
	int mode;      /* if it has to be created */
};

#define CSYSI_OS_TOKEN_PREFIX "csys-tokens-"
#define CSYSI_OS_TOKEN_NAME 32 /* how long a name is at most, with its NUL */

/* Whether this process can do it in that way. */
int csysi_os_token_can(enum csysi_os_token_way way);

/*
 * Begin to use tokens, of which first, stride and way are set.  `file` is open for the memory and
 * stays so.  LIST opens that once more, to lock a byte of it far behind its end; LOCK locks bytes
 * of the file of the place, which comes and goes with its users, as far as they are not killed, and
 * removes such files that killed ones have left.  CSYS_ENOTSUP: this process cannot do it in that
 * way.  CSYS_EBUSY: a process that removes the file of the place does not go on.
 */
int csysi_os_tokens_open(struct csysi_os_tokens *tokens, csys_handle file,
			 const struct csysi_os_token_place *place);

/* End that.  This process owns none of the tokens. */
void csysi_os_tokens_close(struct csysi_os_tokens *tokens);

/*
 * Exclude all that try the same, in any process, until the unlock or the end of this process.
 * Never waits: CSYS_EAGAIN.  A forked child does not have what its parent has locked.
 */
int csysi_os_tokens_try_lock(struct csysi_os_tokens *tokens);
void csysi_os_tokens_unlock(struct csysi_os_tokens *tokens);

/*
 * Become the owner of a token that has none; with the lock.  CSYS_EBUSY: it has one.  CSYS_ENOTSUP.
 * The memory stays mapped as long as the thread owns it.
 */
int csysi_os_token_own(const struct csysi_os_tokens *tokens, uint32_t number);

/* Own it no more.  By the owner; LOCK: by any thread of the owner's process. */
void csysi_os_token_disown(const struct csysi_os_tokens *tokens, uint32_t number);

/*
 * Whether a token has an owner, which is one that lives.  Acquire: what it has written before
 * the end is seen by the thread that finds it dead.
 */
int csysi_os_token_is_alive(const struct csysi_os_tokens *tokens, uint32_t number);

/*
 * Sleep while *word, which processes share, is `expected` and the token has an owner, until a wake
 * of the word or the deadline.  Returns 0 also without any of these, at last after
 * csysi_os_token_nap_ns, so callers look again; or CSYS_ETIMEDOUT.
 */
int csysi_os_token_wait(const struct csysi_os_tokens *tokens, uint32_t number, const uint32_t *word,
			uint32_t expected, csys_deadline deadline);

#endif
