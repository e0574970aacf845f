/*
 * os/test_token.c - exam: whether a thread of any process lives.
 *
 * Each test runs in every way that this process has.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS, PTHREAD_MUTEX_ROBUST */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/os.h"
#include "support/names.h"

/* What the processes of a test share. */
struct shared {
	struct {
		_Alignas(64) struct csysi_os_token token;
	} tokens[8];
	uint32_t word;
	uint32_t step;
	uint32_t told;
	pthread_mutex_t robust[3];
};

static struct shared *shared;
static struct csysi_os_tokens tokens;
static csys_handle memory; /* which stands for that of the tokens */
static csys_handle directory;
static struct csysi_os_token_place place = { CSYS_NO_HANDLE, CSYSI_OS_TOKEN_PREFIX "1", 0600 };

static void begin(enum csysi_os_token_way way)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	assert_true(shared != MAP_FAILED);
	tokens.first = (char *)shared->tokens;
	tokens.stride = sizeof shared->tokens[0];
	tokens.way = way;
	assert_int_equal(csysi_os_tokens_open(&tokens, memory, &place), 0);
}

static void end(void)
{
	csysi_os_tokens_close(&tokens);
	munmap(shared, sizeof *shared);
}

static void each_way(void (*function)(void))
{
	struct csysi_os_new_file file;

	assert_int_equal(csysi_os_directory_open(own_names(), CSYSI_OS_DIRECTORY_USER, &directory),
			 0);
	place.directory = directory;
	assert_int_equal(csysi_os_directory_create(directory, 0600, &file), 0);
	csysi_os_directory_unname(directory, &file);
	memory = file.file;
	for (int way = CSYSI_OS_TOKEN_LIST; way <= CSYSI_OS_TOKEN_LOCK; way++) {
		if (!csysi_os_token_can((enum csysi_os_token_way)way))
			continue;
		begin((enum csysi_os_token_way)way);
		function();
		end();
	}
	/* The last user has removed it, unless that is a child which is just ending. */
	(void)csysi_os_directory_remove(directory, place.name);
	csysi_os_close(memory);
	csysi_os_close(directory);
}

/* ---- other processes -------------------------------------------------------------------- */

static void reach(uint32_t step)
{
	/* Release pairs with the acquire in await. */
	csysi_store_release(&shared->step, step);
	csysi_os_wake(&shared->step, UINT32_MAX, 1);
}

static void await(uint32_t step)
{
	uint32_t now;

	while ((now = csysi_load_acquire(&shared->step)) < step)
		csysi_os_wait(&shared->step, now, CSYS_FOREVER, 1);
}

/* A forked child that runs this and then stays until it is killed. */
static pid_t started(void (*function)(void))
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		function();
		for (;;)
			pause();
	}
	return pid;
}

static void kill_it(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	assert_true(WIFSIGNALED(status));
}

static void own_first(void)
{
	if (csysi_os_token_own(&tokens, 0) != 0)
		_exit(1);
	reach(1);
}

/* ---- owners ------------------------------------------------------------------------------ */

static void own_and_disown(void)
{
	assert_int_equal(csysi_os_token_is_alive(&tokens, 3), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(csysi_os_token_own(&tokens, 3), 0);
		assert_int_equal(csysi_os_token_is_alive(&tokens, 3), 1);
		assert_int_equal(csysi_os_token_own(&tokens, 3), CSYS_EBUSY);
		assert_int_equal(csysi_os_token_is_alive(&tokens, 2), 0);
		assert_int_equal(csysi_os_token_is_alive(&tokens, 4), 0);
		csysi_os_token_disown(&tokens, 3);
		assert_int_equal(csysi_os_token_is_alive(&tokens, 3), 0);
	}
}

static void a_token_is_alive_while_it_is_owned(void **state)
{
	(void)state;
	each_way(own_and_disown);
}

static void look_at_another_process(void)
{
	pid_t pid = started(own_first);
	await(1);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 0), 1);
	assert_int_equal(csysi_os_token_own(&tokens, 0), CSYS_EBUSY);
	kill_it(pid);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 0), 0);
	assert_int_equal(csysi_os_token_own(&tokens, 0), 0);
	csysi_os_token_disown(&tokens, 0);
}

static void a_token_dies_with_the_process_that_owns_it(void **state)
{
	(void)state;
	each_way(look_at_another_process);
}

static void become_another_program(void)
{
	own_first();
	await(2);
	if (!freopen("/dev/null", "w", stdout))
		_exit(3);
	execl(helper(), helper(), "stay", (char *)NULL);
	_exit(2);
}

