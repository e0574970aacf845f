/*
 * snippets/process_signal.c - a program around the snippets of csys/process/signal.h.
 */
#include <signal.h>
#include <stdio.h>

#include <csys/process/signal.h>

int wait_for_the_end(void);
int wait_for_the_end(void)
{
#include "snippet/1"
	return 0;
}
