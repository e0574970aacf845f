/*
 * snippets/process_pipeline.c - a program around the snippets of csys/process/pipeline.h.
 */
#include <stdio.h>

#include <csys/process/pipeline.h>

void first_ones(csys_command *list, csys_command *sort, csys_command *head);
void first_ones(csys_command *list, csys_command *sort, csys_command *head)
{
#include "snippet/1"

#include "snippet/2"
}
