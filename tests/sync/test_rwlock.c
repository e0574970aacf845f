/*
 * sync/test_rwlock.c - promises of csys/sync/rwlock.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"
#include "support/thread.h"

static csys_rwlock lock;

static void it_is_small_and_valid_when_zero(void **state)
{
	(void)state;
	csys_rwlock zero;
	memset(&zero, 0, sizeof zero);
	assert_true(sizeof zero <= 16);
	assert_int_equal(csys_rwlock_write(&zero), 0);
	csys_rwlock_unlock_write(&zero);
	assert_int_equal(csys_rwlock_read(&zero), 0);
	csys_rwlock_unlock_read(&zero);
	csys_rwlock init = CSYS_RWLOCK_INIT;
	assert_memory_equal(&init, &zero, sizeof init);
}

static void *try_all(void *argument)
{
	int *expected = argument; /* of reading, of writing */
	int r = csys_rwlock_try_read(&lock);
	assert_int_equal(r, expected[0]);
	if (r == 0)
		csys_rwlock_unlock_read(&lock);
	r = csys_rwlock_try_write(&lock);
	assert_int_equal(r, expected[1]);
	if (r == 0)
		csys_rwlock_unlock_write(&lock);
	r = csys_rwlock_read_until(&lock, CSYS_POLL);
	assert_int_equal(r, expected[0] ? CSYS_ETIMEDOUT : 0);
	if (r == 0)
		csys_rwlock_unlock_read(&lock);
	csys_deadline deadline = csys_after_ms(1);
	r = csys_rwlock_write_until(&lock, deadline);
	assert_int_equal(r, expected[1] ? CSYS_ETIMEDOUT : 0);
	if (r == 0)
		csys_rwlock_unlock_write(&lock);
	else
		assert_true(csys_now() >= csys_deadline_ns(deadline));
	return NULL;
}

static void it_tells_whether_it_is_locked_and_how(void **state)
{
	(void)state;
	csys_rwlock one = CSYS_RWLOCK_INIT;
	assert_int_equal(csys_rwlock_is_locked(&one), 0);
	assert_int_equal(csys_rwlock_is_write_locked(&one), 0);
	csys_rwlock_read(&one);
	assert_int_equal(csys_rwlock_is_locked(&one), 1);
	assert_int_equal(csys_rwlock_is_write_locked(&one), 0);
	csys_rwlock_unlock_read(&one);
	csys_rwlock_write(&one);
	assert_int_equal(csys_rwlock_is_locked(&one), 1);
	assert_int_equal(csys_rwlock_is_write_locked(&one), 1);
	csys_rwlock_downgrade(&one);
	assert_int_equal(csys_rwlock_is_locked(&one), 1);
	assert_int_equal(csys_rwlock_is_write_locked(&one), 0);
	csys_rwlock_unlock_read(&one);
	assert_int_equal(csys_rwlock_is_locked(&one), 0);
}

static void many_read_or_one_writes(void **state)
{
	(void)state;
	int all[] = { 0, 0 }, readers[] = { 0, CSYS_EAGAIN }, none[] = { CSYS_EAGAIN, CSYS_EAGAIN };
	run_threads(1, try_all, all);
	csys_rwlock_read(&lock);
	run_threads(1, try_all, readers);
	csys_rwlock_unlock_read(&lock);
	csys_rwlock_write(&lock);
	run_threads(1, try_all, none);
	csys_rwlock_unlock_write(&lock);
	/* The failed tries and waits left no trace. */
	run_threads(1, try_all, all);
}

static void *write_it(void *argument)
{
	(void)argument;
	csys_rwlock_write(&lock);
	csys_rwlock_unlock_write(&lock);
	return NULL;
}

static void wait_for_a_writer(void)
{
	while (!(__atomic_load_n(&lock.word, __ATOMIC_RELAXED) & CSYSI_RWLOCK_WRITERS_WAIT))
		take_a_nap();
}

