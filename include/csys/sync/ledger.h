/**
 * \file
 * csys/sync/ledger.h - private: which locks a thread holds.
 *
 * Nothing here is for users.  It is public so that locking and unlocking can be compiled into
 * their callers.  What it is for: src/sync/ledger.c.
 */
#ifndef CSYS_SYNC_LEDGER_H
#define CSYS_SYNC_LEDGER_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>

CSYS_BEGIN_DECLS

/* The marks of a lock. */
enum {
	CSYSI_MARK_NO_POISON = 1, /* alone: not noted, never poisoned */
	CSYSI_MARK_POISONED = 2,
	CSYSI_MARK_UNTRACKED = 4 /* it is held, or was read, and there was no memory to note that */
};

/*
 * How a lock is held.  Those below CSYSI_HELD_IN_ENTRY fit into an entry, so that inline code can
 * push and pop them.  Kinds to come are numbered on from there, and go through csysi_enter and
 * csysi_leave only.
 */
enum {
	CSYSI_HELD_MUTEX = 0,
	CSYSI_HELD_WRITE = 1,
	CSYSI_HELD_READ = 2,
	CSYSI_HELD_SHARED = 3, /* a lock between processes: csys/ipc/shared_mutex.h */
	CSYSI_HELD_IN_ENTRY = 4,
	CSYSI_HELD_UPGRADABLE = 4,
	CSYSI_HELD_ONCE = 5,          /* its body runs */
	CSYSI_HELD_SHARED_PERMIT = 6, /* csys/ipc/shared_permits.h */
	CSYSI_HELD_SHARED_ONCE = 7,   /* its body runs: csys/ipc/shared_once.h */
	CSYSI_HELD_SHARED_WRITE = 8,  /* a rwlock between processes, by its own word */
#if defined(CSYS_CHECKED)
	CSYSI_HELD_SHARED_READ = 9, /* the same by a cell of the reader: csys/ipc/shared_rwlock.h */
#else
	CSYSI_HELD_SHARED_READ = CSYSI_HELD_SHARED, /* so that inline code can note it */
#endif
	CSYSI_HELD_KINDS = 10 /* how many there are */
};

/* An entry: the address of a lock, with how it is held in the low bits. */
#define CSYSI_IN_ENTRY(how) CSYSI_AT_MOST(how, CSYSI_HELD_IN_ENTRY - 1)
#if defined(__cplusplus)
#define CSYSI_ENTRY(lock, how) \
	(static_cast<const char *>(static_cast<const void *>(lock)) + CSYSI_IN_ENTRY(how))
#else
#define CSYSI_ENTRY(lock, how) ((const char *)(const void *)(lock) + CSYSI_IN_ENTRY(how))
#endif

/*
 * A checked build (csys/sync/checked.h) has all of enter and leave in the library.  It is
 * told of each lock that is wanted, before the wait begins, and of the place in the source of
 * each call.  What is compiled for it does not link with another library, nor the other way
 * round.
 */
#if defined(CSYS_CHECKED)
#define CSYSI_CHECKED_API CSYS_API /* in this build only, so not among the symbols of all */
CSYSI_CHECKED_API void csysi_checked_wants(const void *lock, int how, csys_deadline deadline);
CSYSI_CHECKED_API void csysi_checked_at(const void *object, const char *kind, const char *file,
					int line);
/* This thread begins, and ends, a receive from the one receiver of a channel. */
CSYSI_CHECKED_API void csysi_checked_receives(const void *receiver);
CSYSI_CHECKED_API void csysi_checked_received(const void *receiver);
#define CSYSI_WANTS(lock, how, deadline) csysi_checked_wants((lock), (how), (deadline))
#else
#define CSYSI_WANTS(lock, how, deadline) ((void)0)
#endif

/*
 * Enter: note that this thread holds a lock: 0 or CSYS_POISONED.  Leave: strike that note: 1;
 * or 0 if the lock was abandoned, and the thread unwinds from a panic.  No note at all is
 * misuse.
 */
CSYS_API int csysi_enter(uint32_t *marks, const void *lock, int how);
CSYS_API int csysi_leave(uint32_t *marks, const void *lock, int how);

/*
 * `only` is the one lock that a thread holds, and NULL if it holds none; anything else
 * if it holds several, or has never held one.
 */
struct csysi_ledger {
	const void *only;
};

/* A variable of the shared library can be each thread's own where objects are ELF. */
#if CSYSI_IS_ELF
#if defined(CSYS_CHECKED)
extern __thread struct csysi_ledger csysi_ledger __asm__("csysi_checked_ledger");
#endif
extern CSYS_API __thread struct csysi_ledger csysi_ledger;
#endif

/*
 * Whether a lock has no poison: that never changes.  On x86 said in one instruction,
 * which compilers do not make of an atomic load and a comparison.
 */
static inline int csysi_is_plain(const uint32_t *marks)
{
#if defined(__x86_64__) || defined(__i386__)
	int yes;
	__asm__("cmpl %2, %1" : "=@cce"(yes) : "m"(*marks), "i"(CSYSI_MARK_NO_POISON));
	return yes;
#else
	return __atomic_load_n(marks, __ATOMIC_RELAXED) == CSYSI_MARK_NO_POISON;
#endif
}

/*
 * The usual case of entering and leaving; 0 if it is another.  Relaxed: only a
 * holder's marks matter, and those come with the lock.
 */
static inline int csysi_push(const uint32_t *marks, const void *entry)
{
#if defined(CSYS_CHECKED)
	(void)marks;
	(void)entry;
	return 0;
#else
	if (csysi_is_plain(marks))
		return 1;
#if CSYSI_IS_ELF
	if (CSYSI_LIKELY(__atomic_load_n(marks, __ATOMIC_RELAXED) == 0 &&
			 csysi_ledger.only == CSYSI_NULL)) {
		csysi_ledger.only = entry;
		return 1;
	}
#else
	(void)entry;
#endif
	return 0;
#endif
}

static inline int csysi_pop(const uint32_t *marks, const void *entry)
{
#if defined(CSYS_CHECKED)
	(void)marks;
	(void)entry;
	return 0;
#else
	if (csysi_is_plain(marks))
		return 1;
#if CSYSI_IS_ELF
	if (CSYSI_LIKELY(csysi_ledger.only == entry)) {
		csysi_ledger.only = CSYSI_NULL;
		return 1;
	}
#else
	(void)entry;
#endif
	return 0;
#endif
}

/*
 * Note a lock between processes, and strike that note, in the usual case: 1; 0: it is another.  The
 * marks of such a lock are in its own word.
 */
static inline int csysi_push_shared(const void *entry)
{
#if CSYSI_IS_ELF && !defined(CSYS_CHECKED)
	if (CSYSI_LIKELY(csysi_ledger.only == CSYSI_NULL)) {
		csysi_ledger.only = entry;
		return 1;
	}
#else
	(void)entry;
#endif
	return 0;
}

static inline int csysi_pop_shared(const void *entry)
{
#if CSYSI_IS_ELF && !defined(CSYS_CHECKED)
	if (CSYSI_LIKELY(csysi_ledger.only == entry)) {
		csysi_ledger.only = CSYSI_NULL;
		return 1;
	}
#else
	(void)entry;
#endif
	return 0;
}

CSYS_END_DECLS

#endif
