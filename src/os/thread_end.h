/*
 * os/thread_end.h - a function that is called at the end of a thread.
 */
#ifndef CSYSI_OS_THREAD_END_H
#define CSYSI_OS_THREAD_END_H

/*
 * Register a function that is called when the calling thread ends, however it ends.  It is called
 * after the destructors of thread-local variables, as far as the system allows, and finds this
 * library's own thread-local variables as the thread left them.  It is called in no thread at the
 * end of the process.  A thread that is torn down from outside is not told of.  All calls pass the
 * same function; registering it again has no effect.  CSYS_ENOMEM, CSYS_EAGAIN.
 */
int csysi_os_at_thread_end(void (*run)(void));

#endif
