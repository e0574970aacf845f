/*
 * snippets/io_pty.c - a program around the snippets of csys/io/pty.h.
 */
#include <stdio.h>

#include <csys/io/pty.h>
#include <csys/io/stream.h>
#include <csys/process/child.h>
#include <csys/process/command_options.h>
#include <csys/process/spawn.h>

int at_a_terminal(csys_command *command);
int at_a_terminal(csys_command *command)
{
	csys_child *child = NULL;
	char buffer[4096];
	size_t size;
#include "snippet/1"
	csys_child_close(child, CSYS_CLOSE_WAIT);
	return r;
}
