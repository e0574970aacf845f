/*
 * process/signal.c - from a handler, which may do nothing, to events.
 *
 * Each subscription has one cell for each of its signals, and each signal a
 * list of the cells that want it.  The handler walks the list; the thread that takes
 * looks through the cells of its subscription.  A cell is one word, a state and
 * a count, and the origin of the first delivery:
 *
 *            deliver               origin is written
 *   EMPTY ------------> WRITING,1 ------------------> FULL,1
 *     ^                    |  deliver: count + 1         |  deliver: count + 1
 *     +--------------------------------------------------+
 *                            take
 *
 * Only the handler that made it WRITING writes the origin, only a take (one at a time, under
 * the subscription's lock) reads it, when FULL, and makes the cell EMPTY by one
 * swap, which also gets the count: so each delivery is in exactly one event.  A
 * handler waits for no other: its loop repeats only if another one got on.
 *
 * The notifier.  `notified` is 1 from the notify that follows a FULL to the end of a
 * clear.  Invariant: when no handler and no take is at work and a cell is FULL, the
 * notifier is readable.  A handler makes the cell FULL, then swaps `notified` to 1 and
 * notifies if it was 0.  A take clears, swaps `notified` to 0 and then looks for FULL
 * cells: if a handler's swap came first and found 1, the take sees its cell, since both
 * swaps are acquire and release, and notifies itself; if it came later it found 0 and
 * notifies.
 *
 * Freeing.  A handler counts itself in `running` while it walks.  A close takes
 * its cells off the lists and then sees each of the two counters at 0 once.  A
 * handler that counted itself before the look was waited for; one that did
 * later reads the release of the look with its acquire, so sees the lists
 * without the cells.  Two counters, of which new handlers use the other one
 * while the close waits, so that signals without end do not make it wait without end.
 *
 * No deadlock.  A handler takes no lock.  Open and close hold the registry's lock
 * with signals blocked and cancellation off, so no handler runs on top of them;
 * what they wait for runs in other threads, with signals blocked too (os.h).
 *
 * Fork.  A handler in a process that is not the registry's passes the signal
 * on as if there were no subscription.  The first open or close in such a
 * process takes the registry over: it puts dispositions back, forgets the
 * parent's cells, and frees a lock that a thread of the parent may have held.
 */
#include <string.h>

#include <csys/process/signal.h>

#include "base/atomic.h"
#include "base/memory.h"
#include "base/reserved.h"
#include "os/os.h"
#include "sync/lock.h"

enum { EMPTY = 0, WRITING = 1, FULL = 2, STATE = 3, ONE = 4 };

#define MOST (UINT32_MAX - ONE) /* where counting ends */
#define NAP_US 50

struct cell {
	csys_signals *owner;
	int number;
	uint32_t word;                 /* state + ONE * count */
	struct csysi_os_signal origin; /* see above */
	struct cell *next;             /* of the same signal; changed under the registry's lock */
};

struct csys_signals {
	intptr_t process; /* that opened it */
	csys_handle reader;
	csys_handle writer;
	int replace;
	int second_kills;
	uint32_t notified;
	struct csysi_lock lock; /* for takes */
	size_t turn;            /* under lock: the cell to look at first */
	size_t count;
	struct cell cells[];
};

static struct {
	struct csysi_process_lock lock;
	intptr_t process; /* whose subscriptions these are; 0 before the first */
	uint32_t turn;    /* which of the counters a new handler uses */
	uint32_t running[2];
	struct cell *first[CSYSI_OS_SIGNALS + 1];
} registry;

/* ---- in a handler -------------------------------------------------------------------- */

static void notify(csys_signals *signals)
{
	/* Pairs with the swap in settle_notifier. */
	if (csysi_swap_acq_rel(&signals->notified, 1) == 0)
		csysi_os_notifier_notify(signals->writer);
}

