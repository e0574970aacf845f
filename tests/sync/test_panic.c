/*
 * sync/test_panic.c - promises of csys/sync/panic.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/support.h"

/* ---- what the hook was told --------------------------------------------- */

static struct {
	int calls;
	csys_panic_info info;
	void *context;
	int was_panicking;
	uint64_t thread;
	csys_mutex *held; /* to be looked at in the hook */
	int was_held;
} told;

static void note(const csys_panic_info *info, void *context)
{
	told.calls++;
	told.info = *info;
	told.context = context;
	told.was_panicking = csys_thread_panicking();
	told.thread = csys_thread_current_id();
	if (told.held)
		told.was_held = csys_mutex_try_lock(told.held) == CSYS_EAGAIN;
}

static int hook_noted(void **state)
{
	memset(&told, 0, sizeof told);
	csys_panic_set_hook(note, &told);
	return support_before(state);
}

static int hook_default(void **state)
{
	csys_panic_set_hook(NULL, NULL);
	return support_after(state);
}

#define QUIET(name) cmocka_unit_test_setup_teardown(name, hook_noted, hook_default)

static int is_free(csys_mutex *lock, int expected)
{
	int r = csys_mutex_try_lock(lock);
	if (r >= 0)
		csys_mutex_unlock(lock);
	return r == expected;
}

/* ---- catching ----------------------------------------------------------- */

static void set(void *number)
{
	*(int *)number = 7;
}

static void a_body_that_returns_is_no_panic(void **state)
{
	(void)state;
	int number = 0;
	csys_panic_info info = { .message = "untouched" };
	assert_int_equal(csys_panic_catch(set, &number, &info), 0);
	assert_int_equal(number, 7);
	assert_string_equal(info.message, "untouched");
	assert_int_equal(told.calls, 0);
}

static int panic_line;

static void panic_with_numbers(void *unused)
{
	(void)unused;
	panic_line = __LINE__ + 1;
	csys_panic("%s is %d and not %d", "it", 3, 4);
}

static void a_panic_is_caught_with_its_message_and_place(void **state)
{
	(void)state;
	csys_panic_info info;
	assert_int_equal(csys_panic_catch(panic_with_numbers, NULL, &info), CSYS_EPANICKED);
	assert_string_equal(info.message, "it is 3 and not 4");
	assert_string_equal(info.file, __FILE__);
	assert_int_equal(info.line, panic_line);
	assert_int_equal(csys_thread_panicking(), 0);
	assert_int_equal(csys_panic_catch(panic_with_numbers, NULL, NULL), CSYS_EPANICKED);
}

static void panic_at_length(void *size)
{
	char text[2000];
	memset(text, 'x', sizeof text);
	text[*(size_t *)size] = '\0';
	csys_panic("%s", text);
}

static void a_long_message_is_cut(void **state)
{
	(void)state;
	csys_panic_info info;
	for (size_t size = CSYS_PANIC_MESSAGE - 2; size <= CSYS_PANIC_MESSAGE + 1; size++) {
		size_t kept = size < CSYS_PANIC_MESSAGE ? size : CSYS_PANIC_MESSAGE - 1;
		assert_int_equal(csys_panic_catch(panic_at_length, &size, &info), CSYS_EPANICKED);
		assert_int_equal(strlen(info.message), kept);
	}
}

struct locks {
	csys_mutex before;
	csys_mutex inside[20];
	int fault;
};

static void lock_and_panic(void *argument)
{
	struct locks *locks = argument;
	for (int i = 0; i < 20; i++)
		csys_mutex_lock(&locks->inside[i]);
	csys_mutex_unlock(&locks->inside[7]);
	csys_panic("with locks");
}

static void only_locks_taken_inside_are_poisoned(void **state)
{
	(void)state;
	struct locks locks = { .before = CSYS_MUTEX_INIT };
	csys_mutex_lock(&locks.before);
	told.held = &locks.inside[19];
	assert_int_equal(csys_panic_catch(lock_and_panic, &locks, NULL), CSYS_EPANICKED);
	assert_int_equal(told.was_held, 1);
	for (int i = 0; i < 20; i++)
		assert_true(is_free(&locks.inside[i], i == 7 ? 0 : CSYS_POISONED));
	assert_true(is_free(&locks.before, CSYS_EAGAIN));
	assert_int_equal(csys_mutex_is_poisoned(&locks.before), 0);
	csys_mutex_unlock(&locks.before);
	assert_true(is_free(&locks.before, 0));
}

