/*
 * csys/sync/once.h - something that is done once, by the first caller.
 *
 *     static csys_once is_loaded = CSYS_ONCE_INIT;
 *
 *     r = csys_once_call(&is_loaded, load, path); // load(path), at the first call
 *
 * Other callers wait meanwhile until it is done.  A caller for which the call returns 0 sees
 * what was done.  A call of one that is done costs one load.
 *
 * A body that fails leaves it as if it had not been called: its result is that of the
 * call, and the next caller tries again.  A body that does not return (it panics, throws an
 * exception of C++, or its thread ends) poisons it: calls fail then, but csys_once_call_force
 * tries again.
 *
 * Four bytes, zeroed memory is one that was not called, no destruction, no allocation;
 * may be freed when all calls have returned.  Waiters spin where that helps, on average
 * for 5 us at most, then sleep.  A body that calls its own once gets CSYS_EDEADLK.
 *
 * Threads: that is what it is for.  Not in signal handlers.  Fork: one whose body runs in
 * another thread of the parent never gets done in the child.
 *
 * A value that is made at its first use:
 *
 *     CSYS_ONCE_VALUE_DEFINE(config_once, struct config *);
 *     static config_once config; // empty
 *
 *     r = config_once_get_or_init(&config, read_config, path, &it);
 */
#ifndef CSYS_SYNC_ONCE_H
#define CSYS_SYNC_ONCE_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/ledger.h>

CSYS_BEGIN_DECLS

typedef struct csys_once {
	uint32_t word; /* private: src/sync/once.c */
} csys_once;

#define CSYS_ONCE_INIT \
	{              \
		0      \
	}

/* What is to be done: 0, or a negative result. */
typedef int csys_once_body(void *argument);

#define CSYSI_ONCE_COMPLETE 1u

/* What inline functions leave to src/sync/once.c. */
CSYS_API CSYS_MUST_CHECK int csysi_once_call_slow(csys_once *once, csys_once_body *body,
						  void *argument, int is_forced);

/*
 * 1 if it is done, and the caller sees what was done; 0 if not.
 */
static inline int csys_once_is_completed(const csys_once *once)
{
	/* Acquire pairs with the release of the thread that has done it. */
	return __atomic_load_n(&once->word, __ATOMIC_ACQUIRE) == CSYSI_ONCE_COMPLETE;
}

/*
 * Call `body` unless it is done.  0 if it is done now, by this caller or another; the result of
 * `body` if that failed in this call; CSYS_EPANICKED if it is poisoned;
 * CSYS_EDEADLK in its own body.
 */
static inline CSYS_MUST_CHECK int csys_once_call(csys_once *once, csys_once_body *body,
						 void *argument)
{
	return CSYSI_LIKELY(csys_once_is_completed(once))
		       ? 0
		       : csysi_once_call_slow(once, body, argument, 0);
}

/* Call `body` unless it is done, as csys_once_call does, but also if it is poisoned: the body can
 * ask csys_once_is_poisoned. */
static inline CSYS_MUST_CHECK int csys_once_call_force(csys_once *once, csys_once_body *body,
						       void *argument)
{
	return CSYSI_LIKELY(csys_once_is_completed(once))
		       ? 0
		       : csysi_once_call_slow(once, body, argument, 1);
}

/*
 * 1 if its last body did not return.  While a forced body runs this tells of the one before, so
 * that the running body can ask too.
 */
CSYS_API int csys_once_is_poisoned(const csys_once *once);

/* Wait until another thread has done it: 0, or CSYS_EPANICKED if it is poisoned. */
CSYS_API CSYS_MUST_CHECK int csys_once_wait(csys_once *once);

/* Wait until another thread has done it, as csys_once_wait does, or until `deadline`:
 * CSYS_ETIMEDOUT. */
CSYS_API CSYS_MUST_CHECK int csys_once_wait_until(csys_once *once, csys_deadline deadline);

