/*
 * process/command_connection.c - children that are connected to this process.
 */
#include <csys/process/command_connection.h>

#include <csys/process/command_options.h>

#include <stdio.h>

#include "base/atomic.h"
#include "ipc/connection.h"
#include "os/os.h"
#include "process/command.h"

/* A number that no other child of this process was given, nor one of another process but by
 * chance: it is a guard against mistakes, not against enemies. */
static uint64_t next_hello(void)
{
	static uint32_t count;
	uint64_t now = (uint64_t)csysi_os_now();
	/* Relaxed: only the number matters. */
	uint64_t hello = now * 1000003 + (uint64_t)csysi_os_pid() * 7919 +
			 ((uint64_t)csysi_add_relaxed(&count, 1) << 40);

	return hello != 0 ? hello : 1;
}

/* Give the other side to the command. */
static int give(csys_command *command, int number, uint64_t hello, csys_connection *theirs)
{
	char text[48];
	csys_handle handle;

	(void)snprintf(text, sizeof text, "%d:%llu", number, (unsigned long long)hello);
	int r = csys_handle_dup(csys_connection_handle(theirs), &handle);
	if (r < 0)
		return r;
	csys_command_env(command, CSYSI_CONNECTION_VARIABLE, text);
	csys_command_map_take(command, handle, number);
	return csys_command_error(command);
}

int csys_command_connection(csys_command *command, int number,
			    const csys_connection_options *options, csys_connection **out)
{
	csys_connection *ours, *theirs;
	uint64_t hello = next_hello();

	if (!out || number < CSYSI_CONNECTION_FIRST_NUMBER)
		return CSYS_EINVAL;
	int r = csys_command_error(command);
	if (r == 0)
		r = csys_connection_pair(options, &ours, &theirs);
	if (r < 0)
		return r;
	r = csysi_connection_greet(ours, hello);
	if (r == 0)
		r = give(command, number, hello, theirs);
	csys_connection_close(theirs);
	if (r < 0)
		csys_connection_close(ours);
	else
		*out = ours;
	return r;
}
