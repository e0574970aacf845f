/*
 * examples/pty_run.c - run a program that insists on a terminal.
 *
 *     pty_run PROGRAM [ARGUMENT...]
 *
 * Runs it on a pseudo-terminal of its own, and passes on what is typed and what it
 * writes.  stdin and stdout need not be terminals: `pty_run ls | cat` shows columns.
 * The end of stdin is typed as ^D, and SIGINT as ^C; SIGTERM, SIGHUP and SIGQUIT are
 * passed on, and kill it 2 seconds later.  As on any terminal, what is typed is echoed
 * and lines end in "\r\n".  Shows: a pseudo-terminal, raw mode that is put back whatever
 * signal comes, the size passed on, and both directions in one loop, where neither side
 * makes the other wait.  Exits with the program's code, 128 + n for signal n, 126 or 127
 * if it cannot be run or does not exist, 125 for trouble here.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <csys/csys.h>

enum { TROUBLE = 125, GRACE_S = 2 };

/* Bytes on their way in one direction: read when it is empty, sent as there is room. */
struct flow {
	char data[4096];
	size_t sent;
	size_t size;
	int ended; /* no more come */
};

static csys_signals *signals;
static csys_pty *pty;
static csys_child *child;
static csys_exit end;         /* the child's, once it has one */
static csys_deadline kill_at; /* none yet */
static struct flow typed, written;

static int complain(const char *what, int result)
{
	fprintf(stderr, "pty_run: %s: %s\n", what, csys_strerror(result));
	return TROUBLE;
}

static int has_ended(void)
{
	return end.how != CSYS_EXIT_NONE;
}

static int is_empty(const struct flow *flow)
{
	return flow->sent == flow->size;
}

/* ---- signals ------------------------------------------------------------------------- */

/* Of whichever of our streams is a terminal with a size, else 24 x 80. */
static void own_size(int *rows, int *columns)
{
	for (int stream = CSYS_STDIN; stream <= CSYS_STDERR; stream++)
		if (csys_terminal_size(csys_standard(stream), rows, columns) == 0 && *rows > 0 &&
		    *columns > 0)
			return;
	*rows = 24;
	*columns = 80;
}

static void type(const char *keys)
{
	size_t size = strlen(keys);
	if (is_empty(&typed))
		typed.sent = typed.size = 0;
	if (typed.size + size <= sizeof typed.data) {
		memcpy(typed.data + typed.size, keys, size);
		typed.size += size;
	}
}

static int take(const csys_signal_event *event)
{
	int rows, columns;

	switch (event->signal) {
	case SIGWINCH:
		own_size(&rows, &columns);
		return csys_pty_set_size(pty, rows, columns);
	case SIGINT:
		type("\3");
		return 0;
	default:
		if (csys_deadline_is_forever(kill_at))
			kill_at = csys_after_s(GRACE_S);
		return has_ended() ? 0 : csys_child_signal_group(child, event->signal);
	}
}

/* ---- both directions ------------------------------------------------------------------- */

static void read_typed(void)
{
	static char last = '\n';
	size_t size = 0;

	/* What does not fit in a part is read later; room is kept for ^C and ^D. */
	typed.sent = typed.size = 0;
	int r = csys_stream_read_until(csys_standard(CSYS_STDIN), typed.data,
				       sizeof typed.data - 16, CSYS_POLL, &size);
	if (r == CSYS_ETIMEDOUT)
		return;
	typed.size = size;
	if (size > 0) {
		last = typed.data[size - 1];
		return;
	}
	/* A first ^D within a line only gives its reader the line.  A terminal of ours that
	 * was hung up has ended, too. */
	type(last == '\n' ? "\4" : "\4\4");
	typed.ended = 1;
}

static int send_typed(void)
{
	size_t size = 0;
	int r = csys_pty_write_all_until(pty, typed.data + typed.sent, typed.size - typed.sent,
					 CSYS_POLL, &size);
	typed.sent += size;
	if (r == CSYS_EPIPE || r == CSYS_EIO) {
		typed.sent = typed.size; /* nobody is there any more to read it */
		return 0;
	}
	return r == CSYS_ETIMEDOUT ? 0 : r;
}

static int read_written(void)
{
	written.sent = written.size = 0;
	int r = csys_pty_read_until(pty, written.data, sizeof written.data, CSYS_POLL,
				    &written.size);
	if (r == CSYS_ETIMEDOUT) {
		/* Others may keep the terminal open for ever; what the child wrote is here. */
		written.ended = has_ended();
		return 0;
	}
	written.ended = r == 0 && written.size == 0;
	return r;
}

