/*
 * sync/test_condvar.c - promises of csys/sync/condvar.h.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "sync/condvar.h"
#include "support/support.h"
#include "support/thread.h"

static csys_mutex lock;
static csys_condvar changed;
static int waiting, woken, is_open; /* under lock */

static void it_is_small_and_valid_when_zero(void **state)
{
	(void)state;
	csys_condvar zero;
	memset(&zero, 0, sizeof zero);
	assert_true(sizeof zero <= 8);
	/* No thread waits, and nothing is kept. */
	assert_int_equal(csys_condvar_notify_one(&zero), 0);
	assert_int_equal(csys_condvar_notify_all(&zero), 0);
	csys_mutex_lock(&lock);
	assert_int_equal(csys_condvar_wait_until(&zero, &lock, csys_after_ms(1)), CSYS_ETIMEDOUT);
	csys_mutex_unlock(&lock);
}

static void init_makes_one_in_any_memory(void **state)
{
	(void)state;
	csys_condvar made;
	memset(&made, 0xff, sizeof made);
	csys_condvar_init(&made);
	assert_int_equal(csys_condvar_notify_all(&made), 0);
	csys_mutex_lock(&lock);
	assert_int_equal(csys_condvar_wait_until(&made, &lock, csys_after_ms(1)), CSYS_ETIMEDOUT);
	csys_mutex_unlock(&lock);
}

static void *wait_once(void *argument)
{
	(void)argument;
	csys_mutex_lock(&lock);
	waiting++;
	assert_int_equal(csys_condvar_wait(&changed, &lock), 0);
	csys_mutex_assert_held(&lock);
	woken++;
	csys_mutex_unlock(&lock);
	return NULL;
}

/* Start some, and wait until they wait: a thread that counts itself holds the lock until then. */
static void start_waiters(pthread_t *threads, int count, void *(*run)(void *))
{
	waiting = woken = 0;
	for (int i = 0; i < count; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, NULL), 0);
	for (int there = 0; there < count; take_a_nap()) {
		csys_mutex_lock(&lock);
		there = waiting;
		csys_mutex_unlock(&lock);
	}
}

static void wait_for_woken(int count)
{
	for (int there = 0; there < count; take_a_nap()) {
		csys_mutex_lock(&lock);
		there = woken;
		csys_mutex_unlock(&lock);
	}
}

static void notify_one_wakes_one_and_tells_so(void **state)
{
	(void)state;
	pthread_t threads[4];
	start_waiters(threads, 4, wait_once);
	for (int i = 1; i <= 4; i++) {
		int under = i % 2;
		if (under)
			csys_mutex_lock(&lock);
		assert_int_equal(csys_condvar_notify_one(&changed), 1);
		if (under)
			csys_mutex_unlock(&lock);
		wait_for_woken(i);
		take_a_nap();
		csys_mutex_lock(&lock);
		assert_int_equal(woken, i); /* there is no wake without a cause */
		csys_mutex_unlock(&lock);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(changed.queue, 0);
}

static void notify_all_wakes_all_and_tells_how_many(void **state)
{
	(void)state;
	pthread_t threads[8];
	for (int under = 0; under < 2; under++) {
		start_waiters(threads, 8, wait_once);
		if (under)
			csys_mutex_lock(&lock);
		assert_int_equal(csys_condvar_notify_all(&changed), 8);
		assert_int_equal(csys_condvar_notify_all(&changed), 0);
		if (under)
			csys_mutex_unlock(&lock);
		for (int i = 0; i < 8; i++)
			pthread_join(threads[i], NULL);
		assert_int_equal(woken, 8);
	}
}

static int order[3];

static void *wait_in_order(void *argument)
{
	int self = *(int *)argument;
	csys_mutex_lock(&lock);
	waiting++;
	csys_condvar_wait(&changed, &lock);
	order[woken++] = self;
	csys_mutex_unlock(&lock);
	return NULL;
}

static void the_longest_waiter_is_first(void **state)
{
	(void)state;
	pthread_t threads[3];
	int selves[3] = { 0, 1, 2 };
	waiting = woken = 0;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, wait_in_order, &selves[i]), 0);
		for (int there = 0; there <= i; take_a_nap()) {
			csys_mutex_lock(&lock);
			there = waiting;
			csys_mutex_unlock(&lock);
		}
	}
	for (int i = 0; i < 3; i++) {
		csys_condvar_notify_one(&changed);
		wait_for_woken(i + 1);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(order[i], i);
	}
}

