/*
 * sync/test_ledger.c - locks whose holder ends.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/support.h"
#include "sync/ledger.h"

#define MANY 70 /* more than the ledger has room for by itself, and twice that */

struct locks {
	csys_mutex many[MANY];
	int count;
	void (*end)(void); /* how the thread that has them ends; NULL: it returns */
};

static int is_free(csys_mutex *lock, int expected)
{
	int r = csys_mutex_try_lock(lock);
	if (r >= 0)
		csys_mutex_unlock(lock);
	return r == expected;
}

static void exit_thread(void)
{
	pthread_exit(NULL);
}

static void be_cancelled(void)
{
	pthread_cancel(pthread_self());
	pthread_testcancel();
}

static void panic(void)
{
	csys_panic("with locks");
}

static void be_silent(const csys_panic_info *info, void *context)
{
	(void)info;
	(void)context;
}

static void *take_them_to_the_grave(void *argument)
{
	struct locks *locks = argument;
	for (int i = 0; i < locks->count; i++)
		csys_mutex_lock(&locks->many[i]);
	if (locks->end)
		locks->end();
	return NULL;
}

static void run_foreign(void *(*function)(void *), void *argument)
{
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, function, argument), 0);
	pthread_join(thread, NULL);
}

static int run_ours(void *(*function)(void *), void *argument)
{
	csys_thread *thread = NULL;
	assert_int_equal(csys_thread_spawn(function, argument, NULL, &thread), 0);
	int r = csys_thread_join(thread, NULL);
	csys_thread_unref(thread);
	return r;
}

static void all_poisoned(struct locks *locks)
{
	for (int i = 0; i < locks->count; i++)
		assert_true(is_free(&locks->many[i], CSYS_POISONED));
	for (int i = locks->count; i < MANY; i++)
		assert_true(is_free(&locks->many[i], 0));
}

static void however_a_thread_ends_its_locks_are_poisoned_and_released(void **state)
{
	(void)state;
	void (*ends[])(void) = { NULL, exit_thread, panic, be_cancelled };
	csys_panic_set_hook(be_silent, NULL);
	for (int i = 0; i < 4; i++) {
		if (ends[i] == be_cancelled && WITH_ASAN)
			break; /* support.h */
		struct locks ours = { .count = 3, .end = ends[i] };
		assert_int_equal(run_ours(take_them_to_the_grave, &ours),
				 i == 0 ? 0 : CSYS_EPANICKED);
		all_poisoned(&ours);
		if (ends[i] == panic)
			continue; /* would end the process: test_panic.c */
		struct locks foreign = { .count = 3, .end = ends[i] };
		run_foreign(take_them_to_the_grave, &foreign);
		all_poisoned(&foreign);
	}
	csys_panic_set_hook(NULL, NULL);
}

static void any_number_of_locks_is_noted(void **state)
{
	(void)state;
	for (int count = 14; count <= MANY; count += count < 20 ? 1 : 10) {
		struct locks locks = { .count = count };
		run_ours(take_them_to_the_grave, &locks);
		all_poisoned(&locks);
	}
}

static void *unlock_out_of_order(void *argument)
{
	struct locks *locks = argument;
	for (int i = 0; i < 40; i++)
		csys_mutex_lock(&locks->many[i]);
	for (int i = 0; i < 40; i += 2)
		csys_mutex_unlock(&locks->many[i]);
	for (int i = 0; i < 20; i += 2)
		csys_mutex_lock(&locks->many[i]);
	for (int i = 19; i >= 1; i -= 2)
		csys_mutex_unlock(&locks->many[i]);
	CHECK(csysi_ledger_depth() == 20);
	return NULL;
}

static void locks_may_be_released_in_any_order(void **state)
{
	(void)state;
	struct locks locks = { .count = 0 };
	run_foreign(unlock_out_of_order, &locks);
	for (int i = 0; i < 40; i++)
		assert_true(is_free(&locks.many[i], i < 20 ? (i % 2 == 0 ? CSYS_POISONED : 0)
							   : (i % 2 == 0 ? 0 : CSYS_POISONED)));
}

