/*
 * os/test_token_file.c - exam: files whose bytes are tokens come and go with their users.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

/* A file, a FIFO or a link with the name of a file of tokens. */
static void make_file(const char *name)
{
	int fd = openat((int)folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void a_link_or_a_fifo_is_no_file_of_tokens(void **state)
{
	(void)state;
	struct csysi_os_tokens tokens = { .way = CSYSI_OS_TOKEN_LOCK };
	struct csysi_os_token_place place = named(CSYSI_OS_TOKEN_PREFIX "other", 0600);
	make_file("target");
	assert_int_equal(symlinkat("target", (int)folder, place.name), 0);
	int r = csysi_os_tokens_open(&tokens, CSYS_NO_HANDLE, &place);
	assert_true(r < 0 && r != CSYS_EBUSY); /* it was not even opened */
	assert_int_equal(unlinkat((int)folder, place.name, 0), 0);
	assert_int_equal(unlinkat((int)folder, "target", 0), 0);
	char path[4096];
	path_in(own_names(), place.name, path, sizeof path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(csysi_os_tokens_open(&tokens, CSYS_NO_HANDLE, &place), CSYS_EPERM);
	assert_null(tokens.locks);
	assert_int_equal(unlinkat((int)folder, place.name, 0), 0);
}

static void another_file_with_the_name_stays(void **state)
{
	(void)state;
	struct csysi_os_token_place place = named(CSYSI_OS_TOKEN_PREFIX "new", 0600);
	struct csysi_os_tokens here = used_here(&place);
	assert_int_equal(unlinkat((int)folder, place.name, 0), 0);
	make_file(place.name);
	csysi_os_tokens_close(&here);
	assert_true(is_there(&place));
	here = used_here(&place);
	csysi_os_tokens_close(&here);
	assert_false(is_there(&place));
}

/* As the last user of a file does, but that it takes its time. */
static void remove_slowly(const struct csysi_os_token_place *place, const int done[2])
{
	struct flock last = { .l_type = F_WRLCK, .l_start = CSYSI_OS_TOKENS + 1, .l_len = 1 };
	int fd = openat((int)folder, place->name, O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0 && fcntl(fd, F_SETLK, &last) == 0);
	CHECK(write(done[1], "", 1) == 1);
	csysi_os_nap(csys_after_ms(20));
	CHECK(unlinkat((int)folder, place->name, 0) == 0);
	_exit(0);
}

static void a_file_that_is_being_removed_is_not_used(void **state)
{
	(void)state;
	char byte;
	int done[2];
	struct csysi_os_token_place place = named(CSYSI_OS_TOKEN_PREFIX "slow", 0600);
	assert_int_equal(pipe(done), 0);
	make_file(place.name);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		remove_slowly(&place, done);
	assert_int_equal(read(done[0], &byte, 1), 1);
	struct csysi_os_tokens here = used_here(&place);
	assert_true(is_there(&place)); /* a new one */
	assert_int_equal(code_of(pid), 0);
	assert_true(is_there(&place));
	csysi_os_tokens_close(&here);
	assert_false(is_there(&place));
	close(done[0]);
	close(done[1]);
}

/* ---- forked children ----------------------------------------------------------------------- */

/* Wait for the other process, and let it go on. */
static void await_byte(const int ends[2])
{
	char byte;
	CHECK(read(ends[0], &byte, 1) == 1);
}

static void send_byte(const int ends[2])
{
	CHECK(write(ends[1], "", 1) == 1);
}

/* In a child: have a token when it is told to, until it is told once more. */
static void own_when_told(const struct csysi_os_tokens *here,
			  const struct csysi_os_token_place *opened, const int told[2],
			  const int done[2])
{
	await_byte(told);
	if (opened)
		(void)used_here(opened);
	CHECK(csysi_os_token_own(here, 3) == 0);
	send_byte(done);
	await_byte(told);
	_exit(0);
}

/* The file loses its name after the fork, before the child has used it. */
static void use_after_the_end(int is_new_before, int child_opens)
{
	int told[2], done[2];
	struct csysi_os_token_place place = named(CSYSI_OS_TOKEN_PREFIX "fork", 0600);
	struct csysi_os_tokens here = used_here(&place);
	assert_true(pipe(told) == 0 && pipe(done) == 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		own_when_told(&here, child_opens ? &place : NULL, told, done);
	csysi_os_tokens_close(&here);
	assert_false(is_there(&place));
	if (is_new_before)
		here = used_here(&place);
	send_byte(told);
	await_byte(done);
	if (!is_new_before)
		here = used_here(&place);
	assert_int_equal(csysi_os_token_is_alive(&here, 3), 1);
	assert_int_equal(csysi_os_token_own(&here, 3), CSYS_EBUSY);
	send_byte(told);
	assert_int_equal(code_of(pid), 0);
	assert_int_equal(csysi_os_token_is_alive(&here, 3), 0);
	csysi_os_tokens_close(&here);
	for (int i = 0; i < 2; i++) {
		close(told[i]);
		close(done[i]);
	}
}

static void a_forked_child_has_the_file_that_others_have(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		use_after_the_end(i & 1, i & 2);
}

static void ask_without_handles(const struct csysi_os_tokens *here, const int told[2])
{
	struct rlimit none;
	await_byte(told);
	CHECK(getrlimit(RLIMIT_NOFILE, &none) == 0);
	none.rlim_cur = 0;
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	CHECK(csysi_os_token_own(here, 3) == CSYS_EMFILE);
	_exit(csysi_os_token_is_alive(here, 5));
}

static void a_forked_child_that_cannot_tell_takes_nobody_for_dead(void **state)
{
	(void)state;
	int told[2];
	struct csysi_os_token_place place = named(CSYSI_OS_TOKEN_PREFIX "ask", 0600);
	struct csysi_os_tokens here = used_here(&place);
	assert_int_equal(pipe(told), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		ask_without_handles(&here, told);
	csysi_os_tokens_close(&here);
	here = used_here(&place);
	assert_int_equal(csysi_os_token_own(&here, 5), 0);
	send_byte(told);
	assert_int_equal(code_of(pid), 1);
	csysi_os_token_disown(&here, 5);
	csysi_os_tokens_close(&here);
	close(told[0]);
	close(told[1]);
}

static void a_forked_child_that_closes_it_leaves_it_to_its_parent(void **state)
{
	(void)state;
	struct csysi_os_token_place place = named(CSYSI_OS_TOKEN_PREFIX "left", 0600);
	struct csysi_os_tokens here = used_here(&place);
	assert_int_equal(csysi_os_token_own(&here, 3), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		csysi_os_tokens_close(&here);
		_exit(is_there(&place));
	}
	assert_int_equal(code_of(pid), 1);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(csysi_os_token_is_alive(&here, 3));
	assert_int_equal(code_of(pid), 1);
	csysi_os_token_disown(&here, 3);
	csysi_os_tokens_close(&here);
	assert_false(is_there(&place));
}

/* ---- half way ------------------------------------------------------------------------------ */

static void *use_and_be_cancelled(void *place)
{
	pthread_cancel(pthread_self());
	struct csysi_os_tokens tokens = used_here(place);
	csysi_os_tokens_close(&tokens);
	pthread_testcancel();
	return NULL;
}

static void a_thread_that_is_cancelled_keeps_nothing_locked(void **state)
{
	(void)state;
	pthread_t thread;
	void *end;
	struct csysi_os_token_place place = named(CSYSI_OS_TOKEN_PREFIX "cancel", 0600);
	assert_int_equal(pthread_create(&thread, NULL, use_and_be_cancelled, &place), 0);
	assert_int_equal(pthread_join(thread, &end), 0);
	assert_ptr_equal(end, PTHREAD_CANCELED);
	assert_false(is_there(&place));
	struct csysi_os_tokens here = used_here(&place);
	csysi_os_tokens_close(&here);
}

static void without_handles_no_file_is_left(void **state)
{
	(void)state;
	struct rlimit before, less;
	struct csysi_os_tokens tokens = { .way = CSYSI_OS_TOKEN_LOCK };
	struct csysi_os_token_place place = named(CSYSI_OS_TOKEN_PREFIX "few", 0600);
	int r = CSYS_EMFILE;
	if (under_valgrind())
		skip_because("this tool has limits of its own");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	int next = dup(0);
	close(next);
	/* With one handle more each time, until that is enough. */
	for (int more = 0; r == CSYS_EMFILE; more++) {
		assert_false(is_there(&place));
		assert_true(more < 10);
		less = before;
		less.rlim_cur = (rlim_t)(next + more);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
		r = csysi_os_tokens_open(&tokens, CSYS_NO_HANDLE, &place);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	}
	assert_int_equal(r, 0);
	csysi_os_tokens_close(&tokens);
	assert_false(is_there(&place));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_goes_with_its_last_user, begin, end),
		cmocka_unit_test_setup_teardown(
			what_killed_users_left_is_removed_by_those_that_create_one, begin, end),
		cmocka_unit_test_setup_teardown(what_is_no_file_of_tokens_is_left_alone, begin,
						end),
		cmocka_unit_test_setup_teardown(a_link_or_a_fifo_is_no_file_of_tokens, begin, end),
		cmocka_unit_test_setup_teardown(another_file_with_the_name_stays, begin, end),
		cmocka_unit_test_setup_teardown(a_file_that_is_being_removed_is_not_used, begin,
						end),
		cmocka_unit_test_setup_teardown(a_forked_child_has_the_file_that_others_have, begin,
						end),
		cmocka_unit_test_setup_teardown(
			a_forked_child_that_cannot_tell_takes_nobody_for_dead, begin, end),
		cmocka_unit_test_setup_teardown(
			a_forked_child_that_closes_it_leaves_it_to_its_parent, begin, end),
		cmocka_unit_test_setup_teardown(a_thread_that_is_cancelled_keeps_nothing_locked,
						begin, end),
		cmocka_unit_test_setup_teardown(without_handles_no_file_is_left, begin, end),
	};
	return RUN(tests);
}
