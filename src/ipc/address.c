/*
 * ipc/address.c - addresses of local sockets, as values and as text.
 */
#include "ipc/address.h"

#include <string.h>

#include "base/text.h"

_Static_assert((int)CSYS_ADDRESS_UNNAMED == (int)CSYSI_OS_UNNAMED &&
		       (int)CSYS_ADDRESS_IS_PATH == (int)CSYSI_OS_PATH &&
		       (int)CSYS_ADDRESS_IS_ABSTRACT == (int)CSYSI_OS_ABSTRACT &&
		       (int)CSYS_ADDRESS_IS_FOREIGN == (int)CSYSI_OS_FOREIGN,
	       "os/socket.h says the same");

/* ---- making -------------------------------------------------------------------------- */

/* Only the bytes that count are written: the rest of the value is large. */
static void set(csys_address *out, int kind, const char *bytes, size_t size)
{
	out->kind = kind;
	out->size = (uint32_t)size;
	memmove(out->bytes, bytes, size);
	out->bytes[size] = 0;
}

int csys_address_path_bytes(const char *path, size_t size, csys_address *out)
{
	if (!path || !out || size == 0)
		return CSYS_EINVAL;
	if (size > CSYS_ADDRESS_PATH)
		return CSYS_ENAMETOOLONG;
	if (memchr(path, 0, size))
		return CSYS_EINVAL;
	set(out, CSYS_ADDRESS_IS_PATH, path, size);
	return 0;
}

int csys_address_path(const char *path, csys_address *out)
{
	return path ? csys_address_path_bytes(path, strlen(path), out) : CSYS_EINVAL;
}

int csys_address_abstract(const void *name, size_t size, csys_address *out)
{
	if (!name || !out || size == 0)
		return CSYS_EINVAL;
	if (size > CSYS_ADDRESS_ABSTRACT)
		return CSYS_ENAMETOOLONG;
	set(out, CSYS_ADDRESS_IS_ABSTRACT, name, size);
	return 0;
}

/* ---- looking at it ------------------------------------------------------------------- */

enum csys_address_kind csys_address_kind_of(const csys_address *address)
{
	return address ? (enum csys_address_kind)address->kind : CSYS_ADDRESS_UNNAMED;
}

const char *csys_address_bytes(const csys_address *address, size_t *out_size)
{
	if (out_size)
		*out_size = address ? address->size : 0;
	return address ? address->bytes : "";
}

int csys_address_equal(const csys_address *a, const csys_address *b)
{
	return a && b && a->kind == b->kind && a->size == b->size &&
	       memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* ASCII alone, whatever the locale is. */
static void put_byte(struct csysi_text *text, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	if (byte == '\\') {
		csysi_text_put_string(text, "\\\\");
	} else if (byte >= ' ' && byte <= '~') {
		csysi_text_put(text, (char)byte);
	} else {
		csysi_text_put_string(text, "\\x");
		csysi_text_put(text, digits[byte >> 4]);
		csysi_text_put(text, digits[byte & 15]);
	}
}

size_t csys_address_text(const csys_address *address, char *buffer, size_t size)
{
	struct csysi_text text = { .buffer = buffer, .room = buffer ? size : 0 };
	int kind = (int)csys_address_kind_of(address);

	if (kind == CSYS_ADDRESS_UNNAMED)
		csysi_text_put_string(&text, "(unnamed)");
	else if (kind == CSYS_ADDRESS_IS_FOREIGN)
		csysi_text_put_string(&text, "(not local)");
	else if (kind == CSYS_ADDRESS_IS_ABSTRACT)
		csysi_text_put(&text, '@');
	for (size_t i = 0; address && i < address->size; i++)
		put_byte(&text, (unsigned char)address->bytes[i]);
	return csysi_text_end(&text);
}

/* ---- the system's -------------------------------------------------------------------- */

int csysi_address_is_abstract(const csys_address *address)
{
	return csys_address_kind_of(address) == CSYS_ADDRESS_IS_ABSTRACT;
}

int csysi_address_to_os(const csys_address *address, struct csysi_os_address *out)
{
	int kind = (int)csys_address_kind_of(address);

	if ((kind != CSYS_ADDRESS_IS_PATH && kind != CSYS_ADDRESS_IS_ABSTRACT) ||
	    address->size == 0)
		return CSYS_EINVAL;
	*out = (struct csysi_os_address){ .kind = (enum csysi_os_address_kind)kind,
					  .bytes = address->bytes,
					  .size = address->size };
	return 0;
}

void csysi_address_from_os(const struct csysi_os_address_told *told, csys_address *out)
{
	set(out, (int)told->kind, told->bytes, told->size);
}