static void nothing_is_left_in_the_ledger_of_a_thread_that_holds_nothing(void **state)
{
	(void)state;
	struct locks locks = { .count = 0 };
	size_t depth = csysi_ledger_depth();
	for (int i = 0; i < MANY; i++)
		csys_mutex_lock(&locks.many[i]);
	assert_int_equal(csysi_ledger_depth(), depth + MANY);
	for (int i = MANY - 1; i >= 0; i--)
		csys_mutex_unlock(&locks.many[i]);
	assert_int_equal(csysi_ledger_depth(), depth);
	all_poisoned(&locks); /* none, that is */
}

/* ---- waiters ------------------------------------------------------------ */

struct order {
	csys_mutex locks[3];
	int is_held; /* atomic */
	int may_end; /* atomic */
};

static void *hold_three(void *argument)
{
	struct order *order = argument;
	for (int i = 0; i < 3; i++)
		csys_mutex_lock(&order->locks[i]);
	csysi_store_release(&order->is_held, 1);
	while (!csysi_load_acquire(&order->may_end))
		csys_thread_yield();
	return NULL;
}

/* As soon as one is free, those taken later must be free too: they went before it. */
static void *watch_the_first(void *argument)
{
	struct order *order = argument;
	int r = csys_mutex_lock(&order->locks[0]);
	CHECK(r == CSYS_POISONED);
	for (int i = 1; i < 3; i++)
		CHECK(is_free(&order->locks[i], CSYS_POISONED));
	csys_mutex_unlock(&order->locks[0]);
	return NULL;
}

static void the_newest_is_released_first_and_waiters_wake(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		struct order order = { .is_held = 0 };
		csys_thread *holder = NULL;
		csys_thread *watcher = NULL;
		assert_int_equal(csys_thread_spawn(hold_three, &order, NULL, &holder), 0);
		while (!csysi_load_acquire(&order.is_held))
			csys_thread_yield();
		assert_int_equal(csys_thread_spawn(watch_the_first, &order, NULL, &watcher), 0);
		csysi_store_release(&order.may_end, 1);
		assert_int_equal(csys_thread_join(watcher, NULL), 0);
		assert_int_equal(csys_thread_join(holder, NULL), 0);
		csys_thread_unref(holder);
		csys_thread_unref(watcher);
	}
}

/* ---- destructors of others ---------------------------------------------- */

static pthread_key_t before, after; /* made before and after csys's own */
static csys_mutex used = CSYS_MUTEX_INIT;
static csys_mutex released = CSYS_MUTEX_INIT;
static csys_mutex kept = CSYS_MUTEX_INIT;
static int uses; /* under used */

static void use_locks(void *value)
{
	csys_mutex_lock(&used);
	uses++;
	csys_mutex_unlock(&used);
	if (value == &released)
		csys_mutex_unlock(&released);
	else if (value == &kept)
		csys_mutex_lock(&kept);
}

static void *leave_it_to_destructors(void *unused)
{
	csys_mutex_lock(&released);
	pthread_setspecific(before, &released);
	pthread_setspecific(after, &kept);
	return unused;
}

static void other_destructors_may_lock_unlock_and_keep(void **state)
{
	(void)state;
	assert_int_equal(pthread_key_create(&before, use_locks), 0);
	csys_mutex_lock(&used); /* now csys has its key */
	csys_mutex_unlock(&used);
	assert_int_equal(pthread_key_create(&after, use_locks), 0);
	for (int ours = 0; ours <= 1; ours++) {
		uses = 0;
		if (ours)
			assert_int_equal(run_ours(leave_it_to_destructors, NULL), 0);
		else
			run_foreign(leave_it_to_destructors, NULL);
		assert_int_equal(uses, 2);
		assert_true(is_free(&used, 0));
		assert_true(is_free(&released, 0));
		assert_true(is_free(&kept, CSYS_POISONED));
		csys_mutex_clear_poison(&kept);
	}
	pthread_key_delete(before);
	pthread_key_delete(after);
}

/* ---- cleanup handlers --------------------------------------------------- */

static void unlock_it(void *lock)
{
	csys_mutex_unlock(lock);
}

