/*
 * snippets/ipc_named_mutex.c - a program around the snippets of csys/ipc/named_mutex.h.
 */
#include <stddef.h>

#include <csys/ipc/named_mutex.h>

void repair_index(void);
void update_index(void);
int update_in_turn(void) CSYS_NOT_ANALYZED;
int update_in_turn(void)
{
#include "snippet/1"
	return r;
}
