/*
 * examples/supervise.c - keep a program running.
 *
 *     supervise [-l LOG] [-b MIN,MAX] [-r MS] [-g MS] [-n RESTARTS] [--] PROGRAM [ARGUMENT...]
 *
 * Starts the program again whenever it ends, after a pause of MIN milliseconds that
 * doubles up to MAX (500,30000) and is MIN again after a run of -r (10000) or more; at
 * most RESTARTS times.  Its output goes to the end of LOG, and so does a line for each
 * thing that happens, else to stderr.  SIGTERM and ^C ask the program to end, kill it
 * after -g (5000), and end this; SIGHUP does the same and starts it again at once, with
 * LOG opened anew.  Where the system can do that, the program does not outlive this one,
 * however it ends.  Shows: signals and ends of children as events of one queue, with
 * deadlines, and no other loop.  Exits with the program's last code, 128 + n for signal
 * n, 126 or 127 if it cannot be run or does not exist, 125 for trouble here.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <csys/process.h>

enum { TROUBLE = 125 };

static const char *log_path; /* NULL: stderr */
static int64_t shortest = 500, longest = 30000;
static int64_t long_run = 10000;
static int64_t grace = 5000;
static int64_t restarts = INT64_MAX;

/* What comes to the loop. */
enum happening { ENDED, PAUSE_OVER, STOP, AGAIN };

/* Opened for each line, so that a log that is moved away is not written to for ever. */
static void tell(const char *format, ...)
{
	FILE *file = log_path ? fopen(log_path, "a") : NULL;
	FILE *to = file ? file : stderr;
	char now[32] = "";
	char text[512];
	time_t seconds = time(NULL);
	va_list values;

	strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
	va_start(values, format);
	vsnprintf(text, sizeof text, format, values);
	va_end(values);
	for (char *c = text; *c; c++)
		*c = *c == '\n' ? ' ' : *c; /* an argument's; this is one line */
	fprintf(to, "%s supervise: %s\n", now, text);
	if (file)
		fclose(file);
}

static csys_command *command_for(char **words, int dies_with_us)
{
	csys_command *command = csys_command_new(words[0]);
	csys_command_args(command, (const char *const *)words + 1);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_NULL);
	if (log_path) {
		csys_command_stdio_file(command, CSYS_STDOUT, log_path, CSYS_FILE_APPEND);
		csys_command_stdio(command, CSYS_STDERR, CSYS_STDIO_SAME_AS_STDOUT);
	}
	/* A ^C of the terminal is for us alone; we tell the program. */
	csys_command_process_group(command, 0);
	/* Not SIGTERM: one that ignores it would run beside the one we start next time. */
	if (dies_with_us)
		csys_command_die_with_parent(command, SIGKILL);
	return command;
}

static int start(char **words, csys_child **out)
{
	csys_command *command = command_for(words, 1);
	int r = csys_command_spawn(command, out);
	if (r == CSYS_ENOTSUP && csys_spawn_failed_step() == CSYS_STEP_PARENT) {
		csys_command_free(command);
		command = command_for(words, 0);
		r = csys_command_spawn(command, out);
	}
	if (r < 0) {
		tell("cannot %s: %s", csys_step_name(csys_spawn_failed_step()), csys_strerror(r));
	} else {
		char line[400];
		csys_command_line(command, line, sizeof line);
		tell("started %lld: %s", (long long)csys_child_pid(*out), line);
	}
	csys_command_free(command);
	return r;
}

/* The next thing that happens; of a child (or NULL) that ends, *end tells how. */
static enum happening next(csys_signals *signals, csys_child *child, csys_deadline deadline,
			   csys_exit *end)
{
	for (;;) {
		csys_signal_event event;
		int r = csys_signals_wait_until(signals, deadline, &event);
		if (r == CSYS_ETIMEDOUT)
			return PAUSE_OVER;
		if (r < 0 || event.signal == SIGINT || event.signal == SIGTERM)
			return STOP;
		if (event.signal == SIGHUP)
			return AGAIN;
		/* SIGCHLD, also when it was only stopped. */
		if (child && csys_child_try_wait(child, end) != CSYS_EAGAIN)
			return ENDED;
	}
}

