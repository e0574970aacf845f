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

int wait_for_it(struct account *a);
int wait_for_it(struct account *a)
{
#include "snippet/2"
	return 0;
}

extern const char *message;
void send(const char *message);
int send_it(struct account *a);
int send_it(struct account *a)
{
	CSYS_MUTEX_GUARD(held, &a->lock);
#include "snippet/3"
	return 0;
}
