/*
 * ipc/shared_channel.c - creating channels in shared memory, opening and closing them.
 */
#include "ipc/shared_channel.h"

#include "base/memory.h"
#include "base/reserved.h"

#define USUAL_SENDERS 16u
#define LINE 128u

/* For the threads that open a channel and its receiver, come in a dead one's place, or look on. */
#define SPARE_MEMBERS 16u

#define LAYOUT csys_shm_layout("csys_shared_channel", sizeof(struct csysi_shared_ring), LINE, "1")

_Static_assert(sizeof(struct csysi_shared_place) == 16, "the same in all processes");
_Static_assert(sizeof(struct csysi_shared_contact) == 40, "the same in all processes");
_Static_assert(sizeof(struct csysi_shared_ring) == 640, "the same in all processes");
_Static_assert(CSYS_SHARED_SENDERS_MAX + SPARE_MEMBERS <= CSYS_REGION_MEMBERS_MAX,
	       "each sender can be of another thread");

static const csys_shared_channel_options usual;

/* ---- what it is made of ------------------------------------------------------------------- */

/* What a creator has asked for. */
struct plan {
	uint32_t shift;
	uint32_t size;
	uint32_t senders;
	uint32_t flags;
	uint64_t layout;
};

static uint64_t rounded(uint64_t size, uint64_t to)
{
	return (size + to - 1) / to * to;
}

static uint64_t stride_of(const struct plan *plan)
{
	return rounded(sizeof(struct csysi_shared_place) + (uint64_t)plan->size, 64);
}

/* From the ring to its contacts, and to its places. */
static uint64_t contacts_of(const struct plan *plan)
{
	return sizeof(struct csysi_shared_ring) + rounded(plan->senders * sizeof(uint32_t), 8);
}

static uint64_t places_of(const struct plan *plan)
{
	return rounded(contacts_of(plan) + plan->senders * sizeof(struct csysi_shared_contact),
		       LINE);
}

/* How many bytes it takes; 0: more than can be addressed. */
static size_t memory_of(const struct plan *plan)
{
	/* At most 2^60 and something. */
	uint64_t memory = places_of(plan) + (stride_of(plan) << plan->shift);

	return memory <= PTRDIFF_MAX ? (size_t)memory : 0;
}

static int make_plan(size_t size, size_t capacity, const csys_shared_channel_options *options,
		     struct plan *out)
{
	struct plan plan = { 0 };

	if (csysi_uses_reserved(options))
		return CSYS_EINVAL;
	if (size > CSYS_SHARED_MESSAGE_MAX || capacity == 0 || capacity > CSYS_SHARED_MESSAGE_MAX ||
	    options->senders > CSYS_SHARED_SENDERS_MAX)
		return CSYS_EINVAL;
	while ((size_t)1 << plan.shift < capacity)
		plan.shift++;
	plan.size = (uint32_t)size;
	plan.senders = options->single_sender ? 1
		       : options->senders     ? options->senders
					      : USUAL_SENDERS;
	if (options->single_sender)
		plan.flags |= CSYSI_SHARED_CHANNEL_SINGLE;
	if (options->lasting)
		plan.flags |= CSYSI_SHARED_CHANNEL_LASTING;
	plan.layout = options->layout;
	*out = plan;
	return 0;
}

/* Write a ring into memory that is zero. */
static void fill(struct csysi_shared_ring *ring, const struct plan *plan)
{
	ring->shift = plan->shift;
	ring->size = plan->size;
	ring->senders = plan->senders;
	ring->flags = plan->flags;
	ring->layout = plan->layout;
	/* Release pairs with the acquire in read_plan. */
	csysi_store_release(&ring->version, CSYSI_SHARED_CHANNEL_VERSION);
}