static int code_of(csys_exit end)
{
	if (end.how == CSYS_EXIT_SIGNAL)
		return 128 + end.value;
	return end.how == CSYS_EXIT_CODE ? end.value : TROUBLE;
}

static int supervise(csys_signals *signals, char **words)
{
	int64_t pause = shortest;
	int64_t runs = 0;
	int code = TROUBLE;

	for (int has_run = 0;;) {
		csys_child *child = NULL;
		csys_exit end = { 0 };
		enum happening what = ENDED;
		csys_deadline long_enough = csys_after_ms(long_run);
		int r = start(words, &child);
		if (r < 0) {
			int step = csys_spawn_failed_step();
			code = r == CSYS_ENOENT ? 127 : 126;
			if (step != CSYS_STEP_EXEC && step != CSYS_STEP_INTERPRETER)
				code = TROUBLE;
		} else {
			has_run = 1;
			what = next(signals, child, CSYS_FOREVER, &end);
			if (what != ENDED) {
				tell("asked to %s", what == STOP ? "stop" : "restart");
				r = csys_child_terminate_until(child, csys_after_ms(grace), &end);
				if (r < 0)
					tell("cannot end it: %s", csys_strerror(r));
			}
			char text[CSYS_EXIT_TEXT];
			tell("ended with %s", csys_exit_text(end, text, sizeof text));
			csys_child_close(child, CSYS_CLOSE_KILL);
			code = code_of(end);
		}

		if (what == AGAIN)
			continue;
		if (what == STOP || !has_run || runs++ == restarts)
			return code;
		if (r == 0 && csys_deadline_left(long_enough) == 0)
			pause = shortest;
		tell("again in %lld ms", (long long)pause);
		what = next(signals, NULL, csys_after_ms(pause), &end);
		if (what == STOP)
			return code;
		pause = pause > longest / 2 ? longest : 2 * pause;
	}
}

/* A number from 0 to 10^9, and what follows it; or -1. */
static int64_t number(const char *text, char **rest)
{
	long long value = strtoll(text, rest, 10);
	return *rest == text || value < 0 || value > 1000000000 ? -1 : value;
}

/* The value of one option; 1 if it is right. */
static int set(int letter, char *value)
{
	char *rest = value;
	int64_t n = -1;

	switch (letter) {
	case 'l':
		log_path = value;
		return *value != '\0';
	case 'b':
		shortest = number(value, &rest);
		if (shortest < 0 || *rest != ',')
			return 0;
		longest = number(rest + 1, &rest);
		return *rest == '\0' && longest >= shortest;
	case 'r':
		n = long_run = number(value, &rest);
		break;
	case 'g':
		n = grace = number(value, &rest);
		break;
	case 'n':
		n = restarts = number(value, &rest);
		break;
	}
	return n >= 0 && *rest == '\0';
}

int main(int argc, char **argv)
{
	static const int wanted[] = { SIGCHLD, SIGINT, SIGTERM, SIGHUP };
	int right = 1;
	int at = 1;

	for (; right && at + 1 < argc && argv[at][0] == '-' && argv[at][1] != '-'; at += 2)
		right = argv[at][1] && !argv[at][2] && set(argv[at][1], argv[at + 1]);
	if (at < argc && strcmp(argv[at], "--") == 0)
		at++;
	if (!right || at >= argc) {
		fprintf(stderr, "usage: supervise [-l LOG] [-b MIN,MAX] [-r MS] [-g MS] "
				"[-n RESTARTS] [--] PROGRAM [ARGUMENT...]\n");
		return TROUBLE;
	}

	csys_signals *signals;
	int r = csys_signals_open(wanted, 4, NULL, &signals);
	if (r < 0) {
		tell("cannot begin: %s", csys_strerror(r));
		return TROUBLE;
	}
	int code = supervise(signals, argv + at);
	csys_signals_close(signals);
	return code;
}
