/*
 * ipc/shared_rwlock.c - many readers or one writer between processes: readers are in words of their
 * own, and one word names the writer.
 *
 *     word:  WAITED (1 bit) | HELD (1 bit) | id (30 bits), 0: no writer
 *     cell:  WAITED (1 bit) | NESTED (1 bit) | key of the lock (30 bits), 0: free
 *     seen:  bit n: a member at a place that is n modulo 64 has read, once
 *     marks: POISONED
 *
 * Each member has 16 cells, in a line of its own.  A key is the place of the lock in the data, so
 * no two locks have the same, and no bytes that are written there by mistake change that.
 *
 *     read:   the bit in seen; the key into a cell; word is 0?  else the cell is cleared again
 *     write:  word: 0 to id; wait until no cell of a member that lives has the key; set HELD
 *
 *             write              no readers                 another sleeps
 *     FREE ------------> id ---------------------> id, HELD --------------> .. WAITED
 *      ^                 | \_ dies                 |    \_ dies
 *      |                 |   dead: the next takes  |      dead, HELD: the next has it as id, HELD,
 *      |    gives up     |   its place             |      and sets POISONED
 *      +-----------------+-------------------------+ unlock [wake all if WAITED]
 *
 * A reader with no cell to have (16 are in use, or the lock has no key) has the lock's word in
 * place of that, as a writer that never sets HELD, and clears that of a dead one: `nested` is then
 * its own.
 *
 *     a thread is killed         the state is             and then
 *     before it has a cell       a bit in seen too many   a writer looks at cells in vain
 *     while it reads             a cell of a dead member  writers skip it
 *     after it cleared its cell, the cell is free, and a  it sleeps on the token of the member,
 *     before the wake            writer sleeps            too, and for a nap at most
 *     while it waits to write    dead                     the next in any way takes its place;
 *                                                         nothing was written: no poison
 *     while it writes            dead, HELD               the next has HELD, then sets POISONED
 *     after taking that over,    dead, HELD               the same, so poison is never lost
 *     before POISONED
 *     after the unlock, before   FREE, others asleep      as with the mutex: the token, the nap
 *     the wake
 *     between the steps of       dead, HELD, and a cell   as while it writes
 *     a downgrade                of a dead member
 *
 * Nobody clears a cell of another member: by then its place may have a new owner, which would read
 * without it.  Attach clears them, and wakes the writer that sleeps there.
 *
 * Invariant: HELD is set only while no member that lives reads, and new readers see the word.  The
 * cell and the word are the two sides of a handshake: each side stores to its own, then loads the
 * other's.  So these four, and seen before them, are sequentially consistent, and not less.
 *
 * Why seen has 64 bits: without it a writer would look at all places of a table of up to 1023.
 * The usual table has 64, so a bit is a place; in a larger one a bit is 16 at most, each one line
 * to look at.  A bit is never cleared: a reader that has seen it set would go on without it.  24
 * bytes, since a larger set would make each lock larger to spare a writer a few lines.
 */
#include <csys/ipc/shared_rwlock.h>

#include "base/atomic.h"
#include "ipc/region.h"
#include "ipc/shared_rwlock.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"
#include "sync/spin.h"

#define WAITED CSYSI_SHARED_RWLOCK_WAITED
#define HELD CSYSI_SHARED_RWLOCK_HELD
#define NESTED CSYSI_SHARED_RWLOCK_NESTED
#define POISONED CSYSI_SHARED_RWLOCK_POISONED
#define KEY CSYSI_SHARED_RWLOCK_KEYS
#define SEEN_BITS CSYSI_SHARED_RWLOCK_SEEN

_Static_assert((CSYSI_ID & (WAITED | HELD)) == 0, "an id fits beside the marks");
_Static_assert((KEY & (WAITED | NESTED)) == 0, "a key fits beside the marks");
_Static_assert(sizeof(csys_shared_rwlock) == 24, "the same in all processes");
_Static_assert(_Alignof(csys_shared_rwlock) == 8, "a key is a place in units of 8");

/* What a call knows of its thread and its lock. */
struct self {
	csys_region *region;
	csys_shared_rwlock *lock;
	uint32_t id;
	uint32_t key;    /* 0: none */
	uint32_t *cells; /* of the thread */
};

