/*
 * ipc/file_lock.h - locks of files, for lock_file.c.
 */
#ifndef CSYSI_IPC_FILE_LOCK_H
#define CSYSI_IPC_FILE_LOCK_H

#include <stdint.h>

#include <csys/ipc/file_lock.h>

#include "base/atomic.h"
#include "os/os.h"

struct csysi_locked_file;

struct csys_file_lock {
	uint32_t word;           /* of the threads of this process: file_lock.c */
	uint32_t generation;     /* of the process that has opened it... */
	const uint32_t *is_here; /* ...which stands here in that process alone */
	int is_range;
	struct csysi_os_lock_range range; /* changed by the thread that has the object */
	struct csysi_locked_file *file;
	struct csysi_os_file_lock opening;
};

/* Open the file of a path that begins in a directory, to lock all of it; `how` and `mode` as in
 * csysi_os_file_lock_open. */
int csysi_file_lock_open_at(csys_handle directory, const char *path, unsigned how, int mode,
			    csys_file_lock **out);

/* Whether the object is a copy, in a forked child. */
static inline int csysi_file_lock_is_copy(const csys_file_lock *lock)
{
	/* Relaxed: it changes with the fork alone. */
	return lock->opening.handle == CSYS_NO_HANDLE ||
	       csysi_load_relaxed(lock->is_here) != lock->generation;
}

#endif
