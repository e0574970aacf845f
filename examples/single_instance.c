/*
 * examples/single_instance.c - run a program of which only one may run at a time.
 *
 *     single_instance [-w SECONDS] FILE PROGRAM [ARGUMENT...]
 *     single_instance -q FILE
 *
 * Holds FILE locked while the program runs; what holds it is told if it is not free, at once or
 * after so many seconds.  Nothing is left over when this is killed: the next one starts.  With -q
 * it tells the pid of the holder.  Shows: a lock file with a deadline, and its owner.  Exits with
 * the program's code, 128 + n for signal n, 75 if it runs already, 1 for -q if it does not, 126 or
 * 127 for a program that cannot be run or does not exist, 125 for trouble here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/ipc.h>
#include <csys/process.h>

enum { TROUBLE = 125, RUNS_ALREADY = 75 };

static int fail(const char *path, int result)
{
	fprintf(stderr, "single_instance: %s: %s\n", path, csys_strerror(result));
	return TROUBLE;
}

static int query(const char *path)
{
	csys_lock_file_info info;
	int r = csys_lock_file_owner(path, &info);

	if (r == CSYS_ENOENT)
		return 1;
	if (r < 0)
		return fail(path, r);
	printf("%lld\n", (long long)info.pid);
	return 0;
}

static int refuse(const char *path)
{
	csys_lock_file_info info;

	if (csys_lock_file_owner(path, &info) == 0 && info.pid > 0)
		fprintf(stderr, "single_instance: %s: process %lld runs already\n", path,
			(long long)info.pid);
	else
		fprintf(stderr, "single_instance: %s: runs already\n", path);
	return RUNS_ALREADY;
}

static int run(const char *const *arguments)
{
	csys_command *command = csys_command_new(arguments[0]);
	csys_exit end;
	csys_command_args(command, arguments + 1);
	int r = csys_command_run(command, &end);
	csys_command_free(command);
	if (r < 0) {
		char text[CSYS_ERROR_TEXT];
		fprintf(stderr, "single_instance: %s\n", csys_error_text(text, sizeof text));
		return r == CSYS_ENOENT ? 127 : 126;
	}
	return end.how == CSYS_EXIT_SIGNAL ? 128 + end.value : end.value;
}

int main(int argc, char **argv)
{
	csys_deadline deadline = CSYS_POLL;
	if (argc == 3 && strcmp(argv[1], "-q") == 0)
		return query(argv[2]);
	if (argc > 3 && strcmp(argv[1], "-w") == 0) {
		char *rest;
		double seconds = strtod(argv[2], &rest);
		deadline = csys_after_ms(*rest || !(seconds < 1e9) ? 0 : (int64_t)(seconds * 1000));
		argv += 2;
		argc -= 2;
	}
	if (argc < 3 || argv[1][0] == '-') {
		fprintf(stderr, "usage: single_instance [-w SECONDS] FILE PROGRAM [ARGUMENT...]\n"
				"       single_instance -q FILE\n");
		return TROUBLE;
	}

	csys_lock_file *alone;
	int r = csys_lock_file_open_until(argv[1], NULL, deadline, &alone);
	if (r == CSYS_ETIMEDOUT)
		return refuse(argv[1]);
	if (r < 0)
		return fail(argv[1], r);
	int code = run((const char *const *)argv + 2);
	csys_lock_file_close(alone);
	return code;
}
