/*
 * os/posix/socket_claim.c - the right to a path, by a lock file beside it.
 *
 * The lock is flock's, which the system releases with the last descriptor of its open file: when
 * the process ends, and its forked children.  It is held as long as the socket is.  So of two
 * processes that want the path the second one finds it claimed without having to guess from the
 * socket.
 *
 * Its file is removed with the claim, by its holder only.  So a process that has got a lock looks
 * whether the name still leads to the file that it has locked, and begins anew if not.
 *
 * All names are looked up in the directory that was opened first.
 */
#define _GNU_SOURCE /* O_PATH */
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "os/posix/socket.h"

#define LOCK_ENDING ".lock"
#define LOCK_MODE 0600
#define MOST_NAME 1024 /* no system has longer ones */

/* A directory is only looked up in: reading its list is not needed. */
#if defined(O_PATH)
#define LOOK_UP O_PATH
#elif defined(O_SEARCH)
#define LOOK_UP O_SEARCH
#else
#define LOOK_UP O_RDONLY
#endif

static int fail_and_close(int fd)
{
	int r = csysi_posix_fail();

	csysi_os_close(fd);
	return r;
}

/* ---- claiming ------------------------------------------------------------------------ */

/* Open the directory of a path.  *out_name is its last part. */
static int open_directory(const char *path, const char **out_name, csys_handle *out)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	int r = csysi_fault(CSYS_EMFILE);

	if (r < 0)
		return r;
	if (*name == 0)
		return csysi_posix_fail_with(EISDIR);
	/* "/name" is in "/". */
	char *directory = slash ? csysi_copy(path, slash > path ? (size_t)(slash - path) : 1)
				: csysi_copy(".", 1);
	if (!directory)
		return CSYS_ENOMEM;
	int fd = open(directory, LOOK_UP | O_DIRECTORY | O_CLOEXEC);
	int error = errno;
	csysi_free(directory);
	if (fd < 0)
		return csysi_posix_fail_with(error);
	fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	*out = fd;
	*out_name = name;
	return 0;
}

static int lock_name(const char *name, char *out)
{
	int size = snprintf(out, MOST_NAME, "%s" LOCK_ENDING, name);

	return size < 0 || size >= MOST_NAME ? csysi_posix_fail_with(ENAMETOOLONG) : 0;
}

/* Lock an open file.  EWOULDBLOCK: somebody has it. */
static int lock(int fd)
{
#ifdef CSYSI_HAVE_FLOCK
	int r;

	do
		r = flock(fd, LOCK_EX | LOCK_NB);
	while (r < 0 && errno == EINTR);
	return r;
#else
	(void)fd; /* locks of records go with any descriptor of the file: they hold nothing */
	errno = ENOTSUP;
	return -1;
#endif
}

/* A file that other users have made, or can write to, says nothing. */
static int is_trusted(int fd, struct stat *out)
{
	return fstat(fd, out) == 0 && S_ISREG(out->st_mode) && out->st_uid == geteuid();
}

/* Whether what stands there is no file: a link, which is not followed, has another code on each
 * system, and so has a socket. */
static int cannot_be_one(int code)
{
	return code == ELOOP || code == EMLINK || code == ENXIO || code == EOPNOTSUPP ||
	       code == EISDIR;
}

/* Open and lock the file, once.  CSYS_EAGAIN: its last holder has removed it meanwhile. */
static int try_lock(int directory, const char *name, csys_handle *out)
{
	struct stat locked, named;
	int fd = openat(directory, name,
			O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			LOCK_MODE);

	if (fd < 0)
		return csysi_posix_fail_with(cannot_be_one(errno) ? EACCES : errno);
	fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	if (!is_trusted(fd, &locked)) {
		errno = EACCES;
		return fail_and_close(fd);
	}
	/* The umask may have taken away what the next one needs to open it. */
	if ((locked.st_mode & LOCK_MODE) != LOCK_MODE)
		(void)fchmod(fd, LOCK_MODE);
	if (lock(fd) < 0) {
		if (errno == EWOULDBLOCK || errno == EAGAIN)
			errno = EADDRINUSE;
		return fail_and_close(fd);
	}
	if (fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !csysi_posix_is_same_file(&locked, &named)) {
		csysi_os_close(fd);
		return CSYS_EAGAIN;
	}
	*out = fd;
	return 0;
}

