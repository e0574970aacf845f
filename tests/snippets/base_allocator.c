/*
 * snippets/base_allocator.c - a program around the snippets of csys/base/allocator.h.
 */
#include <stdlib.h>

#include <csys/base/allocator.h>

void *my_malloc(size_t size, void *context);
void *my_realloc(void *block, size_t size, void *context);
void my_free(void *block, void *context);
extern char pool[4096];

void begin(void);
void begin(void)
{
#include "snippet/1"
}