static void a_notification_under_the_mutex_waits_for_its_unlocking(void **state)
{
	(void)state;
	pthread_t threads[2];
	start_waiters(threads, 2, wait_once);
	csys_mutex_lock(&lock);
	csys_condvar_notify_one(&changed);
	csys_condvar_notify_one(&changed);
	take_a_nap();
	assert_int_equal(woken, 0);
	csys_mutex_unlock(&lock);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(woken, 2);
}

static void wait_until_gives_up_with_the_mutex_held(void **state)
{
	(void)state;
	csys_mutex_lock(&lock);
	csys_deadline deadline = csys_after_ms(2);
	assert_int_equal(csys_condvar_wait_until(&changed, &lock, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	csys_mutex_assert_held(&lock);
	assert_int_equal(changed.queue, 0); /* nobody is left waiting */
	csys_mutex_unlock(&lock);
}

static void *wait_for_long(void *argument)
{
	csys_mutex_lock(&lock);
	waiting++;
	int r = csys_condvar_wait_until(&changed, &lock, csys_after_ms(3));
	__atomic_store_n((int *)argument, r, __ATOMIC_RELAXED);
	csys_mutex_unlock(&lock);
	return NULL;
}

static void a_notification_before_the_deadline_is_not_lost(void **state)
{
	(void)state;
	pthread_t thread;
	int result = 77;
	waiting = 0;
	assert_int_equal(pthread_create(&thread, NULL, wait_for_long, &result), 0);
	int is_notified = 0;
	while (!is_notified && __atomic_load_n(&result, __ATOMIC_RELAXED) == 77) {
		csys_mutex_lock(&lock);
		if (waiting == 1 && result == 77 && changed.queue != 0) {
			/* Taken out of the queue, and the mutex held past the deadline. */
			csys_condvar_notify_one(&changed);
			is_notified = 1;
			csys_deadline late = csys_after_ms(5);
			while (csys_deadline_left(late) > 0)
				take_a_nap();
		}
		csys_mutex_unlock(&lock);
	}
	pthread_join(thread, NULL);
	assert_int_equal(result, is_notified ? 0 : CSYS_ETIMEDOUT);
}

static int is_shut(void *argument)
{
	(*(int *)argument)++;
	csys_mutex_assert_held(&lock);
	return !is_open;
}

static void *open_it(void *argument)
{
	(void)argument;
	csys_mutex_lock(&lock);
	csys_condvar_notify_all(&changed); /* not yet */
	csys_mutex_unlock(&lock);
	take_a_nap();
	csys_mutex_lock(&lock);
	is_open = 1;
	csys_condvar_notify_one(&changed);
	csys_mutex_unlock(&lock);
	return NULL;
}

static void wait_while_looks_first_and_waits_on(void **state)
{
	(void)state;
	pthread_t thread;
	int looks = 0;
	is_open = 1;
	csys_mutex_lock(&lock);
	assert_int_equal(csys_condvar_wait_while(&changed, &lock, is_shut, &looks), 0);
	assert_int_equal(looks, 1);
	is_open = 0;
	assert_int_equal(pthread_create(&thread, NULL, open_it, NULL), 0);
	assert_int_equal(csys_condvar_wait_while(&changed, &lock, is_shut, &looks), 0);
	assert_true(is_open);
	csys_mutex_unlock(&lock);
	pthread_join(thread, NULL);
}

static void wait_while_until_looks_before_the_clock(void **state)
{
	(void)state;
	int looks = 0;
	csys_mutex_lock(&lock);
	is_open = 1;
	assert_int_equal(csys_condvar_wait_while_until(&changed, &lock, is_shut, &looks, CSYS_POLL),
			 0);
	is_open = 0;
	assert_int_equal(
		csys_condvar_wait_while_until(&changed, &lock, is_shut, &looks, csys_after_ms(1)),
		CSYS_ETIMEDOUT);
	assert_int_equal(looks, 3); /* the last one after the deadline */
	csys_mutex_unlock(&lock);
}

static int poison_it(void *argument)
{
	(void)argument;
	csys_mutex_poison(&lock);
	return 0;
}

static int never(void *argument)
{
	(void)argument;
	return 1;
}

static void wait_while_tells_of_poison_but_not_when_the_time_is_up(void **state)
{
	(void)state;
	csys_mutex_lock(&lock);
	assert_int_equal(csys_condvar_wait_while(&changed, &lock, poison_it, NULL), CSYS_POISONED);
	assert_int_equal(csys_condvar_wait_while_until(&changed, &lock, poison_it, NULL, CSYS_POLL),
			 CSYS_POISONED);
	assert_int_equal(csys_condvar_wait_while_until(&changed, &lock, never, NULL, CSYS_POLL),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_condvar_wait_until(&changed, &lock, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_mutex_is_poisoned(&lock), 1);
	csys_mutex_clear_poison(&lock);
	csys_mutex_unlock(&lock);
}

static void *open_late(void *argument)
{
	/* The waiter waits by now, since it holds the lock until then. */
	csys_mutex_lock(&lock);
	while (csys_deadline_left(*(csys_deadline *)argument) > 0)
		take_a_nap();
	is_open = 1; /* and notifies nobody */
	csys_mutex_unlock(&lock);
	return NULL;
}

static void wait_while_until_sees_what_was_changed_before_it_has_the_mutex(void **state)
{
	(void)state;
	pthread_t thread;
	int looks = 0;
	csys_mutex_lock(&lock);
	is_open = 0;
	csys_deadline deadline = csys_after_ms(3);
	assert_int_equal(pthread_create(&thread, NULL, open_late, &deadline), 0);
	while (!is_open) {
		/* As long as the thread has not come, try again. */
		int r = csys_condvar_wait_while_until(&changed, &lock, is_shut, &looks, deadline);
		assert_int_equal(r, is_open ? 0 : CSYS_ETIMEDOUT);
	}
	csys_mutex_unlock(&lock);
	pthread_join(thread, NULL);
}

static void *die_inside(void *argument)
{
	(void)argument;
	csys_mutex_lock(&lock);
	csys_condvar_notify_one(&changed);
	return NULL;
}

static void *wait_poisoned(void *argument)
{
	(void)argument;
	csys_mutex_lock(&lock);
	waiting++;
	assert_int_equal(csys_condvar_wait(&changed, &lock), CSYS_POISONED);
	csys_mutex_clear_poison(&lock);
	csys_mutex_unlock(&lock);
	return NULL;
}

static void a_notifier_that_dies_inside_poisons_and_wakes(void **state)
{
	(void)state;
	pthread_t thread;
	start_waiters(&thread, 1, wait_poisoned);
	run_threads(1, die_inside, NULL);
	pthread_join(thread, NULL);
	assert_int_equal(csys_mutex_is_poisoned(&lock), 0);
}

static void it_works_with_a_mutex_without_poison(void **state)
{
	(void)state;
	static csys_mutex plain = CSYS_MUTEX_INIT_NO_POISON;
	csys_mutex_lock(&plain);
	assert_int_equal(csys_condvar_wait_until(&changed, &plain, csys_after_ms(1)),
			 CSYS_ETIMEDOUT);
	csys_mutex_unlock(&plain);
}

struct shared {
	csys_mutex lock;
	csys_condvar changed;
	int is_over;
};

static void *wait_and_free(void *argument)
{
	struct shared *shared = argument;
	csys_mutex_lock(&shared->lock);
	while (!shared->is_over)
		csys_condvar_wait(&shared->changed, &shared->lock);
	csys_mutex_unlock(&shared->lock);
	free(shared);
	return NULL;
}

static void it_may_be_freed_right_after_the_last_wait(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct shared *shared = calloc(1, sizeof *shared);
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, wait_and_free, shared), 0);
		if (round % 2)
			take_a_nap();
		csys_mutex_lock(&shared->lock);
		shared->is_over = 1;
		csys_condvar_notify_all(&shared->changed);
		csys_mutex_unlock(&shared->lock);
		pthread_join(thread, NULL);
	}
}

