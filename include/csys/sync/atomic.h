/**
 * \file
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
 * The operations are those of Rust's std::sync::atomic, under the memory model of C11 and C++20
 * without consume.  Each is a macro that takes a pointer to any of the types below, is an
 * expression, and gives or takes values of the plain type.  The order has to be a constant.  A
 * variable does not compile, nor does an order that the operation cannot have, such as a load
 * with CSYS_RELEASE.  Arguments are evaluated once.
 *
 * An atomic is as large as its plain type and aligned to its size, lock-free, and valid when
 * zero.  It may lie in memory that processes share.  CSYS_ATOMIC_FROM makes one of other memory.
 * In memory that is mapped for reading only, use nothing but relaxed loads of at most a pointer's
 * size.
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

/**
 * Define an atomic type, for a pointer to a type of your own for instance.
 *
 * The member `value` is private.
 *
 * \param name  the name of the new type
 * \param type  the plain type, of 1, 2, 4 or 8 bytes
 */
#define CSYS_ATOMIC_DEFINE(name, type)                   \
	typedef struct name {                            \
		CSYSI_ATTRIBUTE((aligned(sizeof(type)))) \
		type value;                              \
	} name

CSYS_ATOMIC_DEFINE(csys_atomic_bool, csysi_bool); /**< an atomic bool */
CSYS_ATOMIC_DEFINE(csys_atomic_i8, int8_t);       /**< an atomic int8_t */
CSYS_ATOMIC_DEFINE(csys_atomic_u8, uint8_t);      /**< an atomic uint8_t */
CSYS_ATOMIC_DEFINE(csys_atomic_i16, int16_t);     /**< an atomic int16_t */
CSYS_ATOMIC_DEFINE(csys_atomic_u16, uint16_t);    /**< an atomic uint16_t */
CSYS_ATOMIC_DEFINE(csys_atomic_i32, int32_t);     /**< an atomic int32_t */
CSYS_ATOMIC_DEFINE(csys_atomic_u32, uint32_t);    /**< an atomic uint32_t */
CSYS_ATOMIC_DEFINE(csys_atomic_i64, int64_t);     /**< an atomic int64_t */
CSYS_ATOMIC_DEFINE(csys_atomic_u64, uint64_t);    /**< an atomic uint64_t */
CSYS_ATOMIC_DEFINE(csys_atomic_isize, ptrdiff_t); /**< an atomic ptrdiff_t */
CSYS_ATOMIC_DEFINE(csys_atomic_usize, size_t);    /**< an atomic size_t */
CSYS_ATOMIC_DEFINE(csys_atomic_ptr, void *);      /**< an atomic pointer, void * */

/**
 * Initialise an atomic, static or automatic.
 *
 *     csys_atomic_u32 left = CSYS_ATOMIC_INIT(3);
 *
 * \param initial  its value
 */
#define CSYS_ATOMIC_INIT(initial) \
	{                         \
		(initial)         \
	}

/**
 * Use memory that was not declared as an atomic as one.
 *
 * While it is used so, no thread may access it in another way.
 *
 * \param type     the atomic type, csys_atomic_u32 for instance
 * \param pointer  the memory, of the size of the type and aligned to that
 * \return a pointer to the atomic
 */
#define CSYS_ATOMIC_FROM(type, pointer) CSYSI_CAST(type *, pointer)

/* ---- orders ---------------------------------------------------------------------- */

/** Orders of memory: what an atomic operation says about accesses to other memory. */
enum {
	CSYS_RELAXED = 0, /**< nothing: the operation is atomic, and no more */
	CSYS_ACQUIRE = 2, /**< sees what was done before the release that it reads from */
	CSYS_RELEASE = 3, /**< shows what was done before it to an acquire that reads from it */
	CSYS_ACQ_REL = 4, /**< acquire and release */
	CSYS_SEQ_CST = 5  /**< acquire and release, and all of these are in one order */
};

/* ---- reading and writing --------------------------------------------------------- */

/**
 * Read the value of an atomic.
 * \param a      the atomic
 * \param order  CSYS_RELAXED, CSYS_ACQUIRE or CSYS_SEQ_CST
 * \return the value
 */
#define csys_atomic_load(a, order) __atomic_load_n(&(a)->value, CSYSI_LOAD_ORDER(order))

