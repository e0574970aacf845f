/*
 * process/command.h - a command from inside: what its setters keep.
 */
#ifndef CSYSI_PROCESS_COMMAND_H
#define CSYSI_PROCESS_COMMAND_H

#include <csys/io/pty.h>
#include <csys/process/command.h>

#include "base/strings.h"
#include "os/os.h"

/* Where one stream of a command goes. */
struct csysi_stdio {
	int kind;           /* CSYS_STDIO_DEFAULT, ... */
	int mode;           /* of a file */
	char *path;         /* of a file; owned */
	csys_handle handle; /* of a handle; "none" once a taken one is spent */
	int taken;          /* the handle is the command's to close */
};

/* A handle beyond the three streams. */
struct csysi_mapping {
	csys_handle handle; /* "none" once a taken one is spent */
	int number;         /* in the child */
	int taken;
};

/* A function to be run in the child. */
struct csysi_pre_exec {
	int (*run)(void *argument);
	void *argument;
};

struct csys_command {
	int error;          /* first failure of a setter, else 0; never overwritten */
	const char *setter; /* the last one that was called before a failure, or that failed */
	char *program;
	char *arg0;                /* NULL: program */
	char *cwd;                 /* NULL: this process's */
	struct csysi_strings args; /* args.items[0] is argv[0]'s place, "" in it */
	/* "KEY=value", or "KEY" for an unset one; sorted by key, each key once. */
	struct csysi_strings env;
	int env_clear;
	struct csysi_stdio stdio[3];
	struct csysi_mapping *mappings; /* each number once */
	size_t mapping_count;
	struct csysi_os_options options; /* what it points to is owned */
	struct csysi_pre_exec *hooks;
	size_t hook_count;
	int contain;         /* csys_command_contain */
	const csys_pty *pty; /* csys_command_pty; NULL: none */
};

/*
 * Close a handle that was given away, unless a stream or a number of the command still has it
 * to close: a handle may be given several times, and is closed once, with the last of them.
 */
void csysi_command_let_go(const csys_command *command, csys_handle handle);

/* Close the handle that was given for a stream, if it was and is there still. */
void csysi_stdio_close_taken(csys_command *command, int stream);

/*
 * Begin a setter: whether the command can take one more setting.  A command that has failed cannot,
 * so `setter` stays the name of the one that failed.  The macro names the function that it is used
 * in; what several setters share takes the name from them.
 */
int csysi_command_edit_in(csys_command *command, const char *setter);
#define csysi_command_edit(command) csysi_command_edit_in(command, __func__)

/* Keep the first failure of a setter. */
void csysi_command_keep(csys_command *command, int result);

/* Replace an owned string by a copy of another; NULL stays NULL. */
int csysi_command_replace(char **string, const char *with);

/*
 * Before a spawn: check that the system has what was set, so that nothing is done if it has not.
 * CSYS_ENOTSUP, and *out_step is the step that is named with it.
 */
int csysi_options_check(const csys_command *command, int *out_step);

/* Before a spawn: put the pseudo-terminal as it is now into the options. */
void csysi_options_attach_pty(csys_command *command);

/* Release the mappings and what the options own. */
void csysi_options_release(csys_command *command);

/* Close the mapped handles that were given. */
void csysi_mappings_spend(csys_command *command);

#endif
