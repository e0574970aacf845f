/*
 * examples/run.c - run a program for a limited time, as timeout(1) does.
 *
 *     run SECONDS PROGRAM [ARGUMENT...]
 *
 * At the end of the time the program is asked to end, and killed half a second
 * later.  Shows: a command with inherited streams, a wait with a deadline,
 * terminate-then-kill, and telling the failures apart.  Exits as timeout does:
 * the program's own code, 128 + n for signal n, 124 for time over, 126 or 127
 * for a program that cannot be run or does not exist, 125 for trouble here.
 */
#include <stdio.h>
#include <stdlib.h>

#include <csys/process.h>

static int could_not_start(int result)
{
	char text[CSYS_ERROR_TEXT];
	fprintf(stderr, "run: %s\n", csys_error_text(text, sizeof text));
	if (csys_spawn_failed_step() < CSYS_STEP_EXEC)
		return 125;
	return result == CSYS_ENOENT ? 127 : 126;
}

static int code_of(csys_exit end)
{
	if (end.how == CSYS_EXIT_SIGNAL)
		return 128 + end.value;
	return end.how == CSYS_EXIT_CODE ? end.value : 125;
}

int main(int argc, char **argv)
{
	char *rest = NULL;
	double seconds = argc > 2 ? strtod(argv[1], &rest) : -1;
	if (argc < 3 || rest == argv[1] || *rest || !(seconds >= 0 && seconds < 1e9)) {
		fprintf(stderr, "usage: run SECONDS PROGRAM [ARGUMENT...]\n");
		return 125;
	}

	csys_command *command = csys_command_new(argv[2]);
	csys_command_args(command, (const char *const *)argv + 3);
	csys_child *child;
	int r = csys_command_spawn(command, &child);
	csys_command_free(command);
	if (r < 0)
		return could_not_start(r);

	csys_exit end;
	int late = 0;
	r = csys_child_wait_until(child, csys_after_ms((int64_t)(seconds * 1000)), &end);
	if (r == CSYS_ETIMEDOUT) {
		late = 1;
		r = csys_child_terminate_until(child, csys_after_ms(500), &end);
	}
	csys_child_close(child, CSYS_CLOSE_KILL);
	if (r < 0) {
		fprintf(stderr, "run: %s: %s\n", argv[2], csys_strerror(r));
		return 125;
	}
	if (late) {
		char text[CSYS_EXIT_TEXT];
		fprintf(stderr, "run: %s: time is over: %s\n", argv[2],
			csys_exit_text(end, text, sizeof text));
		return 124;
	}
	return code_of(end);
}
