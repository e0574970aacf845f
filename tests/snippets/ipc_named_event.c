/*
 * snippets/ipc_named_event.c - a program around the snippets of csys/ipc/named_event.h.
 */
#include <stddef.h>

#include <csys/ipc/named_event.h>

int await_indexer(void);
int await_indexer(void)
{
#include "snippet/1"
	return r;
}
