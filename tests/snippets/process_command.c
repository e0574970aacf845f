/*
 * snippets/process_command.c - a program around the snippets of csys/process/command.h.
 */
#include <csys/process/command.h>
#include <csys/process/spawn.h>

int sorted(void);
int sorted(void)
{
#include "snippet/1"

#include "snippet/2"
	return r;
}

void copy(const char *from, const char *to);
void copy(const char *from, const char *to)
{
#include "snippet/3"
	csys_command_free(command);
}

/* snippet/4 is sh */
