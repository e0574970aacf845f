/*
 * os/posix/token_lock.c - tokens that are record locks: one byte of a file for each.
 *
 * A record lock belongs to a process.  It ends with that, is not inherited by a forked child, and
 * anybody can ask for it without taking it.  But a process has lost all its locks of a file when it
 * closes any descriptor of that file, and its own locks are no locks to itself.  So each such file
 * is opened once in a process, however often its tokens are used, and is closed with the last use;
 * and which bytes this process has locked is noted.
 */
#define _DEFAULT_SOURCE /* O_NOFOLLOW; POSIX alone would hide it on some systems */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "os/posix/posix.h"
#include "os/posix/token.h"

struct locked_file {
	struct locked_file *next;
	struct stat about; /* which file it is, as long as it is open */
	int fd;
	uint32_t uses;
	uint32_t generation; /* of the process that has locked what is noted */
	uint64_t locked[CSYSI_OS_TOKENS / 64];
};

/* Guards all of it. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;
static struct locked_file *files;

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

static void enter(void)
{
	pthread_once(&prepared, prepare);
	pthread_mutex_lock(&mutex);
}

static void leave(void)
{
	pthread_mutex_unlock(&mutex);
}

/* ---- files ------------------------------------------------------------------------------- */

static struct locked_file *find(const struct stat *about)
{
	struct locked_file *file = files;

	while (file && !csysi_posix_is_same_file(&file->about, about))
		file = file->next;
	return file;
}

static int open_file(int directory, const char *name)
{
	int fd = csysi_fault(CSYS_EMFILE) < 0 ? (errno = EMFILE, -1) : 0;

	while (fd == 0) {
		fd = openat(directory, name,
			    O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		if (fd < 0 && errno == EINTR)
			fd = 0;
	}
	return fd < 0 ? fd : csysi_posix_above_2(fd);
}

/*
 * Open a file that is not open here.  If its name led to another one a moment ago, which is open
 * here, closing it again would end the locks of that one: then it stays open.
 */
static int add_file(int directory, const char *name, struct locked_file **out)
{
	struct locked_file *file = csysi_alloc_zero(sizeof *file);
	if (!file)
		return CSYS_ENOMEM;

	file->fd = open_file(directory, name);
	int r = file->fd < 0 || fstat(file->fd, &file->about) < 0 ? csysi_posix_fail() : 0;
	if (r < 0) {
		csysi_os_close(file->fd < 0 ? CSYS_NO_HANDLE : file->fd);
		csysi_free(file);
		return r;
	}
	struct locked_file *other = find(&file->about);
	if (other) {
		csysi_free(file);
		file = other;
	} else {
		file->next = files;
		files = file;
	}
	*out = file;
	return 0;
}

static int use_file(int directory, const char *name, struct locked_file **out)
{
	struct stat about;
	int r = fstatat(directory, name, &about, AT_SYMLINK_NOFOLLOW) < 0 ? csysi_posix_fail() : 0;
	if (r < 0)
		return r;
	struct locked_file *file = find(&about);
	if (!file)
		r = add_file(directory, name, &file);
	if (r == 0) {
		file->uses++;
		*out = file;
	}
	return r;
}

int csysi_posix_token_locks_open(struct csysi_os_tokens *tokens, csys_handle directory,
				 const char *name)
{
	struct locked_file *file = NULL;

	enter();
	int r = use_file((int)directory, name, &file);
	leave();
	if (r == 0)
		tokens->locks = file;
	return r;
}

void csysi_posix_token_locks_close(struct csysi_os_tokens *tokens)
{
	struct locked_file *file = tokens->locks;

	enter();
	if (--file->uses == 0) {
		struct locked_file **link = &files;
		while (*link != file)
			link = &(*link)->next;
		*link = file->next;
		csysi_os_close(file->fd);
		csysi_free(file);
	}
	leave();
	tokens->locks = NULL;
}

/* ---- locks ------------------------------------------------------------------------------- */

/* What this process has locked; with the mutex. */
static uint64_t *locked(struct locked_file *file, uint32_t number)
{
	uint32_t generation = csysi_os_generation();

	if (file->generation != generation)
		memset(file->locked, 0, sizeof file->locked);
	file->generation = generation;
	return &file->locked[number / 64];
}

static uint64_t bit(uint32_t number)
{
	return (uint64_t)1 << number % 64;
}

static struct flock range_of(uint32_t number, short type)
{
	struct flock range;

	memset(&range, 0, sizeof range);
	range.l_type = type;
	range.l_whence = SEEK_SET;
	range.l_start = (off_t)number;
	range.l_len = 1;
	return range;
}

/* -1 with errno. */
static int set(const struct locked_file *file, uint32_t number, short type)
{
	struct flock range = range_of(number, type);
	int r;

	do
		r = fcntl(file->fd, F_SETLK, &range);
	while (r < 0 && errno == EINTR);
	return r;
}

static int lock_file(struct locked_file *file, uint32_t number)
{
	uint64_t *word = locked(file, number);

	if (*word & bit(number))
		return CSYS_EBUSY;
	if (set(file, number, F_WRLCK) < 0)
		return errno == EACCES || errno == EAGAIN ? CSYS_EBUSY : csysi_posix_fail();
	*word |= bit(number);
	return 0;
}

int csysi_posix_token_lock(const struct csysi_os_tokens *tokens, uint32_t number)
{
	enter();
	int r = lock_file(tokens->locks, number);
	leave();
	return r;
}

void csysi_posix_token_unlock(const struct csysi_os_tokens *tokens, uint32_t number)
{
	struct locked_file *file = tokens->locks;
	int error = errno;

	enter();
	uint64_t *word = locked(file, number);
	if (*word & bit(number)) {
		(void)set(file, number, F_UNLCK); /* to unlock needs nothing */
		*word &= ~bit(number);
	}
	leave();
	errno = error;
}

int csysi_posix_token_is_locked(const struct csysi_os_tokens *tokens, uint32_t number)
{
	struct locked_file *file = tokens->locks;
	int error = errno;

	enter();
	int is = (*locked(file, number) & bit(number)) != 0;
	leave();
	if (!is) {
		struct flock range = range_of(number, F_WRLCK);
		/* Where it cannot be told, a lock that is not there is waited for once more; one
		 * that is there would be broken. */
		is = fcntl(file->fd, F_GETLK, &range) < 0 || range.l_type != F_UNLCK;
	}
	errno = error;
	return is;
}

/* ---- sleeping ----------------------------------------------------------------------------- */

#ifdef CSYSI_FAULTS
int64_t csysi_os_token_nap_ns = 100000000;
#endif

int csysi_posix_token_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline)
{
	csys_deadline nap = csys_deadline_earlier(deadline, csys_after_ns(csysi_os_token_nap_ns));
	int r = csysi_os_wait(word, expected, nap, 1);

	if (r != CSYS_ETIMEDOUT)
		return r;
	return csys_deadline_left(deadline) > 0 ? 0 : CSYS_ETIMEDOUT;
}
