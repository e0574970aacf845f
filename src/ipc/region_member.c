/*
 * ipc/region_member.c - threads that become members of regions, and leave them.
 *
 * A thread keeps a list of its memberships, and the one it has used last in csysi_member, where the
 * inlined calls look first.  A forked child has a copy of the list, in which nothing is valid: each
 * membership notes the generation of its process (os/generation.h), and csysi_member is emptied by
 * a handler of fork.
 */
#include "ipc/region.h"

#include <string.h>

#include "base/atomic.h"
#include "base/backoff.h"
#include "base/memory.h"
#include "sync/ledger.h"
#include "sync/lock.h"
#include "sync/thread.h"

/* How long a thread that ends tries to leave; then its death tells. */
#define LEAVE_MS 1000

#ifdef CSYSI_FAULTS
int csysi_region_leave_ms = LEAVE_MS;
#else
enum { csysi_region_leave_ms = LEAVE_MS };
#endif

struct membership {
	struct membership *next;
	csys_region *region; /* in a forked child it may be gone */
	const void *memory;
	size_t size;
	uint32_t id;
	uint32_t generation; /* of the process whose thread is a member */
	uint32_t nested[CSYSI_MEMBER_CELLS];
};

#if CSYSI_IS_ELF
__thread struct csysi_member csysi_member;
#else
static _Thread_local struct csysi_member csysi_member;
#endif

static _Thread_local struct membership *memberships;

uint64_t csysi_region_epoch = 1;

static void begin_epoch(void)
{
	/* Relaxed: a thread hears of its own step by itself, and of that of another, which had what
	 * it goes on with, by what hands that over. */
	(void)csysi_add_relaxed(&csysi_region_epoch, 1);
}

/* ---- forks ---------------------------------------------------------------------------------- */

static struct csysi_process_lock preparing;
static int is_prepared;

static void forget_member(void)
{
	csysi_member.region = NULL;
	begin_epoch();
}

static void leave_all(void);

/* The thread ends, or a panic goes back to before it has locked this. */
static void abandon(void *lock, int how)
{
	csys_region *region = csysi_region_of(lock);

	if (!region)
		return;
	if (how == CSYSI_HELD_SHARED_PERMIT)
		csysi_shared_permits_abandon(region, lock);
	else if (how == CSYSI_HELD_SHARED_ONCE)
		csysi_shared_once_abandon(region, lock);
	else if (how == CSYSI_HELD_SHARED_WRITE)
		csysi_shared_rwlock_abandon(region, lock);
	else if (!csysi_shared_rwlock_abandon_read(region, lock))
		csysi_shared_mutex_abandon(region, lock);
}

/* What has to be there before the first member of this process. */
static int prepare(void)
{
	int r = 0;

	csysi_process_lock_lock(&preparing, NULL);
	if (!is_prepared) {
		r = csysi_os_at_fork(forget_member);
		is_prepared = r == 0;
	}
	csysi_process_lock_unlock(&preparing);
	if (r < 0)
		return r;
	csysi_thread_at_end(leave_all);
	csysi_ledger_abandon_shared_by(abandon);
	return csysi_thread_watch() < 0 ? CSYS_ENOMEM : 0;
}

/* ---- the table ------------------------------------------------------------------------------ */

static uint32_t place_of(uint32_t id)
{
	return id & CSYSI_ID_PLACE;
}

static uint32_t generation_of(uint32_t id)
{
	return (id & CSYSI_ID) >> CSYSI_ID_GENERATION_SHIFT;
}

int csysi_region_is_alive(const csys_region *region, uint32_t id)
{
	uint32_t place = place_of(id);

	if (place >= region->members || !csysi_os_token_is_alive(&region->tokens, place))
		return 0;
	/* Acquire pairs with the release in fill_place: with a generation comes that its owner is
	 * alive.  The other order, of the token before the generation: see region.h. */
	return csysi_load_acquire(&region->entries[place].generation) == generation_of(id);
}

/* When this process was started; 0: that is not known. */
static int64_t start_of_process(intptr_t pid)
{
	static uint32_t generation; /* of the process in which it was asked */
	static int64_t start;
	struct csysi_os_table table = { .handle = CSYS_NO_HANDLE };
	struct csysi_os_process row;

	/* With the lock of all regions. */
	if (generation == csysi_os_generation() && generation != 0)
		return start;
	int r = csysi_os_table_read(&table, pid, CSYSI_OS_PROCESS_BASIC, &row);
	start = r == 0 && (row.valid & CSYSI_OS_PROCESS_START) ? row.start : 0;
	csysi_free(table.text);
	generation = csysi_os_generation();
	return start;
}

