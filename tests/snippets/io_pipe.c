/*
 * snippets/io_pipe.c - a program around the snippets of csys/io/pipe.h.
 */
#include <csys/io/pipe.h>
#include <csys/io/stream.h>

int through_a_pipe(void);
int through_a_pipe(void)
{
	char buffer[64];
	size_t size;
#include "snippet/1"
	return r;
}
