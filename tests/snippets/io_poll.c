/*
 * snippets/io_poll.c - a program around the snippets of csys/io/poll.h.
 */
#include <csys/io/poll.h>
#include <csys/process/child.h>

int first_of_two(csys_handle reader, csys_child *child);
int first_of_two(csys_handle reader, csys_child *child)
{
	csys_exit end;
#include "snippet/1"
	return r;
}
