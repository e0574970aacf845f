/*
 * os/posix/token_file.c - the files whose bytes are tokens.
 *
 * A process has lost all its record locks of a file when it closes any descriptor of that file.  So
 * each such file is opened once in a process, however often its tokens are used, and is closed with
 * the last use.
 *
 * Each process has a shared lock of one byte for as long as it has the file open.  The one that
 * gets that byte alone is the last, and removes the name.  A process that has opened the file
 * meanwhile sees, when it has its shared lock, that the name is gone, and begins again with a new
 * file.  So all that have the shared lock have the same file.
 *
 * A forked child has the descriptor, but not the shared lock, until it uses the file.  The file may
 * have lost its name until then, and others may have a new one: so the child looks too, and changes
 * over to the new one before it owns any token.
 */
#define _DEFAULT_SOURCE /* O_NOFOLLOW; POSIX alone would hide it on some systems */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/fault.h"
#include "base/memory.h"
#include "os/posix/posix.h"
#include "os/posix/token.h"

#define OPEN_FLAGS (O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* How long to wait for a process that removes a file. */
#define PATIENCE_MS 1000

/* Guards all files. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static struct csysi_posix_token_file *files;

/* In a forked child, where the thread that held the mutex does not exist. */
static void forget_holder(void)
{
	static const pthread_mutex_t fresh = PTHREAD_MUTEX_INITIALIZER;
	mutex = fresh;
}

static void prepare(void)
{
	(void)csysi_os_at_fork(forget_holder); /* without memory a forked child may hang here */
}

int csysi_posix_token_enter(void)
{
	pthread_once(&prepared, prepare);
	/* Cancelled while it opens or closes a file, this thread would keep the mutex. */
	int cancel = csysi_os_hold_cancel();
	pthread_mutex_lock(&mutex);
	return cancel;
}

void csysi_posix_token_leave(int cancel)
{
	pthread_mutex_unlock(&mutex);
	csysi_os_release_cancel(cancel);
}

/* ---- bytes ------------------------------------------------------------------------------- */

struct flock csysi_posix_token_range(uint32_t number, short type)
{
	struct flock range;

	memset(&range, 0, sizeof range);
	range.l_type = type;
	range.l_whence = SEEK_SET;
	range.l_start = (off_t)number;
	range.l_len = 1;
	return range;
}

int csysi_posix_token_set(int fd, uint32_t number, short type)
{
	struct flock range = csysi_posix_token_range(number, type);
	int r;

	do
		r = fcntl(fd, F_SETLK, &range);
	while (r < 0 && errno == EINTR);
	return r;
}

/* Note the use of a file, while a process that removes it goes on. */
static int use(int fd)
{
	struct csysi_backoff backoff = CSYSI_BACKOFF_LOOK;
	csys_deadline until = csys_after_ms(PATIENCE_MS);

	while (csysi_posix_token_set(fd, CSYSI_POSIX_TOKENS_USE, F_RDLCK) < 0) {
		if (errno != EACCES && errno != EAGAIN)
			return csysi_posix_fail();
		if (csys_deadline_left(until) <= 0)
			return CSYS_EBUSY;
		csysi_os_nap(csys_after_ns(csysi_backoff_next(&backoff, CSYS_FOREVER)));
	}
	return 0;
}

/* ---- opening ----------------------------------------------------------------------------- */

static struct csysi_posix_token_file *find(const struct stat *about)
{
	struct csysi_posix_token_file *file = files;

	while (file && !csysi_posix_is_same_file(&file->about, about))
		file = file->next;
	return file;
}

static int open_file(int directory, const char *name, int flags, int mode)
{
	int fd = csysi_fault(CSYS_EMFILE) < 0 ? (errno = EMFILE, -1) : 0;

	while (fd == 0) {
		fd = openat(directory, name, OPEN_FLAGS | flags, mode);
		if (fd < 0 && errno == EINTR)
			fd = 0;
	}
	return fd < 0 ? fd : csysi_posix_above_2(fd);
}

