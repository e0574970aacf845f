/*
 * snippets/base_version.c - a program around the snippets of csys/base/version.h.
 */
#include <stdio.h>

#include <csys/base/version.h>

void begin(void);
void begin(void)
{
#include "snippet/1"
}
