/*
 * process/spawn.h - starting a command with defaults of the caller.
 */
#ifndef CSYSI_PROCESS_SPAWN_H
#define CSYSI_PROCESS_SPAWN_H

#include <csys/process/spawn.h>

/* How one spawn deviates from its command. */
struct csysi_spawn_defaults {
	int kinds[3];           /* what CSYS_STDIO_DEFAULT means for each stream */
	csys_handle handles[3]; /* for CSYS_STDIO_HANDLE in kinds */
	csys_deadline deadline; /* by when the program has to run */
};
extern const struct csysi_spawn_defaults csysi_spawn_inherits; /* all three */

/* csys_command_spawn, with defaults of one's own. */
int csysi_spawn(csys_command *command, const struct csysi_spawn_defaults *defaults,
		csys_child **out);

/* Begin a start: forget the last failure, and note which command it is of, NULL too. */
void csysi_spawn_begin(const csys_command *command);

/* Note that the failed start was that of a stage, counted from 0, of a pipeline. */
void csysi_spawn_failed_stage(size_t stage, size_t count);

/* Record where a spawn failed, for csys_spawn_failed_step; returns `result`. */
int csysi_spawn_failed(int step, int result);

#endif
