/*
 * sync/test_mutex.c - promises of csys/sync/mutex.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"
#include "support/support.h"
#include "support/thread.h"

static csys_mutex mutex;

static void it_is_small_and_valid_when_zero(void **state)
{
	(void)state;
	csys_mutex zero;
	memset(&zero, 0, sizeof zero);
	assert_true(sizeof zero <= 8);
	assert_int_equal(csys_mutex_lock(&zero), 0);
	assert_int_equal(csys_mutex_try_lock(&zero), CSYS_EAGAIN);
	csys_mutex_unlock(&zero);
	assert_int_equal(csys_mutex_try_lock(&zero), 0);
	csys_mutex_unlock(&zero);
	csys_mutex init = CSYS_MUTEX_INIT;
	assert_memory_equal(&init, &zero, sizeof init);
}

static long sum;

static void *add(void *argument)
{
	csys_mutex *lock = argument;
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(csys_mutex_lock(lock), 0);
		sum++;
		csys_mutex_unlock(lock);
	}
	return NULL;
}

static void init_makes_a_free_one_of_any_memory(void **state)
{
	(void)state;
	csys_mutex one, init = CSYS_MUTEX_INIT, plain = CSYS_MUTEX_INIT_NO_POISON;
	memset(&one, 0xa5, sizeof one);
	csys_mutex_init(&one);
	assert_memory_equal(&one, &init, sizeof one);
	memset(&one, 0xa5, sizeof one);
	csys_mutex_init_no_poison(&one);
	assert_memory_equal(&one, &plain, sizeof one);
}

static void one_thread_at_a_time_is_inside(void **state)
{
	(void)state;
	csys_mutex plain = CSYS_MUTEX_INIT_NO_POISON;
	csys_mutex *locks[] = { &mutex, &plain };
	for (int i = 0; i < 2; i++) {
		sum = 0;
		run_threads(4, add, locks[i]);
		assert_int_equal(sum, 80000);
	}
}

static void it_tells_whether_it_is_locked(void **state)
{
	(void)state;
	csys_mutex one = CSYS_MUTEX_INIT;
	assert_int_equal(csys_mutex_is_locked(&one), 0);
	csys_mutex_lock(&one);
	assert_int_equal(csys_mutex_is_locked(&one), 1);
	csys_mutex_unlock(&one);
	assert_int_equal(csys_mutex_is_locked(&one), 0);
}

static void lock_until_gives_up_at_the_deadline(void **state)
{
	(void)state;
	csys_mutex lock = CSYS_MUTEX_INIT;
	csys_mutex_lock(&lock);
	csys_deadline deadline = csys_after_ms(2);
	assert_int_equal(csys_mutex_lock_until(&lock, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	assert_int_equal(csys_mutex_lock_until(&lock, CSYS_POLL), CSYS_ETIMEDOUT);
	csys_mutex_unlock(&lock);
	assert_int_equal(csys_mutex_try_lock(&lock), 0); /* the failed waits left no trace */
	csys_mutex_unlock(&lock);
}

static void a_past_deadline_takes_what_is_free(void **state)
{
	(void)state;
	assert_int_equal(csys_mutex_lock_until(&mutex, CSYS_POLL), 0);
	csys_mutex_unlock(&mutex);
}

/* Locks and leaves it so. */
static void *die(void *argument)
{
	csys_mutex_lock(argument);
	return NULL;
}

static void a_holder_that_ends_poisons_it(void **state)
{
	(void)state;
	run_threads(1, die, &mutex);
	assert_int_equal(csys_mutex_is_poisoned(&mutex), 1);
	/* Every way of locking holds it and says so, until it is cleared. */
	assert_int_equal(csys_mutex_lock(&mutex), CSYS_POISONED);
	assert_int_equal(csys_mutex_try_lock(&mutex), CSYS_EAGAIN);
	csys_mutex_unlock(&mutex);
	assert_int_equal(csys_mutex_try_lock(&mutex), CSYS_POISONED);
	csys_mutex_unlock(&mutex);
	assert_int_equal(csys_mutex_lock_until(&mutex, CSYS_POLL), CSYS_POISONED);
	csys_mutex_clear_poison(&mutex);
	assert_int_equal(csys_mutex_is_poisoned(&mutex), 0);
	csys_mutex_unlock(&mutex);
	assert_int_equal(csys_mutex_lock(&mutex), 0);
	csys_mutex_unlock(&mutex);
}

