/*
 * sync/locked.c - the part of values inside their locks that is not inline.
 */
#include <csys/sync/locked.h>

#include "os/os.h"

void csysi_mutex_wrong_value(void)
{
	csysi_os_abort("unlock of a value that is not of this mutex");
}
