/*
 * sync/test_thread_linux.c - promises of csys/sync/thread.h, as the system itself sees the thread:
 * its name, stack, CPUs and priority.
 */
#define _GNU_SOURCE /* pthread_getname_np, cpu_set_t */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/support.h"
#include "support/thread.h"

struct look {
	char name[16];
	size_t stack;
	int cpus;
	unsigned first_cpu;
	int policy;
	int nice;
};

static void look_at_cpus(intptr_t number, struct look *out)
{
	cpu_set_t cpus;

	assert_int_equal(sched_getaffinity((pid_t)number, sizeof cpus, &cpus), 0);
	out->cpus = CPU_COUNT(&cpus);
	out->first_cpu = 0;
	while (out->first_cpu < CPU_SETSIZE && !CPU_ISSET(out->first_cpu, &cpus))
		out->first_cpu++;
}

static void *look_around(void *argument)
{
	struct look *look = argument;
	pthread_attr_t attributes;
	void *stack;

	pthread_getname_np(pthread_self(), look->name, sizeof look->name);
	if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
		pthread_attr_getstack(&attributes, &stack, &look->stack);
		pthread_attr_destroy(&attributes);
	}
	look_at_cpus(0, look);
	/* The call of the C library fails by design in musl. */
	look->policy = (int)syscall(SYS_sched_getscheduler, 0);
	look->nice = getpriority(PRIO_PROCESS, (id_t)thread_number());
	return NULL;
}

static void join(csys_thread *thread)
{
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(thread);
}

static struct look looked(const csys_thread_options *options)
{
	struct look look;
	csys_thread *thread = NULL;

	memset(&look, 0, sizeof look);
	assert_int_equal(csys_thread_spawn(look_around, &look, options, &thread), 0);
	join(thread);
	return look;
}

/* ---- a thread that begins ---------------------------------------------------------------- */

static void the_system_has_its_name_cut_to_15_bytes(void **state)
{
	(void)state;
	csys_thread_options options = { .name = "a name of some length" };
	assert_string_equal(looked(&options).name, "a name of some ");
}

static void its_stack_is_no_smaller_than_was_said(void **state)
{
	(void)state;
	csys_thread_options options = { .stack_size = 300001 };
	assert_true(looked(&options).stack >= 300001);
	options.stack_size = (size_t)20 << 20; /* more than it would be anyway */
	assert_true(looked(&options).stack >= (size_t)20 << 20);
}

static void it_is_kept_to_the_chosen_cpus(void **state)
{
	(void)state;
	unsigned cpu = looked(NULL).first_cpu; /* one that is allowed */
	csys_thread_options options = { .cpus = &cpu, .cpu_count = 1 };
	struct look look = looked(&options);
	assert_int_equal(look.cpus, 1);
	assert_int_equal(look.first_cpu, cpu);
}

static void it_has_its_priority_from_its_beginning(void **state)
{
	(void)state;
	csys_thread_options nice = { .priority = { CSYS_PRIORITY_NICE, 5 } };
	csys_thread_options fifo = { .priority = { CSYS_PRIORITY_FIFO, 1 } };
	struct look look;
	csys_thread *thread = NULL;
	assert_int_equal(looked(&nice).nice, 5);
	int r = csys_thread_spawn(look_around, &look, &fifo, &thread);
	if (r == CSYS_EPERM)
		return;
	assert_int_equal(r, 0);
	join(thread);
	assert_int_equal(look.policy, SCHED_FIFO);
}

/* ---- a thread that runs ------------------------------------------------------------------ */

static csys_event is_over;

static void *wait_for_the_end(void *unused)
{
	csys_event_wait(&is_over);
	return unused;
}

/* A thread that runs until end_running, and its number. */
static csys_thread *running(int64_t *number)
{
	csys_thread *thread = NULL;
	is_over = (csys_event)CSYS_EVENT_INIT_MANUAL;
	assert_int_equal(csys_thread_spawn(wait_for_the_end, NULL, NULL, &thread), 0);
	assert_int_equal(csys_thread_os_id(thread, number), 0);
	return thread;
}

static void end_running(csys_thread *thread)
{
	csys_event_set(&is_over);
	join(thread);
}

/* What the system says; empty without /proc. */
static void shown_name(int64_t number, char *out, size_t size)
{
	char path[64];
	out[0] = '\0';
	(void)snprintf(path, sizeof path, "/proc/self/task/%ld/comm", (long)number);
	FILE *file = fopen(path, "r");
	if (!file)
		return;
	if (fgets(out, (int)size, file))
		out[strcspn(out, "\n")] = '\0';
	fclose(file);
}

static void the_system_has_its_new_name(void **state)
{
	(void)state;
	char shown[64];
	int64_t number;
	csys_thread *thread = running(&number);
	assert_int_equal(csys_thread_rename(thread, "a name that is longer than 15 bytes"), 0);
	shown_name(number, shown, sizeof shown);
	end_running(thread);
	if (shown[0] == '\0')
		skip_because("without /proc a thread cannot be renamed by another");
	assert_string_equal(shown, "a name that is ");
}

static void it_is_moved_to_the_chosen_cpus(void **state)
{
	(void)state;
	int64_t number;
	struct look look;
	csys_thread *thread = running(&number);
	unsigned cpu = looked(NULL).first_cpu;
	assert_int_equal(csys_thread_set_cpus(thread, &cpu, 1), 0);
	look_at_cpus((intptr_t)number, &look);
	end_running(thread);
	assert_int_equal(look.cpus, 1);
	assert_int_equal(look.first_cpu, cpu);
}

static void it_gets_the_priority_and_no_other_thread_does(void **state)
{
	(void)state;
	int64_t number;
	csys_thread_priority nice = { CSYS_PRIORITY_NICE, 7 };
	csys_thread *thread = running(&number);
	assert_int_equal(csys_thread_set_priority(thread, nice), 0);
	int its = getpriority(PRIO_PROCESS, (id_t)number);
	end_running(thread);
	assert_int_equal(its, 7);
	assert_true(getpriority(PRIO_PROCESS, 0) != 7);
}

static void ask_for_too_much(void)
{
	csys_thread_options nice = { .priority = { CSYS_PRIORITY_NICE, -5 } };
	struct rlimit none = { 0, 0 };
	struct look look;
	CHECK(setrlimit(RLIMIT_NICE, &none) == 0);
	CHECK(setuid(65534) == 0 || geteuid() != 0);
	int r = csys_thread_spawn(look_around, &look, &nice, NULL);
	CHECK(r == CSYS_EPERM);
	r = csys_thread_set_priority(csys_thread_current(), nice.priority);
	CHECK(r == CSYS_EPERM);
}

static void a_priority_that_the_process_may_not_give_is_told(void **state)
{
	(void)state;
	if (WITH_TSAN)
		skip_because("a forked child of ThreadSanitizer starts no threads");
	in_child(ask_for_too_much);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_system_has_its_name_cut_to_15_bytes),
		TEST(its_stack_is_no_smaller_than_was_said),
		TEST(it_is_kept_to_the_chosen_cpus),
		TEST(it_has_its_priority_from_its_beginning),
		TEST(the_system_has_its_new_name),
		TEST(it_is_moved_to_the_chosen_cpus),
		TEST(it_gets_the_priority_and_no_other_thread_does),
		TEST(a_priority_that_the_process_may_not_give_is_told),
	};
	return RUN(tests);
}
