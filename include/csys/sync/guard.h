/**
 * \file
 * csys/sync/guard.h - locks that leaving a block unlocks.
 *
 *     int withdraw(struct account *a, int sum)
 *     {
 *             CSYS_MUTEX_GUARD(held, &a->lock);
 *             if (held.result == CSYS_POISONED || a->balance < sum)
 *                     return -1; // unlocked here
 *             a->balance -= sum;
 *             return 0; // and here
 *     }
 *
 * A guard is a declaration, so break, return and goto keep their meaning.  It costs
 * what locking and unlocking cost.  A condvar waits under the guard's lock as under any.
 *
 * A guard that tries, or waits until a deadline, may hold nothing:
 *
 *     CSYS_MUTEX_GUARD_UNTIL(held, &a->lock, csys_after_ms(100));
 *     if (held.result < 0)
 *             return held.result; // CSYS_ETIMEDOUT, and nothing to unlock
 *
 * Its lock can be unlocked early, and locked again, which parking_lot calls unlocked:
 *
 *     CSYS_GUARD_UNLOCK(held);
 *     send(message); // takes long, and others may have the lock meanwhile
 *     if (CSYS_GUARD_RELOCK(held) == CSYS_POISONED)
 *             return -1;
 *
 * The compiler is gcc or clang, of C or C++.
 *
 * The analysis of csys/sync/annotations.h follows guards.  In C++ it follows them through
 * CSYS_GUARD_UNLOCK and CSYS_GUARD_RELOCK too; in C it takes the lock for held to the end of the
 * block.  In both it takes the lock of a guard that tries, or has a deadline, for held: whether it
 * is, the caller sees from `result`.
 */
#ifndef CSYS_SYNC_GUARD_H
#define CSYS_SYNC_GUARD_H

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/annotations.h>
#include <csys/sync/mutex.h>
#include <csys/sync/reentrant.h>
#include <csys/sync/rwlock.h>

/**
 * Hold a mutex from here to the end of the enclosing block, however that is left: by falling out
 * of it, break, continue, return or goto.
 *
 * Declares `name`, whose `result` is what locking returned: 0 or CSYS_POISONED.  The mutex is held
 * either way.
 *
 * Not by longjmp, and not by the end of the thread or a panic: these poison it as ever.  Where
 * the compiler unwinds, which is in C++ or with -fexceptions, an exception that passes
 * through and pthread_exit unlock it without poison.  Do not jump into the block past it.
 *
 * \param name  of the guard
 * \param lock  a csys_mutex *, evaluated once
 */
#define CSYS_MUTEX_GUARD(name, lock) \
	CSYSI_GUARD(mutex, name, lock, CSYSI_MUTEX_HERE(lock), CSYS_RELEASES)

/**
 * Hold a mutex to the end of the block if it is free, as CSYS_MUTEX_GUARD does.
 *
 * `name.result` is what csys_mutex_try_lock returned.  If it is negative, nothing is held.
 *
 * \param name  of the guard
 * \param lock  a csys_mutex *, evaluated once
 */
#define CSYS_MUTEX_TRY_GUARD(name, lock) \
	CSYSI_GUARD_TRY(mutex, name, lock, CSYSI_MUTEX_HERE(lock), CSYS_RELEASES)

/**
 * Lock a mutex by a deadline, and hold it to the end of the block, as CSYS_MUTEX_GUARD does.
 *
 * `name.result` is what csys_mutex_lock_until returned.  If it is negative, nothing is held.
 *
 * \param name      of the guard
 * \param lock      a csys_mutex *, evaluated once
 * \param deadline  when to give up
 */
#define CSYS_MUTEX_GUARD_UNTIL(name, lock, deadline) \
	CSYSI_GUARD_UNTIL(mutex, name, lock, CSYSI_MUTEX_HERE(lock), deadline, CSYS_RELEASES)

/**
 * Hold a reentrant mutex, once more if the caller holds it, to the end of the block.
 *
 * As CSYS_MUTEX_GUARD; but the analysis follows no reentrant mutexes.
 *
 * \param name  of the guard
 * \param lock  a csys_reentrant *, evaluated once
 */
