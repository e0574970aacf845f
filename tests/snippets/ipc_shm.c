/*
 * snippets/ipc_shm.c - a program around the snippets of csys/ipc/shm.h.
 */
#include <csys/ipc/shm.h>

void take_a_turn(void *board);

int play(void);
int play(void)
{
#include "snippet/1"
	return 0;
}
