/*
 * examples/parallel.c - a command over many inputs, several at a time.
 *
 *     parallel [-j N] COMMAND [ARGUMENT...] [::: INPUT...]
 *
 * Runs the command once for each input, at most N at a time (4).  Without ":::"
 * each line of stdin is an input.  "{}" in a word is the input; if there is none,
 * the input is the last argument.  There is no shell, so it arrives as it is.
 *
 * What a job writes is printed when it has ended, each job's whole and in the order
 * in which they end.  ^C starts no more jobs and asks those that run to end, with
 * all that they started; again, and they are killed, and what they wrote is lost.
 * Shows: one loop over many children, their streams and signals.  Exits as GNU
 * parallel does: with the number of jobs that failed, 101 for more than 100, 255
 * for trouble here; after ^C, by that signal.
 */
#define _XOPEN_SOURCE 700
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/csys.h>

enum { TROUBLE = 255, MOST_JOBS = 1000, PART = 16 << 10 };

/* Bytes that were read.  Those before `used` are done with. */
struct text {
	char *data;
	size_t used;
	size_t size;
	size_t room;
};

/* A job runs, then it has ended and its text is printed, then its place is free. */
struct job {
	csys_child *child; /* NULL: free */
	int ended;
	struct text text[3]; /* by stream; stdin's stays empty */
};

static struct job *jobs;
static int most = 4; /* jobs at a time */
static int running, done, failed;
static struct job *printing; /* one that has ended, or NULL */
static int full;             /* the stream that takes no more of it now, or 0 */
static int in_line;          /* what was printed last on a terminal ended without a newline */

static char **inputs;     /* those after ":::", or NULL: stdin's */
static struct text lines; /* of stdin */
static int at_end;        /* no more lines come */

static csys_signals *signals;
static int stopped_by; /* the first signal that said so, or 0 */
static unsigned stops;
static int trouble;

/* Draw the line of progress anew, or take it away. */
static void progress(int shown)
{
	static char before[80];
	char line[80] = "";
	if (shown)
		snprintf(line, sizeof line, "%d done, %d failed, %d running", done, failed,
			 running);
	if (!csys_terminal_is(CSYS_STDERR) || strcmp(line, before) == 0)
		return;
	if (in_line)
		putc('\n', stderr); /* a job's last line, that would be drawn over */
	in_line = 0;
	fprintf(stderr, "\r%*s\r%s", (int)strlen(before), "", line);
	fflush(stderr);
	memcpy(before, line, sizeof line);
}

static void complain(const char *what, int result)
{
	progress(0);
	fprintf(stderr, "parallel: %s: %s\n", what, csys_strerror(result));
}

/* ---- stopping ------------------------------------------------------------------- */

/* Each job leads a process group: what it started is stopped with it. */
static void stop(unsigned times)
{
	stops += times;
	for (struct job *job = jobs; job < jobs + most; job++) {
		if (!job->child || job->ended)
			continue;
		int r = csys_child_signal_group(job->child, stops > 1 ? SIGKILL : SIGTERM);
		if (r < 0)
			complain("cannot stop a job", r);
	}
}

/* For good, so it is told once. */
static void give_up(const char *what, int result)
{
	if (!trouble)
		complain(what, result);
	trouble = 1;
	if (stops == 0)
		stop(1);
}

static void take_signals(void)
{
	csys_signal_event event;
	while (csys_signals_try_wait(signals, &event) == 0) {
		if (event.signal == SIGCHLD)
			continue; /* only to wake this loop: all jobs are looked at below */
		if (!stopped_by)
			stopped_by = event.signal;
		if (event.signal == stopped_by)
			stop(event.count);
	}
}

/* ---- bytes and inputs ------------------------------------------------------------- */

/* Read what is there now.  1: more may come, 0: that was the end; or a failure. */
static int fill(struct text *text, csys_handle reader)
{
	if (text->used > 0) {
		text->size -= text->used;
		memmove(text->data, text->data + text->used, text->size);
		text->used = 0;
	}
	if (text->room - text->size < PART) {
		char *data = realloc(text->data, 2 * text->room + PART);
		if (!data)
			return CSYS_ENOMEM;
		text->data = data;
		text->room = 2 * text->room + PART;
	}
	/* One byte stays free, for the NUL behind a last line. */
	size_t got;
	int r = csys_stream_read_until(reader, text->data + text->size, text->room - text->size - 1,
				       CSYS_POLL, &got);
	if (r < 0)
		return r == CSYS_ETIMEDOUT ? 1 : r;
	text->size += got;
	return got > 0;
}

