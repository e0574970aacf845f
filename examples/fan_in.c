/*
 * examples/fan_in.c - the output of several programs, line by line, as it comes.
 *
 *     fan_in [-s SECONDS] [-t SECONDS] PROGRAM [ARGUMENT...] [--and PROGRAM [ARGUMENT...]]...
 *
 * Prints each line of each program's stdout behind the program's number, and how the program ended;
 * a line of status to stderr every second (-t), and when all have ended.  After -s seconds, or
 * at the second ^C, it ends the programs with all that they started; at the first ^C it asks them
 * to end.  Shows: select over channels of several types, with a tick and a deadline as channels; a
 * thread for each stream, held back by a bounded channel; signals as messages.  Exits with 0 if
 * all programs succeeded, 1 if not, 124 if the time was over, 130 after ^C, 125 for trouble here.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/csys.h>

enum { MOST = 12, QUEUED = 16, TROUBLE = 125 };

CSYS_CHANNEL_DEFINE(lines, char *);
CSYS_CHANNEL_DEFINE(interrupts, int);

struct program {
	csys_command *command;
	csys_child *child;
	csys_handle output;
	lines_sender to;
	lines_receiver from;
	csys_thread *thread;
	char *line; /* where a select leaves one */
};

static struct program programs[MOST];
static size_t program_count, running, line_count;
static int code;

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "fan_in: cannot %s: %s\n", what, csys_strerror(r));
	exit(TROUBLE);
}

/* ---- threads that feed channels ---------------------------------------------------------- */

static void free_line(void *line, void *unused)
{
	(void)unused;
	free(*(char **)line);
}

/* The lines of one program, until its stream ends or no line is wanted any more. */
static void *read_lines(void *argument)
{
	struct program *program = argument;
	csys_lines *lines;
	csys_line line;

	check(csys_lines_open(program->output, 0, &lines), "read lines");
	while (csys_lines_next(lines, &line) > 0) {
		char *copy = strdup(line.data);
		check(copy ? 0 : CSYS_ENOMEM, "keep a line");
		if (lines_send(program->to, &copy) < 0) {
			free(copy);
			break;
		}
	}
	csys_lines_close(lines);
	csys_handle_close(program->output);
	lines_sender_close(program->to);
	return NULL;
}

struct interrupt_thread {
	csys_signals *signals;
	interrupts_sender to;
	csys_handle quit; /* of a channel: ready when its sender is closed */
};

/* Signals come by a handle and not by a channel, so a thread makes messages of them. */
static void *read_signals(void *argument)
{
	const struct interrupt_thread *own = argument;
	csys_poll_item items[] = { { .waitable = csys_signals_waitable(own->signals) },
				   { .waitable = csys_waitable_reading(own->quit) } };
	csys_signal_event event;

	while (csys_poll(items, 2, CSYS_FOREVER) > 0 && !items[1].ready)
		while (csys_signals_try_wait(own->signals, &event) == 0)
			if (interrupts_send(own->to, &event.signal) < 0)
				break;
	interrupts_sender_close(own->to);
	return NULL;
}

/* ---- what comes -------------------------------------------------------------------------- */

static void tell_status(void)
{
	fprintf(stderr, "fan_in: %zu running, %zu lines\n", running, line_count);
}

static void take_line(size_t number)
{
	struct program *program = &programs[number];

	printf("%zu: %s\n", number + 1, program->line);
	free(program->line);
	line_count++;
}

/* Its stream has ended. */
static void take_end(size_t number)
{
	struct program *program = &programs[number];
	char text[CSYS_EXIT_TEXT];
	csys_exit end;

	check(csys_child_wait(program->child, &end), "wait for a program");
	printf("%zu: %s\n", number + 1, csys_exit_text(end, text, sizeof text));
	if (!csys_exit_success(end) && code == 0)
		code = 1;
	running--;
}

static void kill_all(int why)
{
	code = why;
	for (size_t i = 0; i < program_count; i++) {
		int r = csys_child_kill_tree(programs[i].child, NULL);
		check(r == CSYS_ESRCH ? 0 : r, "end a program");
	}
}

static void take_interrupt(void)
{
	if (code == 130) {
		kill_all(130);
		return;
	}
	code = 130;
	for (size_t i = 0; i < program_count; i++)
		(void)csys_child_terminate(programs[i].child, CSYS_FOREVER);
}

/* Until all streams have ended.  A case that is all zero never happens. */
static void fan_in(interrupts_receiver interrupts, csys_receiver *ticks, csys_receiver *over)
{
	enum { TICK, OVER, INTERRUPT, FIRST };
	csys_select_case cases[FIRST + MOST];
	int64_t due;
	int signal;

	cases[TICK] = csys_select_recv(ticks, &due);
	cases[OVER] = csys_select_recv(over, &due);
	cases[INTERRUPT] = interrupts_select_recv(interrupts, &signal);
	for (size_t i = 0; i < program_count; i++)
		cases[FIRST + i] = lines_select_recv(programs[i].from, &programs[i].line);

	while (running > 0) {
		size_t which;
		int r = csys_select(cases, FIRST + program_count, &which);
		if (r == CSYS_EDISCONNECTED && which >= FIRST) {
			take_end(which - FIRST);
			memset(&cases[which], 0, sizeof cases[which]);
			continue;
		}
		check(r, "select");
		switch (which) {
		case TICK:
			tell_status();
			break;
		case OVER:
			kill_all(124);
			break;
		case INTERRUPT:
			take_interrupt();
			break;
		default:
			take_line(which - FIRST);
		}
	}
}

