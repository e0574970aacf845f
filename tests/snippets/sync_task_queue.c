/*
 * snippets/sync_task_queue.c - a program around the snippets of csys/sync/task_queue.h.
 */
#include <stdlib.h>

#include <csys/sync/task_queue.h>

void show_result(void *result);
void count_windows(void *windows);

int loop_and_threads(csys_task_queue *queue, void *result);
int loop_and_threads(csys_task_queue *queue, void *result)
{
	int windows = 0;
#include "snippet/1"
	if (r < 0)
		return r;
#include "snippet/2"
	if (r < 0)
		return r;
#include "snippet/3"
#include "snippet/4"
	return r < 0 ? r : windows;
}