/* Read what a ring in memory of so many bytes is made of, which may be any bytes. */
static int read_plan(const struct csysi_shared_ring *ring, size_t room, struct plan *out)
{
	if (room < sizeof *ring ||
	    csysi_load_acquire(&ring->version) != CSYSI_SHARED_CHANNEL_VERSION)
		return CSYS_EBADMSG;
	struct plan plan = { csysi_load_relaxed(&ring->shift), csysi_load_relaxed(&ring->size),
			     csysi_load_relaxed(&ring->senders), csysi_load_relaxed(&ring->flags),
			     csysi_load_relaxed(&ring->layout) };
	if (plan.shift > 30 || plan.size > CSYS_SHARED_MESSAGE_MAX || plan.senders == 0 ||
	    plan.senders > CSYS_SHARED_SENDERS_MAX || memory_of(&plan) == 0 ||
	    memory_of(&plan) > room)
		return CSYS_EBADMSG;
	*out = plan;
	return 0;
}

/* ---- one in a process --------------------------------------------------------------------- */

static csys_shared_channel *make(csys_region *region, void *memory, const struct plan *plan)
{
	csys_shared_channel *channel = csysi_alloc_zero(sizeof *channel);
	if (!channel)
		return NULL;

	uint32_t places = (uint32_t)1 << plan->shift;
	channel->ring = memory;
	channel->contacts = (void *)((char *)memory + contacts_of(plan));
	channel->places = (char *)memory + places_of(plan);
	channel->stride = (size_t)stride_of(plan);
	channel->mask = places - 1;
	channel->shift = plan->shift;
	channel->size = plan->size;
	channel->flags = plan->flags;
	channel->senders = plan->senders;
	channel->wake_mask = places >= 4 ? places / 4 - 1 : 0;
	channel->region = region;
	channel->users = 1;
	return channel;
}

/* How long messages are that a caller opens a channel for. */
#define ANY_SIZE SIZE_MAX

/* Open the ring in a region, which is checked. */
static int open_ring(csys_region *region, char *memory, size_t size,
		     const csys_shared_channel_options *options, csys_shared_channel **out)
{
	struct plan plan;
	size_t room = region->size - (size_t)(memory - region->data);
	int r = read_plan((const void *)memory, room, &plan);

	if (r < 0)
		return r;
	if ((options->layout != 0 && options->layout != plan.layout) ||
	    (size != ANY_SIZE && size != plan.size))
		return CSYS_EBADMSG;
	csys_shared_channel *channel = make(region, memory, &plan);
	if (!channel)
		return CSYS_ENOMEM;
	*out = channel;
	return 0;
}

/* Open the ring of a region that is its own, and closed on failure. */
static int take_region(csys_region *region, size_t size, const csys_shared_channel_options *options,
		       csys_shared_channel **out)
{
	csys_shared_channel *channel;
	int r = open_ring(region, csys_region_data(region), size, options, &channel);

	if (r < 0) {
		csys_region_close(region);
		return r;
	}
	channel->has_region = 1;
	channel->is_created = csys_region_is_created(region);
	*out = channel;
	return 0;
}

void csysi_shared_channel_enter(csys_shared_channel *channel)
{
	/* Relaxed: the caller has it. */
	(void)csysi_add_relaxed(&channel->users, 1);
}

void csysi_shared_channel_leave(csys_shared_channel *channel)
{
	/* Acquire and release pair with each other: the last one comes after all others. */
	if (csysi_sub_acq_rel(&channel->users, 1) > 0)
		return;
	csysi_region_unfollow(&channel->follower);
	if (channel->has_region)
		csys_region_close(channel->region);
	csysi_free(channel);
}

/* ---- opening ------------------------------------------------------------------------------ */

static int fill_region(void *memory, size_t size, void *plan)
{
	(void)size;
	fill(memory, plan);
	return 0;
}

static csys_region_options options_of(const csys_shared_channel_options *options)
{
	return (csys_region_options){
		.scope = options->scope,
		.mode = options->mode,
		.accept_foreign = options->accept_foreign,
		.keep = options->keep,
		.replace_unused = options->replace_unused,
		.prefault = options->prefault,
		.lock = options->lock,
		.layout = LAYOUT,
	};
}

typedef int region_creator(const char *name, size_t size, const csys_region_options *options,
			   csys_region **out);

static int create_anonymous(const char *name, size_t size, const csys_region_options *options,
			    csys_region **out)
{
	(void)name;
	return csys_region_create_anonymous(size, options, out);
}

