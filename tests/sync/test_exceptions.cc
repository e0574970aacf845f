/*
 * sync/test_exceptions.cc - exceptions of C++ that pass through csys, and threads that end in
 * frames of C++.
 *
 * Only what is public, so this is linked with the library itself too, as any program is.
 */
#include <cstring>
#include <exception>

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/exceptions.h"

extern "C" void guarded(csys_mutex *lock, void (*call)(void));

namespace
{

/* What another thread gets by a try. */
int result_elsewhere;

void *try_elsewhere(void *lock)
{
	csys_mutex *mutex = static_cast<csys_mutex *>(lock);
	result_elsewhere = csys_mutex_try_lock(mutex);
	if (result_elsewhere >= 0)
		csys_mutex_unlock(mutex);
	return NULL;
}

int elsewhere(csys_mutex *lock)
{
	pthread_t thread;
	CHECK(pthread_create(&thread, NULL, try_elsewhere, lock) == 0);
	pthread_join(thread, NULL);
	return result_elsewhere;
}

/* Overwrite what frames that are gone have left on the stack. */
__attribute__((noinline)) void use_stack()
{
	volatile char bytes[8192];
	for (unsigned i = 0; i < sizeof bytes; i++)
		bytes[i] = 0x41;
}

/* ---- through csys_panic_catch ------------------------------------------- */

struct locks {
	csys_mutex before, inside, given_up;
	csys_reentrant again;
	csys_condvar condvar;
	bool is_before_held;
};

void take_and_throw(void *argument)
{
	locks *all = static_cast<locks *>(argument);
	csys_mutex_lock(&all->inside);
	csys_mutex_lock(&all->given_up);
	csys_mutex_unlock(&all->given_up);
	csys_reentrant_lock(&all->again);
	if (all->is_before_held)
		(void)!csys_condvar_wait_until(&all->condvar, &all->before, CSYS_POLL);
	throw oops();
}

void panic_now(void *)
{
	csys_panic("now");
}

void an_exception_is_a_panic_of_the_frame_it_passes()
{
	locks all = {};
	csys_mutex_lock(&all.before);
	all.is_before_held = true;
	csys_reentrant_lock(&all.again);
	CHECK(throws([&] { (void)!csys_panic_catch(take_and_throw, &all, NULL); }));
	use_stack();
	CHECK(csys_thread_panicking() == 0);
	CHECK(elsewhere(&all.inside) == CSYS_POISONED);
	CHECK(elsewhere(&all.given_up) == 0);
	CHECK(elsewhere(&all.before) == CSYS_EAGAIN);
	CHECK(elsewhere(&all.again.mutex) == CSYS_EAGAIN);
	csys_mutex_unlock(&all.before);
	csys_reentrant_unlock(&all.again);
	CHECK(elsewhere(&all.before) == 0);
	CHECK(elsewhere(&all.again.mutex) == 0);
}

void *throw_then_panic(void *)
{
	locks all = {};
	CHECK(throws([&] { (void)!csys_panic_catch(take_and_throw, &all, NULL); }));
	use_stack();
	csys_panic("after the exception");
	return NULL;
}

void panics_after_an_exception_go_where_they_should()
{
	CHECK(throws([] {
		locks all = {};
		(void)!csys_panic_catch(take_and_throw, &all, NULL);
	}));
	use_stack();
	CHECK(csys_panic_catch(panic_now, NULL, NULL) == CSYS_EPANICKED);
	CHECK(run_thread(throw_then_panic, NULL) == CSYS_EPANICKED);
}

void throw_and_catch(void *argument)
{
	CHECK(throws([&] { (void)!csys_panic_catch(take_and_throw, argument, NULL); }));
	use_stack();
	csys_panic("outside of it");
}

void an_exception_between_two_catches_leaves_the_outer_one()
{
	locks all = {};
	csys_panic_info info;
	csys_mutex_lock(&all.before);
	all.is_before_held = true;
	CHECK(csys_panic_catch(throw_and_catch, &all, &info) == CSYS_EPANICKED);
	CHECK(std::strcmp(info.message, "outside of it") == 0);
	CHECK(elsewhere(&all.inside) == CSYS_POISONED);
	CHECK(elsewhere(&all.before) == CSYS_EAGAIN);
	csys_mutex_unlock(&all.before);
}

/* An owner outside of the catch, of a lock that is taken inside. */
struct owner {
	csys_mutex *held;

