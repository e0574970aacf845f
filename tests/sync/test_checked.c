/*
 * sync/test_checked.c - promises of csys/sync/checked.h; in the usual build only a few.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/sync/typed_channel.h>

#include "base/atomic.h"
#include "support/support.h"
#include "sync/checked.h"
#include "support/thread.h"

#define TEST_CHECKED(name) cmocka_unit_test_setup_teardown(name, before, after)

/* ---- what was reported ------------------------------------------------------------------- */

static int reports, last;
static char said[4096];
static csys_mutex in_hook = CSYS_MUTEX_INIT;

static int keep(int what, const char *text, void *argument)
{
	csys_mutex_lock(&in_hook); /* is not in the book */
	assert_ptr_equal(argument, &reports);
	reports++;
	last = what;
	snprintf(said, sizeof said, "%s", text);
	csys_mutex_unlock(&in_hook);
	return what == CSYS_CHECK_DEADLOCK; /* where the test would hang */
}

static int before(void **state)
{
	reports = last = 0;
	said[0] = '\0';
	csys_sync_set_hook(keep, &reports);
	return support_before(state);
}

static int after(void **state)
{
	csys_sync_set_hook(NULL, NULL);
	return support_after(state);
}

/* A report of this kind, and no other, that names these lines of this file, up to 0. */
static void assert_reported(int what, const int *lines)
{
	assert_int_equal(reports, 1);
	assert_int_equal(last, what);
	for (; *lines; lines++) {
		char place[300];
		snprintf(place, sizeof place, "%s:%d", __FILE__, *lines);
		if (!strstr(said, place))
			fail_msg("no %s in: %s", place, said);
	}
	reports = 0;
}

static void only_in_a_checked_build(void)
{
	if (!csys_sync_is_checked())
		skip_because("this is the usual build");
}

/* ---- inversions ---------------------------------------------------------------------------- */

static void an_inversion_is_reported_at_first_sight_with_all_places(void **state)
{
	(void)state;
	only_in_a_checked_build();
	csys_mutex a = CSYS_MUTEX_INIT, b = CSYS_MUTEX_INIT;
	int lines[5] = { 0 };

	csys_mutex_lock(&a), lines[0] = __LINE__;
	csys_mutex_lock(&b), lines[1] = __LINE__;
	csys_mutex_unlock(&b);
	csys_mutex_unlock(&a);
	assert_int_equal(reports, 0);

	csys_mutex_lock(&b), lines[2] = __LINE__;
	assert_int_equal(reports, 0);
	csys_mutex_lock(&a), lines[3] = __LINE__;
	assert_reported(CSYS_CHECK_ORDER, lines);
	char locks[2][40];
	snprintf(locks[0], sizeof locks[0], "mutex %p", (void *)&a);
	snprintf(locks[1], sizeof locks[1], "mutex %p", (void *)&b);
	assert_non_null(strstr(said, locks[0]));
	assert_non_null(strstr(said, locks[1]));
	csys_mutex_unlock(&a);
	csys_mutex_unlock(&b);

	/* Once is enough, in both orders. */
	csys_mutex_lock(&b);
	csys_mutex_lock(&a);
	csys_mutex_unlock(&b);
	csys_mutex_lock(&b);
	csys_mutex_unlock(&a);
	csys_mutex_unlock(&b);
	assert_int_equal(reports, 0);
	csys_sync_forget(&a, sizeof a);
	csys_sync_forget(&b, sizeof b);
}

#define SEATS 5
static csys_mutex forks[SEATS];

/* Takes the left fork, then the right one. */
static void dine(int seat)
{
	csys_mutex_lock(&forks[seat]);
	csys_mutex_lock(&forks[(seat + 1) % SEATS]);
	csys_mutex_unlock(&forks[(seat + 1) % SEATS]);
	csys_mutex_unlock(&forks[seat]);
}

static void *dine_in_a_thread(void *argument)
{
	dine(*(int *)argument);
	return NULL;
}

static void a_ring_over_threads_is_an_inversion(void **state)
{
	(void)state;
	only_in_a_checked_build();
	for (int seat = 0; seat < SEATS - 1; seat++)
		run_threads(1, dine_in_a_thread, &seat);
	assert_int_equal(reports, 0);
	dine(SEATS - 1);
	assert_int_equal(reports, 1);
	assert_int_equal(last, CSYS_CHECK_ORDER);
	for (int seat = 0; seat < SEATS; seat++) {
		char lock[40];
		snprintf(lock, sizeof lock, "mutex %p", (void *)&forks[seat]);
		assert_non_null(strstr(said, lock));
	}
	csys_sync_forget(forks, sizeof forks);
}

static void one_order_is_no_inversion(void **state)
{
	(void)state;
	only_in_a_checked_build();
	csys_rwlock lock = CSYS_RWLOCK_INIT;
	for (int seat = 0; seat < SEATS - 1; seat++) /* the last one would close the ring */
		dine(seat);
	csys_mutex_lock(&forks[0]);
	csys_mutex_lock(&forks[4]);
	csys_mutex_unlock(&forks[0]); /* the order of unlocking is free */
	csys_mutex_unlock(&forks[4]);
	csys_rwlock_read(&lock);
	csys_mutex_lock(&forks[0]);
	csys_rwlock_read(&lock); /* reading while reading too */
	csys_mutex_unlock(&forks[0]);
	csys_rwlock_unlock_read(&lock);
	csys_rwlock_unlock_read(&lock);
	assert_int_equal(reports, 0);
	csys_sync_forget(forks, sizeof forks);
	csys_sync_forget(&lock, sizeof lock);
}

static struct {
	csys_mutex mutex;
	csys_reentrant reentrant;
	csys_rwlock rwlock;
	csys_once once;
} all;

static int take_the_mutex(void *argument)
{
	(void)argument;
	csys_mutex_lock(&all.mutex);
	csys_mutex_unlock(&all.mutex);
	return CSYS_EAGAIN; /* so that it is not done */
}

static int not_now(void *argument)
{
	(void)argument;
	return CSYS_EAGAIN;
}

enum { REENTRANT, READ, WRITE, BY_DEADLINE, KINDS };

static int take(int kind)
{
	switch (kind) {
	case REENTRANT:
		csys_reentrant_lock(&all.reentrant);
		return csys_reentrant_lock(&all.reentrant);
	case READ:
		return csys_rwlock_read(&all.rwlock);
	case WRITE:
		return csys_rwlock_write(&all.rwlock);
	default:
		return csys_rwlock_write_until(&all.rwlock, csys_after_ms(60000));
	}
}

