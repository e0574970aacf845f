/*
 * os/cancel.h - keeping a thread from being cancelled in the middle.
 */
#ifndef CSYSI_OS_CANCEL_H
#define CSYSI_OS_CANCEL_H

/*
 * Hold back a cancellation of this thread, where the system has such a thing, as
 * long as something would be lost by it.  Pairs nest; `before` is the first's.
 */
int csysi_os_hold_cancel(void);
void csysi_os_release_cancel(int before);

#endif
