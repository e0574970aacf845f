/*
 * snippets/process_output.c - a program around the snippets of csys/process/output.h.
 */
#include <stdio.h>

#include <csys/process/output.h>

void status(void);
void status(void)
{
#include "snippet/1"

#include "snippet/2"
}
