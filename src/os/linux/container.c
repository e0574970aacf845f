/*
 * os/linux/container.c - cgroups (version 2) as containers of processes.
 *
 * A container is made below the cgroup of this process, if that is writable: for root, or
 * where the session manager of the user delegates a part of the hierarchy.  It enables no
 * controllers, so it does not affect its processes.
 *
 * cgroup.events tells whether a process is in the cgroup or below it, zombies excepted, and
 * polls POLLPRI when that changes.  cgroup.kill (Linux 5.14) kills all of them at once, and
 * the children that they are forking.  Without that file the cgroup is frozen, so that no
 * process forks, and each process that cgroup.procs lists is killed.
 *
 * If the container was removed meanwhile, access to its files fails with ENOENT or ENODEV,
 * and there is nothing to do.
 */
#define _GNU_SOURCE /* O_PATH, syscall */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "os/linux/cgroup.h"
#include "os/linux/container_walk.h"
#include "os/linux/linux.h"
#include "os/posix/posix.h"

#define CGROUP_MAGIC 0x63677270 /* of version 2 */

/* How many names are tried: a name is taken only if a killed process has left a container. */
#define MOST_NAMES 1000

/* Longer paths of cgroups are not used. */
#define MOST_PATH 1024
#define MOST_LINE (2 * MOST_PATH + 512)

/* How long to wait for a change before checking or killing again. */
#define PATIENCE_MS 20

/* How long to wait until ended processes are not counted any more: on newer kernels that is some
 * time after they could be reaped. */
#define DEAD_MS 100

/* ---- where this process is ----------------------------------------------------------- */

/* Copy the path of this process's cgroup; -1 if there is none below which it may make another. */
static int own_path(char text[MOST_LINE], char *out, size_t size)
{
	struct csysi_linux_lines lines;
	int found = -1;

	if (csysi_linux_open_lines(&lines, "/proc/self/cgroup", text, MOST_LINE) < 0)
		return -1;
	for (char *line = csysi_linux_next_line(&lines); line && found < 0;
	     line = csysi_linux_next_line(&lines)) {
		struct csysi_linux_cgroup group;
		if (csysi_linux_parse_cgroup(line, &group) < 0 || group.version != 2)
			continue;
		/* "/.." is above the root of this namespace. */
		size_t length = strlen(group.path);
		if (group.path[0] == '/' && !strstr(group.path, "/../") &&
		    (length < 3 || strcmp(group.path + length - 3, "/..") != 0) && length < size) {
			memcpy(out, group.path, length + 1);
			found = 0;
		}
	}
	csysi_linux_close_lines(&lines);
	return found;
}

static int open_cgroup(const char *path)
{
	struct statfs about;
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && (fstatfs(fd, &about) < 0 || about.f_type != CGROUP_MAGIC)) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}

/* Open the cgroup `path`, if this line of mountinfo is of a mount that shows it. */
static int open_in_mount(char *line, const char *path)
{
	struct csysi_linux_cgroup_mount mount;
	char place[2 * MOST_PATH];

	if (csysi_linux_parse_cgroup_mount(line, &mount) < 0 || mount.version != 2)
		return -1;
	path = csysi_linux_path_in_mount(&mount, path);
	if (!path)
		return -1;
	int length = snprintf(place, sizeof place, "%s%s", mount.place, path);
	return length > 0 && (size_t)length < sizeof place ? open_cgroup(place) : -1;
}

/* The directory of this process's own cgroup; -1 with errno. */
static int open_own(void)
{
	struct csysi_linux_lines lines;
	char text[MOST_LINE];
	char path[MOST_PATH];
	int fd = -1;

	errno = ENOENT;
	if (own_path(text, path, sizeof path) < 0 ||
	    csysi_linux_open_lines(&lines, "/proc/self/mountinfo", text, sizeof text) < 0)
		return -1;
	errno = ENOENT;
	for (char *line = csysi_linux_next_line(&lines); line && fd < 0;
	     line = csysi_linux_next_line(&lines))
		fd = open_in_mount(line, path);
	csysi_linux_close_lines(&lines);
	return fd;
}

/* ---- making one -------------------------------------------------------------------------- */

enum csysi_os_bond csysi_os_strongest_bond(void)
{
	return CSYSI_OS_BOND_CONTAINER;
}

/* There is no call that goes through the descendants of a reaper. */
int csysi_os_reaper_kill(const struct csysi_os_child *child, csys_deadline deadline)
{
	(void)child;
	(void)deadline;
	return CSYS_ENOTSUP;
}

/* The result for errno: all but a lack of handles or memory means that containers cannot be had. */
static int failed(void)
{
	int r = csysi_posix_fail();

	return r == CSYS_EMFILE || r == CSYS_ENOMEM ? r : CSYS_ENOTSUP;
}

