/*
 * examples/parallel.c - a command over many inputs, several at a time.
 *
 *     parallel [-j N] COMMAND [ARGUMENT...] [::: INPUT...]
 *
 * Runs the command once for each input, at most N at a time (4).  Without ":::"
 * each line of stdin is an input.  "{}" in a word is the input; if there is none,
 * the input is the last argument.  There is no shell, so it arrives as it is.
 * What a job writes is printed when it has ended, whole, in the order in which they end.
 * ^C starts no more jobs and asks those that run to end, with all that they started; again,
 * and they are killed, and what they wrote is lost.  Shows: threads that share lines and
 * capture children, and one that hears signals.  Exits as GNU parallel does: with the number
 * of jobs that failed, 101 for more than 100, 255 for trouble here; after ^C, by that signal.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/csys.h>

enum { TROUBLE = 255, MOST_JOBS = 1000, LONGEST = 128 << 10 };

/* Guards all of this. */
static csys_mutex lock = CSYS_MUTEX_INIT;
static csys_child *children[MOST_JOBS];     /* of each worker, while it has one */
static int most = 4, running, done, failed; /* workers; jobs */
static int stopped_by;                      /* the first signal that said so, or 0 */
static unsigned stops;

/* Guards the inputs: one worker at a time takes one. */
static csys_mutex turn = CSYS_MUTEX_INIT;
static char **words, **inputs; /* the command; what is behind ":::", or NULL: stdin's lines */
static csys_lines *lines;
static csys_signals *stopping; /* of which none is taken: ready from the first one on */

/* Guards the terminal.  Taken before `lock`. */
static csys_mutex screen = CSYS_MUTEX_INIT;
static int in_line; /* what was printed last on a terminal ended without a newline */

/* Draw the line of progress anew, or take it away.  Under `screen`. */
static void progress(int shown)
{
	static char before[80];
	char line[80] = "";
	CSYS_MUTEX_GUARD(held, &lock);
	if (shown)
		snprintf(line, sizeof line, "%d done, %d failed, %d running", done, failed,
			 running);
	if (!csys_terminal_is(csys_standard(CSYS_STDERR)) || strcmp(line, before) == 0)
		return;
	if (in_line)
		putc('\n', stderr); /* a job's last line, that would be drawn over */
	in_line = 0;
	fprintf(stderr, "\r%*s\r%s", (int)strlen(before), "", line);
	fflush(stderr);
	memcpy(before, line, sizeof line);
}

/*
 * A signal said so, or `number` is 0: trouble did.  Each job leads a process group, so what it
 * started is stopped with it.  The second time, and at the end (no `times`), we go by the signal.
 */
static void stop(int number, unsigned times)
{
	CSYS_MUTEX_GUARD(held, &lock);
	stopped_by = stopped_by ? stopped_by : number;
	stops += number == stopped_by ? times : 0;
	for (int i = 0; i < most; i++)
		if (children[i])
			csys_child_signal_group(children[i], stops > 1 ? SIGKILL : SIGTERM);
	if (stopped_by && (stops > 1 || times == 0)) {
		signal(stopped_by, SIG_DFL);
		raise(stopped_by);
	}
}

static void *hear(void *signals)
{
	csys_signal_event event;
	while (csys_signals_wait(signals, &event) == 0)
		stop(event.signal, event.count);
	return NULL;
}

/* Of a job that cannot run, or of all.  Then the screen stays locked, so that it is told once. */
static void complain(const char *what, int result, int is_the_end)
{
	csys_mutex_lock(&screen);
	progress(0);
	fprintf(stderr, "parallel: %s: %s\n", what, csys_strerror(result));
	if (is_the_end) {
		stop(0, 1);
		exit(TROUBLE);
	}
	csys_mutex_unlock(&screen);
	CSYS_MUTEX_GUARD(held, &lock);
	done++;
	failed++;
}

/* The next line of stdin, valid for this turn; NULL at the end and after ^C. */
static const char *next_line(void)
{
	csys_poll_item items[2] = { { .waitable = csys_waitable_reading(CSYS_STDIN) },
				    { .waitable = csys_signals_waitable(stopping) } };
	csys_line line;
	int r;
	while ((r = csys_lines_next_until(lines, CSYS_POLL, &line)) != 0 && !items[1].ready) {
		if (r == CSYS_ETIMEDOUT)
			r = csys_poll(items, 2, CSYS_FOREVER);
		else if (r > 0 && line.ending == CSYS_LINE_CUT)
			r = CSYS_E2BIG;
		else if (r > 0 && strlen(line.data) == line.size)
			return line.data;
		else if (r > 0)
			complain("a line with a NUL in it is no argument", CSYS_EINVAL, 0);
		if (r < 0)
			complain("cannot read the inputs", r, 1);
	}
	return NULL;
}

