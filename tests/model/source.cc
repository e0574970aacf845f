/*
 * tests/model/source.cc - a source of src/sync itself under relacy, a checker for C++.
 *
 *     g++ ... -DMUTEX -o mutex source.cc && ./mutex [WHAT [SCHEDULES]]    as source.sh does
 *
 * Runs the functions of one noun in three threads that relacy schedules, with the
 * memory model of C++: a relaxed load may see what is old, and a thread sees another's
 * data only by an acquire that reads from a release.  So this finds an order that is
 * too weak, which neither the models nor an x86 show.  It tries schedules by chance,
 * and so may miss one; what it finds is real.
 *
 * The source is compiled as it is.  Only the compiler's atomic builtins are relacy's
 * here, and what csys asks of a system is below: sleeping looks at the newest value and
 * parks the thread in one step, and orders nothing, since os.h promises no more.
 * Plain members are plain memory here, so of condvar the links between waiters are not
 * checked for races, and the orders that are for them alone are not missed.
 *
 * Of channels, and of selects, there is the fenced mode only, without a barrier in other threads;
 * the owner of a side is the only thread that receives.  Blocks have one slot or three, so that
 * they are linked, left and used again all the time.
 *
 * WHAT breaks it: relaxed-acquire, relaxed-release (all of them), dropped-wake, or
 * FILE:LINE, by which the operation on that line is relaxed.
 * The exit status is 0 if no schedule failed, and 1 if one did.
 */
#include <relacy/relacy.hpp>

#include <cstdlib>
#include <cstring>

/* ---- the compiler's builtins ------------------------------------------------------------ */

#if defined(SELECT)
#define CHANNEL 1
#endif

#if defined(CHANNEL)
static const int max_cells = 36;
#else
static const int max_cells = 6;
#endif
static const unsigned kinds = 3; /* a bit each */
static const unsigned threads = 3;

/* A word that several threads use. */
struct cell {
	const void *address;
	rl::atomic<unsigned long> value;
	rl::waitset<threads> sleepers[kinds];

	cell() : address(0)
	{
	}
};

static cell *cells; /* of this run */

/* A word on each thread's stack, below the base; NULL: there is none now. */
static cell *stack_cells;
static const char *stack_bases[threads];
#define STACK_PART 4096

/* Or two neighbours of 32 bits somewhere: the address of the first, NULL: not now.  The memory of
 * the first is IN_CELLS; when the source initialises it, it is none of these until it is used. */
static cell *pair_cells;
static uint32_t *pairs[threads];
#define IN_CELLS 0x1ce11u

/* A thread-local variable of the source, NULL: it has none.  Relacy's threads are one to the
 * compiler, so a thread that lets others run keeps its own. */
static void **local;

struct keeper {
	void *kept;

	keeper() : kept(local ? *local : 0)
	{
	}
	~keeper()
	{
		if (local)
			*local = kept;
	}
};

/* What is broken. */
static bool is_acquire_relaxed;
static bool is_release_relaxed;
static bool is_wake_dropped;
static const char *relaxed_file; /* the end of its name, and a line of it */
static int relaxed_line;

/* A word that is freed before the run ends, NULL: none; and 1 once it is.  Each use must be ordered
 * before the freeing, or relacy finds a race. */
static const void *mortal;
static rl::var<int> *is_freed;

static cell *cell_of(const volatile void *address)
{
	if (mortal && address == mortal)
		RL_ASSERT((*is_freed)($) == 0);
	for (int i = 0; cells && i < max_cells && cells[i].address; i++)
		if (cells[i].address == address)
			return &cells[i];
	uintptr_t word = (uintptr_t)address;
	RL_ASSERT(word > 4096); /* in an object that is not there */
	for (unsigned i = 0; stack_cells && i < threads; i++) {
		uintptr_t base = (uintptr_t)stack_bases[i];
		if (word < base && word >= base - STACK_PART)
			return &stack_cells[i];
	}
	for (unsigned i = 0; pair_cells && i < threads; i++)
		if (pairs[i] && (address == pairs[i] || address == pairs[i] + 1) &&
		    *pairs[i] == IN_CELLS)
			return &pair_cells[2 * i + (address != pairs[i])];
	return 0;
}

/* Before the threads begin: `address` is a word with this value. */
static void new_cell(const void *address, unsigned long value)
{
	int i = 0;
	while (cells[i].address)
		i++;
	cells[i].address = address;
	cells[i].value.store(value, rl::mo_relaxed, $);
}

struct site {
	const char *file;
	int line;
};

static bool is_relaxed(site here)
{
	if (here.line != relaxed_line)
		return false;
	size_t length = strlen(here.file);
	size_t end = strlen(relaxed_file);
	return length >= end && strcmp(here.file + length - end, relaxed_file) == 0;
}

static rl::memory_order order_of(int order, site here)
{
	bool is_total = order == __ATOMIC_SEQ_CST;
	bool acquires = order == __ATOMIC_ACQUIRE || order == __ATOMIC_ACQ_REL || is_total;
	bool releases = order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || is_total;

	if (is_acquire_relaxed || is_relaxed(here))
		acquires = false;
	if (is_release_relaxed || is_relaxed(here))
		releases = false;
	if (is_total && acquires && releases)
		return rl::mo_seq_cst;
	if (acquires)
		return releases ? rl::mo_acq_rel : rl::mo_acquire;
	return releases ? rl::mo_release : rl::mo_relaxed;
}

/* Relacy orders fences among themselves, but not with sequentially consistent operations, as
 * C++ does: these are fenced here. */
struct total {
	bool is_so;

	total(int order, site here) : is_so(order_of(order, here) == rl::mo_seq_cst)
	{
		if (is_so)
			rl::atomic_thread_fence(rl::mo_seq_cst, $);
	}
	~total()
	{
		if (is_so)
			rl::atomic_thread_fence(rl::mo_seq_cst, $);
	}
};

/* Words that are no cells are used by one thread: constants and what others stand in for. */
template <typename T> static T load(const T *p, int order, site here)
{
	keeper own;
	cell *c = cell_of(p);
	total fences(order, here);
	rl::memory_order as = order_of(order, here);
	return c ? (T)c->value.load(as == rl::mo_release ? rl::mo_relaxed : as, $) : *p;
}

template <typename T> static void store(T *p, T value, int order, site here)
{
	keeper own;
	cell *c = cell_of(p);
	if (c)
		c->value.store((unsigned long)value, order_of(order, here), $);
	else
		*p = value;
}

template <typename T> static T swap(T *p, T value, int order, site here)
{
	keeper own;
	return (T)cell_of(p)->value.exchange((unsigned long)value, order_of(order, here), $);
}

