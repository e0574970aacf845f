/*
 * snippets/process_table.c - a program around the snippets of csys/process/table.h.
 */
#include <stdio.h>

#include <csys/process/table.h>

int list_all(void);
int list_all(void)
{
#include "snippet/1"
	return r;
}
