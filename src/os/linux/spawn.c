/*
 * os/linux/spawn.c - starting a program at the same price in every parent.
 *
 *   parent                         child, in the parent's memory
 *   ------                         -----------------------------
 *   block every signal
 *   clone3 ----------------------> streams, directory, handles, signals
 *     |   (this thread stands      exec, or write the report and exit
 *     |    still meanwhile)            |
 *     v <------------------------------+
 *   restore the mask
 *   no report: it runs
 *
 * The child runs on a stack of its own, on the memory of the parent, so nothing
 * is copied and the report is a struct.  All signals are blocked until its
 * handlers are gone, so no handler runs in it.  CLONE_CLEAR_SIGHAND takes the
 * handlers away in one go but leaves ignored signals ignored; those are looked
 * up and reset one by one.
 *
 * Where clone3 is missing or refused (before Linux 5.5, in some sandboxes, under
 * valgrind and qemu) plain clone does it, with every signal reset by hand and
 * the report also through a pipe: some of these make a copy of the memory after
 * all, or do not make the parent wait.
 */
#define _GNU_SOURCE /* clone, syscall */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "base/memory.h"
#include "os/posix/birth.h"

/* Numbers younger than some headers; the same on every architecture since they came. */
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#define CLEAR_SIGHAND 0x100000000ull /* CLONE_CLEAR_SIGHAND */
#define CLOSE_ON_EXEC 4u             /* CLOSE_RANGE_CLOEXEC */

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#endif
#if defined(TSAN) || defined(__SANITIZE_THREAD__)
/* TSan puts its own clone in place of libc's, which takes the child for one with a memory
 * of its own.  This is libc's by its other name. */
int __clone(int (*entry)(void *), void *stack, int flags, void *argument, ...);
#define clone __clone
#endif

#define MOST_HANDLES (1 << 20) /* fs.nr_open as it comes */

/* be_born takes under 2 KiB, with nothing optimised; the dynamic linker up to 3 more if it
 * binds syscall at its first use. */
#define STACK_SIZE 8192

#ifdef __mips__
#define SIGNAL_SET_SIZE 16
#else
#define SIGNAL_SET_SIZE 8
#endif

/* ---- the child's side: raw calls, since libc's are made for whole processes ---- */

BIRTH static int checked(long r)
{
	return r < 0 ? -errno : (int)r;
}

BIRTH static int kernel_dup2(int from, int to)
{
	return checked(syscall(SYS_dup3, from, to, 0));
}

#ifdef SYS_fcntl64
#define FCNTL SYS_fcntl64
#else
#define FCNTL SYS_fcntl
#endif

BIRTH static int kernel_dup_above(int fd, int least)
{
	return checked(syscall(FCNTL, fd, F_DUPFD_CLOEXEC, least));
}

BIRTH static int kernel_mark(int fd, int close_on_exec)
{
	return checked(syscall(FCNTL, fd, F_SETFD, close_on_exec ? FD_CLOEXEC : 0));
}

BIRTH static int kernel_poll(struct pollfd *polled, unsigned count)
{
	/* The kernel's timespec, in either width, is zero. */
	long zero[4] = { 0, 0, 0, 0 };
	return checked(syscall(SYS_ppoll, polled, count, zero, NULL, SIGNAL_SET_SIZE));
}

BIRTH static int kernel_most_handles(int *out_soft)
{
	uint64_t limit[2]; /* soft and hard */
	long r = syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, limit);
	if (r < 0)
		return -errno;
	/* The hard limit: some may have been opened before the soft one was lowered. */
	*out_soft = limit[0] < MOST_HANDLES ? (int)limit[0] : MOST_HANDLES;
	return limit[1] < MOST_HANDLES ? (int)limit[1] : MOST_HANDLES;
}

/* As in getdents64(2). */
struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

