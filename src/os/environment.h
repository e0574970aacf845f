/*
 * os/environment.h - the environment, and its keys.
 */
#ifndef CSYSI_OS_ENVIRONMENT_H
#define CSYSI_OS_ENVIRONMENT_H

#include <stddef.h>

/* The variables of this process as "KEY=value", NULL-terminated.  Never NULL itself. */
char *const *csysi_os_environment(void);

/*
 * The index at which the value begins in "KEY=value"; 0 if there is no '='.
 */
size_t csysi_os_variable_value(const char *variable);

/* Compare two keys, of a_size and b_size characters, as the system does.  Result as strcmp. */
int csysi_os_key_compare(const char *a, size_t a_size, const char *b, size_t b_size);

#endif