static void *exit_with_a_handler(void *lock)
{
	csys_mutex_lock(lock);
	pthread_cleanup_push(unlock_it, lock);
	pthread_exit(NULL);
	pthread_cleanup_pop(0);
	return NULL;
}

static void a_handler_that_unlocks_keeps_it_from_being_poisoned(void **state)
{
	(void)state;
	csys_mutex lock = CSYS_MUTEX_INIT;
	run_foreign(exit_with_a_handler, &lock);
	assert_true(is_free(&lock, 0));
	assert_int_equal(run_ours(exit_with_a_handler, &lock), CSYS_EPANICKED);
	assert_true(is_free(&lock, 0));
}

/* ---- fork --------------------------------------------------------------- */

static struct locks forked;

static void look_in_the_child(void)
{
	/* They are the child's now, and only its. */
	CHECK(csysi_ledger_depth() == 3);
	for (int i = 0; i < 3; i++)
		CHECK(is_free(&forked.many[i], CSYS_EAGAIN));
	for (int i = 2; i >= 0; i--)
		csys_mutex_unlock(&forked.many[i]);
	for (int i = 0; i < 3; i++)
		CHECK(is_free(&forked.many[i], 0));
	if (WITH_TSAN)
		return;
	/* Threads of the child end as others do. */
	csys_thread *thread = NULL;
	forked.count = 3;
	CHECK(csys_thread_spawn(take_them_to_the_grave, &forked, NULL, &thread) == 0);
	CHECK(csys_thread_join(thread, NULL) == 0);
	csys_thread_unref(thread);
	for (int i = 0; i < 3; i++)
		CHECK(is_free(&forked.many[i], CSYS_POISONED));
}

static void *hold_and_fork(void *unused)
{
	for (int i = 0; i < 3; i++)
		csys_mutex_lock(&forked.many[i]);
	in_child(look_in_the_child);
	for (int i = 0; i < 3; i++)
		csys_mutex_unlock(&forked.many[i]);
	return unused;
}

static void the_locks_of_a_forking_thread_are_held_in_both(void **state)
{
	(void)state;
	hold_and_fork(NULL);
	if (!under_valgrind()) /* misses the other threads' stacks in the child */
		run_ours(hold_and_fork, NULL);
	for (int i = 0; i < 3; i++)
		assert_true(is_free(&forked.many[i], 0));
}

/* ---- by chance, against a plain account --------------------------------- */

/*
 * What one thread holds, counted in a way that cannot be wrong, beside the locks themselves.
 * Bodies of catches, one in the other, do what falls to them, and return or panic.
 */
#define EACH 12
#define STEPS 30
#define NESTED 4

struct account {
	int mutexes[EACH];
	int levels[EACH];
	int reads[EACH];
	int writes[EACH];
	int is_poisoned[3][EACH]; /* mutexes, reentrant, rwlocks */
};

static struct chance {
	csys_mutex mutexes[EACH];
	csys_reentrant reentrants[EACH];
	csys_rwlock rwlocks[EACH];
	csys_condvar condvar;
	struct account account;
	uint32_t seed;
	int depth;
} chance;

static uint32_t roll(uint32_t sides)
{
	chance.seed = chance.seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)chance.seed * sides) >> 32);
}

static void step_mutex(int i)
{
	csys_mutex *mutex = &chance.mutexes[i];
	int *is_held = &chance.account.mutexes[i];
	if (*is_held && roll(3) == 0) {
		(void)!csys_condvar_wait_until(&chance.condvar, mutex, CSYS_POLL);
		return;
	}
	if (*is_held)
		csys_mutex_unlock(mutex);
	else
		csys_mutex_lock(mutex);
	*is_held = !*is_held;
}

static void step_reentrant(int i)
{
	int *level = &chance.account.levels[i];
	if (*level == 0 || roll(2) == 0) {
		csys_reentrant_lock(&chance.reentrants[i]);
		++*level;
	} else {
		csys_reentrant_unlock(&chance.reentrants[i]);
		--*level;
	}
}

