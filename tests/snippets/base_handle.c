/*
 * snippets/base_handle.c - a program around the snippets of csys/base/handle.h.
 */
#include <csys/base/handle.h>
#include <csys/io/terminal.h>

void use_colours(void);

void draw(void);
void draw(void)
{
#include "snippet/1"
}