#define CSYS_REENTRANT_GUARD(name, lock) \
	CSYSI_GUARD(reentrant, name, lock, CSYSI_REENTRANT_HERE(lock), CSYSI_GUARD_NO_MARK)

/**
 * Hold a reentrant mutex to the end of the block if no other thread holds it.
 *
 * As CSYS_MUTEX_TRY_GUARD; but the analysis follows no reentrant mutexes.
 *
 * \param name  of the guard
 * \param lock  a csys_reentrant *, evaluated once
 */
#define CSYS_REENTRANT_TRY_GUARD(name, lock) \
	CSYSI_GUARD_TRY(reentrant, name, lock, CSYSI_REENTRANT_HERE(lock), CSYSI_GUARD_NO_MARK)

/**
 * Lock a reentrant mutex by a deadline, and hold it to the end of the block.
 *
 * As CSYS_MUTEX_GUARD_UNTIL; but the analysis follows no reentrant mutexes.
 *
 * \param name      of the guard
 * \param lock      a csys_reentrant *, evaluated once
 * \param deadline  when to give up
 */
#define CSYS_REENTRANT_GUARD_UNTIL(name, lock, deadline)                               \
	CSYSI_GUARD_UNTIL(reentrant, name, lock, CSYSI_REENTRANT_HERE(lock), deadline, \
			  CSYSI_GUARD_NO_MARK)

/**
 * Hold a rwlock for reading to the end of the block, as CSYS_MUTEX_GUARD does.
 *
 * \param name  of the guard
 * \param lock  a csys_rwlock *, evaluated once
 */
#define CSYS_RWLOCK_READ_GUARD(name, lock) \
	CSYSI_GUARD(read, name, lock, CSYSI_RWLOCK_HERE(lock), CSYS_RELEASES_SHARED)

/**
 * Hold a rwlock for reading to the end of the block if that needs no waiting.
 *
 * `name.result` is what csys_rwlock_try_read returned.  If it is negative, nothing is held.
 *
 * \param name  of the guard
 * \param lock  a csys_rwlock *, evaluated once
 */
#define CSYS_RWLOCK_TRY_READ_GUARD(name, lock) \
	CSYSI_GUARD_TRY(read, name, lock, CSYSI_RWLOCK_HERE(lock), CSYS_RELEASES_SHARED)

/**
 * Lock a rwlock for reading by a deadline, and hold it to the end of the block.
 *
 * `name.result` is what csys_rwlock_read_until returned.  If it is negative, nothing is held.
 *
 * \param name      of the guard
 * \param lock      a csys_rwlock *, evaluated once
 * \param deadline  when to give up
 */
#define CSYS_RWLOCK_READ_GUARD_UNTIL(name, lock, deadline) \
	CSYSI_GUARD_UNTIL(read, name, lock, CSYSI_RWLOCK_HERE(lock), deadline, CSYS_RELEASES_SHARED)

/**
 * Hold a rwlock for writing to the end of the block, as CSYS_MUTEX_GUARD does.
 *
 * \param name  of the guard
 * \param lock  a csys_rwlock *, evaluated once
 */
#define CSYS_RWLOCK_WRITE_GUARD(name, lock) \
	CSYSI_GUARD(write, name, lock, CSYSI_RWLOCK_HERE(lock), CSYS_RELEASES)

/**
 * Hold a rwlock for writing to the end of the block if that needs no waiting.
 *
 * `name.result` is what csys_rwlock_try_write returned.  If it is negative, nothing is held.
 *
 * \param name  of the guard
 * \param lock  a csys_rwlock *, evaluated once
 */
#define CSYS_RWLOCK_TRY_WRITE_GUARD(name, lock) \
	CSYSI_GUARD_TRY(write, name, lock, CSYSI_RWLOCK_HERE(lock), CSYS_RELEASES)

/**
 * Lock a rwlock for writing by a deadline, and hold it to the end of the block.
 *
 * `name.result` is what csys_rwlock_write_until returned.  If it is negative, nothing is held.
 *
 * \param name      of the guard
 * \param lock      a csys_rwlock *, evaluated once
 * \param deadline  when to give up
 */