static void step_rwlock(int i)
{
	csys_rwlock *lock = &chance.rwlocks[i];
	int *reads = &chance.account.reads[i];
	int *writes = &chance.account.writes[i];
	uint32_t what = roll(3);
	if (*writes > 0 && what == 0) {
		csys_rwlock_downgrade(lock);
		*writes = 0;
		*reads = 1;
	} else if (*writes > 0) {
		csys_rwlock_unlock_write(lock);
		*writes = 0;
	} else if (*reads == 0 && what == 0) {
		csys_rwlock_write(lock);
		*writes = 1;
	} else if (*reads == 0 || what == 0) {
		csys_rwlock_read(lock);
		++*reads;
	} else if (what == 1 && *reads == 1) {
		CHECK(csys_rwlock_try_upgrade(lock) >= 0);
		*reads = 0;
		*writes = 1;
	} else {
		csys_rwlock_unlock_read(lock);
		--*reads;
	}
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

/* What a catch promises, after a panic, of what was held at it. */
static void go_back_to(const struct account *then)
{
	struct account *now = &chance.account;
	for (int i = 0; i < EACH; i++) {
		if (now->mutexes[i] && !then->mutexes[i])
			now->is_poisoned[0][i] = 1;
		now->mutexes[i] = now->mutexes[i] && then->mutexes[i];
		if (now->levels[i] > 0 && then->levels[i] == 0)
			now->is_poisoned[1][i] = 1;
		now->levels[i] = now->levels[i] > 0 ? then->levels[i] : 0;
		if (now->writes[i] && !then->writes[i])
			now->is_poisoned[2][i] = 1;
		int is_held = now->writes[i] || now->reads[i] > 0;
		/* A write lock in place of several read locks is all of them again. */
		int reads = now->writes[i] ? then->reads[i] : now->reads[i];
		now->writes[i] = is_held && then->writes[i];
		now->reads[i] = least(reads, then->reads[i]);
	}
}

static void compare(void)
{
	const struct account *account = &chance.account;
	size_t depth = 0;
	for (int i = 0; i < EACH; i++) {
		const csys_mutex *mutex = &chance.reentrants[i].mutex;
		CHECK(csysi_holds(&chance.mutexes[i], CSYSI_HELD_MUTEX) == account->mutexes[i]);
		CHECK(csysi_holds(mutex, CSYSI_HELD_MUTEX) == (account->levels[i] > 0));
		CHECK(csysi_holds(&chance.rwlocks[i], CSYSI_HELD_WRITE) == account->writes[i]);
		CHECK(csysi_holds(&chance.rwlocks[i], CSYSI_HELD_READ) == (account->reads[i] > 0));
		CHECK(csys_mutex_is_poisoned(&chance.mutexes[i]) == account->is_poisoned[0][i]);
		CHECK(csys_mutex_is_poisoned(mutex) == account->is_poisoned[1][i]);
		CHECK(csys_rwlock_is_poisoned(&chance.rwlocks[i]) == account->is_poisoned[2][i]);
		if (account->levels[i] > 0)
			CHECK(chance.reentrants[i].more + 1 == (uint32_t)account->levels[i]);
		depth += (size_t)(account->mutexes[i] + (account->levels[i] > 0) +
				  account->reads[i] + account->writes[i]);
	}
	CHECK(csysi_ledger_depth() == depth);
}

static void act(void *unused)
{
	(void)unused;
	for (uint32_t left = roll(STEPS); left > 0; left--) {
		int i = (int)roll(EACH);
		switch (roll(chance.depth < NESTED ? 7 : 6)) {
		case 0:
		case 1:
			step_mutex(i);
			break;
		case 2:
		case 3:
			step_reentrant(i);
			break;
		case 4:
		case 5:
			step_rwlock(i);
			break;
		default: {
			struct account then = chance.account;
			chance.depth++;
			int r = csys_panic_catch(act, NULL, NULL);
			chance.depth--;
			if (r < 0)
				go_back_to(&then);
			compare();
		}
		}
	}
	if (chance.depth > 0 && roll(2) == 0)
		csys_panic("by chance");
}

static void release_all(void)
{
	struct account *account = &chance.account;
	for (int i = 0; i < EACH; i++) {
		if (account->mutexes[i])
			csys_mutex_unlock(&chance.mutexes[i]);
		while (account->levels[i]-- > 0)
			csys_reentrant_unlock(&chance.reentrants[i]);
		while (account->reads[i]-- > 0)
			csys_rwlock_unlock_read(&chance.rwlocks[i]);
		if (account->writes[i])
			csys_rwlock_unlock_write(&chance.rwlocks[i]);
		CHECK(chance.mutexes[i].word == 0 && chance.reentrants[i].mutex.word == 0);
		CHECK((chance.rwlocks[i].word & ~CSYSI_RWLOCK_PHASE) == 0);
	}
}

static void *act_by_chance(void *seed)
{
	chance = (struct chance){ .seed = *(uint32_t *)seed };
	for (int round = 0; round < 20; round++)
		act(NULL);
	compare();
	release_all();
	CHECK(csysi_ledger_depth() == 0);
	return NULL;
}

static void what_was_held_at_a_catch_is_held_after_a_panic(void **state)
{
	(void)state;
	csys_panic_set_hook(be_silent, NULL);
	for (uint32_t seed = 1; seed <= 50; seed++)
		run_foreign(act_by_chance, &seed);
	csys_panic_set_hook(NULL, NULL);
}

/* ---- how long it takes -------------------------------------------------- */

#define DEEP 20000

static csys_mutex deep[DEEP];
static csys_rwlock read_often;

/* Notes looked at for each operation, on average. */
static void took(unsigned long since, unsigned long operations)
{
	CHECK(csysi_ledger_looks - since <= 12 * operations);
}

static void wait_once(void *unused)
{
	(void)unused;
	csys_condvar condvar = CSYS_CONDVAR_INIT;
	(void)!csys_condvar_wait_until(&condvar, &deep[DEEP / 2], CSYS_POLL);
}

static void *go_deep(void *unused)
{
	/* 7919 has no factor in common with DEEP. */
	const int steps[] = { 1, DEEP - 1, 7919 };
	for (int i = 0; i < 3; i++) {
		unsigned long since = csysi_ledger_looks;
		for (int k = 0; k < DEEP; k++)
			csys_mutex_lock(&deep[k]);
		for (int k = 0, at = 0; k < DEEP; k++, at = (at + steps[i]) % DEEP)
			csys_mutex_unlock(&deep[at]);
		took(since, 2 * DEEP);
		CHECK(csysi_ledger_depth() == 0);
	}
	for (int k = 0; k < DEEP; k++)
		csys_mutex_lock(&deep[k]);
	/* Others beside them, and the same one many times. */
	unsigned long since = csysi_ledger_looks;
	for (int k = 0; k < DEEP; k++) {
		csys_rwlock_read(&read_often);
		CHECK(csysi_holds(&deep[k], CSYSI_HELD_MUTEX));
		CHECK(!csysi_holds(&read_often, CSYSI_HELD_WRITE));
	}
	for (int k = 0; k < DEEP; k++)
		csys_rwlock_unlock_read(&read_often);
	took(since, 4 * DEEP);
	/* Catches cost nothing more, nor does an old lock that is waited with. */
	since = csysi_ledger_looks;
	for (int k = 0; k < DEEP; k++)
		CHECK(csys_panic_catch(wait_once, NULL, NULL) == 0);
	took(since, 2 * DEEP);
	/* The end of the thread has the rest to do. */
	since = csysi_ledger_looks;
	csysi_ledger_abandon();
	took(since, DEEP);
	return unused;
}

static void every_operation_looks_at_a_few_notes(void **state)
{
	(void)state;
	run_foreign(go_deep, NULL);
	for (int k = 0; k < DEEP; k++)
		assert_int_equal(deep[k].word, 0);
	assert_true(csys_mutex_is_poisoned(&deep[0]) && csys_mutex_is_poisoned(&deep[DEEP - 1]));
}

/* ---- without memory ----------------------------------------------------- */

static void *lock_without_memory(void *argument)
{
	struct locks *locks = argument;
	csysi_fault_arm(1); /* the end cannot be watched */
	csys_mutex_lock(&locks->many[0]);
	CHECK(csysi_fault_fired());
	csysi_fault_arm(0);
	for (int i = 1; i <= 16; i++)
		csys_mutex_lock(&locks->many[i]);
	csysi_fault_arm(1); /* the ledger cannot grow */
	csys_mutex_lock(&locks->many[17]);
	CHECK(csysi_fault_fired());
	csysi_fault_arm(0);
	csys_mutex_unlock(&locks->many[0]);
	for (int i = 17; i >= 1; i--)
		csys_mutex_unlock(&locks->many[i]);
	CHECK(csysi_ledger_depth() == 0);
	for (int i = 0; i < MANY; i++)
		CHECK(is_free(&locks->many[i], 0));
	return NULL;
}

static void a_lock_that_cannot_be_noted_is_a_lock_still(void **state)
{
	(void)state;
	struct locks locks = { .count = 0 };
	run_foreign(lock_without_memory, &locks);
}

static void change_the_level(void *lock)
{
	(void)csys_reentrant_lock(lock);
	csys_reentrant_unlock(lock);
}

static void change_it_inside(void *lock)
{
	CHECK(csys_panic_catch(change_the_level, lock, NULL) == 0);
	change_the_level(lock);
	CHECK(csys_panic_catch(change_the_level, lock, NULL) == 0);
}

static void a_catch_that_is_over_leaves_no_notes(void **state)
{
	(void)state;
	csys_panic_body *bodies[] = { change_the_level, change_it_inside };
	csys_reentrant lock = CSYS_REENTRANT_INIT;
	assert_int_equal(csys_reentrant_lock(&lock), 0);
	const void *alone = csysi_ledger.only;
	assert_ptr_equal(alone, CSYSI_ENTRY(&lock.mutex, CSYSI_HELD_MUTEX));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_panic_catch(bodies[i], &lock, NULL), 0);
		assert_ptr_equal(csysi_ledger.only, alone);
	}
	csys_reentrant_unlock(&lock);
	assert_null(csysi_ledger.only);
}

