/*
 * bench/capture.c - what it costs to have all that a program writes.
 *
 *     capture [--quick] [--rounds N] [--case NAME,...] [--only SUBJECT,...]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "peer.h"
#include "spew.h"

static const size_t BYTES = (size_t)64 << 20;

struct job {
	const char *name;
	const char *argv[3];
	size_t fed;  /* bytes that go in */
	size_t size; /* bytes that come out */
	int most;    /* calls in a batch */
};

struct run {
	const struct peer *peer;
	const struct job *job;
	struct feed feed;
	int check; /* look at every byte */
};

static int is_right(const struct captured *captured)
{
	static char block[SPEW_BLOCK];
	spew_fill(block, sizeof block);
	for (size_t at = 0; at < captured->size; at += SPEW_BLOCK) {
		size_t left = captured->size - at;
		if (memcmp(captured->data + at, block, left < SPEW_BLOCK ? left : SPEW_BLOCK) != 0)
			return 0;
	}
	return 1;
}

static int run_once(void *context)
{
	const struct run *run = context;
	struct captured captured;
	if (run->peer->capture(run->job->argv, &run->feed, &captured) != 0)
		return -1;
	int right = captured.size == run->job->size && (!run->check || is_right(&captured));
	run->peer->release(&captured);
	return right ? 0 : -1;
}

static void measure(const struct peer *peer, const struct job *job, const char *food, int quick,
		    int first)
{
	static const struct bench_batch once = { .most = 1, .least = 1, .budget = 0 };
	struct bench_batch size = { .most = job->most, .least = 2, .budget = 300000000 };
	if (quick)
		size = (struct bench_batch){ .most = 10, .least = 1, .budget = 50000000 };

	struct run run = { .peer = peer, .job = job, .feed = { food, job->fed }, .check = first };
	int64_t ns = 0;
	int calls = bench_batch(&once, run_once, &run, &ns); /* warm, and right */
	run.check = 0;
	if (calls > 0)
		calls = bench_batch(&size, run_once, &run, &ns);
	if (calls <= 0)
		bench_fail("%s cannot capture: %s", peer->name, job->name);

	double each = (double)ns / calls;
	if (job->size == 0)
		bench_add(job->name, peer->name, each / 1000, "us");
	else
		bench_add(job->name, peer->name, (double)job->size / each, "GB/s");
}

static void one_turn(const struct bench_options *options, int round, const struct job *job)
{
	/* Only while it is needed: it would make every fork of the others dearer. */
	char *food = job->fed > 0 ? malloc(job->fed) : NULL;
	if (food)
		spew_fill(food, job->fed);
	else if (job->fed > 0)
		bench_fail("out of memory");

	for (size_t i = 0; i < peers_count; i++) {
		const struct peer *peer = peers[bench_turn(round, i, peers_count)];
		if (peer->capture && (peer->can_feed || job->fed == 0) &&
		    bench_listed(options->only, peer->name))
			measure(peer, job, food, options->quick, round == 0);
	}
	free(food);
}

int main(int argc, char **argv)
{
	struct bench_options options;
	bench_options_read(argc, argv, 0, &options);
	peers_check(options.only);

	char bytes[24];
	snprintf(bytes, sizeof bytes, "%zu", BYTES);
	char *nothing = bench_beside(argv[0], "nothing");
	char *spew = bench_beside(argv[0], "spew");
	const struct job jobs[] = {
		{ "capture.nothing", { nothing }, 0, 0, 150 },
		{ "capture.64m", { spew, bytes }, 0, BYTES, 3 },
		{ "capture.echo64m", { spew }, BYTES, BYTES, 3 },
	};

	bench_print_machine();
	peers_print();
	fflush(stdout);

	for (int round = 0; round < options.rounds; round++)
		for (size_t j = 0; j < sizeof jobs / sizeof *jobs; j++)
			if (bench_listed(options.cases, jobs[j].name))
				one_turn(&options, round, &jobs[j]);
	bench_print();
	free(spew);
	free(nothing);
	return 0;
}
