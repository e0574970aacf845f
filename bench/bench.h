/*
 * bench/bench.h - what all benches share: clock, options, rounds and results.
 *
 * A bench measures its subjects (csys and its peers) in turn, round after
 * round, so that whatever disturbs the machine disturbs them alike:
 *
 *     for (int round = 0; round < options.rounds; round++)
 *             for (size_t i = 0; i < count; i++)
 *                     measure(subjects[bench_turn(round, i, count)]);
 *     bench_print();
 *
 * A round of one subject is a batch of calls, and gives one value: their mean.
 * The result of a subject is the median of its rounds.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

/* ---- clock ---------------------------------------------------------------- */

/* Nanoseconds on the monotonic clock. */
int64_t bench_now(void);

/* ---- options -------------------------------------------------------------- */

struct bench_options {
	int quick;            /* a smoke test of a few seconds: the numbers mean little */
	int rounds;           /* how often each subject has its turn */
	const char *cases;    /* comma-separated names; NULL: all */
	const char *only;     /* comma-separated subjects; NULL: all */
	const char *counting; /* --count: the only subject to run, and say nothing; or NULL */
	int count;            /* --count: how often */
};

/*
 * Read the command line.  Returns 0; on a mistake prints how to use `argv[0]`
 * and ends the program with status 2.  --count is refused if `can_count` is 0.
 */
void bench_options_read(int argc, char **argv, int can_count, struct bench_options *out);

/* 1 if `name` is in the comma-separated `list`, or there is no list. */
int bench_listed(const char *list, const char *name);

/* ---- rounds --------------------------------------------------------------- */

/* Which subject is the i-th of `count` in this round: each round begins with another. */
size_t bench_turn(int round, size_t i, size_t count);

/* How large a batch is: it ends with `most` calls or when `budget` has passed. */
struct bench_batch {
	int most;       /* calls */
	int least;      /* calls, even if they take longer than the budget */
	int64_t budget; /* nanoseconds */
};

/*
 * Call `once` for a batch.  Returns how often it was called, with the time of
 * all together in *out_ns, or -1 as soon as it returns something else than 0.
 */
int bench_batch(const struct bench_batch *size, int (*once)(void *context), void *context,
		int64_t *out_ns);

/* ---- results -------------------------------------------------------------- */

/*
 * Print what this was measured on, as lines that begin with "# ".  All output
 * of a bench is lines of "# " and of `case TAB subject TAB value TAB unit`.
 */
void bench_print_machine(void);

/* One round's value.  The three texts are kept as pointers. */
void bench_add(const char *case_name, const char *subject, double value, const char *unit);

/*
 * One round's value of something that was measured along with it, as CPU time is.
 * Printed as `SUBJECT.BESIDE`, and only its median.
 */
void bench_add_beside(const char *case_name, const char *subject, const char *beside, double value,
		      const char *unit);

/*
 * One round's ratios of the first subject to each other one, beside the first: csys.by_PEER.  Each
 * subject has one value, 0 if it was not measured.
 */
void bench_add_ratios(const char *case_name, const char *const *subjects, const double *values,
		      size_t count);

/* Print median, min and max of all series, in the order of their first values. */
void bench_print(void);

/* Say why on stderr and end the program with status 1: the bench cannot run. */
#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 1, 2)))
#endif
void bench_fail(const char *format, ...);

/*
 * The path of a program that was built beside this one, as in `argv0`; to be
 * freed.
 */
char *bench_beside(const char *argv0, const char *name);

#endif
