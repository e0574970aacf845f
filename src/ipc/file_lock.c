/*
 * ipc/file_lock.c - locks of files.
 *
 * The system excludes openings of a file from each other, and each object has one of its own.
 * Threads that use the same object exclude each other by its word, a lock before the lock:
 *
 *   word:  WAITERS (1 bit) | FREE, number of sharers, or ALONE (31 bits)
 *
 *   FREE --> ALONE                  a thread asks the system, or holds the lock exclusively
 *   ALONE --> 1, n --> n + 1        it shares the lock, and so does another
 *   n --> n - 1, 1 --> ALONE --> FREE, ALONE --> FREE      they unlock
 *
 * Only the thread that has made the word ALONE asks the system: to lock, convert and unlock.  So
 * the system is asked by one thread at a time, and a pair of calls is two of the system.
 *
 * Invariant: while a thread sleeps on the word, WAITERS is set, or some thread is awake that was
 * woken and will take the object or set WAITERS.  A thread sets WAITERS before each sleep, and with
 * it when it takes the object after one, since others may sleep too; a thread that makes the word
 * FREE clears WAITERS and wakes one sleeper, and one that makes it shared wakes all.
 *
 * `until`: systems have no call for that, so it is tried at growing intervals, and at once when
 * this process has released a lock of the file (locked_files.h).
 */
#include <string.h>

#include "base/backoff.h"
#include "base/memory.h"
#include "ipc/file_lock.h"
#include "ipc/locked_files.h"

#define FREE 0u
#define ALONE 0x7fffffffu
#define MOST_SHARERS 0x7ffffffeu
#define WAITERS 0x80000000u

#define MODE 0666

#define ALWAYS static inline CSYSI_ATTRIBUTE((always_inline))
/* What is rare: inline it would have the usual way save registers for it. */
#define RARELY static CSYSI_ATTRIBUTE((noinline))

/* The numbers of the contract are the public ones. */
_Static_assert((int)CSYS_FILE_LOCK_NONE == (int)CSYSI_OS_LOCK_NONE, "os/file_lock.h");
_Static_assert((int)CSYS_FILE_LOCK_SHARED == (int)CSYSI_OS_LOCK_SHARED, "os/file_lock.h");
_Static_assert((int)CSYS_FILE_LOCK_EXCLUSIVE == (int)CSYSI_OS_LOCK_EXCLUSIVE, "os/file_lock.h");

static int is_kind(enum csys_file_lock_kind kind)
{
	return kind == CSYS_FILE_LOCK_SHARED || kind == CSYS_FILE_LOCK_EXCLUSIVE;
}

/* ---- the object between threads -------------------------------------------------------------- */

/* Take the object, or share it: 1 as ALONE, 2 as one more sharer; 0: not now. */
ALWAYS int take(csys_file_lock *lock, enum csys_file_lock_kind kind, uint32_t waiters)
{
	/* Relaxed: the compare-and-swap decides. */
	uint32_t word = csysi_load_relaxed(&lock->word);

	for (;;) {
		uint32_t users = word & ALONE;
		int is_free = users == FREE;
		if (!is_free && (kind == CSYS_FILE_LOCK_EXCLUSIVE || users >= MOST_SHARERS))
			return 0;
		uint32_t now = is_free ? ALONE : users + 1;
		/* Acquire pairs with the releases of the threads that unlocked. */
		if (CSYSI_LIKELY(csysi_cas_acquire(&lock->word, &word,
						   now | (word & WAITERS) | waiters)))
			return is_free ? 1 : 2;
	}
}

/* Take the object as take does, after it was refused; or CSYS_ETIMEDOUT. */
RARELY int take_until(csys_file_lock *lock, enum csys_file_lock_kind kind, csys_deadline deadline)
{
	for (;;) {
		uint32_t word = csysi_load_relaxed(&lock->word);
		int r = 0;
		if ((word & ALONE) != FREE &&
		    ((word & WAITERS) || csysi_cas_relaxed(&lock->word, &word, word | WAITERS)))
			r = csysi_os_wait(&lock->word, word | WAITERS, deadline, 0);
		int taken = take(lock, kind, WAITERS);
		if (taken || r < 0)
			return taken ? taken : r;
	}
}

/* Let others at the object, which was ALONE: it is FREE, or shared by this thread. */
ALWAYS void let_go(csys_file_lock *lock, uint32_t users)
{
	/* Release pairs with the acquires in take. */
	if (!CSYSI_LIKELY((csysi_swap_release(&lock->word, users) & WAITERS) == 0))
		csysi_os_wake(&lock->word, users == FREE ? 1 : UINT32_MAX, 0);
}