/* ---- freeing while waiters give up ----------------------------------------------------------- */

#define GIVING_UP 8

/* In a page of its own, which cannot be touched once they are "freed". */
static csys_condvar *mortal;
static int condvars; /* how many: each thread waits at one of them */
static csys_deadline moment;
static pthread_barrier_t turn;
static int is_set;  /* under lock */
static int is_over; /* written while all are at the barrier */

static void *wait_until_the_moment(void *argument)
{
	csys_condvar *own = &mortal[*(int *)argument % condvars];
	for (int over = 0; !over;) {
		pthread_barrier_wait(&turn);
		csys_mutex_lock(&lock);
		waiting++;
		if (!is_set) {
			int r = csys_condvar_wait_until(own, &lock, moment);
			assert_true(r == 0 || r == CSYS_ETIMEDOUT);
		}
		over = is_over;
		csys_mutex_unlock(&lock);
		pthread_barrier_wait(&turn);
	}
	return NULL;
}

static void wait_for_waiting(int count)
{
	for (int there = 0; there < count; csys_thread_yield()) {
		csys_mutex_lock(&lock);
		there = waiting;
		csys_mutex_unlock(&lock);
	}
}

/* Notify when the deadline of the waiters falls due, a little sooner or later, and free the
 * condvars at once. */
