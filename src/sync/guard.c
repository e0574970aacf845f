/*
 * sync/guard.c - the part of guards that is not inline.
 */
#include <csys/sync/guard.h>

#include "os/os.h"

void csysi_guard_holds_nothing(void)
{
	csysi_os_abort("unlock of a guard that holds nothing");
}

void csysi_guard_holds_already(void)
{
	csysi_os_abort("a guard is locked again that holds its lock");
}
