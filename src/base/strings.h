/*
 * base/strings.h - a growing, NULL-terminated array of strings that it owns.
 *
 * All zero is an empty list.
 */
#ifndef CSYSI_BASE_STRINGS_H
#define CSYSI_BASE_STRINGS_H

#include <stddef.h>

struct csysi_strings {
	char **items; /* count strings and a NULL; NULL itself while empty */
	size_t count;
	size_t room; /* strings and NULL that fit */
};

/* Append a copy.  CSYS_ENOMEM leaves the list as it was. */
int csysi_strings_push(struct csysi_strings *list, const char *string);

/* Insert before `index`, taking `string`.  On CSYS_ENOMEM it stays the caller's. */
int csysi_strings_insert(struct csysi_strings *list, size_t index, char *string);

/* Free the strings and be empty. */
void csysi_strings_clear(struct csysi_strings *list);

#endif
