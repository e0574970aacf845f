/*
 * bench/wait_set.c - what a wait for one of many handles costs.
 *
 *     wait_set [--quick] [--rounds N] [--case NAME,...] [--only SUBJECT,...]
 *     wait_set --count SUBJECT N --case NAME
 *
 * The second form only waits N times, to count (instructions.sh).  It ends with status 77 if the
 * subject does not have the case.
 *
 * The handles are eventfds.  `ready.N`: one of N is ready all the time.  `turn.N`: one after the
 * other is made ready, waited for and read.  `deadline.N`: as `ready`, with a deadline.  `timer.N`:
 * as `ready`, and before each wait a timer of the loop is put off.  A wait that tells another
 * handle fails the bench.  Beside csys stands the ratio to each peer: the median of the rounds'
 * ratios.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"
#include "machine.h"
#include "wait_set_peer.h"

extern const struct wait_set_peer wait_set_peer_csys;
extern const struct wait_set_peer wait_set_peer_epoll;
extern const struct wait_set_peer wait_set_peer_poll;
extern const struct wait_set_peer wait_set_peer_uv;

static const struct wait_set_peer *const peers[] = {
	&wait_set_peer_csys,
#ifdef BENCH_WITH_PEERS
	&wait_set_peer_epoll,
	&wait_set_peer_poll,
#endif
#ifdef BENCH_WITH_UV
	&wait_set_peer_uv,
#endif
};
enum { PEERS = sizeof peers / sizeof *peers };

enum { MOST = 1000, WAITS = 40000, QUICK = 40 };

static int handles[MOST];

static const struct what {
	const char *name;
	int many;
	int is_ready; /* one handle is, all the time */
	size_t loop;  /* where it is in a peer */
} cases[] = {
#define CASE(name, many, is_ready)                                                    \
	{                                                                             \
#name "." #many, many, is_ready, offsetof(struct wait_set_peer, name) \
	}
	CASE(ready, 10, 1),  CASE(ready, 1000, 1),    CASE(turn, 10, 0),
	CASE(turn, 1000, 0), CASE(deadline, 1000, 1), CASE(timer, 1000, 1),
};
enum { CASES = sizeof cases / sizeof *cases };

static wait_set_loop *loop_of(const struct wait_set_peer *peer, const struct what *what)
{
	return *(wait_set_loop *const *)(const void *)((const char *)peer + what->loop);
}

static void open_handles(void)
{
	struct rlimit limit = { 2 * MOST, 2 * MOST };
	struct rlimit is;
	if (getrlimit(RLIMIT_NOFILE, &is) == 0 && is.rlim_cur < limit.rlim_cur) {
		limit.rlim_max = is.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			bench_fail("too few handles are allowed");
	}
	for (int i = 0; i < MOST; i++) {
		handles[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (handles[i] < 0)
			bench_fail("eventfd failed");
	}
}

static void make_ready(int handle, int is_ready)
{
	uint64_t value = 1;
	ssize_t size =
		is_ready ? write(handle, &value, sizeof value) : read(handle, &value, sizeof value);
	if (size < 0)
		bench_fail("an eventfd failed");
}

/* Nanoseconds of a wait. */
static double run(const struct wait_set_peer *peer, const struct what *what, int count)
{
	void *set = peer->create(handles, what->many);
	if (what->is_ready)
		make_ready(handles[what->many / 2], 1);
	int64_t begin = bench_now();
	loop_of(peer, what)(set, handles, what->many, count);
	int64_t end = bench_now();
	if (what->is_ready)
		make_ready(handles[what->many / 2], 0);
	peer->destroy(set);
	return (double)(end - begin) / count;
}

static void measure_all(const struct bench_options *options, int round, const struct what *what)
{
	const char *names[PEERS];
	double values[PEERS] = { 0 };
	for (size_t i = 0; i < PEERS; i++) {
		size_t turn = bench_turn(round, i, PEERS);
		const struct wait_set_peer *peer = peers[turn];
		if (!bench_listed(options->only, peer->name) || !loop_of(peer, what))
			continue;
		values[turn] = run(peer, what, options->quick ? WAITS / QUICK : WAITS);
		bench_add(what->name, peer->name, values[turn], "ns");
	}
	for (size_t i = 0; i < PEERS; i++)
		names[i] = peers[i]->name;
	bench_add_ratios(what->name, names, values, PEERS);
}

static int count_only(const struct bench_options *options)
{
	for (size_t c = 0; c < CASES; c++) {
		if (!options->cases || strcmp(cases[c].name, options->cases) != 0)
			continue;
		for (size_t i = 0; i < PEERS; i++) {
			if (strcmp(peers[i]->name, options->counting) != 0 ||
			    !loop_of(peers[i], &cases[c]))
				continue;
			run(peers[i], &cases[c], options->count);
			return 0;
		}
		return 77;
	}
	bench_fail("--count wants --case with one case");
}

static void print_peers(void)
{
	for (size_t i = 0; i < PEERS; i++)
		if (peers[i]->version)
			printf("# version: %s %s\n", peers[i]->name, peers[i]->version());
#ifndef BENCH_WITH_PEERS
	puts("# absent: peers (meson configure -Dbench=peers)");
#elif !defined(BENCH_WITH_UV)
	puts("# absent: uv (libuv1-dev)");
#endif
}

int main(int argc, char **argv)
{
	struct bench_options options;
	bench_options_read(argc, argv, 1, &options);
	open_handles();
	if (options.counting)
		return count_only(&options);
	bench_print_machine();
	print_peers();
	fflush(stdout);

	struct machine_look begin = machine_look();
	for (int round = 0; round < options.rounds; round++)
		for (size_t i = 0; i < CASES; i++)
			if (bench_listed(options.cases, cases[i].name))
				measure_all(&options, round, &cases[i]);
	bench_print();
	printf("# others: %.0f %% of the CPUs\n", 100 * machine_others_since(&begin));
	return 0;
}