static void free_while_some_give_up(int count, void (*notify)(csys_condvar *condvar))
{
	enum { ROUNDS = 1500 };
	pthread_t threads[GIVING_UP];
	int selves[GIVING_UP];
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	mortal = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(mortal != MAP_FAILED);
	condvars = count;
	is_over = 0;
	pthread_barrier_init(&turn, NULL, GIVING_UP + 1);
	for (int i = 0; i < GIVING_UP; i++) {
		selves[i] = i;
		assert_int_equal(
			pthread_create(&threads[i], NULL, wait_until_the_moment, &selves[i]), 0);
	}
	for (int round = 0; round < ROUNDS; round++) {
		int is_inside = round % 2;
		assert_int_equal(mprotect(mortal, size, PROT_READ | PROT_WRITE), 0);
		is_set = waiting = 0;
		/* Before they wait: all may have given up when it is set. */
		is_over = round == ROUNDS - 1;
		moment = csys_after_us(250);
		pthread_barrier_wait(&turn);
		wait_for_waiting(GIVING_UP);
		while (csys_now() < csys_deadline_ns(moment) + (round * 7 % 80 - 10) * 1000)
			csys_spin_hint();
		csys_mutex_lock(&lock);
		is_set = 1;
		if (!is_inside)
			csys_mutex_unlock(&lock);
		for (int i = 0; i < count; i++)
			notify(&mortal[i]);
		assert_int_equal(mprotect(mortal, size, PROT_NONE), 0);
		if (is_inside)
			csys_mutex_unlock(&lock);
		pthread_barrier_wait(&turn);
	}
	for (int i = 0; i < GIVING_UP; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&turn);
	munmap(mortal, size);
}

static void notify_it_all(csys_condvar *condvar)
{
	csys_condvar_notify_all(condvar);
}

static void notify_it_once(csys_condvar *condvar)
{
	csys_condvar_notify_one(condvar);
}

static void it_may_be_freed_after_notify_all_while_waiters_give_up(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because(
			"a wake has the address of a word that is gone, which valgrind reports");
	free_while_some_give_up(1, notify_it_all);
}

static void it_may_be_freed_after_notify_one_while_the_waiter_gives_up(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because(
			"a wake has the address of a word that is gone, which valgrind reports");
	free_while_some_give_up(GIVING_UP, notify_it_once);
}

/* ---- mutexes -------------------------------------------------------------------------- */

static csys_mutex another;

static void wait_with_two_mutexes(void)
{
	pthread_t thread;
	alarm(20); /* it hangs where it does not abort */
	start_waiters(&thread, 1, wait_once);
	csys_mutex_lock(&another);
	csys_condvar_wait(&changed, &another);
}

