/*
 * os/linux/cgroup.c - parsing what /proc tells about control groups.
 */
#define _XOPEN_SOURCE 700 /* O_CLOEXEC, strtok_r */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/linux/cgroup.h"

/* ---- lines -------------------------------------------------------------------------- */

int csysi_linux_open_lines(struct csysi_linux_lines *lines, const char *path, char *text,
			   size_t room)
{
	*lines = (struct csysi_linux_lines){ .text = text, .room = room };
	lines->fd = open(path, O_RDONLY | O_CLOEXEC);
	return lines->fd < 0 ? -1 : 0;
}

void csysi_linux_close_lines(struct csysi_linux_lines *lines)
{
	int error = errno;

	close(lines->fd);
	errno = error;
}

/* Read more of the file.  0 at its end. */
static int fill(struct csysi_linux_lines *lines)
{
	ssize_t got;

	lines->size -= lines->at;
	memmove(lines->text, lines->text + lines->at, lines->size);
	lines->at = 0;
	if (lines->size == lines->room) {
		lines->is_cut = 1;
		lines->size = 0;
	}
	do
		got = read(lines->fd, lines->text + lines->size, lines->room - lines->size);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return 0;
	lines->size += (size_t)got;
	return 1;
}

char *csysi_linux_next_line(struct csysi_linux_lines *lines)
{
	for (;;) {
		char *line = lines->text + lines->at;
		size_t left = lines->size - lines->at;
		char *end = memchr(line, '\n', left);
		if (!end) {
			if (fill(lines))
				continue;
			/* The last line has no newline; fill has moved it, and left room. */
			line = lines->text;
			left = lines->size;
			lines->size = 0;
			if (left == 0 || lines->is_cut)
				return NULL;
			line[left] = '\0';
			return line;
		}
		int is_cut = lines->is_cut;
		*end = '\0';
		lines->at = (size_t)(end - lines->text) + 1;
		lines->is_cut = 0;
		if (!is_cut)
			return line;
	}
}

/* ---- what is in them ---------------------------------------------------------------- */

/* "ID:CONTROLLERS:PATH"; version 2 has ID 0 and no controllers. */
int csysi_linux_parse_cgroup(char *line, struct csysi_linux_cgroup *out)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return -1;
	*controllers++ = '\0';
	*path++ = '\0';
	out->version = strcmp(line, "0") == 0 && *controllers == '\0' ? 2 : 1;
	out->controllers = controllers;
	out->path = path;
	return 0;
}

/* mountinfo writes blanks and the like as \040. */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		if (text[0] == '\\' && text[1] && text[2] && text[3]) {
			*to++ = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 |
				       (text[3] - '0'));
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* "ID PARENT DEVICE ROOT PLACE OPTIONS [TAG...] - TYPE SOURCE OPTIONS" */
int csysi_linux_parse_cgroup_mount(char *line, struct csysi_linux_cgroup_mount *out)
{
	char *fields[6];
	char *rest = strstr(line, " - ");
	char *save;
	size_t count = 0;

	if (!rest)
		return -1;
	*rest = '\0';
	for (char *field = strtok_r(line, " ", &save); field && count < 6;
	     field = strtok_r(NULL, " ", &save))
		fields[count++] = field;
	const char *type = strtok_r(rest + 3, " ", &save);
	const char *source = type ? strtok_r(NULL, " ", &save) : NULL;
	const char *options = source ? strtok_r(NULL, " ", &save) : NULL;
	if (count < 6 || !options)
		return -1;

	if (strcmp(type, "cgroup2") == 0)
		out->version = 2;
	else if (strcmp(type, "cgroup") == 0)
		out->version = 1;
	else
		return -1;
	unescape(fields[3]);
	unescape(fields[4]);
	out->controllers = options;
	out->root = fields[3];
	out->place = fields[4];
	return 0;
}

int csysi_linux_has_controller(const char *controllers, const char *name)
{
	size_t length = strlen(name);

	for (;;) {
		size_t size = strcspn(controllers, ",");
		if (size == length && memcmp(controllers, name, length) == 0)
			return 1;
		if (controllers[size] == '\0')
			return 0;
		controllers += size + 1;
	}
}

const char *csysi_linux_path_in_mount(const struct csysi_linux_cgroup_mount *mount,
				      const char *path)
{
	size_t size = strcmp(mount->root, "/") == 0 ? 0 : strlen(mount->root);

	if (strncmp(path, mount->root, size) != 0 || (path[size] != '/' && path[size] != '\0'))
		return NULL;
	path += size;
	/* "/.." leads above the root of this namespace. */
	return strncmp(path, "/..", 3) == 0 && (path[3] == '/' || path[3] == '\0') ? NULL : path;
}
