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

csys_handle csys_standard(int stream)
{
	return stream >= 0 && stream <= 2 ? csysi_os_standard(stream) : CSYS_NO_HANDLE;
}

int csys_handle_dup(csys_handle handle, csys_handle *out)
{
	if (!out)
		return CSYS_EINVAL;
	return csysi_os_dup(handle, out);
}
