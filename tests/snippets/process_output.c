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

int is_wanted(const csys_output *output);

void watch(csys_child *child);
void watch(csys_child *child)
{
	csys_output_options options = { 0 };
	csys_output output;
#include "snippet/3"
	csys_output_free(&output);
}
