/*
 * ipc/map.c - files in memory.
 *
 * The system maps whole pages of a file from a multiple of its granularity.  So a map begins
 * `lead` bytes behind the base of its mapping, and a map of size 0 has no mapping.
 */
#include <string.h>

#include <csys/ipc/map.h>

#include "base/memory.h"
#include "base/reserved.h"
#include "os/os.h"

struct csys_map {
	char *base;  /* NULL: the size is 0 */
	size_t lead; /* of the mapping, before the first byte */
	size_t size;
	csys_map_options options;
	int is_protected;
	uint32_t generation; /* of the process that made it */
	csys_handle file;    /* with can_resize */
};

static const csys_map_options usual;

/* The first byte of maps that have none. */
static char nothing;

/* ---- ranges ------------------------------------------------------------------------------ */

/* Whether this process has the memory. */
static int is_here(const csys_map *map)
{
	return !map->options.no_fork || map->generation == csysi_os_generation();
}

/* Check a map; and a range of one. */
static int check(const csys_map *map)
{
	if (!map)
		return CSYS_EINVAL;
	return is_here(map) ? 0 : CSYS_EBADF;
}

static int check_range(const csys_map *map, size_t offset, size_t size)
{
	int r = check(map);

	if (r < 0)
		return r;
	return offset > map->size || size > map->size - offset ? CSYS_EINVAL : 0;
}

static char *at(const csys_map *map, size_t offset)
{
	return map->base + map->lead + offset;
}

/* Whether the memory can be written now. */
static int is_writable(const csys_map *map)
{
	return map->options.access != CSYS_MAP_READ && !map->is_protected;
}

static int prefault(const csys_map *map, size_t offset, size_t size)
{
	return csysi_os_map_prefault(at(map, offset), size, is_writable(map));
}

/* ---- making ------------------------------------------------------------------------------ */

static int check_options(const csys_map_options *options)
{
	if (options->access < CSYS_MAP_READ || options->access > CSYS_MAP_COPY)
		return CSYS_EINVAL;
	if (options->extend && options->access != CSYS_MAP_WRITE)
		return CSYS_EINVAL;
	if (csysi_uses_reserved(options))
		return CSYS_EINVAL;
	return 0;
}

/* Have a file reach up to the end of a range of it. */
static int reach(csys_handle file, const csys_map_options *options, uint64_t size,
		 const struct csysi_os_file *info)
{
	if (size > (uint64_t)INT64_MAX - options->offset)
		return CSYS_EINVAL;
	if (!info->is_file || options->offset + size <= info->size)
		return 0;
	return options->extend ? csysi_os_file_allocate(file, options->offset + size) : CSYS_EINVAL;
}

/* Find out how large the map is to be, and make the file long enough. */
static int measure(csys_handle file, const csys_map_options *options, uint64_t *out_size)
{
	struct csysi_os_file info;
	uint64_t size = options->size;

	if (options->offset > INT64_MAX)
		return CSYS_EINVAL;
	int r = csysi_os_file_info(file, &info);
	if (r < 0)
		return r;
	if (!csysi_os_is_readable(file) ||
	    (options->access == CSYS_MAP_WRITE && !csysi_os_is_writable(file)))
		return CSYS_EACCES;
	if (size == 0 && !info.is_file)
		return CSYS_ENOTSUP; /* a device has no end */
	if (size == 0 && options->offset > info.size)
		return CSYS_EINVAL;
	if (size == 0)
		size = info.size - options->offset;
	r = reach(file, options, size, &info);
	if (r == 0)
		*out_size = size;
	return r;
}

/* What is done with the memory, for the system. */
static enum csysi_os_access access_of(const csys_map *map)
{
	static const enum csysi_os_access of[] = { CSYSI_OS_MAP_READ, CSYSI_OS_MAP_WRITE,
						   CSYSI_OS_MAP_COPY };

	return of[map->options.access];
}

/* Tell the system what was wished for all pages.  They may have been told before. */
static int advise_all(csys_map *map)
{
	size_t size = map->lead + map->size;

	if (map->options.huge_pages)
		(void)csysi_os_map_advise(map->base, size, CSYSI_OS_ADVICE_HUGE_PAGES);
	if (map->options.no_dump)
		(void)csysi_os_map_advise(map->base, size, CSYSI_OS_ADVICE_NO_DUMP);
	if (!map->options.no_fork)
		return 0;
	return csysi_os_map_advise(map->base, size, CSYSI_OS_ADVICE_NO_FORK);
}

/* Make the bytes from `from` on what was wished for all of them. */
static int prepare(csys_map *map, size_t from)
{
	int r = advise_all(map);

	if (r == 0 && map->options.prefault)
		r = prefault(map, from, map->size - from);
	if (r == 0 && map->options.lock)
		r = csysi_os_map_lock(at(map, from), map->size - from);
	return r;
}

