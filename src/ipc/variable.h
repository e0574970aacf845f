/*
 * ipc/variable.h - variables that another program has set for this one.
 */
#ifndef CSYSI_IPC_VARIABLE_H
#define CSYSI_IPC_VARIABLE_H

#include "os/os.h"

/* The value of a variable; NULL if there is none. */
const char *csysi_variable_of(const struct csysi_os_environment *environment, const char *key);

#endif
