/*
 * base/atomic.h - the atomic operations that csys uses on itself.
 *
 * The compiler's builtins, with the order in the name, so that each use shows
 * it.  Every use names its partner.
 */
#ifndef CSYSI_BASE_ATOMIC_H
#define CSYSI_BASE_ATOMIC_H

#include <stdint.h>

#include "base/tsan.h"

/* What an acquire has read, once a sanitizer is told of it. */
#define CSYSI_ACQUIRED(p, operation)                           \
	__extension__({                                        \
		__typeof__(operation) csysi_was = (operation); \
		csysi_tsan_acquire(p);                         \
		csysi_was;                                     \
	})

/* The same of a compare-and-swap, which has acquired nothing if it failed. */
#define CSYSI_ACQUIRED_IF(p, operation)          \
	__extension__({                          \
		int csysi_is_done = (operation); \
		if (csysi_is_done)               \
			csysi_tsan_acquire(p);   \
		csysi_is_done;                   \
	})

#define csysi_load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define csysi_load_seq_cst(p) CSYSI_ACQUIRED(p, __atomic_load_n((p), __ATOMIC_SEQ_CST))
#define csysi_load_acquire(p) CSYSI_ACQUIRED(p, __atomic_load_n((p), __ATOMIC_ACQUIRE))
#define csysi_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define csysi_store_release(p, v) \
	(csysi_tsan_release(p), __atomic_store_n((p), (v), __ATOMIC_RELEASE))
#define csysi_swap_acquire(p, v) CSYSI_ACQUIRED(p, __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE))
#define csysi_swap_release(p, v) \
	(csysi_tsan_release(p), __atomic_exchange_n((p), (v), __ATOMIC_RELEASE))
#define csysi_swap_acq_rel(p, v) \
	(csysi_tsan_release(p), CSYSI_ACQUIRED(p, __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)))
#define csysi_swap_seq_cst(p, v) \
	(csysi_tsan_release(p), CSYSI_ACQUIRED(p, __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)))

#define csysi_sub_relaxed(p, v) ((void)__atomic_fetch_sub((p), (v), __ATOMIC_RELAXED))
#define csysi_or_relaxed(p, v) ((void)__atomic_fetch_or((p), (v), __ATOMIC_RELAXED))
#define csysi_or_release(p, v) \
	(csysi_tsan_release(p), (void)__atomic_fetch_or((p), (v), __ATOMIC_RELEASE))
#define csysi_and_acquire(p, v) \
	((void)__atomic_fetch_and((p), (v), __ATOMIC_ACQUIRE), csysi_tsan_acquire(p))
#define csysi_and_relaxed(p, v) ((void)__atomic_fetch_and((p), (v), __ATOMIC_RELAXED))

/* What *p was before. */
#define csysi_fetch_or_release(p, v) \
	(csysi_tsan_release(p), __atomic_fetch_or((p), (v), __ATOMIC_RELEASE))

#define csysi_fetch_or_seq_cst(p, v) \
	(csysi_tsan_release(p), CSYSI_ACQUIRED(p, __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)))

/* What *p is afterwards. */
#define csysi_add_relaxed(p, v) __atomic_add_fetch((p), (v), __ATOMIC_RELAXED)
#define csysi_sub_release(p, v) \
	(csysi_tsan_release(p), __atomic_sub_fetch((p), (v), __ATOMIC_RELEASE))
#define csysi_sub_acq_rel(p, v) \
	(csysi_tsan_release(p), CSYSI_ACQUIRED(p, __atomic_sub_fetch((p), (v), __ATOMIC_ACQ_REL)))
#define csysi_sub_seq_cst(p, v) \
	(csysi_tsan_release(p), CSYSI_ACQUIRED(p, __atomic_sub_fetch((p), (v), __ATOMIC_SEQ_CST)))
#define csysi_add_seq_cst(p, v) \
	(csysi_tsan_release(p), CSYSI_ACQUIRED(p, __atomic_add_fetch((p), (v), __ATOMIC_SEQ_CST)))
#define csysi_add_release(p, v) \
	(csysi_tsan_release(p), __atomic_add_fetch((p), (v), __ATOMIC_RELEASE))
#define csysi_add_acq_rel(p, v) \
	(csysi_tsan_release(p), CSYSI_ACQUIRED(p, __atomic_add_fetch((p), (v), __ATOMIC_ACQ_REL)))

/* 1 if *p was *expected and is now v; else *expected is what *p was. */
#define csysi_cas_relaxed(p, expected, v) \
	__atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define csysi_cas_acquire(p, expected, v)                                         \
	CSYSI_ACQUIRED_IF(p, __atomic_compare_exchange_n((p), (expected), (v), 0, \
							 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
#define csysi_cas_release(p, expected, v) \
	(csysi_tsan_release(p),           \
	 __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
#define csysi_cas_acq_rel(p, expected, v)                                          \
	(csysi_tsan_release(p),                                                    \
	 CSYSI_ACQUIRED_IF(p, __atomic_compare_exchange_n((p), (expected), (v), 0, \
							  __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)))
#define csysi_cas_seq_cst(p, expected, v)                                                         \
	(csysi_tsan_release(p),                                                                   \
	 CSYSI_ACQUIRED(p, __atomic_compare_exchange_n((p), (expected), (v), 0, __ATOMIC_SEQ_CST, \
						       __ATOMIC_ACQUIRE)))

/* The upper 32 bits of a word of 64, to sleep on.  Only the address is used. */
static inline const uint32_t *csysi_upper_half(const uint64_t *word)
{
	const uint32_t *halves = (const uint32_t *)(const void *)word;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	return halves;
#else
	return halves + 1;
#endif
}

#endif
