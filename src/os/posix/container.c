/*
 * os/posix/container.c - containers of processes, which POSIX does not have.
 */
#include "os/os.h"

enum csysi_os_bond csysi_os_strongest_bond(void)
{
	return CSYSI_OS_BOND_NONE;
}

int csysi_os_reaper_kill(const struct csysi_os_child *child, csys_deadline deadline)
{
	(void)child;
	(void)deadline;
	return CSYS_ENOTSUP;
}

int csysi_os_container_create(struct csysi_os_container *out)
{
	(void)out;
	return CSYS_ENOTSUP;
}

int csysi_os_container_kill(const struct csysi_os_container *container, csys_deadline deadline)
{
	(void)container;
	(void)deadline;
	return CSYS_ENOTSUP;
}

int csysi_os_container_signal(const struct csysi_os_container *container, int signal,
			      csys_deadline deadline)
{
	(void)container;
	(void)signal;
	(void)deadline;
	return CSYS_ENOTSUP;
}

int csysi_os_container_remove(const struct csysi_os_container *container)
{
	(void)container;
	return 0;
}
