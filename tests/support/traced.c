/*
 * support/traced.c - processes that are killed, or stand, at each instruction or system call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/support.h"
#include "support/traced.h"
#include "support/traced_child.h"

/* The exit code of a victim that may not be traced. */
#define REFUSED 98

/* In how many victims one after another the act is over at the end of a walk. */
#define ENDS 3

/* Steps after which an act has no end; and one of a single addition. */
#define ENDLESS 20000000
#define MOST_OF_TRIAL 100000

/* Of a victim, written by itself. */
struct traced_progress {
	uint32_t is_over;
	uint32_t added; /* by a trial */
};

static struct traced_progress *progress;
static int is_whole;

/* The walk that goes on, for what is said about a failure.  No name: there is none. */
static struct {
	char name[64];
	struct traced_victim victim;
	pid_t tester;
} now;

/* ---- what is said ------------------------------------------------------------------ */

static void say_place(void)
{
	if (now.name[0] && now.tester == getpid())
		print_error("the walk '%s' was left with a victim after %d steps%s%s%s\n", now.name,
			    now.victim.steps, now.victim.is_over ? ", at its end" : "",
			    now.victim.has_slept ? ", after its sleep" : "",
			    now.victim.is_asleep ? ", asleep" : "");
	now.name[0] = '\0';
}

/* A test that fails leaves its walk behind, which is told of at the end or with the next one. */
static void begin_walk(const char *name)
{
	static int is_known;

	if (!is_known)
		is_known = atexit(say_place) == 0;
	say_place();
	(void)snprintf(now.name, sizeof now.name, "%s", name);
	now.tester = getpid();
}

static void skip_walk(const char *reason)
{
	now.name[0] = '\0';
	skip_because(reason);
}

/* ---- victims ----------------------------------------------------------------------- */

static void begin_to_be_traced(void)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(REFUSED);
	raise(SIGSTOP);
}

static void await_first_stop(pid_t pid)
{
	int status = 0;

	if (child_watch(pid, &status, 0) != CHILD_CHANGED) {
		traced_kill(pid);
		fail_because("the victim hangs before its first stop");
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == REFUSED)
		skip_walk("this process may not trace another one");
	if (!WIFSTOPPED(status))
		fail_msg("the victim ended before its first stop, with the status %#x",
			 (unsigned)status);
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_EXITKILL), 0);
}

static void resume(pid_t pid, enum traced_by by)
{
	long r = by == TRACED_BY_CALLS ? ptrace(PTRACE_SYSCALL, pid, NULL, NULL)
				       : ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
	if (r == 0) {
		child_tick(); /* by then most have stopped again */
		return;
	}

	int error = errno;
	traced_kill(pid);
	if (by == TRACED_BY_INSTRUCTIONS && (error == EIO || error == EPERM))
		skip_walk("this system does not let a process go on by one instruction");
	fail_msg("the victim cannot go on: %s", strerror(error));
}

pid_t traced_start(void (*act)(void *context), void *context)
{
	pid_t pid = child_fork();

	if (pid == 0) {
		begin_to_be_traced();
		act(context);
		_exit(0);
	}
	await_first_stop(pid);
	return pid;
}

/* Wait for the next stop: 1; 0: it has ended as it should. */
static int next_stop(pid_t pid)
{
	int status = 0;

	if (child_watch(pid, &status, 0) != CHILD_CHANGED) {
		traced_kill(pid);
		fail_because("the victim hangs");
	}
	if (WIFSTOPPED(status)) {
		assert_int_equal(WSTOPSIG(status), SIGTRAP);
		return 1;
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	return 0;
}

int traced_go_on(pid_t pid, enum traced_by by, int steps)
{
	for (int i = 0; i < steps; i++) {
		resume(pid, by);
		if (!next_stop(pid))
			return 0;
	}
	return 1;
}

void traced_finish(pid_t pid)
{
	assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	assert_int_equal(next_stop(pid), 0);
}

void traced_kill(pid_t pid)
{
	int status = 0;

	child_kill(pid, &status);
	assert_true(WIFSIGNALED(status));
}

/* ---- walks ------------------------------------------------------------------------- */

static int act_is_over(void)
{
	/* Acquire pairs with the release of the victim. */
	return csysi_load_acquire(&progress->is_over) != 0;
}

/* Start a victim that notes when its act is over, and does nothing more. */
static pid_t start_to_walk(const struct traced_walk *walk)
{
	if (!progress)
		progress = child_share(sizeof *progress);
	progress->is_over = 0;
	pid_t pid = child_fork();
	if (pid == 0) {
		if (walk->prepare)
			walk->prepare(walk->context);
		begin_to_be_traced();
		walk->act(walk->context);
		csysi_store_release(&progress->is_over, 1);
		if (walk->overtake)
			raise(SIGSTOP);
		for (;;)
			pause();
	}
	await_first_stop(pid);
	return pid;
}

static void call(void (*function)(void *context, const struct traced_victim *victim),
		 const struct traced_walk *walk)
{
	if (function)
		function(walk->context, &now.victim);
}

/* What is not the end of a step is the end of the test. */
static void assert_step_made(enum child_seen seen, int status)
{
	if (seen == CHILD_CHANGED && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP)
		return;
	if (seen != CHILD_CHANGED) {
		traced_kill(now.victim.pid);
		fail_because("the victim hangs in its act");
	}
	if (WIFSTOPPED(status)) {
		traced_kill(now.victim.pid);
		fail_msg("the victim got the signal %d", WSTOPSIG(status));
	}
	fail_msg("the victim ended in its act, with the status %#x", (unsigned)status);
}

static void make_step(const struct traced_walk *walk, int to_its_sleep)
{
	struct traced_victim *victim = &now.victim;
	int status = 0;

	resume(victim->pid, walk->by);
	enum child_seen seen =
		child_watch(victim->pid, &status, walk->unblock && !victim->has_slept);
	if (seen == CHILD_SLEEPS && to_its_sleep) {
		victim->is_asleep = 1;
		return;
	}
	if (seen == CHILD_SLEEPS) {
		victim->has_slept = 1;
		call(walk->unblock, walk);
		seen = child_watch(victim->pid, &status, 0);
	}
	assert_step_made(seen, status);
	victim->steps++;
}

static void assert_not_endless(void)
{
	if (now.victim.steps < ENDLESS)
		return;
	traced_kill(now.victim.pid);
	fail_because("the act has no end");
}

/* Let others do something while the victim stands, and then the victim what it has left. */
static void overtake(const struct traced_walk *walk)
{
	pid_t pid = now.victim.pid;
	int status = 0;

	call(walk->overtake, walk);
	if (act_is_over())
		return;
	assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	if (child_watch(pid, &status, 0) != CHILD_CHANGED) {
		traced_kill(pid);
		fail_because("the victim hangs after it was overtaken");
	}
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP)
		fail_msg("the victim that was overtaken has the status %#x", (unsigned)status);
}

