/*
 * process/test_tree.c - promises of csys_child_kill_tree and csys_command_contain.
 *
 * The witness is a pipe that everything in a tree holds as its stdout: it ends when the
 * last of them has.
 */
#define _GNU_SOURCE /* unshare, setresuid */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/child.h"
#include "support/stranger.h"
#include "support/support.h"
#include "support/system.h"

#define NOBODY 65534

/* ---- what there is here ------------------------------------------------------------ */

static int has_table(void)
{
	struct csysi_os_table table;
	int r = csysi_os_table_open(&table);
	if (r == 0)
		csysi_os_table_close(&table);
	return r == 0;
}

static int has_containers(void)
{
	struct csysi_os_container container;
	int r = csysi_os_container_create(&container);
	if (r == 0) {
		assert_int_equal(csysi_os_container_remove(&container), 0);
		csysi_os_close(container.handle);
	}
	return r == 0;
}

/* Containers that this process made and that are there still. */
static int containers(void)
{
	struct csysi_os_container container;
	if (csysi_os_container_create(&container) < 0)
		return 0;
	int fd = openat((int)container.handle, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(csysi_os_container_remove(&container) == 0);
	csysi_os_close(container.handle);

	char front[40];
	int count = 0;
	DIR *list = fdopendir(fd);
	snprintf(front, sizeof front, "csys-%ld-", (long)getpid());
	for (struct dirent *one; (one = readdir(list)) != NULL;)
		count += strncmp(one->d_name, front, strlen(front)) == 0;
	closedir(list);
	return count;
}

/* What a contained child can be ended by here. */
static int best_level(void)
{
	if (has_containers())
		return CSYS_TREE_CONTAINER;
	if (!has_table())
		return CSYS_TREE_CHILD;
	return csys_can(CSYS_CAN_CONTAIN) ? CSYS_TREE_REAPER : CSYS_TREE_WALK;
}

/* The last of a tree closes its streams before it leaves its container; each wait sweeps. */
static void assert_containers_go(void)
{
	csys_deadline deadline = csys_after_s(60);
	while (containers() > 0 && csys_deadline_left(deadline) > 0)
		finished(spawned(helper_command("exit", "0", NULL)));
	assert_int_equal(containers(), 0);
}

/* ---- trees --------------------------------------------------------------------------- */

/* A tree whose witness is `witness`, and which has said that it is ready. */
static csys_child *planted(csys_command *command, csys_handle *witness)
{
	char line[16];
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	assert_int_equal(csys_child_take(child, CSYS_STDOUT, witness), 0);
	read_line(*witness, line, sizeof line);
	assert_true(strcmp(line, "ready") == 0 || strcmp(line, "left") == 0);
	return child;
}

/* Until `deadline` the last of a tree has ended. */
static void assert_ended(csys_handle witness, csys_deadline deadline)
{
	char byte;
	size_t size = 1;
	assert_int_equal(csys_stream_read_until(witness, &byte, 1, deadline, &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(witness);
}

static void assert_running(csys_handle witness)
{
	char byte;
	size_t size;
	assert_int_equal(csys_stream_read_until(witness, &byte, 1, CSYS_POLL, &size),
			 CSYS_ETIMEDOUT);
}

/*
 * End a tree, at that level: none of it is left, and the child is not reaped yet.  A tree that
 * forks without end leaves this process little of a CPU, so it may take a while.
 */
static void end(csys_child *child, csys_handle witness, int expected)
{
	int level = 77;
	csys_exit exit;
	assert_int_equal(csys_child_kill_tree_until(child, csys_after_s(200), &level), 0);
	assert_int_equal(level, expected);
	/* A group is killed whole, but its end is not told. */
	assert_ended(witness, level == CSYS_TREE_GROUP ? csys_after_s(200) : CSYS_POLL);
	assert_int_equal(csys_child_wait(child, &exit), 0);
	assert_int_equal(exit.how, CSYS_EXIT_SIGNAL);
	assert_int_equal(exit.value, SIGKILL);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	assert_int_equal(containers(), 0);
}

static void a_child_is_ended_with_its_children(void **state)
{
	(void)state;
	csys_handle witness;
	csys_command *command = helper_command("pair", NULL);
	if (!has_table())
		csys_command_process_group(command, 0);
	csys_child *child = planted(command, &witness);
	end(child, witness, has_table() ? CSYS_TREE_WALK : CSYS_TREE_GROUP);
}

static void a_child_alone_is_ended_on_every_system(void **state)
{
	(void)state;
	csys_handle witness;
	csys_child *child = planted(helper_command("stay", NULL), &witness);
	end(child, witness, has_table() ? CSYS_TREE_WALK : CSYS_TREE_CHILD);
}

static void a_contained_child_is_ended_with_what_left_it(void **state)
{
	(void)state;
	if (best_level() < CSYS_TREE_REAPER)
		skip_because("nothing holds orphans here");
	csys_handle witness, input, unused;
	assert_int_equal(csys_pipe_create(&input, &unused), 0);
	csys_command *command = helper_command("daemon", "stay", NULL);
	csys_command_contain(command);
	csys_command_stdio_take(command, CSYS_STDIN, input);
	csys_child *child = planted(command, &witness);
	end(child, witness, best_level());
	csys_handle_close(unused);
}

static void *reap_when_cancelled(void *child)
{
	csys_exit end;
	pthread_cancel(pthread_self());
	while (csys_child_try_wait(child, &end) == CSYS_EAGAIN)
		sched_yield();
	pthread_testcancel();
	return NULL;
}

static void a_cancelled_thread_reaps_a_contained_child_and_removes_its_container(void **state)
{
	(void)state;
	if (WITH_ASAN)
		skip_because("AddressSanitizer takes the stack of a cancelled thread for broken");
	pthread_t thread;
	void *came_back;
	csys_exit end;
	csys_command *command = helper_command("exit", "7", NULL);
	csys_command_contain(command);
	csys_child *child = spawned(command);
	assert_int_equal(pthread_create(&thread, NULL, reap_when_cancelled, child), 0);
	pthread_join(thread, &came_back);
	assert_ptr_equal(came_back, PTHREAD_CANCELED);
	assert_int_equal(csys_child_wait(child, &end), 0);
	assert_int_equal(csys_exit_code(end), 7);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	assert_containers_go();
}

static void contain_holds_whatever_else_is_asked(void **state)
{
	(void)state;
	/* A group, a session, resources: all steps of a birth come after it. */
	csys_handle witness;
	csys_command *command = helper_command("pair", NULL);
	csys_command_contain(command);
	csys_command_new_session(command);
	csys_command_umask(command, 077);
	csys_command_nice(command, 5);
	csys_command_limit(command, CSYS_LIMIT_CORE, 0, 0);
	csys_child *child = planted(command, &witness);
	end(child, witness, has_table() ? best_level() : CSYS_TREE_GROUP);
}

static int do_nothing(void *unused)
{
	(void)unused;
	return 0;
}

static void contain_works_with_a_hook(void **state)
{
	(void)state;
	csys_handle witness;
	csys_command *command = helper_command("pair", NULL);
	csys_command_contain(command);
	csys_command_process_group(command, 0);
	csys_command_pre_exec(command, do_nothing, NULL);
	csys_child *child = planted(command, &witness);
	end(child, witness, has_table() ? best_level() : CSYS_TREE_GROUP);
}

static void contain_works_for_another_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("only root starts programs as somebody else");
	csys_handle witness;
	csys_child *child;
	csys_command *command = helper_command("pair", NULL);
	csys_command_contain(command);
	csys_command_process_group(command, 0);
	csys_command_uid(command, NOBODY);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	int r = csys_command_spawn(command, &child);
	if (r == CSYS_EACCES) {
		csys_command_free(command);
		skip_because("the helper is out of reach for others");
	}
	assert_int_equal(r, 0);
	csys_child_close(child, CSYS_CLOSE_KILL);
	child = planted(command, &witness);
	end(child, witness, has_table() ? best_level() : CSYS_TREE_GROUP);
}

static void strangers_of_its_group_and_session_are_not_hit(void **state)
{
	(void)state;
	/* Both in the group and session of this process, both its children. */
	csys_handle witness, other_witness;
	csys_child *other = planted(helper_command("stay", NULL), &other_witness);
	csys_child *child = planted(helper_command("stay", NULL), &witness);
	end(child, witness, has_table() ? CSYS_TREE_WALK : CSYS_TREE_CHILD);
	assert_running(other_witness);
	csys_exit exit;
	assert_int_equal(csys_child_try_wait(other, &exit), CSYS_EAGAIN);
	csys_child_close(other, CSYS_CLOSE_KILL);
	csys_handle_close(other_witness);
}

/* ---- what a reaper does not hold --------------------------------------------------------- */

/* Run where there is a reaper and no container: here, or as somebody else. */
static void (*with_reaper)(void);

static void as_somebody_else(void)
{
	CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	with_reaper();
}

static void run_with_reaper(void (*function)(void))
{
	int level = best_level();
	if (level < CSYS_TREE_REAPER || (level == CSYS_TREE_CONTAINER && geteuid() != 0))
		skip_because("wants orphans that are held, and root or no containers");
	with_reaper = function;
	in_child(level == CSYS_TREE_REAPER ? function : as_somebody_else);
}

/* A contained child that says "ready"; NULL: the helper is out of reach for others. */
static csys_child *contained(const char *verb, const char *word, csys_handle *witness)
{
	char line[16];
	csys_child *child;
	csys_command *command = helper_command(verb, word, NULL);
	csys_command_contain(command);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	int r = csys_command_spawn(command, &child);
	csys_command_free(command);
	if (r == CSYS_EACCES)
		return NULL;
	CHECK(r == 0);
	CHECK(csys_child_take(child, CSYS_STDOUT, witness) == 0);
	read_line(*witness, line, sizeof line);
	CHECK(strcmp(line, "ready") == 0);
	return child;
}

/* End one whose tree had a process that got away, and another one that is not hit. */
static void end_a_loser(const char *how)
{
	csys_handle witness, other_witness;
	int level = 77;
	char byte;
	size_t size = 1;
	csys_child *child = contained("lose", how, &witness);
	csys_child *other = contained("lose", how, &other_witness);
	if (!child || !other)
		return;
	CHECK(csys_child_kill_tree_until(child, csys_after_s(60), &level) == 0);
	CHECK(level == CSYS_TREE_WALK);
	CHECK(csys_stream_read_until(witness, &byte, 1, CSYS_POLL, &size) == 0 && size == 0);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	CHECK(csys_stream_read_until(other_witness, &byte, 1, CSYS_POLL, &size) == CSYS_ETIMEDOUT);
	csys_child_close(other, CSYS_CLOSE_KILL);
	size = 1;
	CHECK(csys_stream_read_until(other_witness, &byte, 1, CSYS_POLL, &size) == 0 && size == 0);
	/* Of those that were started as children of this process the zombies are left. */
	CHECK(has_children() == (strcmp(how, "brother") == 0));
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void end_one_that_resigned(void)
{
	end_a_loser("resign");
}

static void end_one_with_brothers(void)
{
	end_a_loser("brother");
}

static void what_got_away_from_a_reaper_is_ended_and_the_level_tells(void **state)
{
	(void)state;
	run_with_reaper(end_one_that_resigned);
	run_with_reaper(end_one_with_brothers);
}

/* What CSYS_CONTAINED is in the environment of a contained child; "" if it is not there. */
static void read_mark(char *out, size_t size)
{
	csys_output output;
	csys_command *command = helper_command("env", NULL);
	csys_command_contain(command);
	int r = csys_command_output(command, NULL, &output);
	csys_command_free(command);
	CHECK(r == 0 || r == CSYS_EACCES);
	const char *found = strstr(output.out.data, "CSYS_CONTAINED=");
	size_t length = found ? strcspn(found + 15, "\n") : 0;
	CHECK(length < size);
	memcpy(out, found ? found + 15 : "", length);
	out[length] = '\0';
	/* Once, and at the end of a line. */
	CHECK(!found || !strstr(found + 15, "CSYS_CONTAINED="));
	csys_output_free(&output);
}

static void compare_marks(void)
{
	char first[200], second[200], both[200];
	read_mark(first, sizeof first);
	read_mark(second, sizeof second);
	if (!first[0])
		return; /* the helper is out of reach */
	CHECK(strcmp(first, second) != 0 && strlen(first) == strlen(second));
	CHECK(setenv("CSYS_CONTAINED", first, 1) == 0);
	read_mark(both, sizeof both);
	CHECK(strncmp(both, first, strlen(first)) == 0 && both[strlen(first)] == ':');
	CHECK(strlen(both) == 2 * strlen(first) + 1);
}

static void each_child_of_a_reaper_has_a_mark_and_keeps_those_it_had(void **state)
{
	(void)state;
	run_with_reaper(compare_marks);
}

static void where_there_are_containers_the_environment_is_as_it_was(void **state)
{
	(void)state;
	if (!has_containers())
		skip_because("no containers");
	char mark[200];
	read_mark(mark, sizeof mark);
	assert_string_equal(mark, "");
}

/* ---- trees that fork -------------------------------------------------------------------- */

static void a_tree_that_forks_while_it_is_killed_is_ended_by_a_walk(void **state)
{
	(void)state;
	if (!has_table())
		skip_because("no process table");
	csys_handle witness;
	csys_child *child = planted(helper_command("grow", "200", NULL), &witness);
	end(child, witness, CSYS_TREE_WALK);
}

static void a_tree_that_forks_and_roams_is_ended_if_it_is_contained(void **state)
{
	(void)state;
	if (best_level() < CSYS_TREE_REAPER)
		skip_because("nothing holds orphans here");
	csys_handle witness;
	csys_command *command = helper_command("grow", "200", "roam", NULL);
	csys_command_contain(command);
	csys_child *child = planted(command, &witness);
	end(child, witness, best_level());
}

/* ---- ended children ------------------------------------------------------------------------ */

/* Wait for the end of a child, without reaping it. */
static void let_end(const csys_child *child)
{
	siginfo_t info;
	int r;
	do
		r = waitid(P_PID, (id_t)csys_child_pid(child), &info, WEXITED | WNOWAIT);
	while (r < 0 && errno == EINTR);
	assert_int_equal(r, 0);
}

static void what_an_ended_child_left_in_its_group_is_ended(void **state)
{
	(void)state;
	csys_handle witness, input, unused;
	int level = 77;
	assert_int_equal(csys_pipe_create(&input, &unused), 0);
	csys_command *command = helper_command("leave", NULL);
	csys_command_process_group(command, 0);
	csys_command_stdio_take(command, CSYS_STDIN, input);
	csys_child *child = planted(command, &witness);
	let_end(child);
	assert_running(witness);
	assert_int_equal(csys_child_kill_tree_until(child, csys_after_s(60), &level), 0);
	assert_int_equal(level, has_table() ? CSYS_TREE_WALK : CSYS_TREE_GROUP);
	assert_ended(witness, csys_after_s(60));
	csys_exit exit = finished(child);
	assert_int_equal(exit.how, CSYS_EXIT_CODE);
	csys_handle_close(unused);
}

static void a_child_that_ends_meanwhile_takes_nobody_out_of_reach(void **state)
{
	(void)state;
	/* It forks once and ends, at about the time when the table is read. */
	for (int round = 0; round < 100; round++) {
		csys_handle witness, input, writer;
		csys_child *child;
		assert_int_equal(csys_pipe_create(&input, &writer), 0);
		csys_command *command = helper_command("leave", NULL);
		csys_command_process_group(command, 0);
		csys_command_stdio_take(command, CSYS_STDIN, input);
		csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
		child = spawned(command);
		assert_int_equal(csys_child_take(child, CSYS_STDOUT, &witness), 0);
		assert_int_equal(csys_child_kill_tree_until(child, csys_after_s(60), NULL), 0);
		char text[8];
		size_t size;
		assert_int_equal(csys_stream_read_until(witness, text, sizeof text,
							has_table() ? CSYS_POLL : csys_after_s(60),
							&size),
				 0);
		if (size > 0) /* what it said */
			assert_ended(witness, has_table() ? CSYS_POLL : csys_after_s(60));
		else
			csys_handle_close(witness);
		csys_handle_close(writer);
		csys_child_close(child, CSYS_CLOSE_WAIT);
	}
}

/* All of what wrote to *witness has ended; it is closed. */
static void assert_all_written(csys_handle witness)
{
	char text[64];
	size_t size;
	assert_int_equal(csys_stream_read_all_until(witness, text, sizeof text, CSYS_POLL, &size),
			 0);
	csys_handle_close(witness);
}

/* A contained program that a daemon has left, and both write to *witness. */
static csys_command *with_daemon(csys_handle input, csys_handle *witness)
{
	csys_handle writer;
	csys_command *command = helper_command("daemon", "stay", NULL);
	assert_int_equal(csys_pipe_create(witness, &writer), 0);
	csys_command_stdio_take(command, CSYS_STDOUT, writer);
	csys_command_stdio_handle(command, CSYS_STDIN, input);
	csys_command_contain(command);
	return command;
}

static void one_that_ends_within_the_grace_leaves_nothing_behind(void **state)
{
	(void)state;
	const int64_t grace = 60000000000;
	struct ends ends = opened_ends();
	csys_handle witness;
	csys_exit end;
	csys_output output;
	if (!has_table()) {
		close_ends(ends);
		skip_because("there is no process table");
	}
	csys_command *command = with_daemon(ends.reader, &witness);
	assert_int_equal(csys_command_run_until(command, csys_after_ms(300), grace, &end),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_exit_signal(end), SIGTERM);
	csys_command_free(command);
	assert_all_written(witness);

	command = with_daemon(ends.reader, &witness);
	assert_int_equal(
		csys_pipeline_run_until(&command, 1, csys_after_ms(300), grace, &end, NULL),
		CSYS_ETIMEDOUT);
	assert_int_equal(csys_exit_signal(end), SIGTERM);
	csys_command_free(command);
	assert_all_written(witness);

	command = with_daemon(ends.reader, &witness);
	csys_output_options options = { .timeout_ns = 300000000, .grace_ns = grace };
	assert_int_equal(csys_command_output(command, &options, &output), CSYS_ETIMEDOUT);
	assert_int_equal(csys_exit_signal(output.exit), SIGTERM);
	csys_output_free(&output);
	csys_command_free(command);
	assert_all_written(witness);
	close_ends(ends);
}

static void after_the_reaping_only_a_container_can_be_ended(void **state)
{
	(void)state;
	csys_handle witness, input, writer;
	int level = 77;
	csys_exit exit;
	assert_int_equal(csys_pipe_create(&input, &writer), 0);
	csys_command *command = helper_command("daemon", "go", NULL);
	csys_command_contain(command);
	csys_command_stdio_take(command, CSYS_STDIN, input);
	csys_child *child = planted(command, &witness);
	assert_int_equal(csys_child_wait(child, &exit), 0);
	assert_running(witness);
	int r = csys_child_kill_tree_until(child, csys_after_s(60), &level);
	if (best_level() == CSYS_TREE_CONTAINER) {
		assert_int_equal(r, 0);
		assert_int_equal(level, CSYS_TREE_CONTAINER);
		assert_ended(witness, CSYS_POLL);
		/* Again, with nothing there. */
		assert_int_equal(csys_child_kill_tree_until(child, CSYS_POLL, &level), 0);
	} else {
		assert_int_equal(r, CSYS_ESRCH);
		assert_int_equal(level, 77);
		csys_handle_close(writer);
		writer = CSYS_NO_HANDLE;
		assert_ended(witness, csys_after_s(60));
	}
	csys_handle_close(writer);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	assert_int_equal(containers(), 0);
}

static void a_reaper_that_has_ended_is_no_reaper(void **state)
{
	(void)state;
	if (best_level() != CSYS_TREE_REAPER)
		skip_because("the level is another one here");
	csys_handle witness;
	csys_command *command = helper_command("stay", NULL);
	csys_command_contain(command);
	csys_child *child = planted(command, &witness);
	int level = 77;
	assert_int_equal(csys_child_kill(child), 0);
	let_end(child);
	assert_int_equal(csys_child_kill_tree_until(child, CSYS_POLL, &level), 0);
	assert_int_equal(level, CSYS_TREE_WALK);
	finished(child);
	csys_handle_close(witness);
}

/* Kill the tree of a child whose pid and group are another process's by now. */
static void kill_a_lost_tree(int by_system, int contain)
{
	csys_child *child;
	struct stranger stranger;
	int level = 77;
	csys_command *command = helper_command("exit", "0", NULL);
	csys_command_process_group(command, 0);
	if (contain)
		csys_command_contain(command);
	if (by_system)
		signal(SIGCHLD, SIG_IGN);
	CHECK(csys_command_spawn(command, &child) == 0);
	csys_command_free(command);
	/* Where SIGCHLD is ignored waitpid waits for the end, and then says that there is none. */
	pid_t pid = (pid_t)csys_child_pid(child);
	CHECK(waitpid(-1, NULL, 0) == (by_system ? -1 : pid));
	if (!stranger_make(&stranger, pid, 0)) {
		fprintf(stderr, "skipped: no process with a pid of choice\n");
		csys_child_close(child, CSYS_CLOSE_DETACH);
		return;
	}
	int r = csys_child_kill_tree_until(child, csys_after_s(60), &level);
	if (contain && level != 77)
		CHECK(r == 0 && level == CSYS_TREE_CONTAINER);
	else
		CHECK(r == CSYS_ESRCH && level == 77);
	csys_child_close(child, CSYS_CLOSE_KILL);
	CHECK(stranger_end(&stranger));
}

static void kill_a_tree_that_the_system_reaped(void)
{
	kill_a_lost_tree(1, 0);
}

static void kill_a_tree_that_other_code_reaped(void)
{
	kill_a_lost_tree(0, 0);
}

static void kill_a_contained_tree_that_other_code_reaped(void)
{
	kill_a_lost_tree(0, 1);
}

static void a_stranger_with_its_pid_is_not_hit(void **state)
{
	(void)state;
	in_child(kill_a_tree_that_the_system_reaped);
	in_child(kill_a_tree_that_other_code_reaped);
	in_child(kill_a_contained_tree_that_other_code_reaped);
}

static void a_reaped_child_is_told(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	csys_exit exit;
	int level = 77;
	assert_int_equal(csys_child_wait(child, &exit), 0);
	assert_int_equal(csys_child_kill_tree_until(child, csys_after_s(60), &level), CSYS_ESRCH);
	assert_int_equal(level, 77);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

/* ---- deadlines, rights, threads -------------------------------------------------------------- */

static void what_is_found_is_killed_though_the_deadline_has_passed(void **state)
{
	(void)state;
	for (int contain = 0; contain <= 1; contain++) {
		csys_handle witness;
		csys_command *command = helper_command("pair", NULL);
		if (contain)
			csys_command_contain(command);
		csys_command_process_group(command, 0);
		csys_child *child = planted(command, &witness);
		int level = 77;
		int r = csys_child_kill_tree_until(child, CSYS_POLL, &level);
		if (r < 0) {
			assert_int_equal(r, CSYS_ETIMEDOUT);
			assert_int_equal(level, 77);
		}
		assert_ended(witness, csys_after_s(60));
		assert_int_equal(finished(child).value, SIGKILL);
		assert_containers_go();
	}
}

static void kill_what_may_not_be(void)
{
	/* The first leads a group, the second is in it and belongs to root. */
	csys_child *first, *second;
	csys_handle input, writer, output;
	char byte;
	size_t size;
	int level = 77;
	CHECK(csys_pipe_create(&input, &writer) == 0);
	csys_command *command = helper_command("stay", NULL);
	csys_command_process_group(command, 0);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_command_uid(command, NOBODY);
	int r = csys_command_spawn(command, &first);
	csys_command_free(command);
	if (r == CSYS_EACCES)
		return; /* the helper is out of reach for others */
	CHECK(r == 0);
	command = helper_command("drain", NULL);
	csys_command_process_group(command, csys_child_pid(first));
	csys_command_stdio_take(command, CSYS_STDIN, input);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	CHECK(csys_command_spawn(command, &second) == 0);
	csys_command_free(command);
	CHECK(csys_child_take(second, CSYS_STDOUT, &output) == 0);

	CHECK(setuid(NOBODY) == 0);
	CHECK(csys_child_kill_tree_until(first, csys_after_s(60), &level) == CSYS_EPERM);
	CHECK(level == 77);
	csys_exit exit;
	CHECK(csys_child_wait(first, &exit) == 0);
	CHECK(exit.value == SIGKILL);
	/* The other one neither ended nor stands still. */
	CHECK(csys_stream_read_until(output, &byte, 1, CSYS_POLL, &size) == CSYS_ETIMEDOUT);
	csys_handle_close(writer);
	CHECK(csys_child_wait(second, &exit) == 0);
	CHECK(exit.how == CSYS_EXIT_CODE && exit.value == 0);
	csys_child_close(first, CSYS_CLOSE_WAIT);
	csys_child_close(second, CSYS_CLOSE_WAIT);
}

static void one_that_may_not_be_killed_is_told_and_the_others_are_killed(void **state)
{
	(void)state;
	if (geteuid() != 0 || !has_table())
		skip_because("wants root and a process table");
	in_child(kill_what_may_not_be);
}

static void as_nobody(void)
{
	CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	csys_child *child;
	csys_handle witness;
	char line[16];
	int level = 77;
	csys_command *command = helper_command("daemon", "stay", NULL);
	csys_command_contain(command);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_PIPE);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	int r = csys_command_spawn(command, &child);
	csys_command_free(command);
	if (r == CSYS_EACCES)
		return; /* the helper is out of reach for others */
	CHECK(r == 0);
	CHECK(csys_child_take(child, CSYS_STDOUT, &witness) == 0);
	read_line(witness, line, sizeof line);
	CHECK(csys_child_kill_tree_until(child, csys_after_s(60), &level) == 0);
	CHECK(level == CSYS_TREE_REAPER);
	size_t size = 1;
	CHECK(csys_stream_read_until(witness, line, 1, CSYS_POLL, &size) == 0 && size == 0);
	csys_child_close(child, CSYS_CLOSE_WAIT);
}

static void without_rights_to_make_containers_there_is_a_reaper(void **state)
{
	(void)state;
	if (geteuid() != 0 || best_level() < CSYS_TREE_REAPER)
		skip_because("wants root, to become somebody else, and orphans that are held");
	in_child(as_nobody);
}

static void *wait_for(void *child)
{
	static csys_exit exit;
	return csys_child_wait(child, &exit) == 0 ? &exit : NULL;
}

static void a_tree_is_ended_beside_a_wait(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		csys_handle witness;
		csys_command *command = helper_command("pair", NULL);
		csys_command_process_group(command, 0);
		if (round % 2)
			csys_command_contain(command);
		csys_child *child = planted(command, &witness);
		pthread_t waiter;
		void *exit;
		assert_int_equal(pthread_create(&waiter, NULL, wait_for, child), 0);
		assert_int_equal(csys_child_kill_tree_until(child, csys_after_s(60), NULL), 0);
		pthread_join(waiter, &exit);
		assert_non_null(exit);
		assert_int_equal(((csys_exit *)exit)->value, SIGKILL);
		assert_ended(witness, csys_after_s(60));
		csys_child_close(child, CSYS_CLOSE_WAIT);
	}
	assert_int_equal(containers(), 0);
}

/* ---- closing ------------------------------------------------------------------------------- */

static csys_child *contained_daemon(const char *stay, csys_handle *witness, csys_handle *writer)
{
	csys_handle input;
	assert_int_equal(csys_pipe_create(&input, writer), 0);
	csys_command *command = helper_command("daemon", stay, NULL);
	csys_command_contain(command);
	csys_command_stdio_take(command, CSYS_STDIN, input);
	return planted(command, witness);
}

static void close_kill_ends_a_contained_tree(void **state)
{
	(void)state;
	if (best_level() < CSYS_TREE_REAPER)
		skip_because("nothing holds orphans here");
	csys_handle witness, writer;
	csys_child *child = contained_daemon("stay", &witness, &writer);
	csys_child_close(child, CSYS_CLOSE_KILL);
	assert_ended(witness, CSYS_POLL);
	csys_handle_close(writer);
	assert_int_equal(containers(), 0);
}

static void close_kill_ends_what_a_contained_child_left(void **state)
{
	(void)state;
	if (!has_containers())
		skip_because("no containers");
	csys_handle witness, writer;
	csys_exit exit;
	csys_child *child = contained_daemon("go", &witness, &writer);
	assert_int_equal(csys_child_wait(child, &exit), 0);
	assert_running(witness);
	csys_child_close(child, CSYS_CLOSE_KILL);
	assert_ended(witness, CSYS_POLL);
	csys_handle_close(writer);
	assert_int_equal(containers(), 0);
}

static void terminate_kills_the_contained_tree_after_the_grace(void **state)
{
	(void)state;
	csys_handle witness;
	csys_exit exit;
	csys_command *command = helper_command("stay", NULL);
	csys_command_contain(command);
	csys_child *child = planted(command, &witness);
	assert_int_equal(csys_child_terminate_until(child, csys_after_ms(5), &exit), 0);
	assert_int_equal(exit.value, SIGKILL);
	assert_ended(witness, CSYS_POLL);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	assert_int_equal(containers(), 0);
}

static void other_closes_let_it_run_and_the_container_goes_with_the_last(void **state)
{
	(void)state;
	for (int policy = CSYS_CLOSE_DETACH; policy <= CSYS_CLOSE_WAIT; policy++) {
		if (policy == CSYS_CLOSE_KILL)
			continue;
		csys_handle witness, writer;
		csys_child *child = contained_daemon("go", &witness, &writer);
		let_end(child);
		csys_child_close(child, (enum csys_close_policy)policy);
		assert_running(witness);
		if (has_containers())
			assert_int_equal(containers(), 1);
		csys_handle_close(writer);
		assert_ended(witness, csys_after_s(60));
		assert_containers_go();
		finished(spawned(helper_command("exit", "0", NULL)));
	}
}

static void what_the_program_made_below_its_container_is_removed_too(void **state)
{
	(void)state;
	if (!has_containers())
		skip_because("no containers");
	csys_handle witness;
	csys_command *command = helper_command("pair", NULL);
	csys_command_contain(command);
	csys_child *child = planted(command, &witness);
	int container = (int)child->container.handle;
	assert_int_equal(mkdirat(container, "one", 0755), 0);
	assert_int_equal(mkdirat(container, "one/below", 0755), 0);
	assert_int_equal(mkdirat(container, "two", 0755), 0);
	int list = openat(container, "one/below/cgroup.procs", O_WRONLY | O_CLOEXEC);
	assert_true(list >= 0);
	assert_true(dprintf(list, "%ld", (long)csys_child_pid(child)) > 0);
	close(list);
	end(child, witness, CSYS_TREE_CONTAINER);
}

/* ---- failures ------------------------------------------------------------------------------ */

static void a_failed_spawn_leaves_no_container(void **state)
{
	(void)state;
	csys_child *child = NULL;
	csys_command *command = csys_command_new("/no/such/program");
	csys_command_contain(command);
	assert_int_equal(csys_command_spawn(command, &child), CSYS_ENOENT);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_EXEC);
	assert_null(child);
	csys_command_free(command);
	assert_int_equal(containers(), 0);
}

static void every_failure_of_a_contained_spawn_leaves_nothing(void **state)
{
	(void)state;
	int handles = open_handles();
	for (int nth = 1;; nth++) {
		csys_child *child = NULL;
		csys_command *command = helper_command("exit", "0", NULL);
		csys_command_contain(command);
		csysi_fault_arm(nth);
		int r = csys_command_spawn(command, &child);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		csys_command_free(command);
		if (r == 0) {
			finished(child);
			assert_int_equal(containers(), 0);
			if (!fired)
				break;
			continue;
		}
		assert_true(fired);
		assert_null(child);
		assert_false(has_children());
		assert_int_equal(open_handles(), handles);
		assert_int_equal(containers(), 0);
	}
}

/*
 * The next failure to try.  Each row that is read can fail: those after the first few are alike,
 * and are tried here and there.  What valgrind looks for is in the code of one row.
 */
static int after(int nth)
{
	return nth + 1 + nth / (under_valgrind() ? 2 : 8);
}

static void every_failure_of_a_kill_can_be_made_good_by_another(void **state)
{
	(void)state;
	int handles = open_handles();
	for (int contain = 0; contain <= 1; contain++) {
		for (int nth = 1, fired = 1; fired; nth = after(nth)) {
			csys_handle witness;
			csys_command *command = helper_command("pair", NULL);
			csys_command_process_group(command, 0);
			if (contain)
				csys_command_contain(command);
			csys_child *child = planted(command, &witness);
			int level = 77;
			csysi_fault_arm(nth);
			int r = csys_child_kill_tree_until(child, csys_after_s(60), &level);
			fired = csysi_fault_fired();
			csysi_fault_arm(0);
			if (r < 0) {
				assert_true(fired);
				assert_int_equal(level, 77);
				r = csys_child_kill_tree_until(child, csys_after_s(60), &level);
			}
			assert_int_equal(r, 0);
			assert_ended(witness, csys_after_s(60));
			assert_int_equal(finished(child).value, SIGKILL);
			assert_int_equal(open_handles(), handles);
			assert_int_equal(containers(), 0);
		}
	}
}

/*
 * A child with one of its own, in another session: the system lets those of the same session go
 * on by itself when their parent is killed.
 */
static csys_child *planted_apart(csys_handle *witness, int64_t *other)
{
	char line[24];
	csys_child *child = planted(helper_command("apart", NULL), witness);
	read_line(*witness, line, sizeof line);
	*other = strtol(line, NULL, 10);
	return child;
}

static int is_stopped(int64_t pid)
{
	csys_process_info info;
	int r = csys_process_snapshot(pid, CSYS_PROCESS_STATE, &info);
	int stopped = r == 0 && info.state == CSYS_STATE_STOPPED;
	if (r == 0)
		csys_process_info_free(&info);
	return stopped;
}

/* The next failure: all of them where the table has few rows. */
static int (*next_failure)(int nth);

static int after_each(int nth)
{
	return nth + 1;
}

static void fail_and_look(void)
{
	/* One failure of any kind, or no end of one kind; and too little time. */
	const int codes[] = { 0, CSYS_EMFILE, CSYS_ENOMEM, 0 };
	const int late = 3;
	int handles = open_handles();
	int failures = 0;
	for (int kind = 0; kind <= late; kind++) {
		for (int nth = 1, fired = 1; fired; nth = next_failure(nth)) {
			csys_handle witness;
			int64_t other;
			csys_child *child = planted_apart(&witness, &other);
			csys_deadline deadline = kind == late ? CSYS_POLL : csys_after_s(60);
			if (codes[kind])
				csysi_fault_exhaust(nth, codes[kind]);
			else
				csysi_fault_arm(nth);
			int r = csys_child_kill_tree_until(child, deadline, NULL);
			fired = csysi_fault_fired();
			csysi_fault_arm(0);
			failures += r < 0;
			assert_true(r == 0 || fired || kind == late);
			assert_false(is_stopped(csys_child_pid(child)));
			assert_false(is_stopped(other));

			/* Where its parent was killed and not it, nothing connects it any more. */
			r = csys_child_kill_tree_until(child, csys_after_s(60), NULL);
			assert_int_equal(r, 0);
			kill((pid_t)other, SIGKILL);
			assert_ended(witness, csys_after_s(60));
			finished(child);
			assert_int_equal(open_handles(), handles);
		}
	}
	assert_true(failures > 10);
}

/* The first of a namespace, which reaps its orphans: the table has no more than what runs. */
static void fail_in_small_table(void)
{
	if (enter_table(NULL) < 0)
		_exit(77);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		next_failure = after_each;
		fail_and_look();
		_exit(0);
	}
	int status = 1;
	pid_t ended;
	do
		ended = waitpid(-1, &status, 0);
	while (ended > 0 && ended != pid);
	_exit(ended != pid || !WIFEXITED(status) ? 1 : WEXITSTATUS(status));
}

