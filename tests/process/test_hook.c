/*
 * process/test_hook.c - promises of csys/process/command_options.h: functions that run in the
 * child, and a deadline for the start.
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE /* syscall */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"

/* ---- what a hook returns ------------------------------------------------------------- */

static void a_result_of_csys_fails_the_spawn_with_it(void **state)
{
	(void)state;
	for (int result = CSYS_EINVAL; result >= CSYS_EDISCONNECTED; result--)
		assert_fails(hooked(return_int, &result), result, CSYS_STEP_HOOK);
}

static void a_code_of_the_system_fails_the_spawn_with_its_meaning(void **state)
{
	(void)state;
	const struct {
		int code;
		int result;
	} cases[] = { { EPERM, CSYS_EPERM },
		      { ENOENT, CSYS_ENOENT },
		      { EACCES, CSYS_EACCES },
		      { ETIMEDOUT, CSYS_ETIMEDOUT },
		      { ENAMETOOLONG, CSYS_ENAMETOOLONG },
		      { EXDEV, CSYS_EOTHER },
		      { 123456, CSYS_EOTHER },
		      { INT_MAX, CSYS_EOTHER } };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int code = cases[i].code;
		assert_fails(hooked(return_int, &code), cases[i].result, CSYS_STEP_HOOK);
		assert_int_equal(csys_os_error(), code);
	}
}

static void a_negative_number_that_is_no_result_is_eother(void **state)
{
	(void)state;
	const int cases[] = { CSYS_EOWNERDEAD - 1, -110, -4096, INT_MIN };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int code = cases[i];
		assert_fails(hooked(return_int, &code), CSYS_EOTHER, CSYS_STEP_HOOK);
	}
}

static void the_hooks_after_one_that_fails_do_not_run(void **state)
{
	(void)state;
	int first = CSYS_EIO, second = CSYS_EBUSY;
	csys_command *command = hooked(return_int, &first);
	csys_command_pre_exec(command, return_int, &second);
	assert_fails(command, CSYS_EIO, CSYS_STEP_HOOK);
}

/* ---- how else it may be left -------------------------------------------------------------- */

/* What a copy of this process, which goes on where only this one should, writes into. */
static csys_handle told[2];
static pid_t original;

static void expect_one(void)
{
	original = getpid();
	assert_int_equal(csys_pipe_create(&told[0], &told[1]), 0);
}

/* At a place that a copy must not come to. */
static void only_here(void)
{
	if (getpid() == original)
		return;
	ssize_t written = write((int)told[1], "x", 1);
	_exit(written == 1 ? 0 : 1);
}