static enum csysi_os_verdict deliver(struct cell *cell, const struct csysi_os_signal *signal)
{
	const csys_signals *owner = cell->owner;
	uint32_t word = csysi_load_relaxed(&cell->word);

	for (;;) {
		/* Acquire pairs with the release in take_cell, which has read the origin. */
		if (word == EMPTY && csysi_cas_acquire(&cell->word, &word, WRITING + ONE)) {
			cell->origin = *signal;
			/* Release pairs with the acquire in take_cell. */
			csysi_add_release(&cell->word, FULL - WRITING);
			notify(cell->owner);
			return owner->replace ? CSYSI_OS_VERDICT_TAKEN : CSYSI_OS_VERDICT_CHAIN;
		}
		/* Relaxed: the handler that made it WRITING publishes and rings. */
		if (word != EMPTY &&
		    (word >= MOST || csysi_cas_relaxed(&cell->word, &word, word + ONE)))
			break;
	}
	if (owner->second_kills && csysi_os_signal_asks_to_end(signal->number))
		return CSYSI_OS_VERDICT_DIE;
	return owner->replace ? CSYSI_OS_VERDICT_TAKEN : CSYSI_OS_VERDICT_CHAIN;
}

static enum csysi_os_verdict catch_signal(const struct csysi_os_signal *signal)
{
	enum csysi_os_verdict verdict = CSYSI_OS_VERDICT_PASS;

	/* Relaxed: either counter will do, see the top. */
	uint32_t *running = &registry.running[csysi_load_relaxed(&registry.turn)];
	/* Pairs with the look in wait_for. */
	csysi_add_acq_rel(running, 1);
	/* Relaxed: a foreign process's registry does not change here. */
	if (csysi_load_relaxed(&registry.process) == csysi_os_pid()) {
		/* Acquire pairs with the release in enlist: a cell is complete. */
		struct cell *cell = csysi_load_acquire(&registry.first[signal->number]);
		for (; cell; cell = csysi_load_acquire(&cell->next)) {
			enum csysi_os_verdict one = deliver(cell, signal);
			if (one > verdict)
				verdict = one;
		}
	}
	/* One less.  Release pairs with the look in wait_for: this one is done with all cells. */
	csysi_add_release(running, UINT32_MAX);
	return verdict;
}

/* ---- the registry ---------------------------------------------------------------------- */

static void wait_for(uint32_t *running)
{
	uint32_t count;

	/* An addition, since it is as much a release as an acquire: see the top. */
	while ((count = csysi_add_acq_rel(running, 0)) != 0)
		(void)csysi_os_wait(running, count, csys_after_us(NAP_US), 0);
}

/* Wait until no handler can have hold of a cell that is on no list. */
static void wait_for_handlers(void)
{
	uint32_t turn = csysi_load_relaxed(&registry.turn);

	wait_for(&registry.running[!turn]);
	csysi_store_relaxed(&registry.turn, !turn);
	wait_for(&registry.running[turn]);
}

static void enlist(struct cell *cell)
{
	struct cell **first = &registry.first[cell->number];

	cell->next = *first;
	/* Release pairs with the acquire in catch_signal. */
	csysi_store_release(first, cell);
}

static void delist(struct cell *cell)
{
	struct cell **place = &registry.first[cell->number];

	while (*place != cell)
		place = &(*place)->next;
	/* Release pairs with the acquire in catch_signal: its next was read by us, not made. */
	csysi_store_release(place, cell->next);
}

static void take_over(intptr_t process)
{
	if (csysi_load_relaxed(&registry.process) == process)
		return;
	for (int i = 0; i <= CSYSI_OS_SIGNALS; i++) {
		if (registry.first[i])
			csysi_os_uncatch(i);
		csysi_store_relaxed(&registry.first[i], NULL);
	}
	csysi_store_relaxed(&registry.running[0], 0);
	csysi_store_relaxed(&registry.running[1], 0);
	csysi_store_relaxed(&registry.process, process);
}

