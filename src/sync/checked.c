/*
 * sync/checked.c - the book of a checked build.
 *
 * Threads: each one that holds or wants something has a record, with what it holds in the
 * order of taking, and what it wants.
 *
 * Orders: a graph of locks.  An order from A to B says that B was once wanted while A was
 * held.  A new order that closes a ring is an inversion.  It is kept too, so it is
 * reported once.  Locks have a generation; orders of an earlier one are dead.
 *
 * Deadlocks: a thread that wants a lock waits for those that hold it, and a reader waits for
 * the writers that came before it.  When the last thread of a ring notes what it wants, all others
 * are in the book: each noted what it holds before it wanted the next lock.  But whether a writer
 * comes first is seen in the lock's word, which may say so only after that; so a reader that
 * sleeps looks again, for all threads.
 *
 * Everything is under one lock and in static memory, so that a check makes no operation fail and
 * allocates nothing.  The lock is released before anything is reported.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/checked.h>
#include <csys/sync/rwlock.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/checked.h"
#include "sync/ledger.h"
#include "sync/lock.h"
#include "sync/spin.h"

#if defined(CSYS_CHECKED)

#define LOCKS 8192
#define ORDERS 32768
#define THREADS 512
#define MOST_HELD 32

/* In `how`, beside those of the ledger: what a thread in a condvar's queue wants. */
#define CONDVAR CSYSI_WANTS_CONDVAR

/* In place of what is wanted: whatever it is. */
#define ANY (-1)

/* How long a thread sleeps between two looks for deadlocks. */
#define LOOK_AGAIN_MS 100

/* Where a thread is about to do something with an object. */
struct place {
	const void *object;
	const char *kind; /* NULL: what `how` says */
	const char *file;
	int line;
};

struct use {
	const void *lock; /* NULL: none */
	int how;
	struct place place;
	int64_t since;
};

struct thread {
	uint32_t number;
	int is_used;
	int count;
	struct use held[MOST_HELD];
	struct use wants;
	const void *mutex;      /* of the condvar that it wants */
	csys_deadline deadline; /* of wants */
	uint32_t search;        /* the last one that has been here */
	int is_reported;        /* its wait for ever, while it lasts */
};

/* Indices are one more than the place in the array; 0 is none. */
struct node {
	uintptr_t address;
	int kind; /* how it is held; of a rwlock always as writing */
	uint32_t generation;
	uint32_t first; /* order from here */
	uint32_t next;  /* of its bucket */
	uint32_t search;
	uint32_t came_by; /* the order by which the search came here */
};

struct order {
	uint32_t from, to;
	uint32_t from_generation, to_generation;
	uint32_t next;           /* from the same node */
	uint32_t next_in_bucket; /* of order_buckets */
	uint32_t thread;         /* its number */
	struct use held, wanted;
};

struct text {
	char at[4096];
	size_t size;
};

static struct csysi_process_lock book; /* guards all that is static here */

static struct thread threads[THREADS];
static uint32_t threads_numbered;
static int threads_used; /* none at or beyond it is used */

static struct node nodes[LOCKS];
static uint32_t nodes_used, nodes_free; /* free ones are linked by next */
static uint32_t node_buckets[LOCKS];
static struct order orders[ORDERS];
static uint32_t orders_used;
static uint32_t order_buckets[ORDERS];
static uint32_t generations, searches;

static csys_sync_hook *hook;
static void *hook_argument;

static _Thread_local struct {
	struct thread *record; /* NULL, or its own as long as that has its number */
	uint32_t number;
	int is_reporting;
	struct place here;
} own;

/* ---- the book ------------------------------------------------------------------------- */

/* This thread's record; NULL: it holds and wants nothing, or there was no room. */
static struct thread *mine(void)
{
	struct thread *self = own.record;

	return self && self->is_used && self->number == own.number ? self : NULL;
}

