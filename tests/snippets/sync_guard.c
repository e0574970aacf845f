/*
 * snippets/sync_guard.c - a program around the snippets of csys/sync/guard.h.
 */
#include <csys/sync/guard.h>

struct account {
	csys_mutex lock;
	int balance;
};

int withdraw(struct account *a, int sum);
#include "snippet/1"

#include "snippet/2"

void count_a_hit(void);
void count_a_hit(void)
{
#include "snippet/3"
}

/* The synopsis, against what the macro makes. */
typedef struct thing {
	int x;
} type;
CSYS_MUTEX_DEFINE(name, type);
#include "snippet/4"