static void enter_and_fail(void)
{
	if (enter_pid_namespace() < 0)
		_exit(77);
	_exit(result_in_child(fail_in_small_table));
}

static void nothing_stays_stopped_when_a_kill_fails(void **state)
{
	(void)state;
	if (!has_table())
		skip_because("no process table");
	int r = result_in_child(enter_and_fail);
	if (r == 77) {
		next_failure = after;
		fail_and_look();
	} else {
		assert_int_equal(r, 0);
	}
}

/* In a handler of SIGCHLD: this process has no more handles. */
static void lose_handles(int signal)
{
	(void)signal;
	allow_handles(0);
}

static void kill_and_lose_handles(void)
{
	csys_handle witness;
	int64_t other;
	csys_child *child = planted_apart(&witness, &other);
	struct sigaction action = { .sa_handler = lose_handles };
	CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
	/* It hears of the first stop. */
	int r = csys_child_kill_tree_until(child, csys_after_s(60), NULL);
	signal(SIGCHLD, SIG_DFL);
	allow_handles(1024);
	CHECK(r == 0 || r == CSYS_EMFILE);
	CHECK(!is_stopped(csys_child_pid(child)));
	CHECK(!is_stopped(other));
	kill((pid_t)other, SIGKILL);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void nothing_stays_stopped_when_handles_run_out(void **state)
{
	(void)state;
	if (!has_table())
		skip_because("no process table");
	for (int round = 0; round < 10; round++)
		in_child(kill_and_lose_handles);
}

static void each_level_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(csys_tree_level_name(CSYS_TREE_CHILD), "child");
	assert_string_equal(csys_tree_level_name(CSYS_TREE_GROUP), "group");
	assert_string_equal(csys_tree_level_name(CSYS_TREE_WALK), "walk");
	assert_string_equal(csys_tree_level_name(CSYS_TREE_REAPER), "reaper");
	assert_string_equal(csys_tree_level_name(CSYS_TREE_CONTAINER), "container");
	assert_string_equal(csys_tree_level_name(0), "unknown level");
	assert_string_equal(csys_tree_level_name(6), "unknown level");
}