/**
 * Write a value into an atomic.
 * \param a      the atomic
 * \param v      the value
 * \param order  CSYS_RELAXED, CSYS_RELEASE or CSYS_SEQ_CST
 */
#define csys_atomic_store(a, v, order) __atomic_store_n(&(a)->value, (v), CSYSI_STORE_ORDER(order))

/**
 * Replace the value of an atomic, and tell the value before.
 * \param a      the atomic
 * \param v      the new value
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_swap(a, v, order) __atomic_exchange_n(&(a)->value, (v), CSYSI_SWAP_ORDER(order))

/**
 * Replace the value of an atomic if it is the expected one.
 *
 * If it is another, the value is written to *expected.
 *
 * \param a         the atomic
 * \param expected  a pointer to the value that is expected
 * \param desired   the new value
 * \param success   the order if the value is replaced: any
 * \param failure   the order if it is only read: CSYS_RELAXED, CSYS_ACQUIRE or CSYS_SEQ_CST; it may
 *                  be stronger than `success`
 * \return true: the value was *expected and is `desired` now; false: *expected is the value
 */
#define csys_atomic_compare_exchange(a, expected, desired, success, failure) \
	__atomic_compare_exchange_n(&(a)->value, (expected), (desired), 0,   \
				    CSYSI_SUCCESS_ORDER(success, failure),   \
				    CSYSI_LOAD_ORDER(failure))
/**
 * Replace the value of an atomic if it is the expected one; may fail at random.
 *
 * A failure without a cause costs nothing in a loop, and on some machines this is cheaper than
 * csys_atomic_compare_exchange.  If the value is another one, it is written to *expected.
 *
 * \param a         the atomic
 * \param expected  a pointer to the value that is expected
 * \param desired   the new value
 * \param success   the order if the value is replaced: any
 * \param failure   the order if it is only read: CSYS_RELAXED, CSYS_ACQUIRE or CSYS_SEQ_CST; it may
 *                  be stronger than `success`
 * \return true: the value was *expected and is `desired` now; false: *expected is the value,
 *         perhaps the expected one
 */
#define csys_atomic_compare_exchange_weak(a, expected, desired, success, failure) \
	__atomic_compare_exchange_n(&(a)->value, (expected), (desired), 1,        \
				    CSYSI_SUCCESS_ORDER(success, failure),        \
				    CSYSI_LOAD_ORDER(failure))

/* ---- changing integers -------------------------------------------------------------- */

/**
 * Add a number to an atomic integer; the sum wraps around, that of signed integers too.
 * \param a      the atomic
 * \param v      the other operand
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_fetch_add(a, v, order) \
	__atomic_fetch_add(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
/**
 * Subtract a number from an atomic integer; the difference wraps around.
 * \param a      the atomic
 * \param v      the other operand
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_fetch_sub(a, v, order) \
	__atomic_fetch_sub(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
/**
 * Keep only the bits of an atomic integer that are set in `v`.
 * \param a      the atomic
 * \param v      the other operand
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_fetch_and(a, v, order) \
	__atomic_fetch_and(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
/**
 * Set the bits of an atomic integer that are set in `v`.
 * \param a      the atomic
 * \param v      the other operand
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_fetch_or(a, v, order) \
	__atomic_fetch_or(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
/**
 * Invert the bits of an atomic integer that are set in `v`.
 * \param a      the atomic
 * \param v      the other operand
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_fetch_xor(a, v, order) \
	__atomic_fetch_xor(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
/**
 * Replace an atomic integer `x` by ~(x & v).
 * \param a      the atomic
 * \param v      the other operand
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_fetch_nand(a, v, order) \
	__atomic_fetch_nand(&(a)->value, (v), CSYSI_SWAP_ORDER(order))

/**
 * Replace an atomic integer by `v` if that is greater.
 * \param a      the atomic
 * \param v      the other number
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_fetch_max(a, v, order) CSYSI_FETCH_PICK(a, v, >, order)
/**
 * Replace an atomic integer by `v` if that is smaller.
 * \param a      the atomic
 * \param v      the other number
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_fetch_min(a, v, order) CSYSI_FETCH_PICK(a, v, <, order)

/**
 * Replace the value of an atomic by what an expression makes of it.
 *
 *     uint32_t was;
 *     csys_atomic_update(&state, was, (was << 1) | 1, CSYS_ACQ_REL);
 *
 * The expression is evaluated again if another thread has changed the value meanwhile, each time
 * with the value at that time in `was`.  So it should have no side effects.
 *
 * \param a      the atomic
 * \param was    a variable of the caller, of the plain type; in the end it is the value before
 * \param next   the new value, an expression that may use `was`
 * \param order  any order
 */
