/*
 * snippets/ipc_shared_mutex.c - a program around the snippet of csys/ipc/shared_mutex.h.
 */
#include <csys/ipc/shared_mutex.h>

struct board {
	csys_shared_mutex lock;
	int64_t total;
};

int64_t count_again(const struct board *board);

int add(csys_region *region, struct board *board, int64_t n);
int add(csys_region *region, struct board *board, int64_t n)
{
#include "snippet/1"
	return 0;
}
