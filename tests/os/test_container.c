/*
 * os/test_container.c - exam: containers of processes.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/child.h"
#include "support/support.h"

static struct csysi_os_container created(void)
{
	struct csysi_os_container container = { .handle = 77 };
	int r = csysi_os_container_create(&container);
	if (r < 0) {
		assert_int_equal(r, CSYS_ENOTSUP);
		assert_int_equal(container.handle, 77);
		skip_because("no containers here");
	}
	return container;
}

static void removed(struct csysi_os_container *container)
{
	assert_int_equal(csysi_os_container_remove(container), 0);
	csysi_os_close(container->handle);
}

/* A contained child that has said that it is ready. */
static csys_child *contained(const char *verb, const char *word)
{
	char line[16];
	csys_command *command = helper_command(verb, word, NULL);
	csys_command_contain(command);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
	assert_string_equal(line, "ready");
	return child;
}

static void the_strongest_bond_is_at_most_a_container(void **state)
{
	(void)state;
	struct csysi_os_container container;
	int r = csysi_os_container_create(&container);
	if (r == 0) {
		assert_int_equal(csysi_os_strongest_bond(), CSYSI_OS_BOND_CONTAINER);
		removed(&container);
	}
}

static void containers_are_made_and_removed(void **state)
{
	(void)state;
	struct csysi_os_container one = created();
	struct csysi_os_container other = created();
	assert_true(one.handle > 2 && other.handle > 2);
	assert_true(fcntl((int)one.handle, F_GETFD) & FD_CLOEXEC);
	assert_string_not_equal(one.name, other.name);
	assert_int_equal(csysi_os_container_remove(&one), 0);
	/* Gone; and what is gone has nothing to kill and nothing to remove. */
	assert_int_equal(csysi_os_container_kill(&one, CSYS_POLL), 0);
	assert_int_equal(csysi_os_container_remove(&one), 0);
	assert_int_equal(csysi_os_container_kill(&other, CSYS_POLL), 0);
	csysi_os_close(one.handle);
	removed(&other);
}

static void one_that_is_lived_in_is_not_removed(void **state)
{
	(void)state;
	struct csysi_os_container container = created();
	removed(&container);
	csys_child *child = contained("stay", NULL);
	assert_int_equal(csysi_os_container_remove(&child->container), CSYS_EBUSY);
	assert_int_equal(csysi_os_container_kill(&child->container, csys_after_s(60)), 0);
	/* A zombie does not count. */
	assert_int_equal(csysi_os_container_remove(&child->container), 0);
	assert_int_equal(finished(child).value, SIGKILL);
}