/* The value before.  Sums of 32 bits wrap around as such. */
template <typename T> static T add(T *p, T value, int order, site here)
{
	keeper own;
	total fences(order, here);
	unsigned long by = (unsigned long)value;
	if (sizeof(T) == sizeof(int))
		by = (unsigned long)(int)by;
	return (T)cell_of(p)->value.fetch_add(by, order_of(order, here), $);
}

template <typename T>
static bool cas(T *p, T *expected, T value, bool is_weak, int order, site here)
{
	keeper own;
	if (!cell_of(p)) {
		bool is_so = *p == *expected;
		(is_so ? *p : *expected) = is_so ? value : *p;
		return is_so;
	}
	rl::atomic<unsigned long> &at = cell_of(p)->value;
	total fences(order, here);
	rl::memory_order success = order_of(order, here);
	unsigned long was = (unsigned long)*expected;
	unsigned long next = (unsigned long)value;
	bool is_done =
		is_weak ? at.compare_exchange_weak(was, next, success, $, rl::mo_relaxed, $)
			: at.compare_exchange_strong(was, next, success, $, rl::mo_relaxed, $);

	*expected = (T)was;
	return is_done;
}

template <typename T> static T put_in(T *p, T bits, int order, site here)
{
	keeper own;
	total fences(order, here);
	return (T)cell_of(p)->value.fetch_or((unsigned long)bits, order_of(order, here), $);
}

template <typename T> struct same {
	typedef T type;
};
template <typename T> struct same<const T> {
	typedef T type;
};
#define HERE (site{ __FILE__, __LINE__ })
#define PLAIN(p, v) ((same<__typeof__(*(p))>::type)(v))

#define __atomic_load_n(p, o) (load((p), (o), HERE))
#define __atomic_store_n(p, v, o) (store((p), PLAIN(p, v), (o), HERE))
#define __atomic_exchange_n(p, v, o) (swap((p), PLAIN(p, v), (o), HERE))
#define __atomic_fetch_add(p, v, o) (add((p), PLAIN(p, v), (o), HERE))
#define __atomic_fetch_sub(p, v, o) (add((p), PLAIN(p, 0 - (v)), (o), HERE))
#define __atomic_add_fetch(p, v, o) (add((p), PLAIN(p, v), (o), HERE) + (v))
#define __atomic_sub_fetch(p, v, o) (add((p), PLAIN(p, 0 - (v)), (o), HERE) - (v))
#define __atomic_fetch_or(p, v, o) (put_in((p), PLAIN(p, v), (o), HERE))
#define __atomic_fetch_and(p, v, o) \
	(cell_of(p)->value.fetch_and(PLAIN(p, v), order_of((o), HERE), $))
#define __atomic_compare_exchange_n(p, e, v, weak, success, failure) \
	(cas((p), (e), PLAIN(p, v), (weak), (success), HERE))

#define __atomic_thread_fence(o) (rl::atomic_thread_fence(rl::mo_seq_cst, $))
#define __atomic_signal_fence(o) ((void)0)

/* ---- the source ---------------------------------------------------------------------------- */

#include <csys/base.h>
#include <csys/sync/atomic.h>
#include <csys/sync/barrier.h>
#include <csys/sync/condvar.h>
#include <csys/sync/event.h>
#include <csys/sync/latch.h>
#include <csys/sync/semaphore.h>

extern "C" {
#include "os/os.h"
#include "sync/ledger.h"
#include "sync/handoff.h"
#include "sync/spin.h"

#if defined(MUTEX)
#include "sync/mutex.c"
#elif defined(CONDVAR)
#include "sync/mutex.c"
#include "sync/waitqueue.c"
#define _Thread_local
#include "sync/handoff.c"
#undef _Thread_local
#include "sync/condvar.c"
#elif defined(RWLOCK)
#include "sync/rwlock.c"
#include "sync/mutex.c"
#include "sync/rwlock_read.c"
#include "sync/rwlock_upgradable.c"
#include "sync/rwlock_write.c"
#elif defined(ONCE)
#include "sync/once.c"
#elif defined(BARRIER)
#include "sync/barrier.c"
#elif defined(SEMAPHORE)
#include "sync/semaphore.c"
#elif defined(EVENT)
#include "sync/event.c"
#elif defined(LATCH)
#include "sync/latch.c"
#elif defined(WAIT_ANY)
#include "sync/watch.c"
#include "sync/wait_any.c"
#include "sync/semaphore.c"
#elif defined(CHANNEL)
static void copy_message(void *to, const void *from);
#define __builtin_memcpy(to, from, size) (copy_message((to), (from)))
#define _Alignas(n) alignas(n)
#define _Alignof(type) alignof(type)
#include "sync/channel.h"
#include "sync/lock.c"
/* Here is where a thread begins to wait, with a waiter that is new: see begin_wait. */
#define csysi_channel_list_add list_add
#define csysi_channel_enlist enlist
#include "sync/channel_wait.c"
#undef csysi_channel_list_add
#undef csysi_channel_enlist
#include "sync/channel.c"
#include "sync/channel_block.c"
#include "sync/channel_claim.c"
#include "sync/channel_drain.c"
#include "sync/channel_fence.c"
#include "sync/channel_in_place.c"
#include "sync/channel_look.c"
#include "sync/channel_owner.c"
#include "sync/channel_place.c"
#include "sync/channel_recv.c"
#include "sync/channel_rendezvous.c"
#include "sync/channel_send.c"
#include "sync/channel_turn.c"
#if defined(SELECT)
#include "sync/select.c"
#endif
#undef __builtin_memcpy
#else
#error "no noun"
#endif
}

/* ---- what it stands on --------------------------------------------------- */

static int64_t now_is;

/* Which threads the ledger would know to hold the mutex of a condvar. */
static bool is_holder[threads];

