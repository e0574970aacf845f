/*
 * os/linux/cgroup.h - where the control groups of a process are.
 *
 * Two files tell: /proc/self/cgroup has the path of the process's group in each
 * hierarchy, /proc/self/mountinfo where hierarchies are mounted, and from which
 * group on.
 */
#ifndef CSYSI_OS_LINUX_CGROUP_H
#define CSYSI_OS_LINUX_CGROUP_H

#include <stddef.h>

/* A file line by line, in memory of the caller's.  A line that does not fit is passed over. */
struct csysi_linux_lines {
	int fd;
	int is_cut; /* in the middle of a line that is passed over */
	size_t at, size;
	char *text;
	size_t room;
};

/* -1 with errno if the file cannot be opened. */
int csysi_linux_open_lines(struct csysi_linux_lines *lines, const char *path, char *text,
			   size_t room);
void csysi_linux_close_lines(struct csysi_linux_lines *lines); /* keeps errno */

/* The next line, which the caller may change, without its end; NULL after the last one. */
char *csysi_linux_next_line(struct csysi_linux_lines *lines);

/* The group of a process in one hierarchy. */
struct csysi_linux_cgroup {
	int version;             /* of control groups: 1 or 2 */
	const char *controllers; /* a list with commas; empty in version 2 */
	const char *path;
};

/* A hierarchy, or a part of one, that is mounted. */
struct csysi_linux_cgroup_mount {
	int version;
	const char *controllers; /* among other options, as above */
	const char *root;        /* the group that is mounted, "/" for all of the hierarchy */
	const char *place;       /* where */
};

/*
 * A line of /proc/self/cgroup and of /proc/self/mountinfo, of which *out becomes a view.
 * -1: it is none, or not of control groups.
 */
int csysi_linux_parse_cgroup(char *line, struct csysi_linux_cgroup *out);
int csysi_linux_parse_cgroup_mount(char *line, struct csysi_linux_cgroup_mount *out);

int csysi_linux_has_controller(const char *controllers, const char *name);

/* The path of a group from the place of a mount on; NULL if the mount does not show the group. */
const char *csysi_linux_path_in_mount(const struct csysi_linux_cgroup_mount *mount,
				      const char *path);

#endif
