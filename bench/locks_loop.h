/*
 * bench/locks_loop.h - the loops of one peer of bench/locks in C.
 *
 * Not a header as others are: a peer defines its types and calls, then includes
 * this once, and LOOPS is all it has:
 *
 *     #define MUTEX           pthread_mutex_t
 *     #define MUTEX_INIT(m)   pthread_mutex_init(m, NULL)
 *     ...
 *     #include "locks_loop.h"
 *     const struct locks_peer locks_peer_pthread = { "pthread", version, { LOOPS } };
 *
 * What it does not define, it does not have.  Macros and not functions, since each peer's
 * own calls must end up within the loops, and the loops be written once.
 */
#include <sched.h>
#include <stdlib.h>

#include "locks_peer.h"

/* Wide enough for the lines that a CPU fetches in pairs. */
#define LOCKS_ALIGNED _Alignas(128)

/* ---- mutex ------------------------------------------------------------------ */

#ifdef MUTEX
struct mutex_object {
	LOCKS_ALIGNED MUTEX lock;
	uint64_t value; /* under lock, and beside it as in most programs */
};

static void *mutex_create(int threads)
{
	(void)threads;
	struct mutex_object *o = locks_memory(sizeof *o);
	MUTEX_INIT(&o->lock);
	return o;
}

static uint64_t mutex_destroy(void *object)
{
	struct mutex_object *o = object;
	uint64_t value = o->value;
	MUTEX_FINI(&o->lock);
	free(o);
	return value;
}

static void mutex_pair(void *object, int64_t count)
{
	struct mutex_object *o = object;
	for (; count > 0; count--) {
		MUTEX_LOCK(&o->lock);
		MUTEX_UNLOCK(&o->lock);
	}
}

static void mutex_contend(void *object, struct locks_share *share)
{
	struct mutex_object *o = object;
	uint64_t random = share->random;
	uint64_t done = 0;
	while (!__atomic_load_n(share->stop, __ATOMIC_RELAXED)) {
		MUTEX_LOCK(&o->lock);
		o->value++;
		MUTEX_UNLOCK(&o->lock);
		done++;
		if (share->work > 0)
			random = share->do_work(random, share->work);
	}
	share->random = random;
	share->done = done;
	share->wrote = done;
}

static void mutex_crowd(void *object, struct locks_share *share)
{
	struct mutex_object *o = object;
	uint64_t random = share->random;
	uint64_t done = 0;
	int64_t longest = 0;
	while (!__atomic_load_n(share->stop, __ATOMIC_RELAXED)) {
		int64_t begin = share->now();
		MUTEX_LOCK(&o->lock);
		int64_t waited = share->now() - begin;
		o->value++;
		random = share->do_work(random, share->hold);
		MUTEX_UNLOCK(&o->lock);
		longest = waited > longest ? waited : longest;
		done++;
		if (share->work > 0)
			random = share->do_work(random, share->work);
	}
	share->random = random;
	share->done = done;
	share->wrote = done;
	share->longest = longest;
}

static void mutex_meet(void *object, int index, int64_t count, void (*pause)(int))
{
	(void)index;
	struct mutex_object *o = object;
	for (; count > 0; count--) {
		MUTEX_LOCK(&o->lock);
		o->value++;
		if (pause)
			pause(LOCKS_HOLD_US);
		MUTEX_UNLOCK(&o->lock);
		/* Time for the other to wake up and take it, and to be waited for. */
		if (pause)
			pause(LOCKS_HOLD_US / 2);
	}
}

#define LOOPS_MUTEX                                 \
	[LOCKS_MUTEX] = { .size = sizeof(MUTEX),    \
			  .create = mutex_create,   \
			  .destroy = mutex_destroy, \
			  .pair = { mutex_pair },   \
			  .contend = mutex_contend, \
			  .crowd = mutex_crowd,     \
			  .meet = mutex_meet }
#else
#define LOOPS_MUTEX [LOCKS_MUTEX] = { .size = 0 }
#endif

/* ---- rwlock ----------------------------------------------------------------- */

#ifdef RWLOCK
struct rwlock_object {
	LOCKS_ALIGNED RWLOCK lock;
	uint64_t value; /* under lock */
};

