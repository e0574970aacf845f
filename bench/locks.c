/*
 * bench/locks.c - what locks, condvars, semaphores, parking and barriers cost.
 *
 *     locks [--quick] [--rounds N] [--case NAME,...] [--only SUBJECT,...]
 *     locks --count SUBJECT N --case NAME
 *
 * The second form only runs N pairs of one case, to count
 * (instructions.sh).  It ends with status 77 if the subject does not have it.
 *
 * Beside a figure stands the CPU time that all threads together used for one
 * operation, and where threads want the same lock, the share of the one that got
 * it least, by the mean; where they are a crowd, the longest wait too.  Whatever
 * threads count under a lock is checked: a lock that lets two in fails the bench.
 */
#include <float.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "locks_peer.h"
#include "machine.h"

extern const struct locks_peer locks_peer_csys;
extern const struct locks_peer locks_peer_csys_plain;
extern const struct locks_peer locks_peer_pthread;
extern const struct locks_peer locks_peer_glib;
extern const struct locks_peer locks_peer_uv;
extern const struct locks_peer locks_peer_rust;
extern const struct locks_peer locks_peer_parking_lot;

static const struct locks_peer *const peers[] = {
	&locks_peer_csys,        &locks_peer_csys_plain,
#ifdef BENCH_WITH_PEERS
	&locks_peer_pthread,
#endif
#ifdef BENCH_WITH_GIO
	&locks_peer_glib,
#endif
#ifdef BENCH_WITH_UV
	&locks_peer_uv,
#endif
#ifdef BENCH_WITH_RUST
	&locks_peer_rust,
#endif
#ifdef BENCH_WITH_PARKING_LOT
	&locks_peer_parking_lot,
#endif
};
static const size_t peers_count = sizeof peers / sizeof *peers;

static void print_peers(void)
{
	for (size_t i = 0; i < peers_count; i++)
		if (peers[i]->version)
			printf("# version: %s %s\n", peers[i]->name, peers[i]->version());
#ifndef BENCH_WITH_PEERS
	puts("# absent: peers (meson configure -Dbench=peers)");
#else
#ifndef BENCH_WITH_GIO
	puts("# absent: glib (libglib2.0-dev)");
#endif
#ifndef BENCH_WITH_UV
	puts("# absent: uv (libuv1-dev)");
#endif
#ifdef BENCH_WITH_RUST
	puts("# version: rust " BENCH_RUSTC_VERSION);
#else
	puts("# absent: rust (rustc)");
#endif
#ifdef BENCH_WITH_PARKING_LOT
	puts("# version: parking_lot " BENCH_PARKING_LOT_VERSION);
#else
	puts("# absent: parking_lot (cargo, librust-parking-lot-dev)");
#endif
#endif
}

static const struct locks_peer *find_peer(const char *name)
{
	for (size_t i = 0; i < peers_count; i++)
		if (strcmp(peers[i]->name, name) == 0)
			return peers[i];
	return NULL;
}

/* ---- the cases ------------------------------------------------------------- */

enum kind {
	SIZE,     /* bytes */
	PAIR,     /* CPU ns, one thread */
	CONTEND,  /* sections a microsecond, all threads together */
	CROWD,    /* the same with long sections, and how long the longest wait was */
	HANDOVER, /* ns for one way, two threads */
	ROUND,    /* ns for one round of a barrier or broadcast */
	WAIT,     /* CPU microseconds of one that waits for long */
};

#define PERCENT(n) ((uint32_t)((uint64_t)(n)*UINT32_MAX / 100))

enum { FREE = -1 };
enum { WORK = 90, HOLD = 6000 }; /* steps, some 150 ns and 10 us */

