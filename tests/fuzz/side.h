/*
 * fuzz/side.h - a member of a region, and what it does with the locks there, for fuzz_region.c.
 */
#ifndef CSYS_FUZZ_SIDE_H
#define CSYS_FUZZ_SIDE_H

#include <stdalign.h>

#include <csys/ipc/region_info.h>
#include <csys/ipc/shared_barrier.h>
#include <csys/ipc/shared_channel.h>
#include <csys/ipc/shared_condvar.h>
#include <csys/ipc/shared_event.h>
#include <csys/ipc/shared_semaphore.h>

#include "input.h"
#include "ipc/region.h"
#include "ipc/shared_channel.h"
#include "os/os.h"

#define MESSAGE 40u
#define PLACES 4u
#define PERMITS 4u
#define MEMBERS 8u
#define TIMED 6 /* calls of an input that wait for a moment */

struct board {
	alignas(128) char channels[2][2048];
	csys_shared_mutex mutex;
	csys_shared_rwlock rwlock;
	csys_shared_semaphore semaphore;
	csys_shared_permit permits[PERMITS];
	csys_shared_condvar condvar;
	csys_shared_event event;
	csys_shared_once once;
	csys_shared_barrier barrier;
};

/* One mapping of the region, and what is held by it. */
struct side {
	csys_region *region;
	struct board *board;
	csys_shared_channel *channels[2];
	csys_shared_sender *senders[2];
	csys_shared_receiver *receivers[2];
	void *reserved[2][2];
	int is_peeking[2];
	int has_mutex, reads, writes;
	int has_permit[PERMITS];
};

static struct {
	struct input in;
	struct side sides[2];
	int timed;
} now;

/* Mostly a deadline that has passed. */
static csys_deadline some_deadline(void)
{
	if (byte(&now.in) % 8 != 0 || now.timed == TIMED)
		return CSYS_POLL;
	now.timed++;
	return csys_after_ns(50000);
}

static int is_in(const struct side *side, const void *data, size_t size)
{
	size_t at = (uintptr_t)data - (uintptr_t)side->board;

	return at < sizeof *side->board && size <= sizeof *side->board - at;
}

/* ---- locks ---------------------------------------------------------------------------------- */

/* What a call returns that takes something; anything else is no result of it. */
static int is_taken(int r)
{
	MUST(r == 0 || r == CSYS_POISONED || r == CSYS_EAGAIN || r == CSYS_ETIMEDOUT ||
	     r == CSYS_ENOSPC);
	return r == 0 || r == CSYS_POISONED;
}

static void use_mutex(struct side *side)
{
	csys_shared_mutex *mutex = &side->board->mutex;
	csys_region_member member;
	uint32_t id;

	switch (byte(&now.in) % 6) {
	case 0:
		if (!side->has_mutex)
			side->has_mutex = is_taken(
				csys_shared_mutex_lock_until(side->region, mutex, some_deadline()));
		break;
	case 1:
		if (!side->has_mutex)
			side->has_mutex = is_taken(csys_shared_mutex_try_lock(side->region, mutex));
		break;
	case 2:
		if (side->has_mutex)
			csys_shared_mutex_unlock(side->region, mutex);
		side->has_mutex = 0;
		break;
	case 3:
		(void)csys_shared_mutex_is_locked(side->region, mutex);
		(void)csys_shared_mutex_holder(side->region, mutex, &member);
		csys_shared_mutex_clear_poison(mutex);
		break;
	default:
		/* It locks the mutex again however long that takes, so not if it is lost. */
		id = csysi_region_own_id(side->region);
		if (side->has_mutex && (mutex->word & CSYSI_ID) == id)
			(void)is_taken(csys_shared_condvar_wait_until(
				side->region, &side->board->condvar, mutex, some_deadline()));
		csys_shared_condvar_notify_one(&side->board->condvar);
		csys_shared_condvar_notify_all(&side->board->condvar);
		break;
	}
}

