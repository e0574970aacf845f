/*
 * ipc/object_header.c - what an object tells of itself, and whether to believe it.
 *
 * A header comes from a file that others can write: it is read once, into memory of this process,
 * and nothing in it is used before it was checked.
 */
#include <string.h>

#include "ipc/names.h"
#include "os/os.h"

#define MAGIC 0x316a626f73797363u /* "csysobj1" where bytes are in the usual order */
#define FORMAT 1u

_Static_assert(sizeof(struct csysi_object_header) <= CSYSI_OBJECT_DATA, "before the data");

void csysi_object_make_header(const struct csysi_named *wanted, struct csysi_object_header *out)
{
	size_t name_size = wanted->name ? strlen(wanted->name) : 0;

	memset(out, 0, sizeof *out);
	out->magic = MAGIC;
	out->format = FORMAT;
	out->kind = (uint32_t)wanted->kind;
	out->version = wanted->version;
	out->flags = wanted->remove_with_last ? CSYSI_OBJECT_REMOVE_WITH_LAST : 0;
	out->data = CSYSI_OBJECT_DATA;
	out->size = wanted->size;
	out->max_size = wanted->max_size > wanted->size ? wanted->max_size : wanted->size;
	out->layout = wanted->layout;
	out->name_size = (uint32_t)name_size;
	if (name_size > 0)
		memcpy(out->name, wanted->name, name_size);
}

int csysi_object_read_header(csys_handle file, struct csysi_object_header *out)
{
	struct csysi_object_header header;
	int r = csysi_os_read_at(file, 0, &header, sizeof header);

	if (r == CSYS_EIO)
		return CSYS_EBADMSG; /* shorter than that */
	if (r < 0)
		return r;
	if (header.magic != MAGIC || header.format != FORMAT || header.data != CSYSI_OBJECT_DATA ||
	    header.name_size > CSYS_NAME_MAX || header.name[header.name_size] != '\0' ||
	    strlen(header.name) != header.name_size)
		return CSYS_EBADMSG;
	*out = header;
	return 0;
}

/* Whether the sizes go with each other, and the file has all that it says. */
static int is_whole(const struct csysi_object_header *header, uint64_t file_size)
{
	return header->max_size >= header->size && header->max_size <= INT64_MAX - header->data &&
	       file_size >= header->data + header->size;
}

int csysi_object_check(const struct csysi_object_header *header, uint64_t file_size,
		       const struct csysi_named *wanted)
{
	const char *name = wanted->name ? wanted->name : "";

	if (header->kind != (uint32_t)wanted->kind || header->version != wanted->version ||
	    strcmp(header->name, name) != 0 || !is_whole(header, file_size))
		return CSYS_EBADMSG;
	if (wanted->layout != 0 && header->layout != 0 && wanted->layout != header->layout)
		return CSYS_EBADMSG;
	return file_size - header->data < wanted->size ? CSYS_EBADMSG : 0;
}
