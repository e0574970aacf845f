/*
 * ipc/named_barrier.c - a shared barrier in a region of its own.
 */
#include <csys/ipc/named_barrier.h>

#include "ipc/named_object.h"

_Static_assert(sizeof(csys_named_barrier) == sizeof(struct csysi_named_object), "it is that");

static csys_shared_barrier *shared(const csys_named_barrier *barrier)
{
	return barrier->named.object;
}

/* ---- opening ------------------------------------------------------------------------------- */

static int init(void *object, const void *wanted)
{
	const uint32_t *numbers = wanted;

	return csys_shared_barrier_init(object, numbers[0], numbers[1]);
}

static int get(enum csysi_named_how how, const char *name, const uint32_t *numbers,
	       const csys_named_options *options, csys_named_barrier **out)
{
	const struct csysi_named_wanted wanted = { CSYSI_NAMED_BARRIER, init, numbers };
	struct csysi_named_object *named;
	csys_shared_barrier any;
	/* Wrong numbers would else only be seen if one has to be made. */
	int r = numbers ? init(&any, numbers) : 0;

	if (r == 0)
		r = out ? csysi_named_object_get(&wanted, how, name, options, &named) : CSYS_EINVAL;
	if (r == 0)
		*out = (csys_named_barrier *)(void *)named;
	return r;
}

int csys_named_barrier_create(const char *name, uint32_t count, uint32_t how,
			      const csys_named_options *options, csys_named_barrier **out)
{
	const uint32_t numbers[] = { count, how };

	return get(CSYSI_NAMED_CREATE, name, numbers, options, out);
}

int csys_named_barrier_open(const char *name, const csys_named_options *options,
			    csys_named_barrier **out)
{
	return get(CSYSI_NAMED_OPEN, name, NULL, options, out);
}

int csys_named_barrier_create_or_open(const char *name, uint32_t count, uint32_t how,
				      const csys_named_options *options, csys_named_barrier **out)
{
	const uint32_t numbers[] = { count, how };

	return get(CSYSI_NAMED_CREATE_OR_OPEN, name, numbers, options, out);
}

void csys_named_barrier_close(csys_named_barrier *barrier)
{
	csysi_named_object_close((struct csysi_named_object *)(void *)barrier);
}

int csys_named_barrier_unlink(int scope, const char *name)
{
	return csys_names_remove(scope, CSYS_NAME_REGION, name);
}

int csys_named_barrier_is_created(const csys_named_barrier *barrier)
{
	return csys_region_is_created(barrier->named.region);
}

/* ---- using --------------------------------------------------------------------------------- */

int csys_named_barrier_wait(csys_named_barrier *barrier, int *out_is_leader)
{
	return csys_shared_barrier_wait(barrier->named.region, shared(barrier), out_is_leader);
}

int csys_named_barrier_wait_until(csys_named_barrier *barrier, csys_deadline deadline,
				  int *out_is_leader)
{
	return csys_shared_barrier_wait_until(barrier->named.region, shared(barrier), deadline,
					      out_is_leader);
}

int csys_named_barrier_leave(csys_named_barrier *barrier)
{
	return csys_shared_barrier_leave(barrier->named.region, shared(barrier));
}

void csys_named_barrier_abort(csys_named_barrier *barrier)
{
	csys_shared_barrier_abort(shared(barrier));
}

void csys_named_barrier_reset(csys_named_barrier *barrier)
{
	csys_shared_barrier_reset(shared(barrier));
}
