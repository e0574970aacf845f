/*
 * csys/sync/atomic.h - memory that several threads, or processes, change at once.
 *
 *     static csys_atomic_u32 hits; // zero
 *     csys_atomic_fetch_add(&hits, 1, CSYS_RELAXED);
 *
 *     CSYS_ATOMIC_DEFINE(node_link, struct node *);
 *     static node_link top;
 *
 *     node->next = csys_atomic_load(&top, CSYS_RELAXED);
 *     while (!csys_atomic_compare_exchange_weak(&top, &node->next, node, CSYS_RELEASE,
 *                                               CSYS_RELAXED))
 *             ;
 *
 * The operations are those of Rust's std::sync::atomic, under the memory model
 * of C11 and C++20 without consume.  Each takes any of the types below, is an
 * expression, and gives or takes values of the plain type.  The order is a
 * constant; one that the operation cannot have, a release load say, does not
 * compile, nor does a variable.  Arguments are evaluated once.
 *
 * An object is as large as its plain type and aligned to its size, lock-free,
 * and valid when zero.  It may lie in memory shared between processes; foreign
 * memory can be used as one with CSYS_ATOMIC_FROM.  In memory that is mapped
 * for reading only relaxed loads up to a pointer's size may be used.
 *
 * Any thread, process, signal handler or forked child may use any of it.
 */
#ifndef CSYS_SYNC_ATOMIC_H
#define CSYS_SYNC_ATOMIC_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/atomic_inside.h>

/* ---- types --------------------------------------------------------------------- */

/*
 * Make `name` the atomic type of `type`, of 1, 2, 4 or 8 bytes: a pointer to
 * something of one's own, say.  The value inside is private.
 */
#define CSYS_ATOMIC_DEFINE(name, type)                   \
	typedef struct name {                            \
		CSYSI_ATTRIBUTE((aligned(sizeof(type)))) \
		type value;                              \
	} name

CSYS_ATOMIC_DEFINE(csys_atomic_bool, csysi_bool);
CSYS_ATOMIC_DEFINE(csys_atomic_i8, int8_t);
CSYS_ATOMIC_DEFINE(csys_atomic_u8, uint8_t);
CSYS_ATOMIC_DEFINE(csys_atomic_i16, int16_t);
CSYS_ATOMIC_DEFINE(csys_atomic_u16, uint16_t);
CSYS_ATOMIC_DEFINE(csys_atomic_i32, int32_t);
CSYS_ATOMIC_DEFINE(csys_atomic_u32, uint32_t);
CSYS_ATOMIC_DEFINE(csys_atomic_i64, int64_t);
CSYS_ATOMIC_DEFINE(csys_atomic_u64, uint64_t);
CSYS_ATOMIC_DEFINE(csys_atomic_isize, ptrdiff_t);
CSYS_ATOMIC_DEFINE(csys_atomic_usize, size_t);
CSYS_ATOMIC_DEFINE(csys_atomic_ptr, void *);

/* A static or automatic one with a value: csys_atomic_u32 left = CSYS_ATOMIC_INIT(3); */
#define CSYS_ATOMIC_INIT(initial) \
	{                         \
		(initial)         \
	}

/* Foreign memory, aligned to its size, as an atomic of `type`, to which it gives a pointer. */
#define CSYS_ATOMIC_FROM(type, pointer) CSYSI_CAST(type *, pointer)

/* ---- orders ---------------------------------------------------------------------- */

enum {
	CSYS_RELAXED = 0, /* atomic, and no more */
	CSYS_ACQUIRE = 2, /* sees what was done before the release that it reads from */
	CSYS_RELEASE = 3, /* shows what was done before it */
	CSYS_ACQ_REL = 4, /* both */
	CSYS_SEQ_CST = 5  /* both, and all of these are in one order */
};

/* ---- reading and writing --------------------------------------------------------- */

/* Its value.  Relaxed, acquire or seq_cst. */
#define csys_atomic_load(a, order) __atomic_load_n(&(a)->value, CSYSI_LOAD_ORDER(order))

