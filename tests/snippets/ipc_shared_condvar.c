/*
 * snippets/ipc_shared_condvar.c - a program around the snippets of csys/ipc/shared_condvar.h.
 */
#include <csys/ipc/shared_condvar.h>

#include "snippet/1"

int64_t count_again(struct board *board);

int wait_for_move(csys_region *region, struct board *board);
int wait_for_move(csys_region *region, struct board *board)
{
#include "snippet/2"
	return 0;
}

void move(csys_region *region, struct board *board);
void move(csys_region *region, struct board *board)
{
#include "snippet/3"
}
