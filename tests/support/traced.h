/*
 * support/traced.h - processes that are killed, or stand, at each instruction or system call.
 *
 * A victim is a forked child that prepares itself, stops, and then acts, step by step.  After n
 * steps the tester looks at the memory that both share, so it knows the exact state that must come
 * out, kills the victim and checks what is left.  A kill walk does that for each n.
 *
 *     static const struct traced_walk walk = {
 *             .name = "unlock", .prepare = lock, .act = unlock, .look = note_the_holder,
 *             .check = the_next_one_is_told,
 *     };
 *     traced_kill_walk(&walk);
 *
 * Invariant: from its first stop to its death the victim stands still between two instructions
 * while functions of the tester run, or it sleeps in a system call that is one instruction too.  So
 * what `look` reads is what the victim leaves.
 *
 * Linux only.  Where no process may trace another one, or none is seen to sleep, the test is
 * skipped.  What takes a minute is taken for something without end: it is killed, and the test
 * fails.  From the first function here on SIGCHLD is blocked in the tester; in its children not.
 */
#ifndef CSYS_TEST_TRACED_H
#define CSYS_TEST_TRACED_H

#include <sys/types.h>

/* ---- walks ------------------------------------------------------------------------- */

/* What a step is: an instruction, or the way to the next beginning or end of a system call. */
enum traced_by { TRACED_BY_INSTRUCTIONS, TRACED_BY_CALLS };

/* Where a victim is, or was killed. */
struct traced_victim {
	pid_t pid;
	int steps;     /* that it has made since its first stop */
	int is_over;   /* its act has ended */
	int has_slept; /* in its act, and unblock was called */
	int is_asleep; /* in its act, and unblock was not called: it is killed there */
};

/* Any of the functions but `act` may be NULL.  A process of the victim that cannot do its part
 * ends by CHECK or _exit, not with the code 98, and the test fails. */
struct traced_walk {
	const char *name;
	enum traced_by by;
	void *context; /* of all these functions */

	/* In the victim: before its first stop, and what is walked.  All that is found out once, as
	 * what a dynamic linker looks up, is better done in `prepare`. */
	void (*prepare)(void *context);
	void (*act)(void *context);

	/* In the tester, in this order: before there is a victim; while it stands, prepared; once,
	 * when it is seen to sleep in its act (what is done here ends the sleep); where it is
	 * killed; after its death.  The victim may end a sleep by itself, so one that was killed
	 * later need not have slept: `has_slept` tells.  With `overtake` a victim stands where it
	 * would be killed: that is called there, the act goes on to its end, and then it is killed.
	 */
	void (*begin)(void *context);
	void (*ready)(void *context, const struct traced_victim *victim);
	void (*unblock)(void *context, const struct traced_victim *victim);
	void (*overtake)(void *context, const struct traced_victim *victim);
	void (*look)(void *context, const struct traced_victim *victim);
	void (*check)(void *context, const struct traced_victim *victim);
};

/*
 * Kill a victim at each place of a walk, and print at how many.  The first ones go to the end of
 * the act, which tells how many steps there are; then they are killed after 0, 1, 2 .. steps.  That
 * another process is slower or faster changes how many steps there are, so the walk ends only when
 * the act was over in three victims one after another, with more steps each.  Where there is
 * `unblock`, the first ones have to sleep, and a last one is killed in its sleep.
 *
 * Returns how many steps there are; there is one place more.
 */
int traced_kill_walk(const struct traced_walk *walk);

/*
 * A walk of k places takes k * k / 2 steps.  If that is more than this many, as with a sanitizer's
 * code in between, or there are more places than this, the victims are killed at every second
 * place, or third one .., from one of the first that differs from process to process.
 */
#define TRACED_MOST_STEPS 10000
#define TRACED_MOST_PLACES 25

/*
 * Skip the test where no process can be traced so.  All functions here do that too; this is for the
 * beginning of a test, before it has made what a skip would leave behind.
 */
void traced_needs_walks(enum traced_by by);

/* Whether there can be walks with `unblock`: the system shows which processes sleep. */
int traced_sees_sleep(void);

/* Take the arguments of a program of walks: "whole" has it kill at every place, however many. */
void traced_arguments(int argc, char **argv);

/* Whether it does: for walks that are too long for the short form. */
int traced_is_whole(void);

/* ---- one victim -------------------------------------------------------------------- */

/* Start a process that acts and exits, and stands before its act. */
pid_t traced_start(void (*act)(void *context), void *context);

/* Let it make so many steps: 1.  0: it has ended before, with the exit code 0. */
int traced_go_on(pid_t pid, enum traced_by by, int steps);

/* Let it go on to its end, which has the exit code 0. */
void traced_finish(pid_t pid);

/* Kill it where it is. */
void traced_kill(pid_t pid);

/* ---- processes beside it ----------------------------------------------------------- */

/*
 * A process that runs free: a survivor, which sleeps in a lock already or comes later, or a holder
 * that is killed itself.  It dies with the tester.
 */
struct traced_peer {
	pid_t pid; /* 0: it has been reaped */
	int status;
	struct traced_outcome *outcome;
};

/* Start one that ends with the result of this function. */
struct traced_peer traced_peer_start(int (*run)(void *context), void *context);

/* Wait until it sleeps: 1.  0: it has ended before. */
int traced_peer_await_sleep(struct traced_peer *peer);

/* Start one, and wait until it sleeps; one that ends before fails the test. */
struct traced_peer traced_sleeper_start(int (*run)(void *context), void *context);

/* Whether it has its result by now. */
int traced_peer_is_over(const struct traced_peer *peer);

/* Its result, for which this waits. */
int traced_peer_result(struct traced_peer *peer);

/* Kill it, wherever it is. */
void traced_peer_kill(struct traced_peer *peer);

#endif
