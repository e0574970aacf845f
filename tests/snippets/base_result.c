/*
 * snippets/base_result.c - a program around the snippets of csys/base/result.h.
 */
#include <stdio.h>

#include <csys/base/result.h>
#include <csys/process/spawn.h>

void start(csys_command *command, csys_child *child);
void start(csys_command *command, csys_child *child)
{
#include "snippet/1"
}
