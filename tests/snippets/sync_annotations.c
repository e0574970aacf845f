/*
 * snippets/sync_annotations.c - a program around the snippets of csys/sync/annotations.h.
 */
#include <csys/sync/annotations.h>
#include <csys/sync/mutex.h>

#include "snippet/1"
#include "snippet/2"
