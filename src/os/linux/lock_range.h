/*
 * os/linux/lock_range.h - which lock of a range of bytes is in the way.
 */
#ifndef CSYSI_OS_LINUX_LOCK_RANGE_H
#define CSYSI_OS_LINUX_LOCK_RANGE_H

#include "os/file_lock.h"

/* As csysi_os_file_lock_owner. */
int csysi_linux_range_owner(int fd, const struct csysi_os_lock_range *range,
			    enum csysi_os_lock_kind kind, struct csysi_os_lock_owner *out);

#endif