enum held { SHARED_WITH_OTHERS, SHARED_ALONE, EXCLUSIVE };

/* Tell how this thread holds the object.  If it shares it, it leaves the others, or is the last one
 * and has the object ALONE from now on. */
ALWAYS enum held leave_others(csys_file_lock *lock)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	for (;;) {
		uint32_t users = word & ALONE;
		uint32_t now = users == 1 ? ALONE : users - 1;
		if (CSYSI_LIKELY(users == ALONE))
			return EXCLUSIVE;
		if (users == FREE)
			csysi_os_abort("csys_file_lock_unlock of a lock that is not held");
		/* Release pairs with the acquire of the last one, here, which unlocks for all. */
		if (csysi_cas_acq_rel(&lock->word, &word, now | (word & WAITERS)))
			return users > 1 ? SHARED_WITH_OTHERS : SHARED_ALONE;
	}
}

/* ---- asking the system ----------------------------------------------------------------------- */

ALWAYS int ask(csys_file_lock *lock, enum csys_file_lock_kind kind, int wait)
{
	int r = csysi_os_file_lock_set(&lock->opening, lock->is_range ? &lock->range : NULL,
				       (enum csysi_os_lock_kind)kind, wait);

	if (r == 0)
		csysi_locked_file_acquired(lock->file);
	return r;
}

/* Ask again and again, after a refusal, until it is not CSYS_EAGAIN, or until the deadline. */
RARELY int ask_again(csys_file_lock *lock, enum csys_file_lock_kind kind, csys_deadline deadline)
{
	struct csysi_backoff backoff = CSYSI_BACKOFF_LOOK;
	int r;

	csysi_locked_file_begin_wait(lock->file);
	for (;;) {
		uint32_t seen = csysi_locked_file_releases(lock->file);
		int is_over = csys_deadline_left(deadline) == 0;
		r = ask(lock, kind, 0);
		if (r != CSYS_EAGAIN || is_over)
			break;
		int64_t nap = csysi_backoff_next(&backoff, deadline);
		(void)csysi_os_wait(&lock->file->releases, seen, csys_after_ns(nap), 0);
	}
	csysi_locked_file_end_wait(lock->file);
	return r == CSYS_EAGAIN ? CSYS_ETIMEDOUT : r;
}

/* Few calls lie between the caller and the system: a processor may have forgotten where to return
 * when the system returns. */
ALWAYS int ask_until(csys_file_lock *lock, enum csys_file_lock_kind kind, csys_deadline deadline)
{
	int is_forever = csys_deadline_is_forever(deadline);
	int r = ask(lock, kind, is_forever);

	if (CSYSI_LIKELY(r != CSYS_EAGAIN) || is_forever)
		return r;
	return csys_deadline_is_poll(deadline) ? CSYS_ETIMEDOUT : ask_again(lock, kind, deadline);
}

/* ---- locking --------------------------------------------------------------------------------- */

int csys_file_lock_lock_until(csys_file_lock *lock, enum csys_file_lock_kind kind,
			      csys_deadline deadline)
{
	if (!lock || !is_kind(kind))
		return CSYS_EINVAL;
	if (csysi_file_lock_is_copy(lock))
		return CSYS_EBADF;

	int taken = take(lock, kind, 0);
	if (!CSYSI_LIKELY(taken))
		taken = take_until(lock, kind, deadline);
	if (taken != 1)
		return taken < 0 ? taken : 0;
	int r = ask_until(lock, kind, deadline);
	if (r < 0)
		let_go(lock, FREE);
	else if (kind == CSYS_FILE_LOCK_SHARED)
		let_go(lock, 1);
	return r;
}

int csys_file_lock_lock(csys_file_lock *lock, enum csys_file_lock_kind kind)
{
	return csys_file_lock_lock_until(lock, kind, CSYS_FOREVER);
}

