/*
 * ipc/shared_guarded.c - a guard of C, compiled as it has to be for exceptions to pass through.
 */
#include <csys/csys.h>

void shared_guarded(csys_region *region, csys_shared_mutex *lock, void (*call)(void));

void shared_guarded(csys_region *region, csys_shared_mutex *lock, void (*call)(void))
{
	CSYS_SHARED_MUTEX_GUARD(held, region, lock);
	call();
}