static void assert_one(void)
{
	char byte;
	size_t size;
	csys_handle_close(told[1]);
	assert_int_equal(csys_stream_read_until(told[0], &byte, 1, csys_after_s(60), &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(told[0]);
}

static void say_nothing(const csys_panic_info *info, void *context)
{
	(void)info;
	(void)context;
}

static int panic_hook(void *unused)
{
	(void)unused;
	csys_panic("in the hook");
}

struct start {
	csys_command *command;
	csys_child *child;
	int r;
};

static void spawn_it(void *argument)
{
	struct start *start = argument;
	start->r = csys_command_spawn(start->command, &start->child);
}

static void a_panic_ends_the_child_and_not_the_caller(void **state)
{
	(void)state;
	csys_panic_set_hook(say_nothing, NULL);
	struct start start = { .command = hooked(panic_hook, NULL) };
	expect_one();
	int caught = csys_panic_catch(spawn_it, &start, NULL);
	only_here();
	csys_panic_set_hook(NULL, NULL);
	assert_int_equal(caught, 0);
	assert_int_equal(start.r, CSYS_EPANICKED);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_HOOK);
	assert_null(start.child);
	assert_false(has_children());
	csys_command_free(start.command);
	assert_one();
}

static void a_panic_that_nothing_would_catch_is_told_too(void **state)
{
	(void)state;
	csys_panic_set_hook(say_nothing, NULL);
	assert_fails(hooked(panic_hook, NULL), CSYS_EPANICKED, CSYS_STEP_HOOK);
	csys_panic_set_hook(NULL, NULL);
}

static int catch_own(void *unused)
{
	(void)unused;
	csys_panic_info info;
	csys_mutex lock = CSYS_MUTEX_INIT;
	if (csys_mutex_lock(&lock) != 0)
		return CSYS_EOTHER;
	struct start ignored = { .command = NULL };
	int r = csys_panic_catch((void (*)(void *))spawn_it, &ignored, &info);
	csys_mutex_unlock(&lock);
	return r == 0 && ignored.r == CSYS_ENOMEM ? 0 : CSYS_EOTHER;
}

static void a_hook_may_catch_for_itself(void **state)
{
	(void)state;
	csys_exit end;
	csys_command *command = hooked(catch_own, NULL);
	assert_int_equal(csys_command_run(command, &end), 0);
	assert_true(csys_exit_success(end));
	csys_command_free(command);
}

static void spawn_in_a_panic(const csys_panic_info *info, void *context)
{
	(void)info;
	only_here();
	spawn_it(context);
}

static void panic_here(void *unused)
{
	panic_hook(unused);
}

static void a_panic_within_a_panic_ends_the_child_alone(void **state)
{
	(void)state;
	struct start start = { .command = hooked(panic_hook, NULL) };
	expect_one();
	csys_panic_set_hook(spawn_in_a_panic, &start);
	int caught = csys_panic_catch(panic_here, NULL, NULL);
	only_here();
	csys_panic_set_hook(NULL, NULL);
	assert_int_equal(caught, CSYS_EPANICKED);
	assert_int_equal(start.r, CSYS_ECANCELED);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_HOOK);
	assert_false(has_children());
	csys_command_free(start.command);
	assert_one();
}

static int end_thread(void *unused)
{
	(void)unused;
	pthread_exit(NULL);
}

static void on_the_way_out(void *unused)
{
	(void)unused;
	only_here();
}

static void the_end_of_the_thread_in_a_hook_ends_the_child_alone(void **state)
{
	(void)state;
	csys_child *child = NULL;
	csys_command *command = hooked(end_thread, NULL);
	int r;
	expect_one();
	pthread_cleanup_push(on_the_way_out, NULL);
	r = csys_command_spawn(command, &child);
	pthread_cleanup_pop(0);
	only_here();
	assert_int_equal(r, CSYS_ECANCELED);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_HOOK);
	assert_null(child);
	assert_false(has_children());
	csys_command_free(command);
	assert_one();
}

static int end_process(void *unused)
{
	(void)unused;
	_exit(0);
}

static int end_by_signal(void *unused)
{
	(void)unused;
	return kill(getpid(), SIGKILL);
}

static void a_hook_that_ends_the_child_is_no_success(void **state)
{
	(void)state;
	assert_fails(hooked(end_process, NULL), CSYS_ECANCELED, CSYS_STEP_HOOK);
	assert_fails(hooked(end_by_signal, NULL), CSYS_ECANCELED, CSYS_STEP_HOOK);
}

/* ---- what a hook may do to handles ----------------------------------------------------------- */

static int close_all(void *unused)
{
	(void)unused;
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	return 0;
}

/* To all handles that were not there before the spawn. */
static char was_open[256];

static void note_open(void)
{
	for (int fd = 0; fd < 256; fd++)
		was_open[fd] = fcntl(fd, F_GETFD) >= 0;
}

static int write_everywhere(void *unused)
{
	(void)unused;
	for (int fd = 3; fd < 256; fd++)
		if (!was_open[fd] && write(fd, "garbage, not a report", 21) < 0)
			continue;
	return 0;
}

