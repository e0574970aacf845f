/*
 * snippets/sync_semaphore.c - a program around the snippets of csys/sync/semaphore.h.
 */
#include <csys/sync/semaphore.h>

#include "snippet/1"

void use_a_slot(void);
void use_a_slot(void)
{
#include "snippet/2"
}
