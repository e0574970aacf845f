/*
 * bench/pool.c - what a pool of threads costs.
 *
 *     pool [--quick] [--rounds N] [--case NAME,...] [--only SUBJECT,...]
 *
 * `many.JOB.Nt` submits many jobs to N threads and waits until all are done, with the end of the
 * threads; `one.JOB.Nt` submits a job and waits for it, again and again.  Each job marks a slot of
 * its own: one that is lost or comes twice fails the bench.  Beside csys stands the ratio to each
 * peer: the median of the rounds' ratios.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "machine.h"
#include "pool_peer.h"

extern const struct pool_peer pool_peer_csys;
extern const struct pool_peer pool_peer_pthread;
extern const struct pool_peer pool_peer_glib;
extern const struct pool_peer pool_peer_crossbeam;

static const struct pool_peer *const peers[] = {
	&pool_peer_csys,
#ifdef BENCH_WITH_PEERS
	&pool_peer_pthread,
#endif
#ifdef BENCH_WITH_GIO
	&pool_peer_glib,
#endif
#ifdef BENCH_WITH_CROSSBEAM
	&pool_peer_crossbeam,
#endif
};
enum { PEERS = sizeof peers / sizeof *peers };

/* ---- jobs -------------------------------------------------------------------------------- */

enum { JOBS_MANY = 200000, JOBS_ONE = 10000, QUICK = 40 };

static uint32_t steps; /* about a microsecond */

static uint64_t work(uint64_t random, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		random = random * UINT64_C(6364136223846793005) + 1;
	return random;
}

static void mark(uint64_t *slot)
{
	++*slot;
}

static void work_and_mark(uint64_t *slot)
{
	if (work((uintptr_t)slot, steps) == 0)
		++*slot; /* not so, which the compiler does not know */
	++*slot;
}

static void find_steps(void)
{
	enum { TRIED = 1000000 };
	static volatile uint64_t result;
	int64_t least = INT64_MAX;
	for (int i = 0; i < 5; i++) {
		int64_t begin = bench_now();
		result = work(result, TRIED);
		int64_t ns = bench_now() - begin;
		least = ns < least ? ns : least;
	}
	steps = (uint32_t)(TRIED * INT64_C(1000) / (least > 0 ? least : 1));
}

static const struct job {
	const char *name;
	pool_job *call;
	int is_one; /* at a time */
	int threads;
	int64_t part; /* so many times fewer jobs */
} jobs[] = {
	{ "many.empty.1t", mark, 0, 1, 1 },        { "many.empty.2t", mark, 0, 2, 1 },
	{ "many.1us.1t", work_and_mark, 0, 1, 4 }, { "many.1us.2t", work_and_mark, 0, 2, 4 },
	{ "one.empty.1t", mark, 1, 1, 1 },         { "one.empty.2t", mark, 1, 2, 1 },
	{ "one.1us.1t", work_and_mark, 1, 1, 1 },
};
enum { JOBS = sizeof jobs / sizeof *jobs };

/* ---- measuring --------------------------------------------------------------------------- */

static void check(const struct pool_peer *peer, const struct job *job, const uint64_t *slots,
		  int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		if (slots[i] != 1)
			bench_fail("%s %s: a job was done %llu times", job->name, peer->name,
				   (unsigned long long)slots[i]);
}

/* Nanoseconds of a job. */
static double run(const struct pool_peer *peer, const struct job *job, int64_t count)
{
	uint64_t *slots = calloc((size_t)count, sizeof *slots);
	if (!slots)
		bench_fail("out of memory");
	for (int64_t i = 0; i < count; i++)
		slots[i] = 0; /* its pages are there */
	void *pool = peer->create(job->threads);
	int64_t begin = bench_now();
	int64_t end;
	if (job->is_one) {
		peer->round_trips(pool, job->call, slots, count);
		end = bench_now();
		peer->finish(pool);
	} else {
		peer->submit(pool, job->call, slots, count);
		peer->finish(pool);
		end = bench_now();
	}
	check(peer, job, slots, count);
	free(slots);
	return (double)(end - begin) / (double)count;
}

static void measure_all(const struct bench_options *options, int round, const struct job *job)
{
	static char by[PEERS][32];
	int64_t count = (job->is_one ? JOBS_ONE : JOBS_MANY) / job->part;
	double values[PEERS] = { 0 };
	for (size_t i = 0; i < PEERS; i++) {
		size_t turn = bench_turn(round, i, PEERS);
		const struct pool_peer *peer = peers[turn];
		if (!bench_listed(options->only, peer->name))
			continue;
		values[turn] = run(peer, job, options->quick ? count / QUICK : count);
		bench_add(job->name, peer->name, values[turn], "ns");
	}
	for (size_t i = 1; i < PEERS; i++) {
		snprintf(by[i], sizeof by[i], "by_%s", peers[i]->name);
		if (values[0] > 0 && values[i] > 0)
			bench_add_beside(job->name, peers[0]->name, by[i], values[0] / values[i],
					 "ratio");
	}
}

static void print_peers(void)
{
	for (size_t i = 0; i < PEERS; i++)
		if (peers[i]->version)
			printf("# version: %s %s\n", peers[i]->name, peers[i]->version());
#ifndef BENCH_WITH_PEERS
	puts("# absent: peers (meson configure -Dbench=peers)");
#else
#ifndef BENCH_WITH_GIO
	puts("# absent: glib (libglib2.0-dev)");
#endif
#ifdef BENCH_WITH_CROSSBEAM
	puts("# version: crossbeam " BENCH_CROSSBEAM_VERSION);
#else
	puts("# absent: crossbeam (cargo of Rust 1.89, librust-crossbeam-channel-dev)");
#endif
#endif
}

int main(int argc, char **argv)
{
	struct bench_options options;
	bench_options_read(argc, argv, 0, &options);
	find_steps();
	bench_print_machine();
	print_peers();
	fflush(stdout);

	struct machine_look begin = machine_look();
	for (int round = 0; round < options.rounds; round++)
		for (size_t j = 0; j < JOBS; j++)
			if (bench_listed(options.cases, jobs[j].name))
				measure_all(&options, round, &jobs[j]);
	bench_print();
	printf("# others: %.0f %% of the CPUs\n", 100 * machine_others_since(&begin));
	return 0;
}
