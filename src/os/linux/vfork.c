/*
 * os/linux/vfork.c - making the process of a child, in the memory of the parent if possible.
 *
 * The child shares the memory, if it keeps the user of the parent and runs only code of csys:
 *
 *   parent                         child, in the parent's memory
 *   ------                         -----------------------------
 *   block every signal
 *   clone3 ----------------------> streams, directory, handles, signals
 *     |   (this thread is          exec, or write the report and exit
 *     |    suspended)                  |
 *     v <------------------------------+
 *   restore the mask
 *   no failure in the report: it runs
 *
 * The child has a stack of its own.  Nothing is copied, and the report is a struct.  All signals
 * are blocked until the handlers are reset, so no handler runs in the child.
 * CLONE_CLEAR_SIGHAND resets all handlers in one call but leaves ignored signals ignored; these
 * are looked up and reset one by one.
 *
 * If clone3 is missing or refused (before Linux 5.5, in some sandboxes, under valgrind and qemu)
 * clone is used.  Then each signal is reset by a call, and the report comes also through a
 * pipe, since some of these systems copy the memory, or do not suspend the parent.
 *
 * The child has a copy of the memory, if it changes user, group or groups, or has a hook:
 *
 *   parent                         child, in a copy
 *   ------                         ----------------
 *   map a shared page
 *   block every signal
 *   clone3 or fork --------------> register the page's word as a robust futex
 *   restore the mask               streams, directory, handles, user, signals, hook
 *   sleep on the word, until       exec, or write the report into the page and exit
 *   the deadline                       |
 *     v <--- the kernel marks the word and wakes the parent
 *
 * Invariant: a process of another user than that of the caller never shares its memory.  The
 * new user could write into shared memory, by ptrace or /proc/PID/mem.  And by stopping the
 * child it could suspend the parent without limit.
 *
 * When a process leaves its memory, by exec or at its end, the kernel walks its list of robust
 * futexes: a word with the id of the process gets FUTEX_OWNER_DIED, and a thread that sleeps on
 * it is woken.  So the parent learns of the exec at once, can wait with a deadline, and needs no
 * descriptor, which a map could overwrite, a hook could close, and a process that other code
 * forks could keep open.  Only a child that is killed before it has registered is not noticed;
 * the parent checks for that now and then.  If the kernel does not have such a list (qemu), or
 * refuses it, the report comes through a pipe.
 *
 * States of the word:
 *
 *   0 ----> id of the child, FUTEX_WAITERS ----> the same with FUTEX_OWNER_DIED
 *   |
 *   +-----> REFUSED: the child could not register, did nothing else, and has ended
 */
#define _GNU_SOURCE /* clone, syscall */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/backoff.h"
#include "base/fault.h"
#include "os/linux/child_report.h"
#include "os/linux/linux.h"
#include "os/posix/spawn.h"

/* Newer than some headers; the same numbers on every architecture. */
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
/* TSan replaces clone by its own, which expects a child with memory of its own.  This is another
 * name for that of libc. */
int __clone(int (*entry)(void *), void *stack, int flags, void *argument, ...);
#define clone __clone
#endif

/* csysi_posix_exec_child uses less than 2.5 KiB, also without optimisation; the dynamic linker up
 * to 3 more if it binds `syscall` at its first use. */
#define STACK_SIZE 8192

/* ---- the page that a copied child shares with its parent --------------------------- */

/* How long to sleep before checking whether the child still exists, ns. */
#define FIRST_LOOK 10000000
#define LAST_LOOK 100000000

static struct page *map_page(void)
{
	if (csysi_fault(CSYS_ENOMEM) < 0)
		return NULL;
	/* Populated, since a page fault costs as much as the rest of the mapping. */
	void *page = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	return page == MAP_FAILED ? NULL : page;
}

/* Wait until the child has left its memory. */
static int await_page(const struct page *page, pid_t pid, csys_deadline deadline)
{
	struct csysi_backoff backoff = { FIRST_LOOK, LAST_LOOK };

	for (;;) {
		/* Acquire pairs with the release in watch, and with that of the kernel: then the
		 * report is the last one. */
		uint32_t seen = csysi_load_acquire(&page->word);
		if (seen == REFUSED || (seen & FUTEX_OWNER_DIED))
			return 0;
		csys_deadline look = csys_after_ns(csysi_backoff_next(&backoff, deadline));
		int r = csysi_os_wait(&page->word, seen, look, 1);
		if (r == 0 || csysi_load_acquire(&page->word) != seen)
			continue;
		if (csysi_posix_has_ended(pid))
			return 0;
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
	}
}

