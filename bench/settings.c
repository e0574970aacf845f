/*
 * bench/settings.c - all that a program can be started with, and how it is done by hand.
 *
 * settings_apply is what a program writes that knows exactly what it wants: the
 * calls one after the other, no step named, handles that do not cross.
 */
#include "peer.h"

#ifdef __linux__

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534

static const char *const environment[] = {
	"HOME=/", "LANG=C",        "LC_ALL=C",  "LOGNAME=nobody", "PATH=/usr/bin:/bin",
	"PWD=/",  "SHELL=/bin/sh", "TERM=dumb", "TZ=UTC",         "USER=nobody",
	NULL,
};
static const uint32_t groups[] = { NOBODY, NOBODY - 1, NOBODY - 2 };

/* The CPUs that this process may run on. */
static int own_cpus(struct settings *settings)
{
	cpu_set_t set;
	unsigned *cpus = malloc(CPU_SETSIZE * sizeof *cpus);
	size_t count = 0;

	if (!cpus)
		return -1;
	if (sched_getaffinity(0, sizeof set, &set) == 0)
		for (unsigned i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, &set))
				cpus[count++] = i;
	settings->cpus = cpus;
	settings->cpu_count = count;
	return count > 0 ? 0 : -1;
}

int settings_make(int every, struct settings *out)
{
	int root = geteuid() == 0;
	struct settings settings = {
		.cwd = "/",
		.environment = environment,
		.leads_group = 1,
		/* An ordinary user can only set its own, which the system does all the same. */
		.user = root ? NOBODY : getuid(),
		.group = root ? NOBODY : getgid(),
		.groups = root ? groups : NULL,
		.group_count = sizeof groups / sizeof *groups,
		.most_handles = 256,
		.mapped = { -1, -1, -1 },
		.numbers = { 100, 101, 102 },
		.every = every,
		.root = root ? "/" : NULL,
		.umask = 077,
		.nice = 10,
		.batch = 1,
		.ignored = SIGUSR1,
		.blocked = SIGUSR2,
		.death_signal = SIGKILL,
		.no_new_privileges = 1,
		.null_streams = 1,
	};
	int r = own_cpus(&settings);
	for (int i = 0; i < 3 && r == 0; i++) {
		settings.mapped[i] = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (settings.mapped[i] < 0)
			r = -1;
	}
	if (r < 0) {
		settings_free(&settings);
		return -1;
	}
	*out = settings;
	return 0;
}

int settings_other_user(uint32_t *out_user, uint32_t *out_group)
{
	*out_user = *out_group = NOBODY;
	return geteuid() == 0 ? 0 : -1;
}

void settings_free(struct settings *settings)
{
	for (int i = 0; i < 3; i++)
		if (settings->mapped[i] >= 0)
			close(settings->mapped[i]);
	free((unsigned *)(uintptr_t)settings->cpus);
}

/* As in peer_raw.c: the new process may run on this one's memory. */
#if defined(__GNUC__)
#define BARE __attribute__((no_sanitize("address", "thread", "undefined")))
#else
#define BARE
#endif

BARE static int apply_every(const struct settings *settings)
{
	if (settings->null_streams) {
		for (int i = 0; i < 3; i++) {
			long fd = syscall(SYS_openat, AT_FDCWD, "/dev/null",
					  i ? O_WRONLY : O_RDONLY, 0);
			if (fd < 0 || syscall(SYS_dup3, fd, i, 0) < 0 || syscall(SYS_close, fd) < 0)
				return -1;
		}
	}
	if (settings->root && syscall(SYS_chroot, settings->root) < 0)
		return -1;
	syscall(SYS_umask, settings->umask);
	if (syscall(SYS_setpriority, PRIO_PROCESS, 0, settings->nice) < 0)
		return -1;
	int priority = 0;
	if (settings->batch && syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &priority) < 0)
		return -1;

	unsigned long mask[1024 / (8 * sizeof(unsigned long))];
	for (size_t i = 0; i < sizeof mask / sizeof *mask; i++)
		mask[i] = 0;
	for (size_t i = 0; i < settings->cpu_count; i++)
		mask[settings->cpus[i] / (8 * sizeof *mask)] |=
			1ul << settings->cpus[i] % (8 * sizeof *mask);
	return syscall(SYS_sched_setaffinity, 0, sizeof mask, mask) < 0 ? -1 : 0;
}

/* After the change of user, which would take the death signal back. */
BARE static int apply_last(const struct settings *settings, int64_t parent)
{
	if (settings->no_new_privileges && syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L))
		return -1;
	if (syscall(SYS_prctl, PR_SET_PDEATHSIG, (long)settings->death_signal, 0L, 0L, 0L) < 0 ||
	    syscall(SYS_getppid) != parent)
		return -1;

	/* The kernel's own struct, of which handler 1 is SIG_IGN. */
	unsigned long action[8] = { 1, 0, 0, 0, 0, 0, 0, 0 };
	uint64_t blocked[2] = { (uint64_t)1 << (settings->blocked - 1), 0 };
	if (syscall(SYS_rt_sigaction, settings->ignored, action, NULL, 8) < 0 ||
	    syscall(SYS_rt_sigprocmask, SIG_SETMASK, blocked, NULL, 8) < 0)
		return -1;
	return 0;
}

BARE int settings_apply(const struct settings *settings, int64_t parent)
{
	uint64_t limit[2] = { settings->most_handles, settings->most_handles };

	if (settings->leads_group && syscall(SYS_setpgid, 0, 0) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		if (syscall(SYS_dup3, settings->mapped[i], settings->numbers[i], 0) < 0)
			return -1;
	if (syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, limit, NULL) < 0)
		return -1;
	if (settings->every && apply_every(settings) < 0)
		return -1;
	if (syscall(SYS_chdir, settings->cwd) < 0)
		return -1;
	if (settings->groups && syscall(SYS_setgroups, settings->group_count, settings->groups) < 0)
		return -1;
	if (syscall(SYS_setresgid, settings->group, settings->group, settings->group) < 0 ||
	    syscall(SYS_setresuid, settings->user, settings->user, settings->user) < 0)
		return -1;
	return settings->every ? apply_last(settings, parent) : 0;
}

#else

/* Most of them are Linux's alone, so elsewhere there is nothing to compare. */
int settings_make(int every, struct settings *out)
{
	(void)every;
	(void)out;
	return -1;
}

int settings_other_user(uint32_t *out_user, uint32_t *out_group)
{
	(void)out_user;
	(void)out_group;
	return -1;
}

void settings_free(struct settings *settings)
{
	(void)settings;
}

int settings_apply(const struct settings *settings, int64_t parent)
{
	(void)settings;
	(void)parent;
	return -1;
}

#endif
