/*
 * snippets/ipc_socket_transfer.c - a program around the snippets of csys/ipc/socket_transfer.h.
 */
#include <csys/ipc/socket_transfer.h>

#include <stdio.h>

int greet(csys_socket *socket);
int greet(csys_socket *socket)
{
	char buffer[64];
	size_t size;
#include "snippet/1"
	return r;
}
