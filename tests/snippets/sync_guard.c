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
