/*
 * snippets/ipc_activation.c - a program around the snippets of csys/ipc/activation.h.
 */
#include <csys/ipc/activation.h>

int get_listener(const csys_address *where, csys_listener *listener);
int get_listener(const csys_address *where, csys_listener *listener)
{
	csys_address address = *where;
#include "snippet/1"
	return r;
}
