/*
 * ipc/object.c - opening objects by their names, creating them whole, and closing them.
 */
#include <string.h>

#include "ipc/names.h"
#include "os/os.h"

/* ---- opening ---------------------------------------------------------------------------- */

static int is_foreign(int64_t owner)
{
	return owner != csysi_os_user() && owner != csysi_os_administrator();
}

/*
 * Note that an object is in use, if it may be adopted.  One that would have been removed with its
 * last user, or that the caller replaces, is removed if it has no user.  CSYSI_CHANGED: that, or
 * the name is another file's by now.  CSYSI_HELD.
 */
static int use(csys_handle directory, const struct csysi_object *object, int replace)
{
	csys_handle file = object->file;
	const char *name = object->file_name;

	/* Alone first: of several openers of a dead object none takes another for a user. */
	int r = replace ? csysi_object_alone(object->scope, directory, file) : CSYS_EAGAIN;
	if (r == 0) {
		if (csysi_os_directory_is_file(directory, name, file))
			r = csysi_os_directory_remove(directory, name);
		return r < 0 && r != CSYS_ENOENT ? r : CSYSI_CHANGED;
	}
	if (r == CSYS_EAGAIN)
		r = csysi_os_file_use(file, 0);
	if (r < 0)
		return r == CSYS_EAGAIN ? CSYSI_HELD : r;
	return csysi_os_directory_is_file(directory, name, file) ? 0 : CSYSI_CHANGED;
}

/* Check what was opened, and use it. */
static int adopt(csys_handle directory, const struct csysi_named *wanted,
		 struct csysi_object *object)
{
	struct csysi_object_header header;
	struct csysi_os_file info;
	int r = csysi_os_file_info(object->file, &info);
	if (r < 0)
		return r;
	if (!wanted->accept_foreign && is_foreign(info.owner))
		return CSYS_EPERM;
	r = csysi_object_read_header(object->file, &header);
	if (r == 0)
		r = csysi_object_check(&header, info.size, wanted);
	if (r < 0)
		return r;
	object->is_created = 0;
	object->flags = header.flags;
	object->size = info.size - CSYSI_OBJECT_DATA;
	object->max_size = header.max_size;
	object->layout = header.layout;
	object->owner = info.owner;
	return use(directory, object,
		   wanted->replace_unused || (header.flags & CSYSI_OBJECT_REMOVE_WITH_LAST));
}

/* Open an object once.  CSYSI_CHANGED, CSYSI_HELD. */
static int look(csys_handle directory, const struct csysi_named *wanted,
		struct csysi_object *object)
{
	int r = csysi_os_directory_open_file(directory, object->file_name, !wanted->read_only,
					     &object->file);
	if (r < 0)
		return r;
	r = adopt(directory, wanted, object);
	if (r < 0)
		csysi_os_close(object->file);
	return r;
}

/* ---- creation --------------------------------------------------------------------------- */

/* Fill in a new file, all but its name. */
static int fill(const struct csysi_named *wanted, struct csysi_object *object)
{
	struct csysi_object_header header;

	csysi_object_make_header(wanted, &header);
	object->is_created = 1;
	object->flags = header.flags;
	object->size = header.size;
	object->max_size = header.max_size;
	object->layout = header.layout;
	object->owner = csysi_os_user();

	int r = csysi_os_file_allocate(object->file, CSYSI_OBJECT_DATA + wanted->size);
	if (r == 0)
		r = csysi_os_write_at(object->file, 0, &header, sizeof header);
	return r;
}

/* Create an object once.  CSYS_EEXIST; CSYSI_CHANGED. */
static int make(csys_handle directory, const struct csysi_named *wanted,
		struct csysi_object *object)
{
	struct csysi_os_new_file new_file;
	int r = csysi_os_directory_create(directory, wanted->mode ? wanted->mode : 0600, &new_file);
	if (r < 0)
		return r;

	object->file = new_file.file;
	r = fill(wanted, object);
	if (r == 0 && wanted->fill)
		r = wanted->fill(object, wanted->context);
	if (r == 0) {
		r = csysi_os_directory_publish(directory, &new_file, object->file_name);
		if (r < 0 && wanted->lost)
			wanted->lost(wanted->context);
	}
	if (r < 0)
		csysi_os_directory_discard(directory, &new_file);
	return r;
}

/* Create an object, which replaces one that may not be adopted. */
static int make_or_clear(csys_handle directory, const struct csysi_named *wanted,
			 struct csysi_object *object)
{
	int r = make(directory, wanted, object);
	if (r != CSYS_EEXIST)
		return r;
	enum csysi_clear which = wanted->replace_unused ? CSYSI_CLEAR_ANY : CSYSI_CLEAR_WITH_LAST;
	r = csysi_object_clear(wanted->scope, directory, object->file_name, which, NULL);
	return r == 0 ? CSYSI_CHANGED : CSYS_EEXIST;
}

/* ---- both ------------------------------------------------------------------------------- */

void csysi_object_settle(struct csysi_object *object)
{
	if (object->flags & CSYSI_OBJECT_REMOVE_WITH_LAST)
		return;
	csysi_os_close(object->directory);
	object->directory = CSYS_NO_HANDLE;
}

enum how { CREATE = 1, OPEN = 2, CREATE_OR_OPEN = CREATE | OPEN };

static int try_once(csys_handle directory, const struct csysi_named *wanted, enum how how,
		    struct csysi_object *object)
{
	int r = CSYS_ENOENT;

	if (how & OPEN)
		r = look(directory, wanted, object);
	if (r != CSYS_ENOENT || !(how & CREATE))
		return r;
	r = how & OPEN ? make(directory, wanted, object) : make_or_clear(directory, wanted, object);
	return r == CSYS_EEXIST && (how & OPEN) ? CSYSI_CHANGED : r;
}

