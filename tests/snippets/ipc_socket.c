/*
 * snippets/ipc_socket.c - a program around the snippets of csys/ipc/socket.h.
 */
#include <csys/ipc/socket.h>

int ask(const char *path);
int ask(const char *path)
{
	char buffer[64];
	size_t size;

#include "snippet/1"
	return r;
}
