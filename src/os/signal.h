/*
 * os/signal.h - signals by name.
 */
#ifndef CSYSI_OS_SIGNAL_H
#define CSYSI_OS_SIGNAL_H

/* The signals that ask a program to end, end it, stop it, and let it go on. */
int csysi_os_signal_terminate(void);
int csysi_os_signal_kill(void);
int csysi_os_signal_stop(void);
int csysi_os_signal_continue(void);

/* Whether it asks a program to end, as a user would. */
int csysi_os_signal_asks_to_end(int number);

/* "SIGKILL" for its number; NULL for a number without a name. */
const char *csysi_os_signal_name(int signal);

#endif
