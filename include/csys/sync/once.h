/**
 * \file
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
 * for 5 us at most, then sleep.  A body that calls its own once, or waits for it, gets
 * CSYS_EDEADLK.
 *
 * Threads: any number may use it at once.  Not in signal handlers.  Fork: one whose body runs in
 * another thread of the parent never gets done in the child.
 *
 * A value that is made at its first use, and one that is there from the start:
 *
 *     CSYS_ONCE_VALUE_DEFINE(config_once, struct config *);
 *     static config_once config; // empty
 *     static config_once fixed = CSYS_ONCE_VALUE_INIT(&defaults);
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

/** Something that is done once; all zero if it was not called yet. */
typedef struct csys_once {
	uint32_t word; /**< private: src/sync/once.c */
} csys_once;

/** A once that was not called yet; the same as zeroed memory. */
#define CSYS_ONCE_INIT \
	{              \
		0      \
	}

/** What is to be done: 0, or a negative result. */
typedef int csys_once_body(void *argument);

#define CSYSI_ONCE_COMPLETE 1u

/* What inline functions leave to src/sync/once.c. */
CSYS_API CSYS_MUST_CHECK int csysi_once_call_slow(csys_once *once, csys_once_body *body,
						  void *argument, int is_forced);

/**
 * Make a once that was not called yet, in any memory.
 *
 * No thread may use it meanwhile.
 *
 * \param once  the memory
 */
CSYS_API void csys_once_init(csys_once *once);

/**
 * Tell whether a once is done.
 *
 * \param once  the once
 * \return 1 if it is done, and the caller sees what was done; 0 if not
 */
static inline int csys_once_is_completed(const csys_once *once)
{
	/* Acquire pairs with the release of the thread that has done it. */
	return __atomic_load_n(&once->word, __ATOMIC_ACQUIRE) == CSYSI_ONCE_COMPLETE;
}

/**
 * Call `body` unless the once is done, and wait while another caller's body runs.
 *
 * \param once      the once
 * \param body      what is to be done
 * \param argument  of `body`
 * \retval 0               it is done now, by this caller or another
 * \retval CSYS_EPANICKED  it is poisoned
 * \retval CSYS_EDEADLK    this is a call in its own body
 * \return any other negative number is the result of `body` that failed in this call
 */
static inline CSYS_MUST_CHECK int csys_once_call(csys_once *once, csys_once_body *body,
						 void *argument)
{
	return CSYSI_LIKELY(csys_once_is_completed(once))
		       ? 0
		       : csysi_once_call_slow(once, body, argument, 0);
}

/**
 * Call `body` unless the once is done, also if it is poisoned.
 *
 * The body can ask csys_once_is_poisoned.
 *
 * \param once      the once
 * \param body      what is to be done
 * \param argument  of `body`
 * \retval 0             it is done now, by this caller or another
 * \retval CSYS_EDEADLK  this is a call in its own body
 * \return any other negative number is the result of `body` that failed in this call
 */
static inline CSYS_MUST_CHECK int csys_once_call_force(csys_once *once, csys_once_body *body,
						       void *argument)
{
	return CSYSI_LIKELY(csys_once_is_completed(once))
		       ? 0
		       : csysi_once_call_slow(once, body, argument, 1);
}

/**
 * Tell whether a once is poisoned: its last body did not return.
 *
 * While a forced body runs this tells of the one before, so that the running body can ask too.
 *
 * \param once  the once
 * \return 1 if it is poisoned, else 0
 */
CSYS_API int csys_once_is_poisoned(const csys_once *once);

/**
 * Wait until another thread has done a once.
 *
 * A body that fails does not end the wait: another call may follow.
 *
 * \param once  the once
 * \retval 0               it is done, and the caller sees what was done
 * \retval CSYS_EPANICKED  it is poisoned
 * \retval CSYS_EDEADLK    this is a call in its own body
 */
CSYS_API CSYS_MUST_CHECK int csys_once_wait(csys_once *once);

/**
 * Wait until another thread has done a once, or until `deadline`.
 *
 * \param once      the once
 * \param deadline  when to give up; one that has passed still finds what is done
 * \retval 0               it is done, and the caller sees what was done
 * \retval CSYS_EPANICKED  it is poisoned
 * \retval CSYS_ETIMEDOUT  it was not done by then
 * \retval CSYS_EDEADLK    this is a call in its own body
 */
