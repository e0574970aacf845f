/**
 * \file
 * csys/ipc/shared_locked.h - values inside their locks, between processes.
 *
 *     CSYS_SHARED_MUTEX_DEFINE(counter, int64_t);
 *     struct board {
 *             counter hits; // zeroed memory is a free one whose value is zero
 *     };
 *
 *     int r = csys_region_attach(region); // once in a thread: then locking cannot fail
 *     if (r < 0)
 *             return r;
 *     int64_t *value;
 *     counter_lock(region, &board->hits, &value);
 *     ++*value;
 *     counter_unlock(region, &board->hits, &value); // value is NULL now
 *
 * What csys/sync/locked.h is between threads, this is between the threads of several processes: a
 * value that lives inside its lock cannot be touched by a caller that forgot to lock.  Both lie in
 * a region (csys/ipc/region.h), and a thread may be killed with the value half changed: then the
 * next one that locks it, in any process, is told by CSYS_POISONED.  With a rwlock readers get a
 * pointer to const:
 *
 *     CSYS_SHARED_RWLOCK_DEFINE(limits, struct limit);
 *
 *     CSYS_SHARED_LOCKED_GUARD(now, limits, read, region, all);
 *     if (now.result != 0 || now.value->low > 5)
 *             return 1; // unlocked here
 *
 * The value is a type of fixed layout, as all that lies in shared memory: handles and what the
 * process alone has do not belong there, and a pointer only where each process has what it points
 * to at the same address, as forked children have.  C++ takes no type with a copy constructor or
 * destructor of its own.
 *
 * Layout: the lock, then the value, both on a boundary of 8 bytes (the value on that of its type if
 * that is more): the same for every compiler, and the same in 32 and 64 bits if the value is.
 * CSYS_SHM_LAYOUT may name the type of `name`, or one that has such members.
 *
 * The compiler is gcc or clang, of C or C++.  The analysis of csys/sync/annotations.h follows.
 *
 * Fork: what the parent has locked stays the parent's; the child neither uses its pointer nor
 * unlocks it, which aborts with a line.
 */
#ifndef CSYS_IPC_SHARED_LOCKED_H
#define CSYS_IPC_SHARED_LOCKED_H

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/ipc/region.h>
#include <csys/ipc/shared_guard.h>
#include <csys/ipc/shared_mutex.h>
#include <csys/ipc/shared_rwlock.h>
#include <csys/sync/annotations.h>
#include <csys/sync/locked.h>

CSYS_BEGIN_DECLS

/* Abort: the value that was to be unlocked is not of this lock. */
CSYS_API void csysi_shared_mutex_wrong_value(void);
CSYS_API void csysi_shared_rwlock_wrong_value(void);

/**
 * Make `name` a type: a shared mutex, and in it a value of `type` that is reached only by locking
 * it.
 *
 * Zeroed memory is a free one whose value is zero.
 *
 *     int  name_lock(csys_region *region, name *m, type **out); // as csys_shared_mutex_lock
 *     int  name_try_lock(csys_region *region, name *m, type **out);
 *     int  name_lock_until(csys_region *region, name *m, csys_deadline deadline, type **out);
 *     void name_unlock(csys_region *region, name *m, type **value); // *value is NULL then
 *     csys_shared_mutex *name_mutex(name *m);      // for its poison and its holder
 *
 *     int  name_get(csys_region *region, name *m, type *out); // locks, and copies the value
 *     int  name_set(csys_region *region, name *m, type value); // ... and puts another in its place
 *     int  name_replace(csys_region *region, name *m, type value, type *out); // gives the old one
 *     int  name_into_inner(csys_region *region, name *m, type *out); // takes it out, at the end
 *     void name_init(name *m, type value);         // for memory that nobody uses yet
 *
 * Each returns what locking returns.  *out is the value whenever it is locked, poisoned or not.
 * When it is not, which a negative result tells, *out is NULL after name_lock, and as it was after
 * the others.
 *
 * unlock takes the pointer that lock gave: with another one (NULL after an unlock, say) it
 * aborts with a line on stderr.
 *
 * get, set and replace do their work also if they return CSYS_POISONED, and nothing if they return
 * a negative result.  Poison stays, also if the whole value is another one: a thread that is killed
 * in set or replace leaves poison as one that is killed while it holds the value.
 *
 * into_inner is for a value that no other thread of any process uses any more.  One that a living
 * member holds aborts with a line.  It returns CSYS_POISONED if the mutex is poisoned or a dead
 * member holds it, else 0, and leaves a free mutex without poison and with a zeroed value.
 *
 * \param name  of the type, and the beginning of its functions' names
 * \param type  of the value
 */