/* Where the report has no handle it succeeds; where it has one the failure is clear. */
static void assert_runs_or_is_canceled(int (*hook)(void *argument))
{
	csys_exit end;
	csys_command *command = hooked(hook, NULL);
	int r = csys_command_run(command, &end);
	if (r == 0) {
		assert_true(csys_exit_success(end));
	} else {
		assert_int_equal(r, CSYS_ECANCELED);
		assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_HOOK);
	}
	assert_false(has_children());
	csys_command_free(command);
}

static void a_hook_that_closes_what_it_does_not_know_is_no_false_success(void **state)
{
	(void)state;
	assert_runs_or_is_canceled(close_all);

	int refusal = CSYS_EBUSY;
	csys_command *command = hooked(close_all, NULL);
	csys_command_pre_exec(command, return_int, &refusal);
	csys_child *child = NULL;
	int r = csys_command_spawn(command, &child);
	assert_true(r == CSYS_EBUSY || r == CSYS_ECANCELED);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_HOOK);
	assert_null(child);
	csys_command_free(command);
}

static void what_a_hook_writes_is_not_taken_for_a_report(void **state)
{
	(void)state;
	note_open();
	assert_runs_or_is_canceled(write_everywhere);
}

/* ---- processes that are forked meanwhile --------------------------------------------------- */

static csys_handle hold[2]; /* the one that is left holds all it got until this ends */

/* As other code of this process might at the same moment: it gets every handle there is. */
static int leave_a_holder(void *unused)
{
	(void)unused;
	pid_t pid = fork();
	if (pid != 0)
		return pid < 0 ? errno : 0;
	char byte;
	close((int)hold[1]);
	while (read((int)hold[0], &byte, 1) > 0)
		;
	_exit(0);
}

static int leave_a_holder_and_die(void *unused)
{
	leave_a_holder(unused);
	_exit(0);
}

static void a_child_that_ended_is_seen_while_others_hold_its_handles(void **state)
{
	(void)state;
	assert_int_equal(csys_pipe_create(&hold[0], &hold[1]), 0);
	assert_fails(hooked(leave_a_holder_and_die, NULL), CSYS_ECANCELED, CSYS_STEP_HOOK);
	csys_handle_close(hold[0]);
	csys_handle_close(hold[1]);
}

/* ---- a deadline for the start ----------------------------------------------------------- */

static int stop_self(void *unused)
{
	(void)unused;
	return raise(SIGSTOP);
}

static int sleep_for_ever(void *unused)
{
	(void)unused;
	while (pause() < 0)
		;
	return 0;
}

static void assert_times_out(csys_command *command, int r)
{
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_FORK);
	assert_false(has_children());
	csys_command_free(command);
}

static void a_start_that_takes_too_long_is_ended(void **state)
{
	(void)state;
	int (*const hooks[])(void *) = { stop_self, sleep_for_ever };
	for (int i = 0; i < 2; i++) {
		csys_child *child = NULL;
		csys_command *command = hooked(hooks[i], NULL);
		int r = csys_command_spawn_until(command, csys_after_ms(20), &child);
		assert_null(child);
		assert_times_out(command, r);

		csys_exit end = { .how = 77 };
		command = hooked(hooks[i], NULL);
		r = csys_command_run_until(command, csys_after_ms(20), 0, &end);
		assert_int_equal(end.how, CSYS_EXIT_NONE); /* it was no program yet */
		assert_times_out(command, r);

		csys_output output;
		csys_output_options options = { .deadline = csys_after_ms(20) };
		command = hooked(hooks[i], NULL);
		r = csys_command_output(command, &options, &output);
		csys_output_free(&output);
		assert_times_out(command, r);

		command = hooked(hooks[i], NULL);
		csys_command_contain(command);
		r = csys_command_spawn_until(command, csys_after_ms(20), &child);
		assert_null(child);
		assert_times_out(command, r);
	}
}

