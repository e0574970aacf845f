/*
 * snippets/base_auto.c - a program around the snippets of csys/base/auto.h.
 */
#include <csys/base/auto.h>
#include <csys/process/child.h>
#include <csys/process/spawn.h>

int run_and_wait(void);
int run_and_wait(void)
{
#include "snippet/1"
}
