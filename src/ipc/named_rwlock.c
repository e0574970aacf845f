/*
 * ipc/named_rwlock.c - a shared rwlock in a region of its own.
 */
#include <csys/ipc/named_rwlock.h>

#include "ipc/named_object.h"

_Static_assert(sizeof(csys_named_rwlock) == sizeof(struct csysi_named_object), "it is that");

static csys_shared_rwlock *shared(const csys_named_rwlock *lock)
{
	return lock->named.object;
}

/* ---- opening ------------------------------------------------------------------------------- */

static int get(enum csysi_named_how how, const char *name, const csys_named_options *options,
	       csys_named_rwlock **out)
{
	const struct csysi_named_wanted wanted = { CSYSI_NAMED_RWLOCK, NULL, NULL };
	struct csysi_named_object *named;
	int r = out ? csysi_named_object_get(&wanted, how, name, options, &named) : CSYS_EINVAL;

	if (r == 0)
		*out = (csys_named_rwlock *)(void *)named;
	return r;
}

int csys_named_rwlock_create(const char *name, const csys_named_options *options,
			     csys_named_rwlock **out)
{
	return get(CSYSI_NAMED_CREATE, name, options, out);
}

int csys_named_rwlock_open(const char *name, const csys_named_options *options,
			   csys_named_rwlock **out)
{
	return get(CSYSI_NAMED_OPEN, name, options, out);
}

int csys_named_rwlock_create_or_open(const char *name, const csys_named_options *options,
				     csys_named_rwlock **out)
{
	return get(CSYSI_NAMED_CREATE_OR_OPEN, name, options, out);
}

void csys_named_rwlock_close(csys_named_rwlock *lock)
{
	csysi_named_object_close((struct csysi_named_object *)(void *)lock);
}

int csys_named_rwlock_unlink(int scope, const char *name)
{
	return csys_names_remove(scope, CSYS_NAME_REGION, name);
}

int csys_named_rwlock_is_created(const csys_named_rwlock *lock)
{
	return csys_region_is_created(lock->named.region);
}

/* ---- using --------------------------------------------------------------------------------- */

int csys_named_rwlock_read(csys_named_rwlock *lock)
{
	return csys_shared_rwlock_read(lock->named.region, shared(lock));
}

int csys_named_rwlock_try_read(csys_named_rwlock *lock)
{
	return csys_shared_rwlock_try_read(lock->named.region, shared(lock));
}

int csys_named_rwlock_read_until(csys_named_rwlock *lock, csys_deadline deadline)
{
	return csys_shared_rwlock_read_until(lock->named.region, shared(lock), deadline);
}

void csys_named_rwlock_unlock_read(csys_named_rwlock *lock)
{
	csys_shared_rwlock_unlock_read(lock->named.region, shared(lock));
}

int csys_named_rwlock_write(csys_named_rwlock *lock)
{
	return csys_shared_rwlock_write(lock->named.region, shared(lock));
}

int csys_named_rwlock_try_write(csys_named_rwlock *lock)
{
	return csys_shared_rwlock_try_write(lock->named.region, shared(lock));
}

int csys_named_rwlock_write_until(csys_named_rwlock *lock, csys_deadline deadline)
{
	return csys_shared_rwlock_write_until(lock->named.region, shared(lock), deadline);
}

void csys_named_rwlock_unlock_write(csys_named_rwlock *lock)
{
	csys_shared_rwlock_unlock_write(lock->named.region, shared(lock));
}

void csys_named_rwlock_downgrade(csys_named_rwlock *lock)
{
	csys_shared_rwlock_downgrade(lock->named.region, shared(lock));
}

int csys_named_rwlock_is_locked(const csys_named_rwlock *lock)
{
	return csys_shared_rwlock_is_locked(lock->named.region, shared(lock));
}

int csys_named_rwlock_is_write_locked(const csys_named_rwlock *lock)
{
	return csys_shared_rwlock_is_write_locked(lock->named.region, shared(lock));
}

int csys_named_rwlock_holder(const csys_named_rwlock *lock, csys_region_member *out)
{
	return csys_shared_rwlock_holder(lock->named.region, shared(lock), out);
}

int csys_named_rwlock_is_poisoned(const csys_named_rwlock *lock)
{
	return csys_shared_rwlock_is_poisoned(shared(lock));
}

void csys_named_rwlock_clear_poison(csys_named_rwlock *lock)
{
	csys_shared_rwlock_clear_poison(shared(lock));
}

void csys_named_rwlock_poison(csys_named_rwlock *lock)
{
	csys_shared_rwlock_poison(shared(lock));
}

void csys_named_rwlock_assert_read(const csys_named_rwlock *lock)
{
	csys_shared_rwlock_assert_read(lock->named.region, shared(lock));
}

void csys_named_rwlock_assert_write(const csys_named_rwlock *lock)
{
	csys_shared_rwlock_assert_write(lock->named.region, shared(lock));
}
