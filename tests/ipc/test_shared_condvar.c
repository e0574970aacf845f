/*
 * ipc/test_shared_condvar.c - promises of csys/ipc/shared_condvar.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <csys/ipc/shared_condvar.h>

#include "base/atomic.h"
#include "sync/ledger.h"
#include "support/region.h"
#include "support/thread.h"

struct objects {
	csys_shared_mutex mutex;
	csys_shared_condvar condvar;
	int32_t tickets; /* under the mutex, as the rest */
	uint32_t turn;
	int32_t gone;
};
#define PLACE ((struct objects *)OBJECTS)
#define MUTEX (&PLACE->mutex)
#define CONDVAR (&PLACE->condvar)
#define WAITED ((uint64_t)1 << 63)
#define LOW ((uint64_t)0x7fffffff << 32)

enum { SLEEPERS = 4, ROUNDS = 1000 };

static void lock(void)
{
	CHECK(csys_shared_mutex_lock(region, MUTEX) == 0);
}

static void unlock(void)
{
	csys_shared_mutex_unlock(region, MUTEX);
}

static int wait_until(csys_deadline deadline)
{
	return csys_shared_condvar_wait_until(region, CONDVAR, MUTEX, deadline);
}

/* ---- one thread ------------------------------------------------------------------------------ */

static void notify_nobody(void)
{
	for (int i = 0; i < 3; i++) {
		csys_shared_condvar_notify_one(CONDVAR);
		csys_shared_condvar_notify_all(CONDVAR);
		assert_int_equal(CONDVAR->word, 0);
	}
}

static void a_notification_without_waiters_changes_nothing(void **state)
{
	(void)state;
	in_each_way(notify_nobody);
}

static void wait_in_vain(void)
{
	csys_deadline passed = csys_after_ms(0);
	lock();
	for (int i = 0; i < 3; i++) {
		csys_deadline deadline = csys_after_ms(5);
		assert_int_equal(wait_until(deadline), CSYS_ETIMEDOUT);
		assert_true(csys_deadline_left(deadline) <= 0);
		csys_shared_mutex_assert_held(region, MUTEX);
		assert_int_equal(csysi_ledger_depth(), 1);
	}
	assert_int_equal(wait_until(passed), CSYS_ETIMEDOUT);
	assert_int_equal(wait_until(CSYS_POLL), CSYS_ETIMEDOUT);
	csys_shared_mutex_assert_held(region, MUTEX);
	unlock();
	/* What a waiter has left is ended by the next notification. */
	csys_shared_condvar_notify_one(CONDVAR);
	if (csys_can(CSYS_CAN_SHARED_WAKE))
		assert_int_equal(CONDVAR->word & WAITED, 0);
}

static void a_wait_ends_at_its_deadline_with_the_mutex_held(void **state)
{
	(void)state;
	with_nap(NO_NAP, wait_in_vain);
	with_nap(1000000, wait_in_vain); /* several naps */
}

static int calls;

static int is_so_twice(void *poisoned)
{
	if (++calls == 2 && poisoned)
		csys_shared_mutex_poison(poisoned);
	return calls <= 2;
}

static int is_always_so(void *unused)
{
	(void)unused;
	calls++;
	return 1;
}

static int is_never_so(void *unused)
{
	(void)unused;
	return 0;
}

static void wait_for_predicates(void)
{
	lock();
	assert_int_equal(csys_shared_condvar_wait_while(region, CONDVAR, MUTEX, is_never_so, NULL),
			 0);
	assert_int_equal(CONDVAR->word, 0);
	calls = 0;
	assert_int_equal(csys_shared_condvar_wait_while_until(region, CONDVAR, MUTEX, is_always_so,
							      NULL, csys_after_ms(5)),
			 CSYS_ETIMEDOUT);
	assert_int_equal(calls, 2);
	assert_int_equal(csys_shared_condvar_wait_while_until(region, CONDVAR, MUTEX, is_always_so,
							      NULL, CSYS_POLL),
			 CSYS_ETIMEDOUT);
	assert_int_equal(calls, 4);
	csys_shared_mutex_assert_held(region, MUTEX);
	csys_shared_mutex_poison(MUTEX);
	assert_int_equal(csys_shared_condvar_wait_while(region, CONDVAR, MUTEX, is_never_so, NULL),
			 CSYS_POISONED);
	assert_int_equal(csys_shared_condvar_wait_while_until(region, CONDVAR, MUTEX, is_always_so,
							      NULL, CSYS_POLL),
			 CSYS_ETIMEDOUT);
	assert_int_equal(calls, 6);
	csys_shared_mutex_clear_poison(MUTEX);
	/* The wait in the predicate's second call begins with the poison. */
	calls = 0;
	assert_int_equal(csys_shared_condvar_wait_while_until(region, CONDVAR, MUTEX, is_so_twice,
							      MUTEX, csys_after_ms(5)),
			 CSYS_ETIMEDOUT);
	assert_int_equal(calls, 2);
	unlock();
}

static void a_wait_with_a_predicate_lasts_as_long_as_that_is_so(void **state)
{
	(void)state;
	in_each_way(wait_for_predicates);
}