static void give_up_with_two_mutexes(void)
{
	pthread_t thread;
	alarm(20); /* it hangs where it does not abort */
	start_waiters(&thread, 1, wait_once);
	csys_mutex_lock(&another);
	(void)!csys_condvar_wait_until(&changed, &another, CSYS_POLL);
}

static void two_mutexes_at_once_abort(void **state)
{
	(void)state;
	assert_aborts(wait_with_two_mutexes, "csys: a condvar with two locks at once\n");
	assert_aborts(give_up_with_two_mutexes, "csys: a condvar with two locks at once\n");
}

static void another_mutex_is_fine_once_nobody_waits(void **state)
{
	(void)state;
	pthread_t threads[3];
	start_waiters(threads, 3, wait_once);
	csys_mutex_lock(&lock);
	csys_condvar_notify_all(&changed);
	/* Nobody waits; those that were notified cannot have the first mutex before this ends. */
	csys_mutex_lock(&another);
	assert_int_equal(csys_condvar_wait_until(&changed, &another, csys_after_ms(1)),
			 CSYS_ETIMEDOUT);
	csys_mutex_unlock(&another);
	assert_int_equal(woken, 0);
	csys_mutex_unlock(&lock);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(woken, 3);
}

/* ---- fork ----------------------------------------------------------------------------- */

static uint32_t is_enough; /* atomic */

/* Of one thread each, so that nothing keeps it from waiting again and again. */
static struct own {
	csys_mutex lock;
	csys_condvar changed;
} owns[2];

static void *wait_again_and_again(void *argument)
{
	struct own *own = argument;
	while (!__atomic_load_n(&is_enough, __ATOMIC_RELAXED)) {
		csys_mutex_lock(&own->lock);
		assert_int_equal(csys_condvar_wait_until(&own->changed, &own->lock, CSYS_POLL),
				 CSYS_ETIMEDOUT);
		csys_mutex_unlock(&own->lock);
	}
	return NULL;
}

/* At the places of the old ones, so that whatever csys keeps by address is the same. */
static void use_new_ones(void)
{
	static const struct own fresh;
	alarm(20);
	for (int i = 0; i < 2; i++) {
		owns[i] = fresh;
		csys_mutex_lock(&owns[i].lock);
		if (csys_condvar_wait_until(&owns[i].changed, &owns[i].lock, CSYS_POLL) !=
		    CSYS_ETIMEDOUT)
			_exit(1);
		csys_mutex_unlock(&owns[i].lock);
	}
	_exit(0);
}

static void a_forked_child_uses_a_new_one_whatever_others_did_meanwhile(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because("in a forked child valgrind misses the stacks of other threads");
	pthread_t threads[2];
	is_enough = 0;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_again_and_again, &owns[i]),
				 0);
	int ends_well = 1;
	/* Many, since a fork seldom meets the few instructions that matter: mostly within 0.2 s. */
	csys_deadline enough = csys_after_ms(1000);
	for (int i = 0; i < 3000 && ends_well && csys_deadline_left(enough) > 0; i++) {
		int status = -1;
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			use_new_ones();
		assert_int_equal(waitpid(pid, &status, 0), pid);
		ends_well = status == 0;
	}
	__atomic_store_n(&is_enough, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_true(ends_well);
}

#define STACK 4194304 /* a sanitizer takes much of it */
#define MARGIN 65536

static csys_mutex handed = CSYS_MUTEX_INIT;
static csys_condvar turned = CSYS_CONDVAR_INIT;
static uint32_t has_turned; /* under handed */
static uint32_t is_queued;  /* under handed */
static char *stack;         /* of the thread that waits */

/* Its record is in the lower part of the stack; what the system has there is in the upper one. */
static void *wait_down_the_stack(void *unused)
{
	volatile char margin[2 * MARGIN];
	(void)unused;
	margin[0] = 0;
	csys_mutex_lock(&handed);
	is_queued = 1;
	while (!has_turned)
		csys_condvar_wait(&turned, &handed);
	csys_mutex_unlock(&handed);
	return margin[0] == 0 ? NULL : stack;
}

