/**
 * \file
 * csys/sync/locked.h - values inside their locks.
 *
 *     CSYS_MUTEX_DEFINE(counter, int64_t);
 *     static counter hits = CSYS_MUTEX_INIT_WITH(10);
 *
 *     int64_t *value;
 *     counter_lock(&hits, &value);
 *     ++*value;
 *     counter_unlock(&hits, &value); // value is NULL now
 *
 * A value that lives inside its lock cannot be touched by a caller that forgot to lock.  With a
 * rwlock readers get a pointer to const:
 *
 *     CSYS_RWLOCK_DEFINE(limits, struct limit);
 *     static limits all = CSYS_RWLOCK_INIT_WITH({ 10, 20 });
 *
 *     CSYS_LOCKED_GUARD(now, limits, read, &all);
 *     if (now.value->low > 5)
 *             return 1; // unlocked here
 *
 * What the value owns.  CSYS_MUTEX_DEFINE_WITH_DROP and CSYS_RWLOCK_DEFINE_WITH_DROP take a
 * function that releases what a value owns; `name_set` calls it for the value that it replaces,
 * and `name_drop` for the last one.  Nothing else calls it: a value that was moved out, by
 * `name_replace` or `name_into_inner`, is the caller's, and a lock that is not dropped keeps its
 * value.  It is called without the lock held.  Zeroed memory is a value too, so it has to do
 * nothing for that.
 *
 * The compiler is gcc or clang, of C or C++.  The analysis of csys/sync/annotations.h
 * follows.
 */
#ifndef CSYS_SYNC_LOCKED_H
#define CSYS_SYNC_LOCKED_H

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/annotations.h>
#include <csys/sync/guard.h>
#include <csys/sync/mutex.h>
#include <csys/sync/rwlock.h>

CSYS_BEGIN_DECLS

/* Abort: the value that was to be unlocked is not of this lock; one that is locked is taken out. */
CSYS_API void csysi_locked_in_use(void);
CSYS_API void csysi_mutex_wrong_value(void);
CSYS_API void csysi_rwlock_wrong_value(void);

/**
 * Make `name` a type: a mutex, and in it a value of `type` that is reached only by locking it.
 *
 * Zeroed memory is a free one whose value is zero.
 *
 *     int  name_lock(name *m, type **out);         // as csys_mutex_lock; *out is the value
 *     int  name_try_lock(name *m, type **out);     // as csys_mutex_try_lock
 *     int  name_lock_until(name *m, csys_deadline deadline, type **out);
 *     void name_unlock(name *m, type **value);     // *value is NULL then
 *     csys_mutex *name_mutex(name *m);             // for a condvar, or its poison
 *
 *     int  name_get(name *m, type *out);           // locks, and copies the value
 *     int  name_set(name *m, type value);          // locks, and puts another one in its place
 *     int  name_replace(name *m, type value, type *out); // ... and gives the old one
 *     int  name_into_inner(name *m, type *out);    // takes the value out, at the end
 *     void name_init(name *m, type value);         // for memory that is not zeroed
 *
 * *out is the value whenever it is locked, poisoned or not, and as it was when it is not.
 * unlock takes the pointer that lock gave: with another one (NULL after an unlock, say) it
 * aborts with a line on stderr.
 *
 * get, set and replace return what locking returned, 0 or CSYS_POISONED, and do their work either
 * way.  Poison stays, also if the whole value is another one.
 *
 * into_inner does not lock: no other thread may use it any more, as in Rust, where it consumes the
 * mutex.  One that is held aborts with a line.  It returns CSYS_POISONED if the mutex is poisoned,
 * else 0, and leaves a free mutex without poison and with a zeroed value.
 *
 * \param name  of the type, and the beginning of its functions' names
 * \param type  of the value
 */
#define CSYS_MUTEX_DEFINE(name, type)                                                    \
	CSYSI_LOCKED_MUTEX(name, type);                                                  \
	CSYSI_UNUSED static inline int name##_get(name *m, type *out) CSYS_NOT_ANALYZED; \
	CSYSI_UNUSED static inline int name##_get(name *m, type *out)                    \
	{                                                                                \
		int result = csys_mutex_lock(&m->mutex);                                 \
		*out = m->value;                                                         \
		csys_mutex_unlock(&m->mutex);                                            \
		return result;                                                           \
	}                                                                                \
	CSYSI_UNUSED static inline int name##_set(name *m, type value)                   \
	{                                                                                \
		type old;                                                                \
		return name##_replace(m, value, &old);                                   \
	}                                                                                \
	struct name /* for a semicolon */

