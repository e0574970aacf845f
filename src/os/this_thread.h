/*
 * os/this_thread.h - the name of the calling thread.
 */
#ifndef CSYSI_OS_THIS_THREAD_H
#define CSYSI_OS_THIS_THREAD_H

/* Give the calling thread a name, as far as the system keeps one. */
void csysi_os_name_thread(const char *name);

/* Whether the calling thread is the first one of the process; 0 if that is not known. */
int csysi_os_is_main_thread(void);

#endif