static void unlock_in_the_child(void)
{
	/* That stack may be used for something else here. */
	CHECK(mprotect(stack, STACK, PROT_NONE) == 0);
	csys_mutex_unlock(&handed);
	CHECK(csys_mutex_try_lock(&handed) == 0);
	csys_mutex_unlock(&handed);
}

static void a_child_forked_between_notify_and_unlock_forgets_the_waiters(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because("in a forked child valgrind misses the stacks of other threads");
	pthread_t thread;
	pthread_attr_t attributes;
	assert_int_equal(posix_memalign((void **)&stack, 65536, STACK), 0);
	assert_int_equal(pthread_attr_init(&attributes), 0);
	assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK), 0);
	assert_int_equal(pthread_create(&thread, &attributes, wait_down_the_stack, NULL), 0);
	pthread_attr_destroy(&attributes);
	csys_mutex_lock(&handed);
	while (!is_queued) {
		csys_mutex_unlock(&handed);
		take_a_nap();
		csys_mutex_lock(&handed);
	}
	/* Asleep, so that it is woken by the unlocking. */
	csys_mutex_unlock(&handed);
	take_a_nap();
	csys_mutex_lock(&handed);
	has_turned = 1;
	csys_condvar_notify_one(&turned);
	in_child(unlock_in_the_child);
	csys_mutex_unlock(&handed);
	pthread_join(thread, NULL);
	free(stack);
}

/* ---- rwlocks -------------------------------------------------------------------------- */

static csys_rwlock shared_lock;
static csys_condvar shared_changed;
static int is_told;      /* under shared_lock */
static int shared_woken; /* atomic */

struct rw_waiter {
	pthread_t thread;
	int is_writer;
	csys_deadline deadline;
	int result;
};

static int is_not_told(void *argument)
{
	(void)argument;
	return !is_told;
}

static void *wait_for_told(void *argument)
{
	struct rw_waiter *self = argument;
	if (self->is_writer) {
		csys_rwlock_write(&shared_lock);
		__atomic_fetch_add(&waiting, 1, __ATOMIC_RELAXED);
		self->result = csys_condvar_wait_write_while_until(
			&shared_changed, &shared_lock, is_not_told, NULL, self->deadline);
		csys_rwlock_assert_write(&shared_lock);
		__atomic_fetch_add(&shared_woken, 1, __ATOMIC_RELAXED);
		csys_rwlock_unlock_write(&shared_lock);
	} else {
		csys_rwlock_read(&shared_lock);
		__atomic_fetch_add(&waiting, 1, __ATOMIC_RELAXED);
		self->result = csys_condvar_wait_read_while_until(
			&shared_changed, &shared_lock, is_not_told, NULL, self->deadline);
		csys_rwlock_assert_read(&shared_lock);
		__atomic_fetch_add(&shared_woken, 1, __ATOMIC_RELAXED);
		csys_rwlock_unlock_read(&shared_lock);
	}
	return NULL;
}

#define RW_WAITERS 9

static void start_rw_waiters(struct rw_waiter *waiters)
{
	waiting = shared_woken = is_told = 0;
	for (int i = 0; i < RW_WAITERS; i++) {
		waiters[i] = (struct rw_waiter){ .is_writer = i % 2, .result = 77 };
		assert_int_equal(
			pthread_create(&waiters[i].thread, NULL, wait_for_told, &waiters[i]), 0);
	}
	/* Those that are counted wait once the lock can be had for writing. */
	while (__atomic_load_n(&waiting, __ATOMIC_RELAXED) < RW_WAITERS)
		take_a_nap();
}

static void readers_and_writers_wait_at_one_and_all_are_let_go(void **state)
{
	(void)state;
	struct rw_waiter waiters[RW_WAITERS];
	if (under_valgrind())
		skip_because(
			"a wake has the address of a word that is gone, which valgrind reports");
	csys_rwlock_init(&shared_lock);
	for (int round = 0; round < 50; round++) {
		start_rw_waiters(waiters);
		csys_rwlock_write(&shared_lock);
		is_told = 1;
		if (round % 2)
			csys_rwlock_unlock_write(&shared_lock);
		assert_int_equal(csys_condvar_notify_all(&shared_changed), RW_WAITERS);
		if (round % 2 == 0)
			csys_rwlock_unlock_write(&shared_lock);
		for (int i = 0; i < RW_WAITERS; i++) {
			pthread_join(waiters[i].thread, NULL);
			assert_int_equal(waiters[i].result, 0);
		}
		assert_int_equal(shared_woken, RW_WAITERS);
		assert_int_equal(shared_changed.queue, 0);
	}
}

