/*
 * ipc/shm.c - creating shared memory, opening it, and handing it over.
 */
#include <string.h>

#include <csys/ipc/shm.h>

#include "base/memory.h"
#include "base/reserved.h"
#include "base/system.h"
#include "ipc/shm.h"

/* Within all sizes of memory: the header, and what rounding adds. */
#define ROOM ((size_t)1 << 26)

static const csys_shm_options usual;

/* ---- options ---------------------------------------------------------------------------- */

static int check(const csys_shm_options *options, int creating)
{
	if (options->huge_pages < 0 || options->huge_pages > CSYS_SHM_HUGE_ONLY)
		return CSYS_EINVAL;
	if (csysi_uses_reserved(options))
		return CSYS_EINVAL;
	return creating && options->read_only ? CSYS_EINVAL : 0;
}

/* A csys_shm that has nothing yet. */
static csys_shm *new_shm(int kind, const csys_shm_options *options)
{
	csys_shm *shm = csysi_alloc_zero(sizeof *shm);

	if (!shm)
		return NULL;
	shm->kind = kind;
	shm->object.file = shm->object.directory = shm->reader = CSYS_NO_HANDLE;
	shm->read_only = options->read_only != 0;
	shm->prefault = options->prefault != 0;
	shm->lock = options->lock != 0;
	shm->unit = 1;
	return shm;
}

void csys_shm_close(csys_shm *shm)
{
	if (!shm)
		return;
	/* Before the object, which is in use as long as it is mapped. */
	csysi_shm_unmap(shm);
	csysi_object_close(&shm->object);
	csysi_os_close(shm->reader);
	csysi_free(shm);
}

/* What creation has in hand. */
struct creation {
	csys_shm *shm;
	const csys_shm_options *options;
};

static int init(csys_shm *shm, const csys_shm_options *options)
{
	if (!options->init)
		return 0;
	int r = options->init(csys_shm_data(shm), csys_shm_size(shm), options->context);
	return r <= 0 && csysi_result_is_known(r) ? r : CSYS_EOTHER;
}

/* ---- with a name ------------------------------------------------------------------------ */

static int fill(const struct csysi_object *object, void *context)
{
	struct creation *creation = context;
	csys_shm *shm = creation->shm;
	int r = csysi_shm_map(shm, object->file, object->max_size,
			      creation->options->huge_pages == CSYS_SHM_HUGE_WISHED);
	if (r < 0)
		return r;

	r = init(shm, creation->options);
	if (r < 0)
		csysi_shm_unmap(shm);
	return r;
}

static void lost(void *context)
{
	csysi_shm_unmap(((struct creation *)context)->shm);
}

typedef int getter(const struct csysi_named *wanted, struct csysi_object *out);

static int get(getter *call, int kind, const char *name, size_t size,
	       const csys_shm_options *options, csys_shm **out)
{
	csys_shm *shm = new_shm(kind, options);
	if (!shm)
		return CSYS_ENOMEM;

	struct creation creation = { shm, options };
	struct csysi_named wanted = {
		.name = name,
		.kind = kind,
		.scope = options->scope,
		.mode = options->mode,
		.accept_foreign = options->accept_foreign,
		.read_only = options->read_only,
		.remove_with_last = options->remove_with_last,
		.replace_unused = options->replace_unused,
		.settles = kind == CSYS_NAME_REGION,
		.version = CSYSI_SHM_VERSION,
		.size = size,
		.max_size = options->max_size,
		.layout = options->layout,
		.fill = fill,
		.lost = lost,
		.context = &creation,
	};
	int r = call(&wanted, &shm->object);
	if (r == 0 && !shm->base)
		r = csysi_shm_map(shm, shm->object.file, shm->object.max_size,
				  options->huge_pages == CSYS_SHM_HUGE_WISHED);
	if (r < 0)
		csys_shm_close(shm);
	else
		*out = shm;
	return r;
}

static int get_new(getter *call, int kind, const char *name, size_t size,
		   const csys_shm_options *options, csys_shm **out)
{
	if (!options)
		options = &usual;
	if (check(options, 1) < 0 || options->peers_read_only || size == 0 || !out)
		return CSYS_EINVAL;
	if (options->huge_pages == CSYS_SHM_HUGE_ONLY)
		return CSYS_ENOTSUP;
	return get(call, kind, name, size, options, out);
}