static const struct job {
	const char *name;
	enum locks_noun_name noun;
	enum kind kind;
	int which;   /* PAIR: of the two */
	int threads; /* thread i is pinned to CPU i % cpus */
	int cpus;    /* 0: all that this process may use; FREE: the system chooses */
	uint32_t work;
	uint32_t hold;
	uint32_t writes;
} jobs[] = {
	{ "mutex.pair", LOCKS_MUTEX, PAIR, .threads = 1 },
	{ "mutex.2", LOCKS_MUTEX, CONTEND, .threads = 2 },
	{ "mutex.4", LOCKS_MUTEX, CONTEND, .threads = 4 },
	{ "mutex.8", LOCKS_MUTEX, CONTEND, .threads = 8 },
	{ "mutex.2.work", LOCKS_MUTEX, CONTEND, .threads = 2, .work = WORK },
	{ "mutex.4.work", LOCKS_MUTEX, CONTEND, .threads = 4, .work = WORK },
	{ "mutex.8.work", LOCKS_MUTEX, CONTEND, .threads = 8, .work = WORK },
	{ "mutex.8.long", LOCKS_MUTEX, CROWD, .threads = 8, .cpus = FREE, .hold = HOLD },
	{ "mutex.64.long", LOCKS_MUTEX, CROWD, .threads = 64, .cpus = FREE, .hold = HOLD },
	{ "rwlock.read", LOCKS_RWLOCK, PAIR, .threads = 1 },
	{ "rwlock.write", LOCKS_RWLOCK, PAIR, .which = 1, .threads = 1 },
	{ "rwlock.readers.2", LOCKS_RWLOCK, CONTEND, .threads = 2 },
	{ "rwlock.mix.2", LOCKS_RWLOCK, CONTEND, .threads = 2, .writes = PERCENT(5) },
	{ "rwlock.mix.4", LOCKS_RWLOCK, CONTEND, .threads = 4, .writes = PERCENT(5) },
	{ "condvar.notify_one", LOCKS_CONDVAR, PAIR, .threads = 1 },
	{ "condvar.notify_all", LOCKS_CONDVAR, PAIR, .which = 1, .threads = 1 },
	{ "condvar.1cpu", LOCKS_CONDVAR, HANDOVER, .threads = 2, .cpus = 1 },
	{ "condvar.2cpu", LOCKS_CONDVAR, HANDOVER, .threads = 2, .cpus = 2 },
	{ "broadcast.1000", LOCKS_BROADCAST, ROUND, .threads = 1001 },
	{ "broadcast.4000", LOCKS_BROADCAST, ROUND, .threads = 4001 },
	{ "park.1cpu", LOCKS_PARK, HANDOVER, .threads = 2, .cpus = 1 },
	{ "park.2cpu", LOCKS_PARK, HANDOVER, .threads = 2, .cpus = 2 },
	{ "semaphore.pair", LOCKS_SEMAPHORE, PAIR, .threads = 1 },
	{ "semaphore.1cpu", LOCKS_SEMAPHORE, HANDOVER, .threads = 2, .cpus = 1 },
	{ "semaphore.2cpu", LOCKS_SEMAPHORE, HANDOVER, .threads = 2, .cpus = 2 },
	{ "barrier.2", LOCKS_BARRIER, ROUND, .threads = 2, .cpus = 2 },
	{ "barrier.4", LOCKS_BARRIER, ROUND, .threads = 4, .cpus = 2 },
	{ "wait.mutex", LOCKS_MUTEX, WAIT, .threads = 2, .cpus = 2 },
	{ "wait.rwlock", LOCKS_RWLOCK, WAIT, .threads = 2, .cpus = 2 },
	{ "wait.condvar", LOCKS_CONDVAR, WAIT, .threads = 2, .cpus = 2 },
	{ "wait.park", LOCKS_PARK, WAIT, .threads = 2, .cpus = 2 },
	{ "wait.semaphore", LOCKS_SEMAPHORE, WAIT, .threads = 2, .cpus = 2 },
	{ "wait.barrier", LOCKS_BARRIER, WAIT, .threads = 2, .cpus = 2 },
	{ "size.mutex", LOCKS_MUTEX, .kind = SIZE },
	{ "size.rwlock", LOCKS_RWLOCK, .kind = SIZE },
	{ "size.condvar", LOCKS_CONDVAR, .kind = SIZE },
	{ "size.semaphore", LOCKS_SEMAPHORE, .kind = SIZE },
	{ "size.barrier", LOCKS_BARRIER, .kind = SIZE },
	{ "size.once", LOCKS_ONCE, .kind = SIZE },
};
static const size_t jobs_count = sizeof jobs / sizeof *jobs;

static int has(const struct locks_noun *noun, const struct job *job)
{
	switch (job->kind) {
	case SIZE:
		return noun->size > 0;
	case PAIR:
		return noun->pair[job->which] != NULL;
	case CONTEND:
		return noun->contend != NULL;
	case CROWD:
		return noun->crowd != NULL;
	default:
		return noun->meet != NULL;
	}
}

/* ---- threads --------------------------------------------------------------- */

enum { THREADS = 4001 };

/* What all threads of one run share. */
struct crew {
	const struct locks_noun *noun;
	const struct job *job;
	void *object;
	int64_t count;      /* PAIR and meetings */
	void (*pause)(int); /* meetings */
	pthread_barrier_t at_start;
	pthread_barrier_t at_end;
};

struct member {
	struct crew *crew;
	int index;
	int64_t begin;
	int64_t end;
	int64_t cpu; /* ns that this thread used between them */
	_Alignas(128) struct locks_share share;
};

static void pin(const struct member *me)
{
	int count = me->crew->job->cpus ? me->crew->job->cpus : machine_cpus();
	if (count != FREE)
		machine_pin(me->index % count);
}

static uint64_t do_work(uint64_t random, uint32_t steps)
{
	for (; steps > 0; steps--)
		random = locks_step(random);
	return random;
}

