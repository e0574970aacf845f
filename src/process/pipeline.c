/*
 * process/pipeline.c - children whose streams are joined by pipes.
 *
 * The pipes between two stages are made one at a time, close-on-exec: while
 * stage i is started this process holds what it reads from and what it writes
 * to, and after that only what stage i + 1 will read from.  So no stage can get
 * an end that is not its own, with inherited handles neither.
 */
#include <csys/base/result.h>
#include <csys/process/pipeline.h>

#include <stdint.h>

#include "base/memory.h"
#include "os/os.h"
#include "process/capture.h"
#include "process/child.h"
#include "process/command.h"
#include "process/spawn.h"

struct csys_pipeline {
	size_t count;
	csys_child *children[];
};

static _Thread_local size_t failed_stage;

size_t csys_pipeline_failed_stage(void)
{
	return failed_stage;
}

size_t csys_pipeline_count(const csys_pipeline *pipeline)
{
	return pipeline ? pipeline->count : 0;
}

csys_child *csys_pipeline_child(const csys_pipeline *pipeline, size_t index)
{
	return index < csys_pipeline_count(pipeline) ? pipeline->children[index] : NULL;
}

/* ---- starting -------------------------------------------------------------------- */

/* Record that a stage cannot be started as it is; returns `result`. */
static int stage_failed(csys_command *const *stages, size_t count, size_t index, int result)
{
	failed_stage = index;
	csysi_spawn_begin(stages[index]);
	csysi_spawn_failed_stage(index, count);
	return csysi_spawn_failed(CSYS_STEP_COMMAND, result);
}

/* Before the first one is started, what can be known of all. */
static int check_stages(csys_command *const *stages, size_t count)
{
	failed_stage = 0;
	csysi_spawn_begin(NULL);
	if (!stages || count == 0)
		return csysi_spawn_failed(CSYS_STEP_COMMAND, CSYS_EINVAL);
	for (size_t i = 0; i < count; i++) {
		int r = csys_command_error(stages[i]);
		if (r == 0 && i > 0 && stages[i]->stdio[CSYS_STDIN].kind != CSYS_STDIO_DEFAULT)
			r = CSYS_EINVAL;
		if (r == 0 && i + 1 < count &&
		    stages[i]->stdio[CSYS_STDOUT].kind != CSYS_STDIO_DEFAULT)
			r = CSYS_EINVAL;
		if (r < 0)
			return stage_failed(stages, count, i, r);
	}
	csysi_spawn_begin(stages[0]);
	return 0;
}

static csys_pipeline *new_pipeline(size_t count)
{
	csys_pipeline *pipeline;
	if (count > (SIZE_MAX - sizeof *pipeline) / sizeof pipeline->children[0])
		return NULL;
	return csysi_alloc_zero(sizeof *pipeline + count * sizeof pipeline->children[0]);
}

/* Start the stage behind those that run; *reader is its stdin, and then that of the next. */
static int start_stage(csys_pipeline *pipeline, csys_command *command, int is_last,
		       const struct csysi_spawn_defaults *ends, csys_handle *reader)
{
	struct csysi_spawn_defaults defaults = *ends;
	csys_handle next = CSYS_NO_HANDLE;
	csys_handle writer = CSYS_NO_HANDLE;

	if (pipeline->count > 0) {
		defaults.kinds[CSYS_STDIN] = CSYS_STDIO_HANDLE;
		defaults.handles[CSYS_STDIN] = *reader;
	}
	if (!is_last) {
		csysi_spawn_begin(command);
		int r = csysi_os_pipe(0, 0, &next, &writer);
		if (r < 0)
			return csysi_spawn_failed(CSYS_STEP_STDOUT, r);
		defaults.kinds[CSYS_STDOUT] = CSYS_STDIO_HANDLE;
		defaults.handles[CSYS_STDOUT] = writer;
	}
	int r = csysi_spawn(command, &defaults, &pipeline->children[pipeline->count]);
	csysi_os_close(writer);
	csysi_os_close(*reader);
	*reader = next;
	if (r == 0)
		pipeline->count++;
	return r;
}

