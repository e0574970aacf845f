/*
 * os/test_parallelism.c - exam: how many threads can run at once.
 */
#define _GNU_SOURCE /* _SC_NPROCESSORS_CONF */
#include <unistd.h>

#include "os/os.h"
#include "support/support.h"
#include "support/thread.h"

static void it_is_one_or_more_and_no_more_than_there_are(void **state)
{
	(void)state;
	int count = csysi_os_parallelism();
	assert_true(count >= 1);
	assert_true(count <= sysconf(_SC_NPROCESSORS_CONF));
	assert_int_equal(csysi_os_parallelism(), count);
}

static void *be_pinned(void *context)
{
	if (pin(0))
		*(int *)context = csysi_os_cpus();
	return NULL;
}

static void a_pinned_thread_does_not_change_how_many_cpus_there_are(void **state)
{
	(void)state;
	int count = csysi_os_cpus();
	int pinned = count;
	assert_true(count >= 1);
	assert_true(count <= sysconf(_SC_NPROCESSORS_CONF));
	run_threads(1, be_pinned, &pinned);
	assert_int_equal(pinned, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_one_or_more_and_no_more_than_there_are),
		TEST(a_pinned_thread_does_not_change_how_many_cpus_there_are),
	};
	return RUN(tests);
}