/* Mark what the list of this process's descriptors has. */
BIRTH static int mark_listed(void)
{
	union {
		struct entry alignment;
		char bytes[512];
	} buffer;
	int list = checked(syscall(SYS_openat, AT_FDCWD, "/proc/self/fd",
				   O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
	if (list < 0)
		return -ENOSYS;

	int size;
	while ((size = checked(syscall(SYS_getdents64, list, buffer.bytes, sizeof buffer))) > 0) {
		for (int at = 0; at < size;) {
			struct entry *entry = (struct entry *)(void *)(buffer.bytes + at);
			int fd = 0;
			for (const char *c = entry->name; *c >= '0' && *c <= '9'; c++)
				fd = fd * 10 + (*c - '0');
			if (fd > 2) /* "." and ".." are 0 */
				kernel_mark(fd, 1);
			at += entry->size;
		}
	}
	syscall(SYS_close, list);
	return size < 0 ? -ENOSYS : 0;
}

BIRTH static int kernel_mark_all(void)
{
	/* With this flag Linux 5.11; older or refused: by the list. */
	int r = checked(syscall(SYS_close_range, 3u, ~0u, CLOSE_ON_EXEC));
	return r < 0 ? mark_listed() : 0;
}

BIRTH static int kernel_chdir(const char *directory)
{
	return checked(syscall(SYS_chdir, directory));
}

BIRTH static int kernel_new_session(void)
{
	return checked(syscall(SYS_setsid));
}

BIRTH static int kernel_join_group(int64_t group)
{
	return checked(syscall(SYS_setpgid, 0, (pid_t)group));
}

BIRTH static int kernel_control_terminal(int fd)
{
	return checked(syscall(SYS_ioctl, fd, TIOCSCTTY, 0));
}

BIRTH static int kernel_limit(int resource, const struct csysi_os_limit *limit)
{
	static const int resources[CSYSI_OS_LIMITS] = {
		[CSYSI_OS_LIMIT_CORE] = RLIMIT_CORE,
		[CSYSI_OS_LIMIT_CPU] = RLIMIT_CPU,
		[CSYSI_OS_LIMIT_DATA] = RLIMIT_DATA,
		[CSYSI_OS_LIMIT_FILE_SIZE] = RLIMIT_FSIZE,
		[CSYSI_OS_LIMIT_HANDLES] = RLIMIT_NOFILE,
		[CSYSI_OS_LIMIT_STACK] = RLIMIT_STACK,
		[CSYSI_OS_LIMIT_MEMORY] = RLIMIT_AS,
		[CSYSI_OS_LIMIT_PROCESSES] = RLIMIT_NPROC,
		[CSYSI_OS_LIMIT_LOCKED_MEMORY] = RLIMIT_MEMLOCK,
	};
	uint64_t both[2] = { limit->soft, limit->hard }; /* all ones: none */
	return checked(syscall(SYS_prlimit64, 0, resources[resource], both, NULL));
}

BIRTH static int kernel_nice(int value)
{
	return checked(syscall(SYS_setpriority, PRIO_PROCESS, 0, value));
}

BIRTH static int kernel_schedule(int policy, int priority)
{
	static const int policies[] = {
		[CSYSI_OS_SCHEDULING_OTHER] = SCHED_OTHER,
		[CSYSI_OS_SCHEDULING_BATCH] = SCHED_BATCH,
		[CSYSI_OS_SCHEDULING_IDLE] = SCHED_IDLE,
		[CSYSI_OS_SCHEDULING_FIFO] = SCHED_FIFO,
		[CSYSI_OS_SCHEDULING_ROUND_ROBIN] = SCHED_RR,
	};
	return checked(syscall(SYS_sched_setscheduler, 0, policies[policy], &priority));
}

BIRTH static int kernel_bind(const unsigned char *cpus, size_t size)
{
	return checked(syscall(SYS_sched_setaffinity, 0, size, cpus));
}

BIRTH static void kernel_umask(unsigned mask)
{
	syscall(SYS_umask, mask);
}

BIRTH static int kernel_chroot(const char *directory)
{
	return checked(syscall(SYS_chroot, directory));
}

/* The calls with 32 bits of id, where there are narrower ones. */
#ifdef SYS_setresuid32
#define SETGROUPS SYS_setgroups32
#define SETRESGID SYS_setresgid32
#define SETRESUID SYS_setresuid32
#else
#define SETGROUPS SYS_setgroups
#define SETRESGID SYS_setresgid
#define SETRESUID SYS_setresuid
#endif

BIRTH static int kernel_set_groups(const uint32_t *groups, size_t count)
{
	return checked(syscall(SETGROUPS, count, groups));
}

/* All three ids, so that there is no way back.  The raw calls change this process alone;
 * libc's would send a signal to every thread of the parent. */
BIRTH static int kernel_set_group(uint32_t group)
{
	return checked(syscall(SETRESGID, group, group, group));
}

BIRTH static int kernel_set_user(uint32_t user)
{
	return checked(syscall(SETRESUID, user, user, user));
}

BIRTH static int kernel_no_new_privileges(void)
{
	return checked(syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L));
}

BIRTH static int kernel_die_with_parent(int signal)
{
	return checked(syscall(SYS_prctl, PR_SET_PDEATHSIG, (long)signal, 0L, 0L, 0L));
}

BIRTH static int64_t kernel_parent(void)
{
	return syscall(SYS_getppid);
}

/* Room for the kernel's struct sigaction, whatever its layout. */
#define ACTION_WORDS 8
#ifdef __mips__
#define ACTION_HANDLER 1
#else
#define ACTION_HANDLER 0
#endif

BIRTH static void kernel_dispose(uint64_t signals, int ignore)
{
	/* No flags, no mask; SIG_DFL is 0 and SIG_IGN 1. */
	unsigned long action[ACTION_WORDS] = { 0, 0, 0, 0, 0, 0, 0, 0 };
	action[ACTION_HANDLER] = ignore ? 1 : 0;

	for (int i = 1; i <= 64; i++)
		if ((signals >> (i - 1) & 1) && i != SIGKILL && i != SIGSTOP)
			syscall(SYS_rt_sigaction, i, action, NULL, SIGNAL_SET_SIZE);
}

BIRTH static void kernel_drop_handlers(void)
{
	unsigned long action[ACTION_WORDS];

	for (int i = 1; i <= 64; i++)
		if (syscall(SYS_rt_sigaction, i, NULL, action, SIGNAL_SET_SIZE) == 0 &&
		    action[ACTION_HANDLER] > 1)
			kernel_dispose((uint64_t)1 << (i - 1), 0);
}

BIRTH static void kernel_block(uint64_t signals)
{
	uint64_t set[2] = { signals, 0 };
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ && __SIZEOF_LONG__ == 4
	set[0] = signals << 32 | signals >> 32; /* the kernel's set is of longs */
#endif
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, set, NULL, SIGNAL_SET_SIZE);
}