static void forget_orders(void)
{
	memset(node_buckets, 0, sizeof node_buckets);
	memset(order_buckets, 0, sizeof order_buckets);
	nodes_used = nodes_free = orders_used = 0;
}

static int is_shared(int how)
{
	return how == CSYSI_HELD_SHARED || how == CSYSI_HELD_SHARED_READ ||
	       how == CSYSI_HELD_SHARED_WRITE || how == CSYSI_HELD_SHARED_PERMIT ||
	       how == CSYSI_HELD_SHARED_ONCE;
}

/* In a forked child: locks between processes that the thread held are its parent's. */
static void forget_shared(struct thread *self)
{
	int count = 0;

	for (int i = 0; i < self->count; i++)
		if (!is_shared(self->held[i].how))
			self->held[count++] = self->held[i];
	self->count = count;
}

/*
 * In a forked child the book may be half changed, and of its threads only the one that forked
 * exists.  If another thread of the child is the first to come here, what the forking thread
 * holds is forgotten.
 */
static void begin_in_child(void)
{
	for (int i = 0; i < threads_used; i++)
		if (&threads[i] != mine())
			threads[i].is_used = 0;
	if (mine())
		forget_shared(mine());
	forget_orders();
}

static void open_book(void)
{
	csysi_process_lock_lock(&book, begin_in_child);
}

static void close_book(void)
{
	csysi_process_lock_unlock(&book);
}

static uint32_t my_number(void)
{
	if (own.number == 0)
		own.number = ++threads_numbered;
	return own.number;
}

/* This thread's record, made now if there is none; NULL: there is no room. */
static struct thread *record(void)
{
	struct thread *self = mine();

	if (self)
		return self;
	for (int i = 0; i < THREADS; i++) {
		if (threads[i].is_used)
			continue;
		threads[i] = (struct thread){ .number = my_number(), .is_used = 1 };
		own.record = &threads[i];
		if (threads_used <= i)
			threads_used = i + 1;
		return own.record;
	}
	return NULL;
}

/* A thread that holds and wants nothing needs no record; so a record outlives its thread only if
 * that has left a lock. */
static void tidy(struct thread *thread)
{
	if (thread->count > 0 || thread->wants.lock)
		return;
	thread->is_used = 0;
	while (threads_used > 0 && !threads[threads_used - 1].is_used)
		threads_used--;
}

static struct use use_now(const void *lock, int how)
{
	struct use use = { .lock = lock, .how = how, .since = csys_now() };

	if (own.here.object == lock)
		use.place = own.here;
	return use;
}

/* ---- texts ------------------------------------------------------------------------------ */

CSYSI_ATTRIBUTE((format(printf, 2, 3)))
static void say(struct text *text, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	int size =
		vsnprintf(text->at + text->size, sizeof text->at - text->size, format, arguments);
	va_end(arguments);
	if (size > 0)
		text->size += (size_t)size;
	if (text->size > sizeof text->at - 1)
		text->size = sizeof text->at - 1;
}

static void say_lock(struct text *text, const struct use *use)
{
	static const char *const kinds[][2] = {
		[CSYSI_HELD_MUTEX] = { "mutex", "" },
		[CSYSI_HELD_WRITE] = { "rwlock", " (writing)" },
		[CSYSI_HELD_READ] = { "rwlock", " (reading)" },
		[CSYSI_HELD_SHARED] = { "shared mutex", "" },
		[CSYSI_HELD_SHARED_PERMIT] = { "shared permit", "" },
		[CSYSI_HELD_SHARED_ONCE] = { "shared once", "" },
		[CSYSI_HELD_SHARED_WRITE] = { "shared rwlock", " (writing)" },
		[CSYSI_HELD_SHARED_READ] = { "shared rwlock", " (reading)" },
		[CSYSI_HELD_ONCE] = { "once", "" },
		[CSYSI_HELD_UPGRADABLE] = { "rwlock", " (reading upgradably)" },
		[CONDVAR] = { "condvar", "" },
		[CSYSI_WANTS_SHARED_CONDVAR] = { "shared condvar", "" },
		[CSYSI_WANTS_UPGRADE] = { "rwlock", " (upgrading)" },
		[CSYSI_WANTS_RECURSIVE] = { "rwlock", " (reading)" },
		[CSYSI_RECEIVES] = { "receiver", "" },
	};
	_Static_assert(sizeof kinds / sizeof *kinds == CSYSI_RECEIVES + 1, "each has a name");

	say(text, "%s %p%s", use->place.kind ? use->place.kind : kinds[use->how][0], use->lock,
	    kinds[use->how][1]);
}

