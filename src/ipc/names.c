/*
 * ipc/names.c - what is in the directories of objects, and removing it.
 */
#include <string.h>

#include <csys/ipc/names.h>

#include "base/memory.h"
#include "ipc/names.h"
#include "os/os.h"

/* ---- removal ---------------------------------------------------------------------------- */

/* What the calls that name an object have in common: its directory, and its file there. */
struct place {
	csys_handle directory;
	char file[CSYSI_NAME_FILE];
};

static int find_place(int scope, int kind, const char *name, struct place *out)
{
	int r = csysi_name_check(name);

	if (r < 0)
		return r;
	if (!csysi_name_is_kind(kind))
		return CSYS_EINVAL;
	csysi_name_file(kind, name, csysi_os_directory_name_limit(), out->file);
	return csysi_names_directory(scope, &out->directory);
}

int csys_names_remove_unused(int scope, int kind, const char *name)
{
	struct place place;
	int r = find_place(scope, kind, name, &place);
	if (r < 0)
		return r;

	r = csysi_object_clear(scope, place.directory, place.file, CSYSI_CLEAR_NAMED, name);
	csysi_os_close(place.directory);
	return r;
}

/* Remove the name of a file that this process uses.  CSYSI_CHANGED, CSYSI_HELD. */
static int remove_locked(int scope, const struct place *place, csys_handle file)
{
	csys_handle locked;
	int r = csysi_names_try_lock(scope, place->directory, &locked);
	if (r < 0)
		return r == CSYS_EAGAIN ? CSYSI_HELD : r;

	r = csysi_os_directory_is_file(place->directory, place->file, file)
		    ? csysi_os_directory_remove(place->directory, place->file)
		    : CSYSI_CHANGED; /* the name is another's by now */
	csysi_os_close(locked);
	return r;
}

/* Note that an object is in use, and remove its name; with `force` also if it cannot be. */
static int use_and_remove(int scope, const struct place *place, csys_handle file, int force)
{
	int r = csysi_os_file_use(file, 0);

	if (r == CSYS_EAGAIN && !force)
		return CSYSI_HELD;
	return r < 0 && r != CSYS_EAGAIN ? r : remove_locked(scope, place, file);
}

static int try_remove(int scope, const struct place *place, const char *name, int force)
{
	csys_handle file;
	struct csysi_os_file info;
	struct csysi_object_header header;
	int r = csysi_os_directory_open_file(place->directory, place->file, 0, &file);
	if (r < 0)
		return r;

	r = csysi_os_file_info(file, &info);
	/* What has the hash of another name is not to be found by this one. */
	if (r == 0 && csysi_object_read_header(file, &header) == 0 &&
	    strcmp(header.name, name) != 0)
		r = CSYS_ENOENT;
	if (r == 0)
		r = info.owner == csysi_os_user()
			    ? use_and_remove(scope, place, file, force)
			    : csysi_object_clear(scope, place->directory, place->file,
						 CSYSI_CLEAR_ANY, NULL);
	csysi_os_close(file);
	return r;
}

int csys_names_remove(int scope, int kind, const char *name)
{
	struct place place;
	struct csysi_patience patience = { .held = 0 };
	int force = 0;
	int r = find_place(scope, kind, name, &place);
	if (r < 0)
		return r;

	for (;;) {
		r = try_remove(scope, &place, name, force);
		if (r != CSYSI_CHANGED && r != CSYSI_HELD)
			break;
		int wait = csysi_patience_wait(&patience, r);
		/* A process of another user may have it alone for ever: see names.h. */
		if (wait < 0 && (force || scope != CSYS_NAMES_GLOBAL)) {
			r = wait;
			break;
		}
		force = wait < 0;
	}
	csysi_os_close(place.directory);
	return r;
}

/* ---- listing ---------------------------------------------------------------------------- */

struct csys_names {
	int scope;
	csys_handle directory;
	struct csysi_os_listing *listing;
	const char *file; /* of the row, the listing's */
	struct csysi_object_header header;
};

int csys_names_open(int scope, csys_names **out)
{
	if (!out)
		return CSYS_EINVAL;

	csys_names *names = csysi_alloc_zero(sizeof *names);
	if (!names)
		return CSYS_ENOMEM;
	names->scope = scope;
	names->directory = CSYS_NO_HANDLE;
	int r = csysi_names_directory(scope, &names->directory);
	if (r == 0)
		r = csysi_os_listing_open(names->directory, &names->listing);
	if (r < 0)
		csys_names_close(names);
	else
		*out = names;
	return r;
}

void csys_names_close(csys_names *names)
{
	if (!names)
		return;
	csysi_os_listing_close(names->listing);
	csysi_os_close(names->directory);
	csysi_free(names);
}