#define CSYS_SHARED_MUTEX_DEFINE(name, type)                      \
	CSYSI_SHARED_LOCKED_MUTEX(name, type);                    \
	CSYSI_SHARED_LOCKED_GET(name, type, mutex, lock, unlock); \
	CSYSI_SHARED_LOCKED_MOVE(name, type, mutex, lock, unlock)

/**
 * Make `name` a type: a shared rwlock, and in it a value of `type` that is reached only by locking
 * it.
 *
 * Zeroed memory is a free one whose value is zero.
 *
 *     int  name_read(csys_region *region, name *l, const type **out); // as csys_shared_rwlock_read
 *     int  name_try_read(csys_region *region, name *l, const type **out);
 *     int  name_read_until(csys_region *region, name *l, csys_deadline deadline, const type **out);
 *     void name_unlock_read(csys_region *region, name *l, const type **value); // NULL then
 *     int  name_write(csys_region *region, name *l, type **out); // as csys_shared_rwlock_write
 *     int  name_try_write(csys_region *region, name *l, type **out);
 *     int  name_write_until(csys_region *region, name *l, csys_deadline deadline, type **out);
 *     void name_unlock_write(csys_region *region, name *l, type **value);
 *     void name_downgrade(csys_region *region, name *l, type **value, const type **out); // to read
 *     csys_shared_rwlock *name_rwlock(name *l);
 *
 * And name_get, which reads, and name_set, name_replace, name_into_inner and name_init, as
 * CSYS_SHARED_MUTEX_DEFINE has them; *out of name_read and name_write is as that of its name_lock.
 * into_inner does not see a dead reader, which has changed nothing.
 *
 * \param name  of the type, and the beginning of its functions' names
 * \param type  of the value
 */
#define CSYS_SHARED_RWLOCK_DEFINE(name, type)                           \
	CSYSI_SHARED_LOCKED_RWLOCK(name, type);                         \
	CSYSI_SHARED_LOCKED_GET(name, type, rwlock, read, unlock_read); \
	CSYSI_SHARED_LOCKED_MOVE(name, type, rwlock, write, unlock_write)

/* ---- guards ---------------------------------------------------------------------------------- */

/**
 * Hold the lock of a value to the end of the block, as CSYS_SHARED_MUTEX_GUARD holds a mutex.
 *
 * Declares `name`: `name.result` is what locking returned, and `name.value` points to the value; it
 * is NULL if `name.result` is negative.  The analysis does not follow it, and need not: there is no
 * other way to the value.
 *
 * \param name    of the guard
 * \param type    a name that CSYS_SHARED_MUTEX_DEFINE or CSYS_SHARED_RWLOCK_DEFINE defined
 * \param verb    lock for a mutex; read or write for a rwlock
 * \param region  where it lies, evaluated once
 * \param of      a pointer to the lock with the value, evaluated once
 */
