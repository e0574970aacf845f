/*
 * os/linux/cgroup.h - the control groups of this process.
 *
 * /proc/self/cgroup has the path of the group of the process in each hierarchy.
 * /proc/self/mountinfo tells where hierarchies are mounted, and which group is the root of
 * each mount.
 */
#ifndef CSYSI_OS_LINUX_CGROUP_H
#define CSYSI_OS_LINUX_CGROUP_H

#include <stddef.h>

/* Reads a file line by line, with a buffer of the caller.  A line that does not fit is skipped. */
struct csysi_linux_lines {
	int fd;
	int is_cut; /* in the middle of a line that is skipped */
	size_t at, size;
	char *text;
	size_t room;
};

/* -1 with errno if the file cannot be opened. */
int csysi_linux_open_lines(struct csysi_linux_lines *lines, const char *path, char *text,
			   size_t room);
void csysi_linux_close_lines(struct csysi_linux_lines *lines); /* keeps errno */

/* The next line without its newline, which the caller may change; NULL after the last one. */
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
 * Parse a line of /proc/self/cgroup, or of /proc/self/mountinfo.  *out points into the line,
 * which is changed.  -1 if it is no such line, or not one of control groups.
 */
int csysi_linux_parse_cgroup(char *line, struct csysi_linux_cgroup *out);
int csysi_linux_parse_cgroup_mount(char *line, struct csysi_linux_cgroup_mount *out);

/* Whether the list has this controller. */
int csysi_linux_has_controller(const char *controllers, const char *name);

/* The path of a group relative to the place of a mount; NULL if the mount does not show it. */
const char *csysi_linux_path_in_mount(const struct csysi_linux_cgroup_mount *mount,
				      const char *path);

#endif
