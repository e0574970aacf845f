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
void push(struct node *node)
{
#include "snippet/3"
}

void start_with_three(void);
void start_with_three(void)
{
#include "snippet/4"
	csys_atomic_store(&left, 2, CSYS_RELAXED);
}

uint32_t shift_in(csys_atomic_u32 *word);
uint32_t shift_in(csys_atomic_u32 *word)
{
#define state (*word)
#include "snippet/5"
	return was;
}
