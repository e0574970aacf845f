/*
 * consumer/tsan.c - a program with ThreadSanitizer, and csys as it is installed, without.
 *
 *     tsan         uses each noun as it should be: no race is reported
 *     tsan race    has one: two threads change a number under a lock each
 *
 * All data is plain, so that the sanitizer judges the order of each access.  Threads meet:
 * they yield while they hold something, so that others go the long ways of the library.
 */
#define _XOPEN_SOURCE 700
#include <csys/csys.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4
#ifndef TURNS
#define TURNS 400
#endif

static void check(int is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "not so: %s\n", what);
	exit(1);
}
#define CHECK(condition) check((condition), #condition)

static int sums[4]; /* plain */

static void run(csys_thread_function *function, int count)
{
	csys_thread *threads[THREADS];
	static int numbers[THREADS] = { 0, 1, 2, 3 };

	memset(sums, 0, sizeof sums);
	for (int i = 0; i < count; i++)
		CHECK(csys_thread_spawn(function, &numbers[i], NULL, &threads[i]) == 0);
	for (int i = 0; i < count; i++) {
		CHECK(csys_thread_join(threads[i], NULL) == 0);
		csys_thread_unref(threads[i]);
	}
}

/* One more, with a pause in which others want to. */
static void count_up(int turn)
{
	int now = sums[0];

	if (turn % 8 == 0)
		csys_thread_yield();
	sums[0] = now + 1;
}

/* ---- locks --------------------------------------------------------------- */

static csys_mutex mutex = CSYS_MUTEX_INIT;
static csys_mutex plain = CSYS_MUTEX_INIT_NO_POISON;

static void *use_mutex(void *number)
{
	for (int i = 0; i < TURNS; i++) {
		switch (i % 4) {
		case 0:
			csys_mutex_lock(&mutex);
			break;
		case 1:
			while (csys_mutex_try_lock(&mutex) < 0)
				csys_thread_yield();
			break;
		case 2:
			while (csys_mutex_lock_until(&mutex, csys_after_us(50)) < 0)
				;
			break;
		default: {
			CSYS_MUTEX_GUARD(held, &mutex);
			count_up(i);
			continue;
		}
		}
		count_up(i);
		if (i % 3 == 0)
			csys_mutex_unlock_fair(&mutex);
		else
			csys_mutex_unlock(&mutex);
	}
	return number;
}

static void *use_plain_mutex(void *number)
{
	for (int i = 0; i < TURNS; i++) {
		csys_mutex_lock(&plain);
		count_up(i);
		csys_mutex_unlock(&plain);
	}
	return number;
}

static csys_reentrant reentrant = CSYS_REENTRANT_INIT;

static void *use_reentrant(void *number)
{
	for (int i = 0; i < TURNS; i++) {
		if (i % 2 == 0)
			csys_reentrant_lock(&reentrant);
		else
			while (csys_reentrant_lock_until(&reentrant, csys_after_us(50)) < 0)
				;
		csys_reentrant_lock(&reentrant);
		count_up(i);
		csys_reentrant_unlock(&reentrant);
		csys_reentrant_unlock(&reentrant);
	}
	return number;
}

static csys_rwlock rwlock = CSYS_RWLOCK_INIT;

static void *use_rwlock(void *number)
{
	for (int i = 0; i < TURNS; i++) {
		int before;
		csys_rwlock_read(&rwlock);
		before = sums[0];
		if (i % 8 == 0)
			csys_thread_yield();
		CHECK(sums[0] == before);
		if (i % 16 == 0 && csys_rwlock_try_upgrade(&rwlock) >= 0) {
			sums[1]++;
			csys_rwlock_downgrade(&rwlock);
		}
		csys_rwlock_unlock_read(&rwlock);
		if (i % 2 == 0)
			csys_rwlock_write(&rwlock);
		else
			while (csys_rwlock_write_until(&rwlock, csys_after_us(50)) < 0)
				;
		count_up(i);
		csys_rwlock_unlock_write(&rwlock);
	}
	return number;
}