static void exchange_and_panic(void *argument)
{
	struct locks *locks = argument;
	csys_mutex_unlock(&locks->before);
	csys_mutex_lock(&locks->inside[0]);
	csys_panic("with another one");
}

static void a_lock_released_inside_makes_no_room_for_another(void **state)
{
	(void)state;
	struct locks locks = { .before = CSYS_MUTEX_INIT };
	csys_mutex_lock(&locks.inside[1]);
	csys_mutex_lock(&locks.before);
	assert_int_equal(csys_panic_catch(exchange_and_panic, &locks, NULL), CSYS_EPANICKED);
	assert_true(is_free(&locks.before, 0));
	assert_true(is_free(&locks.inside[0], CSYS_POISONED));
	assert_true(is_free(&locks.inside[1], CSYS_EAGAIN));
	csys_mutex_unlock(&locks.inside[1]);
}

static void lock_without_poison_and_panic(void *lock)
{
	csys_mutex_lock(lock);
	csys_panic("without poison");
}

static void a_lock_without_poison_stays_locked(void **state)
{
	(void)state;
	csys_mutex lock = CSYS_MUTEX_INIT_NO_POISON;
	assert_int_equal(csys_panic_catch(lock_without_poison_and_panic, &lock, NULL),
			 CSYS_EPANICKED);
	assert_true(is_free(&lock, CSYS_EAGAIN));
	csys_mutex_unlock(&lock);
	assert_true(is_free(&lock, 0));
}

static void catch_and_go_on(void *argument)
{
	struct locks *locks = argument;
	csys_panic_info info;
	csys_mutex_lock(&locks->before);
	CHECK(csys_panic_catch(lock_and_panic, locks, &info) == CSYS_EPANICKED);
	CHECK(is_free(&locks->before, CSYS_EAGAIN));
	csys_panic_resume(&info);
}

static void a_panic_can_go_on_after_it_was_caught(void **state)
{
	(void)state;
	struct locks locks = { .before = CSYS_MUTEX_INIT };
	csys_panic_info info;
	assert_int_equal(csys_panic_catch(catch_and_go_on, &locks, &info), CSYS_EPANICKED);
	assert_string_equal(info.message, "with locks");
	assert_int_equal(told.calls, 1); /* once for both */
	assert_true(is_free(&locks.before, CSYS_POISONED));
	assert_true(is_free(&locks.inside[0], CSYS_POISONED));
	assert_int_equal(csys_thread_panicking(), 0);
}

static void lock_and_panic_without_memory(void *argument)
{
	csysi_fault_arm(1);
	lock_and_panic(argument);
}

static void *catch_without_memory(void *argument)
{
	struct locks *locks = argument;
	/* The first lock of a thread needs some memory of the system. */
	csysi_fault_arm(locks->fault);
	CHECK(csys_panic_catch(lock_and_panic_without_memory, locks, NULL) == CSYS_EPANICKED);
	csysi_fault_arm(0);
	return NULL;
}

static void a_panic_needs_no_memory(void **state)
{
	(void)state;
	for (int fault = 0; fault <= 1; fault++) {
		struct locks locks = { .fault = fault };
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, catch_without_memory, &locks), 0);
		pthread_join(thread, NULL);
		/* What could be noted is released; the one that could not stays locked. */
		int left = 0;
		for (int i = 0; i < 20; i++) {
			left += is_free(&locks.inside[i], CSYS_EAGAIN);
			assert_false(is_free(&locks.inside[i], 0) && i != 7);
		}
		assert_int_equal(left, 1);
	}
}

static int panic_as_predicate(void *unused)
{
	(void)unused;
	csys_panic("in a predicate");
}

struct wait {
	csys_mutex lock;
	csys_condvar condvar;
};

static void wait_while_it_panics(void *argument)
{
	struct wait *wait = argument;
	csys_mutex_lock(&wait->lock);
	csys_condvar_wait_while(&wait->condvar, &wait->lock, panic_as_predicate, NULL);
}