#define CSYS_RWLOCK_WRITE_GUARD_UNTIL(name, lock, deadline) \
	CSYSI_GUARD_UNTIL(write, name, lock, CSYSI_RWLOCK_HERE(lock), deadline, CSYS_RELEASES)

/**
 * Hold a rwlock for upgradable reading to the end of the block, as CSYS_MUTEX_GUARD does.
 *
 * Inside, the lock may be upgraded, by csys_rwlock_upgrade and the like, and downgraded to
 * upgradable: the guard unlocks it as it is held.  It must not become a usual read lock.
 *
 * \param name  of the guard
 * \param lock  a csys_rwlock *, evaluated once
 */
#define CSYS_RWLOCK_UPGRADABLE_GUARD(name, lock) \
	CSYSI_GUARD(upgradable, name, lock, CSYSI_RWLOCK_HERE(lock), CSYSI_GUARD_RELEASES_ANY)

/**
 * Hold a rwlock for upgradable reading to the end of the block if that needs no waiting.
 *
 * `name.result` is what csys_rwlock_try_upgradable_read returned.  If it is negative, nothing is
 * held.
 *
 * \param name  of the guard
 * \param lock  a csys_rwlock *, evaluated once
 */
#define CSYS_RWLOCK_TRY_UPGRADABLE_GUARD(name, lock) \
	CSYSI_GUARD_TRY(upgradable, name, lock, CSYSI_RWLOCK_HERE(lock), CSYSI_GUARD_RELEASES_ANY)

/**
 * Lock a rwlock for upgradable reading by a deadline, and hold it to the end of the block.
 *
 * `name.result` is what csys_rwlock_upgradable_read_until returned.  If it is negative, nothing is
 * held.
 *
 * \param name      of the guard
 * \param lock      a csys_rwlock *, evaluated once
 * \param deadline  when to give up
 */
#define CSYS_RWLOCK_UPGRADABLE_GUARD_UNTIL(name, lock, deadline)                     \
	CSYSI_GUARD_UNTIL(upgradable, name, lock, CSYSI_RWLOCK_HERE(lock), deadline, \
			  CSYSI_GUARD_RELEASES_ANY)

/**
 * Unlock the lock of a guard before its block ends; then the end of the block unlocks nothing.
 *
 * A guard that holds nothing aborts with a line.
 *
 * \param guard  its name
 */
#define CSYS_GUARD_UNLOCK(guard) (CSYSI_GUARD_AT(guard), CSYSI_GUARD_CALL(guard, unlock))

/**
 * Lock the lock of a guard again, however long that takes, so that the end of the block unlocks it.
 *
 * Also after a try or a deadline that failed.  What the lock guards may have changed meanwhile.  A
 * guard that holds its lock aborts with a line, since it would wait for itself.
 *
 * \param guard  its name
 * \return 0, or CSYS_POISONED; it is held either way.  `result` of the guard stays what it was
 */
#define CSYS_GUARD_RELOCK(guard) (CSYSI_GUARD_AT(guard), CSYSI_GUARD_CALL(guard, relock))

CSYS_BEGIN_DECLS
/* Abort: a guard that holds nothing is unlocked, or one that holds its lock is locked. */
CSYS_API void csysi_guard_holds_nothing(void);
CSYS_API void csysi_guard_holds_already(void);
CSYS_END_DECLS

#define CSYSI_GUARD_NO_MARK(...)
#define CSYSI_GUARD_RELEASES_ANY(...) CSYSI_CAPABILITY(release_generic_capability(__VA_ARGS__))

/* Where the call stands, for a checked build. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
#define CSYSI_GUARD_AT(guard) csysi_checked_at((guard).lock, CSYSI_NULL, __FILE__, __LINE__)
#else
#define CSYSI_GUARD_AT(guard) ((void)0)
#endif

/* Unlock it as it is held: an upgradable reader may have been upgraded; then it is the writer. */
CSYSI_UNUSED static inline void csysi_guard_unlock_upgradable(csys_rwlock *lock) CSYS_NOT_ANALYZED;
CSYSI_UNUSED static inline void csysi_guard_unlock_upgradable(csys_rwlock *lock)
{
	if (csys_rwlock_is_write_locked(lock))
		(csys_rwlock_unlock_write)(lock);
	else
		(csys_rwlock_unlock_upgradable)(lock);
}