extern "C" {

__thread struct csysi_ledger csysi_ledger;

/* Locks are without poison here, so the ledger has nothing to do. */
int csysi_enter(uint32_t *, const void *, int)
{
	return 0;
}
int csysi_leave(uint32_t *, const void *, int)
{
	return 1;
}
int csysi_holds(const void *, int)
{
	return is_holder[rl::thread_index()];
}
int csysi_may_hold(const uint32_t *, const void *, int)
{
	return 1;
}
void csysi_holds_now(uint32_t *, const void *, int, int)
{
}
int csysi_is_poisoned(const uint32_t *)
{
	return 0;
}
void csysi_clear_poison(uint32_t *)
{
}
void csysi_poison(uint32_t *)
{
}
#ifndef CONDVAR
const uint32_t *csysi_handoff_take(const csys_mutex *)
{
	return 0;
}
#endif

void csysi_spin_note(const void *)
{
}
struct csysi_spin csysi_spin_begin(const void *, csys_deadline)
{
	struct csysi_spin spin = { int64_t(rl::rand(2)), 0, nullptr };
	return spin;
}
int csysi_spin_is_near(const void *)
{
	return rl::rand(2);
}
int csysi_spin_goes_on(struct csysi_spin *spin, int is_so)
{
	return spin->end != 0 && !is_so && spin->looks++ < 2;
}

int csysi_os_cpus(void)
{
	return rl::rand(2) ? int(threads) : 1;
}

int csysi_hand_over_is_due(const void *, int64_t)
{
	return rl::rand(2);
}

int csysi_backs_off(int *round)
{
	return (*round)++ < 2;
}

int csysi_os_at_fork(void (*)(void))
{
	return 0;
}

/* Time passes as it likes. */
int64_t csys_now(void)
{
	return now_is += rl::rand(2) ? 1 : 2000000;
}
csys_deadline csys_after_ns(int64_t n)
{
	return csys_deadline_at(csys_now() + n);
}
csys_deadline csys_after_us(int64_t n)
{
	return csys_deadline_at(csys_now() + n * 1000);
}
int64_t csys_deadline_left(csys_deadline deadline)
{
#ifdef RWLOCK
	if (!csys_deadline_is_poll(deadline) && rl::rand(2))
		return 1;
#endif
	return csys_deadline_is_forever(deadline) ? 1 : 0;
}
void csysi_os_yield(void)
{
	keeper own;
	rl::yield(1, $);
}
void csysi_spin_nap(int64_t)
{
}
void csysi_spin_let_on(int)
{
	csysi_os_yield();
}
#ifndef WAIT_ANY
uint32_t csysi_watch_notify(const void *, uint32_t)
{
	return 0; /* there are no watchers */
}
#else
/* There are semaphores only. */
const struct csysi_watch_kind csysi_event_kind = { 0, 0, 0, 0 };
const struct csysi_watch_kind csysi_latch_kind = { 0, 0, 0, 0 };
const struct csysi_watch_kind csysi_once_kind = { 0, 0, 0, 0 };
const struct csysi_watch_kind csysi_thread_kind = { 0, 0, 0, 0 };
const struct csysi_watch_kind csysi_receiver_kind = { 0, 0, 0, 0 };
const struct csysi_watch_kind csysi_sender_kind = { 0, 0, 0, 0 };

void *csysi_alloc(size_t)
{
	return 0;
}
void csysi_free(void *)
{
}
void csysi_os_run(void (*run)(void *), void (*leave)(void *), void *argument)
{
	run(argument);
	leave(argument);
}
int csys_panic_catch(csys_panic_body *body, void *argument, csys_panic_info *)
{
	body(argument);
	return 0;
}
void csys_panic_resume(const csys_panic_info *)
{
	abort();
}
#endif

#if defined(CHANNEL)
int64_t csysi_spin_worth(uint32_t)
{
	return 0;
}
uint32_t csysi_spin_missed(uint32_t missed, int)
{
	return missed;
}
struct csysi_channel_awake csysi_channel_awake_begin(struct csysi_channel_spin *spin, csys_deadline)
{
	struct csysi_channel_awake awake = { spin, int64_t(rl::rand(2)), 0 };
	return awake;
}
int csysi_channel_awake_goes_on(struct csysi_channel_awake *awake, int is_so)
{
	return awake->end != 0 && !is_so && awake->looks++ < 1;
}
void csysi_channel_note_cpu(struct csysi_channel_spin *)
{
}
int csysi_channel_yield(struct csysi_channel_spin *, const uint64_t *)
{
	return 0;
}

/* There is no barrier in other threads, so a side with a new thread is shared. */
int csysi_os_barrier_is_there(void)
{
	return 0;
}
void csysi_os_barrier(void)
{
}
const uint32_t *csysi_os_cpu_word(void)
{
	return 0;
}
intptr_t csysi_os_pid(void)
{
	return 1;
}
int csysi_os_cpu(void)
{
	return 0;
}

/* There are no handles. */
void csysi_channel_handle_look(struct csysi_channel *, struct csysi_channel_handle *)
{
}
void csysi_channel_notify_handles(struct csysi_channel *, int)
{
}
/* Nor timers. */
int csysi_channel_timer_recv(struct csysi_channel *, void *, csys_deadline)
{
	return CSYS_ETIMEDOUT;
}
int csysi_channel_timer_try_recv(struct csysi_channel *, void *)
{
	return CSYS_EAGAIN;
}
csys_deadline csysi_channel_timer_deadline(const struct csysi_channel *)
{
	return CSYS_FOREVER;
}
void csysi_channel_handle_free(struct csysi_channel_handle *)
{
}
void csysi_os_notifier_notify(csys_handle)
{
}

/* Blocks of a channel, each once: it keeps those that it is done with. */
static const unsigned block_slots = 3, most_blocks = 5;
static struct {
	alignas(64) char block[64 + 8 * block_slots];
} pool[most_blocks];
static unsigned blocks_taken, blocks_left;

void *csysi_alloc(size_t)
{
	return blocks_left > 0 ? blocks_left--, &pool[blocks_taken++] : 0;
}
void csysi_free(void *)
{
}

static void begin_wait(const struct csysi_channel_entry *entry)
{
	uint32_t *word = &entry->waiter->state;
	unsigned i = rl::thread_index();
	keeper own;

	if (pairs[i] == word && *word == IN_CELLS)
		return; /* another entry of this waiter */
	pairs[i] = word;
	*word = IN_CELLS;
	for (unsigned k = 0; k < 2; k++)
		pair_cells[2 * i + k].value.store(0, rl::mo_relaxed, $);
}
void csysi_channel_list_add(struct csysi_channel_list *list, struct csysi_channel_entry *entry,
			    int is_first)
{
	begin_wait(entry);
	list_add(list, entry, is_first);
}
void csysi_channel_enlist(struct csysi_channel *c, struct csysi_channel_side side,
			  struct csysi_channel_entry *entry, int is_first)
{
	begin_wait(entry);
	enlist(c, side, entry, is_first);
}
#endif

void csysi_os_abort(const char *line)
{
	rl::ctx().fail_test(line, rl::test_result_user_assert_failed, $);
}

/* The cell that a word of 32 bits is all of, or the upper half. */
static cell *cell_around(const uint32_t *word, unsigned *out_shift)
{
	cell *at = cell_of(word);

	*out_shift = at ? 0 : 32;
	return at ? at : cell_of(word - 1);
}

int csysi_os_wait_as(const uint32_t *word, uint32_t expected, csys_deadline deadline, uint32_t kind)
{
	keeper own;
	rl::context &c = rl::ctx();
	unsigned shift;
	cell *at = cell_around(word, &shift);

	/* Changing nothing sees the newest value.  It lets others run before it, not after. */
	if (uint32_t(at->value.fetch_or(0, rl::mo_relaxed, $) >> shift) != expected)
		return 0;
	unsigned place = 0;
	while (!(kind & 1u << place))
		place++;
	return at->sleepers[place].park_current(c, !csys_deadline_is_forever(deadline), true, false,
						$) == rl::unpark_reason_timeout
		       ? CSYS_ETIMEDOUT
		       : 0;
}

uint32_t csysi_os_wake_kind(const uint32_t *word, uint32_t count, uint32_t wanted)
{
	keeper own;
	rl::context &c = rl::ctx();
	unsigned shift;
	cell *at = cell_around(word, &shift);
	uint32_t woken = 0;

	c.sched();
	/* Nobody sleeps on a word that is gone. */
	if (!at || is_wake_dropped)
		return 0;
	for (unsigned place = 0; place < kinds; place++)
		while (wanted & 1u << place && woken < count &&
		       at->sleepers[place].unpark_one(c, $))
			woken++;
	return woken;
}

int csysi_os_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline, int)
{
	return csysi_os_wait_as(word, expected, deadline, 1);
}

