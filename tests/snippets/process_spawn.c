/*
 * snippets/process_spawn.c - a program around the snippets of csys/process/spawn.h.
 */
#include <stdio.h>

#include <csys/process/spawn.h>

void run_it(csys_command *command);
void run_it(csys_command *command)
{
#include "snippet/1"
}

/* snippet/2 is text */