static void start_reader(struct rw_waiter *waiter, csys_deadline deadline, int count)
{
	*waiter = (struct rw_waiter){ .deadline = deadline, .result = 77 };
	assert_int_equal(pthread_create(&waiter->thread, NULL, wait_for_told, waiter), 0);
	while (__atomic_load_n(&waiting, __ATOMIC_RELAXED) < count)
		take_a_nap();
	csys_rwlock_write(&shared_lock); /* from here on it is in the queue */
	csys_rwlock_unlock_write(&shared_lock);
}

/* The first one is notified, by what csys_condvar_notify_all does, while it is about to give up. */
static void one_that_is_notified_after_its_deadline_wakes_the_others(void **state)
{
	(void)state;
	struct rw_waiter first, second;
	size_t count;
	csys_rwlock_init(&shared_lock);
	waiting = shared_woken = is_told = 0;
	start_reader(&first, csys_after_ms(50), 1);
	start_reader(&second, CSYS_FOREVER, 2);
	csys_rwlock_write(&shared_lock);
	is_told = 1;
	struct csysi_queue_lock *queue_lock = csysi_waitqueue_lock(&shared_changed.queue);
	while (csys_deadline_left(first.deadline) > 0)
		take_a_nap();
	for (int i = 0; i < 5; i++)
		take_a_nap();
	struct csysi_waiter *taken = csysi_waitqueue_take_all(&shared_changed.queue);
	assert_non_null(taken);
	csysi_condvar_spread(csysi_mutex_waiter_of(taken));
	const uint32_t *word = &taken->word;
	if (csysi_waitqueue_notify(taken, &count))
		csysi_os_wake(word, 1, 0);
	csysi_waitqueue_unlock(queue_lock);
	csys_rwlock_unlock_write(&shared_lock);
	pthread_join(first.thread, NULL);
	pthread_join(second.thread, NULL);
	assert_int_equal(first.result, 0);
	assert_int_equal(second.result, 0);
}

static void one_that_waits_with_a_rwlock_is_let_go_by_notify_one(void **state)
{
	(void)state;
	struct rw_waiter waiters[RW_WAITERS];
	start_rw_waiters(waiters);
	csys_rwlock_write(&shared_lock);
	is_told = 1;
	csys_rwlock_unlock_write(&shared_lock);
	for (int i = 1; i <= RW_WAITERS; i++) {
		assert_int_equal(csys_condvar_notify_one(&shared_changed), 1);
		while (__atomic_load_n(&shared_woken, __ATOMIC_RELAXED) < i)
			take_a_nap();
		take_a_nap();
		assert_int_equal(__atomic_load_n(&shared_woken, __ATOMIC_RELAXED), i);
	}
	for (int i = 0; i < RW_WAITERS; i++)
		pthread_join(waiters[i].thread, NULL);
}

static void a_wait_with_a_rwlock_gives_up_and_holds_it(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rw_waiter self = { .is_writer = i, .deadline = csys_after_ms(2) };
		is_told = 0;
		wait_for_told(&self); /* asserts that it holds the lock */
		assert_int_equal(self.result, CSYS_ETIMEDOUT);
		assert_int_equal(csys_deadline_left(self.deadline), 0);
		is_told = 1;
		wait_for_told(&self);
		assert_int_equal(self.result, 0);
	}
	assert_int_equal(csys_rwlock_is_locked(&shared_lock), 0);
	assert_int_equal(shared_changed.queue, 0);
}

static void *write_and_die(void *argument)
{
	(void)argument;
	csys_rwlock_write(&shared_lock);
	is_told = 1;
	csys_condvar_notify_all(&shared_changed);
	pthread_exit(NULL);
}