static void look_at_another_program(void)
{
	pid_t pid = started(become_another_program);
	await(1);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 0), 1);
	reach(2);
	while (csysi_os_token_is_alive(&tokens, 0))
		csysi_os_token_wait(&tokens, 0, &shared->word, 0, CSYS_FOREVER);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill_it(pid);
}

static void a_token_dies_when_its_process_becomes_another_program(void **state)
{
	(void)state;
	each_way(look_at_another_program);
}

static void look_in_a_child(void)
{
	int is_alive = csysi_os_token_is_alive(&tokens, 0);
	int own = csysi_os_token_own(&tokens, 0);
	int other = csysi_os_token_own(&tokens, 1);

	/* Its own token does not get between those of its parent. */
	if (other == 0)
		csysi_os_token_disown(&tokens, 1);
	_exit(is_alive == 1 && own == CSYS_EBUSY && other == 0 ? 0 : 1);
}

static void fork_an_owner(void)
{
	assert_int_equal(csysi_os_token_own(&tokens, 2), 0);
	assert_int_equal(csysi_os_token_own(&tokens, 0), 0);
	assert_int_equal(result_in_child(look_in_a_child), 0);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 0), 1);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 2), 1);
	csysi_os_token_disown(&tokens, 2);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 0), 1);
	csysi_os_token_disown(&tokens, 0);
}

static void look_for_the_dead_parent(void)
{
	await(2);
	while (csysi_os_token_is_alive(&tokens, 0))
		csysi_os_token_wait(&tokens, 0, &shared->word, 0, CSYS_FOREVER);
	reach(3);
	_exit(0);
}

static void own_and_fork(void)
{
	own_first();
	(void)started(look_for_the_dead_parent);
	csysi_store_release(&shared->told, 1);
}

static void kill_a_parent(void)
{
	pid_t pid = started(own_and_fork);
	while (!csysi_load_acquire(&shared->told))
		csysi_os_yield();
	kill_it(pid);
	reach(2);
	await(3);
}

static void a_forked_child_sees_that_its_parent_owns_nothing_any_more(void **state)
{
	(void)state;
	each_way(kill_a_parent);
}

static void own_the_second_and_end(void)
{
	_exit(csysi_os_token_own(&tokens, 1) == 0 ? 0 : 1);
}

static void own_around_a_fork(void)
{
	int status;

	if (csysi_os_token_own(&tokens, 2) != 0)
		_exit(1);
	own_first();
	pid_t pid = started(own_the_second_and_end);
	if (waitpid(pid, &status, 0) != pid || status != 0)
		_exit(1);
	csysi_os_token_disown(&tokens, 0);
	if (csysi_os_token_own(&tokens, 0) != 0)
		_exit(1);
	reach(2);
}

static void fork_an_owner_that_is_killed(void)
{
	pid_t pid = started(own_around_a_fork);
	await(2);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 1), 0);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 0), 1);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 2), 1);
	kill_it(pid);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 0), 0);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 2), 0);
}

/* Its list does not begin with its parent's tokens, whatever the C library leaves there. */
static void what_a_forked_child_owns_is_not_among_its_parents(void **state)
{
	(void)state;
	each_way(fork_an_owner_that_is_killed);
}

static void a_forked_child_owns_nothing_and_its_end_ends_nothing(void **state)
{
	(void)state;
	each_way(fork_an_owner);
}

/* ---- threads ----------------------------------------------------------------------------- */

static void *own_and_return(void *unused)
{
	(void)unused;
	assert_int_equal(csysi_os_token_own(&tokens, 5), 0);
	return NULL;
}

static void end_a_thread(void)
{
	pthread_t thread;

	if (tokens.way != CSYSI_OS_TOKEN_LIST)
		return;
	assert_int_equal(csysi_os_token_own(&tokens, 6), 0);
	assert_int_equal(pthread_create(&thread, NULL, own_and_return, NULL), 0);
	/* The kernel clears the token before it tells the one that joins. */
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 5), 0);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 6), 1);
	csysi_os_token_disown(&tokens, 6);
}

static void a_token_of_the_list_dies_with_its_thread(void **state)
{
	(void)state;
	each_way(end_a_thread);
}

/* ---- the library's own robust locks --------------------------------------------------------- */

/* 0: there are none, where a call is refused. */
static int make_robust(void)
{
	pthread_mutexattr_t attributes;

	assert_int_equal(pthread_mutexattr_init(&attributes), 0);
	if (pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) != 0)
		return 0;
	assert_int_equal(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_mutex_init(&shared->robust[i], &attributes), 0);
	pthread_mutexattr_destroy(&attributes);
	return 1;
}