/* ---- waiting for each other ---------------------------------------------- */

static csys_condvar condvar = CSYS_CONDVAR_INIT;

static int is_not_mine(void *number)
{
	return sums[1] != *(int *)number;
}

static void *use_condvar(void *number)
{
	for (int i = 0; i < TURNS / 4; i++) {
		csys_mutex_lock(&mutex);
		if (i % 2 == 0)
			csys_condvar_wait_while(&condvar, &mutex, is_not_mine, number);
		while (is_not_mine(number))
			(void)!csys_condvar_wait_until(&condvar, &mutex, csys_after_ms(1));
		count_up(i);
		sums[1] = (sums[1] + 1) % THREADS;
		if (i % 3 == 0)
			csys_mutex_unlock(&mutex);
		csys_condvar_notify_all(&condvar);
		if (i % 3 != 0)
			csys_mutex_unlock(&mutex);
	}
	return number;
}

static csys_semaphore one = CSYS_SEMAPHORE_INIT(1);

static void *use_semaphore(void *number)
{
	for (int i = 0; i < TURNS; i++) {
		if (i % 2 == 0)
			csys_semaphore_wait(&one);
		else
			while (csys_semaphore_wait_until(&one, csys_after_us(50)) < 0)
				;
		count_up(i);
		CHECK(csys_semaphore_post(&one, 1) == 0);
	}
	return number;
}

static csys_barrier barrier = CSYS_BARRIER_INIT(THREADS);

static void *use_barrier(void *number)
{
	for (int i = 0; i < TURNS / 4; i++) {
		sums[*(int *)number] = i;
		CHECK(csys_barrier_wait(&barrier, NULL) == 0);
		for (int k = 0; k < THREADS; k++)
			CHECK(sums[k] == i);
		CHECK(csys_barrier_wait(&barrier, NULL) == 0);
	}
	return number;
}

static csys_event event = CSYS_EVENT_INIT_MANUAL;
static csys_event turn = CSYS_EVENT_INIT_AUTOMATIC;
static csys_latch latch = CSYS_LATCH_INIT(THREADS - 1);

static void *use_event_and_latch(void *number)
{
	if (*(int *)number == 0) {
		csys_latch_wait(&latch);
		for (int k = 1; k < THREADS; k++)
			CHECK(sums[k] == k);
		sums[0] = 7;
		csys_event_set(&event);
		csys_event_set(&turn);
	} else {
		sums[*(int *)number] = *(int *)number;
		csys_latch_done(&latch, 1);
		csys_event_wait(&event);
		CHECK(sums[0] == 7);
		/* One at a time. */
		csys_event_wait(&turn);
		sums[1]++;
		csys_event_set(&turn);
	}
	return number;
}

static csys_once onces[TURNS];
static csys_once forced[TURNS];

static int do_it(void *number)
{
	(void)number;
	sums[1]++;
	csys_thread_yield();
	return 0;
}

static int fail_once(void *number)
{
	(void)number;
	sums[2]++;
	return sums[2] % 3 == 0 ? 0 : CSYS_EIO;
}

static void *use_once(void *number)
{
	for (int i = 0; i < TURNS / 4; i++) {
		if (*(int *)number == 0)
			CHECK(csys_once_wait(&onces[i]) == 0);
		else
			CHECK(csys_once_call(&onces[i], do_it, number) == 0);
		CHECK(csys_once_wait(&onces[i]) == 0);
		CHECK(sums[1] > i);
		CHECK(csys_barrier_wait(&barrier, NULL) == 0);
		while (csys_once_call_force(&forced[i], fail_once, number) < 0)
			;
		CHECK(sums[2] % 3 == 0);
		CHECK(csys_barrier_wait(&barrier, NULL) == 0);
	}
	return number;
}

/* ---- threads ------------------------------------------------------------- */

static csys_atomic_u32 word;