/**
 * Make `name` a type, as CSYS_MUTEX_DEFINE does, whose values own something.
 *
 *     void name_drop(name *m);                     // drops the value, at the end
 *
 * There is no name_get, whose copy would own the same once more.  name_drop does not lock, as
 * name_into_inner, and leaves a free mutex with a zeroed value.  When `drop` is called: see the
 * top of this file.
 *
 * \param name  of the type, and the beginning of its functions' names
 * \param type  of the value
 * \param drop  a function or macro that takes a `type *` and releases what the value owns
 */
#define CSYS_MUTEX_DEFINE_WITH_DROP(name, type, drop) \
	CSYSI_LOCKED_MUTEX(name, type);               \
	CSYSI_LOCKED_DROP(name, type, drop);          \
	struct name /* for a semicolon */

/** A free mutex with a value: CSYS_MUTEX_INIT_WITH(3), CSYS_MUTEX_INIT_WITH({ "a", 1 }). */
#define CSYS_MUTEX_INIT_WITH(...)            \
	{                                    \
		CSYS_MUTEX_INIT, __VA_ARGS__ \
	}

/**
 * Make `name` a type: a rwlock, and in it a value of `type` that is reached only by locking it.
 *
 * Zeroed memory is a free one whose value is zero.
 *
 *     int  name_read(name *l, const type **out);   // as csys_rwlock_read; *out is the value
 *     int  name_try_read(name *l, const type **out);
 *     int  name_read_until(name *l, csys_deadline deadline, const type **out);
 *     void name_unlock_read(name *l, const type **value); // *value is NULL then
 *     int  name_write(name *l, type **out);        // as csys_rwlock_write
 *     int  name_try_write(name *l, type **out);
 *     int  name_write_until(name *l, csys_deadline deadline, type **out);
 *     void name_unlock_write(name *l, type **value);
 *     int  name_upgradable_read(name *l, const type **out);
 *     int  name_try_upgradable_read(name *l, const type **out);
 *     int  name_upgradable_read_until(name *l, csys_deadline deadline, const type **out);
 *     void name_unlock_upgradable(name *l, const type **value);
 *     int  name_upgrade(name *l, const type **value, type **out); // *value is NULL then
 *     int  name_upgrade_until(name *l, csys_deadline deadline, const type **value, type **out);
 *     void name_downgrade(name *l, type **value, const type **out); // to read
 *     csys_rwlock *name_rwlock(name *l);
 *
 * And name_get, name_set, name_replace, name_into_inner and name_init, as CSYS_MUTEX_DEFINE has
 * them.
 * An upgrade that gives up leaves *value and *out as they were.
 *
 * \param name  of the type, and the beginning of its functions' names
 * \param type  of the value
 */
#define CSYS_RWLOCK_DEFINE(name, type)                                                   \
	CSYSI_LOCKED_RWLOCK(name, type);                                                 \
	CSYSI_UNUSED static inline int name##_get(name *l, type *out) CSYS_NOT_ANALYZED; \
	CSYSI_UNUSED static inline int name##_get(name *l, type *out)                    \
	{                                                                                \
		int result = csys_rwlock_read(&l->rwlock);                               \
		*out = l->value;                                                         \
		csys_rwlock_unlock_read(&l->rwlock);                                     \
		return result;                                                           \
	}                                                                                \
	CSYSI_UNUSED static inline int name##_set(name *l, type value)                   \
	{                                                                                \
		type old;                                                                \
		return name##_replace(l, value, &old);                                   \
	}                                                                                \
	struct name /* for a semicolon */

/**
 * Make `name` a type, as CSYS_RWLOCK_DEFINE does, whose values own something.
 *
 * It has name_drop and no name_get: see CSYS_MUTEX_DEFINE_WITH_DROP.
 *
 * \param name  of the type, and the beginning of its functions' names
 * \param type  of the value
 * \param drop  a function or macro that takes a `type *` and releases what the value owns
 */
