/**
 * \file
 * csys/sync/annotations.h - which lock guards what, for a compiler to check.
 *
 *     struct account {
 *             csys_mutex lock;
 *             int64_t balance CSYS_GUARDED_BY(lock);
 *     };
 *
 *     void settle(struct account *a) CSYS_REQUIRES(&a->lock);
 *
 * clang -Wthread-safety (19 or newer for C, any for C++) then rejects an access without the lock,
 * a lock that is left locked, and locking what is held.  The lock functions of csys carry their
 * marks.  For other compilers the marks are nothing.
 *
 * In C the lock of one object passes for that of another object of the same type; in C++ the
 * analysis tells them apart.
 *
 * The result of a function that may fail to lock has to be compared with 0: where it is equal the
 * lock counts as held.  A poisoned lock is held too, and the result is positive: there say so
 * with the type's assert_held.
 *
 * Source: clang.llvm.org, Thread Safety Analysis.
 */
#ifndef CSYS_SYNC_ANNOTATIONS_H
#define CSYS_SYNC_ANNOTATIONS_H

/* An older clang knows no member of C that is declared before another. */
#if defined(__clang__) && (defined(__cplusplus) || __clang_major__ >= 19)
#define CSYSI_CAPABILITY(x) __attribute__((x))
#else
#define CSYSI_CAPABILITY(x)
#endif

/**
 * Mark a type as a lock.
 *
 * \param kind  what warnings call it: "mutex", "rwlock"
 */
#define CSYS_CAPABILITY(kind) CSYSI_CAPABILITY(capability(kind))

/**
 * Mark a variable or member that may be touched only with the lock held.
 *
 * \param lock  the lock itself, not its address (which C would take for another lock)
 */
#define CSYS_GUARDED_BY(lock) CSYSI_CAPABILITY(guarded_by(&lock))

/**
 * Mark a pointer to memory that may be touched only with the lock held.
 *
 * \param lock  the lock itself, not its address
 */
#define CSYS_POINTS_TO_GUARDED_BY(lock) CSYSI_CAPABILITY(pt_guarded_by(&lock))

/**
 * Mark a function that needs locks held, for writing, and keeps them so.
 *
 * \param ...  the locks, or their addresses
 */
#define CSYS_REQUIRES(...) CSYSI_CAPABILITY(requires_capability(__VA_ARGS__))

/**
 * Mark a function that needs locks held, at least for reading, and keeps them so.
 *
 * \param ...  the locks, or their addresses
 */
#define CSYS_REQUIRES_SHARED(...) CSYSI_CAPABILITY(requires_shared_capability(__VA_ARGS__))

/**
 * Mark a function whose caller must not hold the locks.
 *
 * \param ...  the locks, or their addresses
 */
#define CSYS_EXCLUDES(...) CSYSI_CAPABILITY(locks_excluded(__VA_ARGS__))

/**
 * Mark a function that returns with the locks held, for writing.
 *
 * \param ...  the locks, or their addresses
 */
#define CSYS_ACQUIRES(...) CSYSI_CAPABILITY(acquire_capability(__VA_ARGS__))

/**
 * Mark a function that returns with the locks held for reading.
 *
 * \param ...  the locks, or their addresses
 */
#define CSYS_ACQUIRES_SHARED(...) CSYSI_CAPABILITY(acquire_shared_capability(__VA_ARGS__))

/**
 * Mark a function that needs the locks held and returns without them.
 *
 * \param ...  the locks, or their addresses
 */
#define CSYS_RELEASES(...) CSYSI_CAPABILITY(release_capability(__VA_ARGS__))

/**
 * Mark a function that needs the locks held for reading and returns without them.
 *
 * \param ...  the locks, or their addresses
 */
#define CSYS_RELEASES_SHARED(...) CSYSI_CAPABILITY(release_shared_capability(__VA_ARGS__))

/**
 * Mark a function that returns with the locks held, for writing, if its result says so.
 *
 * \param ...  the result with which the locks are held, then the locks
 */
#define CSYS_TRY_ACQUIRES(...) CSYSI_CAPABILITY(try_acquire_capability(__VA_ARGS__))

/**
 * Mark a function that returns with the locks held for reading if its result says so.
 *
 * \param ...  the result with which the locks are held, then the locks
 */
#define CSYS_TRY_ACQUIRES_SHARED(...) CSYSI_CAPABILITY(try_acquire_shared_capability(__VA_ARGS__))

/**
 * Mark a function that checks at run time that the locks are held, for writing.
 *
 * \param ...  the locks, or their addresses
 */
#define CSYS_ASSERTS_HELD(...) CSYSI_CAPABILITY(assert_capability(__VA_ARGS__))

/**
 * Mark a function that checks at run time that the locks are held for reading.
 *
 * \param ...  the locks, or their addresses
 */
#define CSYS_ASSERTS_HELD_SHARED(...) CSYSI_CAPABILITY(assert_shared_capability(__VA_ARGS__))

/**
 * Mark a function that returns the address of a lock.
 *
 * \param lock  the lock
 */
#define CSYS_RETURNS_LOCK(lock) CSYSI_CAPABILITY(lock_returned(lock))

/**
 * Mark a lock that is taken before others.
 *
 * \param ...  the other locks
 */
#define CSYS_ACQUIRED_BEFORE(...) CSYSI_CAPABILITY(acquired_before(__VA_ARGS__))

/**
 * Mark a lock that is taken after others.
 *
 * \param ...  the other locks
 */
#define CSYS_ACQUIRED_AFTER(...) CSYSI_CAPABILITY(acquired_after(__VA_ARGS__))

/** Mark a function that the analysis is not to look into. */
#define CSYS_NOT_ANALYZED CSYSI_CAPABILITY(no_thread_safety_analysis)

#endif
