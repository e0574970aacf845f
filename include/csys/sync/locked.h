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
 * A value that lives inside its mutex cannot be touched by a caller that forgot to lock.
 *
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
#include <csys/sync/mutex.h>

CSYS_BEGIN_DECLS

/* Abort: the value that was to be unlocked is not of this mutex. */
CSYS_API void csysi_mutex_wrong_value(void);

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
 * *out is the value whenever it is locked, poisoned or not, and as it was when it is not.
 * unlock takes the pointer that lock gave: with another one (NULL after an unlock, say) it
 * aborts with a line on stderr.
 *
 * \param name  of the type, and the beginning of its functions' names
 * \param type  of the value
 */
#define CSYS_MUTEX_DEFINE(name, type)                                                             \
	typedef struct name {                                                                     \
		csys_mutex mutex;                                                                 \
		type value CSYS_GUARDED_BY(mutex);                                                \
	} name;                                                                                   \
	CSYSI_UNUSED static inline csys_mutex *name##_mutex(name *m) CSYS_RETURNS_LOCK(m->mutex); \
	CSYSI_UNUSED static inline int name##_lock(name *m, type **out) CSYS_ACQUIRES(m->mutex)   \
		CSYS_NOT_ANALYZED;                                                                \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_try_lock(name *m, type **out)       \
		CSYS_TRY_ACQUIRES(0, m->mutex) CSYS_NOT_ANALYZED;                                 \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_lock_until(                         \
		name *m, csys_deadline deadline, type **out) CSYS_TRY_ACQUIRES(0, m->mutex)       \
		CSYS_NOT_ANALYZED;                                                                \
	CSYSI_UNUSED static inline void name##_unlock(name *m, type **value)                      \
		CSYS_RELEASES(m->mutex) CSYS_NOT_ANALYZED;                                        \
	CSYSI_UNUSED static inline csys_mutex *name##_mutex(name *m)                              \
	{                                                                                         \
		return &m->mutex;                                                                 \
	}                                                                                         \
	CSYSI_UNUSED static inline int name##_lock(name *m, type **out)                           \
	{                                                                                         \
		int result = csys_mutex_lock(&m->mutex);                                          \
		*out = &m->value;                                                                 \
		return result;                                                                    \
	}                                                                                         \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_try_lock(name *m, type **out)       \
	{                                                                                         \
		int result = csys_mutex_try_lock(&m->mutex);                                      \
		if (result >= 0)                                                                  \
			*out = &m->value;                                                         \
		return result;                                                                    \
	}                                                                                         \
	CSYSI_UNUSED static inline CSYS_MUST_CHECK int name##_lock_until(                         \
		name *m, csys_deadline deadline, type **out)                                      \
	{                                                                                         \
		int result = csys_mutex_lock_until(&m->mutex, deadline);                          \
		if (result >= 0)                                                                  \
			*out = &m->value;                                                         \
		return result;                                                                    \
	}                                                                                         \
	CSYSI_UNUSED static inline void name##_unlock(name *m, type **value)                      \
	{                                                                                         \
		if (!CSYSI_LIKELY(*value == &m->value))                                           \
			csysi_mutex_wrong_value();                                                \
		*value = CSYSI_NULL;                                                              \
		csys_mutex_unlock(&m->mutex);                                                     \
	}                                                                                         \
	struct name /* for a semicolon */

/** A free one with a value: CSYS_MUTEX_INIT_WITH(3), CSYS_MUTEX_INIT_WITH({ "a", 1 }). */
#define CSYS_MUTEX_INIT_WITH(...)            \
	{                                    \
		CSYS_MUTEX_INIT, __VA_ARGS__ \
	}

CSYS_END_DECLS

#endif
