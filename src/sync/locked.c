/*
 * sync/locked.c - the part of values inside their locks that is not inline.
 */
#include <csys/sync/locked.h>

#include "os/os.h"

void csysi_mutex_wrong_value(void)
{
	csysi_os_abort("unlock of a value that is not of this mutex");
}

void csysi_rwlock_wrong_value(void)
{
	csysi_os_abort("unlock of a value that is not of this rwlock");
}

void csysi_locked_in_use(void)
{
	csysi_os_abort("the value of a lock that is held is taken out");
}
