/*
 * process/test_process.c - promises of csys/process/process.h.
 */
#define _DEFAULT_SOURCE /* mkdtemp, setgroups */
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/os.h"
#include "support/support.h"
#include "support/system.h"

/* Whether this system can tell when a process started, and so all the rest. */
static int has_table(void)
{
	csys_process_id id;
	assert_int_equal(csys_process_identify(csys_process_self(), &id), 0);
	return id.start != 0;
}

static void need_table(void)
{
	if (!has_table())
		skip_because("this system has no process table");
}

/* A helper past the point where it says so. */
static csys_child *ready(csys_command *command)
{
	char line[16];
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
	assert_string_equal(line, "ready");
	return child;
}

static csys_child *waiting(void)
{
	return ready(helper_command("wait", NULL));
}

/* Wait until it has ended, and leave it a zombie. */
static void let_end(csys_child *child)
{
	siginfo_t info;
	assert_int_equal(csys_child_kill(child), 0);
	assert_int_equal(waitid(P_PID, (id_t)csys_child_pid(child), &info, WEXITED | WNOWAIT), 0);
}

static void a_process_stays_the_same_and_is_no_other(void **state)
{
	(void)state;
	csys_child *child = waiting();
	csys_process_id self, again, other;
	assert_int_equal(csys_process_identify(csys_process_self(), &self), 0);
	assert_int_equal(csys_process_identify(getpid(), &again), 0);
	assert_int_equal(csys_process_identify(csys_child_pid(child), &other), 0);
	assert_int_equal(self.pid, getpid());
	assert_int_equal(csys_process_id_equal(&self, &again), 1);
	assert_int_equal(csys_process_id_equal(&self, &other), 0);
	assert_int_equal(other.boot[0] == self.boot[0] && other.boot[1] == self.boot[1], 1);
	if (has_table()) {
		assert_true(other.start >= self.start);
		assert_true(self.boot[0] != 0 && self.boot[1] != 0);
	}
	again.start++;
	assert_int_equal(csys_process_id_equal(&self, &again), 0);
	again.start--;
	again.boot[1]++;
	assert_int_equal(csys_process_id_equal(&self, &again), 0);
	assert_int_equal(csys_process_id_equal(&self, NULL), 0);
	let_end(child);
	assert_int_equal(csys_process_identify(csys_child_pid(child), &again), 0); /* a zombie */
	assert_int_equal(csys_process_id_equal(&other, &again), 1);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void nobody_is_told(void **state)
{
	(void)state;
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	int64_t gone = csys_child_pid(child);
	finished(child);
	csys_process_id id = { .pid = 77 };
	csys_process_info info = { .threads = 77 };
	csys_process *process = NULL;
	const int64_t none[] = { gone, INT_MAX, (int64_t)INT_MAX + 1, INT64_MAX };
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		assert_int_equal(csys_process_identify(none[i], &id), CSYS_ESRCH);
		assert_int_equal(csys_process_snapshot(none[i], CSYS_PROCESS_ALL, &info),
				 CSYS_ESRCH);
		assert_int_equal(csys_process_snapshot(none[i], 0, &info), CSYS_ESRCH);
		assert_int_equal(csys_process_open(none[i], &process), CSYS_ESRCH);
		csys_process_id dead = { .pid = none[i] };
		assert_int_equal(csys_process_open_id(&dead, &process), CSYS_ESRCH);
	}
	assert_int_equal(id.pid, 77);
	assert_int_equal(info.threads, 77);
	assert_null(process);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	csys_process_id id = { 0 };
	csys_process_info info;
	csys_process *process;
	for (int64_t pid = -1; pid <= 0; pid++) {
		assert_int_equal(csys_process_identify(pid, &id), CSYS_EINVAL);
		assert_int_equal(csys_process_snapshot(pid, 0, &info), CSYS_EINVAL);
		assert_int_equal(csys_process_open(pid, &process), CSYS_EINVAL);
		id.pid = pid;
		assert_int_equal(csys_process_open_id(&id, &process), CSYS_EINVAL);
	}
	assert_int_equal(csys_process_identify(1, NULL), CSYS_EINVAL);
	assert_int_equal(csys_process_snapshot(1, 0, NULL), CSYS_EINVAL);
	assert_int_equal(csys_process_snapshot(1, 1u << 30, &info), CSYS_EINVAL);
	assert_int_equal(csys_process_snapshot(1, 1u << 7, &info), CSYS_EINVAL);
	assert_int_equal(csys_process_open(1, NULL), CSYS_EINVAL);
	assert_int_equal(csys_process_open_id(NULL, &process), CSYS_EINVAL);
	assert_int_equal(csys_process_signal(NULL, 0), CSYS_EINVAL);
	assert_int_equal(csys_process_kill(NULL), CSYS_EINVAL);
	assert_int_equal(csys_process_wait(NULL), CSYS_EINVAL);
	assert_int_equal(csys_process_wait_until(NULL, CSYS_POLL), CSYS_EINVAL);
	assert_int_equal(csys_process_handle(NULL), CSYS_NO_HANDLE);
	csys_process_get_id(NULL, &id);
	assert_int_equal(id.pid, 0);
	csys_process_get_id(NULL, NULL);
	csys_process_close(NULL);
	csys_process_info_free(NULL);
}

