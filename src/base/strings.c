/*
 * base/strings.c - a growing, NULL-terminated array of strings.
 */
#include <stdint.h>
#include <string.h>

#include <csys/base/result.h>

#include "base/memory.h"
#include "base/strings.h"

static int make_room(struct csysi_strings *list)
{
	if (list->count + 1 < list->room)
		return 0;

	size_t room = list->room ? list->room * 2 : 8;
	if (room > SIZE_MAX / sizeof *list->items)
		return CSYS_ENOMEM;
	char **items = csysi_realloc(list->items, room * sizeof *items);
	if (!items)
		return CSYS_ENOMEM;
	list->items = items;
	list->room = room;
	return 0;
}

int csysi_strings_insert(struct csysi_strings *list, size_t index, char *string)
{
	int r = make_room(list);
	if (r < 0)
		return r;

	memmove(list->items + index + 1, list->items + index,
		(list->count - index) * sizeof *list->items);
	list->items[index] = string;
	list->items[++list->count] = NULL;
	return 0;
}

int csysi_strings_push(struct csysi_strings *list, const char *string)
{
	char *copy = csysi_copy(string, strlen(string));
	if (!copy)
		return CSYS_ENOMEM;

	int r = csysi_strings_insert(list, list->count, copy);
	if (r < 0)
		csysi_free(copy);
	return r;
}

void csysi_strings_clear(struct csysi_strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		csysi_free(list->items[i]);
	csysi_free(list->items);
	*list = (struct csysi_strings){ 0 };
}