static void exec_cannot_be_contained(void **state)
{
	(void)state;
	csys_command *command = helper_command("exit", "0", NULL);
	csys_command_contain(command);
	assert_int_equal(csys_command_exec(command), CSYS_EINVAL);
	assert_int_equal(csys_spawn_failed_step(), CSYS_STEP_COMMAND);
	csys_command_free(command);
	csys_command_contain(NULL);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	int level = 77;
	assert_int_equal(csys_child_kill_tree_until(NULL, CSYS_POLL, &level), CSYS_EINVAL);
	assert_int_equal(level, 77);
}

static const char *hiding; /* the option of /proc */

/* As a user to whom /proc shows only what this user may look at. */
static void kill_what_is_hidden(void)
{
	if (enter_table(hiding) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0 ||
	    be_open_to_its_user() < 0)
		_exit(77);
	if (access(getenv("CSYS_TEST_HELPER"), X_OK) < 0)
		_exit(78);
	for (int i = 0; i < 10; i++) {
		csys_handle witness;
		int level = 0;
		csys_command *command = helper_command("hide", i < 2 ? "" : "again", NULL);
		if (i == 1)
			csys_command_process_group(command, 0);
		csys_child *child = planted(command, &witness);
		int r = csys_child_kill_tree_until(child, csys_after_s(60), &level);
		CHECK(r == 0);
		/* In a sandbox without /proc, too. */
		CHECK(i >= 2 || level == (i == 1 ? CSYS_TREE_GROUP : CSYS_TREE_CHILD));
		assert_ended(witness, csys_after_s(60));
		csys_exit end = finished(child);
		CHECK(end.how == CSYS_EXIT_SIGNAL && end.value == SIGKILL);
	}
	_exit(0);
}