static void *poison_it(void *unused)
{
	(void)unused;
	if (csys_shared_mutex_lock(region, MUTEX) < 0)
		return NULL;
	csys_shared_mutex_poison(MUTEX);
	if (PLACE->turn)
		csys_shared_condvar_notify_one(CONDVAR);
	unlock();
	return NULL;
}

static void poison_while_waiting(void)
{
	pthread_t thread;
	for (PLACE->turn = 0; PLACE->turn < 2; PLACE->turn++) {
		lock();
		assert_int_equal(pthread_create(&thread, NULL, poison_it, NULL), 0);
		assert_int_equal(csys_shared_condvar_wait(region, CONDVAR, MUTEX), CSYS_POISONED);
		csys_shared_mutex_assert_held(region, MUTEX);
		/* It was told of that, so now a timeout is told. */
		assert_int_equal(wait_until(csys_after_ms(1)), CSYS_ETIMEDOUT);
		csys_shared_mutex_clear_poison(MUTEX);
		unlock();
		pthread_join(thread, NULL);
	}
}

static void a_mutex_that_is_poisoned_meanwhile_ends_a_wait(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, poison_while_waiting);
}

static void wait_without_mutex(void)
{
	(void)csys_shared_condvar_wait(region, CONDVAR, MUTEX);
}

static void misuse(void)
{
	assert_aborts(wait_without_mutex,
		      "unlock of a shared mutex that this thread does not hold");
	lock(); /* which a forked child does not hold */
	assert_aborts(wait_without_mutex,
		      "unlock of a shared mutex that this thread does not hold");
	unlock();
}

static void a_wait_without_the_mutex_aborts(void **state)
{
	(void)state;
	in_each_way(misuse);
}

/* ---- several processes ----------------------------------------------------------------------- */

/* Wait for a ticket, and take it. */
static void take_ticket(void)
{
	lock();
	count_sleeper();
	while (PLACE->tickets == 0)
		if (csys_shared_condvar_wait(region, CONDVAR, MUTEX) < 0)
			_exit(1);
	PLACE->tickets--;
	PLACE->gone++;
	unlock();
}

static void start_sleepers(pid_t pids[SLEEPERS])
{
	uint32_t before = csysi_load_acquire(&STEPS->told);
	for (int i = 0; i < SLEEPERS; i++)
		pids[i] = forked(take_ticket);
	await_sleepers(before + SLEEPERS);
}

static void give_tickets(int count, int is_all, int is_held)
{
	lock();
	PLACE->tickets += count;
	if (!is_held)
		unlock();
	if (is_all)
		csys_shared_condvar_notify_all(CONDVAR);
	else
		csys_shared_condvar_notify_one(CONDVAR);
	if (is_held)
		unlock();
}

static int gone(void)
{
	lock();
	int now = PLACE->gone;
	unlock();
	return now;
}

static void notify_one_by_one(void)
{
	pid_t pids[SLEEPERS];
	start_sleepers(pids);
	for (int i = 0; i < SLEEPERS; i++) {
		give_tickets(1, 0, i % 2);
		while (gone() <= i)
			csys_thread_yield();
	}
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(code_of(pids[i]), 0);
}

static void each_notification_of_one_lets_one_go_on(void **state)
{
	(void)state;
	with_nap(NO_NAP, notify_one_by_one);
}

static void notify_all_at_once(void)
{
	pid_t pids[SLEEPERS];
	for (int held = 0; held < 2; held++) {
		start_sleepers(pids);
		give_tickets(SLEEPERS, 1, held);
		for (int i = 0; i < SLEEPERS; i++)
			assert_int_equal(code_of(pids[i]), 0);
	}
	/* And leaves nobody behind for whom the next one would have to look. */
	uint64_t word = CONDVAR->word;
	csys_shared_condvar_notify_all(CONDVAR);
	csys_shared_condvar_notify_all(CONDVAR);
	if (!(word & WAITED))
		assert_true(CONDVAR->word == word);
}

static void a_notification_of_all_lets_all_go_on(void **state)
{
	(void)state;
	with_nap(NO_NAP, notify_all_at_once);
}

static void notify_one_of_many(void)
{
	pid_t pids[SLEEPERS];
	start_sleepers(pids);
	give_tickets(SLEEPERS, 0, 1);
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(code_of(pids[i]), 0);
}

static void the_others_find_a_notification_of_one_later(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, notify_one_of_many);
}

static void notify_at_the_end_of_the_low_sequences(void)
{
	CONDVAR->word = LOW;
	notify_all_at_once();
	assert_true((CONDVAR->word & 0xffffffff) == 1);
	CONDVAR->word = LOW | 0xffffffff;
	notify_one_by_one();
	assert_true((CONDVAR->word & ~LOW & ~WAITED) == 0);
}

static void more_sequences_than_half_a_word_has_are_told_apart(void **state)
{
	(void)state;
	with_nap(NO_NAP, notify_at_the_end_of_the_low_sequences);
}