static void give(int kind)
{
	if (kind == REENTRANT) {
		csys_reentrant_unlock(&all.reentrant);
		csys_reentrant_unlock(&all.reentrant);
	} else if (kind == READ) {
		csys_rwlock_unlock_read(&all.rwlock);
	} else {
		csys_rwlock_unlock_write(&all.rwlock);
	}
}

static void locks_of_all_kinds_have_an_order(void **state)
{
	(void)state;
	only_in_a_checked_build();
	for (int kind = 0; kind < KINDS; kind++) {
		csys_mutex_lock(&all.mutex);
		assert_int_equal(take(kind), 0);
		give(kind);
		csys_mutex_unlock(&all.mutex);
		assert_int_equal(reports, 0);
		assert_int_equal(take(kind), 0);
		csys_mutex_lock(&all.mutex);
		assert_reported(CSYS_CHECK_ORDER, (int[]){ __LINE__ - 1, 0 });
		csys_mutex_unlock(&all.mutex);
		give(kind);
		csys_sync_forget(&all, sizeof all);
	}
}

static int nothing(void *argument)
{
	(void)argument;
	return 0;
}

static void a_once_and_what_its_body_takes_have_an_order(void **state)
{
	(void)state;
	only_in_a_checked_build();
	assert_int_equal(csys_once_call(&all.once, take_the_mutex, NULL), CSYS_EAGAIN);
	int line = __LINE__ - 1;
	assert_int_equal(reports, 0);
	/* Another thread might be in the body, and want the mutex. */
	csys_mutex_lock(&all.mutex);
	assert_int_equal(csys_once_call(&all.once, not_now, NULL), CSYS_EAGAIN);
	assert_reported(CSYS_CHECK_ORDER, (int[]){ line, __LINE__ - 1, __LINE__ - 2, 0 });
	csys_mutex_unlock(&all.mutex);
	assert_non_null(strstr(said, "once 0x"));
	csys_sync_forget(&all, sizeof all);

	/* And it might be waited for. */
	assert_int_equal(csys_once_call_force(&all.once, take_the_mutex, NULL), CSYS_EAGAIN);
	csys_mutex_lock(&all.mutex);
	assert_int_equal(csys_once_wait_until(&all.once, csys_after_ms(1)), CSYS_ETIMEDOUT);
	assert_reported(CSYS_CHECK_ORDER, (int[]){ __LINE__ - 1, 0 });
	csys_mutex_unlock(&all.mutex);
	csys_sync_forget(&all, sizeof all);

	/* But for one that is done nobody waits. */
	assert_int_equal(csys_once_call(&all.once, take_the_mutex, NULL), CSYS_EAGAIN);
	assert_int_equal(csys_once_call(&all.once, nothing, NULL), 0);
	csys_mutex_lock(&all.mutex);
	assert_int_equal(csys_once_call(&all.once, not_now, NULL), 0);
	assert_int_equal(csys_once_wait(&all.once), 0);
	csys_mutex_unlock(&all.mutex);
	memset(&all.once, 0, sizeof all.once);
	assert_int_equal(reports, 0);
	csys_sync_forget(&all, sizeof all);
}

static void a_guard_is_told_by_its_own_line(void **state)
{
	(void)state;
	only_in_a_checked_build();
	int line;
	{
		CSYS_MUTEX_GUARD(held, &all.mutex);
		line = __LINE__ - 1;
		csys_rwlock_write(&all.rwlock);
		csys_rwlock_unlock_write(&all.rwlock);
	}
	CSYS_RWLOCK_READ_GUARD(read, &all.rwlock);
	csys_mutex_lock(&all.mutex);
	assert_reported(CSYS_CHECK_ORDER, (int[]){ line, __LINE__ - 2, 0 });
	csys_mutex_unlock(&all.mutex);
	csys_sync_forget(&all.mutex, sizeof all.mutex);
}

static int say_no(int what, const char *text, void *argument)
{
	(void)text;
	(void)argument;
	return what == CSYS_CHECK_ORDER;
}

static void invert(void)
{
	csys_sync_set_hook(say_no, NULL);
	for (int seat = 0; seat < SEATS; seat++)
		dine(seat);
}

static void a_hook_decides_whether_to_go_on(void **state)
{
	(void)state;
	only_in_a_checked_build();
	assert_aborts(invert, "csys: a check of locks has failed\n");
}

static void a_try_makes_no_order_and_what_it_took_does(void **state)
{
	(void)state;
	only_in_a_checked_build();
	csys_mutex a = CSYS_MUTEX_INIT, b = CSYS_MUTEX_INIT;
	csys_mutex_lock(&a);
	assert_int_equal(csys_mutex_try_lock(&b), 0);
	csys_mutex_unlock(&b);
	assert_int_equal(csys_mutex_lock_until(&b, CSYS_POLL), 0);
	csys_mutex_unlock(&b);
	csys_mutex_unlock(&a);
	assert_int_equal(csys_mutex_try_lock(&b), 0);
	csys_mutex_lock(&a); /* the first order of the two */
	csys_mutex_unlock(&a);
	csys_mutex_unlock(&b);
	assert_int_equal(reports, 0);
	csys_mutex_lock(&a);
	csys_mutex_lock(&b);
	assert_int_equal(reports, 1);
	csys_mutex_unlock(&b);
	csys_mutex_unlock(&a);
	csys_sync_forget(&a, sizeof a);
	csys_sync_forget(&b, sizeof b);
}

struct search {
	const char *words[4];
	int found;
	double ms; /* the number of the latest line found */
};

static void look(const char *line, void *argument)
{
	struct search *search = argument;
	int has_all = 1;
	for (int i = 0; i < 4 && search->words[i]; i++)
		has_all &= strstr(line, search->words[i]) != NULL;
	search->found += has_all;
	const char *since = strstr(line, ", taken ");
	if (has_all && since)
		search->ms = strtod(since + strlen(", taken "), NULL);
}

static int lines_with(const char *one, const char *two, const char *three)
{
	struct search search = { { one, two, three, NULL }, 0, 0 };
	assert_int_equal(csys_sync_dump(look, &search), 0);
	return search.found;
}

/* ---- deadlocks --------------------------------------------------------------------------- */

static csys_mutex first, second;
static csys_rwlock rwlock;
static pthread_barrier_t both;

static int print_deadlock(int what, const char *text, void *argument)
{
	(void)argument;
	if (what != CSYS_CHECK_DEADLOCK)
		return 0;
	fputs(text, stderr);
	return 1;
}

static void lock_twice(void)
{
	csys_mutex_lock(&first);
	csys_mutex_lock(&first);
}

static void write_while_reading(void)
{
	csys_rwlock_read(&rwlock);
	csys_rwlock_write(&rwlock);
}

