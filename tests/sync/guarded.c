/*
 * sync/guarded.c - a guard of C, compiled as it has to be for exceptions to pass through.
 */
#include <csys/csys.h>

void guarded(csys_mutex *lock, void (*call)(void));

void guarded(csys_mutex *lock, void (*call)(void))
{
	CSYS_MUTEX_GUARD(held, lock);
	call();
}
