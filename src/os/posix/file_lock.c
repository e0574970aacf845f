/*
 * os/posix/file_lock.c - advisory locks of files, by flock, and the openings that have them.
 *
 * A forked child has copies of all descriptors.  With one of an opening it would keep the lock as
 * long as it lives.  So all openings are in a list, and a handler that fork calls closes them in
 * the child.  The handler cannot wait for a thread that was changing the list, since that does not
 * exist there.  Invariant: the list can be walked from its head at any moment, by its `next`; an
 * opening is in it from before it locks until it has unlocked.
 *
 * An opening that another thread makes while a fork is under way may be in the child without being
 * in the list there.  So it is made again if a fork began before it was in the list and after, or
 * not long before, it was opened: `forks` counts beginnings and ends.
 */
#define _GNU_SOURCE /* flock, O_PATH */
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "os/posix/posix.h"

/* ---- the openings, and forks --------------------------------------------------------------- */

static pthread_mutex_t lock_of_list = PTHREAD_MUTEX_INITIALIZER;
static struct csysi_os_file_lock *openings; /* changed under lock_of_list */
static uint32_t begun, ended;               /* forks */
static pthread_once_t registered = PTHREAD_ONCE_INIT;

/* To find names in a folder, which need not be readable for that. */
#ifdef O_SEARCH
#define TO_SEARCH O_SEARCH
#elif defined O_PATH
#define TO_SEARCH O_PATH
#else
#define TO_SEARCH O_RDONLY
#endif

/* So many forks in a row may spoil an opening before it is taken as it is. */
#define MOST_FORKS 1000
#define FORK_NAP_NS 50000

static void begin_fork(void)
{
	/* Sequentially consistent, as in open_alone: an opening that does not see this was in the
	 * list before the memory was copied. */
	(void)csysi_add_seq_cst(&begun, 1);
}

static void end_fork(void)
{
	(void)csysi_add_seq_cst(&ended, 1);
}

static void close_in_child(void)
{
	pthread_mutex_init(&lock_of_list, NULL);
	/* Acquire pairs with the releases of other threads of the parent. */
	for (struct csysi_os_file_lock *at = csysi_load_acquire(&openings); at;
	     at = csysi_load_acquire(&at->next)) {
		int fd = (int)at->handle;
		at->handle = CSYS_NO_HANDLE;
		close(fd);
	}
	openings = NULL;
	ended = begun; /* those of other threads of the parent do not end here */
}

static void register_once(void)
{
	/* Without memory for it forked children keep what they have copies of. */
	(void)pthread_atfork(begin_fork, end_fork, close_in_child);
}

static void enter(struct csysi_os_file_lock *lock)
{
	pthread_mutex_lock(&lock_of_list);
	lock->next = openings;
	lock->link = &openings;
	if (openings)
		openings->link = &lock->next;
	/* Release: a child that finds it finds its `next`. */
	csysi_store_release(&openings, lock);
	pthread_mutex_unlock(&lock_of_list);
}

static void leave(struct csysi_os_file_lock *lock)
{
	pthread_mutex_lock(&lock_of_list);
	csysi_store_release(lock->link, lock->next);
	if (lock->next)
		lock->next->link = lock->link;
	pthread_mutex_unlock(&lock_of_list);
}

/* ---- opening ------------------------------------------------------------------------------- */

/* How a file is opened. */
struct opening {
	int directory;
	const char *path;
	int flags;
	mode_t mode;
	int is_created;
};

static int open_retry(const struct opening *how, int flags)
{
	int fd;

	do
		fd = openat(how->directory, how->path,
			    flags | how->flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, how->mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

/* Open what exists: for reading, where writing is not allowed, or is nothing for a directory or a
 * program that runs. */
static int open_existing(const struct opening *how)
{
	int fd = open_retry(how, O_RDWR);

	if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS || errno == EISDIR ||
		       errno == ETXTBSY))
		fd = open_retry(how, O_RDONLY);
	return fd;
}

static int open_or_create(const struct opening *how)
{
	int fd = open_existing(how);
	if (fd >= 0 || errno != ENOENT || !how->is_created)
		return fd;
	/* O_EXCL, since some systems refuse O_CREAT alone for a file of another user in a directory
	 * that all may write to, even to the administrator. */
	fd = open_retry(how, O_RDWR | O_CREAT | O_EXCL);
	if (fd >= 0 || errno != EEXIST)
		return fd;
	fd = open_existing(how);
	/* Removed again; or a symbolic link to nothing, which is followed. */
	return fd < 0 && errno == ENOENT ? open_retry(how, O_RDWR | O_CREAT) : fd;
}

static int describe(int fd, struct csysi_os_file_lock *out)
{
	struct stat about;

	if (fstat(fd, &about) < 0)
		return csysi_posix_fail();
	out->handle = fd;
	out->device = (uint64_t)about.st_dev;
	out->number = (uint64_t)about.st_ino;
	out->is_file = S_ISREG(about.st_mode);
	out->has_links = about.st_nlink > 1;
	out->is_writable = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
	return 0;
}

static int open_once(const struct opening *how, struct csysi_os_file_lock *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;
	int fd = open_or_create(how);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	r = describe(fd, out);
	if (r < 0)
		csysi_os_close(fd);
	return r;
}

