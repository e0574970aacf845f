/*
 * ipc/test_shared_checked.c - promises of csys/sync/checked.h about locks between processes; in the
 * usual build none.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <csys/ipc/shared_condvar.h>

#include "support/region.h"
#include "support/thread.h"

CSYS_SHARED_MUTEX_DEFINE(counter, int);
enum { DEFINED = __LINE__ - 1 };

struct objects {
	csys_shared_mutex mutex, other;
	csys_shared_rwlock rwlock;
	counter hits;
	csys_shared_once once;
	csys_shared_condvar condvar;
};
#define MUTEX (&((struct objects *)OBJECTS)->mutex)
#define OTHER (&((struct objects *)OBJECTS)->other)
#define RWLOCK (&((struct objects *)OBJECTS)->rwlock)
#define HITS (&((struct objects *)OBJECTS)->hits)
#define ONCE (&((struct objects *)OBJECTS)->once)
#define CONDVAR (&((struct objects *)OBJECTS)->condvar)

static void only_in_a_checked_build(void)
{
	if (!csys_sync_is_checked())
		skip_because("this is the usual build");
}

/* ---- the dump ------------------------------------------------------------------------------ */

struct search {
	char words[3][300];
	int found;
};

static void look(const char *line, void *argument)
{
	struct search *search = argument;
	int has_all = 1;
	for (int i = 0; i < 3; i++)
		has_all &= strstr(line, search->words[i]) != NULL;
	search->found += has_all;
}

/* How many lines tell this of a lock, in this way, from this line; 0: from any. */
static int told(const char *what, const char *kind, const void *lock, const char *way, int line)
{
	struct search search = { .found = 0 };
	snprintf(search.words[0], sizeof search.words[0], " %s ", what);
	snprintf(search.words[1], sizeof search.words[1], "%s %p%s,", kind, lock, way);
	if (line)
		snprintf(search.words[2], sizeof search.words[2], " ms ago at %s:%d", __FILE__,
			 line);
	assert_int_equal(csys_sync_dump(look, &search), 0);
	return search.found;
}

static int count(const char *word)
{
	struct search search = { .found = 0 };
	snprintf(search.words[0], sizeof search.words[0], "%s", word);
	assert_int_equal(csys_sync_dump(look, &search), 0);
	return search.found;
}

static void dump_holders(void)
{
	int line;
	assert_int_equal(csys_shared_mutex_lock(region, MUTEX), 0), line = __LINE__;
	assert_int_equal(told("holds", "shared mutex", MUTEX, "", line), 1);
	csys_shared_mutex_unlock(region, MUTEX);
	assert_int_equal(csys_shared_mutex_try_lock(region, MUTEX), 0), line = __LINE__;
	assert_int_equal(told("holds", "shared mutex", MUTEX, "", line), 1);
	csys_shared_mutex_unlock(region, MUTEX);
	assert_int_equal(csys_shared_mutex_lock_until(region, MUTEX, CSYS_POLL), 0),
		line = __LINE__ - 1;
	assert_int_equal(told("holds", "shared mutex", MUTEX, "", line), 1);
	csys_shared_mutex_unlock(region, MUTEX);
	assert_int_equal(csys_shared_rwlock_read(region, RWLOCK), 0), line = __LINE__;
	assert_int_equal(told("holds", "shared rwlock", RWLOCK, " (reading)", line), 1);
	csys_shared_rwlock_unlock_read(region, RWLOCK);
	assert_int_equal(csys_shared_rwlock_try_read(region, RWLOCK), 0), line = __LINE__;
	assert_int_equal(told("holds", "shared rwlock", RWLOCK, " (reading)", line), 1);
	csys_shared_rwlock_unlock_read(region, RWLOCK);
	assert_int_equal(csys_shared_rwlock_read_until(region, RWLOCK, CSYS_POLL), 0),
		line = __LINE__ - 1;
	assert_int_equal(told("holds", "shared rwlock", RWLOCK, " (reading)", line), 1);
	csys_shared_rwlock_unlock_read(region, RWLOCK);
	assert_int_equal(csys_shared_rwlock_try_write(region, RWLOCK), 0), line = __LINE__;
	assert_int_equal(told("holds", "shared rwlock", RWLOCK, " (writing)", line), 1);
	csys_shared_rwlock_unlock_write(region, RWLOCK);
	assert_int_equal(csys_shared_rwlock_write_until(region, RWLOCK, CSYS_POLL), 0),
		line = __LINE__ - 1;
	assert_int_equal(told("holds", "shared rwlock", RWLOCK, " (writing)", line), 1);
	csys_shared_rwlock_unlock_write(region, RWLOCK);
	assert_int_equal(csys_shared_rwlock_write(region, RWLOCK), 0), line = __LINE__;
	assert_int_equal(told("holds", "shared rwlock", RWLOCK, " (writing)", line), 1);
	csys_shared_rwlock_downgrade(region, RWLOCK), line = __LINE__;
	assert_int_equal(told("holds", "shared rwlock", RWLOCK, " (reading)", line), 1);
	csys_shared_rwlock_unlock_read(region, RWLOCK);
	assert_int_equal(count("shared"), 0);
}

