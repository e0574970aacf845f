/*
 * snippets/sync_thread.c - a program around the snippets of csys/sync/thread.h.
 */
#include <stdio.h>

#include <csys/sync/thread.h>

struct job {
	int number;
};
void *work(void *argument);

int start_and_join(void);
int start_and_join(void)
{
	struct job job = { 1 };
#include "snippet/1"
	return 0;
}

int all_parts(struct job parts[4]);
int all_parts(struct job parts[4])
{
	int r = 0;
#include "snippet/2"
	return r < 0 ? r : end;
}