static void *work(void *context)
{
	struct member *me = context;
	struct crew *crew = me->crew;
	const struct job *job = crew->job;
	pin(me);
	pthread_barrier_wait(&crew->at_start);

	int64_t used = machine_thread_time();
	me->begin = bench_now();
	if (job->kind == PAIR)
		crew->noun->pair[job->which](crew->object, crew->count);
	else if (job->kind == CONTEND)
		crew->noun->contend(crew->object, &me->share);
	else if (job->kind == CROWD)
		crew->noun->crowd(crew->object, &me->share);
	else
		crew->noun->meet(crew->object, me->index, crew->count, crew->pause);
	me->end = bench_now();
	me->cpu = machine_thread_time() - used;

	/* Nobody goes while another may still wake it. */
	pthread_barrier_wait(&crew->at_end);
	return NULL;
}

static void pause_for(int microseconds)
{
	machine_sleep((int64_t)microseconds * 1000);
}

/* What came out of one run. */
struct outcome {
	int64_t ns;        /* from the first that began to the last that ended, or the stop */
	int64_t cpu;       /* of all threads */
	int64_t cpu_waits; /* of thread 1 */
	uint64_t done;     /* sections of all threads, if they contend */
	uint64_t least;    /* of the thread with the fewest */
	int64_t longest;   /* wait, of a crowd */
};

/* How often the threads should have counted. */
static uint64_t expected(const struct crew *crew, const struct member *members)
{
	const struct job *job = crew->job;
	if (job->kind == PAIR)
		return 0;
	if (job->noun == LOCKS_BARRIER || job->noun == LOCKS_BROADCAST)
		return (uint64_t)crew->count;
	if (job->kind != CONTEND && job->kind != CROWD)
		return (uint64_t)crew->count * 2;
	uint64_t sum = 0;
	for (int i = 0; i < job->threads; i++)
		sum += members[i].share.wrote;
	return sum;
}

/* Run the job's loop `count` times on all its threads; a job that has no count, for `window` ns. */
static struct outcome run(const struct locks_peer *peer, const struct job *job, int64_t count,
			  int64_t window)
{
	static struct member members[THREADS];
	_Alignas(128) int stop = 0;
	struct crew crew = { .noun = &peer->nouns[job->noun], .job = job, .count = count };
	crew.object = crew.noun->create(job->threads);
	if (job->kind == WAIT)
		crew.pause = pause_for;
	unsigned all = (unsigned)job->threads + 1;
	if (pthread_barrier_init(&crew.at_start, NULL, all) != 0 ||
	    pthread_barrier_init(&crew.at_end, NULL, (unsigned)job->threads) != 0)
		bench_fail("cannot make a barrier");

	static pthread_t threads[THREADS];
	for (int i = 0; i < job->threads; i++) {
		members[i] = (struct member){ .crew = &crew, .index = i };
		members[i].share = (struct locks_share){ .stop = &stop,
							 .work = job->work,
							 .hold = job->hold,
							 .writes = job->writes,
							 .random = ((uint64_t)i + 1) << 32 | 1,
							 .do_work = do_work,
							 .now = bench_now };
		if (pthread_create(&threads[i], NULL, work, &members[i]) != 0)
			bench_fail("cannot start a thread");
	}
	pthread_barrier_wait(&crew.at_start);
	int64_t stopped = 0;
	if (job->kind == CONTEND || job->kind == CROWD) {
		machine_sleep(window);
		stopped = bench_now();
		__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	}
	for (int i = 0; i < job->threads; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&crew.at_start);
	pthread_barrier_destroy(&crew.at_end);

	struct outcome outcome = { .least = UINT64_MAX, .cpu_waits = members[1].cpu };
	int64_t begin = INT64_MAX;
	int64_t end = 0;
	for (int i = 0; i < job->threads; i++) {
		const struct member *member = &members[i];
		begin = member->begin < begin ? member->begin : begin;
		end = member->end > end ? member->end : end;
		outcome.cpu += member->cpu;
		outcome.done += member->share.done;
		if (member->share.longest > outcome.longest)
			outcome.longest = member->share.longest;
		outcome.least =
			member->share.done < outcome.least ? member->share.done : outcome.least;
	}
	outcome.ns = (stopped ? stopped : end) - begin;

	uint64_t counted = crew.noun->destroy(crew.object);
	uint64_t wanted = expected(&crew, members);
	if (counted != wanted)
		bench_fail("%s %s: counted to %llu instead of %llu", job->name, peer->name,
			   (unsigned long long)counted, (unsigned long long)wanted);
	return outcome;
}

/* ---- measuring ------------------------------------------------------------- */

