/**
 * \file
 * csys/ipc/shared_guard.h - locks between processes that leaving a block unlocks.
 *
 *     int withdraw(csys_region *region, struct account *a, int sum)
 *     {
 *             CSYS_SHARED_MUTEX_GUARD(held, region, &a->lock);
 *             if (held.result != 0 || a->balance < sum)
 *                     return -1; // unlocked here
 *             a->balance -= sum;
 *             return 0; // and here
 *     }
 *
 * These are guards as those of csys/sync/guard.h, for csys_shared_mutex and csys_shared_rwlock: a
 * declaration, so break, return and goto keep their meaning, which costs what locking and unlocking
 * cost.
 *
 * `result` of a guard is what locking returned.  If it is CSYS_POISONED the lock is held, and a
 * holder has ended before, in this or another process, or panicked:
 *
 *     CSYS_SHARED_MUTEX_GUARD(held, region, &a->lock);
 *     if (held.result == CSYS_POISONED) {
 *             a->balance = balance_again(a);
 *             csys_shared_mutex_clear_poison(&a->lock);
 *     }
 *
 * If it is negative nothing is held, and nothing will be unlocked.  That is so with a guard that
 * tries, or waits until a deadline; and with any guard, if the thread is no member of the region
 * and cannot become one: csys_region_attach makes sure before.
 *
 *     CSYS_SHARED_MUTEX_GUARD_UNTIL(held, region, &a->lock, csys_after_ms(100));
 *     if (held.result < 0)
 *             return held.result; // CSYS_ETIMEDOUT, and nothing to unlock
 *
 * Its lock can be unlocked early, and locked again:
 *
 *     CSYS_SHARED_GUARD_UNLOCK(held);
 *     send(message); // takes long, and others may have the lock meanwhile
 *     if (CSYS_SHARED_GUARD_RELOCK(held) != 0)
 *             return -1;
 *
 * The compiler is gcc or clang, of C or C++.
 *
 * The analysis of csys/sync/annotations.h follows these guards as it follows those of
 * csys/sync/guard.h.  It takes the lock of each for held: whether it is, the caller sees from
 * `result`.
 *
 * Fork: what the parent holds by a guard stays the parent's.  A forked child that leaves the block
 * of such a guard, or unlocks it early, aborts with a line: there it ends by exec or _exit.
 */
#ifndef CSYS_IPC_SHARED_GUARD_H
#define CSYS_IPC_SHARED_GUARD_H

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/region.h>
#include <csys/ipc/shared_mutex.h>
#include <csys/ipc/shared_rwlock.h>
#include <csys/sync/annotations.h>
#include <csys/sync/guard.h>

/**
 * Hold a shared mutex from here to the end of the enclosing block, however that is left: by falling
 * out of it, break, continue, return or goto.
 *
 * Declares `name`, whose `result` is what csys_shared_mutex_lock returned: 0 or CSYS_POISONED, with
 * the mutex held; or a negative one, without it.
 *
 * Not by longjmp, and not by the end of the thread or a panic: these poison it as ever.  Where
 * the compiler unwinds, which is in C++ or with -fexceptions, an exception that passes
 * through and pthread_exit unlock it without poison.  Do not jump into the block past it.
 *
 * \param name    of the guard
 * \param region  where it lies, evaluated once
 * \param lock    a csys_shared_mutex *, evaluated once
 */
#define CSYS_SHARED_MUTEX_GUARD(name, region, lock) \
	CSYSI_SHARED_GUARD(mutex, name, region, lock, CSYSI_SHARED_MUTEX_HERE(lock), CSYS_RELEASES)

/**
 * Hold a shared mutex to the end of the block if it is free or its holder has ended, as
 * CSYS_SHARED_MUTEX_GUARD does.
 *
 * `name.result` is what csys_shared_mutex_try_lock returned.  If it is negative, nothing is held.
 *
 * \param name    of the guard
 * \param region  where it lies, evaluated once
 * \param lock    a csys_shared_mutex *, evaluated once
 */
#define CSYS_SHARED_MUTEX_TRY_GUARD(name, region, lock)                                  \
	CSYSI_SHARED_GUARD_TRY(mutex, name, region, lock, CSYSI_SHARED_MUTEX_HERE(lock), \
			       CSYS_RELEASES)

