/*
 * bench/table.c - what it costs to look at processes: one, and all.
 *
 *     table [--quick] [--rounds N] [--case NAME,...] [--only SUBJECT,...]
 *
 * All are those of the machine and 256 that the bench adds, which do nothing.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "table_peer.h"

enum { CROWD = 256 };

static const struct table_peer *const peers[] = {
	&table_peer_csys,
#ifdef BENCH_WITH_PEERS
	&table_peer_hand,
#endif
#ifdef BENCH_WITH_LIBPROC2
	&table_peer_libproc2,
#endif
#ifdef BENCH_WITH_SYSINFO
	&table_peer_sysinfo,  &table_peer_sysinfo_kept,
#endif
};
static const size_t peers_count = sizeof peers / sizeof *peers;

static const struct job {
	const char *name;
	int one;
	int more;
	int most;
} jobs[] = {
	{ "table.one", 1, 0, 5000 },
	{ "table.one_all", 1, 1, 2000 },
	{ "table.scan", 0, 0, 100 },
	{ "table.scan_more", 0, 1, 100 },
};

struct run {
	const struct table_peer *peer;
	const struct job *job;
	struct table_seen seen;
};

static pid_t crowd[CROWD];

static void gather_crowd(void)
{
	for (int i = 0; i < CROWD; i++) {
		crowd[i] = fork();
		if (crowd[i] < 0)
			bench_fail("cannot start a process");
		if (crowd[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	}
}

static void send_home(void)
{
	for (int i = 0; i < CROWD; i++)
		kill(crowd[i], SIGKILL);
	for (int i = 0; i < CROWD; i++)
		waitpid(crowd[i], NULL, 0);
}

static int run_once(void *context)
{
	struct run *run = context;
	run->seen = (struct table_seen){ 0 };
	if (run->job->one)
		return run->peer->one(crowd[0], run->job->more, &run->seen);
	return run->peer->scan(run->job->more, &run->seen);
}

/* Whether it saw what there is to see. */
static int is_right(const struct run *run)
{
	const struct table_seen *seen = &run->seen;
	if (run->job->one)
		return seen->processes == 1 && seen->parents == getpid() && seen->threads == 1 &&
		       (!run->job->more || seen->command_bytes > 4);
	return seen->processes > CROWD && seen->parents > (int64_t)CROWD * getpid() &&
	       seen->threads >= seen->processes &&
	       (!run->job->more || seen->command_bytes > CROWD * 4);
}

static void measure(const struct table_peer *peer, const struct job *job, int quick)
{
	static const struct bench_batch once = { .most = 1, .least = 1, .budget = 0 };
	struct bench_batch size = { .most = job->most, .least = 2, .budget = 150000000 };
	if (quick)
		size = (struct bench_batch){ .most = 20, .least = 1, .budget = 20000000 };

	struct run run = { .peer = peer, .job = job };
	int64_t ns = 0;
	if (peer->open && peer->open(job->more) != 0)
		bench_fail("%s cannot be opened", peer->name);
	int calls = bench_batch(&once, run_once, &run, &ns); /* warm, and right */
	if (calls > 0 && is_right(&run))
		calls = bench_batch(&size, run_once, &run, &ns);
	else
		calls = -1;
	if (peer->close)
		peer->close();
	if (calls <= 0)
		bench_fail("%s does not see the processes: %s", peer->name, job->name);
	bench_add(job->name, peer->name, (double)ns / calls / 1000, "us");
}

int main(int argc, char **argv)
{
	struct bench_options options;
	bench_options_read(argc, argv, 0, &options);
	bench_print_machine();
#ifndef BENCH_WITH_PEERS
	printf("# absent: peers (meson configure -Dbench=peers)\n");
#else
#ifndef BENCH_WITH_LIBPROC2
	printf("# absent: libproc2 (libproc2-dev)\n");
#endif
#ifndef BENCH_WITH_SYSINFO
	printf("# absent: sysinfo (cargo, librust-sysinfo-dev)\n");
#endif
#endif
	fflush(stdout);
	gather_crowd();

	for (int round = 0; round < options.rounds; round++)
		for (size_t j = 0; j < sizeof jobs / sizeof *jobs; j++)
			for (size_t i = 0; i < peers_count; i++) {
				const struct table_peer *peer =
					peers[bench_turn(round, i, peers_count)];
				if (bench_listed(options.cases, jobs[j].name) &&
				    bench_listed(options.only, peer->name))
					measure(peer, &jobs[j], options.quick);
			}
	send_home();
	bench_print();
	return 0;
}
