/*
 * examples/event_loop.c - one loop for a child, its output, signals, a thread and a timer.
 *
 *     event_loop [-t MS] PROGRAM [ARGUMENT...]
 *
 * Copies the program's output, has a thread count its words, and says so when nothing has come for
 * -t milliseconds (1000).  ^C and SIGTERM ask the program to end, and kill it two seconds later.
 * Shows: a wait set with a stream, a child, a subscription to signals, the handle of a channel, and
 * a timer that is put off again and again; all of it in one thread, and nothing is missed.  Exits
 * with the program's code, 128 + n for signal n, 125 for trouble here.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/csys.h>

enum { TROUBLE = 125, CHUNK = 4096, QUEUED = 4 };
enum what { OUTPUT, ENDED, SIGNAL, COUNTED, QUIET };

struct chunk {
	size_t size;
	char data[CHUNK];
};

CSYS_CHANNEL_DEFINE(chunks, struct chunk);
CSYS_CHANNEL_DEFINE(counts, uint64_t);

static csys_wait_set *set;
static csys_wait_entry output_entry, child_entry, quiet_entry;
static csys_child *child;
static csys_handle output;
static csys_signals *signals;
static chunks_sender to_count; /* to the thread, and what it is to read from */
static chunks_receiver chunks_of_thread;
static counts_sender counts_of_thread;
static counts_receiver counted;
static int64_t quiet_ms = 1000;
static uint64_t bytes, words;
static csys_exit child_end;
static int is_running = 1, is_reading = 1, is_counting = 1;

static int check(int r, const char *what)
{
	if (r >= 0)
		return r;
	fprintf(stderr, "event_loop: cannot %s: %s\n", what, csys_strerror(r));
	exit(TROUBLE);
}

/* ---- the thread ------------------------------------------------------------------------- */

static void *count_words(void *unused)
{
	struct chunk chunk;
	uint64_t found = 0;
	int is_in_word = 0;

	(void)unused;
	while (chunks_recv(chunks_of_thread, &chunk) == 0) {
		for (size_t i = 0; i < chunk.size; i++) {
			int is_blank = strchr(" \t\n", chunk.data[i]) != NULL;
			found += !is_blank && !is_in_word;
			is_in_word = !is_blank;
		}
		check(counts_send(counts_of_thread, &found), "send a count");
	}
	counts_sender_close(counts_of_thread);
	chunks_receiver_close(chunks_of_thread);
	return NULL;
}

/* ---- what comes ------------------------------------------------------------------------- */

/* Each looks again without waiting: that something is ready is a hint. */
static void take_output(void)
{
	static struct chunk chunk;
	int r = csys_stream_read_until(output, chunk.data, CHUNK, CSYS_POLL, &chunk.size);

	if (r == CSYS_ETIMEDOUT)
		return;
	check(r, "read");
	if (chunk.size > 0) {
		bytes += chunk.size;
		fwrite(chunk.data, 1, chunk.size, stdout);
		fflush(stdout);
		check(chunks_send(to_count, &chunk), "send a chunk");
		check(csys_wait_set_set_timer(set, quiet_entry, csys_after_ms(quiet_ms), 0),
		      "set a timer");
		return;
	}
	is_reading = 0;
	check(csys_wait_set_remove(set, output_entry), "remove the stream");
	check(csys_wait_set_set_timer(set, quiet_entry, CSYS_FOREVER, 0), "stop the timer");
	chunks_sender_close(to_count); /* after the last of them the thread ends */
}

static void take_end(void)
{
	int r = csys_child_try_wait(child, &child_end);

	if (r == CSYS_EAGAIN)
		return;
	check(r, "wait for the program");
	is_running = 0;
	check(csys_wait_set_remove(set, child_entry), "remove the child");
}

static void take_signals(void)
{
	csys_signal_event event;

	while (csys_signals_try_wait(signals, &event) == 0) {
		fprintf(stderr, "event_loop: %s\n", csys_signal_name(event.signal));
		int r = csys_child_terminate(child, csys_after_ms(2000));
		check(r == CSYS_ESRCH ? 0 : r, "end the program");
	}
}