/* Start checked stages; `ends` says what is at the ends of it all, and stderr of each. */
static int start(csys_command *const *stages, size_t count, const struct csysi_spawn_defaults *ends,
		 csys_pipeline **out)
{
	csys_pipeline *pipeline = new_pipeline(count);
	if (!pipeline)
		return csysi_spawn_failed(CSYS_STEP_PREPARE, CSYS_ENOMEM);

	/* Cancelled between two stages, this thread would leave children without an owner. */
	int cancel = csysi_os_hold_cancel();
	csys_handle reader = CSYS_NO_HANDLE;
	int r = 0;
	for (size_t i = 0; i < count && r == 0; i++) {
		r = start_stage(pipeline, stages[i], i + 1 == count, ends, &reader);
		failed_stage = r < 0 ? i : 0;
	}
	csysi_os_close(reader);
	if (r < 0) {
		int step = csys_spawn_failed_step();
		int os_error = csys_os_error();
		csys_pipeline_close(pipeline, CSYS_CLOSE_KILL);
		csysi_set_os_error(os_error);
		csysi_spawn_failed_stage(failed_stage, count);
		csysi_spawn_failed(step, r);
	} else {
		*out = pipeline;
	}
	csysi_os_release_cancel(cancel);
	return r;
}

static int spawn_until(csys_command *const *stages, size_t count, csys_deadline deadline,
		       csys_pipeline **out)
{
	struct csysi_spawn_defaults ends = csysi_spawn_inherits;
	int r = check_stages(stages, count);

	if (r == 0 && !out)
		r = csysi_spawn_failed(CSYS_STEP_COMMAND, CSYS_EINVAL);
	ends.deadline = deadline;
	return r < 0 ? r : start(stages, count, &ends, out);
}

int csys_pipeline_spawn(csys_command *const *stages, size_t count, csys_pipeline **out)
{
	return spawn_until(stages, count, CSYS_FOREVER, out);
}

/* ---- its end ----------------------------------------------------------------------- */

/* How it ended, once all were reaped. */
static int tell_exit(csys_pipeline *pipeline, csys_exit *out)
{
	csys_exit told = { 0 };

	for (size_t i = pipeline->count; i-- > 0;) {
		csys_exit exit;
		int r = csys_child_try_wait(pipeline->children[i], &exit);
		if (r < 0)
			return r;
		if (i + 1 == pipeline->count || csys_exit_success(told))
			told = exit;
	}
	if (out)
		*out = told;
	return 0;
}

int csys_pipeline_wait_until(csys_pipeline *pipeline, csys_deadline deadline, csys_exit *out)
{
	if (!pipeline)
		return CSYS_EINVAL;
	int r = csysi_children_wait_until(pipeline->children, pipeline->count, deadline, NULL);
	return r < 0 ? r : tell_exit(pipeline, out);
}

int csys_pipeline_wait(csys_pipeline *pipeline, csys_exit *out)
{
	return csys_pipeline_wait_until(pipeline, CSYS_FOREVER, out);
}

int csys_pipeline_try_wait(csys_pipeline *pipeline, csys_exit *out)
{
	return pipeline ? tell_exit(pipeline, out) : CSYS_EINVAL;
}

int csys_pipeline_exit(csys_pipeline *pipeline, size_t index, csys_exit *out)
{
	return csys_child_try_wait(csys_pipeline_child(pipeline, index), out);
}

int csys_pipeline_signal(csys_pipeline *pipeline, int signal)
{
	int sent = 0;
	int failed = 0;

	if (!pipeline)
		return CSYS_EINVAL;
	for (size_t i = 0; i < pipeline->count; i++) {
		int r = csys_child_signal(pipeline->children[i], signal);
		if (r == 0)
			sent = 1;
		else if (r != CSYS_ESRCH && failed == 0)
			failed = r;
	}
	return failed ? failed : sent ? 0 : CSYS_ESRCH;
}

int csys_pipeline_kill(csys_pipeline *pipeline)
{
	int failed = 0;

	if (!pipeline)
		return CSYS_EINVAL;
	for (size_t i = 0; i < pipeline->count; i++) {
		int r = csysi_child_end(pipeline->children[i]);
		if (r < 0 && failed == 0)
			failed = r;
	}
	return failed;
}

/* Ask all to end.  The first failure is told, and the others are asked. */
static int ask_all(csys_pipeline *pipeline, csys_deadline grace)
{
	int failed = 0;

	for (size_t i = 0; i < pipeline->count; i++) {
		int r = csysi_child_ask(pipeline->children[i], grace);
		if (failed == 0)
			failed = r;
	}
	return failed;
}

int csys_pipeline_terminate(csys_pipeline *pipeline, csys_deadline grace)
{
	return pipeline ? ask_all(pipeline, grace) : CSYS_EINVAL;
}

