/*
 * snippets/process_command_connection.c - a program around the snippets of
 * csys/process/command_connection.h.
 */
#include <csys/process/command_connection.h>
#include <csys/process/spawn.h>

int start(csys_child *child);
int start(csys_child *child)
{
#include "snippet/1"
	return r;
}

int serve(csys_connection *connection, csys_parcel *parcel);
int serve(csys_connection *connection, csys_parcel *parcel)
{
#include "snippet/2"
	return r;
}