#define CSYS_SHARED_LOCKED_GUARD(name, type, verb, region, of) \
	CSYSI_LOCKED_GUARD(name, type##_##verb, type##_##verb##_guard_enter(region, of))

/**
 * Hold the lock of a value to the end of the block if that needs no waiting.
 *
 * If `name.result` is negative, nothing is held, and `name.value` is NULL.
 *
 * \param name    of the guard
 * \param type    a name that CSYS_SHARED_MUTEX_DEFINE or CSYS_SHARED_RWLOCK_DEFINE defined
 * \param verb    lock for a mutex; read or write for a rwlock
 * \param region  where it lies, evaluated once
 * \param of      a pointer to the lock with the value, evaluated once
 */
#define CSYS_SHARED_LOCKED_TRY_GUARD(name, type, verb, region, of) \
	CSYSI_LOCKED_GUARD(name, type##_##verb, type##_##verb##_guard_try(region, of))

/**
 * Hold the lock of a value to the end of the block if it can be had by a deadline.
 *
 * If `name.result` is negative, nothing is held, and `name.value` is NULL.
 *
 * \param name      of the guard
 * \param type      a name that CSYS_SHARED_MUTEX_DEFINE or CSYS_SHARED_RWLOCK_DEFINE defined
 * \param verb      lock for a mutex; read or write for a rwlock
 * \param region    where it lies, evaluated once
 * \param of        a pointer to the lock with the value, evaluated once
 * \param deadline  when to give up
 */
#define CSYS_SHARED_LOCKED_GUARD_UNTIL(name, type, verb, region, of, deadline) \
	CSYSI_LOCKED_GUARD(name, type##_##verb, type##_##verb##_guard_until(region, of, deadline))

/**
 * Unlock the value of a guard before its block ends; `value` is NULL then.
 *
 * A guard that holds nothing aborts with a line.
 *
 * \param guard  its name
 * \param type   as when it was declared
 * \param verb   as when it was declared
 */
#define CSYS_SHARED_LOCKED_GUARD_UNLOCK(guard, type, verb) type##_##verb##_guard_unlock(&(guard))

/**
 * Lock the value of a guard again, however long that takes.
 *
 * A guard that holds its lock aborts with a line, since it would wait for itself.
 *
 * \param guard  its name
 * \param type   as when it was declared
 * \param verb   as when it was declared
 * \return what locking returned: 0 or CSYS_POISONED, and it is held; or a negative result, and
 *         `value` is NULL.  `result` of the guard stays what it was
 */
#define CSYS_SHARED_LOCKED_GUARD_RELOCK(guard, type, verb) type##_##verb##_guard_relock(&(guard))

/* ---- how ------------------------------------------------------------------------------------ */

/* Parameters are named `in`, since programs have a `region`, which would be shadowed. */

/* A type whose bytes are all that it is. */
#if defined(__cplusplus) && (defined(__clang__) || __GNUC__ >= 5)
#define CSYSI_SHARED_LOCKED_PLAIN(type) \
	static_assert(__is_trivially_copyable(type), "what lies in a region is copied as bytes")
#else
#define CSYSI_SHARED_LOCKED_PLAIN(type) struct csysi_shared_locked /* for a semicolon */
#endif

/* Lock, in one of three forms, and give the value; of the first a caller that has attached need not
 * look at the result, so its pointer is never what it happened to be. */
#define CSYSI_SHARED_LOCKED_ENTER(name, lock, verb, pointer, acquires, try_acquires)               \
	CSYSI_UNUSED static inline int name##_##verb(csys_region *in, name *m, pointer *out)       \
		acquires(m->lock) CSYS_NOT_ANALYZED;                                               \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_try_##verb(csys_region *in, name *m, \
									 pointer *out)             \
		try_acquires(0, m->lock) CSYS_NOT_ANALYZED;                                        \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_##verb##_until(                      \
		csys_region *in, name *m, csys_deadline deadline, pointer *out)                    \
		try_acquires(0, m->lock) CSYS_NOT_ANALYZED;                                        \
	CSYSI_UNUSED static inline int name##_##verb(csys_region *in, name *m, pointer *out)       \
	{                                                                                          \
		int result = csys_shared_##lock##_##verb(in, &m->lock);                            \
		*out = CSYSI_LIKELY(result >= 0) ? &m->value : CSYSI_NULL;                         \
		return result;                                                                     \
	}                                                                                          \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_try_##verb(csys_region *in, name *m, \
									 pointer *out)             \
	{                                                                                          \
		int result = csys_shared_##lock##_try_##verb(in, &m->lock);                        \
		if (result >= 0)                                                                   \
			*out = &m->value;                                                          \
		return result;                                                                     \
	}                                                                                          \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_##verb##_until(                      \
		csys_region *in, name *m, csys_deadline deadline, pointer *out)                    \
	{                                                                                          \
		int result = csys_shared_##lock##_##verb##_until(in, &m->lock, deadline);          \
		if (result >= 0)                                                                   \
			*out = &m->value;                                                          \
		return result;                                                                     \
	}                                                                                          \
	struct name /* for a semicolon */

