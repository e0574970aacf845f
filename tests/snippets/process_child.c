/*
 * snippets/process_child.c - a program around the snippets of csys/process/child.h.
 */
#include <csys/process/child.h>

int end_of(csys_child *child);
int end_of(csys_child *child)
{
#include "snippet/1"
	return r;
}
