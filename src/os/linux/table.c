/*
 * os/linux/table.c - the process table, from /proc.
 *
 * A row that needs more than one file opens the folder of the process first, and reads relative
 * to it.  An open folder belongs to the process and not to the pid: after the end of the process
 * it is empty, and never has files of another process.  Between two rows only the list is open.
 *
 * The texts of a row are one after the other in table->text, which grows and is used for each
 * row.  It may move, so positions in it are kept until the row is complete.
 */
#define _GNU_SOURCE /* O_PATH, syscall */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/stat.h> /* statx, which some libcs do not have; <sys/stat.h> would not go with it */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "os/linux/linux.h"
#include "os/linux/proc_parse.h"
#include "os/posix/posix.h"

#define PROC_MAGIC 0x9fa0
#define LIST_SIZE ((size_t)32 << 10)
#define FIRST_ROOM ((size_t)4 << 10)

/* A file of the process needs a more privileged caller. */
#define DENIED CSYS_EPERM

/* The fields that come from one file. */
#define OF_STATUS (CSYSI_OS_PROCESS_USER | CSYSI_OS_PROCESS_PEAK)

/* Where the files of one process are found. */
struct place {
	int folder;      /* that of the process, or /proc, or AT_FDCWD */
	int own;         /* it is the folder of the process, and has to be closed */
	char prefix[32]; /* before the name of a file */
};

static int is_proc(const char *path, int fd)
{
	struct statfs about;
	int r = path ? statfs(path, &about) : fstatfs(fd, &about);
	return r == 0 && about.f_type == PROC_MAGIC;
}

/* The result for errno of a call below /proc/PID. */
static int failed(void)
{
	switch (errno) {
	case ENOENT:
	case ESRCH:
		csysi_set_os_error(errno);
		return CSYS_ESRCH;
	case EACCES:
	case EPERM:
		return DENIED;
	default:
		return csysi_posix_fail();
	}
}

/* ---- the list ---------------------------------------------------------------------- */

int csysi_os_table_open(struct csysi_os_table *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return errno == ENOENT ? CSYS_ENOTSUP : csysi_posix_fail();
	char *list = NULL;
	r = CSYS_ENOTSUP;
	if (is_proc(NULL, fd)) {
		r = CSYS_ENOMEM;
		list = csysi_alloc(LIST_SIZE);
	}
	if (!list) {
		csysi_os_close(fd);
		return r;
	}
	*out = (struct csysi_os_table){ .handle = fd, .list = list };
	return 0;
}

int csysi_os_table_rewind(struct csysi_os_table *table)
{
	table->list_at = table->list_size = 0;
	return lseek((int)table->handle, 0, SEEK_SET) < 0 ? csysi_posix_fail() : 0;
}

void csysi_os_table_close(struct csysi_os_table *table)
{
	csysi_os_close(table->handle);
	csysi_free(table->list);
	csysi_free(table->text);
}

/* The name of the entry at *at; moves *at to the next entry. */
static const char *next_name(const char *list, size_t *at)
{
	const struct directory_entry *entry = (const void *)(list + *at);

	*at += entry->size;
	return entry->name;
}

/* The pid that a name is; -1 if it is none. */
static int64_t pid_of(const char *name)
{
	int64_t pid = 0;
	do {
		if (*name < '0' || *name > '9')
			return -1;
		pid = pid * 10 + (*name - '0');
	} while (*++name);
	return pid;
}

int csysi_os_table_next(struct csysi_os_table *table, int64_t *out_pid)
{
	for (;;) {
		while (table->list_at < table->list_size) {
			int64_t pid = pid_of(next_name(table->list, &table->list_at));
			if (pid < 0)
				continue;
			*out_pid = pid;
			return 1;
		}
		long size = syscall(SYS_getdents64, (int)table->handle, table->list, LIST_SIZE);
		if (size <= 0)
			return size < 0 ? csysi_posix_fail() : 0;
		table->list_at = 0;
		table->list_size = (size_t)size;
	}
}

/* ---- reading ------------------------------------------------------------------------- */

/* Make room for `more` bytes at text[at]. */
static int reserve(struct csysi_os_table *table, size_t at, size_t more)
{
	size_t room = table->text_room ? table->text_room : FIRST_ROOM;
	while (room - at < more)
		room *= 2;
	if (room == table->text_room)
		return 0;
	char *text = csysi_realloc(table->text, room);
	if (!text)
		return CSYS_ENOMEM;
	table->text = text;
	table->text_room = room;
	return 0;
}

