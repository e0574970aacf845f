/*
 * snippets/ipc_tcp.c - a program around the snippets of csys/ipc/tcp.h.
 */
#include <stddef.h>

#include <csys/ipc/tcp.h>
#include <csys/sync/pool.h>

void *resolve_lookup(void *lookup);
int fetch(const char *request, size_t size);
int fetch(const char *request, size_t size)
{
#include "snippet/1"
	return r;
}

int serve(void);
int serve(void)
{
	CSYS_AUTO(csys_socket) socket = NULL;
#include "snippet/2"
	return r;
}

int look_up(csys_pool *pool, void *lookup);
int look_up(csys_pool *pool, void *lookup)
{
	int r;
#include "snippet/3"
	return r;
}