/* ---- what it is ------------------------------------------------------------ */

static void this_process_is_known(void **state)
{
	(void)state;
	csys_process_info info;
	assert_int_equal(csys_process_snapshot(csys_process_self(), CSYS_PROCESS_ALL, &info), 0);
	assert_int_equal(info.id.pid, getpid());
	assert_int_equal(info.denied, 0);
	assert_int_equal(info.depth, 0);
	const uint32_t always = CSYS_PROCESS_PARENT | CSYS_PROCESS_STATE | CSYS_PROCESS_CPU |
				CSYS_PROCESS_USER | CSYS_PROCESS_CWD;
	assert_int_equal(info.valid & always, always);
	assert_int_equal(info.parent, getppid());
	assert_int_equal(info.group, getpgrp());
	assert_int_equal(info.session, getsid(0));
	assert_int_equal(info.state, CSYS_STATE_RUNNING);
	assert_int_equal(info.uid, getuid());
	assert_int_equal(info.effective_uid, geteuid());
	assert_int_equal(info.gid, getgid());
	assert_int_equal(info.effective_gid, getegid());
	char cwd[PATH_MAX];
	assert_string_equal(info.cwd, getcwd(cwd, sizeof cwd));
	if (has_table()) {
		assert_int_equal(info.valid, CSYS_PROCESS_ALL);
		assert_int_equal(info.threads, 1);
		assert_true(info.memory_resident > 0 &&
			    info.memory_virtual >= info.memory_resident);
		assert_true(info.memory_peak > 0);
		/* Valgrind and sanitizers have some of their own that nobody sees. */
		if (!under_valgrind())
			assert_int_equal(info.handles, open_handles());
	}
	csys_process_info_free(&info);
	assert_string_equal(info.name, "");
	assert_null(info.memory);
	csys_process_info_free(&info);
}