/*
 * `here` is the lock, told where the guard stands.  Functions in parentheses are functions: in a
 * checked build macros of these names would tell of this header.
 */
#if defined(__cplusplus)
#define CSYSI_GUARD_CALL(guard, verb) ((guard).verb())

/* clang follows an object of a class that says so, through its destructor. */
#define CSYSI_GUARD(how, name, lock, here, releases) \
	CSYSI_UNUSED struct csysi_##how##_guard name(here)
#define CSYSI_GUARD_TRY(how, name, lock, here, releases) \
	CSYSI_UNUSED struct csysi_##how##_guard name(here, csysi_guard_tries())
#define CSYSI_GUARD_UNTIL(how, name, lock, here, deadline, releases) \
	CSYSI_UNUSED struct csysi_##how##_guard name(here, deadline)

struct csysi_guard_tries {
};

#define CSYSI_GUARD_DEFINE(how, type, enter, tries, until, leave, acquires, releases, scoped) \
	struct scoped csysi_##how##_guard {                                                   \
		type *const lock;                                                             \
		const int result;                                                             \
		bool is_held;                                                                 \
		explicit csysi_##how##_guard(type *held) acquires(*held)                      \
		    : lock(held), result((enter)(held)), is_held(true)                        \
		{                                                                             \
		}                                                                             \
		csysi_##how##_guard(type *held, csysi_guard_tries) acquires(*held)            \
		    : lock(held), result((tries)(held)), is_held(result >= 0)                 \
		{                                                                             \
		}                                                                             \
		csysi_##how##_guard(type *held, csys_deadline deadline) acquires(*held)       \
		    : lock(held), result((until)(held, deadline)), is_held(result >= 0)       \
		{                                                                             \
		}                                                                             \
		~csysi_##how##_guard() releases()                                             \
		{                                                                             \
			if (is_held)                                                          \
				(leave)(lock);                                                \
		}                                                                             \
		void unlock() releases() CSYS_NOT_ANALYZED                                    \
		{                                                                             \
			if (!is_held)                                                         \
				csysi_guard_holds_nothing();                                  \
			is_held = false;                                                      \
			(leave)(lock);                                                        \
		}                                                                             \
		int relock() acquires() CSYS_NOT_ANALYZED                                     \
		{                                                                             \
			if (is_held)                                                          \
				csysi_guard_holds_already();                                  \
			is_held = true;                                                       \
			return (enter)(lock);                                                 \
		}                                                                             \
		csysi_##how##_guard(const csysi_##how##_guard &) = delete;                    \
		csysi_##how##_guard &operator=(const csysi_##how##_guard &) = delete;         \
	}

#define CSYSI_GUARD_SCOPED CSYSI_CAPABILITY(scoped_lockable)
CSYSI_GUARD_DEFINE(mutex, csys_mutex, csys_mutex_lock, csys_mutex_try_lock, csys_mutex_lock_until,
		   csys_mutex_unlock, CSYS_ACQUIRES, CSYSI_GUARD_RELEASES_ANY, CSYSI_GUARD_SCOPED);
CSYSI_GUARD_DEFINE(reentrant, csys_reentrant, csys_reentrant_lock, csys_reentrant_try_lock,
		   csys_reentrant_lock_until, csys_reentrant_unlock, CSYSI_GUARD_NO_MARK,
		   CSYSI_GUARD_NO_MARK, );
CSYSI_GUARD_DEFINE(read, csys_rwlock, csys_rwlock_read, csys_rwlock_try_read,
		   csys_rwlock_read_until, csys_rwlock_unlock_read, CSYS_ACQUIRES_SHARED,
		   CSYSI_GUARD_RELEASES_ANY, CSYSI_GUARD_SCOPED);
CSYSI_GUARD_DEFINE(write, csys_rwlock, csys_rwlock_write, csys_rwlock_try_write,
		   csys_rwlock_write_until, csys_rwlock_unlock_write, CSYS_ACQUIRES,
		   CSYSI_GUARD_RELEASES_ANY, CSYSI_GUARD_SCOPED);
