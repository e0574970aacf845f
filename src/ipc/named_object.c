/*
 * ipc/named_object.c - regions of one object, which are found by a name.
 *
 * The region begins with a head that tells the kind, beside the layout: what a program has made as
 * a region of its own, without a layout, is taken for none of these.
 */
#include "ipc/named_object.h"

#include <csys/base/result.h>
#include <csys/ipc/shared_barrier.h>
#include <csys/ipc/shared_event.h>
#include <csys/ipc/shared_mutex.h>
#include <csys/ipc/shared_rwlock.h>

#include "base/atomic.h"
#include "base/memory.h"
#include "base/reserved.h"

#define MAGIC 0x6a626f2d64656d6eu /* "nmed-obj" */
#define VERSION 1u

/* Before the object, which is on a cache line of its own. */
struct head {
	uint64_t magic;
	uint32_t version;
	uint32_t kind;
	uint64_t size; /* of the object */
	unsigned char room[40];
};

_Static_assert(sizeof(struct head) == 64, "the same in all processes");

/* How long the object of each kind is. */
static const size_t sizes[] = {
	[CSYSI_NAMED_MUTEX] = sizeof(csys_shared_mutex),
	[CSYSI_NAMED_RWLOCK] = sizeof(csys_shared_rwlock),
	[CSYSI_NAMED_EVENT] = sizeof(csys_shared_event),
	[CSYSI_NAMED_BARRIER] = sizeof(csys_shared_barrier),
};

static int fill(void *data, size_t size, void *context)
{
	const struct csysi_named_wanted *wanted = context;
	struct head *head = data;

	(void)size;
	head->magic = MAGIC;
	head->version = VERSION;
	head->kind = wanted->kind;
	head->size = sizes[wanted->kind];
	return wanted->init ? wanted->init(head + 1, wanted->context) : 0;
}

static int open_region(const struct csysi_named_wanted *wanted, enum csysi_named_how how,
		       const char *name, const csys_region_options *options, csys_region **out)
{
	size_t size = sizeof(struct head) + sizes[wanted->kind];

	switch (how) {
	case CSYSI_NAMED_CREATE:
		return csys_region_create(name, size, options, out);
	case CSYSI_NAMED_OPEN:
		return csys_region_open(name, options, out);
	case CSYSI_NAMED_CREATE_OR_OPEN:
		break;
	}
	return csys_region_create_or_open(name, size, options, out);
}

/* Whether a region begins with a head, that of an object which fills it. */
static int has_head(const csys_region *region)
{
	const struct head *head = csys_region_data(region);

	/* Not all of it need be there: any region may have the name. */
	return csys_region_size(region) > sizeof *head && head->magic == MAGIC &&
	       head->version == VERSION && head->size == csys_region_size(region) - sizeof *head;
}

int csysi_named_object_look(csys_region *region, void **out_object)
{
	struct head *head = csys_region_data(region);

	if (!has_head(region))
		return 0;
	/* Read once: it may be any bytes. */
	uint32_t kind = csysi_load_relaxed(&head->kind);
	if (kind == 0 || kind >= sizeof sizes / sizeof *sizes ||
	    csys_region_size(region) - sizeof *head != sizes[kind])
		return 0;
	*out_object = head + 1;
	return (int)kind;
}

int csysi_named_object_get(const struct csysi_named_wanted *wanted, enum csysi_named_how how,
			   const char *name, const csys_named_options *options,
			   struct csysi_named_object **out)
{
	static const csys_named_options usual;
	struct csysi_named_wanted filled = *wanted;
	if (!out)
		return CSYS_EINVAL;
	if (!options)
		options = &usual;
	if (csysi_uses_reserved(options))
		return CSYS_EINVAL;

	csys_region_options region_options = {
		.scope = options->scope,
		.mode = options->mode,
		.accept_foreign = options->accept_foreign,
		.keep = options->keep,
		.replace_unused = options->replace_unused,
		.members = options->members,
		.init = fill,
		.context = &filled,
	};
	struct csysi_named_object *named = csysi_alloc_zero(sizeof *named);
	if (!named)
		return CSYS_ENOMEM;
	int r = open_region(wanted, how, name, &region_options, &named->region);
	if (r == 0 && csysi_named_object_look(named->region, &named->object) != (int)wanted->kind)
		r = CSYS_EBADMSG;
	if (r < 0) {
		csysi_named_object_close(named);
		return r;
	}
	*out = named;
	return 0;
}

void csysi_named_object_close(struct csysi_named_object *named)
{
	if (!named)
		return;
	csys_region_close(named->region);
	csysi_free(named);
}