static void a_program_is_known_by_all_its_fields(void **state)
{
	(void)state;
	need_table();
	csys_command *command = helper_command("wait", "", "two words", "last", NULL);
	csys_command_cwd(command, "/usr");
	csys_command_arg0(command, "zero");
	csys_child *child = ready(command);
	csys_process_info info;
	assert_int_equal(csys_process_snapshot(csys_child_pid(child), CSYS_PROCESS_ALL, &info), 0);
	assert_int_equal(info.valid, CSYS_PROCESS_ALL);
	assert_int_equal(info.denied, 0);
	assert_string_equal(info.name, "helper");
	assert_int_equal(info.parent, getpid());
	assert_int_equal(info.group, getpgrp());
	assert_true(info.state == CSYS_STATE_SLEEPING || info.state == CSYS_STATE_RUNNING);
	assert_int_equal(info.threads, 1);
	static const char arguments[] = "zero\0wait\0\0two words\0last";
	assert_int_equal(info.command_size, sizeof arguments);
	assert_memory_equal(info.command, arguments, sizeof arguments);
	char program[PATH_MAX];
	assert_non_null(realpath(helper(), program));
	assert_string_equal(info.executable, program);
	assert_string_equal(info.cwd, "/usr");
	assert_int_equal(info.handles, 3);
	assert_int_equal(info.uid, getuid());
	assert_true(info.memory_resident > 0 && info.memory_peak > 0);
	assert_true(info.user_time >= 0 && info.system_time >= 0);
	csys_process_info_free(&info);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void only_what_is_asked_for_is_read(void **state)
{
	(void)state;
	need_table();
	csys_process_info info;
	assert_int_equal(csys_process_snapshot(getpid(), CSYS_PROCESS_CPU, &info), 0);
	assert_int_equal(info.valid, CSYS_PROCESS_BASIC);
	assert_int_equal(info.uid, -1);
	assert_int_equal(info.handles, -1);
	assert_string_equal(info.command, "");
	assert_int_equal(info.command_size, 0);
	assert_string_equal(info.executable, "");
	assert_string_equal(info.cwd, "");
	csys_process_info_free(&info);
	const uint32_t fields[] = { CSYS_PROCESS_COMMAND, CSYS_PROCESS_EXECUTABLE, CSYS_PROCESS_CWD,
				    CSYS_PROCESS_HANDLES };
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		assert_int_equal(csys_process_snapshot(getpid(), fields[i], &info), 0);
		assert_int_equal(info.valid, CSYS_PROCESS_BASIC | fields[i]);
		csys_process_info_free(&info);
	}
}

static void times_are_of_the_right_clocks(void **state)
{
	(void)state;
	need_table();
	csys_child *child = waiting();
	csys_process_info info, parent;
	struct timespec wall, boot;
	assert_int_equal(clock_gettime(CLOCK_REALTIME, &wall), 0);
	assert_int_equal(csys_process_snapshot(csys_child_pid(child), CSYS_PROCESS_START, &info),
			 0);
	assert_int_equal(csys_process_snapshot(getpid(), CSYS_PROCESS_START, &parent), 0);
	/* Just now: within a minute of the wall clock, after this process, in ticks. */
	int64_t now = (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec;
	assert_true(info.started < now + 1000000000 && info.started > now - 60000000000);
	assert_true(info.id.start >= parent.id.start);
#ifdef CLOCK_BOOTTIME
	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &boot), 0);
	int64_t up = (int64_t)boot.tv_sec * 1000000000 + boot.tv_nsec;
	assert_true(info.id.start <= up && info.id.start > up - 60000000000);
#else
	(void)boot;