/* Ask all to end, and give those until `grace` that may be ended.  0: they have ended. */
static int end_politely(csys_pipeline *pipeline, csys_deadline grace)
{
	/* One that may not be asked takes no grace from the others, and is told later. */
	(void)ask_all(pipeline, CSYS_FOREVER);
	return csysi_children_wait_end(pipeline->children, pipeline->count, grace);
}

int csys_pipeline_terminate_until(csys_pipeline *pipeline, csys_deadline grace, csys_exit *out)
{
	if (!pipeline)
		return CSYS_EINVAL;
	int r = end_politely(pipeline, grace);
	if (r == 0)
		r = tell_exit(pipeline, out);
	if (r == 0)
		return 0;
	r = csysi_children_end(pipeline->children, pipeline->count, NULL);
	return r < 0 ? r : tell_exit(pipeline, out);
}

static void close_streams(csys_pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->count; i++)
		csysi_child_close_streams(pipeline->children[i]);
}

void csys_pipeline_close(csys_pipeline *pipeline, enum csys_close_policy policy)
{
	if (!pipeline)
		return;

	/* All ends first: a stage could wait for the one that is closed last. */
	close_streams(pipeline);
	for (size_t i = 0; i < pipeline->count; i++)
		csys_child_close(pipeline->children[i], policy);
	csysi_free(pipeline);
}

/* ---- all at once --------------------------------------------------------------------- */

static void clear(csys_exit *exits, size_t count)
{
	for (size_t i = 0; exits && i < count; i++)
		exits[i] = (csys_exit){ 0 };
}

/* How all stages and the pipeline ended; CSYS_EXIT_NONE for what runs on.  Both may be NULL. */
static void tell_all(csys_pipeline *pipeline, csys_exit *exits, csys_exit *out)
{
	csys_exit told = { 0 };

	for (size_t i = pipeline->count; i-- > 0;) {
		csys_exit exit = { 0 };
		int r = csys_pipeline_exit(pipeline, i, &exit);
		(void)r;
		if (exits)
			exits[i] = exit;
		if (i + 1 == pipeline->count || csys_exit_success(told))
			told = exit;
	}
	if (out)
		*out = told;
}

/*
 * At the deadline of a run: as politely as the grace says.  Reaped after all, since what a
 * contained stage leaves behind is found best before that.
 */
static void end_run(csys_pipeline *pipeline, int64_t grace_ns)
{
	if (grace_ns > 0)
		(void)end_politely(pipeline, csys_after_ns(grace_ns));
	/* What may not be ended runs on. */
	(void)csysi_children_end(pipeline->children, pipeline->count, NULL);
}

int csys_pipeline_run_until(csys_command *const *stages, size_t count, csys_deadline deadline,
			    int64_t grace_ns, csys_exit *exits, csys_exit *out)
{
	csys_pipeline *pipeline;

	csysi_spawn_begin(NULL);
	if ((!exits && !out) || grace_ns < 0)
		return csysi_spawn_failed(CSYS_STEP_COMMAND, CSYS_EINVAL);
	int r = spawn_until(stages, count, deadline, &pipeline);
	if (r == CSYS_ETIMEDOUT) {
		clear(exits, count);
		clear(out, 1);
	}
	if (r < 0)
		return r;

	/* No code here writes or reads: let the stages see that at once. */
	close_streams(pipeline);
	r = csys_pipeline_wait_until(pipeline, deadline, NULL);
	if (r == CSYS_ETIMEDOUT)
		end_run(pipeline, grace_ns);
	if (r == 0 || r == CSYS_ETIMEDOUT)
		tell_all(pipeline, exits, out);
	csys_pipeline_close(pipeline, CSYS_CLOSE_KILL);
	return r;
}

int csys_pipeline_run(csys_command *const *stages, size_t count, csys_exit *exits, csys_exit *out)
{
	return csys_pipeline_run_until(stages, count, CSYS_FOREVER, 0, exits, out);
}

/* Room for the ends of all stages if the caller has none; *out_made is to be freed. */
static int make_room(csys_exit **exits, size_t count, csys_exit **out_made)
{
	*out_made = NULL;
	if (*exits)
		return 0;
	if (count <= SIZE_MAX / sizeof **exits)
		*out_made = csysi_alloc(count * sizeof **exits);
	*exits = *out_made;
	return *out_made ? 0 : CSYS_ENOMEM;
}