static void say_place(struct text *text, const struct use *use)
{
	if (use->place.file)
		say(text, "%s:%d", use->place.file, use->place.line);
	else
		say(text, "an unknown place");
}

static void say_since(struct text *text, const struct use *use)
{
	int64_t us = (csys_now() - use->since) / 1000;

	say(text, "%lld.%03lld ms ago", (long long)(us / 1000), (long long)(us % 1000));
}

/* The thread goes on if this returns. */
static void report(int what, const char *text)
{
	csys_sync_hook *call;
	void *argument;
	int is_fatal = what == CSYS_CHECK_DEADLOCK || what == CSYS_CHECK_UNLOCK ||
		       what == CSYS_CHECK_RECEIVER;

	open_book();
	call = hook;
	argument = hook_argument;
	close_book();
	own.is_reporting = 1;
	if (call)
		is_fatal = call(what, text, argument);
	else
		fputs(text, stderr);
	own.is_reporting = 0;
	if (is_fatal)
		csysi_os_abort(what == CSYS_CHECK_UNLOCK
				       ? "unlock of a lock that this thread does not hold"
			       : what == CSYS_CHECK_RECEIVER
				       ? "two threads at once receive from one receiver"
				       : "a check of locks has failed");
}

/* ---- orders ---------------------------------------------------------------------------- */

static uint32_t *node_bucket(uintptr_t address)
{
	/* Fibonacci hashing; 13 bits. */
	return &node_buckets[((uint64_t)address * 0x9e3779b97f4a7c15u) >> 51];
}

static uint32_t *order_bucket(uint32_t from, uint32_t to)
{
	/* 15 bits. */
	return &order_buckets[(((uint64_t)from << 32 | to) * 0x9e3779b97f4a7c15u) >> 49];
}

static void forget_node(uintptr_t address)
{
	for (uint32_t *at = node_bucket(address); *at; at = &nodes[*at - 1].next) {
		struct node *node = &nodes[*at - 1];
		if (node->address != address)
			continue;
		uint32_t index = *at;
		*at = node->next;
		node->generation = 0; /* of no order */
		node->next = nodes_free;
		nodes_free = index;
		return;
	}
}

static uint32_t find_node(uintptr_t address, int kind)
{
	for (uint32_t at = *node_bucket(address); at; at = nodes[at - 1].next) {
		if (nodes[at - 1].address != address)
			continue;
		if (nodes[at - 1].kind == kind)
			return at;
		forget_node(address); /* another kind: the memory is used anew */
		return 0;
	}
	return 0;
}

static int is_of_rwlock(int how)
{
	return how == CSYSI_HELD_WRITE || how == CSYSI_HELD_READ || how == CSYSI_HELD_UPGRADABLE ||
	       how == CSYSI_HELD_SHARED_WRITE || how == CSYSI_HELD_SHARED_READ ||
	       how == CSYSI_WANTS_UPGRADE || how == CSYSI_WANTS_RECURSIVE;
}

