/*
 * sync/test_rwlock_upgradable.c - promises of csys/sync/rwlock.h about upgradable and recursive
 * reads.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"
#include "support/thread.h"

static csys_rwlock lock;

static uint32_t word(void)
{
	return __atomic_load_n(&lock.word, __ATOMIC_RELAXED);
}

static void wait_for(uint32_t sign)
{
	while (!(word() & sign))
		take_a_nap();
}

/* What another thread can have at this moment, of reading, upgradable reading, writing. */
struct allowed {
	int read, upgradable, write;
};

static void *try_all(void *argument)
{
	const struct allowed *allowed = argument;
	int r = csys_rwlock_try_read(&lock);
	assert_int_equal(r, allowed->read);
	if (r == 0)
		csys_rwlock_unlock_read(&lock);
	r = csys_rwlock_try_upgradable_read(&lock);
	assert_int_equal(r, allowed->upgradable);
	if (r == 0)
		csys_rwlock_unlock_upgradable(&lock);
	r = csys_rwlock_upgradable_read_until(&lock, CSYS_POLL);
	assert_int_equal(r, allowed->upgradable ? CSYS_ETIMEDOUT : 0);
	if (r == 0)
		csys_rwlock_unlock_upgradable(&lock);
	r = csys_rwlock_upgradable_read_until(&lock, csys_after_ms(1));
	assert_int_equal(r, allowed->upgradable ? CSYS_ETIMEDOUT : 0);
	if (r == 0)
		csys_rwlock_unlock_upgradable(&lock);
	r = csys_rwlock_try_write(&lock);
	assert_int_equal(r, allowed->write);
	if (r == 0)
		csys_rwlock_unlock_write(&lock);
	return NULL;
}

static struct allowed all = { 0, 0, 0 }, none = { CSYS_EAGAIN, CSYS_EAGAIN, CSYS_EAGAIN },
		      reading = { 0, CSYS_EAGAIN, CSYS_EAGAIN },
		      unless_writing = { 0, 0, CSYS_EAGAIN };

static void one_reads_upgradably_beside_readers_alone(void **state)
{
	(void)state;
	assert_int_equal(csys_rwlock_upgradable_read(&lock), 0);
	csys_rwlock_assert_upgradable(&lock);
	csys_rwlock_assert_read(&lock);
	assert_int_equal(csys_rwlock_is_locked(&lock), 1);
	assert_int_equal(csys_rwlock_is_write_locked(&lock), 0);
	run_threads(1, try_all, &reading);
	csys_rwlock_unlock_upgradable(&lock);
	run_threads(1, try_all, &all);
	csys_rwlock_read(&lock);
	run_threads(1, try_all, &unless_writing);
	csys_rwlock_unlock_read(&lock);
	csys_rwlock_write(&lock);
	run_threads(1, try_all, &none);
	csys_rwlock_unlock_write(&lock);
	assert_int_equal(word(), 0); /* the failed tries and waits left no trace */
}

static void it_changes_to_every_other_way_and_back(void **state)
{
	(void)state;
	csys_rwlock_upgradable_read(&lock);
	assert_int_equal(csys_rwlock_upgrade(&lock), 0);
	csys_rwlock_assert_write(&lock);
	run_threads(1, try_all, &none);
	csys_rwlock_downgrade_to_upgradable(&lock);
	csys_rwlock_assert_upgradable(&lock);
	run_threads(1, try_all, &reading);
	assert_int_equal(csys_rwlock_try_upgrade(&lock), 0);
	csys_rwlock_downgrade_to_upgradable(&lock);
	assert_int_equal(csys_rwlock_upgrade_until(&lock, CSYS_POLL), 0);
	csys_rwlock_downgrade_to_upgradable(&lock);
	csys_rwlock_downgrade_upgradable(&lock);
	csys_rwlock_assert_read(&lock);
	run_threads(1, try_all, &unless_writing);
	csys_rwlock_unlock_read(&lock);
	run_threads(1, try_all, &all);
}

static pthread_barrier_t both;

static void *read_for_a_while(void *argument)
{
	csys_rwlock_read(&lock);
	pthread_barrier_wait(&both);
	wait_for(CSYSI_RWLOCK_WRITERS_WAIT);
	for (int i = 0; i < 5; i++)
		take_a_nap();
	__atomic_store_n((int *)argument, 1, __ATOMIC_RELAXED);
	csys_rwlock_unlock_read(&lock);
	return NULL;
}