static void a_deadline_that_has_passed_ends_it_too(void **state)
{
	(void)state;
	const csys_deadline passed[] = { csys_deadline_at(0), csys_deadline_at(1),
					 csys_deadline_at(-1), CSYS_POLL };
	for (int i = 0; i < 4; i++) {
		csys_child *child = NULL;
		csys_command *command = hooked(stop_self, NULL);
		int r = csys_command_spawn_until(command, passed[i], &child);
		assert_null(child);
		assert_times_out(command, r);
	}
}

static void a_pipeline_ends_with_a_stage_that_takes_too_long(void **state)
{
	(void)state;
	csys_exit end;
	csys_command *stages[] = { helper_command("wait", NULL), hooked(stop_self, NULL) };
	csys_exit ends[2] = { { .how = 77 }, { .how = 77 } };
	int r = csys_pipeline_run_until(stages, 2, csys_after_ms(20), 0, ends, &end);
	assert_int_equal(end.how, CSYS_EXIT_NONE);
	assert_int_equal(ends[0].how, CSYS_EXIT_NONE);
	assert_int_equal(ends[1].how, CSYS_EXIT_NONE);
	assert_int_equal(csys_pipeline_failed_stage(), 1);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_false(has_children());

	csys_output output;
	csys_output_options options = { .deadline = csys_after_ms(20) };
	r = csys_pipeline_output(stages, 2, &options, NULL, &output);
	csys_output_free(&output);
	csys_command_free(stages[0]);
	assert_times_out(stages[1], r);
}

static void a_program_that_runs_in_time_is_started(void **state)
{
	(void)state;
	int fine = 0;
	csys_child *child;
	csys_command *command = hooked(return_int, &fine);
	assert_int_equal(csys_command_spawn_until(command, csys_after_s(60), &child), 0);
	assert_true(csys_exit_success(finished(child)));
	assert_int_equal(csys_command_spawn_until(command, CSYS_FOREVER, &child), 0);
	assert_true(csys_exit_success(finished(child)));
	csys_command_free(command);

	/* Nothing can delay this one. */
	command = helper_command("exit", "0", NULL);
	int r = csys_command_spawn_until(command, csys_after_s(60), &child);
	assert_int_equal(r, 0);
	assert_true(csys_exit_success(finished(child)));
	csys_command_free(command);
	assert_int_equal(csys_command_spawn_until(NULL, CSYS_POLL, &child), CSYS_ENOMEM);
}

static void without_memory_a_spawn_with_a_hook_leaves_nothing(void **state)
{
	(void)state;
	for (int nth = 1;; nth++) {
		int fine = 0;
		csys_exit end;
		csys_command *command = hooked(return_int, &fine);
		csysi_fault_arm(nth);
		int r = csys_command_run(command, &end);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		csys_command_free(command);
		assert_false(has_children());
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_result_of_csys_fails_the_spawn_with_it),
		TEST(a_code_of_the_system_fails_the_spawn_with_its_meaning),
		TEST(a_negative_number_that_is_no_result_is_eother),
		TEST(the_hooks_after_one_that_fails_do_not_run),
		TEST(a_panic_ends_the_child_and_not_the_caller),
		TEST(a_panic_that_nothing_would_catch_is_told_too),
		TEST(a_hook_may_catch_for_itself),
		TEST(a_panic_within_a_panic_ends_the_child_alone),
		TEST(the_end_of_the_thread_in_a_hook_ends_the_child_alone),
		TEST(a_hook_that_ends_the_child_is_no_success),
		TEST(a_hook_that_closes_what_it_does_not_know_is_no_false_success),
		TEST(what_a_hook_writes_is_not_taken_for_a_report),
		TEST(a_child_that_ended_is_seen_while_others_hold_its_handles),
		TEST(a_start_that_takes_too_long_is_ended),
		TEST(a_deadline_that_has_passed_ends_it_too),
		TEST(a_pipeline_ends_with_a_stage_that_takes_too_long),
		TEST(a_program_that_runs_in_time_is_started),
		TEST(without_memory_a_spawn_with_a_hook_leaves_nothing),
	};
	return RUN(tests);
}