/* Open so that no child has the opening that is being forked meanwhile. */
static int open_alone(const struct opening *how, struct csysi_os_file_lock *out)
{
	pthread_once(&registered, register_once);
	for (int forks = 0;; forks++) {
		uint32_t before = csysi_add_seq_cst(&begun, 0);
		int is_quiet = csysi_load_seq_cst(&ended) == before;
		int r = open_once(how, out);
		if (r < 0)
			return r;
		enter(out);
		if ((is_quiet && csysi_add_seq_cst(&begun, 0) == before) || forks == MOST_FORKS)
			return 0;
		csysi_os_file_lock_close(out);
		csysi_os_nap(csys_after_ns(FORK_NAP_NS));
	}
}

int csysi_os_file_lock_open(csys_handle directory, const char *path, unsigned how, int mode,
			    struct csysi_os_file_lock *out)
{
	struct opening opening = {
		.directory = directory == CSYS_NO_HANDLE ? AT_FDCWD : (int)directory,
		.path = path,
		.flags = how & CSYSI_OS_LOCK_NO_LINK ? O_NOFOLLOW : 0,
		.mode = (mode_t)mode,
		.is_created = (how & CSYSI_OS_LOCK_CREATE) != 0,
	};
	int r = open_alone(&opening, out);

	/* What O_NOFOLLOW says: ELOOP, or on FreeBSD EMLINK. */
	if (r == CSYS_EOTHER && opening.flags &&
	    (csys_os_error() == ELOOP || csys_os_error() == EMLINK))
		return CSYS_EPERM;
	return r;
}

int csysi_os_file_lock_reopen(csys_handle file, struct csysi_os_file_lock *out)
{
	char path[64];
	if (!csysi_os_is_open(file))
		return csysi_posix_fail_with(EBADF);
	int r = csysi_posix_path_of((int)file, path, sizeof path);
	if (r < 0)
		return r;
	struct opening opening = { .directory = AT_FDCWD, .path = path };
	r = open_alone(&opening, out);
	/* There is no such path; or it leads to what has no file, as a socket. */
	if (r == CSYS_ENOENT || (r == CSYS_EOTHER && csys_os_error() == ENXIO))
		return CSYS_ENOTSUP;
	return r;
}

int csysi_os_file_lock_folder(const char *path, csys_handle *out, const char **out_name)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t size = slash == path ? 1 : (size_t)(name - path) - (slash != NULL);
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return csysi_posix_fail_with(EINVAL);
	if (size >= sizeof folder)
		return csysi_posix_fail_with(ENAMETOOLONG);
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	memcpy(folder, slash ? path : ".", slash ? size : 1);
	folder[slash ? size : 1] = '\0';
	int fd = open(folder, TO_SEARCH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	*out = fd;
	*out_name = name;
	return 0;
}

int csysi_os_file_lock_write(const struct csysi_os_file_lock *lock, const void *data, size_t size)
{
	int r;

	do
		r = ftruncate((int)lock->handle, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return csysi_posix_fail();
	return size > 0 ? csysi_os_write_at(lock->handle, 0, data, size) : 0;
}

void csysi_os_file_lock_close(struct csysi_os_file_lock *lock)
{
	csys_handle handle = lock->handle;
	if (handle == CSYS_NO_HANDLE)
		return;
	/* In this order: once it is closed, another file may have its number. */
	leave(lock);
	lock->handle = CSYS_NO_HANDLE;
	csysi_os_close(handle);
}

/* ---- locking ------------------------------------------------------------------------------- */

#ifdef CSYSI_HAVE_FLOCK
/* After a flock that has failed: do it again if a signal has ended it.  Not inline, so that the
 * usual way saves no registers for it. */
static CSYSI_ATTRIBUTE((noinline)) int lock_again(int fd, int operation)
{
	do {
		/* A file system in the network may want the file to be writable. */
		if (errno == EBADF && csysi_os_is_open(fd))
			errno = EACCES;
		if (errno != EINTR)
			return csysi_posix_fail();
		/* ThreadSanitizer keeps a signal back until its thread makes a call that it
		 * intercepts.  Reading the clock is one, and flock is none. */
		(void)csysi_os_now();
	} while (flock(fd, operation) < 0);
	return 0;
}

static int lock_whole(int fd, enum csysi_os_lock_kind kind, int wait)
{
	static const int operations[] = {
		[CSYSI_OS_LOCK_NONE] = LOCK_UN,
		[CSYSI_OS_LOCK_SHARED] = LOCK_SH,
		[CSYSI_OS_LOCK_EXCLUSIVE] = LOCK_EX,
	};
	int operation = operations[kind] | (wait ? 0 : LOCK_NB);

	return CSYSI_LIKELY(flock(fd, operation) == 0) ? 0 : lock_again(fd, operation);
}
#else
static int lock_whole(int fd, enum csysi_os_lock_kind kind, int wait)
{
	(void)fd;
	(void)kind;
	(void)wait;
	return CSYS_ENOTSUP;
}
#endif

int csysi_os_file_lock_set(const struct csysi_os_file_lock *lock,
			   const struct csysi_os_lock_range *range, enum csysi_os_lock_kind kind,
			   int wait)
{
	int fd = (int)lock->handle;

	return range ? csysi_posix_lock_range(fd, range, kind, wait) : lock_whole(fd, kind, wait);
}
