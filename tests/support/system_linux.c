/*
 * support/system_linux.c - what tests ask of Linux itself.
 */
#define _GNU_SOURCE /* unshare */
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "support/system.h"

int enter_table(const char *option)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mount("proc", "/proc", "proc", 0, option) < 0 ? -1 : 0;
}

int enter_small_files(const char *path, unsigned size)
{
	char option[32];

	snprintf(option, sizeof option, "size=%u,mode=700", size);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mount("tmpfs", path, "tmpfs", 0, option) < 0 ? -1 : 0;
}

int enter_pid_namespace(void)
{
	return unshare(CLONE_NEWPID) < 0 ? -1 : 0;
}

int enter_network_namespace(void)
{
	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? -1 : 0;
}

int is_open_to_its_user(void)
{
	return prctl(PR_GET_DUMPABLE) == 1;
}

int be_open_to_its_user(void)
{
	return prctl(PR_SET_DUMPABLE, 1) < 0 ? -1 : 0;
}
