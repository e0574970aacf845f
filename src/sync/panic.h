/*
 * sync/panic.h - panics, from inside.
 */
#ifndef CSYSI_SYNC_PANIC_H
#define CSYSI_SYNC_PANIC_H

/* The stack of this thread was unwound: forget its catches, and the panics that were under way. */
void csysi_panic_forget(void);

#endif