static void a_kind_that_fits_no_entry_is_told_from_the_lock_behind_it(void **state)
{
	(void)state;
	/* A kind to come.  As an entry it would be the mutex at the next word. */
	enum { LATER = CSYSI_HELD_IN_ENTRY };
	uint32_t words[2] = { 0 };
	uint32_t marks = 0;
	assert_int_equal(csysi_enter(&marks, &words[1], CSYSI_HELD_MUTEX), 0);
	assert_false(csysi_holds(&words[0], LATER));
	assert_int_equal(csysi_leave(&marks, &words[1], CSYSI_HELD_MUTEX), 1);

	assert_int_equal(csysi_enter(&marks, &words[0], LATER), 0);
	assert_true(csysi_holds(&words[0], LATER));
	assert_false(csysi_holds(&words[1], CSYSI_HELD_MUTEX));
	assert_int_equal(csysi_ledger_depth(), 1);
	assert_int_equal(csysi_leave(&marks, &words[0], LATER), 1);
	assert_false(csysi_holds(&words[0], LATER));
	assert_int_equal(csysi_ledger_depth(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(however_a_thread_ends_its_locks_are_poisoned_and_released),
		TEST(any_number_of_locks_is_noted),
		TEST(locks_may_be_released_in_any_order),
		TEST(nothing_is_left_in_the_ledger_of_a_thread_that_holds_nothing),
		TEST(the_newest_is_released_first_and_waiters_wake),
		TEST(other_destructors_may_lock_unlock_and_keep),
		TEST(a_handler_that_unlocks_keeps_it_from_being_poisoned),
		TEST(the_locks_of_a_forking_thread_are_held_in_both),
		TEST(what_was_held_at_a_catch_is_held_after_a_panic),
		TEST(every_operation_looks_at_a_few_notes),
		TEST(a_lock_that_cannot_be_noted_is_a_lock_still),
		TEST(a_catch_that_is_over_leaves_no_notes),
		TEST(a_kind_that_fits_no_entry_is_told_from_the_lock_behind_it),
	};
	return RUN(tests);
}
