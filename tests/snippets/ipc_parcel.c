/*
 * snippets/ipc_parcel.c - a program around the snippets of csys/ipc/parcel.h.
 */
#include <csys/ipc/connection.h>

int send_both(csys_connection *connection, csys_handle file, csys_shared_sender *sender);
int send_both(csys_connection *connection, csys_handle file, csys_shared_sender *sender)
{
#include "snippet/1"
	return r;
}

int receive_both(csys_connection *connection, csys_handle file, csys_shared_sender *sender);
int receive_both(csys_connection *connection, csys_handle file, csys_shared_sender *sender)
{
#include "snippet/2"
	return r;
}