static void a_child_that_the_table_hides_is_killed(void **state)
{
	(void)state;
	const char *const options[] = { "hidepid=1", "hidepid=2" };
	for (int i = 0; i < 2; i++) {
		hiding = options[i];
		int r = result_in_child(kill_what_is_hidden);
		if (r == 77)
			skip_because("no /proc of its own for this user");
		if (r == 78)
			skip_because("the helper is out of reach for others");
		assert_int_equal(r, 0);
	}
}

/* ---- signals ------------------------------------------------------------------------- */

/* A contained tree that has ended by itself: its container may be counted as full for a moment. */
static void assert_all_end_by(csys_child *child, csys_handle witness, int signal)
{
	assert_ended(witness, csys_after_s(60));
	assert_int_equal(csys_exit_signal(finished(child)), signal);
	assert_containers_go();
	finished(spawned(helper_command("exit", "0", NULL)));
}

static void signal_reaches_each_once(int contain)
{
	csys_handle witness;
	char text[16];
	size_t size = 0;
	int level = 77;
	csys_command *command = helper_command("tell", "5", NULL);
	if (contain)
		csys_command_contain(command);
	csys_child *child = planted(command, &witness);
	assert_int_equal(csys_child_signal_tree(child, 0, &level), 0); /* only a look */
	assert_int_equal(csys_child_signal_tree(child, SIGUSR1, &level), 0);
	assert_true(level >= CSYS_TREE_WALK);
	assert_true(contain || level == CSYS_TREE_WALK);
	assert_int_equal(csys_stream_read_all_until(witness, text, 6, csys_after_s(60), &size), 0);
	assert_int_equal(size, 6);
	assert_running(witness); /* and no more */

	assert_int_equal(csys_child_signal_tree(child, 12345, NULL), CSYS_EINVAL);
	assert_int_equal(csys_child_signal_tree(child, SIGTERM, NULL), 0);
	assert_all_end_by(child, witness, SIGTERM);
}

