/*
 * snippets/sync_reentrant.c - a program around the snippets of csys/sync/reentrant.h.
 */
#include <csys/sync/reentrant.h>

void callback(void);

void call_it(void);
void call_it(void)
{
	static csys_reentrant lock = CSYS_REENTRANT_INIT;
#include "snippet/1"
}
