/*
 * snippets/io_lines.c - a program around the snippets of csys/io/lines.h.
 */
#include <stdio.h>

#include <csys/io/lines.h>

int print_lines(csys_handle reader, csys_deadline deadline);
int print_lines(csys_handle reader, csys_deadline deadline)
{
#include "snippet/1"
	return r;
}