static void read_while_writing(void)
{
	CSYS_RWLOCK_WRITE_GUARD(held, &rwlock);
	csys_rwlock_read(&rwlock);
}

static int wait_in_body(void *argument)
{
	return csys_once_wait(argument);
}

static void wait_for_its_own_once(void)
{
	assert_int_equal(csys_once_call(&all.once, wait_in_body, &all.once), CSYS_EDEADLK);
}

static void a_thread_that_waits_for_itself_aborts(void **state)
{
	(void)state;
	only_in_a_checked_build();
	csys_sync_set_hook(NULL, NULL);
	const char *line = "csys: threads wait for each other for ever:\n";
	assert_aborts(lock_twice, line);
	assert_aborts(write_while_reading, line);
	assert_aborts(read_while_writing, line);
	assert_aborts(wait_for_its_own_once, line);
}

static void *first_then_second(void *argument)
{
	(void)argument;
	csys_mutex_lock(&first);
	pthread_barrier_wait(&both);
	csys_mutex_lock(&second);
	return NULL;
}

static void *second_then_first(void *argument)
{
	(void)argument;
	csys_mutex_lock(&second);
	pthread_barrier_wait(&both);
	csys_mutex_lock(&first);
	return NULL;
}

static void wait_for_each_other(void)
{
	pthread_t threads[2];
	csys_sync_set_hook(print_deadlock, NULL);
	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&threads[0], NULL, first_then_second, NULL);
	pthread_create(&threads[1], NULL, second_then_first, NULL);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

static void threads_that_wait_for_each_other_abort(void **state)
{
	(void)state;
	only_in_a_checked_build();
	char lock[40];
	assert_aborts(wait_for_each_other, "csys: threads wait for each other for ever:\n");
	snprintf(lock, sizeof lock, "mutex %p", (void *)&first);
	assert_aborts(wait_for_each_other, lock);
	snprintf(lock, sizeof lock, "mutex %p", (void *)&second);
	assert_aborts(wait_for_each_other, lock);
}

/* Three threads: one reads, one waits to write, and one that comes later to read waits for the
 * writer, with a lock that the first one wants. */
static csys_rwlock shared;
static int writer_gives_up;

static void *write_shared(void *argument)
{
	if (!writer_gives_up)
		csys_rwlock_write(&shared);
	else
		CHECK(csys_rwlock_write_until(&shared, csys_after_ms(100)) == CSYS_ETIMEDOUT);
	return argument;
}

static void *come_late(void *argument)
{
	csys_mutex_lock(&first);
	csys_rwlock_read(&shared);
	csys_rwlock_unlock_read(&shared);
	csys_mutex_unlock(&first);
	return argument;
}

static void *read_and_lock_first(void *argument)
{
	csys_rwlock_read(&shared);
	pthread_barrier_wait(&both);
	pthread_barrier_wait(&both);
	csys_mutex_lock(&first);
	csys_mutex_unlock(&first);
	csys_rwlock_unlock_read(&shared);
	return argument;
}

static void await_wish(const void *lock, const char *way)
{
	char wanted[60];
	snprintf(wanted, sizeof wanted, "%p%s,", lock, way);
	while (lines_with(" waits for ", wanted, NULL) == 0)
		take_a_nap();
}

static void wait_behind_a_writer(int reader_is_last)
{
	pthread_t reader, writer, late;
	csys_sync_set_hook(print_deadlock, NULL);
	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&reader, NULL, read_and_lock_first, NULL);
	pthread_barrier_wait(&both);
	pthread_create(&writer, NULL, write_shared, NULL);
	while (!(csysi_load_relaxed(&shared.word) & CSYSI_RWLOCK_WRITERS_WAIT))
		take_a_nap();
	if (reader_is_last) {
		csys_mutex_lock(&first);
		pthread_barrier_wait(&both);
		await_wish(&first, "");
		csys_rwlock_read(&shared);
		csys_rwlock_unlock_read(&shared);
		csys_mutex_unlock(&first);
	} else {
		pthread_create(&late, NULL, come_late, NULL);
		await_wish(&shared, " (reading)");
		pthread_barrier_wait(&both);
		pthread_join(late, NULL);
	}
	pthread_join(reader, NULL);
	pthread_join(writer, NULL);
}

static void be_late_to_read(void)
{
	wait_behind_a_writer(1);
}

static void be_late_to_lock(void)
{
	wait_behind_a_writer(0);
}

static void a_reader_waits_for_a_writer_before_it(void **state)
{
	(void)state;
	only_in_a_checked_build();
	writer_gives_up = 0;
	assert_aborts(be_late_to_read, "waits to write, before it, at");
	assert_aborts(be_late_to_lock, "waits to write, before it, at");
	if (WITH_TSAN)
		return; /* allows no threads in a forked child that goes on */
	/* One that gives up lets the reader in, and all go on. */
	writer_gives_up = 1;
	in_child(be_late_to_read);
	in_child(be_late_to_lock);
}

static void *read_shared(void *argument)
{
	csys_rwlock_read(&shared);
	csys_rwlock_unlock_read(&shared);
	return argument;
}

static void *lock_first_and_read(void *argument)
{
	csys_mutex_lock(&first);
	return read_shared(argument);
}

/*
 * A writer notes what it wants before its word says that it waits.  Here all others have come to
 * wait in between: `writers` is full, so the writer cannot say so, and a writer in no book keeps
 * the reader out meanwhile.
 */
static void wait_behind_a_writer_that_came_between(void)
{
	pthread_t reader, writer, holder, late;
	csys_sync_set_hook(print_deadlock, NULL);
	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&reader, NULL, read_and_lock_first, NULL);
	pthread_barrier_wait(&both);
	csysi_store_relaxed(&shared.writers, 0xffff);
	pthread_create(&writer, NULL, write_shared, NULL);
	await_wish(&shared, " (writing)");
	csysi_store_relaxed(&shared.word, CSYSI_RWLOCK_WRITER | 1);
	pthread_create(&holder, NULL, lock_first_and_read, NULL);
	await_wish(&shared, " (reading)");
	pthread_create(&late, NULL, read_shared, NULL); /* is in no ring */
	pthread_barrier_wait(&both);
	await_wish(&first, "");
	__atomic_fetch_xor(&shared.word, CSYSI_RWLOCK_WRITER | CSYSI_RWLOCK_WRITERS_WAIT,
			   __ATOMIC_RELAXED);
	pthread_join(holder, NULL);
}

static void a_reader_finds_a_writer_that_came_between(void **state)
{
	(void)state;
	only_in_a_checked_build();
	writer_gives_up = 0;
	assert_aborts(wait_behind_a_writer_that_came_between, "waits to write, before it, at");
}

