/*
 * snippets/ipc_named_semaphore.c - a program around the snippets of csys/ipc/named_semaphore.h.
 */
#include <stddef.h>

#include <csys/ipc/named_semaphore.h>

void scan(void);
int scan_in_turn(void);
int scan_in_turn(void)
{
#include "snippet/1"
	return r;
}
