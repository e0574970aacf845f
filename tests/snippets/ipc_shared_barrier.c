/*
 * snippets/ipc_shared_barrier.c - a program around the snippets of csys/ipc/shared_barrier.h.
 */
#include <csys/ipc/shared_barrier.h>

#include "snippet/1"

void begin_again(struct board *board);

int make_board(csys_region *region, struct board *board);
int make_board(csys_region *region, struct board *board)
{
#include "snippet/2"
#include "snippet/3"
	return r;
}