int csysi_shm_create(int kind, const char *name, size_t size, const csys_shm_options *options,
		     csys_shm **out)
{
	return get_new(csysi_object_create, kind, name, size, options, out);
}

int csysi_shm_create_or_open(int kind, const char *name, size_t size,
			     const csys_shm_options *options, csys_shm **out)
{
	return get_new(csysi_object_create_or_open, kind, name, size, options, out);
}

int csysi_shm_open(int kind, const char *name, const csys_shm_options *options, csys_shm **out)
{
	if (!options)
		options = &usual;
	if (check(options, 0) < 0 || !out)
		return CSYS_EINVAL;
	return get(csysi_object_open, kind, name, 0, options, out);
}

int csys_shm_create(const char *name, size_t size, const csys_shm_options *options, csys_shm **out)
{
	return csysi_shm_create(CSYS_NAME_SHM, name, size, options, out);
}

int csys_shm_create_or_open(const char *name, size_t size, const csys_shm_options *options,
			    csys_shm **out)
{
	return csysi_shm_create_or_open(CSYS_NAME_SHM, name, size, options, out);
}

int csys_shm_open(const char *name, const csys_shm_options *options, csys_shm **out)
{
	return csysi_shm_open(CSYS_NAME_SHM, name, options, out);
}

/* ---- without one ------------------------------------------------------------------------ */

/* Open a file without a name in the directory of names, where there is no other such memory. */
static int open_file(csys_shm *shm, const csys_shm_options *options)
{
	csys_handle directory;
	struct csysi_os_new_file made;
	int r = csysi_names_directory(CSYS_NAMES_USER, &directory);
	if (r < 0)
		return r;

	r = csysi_os_directory_create(directory, 0600, &made);
	if (r == 0) {
		if (options->peers_read_only)
			r = csysi_os_directory_reader(directory, &made, &shm->reader);
		csysi_os_directory_unname(directory, &made);
		shm->object.file = made.file;
	}
	csysi_os_close(directory);
	return r;
}

/* Open memory of the system, or that file.  *out_sealed: whether it can be sealed. */
static int open_memory(csys_shm *shm, const csys_shm_options *options, int *out_sealed)
{
	int only = options->huge_pages == CSYS_SHM_HUGE_ONLY;
	int r = csysi_os_memory_create("csys-shm", only, &shm->object.file);

	*out_sealed = r == 0;
	if (r != CSYS_ENOTSUP || only)
		return r;
	return open_file(shm, options);
}

/* Keep all processes from changing its size, and others from writing if that is wished. */
static int seal(csys_shm *shm, const csys_shm_options *options)
{
	unsigned seals = CSYSI_OS_SEAL_SHRINK | CSYSI_OS_SEAL_SEAL;

	if (csys_shm_size(shm) == csys_shm_max_size(shm))
		seals |= CSYSI_OS_SEAL_GROW;
	if (options->peers_read_only)
		seals |= CSYSI_OS_SEAL_NEW_WRITE;
	return csysi_os_memory_seal(shm->object.file, seals);
}

/* Round up to whole huge pages, header included. */
static uint64_t rounded(uint64_t size, size_t unit)
{
	return (CSYSI_OBJECT_DATA + size + unit - 1) / unit * unit - CSYSI_OBJECT_DATA;
}

/* Make the memory of a new file: room, header, content. */
static int make(csys_shm *shm, size_t size, const csys_shm_options *options)
{
	struct csysi_object_header header;
	struct csysi_named wanted = { .kind = shm->kind,
				      .version = CSYSI_SHM_VERSION,
				      .size = rounded(size, shm->unit),
				      .max_size = rounded(options->max_size, shm->unit),
				      .layout = options->layout };

	csysi_object_make_header(&wanted, &header);
	int r = csysi_os_file_allocate(shm->object.file, CSYSI_OBJECT_DATA + wanted.size);
	if (r == 0)
		r = csysi_shm_map(shm, shm->object.file, header.max_size,
				  options->huge_pages == CSYS_SHM_HUGE_WISHED);
	if (r < 0)
		return r;
	memcpy(shm->base, &header, sizeof header);
	shm->object.is_created = 1;
	return init(shm, options);
}