static void upgrade_while_reading_again(void)
{
	csys_sync_set_hook(print_deadlock, NULL);
	csys_rwlock_upgradable_read(&shared);
	csys_rwlock_read(&shared);
	csys_rwlock_upgrade(&shared);
}

static void read_upgradably_twice(void)
{
	csys_sync_set_hook(print_deadlock, NULL);
	csys_rwlock_upgradable_read(&shared);
	csys_rwlock_upgradable_read(&shared);
}

static void upgrade_before_a_reader_that_waits(void)
{
	pthread_t reader;
	csys_sync_set_hook(print_deadlock, NULL);
	pthread_barrier_init(&both, NULL, 2);
	csys_mutex_lock(&first);
	csys_rwlock_upgradable_read(&shared);
	pthread_create(&reader, NULL, read_and_lock_first, NULL);
	pthread_barrier_wait(&both);
	pthread_barrier_wait(&both);
	await_wish(&first, "");
	csys_rwlock_upgrade(&shared);
}

static void a_thread_that_upgrades_waits_for_the_other_readers(void **state)
{
	(void)state;
	only_in_a_checked_build();
	assert_aborts(upgrade_while_reading_again, " (upgrading) at ");
	assert_aborts(read_upgradably_twice, " (reading upgradably) at ");
	assert_aborts(upgrade_before_a_reader_that_waits, " (upgrading) at ");
	/* What is right is not reported. */
	csys_rwlock_upgradable_read(&shared);
	csys_rwlock_read_recursive(&shared);
	csys_rwlock_unlock_read(&shared);
	csys_rwlock_upgrade(&shared);
	csys_rwlock_downgrade_to_upgradable(&shared);
	csys_rwlock_downgrade_upgradable(&shared);
	csys_rwlock_unlock_read(&shared);
	assert_int_equal(reports, 0);
}

static void an_upgrade_that_was_had_is_wanted_no_more(void **state)
{
	(void)state;
	only_in_a_checked_build();
	assert_int_equal(csys_rwlock_upgradable_read(&shared), 0);
	assert_int_equal(csys_rwlock_upgrade(&shared), 0);
	/* As a reader does that has slept for long. */
	(void)csysi_checked_looks_again();
	assert_int_equal(reports, 0);
	csys_rwlock_unlock_write(&shared);
}

static int second_is_wanted(void)
{
	char lock[40];
	snprintf(lock, sizeof lock, "mutex %p,", (void *)&second);
	return lines_with(" waits for ", lock, NULL) > 0;
}

static int lock_second(void *argument)
{
	pthread_barrier_wait(&both);
	csys_mutex_lock(&second);
	return argument != NULL;
}

static void *once_then_second(void *argument)
{
	return csys_once_call(argument, lock_second, NULL) < 0 ? argument : NULL;
}

static void wait_for_each_other_by_a_once(void)
{
	static csys_once once = CSYS_ONCE_INIT;
	pthread_t thread;
	csys_sync_set_hook(print_deadlock, NULL);
	pthread_barrier_init(&both, NULL, 2);
	csys_mutex_lock(&second);
	pthread_create(&thread, NULL, once_then_second, &once);
	pthread_barrier_wait(&both);
	while (!second_is_wanted())
		take_a_nap();
	assert_int_equal(csys_once_call(&once, not_now, NULL), CSYS_EDEADLK);
}

static void a_once_is_waited_for_like_a_lock(void **state)
{
	(void)state;
	only_in_a_checked_build();
	assert_aborts(wait_for_each_other_by_a_once, " wants once 0x");
}

static void *wait_by_deadline(void *argument)
{
	(void)argument;
	csys_mutex_lock(&second);
	pthread_barrier_wait(&both);
	assert_int_equal(csys_mutex_lock_until(&first, csys_after_ms(5)), CSYS_ETIMEDOUT);
	csys_mutex_unlock(&second);
	return NULL;
}

static void a_wait_with_a_deadline_is_not_for_ever(void **state)
{
	(void)state;
	only_in_a_checked_build();
	pthread_t thread;
	csys_mutex_lock(&first);
	assert_int_equal(csys_mutex_lock_until(&first, csys_after_ms(1)), CSYS_ETIMEDOUT);
	assert_int_equal(reports, 0);
	pthread_barrier_init(&both, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, wait_by_deadline, NULL), 0);
	pthread_barrier_wait(&both);
	csys_mutex_lock(&second);
	csys_mutex_unlock(&second);
	csys_mutex_unlock(&first);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&both);
	assert_int_equal(reports, 1); /* it is an inversion all the same */
	assert_int_equal(last, CSYS_CHECK_ORDER);
	csys_sync_forget(&first, sizeof first);
	csys_sync_forget(&second, sizeof second);
}

/* ---- other misuse --------------------------------------------------------------------------- */

static csys_mutex plain = CSYS_MUTEX_INIT_NO_POISON;

static void *unlock_plain(void *argument)
{
	(void)argument;
	csys_mutex_unlock(&plain);
	return NULL;
}

static void unlock_by_another(void)
{
	csys_mutex_lock(&plain);
	run_threads(1, unlock_plain, NULL);
}

static void *unlock_first(void *argument)
{
	(void)argument;
	csys_mutex_unlock(&first);
	return NULL;
}

static void unlock_first_by_another(void)
{
	csys_mutex_lock(&first);
	run_threads(1, unlock_first, NULL);
}

static void an_unlock_by_another_thread_aborts_with_the_holder(void **state)
{
	(void)state;
	only_in_a_checked_build();
	csys_sync_set_hook(NULL, NULL);
	char line[80];
	snprintf(line, sizeof line, " unlocks mutex %p at ", (void *)&plain);
	assert_aborts(unlock_by_another, line);
	assert_aborts(unlock_by_another, ", taken at ");
	snprintf(line, sizeof line, " unlocks mutex %p at ", (void *)&first);
	assert_aborts(unlock_first_by_another, line);
}

/* ---- receivers ------------------------------------------------------------------------------ */

enum { NUMBERS_LINE = __LINE__ + 1 };
CSYS_CHANNEL_DEFINE(numbers, int);

static csys_sender *tx;
static csys_receiver *rx;
static const size_t capacities[] = { CSYS_UNBOUNDED, 4, 0 };
static int receive_line; /* atomic: several threads write the same */

static void open_numbers(size_t capacity, int many_receivers)
{
	const csys_channel_options options = { .many_receivers = many_receivers };
	assert_int_equal(csys_channel_new(sizeof(int), capacity, &options, &tx, &rx), 0);
}

static void close_numbers(void)
{
	csys_sender_close(tx);
	csys_receiver_close(rx);
}

