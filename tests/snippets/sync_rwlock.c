/*
 * snippets/sync_rwlock.c - a program around the snippets of csys/sync/rwlock.h.
 */
#include <csys/sync/rwlock.h>

struct table;
int look_up(struct table *table, int key);
void insert(struct table *table, int key, int value);

#include "snippet/1"

int read_it(struct table *table, int key);
int read_it(struct table *table, int key)
{
	int value;
#include "snippet/2"
	return value;
}

void write_it(struct table *table, int key, int value);
void write_it(struct table *table, int key, int value)
{
#include "snippet/3"
}

void write_if_needed(struct table *table, int key, int value);
void write_if_needed(struct table *table, int key, int value)
{
#include "snippet/4"
}
