/*
 * snippets/ipc_shared_event.c - a program around the snippets of csys/ipc/shared_event.h.
 */
#include <csys/ipc/shared_event.h>

#include "snippet/1"

void fill_and_wait(struct board *board);
void fill_and_wait(struct board *board)
{
#include "snippet/2"
}
