/*
 * snippets/README.c - a program around the snippets of README.md.
 */
#include <stdio.h>

#include "snippet/1"

void status(void);
void status(void)
{
#include "snippet/2"

#include "snippet/3"
}