static void a_panic_in_a_predicate_poisons_the_mutex(void **state)
{
	(void)state;
	struct wait wait = { .lock = CSYS_MUTEX_INIT, .condvar = CSYS_CONDVAR_INIT };
	assert_int_equal(csys_panic_catch(wait_while_it_panics, &wait, NULL), CSYS_EPANICKED);
	assert_true(is_free(&wait.lock, CSYS_POISONED));
	assert_true(wait.condvar.queue == 0); /* nobody waits */
}

/* ---- what was held before a catch --------------------------------------- */

struct before {
	csys_mutex mutex;
	csys_reentrant reentrant;
	csys_rwlock rwlock;
	csys_condvar condvar;
	csys_mutex others[20]; /* so that the ledger has more than a few notes */
	int inner;             /* EPANICKED: of a catch inside the body */
};

static void wait_and_panic(void *argument)
{
	struct before *before = argument;
	for (int i = 0; i < 3; i++)
		CHECK(csys_condvar_wait_until(&before->condvar, &before->mutex, CSYS_POLL) ==
		      CSYS_ETIMEDOUT);
	csys_panic("after waiting");
}

static void unlock_lock_and_panic(void *argument)
{
	struct before *before = argument;
	csys_mutex_unlock(&before->mutex);
	csys_mutex_lock(&before->mutex);
	csys_panic("with the lock taken anew");
}

static void wait_in_an_inner_catch_and_panic(void *argument)
{
	struct before *before = argument;
	before->inner = csys_panic_catch(wait_and_panic, before, NULL);
	csys_panic("outside");
}

static void hold_others(struct before *before, int count)
{
	for (int i = 0; i < count; i++)
		csys_mutex_lock(&before->others[i]);
}

static void release_others(struct before *before, int count)
{
	for (int i = 0; i < count; i++) {
		assert_false(csys_mutex_is_poisoned(&before->others[i]));
		csys_mutex_unlock(&before->others[i]);
	}
}

static void a_mutex_that_was_waited_with_inside_stays_held(void **state)
{
	(void)state;
	csys_panic_body *bodies[] = { wait_and_panic, unlock_lock_and_panic,
				      wait_in_an_inner_catch_and_panic };
	for (int others = 0; others <= 20; others += 10)
		for (int i = 0; i < 3; i++) {
			struct before before = { .inner = CSYS_EPANICKED };
			hold_others(&before, others);
			csys_mutex_lock(&before.mutex);
			assert_int_equal(csys_panic_catch(bodies[i], &before, NULL),
					 CSYS_EPANICKED);
			assert_int_equal(before.inner, CSYS_EPANICKED);
			assert_true(is_free(&before.mutex, CSYS_EAGAIN));
			csys_mutex_assert_held(&before.mutex);
			csys_mutex_unlock(&before.mutex);
			assert_true(is_free(&before.mutex, 0));
			release_others(&before, others);
		}
}

static void release_and_panic(void *argument)
{
	struct before *before = argument;
	csys_mutex_unlock(&before->mutex);
	csys_panic("without the lock");
}

static void lock_it_and_panic(void *argument)
{
	struct before *before = argument;
	csys_mutex_lock(&before->mutex);
	csys_panic("with the lock");
}

static void a_mutex_that_was_released_inside_is_not_held(void **state)
{
	(void)state;
	struct before before = { .inner = 0 };
	csys_mutex_lock(&before.mutex);
	assert_int_equal(csys_panic_catch(release_and_panic, &before, NULL), CSYS_EPANICKED);
	assert_true(is_free(&before.mutex, 0));

	/* Nor is one that was released before the catch: it was not held at it. */
	csys_mutex_lock(&before.others[0]);
	csys_mutex_lock(&before.mutex);
	csys_mutex_lock(&before.others[1]);
	csys_mutex_unlock(&before.mutex);
	assert_int_equal(csys_panic_catch(lock_it_and_panic, &before, NULL), CSYS_EPANICKED);
	assert_true(is_free(&before.mutex, CSYS_POISONED));
	release_others(&before, 2);
}

static void lock_levels_and_panic(void *argument)
{
	struct before *before = argument;
	for (int i = 0; i < 3; i++)
		csys_reentrant_lock(&before->reentrant);
	csys_panic("three levels up");
}

static void unlock_levels_and_panic(void *argument)
{
	struct before *before = argument;
	csys_reentrant_unlock(&before->reentrant);
	csys_panic("one level down");
}