/* ---- the child ---------------------------------------------------------------------- */

/* The new process starts here, on its own stack, and does not return. */
IN_CHILD static int child_main(void *argument)
{
	struct spawn *spawn = argument;
	struct page *page = csysi_linux_page_of(spawn);

	if (!page || csysi_linux_watch(page) == 0)
		csysi_posix_exec_child(spawn);
	syscall(SYS_exit_group, 127);
	return 127; /* not reached */
}

/* ---- the parent ----------------------------------------------------------------------- */

/*
 * Which signals this process ignores, bit n - 1 for signal n; all, if the file cannot be read.
 * System calls can tell that only for one signal at a time.
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
	return *end == '\n' ? ignored : UINT64_MAX; /* cut off, if the process has many groups */
}

/* Set by the first refusal, and never cleared.  Relaxed: they guard no data; a thread that reads 0
 * meets the refusal itself. */
static int no_clone3;
static int no_robust_list;

static long call_clone3(struct spawn *spawn, char *stack, size_t size, uint64_t flags, int *pidfd)
{
	struct clone_request request = {
		.flags = flags | CLONE_PIDFD | CLEAR_SIGHAND,
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uint64_t)(uintptr_t)stack,
		.stack_size = size,
	};
	size_t request_size = CLONE_REQUEST_SIZE;

	if (spawn->is_inside) {
		request.flags |= INTO_CGROUP;
		request.cgroup = (uint64_t)spawn->command->container;
		request_size = sizeof request;
	}
	return csysi_linux_clone3(&request, request_size, child_main, spawn);
}

static long call_clone(struct spawn *spawn, char *stack, size_t size, int flags, int *pidfd)
{
	/* EINVAL: this kernel or emulator does not know CLONE_PIDFD. */
	long pid = clone(child_main, stack + size, flags | CLONE_PIDFD | SIGCHLD, spawn, pidfd);
	if (pid < 0 && errno == EINVAL)
		pid = clone(child_main, stack + size, flags | SIGCHLD, spawn);
	return pid < 0 ? -errno : pid;
}

/* Make the process.  Returns its pid or -errno; *pidfd stays -1 if there is none. */
static long make_process(struct spawn *spawn, int by_clone3, int *pidfd)
{
	/* Part of this frame, so that it costs nothing.  This function returns only after the
	 * child has left the memory, or has a copy of it. */
	_Alignas(16) char stack[STACK_SIZE];
	const uint64_t flags = spawn->is_copy ? 0 : CLONE_VM | CLONE_VFORK;

	if (by_clone3)
		return call_clone3(spawn, stack, sizeof stack, flags, pidfd);
	if (!spawn->is_copy)
		return call_clone(spawn, stack, sizeof stack, (int)flags, pidfd);
	/* That of libc, since a hook may call what a forked child may. */
	pid_t forked = fork();
	if (forked == 0)
		child_main(spawn);
	return forked < 0 ? -errno : forked;
}

/* Whether a child with this pid is not reaped. */
static int is_ours(pid_t pid)
{
	siginfo_t info;
	return syscall(SYS_waitid, P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT, NULL) == 0;
}

/* A pidfd above 2 of the child, opened here if the call that made the child gave none. */
static int settle_pidfd(pid_t pid, int pidfd)
{
	if (pidfd < 0) {
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		/* If SIGCHLD is ignored the child may be reaped, and the pid that of another
		 * process. */
		if (pidfd >= 0 && !is_ours(pid)) {
			syscall(SYS_close, pidfd);
			return -1;
		}
	}
	return pidfd < 0 || pidfd > 2 ? pidfd : csysi_posix_above_2(pidfd);
}

/* Make it, with every signal blocked meanwhile.  0 with the child in *out, or -errno. */
static int make_blocked(struct spawn *spawn, int by_clone3, struct csysi_os_child *out)
{
	const struct csysi_os_options *options = spawn->command->options;
	uint64_t all[2] = { UINT64_MAX, UINT64_MAX };
	uint64_t before[2] = { 0, 0 };
	int pidfd = -1;

	if (by_clone3) {
		spawn->handlers = 0; /* CLEAR_SIGHAND */
		spawn->reset = options->inherit_signals ? options->standard : ignored_signals();
	} else {
		spawn->is_inside = 0;
		spawn->handlers = options->inherit_signals;
		spawn->reset = options->inherit_signals ? options->standard : UINT64_MAX;
	}
	/* The raw call, since that of libc does not block signals that libc uses itself. */
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, all, before, SIGNAL_SET_SIZE);
	spawn->blocked = options->set_mask          ? options->blocked
			 : options->inherit_signals ? before[0]
						    : 0;
	long pid = make_process(spawn, by_clone3, &pidfd);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, before, NULL, SIGNAL_SET_SIZE);

	if (pid < 0)
		return (int)pid;
	out->pid = pid;
	out->handle = settle_pidfd((pid_t)pid, pidfd);
	return 0;
}

