/*
 * ipc/shared_locked.c - the part of values inside their shared locks that is not inline.
 */
#include <csys/ipc/shared_locked.h>

#include "os/os.h"

void csysi_shared_mutex_wrong_value(void)
{
	csysi_os_abort("unlock of a value that is not of this shared mutex");
}

void csysi_shared_rwlock_wrong_value(void)
{
	csysi_os_abort("unlock of a value that is not of this shared rwlock");
}