/* One that exists may be smaller: take_region looks at it. */
static int create_or_open(const char *name, size_t size, const csys_region_options *options,
			  csys_region **out)
{
	for (;;) {
		int r = csys_region_create_or_open(name, size, options, out);
		if (r != CSYS_EBADMSG)
			return r;
		r = csys_region_open(name, options, out);
		if (r != CSYS_ENOENT) /* it was removed meanwhile */
			return r;
	}
}

static int create(region_creator *call, const char *name, size_t size, size_t capacity,
		  const csys_shared_channel_options *options, csys_shared_channel **out)
{
	struct plan plan;
	csys_region *region;

	if (!options)
		options = &usual;
	int r = out ? make_plan(size, capacity, options, &plan) : CSYS_EINVAL;
	if (r < 0)
		return r;
	size_t memory = memory_of(&plan);
	if (memory == 0)
		return CSYS_ENOMEM;
	csys_region_options region_options = options_of(options);
	region_options.members = plan.senders + SPARE_MEMBERS;
	region_options.init = fill_region;
	region_options.context = &plan;
	r = call(name, memory, &region_options, &region);
	if (r < 0)
		return r;
	int leaves_name = name && options->keep && csys_region_is_created(region);
	r = take_region(region, size, options, out);
	/* Another process that has opened it meanwhile keeps it. */
	int ignored = r < 0 && leaves_name
			      ? csys_names_remove_unused(options->scope, CSYS_NAME_REGION, name)
			      : 0;
	(void)ignored;
	return r;
}

int csys_shared_channel_create(const char *name, size_t size, size_t capacity,
			       const csys_shared_channel_options *options,
			       csys_shared_channel **out)
{
	return create(csys_region_create, name, size, capacity, options, out);
}

int csys_shared_channel_create_or_open(const char *name, size_t size, size_t capacity,
				       const csys_shared_channel_options *options,
				       csys_shared_channel **out)
{
	return create(create_or_open, name, size, capacity, options, out);
}

int csys_shared_channel_create_anonymous(size_t size, size_t capacity,
					 const csys_shared_channel_options *options,
					 csys_shared_channel **out)
{
	return create(create_anonymous, NULL, size, capacity, options, out);
}

/* What is checked of an opener's options. */
static int check(const csys_shared_channel_options *options, csys_shared_channel **out)
{
	struct plan plan;

	return out ? make_plan(0, 1, options, &plan) : CSYS_EINVAL;
}

int csysi_shared_channel_open(const char *name, size_t size,
			      const csys_shared_channel_options *options, csys_shared_channel **out)
{
	csys_region *region;

	if (!options)
		options = &usual;
	csys_region_options region_options = options_of(options);
	int r = check(options, out);
	if (r == 0)
		r = csys_region_open(name, &region_options, &region);
	return r < 0 ? r : take_region(region, size, options, out);
}

int csys_shared_channel_open(const char *name, const csys_shared_channel_options *options,
			     csys_shared_channel **out)
{
	return csysi_shared_channel_open(name, ANY_SIZE, options, out);
}

int csysi_shared_channel_from_handle_take(csys_handle handle, size_t size,
					  const csys_shared_channel_options *options,
					  csys_shared_channel **out)
{
	csys_region *region;

	if (!options)
		options = &usual;
	csys_region_options region_options = options_of(options);
	int r = check(options, out);
	if (r == 0)
		r = csys_region_from_handle_take(handle, &region_options, &region);
	return r < 0 ? r : take_region(region, size, options, out);
}

int csys_shared_channel_from_handle_take(csys_handle handle,
					 const csys_shared_channel_options *options,
					 csys_shared_channel **out)
{
	return csysi_shared_channel_from_handle_take(handle, ANY_SIZE, options, out);
}

/* ---- in a region of the caller -------------------------------------------------------------- */

size_t csys_shared_channel_memory(size_t size, size_t capacity,
				  const csys_shared_channel_options *options)
{
	struct plan plan;

	return make_plan(size, capacity, options ? options : &usual, &plan) < 0 ? 0
										: memory_of(&plan);
}

/* Whether so many bytes from there on are in the data of a region. */
static int is_in(const csys_region *region, const char *memory, size_t size)
{
	size_t at = (uintptr_t)memory - (uintptr_t)region->data;

	return at < region->size && size <= region->size - at && at % LINE == 0;
}