/* Make it by clone3.  CSYS_ENOTSUP, and for no other reason, if clone3 is missing or refused. */
static int by_clone3(struct spawn *spawn, struct csysi_os_child *out)
{
	if (csysi_load_relaxed(&no_clone3) || spawn->command->options->hook)
		return CSYS_ENOTSUP;

	spawn->is_inside = spawn->command->bond == CSYSI_OS_BOND_CONTAINER;
	int r = make_blocked(spawn, 1, out);
	if (r < 0 && spawn->is_inside && r != -EAGAIN && r != -ENOMEM) {
		/* Needs Linux 5.7; some cgroups refuse it.  Then the child enters the cgroup. */
		spawn->is_inside = 0;
		r = make_blocked(spawn, 1, out);
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

/* Make it by clone, or a copy by fork. */
static int by_another_call(struct spawn *spawn, struct csysi_os_child *out)
{
	int r = make_blocked(spawn, 0, out);

	if (r == 0)
		return 0;
	errno = -r;
	return csysi_posix_fail();
}

static int make(struct spawn *spawn, struct csysi_os_child *out)
{
	int r = by_clone3(spawn, out);

	return r == CSYS_ENOTSUP ? by_another_call(spawn, out) : r;
}

/* Make it, with a report through a pipe. */
static int by_pipe(struct spawn *spawn, struct csysi_os_child *out)
{
	csys_handle reader, writer;
	int r = csysi_os_pipe(CSYSI_OS_PIPE_BOTH, 0, &reader, &writer);
	if (r < 0)
		return r;

	spawn->pipe = (int)writer;
	r = spawn->is_copy ? make(spawn, out) : by_another_call(spawn, out);
	csysi_os_close(writer);
	/* If the memory is shared, the report is complete already. */
	if (r == 0 && !csysi_posix_is_complete(&spawn->own))
		r = csysi_posix_read_reports((int)reader, (pid_t)out->pid, spawn->deadline,
					     &spawn->own);
	csysi_os_close(reader);
	return r;
}

/* Make a copy, with a report in a shared page.  CSYS_ENOTSUP, with nothing left, if there are no
 * robust futexes. */
static int by_page(struct spawn *spawn, struct csysi_os_child *out)
{
	if (csysi_load_relaxed(&no_robust_list))
		return CSYS_ENOTSUP;
	struct page *page = map_page();
	if (!page)
		return CSYS_ENOMEM;

	spawn->pipe = -1;
	spawn->report = &page->report;
	int r = make(spawn, out);
	spawn->report = &spawn->own;
	if (r == 0)
		r = await_page(page, (pid_t)out->pid, spawn->deadline);
	spawn->own = page->report;
	if (r == 0 && spawn->own.step != CSYSI_OS_STEP_PREPARE &&
	    !csysi_posix_is_report(&spawn->own)) /* the hook has overwritten it */
		spawn->own =
			(struct csysi_posix_report){ .step = CSYSI_OS_STEP_HOOK, .error = EIO };
	if (csysi_load_relaxed(&page->word) == REFUSED) {
		csysi_store_relaxed(&no_robust_list, 1);
		(void)csysi_posix_end_child(out, CSYS_FOREVER,
					    CSYS_FOREVER); /* it ends by itself */
		*out = (struct csysi_os_child){ .pid = 0, .handle = CSYS_NO_HANDLE };
		r = CSYS_ENOTSUP;
	}
	munmap(page, sizeof *page);
	return r;
}

int csysi_posix_make_child(struct spawn *spawn, struct csysi_os_child *out)
{
	const struct csysi_os_options *options = spawn->command->options;
	int r;

	spawn->is_copy = csysi_posix_is_delayable(options);
	if (spawn->is_copy) {
		r = by_page(spawn, out);
	} else {
		spawn->pipe = -1;
		r = by_clone3(spawn, out);
	}
	return r == CSYS_ENOTSUP ? by_pipe(spawn, out) : r;
}

int csysi_posix_open_self(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	return fd < 0 || fd > 2 ? fd : csysi_posix_above_2(fd);
}