static void an_upgrade_waits_for_the_readers_and_goes_before_writers(void **state)
{
	(void)state;
	pthread_t reader;
	int has_read = 0;
	pthread_barrier_init(&both, NULL, 2);
	csys_rwlock_upgradable_read(&lock);
	assert_int_equal(pthread_create(&reader, NULL, read_for_a_while, &has_read), 0);
	pthread_barrier_wait(&both);
	assert_int_equal(csys_rwlock_try_upgrade(&lock), CSYS_EAGAIN);
	csys_rwlock_assert_upgradable(&lock);
	lock.writers += 0x10001; /* a writer that has waited for long, and sleeps */
	assert_int_equal(csys_rwlock_upgrade(&lock), 0);
	assert_int_equal(__atomic_load_n(&has_read, __ATOMIC_RELAXED), 1);
	csys_rwlock_assert_write(&lock);
	assert_int_equal(word(), CSYSI_RWLOCK_WRITER | CSYSI_RWLOCK_WRITERS_WAIT);
	pthread_join(reader, NULL);
	lock.writers -= 0x10001;
	__atomic_fetch_and(&lock.word, ~CSYSI_RWLOCK_WRITERS_WAIT, __ATOMIC_RELAXED);
	csys_rwlock_unlock_write(&lock);
	run_threads(1, try_all, &all);
}

static void *hold_reading(void *argument)
{
	(void)argument;
	csys_rwlock_read(&lock);
	pthread_barrier_wait(&both);
	pthread_barrier_wait(&both);
	csys_rwlock_unlock_read(&lock);
	return NULL;
}

