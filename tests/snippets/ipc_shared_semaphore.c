/*
 * snippets/ipc_shared_semaphore.c - a program around the snippets of csys/ipc/shared_semaphore.h.
 */
#include <csys/ipc/shared_semaphore.h>

struct job {
	int number;
};

#include "snippet/1"

void put(struct queue *queue);
void put(struct queue *queue)
{
#include "snippet/2"
}

void take(struct queue *queue);
void take(struct queue *queue)
{
#include "snippet/3"
}