static struct self self_of(csys_region *region, csys_shared_rwlock *lock, uint32_t id)
{
	return (struct self){ region, lock, id, csysi_shared_rwlock_key_of(region, lock),
			      region->entries[id & CSYSI_ID_PLACE].cells };
}

static uint32_t *cell_of(const struct self *self)
{
	return self->key ? csysi_shared_rwlock_find(self->cells, self->key) : NULL;
}

/* ---- the word ------------------------------------------------------------------------- */

/* Release the word if this thread has it: 1. */
static int release_word(csys_shared_rwlock *lock, uint32_t id)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	do {
		if ((word & CSYSI_ID) != id)
			return 0;
		/* Release pairs with the acquire in take_word and in the readers' load. */
	} while (!csysi_cas_release(&lock->word, &word, 0));
	if (word & WAITED)
		csysi_os_wake(&lock->word, UINT32_MAX, 1);
	return 1;
}

static int is_takable(const struct self *self, uint32_t word)
{
	return csysi_region_is_takable(self->region, word, self->id);
}

/* Have the word, if it is still `word`, which can be taken: 1.  HELD is kept: poison comes after
 * it. */
static int take_word(const struct self *self, uint32_t word)
{
	/* Sequentially consistent: the writer's store of the handshake.  Acquire in it pairs with
	 * release_word; what a dead writer wrote was seen with its death. */
	if (!csysi_cas_seq_cst(&self->lock->word, &word, self->id | (word & (WAITED | HELD))))
		return 0;
	/* Relaxed: it comes with the release of the word. */
	if (word & HELD)
		csysi_or_relaxed(&self->lock->marks, POISONED);
	return 1;
}

/* Note that a thread sleeps, and sleep until the word is another, or the thread that has it is
 * dead; for a nap at most. */
static void sleep_on_word(const struct self *self, uint32_t word, csys_deadline deadline)
{
	uint32_t *at = &self->lock->word;

	/* Relaxed: it orders nothing; the sleep looks at the word again. */
	if (!(word & WAITED) && !csysi_cas_relaxed(at, &word, word | WAITED))
		return;
	(void)csysi_region_wait(self->region, word & CSYSI_ID, at, word | WAITED, deadline);
}

/* Have the word, for this thread alone. */
static int take_word_until(const struct self *self, csys_deadline deadline)
{
	int round = 0;

	for (;;) {
		/* Relaxed: the compare-and-swap decides. */
		uint32_t word = csysi_load_relaxed(&self->lock->word);
		if (is_takable(self, word)) {
			if (take_word(self, word))
				return 0;
		} else if (csys_deadline_left(deadline) <= 0) {
			return CSYS_ETIMEDOUT;
		} else if (!csysi_backs_off(&round)) {
			sleep_on_word(self, word, deadline);
		}
	}
}

/* ---- the readers ------------------------------------------------------------------------ */

/* Wait until a cell of a member has the key no more, or the member is dead. */
static int await_cell(const struct self *self, uint32_t place, uint32_t *at, csys_deadline deadline)
{
	const struct csysi_os_tokens *tokens = &self->region->tokens;
	int round = 0;

	for (;;) {
		/* Sequentially consistent: the writer's load of the handshake.  Acquire in it pairs
		 * with the release of the reader's clear. */
		uint32_t cell = csysi_load_seq_cst(at);
		if (!csysi_shared_rwlock_is_reading(self->region, place, cell, self->key))
			return 0;
		if (csys_deadline_left(deadline) <= 0)
			return CSYS_ETIMEDOUT;
		if (csysi_backs_off(&round))
			continue;
		/* Relaxed: the sleep looks at it again. */
		if ((cell & WAITED) || csysi_cas_relaxed(at, &cell, cell | WAITED))
			(void)csysi_os_token_wait(tokens, place, at, cell | WAITED, deadline);
	}
}