/* Lock, own, unlock and disown at random, and end with all that `held` says. */
static void mix(unsigned seed, unsigned held)
{
	unsigned now = 0;

	for (int i = 0; i < 2000 || now != held; i++) {
		seed = seed * 1103515245u + 12345u;
		unsigned which = seed >> 16 & 7;
		if (which > 5 || (i >= 2000 && (now ^ held) >> which == 0))
			continue;
		int r = 0;
		if (which < 3 && now >> which & 1)
			r = pthread_mutex_unlock(&shared->robust[which]);
		else if (which < 3)
			/* In any order: no other thread is at them. */
			r = pthread_mutex_trylock(&shared->robust[which]);
		else if (now >> which & 1)
			csysi_os_token_disown(&tokens, which);
		else
			r = csysi_os_token_own(&tokens, which);
		if (r != 0)
			_exit(1);
		now ^= 1u << which;
	}
}

static unsigned mixed; /* the round, and the locks at its end */

static void mix_and_tell(void)
{
	mix(mixed, mixed);
	reach(1);
}

static void mix_and_die(void)
{
	if (!make_robust())
		return;
	for (mixed = 0; mixed < 64; mixed += 1 + mixed % 5) {
		shared->step = 0;
		pid_t pid = started(mix_and_tell);
		await(1);
		for (unsigned i = 3; i < 6; i++)
			assert_int_equal(csysi_os_token_is_alive(&tokens, i), mixed >> i & 1);
		kill_it(pid);
		for (unsigned i = 0; i < 3; i++) {
			int r = pthread_mutex_lock(&shared->robust[i]);
			assert_int_equal(r, mixed >> i & 1 ? EOWNERDEAD : 0);
			if (r == EOWNERDEAD)
				assert_int_equal(pthread_mutex_consistent(&shared->robust[i]), 0);
			assert_int_equal(pthread_mutex_unlock(&shared->robust[i]), 0);
		}
		for (uint32_t i = 3; i < 6; i++)
			assert_int_equal(csysi_os_token_is_alive(&tokens, i), 0);
	}
}

static void tokens_and_robust_mutexes_of_the_library_do_not_disturb_each_other(void **state)
{
	(void)state;
	each_way(mix_and_die);
}

/* ---- sleeping ------------------------------------------------------------------------------- */

static void sleep_without_an_owner(void)
{
	/* Another value, and no owner: at once. */
	assert_int_equal(csysi_os_token_own(&tokens, 0), 0);
	assert_int_equal(csysi_os_token_wait(&tokens, 0, &shared->word, 1, CSYS_FOREVER), 0);

	csys_deadline deadline = csys_after_ms(3);
	int r;
	do
		r = csysi_os_token_wait(&tokens, 0, &shared->word, 0, deadline);
	while (r == 0);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	do
		r = csysi_os_token_wait(&tokens, 0, &shared->word, 0, CSYS_POLL);
	while (r == 0);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	/* A nap is no deadline. */
	deadline = csys_after_ns(INT64_C(50) * csysi_os_token_nap_ns);
	assert_int_equal(csysi_os_token_wait(&tokens, 0, &shared->word, 0, deadline), 0);
	csysi_os_token_disown(&tokens, 0);
	r = csysi_os_token_wait(&tokens, 0, &shared->word, 0, CSYS_FOREVER);
	assert_int_equal(r, 0);
}

static void a_sleep_ends_at_its_deadline_or_a_nap_and_not_before(void **state)
{
	(void)state;
	each_way(sleep_without_an_owner);
}

/* A sleeper that sleeps for the owner of the token 0, and says so. */
static void *sleep_for_first(void *unused)
{
	(void)unused;
	csysi_add_release(&shared->told, 1);
	while (csysi_os_token_is_alive(&tokens, 0) && csysi_load_acquire(&shared->word) == 0)
		csysi_os_token_wait(&tokens, 0, &shared->word, 0, CSYS_FOREVER);
	return NULL;
}

static void wake_sleepers(int killing)
{
	pthread_t threads[4];

	for (int i = 0; i < 10; i++) {
		shared->step = shared->word = shared->told = 0;
		pid_t pid = started(own_first);
		await(1);
		for (int j = 0; j < 4; j++)
			assert_int_equal(pthread_create(&threads[j], NULL, sleep_for_first, NULL),
					 0);
		while (csysi_load_acquire(&shared->told) < 4 - (uint32_t)i % 2)
			csysi_os_yield();
		if (killing) {
			kill_it(pid);
		} else {
			csysi_store_release(&shared->word, 1);
			csysi_os_wake(&shared->word, UINT32_MAX, 1);
		}
		for (int j = 0; j < 4; j++)
			assert_int_equal(pthread_join(threads[j], NULL), 0);
		if (!killing)
			kill_it(pid);
	}
}

