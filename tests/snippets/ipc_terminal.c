/*
 * snippets/ipc_terminal.c - a program around the snippets of csys/ipc/terminal.h.
 */
#include <csys/ipc/terminal.h>

void read_keys(void);

void edit(void);
void edit(void)
{
#include "snippet/1"
}