static void enter_registry(struct csysi_os_hold *hold)
{
	intptr_t process = csysi_os_pid();

	csysi_os_hold_signals(hold);
	csysi_process_lock_lock(&registry.lock, NULL);
	take_over(process);
}

static void leave_registry(const struct csysi_os_hold *hold)
{
	csysi_process_lock_unlock(&registry.lock);
	csysi_os_release_signals(hold);
}

static void disconnect(struct cell *cell)
{
	delist(cell);
	if (!registry.first[cell->number])
		csysi_os_uncatch(cell->number);
}

static int connect(struct cell *cell)
{
	int is_first = !registry.first[cell->number];

	/* The cell first, so that the handler finds it from its first signal on. */
	enlist(cell);
	int r = is_first ? csysi_os_catch(cell->number, catch_signal) : 0;
	if (r < 0)
		delist(cell);
	return r;
}

static int connect_all(csys_signals *signals)
{
	struct csysi_os_hold hold;
	size_t done = 0;
	int r = 0;

	enter_registry(&hold);
	while (done < signals->count && r == 0) {
		r = connect(&signals->cells[done]);
		done += r == 0;
	}
	if (r < 0) {
		while (done > 0)
			disconnect(&signals->cells[--done]);
		wait_for_handlers();
	}
	leave_registry(&hold);
	return r;
}

/* ---- open and close ----------------------------------------------------------------------- */

static int check(const int *signals, size_t count, const csys_signals_options *options)
{
	int r = signals && count > 0 ? 0 : CSYS_EINVAL;

	for (size_t i = 0; i < count && r == 0; i++)
		r = csysi_os_signal_check(signals[i]);
	if (options && csysi_uses_reserved(options))
		return CSYS_EINVAL;
	return r;
}

/* A subscription to each of the signals once, connected to nothing. */
static csys_signals *make(const int *numbers, size_t count)
{
	unsigned char seen[CSYSI_OS_SIGNALS + 1] = { 0 };
	size_t different = 0;

	for (size_t i = 0; i < count; i++) {
		different += !seen[numbers[i]];
		seen[numbers[i]] = 1;
	}

	csys_signals *signals =
		csysi_alloc_zero(sizeof *signals + different * sizeof signals->cells[0]);
	if (!signals)
		return NULL;
	signals->process = csysi_os_pid();
	signals->reader = CSYS_NO_HANDLE;
	signals->writer = CSYS_NO_HANDLE;
	for (int number = 0; number <= CSYSI_OS_SIGNALS; number++) {
		if (!seen[number])
			continue;
		struct cell *cell = &signals->cells[signals->count++];
		cell->owner = signals;
		cell->number = number;
	}
	return signals;
}

static void release(csys_signals *signals)
{
	csysi_os_close(signals->reader);
	csysi_os_close(signals->writer);
	csysi_free(signals);
}

int csys_signals_open(const int *signals, size_t count, const csys_signals_options *options,
		      csys_signals **out)
{
	int r = out ? check(signals, count, options) : CSYS_EINVAL;
	if (r < 0)
		return r;

	csys_signals *made = make(signals, count);
	if (!made)
		return CSYS_ENOMEM;
	made->replace = options && options->replace;
	made->second_kills = options && options->second_kills;

	r = csysi_os_notifier_open(&made->reader, &made->writer);
	if (r == 0)
		r = connect_all(made);
	if (r < 0) {
		release(made);
		return r;
	}
	*out = made;
	return 0;
}

void csys_signals_close(csys_signals *signals)
{
	struct csysi_os_hold hold;

	if (!signals)
		return;
	enter_registry(&hold);
	/* Of a parent, it is on no list any more. */
	if (signals->process == csysi_load_relaxed(&registry.process)) {
		for (size_t i = 0; i < signals->count; i++)
			disconnect(&signals->cells[i]);
		wait_for_handlers();
	}
	leave_registry(&hold);
	release(signals);
}

