/*
 * bench/spawn.c - what it costs to run a program, in csys and its peers.
 *
 *     spawn [--quick] [--rounds N] [--case NAME,...] [--only SUBJECT,...]
 *     spawn --count SUBJECT N
 *
 * The second form only runs the do-nothing program N times, to count
 * (syscalls.sh).  It ends with status 77 if there is no such subject.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "peer.h"

/* ---- the memory of this process -------------------------------------------- */

static const size_t GIB = (size_t)1 << 30;

/* Touched page by page, so that a fork has as many page table entries to copy. */
static void *memory_take(void)
{
	char *memory = mmap(NULL, GIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
#ifdef MADV_NOHUGEPAGE
	madvise(memory, GIB, MADV_NOHUGEPAGE);
#endif
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	for (size_t i = 0; i < GIB; i += page)
		memory[i] = 1;
	return memory;
}

/* 0 if touching 1 GiB might get this process killed. */
static int memory_suffices(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	if (!file)
		return 1;
	char line[128];
	unsigned long long kib = 0;
	int known = 0;
	while (!known && fgets(line, sizeof line, file))
		known = sscanf(line, "MemAvailable: %llu", &kib) == 1;
	fclose(file);
	return !known || kib / 1024 > 1536;
}

/* ---- the cases ------------------------------------------------------------- */

/* A program, in a parent with or without memory: the case, and its time to start.  NULL: not
 * that one. */
struct program {
	const char *path;
	const char *spawn_case[2]; /* by memory: ~0, 1 GiB */
	const char *start_case[2];
	int most;                        /* calls in a batch */
	const struct settings *settings; /* that it is started with, or NULL */
	int as_other;                    /* with another user and group, and nothing else */
};

static uint32_t other_user, other_group;

struct run {
	const struct peer *peer;
	const struct program *program;
	int64_t starting; /* ns until spawn returned, all calls together */
};

static int run_once(void *context)
{
	struct run *run = context;
	const struct program *program = run->program;
	int64_t begin = bench_now();
	int64_t started = 0;
	int code = program->as_other ? run->peer->spawn_wait_as(program->path, other_user,
								other_group, &started)
		   : program->settings
			   ? run->peer->spawn_wait_with(program->path, program->settings, &started)
			   : run->peer->spawn_wait(program->path, &started);
	run->starting += started - begin;
	return code;
}

/* Whether the peer can do it at all. */
static int is_able(const struct peer *peer, const struct program *program)
{
	int64_t started;

	if (program->as_other)
		return peer->spawn_wait_as != NULL;
	if (!program->settings)
		return peer->spawn_wait != NULL;
	return peer->spawn_wait_with &&
	       peer->spawn_wait_with(program->path, program->settings, &started) != PEER_UNABLE;
}

static void measure(const struct peer *peer, const struct program *program, int memory, int quick)
{
	/* Long enough for what the one before left to be cleared away: pages, processes. */
	struct bench_batch warm = { .most = 100, .least = 2, .budget = 20000000 };
	struct bench_batch size = { .most = program->most, .least = 4, .budget = 150000000 };
	if (quick) {
		warm.budget = 2000000;
		size = (struct bench_batch){ .most = 20, .least = 2, .budget = 50000000 };
	}

	struct run run = { .peer = peer, .program = program };
	int64_t ns = 0;
	int calls = bench_batch(&warm, run_once, &run, &ns);
	run.starting = 0;
	if (calls > 0)
		calls = bench_batch(&size, run_once, &run, &ns);
	if (calls <= 0)
		bench_fail("%s cannot run %s", peer->name, program->path);
	bench_add(program->spawn_case[memory], peer->name, (double)ns / calls / 1000, "us");
	bench_add(program->start_case[memory], peer->name, (double)run.starting / calls / 1000,
		  "us");
}

static int wanted(const struct bench_options *options, const struct program *program, int memory)
{
	return program->spawn_case[memory] &&
	       (bench_listed(options->cases, program->spawn_case[memory]) ||
		bench_listed(options->cases, program->start_case[memory]));
}

static void one_round(const struct bench_options *options, int round, int memory,
		      const struct program *programs, size_t count)
{
	for (size_t p = 0; p < count; p++) {
		if (!wanted(options, &programs[p], memory))
			continue;
		for (size_t i = 0; i < peers_count; i++) {
			const struct peer *peer = peers[bench_turn(round, i, peers_count)];
			if (bench_listed(options->only, peer->name) && is_able(peer, &programs[p]))
				measure(peer, &programs[p], memory, options->quick);
		}
	}
}

/* By which to find out what works here: not csys, where there is another. */
static const struct peer *probe(void)
{
	const struct peer *by_hand = peers_find("fork");
	return by_hand ? by_hand : peers_find("csys");
}

/* Both sets, if a program at `path` can be run with them. */
static int settings_are_there(struct settings *some, struct settings *every, const char *path)
{
	int64_t started;

	if (settings_make(0, some) < 0)
		return 0;
	if (settings_make(1, every) == 0) {
		if (probe()->spawn_wait_with(path, every, &started) == 0)
			return 1;
		settings_free(every);
	}
	settings_free(some);
	return 0;
}

/* Another user that can run a program at `path`. */
static int other_user_is_there(const char *path)
{
	int64_t started;

	return settings_other_user(&other_user, &other_group) == 0 &&
	       probe()->spawn_wait_as(path, other_user, other_group, &started) == 0;
}

static int count_only(const char *subject, int count, const char *path)
{
	const struct peer *peer = peers_find(subject);
	if (!peer || !peer->spawn_wait)
		return 77;
	for (int i = 0; i < count; i++) {
		int64_t started;
		if (peer->spawn_wait(path, &started) != 0)
			bench_fail("%s cannot run %s", peer->name, path);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct bench_options options;
	bench_options_read(argc, argv, 1, &options);
	char *beside = bench_beside(argv[0], "nothing");
	if (options.counting)
		return count_only(options.counting, options.count, beside);
	/* Absolute, since settings change the directory. */
	char *nothing = realpath(beside, NULL);
	if (!nothing)
		bench_fail("there is no %s", beside);
	free(beside);
	peers_check(options.only);

	const char *usual = access("/bin/true", X_OK) == 0 ? "/bin/true" : "/usr/bin/true";
	struct settings some, every;
	struct program programs[] = {
		{ nothing,
		  { "spawn.static", "spawn.static.1g" },
		  { "start.static", "start.static.1g" },
		  150,
		  NULL,
		  0 },
		{ usual,
		  { "spawn.true", "spawn.true.1g" },
		  { "start.true", "start.true.1g" },
		  80,
		  NULL,
		  0 },
		{ nothing, { "spawn.static.user" }, { "start.static.user" }, 150, NULL, 1 },
		{ usual, { "spawn.true.user" }, { "start.true.user" }, 80, NULL, 1 },
		{ nothing, { "spawn.static.set" }, { "start.static.set" }, 150, &some, 0 },
		{ nothing, { "spawn.static.every" }, { "start.static.every" }, 150, &every, 0 },
		{ usual, { "spawn.true.set" }, { "start.true.set" }, 80, &some, 0 },
		{ usual, { "spawn.true.every" }, { "start.true.every" }, 80, &every, 0 },
	};
	const size_t plain = 2, with_user = 4;
	size_t count = sizeof programs / sizeof *programs;
	int large = 0;
	for (size_t p = 0; p < count; p++)
		large = large || wanted(&options, &programs[p], 1);

	bench_print_machine();
	peers_print();
	if (large && !memory_suffices()) {
		puts("# skipped: the cases with 1 GiB (not enough memory)");
		large = 0;
	}
	int has_settings = settings_are_there(&some, &every, nothing);
	if (!has_settings) {
		puts("# skipped: the cases with settings (they cannot be made here, or their user "
		     "cannot run the program)");
		count = with_user;
	}
	if (!other_user_is_there(nothing)) {
		puts("# skipped: the cases with another user (only root can, or that user cannot "
		     "run the program)");
		for (size_t p = plain; p < with_user; p++)
			programs[p].spawn_case[0] = NULL;
	}
	fflush(stdout);

	/* Small and large in the same round, because their ratio is a result. */
	for (int round = 0; round < options.rounds; round++) {
		one_round(&options, round, 0, programs, count);
		void *memory = large ? memory_take() : NULL;
		if (memory) {
			one_round(&options, round, 1, programs, count);
			munmap(memory, GIB);
		}
	}
	bench_print();
	if (has_settings) {
		settings_free(&some);
		settings_free(&every);
	}
	free(nothing);
	return 0;
}
