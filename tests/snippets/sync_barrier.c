/*
 * snippets/sync_barrier.c - a program around the snippets of csys/sync/barrier.h.
 */
#include <csys/sync/barrier.h>
#include <csys/sync/thread.h>

void print_progress(void);

#include "snippet/1"

void finish_a_step(void);
void finish_a_step(void)
{
#include "snippet/2"
}

#include "snippet/3"

int begin_work(void);
int begin_work(void)
{
	int r;
#include "snippet/4"
	return r;
}