/* ---- beginning and end ------------------------------------------------------------------- */

static void start(struct program *program)
{
	const csys_channel_options options = { .drop = free_line };

	csys_command_stdio(program->command, CSYS_STDIN, CSYS_STDIO_NULL);
	csys_command_stdio(program->command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_command_contain(program->command);
	csys_command_process_group(program->command, 0); /* a ^C of the terminal is for us */
	int r = csys_command_spawn(program->command, &program->child);
	if (r < 0) {
		char text[CSYS_ERROR_TEXT];
		fprintf(stderr, "fan_in: %s\n", csys_error_text(text, sizeof text));
		exit(TROUBLE);
	}
	check(csys_child_take(program->child, CSYS_STDOUT, &program->output), "take stdout");
	check(lines_new(QUEUED, &options, &program->to, &program->from), "make a channel");
	check(csys_thread_spawn(read_lines, program, NULL, &program->thread), "start a thread");
	running++;
}

static void end(struct program *program)
{
	lines_receiver_close(program->from);
	check(csys_thread_join(program->thread, NULL), "join a thread");
	csys_thread_unref(program->thread);
	csys_child_close(program->child, CSYS_CLOSE_KILL);
	csys_command_free(program->command);
}

static void run(int64_t tick_ns, int64_t over_ns)
{
	static const int wanted[] = { SIGINT, SIGTERM };
	struct interrupt_thread own;
	interrupts_receiver interrupts;
	csys_receiver *ticks, *over, *quit;
	csys_sender *quitter;
	csys_thread *thread;

	check(csys_signals_open(wanted, 2, NULL, &own.signals), "catch signals");
	check(interrupts_new(CSYS_UNBOUNDED, NULL, &own.to, &interrupts), "make a channel");
	check(csys_channel_new(0, 0, NULL, &quitter, &quit), "make a channel");
	check(csys_receiver_handle(quit, &own.quit), "get a handle");
	check(csys_thread_spawn(read_signals, &own, NULL, &thread), "start a thread");
	for (size_t i = 0; i < program_count; i++)
		start(&programs[i]);
	check(csys_channel_tick(tick_ns, &ticks), "make a channel");
	check(over_ns < 0 ? csys_channel_never(&over) : csys_channel_after(over_ns, &over),
	      "make a channel");

	fan_in(interrupts, ticks, over);
	tell_status();

	csys_receiver_close(over);
	csys_receiver_close(ticks);
	for (size_t i = 0; i < program_count; i++)
		end(&programs[i]);
	csys_sender_close(quitter);
	check(csys_thread_join(thread, NULL), "join a thread");
	csys_thread_unref(thread);
	csys_receiver_close(quit);
	interrupts_receiver_close(interrupts);
	csys_signals_close(own.signals);
}

/* Seconds as nanoseconds; or -1. */
static int64_t nanoseconds(const char *text)
{
	char *rest;
	double seconds = strtod(text, &rest);

	return rest == text || *rest || !(seconds >= 0 && seconds < 1e9) ? -1
									 : (int64_t)(seconds * 1e9);
}

/* Read the programs, each up to --and; 0: there is no such list, or too many. */
static int read_programs(char **words)
{
	while (*words && program_count < MOST) {
		struct program *program = &programs[program_count];
		if (strcmp(*words, "--and") == 0)
			return 0;
		program_count++;
		program->command = csys_command_new(*words);
		while (words[1] && strcmp(words[1], "--and") != 0)
			csys_command_arg(program->command, *++words);
		if (!words[1])
			return 1;
		words += 2; /* to the next program */
	}
	return 0;
}

int main(int argc, char **argv)
{
	int64_t tick_ns = 1000000000, over_ns = -1;
	int at = 1, is_right = 1;

	for (; is_right && at + 1 < argc && argv[at][0] == '-'; at += 2) {
		int64_t *ns = strcmp(argv[at], "-s") == 0   ? &over_ns
			      : strcmp(argv[at], "-t") == 0 ? &tick_ns
							    : NULL;
		is_right = ns && (*ns = nanoseconds(argv[at + 1])) >= 0;
	}
	if (!is_right || tick_ns == 0 || !read_programs(argv + at)) {
		fprintf(stderr,
			"usage: fan_in [-s SECONDS] [-t SECONDS] PROGRAM [ARGUMENT...] "
			"[--and PROGRAM [ARGUMENT...]]... (up to %d)\n",
			MOST);
		return TROUBLE;
	}
	run(tick_ns, over_ns);
	return fflush(stdout) == 0 ? code : TROUBLE;
}
