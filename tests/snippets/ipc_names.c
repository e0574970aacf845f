/*
 * snippets/ipc_names.c - a program around the snippets of csys/ipc/names.h.
 */
#include <stdio.h>

#include <csys/ipc/names.h>

int list(void);
int list(void)
{
#include "snippet/1"
	return r;
}