uint32_t csysi_os_wake(const uint32_t *word, uint32_t count, int)
{
	return csysi_os_wake_kind(word, count, 1);
}
}

/* ---- the threads --------------------------------------------------------- */

/* A deadline that may pass at any moment, or none. */
static csys_deadline some_deadline(void)
{
	return rl::rand(2) ? CSYS_FOREVER : csys_deadline_at(1);
}

template <typename suite> struct common : rl::test_suite<suite, threads> {
	cell words[max_cells];
	rl::var<int> data; /* that the noun guards, or tells of */

	void begin(void)
	{
		cells = words;
		now_is = 1;
		data($) = 0;
	}
};

#if defined(MUTEX)
struct test : common<test> {
	csys_mutex mutex;

	void before()
	{
		mutex = CSYS_MUTEX_INIT_NO_POISON;
		begin();
		new_cell(&mutex.word, 0);
	}

	void thread(unsigned)
	{
		for (int turn = 0; turn < 2; turn++) {
			if (rl::rand(2))
				csys_mutex_lock(&mutex);
			else
				while (csys_mutex_try_lock(&mutex) < 0 &&
				       csys_mutex_lock_until(&mutex, csys_deadline_at(1)) < 0)
					;
			data($) = data($) + 1;
			if (rl::rand(2))
				csys_mutex_unlock(&mutex);
			else
				csys_mutex_unlock_fair(&mutex);
		}
	}

	void after()
	{
		RL_ASSERT(data($) == int(threads) * 2);
		/* Whatever gave up: it is not kept for anybody. */
		RL_ASSERT(csys_mutex_try_lock(&mutex) == 0);
	}
};
#elif defined(CONDVAR)
/* The first one makes as many things as the others take, one each. */
struct test : common<test> {
	csys_mutex mutex;
	csys_condvar condvar;
	cell waiters[threads];
	rl::var<int> is_gone;
	bool is_known; /* which thread holds the mutex, as with poison */
	bool is_once;  /* one notify_all for all, and a thread that it reached frees the condvar */
	static unsigned runs;

	void before()
	{
		mutex = CSYS_MUTEX_INIT_NO_POISON;
		condvar = CSYS_CONDVAR_INIT;
		is_known = runs % 2;
		is_once = runs++ / 2 % 2;
		is_prepared = 1;
		is_forgotten = 1;
		is_gone($) = 0;
		mortal = &condvar.queue;
		is_freed = &is_gone;
		begin();
		new_cell(&mutex.word, 0);
		new_cell(&condvar.queue, 0);
		new_cell(&lock_of(&condvar.queue)->word, 0);
		stack_cells = waiters;
		local = reinterpret_cast<void **>(&handoffs);
		for (unsigned i = 0; i < threads; i++) {
			stack_bases[i] = 0;
			is_holder[i] = false;
		}
	}

	void lock(unsigned index)
	{
		csys_mutex_lock(&mutex);
		is_holder[index] = is_known;
	}

	void unlock(unsigned index)
	{
		is_holder[index] = false;
		csys_mutex_unlock(&mutex);
	}

	/* After the last thing nobody comes to wait, so one that leaves nobody in the queue may
	 * be followed by freeing it. */
	void notify(bool is_last)
	{
		if (rl::rand(2)) {
			csys_condvar_notify_one(&condvar);
			return;
		}
		csys_condvar_notify_all(&condvar);
		if (is_last)
			is_gone($) = 1;
	}

	void wait(unsigned index)
	{
		char base;
		{
			keeper own;
			waiters[index].value.store(WAITING, rl::mo_relaxed, $);
		}
		stack_bases[index] = &base;
		if (csys_condvar_wait_until(&condvar, &mutex, some_deadline()) == 0 && is_once)
			is_gone($) = 1;
		stack_bases[index] = 0; /* the waiter is gone: touching it now crashes */
	}

	void thread(unsigned index)
	{
		handoffs = 0;
		if (index > 0) {
			lock(index);
			while (data($) == 0)
				wait(index);
			data($) = data($) - 1;
			unlock(index);
			return;
		}
		if (is_once) {
			bool is_inside = rl::rand(2);
			lock(index);
			data($) = int(threads) - 1;
			if (is_inside)
				csys_condvar_notify_all(&condvar);
			unlock(index);
			if (!is_inside)
				csys_condvar_notify_all(&condvar);
			RL_ASSERT(!handoffs);
			return;
		}
		for (unsigned i = 1; i < threads; i++) {
			bool is_inside = rl::rand(2);
			lock(index);
			data($) = data($) + 1;
			if (is_inside)
				notify(i == threads - 1);
			unlock(index);
			if (!is_inside)
				notify(i == threads - 1);
		}
		RL_ASSERT(!handoffs);
	}
};
unsigned test::runs;
#elif defined(RWLOCK)
struct test : common<test> {
	csys_rwlock lock;
	rl::var<int> upgradable_data;
	bool is_only_counted; /* writers come to wait and go again, and that is all */
	bool is_upgrade;      /* one upgrades, while one reads and one gives up writing */
	static unsigned runs;