#define CSYS_RWLOCK_DEFINE_WITH_DROP(name, type, drop) \
	CSYSI_LOCKED_RWLOCK(name, type);               \
	CSYSI_LOCKED_DROP(name, type, drop);           \
	struct name /* for a semicolon */

/** A free rwlock with a value: CSYS_RWLOCK_INIT_WITH(3), CSYS_RWLOCK_INIT_WITH({ "a", 1 }). */
#define CSYS_RWLOCK_INIT_WITH(...)            \
	{                                     \
		CSYS_RWLOCK_INIT, __VA_ARGS__ \
	}

/* ---- guards ---------------------------------------------------------------------------------- */

/**
 * Hold the lock of a value to the end of the block, as CSYS_MUTEX_GUARD holds a mutex.
 *
 * Declares `name`: `name.result` is what locking returned, and `name.value` points to the value.
 * The analysis does not follow it, and need not: there is no other way to the value.
 *
 * \param name  of the guard
 * \param type  a name that CSYS_MUTEX_DEFINE or the like defined
 * \param verb  lock for a mutex; read, write or upgradable_read for a rwlock
 * \param of    a pointer to the lock with the value, evaluated once
 */
#define CSYS_LOCKED_GUARD(name, type, verb, of) \
	CSYSI_LOCKED_GUARD(name, type##_##verb, type##_##verb##_guard_enter(of))

/**
 * Hold the lock of a value to the end of the block if that needs no waiting.
 *
 * If `name.result` is negative, nothing is held, and `name.value` is NULL.
 *
 * \param name  of the guard
 * \param type  a name that CSYS_MUTEX_DEFINE or the like defined
 * \param verb  lock for a mutex; read, write or upgradable_read for a rwlock
 * \param of    a pointer to the lock with the value, evaluated once
 */
#define CSYS_LOCKED_TRY_GUARD(name, type, verb, of) \
	CSYSI_LOCKED_GUARD(name, type##_##verb, type##_##verb##_guard_try(of))

/**
 * Hold the lock of a value to the end of the block if it can be had by a deadline.
 *
 * If `name.result` is negative, nothing is held, and `name.value` is NULL.
 *
 * \param name      of the guard
 * \param type      a name that CSYS_MUTEX_DEFINE or the like defined
 * \param verb      lock for a mutex; read, write or upgradable_read for a rwlock
 * \param of        a pointer to the lock with the value, evaluated once
 * \param deadline  when to give up
 */
#define CSYS_LOCKED_GUARD_UNTIL(name, type, verb, of, deadline) \
	CSYSI_LOCKED_GUARD(name, type##_##verb, type##_##verb##_guard_until(of, deadline))

/**
 * Unlock the value of a guard before its block ends; `value` is NULL then.
 *
 * A guard that holds nothing aborts with a line.
 *
 * \param guard  its name
 * \param type   as when it was declared
 * \param verb   as when it was declared
 */
#define CSYS_LOCKED_GUARD_UNLOCK(guard, type, verb) type##_##verb##_guard_unlock(&(guard))

/**
 * Lock the value of a guard again, however long that takes.
 *
 * A guard that holds its lock aborts with a line, since it would wait for itself.
 *
 * \param guard  its name
 * \param type   as when it was declared
 * \param verb   as when it was declared
 * \return 0, or CSYS_POISONED; it is held either way.  `result` of the guard stays what it was
 */
#define CSYS_LOCKED_GUARD_RELOCK(guard, type, verb) type##_##verb##_guard_relock(&(guard))

#define CSYSI_LOCKED_GUARD(name, way, enter) \
	struct way##_guard name CSYSI_ATTRIBUTE((cleanup(way##_guard_leave), unused)) = enter

/* ---- how ------------------------------------------------------------------------------------ */

/* Lock, in one of three forms, and give the value. */
#define CSYSI_LOCKED_ENTER(name, lock, verb, call, pointer, acquires, try_acquires)             \
	CSYSI_UNUSED static inline int name##_##verb(name *m, pointer *out) acquires(m->lock)   \
		CSYS_NOT_ANALYZED;                                                              \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_try_##verb(name *m, pointer *out) \
		try_acquires(0, m->lock) CSYS_NOT_ANALYZED;                                     \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_##verb##_until(                   \
		name *m, csys_deadline deadline, pointer *out) try_acquires(0, m->lock)         \
		CSYS_NOT_ANALYZED;                                                              \
	CSYSI_UNUSED static inline int name##_##verb(name *m, pointer *out)                     \
	{                                                                                       \
		int result = csys_##lock##_##call(&m->lock);                                    \
		*out = &m->value;                                                               \
		return result;                                                                  \
	}                                                                                       \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_try_##verb(name *m, pointer *out) \
	{                                                                                       \
		int result = csys_##lock##_try_##call(&m->lock);                                \
		if (result >= 0)                                                                \
			*out = &m->value;                                                       \
		return result;                                                                  \
	}                                                                                       \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_##verb##_until(                   \
		name *m, csys_deadline deadline, pointer *out)                                  \
	{                                                                                       \
		int result = csys_##lock##_##call##_until(&m->lock, deadline);                  \
		if (result >= 0)                                                                \
			*out = &m->value;                                                       \
		return result;                                                                  \
	}                                                                                       \
	struct name /* for a semicolon */

/* Unlock what the pointer says. */
#define CSYSI_LOCKED_LEAVE(name, lock, verb, pointer, releases)                                  \
	CSYSI_UNUSED static inline void name##_##verb(name *m, pointer *value) releases(m->lock) \
		CSYS_NOT_ANALYZED;                                                               \
	CSYSI_UNUSED static inline void name##_##verb(name *m, pointer *value)                   \
	{                                                                                        \
		if (!CSYSI_LIKELY(*value == &m->value))                                          \
			csysi_##lock##_wrong_value();                                            \
		*value = CSYSI_NULL;                                                             \
		csys_##lock##_##verb(&m->lock);                                                  \
	}                                                                                        \
	struct name /* for a semicolon */

/* What needs no pointer.  In C++, too, a value is copied as C does. */
#define CSYSI_LOCKED_MOVE(name, type, lock, enter, leave)                                       \
	CSYSI_UNUSED static inline void name##_init(name *m, type value) CSYS_NOT_ANALYZED;     \
	CSYSI_UNUSED static inline int name##_replace(name *m, type value, type *out)           \
		CSYS_NOT_ANALYZED;                                                              \
	CSYSI_UNUSED static inline int name##_into_inner(name *m, type *out) CSYS_NOT_ANALYZED; \
	CSYSI_UNUSED static inline void name##_init(name *m, type value)                        \
	{                                                                                       \
		csys_##lock##_init(&m->lock);                                                   \
		m->value = value;                                                               \
	}                                                                                       \
	CSYSI_UNUSED static inline int name##_replace(name *m, type value, type *out)           \
	{                                                                                       \
		int result = csys_##lock##_##enter(&m->lock);                                   \
		*out = m->value;                                                                \
		m->value = value;                                                               \
		csys_##lock##_##leave(&m->lock);                                                \
		return result;                                                                  \
	}                                                                                       \
	CSYSI_UNUSED static inline int name##_into_inner(name *m, type *out)                    \
	{                                                                                       \
		CSYSI_LOCKED_ZERO(name);                                                        \
		if (csys_##lock##_is_locked(&m->lock))                                          \
			csysi_locked_in_use();                                                  \
		int result = csys_##lock##_is_poisoned(&m->lock) ? CSYS_POISONED : 0;           \
		csys_##lock##_clear_poison(&m->lock);                                           \
		*out = m->value;                                                                \
		m->value = zero.value;                                                          \
		return result;                                                                  \
	}                                                                                       \
	struct name /* for a semicolon */

#if defined(__cplusplus)
#define CSYSI_LOCKED_ZERO(name) static const name zero = name()
#else
#define CSYSI_LOCKED_ZERO(name) static const name zero
#endif

#define CSYSI_LOCKED_DROP(name, type, drop)                            \
	CSYSI_UNUSED static inline int name##_set(name *m, type value) \
	{                                                              \
		type old;                                              \
		int result = name##_replace(m, value, &old);           \
		drop(&old);                                            \
		return result;                                         \
	}                                                              \
	CSYSI_UNUSED static inline void name##_drop(name *m)           \
	{                                                              \
		type old;                                              \
		(void)name##_into_inner(m, &old);                      \
		drop(&old);                                            \
	}                                                              \
	struct name /* for a semicolon */

/* Locking in one way, and unlocking; and a guard for it, which holds while it has the value. */
#define CSYSI_LOCKED_WAY(name, lock, verb, call, leave, pointer, acquires, try_acquires, releases) \
	CSYSI_LOCKED_ENTER(name, lock, verb, call, pointer, acquires, try_acquires);               \
	CSYSI_LOCKED_LEAVE(name, lock, leave, pointer, releases);                                  \
	struct name##_##verb##_guard {                                                             \
		name *const lock;                                                                  \
		const int result;                                                                  \
		pointer value;                                                                     \
	};                                                                                         \
	CSYSI_UNUSED static inline struct name##_##verb##_guard name##_##verb##_guard_enter(       \
		name *m) CSYS_NOT_ANALYZED;                                                        \
	CSYSI_UNUSED static inline struct name##_##verb##_guard name##_##verb##_guard_try(name *m) \
		CSYS_NOT_ANALYZED;                                                                 \
	CSYSI_UNUSED static inline struct name##_##verb##_guard name##_##verb##_guard_until(       \
		name *m, csys_deadline deadline) CSYS_NOT_ANALYZED;                                \
	CSYSI_UNUSED static inline void name##_##verb##_guard_leave(                               \
		struct name##_##verb##_guard *guard) CSYS_NOT_ANALYZED;                            \
	CSYSI_UNUSED static inline int name##_##verb##_guard_relock(                               \
		struct name##_##verb##_guard *guard) CSYS_NOT_ANALYZED;                            \
	CSYSI_UNUSED static inline struct name##_##verb##_guard name##_##verb##_guard_enter(       \
		name *m)                                                                           \
	{                                                                                          \
		pointer value = CSYSI_NULL;                                                        \
		int result = name##_##verb(m, &value);                                             \
		struct name##_##verb##_guard guard = { m, result, value };                         \
		return guard;                                                                      \
	}                                                                                          \
	CSYSI_UNUSED static inline struct name##_##verb##_guard name##_##verb##_guard_try(name *m) \
	{                                                                                          \
		pointer value = CSYSI_NULL;                                                        \
		int result = name##_try_##verb(m, &value);                                         \
		struct name##_##verb##_guard guard = { m, result, value };                         \
		return guard;                                                                      \
	}                                                                                          \
	CSYSI_UNUSED static inline struct name##_##verb##_guard name##_##verb##_guard_until(       \
		name *m, csys_deadline deadline)                                                   \
	{                                                                                          \
		pointer value = CSYSI_NULL;                                                        \
		int result = name##_##verb##_until(m, deadline, &value);                           \
		struct name##_##verb##_guard guard = { m, result, value };                         \
		return guard;                                                                      \
	}                                                                                          \
	CSYSI_UNUSED static inline void name##_##verb##_guard_leave(                               \
		struct name##_##verb##_guard *guard)                                               \
	{                                                                                          \
		if (guard->value)                                                                  \
			name##_##leave(guard->lock, &guard->value);                                \
	}                                                                                          \
	CSYSI_UNUSED static inline int name##_##verb##_guard_relock(                               \
		struct name##_##verb##_guard *guard)                                               \
	{                                                                                          \
		if (guard->value)                                                                  \
			csysi_guard_holds_already();                                               \
		return name##_##verb(guard->lock, &guard->value);                                  \
	}                                                                                          \
	CSYSI_UNUSED static inline void name##_##verb##_guard_unlock(                              \
		struct name##_##verb##_guard *guard)                                               \
	{                                                                                          \
		if (!guard->value)                                                                 \
			csysi_guard_holds_nothing();                                               \
		name##_##verb##_guard_leave(guard);                                                \
	}                                                                                          \
	struct name /* for a semicolon */

