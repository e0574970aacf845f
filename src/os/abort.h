/*
 * os/abort.h - ending the process after a misuse.
 */
#ifndef CSYSI_OS_ABORT_H
#define CSYSI_OS_ABORT_H

/* Write a line that describes a misuse to stderr, and abort the process. */
void csysi_os_abort(const char *line);

#endif
