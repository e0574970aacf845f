/*
 * base/can.c - what this system can do, straight from the system.
 */
#include <csys/base/can.h>

#include "base/system.h"

int csys_can(int capability)
{
	return csysi_os_can(capability);
}