static void a_signal_reaches_each_process_of_a_tree_once(void **state)
{
	(void)state;
	if (!has_table())
		skip_because("there is no process table");
	signal_reaches_each_once(0);
	signal_reaches_each_once(1);
}

static void without_a_table_a_signal_reaches_the_child_or_its_group(void **state)
{
	(void)state;
	if (has_table())
		skip_because("there is a process table");
	for (int group = 0; group < 2; group++) {
		csys_handle witness;
		int level = 0;
		csys_command *command = helper_command("wait", NULL);
		if (group)
			csys_command_process_group(command, 0);
		csys_child *child = planted(command, &witness);
		assert_int_equal(csys_child_signal_tree(child, SIGTERM, &level), 0);
		assert_int_equal(level, group ? CSYS_TREE_GROUP : CSYS_TREE_CHILD);
		assert_all_end_by(child, witness, SIGTERM);
	}
}

static void a_signal_finds_what_has_left_a_contained_child(void **state)
{
	(void)state;
	struct ends ends = opened_ends();
	csys_handle witness;
	int level = 0;
	if (!has_table()) {
		close_ends(ends);
		skip_because("there is no process table");
	}
	csys_command *command = helper_command("daemon", "stay", NULL);
	csys_command_contain(command);
	csys_command_stdio_handle(command, CSYS_STDIN, ends.reader);
	csys_child *child = planted(command, &witness);
	assert_int_equal(csys_child_signal_tree_until(child, SIGTERM, csys_after_s(60), &level), 0);
	assert_int_equal(level, has_containers() ? CSYS_TREE_CONTAINER : CSYS_TREE_REAPER);
	assert_all_end_by(child, witness, SIGTERM);
	close_ends(ends);
}

