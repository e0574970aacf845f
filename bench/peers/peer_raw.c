/*
 * bench/peers/peer_raw.c - the floor: the fewest system calls that do it right.
 *
 * A child that borrows this process's memory and runs on a stack of its own
 * until it executes, with all signals blocked meanwhile, so that no handler of
 * this process can run in it; held by a pidfd.  No choice, no check, no error
 * report: what csys pays above this is the price of its interface.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sched.h>

#include "bench.h"
#include "peer.h"

#if !defined(SYS_clone3) || !defined(CLONE_CLEAR_SIGHAND) || !defined(CLONE_PIDFD)
#error "these system headers are older than clone3"
#endif

struct task {
	char *argv[2];
	char *const *environment;
	const struct settings *settings; /* or NULL */
	pid_t parent;
	sigset_t mask; /* to be restored by both */
	int error;     /* errno of the exec, set by the child */
};

/* No instrumented code may run in the child: it would take its stack for a stray one. */
#if defined(__GNUC__)
__attribute__((no_sanitize("address", "thread", "undefined")))
#endif
static void
child_main(struct task *task)
{
	if (task->settings && settings_apply(task->settings, task->parent) < 0) {
		task->error = errno;
		_exit(127);
	}
	if (!task->settings || !task->settings->every)
		sigprocmask(SIG_SETMASK, &task->mask, NULL);
	execve(task->argv[0], task->argv, task->environment);
	task->error = errno;
	_exit(127);
}

/*
 * clone3, where the child calls child_main(task) on the stack in `args`.  In
 * assembler, because the child cannot return into this frame: its stack is
 * empty.  All registers but the result are the child's as they were here.
 */
static long clone_on_stack(struct clone_args *args, struct task *task)
{
#if defined(__x86_64__) && defined(__LP64__)
	long result = SYS_clone3;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %[task], %%rdi\n\t"
			 "call *%[main]\n\t"
			 "hlt\n"
			 "1:"
			 : "+a"(result)
			 : "D"(args), "S"(sizeof *args), [task] "r"(task), [main] "r"(child_main)
			 : "rcx", "r11", "memory", "cc");
	return result;
#elif defined(__i386__)
	long result = SYS_clone3;
	__asm__ volatile("int $0x80\n\t"
			 "test %%eax, %%eax\n\t"
			 "jnz 1f\n\t"
			 "sub $12, %%esp\n\t"
			 "push %[task]\n\t"
			 "call *%[main]\n\t"
			 "hlt\n"
			 "1:"
			 : "+a"(result)
			 : "b"(args), "c"(sizeof *args), [task] "S"(task), [main] "D"(child_main)
			 : "memory", "cc");
	return result;
#elif defined(__aarch64__)
	register long number __asm__("x8") = SYS_clone3;
	register void *result __asm__("x0") = args;
	register size_t size __asm__("x1") = sizeof *args;
	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, %[task]\n\t"
			 "blr %[main]\n\t"
			 "brk #1\n"
			 "1:"
			 : "+r"(result)
			 : "r"(number), "r"(size), [task] "r"(task), [main] "r"(child_main)
			 : "memory", "cc");
	return (long)result;
#else
#error "nobody has written this for this processor"
#endif
}

static int spawn_wait_with(const char *path, const struct settings *settings, int64_t *out_started)
{
	char stack[16384] __attribute__((aligned(16)));
	char own_path[4096];

	int handle = -1;
	struct task task = {
		.argv = { own_path, NULL },
		.environment = settings ? (char *const *)(uintptr_t)settings->environment : environ,
		.settings = settings,
		.parent = settings ? getpid() : 0,
	};
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_CLEAR_SIGHAND | CLONE_PIDFD,
		.pidfd = (uintptr_t)&handle,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)stack,
		.stack_size = sizeof stack,
	};
	if (strlen(path) >= sizeof own_path)
		return -1;
	strcpy(own_path, path);

	sigset_t every;
	sigfillset(&every);
	sigprocmask(SIG_SETMASK, &every, &task.mask);
	long pid = clone_on_stack(&args, &task);
	sigprocmask(SIG_SETMASK, &task.mask, NULL);
	*out_started = bench_now();
	if (pid < 0)
		return -1;

	siginfo_t info;
	int r = waitid((idtype_t)3 /* P_PIDFD */, (id_t)handle, &info, WEXITED);
	close(handle);
	return r == 0 && task.error == 0 && info.si_code == CLD_EXITED ? info.si_status : -1;
}

static int spawn_wait(const char *path, int64_t *out_started)
{
	return spawn_wait_with(path, NULL, out_started);
}

const struct peer peer_raw = {
	.name = "raw",
	.spawn_wait = spawn_wait,
	.threads = 1,
	.spawn_wait_with = spawn_wait_with,
};
