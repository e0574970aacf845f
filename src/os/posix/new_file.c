/*
 * os/posix/new_file.c - files that get their names when they are whole.
 *
 * Where the system has files without a name, a new one is that, and gets its name by a link.
 * Elsewhere it is made under a name that no program looks for, and is linked to its own name then,
 * or moved where the file system has no links.  Both refuse a name that is taken.
 */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "os/posix/posix.h"

#define PREFIX ".csys-"

/* ---- names of new files ---------------------------------------------------------------- */

/* Mix the bits of a word. */
static uint64_t mixed(uint64_t word)
{
	word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
	word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
	return word ^ (word >> 31);
}

/* A name that is hardly taken; creation finds out. */
static void make_name(char out[32])
{
	static uint32_t count;
	uint64_t now = (uint64_t)csysi_os_now();
	uint64_t process = (uint64_t)getpid();
	/* Relaxed: nothing but the number itself. */
	uint32_t number = csysi_add_relaxed(&count, 1);

	snprintf(out, 32, PREFIX "%016llx%08lx",
		 (unsigned long long)mixed(mixed(now) ^ process << 32 ^ number),
		 (unsigned long)(uint32_t)mixed(process + number + (uint64_t)(uintptr_t)out));
}

int csysi_os_directory_is_temporary(const char *name)
{
	size_t prefix = sizeof PREFIX - 1;

	return strncmp(name, PREFIX, prefix) == 0 &&
	       strspn(name + prefix, "0123456789abcdef") == 24 && name[prefix + 24] == '\0';
}

/* ---- creation ---------------------------------------------------------------------------- */

/* Create a file under a name that no program looks for.  -1 with errno. */
static int create_named(int directory, char name[32])
{
	int fd;

	do {
		make_name(name);
		fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    0600);
	} while (fd < 0 && (errno == EEXIST || errno == EINTR));
	return fd;
}

/* Create a file, without a name if the system can.  -1 with errno. */
static int create(int directory, char name[32])
{
	int fd = csysi_posix_nameless_create(directory);

	name[0] = '\0';
	if (fd < 0 && errno == ENOTSUP)
		fd = create_named(directory, name);
	if (fd < 0)
		return -1;

	int above = csysi_posix_above_2(fd);
	if (above < 0 && name[0] != '\0') {
		int error = errno;
		unlinkat(directory, name, 0);
		errno = error;
	}
	return above;
}

int csysi_os_directory_create(csys_handle directory, int mode, struct csysi_os_new_file *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	struct csysi_os_new_file made;
	int fd;
	do {
		fd = create((int)directory, made.name);
		if (fd < 0)
			return csysi_posix_fail();
		made.file = fd;
		/* fchmod and not the mode of the opening, which the umask changes. */
		r = fchmod(fd, (mode_t)mode) < 0 ? csysi_posix_fail() : csysi_os_file_use(fd, 0);
		/* CSYS_EAGAIN: a process that removes old files had it alone before that. */
		if (r < 0)
			csysi_os_directory_discard(directory, &made);
	} while (r == CSYS_EAGAIN);
	if (r == 0)
		*out = made;
	return r;
}

/* ---- names ------------------------------------------------------------------------------- */

/* Link a new file to its name, or move it there.  -1 with errno. */
static int give_name(int directory, const struct csysi_os_new_file *new_file, const char *name)
{
	if (new_file->name[0] == '\0')
		return csysi_posix_nameless_link((int)new_file->file, directory, name);
	if (linkat(directory, new_file->name, directory, name, 0) == 0) {
		/* If this fails, or never comes, a second name is left, which is removed with
		 * what is not in use. */
		unlinkat(directory, new_file->name, 0);
		return 0;
	}
	if (errno != EPERM && errno != ENOTSUP && errno != EOPNOTSUPP && errno != EMLINK)
		return -1;
	return csysi_posix_rename_new(directory, new_file->name, name);
}

int csysi_os_directory_publish(csys_handle directory, struct csysi_os_new_file *new_file,
			       const char *name)
{
	int r = csysi_fault(CSYS_ENOSPC);
	if (r < 0)
		return r;

	if (give_name((int)directory, new_file, name) == 0) {
		new_file->name[0] = '\0';
		return 0;
	}
	return errno == ENOENT ? csysi_posix_fail_with(EAGAIN) : csysi_posix_fail();
}

int csysi_os_directory_reader(csys_handle directory, struct csysi_os_new_file *new_file,
			      csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;

	int file = (int)new_file->file;
	if (fchmod(file, 0400) < 0)
		return csysi_posix_fail();
	int fd = new_file->name[0] == '\0' ? csysi_posix_nameless_reader(file)
					   : openat((int)directory, new_file->name,
						    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	*out = fd;
	return 0;
}

void csysi_os_directory_unname(csys_handle directory, struct csysi_os_new_file *new_file)
{
	if (new_file->name[0] != '\0')
		unlinkat((int)directory, new_file->name, 0);
	new_file->name[0] = '\0';
}

void csysi_os_directory_discard(csys_handle directory, struct csysi_os_new_file *new_file)
{
	csysi_os_directory_unname(directory, new_file);
	csysi_os_close(new_file->file);
	new_file->file = CSYS_NO_HANDLE;
}
