/*
 * sync/test_unwind.c - csys when the stack is unwound through it, without the help of C++.
 *
 * What test_exceptions.cc tests with a compiler of C++, in part: also for a system whose C
 * library has none beside it.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <unwind.h>

#include "base/atomic.h"
#include "support/support.h"
#include "sync/ledger.h"

/* ---- unwinding ---------------------------------------------------------- */

static _Thread_local struct {
	jmp_buf out;
	struct _Unwind_Exception exception;
} own;

static void be_silent(const csys_panic_info *info, void *context)
{
	(void)info;
	(void)context;
}

/* Called before each frame that is left: all those below `frame`. */
static _Unwind_Reason_Code stop(int version, _Unwind_Action actions, _Unwind_Exception_Class class,
				struct _Unwind_Exception *exception,
				struct _Unwind_Context *context, void *frame)
{
	(void)version;
	(void)class;
	(void)exception;
	if ((actions & _UA_END_OF_STACK) || _Unwind_GetCFA(context) > (uintptr_t)frame)
		longjmp(own.out, 1);
	return _URC_NO_REASON;
}

static void *own_frame; /* of the newest call of is_unwound, in the only thread that has one */

static void throw_it(void)
{
	_Unwind_ForcedUnwind(&own.exception, stop, own_frame);
	check_failed("unwinding begins", __FILE__, __LINE__);
}

/* 1: call(argument) was left by throw_it. */
static int is_unwound(void (*call)(void *argument), void *argument)
{
	own_frame = __builtin_frame_address(0);
	if (setjmp(own.out) != 0)
		return 1;
	call(argument);
	return 0;
}

/* ---- what is left ------------------------------------------------------- */

struct locks {
	csys_mutex before, inside;
	csys_once once;
	int ends; /* of threads; atomic */
};

static void lock_and_throw(void *argument)
{
	struct locks *locks = argument;
	csys_mutex_lock(&locks->inside);
	throw_it();
}

static void throw_through_a_catch(void *argument)
{
	(void)!csys_panic_catch(lock_and_throw, argument, NULL);
}

static int throw_in_once(void *argument)
{
	(void)argument;
	throw_it();
	return 0;
}

static void throw_through_a_once(void *argument)
{
	struct locks *locks = argument;
	(void)!csys_once_call(&locks->once, throw_in_once, NULL);
}

static void *just_end(void *argument)
{
	struct locks *locks = argument;
	csysi_add_release(&locks->ends, 1);
	return NULL;
}

static int spawn_and_throw(csys_thread_scope *scope, void *argument)
{
	for (int i = 0; i < 3; i++)
		CHECK(csys_thread_scope_spawn(scope, just_end, argument, NULL, NULL) == 0);
	throw_it();
	return 0;
}

static void throw_through_a_scope(void *argument)
{
	(void)!csys_thread_scope_run(spawn_and_throw, argument);
}

static void frames_that_are_unwound_leave_nothing(void **state)
{
	(void)state;
	struct locks locks = { .ends = 0 };
	csys_mutex_lock(&locks.before);
	assert_true(is_unwound(throw_through_a_catch, &locks));
	assert_int_equal(csys_mutex_try_lock(&locks.inside), CSYS_POISONED);
	csys_mutex_unlock(&locks.inside);
	assert_int_equal(csysi_ledger_depth(), 1);
	csys_mutex_unlock(&locks.before);
	assert_int_equal(csys_mutex_is_poisoned(&locks.before), 0);

	assert_true(is_unwound(throw_through_a_once, &locks));
	assert_int_equal(csys_once_is_poisoned(&locks.once), 1);

	assert_true(is_unwound(throw_through_a_scope, &locks));
	assert_int_equal(csysi_load_acquire(&locks.ends), 3);
	assert_int_equal(csysi_ledger_depth(), 0);
}

static void panic_now(void *unused)
{
	(void)unused;
	csys_panic("now");
}

static void *throw_and_end(void *argument)
{
	struct locks *locks = argument;
	CHECK(is_unwound(throw_through_a_catch, locks));
	CHECK(is_unwound(throw_through_a_scope, locks));
	CHECK(csys_panic_catch(panic_now, NULL, NULL) == CSYS_EPANICKED);
	CHECK(is_unwound(throw_through_a_scope, locks));
	/* Clean-up handlers of frames that are gone must not run. */
	pthread_exit(NULL);
}

static void a_thread_that_was_unwound_may_end_later(void **state)
{
	(void)state;
	struct locks locks = { .ends = 0 };
	csys_thread *thread = NULL;
	csys_panic_set_hook(be_silent, NULL);
	assert_int_equal(csys_thread_spawn(throw_and_end, &locks, NULL, &thread), 0);
	assert_int_equal(csys_thread_join(thread, NULL), CSYS_EPANICKED);
	csys_thread_unref(thread);
	csys_panic_set_hook(NULL, NULL);
	assert_int_equal(csysi_load_acquire(&locks.ends), 6);
	assert_int_equal(csys_mutex_is_poisoned(&locks.inside), 1);
}

static void *run_until_the_end(void *queue)
{
	csys_task_queue_run(queue);
	return NULL;
}

static void end_now(void *unused)
{
	(void)unused;
	pthread_exit(NULL);
}

static void a_call_that_ends_the_loop_thread_returns(void **state)
{
	(void)state;
	csys_task_queue *queue = NULL;
	pthread_t loop;
	assert_int_equal(csys_task_queue_new(NULL, &queue), 0);
	assert_int_equal(pthread_create(&loop, NULL, run_until_the_end, queue), 0);
	assert_int_equal(csys_task_queue_call(queue, end_now, NULL), CSYS_EPANICKED);
	pthread_join(loop, NULL);
	csys_task_queue_unref(queue);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(frames_that_are_unwound_leave_nothing),
		TEST(a_thread_that_was_unwound_may_end_later),
		TEST(a_call_that_ends_the_loop_thread_returns),
	};
	return RUN(tests);
}
