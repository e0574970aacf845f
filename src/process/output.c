/*
 * process/output.c - the calls that capture one program.
 */
#include <csys/base/result.h>
#include <csys/process/output.h>

#include <string.h>

#include "base/memory.h"
#include "base/reserved.h"
#include "process/buffer.h"
#include "process/capture.h"
#include "process/command.h"
#include "process/spawn.h"

static const csys_output_options no_options;

static void make_empty(csys_output *output)
{
	memset(output, 0, sizeof *output);
	output->out.data = "";
	output->err.data = "";
}

static int check(const csys_output_options *options)
{
	if (csysi_uses_reserved(options))
		return CSYS_EINVAL;
	if (options->timeout_ns < 0 || options->grace_ns < 0 || options->linger_ns < 0 ||
	    (!options->input && options->input_size > 0))
		return CSYS_EINVAL;
	return 0;
}

int csysi_output_check(const csys_output_options **options)
{
	if (!*options)
		*options = &no_options;
	return check(*options);
}

int csysi_output_begin(const csys_output_options **options, csys_output *out)
{
	if (!out)
		return CSYS_EINVAL;
	make_empty(out);
	return csysi_output_check(options);
}

int csysi_output_check_continued(const csys_child *first, const csys_output_options *options,
				 const csys_output *out)
{
	if (options->input_size < out->input_done)
		return CSYS_EINVAL;
	/* The rest of the same input has nowhere to go if the child was asked to end meanwhile,
	 * which closes its stdin.  What it writes then is captured all the same. */
	if (options->input_size == out->input_done || options->input_size == out->reserved[0])
		return 0;
	return csys_child_stream(first, CSYS_STDIN) == CSYS_NO_HANDLE ? CSYS_EINVAL : 0;
}

csys_deadline csysi_output_deadline(const csys_output_options *options)
{
	csys_deadline timeout =
		options->timeout_ns > 0 ? csys_after_ns(options->timeout_ns) : CSYS_FOREVER;

	return csys_deadline_earlier(options->deadline, timeout);
}

int csysi_command_takes_input(const csys_command *command)
{
	int kind = csys_command_get_stdio(command, CSYS_STDIN);

	/* A stream at its default is the terminal, if there is one.  That of a pseudo-terminal is
	 * attached by the spawn, which comes later. */
	int has_terminal = command && (command->options.set_terminal || command->pty);

	return kind == CSYS_STDIO_PIPE || (kind == CSYS_STDIO_DEFAULT && !has_terminal);
}

static int capture(csys_child *child, const csys_output_options *options, csys_deadline deadline,
		   csys_output *out)
{
	struct csysi_programs programs = {
		.children = &child,
		.count = 1,
		.exits = &out->exit,
		.shared = CSYS_NO_HANDLE,
	};

	return csysi_capture(&programs, options, deadline, out);
}

int csys_child_output(csys_child *child, const csys_output_options *options, csys_output *out)
{
	int r = csysi_output_begin(&options, out);
	if (r < 0)
		return r;
	return csys_child_continue_output(child, options, out);
}

int csys_child_continue_output(csys_child *child, const csys_output_options *options,
			       csys_output *out)
{
	if (!child || !out)
		return CSYS_EINVAL;
	int r = csysi_output_check(&options);
	if (r == 0)
		r = csysi_output_check_continued(child, options, out);
	return r < 0 ? r : capture(child, options, csysi_output_deadline(options), out);
}

int csys_command_output(csys_command *command, const csys_output_options *options, csys_output *out)
{
	csysi_spawn_begin(command);
	int r = csysi_output_begin(&options, out);
	if (r == 0 && options->input && !csysi_command_takes_input(command))
		r = CSYS_EINVAL;
	/* There would be no child to go on with. */
	if (r == 0 && options->keep_running)
		r = CSYS_EINVAL;
	if (r < 0)
		return csysi_spawn_failed(CSYS_STEP_COMMAND, r);

	csys_deadline deadline = csysi_output_deadline(options);
	struct csysi_spawn_defaults defaults = {
		.kinds = { options->input ? CSYS_STDIO_PIPE : CSYS_STDIO_NULL, CSYS_STDIO_PIPE,
			   options->merge_stderr ? CSYS_STDIO_SAME_AS_STDOUT : CSYS_STDIO_PIPE },
		.deadline = deadline,
	};
	csys_child *child;
	r = csysi_spawn(command, &defaults, &child);
	if (r < 0)
		return r;
	r = capture(child, options, deadline, out);
	/* It has ended, or is one that may not be killed. */
	csys_child_close(child, CSYS_CLOSE_DETACH);
	return r;
}

int csys_run(const char *const *argv, const csys_output_options *options, csys_output *out)
{
	if (!argv || !argv[0]) {
		if (out)
			make_empty(out);
		csysi_spawn_begin(NULL);
		return csysi_spawn_failed(CSYS_STEP_COMMAND, CSYS_EINVAL);
	}

	csys_command *command = csys_command_new(argv[0]);
	csys_command_args(command, argv + 1);
	int r = csys_command_output(command, options, out);
	csys_command_free(command);
	return r;
}

void csys_output_free(csys_output *output)
{
	if (!output)
		return;

	csys_captured *streams[] = { &output->out, &output->err };
	for (int i = 0; i < 2; i++) {
		/* Only what has room is on the heap; the rest is "". */
		struct csysi_buffer kept = { .room = streams[i]->room };
		if (kept.room > 0) {
			memcpy(&kept.data, &streams[i]->data, sizeof kept.data);
			csysi_buffer_free(&kept);
		}
	}
	make_empty(output);
}