	void before()
	{
		lock = CSYS_RWLOCK_INIT_NO_POISON;
		is_only_counted = runs % 8 == 0;
		is_upgrade = runs % 8 == 4;
		runs++;
		begin();
		upgradable_data($) = 0;
		new_cell(&lock.word, 0);
		new_cell(&lock.writers, 0);
		new_cell(&lock.turn.word, 0);
	}

	void look(void)
	{
		int seen = data($);
		RL_ASSERT(seen == data($));
	}

	void change(void)
	{
		data($) = data($) + 1;
	}

	void read(bool is_in)
	{
		if (!is_in && rl::rand(2))
			csys_rwlock_read(&lock);
		else
			while (!is_in && csys_rwlock_read_until(&lock, some_deadline()) < 0)
				;
		look();
	}

	/* As a thread that reads already, which no ledger knows of: never kept out. */
	void read_again(void)
	{
		RL_ASSERT(csys_rwlock_try_read_recursive(&lock) == 0);
		look();
		csys_rwlock_unlock_read(&lock);
	}

	void write(void)
	{
		if (rl::rand(2))
			csys_rwlock_write(&lock);
		else
			while (csys_rwlock_write_until(&lock, some_deadline()) < 0)
				;
		change();
	}

	/* One thread at a time, beside readers. */
	void look_upgradably(void)
	{
		upgradable_data($) = upgradable_data($) + 1;
		look();
	}

	void read_upgradably(void)
	{
		if (rl::rand(2))
			csys_rwlock_upgradable_read(&lock);
		else
			while (csys_rwlock_try_upgradable_read(&lock) < 0 &&
			       csys_rwlock_upgradable_read_until(&lock, some_deadline()) < 0)
				;
		look_upgradably();
	}

	void upgrade(void)
	{
		if (rl::rand(2))
			csys_rwlock_upgrade(&lock);
		else
			while (csys_rwlock_upgrade_until(&lock, some_deadline()) < 0)
				look_upgradably();
		change();
	}

	/* As the last part of write_slow, where a writer has come in or gives up. */
	void come_and_go(void)
	{
		RL_ASSERT(csysi_rwlock_be_counted(&lock));
		(void)csysi_rwlock_say_waiting(&lock);
		if (rl::rand(2))
			csysi_rwlock_come_in(&lock, 1);
		else
			csysi_rwlock_give_up(&lock, 1);
	}

	void after()
	{
		/* Nobody is kept out of a lock that nobody holds or waits for. */
		RL_ASSERT(csys_rwlock_try_read(&lock) == 0);
		RL_ASSERT(csys_rwlock_try_upgradable_read(&lock) == 0);
	}

	void upgradable_turn(void)
	{
		read_upgradably();
		if (rl::rand(2)) {
			upgrade();
			if (rl::rand(2)) {
				csys_rwlock_unlock_write(&lock);
				return;
			}
			csys_rwlock_downgrade_to_upgradable(&lock);
			look_upgradably();
		}
		if (rl::rand(2)) {
			csys_rwlock_unlock_upgradable(&lock);
			return;
		}
		csys_rwlock_downgrade_upgradable(&lock);
		look();
		csys_rwlock_unlock_read(&lock);
	}

	void turn(void)
	{
		switch (rl::rand(6)) {
		case 0:
			read(false);
			csys_rwlock_unlock_read(&lock);
			break;
		case 1:
			write();
			csys_rwlock_unlock_write(&lock);
			break;
		case 2:
			write();
			csys_rwlock_downgrade(&lock);
			read(true);
			read_again();
			csys_rwlock_unlock_read(&lock);
			break;
		case 3:
			read(false);
			if (csys_rwlock_try_upgrade(&lock) < 0) {
				csys_rwlock_unlock_read(&lock);
				break;
			}
			change();
			csys_rwlock_unlock_write(&lock);
			break;
		default:
			upgradable_turn();
			break;
		}
	}

	void upgrade_turn(unsigned index)
	{
		if (index == 0) {
			csys_rwlock_upgradable_read(&lock);
			csys_rwlock_upgrade(&lock);
			change();
			csys_rwlock_unlock_write(&lock);
		} else if (index == 1) {
			read(false);
			csys_rwlock_unlock_read(&lock);
		} else {
			RL_ASSERT(csysi_rwlock_be_counted(&lock));
			(void)csysi_rwlock_say_waiting(&lock);
			csysi_rwlock_give_up(&lock, 1);
		}
	}

	void thread(unsigned index)
	{
		for (int i = 0; i < 2; i++)
			if (is_only_counted)
				come_and_go();
			else if (is_upgrade)
				upgrade_turn(index);
			else
				turn();
	}
};
unsigned test::runs;
#elif defined(ONCE)
struct test : common<test> {
	csys_once once;

	void before()
	{
		once = CSYS_ONCE_INIT;
		begin();
		new_cell(&once.word, 0);
	}

	static int body(void *argument)
	{
		test *self = static_cast<test *>(argument);
		self->data($) = self->data($) + 1; /* as often as a body runs */
		if (rl::rand(2) == 0)
			return CSYS_EIO;
		self->data($) = 100;
		return 0;
	}

	void thread(unsigned index)
	{
		if (index > 0 && rl::rand(2))
			while (csys_once_wait_until(&once, some_deadline()) < 0)
				;
		else
			while (csys_once_call(&once, body, this) < 0)
				;
		RL_ASSERT(data($) == 100);
	}
};
#elif defined(BARRIER)
/* Each round is met twice; the last thread may leave in place of the second one. */
struct test : common<test> {
	csys_barrier barrier;
	rl::var<int> come[threads];
	bool is_left;
	static unsigned runs;

	void before()
	{
		barrier = CSYS_BARRIER_INIT(threads);
		is_left = runs++ % 2;
		begin();
		new_cell(&barrier.word, 0);
		new_cell(&barrier.left, 0);
		for (unsigned i = 0; i < threads; i++)
			come[i]($) = 0;
	}

	void thread(unsigned index)
	{
		for (int round = 1; round <= 2; round++) {
			int is_leader = 0;
			come[index]($) = round;
			if (is_left && round == 2 && index == threads - 1) {
				csys_barrier_leave(&barrier);
				return;
			}
			while (csys_barrier_wait_until(&barrier, some_deadline(), &is_leader) < 0)
				;
			for (unsigned i = 0; i < threads; i++)
				RL_ASSERT(come[i]($) == round);
			if (is_leader)
				data($) = data($) + 1;
			/* Nobody goes on to the next round while others look. */
			while (csys_barrier_wait_until(&barrier, some_deadline(), 0) < 0)
				;
		}
	}

