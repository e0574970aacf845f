/*
 * os/linux/child_setup.c - the steps of a new process, by raw system calls: those of libc
 * change state of the process, whose memory may be that of the parent.
 */
#define _GNU_SOURCE /* syscall */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/linux/linux.h"
#include "os/posix/child_setup.h"

/* Newer than some headers; the same number on every architecture. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_ON_EXEC 4u /* CLOSE_RANGE_CLOEXEC */

IN_CHILD static int checked(long r)
{
	return r < 0 ? -errno : (int)r;
}

IN_CHILD static int kernel_dup2(int from, int to)
{
	return checked(syscall(SYS_dup3, from, to, 0));
}

#ifdef SYS_fcntl64
#define FCNTL SYS_fcntl64
#else
#define FCNTL SYS_fcntl
#endif

IN_CHILD static int kernel_dup_above(int fd, int least)
{
	return checked(syscall(FCNTL, fd, F_DUPFD_CLOEXEC, least));
}

IN_CHILD static int kernel_mark(int fd, int close_on_exec)
{
	return checked(syscall(FCNTL, fd, F_SETFD, close_on_exec ? FD_CLOEXEC : 0));
}

/* The numbers that select_one can look at: 512 bytes of stack. */
#define MOST_SELECTED 4096
#define LONG_BITS (8 * (int)sizeof(long))

/* Check one descriptor for reading by select, since with a limit of 0 poll takes none. */
IN_CHILD static int select_one(struct pollfd *polled)
{
	unsigned long set[MOST_SELECTED / LONG_BITS];
	long zero[4] = { 0, 0, 0, 0 };
	int words = polled->fd / LONG_BITS + 1;

	if (polled->fd >= MOST_SELECTED)
		return -EINVAL;
	for (int i = 0; i < words; i++)
		set[i] = 0;
	set[words - 1] = 1ul << polled->fd % LONG_BITS;
	int r = checked(syscall(SYS_pselect6, polled->fd + 1, set, NULL, NULL, zero, NULL));
	polled->revents = r > 0 ? POLLIN : r == -EBADF ? POLLNVAL : 0;
	return r == -EBADF ? 1 : r;
}

IN_CHILD static int kernel_poll(struct pollfd *polled, unsigned count)
{
	/* The kernel's timespec, in either width, is zero. */
	long zero[4] = { 0, 0, 0, 0 };
	int r = checked(syscall(SYS_ppoll, polled, count, zero, NULL, SIGNAL_SET_SIZE));
	return r == -EINVAL && count == 1 ? select_one(polled) : r;
}

IN_CHILD static int kernel_limit_of_handles(void)
{
	uint64_t limit[2]; /* soft and hard */
	long r = syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, limit);
	if (r < 0)
		return -errno;
	return limit[0] < INT_MAX ? (int)limit[0] : INT_MAX;
}

/* The child asks the kernel for a range or a list. */
int csysi_posix_most_handles(void)
{
	return 0;
}