static void *read_now(void *argument)
{
	*(int *)argument = csys_rwlock_try_read(&lock);
	if (*(int *)argument == 0)
		csys_rwlock_unlock_read(&lock);
	return NULL;
}

static void a_waiting_writer_keeps_new_readers_out(void **state)
{
	(void)state;
	pthread_t writer;
	int result = 1;
	csys_rwlock_read(&lock);
	assert_int_equal(pthread_create(&writer, NULL, write_it, NULL), 0);
	wait_for_a_writer();
	run_threads(1, read_now, &result);
	assert_int_equal(result, CSYS_EAGAIN);
	/* But not one that reads already: that would wait for itself. */
	assert_int_equal(csys_rwlock_read(&lock), 0);
	assert_int_equal(csys_rwlock_try_read(&lock), 0);
	assert_int_equal(csys_rwlock_read_until(&lock, CSYS_FOREVER), 0);
	for (int i = 0; i < 4; i++)
		csys_rwlock_unlock_read(&lock);
	pthread_join(writer, NULL);
	run_threads(1, read_now, &result);
	assert_int_equal(result, 0);
}

static void *give_up_writing(void *argument)
{
	(void)argument;
	assert_int_equal(csys_rwlock_write_until(&lock, csys_after_ms(20)), CSYS_ETIMEDOUT);
	return NULL;
}

static void *read_it(void *argument)
{
	(void)argument;
	csys_rwlock_read(&lock);
	csys_rwlock_unlock_read(&lock);
	return NULL;
}

static void a_writer_that_gives_up_lets_the_readers_in(void **state)
{
	(void)state;
	pthread_t writer, reader;
	csys_rwlock_read(&lock);
	assert_int_equal(pthread_create(&writer, NULL, give_up_writing, NULL), 0);
	wait_for_a_writer();
	assert_int_equal(pthread_create(&reader, NULL, read_it, NULL), 0);
	pthread_join(writer, NULL);
	pthread_join(reader, NULL); /* would hang: this one still reads */
	csys_rwlock_unlock_read(&lock);
}

static int order, reader_came, writer_came;

static void *read_in_order(void *argument)
{
	(void)argument;
	csys_rwlock_read(&lock);
	reader_came = __atomic_add_fetch(&order, 1, __ATOMIC_SEQ_CST);
	csys_rwlock_unlock_read(&lock);
	return NULL;
}

static void *write_in_order(void *argument)
{
	(void)argument;
	csys_rwlock_write(&lock);
	writer_came = __atomic_add_fetch(&order, 1, __ATOMIC_SEQ_CST);
	csys_rwlock_unlock_write(&lock);
	return NULL;
}

/* Write, and have a writer wait, and then a reader until the word has the `sign` of that. */
static void write_before_two(pthread_t *writer, pthread_t *reader, uint32_t sign)
{
	order = 0;
	csys_rwlock_write(&lock);
	assert_int_equal(pthread_create(writer, NULL, write_in_order, NULL), 0);
	wait_for_a_writer();
	assert_int_equal(pthread_create(reader, NULL, read_in_order, NULL), 0);
	while (!(__atomic_load_n(&lock.word, __ATOMIC_RELAXED) & sign))
		take_a_nap();
}

static void readers_that_wait_for_long_go_before_the_next_writer(void **state)
{
	(void)state;
	pthread_t writer, reader;
	write_before_two(&writer, &reader, CSYSI_RWLOCK_HUNGRY);
	csys_rwlock_unlock_write(&lock);
	pthread_join(reader, NULL);
	pthread_join(writer, NULL);
	assert_int_equal(reader_came, 1);
	assert_int_equal(writer_came, 2);
}