/* The node of a lock, made now if there is none; there is room. */
static uint32_t node_of(const struct use *use)
{
	uintptr_t address = (uintptr_t)use->lock;
	int kind = is_of_rwlock(use->how) ? CSYSI_HELD_WRITE : use->how;
	uint32_t index = find_node(address, kind);
	if (index)
		return index;

	index = nodes_free;
	if (index)
		nodes_free = nodes[index - 1].next;
	else
		index = ++nodes_used;
	uint32_t *bucket = node_bucket(address);
	nodes[index - 1] = (struct node){
		.address = address, .kind = kind, .generation = ++generations, .next = *bucket
	};
	*bucket = index;
	return index;
}

static int is_alive(const struct order *order)
{
	return nodes[order->from - 1].generation == order->from_generation &&
	       nodes[order->to - 1].generation == order->to_generation;
}

static int has_order(uint32_t from, uint32_t to)
{
	for (uint32_t at = *order_bucket(from, to); at; at = orders[at - 1].next_in_bucket) {
		const struct order *order = &orders[at - 1];
		if (order->from == from && order->to == to && is_alive(order))
			return 1;
	}
	return 0;
}

/* Whether orders lead from one to the other; `came_by` of each node on the way says which. */
static int leads(uint32_t from, uint32_t to)
{
	static uint32_t queue[LOCKS];
	uint32_t head = 0, tail = 0;

	searches++;
	nodes[from - 1].search = searches;
	nodes[from - 1].came_by = 0;
	queue[tail++] = from;
	while (head < tail) {
		uint32_t at = queue[head++];
		if (at == to)
			return 1;
		for (uint32_t next = nodes[at - 1].first; next; next = orders[next - 1].next) {
			struct node *node = &nodes[orders[next - 1].to - 1];
			if (!is_alive(&orders[next - 1]) || node->search == searches)
				continue;
			node->search = searches;
			node->came_by = next;
			queue[tail++] = orders[next - 1].to;
		}
	}
	return 0;
}

static void say_inversion(struct text *text, const struct thread *self, const struct use *held,
			  uint32_t last)
{
	say(text, "csys: locks are taken in both orders: thread %u wants ", self->number);
	say_lock(text, &self->wants);
	say(text, " at ");
	say_place(text, &self->wants);
	say(text, "\n  while it holds ");
	say_lock(text, held);
	say(text, ", taken at ");
	say_place(text, held);
	say(text, "\n");
	for (uint32_t at = nodes[last - 1].came_by; at;
	     at = nodes[orders[at - 1].from - 1].came_by) {
		const struct order *order = &orders[at - 1];
		say(text, "  but thread %u wanted ", order->thread);
		say_lock(text, &order->wanted);
		say(text, " at ");
		say_place(text, &order->wanted);
		say(text, "\n  while it held ");
		say_lock(text, &order->held);
		say(text, ", taken at ");
		say_place(text, &order->held);
		say(text, "\n");
	}
}

/* Note that it wants one while it holds the others.  1: an inversion, which is in `text`. */
static int note_orders(const struct thread *self, struct text *text)
{
	int is_inverted = 0;

	if (self->count == 0)
		return 0;
	/* Room for the nodes and orders of one thread; if not, the book begins anew. */
	if (nodes_used + MOST_HELD + 1 > LOCKS || orders_used + MOST_HELD > ORDERS)
		forget_orders();
	uint32_t to = node_of(&self->wants);
	for (int i = 0; i < self->count; i++) {
		const struct use *held = &self->held[i];
		if (held->how == CSYSI_RECEIVES)
			continue;
		uint32_t from = node_of(held);
		if (from == to || has_order(from, to))
			continue;
		if (!is_inverted && leads(to, from)) {
			say_inversion(text, self, held, from);
			is_inverted = 1;
		}
		uint32_t *bucket = order_bucket(from, to);
		orders[orders_used] = (struct order){ .from = from,
						      .to = to,
						      .from_generation = nodes[from - 1].generation,
						      .to_generation = nodes[to - 1].generation,
						      .next = nodes[from - 1].first,
						      .next_in_bucket = *bucket,
						      .thread = self->number,
						      .held = *held,
						      .wanted = self->wants };
		orders_used++;
		nodes[from - 1].first = *bucket = orders_used;
	}
	return is_inverted;
}