/* Mark all descriptors that /proc lists. */
IN_CHILD static int mark_listed(void)
{
	_Alignas(uint64_t) char buffer[512];
	int list = checked(syscall(SYS_openat, AT_FDCWD, "/proc/self/fd",
				   O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
	if (list < 0)
		return -ENOSYS;

	int size;
	while ((size = checked(syscall(SYS_getdents64, list, buffer, sizeof buffer))) > 0) {
		for (int at = 0; at < size;) {
			const struct directory_entry *entry = (const void *)(buffer + at);
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

IN_CHILD static int kernel_mark_all(void)
{
	/* The flag needs Linux 5.11; without it, or if it is refused, use the list. */
	int r = checked(syscall(SYS_close_range, 3u, ~0u, CLOSE_ON_EXEC));
	return r < 0 ? mark_listed() : 0;
}

IN_CHILD static int kernel_chdir(const char *directory)
{
	return checked(syscall(SYS_chdir, directory));
}

IN_CHILD static int kernel_enter(int container)
{
	int list = checked(syscall(SYS_openat, container, "cgroup.procs", O_WRONLY | O_CLOEXEC, 0));
	if (list < 0)
		return list;
	int r = checked(syscall(SYS_write, list, "0", 1L)); /* this process */
	syscall(SYS_close, list);
	return r;
}

IN_CHILD static int kernel_reap_orphans(void)
{
	return checked(syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L));
}

IN_CHILD static int kernel_new_session(void)
{
	return checked(syscall(SYS_setsid));
}

IN_CHILD static int kernel_join_group(int64_t group)
{
	return checked(syscall(SYS_setpgid, 0, (pid_t)group));
}

IN_CHILD static int kernel_control_terminal(int fd)
{
	return checked(syscall(SYS_ioctl, fd, TIOCSCTTY, 0));
}

IN_CHILD static int kernel_limit(int number, const struct csysi_os_limit *limit)
{
	uint64_t both[2] = { limit->soft, limit->hard }; /* all ones: none */
	return checked(syscall(SYS_prlimit64, 0, number, both, NULL));
}

IN_CHILD static int kernel_nice(int value)
{
	return checked(syscall(SYS_setpriority, PRIO_PROCESS, 0, value));
}

IN_CHILD static int kernel_schedule(int policy, int priority)
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

IN_CHILD static int kernel_bind(const unsigned *cpus, size_t count)
{
	unsigned long mask[MOST_CPUS / LONG_BITS]; /* 1 KiB of stack */

	for (int i = 0; i < MOST_CPUS / LONG_BITS; i++)
		mask[i] = 0;
	for (size_t i = 0; i < count; i++) {
		if (cpus[i] >= MOST_CPUS)
			return -EINVAL;
		mask[cpus[i] / LONG_BITS] |= 1ul << cpus[i] % LONG_BITS;
	}
	return checked(syscall(SYS_sched_setaffinity, 0, sizeof mask, mask));
}

IN_CHILD static void kernel_umask(unsigned mask)
{
	syscall(SYS_umask, mask);
}

IN_CHILD static int kernel_chroot(const char *directory)
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

IN_CHILD static int kernel_set_groups(const uint32_t *groups, size_t count)
{
	return checked(syscall(SETGROUPS, count, groups));
}

/* Sets all three ids, so that the program cannot return to the old ones.  The raw calls change this
 * process alone; those of libc would signal every thread of the parent. */
IN_CHILD static int kernel_set_group(uint32_t group)
{
	return checked(syscall(SETRESGID, group, group, group));
}

IN_CHILD static int kernel_set_user(uint32_t user)
{
	return checked(syscall(SETRESUID, user, user, user));
}

/* A change of user does this too, unless fs.suid_dumpable is 1.  With that setting the new user can
 * access the copy between the two calls, as it can with every program that changes its user. */
IN_CHILD static void kernel_hide(void)
{
	syscall(SYS_prctl, PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
}

IN_CHILD static int kernel_no_new_privileges(void)
{
	return checked(syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L));
}

IN_CHILD static int kernel_die_with_parent(int signal)
{
	return checked(syscall(SYS_prctl, PR_SET_PDEATHSIG, (long)signal, 0L, 0L, 0L));
}

IN_CHILD static int64_t kernel_parent(void)
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

IN_CHILD static void kernel_dispose(uint64_t signals, int ignore)
{
	/* No flags, no mask; SIG_DFL is 0 and SIG_IGN 1. */
	unsigned long action[ACTION_WORDS] = { 0, 0, 0, 0, 0, 0, 0, 0 };
	action[ACTION_HANDLER] = ignore ? 1 : 0;

	for (int i = 1; i <= 64; i++)
		if ((signals >> (i - 1) & 1) && i != SIGKILL && i != SIGSTOP)
			syscall(SYS_rt_sigaction, i, action, NULL, SIGNAL_SET_SIZE);
}

IN_CHILD static void kernel_drop_handlers(void)
{
	unsigned long action[ACTION_WORDS];

	for (int i = 1; i <= 64; i++)
		if (syscall(SYS_rt_sigaction, i, NULL, action, SIGNAL_SET_SIZE) == 0 &&
		    action[ACTION_HANDLER] > 1)
			kernel_dispose((uint64_t)1 << (i - 1), 0);
}

IN_CHILD static void kernel_block(uint64_t signals)
{
	uint64_t set[2] = { signals, 0 };
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ && __SIZEOF_LONG__ == 4
	set[0] = signals << 32 | signals >> 32; /* the kernel's set is of longs */
#endif
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, set, NULL, SIGNAL_SET_SIZE);
}

IN_CHILD static int kernel_execve(const char *file, char *const *argv, char *const *envp)
{
	return checked(syscall(SYS_execve, file, argv, envp));
}