static void an_upgrade_that_gives_up_leaves_it_upgradable(void **state)
{
	(void)state;
	pthread_t reader;
	pthread_barrier_init(&both, NULL, 2);
	csys_rwlock_upgradable_read(&lock);
	assert_int_equal(pthread_create(&reader, NULL, hold_reading, NULL), 0);
	pthread_barrier_wait(&both);
	uint32_t before = word();
	assert_int_equal(csys_rwlock_upgrade_until(&lock, CSYS_POLL), CSYS_ETIMEDOUT);
	csys_deadline deadline = csys_after_ms(3);
	assert_int_equal(csys_rwlock_upgrade_until(&lock, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	assert_int_equal(word(), before);
	assert_int_equal(lock.writers, 0);
	csys_rwlock_assert_upgradable(&lock);
	run_threads(1, try_all, &reading);
	pthread_barrier_wait(&both);
	pthread_join(reader, NULL);
	assert_int_equal(csys_rwlock_upgrade_until(&lock, csys_after_ms(1000)), 0);
	csys_rwlock_unlock_write(&lock);
}

static void *write_it(void *argument)
{
	csys_rwlock_write(&lock);
	*(int *)argument += 1;
	csys_rwlock_unlock_write(&lock);
	return NULL;
}

static void *read_upgradably(void *argument)
{
	csys_rwlock_upgradable_read(&lock);
	__atomic_store_n((int *)argument, 1, __ATOMIC_RELAXED);
	csys_rwlock_unlock_upgradable(&lock);
	return NULL;
}

static void a_reader_that_waits_to_be_upgradable_is_let_in_by_a_downgrade(void **state)
{
	(void)state;
	pthread_t waiter, writer;
	int is_in = 0, written = 0;
	csys_rwlock_write(&lock);
	assert_int_equal(pthread_create(&writer, NULL, write_it, &written), 0);
	wait_for(CSYSI_RWLOCK_WRITERS_WAIT);
	assert_int_equal(pthread_create(&waiter, NULL, read_upgradably, &is_in), 0);
	wait_for(CSYSI_RWLOCK_UPGRADABLE_WAITS);
	/* Not by one to upgradable: that one comes first. */
	csys_rwlock_downgrade_to_upgradable(&lock);
	assert_true(word() & CSYSI_RWLOCK_UPGRADABLE_WAITS);
	assert_int_equal(csys_rwlock_upgrade(&lock), 0);
	csys_rwlock_downgrade(&lock);
	pthread_join(waiter, NULL); /* past the writer, which waits for this thread */
	assert_int_equal(is_in, 1);
	csys_rwlock_unlock_read(&lock);
	pthread_join(writer, NULL);
	assert_int_equal(written, 1);
}

static void one_that_waits_for_long_goes_before_the_next_writer(void **state)
{
	(void)state;
	pthread_t waiter;
	int is_in = 0;
	csys_rwlock_write(&lock);
	assert_int_equal(pthread_create(&waiter, NULL, read_upgradably, &is_in), 0);
	wait_for(CSYSI_RWLOCK_HUNGRY);
	__atomic_fetch_add(&lock.writers, 1, __ATOMIC_RELAXED); /* a writer that sleeps on */
	__atomic_fetch_or(&lock.word, CSYSI_RWLOCK_WRITERS_WAIT, __ATOMIC_RELAXED);
	csys_rwlock_unlock_write(&lock);
	pthread_join(waiter, NULL);
	assert_int_equal(is_in, 1);
	assert_int_equal(word(), CSYSI_RWLOCK_WRITERS_WAIT);
	lock = (csys_rwlock)CSYS_RWLOCK_INIT;
}

static void a_downgrade_to_a_usual_reader_lets_in_the_next(void **state)
{
	(void)state;
	pthread_t waiter;
	int is_in = 0;
	csys_rwlock_write(&lock);
	assert_int_equal(pthread_create(&waiter, NULL, read_upgradably, &is_in), 0);
	wait_for(CSYSI_RWLOCK_HUNGRY);
	take_a_nap();
	/* It stays one that has waited for long, up to the next writer that leaves. */
	csys_rwlock_downgrade_to_upgradable(&lock);
	assert_int_equal(word(), CSYSI_RWLOCK_UPGRADABLE | CSYSI_RWLOCK_UPGRADABLE_WAITS |
					 CSYSI_RWLOCK_HUNGRY | 1);
	csys_rwlock_downgrade_upgradable(&lock);
	pthread_join(waiter, NULL); /* beside this reader */
	assert_int_equal(is_in, 1);
	assert_int_equal(word(), 1);
	csys_rwlock_unlock_read(&lock);
}

static void an_unlock_wakes_the_next_and_a_writer(void **state)
{
	(void)state;
	pthread_t waiter, writer;
	int is_in = 0, written = 0;
	csys_rwlock_upgradable_read(&lock);
	assert_int_equal(pthread_create(&waiter, NULL, read_upgradably, &is_in), 0);
	wait_for(CSYSI_RWLOCK_HUNGRY); /* from here on it sleeps until it is woken */
	take_a_nap();
	csys_rwlock_unlock_upgradable(&lock);
	pthread_join(waiter, NULL);
	assert_int_equal(is_in, 1);
	csys_rwlock_upgradable_read(&lock);
	assert_int_equal(pthread_create(&writer, NULL, write_it, &written), 0);
	wait_for(CSYSI_RWLOCK_WRITERS_WAIT);
	take_a_nap();
	csys_rwlock_unlock_upgradable(&lock);
	pthread_join(writer, NULL);
	assert_int_equal(written, 1);
	assert_int_equal(word(), 0);
}

static void *give_up(void *argument)
{
	(void)argument;
	assert_int_equal(csys_rwlock_upgradable_read_until(&lock, csys_after_ms(5)),
			 CSYS_ETIMEDOUT);
	return NULL;
}

static void those_that_wait_to_be_upgradable_follow_each_other_and_may_give_up(void **state)
{
	(void)state;
	pthread_t threads[8];
	int is_in = 0;
	csys_rwlock_upgradable_read(&lock);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						i % 2 ? read_upgradably : give_up, &is_in),
				 0);
	for (int i = 0; i < 8; i += 2)
		pthread_join(threads[i], NULL);
	assert_int_equal(is_in, 0);
	csys_rwlock_unlock_upgradable(&lock);
	for (int i = 1; i < 8; i += 2)
		pthread_join(threads[i], NULL);
	assert_int_equal(word(), 0);
	assert_int_equal(lock.turn.word, 0);
}

static void *die_upgradable(void *argument)
{
	csys_rwlock_upgradable_read(argument);
	return NULL;
}

static void *die_upgraded(void *argument)
{
	csys_rwlock_upgradable_read(argument);
	csys_rwlock_upgrade(argument);
	return NULL;
}