/* Try until something else comes of it than that another process was in between. */
static int try_long(csys_handle directory, const struct csysi_named *wanted, enum how how,
		    struct csysi_object *object)
{
	struct csysi_patience patience = { .held = 0 };

	for (;;) {
		int r = try_once(directory, wanted, how, object);
		if (r != CSYSI_CHANGED && r != CSYSI_HELD)
			return r;
		r = csysi_patience_wait(&patience, r);
		if (r < 0)
			return r;
	}
}

static int check_wanted(const struct csysi_named *wanted)
{
	int r = csysi_name_check(wanted->name);

	if (r < 0)
		return r;
	if (!csysi_name_is_kind(wanted->kind) || (wanted->mode & ~0666) ||
	    (wanted->mode && (wanted->mode & 0600) != 0600))
		return CSYS_EINVAL;
	return wanted->size > INT64_MAX - CSYSI_OBJECT_DATA ||
			       wanted->max_size > INT64_MAX - CSYSI_OBJECT_DATA
		       ? CSYS_ENOSPC
		       : 0;
}

static int get(const struct csysi_named *wanted, enum how how, struct csysi_object *out)
{
	int r = check_wanted(wanted);
	if (r < 0)
		return r;

	struct csysi_object object = { .file = CSYS_NO_HANDLE, .scope = wanted->scope };
	csysi_name_file(wanted->kind, wanted->name, csysi_os_directory_name_limit(),
			object.file_name);
	r = csysi_names_directory(wanted->scope, &object.directory);
	if (r < 0)
		return r;
	r = try_long(object.directory, wanted, how, &object);
	if (r < 0) {
		csysi_os_close(object.directory);
		return r;
	}
	if (!wanted->settles || !object.is_created)
		csysi_object_settle(&object);
	*out = object;
	return 0;
}

int csysi_object_create(const struct csysi_named *wanted, struct csysi_object *out)
{
	return get(wanted, CREATE, out);
}

int csysi_object_open(const struct csysi_named *wanted, struct csysi_object *out)
{
	struct csysi_named adopted = *wanted;

	adopted.replace_unused = 0;
	return get(&adopted, OPEN, out);
}

int csysi_object_create_or_open(const struct csysi_named *wanted, struct csysi_object *out)
{
	return get(wanted, CREATE_OR_OPEN, out);
}

/* ---- closing and clearing --------------------------------------------------------------- */

static int is_cleared(csys_handle file, enum csysi_clear which, const char *name)
{
	struct csysi_object_header header;

	if (which == CSYSI_CLEAR_ANY)
		return 1;
	if (csysi_object_read_header(file, &header) < 0)
		return 0;
	return which == CSYSI_CLEAR_WITH_LAST ? (header.flags & CSYSI_OBJECT_REMOVE_WITH_LAST) != 0
					      : name && strcmp(header.name, name) == 0;
}

int csysi_object_is_second_name(const char *file_name, const struct csysi_os_file *info)
{
	return csysi_os_directory_is_temporary(file_name) && info->links > 1;
}

/* Remove the name of a file that is open, if no other opening uses it. */
static int clear(int scope, csys_handle directory, const char *file_name, csys_handle file)
{
	struct csysi_os_file info;

	/* What its creator would do, if that was not killed. */
	if (csysi_os_file_info(file, &info) == 0 && csysi_object_is_second_name(file_name, &info))
		return csysi_os_directory_remove(directory, file_name);
	int r = csysi_object_alone(scope, directory, file);
	if (r < 0)
		return r == CSYS_EAGAIN ? CSYS_EBUSY : r;
	/* From here no other process uses it or removes its name: see names.h. */
	if (!csysi_os_directory_is_file(directory, file_name, file))
		return CSYS_ENOENT;
	return csysi_os_directory_remove(directory, file_name);
}

int csysi_object_clear(int scope, csys_handle directory, const char *file_name,
		       enum csysi_clear which, const char *name)
{
	csys_handle file;
	int r = csysi_os_directory_open_file(directory, file_name, 0, &file);
	if (r < 0)
		return r;

	r = is_cleared(file, which, name) ? clear(scope, directory, file_name, file) : CSYS_ENOENT;
	csysi_os_close(file);
	return r;
}

void csysi_object_undo(struct csysi_object *object)
{
	if (object->is_created && object->directory != CSYS_NO_HANDLE)
		(void)clear(object->scope, object->directory, object->file_name, object->file);
}

static int is_same(csys_handle a, csys_handle b)
{
	struct csysi_os_file one;
	struct csysi_os_file other;

	return csysi_os_file_info(a, &one) == 0 && csysi_os_file_info(b, &other) == 0 &&
	       one.device == other.device && one.number == other.number;
}

void csysi_object_close(struct csysi_object *object)
{
	int os_error = csys_os_error();
	csys_handle again = CSYS_NO_HANDLE;

	/* A second opening, which outlives the first and so is the same file, and which shares
	 * nothing with a forked child. */
	if (object->directory != CSYS_NO_HANDLE &&
	    csysi_os_directory_open_file(object->directory, object->file_name, 0, &again) == 0 &&
	    !is_same(object->file, again)) {
		csysi_os_close(again);
		again = CSYS_NO_HANDLE;
	}
	csysi_os_close(object->file);
	if (again != CSYS_NO_HANDLE)
		(void)clear(object->scope, object->directory, object->file_name, again);
	csysi_os_close(again);
	csysi_os_close(object->directory);
	object->file = object->directory = CSYS_NO_HANDLE;
	csysi_set_os_error(os_error);
}