csys_handle csys_signals_handle(const csys_signals *signals)
{
	return signals ? signals->reader : CSYS_NO_HANDLE;
}

csys_waitable csys_signals_waitable(const csys_signals *signals)
{
	if (!signals || signals->process != csysi_os_pid())
		return (csys_waitable){ .handle = CSYS_NO_HANDLE };
	return csys_waitable_reading(signals->reader);
}

const char *csys_signal_name(int signal)
{
	return csysi_os_signal_name(signal);
}

/* ---- taking --------------------------------------------------------------------------------- */

static int cause_of(enum csysi_os_cause cause)
{
	switch (cause) {
	case CSYSI_OS_CAUSE_SYSTEM:
		return CSYS_CAUSE_SYSTEM;
	case CSYSI_OS_CAUSE_SENT:
		return CSYS_CAUSE_SENT;
	case CSYSI_OS_CAUSE_CHILD:
		return CSYS_CAUSE_CHILD;
	case CSYSI_OS_CAUSE_TIMER:
		return CSYS_CAUSE_TIMER;
	case CSYSI_OS_CAUSE_IO:
		return CSYS_CAUSE_IO;
	default:
		return CSYS_CAUSE_UNKNOWN;
	}
}

/* Acquire pairs with the release in deliver: with FULL comes the origin. */
static int is_full(const struct cell *cell)
{
	return (csysi_load_acquire(&cell->word) & STATE) == FULL;
}

static void take_cell(struct cell *cell, csys_signal_event *out)
{
	struct csysi_os_signal origin = cell->origin;
	/* Release pairs with the acquire in deliver: the origin may be written again. */
	uint32_t word = csysi_swap_release(&cell->word, EMPTY);

	*out = (csys_signal_event){
		.signal = cell->number,
		.cause = cause_of(origin.cause),
		.code = origin.code,
		.count = word / ONE,
		.pid = origin.pid,
		.uid = origin.uid,
	};
}

static int is_pending(const csys_signals *signals)
{
	for (size_t i = 0; i < signals->count; i++)
		if (is_full(&signals->cells[i]))
			return 1;
	return 0;
}

/* Keep the notifier's promise; under the lock. */
static void settle_notifier(csys_signals *signals)
{
	if (is_pending(signals))
		return; /* it is readable, or about to be */
	csysi_os_notifier_clear(signals->reader);
	/* Pairs with the swap in notify. */
	csysi_swap_acq_rel(&signals->notified, 0);
	if (is_pending(signals))
		notify(signals);
}

int csys_signals_try_wait(csys_signals *signals, csys_signal_event *out)
{
	int r = CSYS_EAGAIN;

	if (!signals || !out)
		return CSYS_EINVAL;
	if (signals->process != csysi_os_pid())
		return CSYS_EBADF;
	csysi_lock_lock(&signals->lock);
	for (size_t i = 0; i < signals->count && r < 0; i++) {
		struct cell *cell = &signals->cells[signals->turn];
		/* The next one first next time, so that none is passed over for ever. */
		signals->turn = (signals->turn + 1) % signals->count;
		if (is_full(cell)) {
			take_cell(cell, out);
			r = 0;
		}
	}
	settle_notifier(signals);
	csysi_lock_unlock(&signals->lock);
	return r;
}

int csys_signals_wait_until(csys_signals *signals, csys_deadline deadline, csys_signal_event *out)
{
	for (;;) {
		int r = csys_signals_try_wait(signals, out);
		if (r != CSYS_EAGAIN)
			return r;
		struct csysi_os_poll notifier = { .handle = signals->reader, .is_known = 1 };
		r = csysi_os_poll(&notifier, 1, deadline);
		if (r == 0 && notifier.ready < 0)
			r = CSYS_EBADF; /* other code has closed it */
		if (r < 0)
			return r;
	}
}

int csys_signals_wait(csys_signals *signals, csys_signal_event *out)
{
	return csys_signals_wait_until(signals, CSYS_FOREVER, out);
}