/* Let a victim make so many steps, or less if it is over or asleep before, and kill it. */
static struct traced_victim walk_and_kill(const struct traced_walk *walk, int steps,
					  int to_its_sleep)
{
	struct traced_victim *victim = &now.victim;

	memset(victim, 0, sizeof *victim);
	if (walk->begin)
		walk->begin(walk->context);
	victim->pid = start_to_walk(walk);
	call(walk->ready, walk);
	while (victim->steps < steps && !victim->is_over && !victim->is_asleep) {
		make_step(walk, to_its_sleep);
		victim->is_over = act_is_over();
		assert_not_endless();
	}
	if (walk->overtake)
		overtake(walk);
	call(walk->look, walk);
	traced_kill(victim->pid);
	call(walk->check, walk);
	return *victim;
}

static void add_one(void *unused)
{
	(void)unused;
	csysi_add_acq_rel(&progress->added, 1);
}

/*
 * Some processors never come past an atomic operation by single instructions: it is a load and a
 * conditional store, which fails after any stop in between, each time again.
 */
void traced_needs_walks(enum traced_by by)
{
	static int has[TRACED_BY_CALLS + 1];
	const struct traced_walk trial = { .by = by, .act = add_one };

	if (has[by])
		return;
	if (!walk_and_kill(&trial, MOST_OF_TRIAL, 0).is_over)
		skip_walk("this processor does not go through atomic operations by instructions");
	has[by] = 1;
}

int traced_sees_sleep(void)
{
	return child_sleep_is_seen();
}

/* How many steps an act has at least, which a victim has shown. */
static int at_least(int all, const struct traced_victim *victim)
{
	int shown = victim->steps + !victim->is_over;

	return shown > all ? shown : all;
}

static void kill_asleep(const struct traced_walk *walk)
{
	if (!walk_and_kill(walk, INT_MAX, 1).is_asleep)
		fail_because("the victim does not sleep");
}

/* From how many places to the next: that of the shortest walk, since others were held up. */
static int stride_of(int steps)
{
	int by_steps = (int)((int64_t)steps * steps / 2 / TRACED_MOST_STEPS);
	int by_places = steps / TRACED_MOST_PLACES;

	return is_whole ? 1 : 1 + (by_steps > by_places ? by_steps : by_places);
}

int traced_kill_walk(const struct traced_walk *walk)
{
	int all = 0, least = INT_MAX, places = 1, sleepers = 0;
	struct traced_victim victim;

	begin_walk(walk->name);
	traced_needs_walks(walk->by);
	if (walk->unblock && !traced_sees_sleep())
		skip_walk("this system does not show which processes sleep");
	for (int i = 0; i < ENDS; i++) {
		victim = walk_and_kill(walk, INT_MAX, 0);
		all = at_least(all, &victim);
		least = victim.steps < least ? victim.steps : least;
		if (walk->unblock && !victim.has_slept)
			fail_because("the victim does not sleep");
	}
	int stride = stride_of(least);
	/* From another one each time, so that many short walks come to all places. */
	int first = (int)getpid() % stride;
	for (int steps = first, ends = 0; ends < ENDS; steps += stride) {
		victim = walk_and_kill(walk, steps, 0);
		ends = victim.is_over ? ends + 1 : 0;
		places += !victim.is_over;
		sleepers += !victim.is_over && victim.has_slept;
		all = at_least(all, &victim);
	}
	printf("%s: killed at %d of %d places", walk->name, places, all + 1);
	if (walk->unblock) {
		kill_asleep(walk);
		printf(", %d of them after its sleep; and asleep", sleepers);
	}
	printf("\n");
	now.name[0] = '\0';
	return all;
}

void traced_arguments(int argc, char **argv)
{
	if (argc == 1)
		return;
	if (argc != 2 || strcmp(argv[1], "whole") != 0) {
		fprintf(stderr, "usage: %s [whole]\n", argv[0]);
		exit(2);
	}
	is_whole = 1;
}

int traced_is_whole(void)
{
	return is_whole;
}
