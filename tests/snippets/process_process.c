/*
 * snippets/process_process.c - a program around the snippets of csys/process/process.h.
 */
#include <csys/process/process.h>

int stop_it(int64_t pid);
int stop_it(int64_t pid)
{
#include "snippet/1"
	return r;
}