/* `shared` is the other end of what several stages write to, "none" if there is none. */
static int capture(csys_pipeline *pipeline, csys_handle shared, const csys_output_options *options,
		   csys_deadline deadline, csys_exit *exits, csys_output *out)
{
	struct csysi_programs programs = {
		.children = pipeline->children,
		.count = pipeline->count,
		.exits = exits,
		.shared = shared,
		.shared_stream = options->merge_stderr ? CSYS_STDOUT : CSYS_STDERR,
	};
	int r = csysi_capture(&programs, options, deadline, out);

	out->exit = csys_exit_pipefail(exits, pipeline->count);
	return r;
}

int csys_pipeline_continue_output(csys_pipeline *pipeline, const csys_output_options *options,
				  csys_exit *exits, csys_output *out)
{
	csys_exit *made = NULL;

	if (!pipeline || !out)
		return CSYS_EINVAL;
	int r = csysi_output_check(&options);
	if (r == 0)
		r = csysi_output_check_continued(pipeline->children[0], options, out);
	if (r == 0)
		r = make_room(&exits, pipeline->count, &made);
	if (r < 0)
		return r;
	r = capture(pipeline, CSYS_NO_HANDLE, options, csysi_output_deadline(options), exits, out);
	csysi_free(made);
	return r;
}

int csys_pipeline_wait_output(csys_pipeline *pipeline, const csys_output_options *options,
			      csys_exit *exits, csys_output *out)
{
	clear(exits, csys_pipeline_count(pipeline));
	int r = csysi_output_begin(&options, out);
	return r < 0 ? r : csys_pipeline_continue_output(pipeline, options, exits, out);
}

/* Start what is captured.  stderr of all stages is one pipe, so that its order is kept. */
static int start_captured(csys_command *const *stages, size_t count,
			  const csys_output_options *options, csys_deadline deadline,
			  csys_pipeline **out, csys_handle *out_shared)
{
	csys_handle reader, writer;
	int r = csysi_os_pipe(CSYSI_OS_PIPE_READER, 0, &reader, &writer);
	if (r < 0)
		return csysi_spawn_failed(CSYS_STEP_STDERR, r);

	struct csysi_spawn_defaults ends = {
		.kinds = { options->input ? CSYS_STDIO_PIPE : CSYS_STDIO_NULL,
			   options->merge_stderr ? CSYS_STDIO_HANDLE : CSYS_STDIO_PIPE,
			   CSYS_STDIO_HANDLE },
		.handles = { CSYS_NO_HANDLE, writer, writer },
		.deadline = deadline,
	};
	r = start(stages, count, &ends, out);
	csysi_os_close(writer);
	if (r < 0)
		csysi_os_close(reader);
	else
		*out_shared = reader;
	return r;
}

/* Whether what is to be captured fits what the commands say. */
static int check_captured(csys_command *const *stages, size_t count,
			  const csys_output_options *options)
{
	int r = check_stages(stages, count);
	if (r < 0)
		return r;

	int last = stages[count - 1]->stdio[CSYS_STDOUT].kind;
	/* There would be no pipeline to go on with. */
	if (options->keep_running)
		return csysi_spawn_failed(CSYS_STEP_COMMAND, CSYS_EINVAL);
	if (options->input && !csysi_command_takes_input(stages[0]))
		return stage_failed(stages, count, 0, CSYS_EINVAL);
	if (options->merge_stderr && last != CSYS_STDIO_DEFAULT)
		return stage_failed(stages, count, count - 1, CSYS_EINVAL);
	return 0;
}

int csys_pipeline_output(csys_command *const *stages, size_t count,
			 const csys_output_options *options, csys_exit *exits, csys_output *out)
{
	csys_pipeline *pipeline;
	csys_handle shared = CSYS_NO_HANDLE;
	csys_exit *made = NULL;

	clear(exits, count);
	csysi_spawn_begin(NULL);
	int r = csysi_output_begin(&options, out);
	if (r < 0)
		return csysi_spawn_failed(CSYS_STEP_COMMAND, r);
	r = check_captured(stages, count, options);
	if (r < 0)
		return r;
	r = make_room(&exits, count, &made);
	if (r < 0)
		return csysi_spawn_failed(CSYS_STEP_PREPARE, r);
	csys_deadline deadline = csysi_output_deadline(options);
	r = start_captured(stages, count, options, deadline, &pipeline, &shared);
	if (r == 0) {
		r = capture(pipeline, shared, options, deadline, exits, out);
		/* All have ended, or may not be killed. */
		csys_pipeline_close(pipeline, CSYS_CLOSE_DETACH);
	}
	csysi_free(made);
	return r;
}
