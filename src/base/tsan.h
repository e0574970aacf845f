/*
 * base/tsan.h - telling ThreadSanitizer of a program what this library orders.
 *
 * The inline functions of csys are compiled into a program, and instrumented with it.  The
 * rest is not, so the sanitizer would miss half of each pair of a release and an acquire, and
 * report races that are none.  Its runtime, if a program has one, is told of the other half:
 * before each release and after each acquire of base/atomic.h.  It keeps what it is told at
 * the address, as it does for instrumented atomics, so one half may be either.
 *
 * The references are weak.  Without the sanitizer they are NULL, which costs a test.  A build
 * of csys that is instrumented itself needs none of this.
 */
#ifndef CSYSI_BASE_TSAN_H
#define CSYSI_BASE_TSAN_H

#if defined(__SANITIZE_THREAD__)
#define CSYSI_IS_INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CSYSI_IS_INSTRUMENTED 1
#endif
#endif

#include <csys/base/attributes.h>

#if CSYSI_IS_ELF && !defined(CSYSI_IS_INSTRUMENTED)

#include <stdint.h>

extern void __tsan_acquire(void *address) __attribute__((weak));
extern void __tsan_release(void *address) __attribute__((weak));

/* One question for both, which a compiler need not ask twice. */
#define csysi_tsan_is_there() (__tsan_acquire != 0)
#define csysi_tsan_acquire(p) \
	(csysi_tsan_is_there() ? __tsan_acquire((void *)(uintptr_t)(p)) : (void)0)
#define csysi_tsan_release(p) \
	(csysi_tsan_is_there() ? __tsan_release((void *)(uintptr_t)(p)) : (void)0)

#else

#define csysi_tsan_is_there() 0
#define csysi_tsan_acquire(p) ((void)(p))
#define csysi_tsan_release(p) ((void)(p))

#endif

#endif
