/*
 * os/posix/environment.c - environ, and its keys.
 */
#define _XOPEN_SOURCE 700
#include <string.h>

#include "base/fault.h"
#include "os/posix/posix.h"

extern char **environ; /* POSIX: declared by the program that wants it */

/* The process's own array; there is nothing to release. */
int csysi_os_environment(struct csysi_os_environment *out)
{
	static char *const nothing[] = { NULL };

	int r = csysi_fault(CSYS_ENOMEM);
	if (r < 0)
		return r;
	/* A program may set environ to NULL, which means no variables. */
	out->all = environ ? environ : nothing;
	out->made = NULL;
	return 0;
}

void csysi_os_environment_release(struct csysi_os_environment *environment)
{
	(void)environment;
}

size_t csysi_os_variable_value(const char *variable)
{
	const char *sign = strchr(variable, '=');
	return sign ? (size_t)(sign - variable) + 1 : 0;
}

int csysi_os_key_compare(const char *a, size_t a_size, const char *b, size_t b_size)
{
	int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
	if (order != 0 || a_size == b_size)
		return order;
	return a_size < b_size ? -1 : 1;
}
