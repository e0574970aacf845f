/*
 * snippets/ipc_region.c - a program around the snippets of csys/ipc/region.h.
 */
#include <stdio.h>

#include <csys/ipc/region.h>
#include <csys/ipc/shared_mutex.h>

struct board;
int64_t count_again(const struct board *board);

#include "snippet/1"

int play(void);
int play(void)
{
#include "snippet/2"
	return 0;
}

void list(csys_region *region);
void list(csys_region *region)
{
#include "snippet/3"
}