static void *receive_one(void *argument)
{
	int number = 0;
	csysi_store_relaxed(&receive_line, __LINE__ + 1);
	CHECK(csys_receiver_recv(rx, &number) == 0);
	CHECK(number == 7);
	return argument;
}

static void begin_receive(pthread_t *thread, void *(*run)(void *))
{
	char receiver[40];
	snprintf(receiver, sizeof receiver, "receiver %p,", (void *)rx);
	assert_int_equal(pthread_create(thread, NULL, run, NULL), 0);
	while (lines_with(" receives from ", receiver, ", begun ") == 0)
		csys_thread_yield();
}

static void end_receive(pthread_t thread)
{
	int number = 7;
	assert_int_equal(csys_sender_send(tx, &number), 0);
	pthread_join(thread, NULL);
	assert_int_equal(lines_with(" receives from ", NULL, NULL), 0);
}

static int receive_by_recv_until(void)
{
	int number, line = __LINE__ + 1;
	CHECK(csys_receiver_recv_until(rx, csys_after_ms(1), &number) == CSYS_ETIMEDOUT);
	return line;
}

static int receive_by_try_recv(void)
{
	int number, line = __LINE__ + 1;
	CHECK(csys_receiver_try_recv(rx, &number) == CSYS_EAGAIN);
	return line;
}

static int receive_by_typed(void)
{
	int number;
	numbers_receiver receiver = { rx };
	CHECK(numbers_try_recv(receiver, &number) == CSYS_EAGAIN);
	return NUMBERS_LINE;
}

static int receive_by_batch(void)
{
	int number, line = __LINE__ + 2;
	size_t count;
	CHECK(csys_receiver_recv_batch(rx, &number, 1, CSYS_POLL, &count) == CSYS_ETIMEDOUT);
	return line;
}

static int receive_by_select(void)
{
	int number;
	size_t which;
	const csys_select_case cases[] = { csys_select_recv(rx, &number),
					   csys_select_recv(rx, &number) };
	CHECK(csys_try_select(cases, 2, &which) == CSYS_EAGAIN);
	return receive_line; /* the other's: its own has none */
}

static int receive_by_peek(void)
{
	void *place;
	int line = __LINE__ + 1;
	CHECK(csys_receiver_try_peek(rx, &place) == CSYS_EAGAIN);
	return line;
}

static void a_peek_while_another_thread_receives_is_reported(void **state)
{
	(void)state;
	only_in_a_checked_build();
	pthread_t thread;
	open_numbers(4, 0);
	begin_receive(&thread, receive_one);
	int lines[] = { receive_line, receive_by_peek(), 0 };
	assert_true(reports > 0);
	reports = 1;
	assert_reported(CSYS_CHECK_RECEIVER, lines);
	end_receive(thread);
	close_numbers();
}

static void two_threads_that_receive_at_once_are_reported_with_both_places(void **state)
{
	static int (*const ways[])(void) = { receive_by_recv_until, receive_by_try_recv,
					     receive_by_typed, receive_by_batch,
					     receive_by_select };
	(void)state;
	only_in_a_checked_build();
	for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
		open_numbers(capacities[i], 0);
		for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
			pthread_t thread;
			begin_receive(&thread, receive_one);
			int lines[] = { receive_line, ways[way](), 0 };
			assert_true(reports > 0); /* one for each look of a call */
			reports = 1;
			assert_reported(CSYS_CHECK_RECEIVER, lines);
			end_receive(thread);
			/* The other thread may have seen it too, and told of it a little later; but
			 * now there is only one that receives. */
			int number;
			reports = 0;
			assert_int_equal(csys_receiver_try_recv(rx, &number), CSYS_EAGAIN);
			assert_int_equal(reports, 0);
		}
		close_numbers();
	}
}

static void *select_one(void *argument)
{
	int number = 0;
	size_t which;
	const csys_select_case cases[] = { csys_select_recv(rx, &number) };
	CHECK(csys_select(cases, 1, &which) == 0);
	return argument;
}

static void a_thread_in_a_select_receives(void **state)
{
	(void)state;
	only_in_a_checked_build();
	for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
		pthread_t thread;
		open_numbers(capacities[i], 0);
		begin_receive(&thread, select_one);
		int lines[] = { receive_by_try_recv(), 0 };
		assert_true(reports > 0);
		reports = 1;
		assert_reported(CSYS_CHECK_RECEIVER, lines);
		end_receive(thread);
		close_numbers();
	}
}

static void *receive_some(void *argument)
{
	int numbers[2];
	size_t count;
	CHECK(csys_receiver_try_recv(rx, numbers) == 0);
	CHECK(csys_receiver_recv_batch(rx, numbers, 2, CSYS_POLL, &count) == 0);
	CHECK(csys_receiver_recv(rx, numbers) == 0);
	CHECK(csys_receiver_drain(rx, NULL) == 0);
	return argument;
}

static void threads_that_receive_one_after_the_other_are_not_reported(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		open_numbers(i == 0 ? CSYS_UNBOUNDED : 8, 0);
		for (int turn = 0; turn < 8; turn++) {
			for (int number = 0; number < 6; number++)
				assert_int_equal(csys_sender_send(tx, &number), 0);
			if (turn % 2)
				run_threads(1, receive_some, NULL);
			else
				(void)receive_some(NULL);
		}
		close_numbers();
	}
	assert_int_equal(reports, 0);
}

static void a_channel_for_many_receivers_has_several_threads_in_a_receive(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
		pthread_t threads[3];
		int number = 7;
		open_numbers(capacities[i], 1);
		for (int t = 0; t < 3; t++)
			assert_int_equal(pthread_create(&threads[t], NULL, receive_one, NULL), 0);
		for (int t = 0; t < 3; t++)
			assert_int_equal(csys_sender_send(tx, &number), 0);
		for (int t = 0; t < 3; t++)
			pthread_join(threads[t], NULL);
		close_numbers();
	}
	assert_int_equal(reports, 0);
}

static void receive_beside_another(void)
{
	pthread_t thread;
	int number;
	open_numbers(1, 0);
	begin_receive(&thread, receive_one);
	assert_int_equal(csys_receiver_try_recv(rx, &number), CSYS_EAGAIN);
}

static void two_threads_at_one_receiver_abort(void **state)
{
	(void)state;
	only_in_a_checked_build();
	csys_sync_set_hook(NULL, NULL);
	assert_aborts(receive_beside_another, " receives from receiver ");
	assert_aborts(receive_beside_another, ",\n  while thread ");
	assert_aborts(receive_beside_another, "two threads at once receive from one receiver");
}

/* ---- other misuse, of condvars ------------------------------------------------------------- */

