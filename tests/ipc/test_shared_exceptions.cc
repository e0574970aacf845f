/*
 * ipc/test_shared_exceptions.cc - guards of locks between processes, and values inside these, in
 * C++: what exceptions that pass through, and threads that end inside, leave.
 *
 * Only what is public, so this is linked with the library itself too, as any program is.
 */
#include "support/exceptions.h"

extern "C" void shared_guarded(csys_region *region, csys_shared_mutex *lock, void (*call)(void));

namespace
{

struct pair {
	int one, other;
};

CSYS_SHARED_MUTEX_DEFINE(counter, int);
CSYS_SHARED_RWLOCK_DEFINE(limits, pair);

struct objects {
	csys_shared_mutex mutex;
	csys_shared_rwlock rwlock;
	counter hits;
	limits bounds;
};

csys_region *region;
objects *all;

void throw_it()
{
	throw oops();
}

/* All can be had, and tells this. */
void check_free(int result)
{
	CHECK(csys_shared_mutex_try_lock(region, &all->mutex) == result);
	csys_shared_mutex_clear_poison(&all->mutex);
	csys_shared_mutex_unlock(region, &all->mutex);
	CHECK(csys_shared_rwlock_try_write(region, &all->rwlock) == result);
	csys_shared_rwlock_clear_poison(&all->rwlock);
	csys_shared_rwlock_unlock_write(region, &all->rwlock);
	int number;
	pair both;
	CHECK(counter_into_inner(region, &all->hits, &number) == result);
	CHECK(limits_into_inner(region, &all->bounds, &both) == result);
}

void an_exception_unlocks_without_poison()
{
	CHECK(throws([] { shared_guarded(region, &all->mutex, throw_it); }));
	check_free(0);
	CHECK(throws([] {
		CSYS_SHARED_MUTEX_GUARD(held, region, &all->mutex);
		CSYS_SHARED_RWLOCK_WRITE_GUARD(written, region, &all->rwlock);
		CSYS_SHARED_LOCKED_GUARD(now, counter, lock, region, &all->hits);
		CSYS_SHARED_LOCKED_GUARD(change, limits, write, region, &all->bounds);
		change.value->one = ++*now.value;
		throw oops();
	}));
	check_free(0);
}

void *panic_in_guards(void *)
{
	CSYS_SHARED_MUTEX_GUARD(held, region, &all->mutex);
	CSYS_SHARED_RWLOCK_WRITE_GUARD(written, region, &all->rwlock);
	CSYS_SHARED_LOCKED_GUARD(now, counter, lock, region, &all->hits);
	CSYS_SHARED_LOCKED_GUARD(change, limits, write, region, &all->bounds);
	csys_panic("inside");
	return NULL;
}

void panic_while_reading(void *)
{
	CSYS_SHARED_RWLOCK_READ_GUARD(read, region, &all->rwlock);
	CSYS_SHARED_LOCKED_GUARD(look, limits, read, region, &all->bounds);
	csys_panic("inside");
}

/* The panic has released all before the guards are left. */
void a_panic_poisons_and_its_unwinding_unlocks_nothing_more()
{
	CHECK(run_thread(panic_in_guards, NULL) == CSYS_EPANICKED);
	check_free(CSYS_POISONED);
	check_free(0);
	CHECK(csys_panic_catch(panic_while_reading, NULL, NULL) == CSYS_EPANICKED);
	check_free(0);
}

void guards_try_wait_and_unlock_early()
{
	{
		CSYS_SHARED_MUTEX_TRY_GUARD(held, region, &all->mutex);
		CSYS_SHARED_MUTEX_GUARD_UNTIL(late, region, &all->mutex, CSYS_POLL);
		CHECK(held.result == 0 && late.result == CSYS_ETIMEDOUT);
		csys_shared_mutex_assert_held(region, &all->mutex);
		CSYS_SHARED_GUARD_UNLOCK(held);
		CHECK(!csys_shared_mutex_is_locked(region, &all->mutex));
		CHECK(CSYS_SHARED_GUARD_RELOCK(late) == 0 && late.result == CSYS_ETIMEDOUT);
		csys_shared_mutex_assert_held(region, &all->mutex);
	}
	check_free(0);
	csys_shared_mutex_poison(&all->mutex);
	{
		CSYS_SHARED_MUTEX_GUARD(held, region, &all->mutex);
		CHECK(held.result == CSYS_POISONED);
		CSYS_SHARED_GUARD_UNLOCK(held);
		CHECK(CSYS_SHARED_GUARD_RELOCK(held) == CSYS_POISONED);
		csys_shared_mutex_clear_poison(&all->mutex);
	}
	check_free(0);
	{
		CSYS_SHARED_RWLOCK_TRY_READ_GUARD(read, region, &all->rwlock);
		CSYS_SHARED_RWLOCK_READ_GUARD_UNTIL(also, region, &all->rwlock, CSYS_POLL);
		CSYS_SHARED_RWLOCK_TRY_WRITE_GUARD(none, region, &all->rwlock);
		CHECK(read.result == 0 && also.result == 0 && none.result == CSYS_EAGAIN);
	}
	check_free(0);
}

void values_are_reached_by_locking()
{
	int *now = NULL;
	CHECK(counter_lock(region, &all->hits, &now) == 0);
	*now = 5;
	counter_unlock(region, &all->hits, &now);
	CHECK(now == NULL);
	int number = 0;
	CHECK(counter_replace(region, &all->hits, 6, &number) == 0 && number == 5);
	CHECK(counter_set(region, &all->hits, 7) == 0);
	CHECK(counter_get(region, &all->hits, &number) == 0 && number == 7);
	pair both = { 1, 2 };
	limits_init(&all->bounds, both);
	const pair *look = NULL;
	pair *change = NULL;
	CHECK(limits_write(region, &all->bounds, &change) == 0);
	change->one = 3;
	limits_downgrade(region, &all->bounds, &change, &look);
	CHECK(look->one == 3 && look->other == 2);
	limits_unlock_read(region, &all->bounds, &look);
	check_free(0);
}

} // namespace

int main()
{
	csys_panic_set_hook(be_silent, NULL);
	int r = csys_region_create_anonymous(sizeof(objects), NULL, &region);
	if (r == CSYS_ENOTSUP)
		return 77; /* skipped: nothing tells of deaths here */
	CHECK(r == 0);
	all = static_cast<objects *>(csys_region_data(region));
	an_exception_unlocks_without_poison();
	a_panic_poisons_and_its_unwinding_unlocks_nothing_more();
	guards_try_wait_and_unlock_early();
	values_are_reached_by_locking();
	csys_region_close(region);
	return 0;
}
