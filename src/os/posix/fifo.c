/*
 * os/posix/fifo.c - named pipes.
 *
 * open waits for the other end, and cannot be told for how long.  So it is only let wait without a
 * deadline.  With one:
 *   - a writer tries again and again, since a nonblocking open fails while there is no reader;
 *   - a reader has its end at once, and then looks whether there is a writer (fifo_look.c).
 */
#define _DEFAULT_SOURCE /* O_NOFOLLOW, which macOS counts to no edition of XOPEN */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/posix/fifo.h"
#include "os/posix/posix.h"

/* ---- what is at a path ---------------------------------------------------------------- */

/* Opening what is no FIFO might wait for ever, or do something to a device. */
static int check_path(const char *path)
{
	struct stat about;

	if (lstat(path, &about) < 0)
		return csysi_posix_fail();
	return S_ISFIFO(about.st_mode) ? 0 : csysi_posix_fail_with(EBADMSG);
}

int csysi_os_fifo_create(const char *path, unsigned mode)
{
	int r = csysi_fault(CSYS_ENOSPC);

	if (r < 0)
		return r;
	if (mkfifo(path, (mode_t)mode) == 0)
		return 0;
	if (errno != EEXIST)
		return csysi_posix_fail();
	r = check_path(path);
	if (r == CSYS_EBADMSG)
		return r;
	return csysi_posix_fail_with(EEXIST); /* also if it is gone by now */
}

/* ---- opening -------------------------------------------------------------------------- */

static int open_writer(const char *path, csys_deadline deadline, int *out)
{
	struct csysi_backoff naps = CSYSI_BACKOFF_LOOK;

	for (;;) {
		*out = csysi_posix_fifo_open_now(path, O_WRONLY);
		if (*out >= 0)
			return 0;
		if (errno != ENXIO)
			return csysi_posix_fail();
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		csysi_os_nap(csys_after_ns(csysi_backoff_next(&naps, deadline)));
	}
}

static int wait_for_writer(struct csysi_posix_fifo_look *look, csys_deadline deadline)
{
	for (;;) {
		int r = csysi_posix_fifo_has_writer(look);
		if (r != 0)
			return r < 0 ? r : 0;
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		csysi_posix_fifo_nap(look, deadline);
	}
}

static int open_reader(const char *path, csys_deadline deadline, int *out)
{
	struct csysi_posix_fifo_look look;
	int reader = csysi_posix_fifo_open_now(path, O_RDONLY);

	if (reader < 0)
		return csysi_posix_fail();
	int r = csysi_posix_fifo_look_begin(reader, path, &look);
	if (r == 0) {
		r = wait_for_writer(&look, deadline);
		csysi_posix_fifo_look_end(&look);
	}
	if (r < 0)
		csysi_os_close(reader);
	else
		*out = reader;
	return r;
}

/* Let open wait, which does it in one call. */
static int open_waiting(const char *path, int writing, int *out)
{
	*out = csysi_posix_fifo_open(path, writing ? O_WRONLY : O_RDONLY);
	return *out < 0 ? csysi_posix_fail() : 0;
}

/* Set how the handle is handed over, or close it. */
static int finish(int fd, int is_nonblocking, int blocking, csys_handle *out)
{
	int r = is_nonblocking == blocking ? csysi_os_set_nonblocking(fd, !blocking) : 0;

	if (r < 0)
		csysi_os_close(fd);
	else
		*out = fd;
	return r;
}

int csysi_os_fifo_open(const char *path, int writing, int blocking, csys_deadline deadline,
		       csys_handle *out)
{
	const int waits = csys_deadline_is_forever(deadline);
	int fd = -1;
	int r = csysi_fault(CSYS_EMFILE);

	if (r == 0)
		r = check_path(path);
	if (r < 0)
		return r;
	if (waits)
		r = open_waiting(path, writing, &fd);
	else if (writing)
		r = open_writer(path, deadline, &fd);
	else
		r = open_reader(path, deadline, &fd);
	return r < 0 ? r : finish(fd, !waits, blocking, out);
}

/* The path may be another FIFO's in between: then both are opened once more. */
int csysi_os_fifo_open_kept(const char *path, int blocking, csys_handle *out_reader,
			    csys_handle *out_keeper)
{
	int reader = -1, keeper = -1;
	int r = csysi_fault(CSYS_EMFILE);

	if (r == 0)
		r = check_path(path);
	while (r == 0 && (keeper < 0 || !csysi_posix_fifo_is_same(reader, keeper))) {
		csysi_os_close(reader);
		csysi_os_close(keeper);
		keeper = -1;
		reader = csysi_posix_fifo_open_now(path, O_RDONLY);
		if (reader >= 0)
			keeper = csysi_posix_fifo_open_now(path, O_WRONLY);
		if (keeper < 0 && (reader < 0 || errno != ENXIO)) /* ENXIO: it is another one */
			r = csysi_posix_fail();
	}
	csys_handle out = CSYS_NO_HANDLE;
	if (r == 0 && (r = finish(reader, 1, blocking, &out)) < 0)
		reader = -1;
	if (r < 0) {
		csysi_os_close(reader);
		csysi_os_close(keeper);
		return r;
	}
	*out_reader = out;
	*out_keeper = keeper;
	return 0;
}

int csysi_os_fifo_unlink(const char *path, csys_handle handle)
{
	struct stat at_path, mine;
	int r = check_path(path);

	if (r < 0)
		return r;
	if (handle != CSYS_NO_HANDLE) {
		if (fstat((int)handle, &mine) < 0 || lstat(path, &at_path) < 0)
			return csysi_posix_fail();
		if (!csysi_posix_is_same_file(&at_path, &mine))
			return csysi_posix_fail_with(ENOENT);
	}
	return unlink(path) < 0 ? csysi_posix_fail() : 0;
}
