/*
 * os/abort.h - the end of a program that is wrong.
 */
#ifndef CSYSI_OS_ABORT_H
#define CSYSI_OS_ABORT_H

/* Write one line about a misuse to stderr, and abort. */
void csysi_os_abort(const char *line);

#endif