/**
 * Lock a shared mutex by a deadline, and hold it to the end of the block, as
 * CSYS_SHARED_MUTEX_GUARD does.
 *
 * `name.result` is what csys_shared_mutex_lock_until returned.  If it is negative, nothing is held.
 *
 * \param name      of the guard
 * \param region    where it lies, evaluated once
 * \param lock      a csys_shared_mutex *, evaluated once
 * \param deadline  when to give up
 */
#define CSYS_SHARED_MUTEX_GUARD_UNTIL(name, region, lock, deadline)                        \
	CSYSI_SHARED_GUARD_UNTIL(mutex, name, region, lock, CSYSI_SHARED_MUTEX_HERE(lock), \
				 deadline, CSYS_RELEASES)

/**
 * Hold a shared rwlock for reading to the end of the block, as CSYS_SHARED_MUTEX_GUARD does.
 *
 * \param name    of the guard
 * \param region  where it lies, evaluated once
 * \param lock    a csys_shared_rwlock *, evaluated once
 */
#define CSYS_SHARED_RWLOCK_READ_GUARD(name, region, lock)                            \
	CSYSI_SHARED_GUARD(read, name, region, lock, CSYSI_SHARED_RWLOCK_HERE(lock), \
			   CSYS_RELEASES_SHARED)

/**
 * Hold a shared rwlock for reading to the end of the block if no writer has it or waits for it.
 *
 * `name.result` is what csys_shared_rwlock_try_read returned.  If it is negative, nothing is held.
 *
 * \param name    of the guard
 * \param region  where it lies, evaluated once
 * \param lock    a csys_shared_rwlock *, evaluated once
 */
#define CSYS_SHARED_RWLOCK_TRY_READ_GUARD(name, region, lock)                            \
	CSYSI_SHARED_GUARD_TRY(read, name, region, lock, CSYSI_SHARED_RWLOCK_HERE(lock), \
			       CSYS_RELEASES_SHARED)

/**
 * Lock a shared rwlock for reading by a deadline, and hold it to the end of the block.
 *
 * `name.result` is what csys_shared_rwlock_read_until returned.  If it is negative, nothing is
 * held.
 *
 * \param name      of the guard
 * \param region    where it lies, evaluated once
 * \param lock      a csys_shared_rwlock *, evaluated once
 * \param deadline  when to give up
 */
#define CSYS_SHARED_RWLOCK_READ_GUARD_UNTIL(name, region, lock, deadline)                  \
	CSYSI_SHARED_GUARD_UNTIL(read, name, region, lock, CSYSI_SHARED_RWLOCK_HERE(lock), \
				 deadline, CSYS_RELEASES_SHARED)

/**
 * Hold a shared rwlock for writing to the end of the block, as CSYS_SHARED_MUTEX_GUARD does.
 *
 * \param name    of the guard
 * \param region  where it lies, evaluated once
 * \param lock    a csys_shared_rwlock *, evaluated once
 */
#define CSYS_SHARED_RWLOCK_WRITE_GUARD(name, region, lock) \
	CSYSI_SHARED_GUARD(write, name, region, lock, CSYSI_SHARED_RWLOCK_HERE(lock), CSYS_RELEASES)

/**
 * Hold a shared rwlock for writing to the end of the block if that needs no waiting.
 *
 * `name.result` is what csys_shared_rwlock_try_write returned.  If it is negative, nothing is held.
 *
 * \param name    of the guard
 * \param region  where it lies, evaluated once
 * \param lock    a csys_shared_rwlock *, evaluated once
 */
#define CSYS_SHARED_RWLOCK_TRY_WRITE_GUARD(name, region, lock)                            \
	CSYSI_SHARED_GUARD_TRY(write, name, region, lock, CSYSI_SHARED_RWLOCK_HERE(lock), \
			       CSYS_RELEASES)

/**
 * Lock a shared rwlock for writing by a deadline, and hold it to the end of the block.
 *
 * `name.result` is what csys_shared_rwlock_write_until returned.  If it is negative, nothing is
 * held.
 *
 * \param name      of the guard
 * \param region    where it lies, evaluated once
 * \param lock      a csys_shared_rwlock *, evaluated once
 * \param deadline  when to give up
 */
#define CSYS_SHARED_RWLOCK_WRITE_GUARD_UNTIL(name, region, lock, deadline)                  \
	CSYSI_SHARED_GUARD_UNTIL(write, name, region, lock, CSYSI_SHARED_RWLOCK_HERE(lock), \
				 deadline, CSYS_RELEASES)

