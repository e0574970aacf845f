/*
 * ipc/fifo.c - opening named pipes.
 */
#include <csys/ipc/fifo.h>

#include "os/os.h"

#define USUAL_MODE 0600u
#define MODES 0777u
#define TRIES 100

static const csys_fifo_options usual = { 0 };

static int is_wrong(const char *path, const csys_fifo_options *options)
{
	return !path || !*path || options->mode & ~MODES;
}

int csys_fifo_create(const char *path, unsigned mode)
{
	if (!path || !*path || mode & ~MODES)
		return CSYS_EINVAL;
	return csysi_os_fifo_create(path, mode ? mode : USUAL_MODE);
}

/* Create it if it is to be there; one that is there is as good. */
static int prepare(const char *path, const csys_fifo_options *options)
{
	int r = options->create ? csys_fifo_create(path, options->mode) : 0;

	return r == CSYS_EEXIST ? 0 : r;
}

/* Whether it is to be there but was removed since: then all begins anew.  Not for ever: to some
 * systems a broken link with a '/' behind it is both there and not. */
static int is_gone(int r, const csys_fifo_options *options, int *tries)
{
	return r == CSYS_ENOENT && options->create && ++*tries < TRIES;
}

static int open_end(const char *path, const csys_fifo_options *options, int writing,
		    csys_deadline deadline, csys_handle *out)
{
	if (!options)
		options = &usual;
	if (!out || is_wrong(path, options))
		return CSYS_EINVAL;

	int r, tries = 0;
	do {
		r = prepare(path, options);
		if (r < 0)
			return r;
		r = csysi_os_fifo_open(path, writing, options->blocking != 0, deadline, out);
	} while (is_gone(r, options, &tries));
	return r;
}

static int try_open_end(const char *path, const csys_fifo_options *options, int writing,
			csys_handle *out)
{
	int r = open_end(path, options, writing, CSYS_POLL, out);

	return r == CSYS_ETIMEDOUT ? CSYS_EAGAIN : r;
}

/* ---- the end that reads --------------------------------------------------------------- */

int csys_fifo_open_reader(const char *path, const csys_fifo_options *options, csys_handle *out)
{
	return open_end(path, options, 0, CSYS_FOREVER, out);
}

int csys_fifo_open_reader_until(const char *path, const csys_fifo_options *options,
				csys_deadline deadline, csys_handle *out)
{
	return open_end(path, options, 0, deadline, out);
}

int csys_fifo_try_open_reader(const char *path, const csys_fifo_options *options, csys_handle *out)
{
	return try_open_end(path, options, 0, out);
}

int csys_fifo_open_kept_reader(const char *path, const csys_fifo_options *options,
			       csys_handle *out_reader, csys_handle *out_keeper)
{
	if (!options)
		options = &usual;
	if (!out_reader || !out_keeper || is_wrong(path, options))
		return CSYS_EINVAL;

	int r, tries = 0;
	do {
		r = prepare(path, options);
		if (r < 0)
			return r;
		r = csysi_os_fifo_open_kept(path, options->blocking != 0, out_reader, out_keeper);
	} while (is_gone(r, options, &tries));
	return r;
}

/* ---- the end that writes -------------------------------------------------------------- */

int csys_fifo_open_writer(const char *path, const csys_fifo_options *options, csys_handle *out)
{
	return open_end(path, options, 1, CSYS_FOREVER, out);
}

int csys_fifo_open_writer_until(const char *path, const csys_fifo_options *options,
				csys_deadline deadline, csys_handle *out)
{
	return open_end(path, options, 1, deadline, out);
}

int csys_fifo_try_open_writer(const char *path, const csys_fifo_options *options, csys_handle *out)
{
	return try_open_end(path, options, 1, out);
}

/* ---- the end of it -------------------------------------------------------------------- */

int csys_fifo_unlink(const char *path, csys_handle handle)
{
	return path && *path ? csysi_os_fifo_unlink(path, handle) : CSYS_EINVAL;
}
