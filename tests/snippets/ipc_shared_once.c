/*
 * snippets/ipc_shared_once.c - a program around the snippets of csys/ipc/shared_once.h.
 */
#include <string.h>

#include <csys/ipc/shared_once.h>

struct board {
	csys_shared_once is_filled;
	int64_t values[100];
};

int read_values(struct board *board);

#include "snippet/1"

int fill_it(csys_region *region, struct board *board);
int fill_it(csys_region *region, struct board *board)
{
	int r;
#include "snippet/2"
	return r;
}