static void a_dump_tells_the_holders_of_shared_locks_by_name_and_place(void **state)
{
	(void)state;
	only_in_a_checked_build();
	in_each_way(dump_holders);
}

static int look_inside(void *line, int note)
{
	(void)note;
	assert_int_equal(told("holds", "shared once", ONCE, "", *(int *)line), 1);
	return CSYS_EIO; /* so it is not done */
}

static void dump_bodies(void)
{
	int line = __LINE__ + 1;
	assert_int_equal(csys_shared_once_call(region, ONCE, look_inside, &line), CSYS_EIO);
	line = __LINE__ + 1;
	assert_int_equal(csys_shared_once_call_until(region, ONCE, look_inside, &line, CSYS_POLL),
			 CSYS_EIO);
	line = __LINE__ + 1;
	assert_int_equal(csys_shared_once_call_force(region, ONCE, look_inside, &line), CSYS_EIO);
	assert_int_equal(count("shared"), 0);
}

static void a_dump_tells_whose_body_of_a_shared_once_runs(void **state)
{
	(void)state;
	only_in_a_checked_build();
	in_each_way(dump_bodies);
}

enum { WAITS_FOR_BODY_AT = __LINE__ + 4 };
static void *wait_for_body(void *unused)
{
	(void)unused;
	CHECK(csys_shared_once_wait(region, ONCE) == 0);
	return NULL;
}

static int wait_for_the_waiter(void *unused, int note)
{
	(void)unused;
	(void)note;
	while (count(", held by thread ") == 0)
		take_a_nap();
	assert_int_equal(told("waits for", "shared once", ONCE, "", WAITS_FOR_BODY_AT), 1);
	return 0;
}

static void dump_waiter_for_body(void)
{
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, wait_for_body, NULL), 0);
	assert_int_equal(csys_shared_once_call(region, ONCE, wait_for_the_waiter, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_equal(count("shared"), 0);
}

static void a_dump_tells_the_waiters_for_a_shared_once(void **state)
{
	(void)state;
	only_in_a_checked_build();
	in_each_way(dump_waiter_for_body);
}

enum { WAITS_AT = __LINE__ + 4 };
static void *wait_for_it(void *unused)
{
	(void)unused;
	CHECK(csys_shared_mutex_lock(region, MUTEX) == 0);
	csys_shared_mutex_unlock(region, MUTEX);
	return NULL;
}

static void dump_waiters(void)
{
	pthread_t thread;
	assert_int_equal(csys_shared_mutex_lock(region, MUTEX), 0);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_it, NULL), 0);
	while (count(", held by thread ") == 0)
		take_a_nap();
	assert_int_equal(told("waits for", "shared mutex", MUTEX, "", WAITS_AT), 1);
	csys_shared_mutex_unlock(region, MUTEX);
	pthread_join(thread, NULL);
	assert_int_equal(count("shared"), 0);
}

static void a_dump_tells_the_waiters_for_shared_locks(void **state)
{
	(void)state;
	only_in_a_checked_build();
	in_each_way(dump_waiters);
}

enum { WAITS_AT_CONDVAR_AT = __LINE__ + 5 };
static void *wait_at_condvar(void *unused)
{
	(void)unused;
	CHECK(csys_shared_mutex_lock(region, MUTEX) == 0);
	CHECK(csys_shared_condvar_wait(region, CONDVAR, MUTEX) == 0);
	csys_shared_mutex_unlock(region, MUTEX);
	return NULL;
}

static void dump_waiter_at_condvar(void)
{
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, wait_at_condvar, NULL), 0);
	while (told("waits for", "shared condvar", CONDVAR, "", WAITS_AT_CONDVAR_AT) == 0)
		take_a_nap();
	/* Whatever this thread does with the mutex is no deadlock. */
	assert_int_equal(csys_shared_mutex_lock(region, MUTEX), 0);
	csys_shared_condvar_notify_one(CONDVAR);
	csys_shared_mutex_unlock(region, MUTEX);
	pthread_join(thread, NULL);
	assert_int_equal(count("shared"), 0);
}

static void a_dump_tells_the_waiters_at_a_shared_condvar(void **state)
{
	(void)state;
	only_in_a_checked_build();
	in_each_way(dump_waiter_at_condvar);
}

