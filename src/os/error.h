/*
 * os/error.h - what the system's own codes mean.
 */
#ifndef CSYSI_OS_ERROR_H
#define CSYSI_OS_ERROR_H

/* The result for a code of the system, as csys_os_error() has it; CSYS_EOTHER for most. */
int csysi_os_result(int code);

#endif
