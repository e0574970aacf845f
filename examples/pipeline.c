/*
 * examples/pipeline.c - run programs joined by pipes, without a shell.
 *
 *     pipeline [-s SECONDS] PROGRAM [ARGUMENT...] [--to PROGRAM [ARGUMENT...]]...
 *
 *     pipeline -s 10 ls /etc --to grep -i conf --to wc -l
 *
 * Reads this program's stdin at the first and writes to its stdout at the last.
 * Shows: stages as commands, one deadline for all, how each stage ended, and
 * which one could not be started.  Exits with what pipefail says: the code of
 * the last stage that failed, 128 + n for signal n; 124 when the time is over,
 * 125 when a stage could not be started.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/process.h>

#define MOST 64

/* The commands between the "--to"; how many, or -1. */
static int read_stages(char **argv, csys_command **stages)
{
	int count = 0;

	for (int is_new = 1; *argv; argv++) {
		if (strcmp(*argv, "--to") == 0) {
			if (is_new)
				return -1;
			is_new = 1;
		} else if (!is_new) {
			csys_command_arg(stages[count - 1], *argv);
		} else if (count < MOST) {
			stages[count++] = csys_command_new(*argv);
			is_new = 0;
		} else {
			return -1;
		}
		if (is_new && !argv[1])
			return -1;
	}
	return count;
}

static int code_of(csys_exit end)
{
	return end.how == CSYS_EXIT_SIGNAL ? 128 + end.value : csys_exit_code(end);
}

/* Say which stages failed, since the exit code tells one of them only. */
static void report(csys_pipeline *pipeline, csys_command *const *stages)
{
	for (size_t i = 0; i < csys_pipeline_count(pipeline); i++) {
		char text[CSYS_EXIT_TEXT];
		csys_exit end;
		if (csys_pipeline_exit(pipeline, i, &end) == 0 && !csys_exit_success(end))
			fprintf(stderr, "pipeline: %s: %s\n", csys_command_get_program(stages[i]),
				csys_exit_text(end, text, sizeof text));
	}
}

static int run(csys_command *const *stages, size_t count, csys_deadline deadline)
{
	csys_pipeline *pipeline;
	int r = csys_pipeline_spawn(stages, count, &pipeline);
	if (r < 0) {
		const char *program =
			csys_command_get_program(stages[csys_pipeline_failed_stage()]);
		fprintf(stderr, "pipeline: %s: cannot %s: %s\n", program ? program : "?",
			csys_step_name(csys_spawn_failed_step()), csys_strerror(r));
		return 125;
	}

	csys_exit end;
	int late = 0;
	r = csys_pipeline_wait_until(pipeline, deadline, &end);
	if (r == CSYS_ETIMEDOUT) {
		late = 1;
		r = csys_pipeline_terminate(pipeline, csys_after_ms(500), &end);
	}
	report(pipeline, stages);
	csys_pipeline_close(pipeline, CSYS_CLOSE_KILL);
	if (r < 0)
		fprintf(stderr, "pipeline: %s\n", csys_strerror(r));
	return r < 0 ? 125 : late ? 124 : code_of(end);
}

int main(int argc, char **argv)
{
	csys_command *stages[MOST];
	csys_deadline deadline = CSYS_FOREVER;
	int is_usable = 1;

	if (argc > 2 && strcmp(argv[1], "-s") == 0) {
		char *rest;
		deadline = csys_after_ms((int64_t)(strtod(argv[2], &rest) * 1000));
		is_usable = rest != argv[2] && !*rest;
		argv += 2;
	}
	int count = is_usable ? read_stages(argv + 1, stages) : 0;
	if (count <= 0) {
		fprintf(stderr, "usage: pipeline [-s SECONDS] PROGRAM [ARGUMENT...] "
				"[--to PROGRAM [ARGUMENT...]]...\n");
		return 125;
	}

	int code = run(stages, (size_t)count, deadline);
	for (int i = 0; i < count; i++)
		csys_command_free(stages[i]);
	return code;
}