/* Fill in the place that this thread owns: its new id. */
static uint32_t fill_place(struct csysi_member_entry *entry, uint32_t place)
{
	/* Relaxed: nobody else changes it, and what it is tells nothing. */
	uint32_t generation = csysi_load_relaxed(&entry->generation) & (CSYSI_ID_GENERATIONS - 1);
	intptr_t pid = csysi_os_pid();
	int64_t start = start_of_process(pid);

	/* What it read is read no more; before the generation, with which the cells are its own. */
	for (int i = 0; i < CSYSI_MEMBER_CELLS; i++)
		if (csysi_swap_acq_rel(&entry->cells[i], 0) != 0)
			csysi_os_wake(&entry->cells[i], UINT32_MAX, 1);
	/* Relaxed, both: for diagnosis. */
	csysi_store_relaxed(&entry->pid, pid);
	csysi_store_relaxed(&entry->start, start);
	generation = generation + 1 == CSYSI_ID_GENERATIONS ? 1 : generation + 1;
	/* Release pairs with the acquire in csysi_region_is_alive. */
	csysi_store_release(&entry->generation, generation);
	return generation << CSYSI_ID_GENERATION_SHIFT | place;
}

/* Own a place that nobody owns; with both locks. */
static int take_place(csys_region *region, uint32_t *out)
{
	/* Places in turns, so that an id comes again as late as can be. */
	uint32_t first = csysi_load_relaxed(region->next_place) % region->members;

	for (uint32_t i = 0; i < region->members; i++) {
		uint32_t place = (first + i) % region->members;
		if (csysi_os_token_is_alive(&region->tokens, place))
			continue;
		int r = csysi_os_token_own(&region->tokens, place);
		if (r == CSYS_EBUSY)
			continue;
		if (r < 0)
			return r;
		csysi_store_relaxed(region->next_place, place + 1);
		*out = fill_place(&region->entries[place], place);
		return 0;
	}
	return CSYS_ENOSPC;
}

/*
 * Lock all regions of this process, and the table of this one in all processes.  CSYS_ETIMEDOUT: a
 * process that has it locked does not go on.
 */
static int enter_table(csys_region *region, csys_deadline deadline)
{
	struct csysi_backoff backoff = CSYSI_BACKOFF_LOOK;

	for (;;) {
		csysi_regions_enter();
		int r = csysi_os_tokens_try_lock(&region->tokens);
		if (r == 0)
			return 0;
		csysi_regions_leave();
		if (r != CSYS_EAGAIN)
			return r;
		if (csys_deadline_left(deadline) <= 0)
			return CSYS_ETIMEDOUT;
		csysi_os_nap(csys_after_ns(csysi_backoff_next(&backoff, deadline)));
	}
}

static void leave_table(csys_region *region)
{
	csysi_os_tokens_unlock(&region->tokens);
	csysi_regions_leave();
}

/* ---- memberships ----------------------------------------------------------------------------- */

/* Where the membership is, or would be; what is a parent's is dropped on the way, and so are the
 * notes of what that holds. */
static struct membership **find(const csys_region *region)
{
	uint32_t generation = csysi_os_generation();
	struct membership **link = &memberships;

	while (*link) {
		struct membership *membership = *link;
		if (membership->generation != generation) {
			*link = membership->next;
			csysi_ledger_forget(membership->memory, membership->size);
			csysi_free(membership);
		} else if (membership->region == region) {
			break;
		} else {
			link = &membership->next;
		}
	}
	return link;
}

static void remember(const csys_region *region, uint32_t id)
{
	csysi_member.id = id;
	csysi_member.before = region->data - 8;
	csysi_member.cells = region->entries[place_of(id)].cells;
	csysi_member.place = (uint64_t)1 << place_of(id) % 64;
	csysi_member.region = region;
}

uint32_t csysi_region_own_id(const csys_region *region)
{
	const struct membership *membership = *find(region);

	return membership ? membership->id : 0;
}

uint32_t *csysi_region_nested(const csys_region *region)
{
	struct membership *membership = *find(region);

	return membership ? membership->nested : NULL;
}

/* Become a member: *membership is filled in, and belongs to the thread's list after success. */
static int join(csys_region *region, csys_deadline deadline, struct membership *membership)
{
	int r = enter_table(region, deadline);
	if (r < 0)
		return r;
	r = take_place(region, &membership->id);
	region->users += r == 0;
	leave_table(region);
	if (r < 0)
		return r;
	membership->region = region;
	membership->memory = region->shm->base;
	membership->size = region->shm->mapped;
	membership->generation = csysi_os_generation();
	membership->next = memberships;
	memberships = membership;
	return 0;
}

int csysi_region_id_until(csys_region *region, csys_deadline deadline, uint32_t *out)
{
	struct membership *membership = *find(region);
	int r = 0;

	if (!membership) {
		r = prepare();
		if (r < 0)
			return r;
		membership = csysi_alloc_zero(sizeof *membership);
		if (!membership)
			return CSYS_ENOMEM;
		/* Cancelled half way, this thread would leave the locks held. */
		int cancel = csysi_os_hold_cancel();
		r = join(region, deadline, membership);
		csysi_os_release_cancel(cancel);
		if (r < 0) {
			csysi_free(membership);
			return r;
		}
	}
	remember(region, membership->id);
	*out = membership->id;
	return 0;
}

