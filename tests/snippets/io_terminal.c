/*
 * snippets/io_terminal.c - a program around the snippets of csys/io/terminal.h.
 */
#include <csys/io/terminal.h>

void read_keys(void);

void edit(void);
void edit(void)
{
#include "snippet/1"
}