static void one_that_ends_is_released_and_poisons_only_what_it_wrote(void **state)
{
	(void)state;
	csys_rwlock one = CSYS_RWLOCK_INIT;
	run_threads(1, die_upgradable, &one);
	assert_int_equal(one.word, 0);
	assert_int_equal(csys_rwlock_is_poisoned(&one), 0);
	run_threads(1, die_upgraded, &one);
	assert_int_equal(one.word, 0);
	assert_int_equal(csys_rwlock_upgradable_read(&one), CSYS_POISONED);
	assert_int_equal(csys_rwlock_upgrade(&one), CSYS_POISONED);
	csys_rwlock_clear_poison(&one);
	csys_rwlock_unlock_write(&one);
	assert_int_equal(csys_rwlock_read_recursive(&one), 0);
	csys_rwlock_unlock_read(&one);
}

/* In which ways a panic finds it, and what it was before. */
static int way;

static void change_and_panic(void *argument)
{
	csys_rwlock *one = argument;
	if (way == 0) {
		csys_rwlock_upgrade(one);
	} else if (way == 1) {
		csys_rwlock_downgrade_upgradable(one);
	} else if (way == 2) {
		csys_rwlock_unlock_upgradable(one);
		csys_rwlock_write(one);
	}
	csys_panic("on purpose");
}

static void be_quiet(const csys_panic_info *info, void *argument)
{
	(void)info;
	(void)argument;
}

static void a_panic_goes_back_to_upgradable(void **state)
{
	(void)state;
	csys_panic_set_hook(be_quiet, NULL);
	for (way = 0; way < 4; way++) {
		csys_rwlock one = CSYS_RWLOCK_INIT;
		csys_rwlock_upgradable_read(&one);
		assert_int_equal(csys_panic_catch(change_and_panic, &one, NULL), CSYS_EPANICKED);
		assert_int_equal(one.word, CSYSI_RWLOCK_UPGRADABLE | 1);
		assert_int_equal(csys_rwlock_is_poisoned(&one), way == 0 || way == 2);
		csys_rwlock_assert_upgradable(&one);
		csys_rwlock_unlock_upgradable(&one);
		assert_int_equal(one.word, 0);
	}
	csys_panic_set_hook(NULL, NULL);
}

static void downgrade_and_panic(void *argument)
{
	csys_rwlock *one = argument;
	if (way == CSYSI_HELD_WRITE) {
		csys_rwlock_downgrade_to_upgradable(one);
	} else {
		assert_int_equal(csys_rwlock_try_upgrade(one), 0);
		csys_rwlock_downgrade_to_upgradable(one);
	}
	csys_panic("on purpose");
}

static void a_panic_goes_back_from_upgradable(void **state)
{
	(void)state;
	csys_panic_set_hook(be_quiet, NULL);
	csys_rwlock one = CSYS_RWLOCK_INIT;
	way = CSYSI_HELD_WRITE;
	csys_rwlock_write(&one);
	assert_int_equal(csys_panic_catch(downgrade_and_panic, &one, NULL), CSYS_EPANICKED);
	csys_rwlock_assert_write(&one);
	csys_rwlock_unlock_write(&one);
	assert_int_equal(one.word, 0);
	way = CSYSI_HELD_READ;
	csys_rwlock_read(&one);
	assert_int_equal(csys_panic_catch(downgrade_and_panic, &one, NULL), CSYS_EPANICKED);
	assert_int_equal(one.word, 1);
	csys_rwlock_assert_read(&one);
	csys_rwlock_unlock_read(&one);
	assert_int_equal(one.word, 0);
	csys_panic_set_hook(NULL, NULL);
}

static void *read_recursively(void *argument)
{
	assert_int_equal(csys_rwlock_try_read(&lock), CSYS_EAGAIN);
	assert_int_equal(csys_rwlock_read_until(&lock, csys_after_ms(1)), CSYS_ETIMEDOUT);
	assert_int_equal(csys_rwlock_try_read_recursive(&lock), 0);
	csys_rwlock_unlock_read(&lock);
	assert_int_equal(csys_rwlock_read_recursive_until(&lock, CSYS_POLL), 0);
	csys_rwlock_unlock_read(&lock);
	assert_int_equal(csys_rwlock_read_recursive(&lock), 0);
	csys_rwlock_unlock_read(&lock);
	return argument;
}