	void after()
	{
		RL_ASSERT(data($) == 2);
	}
};
unsigned test::runs;
#elif defined(SEMAPHORE)
struct test : common<test> {
	csys_semaphore semaphore;

	void before()
	{
		semaphore = CSYS_SEMAPHORE_INIT(1);
		begin();
		new_cell(&semaphore.word, ONE);
	}

	void thread(unsigned)
	{
		for (int turn = 0; turn < 2; turn++) {
			while (csys_semaphore_try_wait(&semaphore) < 0 &&
			       csys_semaphore_wait_until(&semaphore, some_deadline()) < 0)
				;
			data($) = data($) + 1;
			RL_ASSERT(csys_semaphore_post(&semaphore, 1) == 0);
		}
	}

	void after()
	{
		RL_ASSERT(data($) == int(threads) * 2);
	}
};
#elif defined(EVENT)
struct test : common<test> {
	csys_event event;
	bool is_automatic;
	static unsigned runs;

	void before()
	{
		begin();
		is_automatic = runs++ % 2;
		new_cell(&event.word, is_automatic ? AUTOMATIC : 0);
	}

	void thread(unsigned index)
	{
		if (index == 0) {
			data($) = 1;
			if (!is_automatic && rl::rand(2)) {
				csys_event_set(&event);
				csys_event_reset(&event);
			}
			csys_event_set(&event);
			return;
		}
		if (is_automatic || !csys_event_is_set(&event))
			while (csys_event_wait_until(&event, some_deadline()) < 0)
				;
		if (is_automatic) {
			data($) = data($) + 1;
			csys_event_set(&event);
		} else {
			RL_ASSERT(data($) == 1);
		}
	}
};
unsigned test::runs;
#elif defined(LATCH)
struct test : common<test> {
	csys_latch latch;
	rl::var<int> parts[threads];

	void before()
	{
		latch = CSYS_LATCH_INIT(threads);
		begin();
		new_cell(&latch.word, threads * ONE);
	}

	void thread(unsigned index)
	{
		parts[index]($) = 1;
		csys_latch_done(&latch, 1);
		if (index == 0)
			return;
		while (csys_latch_wait_until(&latch, some_deadline()) < 0)
			;
		for (unsigned i = 0; i < threads; i++)
			RL_ASSERT(parts[i]($) == 1);
	}
};
#elif defined(WAIT_ANY)
/* The first one posts what the others take, one each; both by a wait for either of two items, which
 * are the same semaphore, or one of them in the way of its noun, or by a predicate. */
struct test : common<test> {
	csys_semaphore semaphore;
	cell watchers[threads];
	uint32_t flag;     /* of the predicate */
	bool is_one_alone; /* waits in the way of its noun */
	bool is_one_told;  /* waits for the predicate */
	static unsigned runs;

	void before()
	{
		semaphore = CSYS_SEMAPHORE_INIT(0);
		is_one_alone = runs % 3 == 1;
		is_one_told = runs++ % 3 == 2;
		is_prepared = 1;
		begin();
		new_cell(&semaphore.word, 0);
		new_cell(&flag, 0);
		use_place_of(&semaphore);
		if (place_of(&flag) != place_of(&semaphore))
			use_place_of(&flag);
		stack_cells = watchers;
		for (unsigned i = 0; i < threads; i++)
			stack_bases[i] = 0;
	}

	void use_place_of(const void *object)
	{
		new_cell(&place_of(object)->lock, 0);
		new_cell(&place_of(object)->count, 0);
		*place_of(object) = place();
	}

	static int is_up(void *argument)
	{
		return csysi_load_acquire((uint32_t *)argument) != 0;
	}

	int wait(unsigned index)
	{
		char base;
		size_t which = 77;
		const csys_wait_item predicate = csys_wait_for_predicate(is_up, &flag, &flag);
		const csys_wait_item items[] = { csys_wait_for_semaphore(&semaphore),
						 csys_wait_for_semaphore(&semaphore) };
		{
			keeper own;
			watchers[index].value.store(WAITING, rl::mo_relaxed, $);
		}
		stack_bases[index] = &base;
		int is_told = is_one_told && index == 1;
		int r = csys_wait_any_until(is_told ? &predicate : items, is_told ? 1 : 2,
					    some_deadline(), &which);
		stack_bases[index] = 0; /* the watcher is gone: touching it now crashes */
		RL_ASSERT(r < 0 || which < 2);
		return r;
	}

	void thread(unsigned index)
	{
		if (index == 0) {
			data($) = 1;
			RL_ASSERT(csys_semaphore_post(&semaphore, 1) == 0);
			if (is_one_told) {
				csysi_store_release(&flag, 1);
				csys_wait_any_notify(&flag);
			} else {
				RL_ASSERT(csys_semaphore_post(&semaphore, 1) == 0);
			}
			return;
		}
		if (is_one_alone && index == 1)
			csys_semaphore_wait(&semaphore);
		else
			while (wait(index) < 0)
				;
		RL_ASSERT(data($) == 1);
	}

	void after()
	{
		RL_ASSERT(csys_semaphore_try_wait(&semaphore) < 0);
		RL_ASSERT(!place_of(&semaphore)->first);
	}
};
unsigned test::runs;
#elif defined(SELECT)
/*
 * By turns: two selects that meet at two rendezvous channels in opposite directions, and a third
 * one with deadlines; one that receives from a rendezvous and from a buffered channel, until both
 * are closed; both directions of one rendezvous channel; one that sends to both kinds.
 */
static const int messages = 4; /* of each thread, at most */
static struct csysi_channel channels[2];
static uint32_t rings[2][2]; /* a slot and its stamp */
static rl::var<int> *slot_data;

static void copy_message(void *to, const void *from)
{
	keeper own;
	int message;

	rl::ctx().sched(); /* a copy takes time */
	message = *(const int *)from;
	for (int i = 0; i < 2; i++)
		if (from == rings[i])
			message = slot_data[i]($);
	for (int i = 0; i < 2; i++)
		if (to == rings[i]) {
			slot_data[i]($) = message;
			return;
		}
	*(int *)to = message;
}

struct test : common<test> {
	cell waiters[2 * threads];
	rl::var<int> slots[2], parts[threads * messages];
	int times[threads * messages];
	int sent[threads];
	int kind;
	static unsigned runs;

