/**
 * \file
 * csys/ipc/named_semaphore.h - a number of something, for processes to take and give back.
 *
 *     csys_named_semaphore *slots;
 *     int r = csys_named_semaphore_create_or_open("scanner-slots", 2, NULL, &slots);
 *     if (r < 0)
 *             return r;
 *     r = csys_named_semaphore_wait_until(slots, csys_after_s(5));
 *     if (r == 0) {
 *             scan();
 *             csys_named_semaphore_post(slots, 1);
 *     }
 *     csys_named_semaphore_close(slots);
 *
 * It is found by a name (csys/ipc/names.h tells where, and by whose programs), and appears with its
 * value in one step.  A wait and a post that find no other at it are a few instructions each, and
 * no call of the system.
 *
 * A process that ends takes with it what it has taken: *a semaphore is no lock*.  What must not be
 * lost with its holder is a lock of csys/ipc/file_lock.h.  A process that is killed while it waits
 * loses nothing, and neither does one that is killed when it was just woken: other waiters look by
 * themselves, once in 1 s at the latest.
 *
 * Other processes that may write it can give it any value; that is read as one from 0 to
 * CSYS_NAMED_SEMAPHORE_MAX.  One that makes the file smaller raises SIGBUS in those that use it, as
 * with all named memory.
 *
 * With CSYS_NAMED_SEMAPHORE_POSIX it is a semaphore of sem_open, for programs that use that: it is
 * made and used by the C library's own functions, so it has the words that these programs have (of
 * the same C library and the same size of a long: libraries differ in that).  A deadline is on the
 * monotonic clock all the same; where the library has no such wait (musl), it looks at intervals
 * that grow to 5 ms.  It is as safe as sem_open is: the first user that takes a name has it, and
 * what that user has put there is believed, so a file that is too short is SIGBUS.
 *
 * Threads: any number may use one object at once, but closing is for the last.  Signals:
 * csys_named_semaphore_post may be called in a handler.  Fork: a forked child has the semaphore as
 * its parent has it; each closes its own.
 */
#ifndef CSYS_IPC_NAMED_SEMAPHORE_H
#define CSYS_IPC_NAMED_SEMAPHORE_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/names.h>

CSYS_BEGIN_DECLS

/** A semaphore that this process has open; on the heap, and there is more of it than this. */
typedef struct csys_named_semaphore {
	uint32_t *word;   /**< private: src/ipc/named_semaphore.c */
	uint32_t *posted; /**< private */
} csys_named_semaphore;

/** The greatest value. */
#define CSYS_NAMED_SEMAPHORE_MAX 0x3fffffffu

/** A scope beside CSYS_NAMES_USER and CSYS_NAMES_GLOBAL: what sem_open finds by "/" and a name. */
#define CSYS_NAMED_SEMAPHORE_POSIX 2

/** How a semaphore is created or opened.  All zero is the usual. */
typedef struct csys_named_semaphore_options {
	int scope;            /**< CSYS_NAMES_USER, _GLOBAL, or CSYS_NAMED_SEMAPHORE_POSIX */
	int mode;             /**< create: its permissions, 0600 to 0666; 0 is 0600.  The umask is
				 ignored, but for CSYS_NAMED_SEMAPHORE_POSIX */
	int accept_foreign;   /**< open: also what another user but the administrator has */
	int remove_with_last; /**< create: the name is removed with the last user */
	int replace_unused;   /**< create, create_or_open: what nobody has open is removed first */
	int reserved;         /**< zero */
} csys_named_semaphore_options;

/**
 * Create a semaphore.
 *
 * \param name     its name; csys/ipc/names.h has the rules
 * \param value    its value, up to CSYS_NAMED_SEMAPHORE_MAX
 * \param options  NULL for the usual
 * \param out      the semaphore, to be closed by csys_named_semaphore_close.  Unchanged on failure
 * \retval 0                  it exists, and this process has it open
 * \retval CSYS_EEXIST        there is one, or something else with that name
 * \retval CSYS_ENOSPC        there is no room for it
 * \retval CSYS_EINVAL        no such name, value, scope, mode or option; `remove_with_last`,
 *                            `replace_unused` and `accept_foreign` are not for
 *                            CSYS_NAMED_SEMAPHORE_POSIX
 * \retval CSYS_ENAMETOOLONG  the name is longer than CSYS_NAME_MAX, or than sem_open takes
 * \retval CSYS_EPERM         the directory of names is not safe
 * \retval CSYS_EACCES        this user may not create files there
 * \retval CSYS_EBUSY         a process that removes the old one does not go on
 * \retval CSYS_EMFILE        no handle is left
 * \retval CSYS_ENOMEM        no memory or addresses
 * \retval CSYS_ENOTSUP       this system has no sem_open (CSYS_CAN_SEMAPHORE_POSIX)
 */