static void *rwlock_create(int threads)
{
	(void)threads;
	struct rwlock_object *o = locks_memory(sizeof *o);
	RWLOCK_INIT(&o->lock);
	return o;
}

static uint64_t rwlock_destroy(void *object)
{
	struct rwlock_object *o = object;
	uint64_t value = o->value;
	RWLOCK_FINI(&o->lock);
	free(o);
	return value;
}

static void rwlock_pair_read(void *object, int64_t count)
{
	struct rwlock_object *o = object;
	for (; count > 0; count--) {
		RWLOCK_READ(&o->lock);
		RWLOCK_UNLOCK_READ(&o->lock);
	}
}

static void rwlock_pair_write(void *object, int64_t count)
{
	struct rwlock_object *o = object;
	for (; count > 0; count--) {
		RWLOCK_WRITE(&o->lock);
		RWLOCK_UNLOCK_WRITE(&o->lock);
	}
}

static void rwlock_contend(void *object, struct locks_share *share)
{
	struct rwlock_object *o = object;
	uint64_t random = share->random;
	uint64_t done = 0;
	uint64_t wrote = 0;
	uint64_t seen = 0;
	while (!__atomic_load_n(share->stop, __ATOMIC_RELAXED)) {
		random = locks_step(random);
		if ((uint32_t)(random >> 32) < share->writes) {
			RWLOCK_WRITE(&o->lock);
			o->value++;
			RWLOCK_UNLOCK_WRITE(&o->lock);
			wrote++;
		} else {
			RWLOCK_READ(&o->lock);
			seen += o->value;
			RWLOCK_UNLOCK_READ(&o->lock);
		}
		done++;
	}
	share->random = random + seen; /* so that the value is read indeed */
	share->done = done;
	share->wrote = wrote;
}

static void rwlock_meet(void *object, int index, int64_t count, void (*pause)(int))
{
	(void)index;
	struct rwlock_object *o = object;
	for (; count > 0; count--) {
		RWLOCK_WRITE(&o->lock);
		o->value++;
		if (pause)
			pause(LOCKS_HOLD_US);
		RWLOCK_UNLOCK_WRITE(&o->lock);
		if (pause)
			pause(LOCKS_HOLD_US / 2);
	}
}

#define LOOPS_RWLOCK                                                        \
	[LOCKS_RWLOCK] = { .size = sizeof(RWLOCK),                          \
			   .create = rwlock_create,                         \
			   .destroy = rwlock_destroy,                       \
			   .pair = { rwlock_pair_read, rwlock_pair_write }, \
			   .contend = rwlock_contend,                       \
			   .meet = rwlock_meet }
#else
#define LOOPS_RWLOCK [LOCKS_RWLOCK] = { .size = 0 }
#endif

/* ---- condvar ---------------------------------------------------------------- */

#ifdef CONDVAR
struct condvar_object {
	LOCKS_ALIGNED MUTEX lock;
	CONDVAR changed[2]; /* whom the turn comes to */
	int turn;           /* under lock */
	uint64_t value;     /* under lock */
};

static void *condvar_create(int threads)
{
	(void)threads;
	struct condvar_object *o = locks_memory(sizeof *o);
	MUTEX_INIT(&o->lock);
	CONDVAR_INIT(&o->changed[0]);
	CONDVAR_INIT(&o->changed[1]);
	return o;
}

static uint64_t condvar_destroy(void *object)
{
	struct condvar_object *o = object;
	uint64_t value = o->value;
	CONDVAR_FINI(&o->changed[0]);
	CONDVAR_FINI(&o->changed[1]);
	MUTEX_FINI(&o->lock);
	free(o);
	return value;
}

static void condvar_pair_one(void *object, int64_t count)
{
	struct condvar_object *o = object;
	for (; count > 0; count--)
		CONDVAR_NOTIFY_ONE(&o->changed[0]);
}

static void condvar_pair_all(void *object, int64_t count)
{
	struct condvar_object *o = object;
	for (; count > 0; count--)
		CONDVAR_NOTIFY_ALL(&o->changed[0]);
}

