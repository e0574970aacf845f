/*
 * snippets/sync_checked.c - a program around the snippets of csys/sync/checked.h.
 */
#include <csys/sync/checked.h>

/* snippet/1 is sh */