#define csys_atomic_update(a, was, next, order) \
	((void)csys_atomic_try_update(a, was, 1, next, order))
/**
 * Replace the value of an atomic by what an expression makes of it, if a condition is true.
 *
 * Both expressions are evaluated again if another thread has changed the value meanwhile, each
 * time with the value at that time in `was`.  So they should have no side effects.
 *
 * \param a          the atomic
 * \param was        a variable of the caller, of the plain type; in the end it is the value before
 * \param condition  an expression that may use `was`; if it is false nothing is changed
 * \param next       the new value, an expression that may use `was`
 * \param order      any order
 * \return true if the value was replaced, false if the condition was false
 */
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

/**
 * Replace an atomic bool by (itself and `v`).
 * \param a      the csys_atomic_bool
 * \param v      the other operand, true or false
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_bool_fetch_and(a, v, order) \
	csysi_bool_fetch_and(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
/**
 * Replace an atomic bool by (itself or `v`).
 * \param a      the csys_atomic_bool
 * \param v      the other operand, true or false
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_bool_fetch_or(a, v, order) \
	csysi_bool_fetch_or(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
/**
 * Invert an atomic bool if `v` is true.
 * \param a      the csys_atomic_bool
 * \param v      the other operand, true or false
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_bool_fetch_xor(a, v, order) \
	csysi_bool_fetch_xor(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
/**
 * Replace an atomic bool by not (itself and `v`).
 * \param a      the csys_atomic_bool
 * \param v      the other operand, true or false
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_bool_fetch_nand(a, v, order) \
	csysi_bool_fetch_nand(&(a)->value, (v), CSYSI_SWAP_ORDER(order))
/**
 * Invert an atomic bool.
 * \param a      the csys_atomic_bool
 * \param order  any order
 * \return the value before
 */
#define csys_atomic_bool_fetch_not(a, order) \
	csysi_bool_fetch_xor(&(a)->value, 1, CSYSI_SWAP_ORDER(order))

/**
 * Move an atomic pointer up by a number of bytes.
 * \param a      the csys_atomic_ptr
 * \param bytes  how many
 * \param order  any order
 * \return the pointer before
 */
#define csys_atomic_ptr_fetch_byte_add(a, bytes, order) \
	csysi_ptr_fetch_add(&(a)->value, (bytes), CSYSI_SWAP_ORDER(order))
/**
 * Move an atomic pointer down by a number of bytes.
 * \param a      the csys_atomic_ptr
 * \param bytes  how many
 * \param order  any order
 * \return the pointer before
 */
#define csys_atomic_ptr_fetch_byte_sub(a, bytes, order) \
	csysi_ptr_fetch_add(&(a)->value, -(bytes), CSYSI_SWAP_ORDER(order))
/**
 * Keep only the bits of an atomic pointer that are set in `bits`.
 *
 * This and the next two are for programs that keep marks in the low bits of pointers.
 *
 * \param a      the csys_atomic_ptr
 * \param bits   a uintptr_t
 * \param order  any order
 * \return the pointer before
 */
#define csys_atomic_ptr_fetch_and(a, bits, order) \
	csysi_ptr_fetch_and(&(a)->value, (bits), CSYSI_SWAP_ORDER(order))
/**
 * Set the bits of an atomic pointer that are set in `bits`.
 * \param a      the csys_atomic_ptr
 * \param bits   a uintptr_t
 * \param order  any order
 * \return the pointer before
 */
#define csys_atomic_ptr_fetch_or(a, bits, order) \
	csysi_ptr_fetch_or(&(a)->value, (bits), CSYSI_SWAP_ORDER(order))
/**
 * Invert the bits of an atomic pointer that are set in `bits`.
 * \param a      the csys_atomic_ptr
 * \param bits   a uintptr_t
 * \param order  any order
 * \return the pointer before
 */
#define csys_atomic_ptr_fetch_xor(a, bits, order) \
	csysi_ptr_fetch_xor(&(a)->value, (bits), CSYSI_SWAP_ORDER(order))

