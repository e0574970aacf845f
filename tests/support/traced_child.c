/*
 * support/traced_child.c - children of a tester that has to see them stop, sleep and end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/support.h"
#include "support/thread.h"
#include "support/traced_child.h"

static sigset_t child_changes;
static int ticks_asleep; /* since the last fork */

void *child_share(size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(map != MAP_FAILED);
	return map;
}

pid_t child_fork(void)
{
	sigemptyset(&child_changes);
	sigaddset(&child_changes, SIGCHLD);
	assert_int_equal(sigprocmask(SIG_BLOCK, &child_changes, NULL), 0);
	ticks_asleep = 0;
	pid_t tester = getpid();
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, &child_changes, NULL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != tester)
			_exit(1);
	}
	return pid;
}

static int is_asleep(pid_t pid)
{
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	return state_in(path) == 'S';
}

int child_tick(void)
{
	static const struct timespec tick = { 0, 1000000 };

	return sigtimedwait(&child_changes, NULL, &tick) >= 0 || errno != EAGAIN;
}

enum child_seen child_watch(pid_t pid, int *status, int sees_sleep)
{
	for (int ticks = 0, looks = 0; ticks < CHILD_PATIENCE && ticks_asleep < CHILD_PATIENCE;) {
		pid_t r = waitpid(pid, status, WNOHANG);
		if (r == pid)
			return CHILD_CHANGED;
		assert_true(r == 0 || errno == EINTR);
		if (looks == 2)
			return CHILD_SLEEPS;
		if (child_tick())
			continue;
		ticks++;
		int sleeps = is_asleep(pid);
		ticks_asleep += sleeps;
		looks = sees_sleep && sleeps ? looks + 1 : 0;
	}
	return CHILD_HANGS;
}

void child_kill(pid_t pid, int *status)
{
	ticks_asleep = 0;
	kill(pid, SIGKILL);
	do {
		assert_int_equal(child_watch(pid, status, 0), CHILD_CHANGED);
	} while (WIFSTOPPED(*status));
}

int child_sleep_is_seen(void)
{
	return state_in("/proc/self/stat") != 0;
}
