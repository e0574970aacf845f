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

/* How many commands the arguments are, divided by "--to"; 0 if that is none. */
static int count_stages(char **argv)
{
	int count = 0;
	int is_new = 1;

	for (; *argv; argv++) {
		int is_division = strcmp(*argv, "--to") == 0;
		if (is_division && is_new)
			return 0;
		count += is_new;
		is_new = is_division;
	}
	return is_new || count > MOST ? 0 : count;
}

static void read_stages(char **argv, csys_command **stages)
{
	for (csys_command **next = stages; *argv; argv++) {
		*next = csys_command_new(*argv);
		while (argv[1] && strcmp(argv[1], "--to") != 0)
			csys_command_arg(*next, *++argv);
		next++;
		if (argv[1])
			argv++; /* the division */
	}
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
		char text[CSYS_ERROR_TEXT];
		fprintf(stderr, "pipeline: %s\n", csys_error_text(text, sizeof text));
		return 125;
	}

	csys_exit end;
	int late = 0;
	r = csys_pipeline_wait_until(pipeline, deadline, &end);
	if (r == CSYS_ETIMEDOUT) {
		late = 1;
		r = csys_pipeline_terminate_until(pipeline, csys_after_ms(500), &end);
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
	int count = is_usable ? count_stages(argv + 1) : 0;
	if (count == 0) {
		fprintf(stderr, "usage: pipeline [-s SECONDS] PROGRAM [ARGUMENT...] "
				"[--to PROGRAM [ARGUMENT...]]...\n");
		return 125;
	}

	read_stages(argv + 1, stages);
	int code = run(stages, (size_t)count, deadline);
	for (int i = 0; i < count; i++)
		csys_command_free(stages[i]);
	return code;
}