/* Where calls stand, for a checked build. */
#if defined(CSYS_CHECKED) && !defined(CSYSI_INSIDE)
CSYSI_UNUSED static inline csys_once *csysi_once_at(csys_once *once, const char *file, int line)
{
	csysi_checked_at(once, CSYSI_NULL, file, line);
	return once;
}
#define CSYSI_ONCE_HERE(once) csysi_once_at((once), __FILE__, __LINE__)
#define csys_once_call(once, body, argument) csys_once_call(CSYSI_ONCE_HERE(once), body, argument)
#define csys_once_call_force(once, body, argument) \
	csys_once_call_force(CSYSI_ONCE_HERE(once), body, argument)
#define csys_once_wait(once) csys_once_wait(CSYSI_ONCE_HERE(once))
#define csys_once_wait_until(once, deadline) csys_once_wait_until(CSYSI_ONCE_HERE(once), deadline)
#else
#define CSYSI_ONCE_HERE(once) (once)
#endif

/* csys_once_call_force, which also tells whether `body` ran in this call. */
CSYS_API CSYS_MUST_CHECK int csysi_once_call_new(csys_once *once, csys_once_body *body,
						 void *argument, int *out_is_new);

#if defined(__cplusplus)
#define CSYSI_FROM_VOID(type, x) (static_cast<type *>(x))
#else
#define CSYSI_FROM_VOID(type, x) ((type *)(x))
#endif

/*
 * Make `name` a type for a value of `type` that is set once, valid when zero, and
 *
 *     type *name_get(name *o);                  // NULL before it is set
 *     int   name_set(name *o, type value);      // CSYS_EEXIST if it is set
 *     int   name_get_or_init(name *o, int (*init)(void *argument, type *out),
 *                            void *argument, type **out);
 *
 * get_or_init calls `init` to make the value if there is none.  It fails as csys_once_call
 * does, but a panic or an exception leaves it empty, as std's OnceLock: the next one tries
 * again.
 */
#define CSYS_ONCE_VALUE_DEFINE(name, type)                                                   \
	typedef struct name {                                                                \
		csys_once once;                                                              \
		type value;                                                                  \
	} name;                                                                              \
	struct name##_init {                                                                 \
		name *into;                                                                  \
		int (*init)(void *argument, type *out);                                      \
		void *argument;                                                              \
	};                                                                                   \
	static inline int name##_body(void *argument)                                        \
	{                                                                                    \
		struct name##_init *made = CSYSI_FROM_VOID(struct name##_init, argument);    \
		return made->init(made->argument, &made->into->value);                       \
	}                                                                                    \
	static inline int name##_copy(void *argument, type *out)                             \
	{                                                                                    \
		*out = *CSYSI_FROM_VOID(type, argument);                                     \
		return 0;                                                                    \
	}                                                                                    \
	CSYSI_UNUSED static inline type *name##_get(name *o)                                 \
	{                                                                                    \
		return csys_once_is_completed(&o->once) ? &o->value : CSYSI_NULL;            \
	}                                                                                    \
	CSYSI_UNUSED static inline int name##_get_or_init(                                   \
		name *o, int (*init)(void *argument, type *out), void *argument, type **out) \
	{                                                                                    \
		struct name##_init made = { o, init, argument };                             \
		int r = csys_once_call_force(&o->once, name##_body, &made);                  \
		if (r == 0)                                                                  \
			*out = &o->value;                                                    \
		return r;                                                                    \
	}                                                                                    \
	CSYSI_UNUSED static inline int name##_set(name *o, type value)                       \
	{                                                                                    \
		struct name##_init made = { o, name##_copy, &value };                        \
		int is_new = 0;                                                              \
		if (!csys_once_is_completed(&o->once)) {                                     \
			csys_once *its_once = CSYSI_ONCE_HERE(&o->once);                     \
			int r = csysi_once_call_new(its_once, name##_body, &made, &is_new);  \
			if (r < 0)                                                           \
				return r;                                                    \
		}                                                                            \
		return is_new ? 0 : CSYS_EEXIST;                                             \
	}                                                                                    \
	struct name /* for a semicolon */

CSYS_END_DECLS

#endif
