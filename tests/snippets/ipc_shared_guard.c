/*
 * snippets/ipc_shared_guard.c - a program around the snippets of csys/ipc/shared_guard.h.
 */
#include <csys/ipc/shared_guard.h>

struct account {
	csys_shared_mutex lock;
	int balance;
};

int balance_again(const struct account *a);

int withdraw(csys_region *region, struct account *a, int sum);
#include "snippet/1"

void mend_it(csys_region *region, struct account *a);
void mend_it(csys_region *region, struct account *a)
{
#include "snippet/2"
}

int wait_for_it(csys_region *region, struct account *a);
int wait_for_it(csys_region *region, struct account *a)
{
#include "snippet/3"
	return 0;
}

extern const char *message;
void send(const char *message);
int send_it(csys_region *region, struct account *a);
int send_it(csys_region *region, struct account *a)
{
	CSYS_SHARED_MUTEX_GUARD(held, region, &a->lock);
#include "snippet/4"
	return 0;
}
