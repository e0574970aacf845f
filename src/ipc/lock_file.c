/*
 * ipc/lock_file.c - files that tell which process holds their lock.
 *
 *     4711
 *     start 1234560000000 boot 0123456789abcdef0123456789abcdef
 *
 * Invariant: a process that has a file here has it locked, and has seen since that the path leads
 * to it.  Only such a process writes into the file and removes it.  So what stands in a file is the
 * line of its holder, or nothing, or that of a process that has ended without closing it, which is
 * told by its start and boot.
 *
 * A query asks the system which lock there is; where that does not tell, it has to take the lock,
 * shared, for a moment.  So a process that finds the file locked looks whether it is only shared,
 * and tries again then.
 */
#include <stdio.h>
#include <string.h>

#include <csys/ipc/lock_file.h>

#include "base/memory.h"
#include "ipc/file_lock.h"

#define MODE 0644
#define MOST_LINES 256u /* bytes that are read */

/* So often a file is tried that queries have locked: first at once, as a query takes no time, and
 * then for as long as a process that makes one may be without a processor. */
#define QUICK_TRIES 50
#define QUERY_TRIES 150
#define QUICK_NAP_NS 20000
#define LONG_NAP_NS 1000000

struct csys_lock_file {
	csys_file_lock *lock;
	csys_handle folder;
	int is_kept;
	char name[]; /* in the folder */
};

/* ---- whose it is ----------------------------------------------------------------------------- */

/* When a process has started, 0 if that is not told.  CSYS_ESRCH, and other failures. */
static int start_of(int64_t pid, int64_t *out)
{
	struct csysi_os_table table = { .handle = CSYS_NO_HANDLE };
	struct csysi_os_process row = { 0 };
	int r = csysi_os_table_read(&table, pid, CSYSI_OS_PROCESS_START, &row);

	csysi_os_table_close(&table);
	if (r == 0)
		*out = row.valid & CSYSI_OS_PROCESS_START ? row.start : 0;
	return r;
}

static int write_lines(const csys_lock_file *file)
{
	char lines[MOST_LINES];
	uint64_t boot[2];
	int64_t pid = csysi_os_pid();
	int64_t start = 0;

	(void)start_of(pid, &start); /* else it is not told */
	csysi_os_boot_id(boot);
	int size = snprintf(lines, sizeof lines, "%lld\nstart %lld boot %016llx%016llx\n",
			    (long long)pid, (long long)start, (unsigned long long)boot[0],
			    (unsigned long long)boot[1]);
	return csysi_os_file_lock_write(&file->lock->opening, lines, (size_t)size);
}

/* Parse a number, up to 18 digits; NULL: there is none. */
static const char *parse_number(const char *text, int64_t *out)
{
	int64_t number = 0;
	int digits = 0;

	for (; *text >= '0' && *text <= '9' && digits < 18; digits++)
		number = 10 * number + (*text++ - '0');
	*out = number;
	return digits > 0 ? text : NULL;
}

static const char *parse_hex(const char *text, uint64_t *out)
{
	*out = 0;
	for (int i = 0; i < 16; i++, text++) {
		const char *digits = "0123456789abcdef";
		const char *digit = *text ? strchr(digits, *text) : NULL;
		if (!digit)
			return NULL;
		*out = *out << 4 | (uint64_t)(digit - digits);
	}
	return text;
}

/* Parse what follows a word. */
static const char *skip_word(const char *text, const char *word)
{
	size_t size = strlen(word);

	return text && strncmp(text, word, size) == 0 ? text + size : NULL;
}

