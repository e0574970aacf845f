/*
 * support/storm.c - processes at full speed that are killed at random.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <csys/sync/atomic.h>

#include "base/atomic.h"
#include "support/storm.h"

enum { MOST = 64, ROUND_MS = 250 };

/* What is counted, before what they share. */
struct head {
	_Alignas(64) uint32_t wrong; /* atomic, all */
	uint32_t told;
	uint64_t done;
	_Alignas(64) uint32_t is_over;
	_Alignas(64) char objects[];
};

static const struct storm *storm;
static csys_region *region;
static struct head *head;

csys_region *storm_region(void)
{
	return region;
}

void *storm_objects(void)
{
	return head->objects;
}

unsigned storm_roll(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16 & 0x7fff;
}

void storm_dally(unsigned *seed)
{
	/* Long enough to be killed in. */
	if (storm_roll(seed) % 64 == 0)
		csysi_os_nap(csys_after_us(storm_roll(seed) % 300));
	for (unsigned i = storm_roll(seed) % 50; i > 0; i--)
		csys_spin_hint();
}

void storm_complain(const char *what)
{
	fprintf(stderr, "process %ld: %s\n", (long)getpid(), what);
	csysi_add_relaxed(&head->wrong, 1);
}

void storm_count(void)
{
	csysi_add_relaxed(&head->done, 1);
}

void storm_count_told(void)
{
	csysi_add_relaxed(&head->told, 1);
}

/* ---- processes ------------------------------------------------------------------------------- */

static pid_t start(unsigned seed)
{
	pid_t pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(1);
	}
	if (pid > 0)
		return pid;
	while (!csysi_load_relaxed(&head->is_over)) {
		storm->work(&seed);
		if (storm_roll(&seed) % 1000 == 0)
			csys_region_detach(region);
	}
	_exit(0);
}

static void kill_and_reap(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	/* It may have ended before, if all are to. */
	if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) &&
	    !(head->is_over && WIFEXITED(status) && WEXITSTATUS(status) == 0))
		storm_complain("a process has ended by itself");
}

/* One that is to end does so. */
static void await_end(pid_t pid)
{
	csys_deadline deadline = csys_after_s(60);
	int status;
	pid_t r;

	while ((r = waitpid(pid, &status, WNOHANG)) == 0 && csys_deadline_left(deadline) > 0)
		csysi_os_nap(csys_after_ms(1));
	if (r == 0) {
		storm_complain("a process hangs");
		kill_and_reap(pid);
	} else if (r < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		storm_complain("a process has ended as it should not");
	}
}

/* ---- the one that kills ---------------------------------------------------------------------- */

/* For some time: how many were killed. */
static unsigned kill_at_random(pid_t *pids, unsigned processes, csys_deadline end, unsigned *seed)
{
	unsigned killed = 0;

	while (csys_deadline_left(end) > 0) {
		unsigned at = storm_roll(seed) % processes;
		csysi_os_nap(csys_after_us(storm_roll(seed) % 3000));
		if (storm_roll(seed) % 8 == 0) { /* one that is stopped is not dead */
			kill(pids[at], SIGSTOP);
			csysi_os_nap(csys_after_us(storm_roll(seed) % 5000));
			kill(pids[at], SIGCONT);
			continue;
		}
		kill_and_reap(pids[at]);
		pids[at] = start(storm_roll(seed));
		killed++;
	}
	return killed;
}

/* A round, at whose end half of them are killed: how many were in all. */
static unsigned run_round(unsigned processes, csys_deadline end, unsigned *seed)
{
	csys_region_member member;
	pid_t pids[MOST];
	unsigned half = processes / 2;

	head->is_over = 0;
	for (unsigned i = 0; i < processes; i++)
		pids[i] = start(storm_roll(seed));
	unsigned killed = kill_at_random(pids, processes, end, seed);
	csysi_store_relaxed(&head->is_over, 1);
	for (unsigned i = 0; i < half; i++)
		kill_and_reap(pids[i]);
	for (unsigned i = half; i < processes; i++)
		await_end(pids[i]);
	for (unsigned at = 0; csys_region_next_member(region, &at, &member);)
		if (member.is_alive)
			storm_complain("a dead member lives");
	storm->look();
	csys_region_detach(region);
	return killed + half;
}

static int rage(enum csysi_os_token_way way, unsigned ms, unsigned processes, unsigned seed)
{
	unsigned killed = 0, rounds = 0;

	csysi_region_way = (int)way;
	int r = csys_region_create_anonymous(sizeof *head + storm->size, NULL, &region);
	if (r < 0) {
		fprintf(stderr, "no region: %s\n", csys_strerror(r));
		return r == CSYS_ENOTSUP && way == CSYSI_OS_TOKEN_LIST ? 0 : 1;
	}
	head = csys_region_data(region);
	csys_deadline end = csys_after_ms(ms);
	do {
		csys_deadline round = csys_after_ms(ROUND_MS);
		killed += run_round(processes, csys_deadline_earlier(round, end), &seed);
		rounds++;
	} while (csys_deadline_left(end) > 0);
	printf("%s: %u killed in %u rounds, %llu done, %u told of a death\n",
	       way == CSYSI_OS_TOKEN_LIST ? "list" : "lock", killed, rounds,
	       (unsigned long long)head->done, head->told);
	fflush(stdout);
	int is_wrong = head->wrong != 0 || head->done == 0;
	csys_region_close(region);
	return is_wrong;
}

int storm_main(const struct storm *which, int argc, char **argv)
{
	unsigned ms = argc > 1 ? (unsigned)atoi(argv[1]) : 1500;
	unsigned processes = argc > 2 ? (unsigned)atoi(argv[2]) : 6;
	unsigned seed = argc > 3 ? (unsigned)atoi(argv[3]) : (unsigned)time(NULL);
	int failed = 0;

	if (processes == 0 || processes > MOST) {
		fprintf(stderr, "usage: %s [milliseconds [processes [seed]]]\n", which->program);
		return 2;
	}
	storm = which;
	printf("seed %u\n", seed);
	fflush(stdout);
	for (int way = CSYSI_OS_TOKEN_LIST; way <= CSYSI_OS_TOKEN_LOCK; way++)
		if (csysi_os_token_can((enum csysi_os_token_way)way))
			failed |= rage((enum csysi_os_token_way)way, ms, processes, seed);
	return failed;
}
