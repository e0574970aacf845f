/*
 * snippets/sync_latch.c - a program around the snippets of csys/sync/latch.h.
 */
#include <csys/sync/latch.h>

#include "snippet/1"

void be_worker_and_waiter(void);
void be_worker_and_waiter(void)
{
#include "snippet/2"
}