static void a_signal_goes_to_a_stopped_tree_when_it_goes_on(void **state)
{
	(void)state;
	csys_handle witness;
	if (!has_table())
		skip_because("there is no process table");
	for (int contain = 0; contain < 2; contain++) {
		csys_command *command = helper_command("tell", "3", NULL);
		if (contain)
			csys_command_contain(command);
		csys_child *child = planted(command, &witness);
		assert_int_equal(csys_child_signal_tree(child, SIGSTOP, NULL), 0);
		assert_int_equal(csys_child_wait_suspended_until(child, csys_after_s(60)), 0);
		assert_int_equal(csys_child_signal_tree(child, SIGTERM, NULL), 0);
		assert_running(witness);
		assert_int_equal(csys_child_signal_tree(child, SIGCONT, NULL), 0);
		assert_all_end_by(child, witness, SIGTERM);
	}
}

static void a_reaped_child_has_no_tree_to_signal(void **state)
{
	(void)state;
	int level = 77;
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	assert_int_equal(csys_child_wait(child, NULL), 0);
	assert_int_equal(csys_child_signal_tree(child, SIGTERM, &level), CSYS_ESRCH);
	assert_int_equal(level, 77);
	csys_child_close(child, CSYS_CLOSE_WAIT);

	csys_command *command = helper_command("exit", "0", NULL);
	csys_command_contain(command);
	child = spawned(command);
	assert_int_equal(csys_child_wait(child, NULL), 0);
	assert_int_equal(csys_child_signal_tree(child, SIGTERM, &level), CSYS_ESRCH);
	csys_child_close(child, CSYS_CLOSE_WAIT);
	assert_int_equal(csys_child_signal_tree(NULL, SIGTERM, &level), CSYS_EINVAL);
}

