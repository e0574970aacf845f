/*
 * os/signal.h - numbers and names of signals.
 */
#ifndef CSYSI_OS_SIGNAL_H
#define CSYSI_OS_SIGNAL_H

/* The signals that ask a process to end, that end it, that stop it, and that let it continue. */
int csysi_os_signal_terminate(void);
int csysi_os_signal_kill(void);
int csysi_os_signal_stop(void);
int csysi_os_signal_continue(void);

/* Whether a signal asks a process to end, on behalf of a user. */
int csysi_os_signal_asks_to_end(int number);

/* The name of a signal, such as "SIGKILL"; NULL if its number has no name. */
const char *csysi_os_signal_name(int signal);

#endif
