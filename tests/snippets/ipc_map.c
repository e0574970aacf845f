/*
 * snippets/ipc_map.c - a program around the snippets of csys/ipc/map.h.
 */
#include <csys/ipc/map.h>

size_t count_lines(const void *text, size_t size);

int count(void);
int count(void)
{
#include "snippet/1"
	return lines > 0;
}
