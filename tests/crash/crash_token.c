/*
 * crash/crash_token.c - a process that is killed at each instruction with its tokens.
 *
 *     crash_token [whole]
 *
 * The process owns and disowns a token, between a token that it owns all the time and, where there
 * are such, a robust mutex of the C library, so that the list is walked beyond the place that is
 * half changed.  After n instructions it is killed, for each n up to the last: all tokens are
 * without an owner then, each can be owned and dies again, and the mutex has a dead owner.
 *
 * Or it sleeps until a token has no owner, whose owner is killed then.  Wherever that sleeper is
 * killed, before its sleep, in it, or when it is to wake the next one, that one comes back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/os.h"
#include "support/names.h"
#include "support/system.h"
#include "support/traced.h"

enum { WALKED, STEADY, TOKENS };

static struct shared {
	struct {
		_Alignas(64) struct csysi_os_token token;
	} tokens[TOKENS];
	pthread_mutex_t robust;
	uint32_t word; /* that nobody wakes */
} * shared;

static struct csysi_os_tokens tokens;
static int has_robust;

/* ---- the one that is killed -------------------------------------------------------- */

/* All of it is done once before, so that what is found out once is known. */
static void prepare(void *unused)
{
	(void)unused;
	CHECK(csysi_os_token_own(&tokens, WALKED) == 0);
	csysi_os_token_disown(&tokens, WALKED);
	CHECK(csysi_os_token_own(&tokens, STEADY) == 0);
	CHECK(!has_robust || pthread_mutex_lock(&shared->robust) == 0);
}

static void own(void *unused)
{
	(void)unused;
	if (csysi_os_token_own(&tokens, WALKED) != 0)
		_exit(99);
}

static void prepare_and_own(void *unused)
{
	prepare(unused);
	own(unused);
}

static void disown(void *unused)
{
	(void)unused;
	csysi_os_token_disown(&tokens, WALKED);
}

/* The same from behind another entry. */
static void disown_the_older(void *unused)
{
	(void)unused;
	csysi_os_token_disown(&tokens, STEADY);
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

static void assert_next_one_is_well(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	assert_all_dead();
	assert_int_equal(result_in_child(own_all_and_die), 0);
	assert_all_dead();
	if (has_robust) {
		assert_int_equal(pthread_mutex_lock(&shared->robust), EOWNERDEAD);
		assert_int_equal(pthread_mutex_consistent(&shared->robust), 0);
		assert_int_equal(pthread_mutex_unlock(&shared->robust), 0);
	}
}

/* ---- sleepers ---------------------------------------------------------------------- */

static struct traced_peer owner, sleeper;

static int own_until_killed(void *unused)
{
	own(unused);
	pause();
	return 1;
}

static void sleep_until_dead(void *unused)
{
	(void)unused;
	while (csysi_os_token_is_alive(&tokens, WALKED))
		CHECK(csysi_os_token_wait(&tokens, WALKED, &shared->word, 0, CSYS_FOREVER) == 0);
}

static void prepare_to_sleep(void *unused)
{
	(void)unused;
	CHECK(csysi_os_token_is_alive(&tokens, WALKED) == 1);
	CHECK(csysi_os_token_wait(&tokens, WALKED, &shared->word, 1, CSYS_FOREVER) == 0);
}

static int survive_owner(void *unused)
{
	sleep_until_dead(unused);
	return 0;
}

static void start_owner(void *unused)
{
	owner = traced_sleeper_start(own_until_killed, unused);
}

/* With a sleeper behind the victim: the kernel wakes the victim, which is to wake that one. */
static void kill_owner(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	sleeper = traced_sleeper_start(survive_owner, unused);
	assert_int_equal(csysi_os_token_is_alive(&tokens, WALKED), 1);
	traced_peer_kill(&owner);
}

static void assert_sleeper_comes_back(void *unused, const struct traced_victim *victim)
{
	if (!victim->has_slept)
		kill_owner(unused, victim);
	assert_int_equal(traced_peer_result(&sleeper), 0);
	assert_all_dead();
}

/* ---- walks ------------------------------------------------------------------------- */

static const struct traced_walk walks[] = {
	{ .name = "own", .prepare = prepare, .act = own, .check = assert_next_one_is_well },
	{ .name = "disown",
	  .prepare = prepare_and_own,
	  .act = disown,
	  .check = assert_next_one_is_well },
	{ .name = "disown the older",
	  .prepare = prepare_and_own,
	  .act = disown_the_older,
	  .check = assert_next_one_is_well },
};

/* Of the list: elsewhere a sleep ends by its naps alone. */
static const struct traced_walk sleep_walk = {
	.name = "sleep",
	.begin = start_owner,
	.prepare = prepare_to_sleep,
	.act = sleep_until_dead,
	.unblock = kill_owner,
	.check = assert_sleeper_comes_back,
};

static void walk_one(const struct traced_walk *known, enum csysi_os_token_way way)
{
	char name[64];
	struct traced_walk walk = *known;

	(void)snprintf(name, sizeof name, "%s, %s", known->name,
		       way == CSYSI_OS_TOKEN_LIST ? "list" : "lock");
	walk.name = name;
	traced_kill_walk(&walk);
}

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
	for (size_t i = 0; i < sizeof walks / sizeof *walks; i++)
		walk_one(&walks[i], way);
	if (way == CSYSI_OS_TOKEN_LIST && traced_sees_sleep())
		walk_one(&sleep_walk, way);
	csysi_os_tokens_close(&tokens);
}

static void a_process_that_is_killed_at_any_instruction_owns_nothing(void **state)
{
	(void)state;
	csys_handle directory;
	struct csysi_os_new_file file;

	traced_needs_walks(TRACED_BY_INSTRUCTIONS);
	csysi_os_token_nap_ns = 40000000; /* so that what only a nap ends takes no longer */
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

int main(int argc, char **argv)
{
	traced_arguments(argc, argv);
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_process_that_is_killed_at_any_instruction_owns_nothing),
	};
	return RUN(tests);
}
