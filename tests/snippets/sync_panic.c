/*
 * snippets/sync_panic.c - a program around the snippets of csys/sync/panic.h.
 */
#include <stdio.h>

#include <csys/sync/panic.h>

void handle_request(void *request);

void look(int sum, int expected);
void look(int sum, int expected)
{
#include "snippet/1"
}

void serve(void *request);
void serve(void *request)
{
#include "snippet/2"
}