static void leave_take_again_and_panic(void *argument)
{
	struct before *before = argument;
	csys_reentrant_unlock(&before->reentrant);
	csys_reentrant_unlock(&before->reentrant);
	csys_reentrant_lock(&before->reentrant);
	csys_panic("taken anew");
}

static void change_the_level_inside(void *argument)
{
	struct before *before = argument;
	csys_reentrant_lock(&before->reentrant);
}

static void change_the_level_in_an_inner_catch_and_panic(void *argument)
{
	CHECK(csys_panic_catch(change_the_level_inside, argument, NULL) == 0);
	csys_panic("outside");
}

static void a_reentrant_lock_has_its_level_again(void **state)
{
	(void)state;
	csys_panic_body *bodies[] = { lock_levels_and_panic, unlock_levels_and_panic,
				      leave_take_again_and_panic,
				      change_the_level_in_an_inner_catch_and_panic };
	for (int others = 0; others <= 20; others += 10)
		for (int i = 0; i < 4; i++) {
			struct before before = { .inner = 0 };
			hold_others(&before, others);
			csys_reentrant_lock(&before.reentrant);
			csys_reentrant_lock(&before.reentrant);
			assert_int_equal(csys_panic_catch(bodies[i], &before, NULL),
					 CSYS_EPANICKED);
			assert_int_equal(csys_reentrant_is_poisoned(&before.reentrant), 0);
			csys_reentrant_unlock(&before.reentrant);
			assert_true(is_free(&before.reentrant.mutex, CSYS_EAGAIN));
			csys_reentrant_unlock(&before.reentrant);
			assert_true(is_free(&before.reentrant.mutex, 0));
			release_others(&before, others);
		}
}

static void upgrade_and_panic(void *argument)
{
	struct before *before = argument;
	CHECK(csys_rwlock_try_upgrade(&before->rwlock) == 0);
	csys_panic("half a change");
}

static void downgrade_and_panic(void *argument)
{
	struct before *before = argument;
	csys_rwlock_downgrade(&before->rwlock);
	csys_rwlock_read(&before->rwlock);
	csys_panic("reading");
}

static void *try_to_read(void *argument)
{
	struct before *before = argument;
	int r = csys_rwlock_try_read(&before->rwlock);
	if (r >= 0)
		csys_rwlock_unlock_read(&before->rwlock);
	before->inner = r;
	return NULL;
}

static int read_elsewhere(struct before *before)
{
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, try_to_read, before), 0);
	pthread_join(thread, NULL);
	return before->inner;
}

static void an_upgrade_is_undone_and_poisons(void **state)
{
	(void)state;
	for (int others = 0; others <= 20; others += 10) {
		struct before before = { .inner = 0 };
		hold_others(&before, others);
		csys_rwlock_read(&before.rwlock);
		assert_int_equal(csys_panic_catch(upgrade_and_panic, &before, NULL),
				 CSYS_EPANICKED);
		csys_rwlock_assert_read(&before.rwlock);
		assert_int_equal(csys_rwlock_is_poisoned(&before.rwlock), 1);
		assert_int_equal(read_elsewhere(&before), CSYS_POISONED);
		csys_rwlock_unlock_read(&before.rwlock);
		assert_int_equal(csys_rwlock_try_write(&before.rwlock), CSYS_POISONED);
		csys_rwlock_unlock_write(&before.rwlock);
		release_others(&before, others);
	}
}

static void write_instead_and_panic(void *argument)
{
	struct before *before = argument;
	for (int i = 0; i < 3; i++)
		csys_rwlock_unlock_read(&before->rwlock);
	csys_rwlock_write(&before->rwlock);
	csys_panic("half a change");
}

static void panic_twice_inside(void *argument)
{
	struct before *before = argument;
	if (csys_panic_catch(write_instead_and_panic, before, NULL) != CSYS_EPANICKED)
		return;
	write_instead_and_panic(argument);
}