static void kill_before_sleepers(void)
{
	wake_sleepers(1);
}

static void wake_the_word(void)
{
	wake_sleepers(0);
}

static void all_sleepers_are_told_of_the_end_of_an_owner(void **state)
{
	(void)state;
	each_way(kill_before_sleepers);
}

static void a_wake_of_the_word_wakes(void **state)
{
	(void)state;
	each_way(wake_the_word);
}

/* ---- files ---------------------------------------------------------------------------------- */

static void use_twice(void)
{
	struct csysi_os_tokens again = tokens;
	pid_t pid;

	assert_int_equal(csysi_os_tokens_open(&again, memory, &place), 0);
	assert_int_equal(csysi_os_token_own(&again, 0), 0);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 0), 1);
	csysi_os_token_disown(&again, 0);
	assert_int_equal(csysi_os_token_own(&tokens, 4), 0);
	csysi_os_tokens_close(&again);
	assert_int_equal(csysi_os_token_is_alive(&tokens, 4), 1);
	/* As another process sees it. */
	pid = started(own_first);
	await(1);
	kill_it(pid);
	assert_int_equal(result_in_child(look_in_a_child), 1); /* 0 is dead */
	csysi_os_token_disown(&tokens, 4);
}

static void tokens_that_are_open_twice_are_the_same(void **state)
{
	(void)state;
	each_way(use_twice);
}

/* ---- the lock of all ---------------------------------------------------------------------- */

static void lock_all(void)
{
	_exit(csysi_os_tokens_try_lock(&tokens) == 0 ? 1 : 2);
}

static void lock_all_and_stay(void)
{
	if (csysi_os_tokens_try_lock(&tokens) == 0)
		reach(1);
	for (;;)
		pause();
}

static void exclude_all(void)
{
	struct csysi_os_tokens again = tokens;

	assert_int_equal(csysi_os_tokens_open(&again, memory, &place), 0);
	assert_int_equal(csysi_os_tokens_try_lock(&tokens), 0);
	assert_int_equal(csysi_os_tokens_try_lock(&again), CSYS_EAGAIN);
	/* A forked child does not have it. */
	assert_int_equal(result_in_child(lock_all), 2);
	csysi_os_tokens_unlock(&tokens);
	assert_int_equal(csysi_os_tokens_try_lock(&again), 0);
	csysi_os_tokens_unlock(&again);
	csysi_os_tokens_close(&again);
	/* It ends with its process. */
	assert_int_equal(result_in_child(lock_all), 1);
	pid_t pid = started(lock_all_and_stay);
	await(1);
	assert_int_equal(csysi_os_tokens_try_lock(&tokens), CSYS_EAGAIN);
	kill_it(pid);
	assert_int_equal(csysi_os_tokens_try_lock(&tokens), 0);
	csysi_os_tokens_unlock(&tokens);
}

static void the_lock_of_all_is_one_process_s_and_ends_with_it(void **state)
{
	(void)state;
	each_way(exclude_all);
}

static void every_process_has_one_way_at_least(void **state)
{
	(void)state;
	assert_true(csysi_os_token_can(CSYSI_OS_TOKEN_LOCK));
	assert_false(csysi_os_token_can((enum csysi_os_token_way)3));
	struct csysi_os_tokens none = { .way = (enum csysi_os_token_way)3 };
	assert_int_equal(csysi_os_tokens_open(&none, CSYS_NO_HANDLE, &place), CSYS_ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(every_process_has_one_way_at_least),
		NAMES_TEST(a_token_is_alive_while_it_is_owned),
		NAMES_TEST(a_token_dies_with_the_process_that_owns_it),
		NAMES_TEST(a_token_dies_when_its_process_becomes_another_program),
		NAMES_TEST(a_forked_child_owns_nothing_and_its_end_ends_nothing),
		NAMES_TEST(what_a_forked_child_owns_is_not_among_its_parents),
		NAMES_TEST(a_forked_child_sees_that_its_parent_owns_nothing_any_more),
		NAMES_TEST(a_token_of_the_list_dies_with_its_thread),
		NAMES_TEST(tokens_and_robust_mutexes_of_the_library_do_not_disturb_each_other),
		NAMES_TEST(a_sleep_ends_at_its_deadline_or_a_nap_and_not_before),
		NAMES_TEST(all_sleepers_are_told_of_the_end_of_an_owner),
		NAMES_TEST(a_wake_of_the_word_wakes),
		NAMES_TEST(tokens_that_are_open_twice_are_the_same),
		NAMES_TEST(the_lock_of_all_is_one_process_s_and_ends_with_it),
	};
	return RUN(tests);
}
