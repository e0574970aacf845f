/*
 * snippets/sync_condvar.c - a program around the snippets of csys/sync/condvar.h.
 */
#include <csys/sync/condvar.h>

static csys_mutex lock = CSYS_MUTEX_INIT;
static csys_condvar changed = CSYS_CONDVAR_INIT;
static int is_ready;

void wait_for_it(void);
void wait_for_it(void)
{
#include "snippet/1"
}

void change_it(void);
void change_it(void)
{
#include "snippet/2"
}