#define CSYSI_LOCKED_MUTEX(name, type)                                                            \
	typedef struct name {                                                                     \
		csys_mutex mutex;                                                                 \
		type value CSYS_GUARDED_BY(mutex);                                                \
	} name;                                                                                   \
	CSYSI_UNUSED static inline csys_mutex *name##_mutex(name *m) CSYS_RETURNS_LOCK(m->mutex); \
	CSYSI_UNUSED static inline csys_mutex *name##_mutex(name *m)                              \
	{                                                                                         \
		return &m->mutex;                                                                 \
	}                                                                                         \
	CSYSI_LOCKED_WAY(name, mutex, lock, lock, unlock, type *, CSYS_ACQUIRES,                  \
			 CSYS_TRY_ACQUIRES, CSYS_RELEASES);                                       \
	CSYSI_LOCKED_MOVE(name, type, mutex, lock, unlock)

#define CSYSI_LOCKED_RWLOCK(name, type)                                                            \
	typedef struct name {                                                                      \
		csys_rwlock rwlock;                                                                \
		type value CSYS_GUARDED_BY(rwlock);                                                \
	} name;                                                                                    \
	CSYSI_UNUSED static inline csys_rwlock *name##_rwlock(name *l)                             \
		CSYS_RETURNS_LOCK(l->rwlock);                                                      \
	CSYSI_UNUSED static inline csys_rwlock *name##_rwlock(name *l)                             \
	{                                                                                          \
		return &l->rwlock;                                                                 \
	}                                                                                          \
	CSYSI_LOCKED_WAY(name, rwlock, read, read, unlock_read, type const *,                      \
			 CSYS_ACQUIRES_SHARED, CSYS_TRY_ACQUIRES_SHARED, CSYS_RELEASES_SHARED);    \
	CSYSI_LOCKED_WAY(name, rwlock, write, write, unlock_write, type *, CSYS_ACQUIRES,          \
			 CSYS_TRY_ACQUIRES, CSYS_RELEASES);                                        \
	CSYSI_LOCKED_WAY(name, rwlock, upgradable_read, upgradable_read, unlock_upgradable,        \
			 type const *, CSYS_ACQUIRES_SHARED, CSYS_TRY_ACQUIRES_SHARED,             \
			 CSYS_RELEASES_SHARED);                                                    \
	CSYSI_UNUSED static inline int name##_upgrade(name *l, type const **value, type **out)     \
		CSYS_RELEASES_SHARED(l->rwlock) CSYS_ACQUIRES(l->rwlock) CSYS_NOT_ANALYZED;        \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_upgrade_until(                       \
		name *l, csys_deadline deadline, type const **value, type **out)                   \
		CSYS_RELEASES_SHARED(l->rwlock) CSYS_TRY_ACQUIRES(0, l->rwlock) CSYS_NOT_ANALYZED; \
	CSYSI_UNUSED static inline void name##_downgrade(name *l, type **value, type const **out)  \
		CSYS_RELEASES(l->rwlock) CSYS_ACQUIRES_SHARED(l->rwlock) CSYS_NOT_ANALYZED;        \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_upgrade_until(                       \
		name *l, csys_deadline deadline, type const **value, type **out)                   \
	{                                                                                          \
		if (!CSYSI_LIKELY(*value == &l->value))                                            \
			csysi_rwlock_wrong_value();                                                \
		int result = csys_rwlock_upgrade_until(&l->rwlock, deadline);                      \
		if (result >= 0) {                                                                 \
			*value = CSYSI_NULL;                                                       \
			*out = &l->value;                                                          \
		}                                                                                  \
		return result;                                                                     \
	}                                                                                          \
	CSYSI_UNUSED static inline int name##_upgrade(name *l, type const **value, type **out)     \
	{                                                                                          \
		return name##_upgrade_until(l, CSYS_FOREVER, value, out);                          \
	}                                                                                          \
	CSYSI_UNUSED static inline void name##_downgrade(name *l, type **value, type const **out)  \
	{                                                                                          \
		if (!CSYSI_LIKELY(*value == &l->value))                                            \
			csysi_rwlock_wrong_value();                                                \
		*value = CSYSI_NULL;                                                               \
		*out = &l->value;                                                                  \
		csys_rwlock_downgrade(&l->rwlock);                                                 \
	}                                                                                          \
	CSYSI_LOCKED_MOVE(name, type, rwlock, write, unlock_write)

CSYS_END_DECLS

#endif