static int take_lock(int directory, const char *name, csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);

	if (r < 0)
		return r;
	do
		r = try_lock(directory, name, out);
	while (r == CSYS_EAGAIN);
	return r;
}

int csysi_os_claim(const char *path, struct csysi_os_claim *out)
{
	struct csysi_os_claim claim = { .directory = CSYS_NO_HANDLE, .lock = CSYS_NO_HANDLE };
	const char *name = path;
	char beside[MOST_NAME];

	/* Opening a file is a cancellation point. */
	int before = csysi_os_hold_cancel();
	int r = open_directory(path, &name, &claim.directory);
	if (r == 0)
		r = lock_name(name, beside);
	if (r == 0) {
		claim.name = csysi_copy(name, strlen(name));
		r = claim.name ? 0 : CSYS_ENOMEM;
	}
	if (r == 0)
		r = take_lock((int)claim.directory, beside, &claim.lock);
	if (r == 0)
		*out = claim;
	else
		csysi_os_claim_release(&claim, 0);
	csysi_os_release_cancel(before);
	return r;
}

void csysi_os_claim_release(struct csysi_os_claim *claim, int is_owner)
{
	char beside[MOST_NAME];
	struct stat locked, named;

	/* Remove the name while the lock is held: the next holder may have made another file. */
	if (is_owner && claim->lock != CSYS_NO_HANDLE && lock_name(claim->name, beside) == 0 &&
	    fstat((int)claim->lock, &locked) == 0 &&
	    fstatat((int)claim->directory, beside, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    csysi_posix_is_same_file(&locked, &named))
		(void)unlinkat((int)claim->directory, beside, 0);
	csysi_os_close(claim->lock);
	csysi_os_close(claim->directory);
	csysi_free(claim->name);
	*claim = (struct csysi_os_claim){ .directory = CSYS_NO_HANDLE, .lock = CSYS_NO_HANDLE };
}

/* ---- the file of the socket ---------------------------------------------------------- */

static int look(const struct csysi_os_claim *claim, struct stat *out)
{
	return fstatat((int)claim->directory, claim->name, out, AT_SYMLINK_NOFOLLOW);
}

void csysi_os_claim_unlink(const struct csysi_os_claim *claim)
{
	struct stat now;

	/* The file has its number as long as the socket is open, so it is no other's. */
	if (claim->file != 0 && look(claim, &now) == 0 && S_ISSOCK(now.st_mode) &&
	    (uint64_t)now.st_dev == claim->device && (uint64_t)now.st_ino == claim->file)
		(void)unlinkat((int)claim->directory, claim->name, 0);
}

static int address_of(const struct csysi_os_claim *claim, const char *path,
		      struct csysi_posix_address *out)
{
	int r = csysi_posix_address_of(path, out);

	return r == CSYS_ENAMETOOLONG
		       ? csysi_posix_reach_in((int)claim->directory, claim->name, out)
		       : r;
}

/*
 * Give the file its permissions.  bind has used those of the socket, without what the umask takes
 * away; where it has used others, somebody could have connected already.
 */
static int set_mode(const struct csysi_os_claim *claim, const struct stat *made, mode_t mode)
{
	mode_t has = made->st_mode & 0777;

	if (has & ~mode)
		return CSYS_ENOTSUP;
	if (has == mode)
		return 0;
	return csysi_posix_chmod_in((int)claim->directory, claim->name, mode) < 0
		       ? csysi_posix_fail()
		       : 0;
}

int csysi_os_claim_bind(struct csysi_os_claim *claim, const char *path, csysi_os_socket socket,
			int mode)
{
	struct csysi_posix_address where;
	struct stat made, at_path;
	int r = csysi_fault(CSYS_ENOSPC);

	if (r == 0)
		r = address_of(claim, path, &where);
	if (r < 0)
		return r;
	/* Before it is bound: where a system refuses, set_mode sees what has become of it. */
	(void)fchmod((int)socket, (mode_t)mode);
	r = bind((int)socket, (const struct sockaddr *)&where.name, where.size) < 0
		    ? csysi_posix_fail()
		    : 0;
	csysi_posix_address_release(&where);
	if (r < 0)
		return r;
	/* The directory may have been moved meanwhile, and what is in it is another file. */
	if (look(claim, &made) < 0 || !S_ISSOCK(made.st_mode) ||
	    fstatat(AT_FDCWD, path, &at_path, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !csysi_posix_is_same_file(&made, &at_path))
		return csysi_posix_fail_with(ENOENT);
	claim->device = (uint64_t)made.st_dev;
	claim->file = (uint64_t)made.st_ino;
	r = csysi_fault(CSYS_EPERM);
	if (r == 0)
		r = set_mode(claim, &made, (mode_t)mode);
	if (r < 0)
		csysi_os_claim_unlink(claim);
	return r;
}

/* ---- what stands there --------------------------------------------------------------- */

/*
 * Whether a process has the socket at an address, by trying to connect to it without waiting.  Only
 * a refusal says that none has: a full queue, a missing right or a socket of another kind
 * (CSYS_EBADMSG) are answers of one that lives.  1, 0, or a failure: CSYS_ENOENT.
 */
static int is_served(const struct csysi_posix_address *where)
{
	csysi_os_socket probe;
	int r = csysi_os_socket_create(CSYSI_OS_STREAM, &probe);

	if (r < 0)
		return r;
	r = csysi_posix_connect((int)probe, where, CSYS_POLL);
	csysi_os_socket_close(probe);
	if (r == CSYS_ECONNREFUSED)
		return 0;
	return r == CSYS_ENOENT || r == CSYS_ENOMEM ? r : 1;
}

/* Permissions that leave out this user itself would make a file that is left over look like one
 * that is served.  Returns whether they were changed. */
static int let_owner_in(const struct csysi_os_claim *claim, const struct stat *about)
{
	mode_t mode = about->st_mode & 0777;

	return about->st_uid == geteuid() && !(mode & S_IWUSR) &&
	       csysi_posix_chmod_in((int)claim->directory, claim->name, mode | S_IWUSR) == 0;
}

/*
 * Look at what stands there, and open it: as long as it is open no other file gets its number.
 * *out_file is "none" where a socket cannot be opened.  -1 with errno.
 */
static int hold(const struct csysi_os_claim *claim, struct stat *out, csys_handle *out_file)
{
#ifdef O_PATH
	int fd = openat((int)claim->directory, claim->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	*out_file = fd;
	return fd < 0 ? -1 : fstat(fd, out);
#else
	(void)out_file;
	return look(claim, out);
#endif
}

static int recover(const struct csysi_os_claim *claim, const char *path, csys_handle *out_file)
{
	struct csysi_posix_address where;
	struct stat before, now;

	if (hold(claim, &before, out_file) < 0)
		return errno == ENOENT ? 0 : csysi_posix_fail();
	if (!S_ISSOCK(before.st_mode))
		return csysi_posix_fail_with(EADDRINUSE);
	int r = address_of(claim, path, &where);
	if (r < 0)
		return r;
	int was_changed = let_owner_in(claim, &before);
	r = is_served(&where);
	csysi_posix_address_release(&where);
	if (was_changed && r != 0)
		(void)csysi_posix_chmod_in((int)claim->directory, claim->name,
					   before.st_mode & 0777);
	if (r > 0)
		return csysi_posix_fail_with(EADDRINUSE);
	if (r < 0 && r != CSYS_ENOENT)
		return r;
	if (look(claim, &now) < 0)
		return errno == ENOENT ? 0 : csysi_posix_fail();
	if (!csysi_posix_is_same_file(&before, &now))
		return csysi_posix_fail_with(EADDRINUSE);
	return unlinkat((int)claim->directory, claim->name, 0) < 0 && errno != ENOENT
		       ? csysi_posix_fail()
		       : 0;
}

int csysi_os_claim_recover(const struct csysi_os_claim *claim, const char *path)
{
	csys_handle file = CSYS_NO_HANDLE;

	int before = csysi_os_hold_cancel();
	int r = recover(claim, path, &file);
	csysi_os_close(file);
	csysi_os_release_cancel(before);
	return r;
}