/* How often to run a loop so that it takes `budget`, given what `count` took. */
static int64_t enough(int64_t count, int64_t ns, int64_t budget)
{
	int64_t wanted = ns > 0 ? (int64_t)((double)budget * (double)count / (double)ns) : count;
	return wanted < count ? count : wanted;
}

/*
 * Threads that lose their CPU to others do not meet, and then look much better than
 * they are: the calmest of some windows, unless one is calm at once.
 */
static struct outcome contend(const struct locks_peer *peer, const struct job *job, int quick)
{
	struct outcome calmest;
	double least = DBL_MAX;
	for (int tries = quick ? 1 : 4; tries > 0 && least > 0.15; tries--) {
		struct machine_look then = machine_look();
		struct outcome outcome = run(peer, job, 0, quick ? 10000000 : 100000000);
		double others = machine_others_since(&then);
		if (others < least) {
			least = others;
			calmest = outcome;
		}
	}
	return calmest;
}

static void measure(const struct locks_peer *peer, const struct job *job, int quick)
{
	struct outcome outcome;
	int64_t count = job->threads > 100 ? 2 : 200;

	switch (job->kind) {
	case SIZE:
		bench_add(job->name, peer->name, (double)peer->nouns[job->noun].size, "bytes");
		return;
	case CONTEND:
	case CROWD:
		outcome = job->kind == CONTEND ? contend(peer, job, quick)
					       : run(peer, job, 0, quick ? 50000000 : 500000000);
		bench_add(job->name, peer->name, (double)outcome.done / (double)outcome.ns * 1000,
			  "Mop/s");
		bench_add_beside(job->name, peer->name, "cpu",
				 (double)outcome.cpu / (double)outcome.done, "ns");
		bench_add_beside(job->name, peer->name, "share",
				 (double)outcome.least * job->threads / (double)outcome.done,
				 "of mean");
		if (job->kind == CROWD)
			bench_add_beside(job->name, peer->name, "longest",
					 (double)outcome.longest / 1000, "us");
		return;
	case WAIT:
		count = quick ? 10 : 100;
		outcome = run(peer, job, count, 0);
		bench_add(job->name, peer->name, (double)outcome.cpu_waits / (double)count / 1000,
			  "CPU us");
		return;
	default:
		break;
	}

	/* Once to see how long it takes, and to warm up. */
	int64_t budget = job->kind == PAIR ? 10000000 : 50000000;
	outcome = run(peer, job, count, 0);
	count = enough(count, outcome.ns, quick ? budget / 20 : budget);
	outcome = run(peer, job, count, 0);
	if (job->kind == PAIR) {
		/* It never waits: CPU time is what it takes, whatever else the machine does. */
		bench_add(job->name, peer->name, (double)outcome.cpu / (double)count, "ns");
		return;
	}
	double times = (double)count * (job->kind == HANDOVER ? 2 : 1);
	bench_add(job->name, peer->name, (double)outcome.ns / times, "ns");
	bench_add_beside(job->name, peer->name, "cpu", (double)outcome.cpu / times, "ns");
}

static int count_only(const struct bench_options *options)
{
	const struct locks_peer *peer = find_peer(options->counting);
	for (size_t i = 0; i < jobs_count; i++)
		if (options->cases && strcmp(jobs[i].name, options->cases) == 0 &&
		    jobs[i].kind == PAIR) {
			if (!peer || !has(&peer->nouns[jobs[i].noun], &jobs[i]))
				return 77;
			run(peer, &jobs[i], options->count, 0);
			return 0;
		}
	bench_fail("--count wants --case with one case of pairs");
}

int main(int argc, char **argv)
{
	struct bench_options options;
	bench_options_read(argc, argv, 1, &options);
	int cpus = machine_cpus();
	if (options.counting)
		return count_only(&options);

	bench_print_machine();
	print_peers();
	if (cpus < 2)
		puts("# skipped: the cases on two CPUs (this process may use one)");
	fflush(stdout);

	struct machine_look begin = machine_look();
	for (int round = 0; round < options.rounds; round++)
		for (size_t j = 0; j < jobs_count; j++)
			for (size_t i = 0; i < peers_count; i++) {
				const struct locks_peer *peer =
					peers[bench_turn(round, i, peers_count)];
				if (bench_listed(options.cases, jobs[j].name) &&
				    bench_listed(options.only, peer->name) &&
				    jobs[j].cpus <= cpus &&
				    has(&peer->nouns[jobs[j].noun], &jobs[j]))
					measure(peer, &jobs[j], options.quick);
			}
	printf("# others: used %.0f %% of the CPUs during bench/locks\n",
	       machine_others_since(&begin) * 100);
	bench_print();
	return 0;
}

void *locks_memory(size_t size)
{
	void *memory = aligned_alloc(128, (size + 127) / 128 * 128);
	if (!memory)
		bench_fail("out of memory");
	memset(memory, 0, size);
	return memory;
}
