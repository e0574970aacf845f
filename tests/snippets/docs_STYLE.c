/*
 * snippets/docs_STYLE.c - a program around the snippets of docs/STYLE.md.
 */
#include "base/memory.h"
#include "os/os.h"

int open_it(const char *text, size_t size, csys_handle *out);
int open_it(const char *text, size_t size, csys_handle *out)
{
#include "snippet/1"

#include "snippet/2"
}