/* ---- deadlocks ----------------------------------------------------------------------------- */

static int is_read_lock(int how)
{
	return how == CSYSI_HELD_READ || how == CSYSI_HELD_UPGRADABLE ||
	       how == CSYSI_HELD_SHARED_READ;
}

/* Whether a lock that is held in one way cannot be had in the other. */
static int excludes(int held, int wanted)
{
	int is_read = is_read_lock(held);

	switch (wanted) {
	case CSYSI_HELD_READ:
	case CSYSI_HELD_SHARED_READ:
	case CSYSI_WANTS_RECURSIVE:
		return !is_read;
	case CSYSI_HELD_UPGRADABLE:
		return held != CSYSI_HELD_READ;
	case CSYSI_WANTS_UPGRADE:
		return held != CSYSI_HELD_UPGRADABLE; /* its own */
	default:
		return 1;
	}
}

/* The newest use by which a thread holds a lock; of those that exclude `wanted`, if that is one of
 * the ways, and not ANY. */
static struct use *holding(struct thread *thread, const void *lock, int wanted)
{
	for (int i = thread->is_used ? thread->count : 0; i > 0; i--) {
		struct use *held = &thread->held[i - 1];
		if (held->lock == lock && (wanted == ANY || excludes(held->how, wanted)))
			return held;
	}
	return NULL;
}

static int waits_for_ever(const struct thread *thread)
{
	return thread->is_used && thread->wants.lock && thread->wants.how != CONDVAR &&
	       thread->wants.how != CSYSI_WANTS_SHARED_CONDVAR &&
	       csys_deadline_is_forever(thread->deadline);
}

/*
 * Whether a reader surely waits for writers, which wait for other readers: the word says that a
 * writer waits, and it counts no reader that is not noted, so this one has not come in.
 */
static int is_kept_out(const struct thread *reader)
{
	const csys_rwlock *lock = reader->wants.lock;
	int how = reader->wants.how;
	uint32_t readers = 0;

	if (how != CSYSI_HELD_READ && how != CSYSI_HELD_UPGRADABLE)
		return 0;
	for (int i = 0; i < threads_used; i++)
		for (int k = 0; threads[i].is_used && k < threads[i].count; k++)
			if (threads[i].held[k].lock == lock) {
				if (&threads[i] == reader && how == CSYSI_HELD_READ)
					return 0; /* it comes in past them */
				readers++;
			}
	/* Relaxed: a writer that has said so waits until those readers leave. */
	uint32_t word = csysi_load_relaxed(&lock->word);
	return (word & CSYSI_RWLOCK_WRITERS_WAIT) && !(word & CSYSI_RWLOCK_WRITER) &&
	       (word & CSYSI_RWLOCK_READERS) == readers;
}

/* Whether a thread waits for another, which holds what it wants, or is a writer before it. */
static int is_blocked_by(const struct thread *thread, struct thread *other, int kept_out)
{
	if (holding(other, thread->wants.lock, thread->wants.how))
		return 1;
	return kept_out && waits_for_ever(other) && other->wants.lock == thread->wants.lock &&
	       (other->wants.how == CSYSI_HELD_WRITE || other->wants.how == CSYSI_WANTS_UPGRADE);
}

/* Whether `thread` waits for `self`, through others or not; if so, `text` says how. */
static int waits_for(struct thread *thread, const struct thread *self, struct text *text)
{
	if (!waits_for_ever(thread) || thread->search == searches)
		return 0;
	thread->search = searches;
	int kept_out = is_kept_out(thread);
	for (int i = 0; i < threads_used; i++) {
		if (!is_blocked_by(thread, &threads[i], kept_out))
			continue;
		if (&threads[i] == self)
			say(text, "csys: threads wait for each other for ever:\n");
		else if (!waits_for(&threads[i], self, text))
			continue;
		say(text, "  thread %u wants ", thread->number);
		say_lock(text, &thread->wants);
		say(text, " at ");
		say_place(text, &thread->wants);
		const struct use *held =
			holding(&threads[i], thread->wants.lock, thread->wants.how);
		say(text, ",\n    which thread %u %s ", threads[i].number,
		    held ? "holds, taken at" : "waits to write, before it, at");
		say_place(text, held ? held : &threads[i].wants);
		say(text, "\n");
		return 1;
	}
	return 0;
}