static void *lock_poisoned(void *argument)
{
	assert_int_equal(csys_mutex_lock(argument), CSYS_POISONED);
	csys_mutex_clear_poison(argument);
	csys_mutex_unlock(argument);
	return NULL;
}

static pthread_barrier_t barrier;

static void *die_late(void *argument)
{
	csys_mutex_lock(argument);
	pthread_barrier_wait(&barrier);
	take_a_nap();
	return NULL;
}

static void waiters_get_it_when_its_holder_ends(void **state)
{
	(void)state;
	pthread_t holder, waiter;
	pthread_barrier_init(&barrier, NULL, 2);
	assert_int_equal(pthread_create(&holder, NULL, die_late, &mutex), 0);
	pthread_barrier_wait(&barrier);
	assert_int_equal(pthread_create(&waiter, NULL, lock_poisoned, &mutex), 0);
	pthread_join(holder, NULL);
	pthread_join(waiter, NULL);
	pthread_barrier_destroy(&barrier);
}

static void *give_up_on_a_poisoned_one(void *argument)
{
	csys_mutex *held = argument;
	assert_int_equal(csys_mutex_lock_until(held, csys_after_ms(1)), CSYS_ETIMEDOUT);
	assert_int_equal(csys_mutex_is_poisoned(held), 1);
	assert_int_equal(csys_mutex_try_lock(held), CSYS_EAGAIN);
	assert_int_equal(csys_mutex_is_poisoned(held), 1);
	return NULL;
}

static void a_thread_that_gave_up_can_tell_that_it_is_poisoned(void **state)
{
	(void)state;
	csys_mutex held = CSYS_MUTEX_INIT;
	run_threads(1, die, &held);
	assert_int_equal(csys_mutex_lock(&held), CSYS_POISONED);
	run_threads(1, give_up_on_a_poisoned_one, &held);
	csys_mutex_unlock(&held);
}

static void poison_can_be_said(void **state)
{
	(void)state;
	csys_mutex_lock(&mutex);
	csys_mutex_poison(&mutex);
	csys_mutex_unlock(&mutex);
	assert_int_equal(csys_mutex_lock(&mutex), CSYS_POISONED);
	csys_mutex_clear_poison(&mutex);
	csys_mutex_unlock(&mutex);
}

static void one_without_poison_is_never_poisoned(void **state)
{
	(void)state;
	csys_mutex plain = CSYS_MUTEX_INIT_NO_POISON;
	csys_mutex_poison(&plain);
	assert_int_equal(csys_mutex_is_poisoned(&plain), 0);
	run_threads(1, die, &plain);
	assert_int_equal(csys_mutex_is_poisoned(&plain), 0);
	assert_int_equal(csys_mutex_try_lock(&plain), CSYS_EAGAIN); /* nor released */
}

static void locks_are_released_in_any_order(void **state)
{
	(void)state;
	csys_mutex locks[40] = { CSYS_MUTEX_INIT };
	for (int i = 0; i < 40; i++)
		assert_int_equal(csys_mutex_lock(&locks[i]), 0);
	for (int i = 0; i < 40; i += 2)
		csys_mutex_unlock(&locks[i]);
	for (int i = 1; i < 40; i += 2) {
		csys_mutex_assert_held(&locks[i]);
		csys_mutex_unlock(&locks[i]);
	}
	for (int i = 0; i < 40; i++) {
		assert_int_equal(csys_mutex_try_lock(&locks[i]), 0);
		csys_mutex_unlock(&locks[i]);
	}
}

static void *lock_many_without_memory(void *argument)
{
	csys_mutex *locks = argument;
	for (int i = 0; i < 60; i++) {
		csysi_fault_arm(1); /* the next need for memory fails */
		assert_int_equal(csys_mutex_lock(&locks[i]), 0);
	}
	csysi_fault_arm(0);
	for (int i = 0; i < 60; i++) {
		assert_int_equal(csys_mutex_try_lock(&locks[i]), CSYS_EAGAIN);
		csys_mutex_unlock(&locks[i]);
	}
	return NULL;
}

