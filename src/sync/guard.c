/*
 * sync/guard.c - the part of values inside mutexes that is not inline.
 */
#include <csys/sync/guard.h>

#include "os/os.h"

void csysi_mutex_wrong_value(void)
{
	csysi_os_abort("unlock of a value that is not of this mutex");
}
