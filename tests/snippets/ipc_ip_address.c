/*
 * snippets/ipc_ip_address.c - a program around the snippets of csys/ipc/ip_address.h.
 */
#include <stdio.h>

#include <csys/ipc/ip_address.h>

int print_endpoint(void);
int print_endpoint(void)
{
#include "snippet/1"

#include "snippet/2"
	return r;
}
