/*
 * ipc/named_event.c - a shared event in a region of its own.
 */
#include <csys/ipc/named_event.h>

#include "ipc/named_object.h"

_Static_assert(sizeof(csys_named_event) == sizeof(struct csysi_named_object), "it is that");

static csys_shared_event *shared(const csys_named_event *event)
{
	return event->named.object;
}

/* ---- opening ------------------------------------------------------------------------------- */

static int init(void *object, const void *is_automatic)
{
	if (*(const int *)is_automatic)
		csys_shared_event_init_automatic(object);
	return 0;
}

static int get(enum csysi_named_how how, const char *name, int is_automatic,
	       const csys_named_options *options, csys_named_event **out)
{
	const struct csysi_named_wanted wanted = { CSYSI_NAMED_EVENT, init, &is_automatic };
	struct csysi_named_object *named;
	int r = out ? csysi_named_object_get(&wanted, how, name, options, &named) : CSYS_EINVAL;

	if (r == 0)
		*out = (csys_named_event *)(void *)named;
	return r;
}

int csys_named_event_create(const char *name, int is_automatic, const csys_named_options *options,
			    csys_named_event **out)
{
	return get(CSYSI_NAMED_CREATE, name, is_automatic, options, out);
}

int csys_named_event_open(const char *name, const csys_named_options *options,
			  csys_named_event **out)
{
	return get(CSYSI_NAMED_OPEN, name, 0, options, out);
}

int csys_named_event_create_or_open(const char *name, int is_automatic,
				    const csys_named_options *options, csys_named_event **out)
{
	return get(CSYSI_NAMED_CREATE_OR_OPEN, name, is_automatic, options, out);
}

void csys_named_event_close(csys_named_event *event)
{
	csysi_named_object_close((struct csysi_named_object *)(void *)event);
}

int csys_named_event_unlink(int scope, const char *name)
{
	return csys_names_remove(scope, CSYS_NAME_REGION, name);
}

int csys_named_event_is_created(const csys_named_event *event)
{
	return csys_region_is_created(event->named.region);
}

/* ---- using --------------------------------------------------------------------------------- */

void csys_named_event_set(csys_named_event *event)
{
	csys_shared_event_set(shared(event));
}

void csys_named_event_reset(csys_named_event *event)
{
	csys_shared_event_reset(shared(event));
}

void csys_named_event_wait(csys_named_event *event)
{
	csys_shared_event_wait(shared(event));
}

int csys_named_event_wait_until(csys_named_event *event, csys_deadline deadline)
{
	return csys_shared_event_wait_until(shared(event), deadline);
}

int csys_named_event_try_wait(csys_named_event *event)
{
	return csys_shared_event_try_wait(shared(event));
}

int csys_named_event_is_set(const csys_named_event *event)
{
	return csys_shared_event_is_set(shared(event));
}