/*
 * Be a member no more.  If a process has the table locked and does not go on, the token stays this
 * thread's until its end, and the memory mapped: what is noted in the C library's list lies there.
 */
static void part(struct membership *membership, csys_deadline deadline)
{
	csys_region *region = membership->region;

	if (enter_table(region, deadline) < 0)
		return;
	csysi_os_token_disown(&region->tokens, place_of(membership->id));
	csysi_os_tokens_unlock(&region->tokens);
	for (struct csysi_region_follower *each = region->followers; each; each = each->next)
		each->thread_left(each);
	csys_region *last = csysi_region_drop(region);
	csysi_regions_leave();
	csysi_region_end(last);
}

static void leave(struct membership **link, csys_deadline deadline)
{
	struct membership *membership = *link;

	/* While it is a member.  No note of it stays: other memory may be there soon. */
	csysi_ledger_abandon_in(membership->memory, membership->size);
	*link = membership->next;
	begin_epoch();
	if (csysi_member.region == membership->region)
		csysi_member.region = NULL;
	int cancel = csysi_os_hold_cancel();
	part(membership, deadline);
	csysi_os_release_cancel(cancel);
	csysi_free(membership);
}

/* The thread ends, and holds nothing any more. */
static void leave_all(void)
{
	(void)find(NULL); /* what is a parent's is dropped */
	while (memberships)
		leave(&memberships, csys_after_ms(csysi_region_leave_ms));
}

void csysi_region_follow(csys_region *region, struct csysi_region_follower *follower)
{
	csysi_regions_enter();
	if (!follower->region) {
		follower->region = region;
		follower->next = region->followers;
		region->followers = follower;
	}
	csysi_regions_leave();
}

void csysi_region_unfollow(struct csysi_region_follower *follower)
{
	csysi_regions_enter();
	if (follower->region) {
		struct csysi_region_follower **link = &follower->region->followers;
		while (*link != follower)
			link = &(*link)->next;
		*link = follower->next;
		follower->region = NULL;
	}
	csysi_regions_leave();
}

/* ---- public ----------------------------------------------------------------------------- */

int csys_region_attach(csys_region *region)
{
	uint32_t id;

	return region ? csysi_region_id_until(region, CSYS_FOREVER, &id) : CSYS_EINVAL;
}

void csys_region_detach(csys_region *region)
{
	struct membership **link = region ? find(region) : NULL;

	if (link && *link)
		leave(link, CSYS_FOREVER);
}

void csys_region_close(csys_region *region)
{
	int os_error = csys_os_error();

	if (!region)
		return;
	csys_region_detach(region);
	csysi_regions_enter();
	region->is_closed = 1;
	csys_region *last = csysi_region_drop(region);
	csysi_regions_leave();
	csysi_region_end(last);
	csysi_set_os_error(os_error);
}

static int look(const csys_region *region, uint32_t place, csys_region_member *out)
{
	const struct csysi_member_entry *entry = &region->entries[place];

	/* Acquire, as in csysi_region_is_alive: what is told was written before. */
	if (csysi_load_acquire(&entry->generation) == 0)
		return 0;
	/* Relaxed: a number that is being replaced is one or the other. */
	out->pid = csysi_load_relaxed(&entry->pid);
	out->start = csysi_load_relaxed(&entry->start);
	out->is_alive = csysi_os_token_is_alive(&region->tokens, place);
	return 1;
}

int csysi_region_look(const csys_region *region, uint32_t id, csys_region_member *out)
{
	return place_of(id) < region->members && look(region, place_of(id), out);
}

int csys_region_next_member(const csys_region *region, unsigned *at, csys_region_member *out)
{
	if (!region || !at || !out)
		return 0;
	while (*at < region->members)
		if (look(region, (*at)++, out))
			return 1;
	return 0;
}

/* ---- sleeping --------------------------------------------------------------------------- */

int csysi_region_wait(const csys_region *region, uint32_t id, const uint32_t *word,
		      uint32_t expected, csys_deadline deadline)
{
	if (!csysi_region_is_alive(region, id))
		return 0;
	return csysi_os_token_wait(&region->tokens, place_of(id), word, expected, deadline);
}

int csysi_region_nap(const uint32_t *word, uint32_t expected, csys_deadline deadline)
{
	csys_deadline nap = csys_after_ns(csysi_os_token_nap_ns);

	if (csysi_os_wait(word, expected, csys_deadline_earlier(deadline, nap), 1) !=
	    CSYS_ETIMEDOUT)
		return 0;
	return csys_deadline_left(deadline) > 0 ? 0 : CSYS_ETIMEDOUT;
}