static void condvar_meet(void *object, int index, int64_t count, void (*pause)(int))
{
	struct condvar_object *o = object;
	for (; count > 0; count--) {
		MUTEX_LOCK(&o->lock);
		while (o->turn != index)
			CONDVAR_WAIT(&o->changed[index], &o->lock);
		if (pause && index == 0) {
			/* Without the lock: the other is to wait for the turn, not for it. */
			MUTEX_UNLOCK(&o->lock);
			pause(LOCKS_HOLD_US);
			MUTEX_LOCK(&o->lock);
		}
		o->turn = !index;
		o->value++;
		CONDVAR_NOTIFY_ONE(&o->changed[!index]); /* under the lock, as most do */
		MUTEX_UNLOCK(&o->lock);
	}
}

struct broadcast_object {
	LOCKS_ALIGNED MUTEX lock;
	CONDVAR has_begun; /* a round; all but one wait for it */
	CONDVAR is_full;   /* all of these wait */
	int64_t others;
	int64_t waiting; /* under lock, also below */
	uint64_t rounds;
};

static void *broadcast_create(int threads)
{
	struct broadcast_object *o = locks_memory(sizeof *o);
	MUTEX_INIT(&o->lock);
	CONDVAR_INIT(&o->has_begun);
	CONDVAR_INIT(&o->is_full);
	o->others = threads - 1;
	return o;
}

static uint64_t broadcast_destroy(void *object)
{
	struct broadcast_object *o = object;
	uint64_t rounds = o->rounds;
	CONDVAR_FINI(&o->has_begun);
	CONDVAR_FINI(&o->is_full);
	MUTEX_FINI(&o->lock);
	free(o);
	return rounds;
}

static void broadcast_meet(void *object, int index, int64_t count, void (*pause)(int))
{
	(void)pause;
	struct broadcast_object *o = object;
	MUTEX_LOCK(&o->lock);
	for (uint64_t round = 1; round <= (uint64_t)count; round++) {
		if (index == 0) {
			while (o->waiting < o->others)
				CONDVAR_WAIT(&o->is_full, &o->lock);
			o->waiting = 0;
			o->rounds = round;
			CONDVAR_NOTIFY_ALL(&o->has_begun);
			continue;
		}
		if (++o->waiting == o->others)
			CONDVAR_NOTIFY_ONE(&o->is_full);
		while (o->rounds < round)
			CONDVAR_WAIT(&o->has_begun, &o->lock);
	}
	MUTEX_UNLOCK(&o->lock);
}

#define LOOPS_CONDVAR                                                       \
	[LOCKS_CONDVAR] = { .size = sizeof(CONDVAR),                        \
			    .create = condvar_create,                       \
			    .destroy = condvar_destroy,                     \
			    .pair = { condvar_pair_one, condvar_pair_all }, \
			    .meet = condvar_meet },                         \
	[LOCKS_BROADCAST] = { .create = broadcast_create,                   \
			      .destroy = broadcast_destroy,                 \
			      .meet = broadcast_meet }
#else
#define LOOPS_CONDVAR [LOCKS_CONDVAR] = { .size = 0 }
#endif

/* ---- semaphore -------------------------------------------------------------- */

#ifdef SEMAPHORE
struct semaphore_object {
	LOCKS_ALIGNED SEMAPHORE turn[2];
	uint64_t value; /* of the thread that has the turn */
};

static void *semaphore_create(int threads)
{
	(void)threads;
	struct semaphore_object *o = locks_memory(sizeof *o);
	SEMAPHORE_INIT(&o->turn[0], 1);
	SEMAPHORE_INIT(&o->turn[1], 0);
	return o;
}

static uint64_t semaphore_destroy(void *object)
{
	struct semaphore_object *o = object;
	uint64_t value = o->value;
	SEMAPHORE_FINI(&o->turn[0]);
	SEMAPHORE_FINI(&o->turn[1]);
	free(o);
	return value;
}

static void semaphore_pair(void *object, int64_t count)
{
	struct semaphore_object *o = object;
	for (; count > 0; count--) {
		SEMAPHORE_POST(&o->turn[0]);
		SEMAPHORE_WAIT(&o->turn[0]);
	}
}