/* The next line of stdin, in place; NULL if there is none yet. */
static char *next_line(void)
{
	while (lines.used < lines.size) {
		char *line = lines.data + lines.used;
		char *newline = memchr(line, '\n', lines.size - lines.used);
		if (!newline && !at_end)
			return NULL;
		char *end = newline ? newline : lines.data + lines.size;
		lines.used = (size_t)(end - lines.data) + (newline != NULL);
		*end = '\0';
		if (line + strlen(line) == end)
			return line;
		complain("a line with a NUL in it is no argument", CSYS_EINVAL);
		done++;
		failed++;
	}
	return NULL;
}

static int has_inputs(void)
{
	if (stops > 0)
		return 0;
	return inputs ? *inputs != NULL : !at_end || lines.used < lines.size;
}

/* ---- jobs ------------------------------------------------------------------------ */

/* A word of the command, with the input for each "{}"; the caller frees it. */
static char *filled_in(const char *word, const char *input, int *places)
{
	char *made = malloc(strlen(word) / 2 * strlen(input) + strlen(word) + 1);
	char *end = made;
	while (made && *word) {
		int is_place = strncmp(word, "{}", 2) == 0;
		size_t size = is_place ? strlen(input) : 1;
		memcpy(end, is_place ? input : word, size);
		end += size;
		word += is_place ? 2 : 1;
		*places += is_place;
	}
	if (made)
		*end = '\0';
	return made;
}

/* NULL when out of memory. */
static csys_command *command_for(char **words, const char *input)
{
	csys_command *command = NULL;
	int places = 0;
	for (char **word = words; *word; word++) {
		char *text = filled_in(*word, input, &places);
		if (text && word == words)
			command = csys_command_new(text);
		else if (text)
			csys_command_arg(command, text);
		free(text);
		if (!text || !command) {
			csys_command_free(command);
			return NULL;
		}
	}
	if (places == 0)
		csys_command_arg(command, input);
	return command;
}

static void start(struct job *job, char **words, const char *input)
{
	csys_command *command = command_for(words, input);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDERR, CSYS_STDIO_PIPE);
	csys_command_process_group(command, 0);
	int r = csys_command_spawn(command, &job->child);
	if (r < 0) {
		char line[200] = "";
		csys_command_line(command, line, sizeof line);
		complain(line, r);
		done++;
		failed++;
	} else {
		running++;
	}
	csys_command_free(command);
}

static void start_jobs(char **words)
{
	for (struct job *job = jobs; job < jobs + most && has_inputs(); job++) {
		/* One that cannot be started leaves its place to the next. */
		while (!job->child && has_inputs()) {
			const char *input = inputs ? *inputs++ : next_line();
			if (!input)
				return;
			start(job, words, input);
		}
	}
}

static void read_from(struct job *job, int stream)
{
	int r = fill(&job->text[stream], csys_child_stream(job->child, stream));
	if (r <= 0)
		csys_child_close_stream(job->child, stream);
	if (r < 0)
		give_up("cannot keep what a job writes", r);
}

/* Its group can be signalled until it is waited for, so that comes after its streams. */
static void look_for_end(struct job *job)
{
	if (csys_child_stream(job->child, CSYS_STDOUT) != CSYS_NO_HANDLE ||
	    csys_child_stream(job->child, CSYS_STDERR) != CSYS_NO_HANDLE)
		return;
	csys_exit end = { 0 };
	int r = csys_child_try_wait(job->child, &end);
	if (r == CSYS_EAGAIN)
		return;
	if (r < 0)
		complain("cannot wait for a job", r);
	job->ended = 1;
	running--;
	done++;
	failed += r < 0 || !csys_exit_success(end);
}

static void clear(struct job *job)
{
	csys_child_close(job->child, CSYS_CLOSE_KILL);
	for (int stream = 0; stream < 3; stream++)
		free(job->text[stream].data);
	*job = (struct job){ 0 };
}