static void without_memory_it_locks_all_the_same(void **state)
{
	(void)state;
	csys_mutex locks[60] = { CSYS_MUTEX_INIT };
	run_threads(1, lock_many_without_memory, locks);
	for (int i = 0; i < 60; i++) {
		assert_int_equal(csys_mutex_lock(&locks[i]), 0);
		csys_mutex_unlock(&locks[i]);
	}
}

/* As in src/sync/mutex.c. */
enum {
	HELD = 1,
	CONTENDED = 0x10,
	STARVING = 0x20,
	RESERVED = 0x40,
	HANDING = 0x50,
	HANDING_WAITED = 0x60
};

static void a_reserved_one_is_left_to_threads_that_sleep(void **state)
{
	(void)state;
	csys_mutex lock = CSYS_MUTEX_INIT;
	lock.word = RESERVED;
	assert_int_equal(csys_mutex_try_lock(&lock), CSYS_EAGAIN);
	assert_int_equal(csys_mutex_lock_until(&lock, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_mutex_lock_until(&lock, csys_deadline_at(csys_now() - 1)),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_mutex_lock_until(&lock, csys_after_ms(2)), CSYS_ETIMEDOUT);
	assert_int_equal(lock.word, RESERVED);
}

#define WAITS 77

struct handed {
	csys_mutex lock;
	csys_deadline deadline;
	int result; /* atomic; WAITS until it has one */
};

static void *wait_to_be_handed_it(void *argument)
{
	struct handed *handed = argument;
	int r = csys_mutex_lock_until(&handed->lock, handed->deadline);
	__atomic_store_n(&handed->result, r, __ATOMIC_RELEASE);
	return NULL;
}

/* 0: it has given up before. */
static int becomes(const struct handed *handed, uint32_t word)
{
	while (__atomic_load_n(&handed->lock.word, __ATOMIC_RELAXED) != word) {
		if (__atomic_load_n(&handed->result, __ATOMIC_ACQUIRE) != WAITS)
			return 0;
		take_a_nap();
	}
	return 1;
}

/* 1 if the thread had the time to come as far as that; its result then. */
static int hand_over_late(int64_t ms, int *out_result)
{
	struct handed handed = { CSYS_MUTEX_INIT, csys_after_ms(ms), WAITS };
	uint32_t *word = &handed.lock.word;
	pthread_t thread;

	*word = HELD;
	assert_int_equal(pthread_create(&thread, NULL, wait_to_be_handed_it, &handed), 0);
	int is_late = becomes(&handed, CONTENDED);
	/* As an unlocking thread does, which is stopped for longer than the deadline. */
	__atomic_store_n(word, HANDING, __ATOMIC_RELAXED);
	(void)csysi_os_wake(word, 1, 0);
	is_late = is_late && becomes(&handed, HANDING_WAITED);
	while (is_late && csys_deadline_left(handed.deadline) > 0)
		take_a_nap();
	for (int i = 0; is_late && i < 5; i++)
		take_a_nap();
	__atomic_store_n(word, RESERVED, __ATOMIC_RELEASE);
	(void)csysi_os_wake(word, UINT32_MAX, 0);
	pthread_join(thread, NULL);
	*out_result = handed.result;
	return is_late;
}

static void a_thread_that_may_be_handed_it_does_not_give_up(void **state)
{
	(void)state;
	int result;
	int64_t ms = 10;
	while (!hand_over_late(ms, &result))
		ms *= 2;
	assert_int_equal(result, 0);
}

static void no_time_to_wait_leaves_no_trace(void **state)
{
	(void)state;
	csys_mutex lock = CSYS_MUTEX_INIT;
	csys_mutex_lock(&lock);
	assert_int_equal(csys_mutex_lock_until(&lock, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_mutex_lock_until(&lock, csys_deadline_at(csys_now() - 1)),
			 CSYS_ETIMEDOUT);
	assert_int_equal(lock.word, HELD);
	csys_mutex_unlock(&lock);
}

static void *wait_in_vain(void *argument)
{
	assert_int_equal(csys_mutex_lock_until(argument, csys_after_ms(1)), CSYS_ETIMEDOUT);
	return NULL;
}

static void it_is_not_kept_for_threads_that_gave_up(void **state)
{
	(void)state;
	for (int fair = 0; fair < 2; fair++) {
		csys_mutex lock = CSYS_MUTEX_INIT;
		csys_mutex_lock(&lock);
		run_threads(3, wait_in_vain, &lock);
		if (fair) {
			csys_mutex_unlock_fair(&lock);
		} else {
			lock.word = STARVING; /* as one of them may have left it */
			csys_mutex_unlock(&lock);
		}
		assert_int_equal(csys_mutex_try_lock(&lock), 0);
		csys_mutex_unlock(&lock);
		assert_int_equal(lock.word, 0);
	}
}

#define IN_ORDER 8

/* Threads that wait for one mutex, the longest first. */
static struct queue {
	csys_mutex *lock;
	int turns; /* under lock: how many have had it */
	struct {
		pthread_t id;
		intptr_t system; /* atomic: its number, 0 before it is known */
		int turn;
	} threads[IN_ORDER];
} queue;

static void *take_turn(void *argument)
{
	int self = *(int *)argument;
	__atomic_store_n(&queue.threads[self].system, thread_number(), __ATOMIC_RELEASE);
	csys_mutex_lock(queue.lock);
	queue.threads[self].turn = queue.turns++;
	csys_mutex_unlock_fair(queue.lock);
	return NULL;
}

/* Have so many threads sleep for the lock, which the caller holds, one after the other. */
static void line_up(int count)
{
	static int selves[IN_ORDER];
	queue.turns = 0;
	for (int i = 0; i < count; i++) {
		selves[i] = i;
		queue.threads[i].system = 0;
		assert_int_equal(pthread_create(&queue.threads[i].id, NULL, take_turn, &selves[i]),
				 0);
		intptr_t system;
		while ((system = __atomic_load_n(&queue.threads[i].system, __ATOMIC_ACQUIRE)) ==
			       0 ||
		       !thread_sleeps(system))
			take_a_nap();
	}
}

static void join_all(int count)
{
	for (int i = 0; i < count; i++)
		pthread_join(queue.threads[i].id, NULL);
}

static void unlocking_fairly_goes_in_the_order_of_arrival(void **state)
{
	(void)state;
	skip_unless_sleep_is_seen();
	csys_mutex lock = CSYS_MUTEX_INIT;
	queue.lock = &lock;
	for (int round = 0; round < 10; round++) {
		csys_mutex_lock(queue.lock);
		line_up(IN_ORDER);
		csys_mutex_unlock_fair(queue.lock);
		join_all(IN_ORDER);
		for (int i = 0; i < IN_ORDER; i++)
			assert_int_equal(queue.threads[i].turn, i);
	}
	assert_int_equal(csys_mutex_try_lock(queue.lock), 0);
	csys_mutex_unlock_fair(queue.lock);
}

/* Take it as soon as it can be had without waiting. */
static void take_by_trying(int with_deadline)
{
	while ((with_deadline ? csys_mutex_lock_until(queue.lock, CSYS_POLL)
			      : csys_mutex_try_lock(queue.lock)) < 0)
		;
}

static void a_sleeper_is_not_overtaken_by_one_that_tries(void **state)
{
	(void)state;
	skip_unless_sleep_is_seen();
	static csys_mutex locks[20]; /* one each: hand-overs of one have some time between them */
	for (int round = 0; round < 20; round++) {
		queue.lock = &locks[round];
		csys_mutex_lock(queue.lock);
		line_up(1);
		if (round % 4 < 2) {
			csys_mutex_unlock_fair(queue.lock);
		} else {
			/* As if it had waited for long. */
			__atomic_store_n(&queue.lock->word, STARVING, __ATOMIC_RELAXED);
			csys_mutex_unlock(queue.lock);
		}
		take_by_trying(round % 2);
		assert_int_equal(queue.turns, 1);
		csys_mutex_unlock(queue.lock);
		join_all(1);
	}
}

static void unlock_free(void)
{
	csys_mutex lock = CSYS_MUTEX_INIT;
	csys_mutex_unlock(&lock);
}

static void unlock_free_without_poison(void)
{
	csys_mutex lock = CSYS_MUTEX_INIT_NO_POISON;
	csys_mutex_unlock(&lock);
}

static void unlock_fairly_what_is_free(void)
{
	csys_mutex lock = CSYS_MUTEX_INIT;
	csys_mutex_unlock_fair(&lock);
}

static void *lock_it(void *argument)
{
	csys_mutex_lock(argument);
	pause();
	return NULL;
}

static void unlock_a_strangers(void)
{
	static csys_mutex lock;
	pthread_t stranger;
	pthread_create(&stranger, NULL, lock_it, &lock);
	while (csys_mutex_try_lock(&lock) == 0)
		csys_mutex_unlock(&lock);
	csys_mutex_unlock(&lock);
}

static void assert_what_is_free(void)
{
	csys_mutex lock = CSYS_MUTEX_INIT;
	csys_mutex_assert_held(&lock);
}

static void misuse_aborts_with_a_line(void **state)
{
	(void)state;
	assert_aborts(unlock_free, "csys: unlock of a lock that this thread does not hold\n");
	assert_aborts(unlock_free_without_poison, "csys: unlock of a mutex that nobody holds\n");
	assert_aborts(unlock_fairly_what_is_free,
		      "csys: unlock of a lock that this thread does not hold\n");
	assert_aborts(unlock_a_strangers,
		      "csys: unlock of a lock that this thread does not hold\n");
	assert_aborts(assert_what_is_free, "csys: a mutex is not held that should be\n");
}

static void use_it_in_a_forked_child(void)
{
	/* Held by the thread that forked, so by this one. */
	CHECK(csys_mutex_try_lock(&mutex) == CSYS_EAGAIN);
	csys_mutex_unlock(&mutex);
	CHECK(csys_mutex_lock(&mutex) == 0);
	csys_mutex_unlock(&mutex);
}

static void a_forked_child_holds_what_its_parent_held(void **state)
{
	(void)state;
	csys_mutex_lock(&mutex);
	in_child(use_it_in_a_forked_child);
	csys_mutex_unlock(&mutex);
}

/* Each round's mutex is freed by the thread that unlocks it last. */
struct shared {
	csys_mutex lock;
	int users; /* under lock */
};

static void *use_and_free(void *argument)
{
	struct shared *shared = argument;
	csys_mutex_lock(&shared->lock);
	int left = --shared->users;
	csys_mutex_unlock(&shared->lock);
	if (left == 0)
		free(shared);
	return NULL;
}

static void it_may_be_freed_right_after_the_last_unlock(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		struct shared *shared = calloc(1, sizeof *shared);
		shared->users = 3;
		run_threads(3, use_and_free, shared);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_small_and_valid_when_zero),
		TEST(init_makes_a_free_one_of_any_memory),
		TEST(one_thread_at_a_time_is_inside),
		TEST(it_tells_whether_it_is_locked),
		TEST(lock_until_gives_up_at_the_deadline),
		TEST(a_past_deadline_takes_what_is_free),
		TEST(a_holder_that_ends_poisons_it),
		TEST(waiters_get_it_when_its_holder_ends),
		TEST(a_thread_that_gave_up_can_tell_that_it_is_poisoned),
		TEST(poison_can_be_said),
		TEST(one_without_poison_is_never_poisoned),
		TEST(locks_are_released_in_any_order),
		TEST(without_memory_it_locks_all_the_same),
		TEST(a_reserved_one_is_left_to_threads_that_sleep),
		TEST(a_thread_that_may_be_handed_it_does_not_give_up),
		TEST(no_time_to_wait_leaves_no_trace),
		TEST(it_is_not_kept_for_threads_that_gave_up),
		TEST(unlocking_fairly_goes_in_the_order_of_arrival),
		TEST(a_sleeper_is_not_overtaken_by_one_that_tries),
		TEST(misuse_aborts_with_a_line),
		TEST(a_forked_child_holds_what_its_parent_held),
		TEST(it_may_be_freed_right_after_the_last_unlock),
	};
	return RUN(tests);
}
