/*
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
 * The compiler is gcc or clang, of C or C++.  The analysis of csys/sync/annotations.h
 * follows.
 */
#ifndef CSYS_SYNC_GUARD_H
#define CSYS_SYNC_GUARD_H

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/annotations.h>
#include <csys/sync/mutex.h>
#include <csys/sync/rwlock.h>

/* ---- guards ----------------------------------------------------------------------------- */

/*
 * Hold a mutex, or a rwlock for reading or writing, from here to the end of the enclosing
 * block, however that is left: by falling out of it, break, continue, return or goto.
 *
 * Declares `name`, a constant whose `result` is what locking returned: 0 or CSYS_POISONED.
 * The lock is held either way.  `lock` is evaluated once.
 *
 * Not by longjmp, and not by the end of the thread or a panic: these poison it as ever.  Where
 * the compiler unwinds, which is in C++ or with -fexceptions, an exception that passes
 * through and pthread_exit unlock it without poison.  Do not jump into the block past it.
 */
#define CSYS_MUTEX_GUARD(name, lock) \
	CSYSI_GUARD(mutex, name, lock, CSYSI_MUTEX_HERE(lock), CSYS_RELEASES)
#define CSYS_RWLOCK_READ_GUARD(name, lock) \
	CSYSI_GUARD(read, name, lock, CSYSI_RWLOCK_HERE(lock), CSYS_RELEASES_SHARED)
#define CSYS_RWLOCK_WRITE_GUARD(name, lock) \
	CSYSI_GUARD(write, name, lock, CSYSI_RWLOCK_HERE(lock), CSYS_RELEASES)

/*
 * `here` is the lock, told where the guard stands.  (enter) and (leave) in parentheses are the
 * functions: in a checked build macros of these names would tell of this header.
 */
#if defined(__cplusplus)

/* clang follows an object of a class that says so, through its destructor. */
#define CSYSI_GUARD(how, name, lock, here, releases) \
	CSYSI_UNUSED const struct csysi_##how##_guard name(here)

#define CSYSI_GUARD_DEFINE(how, type, enter, leave, acquires)                         \
	struct CSYSI_CAPABILITY(scoped_lockable) csysi_##how##_guard {                \
		type *const lock;                                                     \
		const int result;                                                     \
		explicit csysi_##how##_guard(type *held) acquires(*held)              \
		    : lock(held), result((enter)(held))                               \
		{                                                                     \
		}                                                                     \
		~csysi_##how##_guard() CSYS_RELEASES()                                \
		{                                                                     \
			(leave)(lock);                                                \
		}                                                                     \
		csysi_##how##_guard(const csysi_##how##_guard &) = delete;            \
		csysi_##how##_guard &operator=(const csysi_##how##_guard &) = delete; \
	}

#else

#define CSYSI_JOIN_NOW(a, b) a##b
#define CSYSI_JOIN(a, b) CSYSI_JOIN_NOW(a, b)
#define CSYSI_GUARD(how, name, lock, here, releases) \
	CSYSI_GUARD_AS(how, name, lock, here, releases, CSYSI_JOIN(csysi_leave_, __COUNTER__))

#if defined(__clang__) && __clang_major__ >= 19
/*
 * In C there are no such classes, but clang looks at the marks of clean-up functions.  So
 * each guard declares another name for the one there is, with a mark that names its own lock.
 */
#define CSYSI_GUARD_LEAVE(how) __asm__("csysi_" #how "_guard_leave")
#define CSYSI_GUARD_AS(how, name, lock, here, releases, leave_it)                            \
	void leave_it(const struct csysi_##how##_guard *) releases(*(lock))                  \
		CSYSI_GUARD_LEAVE(how);                                                      \
	const struct csysi_##how##_guard name CSYSI_ATTRIBUTE((cleanup(leave_it), unused)) = \
		csysi_##how##_guard_enter(here)
#else
#define CSYSI_GUARD_LEAVE(how)
#define CSYSI_GUARD_AS(how, name, lock, here, releases, leave_it) \
	const struct csysi_##how##_guard name CSYSI_ATTRIBUTE(    \
		(cleanup(csysi_##how##_guard_leave), unused)) = csysi_##how##_guard_enter(here)
#endif

#define CSYSI_GUARD_DEFINE(how, type, enter, leave, acquires)                                      \
	struct csysi_##how##_guard {                                                               \
		type *lock;                                                                        \
		int result;                                                                        \
	};                                                                                         \
	static inline struct csysi_##how##_guard csysi_##how##_guard_enter(type *lock)             \
		acquires(*lock) CSYS_NOT_ANALYZED;                                                 \
	static inline struct csysi_##how##_guard csysi_##how##_guard_enter(type *lock)             \
	{                                                                                          \
		struct csysi_##how##_guard guard = { lock, 0 };                                    \
		guard.result = (enter)(lock);                                                      \
		return guard;                                                                      \
	}                                                                                          \
	CSYSI_UNUSED static inline void csysi_##how##_guard_leave(                                 \
		const struct csysi_##how##_guard *guard) CSYSI_GUARD_LEAVE(how) CSYS_NOT_ANALYZED; \
	CSYSI_UNUSED static inline void csysi_##how##_guard_leave(                                 \
		const struct csysi_##how##_guard *guard)                                           \
	{                                                                                          \
		(leave)(guard->lock);                                                              \
	}                                                                                          \
	struct csysi_##how##_guard /* for a semicolon */

#endif

CSYSI_GUARD_DEFINE(mutex, csys_mutex, csys_mutex_lock, csys_mutex_unlock, CSYS_ACQUIRES);
CSYSI_GUARD_DEFINE(read, csys_rwlock, csys_rwlock_read, csys_rwlock_unlock_read,
		   CSYS_ACQUIRES_SHARED);
CSYSI_GUARD_DEFINE(write, csys_rwlock, csys_rwlock_write, csys_rwlock_unlock_write, CSYS_ACQUIRES);

#endif
