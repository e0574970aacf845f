/*
 * ipc/named_mutex.c - a shared mutex in a region of its own.
 */
#include <csys/ipc/named_mutex.h>

#include "ipc/named_object.h"

_Static_assert(sizeof(csys_named_mutex) == sizeof(struct csysi_named_object), "it is that");

static csys_shared_mutex *shared(const csys_named_mutex *mutex)
{
	return mutex->named.object;
}

/* ---- opening ------------------------------------------------------------------------------- */

static int get(enum csysi_named_how how, const char *name, const csys_named_options *options,
	       csys_named_mutex **out)
{
	const struct csysi_named_wanted wanted = { CSYSI_NAMED_MUTEX, NULL, NULL };
	struct csysi_named_object *named;
	int r = out ? csysi_named_object_get(&wanted, how, name, options, &named) : CSYS_EINVAL;

	if (r == 0)
		*out = (csys_named_mutex *)(void *)named;
	return r;
}

int csys_named_mutex_create(const char *name, const csys_named_options *options,
			    csys_named_mutex **out)
{
	return get(CSYSI_NAMED_CREATE, name, options, out);
}

int csys_named_mutex_open(const char *name, const csys_named_options *options,
			  csys_named_mutex **out)
{
	return get(CSYSI_NAMED_OPEN, name, options, out);
}

int csys_named_mutex_create_or_open(const char *name, const csys_named_options *options,
				    csys_named_mutex **out)
{
	return get(CSYSI_NAMED_CREATE_OR_OPEN, name, options, out);
}

void csys_named_mutex_close(csys_named_mutex *mutex)
{
	csysi_named_object_close((struct csysi_named_object *)(void *)mutex);
}

int csys_named_mutex_unlink(int scope, const char *name)
{
	return csys_names_remove(scope, CSYS_NAME_REGION, name);
}

int csys_named_mutex_is_created(const csys_named_mutex *mutex)
{
	return csys_region_is_created(mutex->named.region);
}

/* ---- using --------------------------------------------------------------------------------- */

int csys_named_mutex_lock(csys_named_mutex *mutex)
{
	return csys_shared_mutex_lock(mutex->named.region, shared(mutex));
}

int csys_named_mutex_try_lock(csys_named_mutex *mutex)
{
	return csys_shared_mutex_try_lock(mutex->named.region, shared(mutex));
}

int csys_named_mutex_lock_until(csys_named_mutex *mutex, csys_deadline deadline)
{
	return csys_shared_mutex_lock_until(mutex->named.region, shared(mutex), deadline);
}

void csys_named_mutex_unlock(csys_named_mutex *mutex)
{
	csys_shared_mutex_unlock(mutex->named.region, shared(mutex));
}

int csys_named_mutex_is_locked(const csys_named_mutex *mutex)
{
	return csys_shared_mutex_is_locked(mutex->named.region, shared(mutex));
}

int csys_named_mutex_holder(const csys_named_mutex *mutex, csys_region_member *out)
{
	return csys_shared_mutex_holder(mutex->named.region, shared(mutex), out);
}

int csys_named_mutex_is_poisoned(const csys_named_mutex *mutex)
{
	return csys_shared_mutex_is_poisoned(shared(mutex));
}

void csys_named_mutex_clear_poison(csys_named_mutex *mutex)
{
	csys_shared_mutex_clear_poison(shared(mutex));
}

void csys_named_mutex_poison(csys_named_mutex *mutex)
{
	csys_shared_mutex_poison(shared(mutex));
}

void csys_named_mutex_assert_held(const csys_named_mutex *mutex)
{
	csys_shared_mutex_assert_held(mutex->named.region, shared(mutex));
}
