/*
 * snippets/ipc_region_info.c - a program around the snippets of csys/ipc/region_info.h.
 */
#include <stdio.h>

#include <csys/ipc/region_info.h>

int list(void);
int list(void)
{
#include "snippet/1"
	return r;
}
