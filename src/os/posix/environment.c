/*
 * os/posix/environment.c - environ, and its keys.
 */
#define _XOPEN_SOURCE 700
#include <string.h>

#include "os/posix/posix.h"

extern char **environ; /* POSIX: declared by the program that wants it */

char *const *csysi_os_environment(void)
{
	static char *const nothing[] = { NULL };

	/* A program may set environ to NULL, which means no variables. */
	return environ ? environ : nothing;
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
