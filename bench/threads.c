/*
 * bench/threads.c - how many programs 8 threads run in a second, all at once.
 *
 *     threads [--quick] [--rounds N] [--case NAME,...] [--only SUBJECT,...]
 *
 * A program of its own, since malloc and stdio cost more from the first thread
 * on, which the other benches shall not pay for.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "peer.h"

enum { THREADS = 8 };

/* What one thread does: wait for the others, then run the program again and again. */
struct worker {
	const struct peer *peer;
	const char *path;
	pthread_barrier_t *start;
	int calls;
	int failed;
};

static void *work(void *context)
{
	struct worker *worker = context;

	pthread_barrier_wait(worker->start);
	for (int i = 0; i < worker->calls; i++) {
		int64_t started;
		if (worker->peer->spawn_wait(worker->path, &started) != 0)
			worker->failed = 1;
	}
	return NULL;
}

/* Nanoseconds for `calls` by each thread, from the start of the first to the end of the last. */
static int64_t all_at_once(const struct peer *peer, const char *path, int calls)
{
	pthread_barrier_t start;
	pthread_t threads[THREADS];
	struct worker workers[THREADS];

	if (pthread_barrier_init(&start, NULL, THREADS + 1) != 0)
		bench_fail("no barrier");
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ peer, path, &start, calls, 0 };
		if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
			bench_fail("no thread");
	}
	/* Before the barrier: behind it the threads may run first, and finish, on one CPU. */
	int64_t begin = bench_now();
	pthread_barrier_wait(&start);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	int64_t ns = bench_now() - begin;
	pthread_barrier_destroy(&start);
	for (int i = 0; i < THREADS; i++)
		if (workers[i].failed)
			bench_fail("%s cannot run %s", peer->name, path);
	return ns;
}

int main(int argc, char **argv)
{
	struct bench_options options;
	bench_options_read(argc, argv, 0, &options);
	peers_check(options.only);
	char *nothing = bench_beside(argv[0], "nothing");
	const struct program {
		const char *case_name;
		const char *path;
		int calls; /* of each thread in a round */
	} programs[] = {
		{ "threads8.static", nothing, 250 },
		{ "threads8.true", access("/bin/true", X_OK) == 0 ? "/bin/true" : "/usr/bin/true",
		  30 },
	};

	bench_print_machine();
	peers_print();
	fflush(stdout);
	for (int round = 0; round < options.rounds; round++) {
		for (size_t p = 0; p < sizeof programs / sizeof *programs; p++) {
			const struct program *program = &programs[p];
			int calls = options.quick ? program->calls / 10 : program->calls;
			if (!bench_listed(options.cases, program->case_name))
				continue;
			for (size_t i = 0; i < peers_count; i++) {
				const struct peer *peer = peers[bench_turn(round, i, peers_count)];
				if (!peer->threads || !bench_listed(options.only, peer->name))
					continue;
				all_at_once(peer, program->path, 2); /* warm up */
				int64_t ns = all_at_once(peer, program->path, calls);
				bench_add(program->case_name, peer->name,
					  (double)calls * THREADS * 1e9 / (double)ns, "/s");
			}
		}
	}
	bench_print();
	free(nothing);
	return 0;
}
