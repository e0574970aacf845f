/*
 * sync/select.c - one of several sends and receives.
 *
 *     try all cases, for a while if it is likely to help    one goes: done
 *     list an entry for each, in the order of the channels' addresses, one lock at a time;
 *       one that could go meanwhile: withdraw, and try again
 *     sleep
 *     take all entries out of their lists
 *     claimed by case k: try k first
 *
 * A thread has one waiter, and an entry in the list of each channel.  Only one compare-and-swap
 * takes the waiter from WAITING or ASLEEP to another state.
 *
 * Never twice: a message moves after that compare-and-swap, or while the thread is in no list.
 * Never to no thread: a thread that claims another hands over; one that is claimed takes what it
 * was claimed for, whatever its deadline.  No lost wake: for each channel as in channel_fence.c;
 * and a claim for room, or for a message, stands for that room or message, so the thread tries this
 * case first, and passes on (channel_wait.c).
 *
 * No deadlock: one lock at a time.  No livelock: of two selects that could meet at a rendezvous,
 * one withdraws at a channel only for an entry that is listed there.  That one withdraws only at a
 * channel with a greater address.  So the one at the greatest does not, and is claimed.
 *
 * A timer has no lists.  The thread sleeps until the first one is due, at most, and tries again.
 *
 * The ready form has no waiter and is never claimed: select_ready.c.
 *
 * Two entries of one thread at a rendezvous channel do not meet: the partner must be another one.
 */
#include <csys/base/result.h>
#include <csys/sync/select.h>

#include <stddef.h>

#include "base/memory.h"
#include "os/os.h"
#include "sync/channel.h"
#include "sync/spin.h"

#define FEW 16

/* What a select has for each case. */
struct place {
	struct csysi_channel_entry entry;
	uint32_t order; /* the index of the case that comes at this place */
};

struct selection {
	const csys_select_case *cases;
	uint32_t count;
	int is_biased;
	struct place *places;
	struct csysi_channel_waiter self;
	uint32_t listed; /* so many places, in their order, have listed their entries */
};

static struct csysi_channel *channel_of(const csys_select_case *one)
{
	return one->channel;
}

/* Whether it has an entry in a list: without a channel, or at a timer, it has none. */
static int has_entry(const csys_select_case *one)
{
	return one->channel && channel_of(one)->kind != CSYSI_CHANNEL_TIMER;
}

static struct csysi_channel_side side_of(const csys_select_case *one)
{
	return one->is_send ? csysi_channel_senders(channel_of(one))
			    : csysi_channel_receivers(channel_of(one));
}

/* ---- trying ------------------------------------------------------------------------------ */

/* Each thread has a sequence of its own: xorshift (Marsaglia). */
uint32_t csysi_channel_random_below(uint32_t limit)
{
	uint64_t *at = &csysi_channel_thread.random;
	uint64_t x = *at;

	if (x == 0)
		x = (uint64_t)csys_now() ^ (uintptr_t)at;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*at = x;
	return (uint32_t)((x >> 32) * limit >> 32);
}

static int try_recv(struct csysi_channel *c, void *out)
{
	int r = csysi_channel_try_recv(c, out);

	/* Acquire pairs with the release of csys_sender_close: what was sent before is there. */
	if (r == CSYS_EAGAIN && csysi_load_acquire(&c->senders) == 0)
		r = csysi_channel_recv_last(c, out, NULL);
	return r;
}