CSYSI_GUARD_DEFINE(upgradable, csys_rwlock, csys_rwlock_upgradable_read,
		   csys_rwlock_try_upgradable_read, csys_rwlock_upgradable_read_until,
		   csysi_guard_unlock_upgradable, CSYS_ACQUIRES_SHARED, CSYSI_GUARD_RELEASES_ANY,
		   CSYSI_GUARD_SCOPED);

#else

/* What each guard begins with, so that one function can unlock them all. */
struct csysi_guard {
	void *const lock;
	const int result;
	const int how;
	int is_held;
};

enum {
	CSYSI_GUARD_mutex,
	CSYSI_GUARD_reentrant,
	CSYSI_GUARD_read,
	CSYSI_GUARD_write,
	CSYSI_GUARD_upgradable
};

#define CSYSI_GUARD_CALL(guard, verb) csysi_guard_##verb(&(guard))

/* `how` is a constant where a guard is declared, so little is left of the choice. */
#define CSYSI_GUARD_INLINE CSYSI_ATTRIBUTE((always_inline, unused)) static inline

CSYSI_GUARD_INLINE void csysi_guard_release(const struct csysi_guard *guard) CSYS_NOT_ANALYZED;
CSYSI_GUARD_INLINE void csysi_guard_release(const struct csysi_guard *guard)
{
	switch (guard->how) {
	case CSYSI_GUARD_mutex:
		(csys_mutex_unlock)((csys_mutex *)guard->lock);
		break;
	case CSYSI_GUARD_reentrant:
		(csys_reentrant_unlock)((csys_reentrant *)guard->lock);
		break;
	case CSYSI_GUARD_read:
		(csys_rwlock_unlock_read)((csys_rwlock *)guard->lock);
		break;
	case CSYSI_GUARD_write:
		(csys_rwlock_unlock_write)((csys_rwlock *)guard->lock);
		break;
	default:
		csysi_guard_unlock_upgradable((csys_rwlock *)guard->lock);
	}
}

CSYSI_UNUSED static inline void csysi_guard_unlock(struct csysi_guard *guard)
{
	if (!guard->is_held)
		csysi_guard_holds_nothing();
	guard->is_held = 0;
	csysi_guard_release(guard);
}

CSYSI_UNUSED static inline int csysi_guard_relock(struct csysi_guard *guard) CSYS_NOT_ANALYZED;
CSYSI_UNUSED static inline int csysi_guard_relock(struct csysi_guard *guard)
{
	if (guard->is_held)
		csysi_guard_holds_already();
	guard->is_held = 1;
	switch (guard->how) {
	case CSYSI_GUARD_mutex:
		return (csys_mutex_lock)((csys_mutex *)guard->lock);
	case CSYSI_GUARD_reentrant:
		return (csys_reentrant_lock)((csys_reentrant *)guard->lock);
	case CSYSI_GUARD_read:
		return (csys_rwlock_read)((csys_rwlock *)guard->lock);
	case CSYSI_GUARD_write:
		return (csys_rwlock_write)((csys_rwlock *)guard->lock);
	default:
		return (csys_rwlock_upgradable_read)((csys_rwlock *)guard->lock);
	}
}

#define CSYSI_JOIN_NOW(a, b) a##b
#define CSYSI_JOIN(a, b) CSYSI_JOIN_NOW(a, b)
#define CSYSI_GUARD(how, name, lock, here, releases)                    \
	CSYSI_GUARD_AS(name, lock, csysi_##how##_guard(here), releases, \
		       CSYSI_JOIN(csysi_leave_, __COUNTER__))
#define CSYSI_GUARD_TRY(how, name, lock, here, releases)                    \
	CSYSI_GUARD_AS(name, lock, csysi_##how##_guard_try(here), releases, \
		       CSYSI_JOIN(csysi_leave_, __COUNTER__))
#define CSYSI_GUARD_UNTIL(how, name, lock, here, deadline, releases)                    \
	CSYSI_GUARD_AS(name, lock, csysi_##how##_guard_until(here, deadline), releases, \
		       CSYSI_JOIN(csysi_leave_, __COUNTER__))

