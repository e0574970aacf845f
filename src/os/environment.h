/*
 * os/environment.h - the environment, and its keys.
 */
#ifndef CSYSI_OS_ENVIRONMENT_H
#define CSYSI_OS_ENVIRONMENT_H

#include <stddef.h>

/* The environment of this process. */
struct csysi_os_environment {
	char *const *all; /* "KEY=value" each, and a NULL; never NULL itself */
	void *made;       /* the system's own */
};

/*
 * Get the environment as it is now: a snapshot, or the process's own array, which other threads
 * must not change meanwhile.  CSYS_ENOMEM.
 */
int csysi_os_environment(struct csysi_os_environment *out);
void csysi_os_environment_release(struct csysi_os_environment *environment);

/*
 * The index at which the value begins in "KEY=value"; 0 if there is no '='.
 */
size_t csysi_os_variable_value(const char *variable);

/* Compare two keys, of a_size and b_size characters, as the system does.  Result as strcmp. */
int csysi_os_key_compare(const char *a, size_t a_size, const char *b, size_t b_size);

#endif