/* Make a directory of a new name in `own`. */
static int make_named(int own, char name[CSYSI_OS_CONTAINER_NAME])
{
	static uint32_t last;

	for (int i = 0; i < MOST_NAMES; i++) {
		/* Relaxed: only the number counts. */
		uint32_t number = csysi_add_relaxed(&last, 1);
		snprintf(name, CSYSI_OS_CONTAINER_NAME, "csys-%ld-%lu", (long)getpid(),
			 (unsigned long)number);
		if (mkdirat(own, name, 0755) == 0)
			return 0;
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

int csysi_os_container_create(struct csysi_os_container *out)
{
	struct csysi_os_container container;
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int own = open_own();
	if (own < 0)
		return failed();
	if (make_named(own, container.name) < 0) {
		r = failed();
		close(own);
		return r;
	}
	int fd = openat(own, container.name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0) {
		r = failed();
		unlinkat(own, container.name, AT_REMOVEDIR);
	}
	close(own);
	if (fd < 0)
		return r;
	container.handle = fd;
	*out = container;
	return 0;
}

/* ---- signals to all of them ------------------------------------------------------------------ */

/* A walk over the processes, and its result. */
struct toll {
	int signal;
	int told;
	int denied;
	int failed; /* what else went wrong, 0 if nothing */
};

static int is_pid(int list, long pid, void *context)
{
	(void)list;
	return pid == *(long *)context;
}

/*
 * Another process may have the pid by now.  So open a handle for it first, and then look for the
 * pid in the list again.  If it is there, the process in the list is the one of the handle, or
 * that one has ended and a later process of this cgroup has the pid.
 */
static int signal_member(int list, long pid, void *context)
{
	struct toll *toll = context;
	csys_handle handle = CSYS_NO_HANDLE;

	if (pid == 0) { /* in another namespace */
		toll->denied++;
		return 0;
	}
	int r = csysi_os_process_open(pid, &handle);
	if ((r == 0 || r == CSYS_ENOTSUP) && csysi_container_pids(list, is_pid, &pid)) {
		r = csysi_os_process_signal(pid, handle, toll->signal);
		if ((r == CSYS_EPERM || r == CSYS_ENOTSUP) && handle != CSYS_NO_HANDLE)
			r = csysi_os_process_signal(pid, CSYS_NO_HANDLE, toll->signal);
		toll->told += r == 0;
		toll->denied += r == CSYS_EPERM;
	}
	if (r < 0 && r != CSYS_EPERM && r != CSYS_ESRCH && r != CSYS_ENOTSUP)
		toll->failed = r;
	csysi_os_close(handle);
	return 0;
}

static int signal_in(int directory, const char *name, int depth, void *context);

/* Signal all processes in a directory and below it. */
static int signal_listed(int directory, int depth, void *context)
{
	int list = csysi_container_open(directory, "cgroup.procs", O_RDONLY);
	if (list < 0)
		return -1;
	csysi_container_pids(list, signal_member, context);
	close(list);
	return csysi_container_visit(directory, signal_in, depth + 1, context);
}

static int signal_in(int directory, const char *name, int depth, void *context)
{
	return csysi_container_act(directory, name, signal_listed, depth, context);
}

/* Whether the first character of a file is '1'. */
static int is_set(int directory, const char *name)
{
	char text[1] = "";
	int fd = csysi_container_open(directory, name, O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text);

	if (fd >= 0)
		close(fd);
	return size == 1 && text[0] == '1';
}

/* Wait until all processes stand still, from an open cgroup.events.  Whether they do. */
static int wait_until_frozen(int events, csys_deadline deadline)
{
	for (;;) {
		char text[256];
		ssize_t size = pread(events, text, sizeof text - 1, 0);
		text[size > 0 ? size : 0] = '\0';
		if (strstr(text, "frozen 1"))
			return 1;
		if (size <= 0 || csys_deadline_left(deadline) == 0)
			return 0;
		csysi_container_wait(events, PATIENCE_MS, deadline);
	}
}

int csysi_os_container_signal(const struct csysi_os_container *container, int signal,
			      csys_deadline deadline)
{
	int directory = (int)container->handle;
	struct toll toll = { .signal = signal };
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;
	int events = csysi_container_open(directory, "cgroup.events", O_RDONLY);
	if (events < 0)
		return csysi_container_is_gone() ? CSYS_ESRCH : csysi_posix_fail();

	/* Frozen, none forks: the list is of one moment.  What other code has frozen stays so. */
	int was_frozen = is_set(directory, "cgroup.freeze");
	int can_freeze = was_frozen || csysi_container_write(directory, "cgroup.freeze", "1") == 0;
	int stands = can_freeze && wait_until_frozen(events, deadline);
	r = signal_listed(directory, 0, &toll);
	r = r < 0 && !csysi_container_is_gone() ? csysi_posix_fail() : 0;
	if (can_freeze && !was_frozen)
		(void)csysi_container_write(directory, "cgroup.freeze", "0");
	close(events);
	if (r < 0 || toll.failed < 0)
		return r < 0 ? r : toll.failed;
	if (toll.denied > 0)
		return CSYS_EPERM;
	if (toll.told == 0)
		return CSYS_ESRCH;
	return stands ? 0 : CSYS_ETIMEDOUT;
}

/* ---- killing -------------------------------------------------------------------------------- */

/* Kill all processes that are in it now, one by one. */
static int kill_by_hand(int directory)
{
	struct toll toll = { .signal = SIGKILL };
	int r;

	(void)csysi_container_write(directory, "cgroup.freeze", "1");
	r = signal_listed(directory, 0, &toll);
	r = r < 0 && !csysi_container_is_gone() ? csysi_posix_fail() : 0;
	if (r == 0 && toll.told == 0 && (toll.denied > 0 || toll.failed < 0))
		r = toll.failed < 0 ? toll.failed : CSYS_EPERM;
	/* A kill ends frozen processes too, but those that may not be killed have to continue. */
	if (r < 0 || toll.denied > 0)
		(void)csysi_container_write(directory, "cgroup.freeze", "0");
	return r;
}

int csysi_os_container_kill(const struct csysi_os_container *container, csys_deadline deadline)
{
	int directory = (int)container->handle;
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;
	int events = csysi_container_open(directory, "cgroup.events", O_RDONLY);
	if (events < 0)
		return csysi_container_is_gone() ? 0 : csysi_posix_fail();

	/* The fault is that of a kernel without the file. */
	int by_hand = csysi_fault(CSYS_ENOENT) < 0;
	/* Repeat, since a process may be started in it from outside meanwhile, and older kernels
	 * sometimes miss a child that is being forked. */
	while (csysi_container_is_populated(events)) {
		by_hand = by_hand || csysi_container_write(directory, "cgroup.kill", "1") < 0;
		r = by_hand ? kill_by_hand(directory) : 0;
		if (r < 0)
			break;
		csysi_container_wait(events, PATIENCE_MS, deadline);
		if (csys_deadline_left(deadline) == 0 && csysi_container_is_populated(events)) {
			r = CSYS_ETIMEDOUT;
			break;
		}
	}
	close(events);
	return r;
}

/* ---- removing ------------------------------------------------------------------------------- */

static int remove_in(int directory, const char *name, int depth, void *context);

static int remove_below(int directory, int depth, void *context)
{
	return csysi_container_visit(directory, remove_in, depth + 1, context);
}

static int remove_in(int directory, const char *name, int depth, void *context)
{
	if (unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	/* EBUSY: it contains other cgroups or processes. */
	if (errno != EBUSY ||
	    csysi_container_act(directory, name, remove_below, depth, context) < 0)
		return -1;
	return unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

static int is_any(int list, long pid, void *context)
{
	(void)list;
	(void)pid;
	(void)context;
	return 1;
}

static int has_member_in(int directory, const char *name, int depth, void *context);

/* -1, which ends a visit, if a process is in it. */
static int has_member(int directory, int depth, void *context)
{
	int list = csysi_container_open(directory, "cgroup.procs", O_RDONLY);
	if (list < 0)
		return csysi_container_is_gone() ? 0 : -1;
	int is_there = csysi_container_pids(list, is_any, NULL);
	close(list);
	return is_there ? -1 : csysi_container_visit(directory, has_member_in, depth + 1, context);
}

static int has_member_in(int directory, const char *name, int depth, void *context)
{
	return csysi_container_act(directory, name, has_member, depth, context);
}

/* Wait until ended processes are not counted any more.  Whether it is empty then. */
static int is_vacated(int directory)
{
	int events = csysi_container_open(directory, "cgroup.events", O_RDONLY);
	if (events < 0)
		return 0;
	csys_deadline deadline = csys_after_ms(DEAD_MS);
	int populated = csysi_container_is_populated(events);
	while (populated && has_member(directory, 0, NULL) == 0 &&
	       csys_deadline_left(deadline) > 0) {
		csysi_container_wait(events, PATIENCE_MS, deadline);
		populated = csysi_container_is_populated(events);
	}
	close(events);
	return !populated;
}

int csysi_os_container_remove(const struct csysi_os_container *container)
{
	int directory = (int)container->handle;
	int above = csysi_container_open(directory, "..", O_PATH | O_DIRECTORY);
	if (above < 0)
		return csysi_container_is_gone() ? 0 : csysi_posix_fail();

	int r = remove_in(above, container->name, 0, NULL);
	if (r < 0 && errno == EBUSY && is_vacated(directory))
		r = remove_in(above, container->name, 0, NULL);
	r = r < 0 ? csysi_posix_fail() : 0;
	close(above);
	return r;
}
