/*
 * process/step.c - the steps of a spawn: their names, and which one failed last.
 */
#include <csys/process/command.h>

#include "process/spawn.h"

static _Thread_local int failed_step;

int csysi_spawn_failed(int step, int result)
{
	failed_step = step;
	return result;
}

int csys_spawn_failed_step(void)
{
	return failed_step;
}

const char *csys_step_name(int step)
{
	static const char *const names[] = {
		[CSYS_STEP_NONE] = "nothing",
		[CSYS_STEP_COMMAND] = "build the command",
		[CSYS_STEP_PREPARE] = "prepare",
		[CSYS_STEP_STDIN] = "connect stdin",
		[CSYS_STEP_STDOUT] = "connect stdout",
		[CSYS_STEP_STDERR] = "connect stderr",
		[CSYS_STEP_FORK] = "create the process",
		[CSYS_STEP_CWD] = "change directory",
		[CSYS_STEP_HANDLES] = "close other handles",
		[CSYS_STEP_EXEC] = "run the program",
		[CSYS_STEP_INTERPRETER] = "find the program's interpreter",
		[CSYS_STEP_HANDLE] = "hand a handle over",
		[CSYS_STEP_SESSION] = "make a session or join a process group",
		[CSYS_STEP_TERMINAL] = "take the controlling terminal",
		[CSYS_STEP_LIMIT] = "set a resource limit",
		[CSYS_STEP_SCHEDULING] = "set priority, policy or CPUs",
		[CSYS_STEP_ROOT] = "change the root directory",
		[CSYS_STEP_USER] = "change user or privileges",
		[CSYS_STEP_PARENT] = "die with the parent",
		[CSYS_STEP_HOOK] = "run the pre-exec hook",
	};

	if (step < 0 || step >= (int)(sizeof names / sizeof names[0]))
		return "unknown step";
	return names[step];
}
