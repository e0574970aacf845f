/*
 * crash/crash_token.c - a process that is killed at each instruction with its tokens.
 *
 *     crash_token
 *
 * The process owns and disowns a token, between a token that it owns all the time and, where there
 * are such, a robust mutex of the C library, so that the list is walked beyond the place that is
 * half changed.  After n instructions it is killed, for each n up to the last: all tokens are
 * without an owner then, each can be owned and dies again, and the mutex has a dead owner.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/os.h"
#include "support/names.h"
#include "support/system.h"

enum { WALKED, STEADY, TOKENS };

/* Of one walk.  With a sanitizer's code in between there are too many places to be at each. */
#define MOST_STEPS 100000

static struct shared {
	struct {
		_Alignas(64) struct csysi_os_token token;
	} tokens[TOKENS];
	uint32_t is_over;
	pthread_mutex_t robust;
} * shared;

static struct csysi_os_tokens tokens;
static int has_robust;

/* ---- the one that is killed -------------------------------------------------------- */

/* All of it is done once before, so that what is found out once is known. */
static void prepare(void)
{
	if (csysi_os_token_own(&tokens, WALKED) != 0)
		_exit(99);
	csysi_os_token_disown(&tokens, WALKED);
	if (csysi_os_token_own(&tokens, STEADY) != 0)
		_exit(99);
	if (has_robust && pthread_mutex_lock(&shared->robust) != 0)
		_exit(99);
}

static void own(void)
{
	if (csysi_os_token_own(&tokens, WALKED) != 0)
		_exit(99);
}

static void disown(void)
{
	csysi_os_token_disown(&tokens, WALKED);
}

/* The same from behind another entry. */
static void disown_the_older(void)
{
	csysi_os_token_disown(&tokens, STEADY);
}

struct walk {
	const char *name;
	void (*before)(void);
	void (*act)(void);
};

static const struct walk walks[] = {
	{ "own", NULL, own },
	{ "disown", own, disown },
	{ "disown the older", own, disown_the_older },
};

static pid_t start(const struct walk *walk)
{
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prepare();
		if (walk->before)
			walk->before();
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(98);
		raise(SIGSTOP);
		walk->act();
		csysi_store_release(&shared->is_over, 1);
		for (;;)
			pause();
	}
	return pid;
}

/* Wait for its next stop: 1; 0: it has ended. */
static int await_stop(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 98)
		skip_because("this process may not trace another one");
	return WIFSTOPPED(status);
}

static void kill_it(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) >= 0 && WIFSTOPPED(status))
		continue;
	assert_true(WIFSIGNALED(status));
}

/* Let it make so many steps, or less if it is over before, and kill it: how many it made. */
static int walk_and_kill(const struct walk *walk, int steps)
{
	int made = 0;

	shared->is_over = 0;
	pid_t pid = start(walk);
	assert_true(await_stop(pid));
	while (made < steps && !csysi_load_acquire(&shared->is_over)) {
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_true(await_stop(pid));
		made++;
	}
	kill_it(pid);
	return made;
}

/* ---- those that come after --------------------------------------------------------- */

static void own_all_and_die(void)
{
	for (uint32_t i = 0; i < TOKENS; i++) {
		if (csysi_os_token_own(&tokens, i) != 0)
			_exit(1);
	}
	_exit(0);
}

static void assert_all_dead(void)
{
	for (uint32_t i = 0; i < TOKENS; i++)
		assert_int_equal(csysi_os_token_is_alive(&tokens, i), 0);
}

static void assert_next_one_is_well(void)
{
	assert_all_dead();
	assert_int_equal(result_in_child(own_all_and_die), 0);
	assert_all_dead();
	if (has_robust) {
		assert_int_equal(pthread_mutex_lock(&shared->robust), EOWNERDEAD);
		assert_int_equal(pthread_mutex_consistent(&shared->robust), 0);
		assert_int_equal(pthread_mutex_unlock(&shared->robust), 0);
	}
}

/* ---- walks ------------------------------------------------------------------------- */

static void make_robust(void)
{
	pthread_mutexattr_t attributes;

	assert_int_equal(pthread_mutexattr_init(&attributes), 0);
	has_robust = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0;
	assert_int_equal(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED), 0);
	assert_int_equal(pthread_mutex_init(&shared->robust, &attributes), 0);
	pthread_mutexattr_destroy(&attributes);
}

static void walk_all(csys_handle directory, csys_handle memory, enum csysi_os_token_way way)
{
	memset(shared, 0, sizeof *shared);
	make_robust();
	struct csysi_os_token_place place = { directory, CSYSI_OS_TOKEN_PREFIX "1", 0600 };
	tokens = (struct csysi_os_tokens){ .first = (char *)shared->tokens,
					   .stride = sizeof shared->tokens[0],
					   .way = way };
	assert_int_equal(csysi_os_tokens_open(&tokens, memory, &place), 0);
	for (size_t i = 0; i < sizeof walks / sizeof *walks; i++) {
		int all = walk_and_kill(&walks[i], INT_MAX), places = 1;
		int stride = 1 + (int)((int64_t)all * all / 2 / MOST_STEPS);
		assert_next_one_is_well();
		for (int steps = 0; steps < all; steps += stride) {
			walk_and_kill(&walks[i], steps);
			assert_next_one_is_well();
			places++;
		}
		printf("%s, %s: killed at %d of %d places\n", walks[i].name,
		       way == CSYSI_OS_TOKEN_LIST ? "list" : "lock", places, all + 1);
	}
	csysi_os_tokens_close(&tokens);
}

static void a_process_that_is_killed_at_any_instruction_owns_nothing(void **state)
{
	(void)state;
	csys_handle directory;
	struct csysi_os_new_file file;

	assert_int_equal(csysi_os_directory_open(own_names(), CSYSI_OS_DIRECTORY_USER, &directory),
			 0);
	assert_int_equal(csysi_os_directory_create(directory, 0600, &file), 0);
	csysi_os_directory_unname(directory, &file);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_true(shared != MAP_FAILED);
	/* The tokens of the list are missing only where the kernel's part of it is. */
	assert_true(csysi_os_token_can(CSYSI_OS_TOKEN_LIST) || !has_robust_lists());
	for (int way = CSYSI_OS_TOKEN_LIST; way <= CSYSI_OS_TOKEN_LOCK; way++) {
		if (csysi_os_token_can((enum csysi_os_token_way)way))
			walk_all(directory, file.file, (enum csysi_os_token_way)way);
	}
	munmap(shared, sizeof *shared);
	csysi_os_close(file.file);
	csysi_os_close(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_process_that_is_killed_at_any_instruction_owns_nothing),
	};
	return RUN(tests);
}