/* Whether a ring of waiting threads begins and ends here; if so, `text` says how.  Each is reported
 * once. */
static int waits_for_itself(struct thread *self, struct text *text)
{
	text->size = 0;
	searches++;
	if (self->is_reported || !waits_for(self, self, text))
		return 0;
	for (int i = 0; i < threads_used; i++)
		if (threads[i].search == searches)
			threads[i].is_reported = 1;
	return 1;
}

/* ---- what locks tell ----------------------------------------------------------------------- */

void csysi_checked_at(const void *object, const char *kind, const char *file, int line)
{
	/* A lock that a hook takes does not change the place of the one that is reported, which
	 * goes on later. */
	if (!own.is_reporting)
		own.here = (struct place){ object, kind, file, line };
}

void csysi_checked_wants(const void *lock, int how, csys_deadline deadline)
{
	struct text inversion, deadlock;
	int is_inverted = 0, is_dead = 0;

	/* A thread that does not wait blocks no other. */
	if (own.is_reporting || csys_deadline_is_poll(deadline))
		return;
	inversion.size = deadlock.size = 0;
	open_book();
	struct thread *self = record();
	if (self) {
		self->wants = use_now(lock, how);
		self->deadline = deadline;
		self->is_reported = 0;
		/* A lock that it holds already makes no order: it is read again, or the thread
		 * waits for itself. */
		if (!holding(self, lock, ANY))
			is_inverted = note_orders(self, &inversion);
		is_dead = waits_for_itself(self, &deadlock);
	}
	close_book();
	if (is_inverted)
		report(CSYS_CHECK_ORDER, inversion.at);
	if (is_dead)
		report(CSYS_CHECK_DEADLOCK, deadlock.at);
}

csys_deadline csysi_checked_looks_again(void)
{
	struct text text;
	int is_dead = 0;

	if (own.is_reporting)
		return CSYS_FOREVER;
	open_book();
	for (int i = 0; i < threads_used && !is_dead; i++)
		is_dead = waits_for_itself(&threads[i], &text);
	close_book();
	if (is_dead)
		report(CSYS_CHECK_DEADLOCK, text.at);
	return csys_after_ms(LOOK_AGAIN_MS);
}

void csysi_checked_gave_up(void)
{
	if (own.is_reporting)
		return;
	open_book();
	struct thread *self = mine();
	if (self) {
		self->wants.lock = NULL;
		tidy(self);
	}
	close_book();
}

static void strike(struct thread *thread, int at)
{
	thread->count--;
	memmove(&thread->held[at], &thread->held[at + 1],
		(size_t)(thread->count - at) * sizeof thread->held[0]);
	tidy(thread);
}

/* Strike the holders that exclude this one: they held a lock that was there before. */
static void strike_ghosts(const void *lock, int how)
{
	for (int i = 0; i < threads_used; i++)
		for (int k = threads[i].is_used ? threads[i].count : 0; k > 0; k--) {
			const struct use *held = &threads[i].held[k - 1];
			if (held->lock != lock || !excludes(held->how, how))
				continue;
			strike(&threads[i], k - 1);
			forget_node((uintptr_t)lock);
		}
}

void csysi_checked_has(const void *lock, int how)
{
	if (own.is_reporting)
		return;
	open_book();
	strike_ghosts(lock, how);
	struct thread *self = record();
	if (self) {
		self->wants.lock = NULL;
		if (self->count < MOST_HELD)
			self->held[self->count++] = use_now(lock, how);
	}
	close_book();
}

