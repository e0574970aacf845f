/*
 * os/posix/lock_owner.c - whose lock it is: POSIX does not tell.
 */
#define _XOPEN_SOURCE 700
#include "os/posix/posix.h"

int csysi_os_file_lock_owner(const struct csysi_os_file_lock *lock,
			     const struct csysi_os_lock_range *range, enum csysi_os_lock_kind kind,
			     enum csysi_os_lock_kind held, struct csysi_os_lock_owner *out)
{
	(void)lock;
	(void)range;
	(void)kind;
	(void)held;
	(void)out;
	return CSYS_ENOTSUP;
}
