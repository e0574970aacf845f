/*
 * os/file.h - files, as far as streams of a child go.
 */
#ifndef CSYSI_OS_FILE_H
#define CSYSI_OS_FILE_H

#include <csys/base/handle.h>

enum csysi_os_open {
	CSYSI_OS_READ,
	CSYSI_OS_WRITE,  /* create or empty */
	CSYSI_OS_APPEND, /* create or go on */
	CSYSI_OS_NEW     /* create */
};

int csysi_os_open_file(const char *path, enum csysi_os_open how, csys_handle *out);
int csysi_os_open_null(int writing, csys_handle *out);

/* The handle that is this process's own stream 0, 1 or 2. */
csys_handle csysi_os_standard(int stream);

#endif
