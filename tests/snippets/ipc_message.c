/*
 * snippets/ipc_message.c - a program around the snippets of csys/ipc/message.h.
 */
#include <csys/ipc/message.h>

int send_file(csys_socket *socket, csys_handle file);
int send_file(csys_socket *socket, csys_handle file)
{
#include "snippet/1"
	return r;
}

void use(csys_handle file);
int receive_file(csys_socket *socket);
int receive_file(csys_socket *socket)
{
	char buffer[64];
#include "snippet/2"
	return r;
}