/* Some other thread that holds it alone. */
static const struct thread *other_holder(const void *lock, const struct use **out)
{
	for (int i = 0; i < threads_used; i++) {
		*out = holding(&threads[i], lock, ANY);
		if (&threads[i] != mine() && *out && !is_read_lock((*out)->how))
			return &threads[i];
	}
	return NULL;
}

/* 1: another thread holds it, and `text` says which. */
static int is_strange(const void *lock, struct text *text)
{
	const struct use *held;
	const struct thread *holder = other_holder(lock, &held);
	if (!holder)
		return 0;

	struct use use = use_now(lock, held->how);
	say(text, "csys: thread %u unlocks ", my_number());
	say_lock(text, held);
	say(text, " at ");
	say_place(text, &use);
	say(text, ",\n  which thread %u holds, taken at ", holder->number);
	say_place(text, held);
	say(text, "\n");
	return 1;
}

void csysi_checked_leaves(const void *lock, int how, int may_be_gone)
{
	struct text text;
	int is_wrong = 0;

	if (own.is_reporting)
		return;
	text.size = 0;
	open_book();
	struct thread *self = mine();
	int at = self ? self->count : 0;
	while (at > 0 && (self->held[at - 1].lock != lock || self->held[at - 1].how != how))
		at--;
	if (at > 0)
		strike(self, at - 1);
	else
		is_wrong = !may_be_gone && is_strange(lock, &text);
	close_book();
	if (is_wrong)
		report(CSYS_CHECK_UNLOCK, text.at);
}

void csysi_checked_holds_now(const void *lock, int how)
{
	if (own.is_reporting)
		return;
	open_book();
	struct thread *self = mine();
	struct use *held = self ? holding(self, lock, ANY) : NULL;
	if (held) {
		held->how = how;
		self->wants.lock = NULL; /* the upgrade that it wanted */
	}
	close_book();
}

void csysi_checked_waits(const void *condvar, int how, const void *mutex, const void *first,
			 csys_deadline deadline)
{
	struct text text;
	int is_wrong = first != mutex;

	if (own.is_reporting)
		return;
	text.size = 0;
	open_book();
	struct thread *self = record();
	if (self) {
		/* The place of the call is that of its mutex. */
		self->wants = use_now(mutex, how);
		self->wants.lock = condvar;
		self->wants.place.kind = NULL;
		self->deadline = deadline;
		self->mutex = mutex;
		if (is_wrong) {
			say(&text, "csys: thread %u waits at condvar %p with lock %p at ",
			    self->number, condvar, mutex);
			say_place(&text, &self->wants);
			say(&text, ",\n  where others wait with lock %p", first);
			for (int i = 0; i < threads_used; i++) {
				const struct thread *thread = &threads[i];
				if (!thread->is_used || thread->wants.lock != condvar ||
				    thread->wants.how != CONDVAR || thread->mutex != first)
					continue;
				say(&text, ": thread %u, at ", thread->number);
				say_place(&text, &thread->wants);
				break;
			}
			say(&text, "\n");
		}
	}
	close_book();
	if (self && is_wrong)
		report(CSYS_CHECK_CONDVAR, text.at);
}

/* ---- receivers ----------------------------------------------------------------------------- */

/* Another thread that is in a receive from this receiver. */
static const struct use *other_receive(const void *receiver, uint32_t *out_number)
{
	for (int i = 0; i < threads_used; i++) {
		const struct use *held = holding(&threads[i], receiver, ANY);
		if (&threads[i] == mine() || !held || held->how != CSYSI_RECEIVES)
			continue;
		*out_number = threads[i].number;
		return held;
	}
	return NULL;
}