static csys_condvar changed;
static int waiting; /* under first */
static int first_line, second_line;

static void *wait_with_first(void *argument)
{
	(void)argument;
	csys_mutex_lock(&first);
	waiting = 1;
	first_line = __LINE__, csys_condvar_wait(&changed, &first);
	csys_mutex_unlock(&first);
	return NULL;
}

/* The first line is known only here, so this checks it, and tells by its own line. */
static int check_both_places(int what, const char *text, void *argument)
{
	char places[2][300];
	(void)argument;
	snprintf(places[0], sizeof places[0], "%s:%d", __FILE__, first_line);
	snprintf(places[1], sizeof places[1], "%s:%d", __FILE__, second_line);
	if (what == CSYS_CHECK_CONDVAR && strstr(text, places[0]) && strstr(text, places[1]))
		fprintf(stderr, "both places\n");
	return 0;
}

static void wait_with_both(void)
{
	pthread_t thread;
	csys_sync_set_hook(check_both_places, NULL);
	pthread_create(&thread, NULL, wait_with_first, NULL);
	for (int is_waiting = 0; !is_waiting; take_a_nap()) {
		csys_mutex_lock(&first);
		is_waiting = waiting;
		csys_mutex_unlock(&first);
	}
	csys_mutex_lock(&second);
	second_line = __LINE__, csys_condvar_wait(&changed, &second);
}

static void a_condvar_with_two_mutexes_is_reported_with_both_places(void **state)
{
	(void)state;
	only_in_a_checked_build();
	assert_aborts(wait_with_both, "both places\n");
	assert_aborts(wait_with_both, "csys: a condvar with two locks at once\n");
	assert_int_equal(reports, 0);
}

/* ---- which thread holds what ------------------------------------------------------------- */

static void *wait_for_first(void *argument)
{
	(void)argument;
	csys_mutex_lock(&first);
	csys_mutex_unlock(&first);
	return NULL;
}

static void *end_with_rwlock(void *argument)
{
	csys_rwlock_write(argument);
	return NULL;
}

static void a_dump_tells_the_holders_and_the_waiters(void **state)
{
	(void)state;
	only_in_a_checked_build();
	pthread_t thread;
	char lock[40], place[300];
	csys_mutex_lock(&first);
	snprintf(place, sizeof place, " ms ago at %s:%d", __FILE__, __LINE__ - 1);
	snprintf(lock, sizeof lock, "mutex %p,", (void *)&first);
	assert_int_equal(lines_with(" holds ", lock, place), 1);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_first, NULL), 0);
	while (lines_with(" waits for ", lock, ", held by thread ") == 0)
		take_a_nap();
	csys_mutex_unlock(&first);
	pthread_join(thread, NULL);
	assert_int_equal(lines_with(lock, NULL, NULL), 0);

	snprintf(lock, sizeof lock, "rwlock %p ", (void *)&rwlock);
	csys_rwlock_write(&rwlock);
	assert_int_equal(lines_with(lock, "(writing)", NULL), 1);
	csys_rwlock_downgrade(&rwlock);
	assert_int_equal(lines_with(lock, "(reading)", NULL), 1);
	assert_int_equal(csys_rwlock_try_upgrade(&rwlock), 0);
	assert_int_equal(lines_with(lock, "(writing)", NULL), 1);
	csys_rwlock_unlock_write(&rwlock);
	run_threads(1, end_with_rwlock, &rwlock); /* released by its end */
	assert_int_equal(lines_with(lock, NULL, NULL), 0);
	csys_rwlock_clear_poison(&rwlock);
	csys_sync_forget(&rwlock, sizeof rwlock);
}

static void a_hook_that_locks_does_not_lose_the_place(void **state)
{
	(void)state;
	only_in_a_checked_build();
	char place[300];
	for (int seat = 0; seat < SEATS - 1; seat++)
		dine(seat);
	csys_mutex_lock(&forks[SEATS - 1]);
	csys_mutex_lock(&forks[0]);
	snprintf(place, sizeof place, " at %s:%d", __FILE__, __LINE__ - 1);
	assert_int_equal(reports, 1);
	assert_int_equal(lines_with(" holds ", place, NULL), 1);
	csys_mutex_unlock(&forks[0]);
	csys_mutex_unlock(&forks[SEATS - 1]);
	csys_sync_forget(forks, sizeof forks);
}

static void a_dump_tells_since_when(void **state)
{
	(void)state;
	only_in_a_checked_build();
	struct search search = { { " holds ", " ms ago at " }, 0, 0 };
	int64_t before_it = csys_now();
	csys_mutex_lock(&first);
	int64_t after_it = csys_now();
	take_a_nap();
	double least = (double)(csys_now() - after_it) / 1e6;
	assert_int_equal(csys_sync_dump(look, &search), 0);
	double most = (double)(csys_now() - before_it) / 1e6;
	csys_mutex_unlock(&first);
	assert_int_equal(search.found, 1);
	assert_true(search.ms >= least - 0.001 && search.ms <= most); /* whole us */
}

static void *leave_locked(void *argument)
{
	csys_mutex_lock(argument);
	return NULL;
}

static void locks_that_are_gone_can_be_forgotten(void **state)
{
	(void)state;
	only_in_a_checked_build();
	csys_mutex locks[2] = { CSYS_MUTEX_INIT, CSYS_MUTEX_INIT };
	for (int i = 0; i < 2; i++) {
		csys_mutex_lock(&locks[i]);
		csys_mutex_lock(&locks[1 - i]);
		csys_mutex_unlock(&locks[1 - i]);
		csys_mutex_unlock(&locks[i]);
		csys_sync_forget(locks, sizeof locks);
	}
	assert_int_equal(reports, 0);
	/* Of another kind they are others. */
	union {
		csys_mutex mutex;
		csys_rwlock rwlock;
		csys_once once;
	} reused = { CSYS_MUTEX_INIT };
	csys_mutex_lock(&locks[0]);
	csys_mutex_lock(&reused.mutex);
	csys_mutex_unlock(&reused.mutex);
	csys_mutex_unlock(&locks[0]);
	memset(&reused, 0, sizeof reused);
	csys_rwlock_write(&reused.rwlock);
	csys_mutex_lock(&locks[0]);
	csys_mutex_unlock(&locks[0]);
	csys_rwlock_unlock_write(&reused.rwlock);
	assert_int_equal(reports, 0);
	csys_mutex_lock(&all.mutex);
	csys_mutex_lock(&reused.mutex);
	csys_mutex_unlock(&reused.mutex);
	csys_mutex_unlock(&all.mutex);
	memset(&reused, 0, sizeof reused);
	assert_int_equal(csys_once_call(&reused.once, take_the_mutex, NULL), CSYS_EAGAIN);
	assert_int_equal(reports, 0);
	csys_sync_forget(&all, sizeof all);
	csys_sync_forget(locks, sizeof locks);
	csys_sync_forget(&reused, sizeof reused);
}