BIRTH static int kernel_execve(const char *file, char *const *argv, char *const *envp)
{
	return checked(syscall(SYS_execve, file, argv, envp));
}

/* The new process starts here, on its own stack, and does not return. */
BIRTH static int newborn(void *argument)
{
	struct birth *birth = argument;

	be_born(birth);
	if (birth->pipe >= 0)
		syscall(SYS_write, birth->pipe, &birth->report, sizeof birth->report);
	syscall(SYS_exit_group, 127);
	return 127; /* not reached */
}

/* ---- the parent's side -------------------------------------------------------------- */

/* clone3's first version, 64 bytes; the kernel takes it for ever. */
struct clone_request {
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack;
	uint64_t stack_size;
	uint64_t tls;
};

/*
 * clone3 with the child going to newborn(argument).  There is no wrapper in
 * libc, and after the call the child is on another stack, where the frame of
 * any function written in C is not; so the jump is part of the call.  Returns
 * the pid or -errno.
 */
#if defined(__x86_64__) && !defined(__ILP32__)
static long clone3(struct clone_request *request, void *argument)
{
	long r;
	register int (*entry)(void *) __asm__("r8") = newborn;
	register void *given __asm__("r9") = argument;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r9, %%rdi\n\t"
			 "call *%%r8\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(r)
			 : "0"((long)SYS_clone3), "D"(request), "S"(sizeof *request), "r"(entry),
			   "r"(given)
			 : "rcx", "r11", "cc", "memory");
	return r;
}
#elif defined(__i386__)
static long clone3(struct clone_request *request, void *argument)
{
	long r;

	__asm__ volatile("int $0x80\n\t"
			 "test %%eax, %%eax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "sub $12, %%esp\n\t"
			 "push %%edi\n\t"
			 "call *%%esi\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(r)
			 : "0"(SYS_clone3), "b"(request), "c"(sizeof *request), "S"(newborn),
			   "D"(argument)
			 : "cc", "memory");
	return r;
}
#elif defined(__aarch64__)
static long clone3(struct clone_request *request, void *argument)
{
	register long number __asm__("x8") = SYS_clone3;
	register long r __asm__("x0") = (long)request;
	register unsigned long size __asm__("x1") = sizeof *request;
	register int (*entry)(void *) __asm__("x9") = newborn;
	register void *given __asm__("x10") = argument;

	__asm__ volatile("svc 0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x10\n\t"
			 "blr x9\n\t"
			 "brk 0\n"
			 "1:"
			 : "+r"(r)
			 : "r"(number), "r"(size), "r"(entry), "r"(given)
			 : "cc", "memory");
	return r;
}
#else
/* Plain clone, which libc wraps on every architecture, does without. */
static long clone3(struct clone_request *request, void *argument)
{
	(void)request;
	(void)argument;
	return -ENOSYS;
}
#endif

