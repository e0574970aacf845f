/*
 * snippets/ipc_datagram.c - a program around the snippets of csys/ipc/datagram.h.
 */
#include <csys/ipc/datagram.h>

void log_line(const char *text, size_t size);
int log_all(const csys_address *where);
int log_all(const csys_address *where)
{
	static csys_address sender;
	csys_address address = *where;
	char buffer[512];
	size_t size;
#include "snippet/1"
	return r;
}
