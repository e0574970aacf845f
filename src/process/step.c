/*
 * process/step.c - the steps of a spawn: their names, and the last failed start of each thread.
 *
 * What is kept of a failure is what its text needs, copied: the command may be freed before.
 */
#include <stdio.h>
#include <string.h>

#include <csys/base/result.h>
#include <csys/process/spawn.h>

#include "os/os.h"
#include "process/spawn.h"

#define MOST_PROGRAM 96 /* bytes kept of a program's name, its end */

/* The calling thread's last start, if it failed. */
static _Thread_local struct {
	int step;
	int result;
	int os_error;              /* that of the failure; 0: it did not come from the system */
	int os_error_then;         /* what csys_os_error() was after it */
	size_t stage, stage_count; /* of a pipeline; 0 stages: of none */
	const char *setter;        /* that failed, or NULL */
	char program[MOST_PROGRAM];
} failed;

/* Copy a program's name on one line; of a long one the end, which tells more. */
static void copy_program(char out[MOST_PROGRAM], const char *program)
{
	size_t size = strlen(program);
	const char *from = size < MOST_PROGRAM ? program : program + size - (MOST_PROGRAM - 1);
	size_t i = 0;

	for (; from[i]; i++)
		out[i] = (unsigned char)from[i] < ' ' || from[i] == '\x7f' ? '?' : from[i];
	out[i] = '\0';
	if (size >= MOST_PROGRAM)
		memcpy(out, "...", 3);
}

void csysi_spawn_begin(const csys_command *command)
{
	const char *program = csys_command_get_program(command);

	failed.step = CSYS_STEP_NONE;
	failed.result = 0;
	failed.os_error = 0;
	failed.stage_count = 0;
	failed.setter = csys_command_failed_setter(command);
	copy_program(failed.program, program ? program : "");
}

int csysi_spawn_failed(int step, int result)
{
	int code = csys_os_error();

	failed.step = step;
	failed.result = result;
	failed.os_error_then = code;
	/* One that is not what the result comes from is older. */
	failed.os_error = step != CSYS_STEP_COMMAND && code != 0 && csysi_os_result(code) == result
				  ? code
				  : 0;
	return result;
}

void csysi_spawn_failed_stage(size_t stage, size_t count)
{
	failed.stage = stage;
	failed.stage_count = count;
}

int csys_spawn_failed_step(void)
{
	return failed.step;
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

/* ---- as text ----------------------------------------------------------------------------- */

static void format_code(char *buffer, size_t size, int code)
{
	if (code == 0)
		buffer[0] = '\0';
	else
		snprintf(buffer, size, " (OS error %d)", code);
}

/* The last failed start. */
static void format_start(char *buffer, size_t size)
{
	const char *setter = failed.setter ? failed.setter : "";
	char stage[64] = "";
	char code[32];

	if (failed.stage_count > 0)
		snprintf(stage, sizeof stage, " (stage %zu of %zu)", failed.stage + 1,
			 failed.stage_count);
	format_code(code, sizeof code, failed.os_error);
	snprintf(buffer, size, "%s%s: cannot %s%s%s%s: %s%s",
		 failed.program[0] ? failed.program : "no program", stage,
		 csys_step_name(failed.step), setter[0] ? " (" : "", setter, setter[0] ? ")" : "",
		 csys_strerror(failed.result), code);
}

const char *csys_error_text(char *buffer, size_t size)
{
	int now = csys_os_error();
	char code[32];

	if (!buffer || size == 0)
		return "";
	/* Another code than then: something else has failed since. */
	if (failed.result < 0 && now == failed.os_error_then) {
		format_start(buffer, size);
	} else if (now != 0) {
		format_code(code, sizeof code, now);
		snprintf(buffer, size, "%s%s", csys_strerror(csysi_os_result(now)), code);
	} else {
		snprintf(buffer, size, "no failure");
	}
	return buffer;
}
