/*
 * snippets/ipc_shared_rwlock.c - a program around the snippets of csys/ipc/shared_rwlock.h.
 */
#include <csys/ipc/shared_rwlock.h>

struct table {
	csys_shared_rwlock lock;
	int values[64];
};

int look_up(const struct table *table, int key);
void insert(struct table *table, int key, int value);
void build_again(struct table *table);

int read_it(csys_region *region, struct table *table, int key);
int read_it(csys_region *region, struct table *table, int key)
{
	int value;
#include "snippet/1"
	return value;
}

void write_it(csys_region *region, struct table *table, int key, int value);
void write_it(csys_region *region, struct table *table, int key, int value)
{
#include "snippet/2"
}