	void make(struct csysi_channel *c, bool is_met, uint32_t *ring)
	{
		c->kind = is_met ? CSYSI_CHANNEL_RENDEZVOUS : CSYSI_CHANNEL_BOUNDED;
		c->capacity = is_met ? 0 : 1;
		c->layout = CSYSI_CHANNEL_LAYOUT(int);
		c->slots = (char *)ring;
		c->stamps = (char *)(ring + 1);
		c->references = 3; /* one stays: the end is not tried */
		csysi_channel_owner_init(&c->tx_owner);
		csysi_channel_owner_init(&c->rx_owner);
		new_cell(&c->lock, 0);
		new_cell(&c->senders, 1);
		new_cell(&c->receivers, 1);
		new_cell(&c->references, 3);
		new_cell(&c->rx_flags, 0);
		new_cell(&c->tx_flags, 0);
		if (is_met)
			return;
		new_cell(&c->tail, 0);
		new_cell(&c->head, 0);
		new_cell(&c->head_seen, 0);
		new_cell(&c->tx_is_shared, 0);
		new_cell(&c->rx_is_shared, 0);
		new_cell(&c->turn, 0);
		new_cell(&c->tx_fence.mode, CSYSI_CHANNEL_FENCED);
		new_cell(&c->rx_fence.mode, CSYSI_CHANNEL_FENCED);
		new_cell(ring + 1, 0);
	}

	void before()
	{
		kind = runs % 4;
		runs++;
		slot_data = slots;
		memset(sent, 0, sizeof sent);
		memset(times, 0, sizeof times);
		memset(pairs, 0, sizeof pairs);
		memset(rings, 0, sizeof rings);
		memset(channels, 0, sizeof channels);
		pair_cells = waiters;
		begin();
		slots[0]($) = slots[1]($) = 0;
		csysi_channel_thread.cpu = 1; /* any number */
		csysi_channel_thread.random = runs;
		make(&channels[0], kind != 3, rings[0]);
		make(&channels[1], kind != 1, rings[1]);
	}

	static csys_sender *tx(int i)
	{
		return (csys_sender *)(void *)&channels[i];
	}

	static csys_receiver *rx(int i)
	{
		return (csys_receiver *)(void *)&channels[i];
	}

	/* The next message of a thread. */
	int next(unsigned index)
	{
		int number = int(index) * messages + sent[index];

		parts[number]($) = number;
		return number;
	}

	void take(int number)
	{
		RL_ASSERT(number >= 0 && number < int(threads) * messages);
		RL_ASSERT(parts[number]($) == number);
		times[number]++;
	}

	/* Sends to one, or receives from the other. */
	void exchange(unsigned index, int to, int from)
	{
		int number = next(index), got = -1, r;
		size_t which = 77;
		const csys_select_case cases[] = { csys_select_send(tx(to), &number),
						   csys_select_recv(rx(from), &got) };

		while ((r = csys_select_until(cases, 2, some_deadline(), &which)) == CSYS_ETIMEDOUT)
			;
		RL_ASSERT(r == 0 && which < 2);
		if (which == 0)
			sent[index]++;
		else
			take(got);
	}

	void send_to_either(unsigned index)
	{
		int number = next(index), r;
		size_t which;
		const csys_select_case cases[] = { csys_select_send(tx(0), &number),
						   csys_select_send(tx(1), &number) };

		while ((r = csys_select_until(cases, 2, some_deadline(), &which)) == CSYS_ETIMEDOUT)
			;
		RL_ASSERT(r == 0);
		sent[index]++;
	}

	void receive_from_both(void)
	{
		int got = -1, r, left = 2;
		size_t which;
		csys_select_case cases[] = { csys_select_recv(rx(0), &got),
					     csys_select_recv(rx(1), &got) };

		while (left > 0) {
			r = csys_select_until(cases, 2, some_deadline(), &which);
			if (r == 0) {
				take(got);
			} else if (r == CSYS_EDISCONNECTED) {
				memset(&cases[which], 0, sizeof cases[which]);
				left--;
			}
		}
	}

	void receive_from(int from)
	{
		int got = -1;

		while (csys_receiver_recv(rx(from), &got) == 0)
			take(got);
	}

	void send_to(unsigned index, int to)
	{
		for (int i = 0; i < 2; i++) {
			int number = next(index);
			while (csys_sender_send_until(tx(to), &number, some_deadline()) < 0)
				;
			sent[index]++;
		}
		csys_sender_close(tx(to));
	}

	void thread(unsigned index)
	{
		switch (kind) {
		case 0:
			for (unsigned i = 0; i < 3 - index; i++)
				exchange(index, index > 0, index == 0);
			break;
		case 1:
			if (index == 0)
				receive_from_both();
			else
				send_to(index, int(index) - 1);
			break;
		case 2:
			for (int i = 0; i < 2 && index < 2; i++)
				exchange(index, 0, 0);
			break;
		default:
			for (int i = 0; i < messages && index == 0; i++)
				send_to_either(index);
			if (index > 0)
				receive_from(int(index) - 1);
			else
				csys_sender_close(tx(0)), csys_sender_close(tx(1));
		}
		pairs[index] = 0;
	}

	void after()
	{
		for (unsigned i = 0; i < threads; i++)
			for (int k = 0; k < messages; k++)
				RL_ASSERT(times[i * messages + k] == (k < sent[i]));
	}
};
unsigned test::runs;
#elif defined(CHANNEL)
/* Two threads send, one receives until they have ended, or goes before that; or, in blocks, one
 * sends, and two receive that claim messages (channel_claim.c).  By turns: with room
 * for a message, or none, or in blocks of one slot or three, for which there may be no memory. */
static const int messages = 2; /* of each sender */
static struct csysi_channel channel;
static uint32_t ring[2]; /* the slot and its stamp */
static rl::var<int> *slot_data, *parts;
static int *taken;

/* The message at an address in the channel; NULL: it is elsewhere. */
static rl::var<int> *slot_at(const void *address)
{
	size_t at = (size_t)((const char *)address - (const char *)pool);

	if (address == ring)
		return &slot_data[0];
	if (at >= sizeof pool)
		return 0;
	return &slot_data[1 + at / sizeof *pool * block_slots + (at % sizeof *pool - 64) / 8];
}

static void copy_message(void *to, const void *from)
{
	int message = slot_at(from) ? (*slot_at(from))($) : *(const int *)from;

	if (slot_at(to))
		(*slot_at(to))($) = message;
	else
		*(int *)to = message;
}

static void take(int number)
{
	RL_ASSERT(number >= 0 && number < int(threads) * messages);
	RL_ASSERT(parts[number]($) == number);
	taken[number]++;
}

static void drop(void *value, void *)
{
	int number;
	copy_message(&number, value);
	take(number);
}

