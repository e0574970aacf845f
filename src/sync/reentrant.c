/*
 * sync/reentrant.c - a mutex that its holder may lock again.
 *
 * Whether the caller holds it is known from the ledger of its thread, which no other thread
 * changes.  So the lock stores no owner, and a new thread cannot be mistaken for one that has
 * ended.
 */
#include <csys/base/result.h>
#include <csys/sync/reentrant.h>

#include "base/tsan.h"
#include "os/os.h"
#include "sync/ledger.h"

static int lock_again(csys_reentrant *lock)
{
	if (lock->more == UINT32_MAX)
		csysi_os_abort("a reentrant lock is locked too often");
	csysi_ledger_note_level(lock);
	lock->more++;
	return csys_mutex_is_poisoned(&lock->mutex) ? CSYS_POISONED : 0;
}

/* It was locked for the first time: reset `more`, which a holder that ended may have left. */
static int begin(csys_reentrant *lock, int result)
{
	if (result >= 0)
		lock->more = 0;
	return result;
}

int csys_reentrant_lock(csys_reentrant *lock)
{
	if (csysi_holds(&lock->mutex, CSYSI_HELD_MUTEX))
		return lock_again(lock);
	int r = csys_mutex_lock(&lock->mutex); /* inline: it tells the sanitizer nothing */
	csysi_tsan_acquire(&lock->mutex.word);
	return begin(lock, r);
}

int csys_reentrant_try_lock(csys_reentrant *lock)
{
	if (csysi_holds(&lock->mutex, CSYSI_HELD_MUTEX))
		return lock_again(lock);
	return begin(lock, csys_mutex_try_lock(&lock->mutex));
}

int csys_reentrant_lock_until(csys_reentrant *lock, csys_deadline deadline)
{
	if (csysi_holds(&lock->mutex, CSYSI_HELD_MUTEX))
		return lock_again(lock);
	return begin(lock, csys_mutex_lock_until(&lock->mutex, deadline));
}

void csys_reentrant_unlock(csys_reentrant *lock)
{
	csysi_ledger_note_level(lock);
	if (csysi_holds(&lock->mutex, CSYSI_HELD_MUTEX) && lock->more > 0) {
		lock->more--;
	} else {
		csysi_tsan_release(&lock->mutex.word);
		csys_mutex_unlock(&lock->mutex);
	}
}

void csys_reentrant_init(csys_reentrant *lock)
{
	*lock = (csys_reentrant)CSYS_REENTRANT_INIT;
}

int csys_reentrant_is_locked(const csys_reentrant *lock)
{
	return csys_mutex_is_locked(&lock->mutex);
}

int csys_reentrant_is_poisoned(const csys_reentrant *lock)
{
	return csys_mutex_is_poisoned(&lock->mutex);
}

void csys_reentrant_clear_poison(csys_reentrant *lock)
{
	csys_mutex_clear_poison(&lock->mutex);
}

void csys_reentrant_poison(csys_reentrant *lock)
{
	csys_mutex_poison(&lock->mutex);
}
