/*
 * snippets/ipc_file_lock.c - a program around the snippets of csys/ipc/file_lock.h.
 */
#include <stddef.h>

#include <csys/ipc/file_lock.h>

int update_accounts(void);
int update_under_lock(void);
int update_under_lock(void)
{
#include "snippet/1"
	return r;
}