#if defined(__clang__) && __clang_major__ >= 19
/*
 * In C there are no such classes, but clang looks at the marks of clean-up functions.  So
 * each guard declares another name for the one there is, with a mark that names its own lock.
 */
#define CSYSI_GUARD_LEAVE __asm__("csysi_guard_leave")
#define CSYSI_GUARD_AS(name, lock, enter, releases, leave_it)                          \
	void leave_it(const struct csysi_guard *) releases(*(lock)) CSYSI_GUARD_LEAVE; \
	struct csysi_guard name CSYSI_ATTRIBUTE((cleanup(leave_it), unused)) = enter
#else
#define CSYSI_GUARD_LEAVE
#define CSYSI_GUARD_AS(name, lock, enter, releases, leave_it) \
	struct csysi_guard name CSYSI_ATTRIBUTE((cleanup(csysi_guard_leave), unused)) = enter
#endif

CSYSI_GUARD_INLINE void
csysi_guard_leave(const struct csysi_guard *guard) CSYSI_GUARD_LEAVE CSYS_NOT_ANALYZED;
CSYSI_GUARD_INLINE void csysi_guard_leave(const struct csysi_guard *guard)
{
	if (guard->is_held)
		csysi_guard_release(guard);
}

#define CSYSI_GUARD_DEFINE(kind, type, enter, tries, until, acquires)                         \
	CSYSI_UNUSED static inline struct csysi_guard csysi_##kind##_guard(type *lock)        \
		acquires(*lock) CSYS_NOT_ANALYZED;                                            \
	CSYSI_UNUSED static inline struct csysi_guard csysi_##kind##_guard(type *lock)        \
	{                                                                                     \
		struct csysi_guard guard = { lock, (enter)(lock), CSYSI_GUARD_##kind, 1 };    \
		return guard;                                                                 \
	}                                                                                     \
	CSYSI_UNUSED static inline struct csysi_guard csysi_##kind##_guard_try(type *lock)    \
		acquires(*lock) CSYS_NOT_ANALYZED;                                            \
	CSYSI_UNUSED static inline struct csysi_guard csysi_##kind##_guard_try(type *lock)    \
	{                                                                                     \
		int result = (tries)(lock);                                                   \
		struct csysi_guard guard = { lock, result, CSYSI_GUARD_##kind, result >= 0 }; \
		return guard;                                                                 \
	}                                                                                     \
	CSYSI_UNUSED static inline struct csysi_guard csysi_##kind##_guard_until(             \
		type *lock, csys_deadline deadline) acquires(*lock) CSYS_NOT_ANALYZED;        \
	CSYSI_UNUSED static inline struct csysi_guard csysi_##kind##_guard_until(             \
		type *lock, csys_deadline deadline)                                           \
	{                                                                                     \
		int result = (until)(lock, deadline);                                         \
		struct csysi_guard guard = { lock, result, CSYSI_GUARD_##kind, result >= 0 }; \
		return guard;                                                                 \
	}                                                                                     \
	struct csysi_guard /* for a semicolon */

CSYSI_GUARD_DEFINE(mutex, csys_mutex, csys_mutex_lock, csys_mutex_try_lock, csys_mutex_lock_until,
		   CSYS_ACQUIRES);
CSYSI_GUARD_DEFINE(reentrant, csys_reentrant, csys_reentrant_lock, csys_reentrant_try_lock,
		   csys_reentrant_lock_until, CSYSI_GUARD_NO_MARK);
CSYSI_GUARD_DEFINE(read, csys_rwlock, csys_rwlock_read, csys_rwlock_try_read,
		   csys_rwlock_read_until, CSYS_ACQUIRES_SHARED);
CSYSI_GUARD_DEFINE(write, csys_rwlock, csys_rwlock_write, csys_rwlock_try_write,
		   csys_rwlock_write_until, CSYS_ACQUIRES);
CSYSI_GUARD_DEFINE(upgradable, csys_rwlock, csys_rwlock_upgradable_read,
		   csys_rwlock_try_upgradable_read, csys_rwlock_upgradable_read_until,
		   CSYS_ACQUIRES_SHARED);

#endif

#endif
