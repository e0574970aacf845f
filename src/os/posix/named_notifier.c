/*
 * os/posix/named_notifier.c - there are none: sets of handles have no handle here (pollset.c), and
 * a notifier is of use in one of these.
 */
#include "os/os.h"

int csysi_os_named_notifier_open(csys_handle *out_notifier, struct csysi_os_notifier_name *out_name)
{
	(void)out_notifier;
	(void)out_name;
	return CSYS_ENOTSUP;
}

void csysi_os_named_notifier_clear(csys_handle notifier)
{
	(void)notifier;
}

int csysi_os_named_notifier_open_remote(csys_handle *out_remote)
{
	(void)out_remote;
	return CSYS_ENOTSUP;
}

int csysi_os_named_notifier_notify(csys_handle remote, const struct csysi_os_notifier_name *name)
{
	(void)remote;
	(void)name;
	return CSYS_ENOTSUP;
}

uint64_t csysi_os_named_notifier_place(void)
{
	return 0;
}