struct test : common<test> {
	cell waiters[2 * threads];
	rl::var<int> slots[1 + most_blocks * block_slots], of_senders[threads * messages];
	int times[threads * messages];
	int sent;
	bool is_met;    /* a rendezvous */
	unsigned shift; /* of blocks; 0: it has none */
	bool is_owned;  /* the receiver is the owner of its side */
	bool is_early;  /* and closes it early */
	unsigned receivers;
	static unsigned runs;

	void before()
	{
		is_met = runs % 3 == 2;
		shift = runs % 3 == 1 ? 1 + runs / 3 % 2 : 0;
		is_owned = runs % 2;
		is_early = runs % 5 == 4;
		receivers = shift && !is_owned && runs % 7 < 4 ? 2 : 1;
		runs++;
		slot_data = slots;
		parts = of_senders;
		taken = times;
		sent = 0;
		memset(times, 0, sizeof times);
		pair_cells = waiters;
		memset(pairs, 0, sizeof pairs);
		memset(ring, 0, sizeof ring);
		memset(&channel, 0, sizeof channel);
		begin();
		for (unsigned i = 0; i < sizeof slots / sizeof *slots; i++)
			slots[i]($) = 0;
		channel.kind = is_met  ? CSYSI_CHANNEL_RENDEZVOUS
			       : shift ? CSYSI_CHANNEL_UNBOUNDED
				       : CSYSI_CHANNEL_BOUNDED;
		channel.capacity = is_met ? 0 : 1;
		channel.layout = CSYSI_CHANNEL_LAYOUT(int);
		channel.slots = (char *)ring;
		channel.stamps = (char *)(ring + 1);
		channel.drop = drop;
		channel.senders = threads - receivers;
		channel.receivers = receivers;
		channel.has_many_receivers = receivers > 1;
		channel.references = 2;
		channel.cpu_at = 0; /* a number of each thread */
		csysi_channel_owner_init(&channel.tx_owner);
		csysi_channel_owner_init(&channel.rx_owner);
		if (is_owned && !is_met)
			channel.rx_owner.seat->thread = csysi_channel_me();
		new_cell(&channel.tail, 0);
		new_cell(&channel.head, 0);
		new_cell(&channel.head_seen, 0);
		new_cell(&channel.rx_flags, 0);
		new_cell(&channel.tx_flags, 0);
		new_cell(&channel.tx_is_shared, 0);
		new_cell(&channel.rx_is_shared, 0);
		new_cell(&channel.lock, 0);
		new_cell(&channel.turn, 0);
		new_cell(&channel.senders, channel.senders);
		new_cell(&channel.receivers, receivers);
		new_cell(&channel.references, 2);
		new_cell(&channel.tx_fence.mode, CSYSI_CHANNEL_FENCED);
		new_cell(&channel.rx_fence.mode, CSYSI_CHANNEL_FENCED);
		new_cell(ring + 1, 0);
		if (shift)
			begin_blocks();
	}

	void begin_blocks(void)
	{
		unsigned blocks = shift == 1 ? most_blocks : 3;

		channel.layout.shift = shift;
		memset(pool, 0, sizeof pool);
		for (unsigned i = 0; i < blocks; i++) {
			struct csysi_channel_block *block = (struct csysi_channel_block *)&pool[i];
			new_cell(&block->next, 0);
			for (unsigned k = 0; k < (1u << shift) - 1; k++)
				new_cell(csysi_channel_stamp(block, &channel.layout, k), 0);
		}
		blocks_taken = 0;
		blocks_left = runs / 6 % 2 ? blocks : 2;
		csysi_channel_blocks_init(&channel);
		new_cell(&channel.no_stamp, 0);
		new_cell(&channel.head_block, (unsigned long)channel.head_block);
		new_cell(&channel.tail_block, 0);
		new_cell(&channel.spare, 0);
		new_cell(&channel.published, 0);
		new_cell(&channel.claimed_from, 0);
		new_cell(&channel.oldest, 0);
		new_cell(&channel.spares, 0);
		channel.head_block = channel.tail_block = 0; /* for the end, which is not tried */
	}

	void send(unsigned index)
	{
		csys_sender *sender = (csys_sender *)(void *)&channel;
		int r = 0;

		/* The only one sends more, so that blocks are used again. */
		int all = messages * int(receivers), first = (int(index) + 1) * messages - all;

		for (int i = 0; i < all && r == 0; i++) {
			int number = first + i;
			of_senders[number]($) = number;
			do
				r = rl::rand(2) ? csys_sender_send(sender, &number)
						: csys_sender_send_until(sender, &number,
									 some_deadline());
			while (r == CSYS_ETIMEDOUT || r == CSYS_ENOMEM);
			if (r == 0)
				sent++;
		}
		RL_ASSERT(r == 0 || (r == CSYS_EDISCONNECTED && is_early));
		csys_sender_close(sender);
	}

	void receive(void)
	{
		csys_receiver *receiver = (csys_receiver *)(void *)&channel;
		int r, number = -1;

		do {
			r = rl::rand(2)
				    ? csys_receiver_recv(receiver, &number)
				    : csys_receiver_recv_until(receiver, some_deadline(), &number);
			if (r == 0)
				take(number);
		} while (r == CSYS_ETIMEDOUT || (r == 0 && !is_early));
		csys_receiver_close(receiver);
	}

	void thread(unsigned index)
	{
		if (index < receivers)
			receive();
		else
			send(index);
		pairs[index] = 0;
	}

	void after()
	{
		int all = 0;

		for (unsigned i = 0; i < threads * messages; i++) {
			RL_ASSERT(times[i] <= 1);
			all += times[i];
		}
		RL_ASSERT(all == sent);
	}
};
unsigned test::runs;
#endif

#if defined(SELECT)
static const int schedules = 40000;
#else
static const int schedules = 100000;
#endif

int main(int argc, char **argv)
{
	rl::test_params parameters;
	const char *what = argc > 1 ? argv[1] : "";

	is_acquire_relaxed = strcmp(what, "relaxed-acquire") == 0;
	is_release_relaxed = strcmp(what, "relaxed-release") == 0;
	is_wake_dropped = strcmp(what, "dropped-wake") == 0;
	if (strchr(what, ':')) {
		relaxed_line = atoi(strchr(what, ':') + 1);
		*strchr(argv[1], ':') = 0;
		relaxed_file = what;
	} else if (*what && !is_acquire_relaxed && !is_release_relaxed && !is_wake_dropped) {
		return 2;
	}

	parameters.iteration_count = argc > 2 ? atoi(argv[2]) : schedules;
	parameters.execution_depth_limit = 20000;
	parameters.search_type = rl::sched_random;
	return rl::simulate<test>(parameters) ? 0 : 1;
}
