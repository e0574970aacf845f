/*
 * os/test_thread.c - exam: threads, and the ends of functions and threads.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/os.h"
#include "support/support.h"

static char order[16]; /* by one thread at a time */

static void note(char letter)
{
	size_t size = strlen(order);
	CHECK(size + 1 < sizeof order);
	order[size] = letter;
	order[size + 1] = '\0';
}

struct start {
	struct csysi_os_thread_start start;
	struct csysi_os_thread self; /* before is_left */
	uint32_t is_left;            /* atomic */
	int exits;
};

static void run(void *argument)
{
	struct start *start = argument;
	note('r');
	start->self = csysi_os_thread_self();
	if (start->exits)
		csysi_os_thread_exit();
	note('e');
}

static void leave(void *argument)
{
	struct start *start = argument;
	note('l');
	/* Release pairs with the acquire below. */
	csysi_store_release(&start->is_left, 1);
	csysi_os_wake(&start->is_left, 1, 0);
}

static void run_one(struct start *start)
{
	order[0] = '\0';
	start->start.run = run;
	start->start.leave = leave;
	start->start.argument = start;
	assert_int_equal(csysi_os_thread_start(&start->start), 0);
	while (!csysi_load_acquire(&start->is_left))
		csysi_os_wait(&start->is_left, 0, CSYS_FOREVER, 0);
}

static void leave_comes_after_run_however_that_is_left(void **state)
{
	(void)state;
	struct start start = { .exits = 0 };
	run_one(&start);
	csysi_os_thread_join(&start.self);
	assert_string_equal(order, "rel");

	start = (struct start){ .exits = 1, .start.name = "a name", .start.stack_size = 1 };
	run_one(&start);
	csysi_os_thread_join(&start.self);
	assert_string_equal(order, "rl");
}

static void one_that_has_ended_may_be_detached(void **state)
{
	(void)state;
	struct start start = { .exits = 0 };
	run_one(&start);
	csysi_os_thread_detach(&start.self);
}

static void an_impossible_one_is_an_error(void **state)
{
	(void)state;
	unsigned cpus[] = { UINT32_MAX };
	struct csysi_os_thread_start start = { .run = run, .leave = leave };
	start.cpus = cpus;
	start.cpu_count = 1;
	order[0] = '\0';
	int r = csysi_os_thread_start(&start);
	assert_true(r == CSYS_EINVAL || r == CSYS_ENOTSUP);
	start.cpus = NULL;
	start.stack_size = SIZE_MAX;
	r = csysi_os_thread_start(&start);
	assert_true(r == CSYS_EAGAIN || r == CSYS_ENOMEM);
	assert_true(csys_os_error() != 0);
	assert_string_equal(order, "");
}

static void do_run(void *exits)
{
	note('r');
	if (exits)
		pthread_exit(NULL);
	note('e');
}

static void do_leave(void *exits)
{
	(void)exits;
	note('l');
}

static void *run_inside(void *exits)
{
	csysi_os_run(do_run, do_leave, exits);
	note('t');
	return NULL;
}

static void a_function_is_left_also_by_the_end_of_its_thread(void **state)
{
	(void)state;
	pthread_t thread;
	order[0] = '\0';
	run_inside(NULL);
	assert_string_equal(order, "relt");
	order[0] = '\0';
	assert_int_equal(pthread_create(&thread, NULL, run_inside, order), 0);
	pthread_join(thread, NULL);
	assert_string_equal(order, "rl");
}

static void *look_whether_it_is_main(void *out)
{
	*(int *)out = csysi_os_is_main_thread();
	return NULL;
}

static void only_the_first_thread_may_be_called_main(void **state)
{
	(void)state;
	int is_main = 1;
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, look_whether_it_is_main, &is_main), 0);
	pthread_join(thread, NULL);
	assert_int_equal(is_main, 0);
	/* The first one is known by its number. */
	assert_int_equal(csysi_os_is_main_thread(), csys_can(CSYS_CAN_THREAD_ID));
}

static int forks; /* that were noted in this process */

static void note_fork(void)
{
	forks++;
}

static void a_fork_is_noted_in_the_child_and_only_there(void **state)
{
	(void)state;
	int status = -1;
	assert_int_equal(csysi_os_at_fork(note_fork), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(forks == 1 ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(forks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(leave_comes_after_run_however_that_is_left),
		TEST(one_that_has_ended_may_be_detached),
		TEST(an_impossible_one_is_an_error),
		TEST(a_function_is_left_also_by_the_end_of_its_thread),
		TEST(a_fork_is_noted_in_the_child_and_only_there),
		TEST(only_the_first_thread_may_be_called_main),
	};
	return RUN(tests);
}