/* Locks, and then other things in the same memory. */
union reused {
	struct {
		csys_mutex mutex;
		csys_rwlock read, written, upgradable;
		csys_reentrant reentrant;
		csys_mutex more[40];
	} locks;
	unsigned char other[400];
};

static void lock_all(union reused *memory)
{
	csys_reentrant_lock(&memory->locks.reentrant);
	csys_rwlock_read(&memory->locks.read);
	csys_rwlock_read(&memory->locks.read);
	csys_rwlock_write(&memory->locks.written);
	csys_rwlock_upgradable_read(&memory->locks.upgradable);
	csys_mutex_lock(&memory->locks.mutex);
	for (int i = 0; i < 40; i++)
		csys_mutex_lock(&memory->locks.more[i]);
}

static void use_anew(union reused *memory)
{
	csys_sync_forget(&memory->locks, sizeof memory->locks);
	memset(memory, 0, sizeof *memory); /* no pattern that a release would leave alone */
}

static int is_untouched(const union reused *memory)
{
	static const union reused zero;
	return memcmp(memory, &zero, sizeof zero) == 0;
}

static void *lock_and_forget(void *argument)
{
	csys_mutex kept = CSYS_MUTEX_INIT;
	csys_mutex_lock(&kept);
	lock_all(argument);
	use_anew(argument);
	csys_mutex_unlock(&kept);
	return NULL;
}

static void a_thread_that_ends_does_not_touch_locks_that_are_forgotten(void **state)
{
	(void)state;
	static union reused memory;
	memset(&memory, 0, sizeof memory);
	run_threads(1, lock_and_forget, &memory);
	assert_true(is_untouched(&memory));
}

static void *forget_the_second(void *argument)
{
	csys_mutex *three = argument;
	for (int i = 0; i < 3; i++)
		csys_mutex_lock(&three[i]);
	csys_sync_forget(&three[1], sizeof three[1]);
	memset(&three[1], 0, sizeof three[1]);
	return NULL;
}

static void locks_beside_forgotten_memory_are_held_still(void **state)
{
	(void)state;
	csys_mutex three[3];
	memset(three, 0, sizeof three);
	run_threads(1, forget_the_second, three);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csys_mutex_lock(&three[i]), i == 1 ? 0 : CSYS_POISONED);
		csys_mutex_unlock(&three[i]);
	}
}

static void forget_and_panic(void *argument)
{
	union reused *memory = argument;
	csys_rwlock_unlock_write(&memory->locks.written);
	csys_rwlock_write(&memory->locks.written);
	csys_mutex_unlock(&memory->locks.mutex);
	csys_rwlock_downgrade_upgradable(&memory->locks.upgradable);
	csys_reentrant_lock(&memory->locks.reentrant);
	use_anew(memory);
	csys_mutex_lock(&memory->locks.mutex); /* another one, which the panic releases */
	csys_panic("on purpose");
}

static void be_quiet(const csys_panic_info *info, void *context)
{
	(void)info;
	(void)context;
}

static void a_panic_does_not_go_back_to_locks_that_are_forgotten(void **state)
{
	(void)state;
	static union reused memory;
	csys_mutex kept = CSYS_MUTEX_INIT;
	memset(&memory, 0, sizeof memory);
	csys_panic_set_hook(be_quiet, NULL);
	csys_mutex_lock(&kept);
	lock_all(&memory);
	assert_int_equal(csys_panic_catch(forget_and_panic, &memory, NULL), CSYS_EPANICKED);
	csys_panic_set_hook(NULL, NULL);
	assert_int_equal(csys_mutex_lock(&memory.locks.mutex), CSYS_POISONED);
	csys_mutex_clear_poison(&memory.locks.mutex);
	csys_mutex_unlock(&memory.locks.mutex);
	assert_true(is_untouched(&memory));
	csys_mutex_assert_held(&kept);
	csys_mutex_unlock(&kept);
}

static void a_lock_that_has_a_second_holder_is_another_one(void **state)
{
	(void)state;
	only_in_a_checked_build();
	csys_mutex left = CSYS_MUTEX_INIT_NO_POISON;
	char lock[40];
	snprintf(lock, sizeof lock, "mutex %p,", (void *)&left);
	csys_mutex_lock(&first);
	run_threads(1, leave_locked, &left); /* locked for ever, and the book says so */
	assert_int_equal(lines_with(" holds ", lock, NULL), 1);
	csys_mutex_unlock(&first);
	memset(&left, 0, sizeof left);
	csys_mutex_lock(&left);
	assert_int_equal(lines_with(" holds ", lock, NULL), 1);
	csys_mutex_unlock(&left);
	assert_int_equal(lines_with(lock, NULL, NULL), 0);
	assert_int_equal(reports, 0);
	csys_sync_forget(&left, sizeof left);
	csys_sync_forget(&first, sizeof first);
}

static void *hold_and_look(void *argument)
{
	char lock[40];
	snprintf(lock, sizeof lock, "mutex %p,", (void *)&first);
	csys_mutex_lock(&first);
	assert_int_equal(lines_with(" holds ", lock, NULL), 1);
	csys_mutex_unlock(&first);
	return argument;
}

static void a_full_book_begins_anew(void **state)
{
	(void)state;
	only_in_a_checked_build();
	enum { MANY = 20000 };
	csys_mutex *many = calloc(MANY, sizeof *many);
	assert_non_null(many);
	/* What is taken alone takes no room. */
	csys_mutex_lock(&first);
	csys_mutex_lock(&second);
	csys_mutex_unlock(&second);
	csys_mutex_unlock(&first);
	for (int i = 0; i < MANY; i++) {
		csys_mutex_lock(&many[i]);
		csys_mutex_unlock(&many[i]);
	}
	csys_mutex_lock(&second);
	csys_mutex_lock(&first);
	assert_reported(CSYS_CHECK_ORDER, (int[]){ __LINE__ - 1, 0 });
	csys_mutex_unlock(&first);
	csys_mutex_unlock(&second);
	csys_mutex_lock(&first);
	for (int i = 0; i < MANY; i++) {
		csys_mutex_lock(&many[i]);
		csys_mutex_unlock(&many[i]);
	}
	csys_mutex_unlock(&first);
	assert_int_equal(reports, 0);
	csys_mutex_lock(&many[MANY - 1]);
	csys_mutex_lock(&first);
	assert_int_equal(reports, 1);
	csys_mutex_unlock(&first);
	csys_mutex_unlock(&many[MANY - 1]);
	/* Of threads there may be any number, one after the other. */
	for (int i = 0; i < 600; i++)
		run_threads(1, dine_in_a_thread, &(int){ 0 });
	run_threads(1, hold_and_look, NULL);
	csys_sync_forget(forks, sizeof forks);
	csys_sync_forget(many, MANY * sizeof *many);
	csys_sync_forget(&first, sizeof first);
	csys_sync_forget(&second, sizeof second);
	free(many);
}

