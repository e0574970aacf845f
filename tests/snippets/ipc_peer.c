/*
 * snippets/ipc_peer.c - a program around the snippets of csys/ipc/peer.h.
 */
#include <csys/ipc/peer.h>

int admit(const csys_socket *socket);
int admit(const csys_socket *socket)
{
#include "snippet/1"
	return r;
}