CSYS_API CSYS_MUST_CHECK int
csys_named_semaphore_create(const char *name, uint32_t value,
			    const csys_named_semaphore_options *options,
			    csys_named_semaphore **out);

/**
 * Open a semaphore that exists.
 *
 * \param name     its name
 * \param options  NULL for the usual
 * \param out      the semaphore, to be closed by csys_named_semaphore_close.  Unchanged on failure
 * \retval 0             this process has it open
 * \retval CSYS_ENOENT   there is none
 * \retval CSYS_EBADMSG  what has the name is no semaphore of this version
 * \retval CSYS_EPERM    it belongs to another user, and that is not accepted
 * \retval CSYS_EACCES   its permissions forbid it
 * \return as csys_named_semaphore_create
 */
CSYS_API CSYS_MUST_CHECK int csys_named_semaphore_open(const char *name,
						       const csys_named_semaphore_options *options,
						       csys_named_semaphore **out);

/**
 * Open a semaphore, or create it if there is none, in one step.
 *
 * \param name     its name
 * \param value    its value if it is created; csys_named_semaphore_is_created tells whether
 * \param options  NULL for the usual
 * \param out      the semaphore, to be closed by csys_named_semaphore_close.  Unchanged on failure
 * \retval 0  this process has it open
 * \return as the two others
 */
CSYS_API CSYS_MUST_CHECK int
csys_named_semaphore_create_or_open(const char *name, uint32_t value,
				    const csys_named_semaphore_options *options,
				    csys_named_semaphore **out);

/**
 * Close a semaphore, which goes on for others.
 *
 * No thread of this process may use it any more.
 *
 * \param semaphore  the semaphore; NULL is ignored
 */
CSYS_API void csys_named_semaphore_close(csys_named_semaphore *semaphore);
CSYSI_AUTO(csys_named_semaphore, csys_named_semaphore_close(*object))

/**
 * Remove the name of a semaphore; those that have it open keep it.
 *
 * For the scopes of csys/ipc/names.h it is csys_names_remove with CSYS_NAME_SEMAPHORE.
 *
 * \param scope  CSYS_NAMES_USER, CSYS_NAMES_GLOBAL or CSYS_NAMED_SEMAPHORE_POSIX
 * \param name   the name
 * \retval 0             there is no such name any more
 * \retval CSYS_ENOENT   there was none
 * \retval CSYS_EACCES   it belongs to another user
 * \retval CSYS_EINVAL   no such scope, or no such name can be
 * \retval CSYS_ENOTSUP  this system has no sem_open
 * \return as csys_names_remove
 */
CSYS_API CSYS_MUST_CHECK int csys_named_semaphore_unlink(int scope, const char *name);

/**
 * Tell whether this call of create or create_or_open has created a semaphore.
 *
 * \param semaphore  the semaphore
 * \return 1 if it has; 0 if it was there
 */
CSYS_API int csys_named_semaphore_is_created(const csys_named_semaphore *semaphore);

/**
 * Add to the value of a semaphore, and let as many waiting processes go on.
 *
 * Async-signal-safe.
 *
 * \param semaphore  the semaphore
 * \param n          how many
 * \retval 0            they are added
 * \retval CSYS_EINVAL  the value would exceed CSYS_NAMED_SEMAPHORE_MAX, perhaps only with what
 *                      another post that fails at this moment has added: nothing is added (with
 *                      sem_open: it would exceed SEM_VALUE_MAX, and not all are added)
 */
static inline int csys_named_semaphore_post(csys_named_semaphore *semaphore, uint32_t n);

/**
 * Subtract 1 from the value of a semaphore, waiting however long until it is above 0.
 *
 * \param semaphore  the semaphore
 */
static inline void csys_named_semaphore_wait(csys_named_semaphore *semaphore);