/* Without waiting: as a send, or a receive; CSYS_EAGAIN: not now. */
static int try_case(const csys_select_case *one)
{
	struct csysi_channel *c = channel_of(one);
	int r;

	if (!c)
		return CSYS_EAGAIN;
	if (c->kind == CSYSI_CHANNEL_TIMER)
		return csysi_channel_timer_try_recv(c, one->value);
	if (c->kind != CSYSI_CHANNEL_RENDEZVOUS)
		return one->is_send ? csysi_channel_try_send(c, one->value)
				    : try_recv(c, one->value);
	if (!csysi_channel_may_meet(c, (int)one->is_send)) {
		/* As after each operation: a thread that has gone may have left it ready. */
		csysi_channel_handle_look(
			c, csysi_load_acquire(one->is_send ? &c->tx_handle : &c->rx_handle));
		return CSYS_EAGAIN;
	}
	r = one->is_send ? csysi_channel_rendezvous_send(c, one->value, CSYS_POLL)
			 : csysi_channel_rendezvous_recv(c, one->value, CSYS_POLL);
	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

/* Try all cases, in an order that is made as far as it is needed. */
static int try_all(struct selection *selection, uint32_t *out_which)
{
	struct place *places = selection->places;
	uint32_t count = selection->count;

	for (uint32_t i = 0; i < count; i++)
		places[i].order = i;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t k = selection->is_biased ? i : i + csysi_channel_random_below(count - i);
		uint32_t which = places[k].order;
		places[k].order = places[i].order;
		places[i].order = which;
		int r = try_case(&selection->cases[which]);
		if (r != CSYS_EAGAIN) {
			*out_which = which;
			return r;
		}
	}
	return CSYS_EAGAIN;
}

/* ---- listing ------------------------------------------------------------------------------- */

/* Order the places by the addresses of their channels. */
static void sort(struct selection *selection)
{
	struct place *places = selection->places;
	const csys_select_case *cases = selection->cases;
	uint32_t gap = selection->count;

	do {
		gap = gap / 2 > 0 ? gap / 2 : 1;
		for (uint32_t i = gap; i < selection->count; i++) {
			uint32_t order = places[i].order, k = i;
			for (; k >= gap && (uintptr_t)cases[places[k - gap].order].channel >
						   (uintptr_t)cases[order].channel;
			     k -= gap)
				places[k].order = places[k - gap].order;
			places[k].order = order;
		}
	} while (gap > 1);
}

/* The entry of the place, to be listed. */
static struct csysi_channel_entry *begin_entry(struct selection *selection, uint32_t place)
{
	uint32_t which = selection->places[place].order;
	struct csysi_channel_entry *entry = &selection->places[which].entry;

	*entry = (struct csysi_channel_entry){ .waiter = &selection->self,
					       .index = which,
					       .value = selection->cases[which].value };
	return entry;
}

static const csys_select_case *case_at(const struct selection *selection, uint32_t place)
{
	return &selection->cases[selection->places[place].order];
}

/*
 * List the entries of a rendezvous channel, which are behind each other, in one critical section:
 * all of them, or none if one of the cases could go, then 1.
 */
static int list_rendezvous(struct selection *selection, struct csysi_channel *c)
{
	uint32_t begin = selection->listed, end = begin;
	int is_ready;

	csysi_channel_lock(c);
	is_ready = (int)c->is_disconnected;
	for (; end < selection->count && channel_of(case_at(selection, end)) == c; end++)
		is_ready |= csysi_channel_has_waiter(case_at(selection, end)->is_send
							     ? &c->waiting_receivers
							     : &c->waiting_senders,
						     &selection->self);
	for (uint32_t place = begin; place < end && !is_ready; place++) {
		int is_send = case_at(selection, place)->is_send;
		csysi_channel_list_add(side_of(case_at(selection, place)).list,
				       begin_entry(selection, place), 0);
		csysi_channel_notify_handles(c, !is_send);
	}
	csysi_channel_unlock(c);
	if (!is_ready)
		selection->listed = end;
	return is_ready;
}

/* List the entry of the next place.  1: the case could go. */
static int list_buffered(struct selection *selection, struct csysi_channel *c)
{
	const csys_select_case *one = case_at(selection, selection->listed);
	struct csysi_channel_entry *entry = begin_entry(selection, selection->listed++);

	csysi_channel_enlist(c, side_of(one), entry, 0);
	return one->is_send ? csysi_channel_may_send(c) : csysi_channel_may_recv(c);
}

