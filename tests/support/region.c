/*
 * support/region.c - regions for tests, and the processes that share them.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/region.h"
#include "support/thread.h"

csys_region *region;

void in_each_way_with(const csys_region_options *options, void (*function)(void))
{
	for (int way = CSYSI_OS_TOKEN_LIST; way <= CSYSI_OS_TOKEN_LOCK; way++) {
		if (!csysi_os_token_can((enum csysi_os_token_way)way))
			continue;
		csysi_region_way = way;
		int r = csys_region_create_anonymous(sizeof(struct steps), options, &region);
		if (r == CSYS_ENOTSUP && way == CSYSI_OS_TOKEN_LIST)
			continue; /* where nothing opens the memory once more */
		assert_int_equal(r, 0);
		function();
		csys_region_close(region);
		region = NULL;
	}
	csysi_region_way = 0;
}

void in_each_way(void (*function)(void))
{
	in_each_way_with(NULL, function);
}

void with_nap(int64_t ns, void (*function)(void))
{
	int64_t before = csysi_os_token_nap_ns;
	csysi_os_token_nap_ns = ns;
	in_each_way(function);
	csysi_os_token_nap_ns = before;
}

void reach_step(uint32_t step)
{
	/* Release pairs with the acquire in await_step. */
	csysi_store_release(&STEPS->step, step);
	csysi_os_wake(&STEPS->step, UINT32_MAX, 1);
}

void await_step(uint32_t step)
{
	uint32_t now;
	while ((now = csysi_load_acquire(&STEPS->step)) != step)
		(void)csysi_os_wait(&STEPS->step, now, CSYS_FOREVER, 1);
}

void count_sleeper(void)
{
	/* Release pairs with the acquire in await_sleepers. */
	csysi_add_release(&STEPS->told, 1);
}

void await_sleepers(uint32_t count)
{
	while (csysi_load_acquire(&STEPS->told) < count)
		csys_thread_yield();
	take_a_nap();
}

pid_t forked(void (*function)(void))
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		function();
		_exit(0);
	}
	return pid;
}

pid_t forked_sleeper(void (*function)(void))
{
	uint32_t before = csysi_load_acquire(&STEPS->told);
	pid_t pid = forked(function);
	await_sleepers(before + 1);
	return pid;
}

pid_t forked_sleeper_without_naps(void (*function)(void))
{
	int64_t nap = csysi_os_token_nap_ns;
	csysi_os_token_nap_ns = NO_NAP;
	pid_t pid = forked_sleeper(function);
	csysi_os_token_nap_ns = nap;
	return pid;
}

static int status_of(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	return status;
}

void await_end(pid_t pid)
{
	assert_true(WIFSIGNALED(status_of(pid)));
}

void kill_it(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	await_end(pid);
}

int code_of(pid_t pid)
{
	int status = status_of(pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

void stay(void)
{
	/* A test that fails leaves none behind, which would keep its output open. */
	for (pid_t parent = getppid(); getppid() == parent;)
		csysi_os_nap(csys_after_ms(100));
	_exit(1);
}