static void *use_atomic(void *number)
{
	/* In turns, as a word says. */
	uint32_t mine = (uint32_t) * (int *)number;
	for (int i = 0; i < TURNS / 4; i++) {
		uint32_t now;
		while ((now = csys_atomic_load(&word, CSYS_ACQUIRE)) % THREADS != mine)
			csys_atomic_wait(&word, now);
		count_up(i);
		csys_atomic_store(&word, now + 1, CSYS_RELEASE);
		csys_atomic_wake(&word, UINT32_MAX);
	}
	return number;
}

struct relay {
	csys_thread *to;
	int letter; /* plain: handed over by unparking */
	csys_atomic_u32 is_there;
};

static void *take_letters(void *argument)
{
	struct relay *relay = argument;
	for (int i = 1; i <= TURNS / 4; i++) {
		while (csys_atomic_load(&relay->is_there, CSYS_RELAXED) != 1)
			csys_thread_park();
		/* The token was given after the letter: one more park takes it, if it is there. */
		(void)!csys_thread_park_until(CSYS_POLL);
		csys_atomic_fetch_add(&relay->is_there, 0, CSYS_ACQUIRE);
		CHECK(relay->letter == i);
		csys_atomic_store(&relay->is_there, 0, CSYS_RELEASE);
	}
	return NULL;
}

static void park_and_unpark(void)
{
	struct relay relay = { .letter = 0 };
	CHECK(csys_thread_spawn(take_letters, &relay, NULL, &relay.to) == 0);
	for (int i = 1; i <= TURNS / 4; i++) {
		relay.letter = i;
		csys_atomic_store(&relay.is_there, 1, CSYS_RELEASE);
		csys_thread_unpark(relay.to);
		while (csys_atomic_load(&relay.is_there, CSYS_ACQUIRE) != 0)
			csys_thread_yield();
	}
	CHECK(csys_thread_join(relay.to, NULL) == 0);
	csys_thread_unref(relay.to);
}

/* Only the token orders it. */
static int parked_data;

static void *park_once(void *argument)
{
	(void)argument;
	csys_thread_park();
	CHECK(parked_data == 1);
	return NULL;
}

static void unpark_orders(void)
{
	csys_thread *thread;
	parked_data = 0;
	CHECK(csys_thread_spawn(park_once, NULL, NULL, &thread) == 0);
	parked_data = 1;
	csys_thread_unpark(thread);
	CHECK(csys_thread_join(thread, NULL) == 0);
	csys_thread_unref(thread);
}

static void be_silent(const csys_panic_info *info, void *context)
{
	(void)info;
	(void)context;
}

static void *panic(void *number)
{
	csys_mutex_lock(&mutex);
	sums[3]++;
	csys_panic("thread %d", *(int *)number);
}

static csys_thread *joined;

static void *join_it(void *number)
{
	CHECK(csys_thread_join(joined, NULL) == CSYS_EPANICKED);
	CHECK(strcmp(csys_thread_panic_message(joined), "thread 1") == 0);
	CHECK(sums[3] == 1);
	return number;
}

/* Several join one; its lock goes to the next holder. */
static void join_from_many(void)
{
	static int number = 1;
	csys_panic_set_hook(be_silent, NULL);
	sums[3] = 0;
	CHECK(csys_thread_spawn(panic, &number, NULL, &joined) == 0);
	csys_thread *others[THREADS];
	for (int i = 0; i < THREADS; i++)
		CHECK(csys_thread_spawn(join_it, &number, NULL, &others[i]) == 0);
	CHECK(csys_mutex_lock(&mutex) >= 0);
	csys_mutex_clear_poison(&mutex);
	csys_mutex_unlock(&mutex);
	for (int i = 0; i < THREADS; i++) {
		CHECK(csys_thread_join(others[i], NULL) == 0);
		csys_thread_unref(others[i]);
	}
	csys_thread_unref(joined);
	csys_panic_set_hook(NULL, NULL);
}

static int add_part(csys_thread_scope *scope, void *argument)
{
	static int parts[THREADS];
	for (int i = 0; i < THREADS; i++)
		CHECK(csys_thread_scope_spawn(scope, use_mutex, &parts[i], NULL, NULL) == 0);
	(void)argument;
	return 0;
}