int csys_file_lock_try_lock(csys_file_lock *lock, enum csys_file_lock_kind kind)
{
	int r = csys_file_lock_lock_until(lock, kind, CSYS_POLL);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

int csys_file_lock_unlock(csys_file_lock *lock)
{
	if (!lock || csysi_file_lock_is_copy(lock))
		return 0;
	enum held held = leave_others(lock);
	if (held == SHARED_WITH_OTHERS)
		return 0;
	csysi_locked_file_releasing(lock->file, held == SHARED_ALONE);
	int r = ask(lock, CSYS_FILE_LOCK_NONE, 0);
	csysi_locked_file_released(lock->file);
	let_go(lock, FREE);
	return r;
}

int csys_file_lock_kind(const csys_file_lock *lock)
{
	if (!lock || csysi_file_lock_is_copy(lock))
		return CSYS_FILE_LOCK_NONE;
	uint32_t users = csysi_load_relaxed(&lock->word) & ALONE;
	if (users == FREE)
		return CSYS_FILE_LOCK_NONE;
	return users == ALONE ? CSYS_FILE_LOCK_EXCLUSIVE : CSYS_FILE_LOCK_SHARED;
}

/* ---- converting ------------------------------------------------------------------------------ */

/* Have the object ALONE in order to convert: what was held, or a failure. */
static int begin_convert(csys_file_lock *lock)
{
	uint32_t word = csysi_load_relaxed(&lock->word);

	for (;;) {
		uint32_t users = word & ALONE;
		if (users == FREE)
			csysi_os_abort("csys_file_lock_convert of a lock that is not held");
		if (users == ALONE)
			return CSYS_FILE_LOCK_EXCLUSIVE;
		if (users > 1)
			return CSYS_EBUSY;
		/* Acquire pairs with the release of a sharer that has left. */
		if (csysi_cas_acquire(&lock->word, &word, ALONE | (word & WAITERS)))
			return CSYS_FILE_LOCK_SHARED;
	}
}

/* What is held after a conversion from `was` that failed: a range still is; of a whole file the
 * system may have let go, and then it is taken back if no other has it. */
static int take_back(csys_file_lock *lock, int was)
{
	if (lock->is_range || ask(lock, (enum csys_file_lock_kind)was, 0) == 0)
		return was;
	return CSYS_FILE_LOCK_NONE;
}

static int convert(csys_file_lock *lock, int was, enum csys_file_lock_kind kind,
		   csys_deadline deadline, int *out_kind)
{
	int error = 0;
	/* The system may let go of the lock. */
	csysi_locked_file_releasing(lock->file, was == CSYS_FILE_LOCK_SHARED);
	int r = was == (int)kind ? 0 : ask_until(lock, kind, deadline);

	*out_kind = (int)kind;
	if (r < 0) {
		error = csys_os_error();
		*out_kind = take_back(lock, was);
		csysi_set_os_error(error);
	}
	/* Less is held than was: for others of this process, too. */
	if (*out_kind < was)
		csysi_locked_file_released(lock->file);
	if (*out_kind != CSYS_FILE_LOCK_EXCLUSIVE)
		let_go(lock, *out_kind == CSYS_FILE_LOCK_SHARED ? 1 : FREE);
	return r;
}

int csys_file_lock_convert_until(csys_file_lock *lock, enum csys_file_lock_kind kind,
				 csys_deadline deadline, int *out_kind)
{
	int held = CSYS_FILE_LOCK_NONE;
	int r = CSYS_EINVAL;

	if (lock && is_kind(kind))
		r = csysi_file_lock_is_copy(lock) ? CSYS_EBADF : begin_convert(lock);
	if (r > 0)
		r = convert(lock, r, kind, deadline, &held);
	else if (lock)
		held = csys_file_lock_kind(lock);
	if (out_kind)
		*out_kind = held;
	return r;
}

int csys_file_lock_convert(csys_file_lock *lock, enum csys_file_lock_kind kind, int *out_kind)
{
	return csys_file_lock_convert_until(lock, kind, CSYS_FOREVER, out_kind);
}

int csys_file_lock_try_convert(csys_file_lock *lock, enum csys_file_lock_kind kind, int *out_kind)
{
	int r = csys_file_lock_convert_until(lock, kind, CSYS_POLL, out_kind);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

/* ---- what is locked -------------------------------------------------------------------------- */

int csys_file_lock_set_range(csys_file_lock *lock, uint64_t offset, uint64_t size)
{
	if (!lock || !lock->is_range || offset > INT64_MAX || size > INT64_MAX - offset)
		return CSYS_EINVAL;
	if (csysi_file_lock_is_copy(lock))
		return CSYS_EBADF;
	if (take(lock, CSYS_FILE_LOCK_EXCLUSIVE, 0) != 1)
		return CSYS_EBUSY;
	lock->range = (struct csysi_os_lock_range){ offset, size };
	let_go(lock, FREE);
	return 0;
}

int csys_file_lock_owner(const csys_file_lock *lock, enum csys_file_lock_kind kind,
			 csys_file_lock_info *out)
{
	struct csysi_os_lock_owner owner;
	if (!lock || !out || !is_kind(kind))
		return CSYS_EINVAL;
	if (csysi_file_lock_is_copy(lock))
		return CSYS_EBADF;

	int r = csysi_os_file_lock_owner(
		&lock->opening, lock->is_range ? &lock->range : NULL, (enum csysi_os_lock_kind)kind,
		(enum csysi_os_lock_kind)csys_file_lock_kind(lock), &owner);
	if (r <= 0)
		return r < 0 ? r : CSYS_ENOENT;
	memset(out, 0, sizeof *out);
	out->kind = (int)owner.kind;
	out->is_range = lock->is_range;
	out->pid = owner.pid;
	out->offset = owner.range.offset;
	out->size = owner.range.size;
	return 0;
}

csys_handle csys_file_lock_handle(const csys_file_lock *lock)
{
	return lock && !csysi_file_lock_is_copy(lock) ? lock->opening.handle : CSYS_NO_HANDLE;
}

/* ---- opening and closing --------------------------------------------------------------------- */

static int check(const csys_file_lock_options *options)
{
	if (options->mode < 0 || options->mode > 0777 || options->reserved != 0)
		return CSYS_EINVAL;
	if (!options->is_range)
		return options->offset == 0 && options->size == 0 ? 0 : CSYS_EINVAL;
	if (options->offset > INT64_MAX || options->size > INT64_MAX - options->offset)
		return CSYS_EINVAL;
	return 0;
}

static csys_file_lock *make(const csys_file_lock_options *options)
{
	csys_file_lock *lock = csysi_alloc_zero(sizeof *lock);

	if (!lock)
		return NULL;
	lock->generation = csysi_os_generation();
	lock->is_here = csysi_os_generation_place();
	lock->is_range = options->is_range != 0;
	lock->range = (struct csysi_os_lock_range){ options->offset, options->size };
	lock->opening.handle = CSYS_NO_HANDLE;
	return lock;
}

/* Enter the file that was opened, if `r` says that it was; else free the object. */
static int finish(int r, csys_file_lock *lock, csys_file_lock **out)
{
	if (r == 0) {
		lock->file = csysi_locked_file_enter(lock->opening.device, lock->opening.number);
		r = lock->file ? 0 : CSYS_ENOMEM;
	}
	if (r < 0) {
		csysi_os_file_lock_close(&lock->opening);
		csysi_free(lock);
		return r;
	}
	*out = lock;
	return 0;
}

static int is_possible(const csys_file_lock_options *options)
{
	return csysi_os_can(options->is_range ? CSYS_CAN_FILE_LOCK_RANGES : CSYS_CAN_FILE_LOCK);
}

int csys_file_lock_open(const char *path, const csys_file_lock_options *options,
			csys_file_lock **out)
{
	static const csys_file_lock_options none;
	if (!options)
		options = &none;
	int r = path && out ? check(options) : CSYS_EINVAL;
	if (r < 0 || !is_possible(options))
		return r < 0 ? r : CSYS_ENOTSUP;

	csys_file_lock *lock = make(options);
	if (!lock)
		return CSYS_ENOMEM;
	r = csysi_os_file_lock_open(CSYS_NO_HANDLE, path,
				    options->create ? CSYSI_OS_LOCK_CREATE : 0,
				    options->mode != 0 ? options->mode : MODE, &lock->opening);
	return finish(r, lock, out);
}

int csysi_file_lock_open_at(csys_handle directory, const char *path, unsigned how, int mode,
			    csys_file_lock **out)
{
	static const csys_file_lock_options none;
	csys_file_lock *lock = make(&none);

	if (!lock)
		return CSYS_ENOMEM;
	return finish(csysi_os_file_lock_open(directory, path, how, mode, &lock->opening), lock,
		      out);
}

int csys_file_lock_open_handle(csys_handle file, const csys_file_lock_options *options,
			       csys_file_lock **out)
{
	static const csys_file_lock_options none;
	if (!options)
		options = &none;
	int r = out ? check(options) : CSYS_EINVAL;
	if (r < 0 || !is_possible(options))
		return r < 0 ? r : CSYS_ENOTSUP;

	csys_file_lock *lock = make(options);
	if (!lock)
		return CSYS_ENOMEM;
	return finish(csysi_os_file_lock_reopen(file, &lock->opening), lock, out);
}

void csys_file_lock_close(csys_file_lock *lock)
{
	if (!lock)
		return;
	/* A copy's file is in no table of this process. */
	if (!csysi_file_lock_is_copy(lock)) {
		if (csysi_load_relaxed(&lock->word) != FREE) {
			csysi_locked_file_releasing(lock->file, 1); /* perhaps */
			(void)ask(lock, CSYS_FILE_LOCK_NONE, 0);
			csysi_locked_file_released(lock->file);
		}
		csysi_locked_file_leave(lock->file);
	}
	csysi_os_file_lock_close(&lock->opening);
	csysi_free(lock);
}
