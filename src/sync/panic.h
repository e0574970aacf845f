/*
 * sync/panic.h - panics, from inside.
 */
#ifndef CSYSI_SYNC_PANIC_H
#define CSYSI_SYNC_PANIC_H

/* The stack of this thread is unwound: nothing can be caught on it, and no panic is under way. */
void csysi_panic_forget(void);

#endif
