/*
 * snippets/process_exit.c - a program around the snippets of csys/process/exit.h.
 */
#include <stdio.h>

#include <csys/process/exit.h>

void tell(csys_exit exit);
void tell(csys_exit exit)
{
#include "snippet/1"
}