static void a_child_that_has_ended_takes_every_signal_of_a_tree_that_there_is(void **state)
{
	(void)state;
	for (int contain = 0; contain < 2; contain++) {
		siginfo_t info;
		int level = 77;
		csys_command *command = helper_command("exit", "0", NULL);
		if (contain)
			csys_command_contain(command);
		csys_child *child = spawned(command);
		id_t pid = (id_t)csys_child_pid(child);
		assert_int_equal(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
		assert_int_equal(csys_child_signal_tree(child, 12345, &level), CSYS_EINVAL);
		assert_int_equal(csys_child_signal_tree(child, -1, &level), CSYS_EINVAL);
		assert_int_equal(level, 77);
		assert_int_equal(csys_child_signal_tree(child, SIGTERM, &level), 0);
		assert_int_equal(csys_exit_code(finished(child)), 0);
	}
}

static void a_signal_gives_up_on_a_tree_that_grows_for_ever(void **state)
{
	(void)state;
	csys_handle witness;
	if (!has_table())
		skip_because("there is no process table");
	csys_child *child = planted(helper_command("grow", "8", NULL), &witness);
	/* It looks again and again, but not without end. */
	int r = csys_child_signal_tree_until(child, 0, csys_after_ms(50), NULL);
	assert_true(r == 0 || r == CSYS_ETIMEDOUT);
	end(child, witness, CSYS_TREE_WALK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_child_is_ended_with_its_children),
		TEST(a_child_alone_is_ended_on_every_system),
		TEST(a_contained_child_is_ended_with_what_left_it),
		TEST(a_cancelled_thread_reaps_a_contained_child_and_removes_its_container),
		TEST(contain_holds_whatever_else_is_asked),
		TEST(contain_works_with_a_hook),
		TEST(contain_works_for_another_user),
		TEST(strangers_of_its_group_and_session_are_not_hit),
		TEST(what_got_away_from_a_reaper_is_ended_and_the_level_tells),
		TEST(each_child_of_a_reaper_has_a_mark_and_keeps_those_it_had),
		TEST(where_there_are_containers_the_environment_is_as_it_was),
		TEST(a_tree_that_forks_while_it_is_killed_is_ended_by_a_walk),
		TEST(a_tree_that_forks_and_roams_is_ended_if_it_is_contained),
		TEST(what_an_ended_child_left_in_its_group_is_ended),
		TEST(a_child_that_ends_meanwhile_takes_nobody_out_of_reach),
		TEST(one_that_ends_within_the_grace_leaves_nothing_behind),
		TEST(after_the_reaping_only_a_container_can_be_ended),
		TEST(a_reaper_that_has_ended_is_no_reaper),
		TEST(a_stranger_with_its_pid_is_not_hit),
		TEST(a_reaped_child_is_told),
		TEST(what_is_found_is_killed_though_the_deadline_has_passed),
		TEST(one_that_may_not_be_killed_is_told_and_the_others_are_killed),
		TEST(without_rights_to_make_containers_there_is_a_reaper),
		TEST(a_tree_is_ended_beside_a_wait),
		TEST(close_kill_ends_a_contained_tree),
		TEST(close_kill_ends_what_a_contained_child_left),
		TEST(terminate_kills_the_contained_tree_after_the_grace),
		TEST(other_closes_let_it_run_and_the_container_goes_with_the_last),
		TEST(what_the_program_made_below_its_container_is_removed_too),
		TEST(a_failed_spawn_leaves_no_container),
		TEST(every_failure_of_a_contained_spawn_leaves_nothing),
		TEST(every_failure_of_a_kill_can_be_made_good_by_another),
		TEST(nothing_stays_stopped_when_a_kill_fails),
		TEST(nothing_stays_stopped_when_handles_run_out),
		TEST(a_child_that_the_table_hides_is_killed),
		TEST(each_level_has_a_name),
		TEST(exec_cannot_be_contained),
		TEST(bad_arguments_are_told),
		TEST(a_signal_reaches_each_process_of_a_tree_once),
		TEST(without_a_table_a_signal_reaches_the_child_or_its_group),
		TEST(a_signal_finds_what_has_left_a_contained_child),
		TEST(a_signal_goes_to_a_stopped_tree_when_it_goes_on),
		TEST(a_reaped_child_has_no_tree_to_signal),
		TEST(a_child_that_has_ended_takes_every_signal_of_a_tree_that_there_is),
		TEST(a_signal_gives_up_on_a_tree_that_grows_for_ever),
	};
	return RUN(tests);
}
