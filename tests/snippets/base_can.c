/*
 * snippets/base_can.c - a program around the snippets of csys/base/can.h.
 */
#include <csys/base/can.h>
#include <csys/process/command_options.h>

void bind(csys_command *command);
void bind(csys_command *command)
{
#include "snippet/1"
}