/* 1 if all is printed, 0 if the stream `full` has to have room first. */
static int print_job(struct job *job)
{
	for (int stream = CSYS_STDOUT; stream <= CSYS_STDERR; stream++) {
		struct text *text = &job->text[stream];
		while (text->used < text->size) {
			size_t size = 0;
			progress(0);
			int r = csys_stream_write_until(stream, text->data + text->used,
							text->size - text->used, CSYS_POLL, &size);
			if (r == CSYS_ETIMEDOUT) {
				full = stream;
				return 0;
			}
			if (r < 0) {
				give_up("cannot print", r);
				break;
			}
			text->used += size;
			in_line = csys_terminal_is(stream) && text->data[text->used - 1] != '\n';
		}
	}
	return 1;
}

/* As far as it goes without waiting, so that jobs are read and ^C is heard meanwhile. */
static void print(void)
{
	full = 0;
	if (printing && !print_job(printing))
		return;
	if (printing)
		clear(printing);
	printing = NULL;
	for (struct job *job = jobs; job < jobs + most; job++) {
		if (!job->ended)
			continue;
		if (!print_job(job)) {
			printing = job;
			return;
		}
		clear(job);
	}
}

/* ---- the loop ----------------------------------------------------------------------- */

/* Wait until something can be done, and read what there is to read. */
static void wait_and_read(struct pollfd *polled)
{
	int has_place = 0;
	for (int i = 0; i < most; i++)
		has_place |= !jobs[i].child;
	polled[0].fd = (int)csys_signals_handle(signals);
	polled[1].fd = !inputs && !at_end && stops == 0 && has_place ? CSYS_STDIN : -1;
	polled[2].fd = full ? full : -1;
	int count = 3;
	for (int i = 0; i < 2 * most; i++, count++)
		polled[count].fd = (int)csys_child_stream(jobs[i / 2].child, 1 + i % 2);
	for (int i = 0; i < count; i++) {
		polled[i].events = i == 2 ? POLLOUT : POLLIN;
		polled[i].revents = 0;
	}
	if (poll(polled, (nfds_t)count, -1) < 0)
		return; /* a signal: its handle will be readable */

	if (polled[1].revents) {
		int r = fill(&lines, CSYS_STDIN);
		at_end = r <= 0;
		if (r < 0)
			give_up("cannot read the inputs", r);
	}
	for (int i = 0; i < 2 * most; i++)
		if (polled[3 + i].revents)
			read_from(&jobs[i / 2], 1 + i % 2);
}

static void run_all(char **words, struct pollfd *polled)
{
	/* After a second ^C nothing is waited for: clear() below does the rest. */
	while (stops < 2) {
		for (struct job *job = jobs; job < jobs + most; job++)
			if (job->child && !job->ended)
				look_for_end(job);
		print();
		start_jobs(words);
		if (running == 0 && !full && !has_inputs())
			break;
		progress(1);
		wait_and_read(polled);
		take_signals();
	}
	for (struct job *job = jobs; job < jobs + most; job++)
		clear(job);
	progress(0);
}

static int usage(void)
{
	fprintf(stderr, "usage: parallel [-j N] COMMAND [ARGUMENT...] [::: INPUT...]\n");
	return TROUBLE;
}

int main(int argc, char **argv)
{
	char **words = argv + 1;
	if (argc > 2 && strcmp(argv[1], "-j") == 0) {
		char *rest;
		long number = strtol(argv[2], &rest, 10);
		if (rest == argv[2] || *rest || number < 1 || number > MOST_JOBS)
			return usage();
		most = (int)number;
		words += 2;
	}
	for (char **word = words; *word && !inputs; word++) {
		if (strcmp(*word, ":::") == 0) {
			*word = NULL;
			inputs = word + 1;
		}
	}
	if (!words[0] || words[0][0] == '-')
		return usage();

	static const int wanted[] = { SIGCHLD, SIGINT, SIGTERM, SIGHUP };
	jobs = calloc((size_t)most, sizeof *jobs);
	struct pollfd *polled = calloc(3 + 2 * (size_t)most, sizeof *polled);
	int r = jobs && polled ? csys_signals_open(wanted, 4, NULL, &signals) : CSYS_ENOMEM;
	if (r < 0) {
		complain("cannot begin", r);
		trouble = 1;
	} else {
		run_all(words, polled);
	}
	csys_signals_close(signals);
	free(lines.data);
	free(polled);
	free(jobs);
	if (stopped_by) {
		raise(stopped_by);
		return 128 + stopped_by; /* it was ignored when we were started */
	}
	return trouble ? TROUBLE : failed > 100 ? 101 : failed;
}
