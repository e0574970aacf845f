/*
 * snippets/io_stream.c - a program around the snippets of csys/io/stream.h.
 */
#include <csys/io/stream.h>

int copy_some(csys_handle reader, csys_handle writer);
int copy_some(csys_handle reader, csys_handle writer)
{
#include "snippet/1"
	return r;
}
