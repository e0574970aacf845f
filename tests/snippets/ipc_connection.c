/*
 * snippets/ipc_connection.c - a program around the snippets of csys/ipc/connection.h.
 */
#include <csys/ipc/connection.h>

int send_file(csys_address address, csys_handle file);
int send_file(csys_address address, csys_handle file)
{
#include "snippet/1"
	return r;
}

int receive_file(csys_listener *listener, csys_handle file);
int receive_file(csys_listener *listener, csys_handle file)
{
	csys_connection *connection;
#include "snippet/2"
	return r;
}
