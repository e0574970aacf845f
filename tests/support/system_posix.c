/*
 * support/system_posix.c - what tests ask of a system of which only POSIX is known: nothing.
 */
#include "support/system.h"

int enter_table(const char *option)
{
	(void)option;
	return -1;
}

int enter_small_files(const char *path, unsigned size)
{
	(void)path;
	(void)size;
	return -1;
}

int enter_pid_namespace(void)
{
	return -1;
}

int enter_user_namespace(unsigned uid)
{
	(void)uid;
	return -1;
}

int enter_network_namespace(void)
{
	return -1;
}

long copy_past_handlers(void)
{
	return -1;
}

int is_open_to_its_user(void)
{
	return -1;
}

int be_open_to_its_user(void)
{
	return -1;
}

int may_copy_pipes(void)
{
	return -1;
}

int may_notify_in_handlers(void)
{
	return 0;
}

int has_robust_lists(void)
{
	return 0;
}

int has_wakes_of_deaths(void)
{
	return 0;
}
