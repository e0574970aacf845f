/*
 * stress/stress_region.c - processes that lock shared mutexes at full speed, and are killed.
 *
 *     stress_region [milliseconds [processes [seed]]]     for each way of noticing deaths
 *
 * Some processes lock one of a few mutexes again and again, in different ways, and change the two
 * values that it guards; each is killed after a random time, some are stopped for a while, and all
 * are replaced at once.  A holder that is not told of a death finds two equal values; one that is
 * told makes them equal.  At the end all are dead, and each mutex can be had.
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
#include "ipc/region.h"

enum { MOST = 64, LOCKS = 3 };

struct guarded {
	_Alignas(64) csys_shared_mutex lock;
	uint64_t one;
	uint64_t other;
};

struct storm {
	struct guarded guarded[LOCKS];
	_Alignas(64) uint32_t wrong;
	uint32_t told;
	uint64_t locked;
};

static csys_region *region;
static struct storm *storm;

static unsigned roll(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16 & 0x7fff;
}

static void complain(const char *what)
{
	fprintf(stderr, "process %ld: %s\n", (long)getpid(), what);
	csysi_add_relaxed(&storm->wrong, 1);
}

/* ---- those that are killed ----------------------------------------------------------------- */

static int lock_somehow(csys_shared_mutex *lock, unsigned *seed)
{
	switch (roll(seed) % 4) {
	case 0:
		return csys_shared_mutex_try_lock(region, lock);
	case 1:
		return csys_shared_mutex_lock_until(region, lock, csys_after_us(roll(seed) % 200));
	default:
		return csys_shared_mutex_lock(region, lock);
	}
}

/* With the lock. */
static void change(struct guarded *guarded, int r, unsigned *seed)
{
	if (r == CSYS_POISONED) {
		csysi_add_relaxed(&storm->told, 1);
		guarded->other = guarded->one;
		csys_shared_mutex_clear_poison(&guarded->lock);
	} else if (guarded->one != guarded->other) {
		complain("two values differ, and no death was told of");
	}
	guarded->one++;
	for (unsigned i = roll(seed) % 50; i > 0; i--)
		csys_spin_hint();
	guarded->other++;
	csysi_add_relaxed(&storm->locked, 1);
}

static void work(unsigned seed)
{
	for (;;) {
		struct guarded *guarded = &storm->guarded[roll(&seed) % LOCKS];
		int r = lock_somehow(&guarded->lock, &seed);
		if (r >= 0) {
			change(guarded, r, &seed);
			csys_shared_mutex_unlock(region, &guarded->lock);
		} else if (r != CSYS_EAGAIN && r != CSYS_ETIMEDOUT) {
			complain(csys_strerror(r));
		}
		if (roll(&seed) % 1000 == 0)
			csys_region_detach(region);
	}
}

/* ---- the one that kills -------------------------------------------------------------------- */

static pid_t start(unsigned seed)
{
	pid_t pid = fork();
	if (pid == 0)
		work(seed);
	if (pid < 0) {
		perror("fork");
		exit(1);
	}
	return pid;
}

static void kill_and_reap(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		complain("a process has ended by itself");
}

/* For some time: how many were killed. */
static unsigned kill_at_random(pid_t *pids, unsigned processes, csys_deadline end, unsigned *seed)
{
	unsigned killed = 0;

	while (csys_deadline_left(end) > 0) {
		unsigned at = roll(seed) % processes;
		csysi_os_nap(csys_after_us(roll(seed) % 3000));
		if (roll(seed) % 8 == 0) { /* one that is stopped is not dead */
			kill(pids[at], SIGSTOP);
			csysi_os_nap(csys_after_us(roll(seed) % 5000));
			kill(pids[at], SIGCONT);
			continue;
		}
		kill_and_reap(pids[at]);
		pids[at] = start(roll(seed));
		killed++;
	}
	return killed;
}

static void look_at_the_end(void)
{
	csys_region_member member;

	for (unsigned at = 0; csys_region_next_member(region, &at, &member);)
		if (member.is_alive)
			complain("a dead member lives");
	for (int i = 0; i < LOCKS; i++) {
		struct guarded *guarded = &storm->guarded[i];
		int r = csys_shared_mutex_lock_until(region, &guarded->lock, csys_after_s(60));
		if (r < 0)
			complain("a mutex cannot be had");
		else if (r == 0 && guarded->one != guarded->other)
			complain("two values differ at the end");
		if (r >= 0)
			csys_shared_mutex_unlock(region, &guarded->lock);
	}
}

static int rage(enum csysi_os_token_way way, unsigned ms, unsigned processes, unsigned seed)
{
	pid_t pids[MOST];

	csysi_region_way = (int)way;
	int r = csys_region_create_anonymous(sizeof *storm, NULL, &region);
	if (r < 0) {
		fprintf(stderr, "no region: %s\n", csys_strerror(r));
		return r == CSYS_ENOTSUP && way == CSYSI_OS_TOKEN_LIST ? 0 : 1;
	}
	storm = csys_region_data(region);
	for (unsigned i = 0; i < processes; i++)
		pids[i] = start(roll(&seed));
	unsigned killed = kill_at_random(pids, processes, csys_after_ms(ms), &seed);
	for (unsigned i = 0; i < processes; i++)
		kill_and_reap(pids[i]);
	look_at_the_end();
	printf("%s: %u killed, %llu times locked, %u told of a death\n",
	       way == CSYSI_OS_TOKEN_LIST ? "list" : "lock", killed,
	       (unsigned long long)storm->locked, storm->told);
	int is_wrong = storm->wrong != 0 || storm->locked == 0;
	csys_region_close(region);
	return is_wrong;
}

int main(int argc, char **argv)
{
	unsigned ms = argc > 1 ? (unsigned)atoi(argv[1]) : 1500;
	unsigned processes = argc > 2 ? (unsigned)atoi(argv[2]) : 6;
	unsigned seed = argc > 3 ? (unsigned)atoi(argv[3]) : (unsigned)time(NULL);
	int failed = 0;

	if (processes == 0 || processes > MOST) {
		fprintf(stderr, "usage: stress_region [milliseconds [processes [seed]]]\n");
		return 2;
	}
	printf("seed %u\n", seed);
	fflush(stdout);
	for (int way = CSYSI_OS_TOKEN_LIST; way <= CSYSI_OS_TOKEN_LOCK; way++)
		if (csysi_os_token_can((enum csysi_os_token_way)way))
			failed |= rage((enum csysi_os_token_way)way, ms, processes, seed);
	return failed;
}
