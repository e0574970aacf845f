/*
 * bench/bench.c - what all benches share: clock, options, rounds and results.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* ---- clock ---------------------------------------------------------------- */

int64_t bench_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- options -------------------------------------------------------------- */

enum { ROUNDS = 15, QUICK_ROUNDS = 3 };

static void usage(const char *program, int can_count)
{
	fprintf(stderr, "usage: %s [--quick] [--rounds N] [--case NAME,...] [--only SUBJECT,...]\n",
		program);
	if (can_count)
		fprintf(stderr, "       %s --count SUBJECT N\n", program);
	exit(2);
}

static int number(const char *text)
{
	char *end;
	long n = text ? strtol(text, &end, 10) : 0;
	return text && end != text && *end == '\0' && n > 0 && n <= 1000000 ? (int)n : -1;
}

void bench_options_read(int argc, char **argv, int can_count, struct bench_options *out)
{
	struct bench_options options = { 0 };
	int wrong = 0;

	for (int i = 1; i < argc && !wrong; i++) {
		if (strcmp(argv[i], "--quick") == 0) {
			options.quick = 1;
		} else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
			options.rounds = number(argv[++i]);
			wrong = options.rounds < 0;
		} else if (strcmp(argv[i], "--case") == 0 && i + 1 < argc) {
			options.cases = argv[++i];
		} else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
			options.only = argv[++i];
		} else if (strcmp(argv[i], "--count") == 0 && i + 2 < argc && can_count) {
			options.counting = argv[++i];
			options.count = number(argv[++i]);
			wrong = options.count < 0;
		} else {
			wrong = 1;
		}
	}
	if (wrong)
		usage(argv[0], can_count);
	if (options.rounds == 0)
		options.rounds = options.quick ? QUICK_ROUNDS : ROUNDS;
	*out = options;
}

int bench_listed(const char *list, const char *name)
{
	if (!list)
		return 1;
	size_t length = strlen(name);
	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return 1;
	}
	return 0;
}

/* ---- rounds --------------------------------------------------------------- */

size_t bench_turn(int round, size_t i, size_t count)
{
	return ((size_t)round + i) % count;
}

int bench_batch(const struct bench_batch *size, int (*once)(void *context), void *context,
		int64_t *out_ns)
{
	int calls = 0;
	int64_t begin = bench_now();
	int64_t now = begin;

	while (calls < size->most && (calls < size->least || now - begin < size->budget)) {
		if (once(context) != 0)
			return -1;
		calls++;
		now = bench_now();
	}
	*out_ns = now - begin;
	return calls;
}

/* ---- results -------------------------------------------------------------- */

/* Subjects that the first one is compared with. */
#define MOST_BY 16

struct series {
	const char *case_name;
	const char *subject;
	const char *beside; /* what else of the same case and subject, or NULL */
	const char *unit;
	double *values;
	size_t count;
	size_t room;
};

static struct series *all;
static size_t all_count;

static void *grown(void *block, size_t count, size_t size)
{
	void *larger = realloc(block, count * size);
	if (!larger)
		bench_fail("out of memory");
	return larger;
}

void bench_print_machine(void)
{
	struct utsname system;
	if (uname(&system) == 0)
		printf("# system: %s %s %s\n", system.sysname, system.release, system.machine);
	printf("# cpus: %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
}

static int is_same(const char *left, const char *right)
{
	return left && right ? strcmp(left, right) == 0 : left == right;
}

void bench_add_beside(const char *case_name, const char *subject, const char *beside, double value,
		      const char *unit)
{
	struct series *series = NULL;
	for (size_t i = 0; i < all_count && !series; i++)
		if (is_same(all[i].case_name, case_name) && is_same(all[i].subject, subject) &&
		    is_same(all[i].beside, beside))
			series = &all[i];
	if (!series) {
		all = grown(all, all_count + 1, sizeof *all);
		series = &all[all_count++];
		*series = (struct series){
			.case_name = case_name, .subject = subject, .beside = beside, .unit = unit
		};
	}
	if (series->count == series->room) {
		series->room = series->room * 2 + 8;
		series->values = grown(series->values, series->room, sizeof *series->values);
	}
	series->values[series->count++] = value;
}

void bench_add(const char *case_name, const char *subject, double value, const char *unit)
{
	bench_add_beside(case_name, subject, NULL, value, unit);
}

/* "by_SUBJECT", kept to the end of the program. */
static const char *by(const char *subject)
{
	static char names[MOST_BY][32];
	static size_t count;
	char name[sizeof names[0]];

	snprintf(name, sizeof name, "by_%s", subject);
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return names[i];
	if (count == MOST_BY)
		bench_fail("too many subjects");
	strcpy(names[count], name);
	return names[count++];
}

void bench_add_ratios(const char *case_name, const char *const *subjects, const double *values,
		      size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (values[0] > 0 && values[i] > 0)
			bench_add_beside(case_name, subjects[0], by(subjects[i]),
					 values[0] / values[i], "ratio");
}

static int by_value(const void *left, const void *right)
{
	double l = *(const double *)left;
	double r = *(const double *)right;
	return (l > r) - (l < r);
}

static void print_line(const struct series *s, const char *suffix, double value)
{
	const char *dot = s->beside ? "." : "";
	const char *beside = s->beside ? s->beside : "";
	printf("%s\t%s%s%s%s\t%.3f\t%s\n", s->case_name, s->subject, dot, beside, suffix, value,
	       s->unit);
}

void bench_print(void)
{
	for (size_t i = 0; i < all_count; i++) {
		struct series *s = &all[i];
		qsort(s->values, s->count, sizeof *s->values, by_value);
		double median = (s->values[(s->count - 1) / 2] + s->values[s->count / 2]) / 2;
		print_line(s, "", median);
		if (!s->beside) {
			print_line(s, ".min", s->values[0]);
			print_line(s, ".max", s->values[s->count - 1]);
		}
		free(s->values);
	}
	fflush(stdout);
	free(all);
	all = NULL;
	all_count = 0;
}

void bench_fail(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fflush(stdout);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

char *bench_beside(const char *argv0, const char *name)
{
	const char *slash = strrchr(argv0, '/');
	const char *folder = slash ? argv0 : "./";
	size_t length = slash ? (size_t)(slash - argv0) + 1 : 2;
	size_t size = length + strlen(name) + 1;
	char *path = grown(NULL, size, 1);
	memcpy(path, folder, length);
	memcpy(path + length, name, size - length);
	return path;
}