static void take_counts(void)
{
	int r;

	while ((r = counts_try_recv(counted, &words)) == 0)
		continue;
	is_counting = r != CSYS_EDISCONNECTED;
}

static void tell_quiet(void)
{
	fprintf(stderr, "event_loop: nothing has come for %lld ms\n", (long long)quiet_ms);
	check(csys_wait_set_set_timer(set, quiet_entry, csys_after_ms(quiet_ms), 0), "set a timer");
}

static void take(enum what what)
{
	switch (what) {
	case OUTPUT:
		take_output();
		break;
	case ENDED:
		take_end();
		break;
	case SIGNAL:
		take_signals();
		break;
	case COUNTED:
		take_counts();
		break;
	case QUIET:
		tell_quiet();
	}
}

/* ---- beginning and end ------------------------------------------------------------------ */

static csys_wait_entry add(csys_waitable waitable, enum what what)
{
	csys_wait_entry entry;

	check(csys_wait_set_add(set, waitable, csys_token_number(what), &entry), "add to the set");
	return entry;
}

static void begin(char **words_of_command)
{
	static const int wanted[] = { SIGINT, SIGTERM };
	csys_command *command = csys_command_new(words_of_command[0]);
	csys_handle handle;

	for (char **word = words_of_command + 1; *word; word++)
		csys_command_arg(command, *word);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_command_process_group(command, 0); /* a ^C of the terminal is for us */
	check(csys_signals_open(wanted, 2, NULL, &signals), "catch signals");
	check(csys_command_spawn(command, &child), "start the program");
	csys_command_free(command);
	check(csys_child_take(child, CSYS_STDOUT, &output), "take its output");

	check(csys_wait_set_open(&set), "make a set");
	output_entry = add(csys_waitable_reading(output), OUTPUT);
	child_entry = add(csys_child_waitable(child), ENDED);
	(void)add(csys_signals_waitable(signals), SIGNAL);
	check(csys_receiver_handle(counted.core, &handle), "get the handle of a channel");
	(void)add(csys_waitable_reading(handle), COUNTED);
	check(csys_wait_set_add_timer(set, csys_after_ms(quiet_ms), 0, csys_token_number(QUIET),
				      &quiet_entry),
	      "add a timer");
}

static void loop(void)
{
	while (is_running || is_reading || is_counting) {
		csys_wait_event events[8];
		size_t count;

		check(csys_wait_set_wait(set, events, 8, &count), "wait");
		for (size_t i = 0; i < count; i++)
			if (events[i].token.number != OUTPUT || is_reading)
				take((enum what)events[i].token.number);
	}
}

int main(int argc, char **argv)
{
	csys_thread *thread;
	char text[CSYS_EXIT_TEXT];

	if (argc > 2 && strcmp(argv[1], "-t") == 0) {
		quiet_ms = atoi(argv[2]);
		argv += 2;
	}
	if (!argv[1] || quiet_ms <= 0) {
		fprintf(stderr, "usage: event_loop [-t MS] PROGRAM [ARGUMENT...]\n");
		return TROUBLE;
	}
	check(chunks_new(QUEUED, NULL, &to_count, &chunks_of_thread), "make a channel");
	check(counts_new(CSYS_UNBOUNDED, NULL, &counts_of_thread, &counted), "make a channel");
	begin(argv + 1);
	check(csys_thread_spawn(count_words, NULL, NULL, &thread), "start a thread");
	loop();

	check(csys_thread_join(thread, NULL), "join the thread");
	csys_thread_unref(thread);
	csys_wait_set_close(set);
	counts_receiver_close(counted);
	csys_signals_close(signals);
	csys_handle_close(output);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	fprintf(stderr, "event_loop: %llu bytes, %llu words, %s\n", (unsigned long long)bytes,
		(unsigned long long)words, csys_exit_text(child_end, text, sizeof text));
	return child_end.how == CSYS_EXIT_SIGNAL ? 128 + child_end.value : child_end.value;
}
