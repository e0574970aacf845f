/*
 * snippets/ipc_caller.c - a program around the snippets of csys/ipc/caller.h.
 */
#include <stdio.h>

#include <csys/ipc/caller.h>

int ask_once(csys_connection *connection, csys_caller *caller);
int ask_once(csys_connection *connection, csys_caller *caller)
{
#include "snippet/1"
	return r;
}

int ask_often(csys_caller *caller, const int *numbers, csys_parcel **replies);
int ask_often(csys_caller *caller, const int *numbers, csys_parcel **replies)
{
	int r = 0;
#include "snippet/2"
	return r;
}
