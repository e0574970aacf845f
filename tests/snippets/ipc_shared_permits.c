/*
 * snippets/ipc_shared_permits.c - a program around the snippets of csys/ipc/shared_permits.h.
 */
#include <csys/ipc/shared_permits.h>

struct bench {
	int dirt;
};

#include "snippet/1"

void clean_up(struct bench *bench);
void work_at(struct bench *bench);

int work(csys_region *region, struct lab *lab);
int work(csys_region *region, struct lab *lab)
{
#include "snippet/2"
	return 0;
}
