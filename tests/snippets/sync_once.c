/*
 * snippets/sync_once.c - a program around the snippets of csys/sync/once.h.
 */
#include <csys/sync/once.h>

struct config {
	int x;
};
static struct config defaults;
int load(void *path);
int read_config(void *path, struct config **out);

int begin(char *path);
int begin(char *path)
{
	int r;
#include "snippet/1"
#include "snippet/2"
	return r;
}

#include "snippet/3"

int configured(char *path, struct config ***out);
int configured(char *path, struct config ***out)
{
	int r;
	struct config **it;
#include "snippet/4"
	if (r >= 0)
		*out = it;
	else
		*out = config_once_get(&fixed);
	return r;
}

/* The synopsis, against what the macro makes. */
typedef struct thing {
	int x;
} type;
CSYS_ONCE_VALUE_DEFINE(name, type);
#include "snippet/5"
