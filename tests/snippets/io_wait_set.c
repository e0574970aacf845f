/*
 * snippets/io_wait_set.c - a program around the snippets of csys/io/wait_set.h.
 */
#include <csys/io/wait_set.h>
#include <csys/process/child.h>

extern int is_done;
void handle(uint64_t number);

int loop(csys_handle pipe, csys_child *child);
int loop(csys_handle pipe, csys_child *child)
{
#include "snippet/1"
	return r;
}
