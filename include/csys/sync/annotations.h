/*
 * csys/sync/annotations.h - which lock guards what, for a compiler to check.
 *
 *     struct account {
 *             csys_mutex lock;
 *             int64_t balance CSYS_GUARDED_BY(lock);
 *     };
 *
 *     void settle(struct account *a) CSYS_REQUIRES(&a->lock);
 *
 * clang -Wthread-safety (19 or newer, any for C++) then rejects an access
 * without the lock, a lock that is left locked, a second lock of what is held.
 * The lock functions of csys carry their marks.  Elsewhere the marks are nothing.
 * In C a member's lock counts as held if that member of any object is; C++ tells
 * the objects apart.
 *
 * A function that may or may not get the lock counts as having it where its
 * result is compared with 0 and equal.  After other tests (a poisoned lock is held,
 * and the result is positive) say so with the type's assert_held.
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

/* A type that can be held: "mutex", "rwlock"... is how warnings call it. */
#define CSYS_CAPABILITY(kind) CSYSI_CAPABILITY(capability(kind))

/*
 * A variable or member that may be touched only with the lock held, and a pointer to such
 * memory.  `lock` is the lock itself, not its address (which C would take for another).
 */
#define CSYS_GUARDED_BY(lock) CSYSI_CAPABILITY(guarded_by(&lock))
#define CSYS_POINTS_TO_GUARDED_BY(lock) CSYSI_CAPABILITY(pt_guarded_by(&lock))

/*
 * A function that needs locks held, for writing or at least for reading, and keeps them so.
 * From here on a lock may be named by its address too.
 */
#define CSYS_REQUIRES(...) CSYSI_CAPABILITY(requires_capability(__VA_ARGS__))
#define CSYS_REQUIRES_SHARED(...) CSYSI_CAPABILITY(requires_shared_capability(__VA_ARGS__))

/* A function that needs them not held by its caller. */
#define CSYS_EXCLUDES(...) CSYSI_CAPABILITY(locks_excluded(__VA_ARGS__))

/* A function that returns with the lock held, or without it, or with it if the result is `when`. */
#define CSYS_ACQUIRES(...) CSYSI_CAPABILITY(acquire_capability(__VA_ARGS__))
#define CSYS_ACQUIRES_SHARED(...) CSYSI_CAPABILITY(acquire_shared_capability(__VA_ARGS__))
#define CSYS_RELEASES(...) CSYSI_CAPABILITY(release_capability(__VA_ARGS__))
#define CSYS_RELEASES_SHARED(...) CSYSI_CAPABILITY(release_shared_capability(__VA_ARGS__))
#define CSYS_TRY_ACQUIRES(...) CSYSI_CAPABILITY(try_acquire_capability(__VA_ARGS__))
#define CSYS_TRY_ACQUIRES_SHARED(...) CSYSI_CAPABILITY(try_acquire_shared_capability(__VA_ARGS__))

/* A function that checks at run time that the lock is held. */
#define CSYS_ASSERTS_HELD(...) CSYSI_CAPABILITY(assert_capability(__VA_ARGS__))
#define CSYS_ASSERTS_HELD_SHARED(...) CSYSI_CAPABILITY(assert_shared_capability(__VA_ARGS__))

/* A function that returns the address of the lock. */
#define CSYS_RETURNS_LOCK(lock) CSYSI_CAPABILITY(lock_returned(lock))

/* One lock is taken before, or after, another. */
#define CSYS_ACQUIRED_BEFORE(...) CSYSI_CAPABILITY(acquired_before(__VA_ARGS__))
#define CSYS_ACQUIRED_AFTER(...) CSYSI_CAPABILITY(acquired_after(__VA_ARGS__))

/* A function that the analysis is not to look into. */
#define CSYS_NOT_ANALYZED CSYSI_CAPABILITY(no_thread_safety_analysis)

#endif