/* Unlock what the pointer says. */
#define CSYSI_SHARED_LOCKED_LEAVE(name, lock, verb, pointer, releases)                          \
	CSYSI_UNUSED static inline void name##_##verb(csys_region *in, name *m, pointer *value) \
		releases(m->lock) CSYS_NOT_ANALYZED;                                            \
	CSYSI_UNUSED static inline void name##_##verb(csys_region *in, name *m, pointer *value) \
	{                                                                                       \
		if (!CSYSI_LIKELY(*value == &m->value))                                         \
			csysi_shared_##lock##_wrong_value();                                    \
		*value = CSYSI_NULL;                                                            \
		csys_shared_##lock##_##verb(in, &m->lock);                                      \
	}                                                                                       \
	struct name /* for a semicolon */

#define CSYSI_SHARED_LOCKED_GET(name, type, lock, enter, leave)                                 \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_get(csys_region *in, name *m,     \
								  type *out) CSYS_NOT_ANALYZED; \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_get(csys_region *in, name *m,     \
								  type *out)                    \
	{                                                                                       \
		int result = csys_shared_##lock##_##enter(in, &m->lock);                        \
		if (result < 0)                                                                 \
			return result;                                                          \
		*out = m->value;                                                                \
		csys_shared_##lock##_##leave(in, &m->lock);                                     \
		return result;                                                                  \
	}                                                                                       \
	struct name /* for a semicolon */

/* What needs no pointer.  In C++, too, a value is copied as C does.  A value that is free is taken
 * out by locking it, which finds what a dead holder has left. */