int csysi_shm_create_anonymous(int kind, size_t size, const csys_shm_options *options,
			       csys_shm **out)
{
	int sealed;

	if (!options)
		options = &usual;
	if (check(options, 1) < 0 || size == 0 || !out)
		return CSYS_EINVAL;
	if (size > PTRDIFF_MAX - ROOM || options->max_size > PTRDIFF_MAX - ROOM)
		return CSYS_ENOMEM;
	size_t unit = 1;
	if (options->huge_pages == CSYS_SHM_HUGE_ONLY) {
		unit = csysi_os_memory_huge_size();
		if (unit == 0)
			return CSYS_ENOTSUP;
	}
	csys_shm *shm = new_shm(kind, options);
	if (!shm)
		return CSYS_ENOMEM;

	shm->unit = unit;
	int r = open_memory(shm, options, &sealed);
	if (r == 0)
		r = make(shm, size, options);
	if (r == 0 && sealed)
		r = seal(shm, options);
	if (r < 0)
		csys_shm_close(shm);
	else
		*out = shm;
	return r;
}

int csys_shm_create_anonymous(size_t size, const csys_shm_options *options, csys_shm **out)
{
	return csysi_shm_create_anonymous(CSYS_NAME_SHM, size, options, out);
}

/* ---- handing over ----------------------------------------------------------------------- */

csys_handle csys_shm_handle(const csys_shm *shm)
{
	if (!shm)
		return CSYS_NO_HANDLE;
	return shm->reader != CSYS_NO_HANDLE ? shm->reader : shm->object.file;
}

/* Check a handle from a process that may be hostile, and tell how much it may grow. */
static int check_handle(int kind, csys_handle handle, const csys_shm_options *options,
			uint64_t *out_max)
{
	struct csysi_os_file info;
	struct csysi_object_header header;
	struct csysi_named wanted = { .kind = kind,
				      .version = CSYSI_SHM_VERSION,
				      .layout = options->layout };
	unsigned seals = 0;

	if (!csysi_os_is_open(handle))
		return CSYS_EBADF;
	/* Seals first: a size that was looked at before them may be less by now.  And what has none
	 * may be a file whose system is the peer, which answers nothing else. */
	if (!options->accept_unsealed &&
	    (csysi_os_memory_seals(handle, &seals) < 0 || !(seals & CSYSI_OS_SEAL_SHRINK)))
		return CSYS_EBADMSG;
	int r = csysi_os_file_info(handle, &info);
	if (r < 0)
		return r;
	if (!info.is_file)
		return CSYS_EBADMSG;
	if (!csysi_os_is_readable(handle))
		return CSYS_EACCES;
	r = csysi_object_read_header(handle, &header);
	if (r < 0)
		return r;
	wanted.name = header.name; /* any */
	r = csysi_object_check(&header, info.size, &wanted);
	if (r == 0)
		*out_max = header.max_size;
	return r;
}

int csysi_shm_from_handle_take(int kind, csys_handle handle, const csys_shm_options *options,
			       csys_shm **out)
{
	uint64_t max_size = 0;

	if (!options)
		options = &usual;
	if (check(options, 0) < 0 || handle == CSYS_NO_HANDLE || !out)
		return CSYS_EINVAL;
	int r = check_handle(kind, handle, options, &max_size);
	if (r < 0)
		return r;
	csys_shm *shm = new_shm(kind, options);
	if (!shm)
		return CSYS_ENOMEM;
	r = csysi_shm_map(shm, handle, max_size, options->huge_pages == CSYS_SHM_HUGE_WISHED);
	if (r < 0) {
		csys_shm_close(shm); /* the handle stays the caller's */
		return r;
	}
	shm->object.file = handle;
	*out = shm;
	return 0;
}

int csys_shm_from_handle_take(csys_handle handle, const csys_shm_options *options, csys_shm **out)
{
	return csysi_shm_from_handle_take(CSYS_NAME_SHM, handle, options, out);
}