#endif
	assert_int_equal(info.id.start % (1000000000 / sysconf(_SC_CLK_TCK)), 0);
	csys_process_info_free(&info);
	csys_process_info_free(&parent);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void cpu_time_is_what_the_process_used(void **state)
{
	(void)state;
	csys_process_info info;
	/* At least 30 ms of it, as the system itself counts. */
	struct rusage usage;
	do
		assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	while (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec == 0 &&
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec < 30000);
	assert_int_equal(csys_process_snapshot(getpid(), CSYS_PROCESS_CPU, &info), 0);
	int64_t used = (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
		       (int64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
	int64_t told = info.user_time + info.system_time;
	/* Whole ticks, each rounded down. */
	assert_true(told > used - 30000000 && told < used + 10000000000);
	csys_process_info_free(&info);
}

static void a_zombie_is_a_row_and_says_so(void **state)
{
	(void)state;
	csys_child *child = waiting();
	let_end(child);
	csys_process_info info;
	assert_int_equal(csys_process_snapshot(csys_child_pid(child), CSYS_PROCESS_ALL, &info), 0);
	assert_true(info.valid & CSYS_PROCESS_STATE);
	assert_int_equal(info.state, CSYS_STATE_ZOMBIE);
	assert_int_equal(info.parent, getpid());
	if (has_table()) {
		assert_string_equal(info.name, "helper");
		assert_int_equal(info.valid & (CSYS_PROCESS_EXECUTABLE | CSYS_PROCESS_CWD |
					       CSYS_PROCESS_PEAK),
				 0);
		assert_true(info.valid & CSYS_PROCESS_USER);
		assert_true(info.valid & CSYS_PROCESS_COMMAND);
		assert_int_equal(info.command_size, 0);
		/* How many handles an ended process has (none) only root may look at. */
		assert_int_equal(
			info.denied & ~(geteuid() == 0 ? 0u : (uint32_t)CSYS_PROCESS_HANDLES), 0);
		assert_int_equal(info.memory_resident, 0);
	}
	csys_process_info_free(&info);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void a_stopped_process_says_so(void **state)
{
	(void)state;
	need_table();
	csys_child *child = waiting();
	csys_process_info info;
	siginfo_t stopped;
	assert_int_equal(csys_child_signal(child, SIGSTOP), 0);
	assert_int_equal(waitid(P_PID, (id_t)csys_child_pid(child), &stopped, WSTOPPED), 0);
	assert_int_equal(csys_process_snapshot(csys_child_pid(child), CSYS_PROCESS_STATE, &info),
			 0);
	assert_int_equal(info.state, CSYS_STATE_STOPPED);
	csys_process_info_free(&info);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void a_name_may_hold_anything(void **state)
{
	(void)state;
	need_table();
	const char *const names[] = { "a) b (c",     ") R 1 1 1", "(",         ")))",
				      "line\nbreak", " ",         "Uid:\n\t7", "\xff\xfe" };
	char folder[PATH_MAX], program[PATH_MAX], path[PATH_MAX + 32];
	const char *where = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/csys-table-XXXXXX", where ? where : P_tmpdir);
	assert_non_null(mkdtemp(folder));
	assert_non_null(realpath(helper(), program));
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		assert_int_equal(symlink(program, path), 0);
		csys_command *command = csys_command_new(path);
		csys_command_arg(command, "wait");
		csys_child *child = ready(command);
		csys_process_info info;
		assert_int_equal(
			csys_process_snapshot(csys_child_pid(child), CSYS_PROCESS_ALL, &info), 0);
		assert_string_equal(info.name, names[i]);
		assert_int_equal(info.parent, getpid());
		assert_int_equal(info.uid, getuid());
		assert_true(info.memory_peak > 0);
		csys_process_info_free(&info);
		csys_child_close(child, CSYS_CLOSE_KILL);
		unlink(path);
	}
	rmdir(folder);
}

static void a_long_command_is_complete(void **state)
{
	(void)state;
	need_table();
	enum { LONG = 100000 };
	char *text = malloc(LONG + 1);
	assert_non_null(text);
	for (int i = 0; i < LONG; i++)
		text[i] = (char)('a' + i % 26);
	text[LONG] = '\0';
	csys_child *child = ready(helper_command("wait", text, text, "end", NULL));
	csys_process_info info;
	assert_int_equal(csys_process_snapshot(csys_child_pid(child), CSYS_PROCESS_ALL, &info), 0);
	const char *word = info.command + strlen(info.command) + 1;
	assert_string_equal(word, "wait");
	for (int i = 0; i < 2; i++) {
		word += strlen(word) + 1;
		assert_string_equal(word, text);
	}
	word += strlen(word) + 1;
	assert_string_equal(word, "end");
	assert_ptr_equal(word + 4, info.command + info.command_size);
	assert_string_equal(info.name, "helper");
	csys_process_info_free(&info);
	csys_child_close(child, CSYS_CLOSE_KILL);
	free(text);
}

static void *wait_for_the_end(void *is_over)
{
	csys_event_wait(is_over);
	return NULL;
}

static void a_thread_is_no_process(void **state)
{
	(void)state;
	need_table();
	if (!csys_can(CSYS_CAN_THREAD_ID))
		skip_because("threads have no numbers here");
	csys_event is_over = CSYS_EVENT_INIT_MANUAL;
	csys_thread *thread = NULL;
	csys_process_info info;
	csys_process *process;
	csys_process_id id;
	int64_t tid = 0;
	assert_int_equal(csys_thread_spawn(wait_for_the_end, &is_over, NULL, &thread), 0);
	assert_int_equal(csys_thread_os_id(thread, &tid), 0);
	assert_true(tid > 0 && tid != getpid());
	assert_int_equal(csys_process_snapshot(tid, CSYS_PROCESS_ALL, &info), CSYS_ESRCH);
	assert_int_equal(csys_process_identify(tid, &id), CSYS_ESRCH);
	assert_int_equal(csys_process_open(tid, &process), CSYS_ESRCH);
	assert_int_equal(csys_process_snapshot(getpid(), CSYS_PROCESS_THREADS, &info), 0);
	assert_true(info.threads >= 2); /* a sanitizer's too */
	csys_process_info_free(&info);

	csys_event_set(&is_over);
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(thread);
}

static void a_thread_of_the_kernel_has_no_program(void **state)
{
	(void)state;
	need_table();
	csys_process_info info;
	int r = csys_process_snapshot(2, CSYS_PROCESS_ALL, &info);
	if (r == CSYS_ESRCH || (r == 0 && strcmp(info.name, "kthreadd") != 0)) {
		if (r == 0)
			csys_process_info_free(&info);
		skip_because("the kernel's threads are not seen here");
	}
	assert_int_equal(r, 0);
	assert_int_equal(info.valid & (CSYS_PROCESS_EXECUTABLE | CSYS_PROCESS_PEAK), 0);
	assert_int_equal(info.command_size, 0);
	assert_int_equal(info.parent, 0);
	if (geteuid() == 0) {
		assert_int_equal(info.denied, 0);
		assert_int_equal(info.handles, 0);
	}
	csys_process_info_free(&info);
}

/* ---- as another user --------------------------------------------------------- */

static int64_t roots_pid;

static void become_nobody(void)
{
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setgid(65534) == 0);
	CHECK(setuid(65534) == 0);
}

static void look_as_nobody(void)
{
	csys_process_info info;
	csys_process *process;
	become_nobody();
	CHECK(csys_process_snapshot(roots_pid, CSYS_PROCESS_ALL, &info) == 0);
	CHECK(info.id.pid == roots_pid);
	CHECK((info.valid & info.denied) == 0);
	if (has_table()) {
		const uint32_t open_to_all = CSYS_PROCESS_BASIC | CSYS_PROCESS_USER |
					     CSYS_PROCESS_PEAK | CSYS_PROCESS_COMMAND;
		const uint32_t private_to_it = CSYS_PROCESS_EXECUTABLE | CSYS_PROCESS_CWD;
		CHECK((info.valid & open_to_all) == open_to_all);
		CHECK((info.denied & private_to_it) == private_to_it);
		/* The number of handles depends on the kernel. */
		CHECK((info.valid | info.denied) == CSYS_PROCESS_ALL);
		CHECK(info.uid == 0 && info.effective_gid == 0);
		CHECK(strcmp(info.name, "helper") == 0);
		CHECK(strcmp(info.executable, "") == 0 && strcmp(info.cwd, "") == 0);
	}
	csys_process_info_free(&info);

	/* Not allowed is not gone. */
	CHECK(csys_process_open(roots_pid, &process) == 0);
	CHECK(csys_process_signal(process, 0) == CSYS_EPERM);
	CHECK(csys_process_kill(process) == CSYS_EPERM);
	CHECK(csys_process_wait_until(process, CSYS_POLL) == CSYS_ETIMEDOUT);
	csys_process_close(process);
}

static void look_behind_hidepid(void)
{
	csys_process_info info;
	csys_process_id id;
	csys_process *process;
	csys_table *table;
	if (enter_table("hidepid=1") < 0)
		_exit(77); /* not even root may, here */
	become_nobody();
	CHECK(csys_process_snapshot(roots_pid, CSYS_PROCESS_ALL, &info) == 0);
	CHECK(info.id.pid == roots_pid && info.id.start == 0);
	CHECK((info.denied & ~(unsigned)CSYS_PROCESS_HANDLES) ==
	      (CSYS_PROCESS_ALL & ~CSYS_PROCESS_HANDLES));
	CHECK((info.valid & info.denied) == 0);
	csys_process_info_free(&info);
	CHECK(csys_process_identify(roots_pid, &id) == CSYS_EPERM);
	/* A pidfd needs no identity. */
	int r = csys_process_open(roots_pid, &process);
	CHECK(r == 0 || r == CSYS_EPERM);
	if (r == 0) {
		CHECK(csys_process_handle(process) != CSYS_NO_HANDLE);
		CHECK(csys_process_signal(process, 0) == CSYS_EPERM);
		CHECK(csys_process_wait_until(process, CSYS_POLL) == CSYS_ETIMEDOUT);
	}
	if (r == 0)
		csys_process_close(process);
	/* The others do not keep the scan from this one. */
	int seen = 0;
	CHECK(csys_table_open(CSYS_PROCESS_ALL, &table) == 0);
	while ((r = csys_table_next(table, &info)) > 0)
		seen += info.id.pid == roots_pid ? 1 : info.id.pid == getpid() ? 10 : 0;
	CHECK(r == 0 && seen == 11);
	csys_table_close(table);
	csys_process_list list;
	CHECK(csys_table_tree(0, CSYS_PROCESS_CWD, &list) == 0);
	CHECK(list.count >= 2);
	csys_process_list_free(&list);
}

static void a_row_may_be_denied_as_a_whole(void **state)
{
	(void)state;
	if (geteuid() != 0 || under_valgrind())
		skip_because("needs root, and a /proc that valgrind does not look into");
	csys_child *child = waiting();
	roots_pid = csys_child_pid(child);
	int r = result_in_child(look_behind_hidepid);
	csys_child_close(child, CSYS_CLOSE_KILL);
	if (r == 77)
		skip_because("no /proc of its own for this user");
	assert_int_equal(r, 0);
}

static void what_is_not_permitted_is_told_field_by_field(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("only root has what others may not see");
	csys_child *child = waiting();
	roots_pid = csys_child_pid(child);
	in_child(look_as_nobody);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

/* ---- signal it, wait for it ---------------------------------------------------- */

/* A child of a child: a stranger to this process, as far as waiting goes. */
static csys_child *with_stranger(int64_t *out_pid)
{
	char line[32];
	csys_command *command = helper_command("parent", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
	*out_pid = atoll(line);
	assert_true(*out_pid > 1);
	return child;
}

static void a_stranger_is_signalled_and_waited_for(void **state)
{
	(void)state;
	int64_t pid;
	csys_child *child = with_stranger(&pid);
	csys_process *process;
	csys_process_id id;
	assert_int_equal(csys_process_open(pid, &process), 0);
	csys_process_get_id(process, &id);
	assert_int_equal(id.pid, pid);
	assert_int_equal(csys_process_signal(process, 0), 0);
	assert_int_equal(csys_process_signal(process, 12345), CSYS_EINVAL);
	assert_int_equal(csys_process_wait_until(process, CSYS_POLL), CSYS_ETIMEDOUT);
	csys_deadline deadline = csys_after_ms(3);
	assert_int_equal(csys_process_wait_until(process, deadline), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));

	assert_int_equal(csys_process_signal(process, SIGTERM), 0);
	assert_int_equal(csys_process_wait_until(process, csys_after_s(60)), 0);
	assert_int_equal(csys_process_wait(process), 0);       /* and stays so */
	assert_int_equal(finished(child).how, CSYS_EXIT_CODE); /* its parent has reaped it */
	assert_int_equal(csys_process_signal(process, SIGTERM), CSYS_ESRCH);
	assert_int_equal(csys_process_signal(process, 0), CSYS_ESRCH);
	assert_int_equal(csys_process_kill(process), 0);
	assert_int_equal(csys_process_wait(process), 0);
	csys_process_close(process);
}

static void a_zombie_has_ended(void **state)
{
	(void)state;
	csys_child *child = waiting();
	csys_process *process;
	assert_int_equal(csys_process_open(csys_child_pid(child), &process), 0);
	assert_int_equal(csys_process_kill(process), 0);
	assert_int_equal(csys_process_wait(process), 0);
	assert_int_equal(csys_process_signal(process, SIGTERM), 0); /* takes it silently */
	assert_int_equal(csys_process_wait_until(process, CSYS_POLL), 0);
	csys_process *late;
	assert_int_equal(csys_process_open(csys_child_pid(child), &late), 0);
	assert_int_equal(csys_process_wait(late), 0);
	csys_process_close(late);
	assert_int_equal(finished(child).value, SIGKILL); /* left to its parent */
	assert_int_equal(csys_process_signal(process, SIGTERM), CSYS_ESRCH);
	csys_process_close(process);
}

static void a_reused_pid_is_another_process(void **state)
{
	(void)state;
	need_table();
	csys_child *child = waiting();
	csys_process_id id;
	csys_process *process = NULL;
	assert_int_equal(csys_process_identify(csys_child_pid(child), &id), 0);
	/* As if the one that was meant had started a tick earlier, or before the last boot. */
	csys_process_id before = id;
	before.start -= 10000000;
	assert_int_equal(csys_process_open_id(&before, &process), CSYS_ESRCH);
	before = id;
	before.boot[0] ^= 1;
	assert_int_equal(csys_process_open_id(&before, &process), CSYS_ESRCH);
	assert_null(process);
	assert_int_equal(csys_process_open_id(&id, &process), 0);
	assert_int_equal(csys_process_signal(process, SIGUSR1), 0);
	assert_int_equal(finished(child).value, SIGUSR1);
	assert_int_equal(csys_process_signal(process, SIGUSR1), CSYS_ESRCH);
	csys_process *again = NULL;
	assert_int_equal(csys_process_open_id(&id, &again), CSYS_ESRCH);
	csys_process_close(process);
}

static void its_handle_polls_readable_from_the_end_on(void **state)
{
	(void)state;
	csys_child *child = waiting();
	csys_process *process;
	assert_int_equal(csys_process_open(csys_child_pid(child), &process), 0);
	struct pollfd polled = { .fd = (int)csys_process_handle(process), .events = POLLIN };
	if (!csys_can(CSYS_CAN_PROCESS_HANDLE))
		assert_int_equal(polled.fd, CSYS_NO_HANDLE);
	if (polled.fd >= 0) {
		assert_true(polled.fd > 2);
		assert_int_equal(poll(&polled, 1, 0), 0);
		assert_int_equal(csys_process_kill(process), 0);
		assert_int_equal(poll(&polled, 1, 30000), 1);
	}
	csys_process_close(process);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void a_handle_of_a_process_becomes_one(void **state)
{
	(void)state;
	csys_child *child = waiting();
	csys_process *process = NULL, *second = NULL;
	csys_process_id id, other;
	csys_handle copy = CSYS_NO_HANDLE;
	struct ends pipe = opened_ends();
	assert_int_equal(csys_process_open(csys_child_pid(child), &process), 0);
	csys_process_get_id(process, &id);
	if (csys_process_handle(process) != CSYS_NO_HANDLE) {
		assert_int_equal(csys_handle_dup(csys_process_handle(process), &copy), 0);
		for (int nth = 1; nth <= 4; nth++) { /* what fails leaves the handle as it was */
			csysi_fault_arm(nth);
			int r = csys_process_open_handle_take(copy, &second);
			csysi_fault_arm(0);
			assert_true(r < 0 && !second);
			assert_true(csysi_os_is_open(copy));
		}
		assert_int_equal(csys_process_open_handle_take(pipe.reader, &second), CSYS_EBADF);
		assert_int_equal(csys_process_open_handle_take(copy, &second), 0);
		csys_process_get_id(second, &other);
		assert_true(csys_process_id_equal(&id, &other));
		assert_int_equal(csys_process_kill(second), 0);
		finished(child);
		csys_process_close(second);
		second = NULL;
		assert_int_equal(csys_handle_dup(csys_process_handle(process), &copy), 0);
		assert_int_equal(csys_process_open_handle_take(copy, &second), CSYS_ESRCH);
		assert_null(second);
		csys_handle_close(copy);
	} else {
		assert_true(csys_process_open_handle_take(pipe.reader, &second) < 0);
		csys_child_close(child, CSYS_CLOSE_KILL);
	}
	assert_int_equal(csys_process_open_handle_take(pipe.reader, NULL), CSYS_EINVAL);
	csys_process_close(process);
	close_ends(pipe);
}

static void *wait_too(void *process)
{
	return csys_process_wait(process) == 0 ? process : NULL;
}

static void several_threads_wait_for_one(void **state)
{
	(void)state;
	csys_child *child = waiting();
	csys_process *process;
	pthread_t waiters[3];
	assert_int_equal(csys_process_open(csys_child_pid(child), &process), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&waiters[i], NULL, wait_too, process), 0);
	assert_int_equal(csys_process_kill(process), 0);
	for (int i = 0; i < 3; i++) {
		void *waited;
		pthread_join(waiters[i], &waited);
		assert_ptr_equal(waited, process);
	}
	csys_process_close(process);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

/* ---- failures --------------------------------------------------------------------- */

static void a_snapshot_fails_without_a_trace(void **state)
{
	(void)state;
	csys_child *child = ready(helper_command("wait", NULL));
	int handles = open_handles();
	int failures = 0;
	for (int nth = 1;; nth++) {
		csys_process_info info = { .threads = 77 };
		csysi_fault_arm(nth);
		int r = csys_process_snapshot(csys_child_pid(child), CSYS_PROCESS_ALL, &info);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_int_equal(open_handles(), handles);
		if (r == 0)
			csys_process_info_free(&info);
		/* Without the boot's id, or by counting handles otherwise, it does as well. */
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
		if (r < 0) {
			assert_true(r == CSYS_ENOMEM || r == CSYS_EMFILE);
			assert_int_equal(info.threads, 77);
			failures++;
		}
	}
	assert_true(failures >= (has_table() ? 4 : 0));
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void opening_fails_without_a_trace(void **state)
{
	(void)state;
	csys_child *child = ready(helper_command("wait", NULL));
	int handles = open_handles();
	for (int nth = 1;; nth++) {
		csys_process *process = NULL;
		csysi_fault_arm(nth);
		int r = csys_process_open(csys_child_pid(child), &process);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (r == 0)
			csys_process_close(process);
		else
			assert_null(process);
		assert_int_equal(open_handles(), handles);
		if (!fired) {
			assert_int_equal(r, 0);
			assert_true(nth > 1);
			break;
		}
	}
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void without_a_source_nothing_is_supported(void **state)
{
	(void)state;
	csys_process_id id = { .pid = getpid() }; /* one that there is */
	csys_process_info info;
	csys_process *process;
	csys_table *table;
	assert_int_equal(csys_process_identify(getpid(), &id), CSYS_ENOTSUP);
	assert_int_equal(csys_process_snapshot(getpid(), CSYS_PROCESS_ALL, &info), CSYS_ENOTSUP);
	assert_int_equal(csys_process_open(getpid(), &process), CSYS_ENOTSUP);
	assert_int_equal(csys_process_open_id(&id, &process), CSYS_ENOTSUP);
	assert_int_equal(csys_table_open(0, &table), CSYS_ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest bare[] = { TEST(without_a_source_nothing_is_supported) };
	csys_process_id id;
	if (csys_process_identify(csys_process_self(), &id) == CSYS_ENOTSUP)
		return RUN(bare);

	const struct CMUnitTest tests[] = {
		TEST(a_process_stays_the_same_and_is_no_other),
		TEST(nobody_is_told),
		TEST(bad_arguments_are_told),
		TEST(this_process_is_known),
		TEST(a_program_is_known_by_all_its_fields),
		TEST(only_what_is_asked_for_is_read),
		TEST(times_are_of_the_right_clocks),
		TEST(cpu_time_is_what_the_process_used),
		TEST(a_zombie_is_a_row_and_says_so),
		TEST(a_stopped_process_says_so),
		TEST(a_name_may_hold_anything),
		TEST(a_long_command_is_complete),
		TEST(a_thread_is_no_process),
		TEST(a_thread_of_the_kernel_has_no_program),
		TEST(a_row_may_be_denied_as_a_whole),
		TEST(what_is_not_permitted_is_told_field_by_field),
		TEST(a_stranger_is_signalled_and_waited_for),
		TEST(a_zombie_has_ended),
		TEST(a_reused_pid_is_another_process),
		TEST(its_handle_polls_readable_from_the_end_on),
		TEST(a_handle_of_a_process_becomes_one),
		TEST(several_threads_wait_for_one),
		TEST(a_snapshot_fails_without_a_trace),
		TEST(opening_fails_without_a_trace),
	};
	return RUN(tests);
}
