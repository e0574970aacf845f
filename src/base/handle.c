/*
 * base/handle.c - the handle calls, straight from the system.
 */
#include <csys/base/handle.h>
#include <csys/base/result.h>

#include "base/system.h"

void csys_handle_close(csys_handle handle)
{
	csysi_os_close(handle);
}

int csys_handle_dup(csys_handle handle, csys_handle *out)
{
	if (!out)
		return CSYS_EINVAL;
	return csysi_os_dup(handle, out);
}