void csysi_checked_receives(const void *receiver)
{
	struct use use = use_now(receiver, CSYSI_RECEIVES);
	struct text text;
	uint32_t number;

	if (own.is_reporting)
		return;
	text.size = 0;
	open_book();
	const struct use *other = other_receive(receiver, &number);
	if (other) {
		say(&text, "csys: thread %u receives from ", my_number());
		say_lock(&text, &use);
		say(&text, " at ");
		say_place(&text, &use);
		say(&text, ",\n  while thread %u does at ", number);
		say_place(&text, other);
		say(&text, "; it was not made for many receivers\n");
	}
	struct thread *self = record();
	if (self && self->count < MOST_HELD)
		self->held[self->count++] = use;
	close_book();
	if (other)
		report(CSYS_CHECK_RECEIVER, text.at);
}

void csysi_checked_received(const void *receiver)
{
	if (own.is_reporting)
		return;
	open_book();
	struct thread *self = mine();
	struct use *held = self ? holding(self, receiver, ANY) : NULL;
	if (held)
		strike(self, (int)(held - self->held));
	close_book();
}

/* ---- what users ask ---------------------------------------------------------------------- */

int csys_sync_is_checked(void)
{
	return 1;
}

void csys_sync_set_hook(csys_sync_hook *call, void *argument)
{
	open_book();
	hook = call;
	hook_argument = argument;
	close_book();
}

/* What there is to say about a thread: the nth it holds, then what it wants.  0: nothing more. */
static int say_nth(struct text *text, const struct thread *thread, int nth)
{
	const struct use *use = nth < thread->count ? &thread->held[nth] : &thread->wants;

	if (!thread->is_used || nth > thread->count || !use->lock)
		return 0;
	int is_held = nth < thread->count && use->how != CSYSI_RECEIVES;
	say(text, "thread %u %s ", thread->number,
	    is_held                      ? "holds"
	    : use->how == CSYSI_RECEIVES ? "receives from"
					 : "waits for");
	say_lock(text, use);
	say(text, is_held ? ", taken " : ", begun ");
	say_since(text, use);
	say(text, " at ");
	say_place(text, use);
	for (int i = 0; use == &thread->wants && i < threads_used; i++)
		if (holding(&threads[i], use->lock, ANY))
			say(text, ", held by thread %u", threads[i].number);
	return 1;
}

int csys_sync_dump(csys_sync_line *line, void *argument)
{
	for (int i = 0; i < THREADS; i++)
		for (int nth = 0, is_said = 1; is_said; nth++) {
			struct text text;
			text.size = 0;
			open_book();
			is_said = say_nth(&text, &threads[i], nth);
			close_book();
			if (is_said && line)
				line(text.at, argument);
			else if (is_said)
				fprintf(stderr, "%s\n", text.at);
		}
	return 0;
}

static void forget_in_book(const void *memory, size_t size)
{
	uintptr_t begin = (uintptr_t)memory;

	open_book();
	for (int i = 0; i < threads_used; i++)
		for (int k = threads[i].is_used ? threads[i].count : 0; k > 0; k--)
			if ((uintptr_t)threads[i].held[k - 1].lock - begin < size)
				strike(&threads[i], k - 1);
	for (uint32_t i = 0; i < nodes_used; i++)
		if (nodes[i].generation != 0 && nodes[i].address - begin < size)
			forget_node(nodes[i].address);
	close_book();
}

#else

int csys_sync_is_checked(void)
{
	return 0;
}

void csys_sync_set_hook(csys_sync_hook *call, void *argument)
{
	(void)call;
	(void)argument;
}

int csys_sync_dump(csys_sync_line *line, void *argument)
{
	(void)line;
	(void)argument;
	return CSYS_ENOTSUP;
}

static void forget_in_book(const void *memory, size_t size)
{
	(void)memory;
	(void)size;
}

#endif

void csys_sync_forget(const void *memory, size_t size)
{
	csysi_ledger_forget(memory, size);
	csysi_spin_forget(memory, size);
	forget_in_book(memory, size);
}
