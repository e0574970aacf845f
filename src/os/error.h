/*
 * os/error.h - the end of a program that is wrong.
 */
#ifndef CSYSI_OS_ERROR_H
#define CSYSI_OS_ERROR_H

/* Write one line about a misuse to stderr, and abort. */
void csysi_os_abort(const char *line);

#endif