/* 1: one of the cases could go. */
static int list_all(struct selection *selection)
{
	int is_ready = 0;

	sort(selection);
	selection->self = (struct csysi_channel_waiter){ 0 };
	selection->listed = 0;
	while (selection->listed < selection->count && !is_ready &&
	       !csysi_channel_is_claimed(&selection->self)) {
		struct csysi_channel *c = channel_of(case_at(selection, selection->listed));
		if (!has_entry(case_at(selection, selection->listed)))
			selection->listed++;
		else if (c->kind == CSYSI_CHANNEL_RENDEZVOUS)
			is_ready = list_rendezvous(selection, c);
		else
			is_ready = list_buffered(selection, c);
	}
	return is_ready;
}

static void delist_all(struct selection *selection)
{
	for (uint32_t i = 0; i < selection->listed; i++) {
		const csys_select_case *one = case_at(selection, i);
		if (has_entry(one))
			csysi_channel_delist(channel_of(one), side_of(one),
					     &selection->places[selection->places[i].order].entry);
	}
}

/* ---- waiting ----------------------------------------------------------------------------- */

/* The deadline, or the time of the first message of a timer if that is earlier. */
static csys_deadline first_of(const struct selection *selection, csys_deadline deadline)
{
	for (uint32_t i = 0; i < selection->count; i++) {
		const struct csysi_channel *c = channel_of(&selection->cases[i]);
		if (c && c->kind == CSYSI_CHANNEL_TIMER)
			deadline = csys_deadline_earlier(deadline, csysi_channel_timer_deadline(c));
	}
	return deadline;
}

/* Sleep until claimed; CSYS_EAGAIN: a timer is due; CSYS_ETIMEDOUT: the deadline came first. */
static int sleep_for_any(struct selection *selection, csys_deadline deadline)
{
	csys_deadline first = first_of(selection, deadline);
	int r = csysi_channel_sleep(&selection->self, first);
	return r < 0 && csys_deadline_compare(first, deadline) < 0 ? CSYS_EAGAIN : r;
}

/* It was claimed: do what it was claimed for.  CSYS_EAGAIN: another thread was quicker. */
static int do_claimed(struct selection *selection, uint32_t *out_which)
{
	/* Acquire pairs with the release of the claim. */
	uint32_t state = csysi_load_acquire(&selection->self.state);
	uint32_t which = (state & ~CSYSI_CHANNEL_DISCONNECTED) - CSYSI_CHANNEL_CLAIMED;
	const csys_select_case *one = &selection->cases[which];

	*out_which = which;
	if (state & CSYSI_CHANNEL_DISCONNECTED)
		return CSYS_EDISCONNECTED;
	if (channel_of(one)->kind == CSYSI_CHANNEL_RENDEZVOUS) {
		csysi_channel_await_copy(&selection->self);
		return 0;
	}
	int r = try_case(one);
	if (one->is_send)
		csysi_channel_pass_on(channel_of(one));
	else
		/* It may stand for a message behind one that is being sent. */
		for (int tries = 0; r == CSYS_EAGAIN && csysi_channel_may_recv(channel_of(one));
		     tries++) {
			csysi_spin_let_on(tries);
			r = try_case(one);
		}
	return r;
}

/* Wait until a case may go: as do_claimed, CSYS_EAGAIN: try again; or CSYS_ETIMEDOUT. */
static int wait_for_any(struct selection *selection, csys_deadline deadline, uint32_t *out_which)
{
	int is_ready = list_all(selection);
	uint32_t state = CSYSI_CHANNEL_WAITING;
	int r = CSYS_EAGAIN;

	/* Relaxed: it tells nothing.  If it fails it was claimed. */
	if (!is_ready || !csysi_cas_relaxed(&selection->self.state, &state, CSYSI_CHANNEL_GONE))
		r = sleep_for_any(selection, deadline);
	delist_all(selection);
	return csysi_channel_is_claimed(&selection->self) ? do_claimed(selection, out_which) : r;
}

/* What the other side of a channel has done, as csysi_channel_yield wants it. */
static const uint64_t *work_of(const struct csysi_channel *c, int is_send)
{
	if (c->kind == CSYSI_CHANNEL_RENDEZVOUS)
		return &c->published;
	return is_send ? &c->head : &c->tail;
}

/*
 * Try all cases, awake before the first wait: listing takes the lock of each channel twice.  What
 * helps is judged by the first channel.
 */
