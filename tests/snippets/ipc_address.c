/*
 * snippets/ipc_address.c - a program around the snippets of csys/ipc/address.h.
 */
#include <csys/ipc/address.h>
#include <csys/ipc/socket.h>

int connect_to_player(csys_socket *socket);
int connect_to_player(csys_socket *socket)
{
#include "snippet/1"
	return r;
}