static void without_a_call_for_it_all_are_killed_one_by_one(void **state)
{
	(void)state;
	struct csysi_os_container container = created();
	removed(&container);
	csys_child *child = contained("grow", "50");
	/* Some of it further below. */
	int directory = (int)child->container.handle;
	assert_int_equal(mkdirat(directory, "below", 0755), 0);
	int list = openat(directory, "below/cgroup.procs", O_WRONLY | O_CLOEXEC);
	assert_true(list >= 0);
	assert_true(dprintf(list, "%ld", (long)csys_child_pid(child)) > 0);
	close(list);

	csys_handle witness;
	char byte;
	size_t size = 1;
	assert_int_equal(csys_child_take(child, CSYS_STDOUT, &witness), 0);
	csysi_fault_arm(2);
	assert_int_equal(csysi_os_container_kill(&child->container, csys_after_s(60)), 0);
	assert_true(csysi_fault_fired());
	csysi_fault_arm(0);
	assert_int_equal(csys_stream_read_until(witness, &byte, 1, CSYS_POLL, &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(witness);
	assert_int_equal(finished(child).value, SIGKILL);
}

static csys_child *its_child;

/* Room for two handles: no process can be held by one. */
static void kill_without_handles(void)
{
	int one = open("/", O_RDONLY | O_CLOEXEC), other = open("/", O_RDONLY | O_CLOEXEC);
	CHECK(one >= 0 && other > one);
	close(one);
	close(other);
	allow_handles(other + 1);
	csysi_fault_arm(2);
	int r = csysi_os_container_kill(&its_child->container, csys_after_s(5));
	CHECK(csysi_fault_fired());
	CHECK(r == CSYS_EMFILE);
}

static void without_handles_to_kill_by_it_does_not_go_on_for_ever(void **state)
{
	(void)state;
	struct csysi_os_container container = created();
	removed(&container);
	if (!csys_can(CSYS_CAN_PROCESS_HANDLE))
		skip_because("processes are signalled by number, which takes no handles");
	its_child = contained("stay", NULL);
	in_child(kill_without_handles);
	assert_int_equal(csysi_os_container_kill(&its_child->container, csys_after_s(60)), 0);
	assert_int_equal(finished(its_child).value, SIGKILL);
}

extern char **environ;

static void what_is_no_container_fails_the_spawn_at_its_step(void **state)
{
	(void)state;
	static const struct csysi_os_options no_options;
	char *argv[] = { (char *)(uintptr_t)helper(), (char *)(uintptr_t) "exit", NULL };
	csys_handle folder = open("/", O_RDONLY | O_CLOEXEC);
	struct csysi_os_command command = {
		.program = argv[0],
		.argv = argv,
		.envp = environ,
		.options = &no_options,
		.bond = CSYSI_OS_BOND_CONTAINER,
		.container = folder,
	};
	struct csysi_os_child child = { .pid = 123, .handle = 456 };
	enum csysi_os_step step;
	assert_true(csysi_os_spawn(&command, &child, &step) < 0);
	assert_int_equal(step, CSYSI_OS_STEP_BOND);
	assert_int_equal(child.pid, 123);
	assert_false(has_children());
	/* And it spoils nothing for the next. */
	command.bond = CSYSI_OS_BOND_NONE;
	assert_int_equal(csysi_os_spawn(&command, &child, &step), 0);
	struct csysi_os_exit end;
	assert_int_equal(csysi_os_child_wait(&child, CSYS_FOREVER), 0);
	assert_int_equal(csysi_os_child_reap(&child, &end), 0);
	csysi_os_close(child.handle);
	csysi_os_close(folder);
}

static void write_to(csys_handle directory, const char *name, const char *text)
{
	int fd = openat((int)directory, name, O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void one_that_cannot_be_entered_is_done_without(void **state)
{
	(void)state;
	/* Where a process lives in the domain of a threaded cgroup, what is made beside
	 * that can be entered by nobody. */
	struct csysi_os_container container = created();
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		write_to(container.handle, "cgroup.procs", "0");
		CHECK(mkdirat((int)container.handle, "threads", 0755) == 0);
		write_to(container.handle, "threads/cgroup.type", "threaded");
		csys_child *child;
		int level = 77;
		csys_command *command = helper_command("wait", NULL);
		csys_command_contain(command);
		csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
		CHECK(csys_command_spawn(command, &child) == 0);
		csys_command_free(command);
		CHECK(csys_child_kill_tree_until(child, csys_after_s(60), &level) == 0);
		CHECK(level == CSYS_TREE_REAPER);
		csys_child_close(child, CSYS_CLOSE_WAIT);
		_exit(0);
	}
	int status;
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	removed(&container); /* which is not busy, so its own was removed */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void what_is_below_a_reaper_is_ended_at_once_or_not_at_all(void **state)
{
	(void)state;
	csys_command *command = helper_command("wait", NULL);
	csys_command_contain(command);
	csys_child *child = spawned(command);
	struct csysi_os_child os = { .pid = csys_child_pid(child),
				     .handle = csys_child_handle(child) };
	int r = csysi_os_reaper_kill(&os, csys_after_s(60));
	assert_true(r == 0 || r == CSYS_ENOTSUP);
	assert_int_equal(csys_child_try_wait(child, NULL), r == 0 ? 0 : CSYS_EAGAIN);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_strongest_bond_is_at_most_a_container),
		TEST(containers_are_made_and_removed),
		TEST(one_that_is_lived_in_is_not_removed),
		TEST(without_a_call_for_it_all_are_killed_one_by_one),
		TEST(without_handles_to_kill_by_it_does_not_go_on_for_ever),
		TEST(what_is_no_container_fails_the_spawn_at_its_step),
		TEST(one_that_cannot_be_entered_is_done_without),
		TEST(what_is_below_a_reaper_is_ended_at_once_or_not_at_all),
	};
	return RUN(tests);
}
