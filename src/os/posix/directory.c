/*
 * os/posix/directory.c - directories that are checked, and files with names in them.
 *
 * What is in use is told by flock, which belongs to the opening of a file and is released with its
 * last descriptor in any process.
 */
#define _DEFAULT_SOURCE /* flock; POSIX alone would hide it on some systems */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef CSYSI_HAVE_GETAUXVAL
#include <sys/auxv.h>
#endif

#include "base/fault.h"
#include "os/posix/posix.h"

#define PATH_SIZE 4096

/* ---- directories --------------------------------------------------------------------- */

int csysi_os_directory_usual(enum csysi_os_directory whose, char *out, size_t size)
{
	const char *base = csysi_posix_shared_directory();
	int length = whose == CSYSI_OS_DIRECTORY_SHARED
			     ? snprintf(out, size, "%s", base)
			     : snprintf(out, size, "%s/csys-%lld", base, (long long)geteuid());

	return length >= 0 && (size_t)length < size ? 0 : CSYS_ENAMETOOLONG;
}

/* Whether a directory is what it has to be. */
static int is_safe(const struct stat *about, enum csysi_os_directory whose)
{
	if (whose == CSYSI_OS_DIRECTORY_USER)
		return about->st_uid == geteuid() && (about->st_mode & 077) == 0;
	if (about->st_uid != 0 && about->st_uid != geteuid())
		return 0;
	return (about->st_mode & 022) == 0 || (about->st_mode & S_ISVTX) != 0;
}

/* Open a directory itself, and no symbolic link to one.  -1 with errno. */
static int open_directory(int base, const char *path)
{
	int fd;

	do
		fd = openat(base, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
	if (fd < 0 && (errno == ELOOP || errno == EMLINK)) /* what systems say of a link */
		errno = ENOTDIR;
	return fd < 0 ? fd : csysi_posix_above_2(fd);
}

/* The same for one that is created if it does not exist. */
static int open_or_create(const char *path)
{
	int fd = open_directory(AT_FDCWD, path);

	/* Another process may create or remove it at the same time. */
	for (int tries = 0; fd < 0 && errno == ENOENT && tries < 100; tries++) {
		/* Again, since a umask may have taken what the user needs for its next
		 * programs; glibc cannot do that without /proc. */
		if (mkdir(path, 0700) == 0)
			(void)fchmodat(AT_FDCWD, path, 0700, AT_SYMLINK_NOFOLLOW);
		else if (errno != EEXIST)
			return -1;
		fd = open_directory(AT_FDCWD, path);
	}
	return fd;
}

int csysi_os_is_absolute(const char *path)
{
	return path[0] == '/';
}

/* Copy a path without separators at its end, by which a symbolic link would be followed. */
static int copy_path(const char *path, char out[PATH_SIZE])
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (length >= PATH_SIZE)
		return csysi_posix_fail_with(ENAMETOOLONG);
	memcpy(out, path, length);
	out[length] = '\0';
	return 0;
}

int csysi_os_directory_open(const char *given, enum csysi_os_directory whose, csys_handle *out)
{
	char path[PATH_SIZE];
	if (!csysi_os_is_absolute(given))
		return CSYS_EINVAL;
	int r = copy_path(given, path);
	if (r == 0)
		r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	struct stat about;
	int fd = whose == CSYSI_OS_DIRECTORY_USER ? open_or_create(path)
						  : open_directory(AT_FDCWD, path);
	if (fd < 0)
		return csysi_posix_fail();
	if (fstat(fd, &about) < 0)
		r = csysi_posix_fail();
	else if (!is_safe(&about, whose))
		r = csysi_posix_fail_with(EPERM);
	if (r < 0)
		csysi_os_close(fd);
	else
		*out = fd;
	return r;
}

/* What file systems that encrypt names leave of the usual 255 bytes. */
size_t csysi_os_directory_name_limit(void)
{
	return 143;
}

int64_t csysi_os_user(void)
{
	return (int64_t)geteuid();
}

int64_t csysi_os_administrator(void)
{
	return 0;
}

int csysi_os_is_privileged(void)
{
#ifdef CSYSI_HAVE_GETAUXVAL
	/* Also after the program has given its privileges up. */
	if (getauxval(AT_SECURE))
		return 1;
#endif
	return getuid() != geteuid() || getgid() != getegid();
}