/**
 * Subtract 1 from the value of a semaphore, waiting until it is above 0 or until `deadline`.
 *
 * \param semaphore  the semaphore
 * \param deadline   when to give up; one that has passed still takes what is there
 * \retval 0               one is taken
 * \retval CSYS_ETIMEDOUT  there was none by then
 */
static inline CSYS_MUST_CHECK int csys_named_semaphore_wait_until(csys_named_semaphore *semaphore,
								  csys_deadline deadline);

/**
 * Subtract 1 from the value of a semaphore if it is above 0, without waiting.
 *
 * \param semaphore  the semaphore
 * \retval 0            one is taken
 * \retval CSYS_EAGAIN  there is none
 */
static inline CSYS_MUST_CHECK int csys_named_semaphore_try_wait(csys_named_semaphore *semaphore);

/**
 * Tell the value of a semaphore at this moment.
 *
 * \param semaphore  the semaphore
 * \return the value; 0 also while processes wait, and where sem_getvalue does not tell (macOS)
 */
CSYS_API uint32_t csys_named_semaphore_value(const csys_named_semaphore *semaphore);

/* ---- inline ------------------------------------------------------------------------------ */

/* The word is the value, and above it a bit that is set if a process may sleep. */
#define CSYSI_NAMED_SEMAPHORE_WAITERS 0x80000000u

/*
 * A post of up to so many adds first, and looks then whether the word was below this limit: without
 * WAITERS, and with room.  Between the maximum and WAITERS is more room than all threads of a
 * system together (4 million) can fill.
 */
#define CSYSI_NAMED_SEMAPHORE_FEW 0xffu
#define CSYSI_NAMED_SEMAPHORE_NEAR (CSYS_NAMED_SEMAPHORE_MAX - CSYSI_NAMED_SEMAPHORE_FEW)

/* What inline functions leave to src/ipc/named_semaphore.c. */
CSYS_API int csysi_named_semaphore_posted(csys_named_semaphore *semaphore, uint32_t n,
					  uint32_t was);
CSYS_API int csysi_named_semaphore_post_many(csys_named_semaphore *semaphore, uint32_t n);
CSYS_API int csysi_named_semaphore_wait_slow(csys_named_semaphore *semaphore,
					     csys_deadline deadline);

/* Take one if it is there and no other comes between: 1. */
static inline int csysi_named_semaphore_take(csys_named_semaphore *semaphore)
{
	uint32_t word = __atomic_load_n(semaphore->word, __ATOMIC_RELAXED);

	/* Acquire pairs with the release of the posts before. */
	return CSYSI_LIKELY((word & ~CSYSI_NAMED_SEMAPHORE_WAITERS) != 0) &&
	       CSYSI_LIKELY(__atomic_compare_exchange_n(semaphore->word, &word, word - 1, 0,
							__ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
}

static inline int csys_named_semaphore_post(csys_named_semaphore *semaphore, uint32_t n)
{
	if (!CSYSI_LIKELY(n <= CSYSI_NAMED_SEMAPHORE_FEW))
		return csysi_named_semaphore_post_many(semaphore, n);

	/* Release pairs with the acquire of the process that takes it. */
	uint32_t was = __atomic_fetch_add(semaphore->posted, n, __ATOMIC_RELEASE);
	return CSYSI_LIKELY(was < CSYSI_NAMED_SEMAPHORE_NEAR)
		       ? 0
		       : csysi_named_semaphore_posted(semaphore, n, was);
}

static inline void csys_named_semaphore_wait(csys_named_semaphore *semaphore)
{
	if (!csysi_named_semaphore_take(semaphore))
		(void)csysi_named_semaphore_wait_slow(semaphore, CSYS_FOREVER);
}

static inline int csys_named_semaphore_wait_until(csys_named_semaphore *semaphore,
						  csys_deadline deadline)
{
	return csysi_named_semaphore_take(semaphore)
		       ? 0
		       : csysi_named_semaphore_wait_slow(semaphore, deadline);
}

static inline int csys_named_semaphore_try_wait(csys_named_semaphore *semaphore)
{
	if (csysi_named_semaphore_take(semaphore))
		return 0;
	return csysi_named_semaphore_wait_slow(semaphore, CSYS_POLL) == 0 ? 0 : CSYS_EAGAIN;
}

CSYS_END_DECLS

#endif