/* ---- fences -------------------------------------------------------------------------- */

/**
 * Order the atomic operations before this against those after it, as a fence of C11 does.
 *
 * ThreadSanitizer does not know fences.
 *
 * \param order  any order but CSYS_RELAXED
 */
#define csys_fence(order) __atomic_thread_fence(CSYSI_FENCE_ORDER(order))

/**
 * Order atomic operations as csys_fence does, but only against signal handlers of this thread.
 *
 * It makes no instruction: only the compiler is held back.
 *
 * \param order  any order but CSYS_RELAXED
 */
#define csys_compiler_fence(order) __atomic_signal_fence(CSYSI_FENCE_ORDER(order))

/** Tell the processor that this loop waits for another thread. */
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

/**
 * The distance in bytes at which writing one variable does not slow down readers of another.
 *
 * It is 128 where caches fetch lines in pairs (x86-64, 64-bit ARM and POWER), else 64.
 */
#if defined(__x86_64__) || defined(__aarch64__) || defined(__powerpc64__)
#define CSYS_CACHE_LINE 128
#else
#define CSYS_CACHE_LINE 64
#endif

/** Mark a variable or member that begins a cache line of its own. */
#define CSYS_CACHE_PADDED CSYSI_ATTRIBUTE((aligned(CSYS_CACHE_LINE)))

/* ---- waiting for a word ---------------------------------------------------------------- */

CSYS_BEGIN_DECLS

/**
 * Sleep while *word is `expected`, until a wake.
 *
 * Comparing the word and falling asleep are one step, so a wake that follows a change of the word
 * is not lost.  The call may also return without any cause: compare the word again.
 *
 * \param word      the word; its waker uses csys_atomic_wake
 * \param expected  the value at which to sleep; with another one the call returns at once
 */
CSYS_API void csys_atomic_wait(const csys_atomic_u32 *word, uint32_t expected);

/**
 * Sleep while *word is `expected`, until a wake or until `deadline`.
 *
 * Comparing the word and falling asleep are one step, so a wake that follows a change of the word
 * is not lost.  The call may also return 0 without any cause: compare the word again.
 *
 * \param word      the word; its waker uses csys_atomic_wake
 * \param expected  the value at which to sleep; with another one the call returns 0 at once
 * \param deadline  when to give up
 * \retval 0               there was a wake, or *word is another value, or neither
 * \retval CSYS_ETIMEDOUT  the deadline has passed
 */
CSYS_API CSYS_MUST_CHECK int csys_atomic_wait_until(const csys_atomic_u32 *word, uint32_t expected,
						    csys_deadline deadline);

/**
 * Wake threads that sleep on a word, those first that have slept longest.
 *
 * Only the address is used.  So the word may be gone already, if the program bears that other
 * threads, which sleep on what is there now, are woken without a cause.  Async-signal-safe on
 * Linux.
 *
 * \param word   the word
 * \param count  how many threads to wake at most; UINT32_MAX is all
 * \return how many were woken; others may return from their sleep without a cause
 */
CSYS_API uint32_t csys_atomic_wake(const csys_atomic_u32 *word, uint32_t count);

/**
 * Sleep while *word, in memory that processes share, is `expected`: until a wake or `deadline`.
 *
 * Each process may have the memory at another address.  The call may also return 0 without any
 * cause: compare the word again.
 *
 * \param word      the word; its waker uses csys_atomic_wake_shared
 * \param expected  the value at which to sleep; with another one the call returns 0 at once
 * \param deadline  when to give up
 * \retval 0               there was a wake, or *word is another value, or neither
 * \retval CSYS_ETIMEDOUT  the deadline has passed
 */
CSYS_API CSYS_MUST_CHECK int csys_atomic_wait_shared_until(const csys_atomic_u32 *word,
							   uint32_t expected,
							   csys_deadline deadline);

/**
 * Wake threads of any process that sleep on a word in memory that processes share.
 *
 * Each process may have the memory at another address.
 *
 * \param word   the word; its sleepers use csys_atomic_wait_shared_until
 * \param count  how many threads to wake at most; UINT32_MAX is all
 */
CSYS_API void csys_atomic_wake_shared(const csys_atomic_u32 *word, uint32_t count);

CSYS_END_DECLS

#endif