/**
 * Unlock the lock of a guard before its block ends; then the end of the block unlocks nothing.
 *
 * A guard that holds nothing aborts with a line.
 *
 * \param guard  its name
 */
#define CSYS_SHARED_GUARD_UNLOCK(guard) \
	(CSYSI_GUARD_AT(guard), CSYSI_SHARED_GUARD_CALL(guard, unlock))

/**
 * Lock the lock of a guard again, however long that takes, so that the end of the block unlocks it.
 *
 * Also after a try or a deadline that failed.  What the lock guards may have changed meanwhile.  A
 * guard that holds its lock aborts with a line, since it would wait for itself.
 *
 * \param guard  its name
 * \return what locking returned: 0 or CSYS_POISONED, and it is held; or a negative result, and it
 *         is not.  `result` of the guard stays what it was
 */
#define CSYS_SHARED_GUARD_RELOCK(guard) \
	(CSYSI_GUARD_AT(guard), CSYSI_SHARED_GUARD_CALL(guard, relock))

/*
 * `here` is the lock, told where the guard stands.  Functions in parentheses are functions: in a
 * checked build macros of these names would tell of this header.
 */
#if defined(__cplusplus)
#define CSYSI_SHARED_GUARD_CALL(guard, verb) ((guard).verb())

/* clang follows an object of a class that says so, through its destructor. */
#define CSYSI_SHARED_GUARD(how, name, region, lock, here, releases) \
	CSYSI_UNUSED struct csysi_shared_##how##_guard name(region, here)
#define CSYSI_SHARED_GUARD_TRY(how, name, region, lock, here, releases) \
	CSYSI_UNUSED struct csysi_shared_##how##_guard name(region, here, csysi_guard_tries())
#define CSYSI_SHARED_GUARD_UNTIL(how, name, region, lock, here, deadline, releases) \
	CSYSI_UNUSED struct csysi_shared_##how##_guard name(region, here, deadline)

#define CSYSI_SHARED_GUARD_DEFINE(how, type, enter, tries, until, leave, acquires)              \
	struct CSYSI_GUARD_SCOPED csysi_shared_##how##_guard {                                  \
		csys_region *const region;                                                      \
		type *const lock;                                                               \
		const int result;                                                               \
		bool is_held;                                                                   \
		csysi_shared_##how##_guard(csys_region *in, type *held) acquires(*held)         \
		    : region(in), lock(held), result((enter)(in, held)), is_held(result >= 0)   \
		{                                                                               \
		}                                                                               \
		csysi_shared_##how##_guard(csys_region *in, type *held, csysi_guard_tries)      \
			acquires(*held)                                                         \
		    : region(in), lock(held), result((tries)(in, held)), is_held(result >= 0)   \
		{                                                                               \
		}                                                                               \
		csysi_shared_##how##_guard(csys_region *in, type *held, csys_deadline deadline) \
			acquires(*held)                                                         \
		    : region(in), lock(held), result((until)(in, held, deadline)),              \
		      is_held(result >= 0)                                                      \
		{                                                                               \
		}                                                                               \
		~csysi_shared_##how##_guard() CSYSI_GUARD_RELEASES_ANY()                        \
		{                                                                               \
			if (is_held)                                                            \
				(leave)(region, lock);                                          \
		}                                                                               \
		void unlock() CSYSI_GUARD_RELEASES_ANY() CSYS_NOT_ANALYZED                      \
		{                                                                               \
			if (!is_held)                                                           \
				csysi_guard_holds_nothing();                                    \
			is_held = false;                                                        \
			(leave)(region, lock);                                                  \
		}                                                                               \
		int relock() acquires() CSYS_NOT_ANALYZED                                       \
		{                                                                               \
			if (is_held)                                                            \
				csysi_guard_holds_already();                                    \
			int now = (enter)(region, lock);                                        \
			is_held = now >= 0;                                                     \
			return now;                                                             \
		}                                                                               \
		csysi_shared_##how##_guard(const csysi_shared_##how##_guard &) = delete;        \
		csysi_shared_##how##_guard &                                                    \
		operator=(const csysi_shared_##how##_guard &) = delete;                         \
	}

