/*
 * os/thread_end.h - something to be done at the end of each thread.
 */
#ifndef CSYSI_OS_THREAD_END_H
#define CSYSI_OS_THREAD_END_H

/*
 * Have `run` called when this thread ends, however it does (not with the whole
 * process), after destructors of thread-local variables as far as the system
 * lets that be.  One `run` for all; again is fine.  CSYS_ENOMEM, CSYS_EAGAIN.
 */
int csysi_os_at_thread_end(void (*run)(void));

#endif
