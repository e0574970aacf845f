/*
 * snippets/ipc_fifo.c - a program around the snippets of csys/ipc/fifo.h.
 */
#include <csys/ipc/fifo.h>
#include <csys/io/stream.h>

int read_a_log(void);
int read_a_log(void)
{
	char buffer[4096];
	size_t size;
#include "snippet/1"
	return r;
}
