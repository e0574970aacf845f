/*
 * snippets/sync_atomic.c - a program around the snippets of csys/sync/atomic.h.
 */
#include <csys/sync/atomic.h>

struct node {
	struct node *next;
};

void count_a_hit(void);
void count_a_hit(void)
{
#include "snippet/1"
}

#include "snippet/2"

void push(struct node *node);
void push(struct node *node){
#include "snippet/3"
}

uint32_t shift_in(csys_atomic_u32 *word);
uint32_t shift_in(csys_atomic_u32 *word)
{
#define state (*word)
#include "snippet/4"
	return was;
}