static void semaphore_meet(void *object, int index, int64_t count, void (*pause)(int))
{
	struct semaphore_object *o = object;
	for (; count > 0; count--) {
		SEMAPHORE_WAIT(&o->turn[index]);
		o->value++;
		if (pause && index == 0)
			pause(LOCKS_HOLD_US);
		SEMAPHORE_POST(&o->turn[!index]);
	}
}

#define LOOPS_SEMAPHORE                                     \
	[LOCKS_SEMAPHORE] = { .size = sizeof(SEMAPHORE),    \
			      .create = semaphore_create,   \
			      .destroy = semaphore_destroy, \
			      .pair = { semaphore_pair },   \
			      .meet = semaphore_meet }
#else
#define LOOPS_SEMAPHORE [LOCKS_SEMAPHORE] = { .size = 0 }
#endif

/* ---- park ------------------------------------------------------------------- */

#ifdef PARKER
struct park_object {
	LOCKS_ALIGNED PARKER *parker[2]; /* atomic: set by its own thread */
	int turn;                        /* atomic */
	uint64_t value;                  /* of the thread that has the turn */
};

static void *park_create(int threads)
{
	(void)threads;
	return locks_memory(sizeof(struct park_object));
}

static uint64_t park_destroy(void *object)
{
	struct park_object *o = object;
	uint64_t value = o->value;
	free(o);
	return value;
}

static void park_meet(void *object, int index, int64_t count, void (*pause)(int))
{
	struct park_object *o = object;
	PARKER *other;
	__atomic_store_n(&o->parker[index], PARKER_SELF(), __ATOMIC_RELEASE);
	while (!(other = __atomic_load_n(&o->parker[!index], __ATOMIC_ACQUIRE)))
		sched_yield();

	for (; count > 0; count--) {
		while (__atomic_load_n(&o->turn, __ATOMIC_ACQUIRE) != index)
			PARK();
		o->value++;
		if (pause && index == 0)
			pause(LOCKS_HOLD_US);
		__atomic_store_n(&o->turn, !index, __ATOMIC_RELEASE);
		UNPARK(other);
	}
}

#define LOOPS_PARK \
	[LOCKS_PARK] = { .create = park_create, .destroy = park_destroy, .meet = park_meet }
#else
#define LOOPS_PARK [LOCKS_PARK] = { .size = 0 }
#endif

/* ---- barrier ---------------------------------------------------------------- */

#ifdef BARRIER
struct barrier_object {
	LOCKS_ALIGNED BARRIER barrier;
	uint64_t value; /* of the leader of a round */
};

static void *barrier_create(int threads)
{
	struct barrier_object *o = locks_memory(sizeof *o);
	BARRIER_INIT(&o->barrier, (unsigned)threads);
	return o;
}

static uint64_t barrier_destroy(void *object)
{
	struct barrier_object *o = object;
	uint64_t value = o->value;
	BARRIER_FINI(&o->barrier);
	free(o);
	return value;
}

static void barrier_meet(void *object, int index, int64_t count, void (*pause)(int))
{
	struct barrier_object *o = object;
	for (; count > 0; count--) {
		if (pause && index == 0)
			pause(LOCKS_HOLD_US);
		if (BARRIER_WAIT_LEADS(&o->barrier))
			o->value++;
	}
}

#define LOOPS_BARRIER                                   \
	[LOCKS_BARRIER] = { .size = sizeof(BARRIER),    \
			    .create = barrier_create,   \
			    .destroy = barrier_destroy, \
			    .meet = barrier_meet }
#else
#define LOOPS_BARRIER [LOCKS_BARRIER] = { .size = 0 }
#endif

/* ---- all --------------------------------------------------------------------- */

#ifdef ONCE
#define LOOPS_ONCE [LOCKS_ONCE] = { .size = sizeof(ONCE) }
#else
#define LOOPS_ONCE [LOCKS_ONCE] = { .size = 0 }
#endif

#define LOOPS                                                                                 \
	LOOPS_MUTEX, LOOPS_RWLOCK, LOOPS_CONDVAR, LOOPS_SEMAPHORE, LOOPS_PARK, LOOPS_BARRIER, \
		LOOPS_ONCE