static void stop_a_sleeper(void)
{
	lock();
	PLACE->tickets = PLACE->gone = 0;
	unlock();
	pid_t first = forked(take_ticket);
	await_sleepers(1);
	pid_t second = forked(take_ticket);
	await_sleepers(2);
	kill(first, SIGSTOP);
	give_tickets(1, 0, 1);
	assert_int_equal(code_of(second), 0);
	give_tickets(1, 0, 1);
	kill(first, SIGCONT);
	assert_int_equal(code_of(first), 0);
}

static void a_waiter_that_is_stopped_holds_nobody_up(void **state)
{
	(void)state;
	with_nap(SHORT_NAP, stop_a_sleeper);
}

/* Two processes in turns: even and odd. */
static void take_turns(uint32_t own)
{
	for (uint32_t i = own; i < 2 * ROUNDS; i += 2) {
		lock();
		while (PLACE->turn != i)
			CHECK(csys_shared_condvar_wait(region, CONDVAR, MUTEX) == 0);
		PLACE->turn++;
		if (i % 3 == 0)
			csys_shared_condvar_notify_one(CONDVAR);
		unlock();
		if (i % 3 == 1)
			csys_shared_condvar_notify_one(CONDVAR);
		else if (i % 3 == 2)
			csys_shared_condvar_notify_all(CONDVAR);
	}
}

static void take_odd_turns(void)
{
	take_turns(1);
}

static void *take_odd_turns_in_a_thread(void *unused)
{
	(void)unused;
	take_turns(1);
	return NULL;
}

static void hand_over(void)
{
	pthread_t thread;
	pid_t pid = forked(take_odd_turns);
	take_turns(0);
	assert_int_equal(code_of(pid), 0);
	PLACE->turn = 0;
	assert_int_equal(pthread_create(&thread, NULL, take_odd_turns_in_a_thread, NULL), 0);
	take_turns(0);
	pthread_join(thread, NULL);
}

static void no_notification_is_missed(void **state)
{
	(void)state;
	with_nap(NO_NAP, hand_over);
}

/* Take tickets until there will be no more, with and without deadlines that pass soon. */
static void take_many(void)
{
	uint32_t seed = (uint32_t)getpid();
	lock();
	while (PLACE->turn == 0 || PLACE->tickets > 0) {
		seed = seed * 1103515245 + 12345;
		if (PLACE->tickets > 0) {
			PLACE->tickets--;
			PLACE->gone++;
		} else if (seed >> 16 & 1) {
			(void)!wait_until(csys_after_ns(seed >> 17 & 0x7fff));
		} else {
			CHECK(csys_shared_condvar_wait(region, CONDVAR, MUTEX) == 0);
		}
	}
	unlock();
}

static void give_many(void)
{
	pid_t pids[SLEEPERS];
	for (int i = 0; i < SLEEPERS; i++)
		pids[i] = forked(take_many);
	for (int i = 0; i < ROUNDS; i++) {
		give_tickets(1, 0, i % 2);
		/* Nobody else comes that could take it in place of one that a lost wake keeps. */
		while (gone() <= i)
			csys_thread_yield();
	}
	lock();
	PLACE->turn = 1;
	csys_shared_condvar_notify_all(CONDVAR);
	unlock();
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(code_of(pids[i]), 0);
	assert_int_equal(PLACE->gone, ROUNDS);
}

static void no_notification_is_lost_to_one_that_gives_up(void **state)
{
	(void)state;
	with_nap(NO_NAP, give_many);
}

static void any_bits(void)
{
	for (uint64_t bits = 1; bits != 0; bits <<= 1) {
		lock();
		CONDVAR->word = bits | bits >> 3 | bits << 5;
		int r = wait_until(csys_after_ms(1));
		assert_true(r == 0 || r == CSYS_ETIMEDOUT);
		CONDVAR->word = ~bits;
		csys_shared_condvar_notify_one(CONDVAR);
		CONDVAR->word = ~bits;
		csys_shared_condvar_notify_all(CONDVAR);
		unlock();
	}
}

static void any_bytes_are_a_condvar_whose_waits_end(void **state)
{
	(void)state;
	in_each_way(any_bits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_notification_without_waiters_changes_nothing),
		NAMES_TEST(a_wait_ends_at_its_deadline_with_the_mutex_held),
		NAMES_TEST(a_wait_with_a_predicate_lasts_as_long_as_that_is_so),
		NAMES_TEST(a_mutex_that_is_poisoned_meanwhile_ends_a_wait),
		NAMES_TEST(a_wait_without_the_mutex_aborts),
		NAMES_TEST(each_notification_of_one_lets_one_go_on),
		NAMES_TEST(a_notification_of_all_lets_all_go_on),
		NAMES_TEST(the_others_find_a_notification_of_one_later),
		NAMES_TEST(more_sequences_than_half_a_word_has_are_told_apart),
		NAMES_TEST(a_waiter_that_is_stopped_holds_nobody_up),
		NAMES_TEST(no_notification_is_missed),
		NAMES_TEST(no_notification_is_lost_to_one_that_gives_up),
		NAMES_TEST(any_bytes_are_a_condvar_whose_waits_end),
	};
	return RUN(tests);
}
