/**
 * \file
 * csys/sync/atomic_inside.h - what the macros of csys/sync/atomic.h are made of.
 *
 * Nothing here is for users: include csys/sync/atomic.h.
 */
#ifndef CSYS_SYNC_ATOMIC_INSIDE_H
#define CSYS_SYNC_ATOMIC_INSIDE_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>

#if defined(__cplusplus)
typedef bool csysi_bool;
#else
typedef _Bool csysi_bool;
#endif

/* ---- orders ---------------------------------------------------------------------- */

/* `order` if `is_right`, which is a constant; else no program. */
#if defined(__cplusplus)
template <bool is_right> struct csysi_order;
template <> struct csysi_order<true> {
	static const int one = 1;
};
#define CSYSI_ORDER(order, is_right) (((order) + 0) * csysi_order<(is_right)>::one)
#else
#define CSYSI_ORDER(order, is_right) \
	(((order) + 0) * (sizeof(struct { int wrong_order : (is_right) ? 1 : -1; }) != 0))
#endif

#define CSYSI_LOAD_ORDER(o) \
	CSYSI_ORDER(o, (o) == CSYS_RELAXED || (o) == CSYS_ACQUIRE || (o) == CSYS_SEQ_CST)
#define CSYSI_STORE_ORDER(o) \
	CSYSI_ORDER(o, (o) == CSYS_RELAXED || (o) == CSYS_RELEASE || (o) == CSYS_SEQ_CST)
#define CSYSI_SWAP_ORDER(o) \
	CSYSI_ORDER(o, (o) == CSYS_RELAXED || ((o) >= CSYS_ACQUIRE && (o) <= CSYS_SEQ_CST))
#define CSYSI_FENCE_ORDER(o) CSYSI_ORDER(o, (o) >= CSYS_ACQUIRE && (o) <= CSYS_SEQ_CST)

/* Compilers want a success that is as strong as the failure. */
#define CSYSI_SUCCESS_ORDER(s, f)                                                   \
	((f) == CSYS_SEQ_CST                          ? CSYSI_SWAP_ORDER(s) * 0 + 5 \
	 : (f) == CSYS_ACQUIRE && (s) == CSYS_RELAXED ? 2                           \
	 : (f) == CSYS_ACQUIRE && (s) == CSYS_RELEASE ? 4                           \
						      : CSYSI_SWAP_ORDER(s))
#define CSYSI_FAILURE_ORDER(o) \
	((o) == CSYS_RELEASE ? 0 : (o) == CSYS_ACQ_REL ? 2 : CSYSI_SWAP_ORDER(o))

/* ---- operations that compilers do not have ------------------------------------------ */

#define CSYSI_FETCH_PICK(a, v, than, order)                                                        \
	__extension__({                                                                            \
		__typeof__(a) csysi_a = (a);                                                       \
		__typeof__(csysi_a->value) csysi_v = (v);                                          \
		__typeof__(csysi_a->value) csysi_was =                                             \
			__atomic_load_n(&csysi_a->value, CSYSI_FAILURE_ORDER(order));              \
		while (!__atomic_compare_exchange_n(                                               \
			&csysi_a->value, &csysi_was, csysi_v than csysi_was ? csysi_v : csysi_was, \
			1, CSYSI_SWAP_ORDER(order), CSYSI_FAILURE_ORDER(order)))                   \
			;                                                                          \
		csysi_was;                                                                         \
	})

/* A bool in memory is 0 or 1, and these keep it so. */
static inline csysi_bool csysi_bool_fetch_and(csysi_bool *a, csysi_bool v, int order)
{
	return __atomic_fetch_and(CSYSI_CAST(unsigned char *, a), v, order) != 0;
}

static inline csysi_bool csysi_bool_fetch_or(csysi_bool *a, csysi_bool v, int order)
{
	return __atomic_fetch_or(CSYSI_CAST(unsigned char *, a), v, order) != 0;
}

static inline csysi_bool csysi_bool_fetch_xor(csysi_bool *a, csysi_bool v, int order)
{
	return __atomic_fetch_xor(CSYSI_CAST(unsigned char *, a), v, order) != 0;
}

/* Not (was and 1) is not was, not (was and 0) is 1. */
static inline csysi_bool csysi_bool_fetch_nand(csysi_bool *a, csysi_bool v, int order)
{
	return v ? csysi_bool_fetch_xor(a, 1, order) : csysi_bool_fetch_or(a, 1, order);
}

/* The bits of a pointer, whatever the compiler thinks of types. */
typedef uintptr_t CSYSI_ATTRIBUTE((may_alias)) csysi_pointer_bits;

static inline void *csysi_ptr_fetch_add(void **a, ptrdiff_t bytes, int order)
{
	return __atomic_fetch_add(a, bytes, order);
}

static inline void *csysi_ptr_fetch_and(void **a, uintptr_t bits, int order)
{
	csysi_pointer_bits *all = CSYSI_CAST(csysi_pointer_bits *, a);
	return CSYSI_CAST(void *, __atomic_fetch_and(all, bits, order));
}

static inline void *csysi_ptr_fetch_or(void **a, uintptr_t bits, int order)
{
	csysi_pointer_bits *all = CSYSI_CAST(csysi_pointer_bits *, a);
	return CSYSI_CAST(void *, __atomic_fetch_or(all, bits, order));
}

static inline void *csysi_ptr_fetch_xor(void **a, uintptr_t bits, int order)
{
	csysi_pointer_bits *all = CSYSI_CAST(csysi_pointer_bits *, a);
	return CSYSI_CAST(void *, __atomic_fetch_xor(all, bits, order));
}

#endif