static void a_wait_with_a_rwlock_tells_that_it_is_poisoned(void **state)
{
	(void)state;
	struct rw_waiter waiters[RW_WAITERS];
	pthread_t thread;
	start_rw_waiters(waiters);
	csys_rwlock_write(&shared_lock); /* all wait by then */
	csys_rwlock_unlock_write(&shared_lock);
	assert_int_equal(pthread_create(&thread, NULL, write_and_die, NULL), 0);
	pthread_join(thread, NULL);
	for (int i = 0; i < RW_WAITERS; i++) {
		pthread_join(waiters[i].thread, NULL);
		assert_int_equal(waiters[i].result, CSYS_POISONED);
	}
	csys_rwlock_clear_poison(&shared_lock);
}

static int rw_turn; /* under shared_lock */

static void *take_rw_turns(void *argument)
{
	int mine = *(int *)argument;
	for (int i = 0; i < 20000; i++) {
		csys_rwlock_read(&shared_lock);
		while (rw_turn != mine)
			csys_condvar_wait_read(&shared_changed, &shared_lock);
		csys_rwlock_unlock_read(&shared_lock);
		csys_rwlock_write(&shared_lock);
		rw_turn = !mine;
		csys_rwlock_unlock_write(&shared_lock);
		csys_condvar_notify_one(&shared_changed);
	}
	return NULL;
}

static void a_notification_right_after_the_unlocking_of_a_rwlock_is_not_missed(void **state)
{
	(void)state;
	pthread_t threads[2];
	int sides[2] = { 0, 1 };
	rw_turn = 0;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_rw_turns, &sides[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}

static void wait_with_a_mutex_and_a_rwlock(void)
{
	struct rw_waiter waiters[RW_WAITERS];
	alarm(20);
	start_rw_waiters(waiters);
	csys_rwlock_write(&shared_lock);
	csys_rwlock_unlock_write(&shared_lock);
	csys_mutex_lock(&another);
	csys_condvar_wait(&shared_changed, &another);
}

static void a_mutex_and_a_rwlock_at_once_abort(void **state)
{
	(void)state;
	assert_aborts(wait_with_a_mutex_and_a_rwlock, "csys: a condvar with two locks at once\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_small_and_valid_when_zero),
		TEST(init_makes_one_in_any_memory),
		TEST(notify_one_wakes_one_and_tells_so),
		TEST(notify_all_wakes_all_and_tells_how_many),
		TEST(the_longest_waiter_is_first),
		TEST(a_notification_under_the_mutex_waits_for_its_unlocking),
		TEST(wait_until_gives_up_with_the_mutex_held),
		TEST(a_notification_before_the_deadline_is_not_lost),
		TEST(wait_while_looks_first_and_waits_on),
		TEST(wait_while_until_looks_before_the_clock),
		TEST(wait_while_tells_of_poison_but_not_when_the_time_is_up),
		TEST(wait_while_until_sees_what_was_changed_before_it_has_the_mutex),
		TEST(a_notifier_that_dies_inside_poisons_and_wakes),
		TEST(it_works_with_a_mutex_without_poison),
		TEST(it_may_be_freed_right_after_the_last_wait),
		TEST(it_may_be_freed_after_notify_all_while_waiters_give_up),
		TEST(it_may_be_freed_after_notify_one_while_the_waiter_gives_up),
		TEST(two_mutexes_at_once_abort),
		TEST(another_mutex_is_fine_once_nobody_waits),
		TEST(a_forked_child_uses_a_new_one_whatever_others_did_meanwhile),
		TEST(a_child_forked_between_notify_and_unlock_forgets_the_waiters),
		TEST(readers_and_writers_wait_at_one_and_all_are_let_go),
		TEST(one_that_is_notified_after_its_deadline_wakes_the_others),
		TEST(one_that_waits_with_a_rwlock_is_let_go_by_notify_one),
		TEST(a_wait_with_a_rwlock_gives_up_and_holds_it),
		TEST(a_wait_with_a_rwlock_tells_that_it_is_poisoned),
		TEST(a_notification_right_after_the_unlocking_of_a_rwlock_is_not_missed),
		TEST(a_mutex_and_a_rwlock_at_once_abort),
	};
	return RUN(tests);
}
