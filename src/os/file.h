/*
 * os/file.h - files that become streams of a child.
 */
#ifndef CSYSI_OS_FILE_H
#define CSYSI_OS_FILE_H

#include <csys/base/handle.h>

/* How a file is opened. */
enum csysi_os_open {
	CSYSI_OS_READ,
	CSYSI_OS_WRITE,  /* create it, or empty it */
	CSYSI_OS_APPEND, /* create it, or write at its end */
	CSYSI_OS_NEW     /* create it; CSYS_EEXIST if it exists */
};

/* Open a file by its path. */
int csysi_os_open_file(const char *path, enum csysi_os_open how, csys_handle *out);

/* Open the null device. */
int csysi_os_open_null(int writing, csys_handle *out);

#endif