/* Whether a name leads to a file. */
static int leads_to(int directory, const char *name, const struct stat *about)
{
	struct stat now;

	return fstatat(directory, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       csysi_posix_is_same_file(&now, about);
}

/* Remove what a name leads to if no process uses the open file, which it was. */
static void remove_unused(int directory, const char *name, int fd, const struct stat *about)
{
	if (csysi_posix_token_set(fd, CSYSI_POSIX_TOKENS_USE, F_WRLCK) == 0 &&
	    leads_to(directory, name, about))
		unlinkat(directory, name, 0);
}

/* Remove a file of killed processes.  Not one that is open here: see above. */
static void clean_file(int directory, const char *name)
{
	struct stat about;

	if (fstatat(directory, name, &about, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(about.st_mode) ||
	    find(&about))
		return;
	int fd = openat(directory, name, OPEN_FLAGS);
	if (fd < 0)
		return;
	/* If it is another one by now, which is open here, it stays open: closing it would end the
	 * locks of that. */
	if (fstat(fd, &about) == 0 && find(&about))
		return;
	remove_unused(directory, name, fd, &about);
	close(fd);
}

/* Remove all such files of a directory; what fails is done the next time. */
static void clean(int directory)
{
	size_t size = strlen(CSYSI_OS_TOKEN_PREFIX);
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all = fd < 0 ? NULL : fdopendir(fd);

	if (!all && fd >= 0)
		close(fd);
	if (!all)
		return;
	for (const struct dirent *entry; (entry = readdir(all)) != NULL;)
		if (strncmp(entry->d_name, CSYSI_OS_TOKEN_PREFIX, size) == 0)
			clean_file(directory, entry->d_name);
	closedir(all);
}

/* Open the file of a place once, or create it.  CSYS_EAGAIN: it has changed meanwhile. */
static int open_or_create(int directory, const struct csysi_os_token_place *place, int *out)
{
	int fd = open_file(directory, place->name, 0, 0);

	if (fd < 0 && errno == ENOENT) {
		clean(directory);
		fd = open_file(directory, place->name, O_CREAT | O_EXCL, 0600);
		if (fd < 0 && errno == EEXIST)
			return CSYS_EAGAIN;
		if (fd >= 0 && fchmod(fd, (mode_t)place->mode) < 0) {
			int r = csysi_posix_fail();
			close(fd);
			return r;
		}
	}
	if (fd < 0)
		return csysi_posix_fail();
	*out = fd;
	return 0;
}

/* A forked child: note that it uses the file, or the one that has its name by now. */
static int use_again(struct csysi_posix_token_file *file)
{
	int fd;
	struct stat about;
	struct csysi_os_token_place place = { file->directory, file->name,
					      (int)(file->about.st_mode & 0666) };
	int r = use(file->fd);
	if (r < 0)
		return r;
	/* Not by its name: a process that has become another user's may not look there. */
	if (fstat(file->fd, &about) == 0 && about.st_nlink > 0)
		return 0;

	/* Another one that is open here already stays what it is: a file is opened once. */
	if (fstatat(file->directory, file->name, &about, AT_SYMLINK_NOFOLLOW) == 0 && find(&about))
		return CSYS_EPERM;
	r = open_or_create(file->directory, &place, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &about) < 0 || !S_ISREG(about.st_mode)) {
		close(fd);
		return CSYS_EPERM;
	}
	close(file->fd); /* of which this process has locked nothing else */
	file->fd = fd;
	file->about = about;
	return CSYS_EAGAIN;
}

int csysi_posix_token_inherit(struct csysi_posix_token_file *file)
{
	uint32_t generation = csysi_os_generation();
	csys_deadline until = csys_after_ms(PATIENCE_MS);
	int r;

	if (file->generation == generation)
		return 0;
	memset(file->locked, 0, sizeof file->locked);
	file->is_entered = 0;
	do
		r = use_again(file);
	while (r == CSYS_EAGAIN && csys_deadline_left(until) > 0);
	if (r == 0)
		file->generation = generation;
	return r == CSYS_EAGAIN ? CSYS_EBUSY : r;
}

/* The same for those with a name, before it is opened: one of them may change over to it. */
static int inherit_named(const char *name)
{
	int r = 0;

	for (struct csysi_posix_token_file *file = files; file && r == 0; file = file->next)
		if (strcmp(file->name, name) == 0)
			r = csysi_posix_token_inherit(file);
	return r;
}

/* Fill in what an open file needs, and note its use.  CSYS_EAGAIN: it was removed meanwhile. */
static int settle(struct csysi_posix_token_file *file, int directory, const char *name)
{
	if (fstat(file->fd, &file->about) < 0)
		return csysi_posix_fail();
	if (!S_ISREG(file->about.st_mode))
		return CSYS_EPERM;
	int r = use(file->fd);
	if (r == 0 && !leads_to(directory, name, &file->about))
		r = CSYS_EAGAIN;
	if (r < 0)
		return r;
	file->directory = fcntl(directory, F_DUPFD_CLOEXEC, 3);
	file->generation = csysi_os_generation();
	strcpy(file->name, name);
	return file->directory < 0 ? csysi_posix_fail() : 0;
}

/*
 * Open a file that is not open here.  If its name led to another one a moment ago, which is open
 * here, closing it again would end the locks of that one: then it stays open.
 */
static int add_file(int directory, const struct csysi_os_token_place *place,
		    struct csysi_posix_token_file **out)
{
	struct csysi_posix_token_file *file = csysi_alloc_zero(sizeof *file);
	if (!file)
		return CSYS_ENOMEM;

	int r = open_or_create(directory, place, &file->fd);
	if (r < 0) {
		csysi_free(file);
		return r;
	}
	struct csysi_posix_token_file *other =
		fstat(file->fd, &file->about) == 0 ? find(&file->about) : NULL;
	if (other) {
		csysi_free(file);
		*out = other;
		return 0;
	}
	r = settle(file, directory, place->name);
	if (r < 0) {
		if (S_ISREG(file->about.st_mode)) /* which this call may have created */
			remove_unused(directory, place->name, file->fd, &file->about);
		close(file->fd);
		csysi_free(file);
		return r;
	}
	file->next = files;
	files = file;
	*out = file;
	return 0;
}

static int use_file(int directory, const struct csysi_os_token_place *place,
		    struct csysi_posix_token_file **out)
{
	struct stat about;
	int r = inherit_named(place->name);
	if (r < 0)
		return r;

	struct csysi_posix_token_file *file =
		fstatat(directory, place->name, &about, AT_SYMLINK_NOFOLLOW) == 0 ? find(&about)
										  : NULL;
	if (!file)
		r = add_file(directory, place, &file);
	if (r == 0) {
		file->uses++;
		*out = file;
	}
	return r;
}

int csysi_posix_token_locks_open(struct csysi_os_tokens *tokens,
				 const struct csysi_os_token_place *place)
{
	struct csysi_posix_token_file *file = NULL;
	csys_deadline until = csys_after_ms(PATIENCE_MS);
	int r;

	if (strlen(place->name) >= CSYSI_OS_TOKEN_NAME)
		return CSYS_EINVAL;
	int cancel = csysi_posix_token_enter();
	do
		r = use_file((int)place->directory, place, &file);
	while (r == CSYS_EAGAIN && csys_deadline_left(until) > 0);
	csysi_posix_token_leave(cancel);
	if (r == 0)
		tokens->locks = file;
	return r == CSYS_EAGAIN ? CSYS_EBUSY : r;
}

void csysi_posix_token_locks_close(struct csysi_os_tokens *tokens)
{
	struct csysi_posix_token_file *file = tokens->locks;
	int error = errno;

	int cancel = csysi_posix_token_enter();
	if (--file->uses == 0) {
		struct csysi_posix_token_file **link = &files;
		while (*link != file)
			link = &(*link)->next;
		*link = file->next;
		/* Also in a forked child that has not used it. */
		remove_unused(file->directory, file->name, file->fd, &file->about);
		close(file->directory);
		close(file->fd);
		csysi_free(file);
	}
	csysi_posix_token_leave(cancel);
	tokens->locks = NULL;
	errno = error;
}