/*
 * Which signals this process ignores, bit n - 1 for signal n.  There is no call
 * that tells but one for each signal, so read it; all, if it cannot be read.
 */
static uint64_t ignored_signals(void)
{
	char text[4096];
	/* Raw calls: none is a cancellation point. */
	int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/thread-self/status",
			      O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return UINT64_MAX;
	long size = syscall(SYS_read, fd, text, sizeof text - 1);
	syscall(SYS_close, fd);

	text[size > 0 ? size : 0] = '\0';
	const char *line = strstr(text, "\nSigIgn:");
	if (!line)
		return UINT64_MAX;
	char *end;
	uint64_t ignored = strtoull(line + strlen("\nSigIgn:"), &end, 16);
	return *end == '\n' ? ignored : UINT64_MAX; /* or cut off: a process of many groups */
}

/* Set for good by the first refusal.  Relaxed: it guards no data, and a second
 * refusal is as good. */
static int no_clone3;

/* Make the process.  Returns its pid or -errno; *pidfd stays -1 if there is none. */
static long make_process(struct birth *birth, int *pidfd)
{
	/* On this stack, so that it costs nothing: this frame stands until the child is
	 * off it. */
	_Alignas(16) char stack[STACK_SIZE];
	const uint64_t flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD;

	if (birth->command->options->hook_count > 0) {
		/* The hooks are the caller's code and may do what a forked child may. */
		pid_t forked = fork();
		if (forked == 0)
			newborn(birth);
		return forked < 0 ? -errno : forked;
	}
	if (birth->pipe < 0) {
		struct clone_request request = {
			.flags = flags | CLEAR_SIGHAND,
			.pidfd = (uint64_t)(uintptr_t)pidfd,
			.exit_signal = SIGCHLD,
			.stack = (uint64_t)(uintptr_t)stack,
			.stack_size = sizeof stack,
		};
		return clone3(&request, birth);
	}

	/* EINVAL: CLONE_PIDFD is newer than this kernel, or unknown to an emulator. */
	long pid = clone(newborn, stack + sizeof stack, (int)flags | SIGCHLD, birth, pidfd);
	if (pid < 0 && errno == EINVAL)
		pid = clone(newborn, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, birth);
	return pid < 0 ? -errno : pid;
}

/* Whether the pid is that of a child of ours, and so its own. */
static int is_ours(pid_t pid)
{
	siginfo_t info;
	return syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT, NULL) == 0;
}

/* The pidfd above 2, for a child that was born without too. */
static int settle_pidfd(pid_t pid, int pidfd)
{
	if (pidfd < 0) {
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		/* Where SIGCHLD is ignored it may be gone by now, and this a stranger's. */
		if (pidfd >= 0 && !is_ours(pid)) {
			syscall(SYS_close, pidfd);
			return -1;
		}
	}
	return pidfd < 0 || pidfd > 2 ? pidfd : csysi_posix_above_2(pidfd);
}

/* The mask that the program starts with. */
static uint64_t blocked_there(const struct csysi_os_options *options, uint64_t here)
{
	return options->set_mask ? options->blocked : options->inherit_signals ? here : 0;
}

/*
 * One attempt, with every signal blocked around it.  With a pipe, by clone.
 * Returns 0 with the child in *out, which may have failed: see the report.
 */
static int give_birth(struct birth *birth, struct csysi_os_child *out)
{
	const struct csysi_os_options *options = birth->command->options;
	uint64_t all[2] = { UINT64_MAX, UINT64_MAX };
	uint64_t before[2] = { 0, 0 };
	int pidfd = -1;

	/* A change of user in the child forbids dumping its memory, which is ours. */
	int dumpable = options->set_user || options->set_primary_group ? prctl(PR_GET_DUMPABLE) : 0;

	/* The raw call: libc's leaves out the signals that it uses itself. */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, all, before, SIGNAL_SET_SIZE);
	birth->blocked = blocked_there(options, before[0]);
	long pid = make_process(birth, &pidfd);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, before, NULL, SIGNAL_SET_SIZE);
	if (dumpable == 1)
		prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L);

	if (pid < 0)
		return (int)pid;
	out->pid = pid;
	out->handle = settle_pidfd((pid_t)pid, pidfd);
	return 0;
}