static int try_awake(struct selection *selection, csys_deadline deadline, uint32_t *out_which)
{
	struct csysi_channel *c = channel_of(&selection->cases[0]);
	int is_send = selection->cases[0].is_send, r = try_all(selection, out_which);

	if (r != CSYS_EAGAIN || !c || csys_deadline_is_poll(deadline))
		return r;
	struct csysi_channel_spin *spin = is_send ? &c->tx_spin : &c->rx_spin;
	for (struct csysi_channel_awake awake = csysi_channel_awake_begin(spin, deadline);
	     csysi_channel_awake_goes_on(&awake, r != CSYS_EAGAIN);) {
		r = try_all(selection, out_which);
		awake.looks += (int)selection->count - 1;
	}
	if (r == CSYS_EAGAIN && csysi_channel_yield(spin, work_of(c, is_send)))
		r = try_all(selection, out_which);
	return r;
}

static int select_in(struct selection *selection, csys_deadline deadline, uint32_t *out_which)
{
	int is_late = csys_deadline_is_poll(deadline);

	for (int tries = 0;; tries++) {
		int r = tries == 0 ? try_awake(selection, deadline, out_which)
				   : try_all(selection, out_which);
		if (r != CSYS_EAGAIN)
			return r;
		if (is_late)
			return CSYS_ETIMEDOUT;
		r = wait_for_any(selection, deadline, out_which);
		if (r == CSYS_ETIMEDOUT)
			is_late = 1; /* one more look */
		else if (r != CSYS_EAGAIN)
			return r;
		else if (tries > 0)
			csysi_spin_let_on(tries);
	}
}

/* Tell a checked build from which receivers this thread receives, or that it does not any more. */
static void mark_receives(const struct selection *selection, int begins)
{
#if defined(CSYS_CHECKED)
	for (uint32_t i = 0; i < selection->count; i++) {
		const csys_select_case *one = &selection->cases[i];
		if (!one->channel || one->is_send)
			continue;
		if (begins)
			csysi_channel_begin_recv(channel_of(one));
		else
			csysi_channel_end_recv(channel_of(one));
	}
#else
	(void)selection;
	(void)begins;
#endif
}

/* ---- public ------------------------------------------------------------------------------ */

static int select_until(const csys_select_case *cases, size_t count, int is_biased,
			csys_deadline deadline, size_t *out_which)
{
	struct place few[FEW];
	struct selection selection = { .cases = cases, .is_biased = is_biased, .places = few };
	void *memory = NULL;
	uint32_t which = 0;

	if (count == 0 || count > CSYSI_CHANNEL_MOST_CASES)
		return CSYS_EINVAL;
	selection.count = (uint32_t)count;
	if (count > FEW)
		selection.places = memory = csysi_alloc(count * sizeof *few);
	if (!selection.places)
		return CSYS_ENOMEM;
	mark_receives(&selection, 1);
	int r = select_in(&selection, deadline, &which);
	mark_receives(&selection, 0);
	csysi_free(memory);
	if (r == 0 || r == CSYS_EDISCONNECTED)
		*out_which = which;
	return r;
}

int csys_select(const csys_select_case *cases, size_t count, size_t *out_which)
{
	return select_until(cases, count, 0, CSYS_FOREVER, out_which);
}

int csys_select_until(const csys_select_case *cases, size_t count, csys_deadline deadline,
		      size_t *out_which)
{
	return select_until(cases, count, 0, deadline, out_which);
}

int csys_select_biased_until(const csys_select_case *cases, size_t count, csys_deadline deadline,
			     size_t *out_which)
{
	return select_until(cases, count, 1, deadline, out_which);
}

int csys_try_select(const csys_select_case *cases, size_t count, size_t *out_which)
{
	int r = select_until(cases, count, 0, CSYS_POLL, out_which);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

csys_select_case csys_select_send(csys_sender *sender, const void *value)
{
	return (csys_select_case){ sender, (void *)(uintptr_t)value, 1, 0 };
}

csys_select_case csys_select_recv(csys_receiver *receiver, void *out_value)
{
	return (csys_select_case){ receiver, out_value, 0, 0 };
}