static void unmap(csys_map *map)
{
	if (map->base)
		csysi_os_unmap(map->base, map->lead + map->size);
	map->base = NULL;
	map->size = 0;
}

/* Each page is a multiple of it. */
#define PIECE 4096

/*
 * Copy what this process has written with CSYS_MAP_COPY into a new mapping, in which it is not:
 * what differs there from the file.  Pieces beyond the end of the file have nothing any more.
 */
static int carry_over(const csys_map *map, char *to)
{
	char here[PIECE], there[PIECE];
	size_t size = map->lead + map->size;

	for (size_t done = 0; done < size; done += PIECE) {
		size_t part = size - done < PIECE ? size - done : PIECE;
		int r = csysi_os_map_copy(map->base + done, here, part);
		if (r == 0)
			r = csysi_os_map_copy(to + done, there, part);
		if (r == 0 && memcmp(here, there, part) != 0)
			memcpy(to + done, here, part);
		if (r < 0 && r != CSYS_EIO)
			return r;
	}
	return 0;
}

/* Map the first `size` bytes, in place of what is mapped.  After a failure that is as it was. */
static int map_anew(csys_map *map, csys_handle file, size_t size)
{
	size_t lead = (size_t)(map->options.offset % csysi_os_map_granularity());
	void *base = NULL;

	if (size > SIZE_MAX / 2 - lead)
		return CSYS_ENOMEM;
	int r = csysi_os_map(file, map->options.offset - lead, lead + size, access_of(map), &base);
	if (r == 0 && map->base && map->options.access == CSYS_MAP_COPY)
		r = carry_over(map, base);
	if (r == 0 && map->is_protected)
		r = csysi_os_map_protect(base, lead + size, CSYSI_OS_MAP_READ);
	if (r < 0) {
		csysi_os_unmap(base, lead + size);
		return r;
	}
	unmap(map);
	map->base = base;
	map->lead = lead;
	map->size = size;
	return 0;
}

static int make(csys_map *map, csys_handle file)
{
	uint64_t size = 0;
	int r = measure(file, &map->options, &size);

	if (r == 0 && size > SIZE_MAX)
		r = CSYS_ENOMEM;
	if (r == 0 && size > 0)
		r = map_anew(map, file, (size_t)size);
	if (r == 0 && size > 0)
		r = prepare(map, 0);
	if (r == 0 && map->options.can_resize)
		r = csysi_os_dup(file, &map->file);
	return r;
}

int csys_map_from_handle(csys_handle file, const csys_map_options *options, csys_map **out_map)
{
	if (!options)
		options = &usual;
	if (!out_map || check_options(options) < 0)
		return CSYS_EINVAL;
	csys_map *map = csysi_alloc_zero(sizeof *map);
	if (!map)
		return CSYS_ENOMEM;
	map->options = *options;
	map->generation = csysi_os_generation();
	map->file = CSYS_NO_HANDLE;
	int r = make(map, file);
	if (r == 0)
		*out_map = map;
	else
		csys_map_close(map);
	return r;
}

int csys_map_open(const char *path, const csys_map_options *options, csys_map **out_map)
{
	csys_handle file;

	if (!options)
		options = &usual;
	if (!path || !out_map || check_options(options) < 0)
		return CSYS_EINVAL;
	int r = csysi_os_map_open(path, options->access == CSYS_MAP_WRITE, &file);
	if (r < 0)
		return r;
	r = csys_map_from_handle(file, options, out_map);
	csysi_os_close(file);
	return r;
}

void csys_map_close(csys_map *map)
{
	if (!map)
		return;
	if (is_here(map))
		unmap(map);
	csysi_os_close(map->file);
	csysi_free(map);
}

/* ---- using ------------------------------------------------------------------------------- */

void *csys_map_data(const csys_map *map)
{
	if (check(map) < 0)
		return NULL;
	return map->base ? at(map, 0) : &nothing;
}

size_t csys_map_size(const csys_map *map)
{
	return check(map) < 0 ? 0 : map->size;
}

int csys_map_copy_from(const csys_map *map, size_t offset, void *buffer, size_t size)
{
	int r = buffer ? check_range(map, offset, size) : CSYS_EINVAL;

	return r < 0 || size == 0 ? r : csysi_os_map_copy(at(map, offset), buffer, size);
}

static int flush(const csys_map *map, size_t offset, size_t size, int wait)
{
	int r = check_range(map, offset, size);

	if (r < 0 || size == 0 || map->options.access != CSYS_MAP_WRITE)
		return r;
	return csysi_os_map_flush(at(map, offset), size, wait);
}