/* CSYS_ENOTSUP, which no real failure is, if clone3 is missing or refused. */
static int by_clone3(struct birth *birth, struct csysi_os_child *out)
{
	const struct csysi_os_options *options = birth->command->options;
	if (csysi_load_relaxed(&no_clone3) || options->hook_count > 0)
		return CSYS_ENOTSUP;

	birth->pipe = -1;
	birth->handlers = 0; /* CLEAR_SIGHAND */
	birth->reset = options->inherit_signals ? options->standard : ignored_signals();
	int r = give_birth(birth, out);
	if (r == 0)
		return 0;
	if (r == -ENOSYS || r == -EPERM || r == -EINVAL) {
		csysi_store_relaxed(&no_clone3, 1);
		return CSYS_ENOTSUP;
	}
	errno = -r;
	return csysi_posix_fail();
}

static int by_clone(struct birth *birth, struct csysi_os_child *out)
{
	csys_handle reader, writer;
	int r = csysi_os_pipe(&reader, &writer);
	if (r < 0)
		return r;

	const struct csysi_os_options *options = birth->command->options;
	birth->pipe = (int)writer;
	birth->handlers = options->inherit_signals;
	birth->reset = options->inherit_signals ? options->standard : UINT64_MAX;
	r = give_birth(birth, out);
	csysi_os_close(writer);
	if (r == 0) {
		/* Its mark says that memory is shared and the report is there: the pipe, which
		 * a process forked by somebody else may hold open, is not needed. */
		if (!birth->report.born)
			csysi_posix_read_report((int)reader, &birth->report);
	} else {
		errno = -r;
		r = csysi_posix_fail();
	}
	csysi_os_close(reader);
	return r;
}

int csysi_os_spawn(const struct csysi_os_command *command, struct csysi_os_child *out,
		   enum csysi_os_step *out_step)
{
	struct csysi_posix_program program;

	*out_step = CSYSI_OS_STEP_PREPARE;
	int r = csysi_posix_program_find(command, &program);
	if (r < 0)
		return r;
	int *sources = csysi_alloc((command->map_count + 1) * sizeof *sources);
	if (!sources) {
		csysi_posix_program_free(&program);
		return CSYS_ENOMEM;
	}

	struct birth birth = {
		.command = command,
		.program = &program,
		.sources = sources,
		.parent = command->options->death_signal ? getpid() : 0, /* a system call */
	};
	struct csysi_os_child child;
	*out_step = CSYSI_OS_STEP_FORK;
	r = csysi_fault(CSYS_EAGAIN);
	if (r == 0)
		r = by_clone3(&birth, &child);
	if (r == CSYS_ENOTSUP)
		r = by_clone(&birth, &child);
	if (r == 0 && birth.report.error != 0)
		r = csysi_posix_stillborn(&child, &birth.report, &program, command, out_step);
	else if (r == 0)
		*out = child;
	csysi_free(sources);
	csysi_posix_program_free(&program);
	return r;
}

int csysi_os_exec(const struct csysi_os_command *command, enum csysi_os_step *out_step)
{
	const struct csysi_os_options *options = command->options;
	struct csysi_posix_program program;

	*out_step = CSYSI_OS_STEP_PREPARE;
	int r = csysi_posix_program_find(command, &program);
	if (r < 0)
		return r;
	int *sources = csysi_alloc((command->map_count + 1) * sizeof *sources);
	r = CSYS_ENOMEM;
	if (sources) {
		uint64_t here[2] = { 0, 0 };
		syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, here, SIGNAL_SET_SIZE);
		struct birth birth = {
			.command = command,
			.program = &program,
			.sources = sources,
			.parent = getppid(),
			.reset = options->inherit_signals ? options->standard : UINT64_MAX,
			.blocked = blocked_there(options, here[0]),
		};
		be_born(&birth);
		r = csysi_posix_failed(&birth.report, &program, command, out_step);
	}
	csysi_free(sources);
	csysi_posix_program_free(&program);
	return r;
}