/* Give it a value.  Relaxed, release or seq_cst. */
#define csys_atomic_store(a, v, order) __atomic_store_n(&(a)->value, (v), CSYSI_STORE_ORDER(order))

/* Give it a value; the one before. */
#define csys_atomic_swap(a, v, order) __atomic_exchange_n(&(a)->value, (v), CSYSI_SWAP_ORDER(order))

/*
 * If its value is *expected, make it `desired`: true.  Else put its value into
 * *expected: false.  `failure` is the order of that reading (as for a load); it
 * may be stronger than `success`.  The weak one may also fail without a cause,
 * which costs nothing in a loop and is cheaper on some machines.
 */
#define csys_atomic_compare_exchange(a, expected, desired, success, failure) \
	__atomic_compare_exchange_n(&(a)->value, (expected), (desired), 0,   \
				    CSYSI_SUCCESS_ORDER(success, failure),   \
				    CSYSI_LOAD_ORDER(failure))
#define csys_atomic_compare_exchange_weak(a, expected, desired, success, failure) \
	__atomic_compare_exchange_n(&(a)->value, (expected), (desired), 1,        \
				    CSYSI_SUCCESS_ORDER(success, failure),        \
				    CSYSI_LOAD_ORDER(failure))

/* ---- changing integers -------------------------------------------------------------- */