int csys_map_flush(csys_map *map, size_t offset, size_t size)
{
	return flush(map, offset, size, 1);
}

int csys_map_flush_async(csys_map *map, size_t offset, size_t size)
{
	return flush(map, offset, size, 0);
}

int csys_map_advise(csys_map *map, size_t offset, size_t size, enum csys_map_advice advice)
{
	static const enum csysi_os_advice of[] = {
		[CSYS_MAP_ADVICE_NORMAL] = CSYSI_OS_ADVICE_NORMAL,
		[CSYS_MAP_ADVICE_SEQUENTIAL] = CSYSI_OS_ADVICE_SEQUENTIAL,
		[CSYS_MAP_ADVICE_RANDOM] = CSYSI_OS_ADVICE_RANDOM,
		[CSYS_MAP_ADVICE_WILL_NEED] = CSYSI_OS_ADVICE_WILL_NEED,
		[CSYS_MAP_ADVICE_DONT_NEED] = CSYSI_OS_ADVICE_DONT_NEED,
		[CSYS_MAP_ADVICE_HUGE_PAGES] = CSYSI_OS_ADVICE_HUGE_PAGES,
	};
	int r = check_range(map, offset, size);

	/* By its number: the compiler may take an enum for what its names are. */
	if (r == 0 && (size_t)advice >= sizeof of / sizeof *of)
		return CSYS_EINVAL;
	return r < 0 || size == 0 ? r : csysi_os_map_advise(at(map, offset), size, of[advice]);
}

int csys_map_prefault(csys_map *map, size_t offset, size_t size)
{
	int r = check_range(map, offset, size);

	return r < 0 || size == 0 ? r : prefault(map, offset, size);
}

int csys_map_lock(csys_map *map, size_t offset, size_t size)
{
	int r = check_range(map, offset, size);

	return r < 0 || size == 0 ? r : csysi_os_map_lock(at(map, offset), size);
}

int csys_map_unlock(csys_map *map, size_t offset, size_t size)
{
	int r = check_range(map, offset, size);

	return r < 0 || size == 0 ? r : csysi_os_map_unlock(at(map, offset), size);
}

int csys_map_protect(csys_map *map, int writable)
{
	int r = check(map);

	if (r == 0 && writable && map->options.access == CSYS_MAP_READ)
		r = CSYS_EACCES;
	if (r == 0 && map->base)
		r = csysi_os_map_protect(map->base, map->lead + map->size,
					 writable ? access_of(map) : CSYSI_OS_MAP_READ);
	if (r == 0)
		map->is_protected = !writable;
	return r;
}

/* ---- resizing ---------------------------------------------------------------------------- */

/*
 * Change the size of the mapping.  After a failure it is as it was.  1: all of it is mapped anew,
 * and nothing is left of what the system was told of it.
 */
static int set_size(csys_map *map, size_t size)
{
	void *base = map->base;
	int r = CSYS_ENOTSUP;

	if (size > SIZE_MAX / 2 - map->lead)
		return CSYS_ENOMEM;
	if (base)
		r = csysi_os_map_resize(&base, map->lead + map->size, map->lead + size, 1);
	if (r == CSYS_ENOTSUP) {
		r = map_anew(map, map->file, size);
		return r < 0 ? r : 1;
	}
	if (r < 0)
		return r;
	map->base = base;
	map->size = size;
	return 0;
}

/* Go back to what a map had before its new pages could not be prepared. */
static void go_back(csys_map *map, size_t before, int is_anew)
{
	if (before == 0) {
		unmap(map);
		return;
	}
	(void)set_size(map, before); /* cannot fail: it gives pages back */
	if (is_anew)
		(void)prepare(map, 0); /* as far as it goes */
}

static int grow(csys_map *map, size_t size)
{
	size_t before = map->size;
	struct csysi_os_file info;
	int r = csysi_os_file_info(map->file, &info);
	if (r == 0)
		r = reach(map->file, &map->options, size, &info);
	if (r == 0)
		r = set_size(map, size);
	if (r < 0)
		return r;
	int is_anew = r > 0;
	r = prepare(map, is_anew ? 0 : before);
	if (r < 0)
		go_back(map, before, is_anew);
	return r;
}

int csys_map_resize(csys_map *map, size_t size)
{
	int r = check(map);

	if (r < 0)
		return r;
	if (map->file == CSYS_NO_HANDLE)
		return CSYS_ENOTSUP;
	if (size > map->size)
		return grow(map, size);
	if (size == 0)
		unmap(map);
	if (size >= map->size)
		return 0;
	r = set_size(map, size);
	return r < 0 ? r : 0;
}
