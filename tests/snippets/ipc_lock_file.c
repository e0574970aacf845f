/*
 * snippets/ipc_lock_file.c - a program around the snippets of csys/ipc/lock_file.h.
 */
#include <stdio.h>

#include <csys/ipc/lock_file.h>

int fail(int result);
void serve(void);
int run(void);
int run(void)
{
#include "snippet/1"
	return 0;
}
