/*
 * process/command_edit.c - what all setters of a command share.
 *
 * Every setter goes through csysi_command_edit(): a NULL command and one that has failed
 * already are left alone, so the first failure is the one that is kept.  No setter calls another
 * one, so that the name that is kept with it is that of the caller's call.
 */
#include <string.h>

#include <csys/base/result.h>

#include "base/memory.h"
#include "os/os.h"
#include "process/command.h"

int csysi_command_edit_in(csys_command *command, const char *setter)
{
	if (!command || command->error != 0)
		return 0;
	command->setter = setter;
	return 1;
}

void csysi_command_keep(csys_command *command, int result)
{
	if (result < 0 && command->error == 0)
		command->error = result;
}

int csysi_command_replace(char **string, const char *with)
{
	char *copy = NULL;
	if (with) {
		copy = csysi_copy(with, strlen(with));
		if (!copy)
			return CSYS_ENOMEM;
	}
	csysi_free(*string);
	*string = copy;
	return 0;
}

/* Whether a stream or a number of the command has this handle and is to close it. */
static int owns(const csys_command *command, csys_handle handle)
{
	for (int i = 0; i < 3; i++)
		if (command->stdio[i].taken && command->stdio[i].handle == handle)
			return 1;
	for (size_t i = 0; i < command->mapping_count; i++)
		if (command->mappings[i].taken && command->mappings[i].handle == handle)
			return 1;
	return 0;
}

void csysi_command_let_go(const csys_command *command, csys_handle handle)
{
	if (!command || !owns(command, handle))
		csysi_os_close(handle);
}
