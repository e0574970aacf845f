/*
 * snippets/base_deadline.c - a program around the snippets of csys/base/deadline.h.
 */
#include <csys/base/deadline.h>
#include <csys/io/stream.h>
#include <csys/process/child.h>

int answer_of(csys_handle pipe, csys_child *child);
int answer_of(csys_handle pipe, csys_child *child)
{
	char buffer[64];
	size_t size;
	csys_exit exit;
#include "snippet/1"
	return r;
}
