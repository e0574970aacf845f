/*
 * os/linux/parallelism.c - how many threads can run at once: as many as there are
 * CPUs in the calling thread's mask, and CPU time in its control groups.
 *
 * Where the groups are is told by two files: /proc/self/cgroup has the path of the
 * process's group in each hierarchy, /proc/self/mountinfo where hierarchies are
 * mounted, and from which group on.  Either version of control groups may hold the
 * limit, and so may every group above; the least counts.
 */
#define _XOPEN_SOURCE 700 /* O_CLOEXEC */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "os/linux/linux.h"
#include "os/linux/parallelism.h"
#include "os/os.h"

#define ROOM 4096

/* All on the heap: the calling thread may have a small stack. */
struct work {
	const char *root;
	char path[2][ROOM];   /* of the process's group in version 1 (with CPU) and 2; "": none */
	char folder[ROOM];    /* of a group */
	char name[ROOM + 64]; /* of a file */
	char line[ROOM];
	char text[ROOM]; /* read ahead */
	size_t at, size;
	int fd;
	int least; /* CPUs; 0: no limit yet */
};

/* ---- files ------------------------------------------------------------------------------ */

static int open_file(struct work *work, const char *folder, const char *name)
{
	int length = snprintf(work->name, sizeof work->name, "%s%s/%s", work->root, folder, name);

	work->at = work->size = 0;
	work->fd = length < (int)sizeof work->name ? open(work->name, O_RDONLY | O_CLOEXEC) : -1;
	return work->fd >= 0;
}

static int next_character(struct work *work)
{
	if (work->at == work->size) {
		ssize_t size = read(work->fd, work->text, sizeof work->text);
		if (size <= 0)
			return EOF;
		work->at = 0;
		work->size = (size_t)size;
	}
	return (unsigned char)work->text[work->at++];
}

/* The next line without its end; one that is too long is "".  0: there is none. */
static int next_line(struct work *work)
{
	size_t length = 0;
	int c = next_character(work);

	if (c == EOF)
		return 0;
	for (; c != EOF && c != '\n'; c = next_character(work))
		if (length < sizeof work->line)
			work->line[length++] = (char)c;
	work->line[length < sizeof work->line ? length : 0] = '\0';
	return 1;
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

/* The numbers in the one line of a file; "max", which is no number, is 0.  How many there are. */
static int read_numbers(struct work *work, const char *name, long long out[2])
{
	out[0] = out[1] = 0;
	if (!open_file(work, work->folder, name))
		return 0;
	int count = next_line(work) ? 1 : 0;
	close(work->fd);
	if (count == 0)
		return 0;
	out[0] = strtoll(work->line, NULL, 10);
	const char *second = strchr(work->line, ' ');
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

/* Whether a list with commas has that word. */
static int lists(const char *list, size_t size, const char *word)
{
	size_t length = strlen(word);

	for (const char *end = list + size; list < end;) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		const char *stop = comma ? comma : end;
		if ((size_t)(stop - list) == length && memcmp(list, word, length) == 0)
			return 1;
		list = stop + 1;
	}
	return 0;
}

/* "ID:CONTROLLERS:PATH"; version 2 has ID 0 and no controllers. */
static void read_paths(struct work *work)
{
	if (!open_file(work, "", "proc/self/cgroup"))
		return;
	while (next_line(work)) {
		char *controllers = strchr(work->line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!path)
			continue;
		controllers++;
		size_t size = (size_t)(path - controllers);
		if (strncmp(work->line, "0::", 3) == 0)
			strcpy(work->path[1], path + 1);
		else if (lists(controllers, size, "cpu"))
			strcpy(work->path[0], path + 1);
	}
	close(work->fd);
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

/* All groups from that of the process up to the one that is mounted. */
static void look_at_mount(struct work *work, int version, const char *mounted, const char *where)
{
	const char *path = work->path[version - 1];
	size_t size = strcmp(mounted, "/") == 0 ? 0 : strlen(mounted);

	/* A path that does not begin with what is mounted is out of sight: of a namespace of
	 * its own, or of a container.  Then what is mounted is all that can be asked. */
	if (strncmp(path, mounted, size) != 0 || (path[size] != '/' && path[size] != '\0') ||
	    strncmp(path + size, "/..", 3) == 0) {
		path = "";
		size = 0;
	}
	int length = snprintf(work->folder, sizeof work->folder, "%s%s", where, path + size);
	if (length >= (int)sizeof work->folder)
		return;

	size_t top = strlen(where);
	for (;;) {
		look_at_group(work, version);
		char *slash = strrchr(work->folder, '/');
		if (!slash || (size_t)(slash - work->folder) < top)
			return;
		*slash = '\0';
	}
}

/* "ID PARENT DEVICE MOUNTED WHERE OPTIONS [FIELDS...] - TYPE SOURCE OPTIONS" */
static void look_at_line(struct work *work, char *line)
{
	char *fields[6];
	char *rest = strstr(line, " - ");
	char *save;
	size_t count = 0;

	if (!rest)
		return;
	*rest = '\0';
	for (char *field = strtok_r(line, " ", &save); field && count < 6;
	     field = strtok_r(NULL, " ", &save))
		fields[count++] = field;
	const char *type = strtok_r(rest + 3, " ", &save);
	const char *source = type ? strtok_r(NULL, " ", &save) : NULL;
	const char *options = source ? strtok_r(NULL, " ", &save) : NULL;
	if (count < 6 || !options)
		return;

	int version = 0;
	if (strcmp(type, "cgroup2") == 0)
		version = 2;
	else if (strcmp(type, "cgroup") == 0 && lists(options, strlen(options), "cpu"))
		version = 1;
	if (version == 0 || work->path[version - 1][0] == '\0')
		return;
	unescape(fields[3]);
	unescape(fields[4]);
	look_at_mount(work, version, fields[3], strcmp(fields[4], "/") == 0 ? "" : fields[4]);
}

int csysi_linux_cpu_quota(const char *root)
{
	/* Two: the outer reads mountinfo while the other reads the files of groups. */
	struct work *outer = csysi_alloc_zero(2 * sizeof *outer);
	if (!outer)
		return 0; /* no worse than not to know it */

	struct work *work = outer + 1;
	outer->root = work->root = root;
	read_paths(work);
	if (open_file(outer, "", "proc/self/mountinfo")) {
		while (next_line(outer))
			look_at_line(work, outer->line);
		close(outer->fd);
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