int csys_shared_channel_create_in(csys_region *region, void *memory, size_t size, size_t capacity,
				  const csys_shared_channel_options *options,
				  csys_shared_channel **out)
{
	struct plan plan;

	if (!options)
		options = &usual;
	int r = region && out ? make_plan(size, capacity, options, &plan) : CSYS_EINVAL;
	if (r < 0)
		return r;
	if (memory_of(&plan) == 0 || !is_in(region, memory, memory_of(&plan)))
		return CSYS_EINVAL;
	csys_shared_channel *channel = make(region, memory, &plan);
	if (!channel)
		return CSYS_ENOMEM;
	fill(memory, &plan);
	channel->is_created = 1;
	*out = channel;
	return 0;
}

int csysi_shared_channel_open_in(csys_region *region, void *memory, size_t size,
				 const csys_shared_channel_options *options,
				 csys_shared_channel **out)
{
	if (!options)
		options = &usual;
	int r = check(options, out);
	if (r < 0 || !region || !is_in(region, memory, 0))
		return CSYS_EINVAL;
	return open_ring(region, memory, size, options, out);
}

int csys_shared_channel_open_in(csys_region *region, void *memory,
				const csys_shared_channel_options *options,
				csys_shared_channel **out)
{
	return csysi_shared_channel_open_in(region, memory, ANY_SIZE, options, out);
}

int csysi_shared_channel_look(csys_region *region, csys_shared_channel **out)
{
	return region->shm->object.layout == LAYOUT
		       ? open_ring(region, region->data, ANY_SIZE, &usual, out)
		       : CSYS_EBADMSG;
}

void csys_shared_channel_close(csys_shared_channel *channel)
{
	if (channel)
		csysi_shared_channel_leave(channel);
}

/* ---- what it tells ------------------------------------------------------------------------ */

csys_handle csys_shared_channel_handle(const csys_shared_channel *channel)
{
	return channel && channel->has_region ? csys_region_handle(channel->region)
					      : CSYS_NO_HANDLE;
}

int csys_shared_channel_is_created(const csys_shared_channel *channel)
{
	return channel && channel->is_created;
}

size_t csys_shared_channel_size(const csys_shared_channel *channel)
{
	return channel ? channel->size : 0;
}

size_t csys_shared_channel_capacity(const csys_shared_channel *channel)
{
	return channel ? (size_t)channel->mask + 1 : 0;
}

size_t csys_shared_channel_len(const csys_shared_channel *channel)
{
	size_t len = 0;

	if (!channel)
		return 0;
	/* Relaxed, both: it tells of a moment that is over. */
	uint64_t head = csysi_load_relaxed(&channel->ring->head);
	/* Behind what a receiver that was killed has freed there is a ring more at most. */
	for (uint64_t i = 0; i < 2 * (channel->mask + 1) && len <= channel->mask; i++) {
		struct csysi_shared_spot spot = csysi_spot_of(channel, head + i);
		uint64_t state = csysi_load_relaxed(&spot.place->state);
		int32_t laps = csysi_spot_laps(&spot, state);
		if (laps < 0 || (laps == 0 && csysi_place_kind(state) == CSYSI_PLACE_FREE))
			break;
		len += laps == 0 && csysi_place_kind(state) == CSYSI_PLACE_READY;
	}
	return len;
}

csys_region *csys_shared_channel_region(const csys_shared_channel *channel)
{
	return channel ? channel->region : NULL;
}

int csys_shared_channel_receiver(const csys_shared_channel *channel, csys_region_member *out)
{
	if (!channel || !out)
		return 0;
	uint32_t id =
		csysi_load_relaxed(&channel->ring->receiver) & CSYSI_ID; /* relaxed, as above */
	return id != 0 && csysi_region_look(channel->region, id, out);
}

int csys_shared_channel_next_sender(const csys_shared_channel *channel, unsigned *at,
				    csys_region_member *out)
{
	if (!channel || !at || !out)
		return 0;
	while (*at < channel->senders) {
		uint32_t id = csysi_load_relaxed(&channel->ring->ids[(*at)++]) & CSYSI_ID;
		if (id != 0 && csysi_region_look(channel->region, id, out))
			return 1;
	}
	return 0;
}