static void dump_guards(void)
{
	int line;
	{
		CSYS_SHARED_MUTEX_GUARD(held, region, MUTEX);
		assert_int_equal(told("holds", "shared mutex", MUTEX, "", __LINE__ - 1), 1);
		CSYS_SHARED_RWLOCK_TRY_READ_GUARD(read, region, RWLOCK);
		assert_int_equal(told("holds", "shared rwlock", RWLOCK, " (reading)", __LINE__ - 1),
				 1);
		CSYS_SHARED_GUARD_UNLOCK(read);
		CSYS_SHARED_RWLOCK_WRITE_GUARD_UNTIL(write, region, RWLOCK, CSYS_POLL);
		assert_int_equal(told("holds", "shared rwlock", RWLOCK, " (writing)", __LINE__ - 1),
				 1);
		CSYS_SHARED_GUARD_UNLOCK(held);
		assert_int_equal(CSYS_SHARED_GUARD_RELOCK(held), 0), line = __LINE__;
		assert_int_equal(told("holds", "shared mutex", MUTEX, "", line), 1);
		CSYS_SHARED_LOCKED_GUARD(now, counter, lock, region, HITS);
		assert_int_equal(told("holds", "shared mutex", counter_mutex(HITS), "", DEFINED),
				 1);
	}
	assert_int_equal(count("shared"), 0);
}

static void a_dump_tells_where_guards_and_typed_values_stand(void **state)
{
	(void)state;
	only_in_a_checked_build();
	in_each_way(dump_guards);
}

/* ---- reports -------------------------------------------------------------------------------- */

static int reports;
static char said[4096];

static int keep(int what, const char *text, void *unused)
{
	(void)unused;
	assert_int_equal(what, CSYS_CHECK_ORDER);
	reports++;
	snprintf(said, sizeof said, "%s", text);
	return 0;
}

static void lock_in_both_orders(void)
{
	csys_mutex own = CSYS_MUTEX_INIT;
	int lines[4];
	reports = 0;
	csys_sync_set_hook(keep, NULL);
	csys_mutex_lock(&own), lines[0] = __LINE__;
	assert_int_equal(csys_shared_mutex_lock(region, MUTEX), 0), lines[1] = __LINE__;
	csys_shared_mutex_unlock(region, MUTEX);
	csys_mutex_unlock(&own);
	assert_int_equal(reports, 0);
	assert_int_equal(csys_shared_mutex_lock(region, MUTEX), 0), lines[2] = __LINE__;
	csys_mutex_lock(&own), lines[3] = __LINE__;
	csys_sync_set_hook(NULL, NULL);
	assert_int_equal(reports, 1);
	for (int i = 0; i < 4; i++) {
		char place[300];
		snprintf(place, sizeof place, "%s:%d", __FILE__, lines[i]);
		if (!strstr(said, place))
			fail_msg("no %s in: %s", place, said);
	}
	assert_non_null(strstr(said, "shared mutex "));
	csys_mutex_unlock(&own);
	csys_shared_mutex_unlock(region, MUTEX);
	csys_sync_forget(&own, sizeof own);
	csys_sync_forget(OBJECTS, sizeof(struct objects));
}

static void an_inversion_with_a_shared_lock_is_reported_with_all_places(void **state)
{
	(void)state;
	only_in_a_checked_build();
	in_each_way(lock_in_both_orders);
}

static void lock_twice(void)
{
	if (csys_shared_mutex_lock(region, OTHER) >= 0)
		(void)csys_shared_mutex_lock(region, OTHER);
}

static void guard_twice(void)
{
	CSYS_SHARED_RWLOCK_READ_GUARD(read, region, RWLOCK);
	CSYS_SHARED_RWLOCK_WRITE_GUARD(written, region, RWLOCK);
}

static void wait_for_itself(void)
{
	assert_aborts(lock_twice, "shared mutex ");
	assert_aborts(lock_twice, __FILE__);
	assert_aborts(guard_twice, "shared rwlock ");
	assert_aborts(guard_twice, __FILE__);
}

static void a_thread_that_waits_for_itself_with_a_shared_lock_is_reported(void **state)
{
	(void)state;
	only_in_a_checked_build();
	in_each_way(wait_for_itself);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_dump_tells_the_holders_of_shared_locks_by_name_and_place),
		NAMES_TEST(a_dump_tells_the_waiters_for_shared_locks),
		NAMES_TEST(a_dump_tells_whose_body_of_a_shared_once_runs),
		NAMES_TEST(a_dump_tells_the_waiters_for_a_shared_once),
		NAMES_TEST(a_dump_tells_the_waiters_at_a_shared_condvar),
		NAMES_TEST(a_dump_tells_where_guards_and_typed_values_stand),
		NAMES_TEST(an_inversion_with_a_shared_lock_is_reported_with_all_places),
		NAMES_TEST(a_thread_that_waits_for_itself_with_a_shared_lock_is_reported),
	};
	return RUN(tests);
}
