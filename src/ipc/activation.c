/*
 * ipc/activation.c - sockets that a service manager has opened for this program.
 *
 * The variables come from the program that has started this process, so all of them are checked
 * before the first handle is taken: none is taken, or all.
 */
#include <csys/ipc/activation.h>

#include <string.h>

#include "base/atomic.h"
#include "base/memory.h"
#include "ipc/variable.h"
#include "os/os.h"

/* No service manager hands over more. */
#define MOST_HANDLES 65536

#define NO_NAME "unknown" /* as service managers say */

struct csys_activation {
	size_t count;
	char *names; /* count strings, one behind the other; NULL: there are none */
	csys_handle handles[];
};

/* 1 once they were taken: the numbers of the handles may be others' then.  Only that one call sets
 * it matters; it guards no data. */
static int is_taken;

/* ---- variables ----------------------------------------------------------------------- */

/* A decimal number without sign or anything else; -1 for other text, and for what is too large. */
static int64_t number_of(const char *text)
{
	int64_t number = 0;

	if (!text || !*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || number > INT64_MAX / 10 - 9)
			return -1;
		number = 10 * number + (*text - '0');
	}
	return number;
}

/* How many names a list has. */
static size_t count_names(const char *list)
{
	size_t count = 1;

	for (; *list; list++)
		count += *list == ':';
	return count;
}

/* ---- opening ------------------------------------------------------------------------- */

static int make(const char *names, size_t count, csys_activation **out)
{
	csys_activation *a = csysi_alloc_zero(sizeof *a + count * sizeof *a->handles);
	int r = a ? 0 : CSYS_ENOMEM;

	if (r == 0 && names) {
		a->names = csysi_copy(names, strlen(names));
		r = a->names ? 0 : CSYS_ENOMEM;
		for (char *at = r == 0 ? a->names : NULL; at && *at; at++)
			if (*at == ':')
				*at = 0;
	}
	if (r < 0) {
		csysi_free(a);
		return r;
	}
	a->count = count;
	for (size_t i = 0; i < count; i++)
		a->handles[i] = CSYS_NO_HANDLE;
	*out = a;
	return 0;
}

/* Take all handles; if one is not there, nothing has been closed. */
static int take(csys_activation *a)
{
	csys_handle handle;

	for (size_t i = 0; i < a->count; i++) {
		int r = csysi_os_socket_activated(i, &handle);
		if (r < 0)
			return r == CSYS_EBADF ? CSYS_EBADMSG : r;
	}
	for (size_t i = 0; i < a->count; i++)
		(void)csysi_os_socket_activated(i, &a->handles[i]);
	return 0;
}

static int open_from(const struct csysi_os_environment *environment, csys_activation **out)
{
	const char *names = csysi_variable_of(environment, "LISTEN_FDNAMES");
	const char *listed = csysi_variable_of(environment, "LISTEN_FDS");
	csys_activation *a;

	/* Without a pid, or with another's, they are not for this process. */
	if (!listed || number_of(csysi_variable_of(environment, "LISTEN_PID")) != csysi_os_pid())
		return CSYS_ENOENT;
	int64_t count = number_of(listed);
	if (count == 0)
		return CSYS_ENOENT;
	if (count < 0 || count > MOST_HANDLES || (names && count_names(names) != (size_t)count))
		return CSYS_EBADMSG;
	int r = make(names, (size_t)count, &a);
	if (r < 0)
		return r;
	if (csysi_swap_acquire(&is_taken, 1))
		r = CSYS_ENOENT;
	else if ((r = take(a)) < 0)
		csysi_store_relaxed(&is_taken, 0);
	if (r < 0)
		csys_activation_close(a);
	else
		*out = a;
	return r;
}

int csys_activation_open(csys_activation **out)
{
	struct csysi_os_environment environment;

	if (!out)
		return CSYS_EINVAL;
	int r = csysi_os_environment(&environment);
	if (r < 0)
		return r;
	r = open_from(&environment, out);
	csysi_os_environment_release(&environment);
	return r;
}

void csys_activation_close(csys_activation *activation)
{
	if (!activation)
		return;
	for (size_t i = 0; i < activation->count; i++)
		csys_handle_close(activation->handles[i]);
	csysi_free(activation->names);
	csysi_free(activation);
}

/* ---- what there is ------------------------------------------------------------------- */

size_t csys_activation_count(const csys_activation *activation)
{
	return activation ? activation->count : 0;
}

const char *csys_activation_name(const csys_activation *activation, size_t index)
{
	if (!activation || index >= activation->count)
		return NULL;
	if (!activation->names)
		return NO_NAME;
	const char *name = activation->names;
	for (size_t i = 0; i < index; i++)
		name += strlen(name) + 1;
	return name;
}

int csys_activation_find(const csys_activation *activation, const char *name, size_t from,
			 size_t *out_index)
{
	if (!activation || !name || !out_index)
		return CSYS_EINVAL;
	const char *at = csys_activation_name(activation, from);
	for (size_t i = from; i < activation->count; i++) {
		if (strcmp(at, name) == 0) {
			*out_index = i;
			return 0;
		}
		if (activation->names)
			at += strlen(at) + 1;
	}
	return CSYS_ENOENT;
}

/* ---- taking -------------------------------------------------------------------------- */

/* The place of a handle that is still there.  CSYS_EBADF: it was taken. */
static int find(csys_activation *activation, size_t index, const void *out, csys_handle **out_place)
{
	if (!activation || !out || index >= activation->count)
		return CSYS_EINVAL;
	*out_place = &activation->handles[index];
	return **out_place == CSYS_NO_HANDLE ? CSYS_EBADF : 0;
}

int csys_activation_take_listener(csys_activation *activation, size_t index,
				  const csys_listener_options *options, csys_listener **out)
{
	csys_handle *place;
	int r = find(activation, index, out, &place);

	if (r == 0)
		r = csys_listener_adopt_take(*place, options, out);
	if (r == 0)
		*place = CSYS_NO_HANDLE;
	return r;
}

int csys_activation_take_socket(csys_activation *activation, size_t index,
				const csys_socket_options *options, csys_socket **out)
{
	csys_handle *place;
	int r = find(activation, index, out, &place);

	if (r == 0)
		r = csys_socket_adopt_take(*place, options, out);
	if (r == 0)
		*place = CSYS_NO_HANDLE;
	return r;
}

int csys_activation_take_handle(csys_activation *activation, size_t index, csys_handle *out)
{
	csys_handle *place;
	int r = find(activation, index, out, &place);

	if (r == 0) {
		*out = *place;
		*place = CSYS_NO_HANDLE;
	}
	return r;
}