#define CSYSI_SHARED_LOCKED_MOVE(name, type, lock, enter, leave)                                   \
	CSYSI_UNUSED static inline void name##_init(name *m, type value) CSYS_NOT_ANALYZED;        \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_replace(                             \
		csys_region *in, name *m, type value, type *out) CSYS_NOT_ANALYZED;                \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_into_inner(                          \
		csys_region *in, name *m, type *out) CSYS_NOT_ANALYZED;                            \
	CSYSI_UNUSED static inline void name##_init(name *m, type value)                           \
	{                                                                                          \
		CSYSI_LOCKED_ZERO(name);                                                           \
		m->lock = zero.lock;                                                               \
		m->value = value;                                                                  \
	}                                                                                          \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_replace(csys_region *in, name *m,    \
								      type value, type *out)       \
	{                                                                                          \
		int result = csys_shared_##lock##_##enter(in, &m->lock);                           \
		if (result < 0)                                                                    \
			return result;                                                             \
		*out = m->value;                                                                   \
		m->value = value;                                                                  \
		csys_shared_##lock##_##leave(in, &m->lock);                                        \
		return result;                                                                     \
	}                                                                                          \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_set(csys_region *in, name *m,        \
								  type value)                      \
	{                                                                                          \
		type old;                                                                          \
		return name##_replace(in, m, value, &old);                                         \
	}                                                                                          \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_into_inner(csys_region *in, name *m, \
									 type *out)                \
	{                                                                                          \
		CSYSI_LOCKED_ZERO(name);                                                           \
		if (csys_shared_##lock##_is_locked(in, &m->lock))                                  \
			csysi_locked_in_use();                                                     \
		int result = csys_shared_##lock##_##enter(in, &m->lock);                           \
		if (result < 0)                                                                    \
			return result;                                                             \
		*out = m->value;                                                                   \
		m->value = zero.value;                                                             \
		csys_shared_##lock##_clear_poison(&m->lock);                                       \
		csys_shared_##lock##_##leave(in, &m->lock);                                        \
		return result;                                                                     \
	}                                                                                          \
	struct name /* for a semicolon */

/* Locking in one way, and unlocking; and a guard for it, which holds while it has the value. */
#define CSYSI_SHARED_LOCKED_WAY(name, lock, verb, leave, pointer, acquires, try_acquires,    \
				releases)                                                    \
	CSYSI_SHARED_LOCKED_ENTER(name, lock, verb, pointer, acquires, try_acquires);        \
	CSYSI_SHARED_LOCKED_LEAVE(name, lock, leave, pointer, releases);                     \
	struct name##_##verb##_guard {                                                       \
		csys_region *const region;                                                   \
		name *const lock;                                                            \
		const int result;                                                            \
		pointer value;                                                               \
	};                                                                                   \
	CSYSI_UNUSED static inline struct name##_##verb##_guard name##_##verb##_guard_enter( \
		csys_region *in, name *m) CSYS_NOT_ANALYZED;                                 \
	CSYSI_UNUSED static inline struct name##_##verb##_guard name##_##verb##_guard_try(   \
		csys_region *in, name *m) CSYS_NOT_ANALYZED;                                 \
	CSYSI_UNUSED static inline struct name##_##verb##_guard name##_##verb##_guard_until( \
		csys_region *in, name *m, csys_deadline deadline) CSYS_NOT_ANALYZED;         \
	CSYSI_UNUSED static inline void name##_##verb##_guard_leave(                         \
		struct name##_##verb##_guard *guard) CSYS_NOT_ANALYZED;                      \
	CSYSI_UNUSED static inline int name##_##verb##_guard_relock(                         \
		struct name##_##verb##_guard *guard) CSYS_NOT_ANALYZED;                      \
	CSYSI_UNUSED static inline struct name##_##verb##_guard name##_##verb##_guard_enter( \
		csys_region *in, name *m)                                                    \
	{                                                                                    \
		pointer value = CSYSI_NULL;                                                  \
		int result = name##_##verb(in, m, &value);                                   \
		struct name##_##verb##_guard guard = { in, m, result, value };               \
		return guard;                                                                \
	}                                                                                    \
	CSYSI_UNUSED static inline struct name##_##verb##_guard name##_##verb##_guard_try(   \
		csys_region *in, name *m)                                                    \
	{                                                                                    \
		pointer value = CSYSI_NULL;                                                  \
		int result = name##_try_##verb(in, m, &value);                               \
		struct name##_##verb##_guard guard = { in, m, result, value };               \
		return guard;                                                                \
	}                                                                                    \
	CSYSI_UNUSED static inline struct name##_##verb##_guard name##_##verb##_guard_until( \
		csys_region *in, name *m, csys_deadline deadline)                            \
	{                                                                                    \
		pointer value = CSYSI_NULL;                                                  \
		int result = name##_##verb##_until(in, m, deadline, &value);                 \
		struct name##_##verb##_guard guard = { in, m, result, value };               \
		return guard;                                                                \
	}                                                                                    \
	CSYSI_UNUSED static inline void name##_##verb##_guard_leave(                         \
		struct name##_##verb##_guard *guard)                                         \
	{                                                                                    \
		if (guard->value)                                                            \
			name##_##leave(guard->region, guard->lock, &guard->value);           \
	}                                                                                    \
	CSYSI_UNUSED static inline int name##_##verb##_guard_relock(                         \
		struct name##_##verb##_guard *guard)                                         \
	{                                                                                    \
		if (guard->value)                                                            \
			csysi_guard_holds_already();                                         \
		return name##_##verb(guard->region, guard->lock, &guard->value);             \
	}                                                                                    \
	CSYSI_UNUSED static inline void name##_##verb##_guard_unlock(                        \
		struct name##_##verb##_guard *guard)                                         \
	{                                                                                    \
		if (!guard->value)                                                           \
			csysi_guard_holds_nothing();                                         \
		name##_##verb##_guard_leave(guard);                                          \
	}                                                                                    \
	struct name /* for a semicolon */

