/*
 * snippets/sync_oneshot.c - a program around the snippets of csys/sync/oneshot.h.
 */
#include <csys/sync/oneshot.h>

struct answer {
	int number;
};

#include "snippet/1"

int two_threads(struct answer value);
int two_threads(struct answer value)
{
#include "snippet/2"
	if (r < 0)
		return r;
#include "snippet/3"
#include "snippet/4"
	return r;
}

/* The synopses, against what the macro makes. */
typedef struct thing {
	int x;
} type;
CSYS_ONESHOT_DEFINE(name, type);
#include "snippet/5"
#include "snippet/6"
#include "snippet/7"
#include "snippet/8"
