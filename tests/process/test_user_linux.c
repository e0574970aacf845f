/*
 * process/test_user_linux.c - promises of csys/process/command_options.h: a child that runs as
 * another user, which attacks it with all that Linux has for that.
 *
 * Most of these need root.
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE /* setgroups, syscall */
#define _GNU_SOURCE     /* process_vm_readv */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"

static int is_root(void)
{
	if (getuid() == 0)
		return 1;
	print_message("needs root\n");
	return 0;
}

/* A user of this test alone, since it stops what it finds of that user. */
static unsigned user(void)
{
	return 60000u + (unsigned)getpid() % 5000u;
}

/* A program that any user may run. */
static csys_command *as_user(void)
{
	csys_command *command = csys_command_new("true");
	csys_command_uid(command, user());
	csys_command_gid(command, user());
	return command;
}

/*
 * The same, and long on its way: it looks for its program in thousands of places, as the new
 * user already.
 */
static csys_command *slowly_as_user(void)
{
	static char path[60000];
	csys_command *command = as_user();

	if (!path[0]) {
		strcpy(path, "/no/dir");
		for (int i = 0; i < 4000; i++)
			strcat(path, ":/no/dir");
		strcat(path, ":/usr/bin:/bin");
	}
	csys_command_env(command, "PATH", path);
	return command;
}

/* ---- a process of that user, which wants at the memory of this one -------------------------- */

static const char original[] = "known to root alone";
static char secret[sizeof original] = "known to root alone";

static struct plan {
	unsigned is_ready, is_over; /* atomic, as all of these */
	unsigned tries, reads, writes;
	int victim; /* or 0: whatever is new */
	int stops;
} * plan;

static unsigned get(const unsigned *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void count(unsigned *word)
{
	__atomic_add_fetch(word, 1, __ATOMIC_RELEASE);
}

/* By the two ways that there are; ptrace asks for the same rights. */
static void attack_memory(pid_t pid)
{
	char seen[sizeof secret] = "";
	struct iovec here = { seen, sizeof seen };
	struct iovec there = { secret, sizeof secret };

	count(&plan->tries);
	if (process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)sizeof seen &&
	    strcmp(seen, original) == 0) {
		count(&plan->reads);
		char owned[] = "written";
		struct iovec with = { owned, sizeof owned };
		if (process_vm_writev(pid, &with, 1, &there, 1, 0) > 0)
			count(&plan->writes);
	}

	char name[64];
	snprintf(name, sizeof name, "/proc/%d/mem", (int)pid);
	int memory = open(name, O_RDWR | O_CLOEXEC);
	if (memory < 0)
		return;
	seen[0] = '\0';
	if (pread(memory, seen, sizeof seen, (off_t)(uintptr_t)secret) == (ssize_t)sizeof seen &&
	    strcmp(seen, original) == 0) {
		count(&plan->reads);
		if (pwrite(memory, "written", 8, (off_t)(uintptr_t)secret) > 0)
			count(&plan->writes);
	}
	close(memory);
}

static void become(unsigned id)
{
	if (setgroups(0, NULL) < 0 || setregid(id, id) < 0 || setreuid(id, id) < 0)
		_exit(2);
}

static int newest_pid(int loadavg)
{
	char text[128];
	ssize_t size = pread(loadavg, text, sizeof text - 1, 0);
	text[size > 0 ? size : 0] = '\0';
	const char *last = strrchr(text, ' ');
	return last ? atoi(last + 1) : 0;
}

/* Whether there is a process, and no thread, with that number: a sanitizer gives the attacker
 * a thread of its own. */
static int is_process(int pid)
{
	return syscall(SYS_tgkill, pid, pid, 0) == 0 || errno == EPERM;
}

/* Try everything with each process that comes, until this is over. */
static void attack(unsigned id)
{
	int loadavg = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);

	become(id);
	count(&plan->is_ready);
	while (!get(&plan->is_over)) {
		int newest = plan->victim ? plan->victim : newest_pid(loadavg);
		for (int pid = newest + 2; pid > newest - 3; pid--) {
			if (pid <= 1 || pid == getpid() || !is_process(pid))
				continue;
			if (plan->stops)
				kill(pid, SIGSTOP);
			else
				attack_memory(pid);
		}
	}
	_exit(0);
}