/* A word of the command, with the input for each "{}". */
static char *filled_in(const char *word, const char *input, int *places)
{
	char *made = calloc(strlen(word) / 2 * strlen(input) + strlen(word) + 1, 1);
	for (char *end = made; made && *word; end += strlen(end)) {
		int is_place = strncmp(word, "{}", 2) == 0;
		memcpy(end, is_place ? input : word, is_place ? strlen(input) : 1);
		word += is_place ? 2 : 1;
		*places += is_place;
	}
	return made;
}

/* The command with the next input; NULL if there is none. */
static csys_command *next_command(void)
{
	CSYS_MUTEX_GUARD(mine, &turn);
	const char *input = !inputs ? next_line() : *inputs ? *inputs++ : NULL;
	csys_command *command = NULL;
	int places = 0;
	for (char **word = words; input && *word; word++) {
		char *text = filled_in(*word, input, &places);
		if (word == words)
			command = csys_command_new(text);
		else
			csys_command_arg(command, text);
		if (!text || !command)
			complain("no command", CSYS_ENOMEM, 1);
		free(text);
	}
	if (input && places == 0)
		csys_command_arg(command, input);
	return command;
}

/* As long as it takes to be read: the other jobs go on meanwhile.  Under `screen`. */
static int print(int stream, const csys_captured *text)
{
	if (text->size == 0)
		return 0;
	progress(0);
	in_line = csys_terminal_is(csys_standard(stream)) && text->data[text->size - 1] != '\n';
	return csys_stream_write_all(csys_standard(stream), text->data, text->size, NULL);
}

/* CSYS_ECANCELED after a stop. */
static int run_job(csys_command *command, csys_child **place)
{
	CSYS_AUTO_VALUE(csys_output) output = { 0 };
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDERR, CSYS_STDIO_PIPE);
	csys_command_process_group(command, 0);
	/* Nothing starts after a stop, and what has started is there to be stopped. */
	csys_mutex_lock(&lock);
	int r = stops > 0 ? CSYS_ECANCELED : csys_command_spawn(command, place);
	running += r == 0;
	csys_mutex_unlock(&lock);
	if (r < 0) {
		char line[200] = "";
		csys_command_line(command, line, sizeof line);
		if (r != CSYS_ECANCELED)
			complain(line, r, 0);
		return r;
	}
	csys_mutex_lock(&screen);
	progress(1);
	csys_mutex_unlock(&screen);
	r = csys_child_output(*place, NULL, &output);
	if (r < 0)
		complain("cannot keep what a job writes", r, 1);
	csys_mutex_lock(&lock);
	csys_child_close(*place, CSYS_CLOSE_WAIT);
	*place = NULL;
	running--;
	done++;
	failed += !csys_exit_success(output.exit);
	csys_mutex_unlock(&lock);
	csys_mutex_lock(&screen);
	r = print(CSYS_STDOUT, &output.out);
	if (r == 0)
		r = print(CSYS_STDERR, &output.err);
	csys_mutex_unlock(&screen);
	if (r < 0)
		complain("cannot print", r, 1);
	return 0;
}

static void *work(void *place)
{
	for (;;) {
		CSYS_AUTO(csys_command) command = next_command();
		if (!command || run_job(command, place) == CSYS_ECANCELED)
			return NULL;
	}
}

int main(int argc, char **argv)
{
	static const int wanted[] = { SIGINT, SIGTERM, SIGHUP };
	csys_signals *signals = NULL;
	csys_thread_scope workers = CSYS_THREAD_SCOPE_INIT;
	char nothing = 0, *rest = &nothing;
	int r = 0;
	words = argv + 1;
	if (argc > 2 && strcmp(argv[1], "-j") == 0)
		most = (int)strtol(argv[2], &rest, 10), words += 2;
	for (char **word = words; *word && !inputs; word++)
		if (strcmp(*word, ":::") == 0)
			inputs = word + 1;
	if (inputs)
		inputs[-1] = NULL;
	if (*rest || most < 1 || most > MOST_JOBS || !words[0] || words[0][0] == '-')
		return fputs("usage: parallel [-j N] COMMAND... [::: INPUT...]\n", stderr), TROUBLE;
	if ((r = csys_signals_open(wanted, 3, NULL, &signals)) < 0 ||
	    (r = csys_signals_open(wanted, 3, NULL, &stopping)) < 0 ||
	    (r = csys_lines_open(CSYS_STDIN, LONGEST, &lines)) < 0 ||
	    (r = csys_thread_spawn(hear, signals, NULL, NULL)) < 0)
		complain("cannot begin", r, 1);
	for (int i = 0; i < most; i++)
		if ((r = csys_thread_scope_spawn(&workers, work, &children[i], NULL, NULL)) < 0)
			complain("cannot begin", r, 1);
	r = csys_thread_scope_end(&workers);
	progress(0);
	stop(0, 0);
	return r < 0 ? TROUBLE : failed > 100 ? 101 : failed;
}
