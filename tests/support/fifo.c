/*
 * support/fifo.c - a FIFO that a test shares with processes.
 */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/fifo.h"

static const char *own_program;
char path[256];

void fifo_tests_begin(const char *program)
{
	own_program = program;
}

void make_path(long pid)
{
	const char *where = getenv("TMPDIR");
	snprintf(path, sizeof path, "%s/csys-fifo-%ld", where ? where : "/tmp", pid);
}

void fresh(void)
{
	make_path((long)getpid());
	unlink(path);
	assert_int_equal(csys_fifo_create(path, 0), 0);
}

csys_child *started(const char *part)
{
	csys_command *command = csys_command_new(own_program);
	csys_command_arg(command, "--part");
	csys_command_arg(command, part);
	return spawned(command);
}

csys_child *started_telling(const char *part, csys_handle *out_told)
{
	struct ends told = opened_ends();
	csys_command *command = csys_command_new(own_program);
	csys_command_arg(command, "--part");
	csys_command_arg(command, part);
	csys_command_stdio_take(command, CSYS_STDOUT, told.writer);
	*out_told = told.reader;
	return spawned(command);
}

void await(csys_handle told)
{
	char line[8];
	read_line(told, line, sizeof line);
	csys_handle_close(told);
}

csys_deadline soon(void)
{
	return csys_after_s(60);
}

void killed(csys_child *child)
{
	assert_int_equal(csys_child_kill(child), 0);
	(void)finished(child);
}
