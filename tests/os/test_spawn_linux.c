/*
 * os/test_spawn_linux.c - exam: what a spawn asks of the kernel, and what not.
 */
#define _DEFAULT_SOURCE /* syscall */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/support.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* A process that goes through all numbers asks ppoll for them, and is killed for it. */
static void spawn_where_ppoll_kills(void)
{
	struct sock_filter lines[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ppoll, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof lines / sizeof lines[0], lines };
	struct rlimit limit;
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(77);

	csys_exit end;
	csys_command *command = helper_command("exit", "9", NULL);
	CHECK(csys_command_run(command, &end) == 0);
	CHECK(end.how == CSYS_EXIT_CODE && end.value == 9);
	csys_command_free(command);
}

static void no_spawn_goes_through_all_numbers(void **state)
{
	(void)state;
	/* Neither a range nor a list of them: there is no other way. */
	if (syscall(SYS_close_range, ~0u, ~0u, 4u) < 0 && access("/proc/self/fd", R_OK) < 0)
		skip_because("there is neither close_range nor /proc/self/fd");
	int r = result_in_child(spawn_where_ppoll_kills);
	if (r == 77)
		skip_because("seccomp is refused");
	assert_int_equal(r, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_spawn_goes_through_all_numbers),
	};
	return RUN(tests);
}