static void downgrading_lets_no_writer_between(void **state)
{
	(void)state;
	pthread_t writer, reader;
	write_before_two(&writer, &reader, CSYSI_RWLOCK_WAITING);
	csys_rwlock_downgrade(&lock);
	csys_rwlock_assert_read(&lock);
	pthread_join(reader, NULL); /* let in, past the writer */
	assert_int_equal(reader_came, 1);
	assert_int_equal(__atomic_load_n(&order, __ATOMIC_SEQ_CST), 1);
	csys_rwlock_unlock_read(&lock);
	pthread_join(writer, NULL);
}

static void the_only_reader_can_upgrade(void **state)
{
	(void)state;
	int none[] = { CSYS_EAGAIN, CSYS_EAGAIN };
	csys_rwlock_read(&lock);
	csys_rwlock_read(&lock);
	assert_int_equal(csys_rwlock_try_upgrade(&lock), CSYS_EAGAIN);
	csys_rwlock_unlock_read(&lock);
	assert_int_equal(csys_rwlock_try_upgrade(&lock), 0);
	csys_rwlock_assert_write(&lock);
	run_threads(1, try_all, none);
	csys_rwlock_unlock_write(&lock);
}

static void *die_reading(void *argument)
{
	csys_rwlock_read(argument);
	return NULL;
}

static void *die_writing(void *argument)
{
	csys_rwlock_write(argument);
	return NULL;
}

static void *die_downgraded(void *argument)
{
	csys_rwlock_write(argument);
	csys_rwlock_downgrade(argument);
	return NULL;
}

static void only_writers_poison_it(void **state)
{
	(void)state;
	run_threads(3, die_reading, &lock);
	run_threads(1, die_downgraded, &lock);
	assert_int_equal(csys_rwlock_is_poisoned(&lock), 0);
	assert_int_equal(csys_rwlock_write(&lock), 0); /* they are released */
	csys_rwlock_unlock_write(&lock);

	run_threads(1, die_writing, &lock);
	assert_int_equal(csys_rwlock_is_poisoned(&lock), 1);
	assert_int_equal(csys_rwlock_read(&lock), CSYS_POISONED);
	assert_int_equal(csys_rwlock_try_upgrade(&lock), CSYS_POISONED);
	csys_rwlock_unlock_write(&lock);
	assert_int_equal(csys_rwlock_try_read(&lock), CSYS_POISONED);
	csys_rwlock_unlock_read(&lock);
	assert_int_equal(csys_rwlock_read_until(&lock, CSYS_POLL), CSYS_POISONED);
	csys_rwlock_unlock_read(&lock);
	assert_int_equal(csys_rwlock_write(&lock), CSYS_POISONED);
	csys_rwlock_clear_poison(&lock);
	csys_rwlock_unlock_write(&lock);
	assert_int_equal(csys_rwlock_try_write(&lock), 0);
	csys_rwlock_poison(&lock);
	csys_rwlock_unlock_write(&lock);
	assert_int_equal(csys_rwlock_try_write(&lock), CSYS_POISONED);
	csys_rwlock_clear_poison(&lock);
	csys_rwlock_unlock_write(&lock);
}

static void one_without_poison_is_never_poisoned(void **state)
{
	(void)state;
	csys_rwlock plain = CSYS_RWLOCK_INIT_NO_POISON;
	csys_rwlock_poison(&plain);
	assert_int_equal(csys_rwlock_is_poisoned(&plain), 0);
	run_threads(1, die_writing, &plain);
	assert_int_equal(csys_rwlock_try_read(&plain), CSYS_EAGAIN);
}

static void it_can_be_read_very_often(void **state)
{
	(void)state;
	csys_rwlock plain = CSYS_RWLOCK_INIT_NO_POISON;
	for (int i = 0; i < 65535; i++)
		assert_int_equal(csys_rwlock_try_read(&plain), 0);
	assert_int_equal(csys_rwlock_try_read(&plain), CSYS_EAGAIN);
	assert_int_equal(csys_rwlock_try_write(&plain), CSYS_EAGAIN);
	csys_rwlock_unlock_read(&plain);
	assert_int_equal(csys_rwlock_read(&plain), 0);
	for (int i = 0; i < 65535; i++)
		csys_rwlock_unlock_read(&plain);
	assert_int_equal(csys_rwlock_try_write(&plain), 0);
}

