/*
 * support/script.c - small programs in words, where a test would else need a shell.
 *
 *     out TEXT, err TEXT     write it
 *     spew N, spew-err N     so many bytes
 *     lines N                so many lines of 31 digits
 *     repeat                 lines without an end
 *     read                   a line of stdin
 *     echo                   write the line that was read
 *     copy, upper, sort      stdin to stdout: as it is, in upper case, its lines in order
 *     drain                  read to the end
 *     close                  stdout and stderr
 *     nap MS                 do nothing
 *     terminal               the streams are a terminal, or exit with 1
 *     raw                    what is written to the terminal is not changed
 *     size                   write rows and columns of the terminal
 *     is-env NAME VALUE, is-cwd PATH
 *                            this is so, or exit with 1
 *     exit N
 *
 * Bytes are what they are: nothing makes "\r\n" of "\n".
 */
#define _DEFAULT_SOURCE /* TIOCGWINSZ */
#define _XOPEN_SOURCE 700
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "support/script.h"

static char chunk[65536];
static char line[256]; /* the last one that was read, without its newline */

static void put(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, data, size);
		if (written < 0)
			exit(5);
		data += written;
		size -= (size_t)written;
	}
}

static void put_text(int fd, const char *text)
{
	put(fd, text, strlen(text));
}

static void spew(int fd, size_t size)
{
	memset(chunk, 'x', sizeof chunk);
	for (size_t now; size > 0; size -= now) {
		now = size < sizeof chunk ? size : sizeof chunk;
		put(fd, chunk, now);
	}
}

/* Byte by byte, so that what follows is left to others. */
static void read_line(void)
{
	size_t size = 0;
	while (size + 2 < sizeof line && read(0, line + size, 1) == 1 && line[size] != '\n')
		size++;
	line[size] = '\0';
}

static void copy(int upper)
{
	ssize_t size;
	while ((size = read(0, chunk, sizeof chunk)) > 0) {
		for (ssize_t i = 0; upper && i < size; i++)
			if (chunk[i] >= 'a' && chunk[i] <= 'z')
				chunk[i] = (char)(chunk[i] - 'a' + 'A');
		put(1, chunk, (size_t)size);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(void)
{
	char *lines[64];
	size_t count = 0, size = 0;
	ssize_t got;
	while ((got = read(0, chunk + size, sizeof chunk - 1 - size)) > 0)
		size += (size_t)got;
	chunk[size] = '\0';
	for (char *at = strtok(chunk, "\n"); at && count < 64; at = strtok(NULL, "\n"))
		lines[count++] = at;
	qsort(lines, count, sizeof *lines, compare);
	for (size_t i = 0; i < count; i++) {
		put_text(1, lines[i]);
		put_text(1, "\n");
	}
}

static void drain(void)
{
	while (read(0, chunk, sizeof chunk) > 0)
		;
}

static void make_raw(void)
{
	struct termios mode;
	if (tcgetattr(1, &mode) < 0)
		exit(6);
	mode.c_oflag &= ~(tcflag_t)OPOST;
	if (tcsetattr(1, TCSANOW, &mode) < 0)
		exit(6);
}

static void tell_size(void)
{
	struct winsize size;
	if (ioctl(0, TIOCGWINSZ, &size) < 0)
		exit(6);
	snprintf(line, sizeof line, "%d %d\n", size.ws_row, size.ws_col);
	put_text(1, line);
}

static void demand(int condition)
{
	if (!condition)
		exit(1);
}

/* A step without a word behind it; 0 if there is none of that name. */
static int take_step(const char *step)
{
	if (strcmp(step, "repeat") == 0)
		for (;;)
			put_text(1, "y\n");
	else if (strcmp(step, "read") == 0)
		read_line();
	else if (strcmp(step, "echo") == 0)
		put_text(1, strcat(line, "\n"));
	else if (strcmp(step, "copy") == 0 || strcmp(step, "upper") == 0)
		copy(*step == 'u');
	else if (strcmp(step, "sort") == 0)
		sort();
	else if (strcmp(step, "drain") == 0)
		drain();
	else if (strcmp(step, "close") == 0)
		close(1), close(2);
	else if (strcmp(step, "terminal") == 0)
		demand(isatty(0) && isatty(1) && isatty(2));
	else if (strcmp(step, "raw") == 0)
		make_raw();
	else if (strcmp(step, "size") == 0)
		tell_size();
	else
		return 0;
	return 1;
}

/* A step with one; 0 likewise. */
static int take_step_with(const char *step, const char *word)
{
	if (strcmp(step, "out") == 0)
		put_text(1, word);
	else if (strcmp(step, "err") == 0)
		put_text(2, word);
	else if (strcmp(step, "spew") == 0)
		spew(1, strtoul(word, NULL, 10));
	else if (strcmp(step, "spew-err") == 0)
		spew(2, strtoul(word, NULL, 10));
	else if (strcmp(step, "lines") == 0)
		for (long i = atol(word); i > 0; i--)
			put_text(1, "0123456789012345678901234567890\n");
	else if (strcmp(step, "nap") == 0)
		poll(NULL, 0, atoi(word));
	else if (strcmp(step, "is-cwd") == 0)
		demand(getcwd(chunk, sizeof chunk) && strcmp(chunk, word) == 0);
	else if (strcmp(step, "exit") == 0)
		exit(atoi(word));
	else
		return 0;
	return 1;
}

int script_run(char **steps)
{
	while (*steps) {
		const char *step = *steps++;
		if (take_step(step))
			continue;
		const char *word = *steps ? *steps++ : "";
		if (take_step_with(step, word))
			continue;
		if (strcmp(step, "is-env") != 0 || !*steps) {
			fprintf(stderr, "helper: no such step: %s\n", step);
			return 64;
		}
		const char *value = getenv(word);
		demand(value && strcmp(value, *steps++) == 0);
	}
	return 0;
}
