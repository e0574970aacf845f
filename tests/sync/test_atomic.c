/*
 * sync/test_atomic.c - promises of csys/sync/atomic.h.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/support.h"
#include "support/thread.h"

static void each_is_as_large_as_its_plain_type(void **state)
{
	(void)state;
	assert_int_equal(sizeof(csys_atomic_bool), 1);
	assert_int_equal(sizeof(csys_atomic_u8), 1);
	assert_int_equal(sizeof(csys_atomic_i16), 2);
	assert_int_equal(sizeof(csys_atomic_u32), 4);
	assert_int_equal(sizeof(csys_atomic_i64), 8);
	assert_int_equal(_Alignof(csys_atomic_i64), 8);
	assert_int_equal(sizeof(csys_atomic_usize), sizeof(size_t));
	assert_int_equal(sizeof(csys_atomic_ptr), sizeof(void *));
	assert_true(__atomic_always_lock_free(sizeof(csys_atomic_u64), NULL));
}

#define CHECK_TYPE(type, plain, least, most)                                                    \
	do {                                                                                    \
		type a = CSYS_ATOMIC_INIT(5);                                                   \
		plain was;                                                                      \
		assert_true(csys_atomic_load(&a, CSYS_RELAXED) == 5);                           \
		csys_atomic_store(&a, 6, CSYS_RELEASE);                                         \
		assert_true(csys_atomic_swap(&a, 12, CSYS_ACQ_REL) == 6);                       \
		assert_true(csys_atomic_fetch_add(&a, 3, CSYS_RELAXED) == 12);                  \
		assert_true(csys_atomic_fetch_sub(&a, 1, CSYS_SEQ_CST) == 15);                  \
		assert_true(csys_atomic_fetch_and(&a, 12, CSYS_ACQUIRE) == 14);                 \
		assert_true(csys_atomic_fetch_or(&a, 3, CSYS_RELEASE) == 12);                   \
		assert_true(csys_atomic_fetch_xor(&a, 6, CSYS_RELAXED) == 15);                  \
		assert_true(csys_atomic_fetch_nand(&a, 8, CSYS_RELAXED) == 9);                  \
		assert_true(csys_atomic_swap(&a, 7, CSYS_ACQUIRE) == (plain) ~(plain)8);        \
		assert_true(csys_atomic_fetch_max(&a, 9, CSYS_RELAXED) == 7);                   \
		assert_true(csys_atomic_fetch_max(&a, (plain)(least), CSYS_ACQ_REL) == 9);      \
		assert_true(csys_atomic_fetch_min(&a, (plain)(least), CSYS_RELEASE) == 9);      \
		assert_true(csys_atomic_fetch_min(&a, (plain)(most), CSYS_SEQ_CST) ==           \
			    (plain)(least));                                                    \
		csys_atomic_store(&a, (plain)(most), CSYS_SEQ_CST);                             \
		csys_atomic_fetch_add(&a, 1, CSYS_RELAXED);                                     \
		assert_true(csys_atomic_load(&a, CSYS_ACQUIRE) == (plain)(least));              \
		was = 1;                                                                        \
		assert_false(                                                                   \
			csys_atomic_compare_exchange(&a, &was, 3, CSYS_RELAXED, CSYS_SEQ_CST)); \
		assert_true(was == (plain)(least));                                             \
		assert_true(                                                                    \
			csys_atomic_compare_exchange(&a, &was, 3, CSYS_RELEASE, CSYS_ACQUIRE)); \
		csys_atomic_update(&a, was, (plain)(was * 2), CSYS_ACQ_REL);                    \
		assert_true(was == 3 && csys_atomic_load(&a, CSYS_RELAXED) == 6);               \
		assert_false(csys_atomic_try_update(&a, was, was > 6, 0, CSYS_RELAXED));        \
		assert_true(csys_atomic_try_update(&a, was, was == 6, 7, CSYS_RELAXED));        \
		assert_true(csys_atomic_load(&a, CSYS_SEQ_CST) == 7);                           \
	} while (0)

static void integers_have_all_operations(void **state)
{
	(void)state;
	CHECK_TYPE(csys_atomic_i8, int8_t, INT8_MIN, INT8_MAX);
	CHECK_TYPE(csys_atomic_u8, uint8_t, 0, UINT8_MAX);
	CHECK_TYPE(csys_atomic_i16, int16_t, INT16_MIN, INT16_MAX);
	CHECK_TYPE(csys_atomic_u16, uint16_t, 0, UINT16_MAX);
	CHECK_TYPE(csys_atomic_i32, int32_t, INT32_MIN, INT32_MAX);
	CHECK_TYPE(csys_atomic_u32, uint32_t, 0, UINT32_MAX);
	CHECK_TYPE(csys_atomic_i64, int64_t, INT64_MIN, INT64_MAX);
	CHECK_TYPE(csys_atomic_u64, uint64_t, 0, UINT64_MAX);
	CHECK_TYPE(csys_atomic_isize, ptrdiff_t, PTRDIFF_MIN, PTRDIFF_MAX);
	CHECK_TYPE(csys_atomic_usize, size_t, 0, SIZE_MAX);
}

static void booleans_stay_booleans(void **state)
{
	(void)state;
	csys_atomic_bool a = CSYS_ATOMIC_INIT(1);
	unsigned char byte;
	assert_true(csys_atomic_bool_fetch_and(&a, 0, CSYS_RELAXED));
	assert_false(csys_atomic_bool_fetch_or(&a, 1, CSYS_RELAXED));
	assert_true(csys_atomic_bool_fetch_xor(&a, 1, CSYS_RELAXED));
	assert_false(csys_atomic_bool_fetch_not(&a, CSYS_RELAXED));
	for (int was = 0; was < 2; was++)
		for (int v = 0; v < 2; v++) {
			csys_atomic_store(&a, was, CSYS_RELAXED);
			assert_int_equal(csys_atomic_bool_fetch_nand(&a, v, CSYS_SEQ_CST), was);
			assert_int_equal(csys_atomic_load(&a, CSYS_RELAXED), !(was && v));
			memcpy(&byte, &a, 1);
			assert_true(byte <= 1);
		}
}

static void pointers_move_by_bytes_and_carry_marks(void **state)
{
	(void)state;
	static long numbers[2];
	csys_atomic_ptr a = CSYS_ATOMIC_INIT(numbers);
	assert_ptr_equal(csys_atomic_ptr_fetch_byte_add(&a, sizeof(long), CSYS_RELAXED), numbers);
	assert_ptr_equal(csys_atomic_ptr_fetch_or(&a, 1, CSYS_RELAXED), numbers + 1);
	assert_ptr_equal(csys_atomic_ptr_fetch_and(&a, ~(uintptr_t)1, CSYS_RELAXED),
			 (char *)(numbers + 1) + 1);
	assert_ptr_equal(csys_atomic_ptr_fetch_xor(&a, 2, CSYS_RELAXED), numbers + 1);
	assert_ptr_equal(csys_atomic_ptr_fetch_xor(&a, 2, CSYS_RELAXED), (char *)(numbers + 1) + 2);
	assert_ptr_equal(csys_atomic_ptr_fetch_byte_sub(&a, (ptrdiff_t)sizeof(long), CSYS_RELAXED),
			 numbers + 1);
	assert_ptr_equal(csys_atomic_load(&a, CSYS_RELAXED), numbers);
}

static csys_atomic_u64 sum;

static void *add_many(void *argument)
{
	(void)argument;
	uint64_t was;
	for (int i = 0; i < 10000; i++) {
		csys_atomic_fetch_add(&sum, 1, CSYS_RELAXED);
		csys_atomic_update(&sum, was, was + 1, CSYS_RELAXED);
	}
	return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
	(void)state;
	csys_atomic_store(&sum, 0, CSYS_RELAXED);
	run_threads(4, add_many, NULL);
	assert_int_equal(csys_atomic_load(&sum, CSYS_RELAXED), 80000);
}

static csys_atomic_u32 word;

static void *wait_for_one(void *argument)
{
	(void)argument;
	while (csys_atomic_load(&word, CSYS_ACQUIRE) == 0)
		csys_atomic_wait(&word, 0);
	return NULL;
}

static void a_wait_ends_with_the_word_or_the_deadline(void **state)
{
	(void)state;
	pthread_t threads[3];
	csys_atomic_store(&word, 0, CSYS_RELAXED);
	csys_deadline deadline = csys_after_ms(2);
	int r = 0;
	while (r == 0)
		r = csys_atomic_wait_until(&word, 0, deadline);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	assert_int_equal(csys_atomic_wait_until(&word, 1, CSYS_FOREVER), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for_one, NULL), 0);
	take_a_nap();
	csys_atomic_store(&word, 1, CSYS_RELEASE);
	csys_atomic_wake(&word, UINT32_MAX);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

static void a_wake_tells_how_many_threads_it_woke(void **state)
{
	(void)state;
	pthread_t threads[3];
	csys_deadline deadline = csys_after_s(100);
	uint32_t woken = 0;

	csys_atomic_store(&word, 0, CSYS_RELAXED);
	assert_int_equal(csys_atomic_wake(&word, UINT32_MAX), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for_one, NULL), 0);
	/* The word is as it was, so all that are woken sleep again, until all do so at once. */
	while (woken != 3 && csys_deadline_left(deadline) > 0) {
		take_a_nap();
		uint32_t one = csys_atomic_wake(&word, 1);
		assert_true(one <= 1);
		woken = csys_atomic_wake(&word, UINT32_MAX);
		assert_true(woken <= 3);
	}
	csys_atomic_store(&word, 1, CSYS_RELEASE);
	csys_atomic_wake(&word, UINT32_MAX);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(woken, 3);
}