/* ---- files in them --------------------------------------------------------------------- */

static struct csysi_os_file described(const struct stat *about)
{
	return (struct csysi_os_file){
		.device = (uint64_t)about->st_dev,
		.number = (uint64_t)about->st_ino,
		.size = (uint64_t)about->st_size,
		.owner = (int64_t)about->st_uid,
		.links = (uint64_t)about->st_nlink,
		.mode = (int)(about->st_mode & 0777),
		.is_file = S_ISREG(about->st_mode),
	};
}

int csysi_os_file_info(csys_handle file, struct csysi_os_file *out)
{
	struct stat about;

	if (fstat((int)file, &about) < 0)
		return csysi_posix_fail();
	*out = described(&about);
	return 0;
}

int csysi_os_directory_look(csys_handle directory, const char *name, struct csysi_os_file *out)
{
	struct stat about;

	if (fstatat((int)directory, name, &about, AT_SYMLINK_NOFOLLOW) < 0)
		return csysi_posix_fail();
	*out = described(&about);
	return 0;
}

int csysi_os_directory_open_file(csys_handle directory, const char *name, int writing,
				 csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	struct stat about;
	int flags = (writing ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd;
	do
		fd = openat((int)directory, name, flags);
	while (fd < 0 && errno == EINTR);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0) {
		int error = errno;
		r = csysi_posix_fail();
		/* A symbolic link (two ways to say it), a socket, a directory. */
		if (error == ELOOP || error == EMLINK || error == ENXIO || error == EISDIR)
			r = CSYS_EBADMSG;
		return r;
	}
	if (fstat(fd, &about) < 0)
		r = csysi_posix_fail();
	else if (!S_ISREG(about.st_mode))
		r = CSYS_EBADMSG;
	if (r < 0)
		csysi_os_close(fd);
	else
		*out = fd;
	return r;
}

int csysi_os_directory_is_file(csys_handle directory, const char *name, csys_handle file)
{
	struct stat named;
	struct stat opened;

	return fstatat((int)directory, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat((int)file, &opened) == 0 && csysi_posix_is_same_file(&named, &opened);
}

int csysi_os_directory_remove(csys_handle directory, const char *name)
{
	int r = csysi_fault(CSYS_EIO);
	if (r < 0)
		return r;
	return unlinkat((int)directory, name, 0) < 0 ? csysi_posix_fail() : 0;
}

/* ---- use --------------------------------------------------------------------------------- */

static int try_flock(int fd, int operation)
{
	int r;

	do
		r = flock(fd, operation | LOCK_NB);
	while (r < 0 && errno == EINTR);
	return r < 0 ? csysi_posix_fail() : 0;
}

int csysi_os_file_use(csys_handle file, int alone)
{
	return try_flock((int)file, alone ? LOCK_EX : LOCK_SH);
}

int csysi_os_directory_try_lock(csys_handle directory, csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	/* A lock belongs to an opening, so one of its own. */
	int fd = open_directory((int)directory, ".");
	if (fd < 0)
		return csysi_posix_fail();
	r = try_flock(fd, LOCK_EX);
	if (r < 0)
		csysi_os_close(fd);
	else
		*out = fd;
	return r;
}

/* ---- listing ------------------------------------------------------------------------------- */

int csysi_os_listing_open(csys_handle directory, struct csysi_os_listing **out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int fd = open_directory((int)directory, ".");
	if (fd < 0)
		return csysi_posix_fail();
	DIR *listing = fdopendir(fd);
	if (!listing) {
		r = csysi_posix_fail();
		csysi_os_close(fd);
		return r;
	}
	*out = (struct csysi_os_listing *)(void *)listing;
	return 0;
}

int csysi_os_listing_next(struct csysi_os_listing *listing, const char **out_name)
{
	for (;;) {
		errno = 0;
		struct dirent *entry = readdir((DIR *)(void *)listing);
		if (!entry)
			return errno ? csysi_posix_fail() : 0;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		*out_name = entry->d_name;
		return 1;
	}
}

void csysi_os_listing_close(struct csysi_os_listing *listing)
{
	if (listing)
		closedir((DIR *)(void *)listing);
}