static void what_was_read_several_times_is_so_again_after_writing(void **state)
{
	(void)state;
	csys_panic_body *bodies[] = { write_instead_and_panic, panic_twice_inside };
	for (int others = 0; others <= 20; others += 10)
		for (int i = 0; i < 2; i++) {
			struct before before = { .inner = 0 };
			hold_others(&before, others);
			for (int k = 0; k < 3; k++)
				csys_rwlock_read(&before.rwlock);
			assert_int_equal(csys_panic_catch(bodies[i], &before, NULL),
					 CSYS_EPANICKED);
			assert_int_equal(csys_rwlock_is_poisoned(&before.rwlock), 1);
			for (int k = 0; k < 3; k++) {
				assert_int_equal(csys_rwlock_try_write(&before.rwlock),
						 CSYS_EAGAIN);
				csys_rwlock_assert_read(&before.rwlock);
				csys_rwlock_unlock_read(&before.rwlock);
			}
			assert_int_equal(csys_rwlock_try_write(&before.rwlock), CSYS_POISONED);
			csys_rwlock_unlock_write(&before.rwlock);
			release_others(&before, others);
		}
}

static void a_downgrade_is_undone(void **state)
{
	(void)state;
	for (int others = 0; others <= 20; others += 10) {
		struct before before = { .inner = 0 };
		hold_others(&before, others);
		csys_rwlock_write(&before.rwlock);
		assert_int_equal(csys_panic_catch(downgrade_and_panic, &before, NULL),
				 CSYS_EPANICKED);
		csys_rwlock_assert_write(&before.rwlock);
		assert_int_equal(read_elsewhere(&before), CSYS_EAGAIN);
		csys_rwlock_unlock_write(&before.rwlock);
		assert_int_equal(read_elsewhere(&before), 0);
		release_others(&before, others);
	}
}

/* ---- the hook ----------------------------------------------------------- */

static void the_hook_is_told_in_the_thread_of_the_panic(void **state)
{
	(void)state;
	csys_panic_hook *hook = NULL;
	void *context = NULL;
	assert_int_equal(csys_panic_catch(panic_with_numbers, NULL, NULL), CSYS_EPANICKED);
	assert_int_equal(told.calls, 1);
	assert_string_equal(told.info.message, "it is 3 and not 4");
	assert_int_equal(told.info.line, panic_line);
	assert_ptr_equal(told.context, &told);
	assert_int_equal(told.was_panicking, 1);
	assert_true(told.thread == csys_thread_current_id());

	csys_panic_get_hook(&hook, &context);
	assert_true(hook == note);
	assert_ptr_equal(context, &told);
	csys_panic_set_hook(NULL, &context);
	csys_panic_get_hook(&hook, &context);
	assert_true(hook == csys_panic_default_hook);
}

static int hooks_are_changing; /* atomic */
static int one, two, three;

static void be_one(const csys_panic_info *info, void *context)
{
	(void)info;
	CHECK(context == &one);
}

static void be_two(const csys_panic_info *info, void *context)
{
	(void)info;
	CHECK(context == &two);
}

static void be_three(const csys_panic_info *info, void *context)
{
	(void)info;
	CHECK(context == &three);
}

/* Three, so that each of two places for a hook has each of them. */
static void set_each_hook(void)
{
	csys_panic_set_hook(be_one, &one);
	csys_panic_set_hook(be_two, &two);
	csys_panic_set_hook(be_three, &three);
}

static void *change_hooks(void *unused)
{
	for (int i = 0; i < 50000; i++)
		set_each_hook();
	csysi_store_relaxed(&hooks_are_changing, 0);
	return unused;
}

static int is_a_pair(void)
{
	csys_panic_hook *hook = NULL;
	void *context = NULL;

	csys_panic_get_hook(&hook, &context);
	return (hook == be_one && context == &one) || (hook == be_two && context == &two) ||
	       (hook == be_three && context == &three);
}

static void use_hooks_in_the_child(void)
{
	csys_panic_hook *hook = NULL;
	void *context = NULL;

	/* The thread that was setting it is not here.  This does not wait for it for ever: */
	alarm(20);
	CHECK(is_a_pair());
	csys_panic_set_hook(note, &told);
	csys_panic_get_hook(&hook, &context);
	CHECK(hook == note && context == &told);
}

static void *keep_changing_hooks(void *unused)
{
	while (csysi_load_relaxed(&hooks_are_changing))
		set_each_hook();
	return unused;
}