static pid_t start_attacker(void)
{
	unsigned id = user();
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		attack(id);
	while (!get(&plan->is_ready))
		sched_yield();
	return pid;
}

static void end_attacker(pid_t pid)
{
	count(&plan->is_over);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void make_plan(void)
{
	plan = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(plan != MAP_FAILED);
}

static void drop_plan(void)
{
	munmap(plan, sizeof *plan);
	plan = NULL;
}

/* Whether that attacker gets at the memory of a process of its own user at all. */
static int is_dangerous(void)
{
	unsigned id = user();
	strcpy(secret, original);
	pid_t victim = fork();

	assert_true(victim >= 0);
	if (victim == 0) {
		become(id);
		prctl(PR_SET_DUMPABLE, 1);
		for (;;)
			pause();
	}
	make_plan();
	plan->victim = victim;
	pid_t attacker = start_attacker();
	csys_deadline deadline = csys_after_s(10);
	while (get(&plan->writes) == 0 && csys_deadline_left(deadline) > 0)
		sched_yield();
	int writes = (int)get(&plan->writes);
	end_attacker(attacker);
	kill(victim, SIGKILL);
	waitpid(victim, NULL, 0);
	drop_plan();
	return writes > 0;
}

/* Whether the system opens every program that changes its user to that user, for a moment. */
static int is_open_to_all(void)
{
	char setting = '0';
	int file = open("/proc/sys/fs/suid_dumpable", O_RDONLY | O_CLOEXEC);

	if (file >= 0) {
		ssize_t size = read(file, &setting, 1);
		(void)size;
		close(file);
	}
	return setting == '1';
}

/* Whether there is an attacker to be kept out; says why not. */
static int has_an_attacker(void)
{
	if (!is_root())
		return 0;
	if (is_open_to_all()) {
		print_message(
			"fs.suid_dumpable is 1: the copies of csys are open to the new user too\n");
		return 0;
	}
	if (access("/proc/loadavg", R_OK) < 0) {
		print_message("there is no /proc to find new processes in\n");
		return 0;
	}
	if (!is_dangerous()) {
		print_message("no process here gets at the memory of another one\n");
		return 0;
	}
	return 1;
}

struct spawner {
	csys_command *(*make)(void);
	csys_deadline until;
	int count;
	int failed; /* the first failure */
};

static void *spawn_again_and_again(void *argument)
{
	struct spawner *spawner = argument;

	for (spawner->count = 0; csys_deadline_left(spawner->until) > 0; spawner->count++) {
		csys_exit end;
		/* Any code may say so at any moment, and other code has put it back. */
		if (plan)
			prctl(PR_SET_DUMPABLE, 1);
		csys_command *command = spawner->make();
		int r = csys_command_run(command, &end);
		csys_command_free(command);
		if (r < 0 && spawner->failed == 0)
			spawner->failed = r;
		if (plan && get(&plan->reads) > 0)
			break;
	}
	return NULL;
}

/* Two threads: what is of the whole process could be changed by one while the other is busy. */
static void two_threads_spawn(struct spawner spawners[2], int ms)
{
	pthread_t other;

	for (int i = 0; i < 2; i++)
		spawners[i] =
			(struct spawner){ i ? as_user : slowly_as_user, csys_after_ms(ms), 0, 0 };
	assert_int_equal(pthread_create(&other, NULL, spawn_again_and_again, &spawners[1]), 0);
	spawn_again_and_again(&spawners[0]);
	pthread_join(other, NULL);
}

static void the_new_user_does_not_get_at_the_memory_of_the_old_one(void **state)
{
	(void)state;
	struct spawner spawners[2];
	if (!has_an_attacker())
		skip_because("wants root and a user that can attack");
	make_plan();
	pid_t attacker = start_attacker();
	two_threads_spawn(spawners, 1000);
	end_attacker(attacker);
	unsigned tries = get(&plan->tries), reads = get(&plan->reads), writes = get(&plan->writes);
	drop_plan();

	assert_string_equal(secret, original);
	/* Nor in the copy of it. */
	assert_int_equal(reads, 0);
	assert_int_equal(writes, 0);
	assert_int_equal(spawners[0].failed, 0);
	assert_int_equal(spawners[1].failed, 0);
	assert_true(spawners[0].count > 0 && spawners[1].count > 0 && tries > 0);
}

static void *watch_dumpable(void *is_over)
{
	uintptr_t lost = 0;

	while (!__atomic_load_n((int *)is_over, __ATOMIC_ACQUIRE))
		lost += prctl(PR_GET_DUMPABLE) != 1;
	return (void *)lost;
}

static void a_change_of_user_leaves_this_process_dumpable(void **state)
{
	(void)state;
	int is_over = 0;
	void *lost;
	pthread_t watcher;
	struct spawner spawners[2];
	if (!is_root())
		skip_because("only root can change the user");
	assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
	assert_int_equal(pthread_create(&watcher, NULL, watch_dumpable, &is_over), 0);
	two_threads_spawn(spawners, 200);
	__atomic_store_n(&is_over, 1, __ATOMIC_RELEASE);
	pthread_join(watcher, &lost);
	assert_int_equal((uintptr_t)lost, 0);
	assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
}

static void a_user_that_stops_its_children_holds_nobody_up(void **state)
{
	(void)state;
	int stopped = 0;
	if (!has_an_attacker())
		skip_because("wants root and a user that can attack");
	make_plan();
	plan->stops = 1;
	pid_t attacker = start_attacker();
	/* As long as it takes to be stopped on the way to the program a few times. */
	for (csys_deadline until = csys_after_s(20);
	     stopped < 5 && csys_deadline_left(until) > 0;) {
		csys_child *child;
		csys_command *command = slowly_as_user();
		int r = csys_command_spawn_until(command, csys_after_ms(20), &child);
		csys_command_free(command);
		if (r == 0)
			csys_child_close(child, CSYS_CLOSE_KILL);
		stopped += r == CSYS_ETIMEDOUT;
		assert_true(r == 0 || r == CSYS_ETIMEDOUT);
	}
	end_attacker(attacker);
	drop_plan();
	assert_int_equal(stopped, 5);
	assert_false(has_children());
}

/* ---- a child that may not be killed ----------------------------------------------------- */

static csys_handle gate[2];

static int wait_at_the_gate(void *unused)
{
	char byte;

	(void)unused;
	close((int)gate[1]);
	while (read((int)gate[0], &byte, 1) > 0)
		;
	return 0;
}

/* From here on this process may change the user, and not send signals to the new one. */
static void drop_cap_kill(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[2];

	CHECK(syscall(SYS_capget, &header, sets) == 0);
	sets[0].effective &= ~(1u << CAP_KILL);
	sets[0].permitted &= ~(1u << CAP_KILL);
	CHECK(syscall(SYS_capset, &header, sets) == 0);
}

static void may_not_kill(void)
{
	csys_child *child = NULL;
	csys_exit end;

	drop_cap_kill();
	CHECK(csys_pipe_create(&gate[0], &gate[1]) == 0);
	csys_command *command = as_user();
	csys_command_pre_exec(command, wait_at_the_gate, NULL);
	/* Until there is time enough for it to become the user, and wait in its hook. */
	for (int ms = 20; !has_children() && ms < 20000; ms *= 2) {
		int r = csys_command_spawn_until(command, csys_after_ms(ms), &child);
		CHECK(r == CSYS_ETIMEDOUT);
		CHECK(child == NULL);
	}
	CHECK(has_children());
	csys_command_free(command);

	/* It goes on, and is reaped by and by. */
	csys_handle_close(gate[1]);
	csys_handle_close(gate[0]);
	csys_deadline deadline = csys_after_s(60);
	while (has_children() && csys_deadline_left(deadline) > 0) {
		command = helper_command("exit", "0", NULL);
		CHECK(csys_command_run(command, &end) == 0);
		csys_command_free(command);
	}
	CHECK(!has_children());
}

/* A pipeline of one that may not be signalled and runs while gate[1] is open, and a helper. */
static void make_stages(csys_command *stages[2], const char *verb)
{
	stages[0] = csys_command_new("cat");
	csys_command_uid(stages[0], user());
	csys_command_gid(stages[0], user());
	csys_command_stdio_handle(stages[0], CSYS_STDIN, gate[0]);
	stages[1] = helper_command(verb, NULL);
}

static csys_pipeline *spawned_stages(const char *verb)
{
	csys_pipeline *pipeline = NULL;
	csys_command *stages[2];
	char line[16];

	make_stages(stages, verb);
	csys_command_stdio(stages[1], CSYS_STDOUT, CSYS_STDIO_PIPE);
	CHECK(csys_pipeline_spawn(stages, 2, &pipeline) == 0);
	csys_command_free(stages[0]);
	csys_command_free(stages[1]);
	read_line(csys_child_stream(csys_pipeline_child(pipeline, 1), CSYS_STDOUT), line,
		  sizeof line);
	return pipeline;
}

static void end_the_others(void)
{
	const int64_t grace = 60000000000;
	csys_output_options options = { .deadline = CSYS_POLL, .grace_ns = grace };
	csys_exit exits[2] = { { 0 }, { 0 } };
	csys_command *stages[2];
	csys_output output;

	drop_cap_kill();
	CHECK(csys_pipe_create(&gate[0], &gate[1]) == 0);
	csys_pipeline *pipeline = spawned_stages("stay");
	CHECK(csys_pipeline_terminate_until(pipeline, csys_after_ms(3), NULL) == CSYS_EPERM);
	CHECK(csys_pipeline_exit(pipeline, 0, NULL) == CSYS_EAGAIN);
	CHECK(csys_pipeline_exit(pipeline, 1, &exits[1]) == 0);
	CHECK(csys_exit_signal(exits[1]) == SIGKILL);
	csys_pipeline_close(pipeline, CSYS_CLOSE_DETACH);

	pipeline = spawned_stages("wait");
	CHECK(csys_pipeline_wait_output(pipeline, &options, exits, &output) == CSYS_ETIMEDOUT);
	CHECK(exits[0].how == CSYS_EXIT_NONE);
	CHECK(csys_exit_signal(exits[1]) == SIGTERM);
	csys_output_free(&output);
	csys_pipeline_close(pipeline, CSYS_CLOSE_DETACH);

	/* Until there is time enough to start both. */
	make_stages(stages, "wait");
	exits[1].how = CSYS_EXIT_NONE;
	for (int ms = 50; exits[1].how == CSYS_EXIT_NONE && ms < 20000; ms *= 2)
		CHECK(csys_pipeline_run_until(stages, 2, csys_after_ms(ms), grace, exits, NULL) ==
		      CSYS_ETIMEDOUT);
	CHECK(exits[0].how == CSYS_EXIT_NONE);
	CHECK(csys_exit_signal(exits[1]) == SIGTERM);
	csys_command_free(stages[0]);
	csys_command_free(stages[1]);

	csys_handle_close(gate[1]);
	csys_handle_close(gate[0]);
	csys_deadline deadline = csys_after_s(60);
	while (has_children() && csys_deadline_left(deadline) > 0)
		csys_child_close(spawned(helper_command("exit", "0", NULL)), CSYS_CLOSE_WAIT);
	CHECK(!has_children());
}

static void one_that_may_not_be_ended_takes_no_grace_from_the_others(void **state)
{
	(void)state;
	if (!is_root())
		skip_because("only root can change the user");
	in_child(end_the_others);
}

static int refuse_if_dumpable(void *unused)
{
	(void)unused;
	return prctl(PR_GET_DUMPABLE) == 0 ? 0 : EPERM;
}

/* Where fs.suid_dumpable is 0 the system sees to that, and this test proves nothing. */
static void the_memory_of_the_copy_is_hidden_from_the_new_user(void **state)
{
	(void)state;
	csys_exit end;
	if (!is_root())
		skip_because("only root can change the user");
	csys_command *command = as_user();
	csys_command_pre_exec(command, refuse_if_dumpable, NULL);
	assert_int_equal(csys_command_run(command, &end), 0);
	csys_command_free(command);
}

static void a_child_that_may_not_be_killed_is_detached(void **state)
{
	(void)state;
	if (!is_root())
		skip_because("only root can change the user");
	in_child(may_not_kill);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_change_of_user_leaves_this_process_dumpable),
		TEST(the_new_user_does_not_get_at_the_memory_of_the_old_one),
		TEST(a_user_that_stops_its_children_holds_nobody_up),
		TEST(the_memory_of_the_copy_is_hidden_from_the_new_user),
		TEST(a_child_that_may_not_be_killed_is_detached),
		TEST(one_that_may_not_be_ended_takes_no_grace_from_the_others),
	};
	return RUN(tests);
}