CSYSI_SHARED_GUARD_DEFINE(mutex, csys_shared_mutex, csys_shared_mutex_lock,
			  csys_shared_mutex_try_lock, csys_shared_mutex_lock_until,
			  csys_shared_mutex_unlock, CSYS_ACQUIRES);
CSYSI_SHARED_GUARD_DEFINE(read, csys_shared_rwlock, csys_shared_rwlock_read,
			  csys_shared_rwlock_try_read, csys_shared_rwlock_read_until,
			  csys_shared_rwlock_unlock_read, CSYS_ACQUIRES_SHARED);
CSYSI_SHARED_GUARD_DEFINE(write, csys_shared_rwlock, csys_shared_rwlock_write,
			  csys_shared_rwlock_try_write, csys_shared_rwlock_write_until,
			  csys_shared_rwlock_unlock_write, CSYS_ACQUIRES);

#else

/* What each guard is, so that one function can unlock them all. */
struct csysi_shared_guard {
	csys_region *const region;
	void *const lock;
	const int result;
	const int how;
	int is_held;
};

enum { CSYSI_SHARED_GUARD_mutex, CSYSI_SHARED_GUARD_read, CSYSI_SHARED_GUARD_write };

#define CSYSI_SHARED_GUARD_CALL(guard, verb) csysi_shared_guard_##verb(&(guard))

/* `how` is a constant where a guard is declared, so little is left of the choice. */
CSYSI_GUARD_INLINE void
csysi_shared_guard_release(const struct csysi_shared_guard *guard) CSYS_NOT_ANALYZED;
CSYSI_GUARD_INLINE void csysi_shared_guard_release(const struct csysi_shared_guard *guard)
{
	switch (guard->how) {
	case CSYSI_SHARED_GUARD_mutex:
		(csys_shared_mutex_unlock)(guard->region, (csys_shared_mutex *)guard->lock);
		break;
	case CSYSI_SHARED_GUARD_read:
		(csys_shared_rwlock_unlock_read)(guard->region, (csys_shared_rwlock *)guard->lock);
		break;
	default:
		(csys_shared_rwlock_unlock_write)(guard->region, (csys_shared_rwlock *)guard->lock);
	}
}

CSYSI_UNUSED static inline void csysi_shared_guard_unlock(struct csysi_shared_guard *guard)
{
	if (!guard->is_held)
		csysi_guard_holds_nothing();
	guard->is_held = 0;
	csysi_shared_guard_release(guard);
}

CSYSI_GUARD_INLINE int
csysi_shared_guard_enter(const struct csysi_shared_guard *guard) CSYS_NOT_ANALYZED;
CSYSI_GUARD_INLINE int csysi_shared_guard_enter(const struct csysi_shared_guard *guard)
{
	switch (guard->how) {
	case CSYSI_SHARED_GUARD_mutex:
		return (csys_shared_mutex_lock)(guard->region, (csys_shared_mutex *)guard->lock);
	case CSYSI_SHARED_GUARD_read:
		return (csys_shared_rwlock_read)(guard->region, (csys_shared_rwlock *)guard->lock);
	default:
		return (csys_shared_rwlock_write)(guard->region, (csys_shared_rwlock *)guard->lock);
	}
}

CSYSI_UNUSED static inline int csysi_shared_guard_relock(struct csysi_shared_guard *guard)
{
	if (guard->is_held)
		csysi_guard_holds_already();
	int result = csysi_shared_guard_enter(guard);
	guard->is_held = result >= 0;
	return result;
}

#define CSYSI_SHARED_GUARD(how, name, region, lock, here, releases)                           \
	CSYSI_SHARED_GUARD_AS(name, lock, csysi_shared_##how##_guard(region, here), releases, \
			      CSYSI_JOIN(csysi_leave_, __COUNTER__))
#define CSYSI_SHARED_GUARD_TRY(how, name, region, lock, here, releases)                           \
	CSYSI_SHARED_GUARD_AS(name, lock, csysi_shared_##how##_guard_try(region, here), releases, \
			      CSYSI_JOIN(csysi_leave_, __COUNTER__))
#define CSYSI_SHARED_GUARD_UNTIL(how, name, region, lock, here, deadline, releases)               \
	CSYSI_SHARED_GUARD_AS(name, lock,                                                         \
			      csysi_shared_##how##_guard_until(region, here, deadline), releases, \
			      CSYSI_JOIN(csysi_leave_, __COUNTER__))