static csys_latch gone = CSYS_LATCH_INIT(THREADS);

static void *end_detached(void *heap)
{
	*(int *)heap = 1;
	csys_latch_done(&gone, 1);
	return NULL;
}

static void detached(void)
{
	int *heap[THREADS];
	for (int i = 0; i < THREADS; i++) {
		csys_thread *thread;
		heap[i] = malloc(sizeof *heap[i]);
		CHECK(csys_thread_spawn(end_detached, heap[i], NULL, &thread) == 0);
		csys_thread_detach(thread);
	}
	csys_latch_wait(&gone);
	for (int i = 0; i < THREADS; i++) {
		CHECK(*heap[i] == 1);
		free(heap[i]);
	}
}

/* ---- signals ------------------------------------------------------------- */

static csys_semaphore handled = CSYS_SEMAPHORE_INIT(0);
static csys_atomic_i32 handler_is_over;

static void post_one(int number)
{
	(void)number;
	(void)!csys_semaphore_post(&handled, 1);
}

static void *interrupt(void *waiter)
{
	while (csys_atomic_load(&handler_is_over, CSYS_ACQUIRE) == 0) {
		pthread_kill(*(pthread_t *)waiter, SIGUSR1);
		csys_thread_sleep_ns(1000000);
	}
	return NULL;
}

/* The sanitizer keeps signals back; a thread that waits in csys gets them all the same. */
static void a_handler_runs_while_its_thread_waits(void)
{
	pthread_t self = pthread_self();
	csys_thread *thread;
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = post_one;
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	csys_atomic_store(&handler_is_over, 0, CSYS_RELAXED);
	CHECK(csys_thread_spawn(interrupt, &self, NULL, &thread) == 0);
	for (int i = 0; i < 20; i++)
		CHECK(csys_semaphore_wait_until(&handled, csys_after_s(60)) == 0);
	csys_atomic_store(&handler_is_over, 1, CSYS_RELEASE);
	CHECK(csys_thread_join(thread, NULL) == 0);
	csys_thread_unref(thread);
}

/* ---- a race -------------------------------------------------------------- */

static csys_mutex each[THREADS];

static void *race(void *number)
{
	for (int i = 0; i < TURNS; i++) {
		csys_mutex_lock(&each[*(int *)number]);
		count_up(i);
		csys_mutex_unlock(&each[*(int *)number]);
	}
	return number;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "race") == 0) {
		run(race, 2);
		return 0;
	}
	for (int round = 0; round < 3; round++) {
		run(use_mutex, THREADS);
		CHECK(sums[0] == THREADS * TURNS);
		run(use_plain_mutex, THREADS);
		CHECK(sums[0] == THREADS * TURNS);
		run(use_reentrant, THREADS);
		CHECK(sums[0] == THREADS * TURNS);
		run(use_rwlock, THREADS);
		CHECK(sums[0] == THREADS * TURNS);
		run(use_condvar, THREADS);
		run(use_semaphore, THREADS);
		CHECK(sums[0] == THREADS * TURNS);
		run(use_barrier, THREADS);
		run(use_event_and_latch, THREADS);
		memset(onces, 0, sizeof onces);
		memset(forced, 0, sizeof forced);
		run(use_once, THREADS);
		csys_atomic_store(&word, 0, CSYS_RELAXED);
		run(use_atomic, THREADS);
		park_and_unpark();
		unpark_orders();
		join_from_many();
		CHECK(csys_thread_scope_run(add_part, NULL) == 0);
		event = (csys_event)CSYS_EVENT_INIT_MANUAL;
		turn = (csys_event)CSYS_EVENT_INIT_AUTOMATIC;
		latch = (csys_latch)CSYS_LATCH_INIT(THREADS - 1);
		detached();
		a_handler_runs_while_its_thread_waits();
		gone = (csys_latch)CSYS_LATCH_INIT(THREADS);
	}
	return 0;
}