static void *lock_for_long(void *argument)
{
	csys_mutex_lock(&second);
	pthread_barrier_wait(argument);
	pthread_barrier_wait(argument);
	csys_mutex_unlock(&second);
	return NULL;
}

static void only_what_it_holds_is_in_the_book_of_a_child(void)
{
	char lock[40];
	snprintf(lock, sizeof lock, "mutex %p,", (void *)&first);
	CHECK(lines_with(" holds ", lock, NULL) == 1);
	snprintf(lock, sizeof lock, "mutex %p,", (void *)&second);
	CHECK(lines_with(lock, NULL, NULL) == 0);
	csys_mutex_unlock(&first);
	CHECK(lines_with(" holds ", NULL, NULL) == 0);
}

static void a_forked_child_has_a_book_of_its_own(void **state)
{
	(void)state;
	only_in_a_checked_build();
	pthread_t thread;
	pthread_barrier_t barrier;
	pthread_barrier_init(&barrier, NULL, 2);
	csys_mutex_lock(&first);
	assert_int_equal(pthread_create(&thread, NULL, lock_for_long, &barrier), 0);
	pthread_barrier_wait(&barrier);
	in_child(only_what_it_holds_is_in_the_book_of_a_child);
	csys_mutex_unlock(&first);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
}

static void the_usual_build_has_no_book(void **state)
{
	(void)state;
	if (csys_sync_is_checked())
		skip_because("this is the checked build");
	csys_mutex locks[2] = { CSYS_MUTEX_INIT, CSYS_MUTEX_INIT };
	struct search search = { { "" }, 0, 0 };
	for (int i = 0; i < 2; i++) {
		csys_mutex_lock(&locks[i]);
		csys_mutex_lock(&locks[1 - i]);
		assert_int_equal(csys_sync_dump(look, &search), CSYS_ENOTSUP);
		csys_mutex_unlock(&locks[1 - i]);
		csys_mutex_unlock(&locks[i]);
	}
	csys_sync_forget(locks, sizeof locks);
	assert_int_equal(search.found, 0);
	assert_int_equal(reports, 0);
}

/* ---- forked children ---------------------------------------------------------------------- */

static csys_shared_mutex *shared_mutex;
static csys_region *its_region;

static void want_what_the_parent_has(void)
{
	CHECK(csys_shared_mutex_try_lock(its_region, shared_mutex) == CSYS_EAGAIN);
	CHECK(csys_shared_mutex_lock_until(its_region, shared_mutex, csys_after_ms(5)) ==
	      CSYS_ETIMEDOUT);
	CSYSI_WANTS(shared_mutex, CSYSI_HELD_SHARED, CSYS_FOREVER);
	csysi_checked_gave_up();
	CHECK(reports == 0);
}

static void a_forked_child_holds_no_lock_between_processes(void **state)
{
	(void)state;
	only_in_a_checked_build();
	assert_int_equal(csys_region_create_anonymous(100, NULL, &its_region), 0);
	shared_mutex = csys_region_data(its_region);
	assert_int_equal(csys_shared_mutex_lock(its_region, shared_mutex), 0);
	in_child(want_what_the_parent_has);
	csys_shared_mutex_unlock(its_region, shared_mutex);
	csys_region_close(its_region);
	assert_int_equal(reports, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_CHECKED(an_inversion_is_reported_at_first_sight_with_all_places),
		TEST_CHECKED(a_ring_over_threads_is_an_inversion),
		TEST_CHECKED(one_order_is_no_inversion),
		TEST_CHECKED(locks_of_all_kinds_have_an_order),
		TEST_CHECKED(a_once_and_what_its_body_takes_have_an_order),
		TEST_CHECKED(a_guard_is_told_by_its_own_line),
		TEST_CHECKED(a_hook_decides_whether_to_go_on),
		TEST_CHECKED(a_try_makes_no_order_and_what_it_took_does),
		TEST_CHECKED(a_thread_that_waits_for_itself_aborts),
		TEST_CHECKED(threads_that_wait_for_each_other_abort),
		TEST_CHECKED(a_reader_waits_for_a_writer_before_it),
		TEST_CHECKED(a_reader_finds_a_writer_that_came_between),
		TEST_CHECKED(a_thread_that_upgrades_waits_for_the_other_readers),
		TEST_CHECKED(an_upgrade_that_was_had_is_wanted_no_more),
		TEST_CHECKED(a_once_is_waited_for_like_a_lock),
		TEST_CHECKED(a_wait_with_a_deadline_is_not_for_ever),
		TEST_CHECKED(an_unlock_by_another_thread_aborts_with_the_holder),
		TEST_CHECKED(two_threads_that_receive_at_once_are_reported_with_both_places),
		TEST_CHECKED(a_peek_while_another_thread_receives_is_reported),
		TEST_CHECKED(a_thread_in_a_select_receives),
		TEST_CHECKED(threads_that_receive_one_after_the_other_are_not_reported),
		TEST_CHECKED(a_channel_for_many_receivers_has_several_threads_in_a_receive),
		TEST_CHECKED(two_threads_at_one_receiver_abort),
		TEST_CHECKED(a_condvar_with_two_mutexes_is_reported_with_both_places),
		TEST_CHECKED(a_dump_tells_the_holders_and_the_waiters),
		TEST_CHECKED(a_dump_tells_since_when),
		TEST_CHECKED(a_hook_that_locks_does_not_lose_the_place),
		TEST_CHECKED(locks_that_are_gone_can_be_forgotten),
		TEST_CHECKED(a_thread_that_ends_does_not_touch_locks_that_are_forgotten),
		TEST_CHECKED(locks_beside_forgotten_memory_are_held_still),
		TEST_CHECKED(a_panic_does_not_go_back_to_locks_that_are_forgotten),
		TEST_CHECKED(a_lock_that_has_a_second_holder_is_another_one),
		TEST_CHECKED(a_full_book_begins_anew),
		TEST_CHECKED(a_forked_child_has_a_book_of_its_own),
		TEST_CHECKED(the_usual_build_has_no_book),
		TEST_CHECKED(a_forked_child_holds_no_lock_between_processes),
	};
	return RUN(tests);
}
