/*
 * snippets/sync_locked.c - a program around the snippets of csys/sync/locked.h.
 */
#include <csys/sync/locked.h>

#include "snippet/1"

void count_a_hit(void);
void count_a_hit(void)
{
#include "snippet/2"
}

/* The synopsis, against what the macro makes. */
typedef struct thing {
	int x;
} type;
CSYS_MUTEX_DEFINE(name, type);
#include "snippet/3"