static void *wait_recursively(void *argument)
{
	assert_int_equal(csys_rwlock_try_read_recursive(&lock), CSYS_EAGAIN);
	assert_int_equal(csys_rwlock_read_recursive_until(&lock, csys_after_ms(1)), CSYS_ETIMEDOUT);
	__atomic_store_n((int *)argument, 1, __ATOMIC_RELAXED);
	assert_int_equal(csys_rwlock_read_recursive(&lock), 0);
	csys_rwlock_unlock_read(&lock);
	return NULL;
}

static void a_recursive_read_goes_past_a_waiting_writer_not_past_one_inside(void **state)
{
	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		pthread_t writer, reader;
		int written = 0, gave_up = 0;
		if (plain)
			csys_rwlock_init_no_poison(&lock);
		csys_rwlock_read(&lock);
		assert_int_equal(pthread_create(&writer, NULL, write_it, &written), 0);
		wait_for(CSYSI_RWLOCK_WRITERS_WAIT);
		run_threads(1, read_recursively, NULL);
		assert_int_equal(csys_rwlock_read_recursive(&lock), 0); /* without a ledger, too */
		csys_rwlock_unlock_read(&lock);
		csys_rwlock_unlock_read(&lock);
		pthread_join(writer, NULL);
		assert_int_equal(written, 1);
		csys_rwlock_write(&lock);
		assert_int_equal(pthread_create(&reader, NULL, wait_recursively, &gave_up), 0);
		while (!__atomic_load_n(&gave_up, __ATOMIC_RELAXED))
			take_a_nap();
		wait_for(CSYSI_RWLOCK_WAITING);
		csys_rwlock_unlock_write(&lock);
		pthread_join(reader, NULL);
	}
	csys_rwlock_init(&lock);
}

static void *read_recursively_late(void *argument)
{
	csys_deadline deadline = csys_after_ms(400);
	*(int *)argument = csys_rwlock_read_recursive_until(&lock, deadline);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	return NULL;
}

static void a_recursive_reader_whose_deadline_has_passed_goes_past_a_waiting_writer(void **state)
{
	(void)state;
	pthread_t reader;
	int r = 77;
	if (csys_sync_is_checked())
		skip_because("in a checked build a sleeping reader looks again, and is let in");
	csys_rwlock_write(&lock);
	assert_int_equal(pthread_create(&reader, NULL, read_recursively_late, &r), 0);
	wait_for(CSYSI_RWLOCK_HUNGRY);
	/* Clear HUNGRY, so that it is not let in.  It sets that again if it was not asleep yet. */
	do {
		__atomic_fetch_and(&lock.word, ~CSYSI_RWLOCK_HUNGRY, __ATOMIC_RELAXED);
		for (int i = 0; i < 20; i++)
			take_a_nap();
	} while (word() & CSYSI_RWLOCK_HUNGRY);
	/* A writer that sleeps on. */
	__atomic_fetch_add(&lock.writers, 1, __ATOMIC_RELAXED);
	__atomic_fetch_or(&lock.word, CSYSI_RWLOCK_WRITERS_WAIT, __ATOMIC_RELAXED);
	csys_rwlock_unlock_write(&lock);
	pthread_join(reader, NULL);
	assert_int_equal(r, 0);
	lock = (csys_rwlock)CSYS_RWLOCK_INIT;
}

static void an_upgradable_reader_may_read_again_past_writers(void **state)
{
	(void)state;
	pthread_t writer;
	int written = 0;
	csys_rwlock_upgradable_read(&lock);
	assert_int_equal(pthread_create(&writer, NULL, write_it, &written), 0);
	wait_for(CSYSI_RWLOCK_WRITERS_WAIT);
	assert_int_equal(csys_rwlock_read(&lock), 0);
	assert_int_equal(csys_rwlock_upgrade_until(&lock, csys_after_ms(1)), CSYS_ETIMEDOUT);
	csys_rwlock_unlock_read(&lock);
	assert_int_equal(csys_rwlock_upgrade(&lock), 0);
	assert_int_equal(written, 0);
	csys_rwlock_unlock_write(&lock);
	pthread_join(writer, NULL);
}

