/*
 * os/plugin.c - a plugin that contains csys and uses it.
 */
#include <csys/csys.h>

void use_csys(void);

static csys_mutex lock = CSYS_MUTEX_INIT;

void use_csys(void)
{
	csys_mutex_lock(&lock);
	csys_mutex_unlock(&lock);
}