CSYS_API CSYS_MUST_CHECK int csys_once_wait_until(csys_once *once, csys_deadline deadline);

/**
 * Wait until another thread has done a once, also while that is poisoned.
 *
 * A poisoned once is done by a later csys_once_call_force; without one this waits for ever
 * (std's Once::wait_force).  A call in its own body aborts with a line, since no other thread can
 * end that wait.
 *
 * \param once  the once
 */
CSYS_API void csys_once_wait_force(csys_once *once);

/**
 * Wait until another thread has done a once, also while that is poisoned, or until `deadline`.
 *
 * \param once      the once
 * \param deadline  when to give up; one that has passed still finds what is done
 * \retval 0               it is done, and the caller sees what was done
 * \retval CSYS_ETIMEDOUT  it was not done by then
 * \retval CSYS_EDEADLK    this is a call in its own body
 */
CSYS_API CSYS_MUST_CHECK int csys_once_wait_force_until(csys_once *once, csys_deadline deadline);

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
#define csys_once_wait_force(once) csys_once_wait_force(CSYSI_ONCE_HERE(once))
#define csys_once_wait_force_until(once, deadline) \
	csys_once_wait_force_until(CSYSI_ONCE_HERE(once), deadline)
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

/**
 * A once value of any type that is set from the start: its first value, or its members in braces.
 */
#define CSYS_ONCE_VALUE_INIT(...)                    \
	{                                            \
		{ CSYSI_ONCE_COMPLETE }, __VA_ARGS__ \
	}

/**
 * Make `name` a type for a value of `type` that is set once; all zero is an empty one.
 *
 *     type *name_get(name *o);                  // NULL before it is set
 *     int   name_set(name *o, type value);      // CSYS_EEXIST if it is set
 *     int   name_get_or_init(name *o, int (*init)(void *argument, type *out),
 *                            void *argument, type **out);
 *     type *name_wait(name *o);                 // until another thread has set it
 *     int   name_wait_until(name *o, csys_deadline deadline, type **out);
 *     type *name_get_mut(name *o);              // these three: no other thread uses it
 *     int   name_take(name *o, type *out);
 *     int   name_into_inner(name *o, type *out);
 *
 * get_or_init calls `init` to make the value if there is none.  It fails as csys_once_call
 * does, but a panic or an exception leaves it empty, as std's OnceLock: the next one tries
 * again, and threads in `wait` wait on.
 *
 * take moves the value to *out and makes the once value empty again, to be set anew: 0, or
 * CSYS_EAGAIN if it was empty.  into_inner does so at the end of its life: *out is the caller's to
 * release.  Both, and get_mut, need a caller that no other thread can disturb, as where an object
 * is being made or freed; the value may be changed then.
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
	CSYSI_UNUSED static inline type *name##_wait(name *o)                                \
	{                                                                                    \
		csys_once_wait_force(&o->once);                                              \
		return &o->value;                                                            \
	}                                                                                    \
	CSYSI_UNUSED static inline int name##_wait_until(name *o, csys_deadline deadline,    \
							 type **out)                         \
	{                                                                                    \
		int r = csys_once_wait_force_until(&o->once, deadline);                      \
		if (r == 0)                                                                  \
			*out = &o->value;                                                    \
		return r;                                                                    \
	}                                                                                    \
	CSYSI_UNUSED static inline type *name##_get_mut(name *o)                             \
	{                                                                                    \
		return csys_once_is_completed(&o->once) ? &o->value : CSYSI_NULL;            \
	}                                                                                    \
	CSYSI_UNUSED static inline int name##_take(name *o, type *out)                       \
	{                                                                                    \
		int is_set = csys_once_is_completed(&o->once);                               \
		if (is_set)                                                                  \
			*out = o->value;                                                     \
		csys_once_init(&o->once);                                                    \
		return is_set ? 0 : CSYS_EAGAIN;                                             \
	}                                                                                    \
	CSYSI_UNUSED static inline int name##_into_inner(name *o, type *out)                 \
	{                                                                                    \
		return name##_take(o, out);                                                  \
	}                                                                                    \
	struct name /* for a semicolon */

CSYS_END_DECLS

#endif