static void a_hook_is_set_in_a_forked_child_while_others_set_it(void **state)
{
	(void)state;
	pthread_t thread;
	csys_panic_set_hook(be_one, &one);
	csysi_store_relaxed(&hooks_are_changing, 1);
	assert_int_equal(pthread_create(&thread, NULL, keep_changing_hooks, NULL), 0);
	/* valgrind runs one thread at a time: more forks meet the other one no more often. */
	int forks = under_valgrind() ? 20 : 300;
	for (int i = 0; i < forks; i++)
		in_child(use_hooks_in_the_child);
	csysi_store_relaxed(&hooks_are_changing, 0);
	pthread_join(thread, NULL);
}

static void a_hook_never_gets_the_context_of_another(void **state)
{
	(void)state;
	pthread_t thread;
	csys_panic_set_hook(be_one, &one);
	csysi_store_relaxed(&hooks_are_changing, 1);
	assert_int_equal(pthread_create(&thread, NULL, change_hooks, NULL), 0);
	while (csysi_load_relaxed(&hooks_are_changing)) {
		assert_int_equal(csys_panic_catch(panic_with_numbers, NULL, NULL), CSYS_EPANICKED);
		for (int i = 0; i < 100; i++)
			assert_true(is_a_pair());
	}
	pthread_join(thread, NULL);
}

/* ---- ends --------------------------------------------------------------- */

/* Run it in a child; what it wrote to stderr, and how it ended. */
static int ended(void (*function)(void), char *text, size_t size)
{
	int pipes[2];
	int status;
	size_t length = 0;
	ssize_t got;

	assert_int_equal(pipe(pipes), 0);
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct sigaction action = { .sa_handler = SIG_DFL };
		sigaction(SIGABRT, &action, NULL);
		dup2(pipes[1], 2);
		close(pipes[0]);
		close(pipes[1]);
		csys_panic_set_hook(NULL, NULL);
		function();
		_exit(0);
	}
	close(pipes[1]);
	while ((got = read(pipes[0], text + length, size - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void exits_with_101(void (*function)(void), const char *line)
{
	char text[4096];
	int status = ended(function, text, sizeof text);
	assert_true(WIFEXITED(status));
	if (!under_valgrind()) /* which says what it thinks of blocks that are not freed */
		assert_int_equal(WEXITSTATUS(status), 101);
	assert_non_null(strstr(text, line));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* and that is all */
}

static void aborts(void (*function)(void), const char *first, const char *second)
{
	char text[4096];
	int status = ended(function, text, sizeof text);
	/* A sanitizer may make another end of it. */
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 101);
	assert_non_null(strstr(text, first));
	assert_non_null(strstr(text, second));
}

static void panic_in_main(void)
{
	csys_panic_at("some/file.c", 12, "%d apples", 3);
}

static void *panic_as_foreigner(void *unused)
{
	(void)unused;
	csys_panic_at("other.c", 1, "not ours");
}

static void panic_in_a_foreign_thread(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, panic_as_foreigner, NULL);
	pthread_join(thread, NULL);
}

static void *fork_and_panic(void *unused)
{
	char text[4096];
	int status = ended(panic_in_main, text, sizeof text);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 101);
	return unused;
}

static void uncaught_it_ends_the_process_with_101_where_nobody_joins(void **state)
{
	(void)state;
	/* The main thread is known by its number. */
	exits_with_101(panic_in_main,
		       csys_can(CSYS_CAN_THREAD_ID)
			       ? "thread 'main' panicked at some/file.c:12: 3 apples\n"
			       : "thread <unnamed> panicked at some/file.c:12: 3 apples\n");
	exits_with_101(panic_in_a_foreign_thread,
		       "thread <unnamed> panicked at other.c:1: not ours\n");

	if (WITH_ASAN || under_valgrind())
		return; /* they miss the stacks of the threads that are not there */
	csys_thread *thread = NULL;
	assert_int_equal(csys_thread_spawn(fork_and_panic, NULL, NULL, &thread), 0);
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(thread);
}

static void *panic_with_a_name(void *unused)
{
	(void)unused;
	csys_panic_at("file.c", 5, "named");
}

static void panic_in_a_named_thread(void)
{
	csys_thread_options options = { .name = "worker" };
	csys_thread *thread = NULL;
	CHECK(csys_thread_spawn(panic_with_a_name, NULL, &options, &thread) == 0);
	CHECK(csys_thread_join(thread, NULL) == CSYS_EPANICKED);
	exit(101);
}