static void init_makes_a_free_one_of_any_memory(void **state)
{
	(void)state;
	csys_rwlock one, init = CSYS_RWLOCK_INIT, plain = CSYS_RWLOCK_INIT_NO_POISON;
	memset(&one, 0xa5, sizeof one);
	csys_rwlock_init(&one);
	assert_memory_equal(&one, &init, sizeof one);
	memset(&one, 0xa5, sizeof one);
	csys_rwlock_init_no_poison(&one);
	assert_memory_equal(&one, &plain, sizeof one);
}

static void upgrade_a_read_lock(void)
{
	csys_rwlock one = CSYS_RWLOCK_INIT;
	csys_rwlock_read(&one);
	csys_rwlock_upgrade(&one);
}

static void upgrade_what_another_holds(void)
{
	run_threads(1, die_upgradable, &lock); /* not released: */
	csys_rwlock_init_no_poison(&lock);
	csys_rwlock_upgrade(&lock);
}

static void unlock_a_read_lock_upgradably(void)
{
	csys_rwlock one = CSYS_RWLOCK_INIT_NO_POISON;
	csys_rwlock_read(&one);
	csys_rwlock_unlock_upgradable(&one);
}

static void unlock_an_upgradable_one_as_read(void)
{
	csys_rwlock one = CSYS_RWLOCK_INIT;
	csys_rwlock_upgradable_read(&one);
	csys_rwlock_unlock_read(&one);
}

static void downgrade_a_read_lock(void)
{
	csys_rwlock one = CSYS_RWLOCK_INIT_NO_POISON;
	csys_rwlock_read(&one);
	csys_rwlock_downgrade_upgradable(&one);
}

static void misuse_aborts_with_a_line(void **state)
{
	(void)state;
	assert_aborts(upgrade_a_read_lock,
		      "csys: upgrade of a rwlock that is not read upgradably\n");
	assert_aborts(upgrade_what_another_holds,
		      "csys: upgrade of a rwlock that is not read upgradably\n");
	assert_aborts(unlock_a_read_lock_upgradably,
		      "csys: unlock of a rwlock that nobody reads upgradably\n");
	assert_aborts(unlock_an_upgradable_one_as_read,
		      "csys: unlock of a lock that this thread does not hold\n");
	assert_aborts(downgrade_a_read_lock,
		      "csys: downgrade of a rwlock that nobody reads upgradably\n");
}

struct shared {
	csys_rwlock lock;
	int users;
};

static void *use_and_free(void *argument)
{
	struct shared *shared = argument;
	csys_rwlock_upgradable_read(&shared->lock);
	csys_rwlock_unlock_upgradable(&shared->lock);
	csys_rwlock_upgradable_read(&shared->lock);
	csys_rwlock_upgrade(&shared->lock);
	int left = --shared->users;
	csys_rwlock_downgrade_to_upgradable(&shared->lock);
	csys_rwlock_unlock_upgradable(&shared->lock);
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
		TEST(one_reads_upgradably_beside_readers_alone),
		TEST(it_changes_to_every_other_way_and_back),
		TEST(an_upgrade_waits_for_the_readers_and_goes_before_writers),
		TEST(an_upgrade_that_gives_up_leaves_it_upgradable),
		TEST(a_reader_that_waits_to_be_upgradable_is_let_in_by_a_downgrade),
		TEST(one_that_waits_for_long_goes_before_the_next_writer),
		TEST(a_downgrade_to_a_usual_reader_lets_in_the_next),
		TEST(an_unlock_wakes_the_next_and_a_writer),
		TEST(those_that_wait_to_be_upgradable_follow_each_other_and_may_give_up),
		TEST(one_that_ends_is_released_and_poisons_only_what_it_wrote),
		TEST(a_panic_goes_back_to_upgradable),
		TEST(a_panic_goes_back_from_upgradable),
		TEST(a_recursive_read_goes_past_a_waiting_writer_not_past_one_inside),
		TEST(a_recursive_reader_whose_deadline_has_passed_goes_past_a_waiting_writer),
		TEST(an_upgradable_reader_may_read_again_past_writers),
		TEST(init_makes_a_free_one_of_any_memory),
		TEST(misuse_aborts_with_a_line),
		TEST(it_may_be_freed_right_after_the_last_unlock),
	};
	return RUN(tests);
}
