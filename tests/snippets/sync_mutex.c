/*
 * snippets/sync_mutex.c - a program around the snippets of csys/sync/mutex.h.
 */
#include <csys/sync/mutex.h>

int64_t count_again(void);

#include "snippet/1"

void add(int64_t n);
void add(int64_t n)
{
#include "snippet/2"
}
