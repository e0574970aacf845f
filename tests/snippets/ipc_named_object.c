/*
 * snippets/ipc_named_object.c - a program around the snippet of csys/ipc/named_object.h.
 */
#include <csys/ipc/named_object.h>

csys_named_options that_stay(void);
csys_named_options that_stay(void)
{
#include "snippet/1"
	return options;
}
