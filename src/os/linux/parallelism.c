/*
 * os/linux/parallelism.c - how many threads can run at once: the number of CPUs in the mask of
 * the calling thread, or the quota of CPU time of its control groups, if that is less.
 *
 * Groups of both versions may have a quota, and so may each group above that of the process;
 * the least one counts.
 */
#define _XOPEN_SOURCE 700
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "os/linux/cgroup.h"
#include "os/linux/linux.h"
#include "os/linux/parallelism.h"
#include "os/os.h"

#define ROOM 4096

/* On the heap, since the calling thread may have a small stack. */
struct work {
	const char *root;
	char path[2][ROOM];   /* of the group of the process, in version 1 (cpu) and 2; "": none */
	char folder[ROOM];    /* of a group */
	char name[ROOM + 64]; /* of a file */
	struct csysi_linux_lines lines;
	char text[ROOM]; /* of the lines */
	int least;       /* CPUs; 0: no limit yet */
};

/* Open a file to read its lines.  -1 if it cannot be opened. */
static int open_file(struct work *work, const char *folder, const char *name)
{
	int length = snprintf(work->name, sizeof work->name, "%s%s/%s", work->root, folder, name);

	return length < (int)sizeof work->name
		       ? csysi_linux_open_lines(&work->lines, work->name, work->text,
						sizeof work->text)
		       : -1;
}

/* ---- one group -------------------------------------------------------------------------- */

static void note(struct work *work, long long quota, long long period)
{
	if (quota <= 0 || period <= 0)
		return;
	long long cpus = quota / period;
	if (cpus < 1)
		cpus = 1;
	if (cpus <= INT_MAX && (work->least == 0 || cpus < work->least))
		work->least = (int)cpus;
}

/* Read up to two numbers from the first line of a file; "max" is 0.  Returns how many. */
static int read_numbers(struct work *work, const char *name, long long out[2])
{
	out[0] = out[1] = 0;
	if (open_file(work, work->folder, name) < 0)
		return 0;
	const char *line = csysi_linux_next_line(&work->lines);
	csysi_linux_close_lines(&work->lines);
	if (!line)
		return 0;
	out[0] = strtoll(line, NULL, 10);
	const char *second = strchr(line, ' ');
	if (!second)
		return 1;
	out[1] = strtoll(second, NULL, 10);
	return 2;
}

static void look_at_group(struct work *work, int version)
{
	long long quota[2];
	long long period[2];

	if (version == 2) {
		if (read_numbers(work, "cpu.max", quota) == 2)
			note(work, quota[0], quota[1]);
	} else if (read_numbers(work, "cpu.cfs_quota_us", quota) &&
		   read_numbers(work, "cpu.cfs_period_us", period)) {
		note(work, quota[0], period[0]);
	}
}

/* ---- hierarchies ------------------------------------------------------------------------- */

static void read_paths(struct work *work)
{
	if (open_file(work, "", "proc/self/cgroup") < 0)
		return;
	for (char *line; (line = csysi_linux_next_line(&work->lines));) {
		struct csysi_linux_cgroup group;
		if (csysi_linux_parse_cgroup(line, &group) < 0)
			continue;
		/* Fits, since a line is shorter than its buffer. */
		if (group.version == 2 || csysi_linux_has_controller(group.controllers, "cpu"))
			strcpy(work->path[group.version - 1], group.path);
	}
	csysi_linux_close_lines(&work->lines);
}

/* Look at all groups from that of the process up to the one that is mounted. */
static void look_at_mount(struct work *work, const struct csysi_linux_cgroup_mount *mount)
{
	const char *place = strcmp(mount->place, "/") == 0 ? "" : mount->place;
	const char *path = csysi_linux_path_in_mount(mount, work->path[mount->version - 1]);

	/* If the mount does not show the group of the process, because of a namespace or a
	 * container, only the group that is mounted can be asked. */
	int length = snprintf(work->folder, sizeof work->folder, "%s%s", place, path ? path : "");
	if (length >= (int)sizeof work->folder)
		return;

	size_t top = strlen(place);
	for (;;) {
		look_at_group(work, mount->version);
		char *slash = strrchr(work->folder, '/');
		if (!slash || (size_t)(slash - work->folder) < top)
			return;
		*slash = '\0';
	}
}

static void look_at_line(struct work *work, char *line)
{
	struct csysi_linux_cgroup_mount mount;

	if (csysi_linux_parse_cgroup_mount(line, &mount) < 0 ||
	    (mount.version == 1 && !csysi_linux_has_controller(mount.controllers, "cpu")) ||
	    work->path[mount.version - 1][0] == '\0')
		return;
	look_at_mount(work, &mount);
}

int csysi_linux_cpu_quota(const char *root)
{
	/* Two: one reads mountinfo while the other reads the files of groups. */
	struct work *outer = csysi_alloc_zero(2 * sizeof *outer);
	if (!outer)
		return 0; /* as if there were no quota */

	struct work *work = outer + 1;
	outer->root = work->root = root;
	read_paths(work);
	if (open_file(outer, "", "proc/self/mountinfo") == 0) {
		for (char *line; (line = csysi_linux_next_line(&outer->lines));)
			look_at_line(work, line);
		csysi_linux_close_lines(&outer->lines);
	}
	int quota = work->least;
	csysi_free(outer);
	return quota;
}

/* ---- the mask ---------------------------------------------------------------------------- */

static int allowed_cpus(void)
{
	int count = csysi_linux_count_cpus(0);

	if (count == 0) {
		long online = sysconf(_SC_NPROCESSORS_ONLN);
		count = online > 0 ? (int)online : 1;
	}
	return count;
}

int csysi_os_parallelism(void)
{
	int cpus = allowed_cpus();
	int quota = csysi_linux_cpu_quota("");

	return quota > 0 && quota < cpus ? quota : cpus;
}
