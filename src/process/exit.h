/*
 * process/exit.h - an exit from inside.
 */
#ifndef CSYSI_PROCESS_EXIT_H
#define CSYSI_PROCESS_EXIT_H

#include <csys/process/exit.h>

#include "os/os.h"

/* The exit that a reap has told of. */
csys_exit csysi_exit_of(const struct csysi_os_exit *end);

#endif
