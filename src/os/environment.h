/*
 * os/environment.h - the environment, and its keys.
 */
#ifndef CSYSI_OS_ENVIRONMENT_H
#define CSYSI_OS_ENVIRONMENT_H

#include <stddef.h>

/* This process's variables, "KEY=value" each, NULL-terminated; never NULL. */
char *const *csysi_os_environment(void);

/*
 * The index of the first character of the value in "KEY=value", 0 if there is
 * no '='.
 */
size_t csysi_os_variable_value(const char *variable);

/* Compare two keys of that many characters as the system does; order as strcmp. */
int csysi_os_key_compare(const char *a, size_t a_size, const char *b, size_t b_size);

#endif
