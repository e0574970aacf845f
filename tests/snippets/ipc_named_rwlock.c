/*
 * snippets/ipc_named_rwlock.c - a program around the snippets of csys/ipc/named_rwlock.h.
 */
#include <stddef.h>

#include <csys/ipc/named_rwlock.h>

int read_rules(void);
int read_in_turn(void) CSYS_NOT_ANALYZED;
int read_in_turn(void)
{
#include "snippet/1"
	return r;
}
