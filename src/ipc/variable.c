/*
 * ipc/variable.c - variables that another program has set for this one.
 */
#include "ipc/variable.h"

#include <string.h>

const char *csysi_variable_of(const struct csysi_os_environment *environment, const char *key)
{
	size_t size = strlen(key);

	for (char *const *at = environment->all; *at; at++) {
		size_t value = csysi_os_variable_value(*at);
		if (value == size + 1 && csysi_os_key_compare(*at, size, key, size) == 0)
			return *at + value;
	}
	return NULL;
}
