/*
 * os/clock.h - the clock, of which base/system.h has the rest.
 */
#ifndef CSYSI_OS_CLOCK_H
#define CSYSI_OS_CLOCK_H

#include <csys/base/deadline.h>

#include "base/system.h" /* csysi_os_now */

/* Do nothing until `deadline`. */
void csysi_os_nap(csys_deadline deadline);

#endif
