/*
 * os/posix/hook.c - calling the hook of a command, in the child.
 */
#define _XOPEN_SOURCE 700
#include <unistd.h>

#include "os/posix/spawn.h"

struct hook_call {
	struct spawn *spawn;
	int r;
	int has_returned;
};

static void call_hook(void *argument)
{
	struct hook_call *call = argument;
	const struct csysi_os_options *options = call->spawn->command->options;

	call->r = options->hook(options->hook_argument);
	call->has_returned = 1;
}

/*
 * An exception or the end of the thread that leaves a hook would unwind through the child's
 * copies of the parent's functions, and run their cleanup a second time.  So a copy ends here.
 */
static void leave_hook(void *argument)
{
	struct hook_call *call = argument;

	if (call->has_returned || !call->spawn->is_copy)
		return;
	call->spawn->report->result = CSYS_ECANCELED;
	csysi_posix_send_report(call->spawn);
	_exit(127);
}

static void leave_hook_frame(struct hook_call *call)
{
	leave_hook(call);
}

/* leave_hook is registered in two ways: on some systems cleanup handlers see only the end of a
 * thread, and only the cleanup attribute sees exceptions. */
int csysi_posix_call_hook(struct spawn *spawn)
{
	__attribute__((cleanup(leave_hook_frame))) struct hook_call call = { .spawn = spawn };

	csysi_os_run(call_hook, leave_hook, &call);
	return call.r;
}
