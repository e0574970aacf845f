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
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/linux/linux.h"
#include "os/posix/birth.h"

/* Numbers younger than some headers; the same on every architecture since they came. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#define CLEAR_SIGHAND 0x100000000ull /* CLONE_CLEAR_SIGHAND */
#define INTO_CGROUP 0x200000000ull   /* CLONE_INTO_CGROUP */

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

/* csysi_posix_be_born takes under 2 KiB, with nothing optimised; the dynamic linker up to 3 more if
 * it binds syscall at its first use. */
#define STACK_SIZE 8192

/* The new process starts here, on its own stack, and does not return. */
BIRTH static int newborn(void *argument)
{
	struct birth *birth = argument;

	csysi_posix_be_born(birth);
	if (birth->pipe >= 0)
		syscall(SYS_write, birth->pipe, &birth->report, sizeof birth->report);
	syscall(SYS_exit_group, 127);
	return 127; /* not reached */
}

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
		size_t size = CLONE_REQUEST_SIZE;
		if (birth->is_inside) {
			request.flags |= INTO_CGROUP;
			request.cgroup = (uint64_t)birth->command->container;
			size = sizeof request;
		}
		return csysi_linux_clone3(&request, size, newborn, birth);
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

/*
 * One attempt, with every signal blocked around it.  With a pipe, by clone.
 * Returns 0 with the child in *out, which may have failed: see the report.
 */
static int attempt(struct birth *birth, struct csysi_os_child *out)
{
	const struct csysi_os_options *options = birth->command->options;
	uint64_t all[2] = { UINT64_MAX, UINT64_MAX };
	uint64_t before[2] = { 0, 0 };
	int pidfd = -1;

	/* A change of user in the child forbids dumping its memory, which is ours. */
	int dumpable = options->set_user || options->set_primary_group ? prctl(PR_GET_DUMPABLE) : 0;

	/* The raw call: libc's leaves out the signals that it uses itself. */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, all, before, SIGNAL_SET_SIZE);
	birth->blocked = options->set_mask          ? options->blocked
			 : options->inherit_signals ? before[0]
						    : 0;
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
	birth->is_inside = birth->command->bond == CSYSI_OS_BOND_CONTAINER;
	int r = attempt(birth, out);
	if (r < 0 && birth->is_inside && r != -EAGAIN && r != -ENOMEM) {
		/* Linux 5.7, and refused in some cgroups; else the child enters it. */
		birth->is_inside = 0;
		r = attempt(birth, out);
	}
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
	birth->is_inside = 0;
	birth->pipe = (int)writer;
	birth->handlers = options->inherit_signals;
	birth->reset = options->inherit_signals ? options->standard : UINT64_MAX;
	r = attempt(birth, out);
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

int csysi_posix_give_birth(struct birth *birth, struct csysi_os_child *out)
{
	int r = by_clone3(birth, out);
	return r == CSYS_ENOTSUP ? by_clone(birth, out) : r;
}
