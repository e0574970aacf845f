/*
 * os/signal.h - what the numbers of signals mean.
 */
#ifndef CSYSI_OS_SIGNAL_H
#define CSYSI_OS_SIGNAL_H

/* Whether a signal asks a process to end, on behalf of a user. */
int csysi_os_signal_asks_to_end(int number);

/* The name of a signal, such as "SIGKILL"; NULL if its number has no name. */
const char *csysi_os_signal_name(int signal);

#endif
