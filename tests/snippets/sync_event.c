/*
 * snippets/sync_event.c - a program around the snippets of csys/sync/event.h.
 */
#include <csys/sync/event.h>

#include "snippet/1"

void load_and_wait(void);
void load_and_wait(void)
{
#include "snippet/2"
}
