/*
 * process/exit.c - how a program ended, for deciding and for reading.
 */
#include <stdio.h>

#include <csys/process/exit.h>

#include "os/os.h"
#include "process/exit.h"

int csys_exit_success(csys_exit exit)
{
	return exit.how == CSYS_EXIT_CODE && exit.value == 0;
}

int csys_exit_code(csys_exit exit)
{
	return exit.how == CSYS_EXIT_CODE ? exit.value : -1;
}

int csys_exit_signal(csys_exit exit)
{
	return exit.how == CSYS_EXIT_SIGNAL ? exit.value : 0;
}

csys_exit csysi_exit_of(const struct csysi_os_exit *end)
{
	csys_exit exit = { .how = CSYS_EXIT_UNKNOWN, .value = -1, .system = -1 };

	if (end->known) {
		exit.how = end->signaled ? CSYS_EXIT_SIGNAL : CSYS_EXIT_CODE;
		exit.value = end->value;
		exit.core_dumped = end->core_dumped;
		exit.system = end->system;
	}
	return exit;
}

csys_exit csys_exit_from_system(int64_t system)
{
	struct csysi_os_exit end = { 0 };
	int r = csysi_os_exit_from_system(system, &end);

	return r == CSYS_EAGAIN ? (csys_exit){ 0 } : csysi_exit_of(&end);
}

csys_exit csys_exit_pipefail(const csys_exit *exits, size_t count)
{
	csys_exit none = { 0 };

	for (size_t i = count; i-- > 0;)
		if (!csys_exit_success(exits[i]))
			return exits[i];
	return count > 0 ? exits[count - 1] : none;
}

const char *csys_exit_text(csys_exit exit, char *buffer, size_t size)
{
	if (!buffer || size == 0)
		return "";

	const char *core = exit.core_dumped ? " (core dumped)" : "";
	const char *name;
	switch (exit.how) {
	case CSYS_EXIT_CODE:
		snprintf(buffer, size, exit.value < 0 ? "exit status: 0x%x" : "exit status: %d",
			 exit.value);
		break;
	case CSYS_EXIT_SIGNAL:
		name = csysi_os_signal_name(exit.value);
		if (name)
			snprintf(buffer, size, "signal: %d (%s)%s", exit.value, name, core);
		else
			snprintf(buffer, size, "signal: %d%s", exit.value, core);
		break;
	case CSYS_EXIT_UNKNOWN:
		snprintf(buffer, size, "status unknown");
		break;
	default:
		snprintf(buffer, size, "not ended");
		break;
	}
	return buffer;
}