static void the_default_hook_names_the_thread(void **state)
{
	(void)state;
	exits_with_101(panic_in_a_named_thread, "thread 'worker' panicked at file.c:5: named\n");
}

struct worker {
	csys_mutex locks[3];
	csys_mutex waited_for;
	int cleaned;
	int was_panicking;
	int had_end; /* panicking in a hook of the end */
};

static void clean_up(void *argument)
{
	struct worker *worker = argument;
	worker->cleaned++;
	worker->was_panicking = csys_thread_panicking();
	/* It was taken away: no misuse, and not another's. */
	csys_mutex_unlock(&worker->locks[1]);
	CHECK(csys_panic_catch(panic_with_numbers, NULL, NULL) == CSYS_EPANICKED);
	CHECK(csys_thread_panicking());
}

static void note_end(void *argument)
{
	((struct worker *)argument)->had_end = 1 + csys_thread_panicking();
}

static void *work_and_panic(void *argument)
{
	struct worker *worker = argument;
	CHECK(csys_thread_at_exit(note_end, worker) == 0);
	for (int i = 0; i < 3; i++)
		csys_mutex_lock(&worker->locks[i]);
	pthread_cleanup_push(clean_up, worker);
	csys_panic("worker %d gives up", 3);
	pthread_cleanup_pop(0);
}

static void *lock_it(void *lock)
{
	int r = csys_mutex_lock(lock);
	csys_mutex_unlock(lock);
	return r == CSYS_POISONED ? lock : NULL;
}

static void uncaught_it_ends_the_thread_and_its_join_says_so(void **state)
{
	(void)state;
	struct worker worker = { .cleaned = 0 };
	csys_thread *waiter = NULL;
	csys_thread *thread = NULL;
	void *result = &worker;

	assert_int_equal(csys_thread_spawn(work_and_panic, &worker, NULL, &thread), 0);
	assert_int_equal(csys_thread_join(thread, &result), CSYS_EPANICKED);
	assert_ptr_equal(result, &worker);
	assert_string_equal(csys_thread_panic_message(thread), "worker 3 gives up");
	csys_thread_unref(thread);
	for (int i = 0; i < 3; i++)
		assert_true(is_free(&worker.locks[i], CSYS_POISONED));
	assert_int_equal(csys_thread_spawn(lock_it, &worker.locks[2], NULL, &waiter), 0);
	assert_int_equal(csys_thread_join(waiter, &result), 0);
	assert_ptr_equal(result, &worker.locks[2]);
	csys_thread_unref(waiter);
	assert_int_equal(worker.cleaned, 1);
	assert_int_equal(worker.was_panicking, 1);
	assert_int_equal(worker.had_end, 1);
	assert_int_equal(told.calls, 2); /* its own, and the one that was caught in clean_up */
}

static void panic_again(const csys_panic_info *info, void *context)
{
	(void)context;
	csys_panic("second, after %s", info->message);
}

static void panic_in_the_hook(void)
{
	csys_panic_set_hook(panic_again, NULL);
	csys_panic("first");
}

static void panic_as_handler(void *unused)
{
	(void)unused;
	csys_panic("second");
}

static void *panic_twice(void *unused)
{
	(void)unused;
	pthread_cleanup_push(panic_as_handler, NULL);
	csys_panic("first");
	pthread_cleanup_pop(0);
}

static void panic_while_panicking(void)
{
	csys_thread *thread = NULL;
	CHECK(csys_thread_spawn(panic_twice, NULL, NULL, &thread) == 0);
	CHECK(csys_thread_join(thread, NULL) == 0);
}

static void *end_with_a_panic(void *unused)
{
	CHECK(csys_thread_at_exit(panic_as_handler, NULL) == 0);
	return unused;
}

static void panic_at_the_end(void)
{
	csys_thread *thread = NULL;
	CHECK(csys_thread_spawn(end_with_a_panic, NULL, NULL, &thread) == 0);
	CHECK(csys_thread_join(thread, NULL) == 0);
}

static void panic_at_a_foreign_end(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, end_with_a_panic, NULL);
	pthread_join(thread, NULL);
}