static int send_written(void)
{
	size_t size = 0;
	int r = csys_stream_write_until(csys_standard(CSYS_STDOUT), written.data + written.sent,
					written.size - written.sent, CSYS_POLL, &size);
	written.sent += size;
	return r == CSYS_ETIMEDOUT ? 0 : r;
}

/* ---- the loop ----------------------------------------------------------------------------- */

/* Sleep until something can be done, or there is something to try again. */
static int sleep_on_all(void)
{
	csys_poll_item items[6];
	size_t count = 0;
	int reads = is_empty(&written) && !written.ended;
	int types = !is_empty(&typed);
	items[count++].waitable = csys_signals_waitable(signals);
	if (!has_ended())
		items[count++].waitable = csys_child_waitable(child);
	if (!types && !typed.ended)
		items[count++].waitable = csys_waitable_reading(csys_standard(CSYS_STDIN));
	if (!is_empty(&written))
		items[count++].waitable = csys_waitable_writing(csys_standard(CSYS_STDOUT));
	if (reads)
		items[count++].waitable = csys_waitable_reading(csys_pty_controller(pty));
	if (types)
		items[count++].waitable = csys_waitable_writing(csys_pty_controller(pty));
	int r = csys_poll(items, count, has_ended() && reads ? CSYS_POLL : kill_at);
	return r == CSYS_ETIMEDOUT ? 0 : r;
}

static int pass_all(void)
{
	for (;;) {
		csys_signal_event event;
		int r = 0;
		while (r == 0 && csys_signals_try_wait(signals, &event) == 0)
			r = take(&event);
		if (r == 0 && !has_ended() && (r = csys_child_try_wait(child, &end)) == CSYS_EAGAIN)
			r = 0;
		if (r == 0 && csys_deadline_left(kill_at) == 0) {
			if (has_ended())
				return 0; /* and nobody takes what it wrote */
			r = csys_child_signal_group(child, SIGKILL);
		}
		if (r < 0)
			return complain("cannot go on", r);

		if (is_empty(&typed) && !typed.ended)
			read_typed();
		if (!is_empty(&typed) && (r = send_typed()) < 0)
			return complain("cannot type", r);
		if (is_empty(&written) && !written.ended && (r = read_written()) < 0)
			return complain("cannot read what it writes", r);
		if (!is_empty(&written) && (r = send_written()) < 0)
			return complain("cannot write", r);

		if (has_ended() && written.ended)
			return 0;
		if ((r = sleep_on_all()) < 0)
			return complain("cannot wait", r);
	}
}

static int code_of(csys_exit exit)
{
	if (exit.how == CSYS_EXIT_SIGNAL)
		return 128 + exit.value;
	return exit.how == CSYS_EXIT_CODE ? exit.value : TROUBLE;
}

/* Run it to its end; our own terminal is raw meanwhile. */
static int run(char **argv)
{
	CSYS_AUTO(csys_command) command = csys_command_new(argv[1]);
	csys_command_args(command, (const char *const *)argv + 2);
	csys_command_pty(command, pty);
	/* Raw before there is one to type to. */
	csys_terminal_mode before;
	csys_handle keyboard = csys_standard(CSYS_STDIN);
	int is_raw = csys_terminal_is(keyboard) && csys_terminal_raw(keyboard, &before) == 0;
	int r = csys_command_spawn(command, &child);
	csys_pty_close_terminal(pty);
	int trouble = r < 0 ? 0 : pass_all();
	if (is_raw)
		csys_terminal_restore(keyboard, &before);
	if (r < 0) {
		int step = csys_spawn_failed_step();
		char text[CSYS_ERROR_TEXT];
		fprintf(stderr, "pty_run: %s\n", csys_error_text(text, sizeof text));
		if (step != CSYS_STEP_EXEC && step != CSYS_STEP_INTERPRETER)
			return TROUBLE;
		return r == CSYS_ENOENT ? 127 : 126;
	}

	csys_child_close(child, CSYS_CLOSE_KILL);
	return trouble ? trouble : code_of(end);
}

int main(int argc, char **argv)
{
	static const int wanted[] = { SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	int rows, columns;

	if (argc < 2) {
		fprintf(stderr, "usage: pty_run PROGRAM [ARGUMENT...]\n");
		return TROUBLE;
	}
	/* Before the size is asked for and the program started, so that nothing is missed. */
	int r = csys_signals_open(wanted, sizeof wanted / sizeof wanted[0], NULL, &signals);
	if (r < 0)
		return complain("cannot catch signals", r);
	own_size(&rows, &columns);
	r = csys_pty_open(rows, columns, &pty);
	int code = r < 0 ? complain("cannot open a pseudo-terminal", r) : run(argv);
	csys_pty_close(pty);
	csys_signals_close(signals);
	return code;
}
