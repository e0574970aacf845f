/*
 * os/posix/child_setup.c - the steps of a new process, by calls of POSIX.
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE /* setgroups, where the build has found it */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef CSYSI_HAVE_SETGROUPS
#include <grp.h>
#endif

#define SWEEP 512 /* takes half the time of 64; more is not faster */
#include "os/posix/child_setup.h"

#ifdef SIGRTMAX
#define LAST_SIGNAL SIGRTMAX
#else
#define LAST_SIGNAL 31
#endif

IN_CHILD static int checked(int r)
{
	return r < 0 ? -errno : r;
}

IN_CHILD static int kernel_dup2(int from, int to)
{
	return checked(dup2(from, to));
}

IN_CHILD static int kernel_dup_above(int fd, int least)
{
	return checked(fcntl(fd, F_DUPFD_CLOEXEC, least));
}

IN_CHILD static int kernel_mark(int fd, int close_on_exec)
{
	return checked(fcntl(fd, F_SETFD, close_on_exec ? FD_CLOEXEC : 0));
}

IN_CHILD static int kernel_poll(struct pollfd *polled, unsigned count)
{
	return checked(poll(polled, (nfds_t)count, 0));
}

IN_CHILD static int kernel_limit_of_handles(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	return limit.rlim_cur < INT_MAX ? (int)limit.rlim_cur : INT_MAX;
}

/*
 * Read a list of open descriptors, which POSIX does not have, but most systems have in this
 * folder.  Called before the child exists, since readdir may allocate.  Descriptors above the
 * limit cannot be opened afterwards.
 */
int csysi_posix_most_handles(void)
{
	int cancel = csysi_os_hold_cancel();
	DIR *list = opendir("/dev/fd");
	int most = 0;

	for (struct dirent *entry; list && (entry = readdir(list));) {
		int number = atoi(entry->d_name); /* "." and ".." are 0 */
		if (number >= most && number < INT_MAX)
			most = number + 1;
	}
	if (list)
		closedir(list);
	csysi_os_release_cancel(cancel);
	return most;
}

IN_CHILD static int kernel_mark_all(void)
{
	return -ENOSYS;
}

IN_CHILD static int kernel_enter(int container)
{
	(void)container;
	return -ENOSYS;
}

IN_CHILD static int kernel_reap_orphans(void)
{
	return -ENOSYS;
}

IN_CHILD static int kernel_new_session(void)
{
	return checked((int)setsid());
}

IN_CHILD static int kernel_join_group(int64_t group)
{
	return checked(setpgid(0, (pid_t)group));
}

IN_CHILD static int kernel_control_terminal(int fd)
{
#ifdef TIOCSCTTY
	return checked(ioctl(fd, TIOCSCTTY, 0));
#else
	(void)fd;
	return -ENOSYS;
#endif
}

IN_CHILD static int kernel_limit(int number, const struct csysi_os_limit *limit)
{
	struct rlimit rlimit = {
		.rlim_cur = limit->soft == UINT64_MAX ? RLIM_INFINITY : (rlim_t)limit->soft,
		.rlim_max = limit->hard == UINT64_MAX ? RLIM_INFINITY : (rlim_t)limit->hard,
	};
	return checked(setrlimit(number, &rlimit));
}

IN_CHILD static int kernel_nice(int value)
{
	return checked(setpriority(PRIO_PROCESS, 0, value));
}

#ifdef CSYSI_HAVE_SCHED_SETSCHEDULER

IN_CHILD static int kernel_schedule(int policy, int priority)
{
	struct sched_param parameter = { .sched_priority = priority };
	int number = policy == CSYSI_OS_SCHEDULING_OTHER         ? SCHED_OTHER
		     : policy == CSYSI_OS_SCHEDULING_FIFO        ? SCHED_FIFO
		     : policy == CSYSI_OS_SCHEDULING_ROUND_ROBIN ? SCHED_RR
								 : -1;
	return number < 0 ? -ENOSYS : checked(sched_setscheduler(0, number, &parameter));
}

#else

/* An option of POSIX, which macOS and OpenBSD do not have. */
IN_CHILD static int kernel_schedule(int policy, int priority)
{
	(void)policy;
	(void)priority;
	return -ENOSYS;
}

#endif

/* POSIX has no call for the next two. */
IN_CHILD static int kernel_bind(const unsigned *cpus, size_t count)
{
	(void)cpus;
	(void)count;
	return -ENOSYS;
}

IN_CHILD static int kernel_chroot(const char *directory)
{
	(void)directory;
	return -ENOSYS;
}

/* Not in POSIX, but all known systems have it. */
IN_CHILD static int kernel_set_groups(const uint32_t *groups, size_t count)
{
#ifdef CSYSI_HAVE_SETGROUPS
	_Static_assert(sizeof(gid_t) == sizeof *groups, "a group is a number of 32 bits");
	return checked(setgroups(count, (const gid_t *)groups));
#else
	(void)groups;
	(void)count;
	return -ENOSYS;
#endif
}

IN_CHILD static void kernel_hide(void)
{
}

IN_CHILD static int kernel_no_new_privileges(void)
{
	return -ENOSYS;
}

IN_CHILD static int kernel_die_with_parent(int signal)
{
	(void)signal;
	return -ENOSYS;
}

IN_CHILD static int64_t kernel_parent(void)
{
	return getppid();
}

IN_CHILD static void kernel_umask(unsigned mask)
{
	umask((mode_t)mask);
}

IN_CHILD static int kernel_set_group(uint32_t group)
{
	return checked(setgid((gid_t)group));
}

IN_CHILD static int kernel_set_user(uint32_t user)
{
	return checked(setuid((uid_t)user));
}

IN_CHILD static int kernel_chdir(const char *directory)
{
	return checked(chdir(directory));
}

/* A failure means a signal that cannot be set, and always has its default. */
IN_CHILD static void kernel_dispose(uint64_t signals, int ignore)
{
	struct sigaction action;
	action.sa_handler = ignore ? SIG_IGN : SIG_DFL;
	action.sa_flags = 0;
	sigemptyset(&action.sa_mask);

	for (int i = 1; i <= LAST_SIGNAL && i <= 64; i++)
		if (signals >> (i - 1) & 1)
			sigaction(i, &action, NULL);
}

IN_CHILD static void kernel_drop_handlers(void)
{
	struct sigaction action;

	for (int i = 1; i <= LAST_SIGNAL && i <= 64; i++)
		if (sigaction(i, NULL, &action) == 0 && action.sa_handler != SIG_IGN &&
		    action.sa_handler != SIG_DFL)
			kernel_dispose((uint64_t)1 << (i - 1), 0);
}

IN_CHILD static void kernel_block(uint64_t signals)
{
	sigset_t set;
	sigemptyset(&set);
	for (int i = 1; i <= LAST_SIGNAL && i <= 64; i++)
		if (signals >> (i - 1) & 1)
			sigaddset(&set, i);
	/* sigprocmask: this process has one thread. */
	sigprocmask(SIG_SETMASK, &set, NULL);
}

IN_CHILD static int kernel_execve(const char *file, char *const *argv, char *const *envp)
{
	return checked(execve(file, argv, envp));
}