#if defined(__clang__) && __clang_major__ >= 19
/* As in csys/sync/guard.h: each guard has its own name for the function, with its own mark. */
#define CSYSI_SHARED_GUARD_LEAVE __asm__("csysi_shared_guard_leave")
#define CSYSI_SHARED_GUARD_AS(name, lock, enter, releases, leave_it)       \
	void leave_it(const struct csysi_shared_guard *) releases(*(lock)) \
		CSYSI_SHARED_GUARD_LEAVE;                                  \
	struct csysi_shared_guard name CSYSI_ATTRIBUTE((cleanup(leave_it), unused)) = enter
#else
#define CSYSI_SHARED_GUARD_LEAVE
#define CSYSI_SHARED_GUARD_AS(name, lock, enter, releases, leave_it) \
	struct csysi_shared_guard name CSYSI_ATTRIBUTE(              \
		(cleanup(csysi_shared_guard_leave), unused)) = enter
#endif

CSYSI_GUARD_INLINE void csysi_shared_guard_leave(const struct csysi_shared_guard *guard)
	CSYSI_SHARED_GUARD_LEAVE CSYS_NOT_ANALYZED;
CSYSI_GUARD_INLINE void csysi_shared_guard_leave(const struct csysi_shared_guard *guard)
{
	if (guard->is_held)
		csysi_shared_guard_release(guard);
}

#define CSYSI_SHARED_GUARD_DEFINE(kind, type, enter, tries, until, acquires)                    \
	CSYSI_UNUSED static inline struct csysi_shared_guard csysi_shared_##kind##_guard(       \
		csys_region *region, type *lock) acquires(*lock) CSYS_NOT_ANALYZED;             \
	CSYSI_UNUSED static inline struct csysi_shared_guard csysi_shared_##kind##_guard(       \
		csys_region *region, type *lock)                                                \
	{                                                                                       \
		int result = (enter)(region, lock);                                             \
		struct csysi_shared_guard guard = { region, lock, result,                       \
						    CSYSI_SHARED_GUARD_##kind, result >= 0 };   \
		return guard;                                                                   \
	}                                                                                       \
	CSYSI_UNUSED static inline struct csysi_shared_guard csysi_shared_##kind##_guard_try(   \
		csys_region *region, type *lock) acquires(*lock) CSYS_NOT_ANALYZED;             \
	CSYSI_UNUSED static inline struct csysi_shared_guard csysi_shared_##kind##_guard_try(   \
		csys_region *region, type *lock)                                                \
	{                                                                                       \
		int result = (tries)(region, lock);                                             \
		struct csysi_shared_guard guard = { region, lock, result,                       \
						    CSYSI_SHARED_GUARD_##kind, result >= 0 };   \
		return guard;                                                                   \
	}                                                                                       \
	CSYSI_UNUSED static inline struct csysi_shared_guard csysi_shared_##kind##_guard_until( \
		csys_region *region, type *lock, csys_deadline deadline) acquires(*lock)        \
		CSYS_NOT_ANALYZED;                                                              \
	CSYSI_UNUSED static inline struct csysi_shared_guard csysi_shared_##kind##_guard_until( \
		csys_region *region, type *lock, csys_deadline deadline)                        \
	{                                                                                       \
		int result = (until)(region, lock, deadline);                                   \
		struct csysi_shared_guard guard = { region, lock, result,                       \
						    CSYSI_SHARED_GUARD_##kind, result >= 0 };   \
		return guard;                                                                   \
	}                                                                                       \
	struct csysi_shared_guard /* for a semicolon */

CSYSI_SHARED_GUARD_DEFINE(mutex, csys_shared_mutex, csys_shared_mutex_lock,
			  csys_shared_mutex_try_lock, csys_shared_mutex_lock_until, CSYS_ACQUIRES);
CSYSI_SHARED_GUARD_DEFINE(read, csys_shared_rwlock, csys_shared_rwlock_read,
			  csys_shared_rwlock_try_read, csys_shared_rwlock_read_until,
			  CSYS_ACQUIRES_SHARED);
CSYSI_SHARED_GUARD_DEFINE(write, csys_shared_rwlock, csys_shared_rwlock_write,
			  csys_shared_rwlock_try_write, csys_shared_rwlock_write_until,
			  CSYS_ACQUIRES);

#endif

#endif
