/*
 * os/test_token_file.c - exam: files whose bytes are tokens come and go with their users.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/os.h"
#include "support/names.h"
#include "support/region.h"

static csys_handle folder;

static struct csysi_os_token_place named(const char *name, int mode)
{
	return (struct csysi_os_token_place){ folder, name, mode };
}

static struct csysi_os_tokens used_here(const struct csysi_os_token_place *place)
{
	struct csysi_os_tokens tokens = { .way = CSYSI_OS_TOKEN_LOCK };
	assert_int_equal(csysi_os_tokens_open(&tokens, CSYS_NO_HANDLE, place), 0);
	return tokens;
}

/* A process that uses the file of a place until it is killed. */
static pid_t used_by_another(const struct csysi_os_token_place *place)
{
	int ends[2];
	char byte = 0;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct csysi_os_tokens tokens = { .way = CSYSI_OS_TOKEN_LOCK };
		byte = csysi_os_tokens_open(&tokens, CSYS_NO_HANDLE, place) == 0;
		CHECK(write(ends[1], &byte, 1) == 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(byte, 1);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static int is_there(const struct csysi_os_token_place *place)
{
	struct csysi_os_file info;
	int r = csysi_os_directory_look(folder, place->name, &info);
	if (r == 0)
		assert_int_equal(info.mode, place->mode);
	return r == 0;
}

static int begin(void **state)
{
	return own_names_before(state) < 0 ||
			       csysi_os_directory_open(own_names(), CSYSI_OS_DIRECTORY_USER,
						       &folder) < 0
		       ? -1
		       : 0;
}

static int end(void **state)
{
	csysi_os_close(folder);
	return own_names_after(state);
}

static void a_file_goes_with_its_last_user(void **state)
{
	(void)state;
	struct csysi_os_token_place place = named(CSYSI_OS_TOKEN_PREFIX "1", 0640);
	struct csysi_os_tokens here = used_here(&place);
	assert_true(is_there(&place));
	struct csysi_os_tokens again = used_here(&place);
	csysi_os_tokens_close(&again);
	assert_true(is_there(&place));
	pid_t pid = used_by_another(&place);
	csysi_os_tokens_close(&here);
	assert_true(is_there(&place));
	kill_it(pid);
	here = used_here(&place);
	csysi_os_tokens_close(&here);
	assert_false(is_there(&place));
}

static void what_killed_users_left_is_removed_by_those_that_create_one(void **state)
{
	(void)state;
	struct csysi_os_token_place killed = named(CSYSI_OS_TOKEN_PREFIX "killed", 0600);
	struct csysi_os_token_place used = named(CSYSI_OS_TOKEN_PREFIX "used", 0666);
	struct csysi_os_token_place here = named(CSYSI_OS_TOKEN_PREFIX "here", 0600);
	struct csysi_os_token_place next = named(CSYSI_OS_TOKEN_PREFIX "next", 0600);
	struct csysi_os_tokens own = used_here(&here);
	assert_int_equal(csysi_os_token_own(&own, 3), 0);
	pid_t victim = used_by_another(&killed);
	pid_t other = used_by_another(&used);
	kill_it(victim);
	assert_true(is_there(&killed));

	struct csysi_os_tokens tokens = used_here(&next);
	assert_false(is_there(&killed));
	assert_true(is_there(&used) && is_there(&here));
	/* The look has not ended what this process has locked. */
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(csysi_os_token_is_alive(&own, 3));
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	csysi_os_token_disown(&own, 3);
	csysi_os_tokens_close(&tokens);
	csysi_os_tokens_close(&own);
	kill_it(other);
	tokens = used_here(&used);
	csysi_os_tokens_close(&tokens);
	assert_false(is_there(&used));
}

static void what_is_no_file_of_tokens_is_left_alone(void **state)
{
	(void)state;
	struct csysi_os_tokens tokens = { .way = CSYSI_OS_TOKEN_LOCK };
	struct csysi_os_token_place place = named(CSYSI_OS_TOKEN_PREFIX "link", 0600);
	assert_int_equal(symlinkat("/dev/zero", (int)folder, place.name), 0);
	assert_true(csysi_os_tokens_open(&tokens, CSYS_NO_HANDLE, &place) < 0);
	assert_null(tokens.locks);
	/* Nor does a look for what killed users have left follow it. */
	struct csysi_os_token_place other = named(CSYSI_OS_TOKEN_PREFIX "2", 0600);
	tokens = used_here(&other);
	csysi_os_tokens_close(&tokens);
	assert_int_equal(unlinkat((int)folder, place.name, 0), 0);
	struct csysi_os_token_place longer = named("csys-tokens-that-has-too-many-bytes", 0600);
	assert_int_equal(csysi_os_tokens_open(&tokens, CSYS_NO_HANDLE, &longer), CSYS_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_goes_with_its_last_user, begin, end),
		cmocka_unit_test_setup_teardown(
			what_killed_users_left_is_removed_by_those_that_create_one, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_file_of_tokens_is_left_alone, begin,
						end),
	};
	return RUN(tests);
}
