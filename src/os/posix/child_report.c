/*
 * os/posix/child_report.c - telling the parent of a forked child, through a pipe.
 */
#define _XOPEN_SOURCE 700
#include <unistd.h>

#include "os/posix/spawn.h"

void csysi_posix_send_report(const struct spawn *spawn)
{
	if (spawn->pipe < 0)
		return;
	/* A write fails only if the parent has ended. */
	ssize_t told = write(spawn->pipe, spawn->report, sizeof *spawn->report);
	(void)told;
}

/* The pipe needs no registration. */
void csysi_posix_watch_again(struct spawn *spawn)
{
	(void)spawn;
}