static void read_until_gives_up_where_too_many_read(void **state)
{
	(void)state;
	csys_rwlock plain = CSYS_RWLOCK_INIT_NO_POISON;
	for (int i = 0; i < 65535; i++)
		assert_int_equal(csys_rwlock_try_read(&plain), 0);

	assert_int_equal(csys_rwlock_read_until(&plain, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_rwlock_read_until(&plain, csys_after_ms(1)), CSYS_ETIMEDOUT);

	for (int i = 0; i < 65535; i++)
		csys_rwlock_unlock_read(&plain);
	assert_int_equal(csys_rwlock_try_write(&plain), 0); /* it left no trace */
}

static void unlock_unread(void)
{
	csys_rwlock one = CSYS_RWLOCK_INIT;
	csys_rwlock_unlock_read(&one);
}

static void unlock_unread_without_poison(void)
{
	csys_rwlock one = CSYS_RWLOCK_INIT_NO_POISON;
	csys_rwlock_unlock_read(&one);
}

static void unlock_unwritten_without_poison(void)
{
	csys_rwlock one = CSYS_RWLOCK_INIT_NO_POISON;
	csys_rwlock_unlock_write(&one);
}

static void unlock_the_other_way(void)
{
	csys_rwlock one = CSYS_RWLOCK_INIT;
	csys_rwlock_read(&one);
	csys_rwlock_unlock_write(&one);
}

static void misuse_aborts_with_a_line(void **state)
{
	(void)state;
	assert_aborts(unlock_unread, "csys: unlock of a lock that this thread does not hold\n");
	assert_aborts(unlock_the_other_way,
		      "csys: unlock of a lock that this thread does not hold\n");
	assert_aborts(unlock_unread_without_poison, "csys: unlock of a rwlock that nobody reads\n");
	assert_aborts(unlock_unwritten_without_poison,
		      "csys: unlock of a rwlock that nobody writes\n");
}

struct shared {
	csys_rwlock lock;
	int users;
};

static void *use_and_free(void *argument)
{
	struct shared *shared = argument;
	csys_rwlock_read(&shared->lock);
	csys_rwlock_unlock_read(&shared->lock);
	csys_rwlock_write(&shared->lock);
	int left = --shared->users;
	csys_rwlock_unlock_write(&shared->lock);
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

/* Parts of the word and of `writers`, as in src/sync/rwlock.c. */
enum { ONE_HUNGRY = 0x10000, MOST_WRITERS = 0xffff };

static void a_lock_that_others_come_first_for_is_left_to_them(void **state)
{
	(void)state;
	csys_rwlock one = CSYS_RWLOCK_INIT;
	one.word = CSYSI_RWLOCK_WRITERS_WAIT;
	one.writers = ONE_HUNGRY + 1;
	assert_int_equal(csys_rwlock_try_write(&one), CSYS_EAGAIN);
	assert_int_equal(csys_rwlock_write_until(&one, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(csys_rwlock_write_until(&one, csys_deadline_at(csys_now() - 1)),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_rwlock_write_until(&one, csys_after_us(500)), CSYS_ETIMEDOUT);
	assert_int_equal(csys_rwlock_read_until(&one, CSYS_POLL), CSYS_ETIMEDOUT);
	assert_int_equal(one.word, CSYSI_RWLOCK_WRITERS_WAIT);
	assert_int_equal(one.writers, ONE_HUNGRY + 1);
}

struct late_reader {
	csys_rwlock lock;
	csys_deadline deadline;
	int result;
};

static void *read_late(void *argument)
{
	struct late_reader *late = argument;
	late->result = csys_rwlock_read_until(&late->lock, late->deadline);
	if (late->result == 0)
		csys_rwlock_unlock_read(&late->lock);
	return NULL;
}

static void read_until_takes_what_is_free_at_its_deadline(void **state)
{
	(void)state;
	int met = 0;
	for (int round = 0; round < 2000 && met < 20; round++) {
		struct late_reader late = { .lock = CSYS_RWLOCK_INIT_NO_POISON, .result = 77 };
		pthread_t thread;
		late.lock.word = CSYSI_RWLOCK_WRITER;
		late.deadline = csys_after_us(800);
		assert_int_equal(pthread_create(&thread, NULL, read_late, &late), 0);
		while (!(__atomic_load_n(&late.lock.word, __ATOMIC_RELAXED) &
			 CSYSI_RWLOCK_WAITING) &&
		       csys_deadline_left(late.deadline) > 0)
			csys_thread_yield();
		/* The writer leaves, and its wake is still to come. */
		__atomic_fetch_and(&late.lock.word, ~CSYSI_RWLOCK_WRITER, __ATOMIC_RELEASE);
		int is_in_time = csys_deadline_left(late.deadline) > 0;
		pthread_join(thread, NULL);
		if (is_in_time) {
			assert_int_equal(late.result, 0);
			met++;
		}
		assert_int_equal(late.lock.word, 0);
	}
	assert_true(met > 0);
}

static csys_rwlock crowded = CSYS_RWLOCK_INIT_NO_POISON;
static int gave_up; /* atomic */

static void *write_a_moment(void *argument)
{
	(void)argument;
	assert_int_equal(csys_rwlock_write_until(&crowded, csys_after_ms(5)), CSYS_ETIMEDOUT);
	__atomic_fetch_add(&gave_up, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void *read_a_moment(void *argument)
{
	(void)argument;
	assert_int_equal(csys_rwlock_read_until(&crowded, csys_after_ms(5)), CSYS_ETIMEDOUT);
	__atomic_fetch_add(&gave_up, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void full_counts_of_those_that_wait_do_not_overflow(void **state)
{
	(void)state;
	const uint32_t word =
		CSYSI_RWLOCK_WRITER | CSYSI_RWLOCK_WRITERS_WAIT | CSYSI_RWLOCK_WAITING;
	pthread_t threads[4];
	crowded.word = word;
	crowded.writers = MOST_WRITERS;
	gave_up = 0;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						i % 2 ? read_a_moment : write_a_moment, NULL),
				 0);
	while (__atomic_load_n(&gave_up, __ATOMIC_RELAXED) < 4) {
		assert_int_equal(__atomic_load_n(&crowded.writers, __ATOMIC_RELAXED), MOST_WRITERS);
		assert_int_equal(__atomic_load_n(&crowded.word, __ATOMIC_RELAXED), word);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_small_and_valid_when_zero),
		TEST(it_tells_whether_it_is_locked_and_how),
		TEST(many_read_or_one_writes),
		TEST(a_waiting_writer_keeps_new_readers_out),
		TEST(a_writer_that_gives_up_lets_the_readers_in),
		TEST(readers_that_wait_for_long_go_before_the_next_writer),
		TEST(downgrading_lets_no_writer_between),
		TEST(the_only_reader_can_upgrade),
		TEST(only_writers_poison_it),
		TEST(one_without_poison_is_never_poisoned),
		TEST(it_can_be_read_very_often),
		TEST(read_until_gives_up_where_too_many_read),
		TEST(misuse_aborts_with_a_line),
		TEST(it_may_be_freed_right_after_the_last_unlock),
		TEST(a_lock_that_others_come_first_for_is_left_to_them),
		TEST(read_until_takes_what_is_free_at_its_deadline),
		TEST(full_counts_of_those_that_wait_do_not_overflow),
	};
	return RUN(tests);
}
