/*
 * os/test_token_linux.c - exam: wakes at the end of an owner, without naps.
 *
 * A sleep ends after a nap, so a wake that is lost shows nowhere.  Here a nap is longer than the
 * test may take.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS, syscall */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/os.h"
#include "support/support.h"
#include "support/thread.h"

static struct shared {
	_Alignas(64) struct csysi_os_token token;
	_Alignas(64) uint32_t word;
	uint32_t is_owned;
} * shared;

static struct csysi_os_tokens tokens;

#ifdef CSYS_TEST_WRAPS
/* With what the sleep on two words fails; 0: it does not.  How often it has. */
static int failure;
static uint32_t failures;

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	long given[6];
	va_list arguments;
	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		given[i] = va_arg(arguments, long);
	va_end(arguments);
	if (number == 449 && failure != 0) {
		failures++;
		errno = failure;
		return -1;
	}
	return __real_syscall(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}
#endif

static int begin(void **state)
{
	void *map = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
	assert_true(map != MAP_FAILED);
	shared = map;
	tokens = (struct csysi_os_tokens){ .first = map,
					   .stride = sizeof shared->token,
					   .way = CSYSI_OS_TOKEN_LIST };
	csysi_os_token_nap_ns = INT64_C(3600) * 1000000000;
	return support_before(state);
}

static int end(void **state)
{
	munmap(shared, sizeof *shared);
	return support_after(state);
}

static void needs_wakes(void)
{
	if (syscall(449, NULL, 0, 0, NULL, 0) == 0 || errno == ENOSYS || errno == EPERM)
		skip_because("the kernel has no sleep on two words");
	if (!csysi_os_token_can(CSYSI_OS_TOKEN_LIST))
		skip_because("there are no tokens of the list");
}

static pid_t started(void (*function)(void))
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		function();
		_exit(0);
	}
	return pid;
}

static void reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
}

static void own_for_ever(void)
{
	if (csysi_os_token_own(&tokens, 0) != 0)
		_exit(1);
	csysi_store_release(&shared->is_owned, 1);
	for (;;)
		pause();
}

/* A process that owns the token until it is killed. */
static pid_t start_owner(void)
{
	shared->is_owned = 0;
	pid_t pid = started(own_for_ever);
	while (!csysi_load_acquire(&shared->is_owned))
		csysi_os_yield();
	return pid;
}

static void kill_it(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	reap(pid);
}

static void sleep_once(void)
{
	(void)csysi_os_token_wait(&tokens, 0, &shared->word, 0, CSYS_FOREVER);
}

/* The letter of its state. */
static int state_of(pid_t pid)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	char state = state_in(path);
	assert_true(state != 0);
	return state;
}

/* A process that sleeps for the owner of the token, and ends with its sleep. */
static pid_t start_sleeper(void)
{
	pid_t pid = started(sleep_once);
	while (state_of(pid) != 'S')
		csysi_os_yield();
	return pid;
}

static void the_sleeper_that_the_kernel_wakes_wakes_the_others(void **state)
{
	(void)state;
	needs_wakes();
	pid_t owner = start_owner(), sleepers[3];
	for (int i = 0; i < 3; i++)
		sleepers[i] = start_sleeper();
	kill_it(owner);
	for (int i = 0; i < 3; i++)
		reap(sleepers[i]);
}

/* A process that is woken and does nothing more, as one that is killed at that moment. */
static void swallow_the_wake(void)
{
	uint32_t waited = csysi_load_relaxed(&shared->token.word) | 0x80000000u;

	csysi_store_relaxed(&shared->token.word, waited); /* the owner and all others are at rest */
	(void)csysi_os_wait(&shared->token.word, waited, CSYS_FOREVER, 1);
}

static pid_t start_swallower(void)
{
	pid_t pid = started(swallow_the_wake);
	while (state_of(pid) != 'S')
		csysi_os_yield();
	return pid;
}

static void the_next_owner_wakes_those_that_the_last_one_has_left(void **state)
{
	(void)state;
	needs_wakes();
	pid_t owner = start_owner();
	pid_t first = start_swallower();
	pid_t second = start_sleeper();
	kill_it(owner);
	reap(first);
	assert_int_equal(state_of(second), 'S');
	assert_int_equal(csysi_os_token_own(&tokens, 0), 0);
	reap(second);
	csysi_os_token_disown(&tokens, 0);
}

static void an_owner_that_disowns_wakes_all(void **state)
{
	(void)state;
	needs_wakes();
	pid_t sleepers[2];
	assert_int_equal(csysi_os_token_own(&tokens, 0), 0);
	for (int i = 0; i < 2; i++)
		sleepers[i] = start_sleeper();
	csysi_os_token_disown(&tokens, 0);
	for (int i = 0; i < 2; i++)
		reap(sleepers[i]);
}

static void without_memory_of_the_kernel_it_sleeps_on_one_word(void **state)
{
	(void)state;
	needs_wakes();
#ifdef CSYS_TEST_WRAPS
	csys_deadline deadline = csys_after_ms(20);
	int r = 0;
	assert_int_equal(csysi_os_token_own(&tokens, 0), 0);
	failure = ENOMEM;
	failures = 0;
	while (r == 0)
		r = csysi_os_token_wait(&tokens, 0, &shared->word, 0, deadline);
	failure = 0;
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_true(failures > 0);
	csysi_os_token_disown(&tokens, 0);
#else
	skip_because("the linker has no --wrap");
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_sleeper_that_the_kernel_wakes_wakes_the_others,
						begin, end),
		cmocka_unit_test_setup_teardown(
			the_next_owner_wakes_those_that_the_last_one_has_left, begin, end),
		cmocka_unit_test_setup_teardown(an_owner_that_disowns_wakes_all, begin, end),
		cmocka_unit_test_setup_teardown(without_memory_of_the_kernel_it_sleeps_on_one_word,
						begin, end),
	};
	return RUN(tests);
}
