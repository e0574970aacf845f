/*
 * snippets/ipc_listener.c - a program around the snippets of csys/ipc/listener.h.
 */
#include <csys/ipc/listener.h>

void serve(csys_socket *client);
int serve_all(const csys_address *where);
int serve_all(const csys_address *where)
{
	csys_address address = *where;
	csys_socket *client;
#include "snippet/1"
	return r;
}
