/*
 * os/clock.h - sleeping; base/system.h has the clock itself.
 */
#ifndef CSYSI_OS_CLOCK_H
#define CSYSI_OS_CLOCK_H

#include <csys/base/deadline.h>

#include "base/system.h" /* csysi_os_now */

/* Sleep until `deadline`.  A signal may end it early. */
void csysi_os_nap(csys_deadline deadline);

#endif