static void use_rwlock(struct side *side)
{
	csys_shared_rwlock *lock = &side->board->rwlock;
	csys_region_member member;
	int is_free = !side->writes && !side->reads;

	switch (byte(&now.in) % 6) {
	case 0:
		if (!side->writes && side->reads < 3)
			side->reads += is_taken(
				csys_shared_rwlock_read_until(side->region, lock, some_deadline()));
		break;
	case 1:
		if (is_free)
			side->writes = is_taken(csys_shared_rwlock_write_until(side->region, lock,
									       some_deadline()));
		break;
	case 2:
		if (side->writes)
			csys_shared_rwlock_unlock_write(side->region, lock);
		side->writes = 0;
		break;
	case 3:
		if (side->reads > 0)
			csys_shared_rwlock_unlock_read(side->region, lock);
		side->reads -= side->reads > 0;
		break;
	case 4:
		if (side->writes)
			csys_shared_rwlock_downgrade(side->region, lock);
		side->reads += side->writes;
		side->writes = 0;
		break;
	default:
		(void)csys_shared_rwlock_is_locked(side->region, lock);
		(void)csys_shared_rwlock_is_write_locked(side->region, lock);
		(void)csys_shared_rwlock_holder(side->region, lock, &member);
		csys_shared_rwlock_clear_poison(lock);
		break;
	}
}

static void use_permits(struct side *side)
{
	csys_shared_permit *permits = side->board->permits;
	unsigned at = byte(&now.in) % PERMITS;
	csys_region_member member;

	if (side->has_permit[at]) {
		csys_shared_permits_post(side->region, permits, PERMITS, at);
		side->has_permit[at] = 0;
	} else if (is_taken(csys_shared_permits_wait_until(side->region, permits, PERMITS,
							   some_deadline(), &at))) {
		MUST(at < PERMITS);
		side->has_permit[at] = 1;
	}
	MUST(csys_shared_permits_value(side->region, permits, PERMITS) <= PERMITS);
	(void)csys_shared_permits_holder(side->region, permits, PERMITS, at, &member);
}

/* ---- what nobody holds ---------------------------------------------------------------------- */

static int body(void *argument, int note)
{
	(void)note;
	return *(int *)argument;
}

static void use_signals(struct side *side)
{
	struct board *board = side->board;
	csys_region_member member;
	int result = byte(&now.in) % 2 ? 0 : CSYS_ENOENT, r;

	switch (byte(&now.in) % 8) {
	case 0:
		r = csys_shared_semaphore_post(&board->semaphore, byte(&now.in));
		MUST(r <= 0);
		break;
	case 1:
		r = csys_shared_semaphore_wait_until(&board->semaphore, some_deadline());
		MUST(r == 0 || r == CSYS_ETIMEDOUT);
		(void)csys_shared_semaphore_value(&board->semaphore);
		break;
	case 2:
		csys_shared_event_set(&board->event);
		break;
	case 3:
		csys_shared_event_reset(&board->event);
		(void)csys_shared_event_is_set(&board->event);
		break;
	case 4:
		r = csys_shared_event_wait_until(&board->event, some_deadline());
		MUST(r == 0 || r == CSYS_ETIMEDOUT);
		break;
	case 5:
		r = csys_shared_once_call_until(side->region, &board->once, body, &result,
						some_deadline());
		MUST(r == 0 || r == result || r == CSYS_ETIMEDOUT || r == CSYS_EPANICKED ||
		     r == CSYS_EDEADLK || r == CSYS_ENOSPC);
		break;
	case 6:
		r = csys_shared_once_wait_until(side->region, &board->once, some_deadline());
		MUST(r == 0 || r == CSYS_ETIMEDOUT || r == CSYS_EPANICKED || r == CSYS_EDEADLK);
		(void)csys_shared_once_holder(side->region, &board->once, &member);
		break;
	default:
		csys_shared_semaphore_init(&board->semaphore, 3);
		break;
	}
}

static void use_barrier(struct side *side)
{
	csys_shared_barrier *barrier = &side->board->barrier;
	int is_leader, r;

	switch (byte(&now.in) % 6) {
	case 0:
		MUST(csys_shared_barrier_init(barrier, byte(&now.in) % 4, byte(&now.in) % 2) == 0);
		break;
	case 1:
		csys_shared_barrier_abort(barrier);
		break;
	case 2:
		csys_shared_barrier_reset(barrier);
		break;
	case 3:
		r = csys_shared_barrier_leave(side->region, barrier);
		MUST(r == 0 || r == CSYS_EBUSY || r == CSYS_ENOSPC);
		break;
	default:
		r = csys_shared_barrier_wait_until(side->region, barrier, some_deadline(),
						   &is_leader);
		MUST(r == 0 || r == CSYS_ETIMEDOUT || r == CSYS_ECANCELED || r == CSYS_EBUSY ||
		     r == CSYS_EOWNERDEAD || r == CSYS_EINVAL || r == CSYS_ENOSPC);
		break;
	}
}

#endif