static int open_file(const struct place *place, const char *name, int flags, int *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	char path[sizeof place->prefix + 16];
	if (!place->own) {
		size_t length = strlen(place->prefix);
		memcpy(path, place->prefix, length);
		memcpy(path + length, name, strlen(name) + 1);
		name = path;
	}
	int fd = openat(place->folder, name, flags | O_CLOEXEC);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return failed();
	*out = fd;
	return 0;
}

/* Read a whole file to text[at], with a NUL after it. */
static int read_file(struct csysi_os_table *table, const struct place *place, const char *name,
		     size_t at, size_t *out_size)
{
	int fd;
	int r = open_file(place, name, O_RDONLY, &fd);
	if (r < 0)
		return r;

	size_t got = 0;
	for (;;) {
		r = reserve(table, at, got + 512);
		if (r < 0)
			break;
		size_t asked = table->text_room - at - got - 1;
		ssize_t size = read(fd, table->text + at + got, asked);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0) {
			r = failed();
			break;
		}
		got += (size_t)size;
		/* A read of these files returns all that fits. */
		if ((size_t)size < asked)
			break;
	}
	csysi_os_close(fd);
	if (r < 0)
		return r;
	table->text[at + got] = '\0';
	*out_size = got;
	return 0;
}

/* Read a link to text[at], with a NUL after it.  CSYS_ESRCH if the link has no target. */
static int read_link(struct csysi_os_table *table, const struct place *place, const char *name,
		     size_t at, size_t *out_size)
{
	/* The folder of the process is open, since a link is not in a row alone. */
	for (size_t room = 256;; room *= 2) {
		int r = reserve(table, at, room);
		if (r < 0)
			return r;
		room = table->text_room - at;
		ssize_t size = readlinkat(place->folder, name, table->text + at, room);
		if (size < 0)
			return failed();
		if ((size_t)size < room) {
			table->text[at + (size_t)size] = '\0';
			*out_size = (size_t)size;
			return 0;
		}
	}
}

/* Count the entries of the fd folder of a process. */
static int count_entries(struct csysi_os_table *table, const struct place *place, size_t at,
			 int64_t *out)
{
	int fd;
	int r = open_file(place, "fd", O_RDONLY | O_DIRECTORY, &fd);
	if (r < 0)
		return r;

	int64_t count = 0;
	r = reserve(table, at, FIRST_ROOM);
	while (r == 0) {
		long size = syscall(SYS_getdents64, fd, table->text + at, table->text_room - at);
		if (size < 0)
			r = failed();
		if (size <= 0)
			break;
		for (size_t next = 0; next < (size_t)size;)
			count += pid_of(next_name(table->text + at, &next)) >= 0;
	}
	csysi_os_close(fd);
	if (r == 0)
		*out = count;
	return r;
}

static int count_handles(struct csysi_os_table *table, const struct place *place, int64_t pid,
			 size_t at, int64_t *out)
{
	/* Since Linux 6.2 the size of the folder tells, to every caller; before, it is 0. */
	struct statx about;
	int64_t count = 0;
	int64_t mine = 1; /* the folder of the process */
	if (syscall(SYS_statx, place->folder, "fd", 0, STATX_SIZE, &about) == 0)
		count = (int64_t)about.stx_size;
	if (count == 0) {
		int r = count_entries(table, place, at, &count);
		if (r < 0)
			return r;
		mine = 2; /* and its fd folder */
	}
	*out = pid == getpid() ? count - mine : count;
	return 0;
}

/* ---- one row ---------------------------------------------------------------------------- */

/* Note the result of reading some fields.  A failure other than DENIED is one of the row. */
static int settle(struct csysi_os_process *out, uint32_t fields, int r)
{
	if (r == DENIED) {
		out->denied |= fields;
		return 0;
	}
	if (r == 0)
		out->valid |= fields;
	return r;
}

/* Note the result for a link or for handles, which a running process may lack. */
static int settle_missing(struct csysi_os_process *out, uint32_t field, int r)
{
	r = settle(out, field, r);
	return r == CSYS_ESRCH || r == CSYS_ENAMETOOLONG ? 0 : r;
}

/* The positions of the texts of a row, while table->text may move. */
struct texts {
	size_t command, executable, cwd;
	size_t used;
};

static int read_stat(struct csysi_os_table *table, const struct place *place,
		     struct csysi_os_process *out, struct texts *texts)
{
	size_t size;
	int r = read_file(table, place, "stat", 0, &size);
	if (r == 0) {
		r = csysi_linux_parse_stat(table->text, size, out, &size);
		texts->used = size + 1;
	}
	return settle(out, CSYSI_OS_PROCESS_BASIC, r);
}