static void processes_wait_for_each_other(void **state)
{
	(void)state;
	void *memory = mmap(NULL, sizeof(uint32_t), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	csys_atomic_u32 *shared = CSYS_ATOMIC_FROM(csys_atomic_u32, memory);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int r = 0;
		while (r == 0 && csys_atomic_load(shared, CSYS_ACQUIRE) != 7)
			r = csys_atomic_wait_shared_until(shared, 0, csys_after_s(100));
		_exit(r == 0 ? 0 : 1);
	}
	take_a_nap();
	csys_atomic_store(shared, 7, CSYS_RELEASE);
	csys_atomic_wake_shared(shared, 1);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	munmap(memory, sizeof(uint32_t));
}

static void a_wake_that_changes_nothing_reaches_another_process(void **state)
{
	(void)state;
	int status = 0;
	if (!csys_can(CSYS_CAN_SHARED_WAKE))
		skip_because("a sleep in shared memory ends by itself here");
	void *memory = mmap(NULL, sizeof(uint32_t), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	csys_atomic_u32 *shared = CSYS_ATOMIC_FROM(csys_atomic_u32, memory);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(csys_atomic_wait_shared_until(shared, 0, csys_after_s(60)) == 0 ? 0 : 1);
	/* Until it sleeps there is nothing to be woken. */
	pid_t ended;
	while ((ended = waitpid(pid, &status, WNOHANG)) == 0) {
		take_a_nap();
		csys_atomic_wake_shared(shared, 1);
	}
	assert_int_equal(ended, pid);
	assert_int_equal(status, 0);
	munmap(memory, sizeof(uint32_t));
}

#if CSYSI_IS_ELF && !defined(CSYSI_IS_INSTRUMENTED)

static _Thread_local int acquires, releases;

/* In place of those of ThreadSanitizer's runtime; by other names, because the compiler would
 * complain of the question whether they are there. */
void count_acquire(void *address) __asm__("__tsan_acquire");
void count_release(void *address) __asm__("__tsan_release");

void count_acquire(void *address)
{
	(void)address;
	acquires++;
}

void count_release(void *address)
{
	(void)address;
	releases++;
}

static void a_sanitizer_is_told_what_is_ordered(void **state)
{
	(void)state;
	uint32_t it = 5;
	uint32_t expected = 4;
	acquires = releases = 0;
	/* What fails has acquired nothing: to say so would hide races. */
	assert_false(csysi_cas_acquire(&it, &expected, 6));
	expected = 4;
	assert_false(csysi_cas_acq_rel(&it, &expected, 6));
	assert_int_equal(acquires, 0);
	expected = 5;
	assert_true(csysi_cas_acquire(&it, &expected, 6));
	expected = 6;
	assert_true(csysi_cas_acq_rel(&it, &expected, 7));
	assert_int_equal(acquires, 2);
	(void)csysi_load_acquire(&it);
	(void)csysi_swap_acquire(&it, 8);
	assert_int_equal(acquires, 4);
	releases = 0;
	csysi_store_release(&it, 9);
	(void)csysi_swap_release(&it, 10);
	(void)csysi_add_release(&it, 1);
	csysi_or_release(&it, 1);
	assert_int_equal(releases, 4);
	assert_int_equal(acquires, 4);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_is_as_large_as_its_plain_type),
		TEST(integers_have_all_operations),
		TEST(booleans_stay_booleans),
		TEST(pointers_move_by_bytes_and_carry_marks),
		TEST(nothing_is_lost_between_threads),
		TEST(a_wait_ends_with_the_word_or_the_deadline),
		TEST(a_wake_tells_how_many_threads_it_woke),
		TEST(processes_wait_for_each_other),
		TEST(a_wake_that_changes_nothing_reaches_another_process),
#if CSYSI_IS_ELF && !defined(CSYSI_IS_INSTRUMENTED)
		TEST(a_sanitizer_is_told_what_is_ordered),
#endif
	};
	return RUN(tests);
}