/* The boundary is said, since a value of 8 bytes has one of 4 in some ABIs of 32 bits. */
#define CSYSI_SHARED_LOCKED_MUTEX(name, type)                                     \
	CSYSI_SHARED_LOCKED_PLAIN(type);                                          \
	typedef struct name {                                                     \
		csys_shared_mutex mutex;                                          \
		CSYSI_ATTRIBUTE((aligned(8))) type value CSYS_GUARDED_BY(mutex);  \
	} name;                                                                   \
	CSYSI_UNUSED static inline csys_shared_mutex *name##_mutex(name *m)       \
		CSYS_RETURNS_LOCK(m->mutex);                                      \
	CSYSI_UNUSED static inline csys_shared_mutex *name##_mutex(name *m)       \
	{                                                                         \
		return &m->mutex;                                                 \
	}                                                                         \
	CSYSI_SHARED_LOCKED_WAY(name, mutex, lock, unlock, type *, CSYS_ACQUIRES, \
				CSYS_TRY_ACQUIRES, CSYS_RELEASES)

#define CSYSI_SHARED_LOCKED_RWLOCK(name, type)                                                   \
	CSYSI_SHARED_LOCKED_PLAIN(type);                                                         \
	typedef struct name {                                                                    \
		csys_shared_rwlock rwlock;                                                       \
		CSYSI_ATTRIBUTE((aligned(8))) type value CSYS_GUARDED_BY(rwlock);                \
	} name;                                                                                  \
	CSYSI_UNUSED static inline csys_shared_rwlock *name##_rwlock(name *l)                    \
		CSYS_RETURNS_LOCK(l->rwlock);                                                    \
	CSYSI_UNUSED static inline csys_shared_rwlock *name##_rwlock(name *l)                    \
	{                                                                                        \
		return &l->rwlock;                                                               \
	}                                                                                        \
	CSYSI_SHARED_LOCKED_WAY(name, rwlock, read, unlock_read, type const *,                   \
				CSYS_ACQUIRES_SHARED, CSYS_TRY_ACQUIRES_SHARED,                  \
				CSYS_RELEASES_SHARED);                                           \
	CSYSI_SHARED_LOCKED_WAY(name, rwlock, write, unlock_write, type *, CSYS_ACQUIRES,        \
				CSYS_TRY_ACQUIRES, CSYS_RELEASES);                               \
	CSYSI_UNUSED static inline void name##_downgrade(csys_region *in, name *l, type **value, \
							 type const **out)                       \
		CSYS_RELEASES(l->rwlock) CSYS_ACQUIRES_SHARED(l->rwlock) CSYS_NOT_ANALYZED;      \
	CSYSI_UNUSED static inline void name##_downgrade(csys_region *in, name *l, type **value, \
							 type const **out)                       \
	{                                                                                        \
		if (!CSYSI_LIKELY(*value == &l->value))                                          \
			csysi_shared_rwlock_wrong_value();                                       \
		*value = CSYSI_NULL;                                                             \
		*out = &l->value;                                                                \
		csys_shared_rwlock_downgrade(in, &l->rwlock);                                    \
	}                                                                                        \
	struct name /* for a semicolon */

CSYS_END_DECLS

#endif