/* Each gives the value before.  Addition and subtraction wrap, signed ones too. */
#define csys_atomic_fetch_add(a, v, order) \
	__atomic_fetch_add(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
#define csys_atomic_fetch_sub(a, v, order) \
	__atomic_fetch_sub(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
#define csys_atomic_fetch_and(a, v, order) \
	__atomic_fetch_and(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
#define csys_atomic_fetch_or(a, v, order) \
	__atomic_fetch_or(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
#define csys_atomic_fetch_xor(a, v, order) \
	__atomic_fetch_xor(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
#define csys_atomic_fetch_nand(a, v, order) \
	__atomic_fetch_nand(&(a)->value, (v), CSYSI_SWAP_ORDER(order))

/* The greater, the smaller of its value and `v`. */
#define csys_atomic_fetch_max(a, v, order) CSYSI_FETCH_PICK(a, v, >, order)
#define csys_atomic_fetch_min(a, v, order) CSYSI_FETCH_PICK(a, v, <, order)

/*
 * Change it to what an expression makes of it:
 *
 *     uint32_t was;
 *     csys_atomic_update(&state, was, (was << 1) | 1, CSYS_ACQ_REL);
 *
 * `was` is a variable of the caller.  The expression is evaluated as often as it
 * takes, each time with the value at that time in `was`; in the end that is the
 * value before the change.  csys_atomic_try_update does nothing if `condition`,
 * also about `was`, is false, and tells whether it changed it.
 */
#define csys_atomic_update(a, was, next, order) \
	((void)csys_atomic_try_update(a, was, 1, next, order))
#define csys_atomic_try_update(a, was, condition, next, order)                                    \
	__extension__({                                                                           \
		__typeof__(a) csysi_a = (a);                                                      \
		csysi_bool csysi_done = 0;                                                        \
		(was) = __atomic_load_n(&csysi_a->value, CSYSI_FAILURE_ORDER(order));             \
		while (!csysi_done && (condition))                                                \
			csysi_done = __atomic_compare_exchange_n(&csysi_a->value, &(was), (next), \
								 1, CSYSI_SWAP_ORDER(order),      \
								 CSYSI_FAILURE_ORDER(order));     \
		csysi_done;                                                                       \
	})

/* ---- changing booleans and pointers -------------------------------------------------- */

/* Each gives the value before. */
#define csys_atomic_bool_fetch_and(a, v, order) \
	csysi_bool_fetch_and(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
#define csys_atomic_bool_fetch_or(a, v, order) \
	csysi_bool_fetch_or(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
#define csys_atomic_bool_fetch_xor(a, v, order) \
	csysi_bool_fetch_xor(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
#define csys_atomic_bool_fetch_nand(a, v, order) \
	csysi_bool_fetch_nand(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
#define csys_atomic_bool_fetch_not(a, order) \
	csysi_bool_fetch_xor(&(a)->value, 1, CSYSI_SWAP_ORDER(order))

/*
 * Each gives the pointer before.  Of a csys_atomic_ptr: moved by bytes, and its
 * bits changed, for programs that keep marks in the low ones.
 */
#define csys_atomic_ptr_fetch_byte_add(a, bytes, order) \
	csysi_ptr_fetch_add(&(a)->value, (bytes), CSYSI_SWAP_ORDER(order))
#define csys_atomic_ptr_fetch_byte_sub(a, bytes, order) \
	csysi_ptr_fetch_add(&(a)->value, -(bytes), CSYSI_SWAP_ORDER(order))
#define csys_atomic_ptr_fetch_and(a, bits, order) \
	csysi_ptr_fetch_and(&(a)->value, (bits), CSYSI_SWAP_ORDER(order))
#define csys_atomic_ptr_fetch_or(a, bits, order) \
	csysi_ptr_fetch_or(&(a)->value, (bits), CSYSI_SWAP_ORDER(order))
#define csys_atomic_ptr_fetch_xor(a, bits, order) \
	csysi_ptr_fetch_xor(&(a)->value, (bits), CSYSI_SWAP_ORDER(order))

/* ---- fences -------------------------------------------------------------------------- */

/*
 * Order the atomics before and after it, as a fence of C11; not relaxed.
 * ThreadSanitizer does not know fences.
 */
#define csys_fence(order) __atomic_thread_fence(CSYSI_FENCE_ORDER(order))

/* Order them against signal handlers of this thread only, as csys_fence does: no instruction. */
#define csys_compiler_fence(order) __atomic_signal_fence(CSYSI_FENCE_ORDER(order))

/* Tell the processor that this is a loop which waits for another thread. */
static inline void csys_spin_hint(void)
{
#if defined(__i386__) || defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory"); /* yield takes no time there: see std's spin_loop */
#elif defined(__arm__)
	__asm__ volatile("yield" ::: "memory");
#else
	__asm__ volatile("" ::: "memory");
#endif
}

/*
 * Bytes that two variables must be apart so that writing one does not slow down
 * readers of the other, and a mark that puts a variable or member on a line of its own.
 */
#if defined(__x86_64__) || defined(__aarch64__) || defined(__powerpc64__)
#define CSYS_CACHE_LINE 128 /* also what is fetched in pairs */
#else
#define CSYS_CACHE_LINE 64
#endif
#define CSYS_CACHE_PADDED CSYSI_ATTRIBUTE((aligned(CSYS_CACHE_LINE)))

/* ---- waiting for a word ---------------------------------------------------------------- */

CSYS_BEGIN_DECLS

/*
 * Sleep while *word is `expected`, until it is woken.  Looking at the word and
 * falling asleep are one step, so a wake that follows a change of the word is
 * not lost.  It may also return without any cause: look at the word again.
 */
CSYS_API void csys_atomic_wait(const csys_atomic_u32 *word, uint32_t expected);

/* Sleep while *word is `expected`, as csys_atomic_wait does, until `deadline`: CSYS_ETIMEDOUT then,
 * else 0. */
CSYS_API CSYS_MUST_CHECK int csys_atomic_wait_until(const csys_atomic_u32 *word, uint32_t expected,
						    csys_deadline deadline);

/*
 * Wake up to `count` of the threads that sleep on the word, the longest sleepers first;
 * UINT32_MAX is all.  Only the address is used, so the word may be gone already,
 * if others may be woken without a cause.  Async-signal-safe on Linux.
 */
CSYS_API void csys_atomic_wake(const csys_atomic_u32 *word, uint32_t count);

/*
 * Sleep on, and wake sleepers of, a word in memory that processes share, at whatever address
 * each has it; both the waiter and the waker must use these.
 */
CSYS_API CSYS_MUST_CHECK int csys_atomic_wait_shared_until(const csys_atomic_u32 *word,
							   uint32_t expected,
							   csys_deadline deadline);
CSYS_API void csys_atomic_wake_shared(const csys_atomic_u32 *word, uint32_t count);

CSYS_END_DECLS

#endif