static int read_more(struct csysi_os_table *table, const struct place *place, int64_t pid,
		     uint32_t fields, struct csysi_os_process *out, struct texts *texts)
{
	size_t size;
	int r = 0;

	if (fields & OF_STATUS) {
		r = read_file(table, place, "status", texts->used, &size);
		if (r == 0)
			csysi_linux_parse_status(table->text + texts->used, out);
		else
			r = settle(out, fields & OF_STATUS, r);
	}
	if (r == 0 && fields & CSYSI_OS_PROCESS_COMMAND) {
		r = read_file(table, place, "cmdline", texts->used, &size);
		if (r == 0) {
			texts->command = texts->used;
			/* If the program has no NUL after the last argument, count the one here. */
			if (size > 0 && table->text[texts->used + size - 1] != '\0')
				size++;
			out->command_size = size;
			texts->used += size + 1;
		}
		r = settle(out, CSYSI_OS_PROCESS_COMMAND, r);
	}
	if (r == 0 && fields & CSYSI_OS_PROCESS_EXECUTABLE) {
		r = read_link(table, place, "exe", texts->used, &size);
		if (r == 0) {
			texts->executable = texts->used;
			texts->used += size + 1;
		}
		r = settle_missing(out, CSYSI_OS_PROCESS_EXECUTABLE, r);
	}
	if (r == 0 && fields & CSYSI_OS_PROCESS_CWD) {
		r = read_link(table, place, "cwd", texts->used, &size);
		if (r == 0) {
			texts->cwd = texts->used;
			texts->used += size + 1;
		}
		r = settle_missing(out, CSYSI_OS_PROCESS_CWD, r);
	}
	if (r == 0 && fields & CSYSI_OS_PROCESS_HANDLES)
		r = settle_missing(out, CSYSI_OS_PROCESS_HANDLES,
				   count_handles(table, place, pid, texts->used, &out->handles));
	return r;
}

/* Tell where the files of a process are; with `own` open its folder. */
static int enter(const struct csysi_os_table *table, int64_t pid, int own, struct place *out)
{
	int listed = table->handle != CSYS_NO_HANDLE;
	struct place place = { .folder = listed ? (int)table->handle : AT_FDCWD };
	char digits[24];
	size_t count = 0;
	size_t length = 0;

	/* Not by snprintf, which takes a good part of the time for a row. */
	if (!listed) {
		memcpy(place.prefix, "/proc/", 6);
		length = 6;
	}
	for (; pid > 0; pid /= 10)
		digits[count++] = (char)('0' + pid % 10);
	while (count > 0)
		place.prefix[length++] = digits[--count];
	place.prefix[length] = '/';
	if (own) {
		int r = open_file(&place, "", O_PATH | O_DIRECTORY, &place.folder);
		if (r < 0)
			return r;
		place.own = 1;
	}
	*out = place;
	return 0;
}

int csysi_os_table_read(struct csysi_os_table *table, int64_t pid, uint32_t fields,
			struct csysi_os_process *out)
{
	struct place place;
	struct texts texts = { 0 };
	uint32_t more = fields & ~(uint32_t)CSYSI_OS_PROCESS_BASIC;

	out->valid = out->denied = 0;
	if (pid > INT_MAX)
		return CSYS_ESRCH;
	int r = enter(table, pid, more != 0, &place);
	if (r == 0) {
		r = read_stat(table, &place, out, &texts);
		if (r == 0 && more)
			r = read_more(table, &place, pid, more, out, &texts);
		if (place.own)
			csysi_os_close(place.folder);
	}
	if (r == CSYS_ESRCH && table->handle == CSYS_NO_HANDLE && !is_proc("/proc", -1))
		return CSYS_ENOTSUP;
	if (r < 0)
		return r;

	out->name = table->text;
	out->command = table->text + texts.command;
	out->executable = table->text + texts.executable;
	out->cwd = table->text + texts.cwd;
	out->denied &= fields;
	return 0;
}

int csysi_os_table_has_variable(struct csysi_os_table *table, int64_t pid, const char *variable,
				const char *text)
{
	struct place place;
	size_t size;
	int r = enter(table, pid, 0, &place);

	if (r == 0)
		r = read_file(table, &place, "environ", 0, &size);
	if (r < 0)
		return r == CSYS_ENOMEM || r == CSYS_EMFILE ? r : 0;

	/* There is a NUL after each variable, and one after all. */
	size_t length = strlen(variable);
	const char *end = table->text + size;
	for (const char *entry = table->text; entry < end; entry += strlen(entry) + 1)
		if (strncmp(entry, variable, length) == 0 && entry[length] == '=' &&
		    strstr(entry + length + 1, text))
			return 1;
	return 0;
}