/* The same for all cells of a member. */
static int await_member(const struct self *self, uint32_t place, csys_deadline deadline)
{
	uint32_t *cells = self->region->entries[place].cells;

	for (int i = 0; i < CSYSI_MEMBER_CELLS; i++) {
		/* Sequentially consistent, as there. */
		if ((csysi_load_seq_cst(&cells[i]) & KEY) != self->key)
			continue;
		int r = await_cell(self, place, &cells[i], deadline);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Wait until no member reads; this thread has the word. */
static int await_readers(const struct self *self, csys_deadline deadline)
{
	/* Sequentially consistent: after the word. */
	uint64_t seen = self->key ? csysi_load_seq_cst(&self->lock->seen) : 0;
	int r = 0;

	for (; seen != 0 && r == 0; seen &= seen - 1) {
		uint32_t place = (uint32_t)__builtin_ctzll(seen);
		for (; place < self->region->members && r == 0; place += SEEN_BITS)
			r = await_member(self, place, deadline);
	}
	return r;
}

/* Have the lock alone, without HELD: a reader without a cell, or a writer to be. */
static int take_alone(const struct self *self, csys_deadline deadline)
{
	/* One that has no time does not even keep readers out for a moment. */
	if (csys_deadline_left(deadline) <= 0 && await_readers(self, CSYS_POLL) < 0)
		return CSYS_ETIMEDOUT;
	int r = take_word_until(self, deadline);
	if (r < 0)
		return r;
	r = await_readers(self, deadline);
	if (r < 0)
		(void)release_word(self->lock, self->id);
	return r;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* This thread reads by a cell no more. */
static void clear_cell(uint32_t *cell)
{
	/* Release pairs with the acquire in await_cell. */
	if (csysi_swap_release(cell, 0) & WAITED)
		csysi_os_wake(cell, UINT32_MAX, 1);
}

/* Read by a cell, if there is no writer: 1. */
static int try_cell(const struct self *self, uint32_t *cell)
{
	uint64_t place = (uint64_t)1 << (self->id & CSYSI_ID_PLACE) % SEEN_BITS;

	/* Sequentially consistent, all: see the top.  The load of the word is acquire for what the
	 * writers before have written. */
	if (!(csysi_load_seq_cst(&self->lock->seen) & place))
		(void)csysi_fetch_or_seq_cst(&self->lock->seen, place);
	(void)csysi_swap_seq_cst(cell, self->key);
	if (csysi_load_seq_cst(&self->lock->word) == 0)
		return 1;
	clear_cell(cell);
	return 0;
}

static int read_by_cell(const struct self *self, uint32_t *cell, csys_deadline deadline)
{
	int round = 0;

	for (;;) {
		if (try_cell(self, cell))
			return 0;
		uint32_t word = csysi_load_relaxed(&self->lock->word);
		for (; word != 0 && !is_takable(self, word) && csysi_backs_off(&round);)
			word = csysi_load_relaxed(&self->lock->word);
		if (word != 0 && is_takable(self, word)) {
			/* Of a dead writer: with its poison, and then free. */
			if (take_word(self, word))
				(void)release_word(self->lock, self->id);
		} else if (csys_deadline_left(deadline) <= 0) {
			return CSYS_ETIMEDOUT;
		} else if (word != 0) {
			sleep_on_word(self, word, deadline);
		}
	}
}

/* Once more, if this thread reads already: 1. */
static int read_nested(const struct self *self, int *out_how)
{
	uint32_t *cell = cell_of(self);

	*out_how = cell ? CSYSI_HELD_SHARED_READ : CSYSI_HELD_SHARED_WRITE;
	if (cell) {
		csysi_region_nested(self->region)[cell - self->cells]++;
		/* Relaxed, both: only this thread reads the mark, and the count. */
		csysi_or_relaxed(cell, NESTED);
	} else if (csysi_shared_rwlock_has_word(self->lock, self->id, 0)) {
		(void)csysi_add_relaxed(&self->lock->nested, 1);
	} else {
		return 0;
	}
	return 1;
}

static int read_first(const struct self *self, csys_deadline deadline, int *out_how)
{
	uint32_t *cell = self->key ? csysi_shared_rwlock_find(self->cells, 0) : NULL;

	*out_how = cell ? CSYSI_HELD_SHARED_READ : CSYSI_HELD_SHARED_WRITE;
	CSYSI_WANTS(self->lock, *out_how, deadline);
	if (cell) {
		csysi_region_nested(self->region)[cell - self->cells] = 0;
		return read_by_cell(self, cell, deadline);
	}
	int r = take_alone(self, deadline);
	if (r < 0)
		return r;
	csysi_store_relaxed(&self->lock->nested, 0);
	/* That of a dead writer, which is in the poison by now.  Relaxed, as in write_until. */
	if (csysi_load_relaxed(&self->lock->word) & HELD)
		csysi_and_relaxed(&self->lock->word, ~HELD);
	return 0;
}

/* Relaxed: poison came with the lock. */
static int told(const csys_shared_rwlock *lock)
{
	return csys_shared_rwlock_is_poisoned(lock) ? CSYS_POISONED : 0;
}

int csys_shared_rwlock_read_until(csys_region *region, csys_shared_rwlock *lock,
				  csys_deadline deadline)
{
	uint32_t id;
	int how;
	int r = csysi_region_id_until(region, deadline, &id);
	if (r < 0)
		return r;

	struct self self = self_of(region, lock, id);
	if (!read_nested(&self, &how)) {
		r = read_first(&self, deadline, &how);
		if (r < 0) {
			csysi_checked_gave_up();
			return r;
		}
	}
	csysi_enter_shared_as(lock, how);
	return told(lock);
}

int csys_shared_rwlock_try_read(csys_region *region, csys_shared_rwlock *lock)
{
	int r = csys_shared_rwlock_read_until(region, lock, CSYS_POLL);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

int csysi_shared_rwlock_read_slow(csys_region *region, csys_shared_rwlock *lock)
{
	return csys_shared_rwlock_read_until(region, lock, CSYS_FOREVER);
}

/* The first cell has this lock, in vain or not. */
int csysi_shared_rwlock_read_again(csys_region *region, csys_shared_rwlock *lock)
{
	clear_cell(self_of(region, lock, csysi_region_own_id(region)).cells);
	return csysi_shared_rwlock_read_slow(region, lock);
}

int csysi_shared_rwlock_entered(csys_shared_rwlock *lock)
{
	csysi_enter_shared_as(lock, CSYSI_HELD_SHARED_READ);
	return 0;
}

/* Once less by this cell. */
static void leave_cell(const struct self *self, uint32_t *cell)
{
	uint32_t *nested = &csysi_region_nested(self->region)[cell - self->cells];

	/* Relaxed: only this thread reads the mark; without it inline code may clear the cell. */
	if (*nested == 0)
		clear_cell(cell);
	else if (--*nested == 0)
		csysi_and_relaxed(cell, ~NESTED);
}

/* Once less by the word: 1; 0: this thread does not read by it. */
static int leave_word(const struct self *self)
{
	if (!csysi_shared_rwlock_has_word(self->lock, self->id, 0))
		return 0;
	/* Relaxed: its own, as long as it has the word. */
	if (csysi_load_relaxed(&self->lock->nested) == 0)
		return release_word(self->lock, self->id);
	csysi_sub_relaxed(&self->lock->nested, 1);
	return 1;
}

/*
 * Strike the note that this thread reads it, by a cell or by the word: 1.  A note of the word is
 * also that of a writer, and then the word tells.
 */
static int strike_read(const csys_shared_rwlock *lock, uint32_t id, int has_cell)
{
	if (has_cell || csysi_holds(lock, CSYSI_HELD_SHARED_READ))
		return csysi_leave_shared_as(lock, CSYSI_HELD_SHARED_READ);
	return csysi_leave_shared_as(lock, CSYSI_HELD_SHARED_WRITE) &&
	       !csysi_shared_rwlock_writes(id, lock);
}

/* Unlock it.  If it is noted that this thread reads it, and neither a cell nor the word tell so,
 * then a process has overwritten them. */
static void unlock_read(csys_region *region, csys_shared_rwlock *lock, int is_noted)
{
	uint32_t id = csysi_region_own_id(region);
	struct self self = self_of(region, lock, id);
	uint32_t *cell = id ? cell_of(&self) : NULL;

	is_noted = is_noted || strike_read(lock, id, cell != NULL);
	if (cell)
		leave_cell(&self, cell);
	else if ((id == 0 || !(leave_word(&self) || is_noted)) && !csysi_ledger_is_abandoned())
		csysi_os_abort("unlock of a shared rwlock that this thread does not read");
}

void csysi_shared_rwlock_unlock_read_slow(csys_region *region, csys_shared_rwlock *lock)
{
	unlock_read(region, lock, 0);
}

void csysi_shared_rwlock_unlock_read_noted(csys_region *region, csys_shared_rwlock *lock)
{
	unlock_read(region, lock, 1);
}

/* ---- writing ------------------------------------------------------------------------------ */

int csys_shared_rwlock_write_until(csys_region *region, csys_shared_rwlock *lock,
				   csys_deadline deadline)
{
	uint32_t id;
	int r = csysi_region_id_until(region, deadline, &id);
	if (r < 0)
		return r;

	struct self self = self_of(region, lock, id);
	CSYSI_WANTS(lock, CSYSI_HELD_SHARED_WRITE, deadline);
	r = take_alone(&self, deadline);
	if (r < 0) {
		csysi_checked_gave_up();
		return r;
	}
	/* Relaxed: for those that find this thread dead, and so see all that it did. */
	csysi_or_relaxed(&lock->word, HELD);
	csysi_enter_shared_as(lock, CSYSI_HELD_SHARED_WRITE);
	return told(lock);
}

int csys_shared_rwlock_try_write(csys_region *region, csys_shared_rwlock *lock)
{
	int r = csys_shared_rwlock_write_until(region, lock, CSYS_POLL);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

int csys_shared_rwlock_write(csys_region *region, csys_shared_rwlock *lock)
{
	return csys_shared_rwlock_write_until(region, lock, CSYS_FOREVER);
}

void csys_shared_rwlock_unlock_write(csys_region *region, csys_shared_rwlock *lock)
{
	uint32_t id = csysi_region_own_id(region);

	int is_noted = csysi_leave_shared_as(lock, CSYSI_HELD_SHARED_WRITE);

	/* What is noted and is not in the word was overwritten by a process. */
	if (csysi_shared_rwlock_writes(id, lock) || (id != 0 && is_noted))
		(void)release_word(lock, id);
	else if (!csysi_ledger_is_abandoned())
		csysi_os_abort("unlock of a shared rwlock that this thread does not write");
}

void csys_shared_rwlock_downgrade(csys_region *region, csys_shared_rwlock *lock)
{
	uint32_t id = csysi_region_own_id(region);
	struct self self = self_of(region, lock, id);

	int is_noted = csysi_leave_shared_as(lock, CSYSI_HELD_SHARED_WRITE);

	if (!csysi_shared_rwlock_writes(id, lock) && (id == 0 || !is_noted)) {
		if (!csysi_ledger_is_abandoned())
			csysi_os_abort("downgrade of a shared rwlock that this thread does not "
				       "write");
		return;
	}
	uint32_t *cell = self.key ? csysi_shared_rwlock_find(self.cells, 0) : NULL;
	if (cell) {
		/* The cell first: the next writer sees it, since it has the word after that. */
		csysi_region_nested(region)[cell - self.cells] = 0;
		(void)csysi_fetch_or_seq_cst(&lock->seen,
					     (uint64_t)1 << (id & CSYSI_ID_PLACE) % SEEN_BITS);
		(void)csysi_swap_seq_cst(cell, self.key);
		(void)release_word(lock, id);
		csysi_enter_shared_as(lock, CSYSI_HELD_SHARED_READ);
	} else {
		csysi_store_relaxed(&lock->nested, 0);
		csysi_and_relaxed(&lock->word, ~HELD);
		csysi_enter_shared_as(lock, CSYSI_HELD_SHARED_WRITE);
	}
}

/* ---- the end of a thread, and panics ----------------------------------------------------- */

/* In a forked child it is all its parent's: the id is 0. */

int csysi_shared_rwlock_abandon_read(csys_region *region, csys_shared_rwlock *lock)
{
	uint32_t id = csysi_region_own_id(region);
	struct self self = self_of(region, lock, id);
	uint32_t *cell = id ? cell_of(&self) : NULL;

	if (cell)
		leave_cell(&self, cell);
	return cell != NULL;
}

void csysi_shared_rwlock_abandon(csys_region *region, csys_shared_rwlock *lock)
{
	uint32_t id = csysi_region_own_id(region);
	struct self self = self_of(region, lock, id);

	if (id == 0 || leave_word(&self) || !csysi_shared_rwlock_writes(id, lock))
		return;
	csys_shared_rwlock_poison(lock);
	(void)release_word(lock, id);
}