	owner() : held(NULL)
	{
	}
	~owner()
	{
		if (held)
			csys_mutex_unlock(held);
	}
};

csys_mutex owned;

void lock_for_owner_and_throw(void *argument)
{
	csys_mutex_lock(&owned);
	static_cast<owner *>(argument)->held = &owned;
	throw oops();
}

void destructors_further_up_may_unlock_what_was_taken()
{
	CHECK(throws([] {
		owner its_owner;
		(void)!csys_panic_catch(lock_for_owner_and_throw, &its_owner, NULL);
	}));
	CHECK(elsewhere(&owned) == CSYS_POISONED);
}

void throw_in_hook(const csys_panic_info *, void *)
{
	throw oops();
}

void an_exception_out_of_the_hook_takes_the_place_of_the_panic()
{
	csys_panic_set_hook(throw_in_hook, NULL);
	CHECK(throws([] { (void)!csys_panic_catch(panic_now, NULL, NULL); }));
	CHECK(throws([] { csys_panic("without a catch"); }));
	csys_panic_set_hook(be_silent, NULL);
	CHECK(csys_thread_panicking() == 0);
	CHECK(csys_panic_catch(panic_now, NULL, NULL) == CSYS_EPANICKED);
}

/* ---- guards and predicates ---------------------------------------------- */

void throw_it()
{
	throw oops();
}

void guards_unlock_without_poison()
{
	static csys_mutex lock;
	CHECK(throws([] { guarded(&lock, throw_it); }));
	CHECK(elsewhere(&lock) == 0);
	CHECK(throws([] {
		CSYS_MUTEX_GUARD(held, &lock);
		throw oops();
	}));
	CHECK(elsewhere(&lock) == 0);
}

void guards_try_wait_and_unlock_early()
{
	static csys_mutex lock;
	static csys_rwlock shared;
	{
		CSYS_MUTEX_TRY_GUARD(held, &lock);
		CHECK(held.result == 0 && elsewhere(&lock) == CSYS_EAGAIN);
		CSYS_MUTEX_GUARD_UNTIL(late, &lock, CSYS_POLL);
		CHECK(late.result == CSYS_ETIMEDOUT);
		CSYS_GUARD_UNLOCK(held);
		CHECK(elsewhere(&lock) == 0);
		CHECK(CSYS_GUARD_RELOCK(late) == 0 && late.result == CSYS_ETIMEDOUT);
		CHECK(elsewhere(&lock) == CSYS_EAGAIN);
	}
	CHECK(elsewhere(&lock) == 0);
	csys_mutex_poison(&lock);
	{
		CSYS_MUTEX_GUARD_UNTIL(held, &lock, CSYS_POLL);
		CHECK(held.result == CSYS_POISONED);
	}
	{
		CSYS_MUTEX_TRY_GUARD(held, &lock);
		CHECK(held.result == CSYS_POISONED);
		csys_mutex_clear_poison(&lock);
	}
	CHECK(elsewhere(&lock) == 0);
	{
		CSYS_RWLOCK_UPGRADABLE_GUARD(held, &shared);
		CHECK(csys_rwlock_upgrade(&shared) == 0);
		CSYS_GUARD_UNLOCK(held);
		CHECK(csys_rwlock_is_locked(&shared) == 0);
		CHECK(CSYS_GUARD_RELOCK(held) == 0);
		csys_rwlock_assert_upgradable(&shared);
	}
	CHECK(csys_rwlock_is_locked(&shared) == 0);
}

int throw_at_second_call(void *calls)
{
	if (++*static_cast<int *>(calls) == 2)
		throw oops();
	return 0;
}

void a_predicate_that_throws_ends_its_wait()
{
	static csys_semaphore semaphore;
	CHECK(throws([] {
		int calls = 0;
		size_t which;
		const csys_wait_item items[] = {
			csys_wait_for_semaphore(&semaphore),
			csys_wait_for_predicate(throw_at_second_call, &calls, &calls),
		};
		(void)!csys_wait_any(items, 2, &which);
	}));
	/* No watch is counted. */
	CHECK(semaphore.word == 0);
	CHECK(csys_semaphore_post(&semaphore, 1) == 0);
}

int throw_as_predicate(void *)
{
	throw oops();
}

void a_predicate_that_throws_leaves_the_mutex_locked()
{
	static csys_mutex lock;
	static csys_condvar condvar;
	csys_mutex_lock(&lock);
	CHECK(throws(
		[] { (void)!csys_condvar_wait_while(&condvar, &lock, throw_as_predicate, NULL); }));
	CHECK(elsewhere(&lock) == CSYS_EAGAIN);
	csys_mutex_unlock(&lock);
	CHECK(elsewhere(&lock) == 0);
}

/* ---- onces -------------------------------------------------------------- */

int throw_in_once(void *)
{
	throw oops();
}

int nothing(void *)
{
	return 0;
}

void *wait_for_once(void *once)
{
	return csys_once_wait(static_cast<csys_once *>(once)) == CSYS_EPANICKED ? once : NULL;
}

int wait_and_throw(void *waiter)
{
	/* The other thread sleeps, or will find it poisoned; either way it is told. */
	csys_thread **out = static_cast<csys_thread **>(waiter);
	static csys_once *once;
	if (!once) {
		once = reinterpret_cast<csys_once *>(out[1]);
		CHECK(csys_thread_spawn(wait_for_once, once, NULL, out) == 0);
	}
	throw oops();
}

void a_body_that_throws_poisons_its_once()
{
	csys_once once = CSYS_ONCE_INIT;
	csys_thread *waiter[2] = { NULL, reinterpret_cast<csys_thread *>(&once) };
	CHECK(throws([&] { (void)!csys_once_call(&once, wait_and_throw, waiter); }));
	void *told = NULL;
	CHECK(csys_thread_join(waiter[0], &told) == 0 && told == &once);
	csys_thread_unref(waiter[0]);
	CHECK(csys_once_is_poisoned(&once) == 1);
	CHECK(csys_once_call(&once, nothing, NULL) == CSYS_EPANICKED);
	CHECK(throws([&] { (void)!csys_once_call_force(&once, throw_in_once, NULL); }));
	CHECK(csys_once_is_poisoned(&once) == 1);
	CHECK(csys_once_call_force(&once, nothing, NULL) == 0);
	CHECK(csys_once_is_poisoned(&once) == 0);
}

CSYS_ONCE_VALUE_DEFINE(number_once, int);

int make_number(void *argument, int *out)
{
	if (!argument)
		throw oops();
	*out = *static_cast<int *>(argument);
	return 0;
}

void a_value_whose_making_throws_is_made_by_the_next()
{
	number_once value = {};
	int seven = 7, *made = NULL;
	CHECK(throws([&] { (void)!number_once_get_or_init(&value, make_number, NULL, &made); }));
	CHECK(number_once_get(&value) == NULL);
	CHECK(number_once_get_or_init(&value, make_number, &seven, &made) == 0);
	CHECK(*made == 7);
}

/* ---- threads ------------------------------------------------------------ */

csys_event may_end;
int ended; /* atomic */

void *end_later(void *)
{
	csys_event_wait(&may_end);
	__atomic_add_fetch(&ended, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* So that the scope has to wait, this one lets the others end when the exception is under way. */
struct let_end {
	~let_end()
	{
		csys_event_set(&may_end);
	}
};

int spawn_and_throw(csys_thread_scope *scope, void *)
{
	let_end at_last;
	for (int i = 0; i < 3; i++)
		CHECK(csys_thread_scope_spawn(scope, end_later, NULL, NULL, NULL) == 0);
	throw oops();
}

int spawn_and_exit(csys_thread_scope *scope, void *)
{
	let_end at_last;
	for (int i = 0; i < 3; i++)
		CHECK(csys_thread_scope_spawn(scope, end_later, NULL, NULL, NULL) == 0);
	pthread_exit(NULL);
}

void reset_scope()
{
	may_end = csys_event CSYS_EVENT_INIT_MANUAL;
	__atomic_store_n(&ended, 0, __ATOMIC_RELEASE);
}

void an_exception_leaves_a_scope_when_its_threads_are_joined()
{
	reset_scope();
	CHECK(throws([] {
		try {
			(void)!csys_thread_scope_run(spawn_and_throw, NULL);
		} catch (...) {
			CHECK(__atomic_load_n(&ended, __ATOMIC_ACQUIRE) == 3);
			throw;
		}
	}));
}

csys_once left_once = CSYS_ONCE_INIT;
csys_mutex left_mutex = CSYS_MUTEX_INIT;
int destroyed;

struct counts {
	~counts()
	{
		destroyed++;
	}
};

void end_thread(void *)
{
	counts one;
	csys_mutex_lock(&left_mutex);
	pthread_exit(NULL);
}

int catch_in_once(void *)
{
	counts one;
	return csys_panic_catch(end_thread, NULL, NULL);
}

int scope_in_scope(csys_thread_scope *, void *)
{
	counts one;
	return csys_thread_scope_run(spawn_and_exit, NULL);
}

void *end_in_once(void *)
{
	counts one;
	(void)!csys_once_call(&left_once, catch_in_once, NULL);
	return NULL;
}

void *end_in_scope(void *)
{
	counts one;
	(void)!csys_thread_scope_run(scope_in_scope, NULL);
	return NULL;
}

void cancel_in_once_body(void *)
{
	counts one;
	csys_mutex_lock(&left_mutex);
	pthread_cancel(pthread_self());
	pthread_testcancel();
}

int cancel_in_once(void *)
{
	counts one;
	return csys_panic_catch(cancel_in_once_body, NULL, NULL);
}

void *be_cancelled_in_once(void *once)
{
	counts one;
	(void)!csys_once_call(static_cast<csys_once *>(once), cancel_in_once, NULL);
	return NULL;
}

void a_thread_may_end_in_frames_of_both()
{
	destroyed = 0;
	CHECK(run_thread(end_in_once, NULL) == CSYS_EPANICKED);
	CHECK(destroyed == 3);
	CHECK(csys_once_is_poisoned(&left_once) == 1);
	CHECK(elsewhere(&left_mutex) == CSYS_POISONED);
	csys_mutex_clear_poison(&left_mutex);

	reset_scope();
	destroyed = 0;
	CHECK(run_thread(end_in_scope, NULL) == CSYS_EPANICKED);
	CHECK(destroyed == 2);
	CHECK(__atomic_load_n(&ended, __ATOMIC_ACQUIRE) == 3);
#if !defined(__SANITIZE_ADDRESS__) /* takes the stack of a cancelled thread for broken */
	csys_once once = CSYS_ONCE_INIT;
	destroyed = 0;
	CHECK(run_thread(be_cancelled_in_once, &once) == CSYS_EPANICKED);
	CHECK(destroyed == 3);
	CHECK(csys_once_is_poisoned(&once) == 1);
	CHECK(elsewhere(&left_mutex) == CSYS_POISONED);
#endif
}

void panic_in_once(void *once)
{
	counts one;
	(void)!csys_once_call(static_cast<csys_once *>(once), nothing, NULL);
	csys_panic("with destructors above");
}

void *panic_with_destructors(void *once)
{
	counts one;
	panic_in_once(once);
	return NULL;
}

void a_panic_that_ends_a_thread_runs_destructors()
{
	csys_once once = CSYS_ONCE_INIT;
	destroyed = 0;
	CHECK(run_thread(panic_with_destructors, &once) == CSYS_EPANICKED);
	CHECK(destroyed == 2);
}

void *throw_as_thread(void *)
{
	throw oops();
}

void throw_as_hook(void *)
{
	throw oops();
}

void *throw_in_exit_hook(void *)
{
	CHECK(csys_thread_at_exit(throw_as_hook, NULL) == 0);
	return NULL;
}

/* By a signal: memcheck would take what is left at an exit for lost. */
void leave_terminated()
{
	raise(SIGKILL);
}

/* std::terminate, in a child. */
void terminates(csys_thread_function *function)
{
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		std::set_terminate(leave_terminated);
		(void)run_thread(function, NULL);
		_exit(0);
	}
	int status;
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

void an_exception_out_of_a_thread_terminates()
{
#if !defined(__SANITIZE_THREAD__) /* allows no threads in a forked child */
	terminates(throw_as_thread);
	terminates(throw_in_exit_hook);
#endif
}

} // namespace

int main()
{
	csys_panic_set_hook(be_silent, NULL);
	an_exception_is_a_panic_of_the_frame_it_passes();
	panics_after_an_exception_go_where_they_should();
	an_exception_between_two_catches_leaves_the_outer_one();
	destructors_further_up_may_unlock_what_was_taken();
	an_exception_out_of_the_hook_takes_the_place_of_the_panic();
	guards_unlock_without_poison();
	guards_try_wait_and_unlock_early();
	a_predicate_that_throws_ends_its_wait();
	a_predicate_that_throws_leaves_the_mutex_locked();
	a_body_that_throws_poisons_its_once();
	a_value_whose_making_throws_is_made_by_the_next();
	an_exception_leaves_a_scope_when_its_threads_are_joined();
	a_thread_may_end_in_frames_of_both();
	a_panic_that_ends_a_thread_runs_destructors();
	an_exception_out_of_a_thread_terminates();
	return 0;
}