/* Read the next name that is an object's, or will be one's.  1, or 0 at the end. */
static int next_file(csys_names *names, csys_name_info *out)
{
	for (;;) {
		int r = csysi_os_listing_next(names->listing, &names->file);
		if (r <= 0)
			return r;

		memset(out, 0, sizeof *out);
		out->file = names->file;
		out->name = "";
		out->kind = csysi_name_of_file(names->file, &out->name);
		if (csysi_os_directory_is_temporary(names->file))
			out->kind = CSYS_NAME_HALF_MADE;
		if (out->kind != CSYS_NAME_UNKNOWN)
			return 1;
	}
}

/*
 * Whether a file is that of the name in its header.  In CSYS_NAMES_GLOBAL any user may have put
 * there what it likes, such as the name of another one's object.
 */
static int is_file_of(const csys_name_info *row, const char *name)
{
	char file[CSYSI_NAME_FILE];

	if (csysi_name_check(name) < 0)
		return 0;
	csysi_name_file(row->kind, name, csysi_os_directory_name_limit(), file);
	return strcmp(file, row->file) == 0;
}

/* Tell what only the open file does, which is closed. */
static int describe_open(csys_names *names, csys_name_info *row, csys_handle file)
{
	csys_handle locked;
	if (row->kind != CSYS_NAME_HALF_MADE &&
	    csysi_object_read_header(file, &names->header) == 0 &&
	    is_file_of(row, names->header.name))
		row->name = names->header.name;

	int r = csysi_names_lock_to_look(names->scope, names->directory, &locked);
	if (r == 0) {
		r = csysi_os_file_use(file, 1);
		row->state = r == 0 ? CSYS_NAME_LEFT_OVER : CSYS_NAME_IN_USE;
	}
	csysi_os_close(file); /* under the lock */
	csysi_os_close(locked);
	return r == CSYS_EAGAIN ? 0 : r;
}

/* Tell of a file.  CSYS_ENOENT: it is gone; CSYS_EBADMSG: it is none. */
static int describe(csys_names *names, csys_name_info *row)
{
	struct csysi_os_file info;
	csys_handle file;
	int r = csysi_os_directory_look(names->directory, row->file, &info);
	if (r < 0)
		return r;
	if (!info.is_file)
		return CSYS_EBADMSG;

	row->state = CSYS_NAME_NOT_TOLD;
	row->mode = info.mode;
	row->owner = info.owner;
	row->size = info.size;
	r = csysi_os_directory_open_file(names->directory, row->file, 0, &file);
	if (r == CSYS_EACCES || r == CSYS_EPERM)
		return 0;
	if (r < 0)
		return r;
	if (!csysi_object_is_second_name(row->file, &info))
		return describe_open(names, row, file);
	row->state = CSYS_NAME_LEFT_OVER;
	csysi_os_close(file);
	return 0;
}

int csys_names_next(csys_names *names, csys_name_info *out)
{
	if (!names || !out)
		return CSYS_EINVAL;

	csys_name_info row;
	int r;
	do {
		r = next_file(names, &row);
		if (r > 0)
			r = describe(names, &row);
		else if (r == 0)
			return 0;
	} while (r == CSYS_ENOENT || r == CSYS_EBADMSG || r == CSYS_EAGAIN);
	if (r < 0)
		return r;
	*out = row;
	return 1;
}

/* Remove what a scan has found, if it is left over and this user's: 1, or 0. */
static int clean(const csys_names *names, const csys_name_info *row, int kind)
{
	if (row->state != CSYS_NAME_LEFT_OVER || row->owner != csysi_os_user() ||
	    (kind != 0 && kind != row->kind))
		return 0;
	int r = csysi_object_clear(names->scope, names->directory, row->file, CSYSI_CLEAR_ANY,
				   NULL);
	if (r == CSYS_ENOENT || r == CSYS_EBUSY)
		return 0; /* another process was earlier, or uses it by now */
	return r < 0 ? r : 1;
}

int csys_names_clean(int scope, int kind, size_t *out_removed)
{
	size_t removed = 0;
	int failure = 0;
	csys_names *names;
	csys_name_info row;

	if (out_removed)
		*out_removed = 0;
	if (kind != 0 && kind != CSYS_NAME_HALF_MADE && !csysi_name_is_kind(kind))
		return CSYS_EINVAL;
	int r = csys_names_open(scope, &names);
	if (r < 0)
		return r;
	while ((r = csys_names_next(names, &row)) > 0) {
		int result = clean(names, &row, kind);
		if (result < 0)
			failure = result;
		else
			removed += (size_t)result;
	}
	csys_names_close(names);
	if (out_removed)
		*out_removed = removed;
	return r < 0 ? r : failure;
}
