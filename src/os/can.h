/*
 * os/can.h - what the system can do.
 *
 * base/system.h declares csysi_os_can, which csys/base/can.h describes with its numbers.  A system
 * says 1 exactly for what is not CSYS_ENOTSUP by its own nature; what one process may not do, or
 * one file does not support, is told when it is tried.
 */
#ifndef CSYSI_OS_CAN_H
#define CSYSI_OS_CAN_H

#include <csys/base/can.h>

#include "base/system.h" /* csysi_os_can */

/* The last number but for the limits. */
#define CSYSI_OS_CAN_LAST CSYS_CAN_SOCKET_LONG_PATH

#endif