static void where_it_has_nowhere_to_go_it_aborts(void **state)
{
	(void)state;
	aborts(panic_in_the_hook, "second, after first", "a panic in the hook of a panic");
	aborts(panic_while_panicking, ": second\n", "a panic while the thread panics");
	aborts(panic_at_the_end, ": second\n", "a panic at the end of a thread");
	aborts(panic_at_a_foreign_end, ": second\n", "a panic at the end of a thread");
}

/* ---- the end of a thread within ----------------------------------------- */

static pthread_key_t key;
static int caught_in_destructor; /* atomic */

static void catch_in_destructor(void *unused)
{
	(void)unused;
	if (csys_panic_catch(panic_with_numbers, NULL, NULL) == CSYS_EPANICKED)
		csysi_store_relaxed(&caught_in_destructor, 1);
}

static void lock_and_exit(void *lock)
{
	csys_mutex_lock(lock);
	pthread_exit(NULL);
}

static void *exit_within(void *lock)
{
	pthread_setspecific(key, lock);
	CHECK(csys_panic_catch(lock_and_exit, lock, NULL) == 0);
	return NULL;
}

static void a_thread_may_end_where_panics_are_caught(void **state)
{
	(void)state;
	csys_mutex locks[2] = { CSYS_MUTEX_INIT, CSYS_MUTEX_INIT };
	csys_thread *thread = NULL;
	pthread_t foreign;

	assert_int_equal(pthread_key_create(&key, catch_in_destructor), 0);
	assert_int_equal(csys_thread_spawn(exit_within, &locks[0], NULL, &thread), 0);
	assert_int_equal(csys_thread_join(thread, NULL), CSYS_EPANICKED);
	csys_thread_unref(thread);
	assert_int_equal(caught_in_destructor, 1);
	caught_in_destructor = 0;
	assert_int_equal(pthread_create(&foreign, NULL, exit_within, &locks[1]), 0);
	pthread_join(foreign, NULL);
	assert_int_equal(caught_in_destructor, 1);
	pthread_key_delete(key);
	for (int i = 0; i < 2; i++)
		assert_true(is_free(&locks[i], CSYS_POISONED));
}

static void catch_and_misuse(void)
{
	csys_mutex lock = CSYS_MUTEX_INIT;
	struct locks locks = { .before = CSYS_MUTEX_INIT };
	csys_panic_set_hook(note, NULL);
	CHECK(csys_panic_catch(lock_and_panic, &locks, NULL) == CSYS_EPANICKED);
	fprintf(stderr, "caught\n");
	csys_mutex_unlock(&lock);
}

static void a_misuse_after_a_caught_panic_is_noticed(void **state)
{
	(void)state;
	aborts(catch_and_misuse, "caught", "that this thread does not hold");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUIET(a_body_that_returns_is_no_panic),
		QUIET(a_panic_is_caught_with_its_message_and_place),
		QUIET(a_long_message_is_cut),
		QUIET(only_locks_taken_inside_are_poisoned),
		QUIET(a_lock_released_inside_makes_no_room_for_another),
		QUIET(a_lock_without_poison_stays_locked),
		QUIET(a_panic_can_go_on_after_it_was_caught),
		QUIET(a_panic_needs_no_memory),
		QUIET(a_panic_in_a_predicate_poisons_the_mutex),
		QUIET(a_mutex_that_was_waited_with_inside_stays_held),
		QUIET(a_mutex_that_was_released_inside_is_not_held),
		QUIET(a_reentrant_lock_has_its_level_again),
		QUIET(an_upgrade_is_undone_and_poisons),
		QUIET(what_was_read_several_times_is_so_again_after_writing),
		QUIET(a_downgrade_is_undone),
		QUIET(the_hook_is_told_in_the_thread_of_the_panic),
		QUIET(a_hook_is_set_in_a_forked_child_while_others_set_it),
		QUIET(a_hook_never_gets_the_context_of_another),
		QUIET(uncaught_it_ends_the_process_with_101_where_nobody_joins),
		QUIET(the_default_hook_names_the_thread),
		QUIET(uncaught_it_ends_the_thread_and_its_join_says_so),
		QUIET(where_it_has_nowhere_to_go_it_aborts),
		QUIET(a_thread_may_end_where_panics_are_caught),
		QUIET(a_misuse_after_a_caught_panic_is_noticed),
	};
	return RUN(tests);
}
