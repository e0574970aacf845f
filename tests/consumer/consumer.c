/*
 * tests/consumer/consumer.c - the smallest program that really uses an installed
 * csys: it runs another program and checks its bytes, and holds a lock for a while.
 *
 * Valid as C99 and as C++11, so one source serves every combination of run.sh.
 */
#include <stdio.h>
#include <string.h>

#include <csys/csys.h>

static csys_mutex lock = CSYS_MUTEX_INIT;
static int runs CSYS_GUARDED_BY(lock);

CSYS_MUTEX_DEFINE(counter, int);
static counter count = CSYS_MUTEX_INIT_WITH(1);

/* What inline functions and guards need of the library; the guard is left by return. */
static int count_one(void)
{
	int *value;
	counter_lock(&count, &value);
	++*value;
	counter_unlock(&count, &value);
	CSYS_MUTEX_GUARD(held, &lock);
	return ++runs;
}

int main(void)
{
	static const char *const argv[] = { "echo", "hello from a child", NULL };
	static const char expected[] = "hello from a child\n";

	csys_output output;
	int r = csys_run(argv, NULL, &output);
	if (r < 0) {
		fprintf(stderr, "csys_run: %s\n", csys_strerror(r));
		return 1;
	}
	int right = csys_exit_success(output.exit) && output.out.size == sizeof expected - 1 &&
		    memcmp(output.out.data, expected, sizeof expected - 1) == 0;
	csys_output_free(&output);
	if (!right) {
		fprintf(stderr, "echo did not write what it was told\n");
		return 1;
	}
	if (csys_version() != CSYS_VERSION) {
		fprintf(stderr, "compiled against %d, running with %d\n", CSYS_VERSION,
			csys_version());
		return 1;
	}
	if (count_one() + count_one() != 3 || csys_mutex_try_lock(&lock) != 0) {
		fprintf(stderr, "a guard did not unlock\n");
		return 1;
	}
	csys_mutex_unlock(&lock);
	printf("csys %s\n", csys_version_string());
	return 0;
}