/* Parse the lines of a file, which may hold anything.  Without the second line start is -1. */
static void parse_lines(const char *text, csys_lock_file_info *out)
{
	const char *at = parse_number(text, &out->pid);

	if (!at || (*at != '\n' && *at != '\0'))
		out->pid = 0;
	at = skip_word(at, "\nstart ");
	at = at ? parse_number(at, &out->start) : NULL;
	at = skip_word(at, " boot ");
	at = at ? parse_hex(at, &out->boot[0]) : NULL;
	at = at ? parse_hex(at, &out->boot[1]) : NULL;
	if (!skip_word(at, "\n"))
		out->start = -1;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int is_foreign(csys_handle handle)
{
	struct csysi_os_file about;

	return csysi_os_file_info(handle, &about) < 0 ||
	       (about.owner != csysi_os_user() && about.owner != csysi_os_administrator());
}

/* Check that this is a file to be emptied and written. */
static int check_file(const csys_file_lock *lock, int accept_foreign)
{
	if (!lock->opening.is_file || lock->opening.has_links)
		return CSYS_EPERM;
	if (!accept_foreign && is_foreign(lock->opening.handle))
		return CSYS_EPERM;
	return lock->opening.is_writable ? 0 : CSYS_EACCES;
}

/* Lock at once, also where a query has the file: CSYS_ETIMEDOUT if a process has it. */
static int lock_now(csys_file_lock *lock)
{
	for (int tries = 0; tries < QUERY_TRIES; tries++) {
		int r = csys_file_lock_lock_until(lock, CSYS_FILE_LOCK_EXCLUSIVE, CSYS_POLL);
		if (r != CSYS_ETIMEDOUT)
			return r;
		r = csys_file_lock_lock_until(lock, CSYS_FILE_LOCK_SHARED, CSYS_POLL);
		if (r < 0)
			return r;
		csys_file_lock_unlock(lock);
		csysi_os_nap(csys_after_ns(tries < QUICK_TRIES ? QUICK_NAP_NS : LONG_NAP_NS));
	}
	return CSYS_ETIMEDOUT;
}

/* Whether the name in the folder still is that of the file. */
static int is_there(const csys_lock_file *file)
{
	return csysi_os_directory_is_file(file->folder, file->name, file->lock->opening.handle) > 0;
}

/* Open and lock the file once: 0, also if it is not there any more. */
static int lock_once(csys_lock_file *file, const csys_lock_file_options *options,
		     csys_deadline deadline)
{
	int r = csysi_file_lock_open_at(file->folder, file->name,
					CSYSI_OS_LOCK_CREATE | CSYSI_OS_LOCK_NO_LINK,
					options->mode ? options->mode : MODE, &file->lock);
	if (r < 0)
		return r;
	r = check_file(file->lock, options->accept_foreign);
	if (r < 0)
		return r;
	if (!csys_deadline_is_poll(deadline))
		r = csys_file_lock_lock_until(file->lock, CSYS_FILE_LOCK_EXCLUSIVE, deadline);
	else
		r = CSYS_ETIMEDOUT;
	/* A query may have it at the deadline. */
	return r == CSYS_ETIMEDOUT ? lock_now(file->lock) : r;
}

static int lock_what_is_there(csys_lock_file *file, const csys_lock_file_options *options,
			      csys_deadline deadline)
{
	for (;;) {
		int r = lock_once(file, options, deadline);
		if (r < 0 || is_there(file))
			return r;
		csys_file_lock_close(file->lock);
		file->lock = NULL;
	}
}

/* Remove or empty the file, which is locked. */
static void clear(const csys_lock_file *file)
{
	if (!is_there(file))
		return;
	if (file->is_kept || csysi_os_directory_remove(file->folder, file->name) < 0)
		(void)csysi_os_file_lock_write(&file->lock->opening, NULL, 0);
}

static void discard(csys_lock_file *file)
{
	csys_file_lock_close(file->lock);
	csysi_os_close(file->folder);
	csysi_free(file);
}

/* An object for a path, whose folder is open. */
static int make(const char *path, csys_lock_file **out)
{
	csys_handle folder;
	const char *name;
	int r = csysi_os_file_lock_folder(path, &folder, &name);
	if (r < 0)
		return r;

	size_t size = strlen(name) + 1;
	csys_lock_file *file = csysi_alloc_zero(sizeof *file + size);
	if (!file) {
		csysi_os_close(folder);
		return CSYS_ENOMEM;
	}
	file->folder = folder;
	memcpy(file->name, name, size);
	*out = file;
	return 0;
}

static int is_valid(const csys_lock_file_options *options)
{
	return options->mode >= 0 && options->mode <= 0777 && options->reserved == 0;
}

int csys_lock_file_open_until(const char *path, const csys_lock_file_options *options,
			      csys_deadline deadline, csys_lock_file **out)
{
	static const csys_lock_file_options none;
	csys_lock_file *file;
	if (!options)
		options = &none;
	if (!path || !out || !is_valid(options))
		return CSYS_EINVAL;
	int r = csysi_os_can(CSYS_CAN_FILE_LOCK) ? make(path, &file) : CSYS_ENOTSUP;
	if (r < 0)
		return r;

	file->is_kept = options->keep;
	r = lock_what_is_there(file, options, deadline);
	if (r == 0) {
		r = write_lines(file);
		if (r < 0)
			clear(file);
	}
	if (r < 0)
		discard(file);
	else
		*out = file;
	return r;
}

int csys_lock_file_open(const char *path, const csys_lock_file_options *options,
			csys_lock_file **out)
{
	return csys_lock_file_open_until(path, options, CSYS_FOREVER, out);
}

int csys_lock_file_try_open(const char *path, const csys_lock_file_options *options,
			    csys_lock_file **out)
{
	int r = csys_lock_file_open_until(path, options, CSYS_POLL, out);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

void csys_lock_file_close(csys_lock_file *file)
{
	if (!file)
		return;
	if (!csysi_file_lock_is_copy(file->lock))
		clear(file);
	discard(file);
}

csys_handle csys_lock_file_handle(const csys_lock_file *file)
{
	return file ? csys_file_lock_handle(file->lock) : CSYS_NO_HANDLE;
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Whether the file is locked exclusively; *out_pid: by that process, 0 if it is not told. */
static int is_held(csys_file_lock *lock, int64_t *out_pid)
{
	csys_file_lock_info info;

	*out_pid = 0;
	if (csys_file_lock_owner(lock, CSYS_FILE_LOCK_SHARED, &info) == 0) {
		*out_pid = info.pid;
		return 1;
	}
	int r = csys_file_lock_try_lock(lock, CSYS_FILE_LOCK_SHARED);
	if (r == 0)
		csys_file_lock_unlock(lock);
	return r == CSYS_EAGAIN ? 1 : r;
}

/* Whether the process with this pid is known to have started at another time than a file tells. */
static int is_another(const csys_lock_file_info *info)
{
	int64_t start = 0;

	return start_of(info->pid, &start) == 0 && start > 0 && info->start != start;
}

/* Whether the process that a file tells of runs, and is that of which it tells. */
static int is_running(const csys_lock_file_info *info, int has_start, int is_this_boot)
{
	int64_t start = 0;
	int r = start_of(info->pid, &start);

	return r != CSYS_ESRCH && (!has_start || (r == 0 && is_this_boot && info->start == start));
}

/*
 * Believe what stands in a file if the system tells the same pid, and no other start, or if such a
 * process runs.  Else
 * what the system tells is the best there is: that process may have ended, and left the lock to
 * another.
 */
static void verify(csys_lock_file_info *info, int64_t locked_by)
{
	uint64_t boot[2];
	int has_start = info->start >= 0;

	csysi_os_boot_id(boot);
	int is_this_boot = has_start && info->boot[0] == boot[0] && info->boot[1] == boot[1];
	int is_told = info->pid > 0 && info->pid == locked_by &&
		      (!has_start || (is_this_boot && !is_another(info)));
	int is_believed = is_told || (info->pid > 0 && is_running(info, has_start, is_this_boot));
	if (!is_believed)
		*info = (csys_lock_file_info){ .pid = locked_by };
	else if (!has_start)
		*info = (csys_lock_file_info){ .pid = info->pid };
	info->is_certain = is_told || (is_believed && info->start > 0);
}

static int look(csys_lock_file *file, csys_lock_file_info *out)
{
	char lines[MOST_LINES + 1] = "";
	struct csysi_os_file about;
	csys_lock_file_info info = { 0 };
	int64_t locked_by;
	int r = csysi_file_lock_open_at(file->folder, file->name, CSYSI_OS_LOCK_NO_LINK, 0,
					&file->lock);
	if (r < 0)
		return r;
	r = file->lock->opening.is_file ? is_held(file->lock, &locked_by) : CSYS_EPERM;
	if (r <= 0)
		return r < 0 ? r : CSYS_ENOENT;

	/* It may change meanwhile, and then it is not read whole. */
	r = csysi_os_file_info(file->lock->opening.handle, &about);
	size_t size = r < 0 || about.size > MOST_LINES ? MOST_LINES : (size_t)about.size;
	if (size > 0 && csysi_os_read_at(file->lock->opening.handle, 0, lines, size) < 0)
		lines[0] = '\0';
	parse_lines(lines, &info);
	verify(&info, locked_by);
	*out = info;
	return 0;
}

int csys_lock_file_owner(const char *path, csys_lock_file_info *out)
{
	csys_lock_file *file;
	if (!path || !out)
		return CSYS_EINVAL;
	int r = csysi_os_can(CSYS_CAN_FILE_LOCK) ? make(path, &file) : CSYS_ENOTSUP;
	if (r < 0)
		return r;
	r = look(file, out);
	discard(file);
	return r;
}
