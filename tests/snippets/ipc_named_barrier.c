/*
 * snippets/ipc_named_barrier.c - a program around the snippets of csys/ipc/named_barrier.h.
 */
#include <stddef.h>

#include <csys/ipc/named_barrier.h>

int compute(void);
int compute_in_step(void);
int compute_in_step(void)
{
#include "snippet/1"
	return r;
}
