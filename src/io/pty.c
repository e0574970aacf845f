/*
 * io/pty.c - a pseudo-terminal pair, and transfers at its controller.
 */
#include "io/pty.h"

#include "base/memory.h"

/* As a terminal's settings have it. */
static int is_size(int rows, int columns)
{
	return rows >= 0 && rows <= UINT16_MAX && columns >= 0 && columns <= UINT16_MAX;
}

int csys_pty_open(int rows, int columns, csys_pty **out)
{
	if (!out || !is_size(rows, columns))
		return CSYS_EINVAL;

	csys_pty *pty = csysi_alloc_zero(sizeof *pty);
	if (!pty)
		return CSYS_ENOMEM;
	int r = csysi_os_pty_open(rows, columns, &pty->os);
	if (r < 0) {
		csysi_free(pty);
		return r;
	}
	*out = pty;
	return 0;
}

void csys_pty_close(csys_pty *pty)
{
	if (!pty)
		return;
	csysi_os_pty_close(&pty->os);
	csysi_free(pty);
}

/* ---- its sides ------------------------------------------------------------------ */

csys_handle csys_pty_controller(const csys_pty *pty)
{
	return pty ? pty->os.controller : CSYS_NO_HANDLE;
}

csys_handle csys_pty_terminal(const csys_pty *pty)
{
	return pty ? pty->os.terminal : CSYS_NO_HANDLE;
}

static int take(csys_handle *side, csys_handle *out)
{
	if (!out)
		return CSYS_EINVAL;
	if (*side == CSYS_NO_HANDLE)
		return CSYS_EBADF;
	*out = *side;
	*side = CSYS_NO_HANDLE;
	return 0;
}

int csys_pty_take_controller(csys_pty *pty, csys_handle *out)
{
	return pty ? take(&pty->os.controller, out) : CSYS_EINVAL;
}

int csys_pty_take_terminal(csys_pty *pty, csys_handle *out)
{
	return pty ? take(&pty->os.terminal, out) : CSYS_EINVAL;
}

void csys_pty_close_terminal(csys_pty *pty)
{
	if (pty)
		csysi_os_pty_end(&pty->os);
}

const char *csys_pty_name(const csys_pty *pty)
{
	return pty ? pty->os.name : NULL;
}

int csys_pty_size(const csys_pty *pty, int *out_rows, int *out_columns)
{
	if (!pty || !out_rows || !out_columns)
		return CSYS_EINVAL;
	return csysi_os_pty_size(&pty->os, out_rows, out_columns);
}

int csys_pty_set_size(csys_pty *pty, int rows, int columns)
{
	return pty && is_size(rows, columns) ? csysi_os_pty_set_size(&pty->os, rows, columns)
					     : CSYS_EINVAL;
}

/* ---- transfers --------------------------------------------------------------------- */

int csys_pty_read_until(csys_pty *pty, void *buffer, size_t size, csys_deadline deadline,
			size_t *out_size)
{
	if (!pty || !out_size || (!buffer && size > 0))
		return CSYS_EINVAL;
	if (pty->os.controller == CSYS_NO_HANDLE)
		return CSYS_EBADF;
	if (size == 0) {
		*out_size = 0;
		return 0;
	}
	return csysi_os_pty_read(pty->os.controller, buffer, size, deadline, out_size);
}

int csys_pty_read(csys_pty *pty, void *buffer, size_t size, size_t *out_size)
{
	return csys_pty_read_until(pty, buffer, size, CSYS_FOREVER, out_size);
}

int csys_pty_write_all_until(csys_pty *pty, const void *data, size_t size, csys_deadline deadline,
			     size_t *out_size)
{
	if (!pty || (!data && size > 0))
		return CSYS_EINVAL;

	size_t done = 0;
	int r = pty->os.controller == CSYS_NO_HANDLE ? CSYS_EBADF : 0;
	while (r == 0 && done < size) {
		size_t more = 0;
		r = csysi_os_pty_write(pty->os.controller, (const char *)data + done, size - done,
				       deadline, &more);
		done += more;
	}
	if (out_size)
		*out_size = done;
	return r;
}

int csys_pty_write_all(csys_pty *pty, const void *data, size_t size, size_t *out_size)
{
	return csys_pty_write_all_until(pty, data, size, CSYS_FOREVER, out_size);
}
